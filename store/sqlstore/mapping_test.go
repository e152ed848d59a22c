package sqlstore

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/scimkit/scim"
)

// Every field of a Table, a Column and a Child reaches the package that binds them.
func TestDeclarations(t *testing.T) {
	c := Column{Name: "1", Path: "2", Of: "3", Empty: 4, To: func(any) (any, error) { return nil, nil }, From: func(any) (any, error) { return nil, nil }, ReadOnly: true, SetOnce: true, KeepWhenAbsent: true, null: true, values: []any{true}}
	table := Table{Type: "1", Name: "2", Key: "3", KeepID: true, Tenant: "4", Visible: "5", Unclaimed: FindUnclaimed, Exempt: "13", Created: "6", Updated: "14", Columns: []Column{c},
		Beside: []Beside{{Name: "16", Key: "17", Ref: "18", Tenant: "19", Columns: []Column{c}, Shared: true,
			Insert: func(context.Context, *scim.Resource) map[string]any { return nil }, Find: func(context.Context, *scim.Resource) (any, error) { return nil, nil }}},
		Children: []Child{{Path: "7", Name: "8", Parent: "9", Tenant: "15", Columns: []Column{c}, Order: "10"}},
		Insert:   func(context.Context, *scim.Resource) map[string]any { return nil }, Retire: func(context.Context, *scim.Resource, time.Time) map[string]any { return nil }, Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"11": 12} }}
	is := declarations([]Table{table})[0]
	for _, pair := range [][2]any{{table, is}, {table.Beside[0], is.Beside[0]}, {table.Children[0], is.Children[0]}, {c, is.Columns[0]}, {c, is.Children[0].Columns[0]}} {
		from, to := reflect.ValueOf(pair[0]), reflect.ValueOf(pair[1])
		if from.NumField() != to.NumField() {
			t.Fatalf("%s has %d fields, %s has %d", from.Type(), from.NumField(), to.Type(), to.NumField())
		}
		for i := range from.NumField() {
			if from.Field(i).IsZero() {
				t.Errorf("%s.%s is not in this test", from.Type(), from.Type().Field(i).Name)
			}
			if to.Field(i).IsZero() {
				t.Errorf("%s.%s is lost", from.Type(), from.Type().Field(i).Name)
			}
		}
	}
}
