package match

import (
	"cmp"
	"math"
	"strconv"
)

// number is an integer, or a float if it has a fraction or does not fit 64 bits. Integers
// stay exact beyond 2^53.
type number struct {
	isInt bool
	i     int64
	f     float64
}

func intNumber(i int64) number { return number{isInt: true, i: i} }

// floatNumber returns an integer if f is one, otherwise a float.
func floatNumber(f float64) number {
	if f == math.Trunc(f) && f >= math.MinInt64 && f < math.MaxInt64 {
		return intNumber(int64(f))
	}
	return number{f: f}
}

// parseNumber reads a JSON number. It allocates only if it fails.
func parseNumber(s string) (number, bool) {
	whole, digits := len(s) > 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits = true
		case c == '-' && i == 0:
		case c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-':
			whole = false
		default: // refuse what strconv accepts: "0x1", "inf" and "1_0"
			return number{}, false
		}
	}
	if !digits {
		return number{}, false
	}
	if whole && len(s) <= 20 {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return intNumber(i), true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return number{}, false
	}
	return floatNumber(f), true
}

// compare is exact, also between an integer and a float.
func (n number) compare(m number) int {
	switch {
	case n.isInt && m.isInt:
		return cmp.Compare(n.i, m.i)
	case n.isInt:
		return -m.compare(n)
	case !m.isInt:
		return cmp.Compare(n.f, m.f)
	}
	// n.f has a fraction, and so is smaller than 2^52, or it does not fit an int64. So
	// rounding m.i to a float cannot reach it, except at the two ends.
	switch {
	case n.f >= math.MaxInt64:
		return 1
	case n.f < math.MinInt64:
		return -1
	}
	return cmp.Compare(n.f, float64(m.i))
}

// text is a text that parseNumber reads as n.
func (n number) text() string {
	if n.isInt {
		return strconv.FormatInt(n.i, 10)
	}
	return strconv.FormatFloat(n.f, 'g', -1, 64)
}

// literal is the number for filter expressions: an int if it is one.
func (n number) literal() any {
	if !n.isInt {
		return n.f
	}
	if i := int(n.i); int64(i) == n.i {
		return i
	}
	return n.i
}
