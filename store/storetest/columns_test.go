package storetest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// columns is the memory store with columns of an application beside it. Reindex reads them. fault
// names what is wrong with them; "" means nothing.
type columns struct {
	*memory.Store
	fault string

	mu  sync.Mutex
	all []scim.Ref
}

func newColumns(fault string) Mapping {
	return Mapping{Store: &columns{Store: memory.New(), fault: fault}}
}

func brokenColumns() []broken[Mapping] {
	return []broken[Mapping]{
		{"needs a title", "nobody can be created", newColumns, "mapping/least", []string{"mapping/*"}},
		{"has a default title", "the directory reads what it did not send", newColumns, "mapping/least", nil},
		{"forgets the title", "the directory writes it for ever", newColumns, "mapping/round trip", []string{"mapping/read again", "mapping/change", "mapping/does not fit"}},
		{"reads in lower case", "the directory writes it for ever", newColumns, "mapping/read again", []string{"mapping/change", "mapping/does not fit"}},
		{"never empties the title", "what the directory removes stays", newColumns, "mapping/change", nil},
		{"everybody is inactive", "a status that is compared with a text", newColumns, "mapping/active", nil},
		{"cuts texts", "letters are lost", newColumns, "mapping/does not fit", nil},
		{"long texts are an outage", "the directory repeats the request for ever", newColumns, "mapping/does not fit", nil},
		{"deleted users come back", "a row that is retired and visible", newColumns, "mapping/names", []string{"mapping/members"}},
		{"swaps groups and users", "nobody is a member", newColumns, "mapping/members", nil},
		{"local times", "lists are hours off", newColumns, "mapping/times", nil},
	}
}

// limitedColumns has limits that are declared.
func limitedColumns() Mapping {
	m := newColumns("limits")
	m.Users = map[string]Limit{
		"title":           {Changes: true},
		"nickName":        {Required: true},
		"displayName":     {ReadOnly: true},
		"timezone":        {SetOnce: true},
		"locale":          {KeepWhenAbsent: true},
		"userType":        {Values: [2]any{"member", "guest"}},
		"name.familyName": {Value: func(n int) any { return strings.Repeat("x", n) }},
	}
	return m
}

// write returns what the columns make of a resource.
func (c *columns) write(before, r *scim.Resource) (*scim.Resource, error) {
	if r.Type().Name() != "User" {
		return r, nil
	}
	title := r.String("title")
	switch {
	case c.fault == "needs a title" && title == "":
		return nil, &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "title"}
	case c.fault == "has a default title" && title == "" && before == nil:
		return r.With(values{"title": "Engineer"})
	case c.fault == "forgets the title":
		return r.With(values{"title": nil})
	case c.fault == "never empties the title" && title == "" && before != nil:
		return r.With(values{"title": before.Get("title")})
	case c.fault == "cuts texts" && len(title) > 100:
		return r.With(values{"title": title[:100]})
	case c.fault == "long texts are an outage" && len(title) > 100:
		return nil, errors.New("value too long")
	case c.fault == "local times" && before == nil:
		m := r.Meta()
		m.Created = m.Created.Add(2 * time.Hour)
		return r.WithMeta(m), nil
	case c.fault == "limits":
		return c.limit(before, r)
	}
	return r, nil
}

// limit makes of a resource what limitedColumns declares.
func (c *columns) limit(before, r *scim.Resource) (*scim.Resource, error) {
	v := values{"displayName": nil}
	if u := r.String("userType"); u != "" && u != "member" && u != "guest" || r.String("nickName") == "" {
		return nil, &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "userType"}
	}
	if before != nil && before.Get("timezone") != nil {
		v["timezone"] = before.Get("timezone")
	}
	if before != nil && r.Get("locale") == nil {
		v["locale"] = before.Get("locale")
	}
	return r.With(v)
}

func (c *columns) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	r, err := c.write(nil, r)
	if err != nil {
		return nil, err
	}
	got, err := c.Store.Create(ctx, r)
	if err == nil {
		c.mu.Lock()
		c.all = append(c.all, got.Ref())
		c.mu.Unlock()
	}
	return got, err
}

func (c *columns) Update(ctx context.Context, ref scim.Ref, fn func(before *scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	return c.Store.Update(ctx, ref, func(before *scim.Resource) (*scim.Resource, error) {
		after, err := fn(before)
		if err != nil {
			return nil, err
		}
		return c.write(before, after)
	})
}

func (c *columns) Delete(ctx context.Context, ref scim.Ref, check func(before *scim.Resource) error) error {
	if c.fault == "deleted users come back" && ref.Type == "User" {
		return nil
	}
	return c.Store.Delete(ctx, ref, check)
}

// Reindex reads the columns.
func (c *columns) Reindex(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ref := range c.all {
		if ref.Type == "Group" && c.fault == "swaps groups and users" {
			if err := c.removeAll(ctx, ref.ID); err != nil {
				return err
			}
		}
		_, err := c.Store.Update(ctx, ref, func(r *scim.Resource) (*scim.Resource, error) {
			switch title := r.String("title"); {
			case ref.Type != "User":
			case c.fault == "everybody is inactive" && r.Active():
				return r.With(values{"active": false})
			case (c.fault == "reads in lower case" || c.fault == "limits") && title != strings.ToLower(title):
				return r.With(values{"title": strings.ToLower(title)})
			}
			return r, nil
		})
		if err != nil && !errors.Is(err, scim.ErrNotFound) {
			return err
		}
	}
	return nil
}

// removeAll removes the members of a group.
func (c *columns) removeAll(ctx context.Context, group string) error {
	all, err := c.Store.Members(ctx, group, scim.Ref{}, 100)
	if err != nil {
		return err
	}
	_, _, err = c.Store.ChangeMembers(ctx, group, nil, refsOf(all))
	return err
}
