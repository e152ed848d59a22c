package browser

import (
	"bytes"
	_ "embed" // for axe
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
	"time"

	"github.com/chromedp/chromedp"
)

//go:embed axe/axe.min.js
var axe string

// finding is what axe-core complains about.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// Check fails the test if axe-core finds something serious on the page of an address, light or dark, or if the page is
// wider than a phone. Everything that can be opened is open.
func (b *Tab) Check(name, url string) {
	b.t.Helper()
	b.Go(url)
	b.CheckShown(name)
}

// CheckShown is Check for the page that is shown, such as the answer to a form.
func (b *Tab) CheckShown(name string) {
	b.t.Helper()
	b.Do(chromedp.Evaluate[chromedp.Void](axe))
	for _, scheme := range []string{"light", "dark"} {
		b.Do(chromedp.EmulateViewport(1280, 900), Colours(scheme),
			chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => { d.removeAttribute("name"); d.open = true })`))
		for _, f := range Ask(b, chromedp.Evaluate[[]finding](`axe.run().then((r) => r.violations)`, chromedp.EvalAwaitPromise)) {
			if f.Impact == "serious" || f.Impact == "critical" {
				b.t.Errorf("%s, %s: %s: %s (%s)\n%+v", name, scheme, f.Impact, f.Help, f.ID, f.Nodes)
			}
		}
	}
	b.Do(chromedp.EmulateViewport(390, 844))
	if Ask(b, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > 390`)) {
		b.t.Errorf("%s is wider than a phone", name)
	}
	b.Do(chromedp.EmulateViewport(1280, 900))
}

// Picture draws the page of an address as a PNG, "light" or "dark", with a width in pixels.
func (b *Tab) Picture(url, scheme string, width int64) []byte {
	b.t.Helper()
	b.Go(url)
	return b.PictureShown(scheme, width)
}

// PictureShown is Picture of the page that is shown.
func (b *Tab) PictureShown(scheme string, width int64) []byte {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, 844), Colours(scheme), chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0)"), chromedp.Sleep(100*time.Millisecond))
	in, err := png.Decode(bytes.NewReader(Ask(b, chromedp.FullScreenshot(100))))
	if err != nil {
		b.t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, withFewColours(in)); err != nil {
		b.t.Fatal(err)
	}
	return out.Bytes()
}

// withFewColours keeps the 256 colours that a picture has most, so that its file is small.
func withFewColours(in image.Image) image.Image {
	count := map[color.RGBA]int{}
	b := in.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(in.At(x, y)).(color.RGBA) }
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, c := range most[:min(256, len(most))] {
		palette = append(palette, c)
	}
	nearest := map[color.RGBA]uint8{}
	out := image.NewPaletted(b, palette)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			i, ok := nearest[c]
			if !ok {
				i = uint8(palette.Index(c))
				nearest[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}
