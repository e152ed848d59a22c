package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// concerns reports whether a change writes a resource of a type. Deletions do not.
func concerns(c *scim.Change, typ string) bool {
	return c.After != nil && c.After.Type().Name() == typ
}

// stored returns the user that a change is about as it is stored: before the change, or before
// its adoption. It is nil for a new user.
func stored(ctx context.Context, c *scim.Change) (*scim.Resource, error) {
	if c.Before != nil || c.Adopt == "" {
		return c.Before, nil
	}
	return c.Tenant.Store.Get(ctx, scim.Ref{Type: "User", ID: c.Adopt})
}

// takesAway reports whether a request takes access away, so that no rule may refuse it.
func takesAway(c *scim.Change) bool {
	return c.Before != nil && (len(c.Remove) > 0 || concerns(c, "User") && !c.After.Active())
}

// refuse refuses a change of the attribute at path. If the request takes access away, the
// attribute keeps its value instead.
func refuse(c *scim.Change, path string, e *scim.Error) error {
	if !takesAway(c) {
		return e
	}
	whole := path
	if dot := strings.LastIndexByte(path, '.'); dot > strings.LastIndexByte(path, ':') {
		if _, isList := c.After.Get(path).([]any); isList {
			whole = path[:dot] // an element cannot be set by itself
		}
	}
	after, err := c.After.With(map[string]any{whole: c.Before.Get(whole)})
	if err != nil {
		return err
	}
	c.After, c.Left = after, append(c.Left, e.Detail)
	return nil
}

// texts lists the values at path.
func texts(r *scim.Resource, path string) (all []string) {
	if r == nil {
		return nil
	}
	list, isList := r.Get(path).([]any)
	if !isList {
		if s := r.String(path); s != "" {
			all = append(all, s)
		}
		return all
	}
	for _, v := range list {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// added lists the values at path that a change adds.
func added(c *scim.Change, path string) []string {
	before := texts(c.Before, path)
	return slices.DeleteFunc(texts(c.After, path), func(s string) bool { return slices.Contains(before, s) })
}

// invalid is the error for a value that the application does not take.
func invalid(path, want string) *scim.Error {
	return &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: path + ": " + want}
}

// longest is the number of bytes of a value that a rule looks up. As JSON it fits into a
// filter, whatever it is.
const longest = 600

func tooLong(path string) *scim.Error {
	return invalid(path, fmt.Sprintf("is too long: at most %d bytes", longest))
}

// find lists at most limit resources of the type of the change that have a value at path.
func find(ctx context.Context, c *scim.Change, path, value string, limit int) ([]*scim.Resource, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	t := c.After.Type()
	f, err := scim.ParseFilter(t, path+" eq "+string(text))
	if err != nil {
		return nil, fmt.Errorf("rules: %s: %w", path, err)
	}
	page, err := c.Tenant.Store.List(ctx, t, &scim.Query{Filter: f, Limit: limit})
	if err != nil {
		return nil, err
	}
	return page.Resources, nil
}
