package browsertest

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/scimkit/scim/journal"
)

// place is a page of the console.
type place struct{ name, path string }

// places are all pages.
func (s *site) places() []place {
	s.t.Helper()
	failed, err := s.journal.Find(s.t.Context(), journal.Query{Class: 4, Limit: 1})
	if err != nil || len(failed) != 1 {
		s.t.Fatalf("%d requests have failed, error %v", len(failed), err)
	}
	return []place{
		{"overview", ""}, {"problems", "problems"}, {"activity", "activity"}, {"request", "activity/" + failed[0].ID}, {"people", "people"},
		{"person", "people/" + s.person}, {"groups", "groups"}, {"group", "groups/" + s.group}, {"health", "health"}, {"connection", "connection"},
		{"failure", "nothing"},
	}
}

// axe-core finds nothing serious on any page, light and dark, and nothing is wider than a phone.
func TestAccessible(t *testing.T) {
	ctx, s := open(t), newSite(t, "")
	many := newSite(t, "", "other")
	check := func(name, url string) {
		for _, scheme := range []string{"light", "dark"} {
			do(t, ctx, chromedp.EmulateViewport(1280, 900), inColours(scheme), chromedp.Navigate(url), chromedp.Evaluate[chromedp.Void](axe),
				chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => { d.removeAttribute("name"); d.open = true })`))
			for _, f := range ask(t, ctx, chromedp.Evaluate[[]finding](`axe.run().then((r) => r.violations)`, chromedp.EvalAwaitPromise)) {
				if f.Impact == "serious" || f.Impact == "critical" {
					t.Errorf("%s, %s: %s: %s (%s)\n%+v", name, scheme, f.Impact, f.Help, f.ID, f.Nodes)
				}
			}
		}
		do(t, ctx, chromedp.EmulateViewport(390, 844))
		if ask(t, ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > 390`)) {
			t.Errorf("%s is wider than a phone", name)
		}
	}
	for _, p := range s.places() {
		check(p.name, s.URL+"/provisioning/"+p.path)
	}
	check("tenants", many.URL+"/provisioning/")
}

// The pictures of docs/console.md can be drawn. With -update they are.
func TestPictures(t *testing.T) {
	ctx, s := open(t), newSite(t, "")
	want := map[string]string{"overview": "1280", "request": "1280", "person": "390-dark"} // in docs/console.md
	dir := os.Getenv("SCIM_PICTURES")                                                      // all pages, for people who look at them
	for _, p := range s.places() {
		for _, view := range []struct {
			name, scheme string
			width        int64
		}{{"1280", "light", 1280}, {"390-dark", "dark", 390}} {
			if want[p.name] != view.name && dir == "" {
				continue
			}
			picture := shoot(t, ctx, s.URL+"/provisioning/"+p.path, view.scheme, view.width)
			if len(picture) < 2000 {
				t.Errorf("%s: a picture of %d bytes", p.name, len(picture))
			}
			file := filepath.Join("..", "..", "docs", "console", p.name+"-"+view.name+".png")
			if dir != "" {
				file = filepath.Join(dir, p.name+"-"+view.name+".png")
			} else if !*update {
				continue
			}
			if err := os.WriteFile(file, picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
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

// shoot draws a page.
func shoot(t *testing.T, ctx context.Context, url, scheme string, width int64) []byte {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(width, 844), inColours(scheme), chromedp.Navigate(url), chromedp.Sleep(100*time.Millisecond))
	in, err := png.Decode(bytes.NewReader(ask(t, ctx, chromedp.FullScreenshot(100))))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, withFewColours(in)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
