package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/scimkit/scim/internal/cursor"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// listByCursor answers a list request with a cursor. The cursor holds the place of the last
// resource in the order. So each page costs the same, and inserts and deletions by others
// shift nothing.
func (l *lister) listByCursor(ctx context.Context, t *model.Type) (*answer, error) {
	q, err := l.query(t)
	if err != nil {
		return nil, err
	}
	bound, err := json.Marshal([]any{l.r.t.ID, t.Name, q.Filter.Text(), l.r.params.filter, q.SortBy, q.Descending, l.r.who.ID, l.r.who.Scopes})
	if err != nil {
		return nil, err
	}
	_, limit := l.window()
	state := &cursor.State{Count: limit}
	if text := *l.r.params.cursor; text != "" {
		if state, err = l.r.s.c.Cursors.Open(text, bound); err != nil {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidCursor", "the cursor does not belong to this request: begin again with an empty cursor")
		}
		if l.r.now().After(state.Expires) {
			return nil, fault.Refuse(http.StatusBadRequest, "expiredCursor", "the cursor has expired: begin again with an empty cursor")
		}
		if l.r.params.count != nil && limit != state.Count {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidCount", fmt.Sprintf("count must stay %d until the last page", state.Count))
		}
		q.After = &state.Key
	}
	q.Total = q.After == nil
	if q.Limit = state.Count; q.Limit > 0 {
		q.Limit++ // one more row tells whether there is another page
	}
	rows, err := l.open(ctx, t, q)
	if err != nil {
		return nil, err
	}
	if q.Total || q.Limit == 0 {
		state.Total = rows.Total
	}
	l.known = rows.Groups
	c, err := l.collect(ctx, rows, state.Count)
	if err != nil {
		return nil, err
	}
	if c.last == nil || c.next == nil {
		return c.answer(state.Total, ""), nil
	}
	state.Key, state.Expires = *host.KeyOf(q, c.last), l.r.now().Add(l.r.s.c.Limits.CursorTime)
	next, err := l.r.s.c.Cursors.Seal(state, bound)
	if err != nil {
		return nil, err
	}
	return c.answer(state.Total, `,"nextCursor":"`+next+`"`), nil
}
