package match

import (
	"cmp"
	"time"
)

// instant is a point in time.
type instant struct {
	sec  int64
	nano int
}

func instantOf(t time.Time) instant { return instant{t.Unix(), t.Nanosecond()} }

func (x instant) compare(y instant) int {
	if c := cmp.Compare(x.sec, y.sec); c != 0 {
		return c
	}
	return cmp.Compare(x.nano, y.nano)
}

// parseInstant reads an xsd:dateTime, of which RFC 3339 is a subset. The fraction and the
// zone may be missing (RFC 7643, Section 2.3.5). No zone means UTC. It drops digits beyond
// the nanosecond. It does not allocate; time.Parse does for half-hour zones.
func parseInstant(s string) (instant, bool) {
	const shape = "0000-00-00T00:00:00"
	if len(s) < len(shape) {
		return instant{}, false
	}
	for i := 0; i < len(shape); i++ {
		switch c := s[i]; {
		case shape[i] == '0' && '0' <= c && c <= '9', shape[i] == c, shape[i] == 'T' && c == 't':
		default:
			return instant{}, false
		}
	}
	year, month, day := two(s[0:])*100+two(s[2:]), two(s[5:]), two(s[8:])
	hour, minute, second := two(s[11:]), two(s[14:]), two(s[17:])
	s = s[len(shape):]
	nano := 0
	if len(s) > 0 && s[0] == '.' {
		n, unit := 1, 100_000_000
		for ; n < len(s) && '0' <= s[n] && s[n] <= '9'; n++ {
			nano += int(s[n]-'0') * unit
			unit /= 10
		}
		if n == 1 {
			return instant{}, false
		}
		s = s[n:]
	}
	offset, ok := parseZone(s)
	last := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if !ok || month < 1 || month > 12 || day < 1 || day > last || minute > 59 || second > 59 ||
		hour > 24 || hour == 24 && (minute != 0 || second != 0 || nano != 0) { // 24:00:00 is the next day's start
		return instant{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return instant{t.Unix() - offset, nano}, true
}

// parseZone reads "", "Z" or "±hh:mm" as seconds east of UTC.
func parseZone(s string) (int64, bool) {
	if s == "" || s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	for _, i := range [...]int{1, 2, 4, 5} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := two(s[1:]), two(s[4:])
	if h > 23 || m > 59 {
		return 0, false
	}
	offset := int64(h)*3600 + int64(m)*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

func two(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }
