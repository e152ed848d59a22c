package journal

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// ExportJSON writes all entries that fit a query, with their bodies, as lines of JSON, the newest first. Limit of the
// query does not count. It contains personal data in the clear.
func (j *Journal) ExportJSON(ctx context.Context, w io.Writer, q Query) error {
	out := json.NewEncoder(w)
	return each(ctx, j, q, func(e *Entry) error {
		whole, err := j.Get(ctx, e.Tenant, e.ID)
		if errors.Is(err, scim.ErrNotFound) { // Trim has removed it meanwhile.
			whole, err = *e, nil
		}
		if err != nil {
			return err
		}
		return out.Encode(&whole)
	})
}

// ExportCSV writes all entries that fit a query as comma-separated values (RFC 4180), the newest first, with a line of
// names before them. Limit of the query does not count. A cell that a spreadsheet could take for a formula begins
// with an apostrophe. It contains personal data in the clear.
func (j *Journal) ExportCSV(ctx context.Context, w io.Writer, q Query) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"time", "tenant", "kind", "client", "method", "url", "status", "duration_ms", "type", "resources", "events", "error", "request_id", "id"}); err != nil {
		return err
	}
	err := each(ctx, j, q, func(e *Entry) error {
		d := e.Detail
		if d == nil {
			d = &Detail{Failure: &Failure{Detail: e.Unreadable}}
		}
		row := []string{e.Time.Format(time.RFC3339Nano), e.Tenant, string(e.Kind), d.Client, e.Method, d.URL, strconv.Itoa(e.Status),
			strconv.FormatInt(d.Duration.Milliseconds(), 10), e.Type, listOf(d.Touched), joinKinds(e), failureOf(d), e.RequestID, e.ID}
		for i := range row {
			row[i] = plainCell(row[i])
		}
		return out.Write(row)
	})
	out.Flush()
	if err != nil {
		return err
	}
	return out.Error()
}

// each calls f with all entries that fit a query.
func each(ctx context.Context, j *Journal, q Query, f func(e *Entry) error) error {
	q.Limit = maxLimit
	for {
		page, err := j.Find(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			if err := f(&page[i]); err != nil {
				return fmt.Errorf("journal: export: %w", err)
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After = page[len(page)-1].ID
	}
}

// plainCell keeps a spreadsheet from taking a text of a client for a formula.
func plainCell(s string) string {
	if strings.IndexAny(s, "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}

// listOf writes resources as one text: the first name of each, or its id.
func listOf(all []Touched) string {
	var out []string
	for _, t := range all {
		text := t.ID
		if len(t.Names) > 0 {
			text = t.Names[0]
		}
		out = append(out, strings.TrimPrefix(t.Type+" "+text, " "))
	}
	return strings.Join(out, "; ")
}

func joinKinds(e *Entry) string {
	var out []string
	for _, k := range e.Events {
		out = append(out, string(k))
	}
	return strings.Join(out, "; ")
}

// failureOf writes what has failed as one text.
func failureOf(d *Detail) string {
	switch {
	case d.Gap != nil:
		return d.Gap.Reason
	case d.Failure == nil:
		return ""
	}
	return strings.TrimPrefix(d.Failure.Type+" "+d.Failure.Detail, " ")
}
