package console

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// visible shows control characters of clients as symbols: a terminal into which somebody pastes the page must not
// obey them, and nobody should be misled by text that runs backwards.
func visible(html []byte) []byte {
	isOdd := func(c rune) bool {
		return c != '\n' && c != '\t' && c != '\u200c' && c != '\u200d' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == '\u2028' || c == '\u2029' || c == utf8.RuneError)
	}
	if bytes.IndexFunc(html, isOdd) < 0 {
		return html
	}
	var b bytes.Buffer
	for _, c := range string(html) {
		switch {
		case !isOdd(c):
			b.WriteRune(c)
		case c < 0x20:
			b.WriteRune(0x2400 + c)
		case c == 0x7f:
			b.WriteRune('␡')
		default:
			fmt.Fprintf(&b, "⟨U+%04X⟩", c)
		}
	}
	return b.Bytes()
}

// maxShown is how many characters of a text a line shows.
const maxShown = 160

// shorten cuts a text to what a line can show.
func shorten(s string) string {
	if utf8.RuneCountInString(s) <= maxShown {
		return s
	}
	return string([]rune(s)[:maxShown]) + "…"
}

// countOf writes a number with its noun.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return numberOf(n) + " " + many
}

// numberOf writes a number in groups of three digits.
func numberOf(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}

// agoOf says how long ago a time is, as people say it.
func agoOf(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d.Abs() < time.Minute: // Clocks of several servers differ a little.
		return "just now"
	case d > 0:
		return spanOf(d) + " ago"
	case -d < 48*time.Hour:
		return "in " + spanOf((-d).Round(time.Minute))
	}
	return "in " + spanOf((-d).Round(24*time.Hour))
}

// spanOf writes a span of time in its largest unit.
func spanOf(d time.Duration) string {
	switch {
	case d < time.Hour:
		return countOf(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return countOf(int(d/time.Hour), "hour", "hours")
	}
	return countOf(int(d/(24*time.Hour)), "day", "days")
}

// clockOf writes a time: without the day if it is today.
func clockOf(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04:05")
	case t.Year() == now.Year():
		return t.Format("2 Jan 15:04:05")
	}
	return t.Format("2 Jan 2006 15:04:05")
}

// listWords joins words as a sentence does.
func listWords(all []string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}
