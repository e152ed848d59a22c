package browsertest

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/scimkit/scim/console/browsertest/browser"
	"github.com/scimkit/scim/examples/internal/pagetest"
)

// build builds the programs of all systems once, into a folder.
func build(t *testing.T) (programs string) {
	t.Helper()
	programs = t.TempDir()
	args := []string{"build", "-ldflags=-s -w", "-o", programs} // without what debuggers need: faster
	for _, s := range systems {
		args = append(args, "./examples/"+s.name)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return programs
}

// process runs a program as people start it, until the context ends. It is a pagetest.Run.
func process(file string) pagetest.Run {
	return func(ctx context.Context, args []string, out, errOut io.Writer) error {
		cmd := exec.CommandContext(ctx, file, args...)
		cmd.Stdout, cmd.Stderr = out, errOut
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		if err := cmd.Run(); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	}
}

// session is an administrator at the pages of a running program, beside its client.
type session struct {
	*testing.T
	system
	tab  *browser.Tab
	app  *pagetest.Running
	okta pagetest.Okta
	url  string // url is the address of the pages.
}

// begin starts a program, signs its administrator in, and connects the client.
func begin(t *testing.T, tab *browser.Tab, programs string, what system) *session {
	t.Helper()
	app := pagetest.Start(t, process(filepath.Join(programs, what.name)), "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	s := &session{T: t, system: what, tab: tab.In(t), app: app, url: app.URL}
	if s.host != "" {
		s.url = "http://" + s.host + app.URL[strings.LastIndex(app.URL, ":"):]
	}
	s.signIn(s.admin)
	token := app.Token
	if s.connect != nil {
		token = s.connect(s)
	}
	s.okta = pagetest.Okta{Client: s.client(token), Patches: s.patches}
	return s
}

// client returns a client with a token.
func (s *session) client(token string) *pagetest.Client {
	c := s.app.Client(s.base, token)
	c.Host = s.host
	return c
}

func (s *session) signIn(email string) {
	s.Helper()
	s.tab.Go(s.url + "/")
	s.tab.Has("Log in to")
	s.tab.Do(chromedp.SendKeys(chromedp.CSS("[name=email]"), email), chromedp.SendKeys(chromedp.CSS("[name=password]"), s.app.Password))
	s.press("Log in")
}

// show shows a page of the program.
func (s *session) show(path string) {
	s.Helper()
	s.tab.Go(s.url + path)
}

// open follows a link, which may be in the menu.
func (s *session) open(link string) {
	s.Helper()
	s.tab.Follow(chromedp.Click(`//a[normalize-space()="` + link + `"]`))
}

// press presses a button.
func (s *session) press(button string) {
	s.Helper()
	s.tab.Follow(chromedp.Click(`//button[normalize-space()="` + button + `"]`))
}

// pressIn chooses an option, if it is not "", and presses the button of its form, in the row that has a text.
func (s *session) pressIn(row, option, button string) {
	s.Helper()
	form := `//tr[contains(., "` + row + `")]//form[.//button[normalize-space()="` + button + `"]]`
	if option != "" {
		choice := form + `//option[normalize-space()="` + option + `"]`
		value := browser.Ask(s.tab, chromedp.AttributeValue(choice, "value"))
		s.tab.Do(chromedp.SetValue(form+`//select[.//option[normalize-space()="`+option+`"]]`, value.Value))
	}
	s.tab.Follow(chromedp.Click(form + "//button"))
}

// flip turns a switch.
func (s *session) flip(label string) {
	s.Helper()
	s.tab.Follow(chromedp.Click(`//button[@aria-label="` + label + `"]`))
}

// lacks fails the test if the page shows a text.
func (s *session) lacks(text string) {
	s.Helper()
	if shown := s.tab.Text(); strings.Contains(shown, text) {
		s.Errorf("the page shows %q:\n%s", text, shown)
	}
}

// until shows the page again until it has a text: the journal writes a moment later.
func (s *session) until(text string) {
	s.Helper()
	for begin := time.Now(); ; {
		s.tab.Do(chromedp.Reload())
		if strings.Contains(s.tab.Text(), text) || time.Since(begin) > 20*time.Second {
			s.tab.Has(text)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// secret returns the secret that the page shows once.
func (s *session) secret() string {
	s.Helper()
	return browser.Ask(s.tab, chromedp.TextContent(chromedp.CSS("#secret")))
}
