package endpoint

import (
	"context"
	"net/http"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/fold"
	"github.com/scimkit/scim/internal/model"
)

// maxBulkWork is the work of one bulk request, in units of match.Work. Operations behind it
// are refused. Otherwise a short request could rewrite a large resource a thousand times.
const maxBulkWork = 500_000_000

// The costs of a resource that an operation reads, compares and writes, in units of
// match.Work.
const (
	costOfByte    = 50
	costOfFolding = 150 // of each byte of a text that is not ASCII, because stores fold it
	costOfValue   = 1000
)

// begin refuses to begin an operation if the earlier ones have spent the work.
func (b *bulkJob) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.spent > maxBulkWork {
		return fault.Refuse(http.StatusRequestEntityTooLarge, fault.TooMany,
			"not done, because the operations before it were too much work for one request; send it in another request")
	}
	return nil
}

// costOf is the work of an operation on a resource, without a group's members.
func costOf(t *model.Type, values []doc.Value) (units int) {
	for _, v := range values {
		if v.Attr == t.Members {
			continue
		}
		units += costOfValue + costOfByte*len(v.Text) + costOf(t, v.Kids())
		if !fold.IsASCII(v.Text) {
			units += costOfFolding * len(v.Text)
		}
	}
	return units
}
