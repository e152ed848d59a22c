package oauth2

import (
	"fmt"
	"io"
	"net/http"
)

// send sends a request to an authorization server and returns the body of a 200. Any other
// answer is an error, and so is a body of more than limit bytes. It follows no redirect:
// that would carry credentials to an address that nobody chose.
func send(c *http.Client, r *http.Request, limit int64) ([]byte, error) {
	var own http.Client
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w, err := own.Do(r)
	if err != nil {
		return nil, err
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d", r.URL.Host, w.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(w.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%s answers with more than %d bytes", r.URL.Host, limit)
	}
	return body, nil
}
