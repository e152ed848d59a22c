package browsertest

import (
	"context"
	_ "embed"
	"flag"
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

var update = flag.Bool("update", false, "write the pictures of docs/console.md")

//go:embed testdata/axe/axe.min.js
var axe string

// open starts a browser, with a tab that the test uses.
func open(t *testing.T) context.Context {
	t.Helper()
	found := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			found = path
			break
		}
	}
	if found == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("Chromium is not installed, and CI must not skip this")
		}
		t.Skip("Chromium is not installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(found), chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	all, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(all)
	t.Cleanup(closeTab)
	if err := chromedp.Do(tab, chromedp.EmulateViewport(1280, 900)); err != nil { // starts the browser
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tab, 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// do runs actions, and ends the test if one of them fails.
func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask runs an action that has an answer.
func ask[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	answer, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// page is the text of the page.
func page(t *testing.T, ctx context.Context) string {
	t.Helper()
	return ask(t, ctx, chromedp.Text(chromedp.CSS("main")))
}

// has ends the test if the page does not show texts.
func has(t *testing.T, ctx context.Context, texts ...string) {
	t.Helper()
	shown := page(t, ctx)
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			t.Fatalf("the page does not show %q:\n%s", text, shown)
		}
	}
}

// focused is a script that returns the text of what has the focus.
const focused = `(() => { const e = document.activeElement; return (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.innerText || e.textContent || "").trim() })()`

// tabTo presses the tab key until what begins with a text has the focus, as somebody without a mouse does.
func tabTo(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	var seen []string
	for range 80 {
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		name := ask(t, ctx, chromedp.Evaluate[string](focused))
		if strings.HasPrefix(name, text) {
			return
		}
		seen = append(seen, name)
	}
	t.Fatalf("the tab key does not come to %q, only to %q", text, seen)
}

// press follows the link or presses the button that has the focus, and waits for the next page.
func press(t *testing.T, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.WaitReady(chromedp.CSS("main")))
}

// A new administrator finds out why a person is missing, by keyboard alone.
func TestFindFailureByKeyboard(t *testing.T) {
	ctx, s := open(t), newSite(t, "")
	do(t, ctx, chromedp.Navigate(s.URL+"/provisioning/"))
	has(t, ctx, "Okta is connected.", "1 problem needs you")
	tabTo(t, ctx, "see what failed")
	press(t, ctx)
	has(t, ctx, "userName is taken")
	tabTo(t, ctx, "userName is taken")
	press(t, ctx)
	has(t, ctx, "Why it failed", "userName is taken", "Somebody has this value already", "Whoever administers the identity provider can solve this.")
	tabTo(t, ctx, "Show both bodies")
	press(t, ctx)
	has(t, ctx, `"userName": "ADA@acme.test"`, `"scimType": "uniqueness"`)
}

// The main act of each page, by keyboard alone.
func TestActsByKeyboard(t *testing.T) {
	ctx, s := open(t), newSite(t, "")
	base := s.URL + "/provisioning/"
	for _, row := range []struct {
		name, path string
		act        func()
		want       string
	}{
		{"the first key leads to the content", "", func() {
			do(t, ctx, chromedp.KeyEvent(kb.Tab))
			if first := ask(t, ctx, chromedp.Evaluate[string](focused)); first != "Skip to the content" {
				t.Errorf("the first key leads to %q", first)
			}
		}, "Okta is connected."},
		{"make a token", "connection", func() {
			tabTo(t, ctx, "Name of the new token")
			do(t, ctx, chromedp.KeyEvent("Entra"))
			tabTo(t, ctx, "Make a token")
			press(t, ctx)
		}, "Copy it now. Nobody can show it again."},
		{"test the endpoint", "connection", func() { tabTo(t, ctx, "Test the endpoint"); press(t, ctx) }, "It refuses who has another token."},
		{"search a person's requests", "activity", func() {
			tabTo(t, ctx, "Person, group or request id")
			do(t, ctx, chromedp.KeyEvent("bob@acme.test"))
			press(t, ctx)
		}, "Deactivate"},
		{"look at a person", "people", func() { tabTo(t, ctx, "Ada Lovelace"); press(t, ctx) }, "through the group Editors"},
		{"preview another role", "groups/" + s.group, func() { tabTo(t, ctx, "Show what would change"); press(t, ctx) }, "Nothing was changed now."},
		{"confirm a role", "groups", func() { tabTo(t, ctx, "Confirm"); press(t, ctx) }, "Editors"},
		{"look at health", "", func() { tabTo(t, ctx, "Health"); press(t, ctx) }, "No client is in trouble"},
	} {
		do(t, ctx, chromedp.Navigate(base+row.path))
		row.act()
		if shown := page(t, ctx); !strings.Contains(shown, row.want) {
			t.Errorf("%s: the page does not show %q:\n%s", row.name, row.want, shown)
		}
	}
	do(t, ctx, chromedp.Navigate(base+"people/"+s.person))
	has(t, ctx, "role: Editors and Owners")
}

// A list says that something new has come, and copies are made with a script. Without one the page is whole.
func TestScript(t *testing.T) {
	ctx, s := open(t), newSite(t, "")
	do(t, ctx, chromedp.Navigate(s.URL+"/provisioning/activity"))
	s.send(200, "GET", "/Users", "")
	if err := s.journal.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS("[data-live]")), chromedp.WaitVisible(chromedp.CSS("[data-clock]")))
	has(t, ctx, "Something new has come.")
	do(t, ctx, withScript(false), chromedp.Navigate(s.URL+"/provisioning/connection"))
	has(t, ctx, "https://app.acme.test/scim/v2", "Make a token", "Steps in your identity provider")
	do(t, ctx, withScript(true))
}

// finding is what axe-core complains about.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// inColours shows pages light or dark.
func inColours(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}

// withScript switches scripts of pages on or off.
func withScript(isOn bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !isOn})
		return err
	})
}
