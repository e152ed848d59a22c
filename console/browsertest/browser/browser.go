// Package browser drives Chromium in tests: of the console, and of the examples' pages. Without Chromium a test is
// skipped, unless CI is set: then it fails.
package browser

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Tab is a tab of a browser. A step that fails ends the test.
type Tab struct {
	t   *testing.T
	ctx context.Context
}

// Open starts a browser of 1280 by 900 pixels, which ends with the test, after 8 minutes at the latest.
func Open(t *testing.T) *Tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(find(t)), chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	all, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(all)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil { // starts the browser
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(cancel)
	return &Tab{t, ctx}
}

func find(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("Chromium is not installed, and CI must not skip this")
	}
	t.Skip("Chromium is not installed")
	return ""
}

// In returns the tab for a part of a test.
func (b *Tab) In(t *testing.T) *Tab { return &Tab{t, b.ctx} }

// Do runs steps.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// Ask runs a step that has an answer.
func Ask[T any](b *Tab, step chromedp.Action[T]) T {
	b.t.Helper()
	answer, err := chromedp.Run(b.ctx, step)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

// Go shows the page of an address.
func (b *Tab) Go(url string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(url))
}

// Follow runs a step that leads to another page, and waits for the page.
func (b *Tab) Follow(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, step); err != nil {
		b.t.Fatal(err)
	}
	b.Do(chromedp.WaitReady(chromedp.CSS("main")))
}

// Text returns the text of the page, as people see it.
func (b *Tab) Text() string {
	b.t.Helper()
	return Ask(b, chromedp.Text(chromedp.CSS("main")))
}

// Has ends the test if the page does not show texts.
func (b *Tab) Has(texts ...string) {
	b.t.Helper()
	shown := b.Text()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			b.t.Fatalf("the page does not show %q:\n%s", text, shown)
		}
	}
}

// focused is a script that returns the text of what has the focus.
const focused = `(() => { const e = document.activeElement; return (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.innerText || e.textContent || "").trim() })()`

// Focused returns the text of what has the focus.
func (b *Tab) Focused() string {
	b.t.Helper()
	return Ask(b, chromedp.Evaluate[string](focused))
}

// TabTo presses the tab key until what begins with a text has the focus, as somebody without a mouse does.
func (b *Tab) TabTo(text string) {
	b.t.Helper()
	var seen []string
	for range 80 {
		b.Do(chromedp.KeyEvent(kb.Tab))
		name := b.Focused()
		if strings.HasPrefix(name, text) {
			return
		}
		seen = append(seen, name)
	}
	b.t.Fatalf("the tab key does not come to %q, only to %q", text, seen)
}

// Press follows the link or presses the button that has the focus, and waits for the next page.
func (b *Tab) Press() {
	b.t.Helper()
	b.Follow(chromedp.KeyEvent(kb.Enter))
}

// Colours shows pages "light" or "dark".
func Colours(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}

// Scripts switches scripts of pages on or off.
func Scripts(isOn bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !isOn})
		return err
	})
}
