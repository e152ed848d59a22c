package match

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/fold"
)

func TestParseInstant(t *testing.T) {
	for _, row := range []struct{ text, want, reason string }{ // want "": refused
		{"2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z", "RFC 3339"},
		{"2024-02-29t12:00:00z", "2024-02-29T12:00:00Z", "RFC 3339, Section 5.6: in either case"},
		{"2024-02-29T12:00:00", "2024-02-29T12:00:00Z", "no zone is UTC"},
		{"2024-02-29T12:00:00.5", "2024-02-29T12:00:00.5Z", "a fraction without a zone"},
		{"2024-02-29T12:00:00.1234567899Z", "2024-02-29T12:00:00.123456789Z", "beyond the nanosecond"},
		{"2024-02-29T00:00:00+05:30", "2024-02-28T18:30:00Z", "east"},
		{"2024-02-29T00:00:00-05:30", "2024-02-29T05:30:00Z", "west"},
		{"2024-02-29T24:00:00Z", "2024-03-01T00:00:00Z", "xsd:dateTime's end of day"},
		{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "the first year"},
		{"2023-02-29T12:00:00Z", "", "no leap year"},
		{"2024-13-01T12:00:00Z", "", "month"},
		{"2024-00-01T12:00:00Z", "", "month"},
		{"2024-04-31T12:00:00Z", "", "day"},
		{"2024-04-00T12:00:00Z", "", "day"},
		{"2024-04-01T25:00:00Z", "", "hour"},
		{"2024-04-01T24:00:01Z", "", "beyond the end of day"},
		{"2024-04-01T24:00:00.1Z", "", "beyond the end of day"},
		{"2024-04-01T12:60:00Z", "", "minute"},
		{"2024-04-01T12:00:60Z", "", "second"},
		{"2024-04-01T12:00:00.Z", "", "empty fraction"},
		{"2024-04-01T12:00:00+0100", "", "zone without colon"},
		{"2024-04-01T12:00:00+24:00", "", "zone"},
		{"2024-04-01T12:00:00+01:60", "", "zone"},
		{"2024-04-01T12:00:00+0a:00", "", "zone"},
		{"2024-04-01T12:00:00ZZ", "", "rest"},
		{"2024-04-01 12:00:00Z", "", "space"},
		{"2024-04-01", "", "a day"},
		{"dddd-dd-ddTdd:dd:dd", "", "letters"},
		{"00d0-01-01T00:00:00", "", "a letter for a digit"},
		{"", "", "nothing"},
	} {
		x, ok := parseInstant(row.text)
		got := ""
		if ok {
			got = time.Unix(x.sec, int64(x.nano)).UTC().Format(time.RFC3339Nano)
		}
		if got != row.want {
			t.Errorf("%s: %q = %q, want %q", row.reason, row.text, got, row.want)
		}
	}
}

var rfc3339Zone = regexp.MustCompile(`(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func FuzzParseInstant(f *testing.F) {
	for _, s := range []string{"2024-02-29T12:00:00Z", "1969-12-31T23:59:59.999999999-23:59", "2024-02-29T24:00:00", "9999-12-31T23:59:59.1+05:30", "0000-10-01T00:00:00+00:60", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, ok := parseInstant(s)
		// time.Parse takes a comma for the point, a one-digit hour, and zones of 24 hours and
		// 60 minutes; none is RFC 3339.
		want, err := time.Parse(time.RFC3339Nano, s)
		if err == nil && !strings.Contains(s, ",") && len(s) >= 20 && s[13] == ':' && rfc3339Zone.MatchString(s) {
			if !ok || x != instantOf(want) {
				t.Errorf("%q = %v, %v, want %v", s, x, ok, want)
			}
		}
		if ok && err != nil { // ours alone: no zone, 24:00:00, small letters
			long := strings.ToUpper(s)
			if _, zone := parseZone(long[19:]); zone && long[19:] == "" || !strings.ContainsAny(long[19:], "Z+-") {
				long += "Z"
			}
			day := time.Duration(0)
			if long[11:13] == "24" {
				long, day = long[:11]+"00"+long[13:], 24*time.Hour
			}
			want, err := time.Parse(time.RFC3339Nano, long)
			if err != nil || x != instantOf(want.Add(day)) {
				t.Errorf("%q was taken for %v; %q is %v, %v", s, x, long, want, err)
			}
		}
	})
}

func TestParseNumberRefuses(t *testing.T) {
	for _, s := range []string{"", "-", "+", ".", "e", "1e", "1-2", "--1", "0x1", "inf", "NaN", "1_0", "1 ", "é", "1.2.3"} {
		if n, ok := parseNumber(s); ok {
			t.Errorf("%q was taken for %v", s, n)
		}
	}
}

// Numbers compare as their exact values, as far as 64 bits hold those.
func FuzzNumber(f *testing.F) {
	for _, s := range [][2]string{{"1", "1.0"}, {"9007199254740993", "9007199254740992.0"}, {"9223372036854775807", "9223372036854775808"}, {"-9223372036854775808", "-9.3e18"}, {"1e400", "-1e400"}, {"0.1", "1e-1"}, {"x", "-"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		m, ok := parseNumber(a)
		n, ok2 := parseNumber(b)
		if !ok || !ok2 {
			return
		}
		if m.compare(n) != -n.compare(m) {
			t.Errorf("%q and %q: %d and %d", a, b, m.compare(n), n.compare(m))
		}
		exact := func(x number) *big.Float {
			if x.isInt {
				return new(big.Float).SetInt64(x.i)
			}
			return big.NewFloat(x.f)
		}
		if want := exact(m).Cmp(exact(n)); m.compare(n) != want {
			t.Errorf("%q and %q compare as %d, want %d", a, b, m.compare(n), want)
		}
	})
}

// The short ways for ASCII give what folding both sides gives.
func FuzzFold(f *testing.F) {
	for _, s := range [][2]string{{"Ann", "ANN"}, {"straße", "STRASSE"}, {"ＡＮＮ", "n"}, {"e\u0301", "E"}, {"", ""}, {"abcABC", "cA"}, {"\xff", "\xff"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, text, literal string) {
		folded, key := fold.Key(text), fold.Key(literal)
		sign := func(c int) int { return min(1, max(-1, c)) }
		if got, want := new(Work).foldEqual(text, key), folded == key; got != want {
			t.Errorf("eq: %v", got)
		}
		if got, want := sign(new(Work).foldCompare(text, key)), strings.Compare(folded, key); got != want {
			t.Errorf("order: %d, want %d", got, want)
		}
		if got, want := new(Work).foldContains(text, key, []byte(key)), strings.Contains(folded, key); got != want {
			t.Errorf("co: %v", got)
		}
		if got, want := new(Work).foldHasPrefix(text, key), strings.HasPrefix(folded, key); got != want {
			t.Errorf("sw: %v", got)
		}
		if got, want := new(Work).foldHasSuffix(text, key), strings.HasSuffix(folded, key); got != want {
			t.Errorf("ew: %v", got)
		}
	})
}
