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

// listByCursor answers a list request with a cursor. Every page is found by its place
// in the order, so it costs the same at any depth, and what others insert or delete
// meanwhile shifts nothing.
func (o *operation) listByCursor(ctx context.Context, t *model.Type) (*answer, error) {
	q, err := o.query(ctx, t)
	if err != nil {
		return nil, err
	}
	bound, err := json.Marshal([]any{o.t.ID, t.Name, q.Filter.Text(), o.params.filter, q.SortBy, q.Descending, o.who.ID, o.who.Scopes})
	if err != nil {
		return nil, err
	}
	_, limit := o.window()
	state := &cursor.State{Count: limit}
	if text := *o.params.cursor; text != "" {
		if state, err = o.h.c.Cursors.Open(text, bound); err != nil {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidCursor", "the cursor is not one for this request: begin again with an empty cursor")
		}
		if o.now().After(state.Expires) {
			return nil, fault.Refuse(http.StatusBadRequest, "expiredCursor", "the cursor has expired: begin again with an empty cursor")
		}
		if o.params.count != nil && limit != state.Count {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidCount", fmt.Sprintf("count must stay %d until the last page", state.Count))
		}
		q.After = &state.Key
	}
	q.Total = q.After == nil
	if q.Limit = state.Count; q.Limit > 0 {
		q.Limit++ // one more, to see whether there is another page
	}
	page, err := o.page(ctx, t, q)
	if err != nil {
		return nil, err
	}
	if q.Total || q.Limit == 0 {
		state.Total = page.Total
	}
	rs, extra := page.Resources, ""
	if state.Count > 0 && len(rs) > state.Count {
		rs = rs[:state.Count]
		state.Key, state.Expires = *host.KeyOf(q, rs[len(rs)-1]), o.now().Add(o.h.c.Limits.CursorTime)
		next, err := o.h.c.Cursors.Seal(state, bound)
		if err != nil {
			return nil, err
		}
		extra = `,"nextCursor":"` + next + `"`
	}
	return o.listAnswer(ctx, rs, state.Total, extra)
}
