package ratelimit

import (
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// header writes the header RateLimit: for each bucket how many requests are left (r), and in how
// many seconds it is full again (t). It names the reserve only to requests that may use it.
func header(t *tenant, now time.Time, takesAway bool) string {
	b := append(make([]byte, 0, 48), `"requests"`...)
	b = item(b, t.general, now)
	if takesAway {
		b = append(b, `, "changes"`...)
		b = item(b, t.reserve, now)
	}
	return string(b)
}

func item(b []byte, of *rate.Limiter, now time.Time) []byte {
	left := of.TokensAt(now)
	missing := (float64(of.Burst()) - left) / float64(of.Limit())
	b = append(b, ";r="...)
	b = strconv.AppendInt(b, int64(max(0, left)), 10)
	b = append(b, ";t="...)
	return strconv.AppendInt(b, int64(max(0, missing)+0.999), 10)
}
