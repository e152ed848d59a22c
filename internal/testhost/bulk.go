package testhost

import (
	"fmt"
	"strconv"
	"strings"
)

// Enterprise is the URN of the enterprise extension of users.
const Enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// BulkBody is a bulk request with operations in JSON.
func BulkBody(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

// BulkBodyUntil is BulkBody with failOnErrors n.
func BulkBodyUntil(n int, ops ...string) string {
	return strings.Replace(BulkBody(ops...), `"Operations"`, `"failOnErrors":`+strconv.Itoa(n)+`,"Operations"`, 1)
}

// PostUser is a bulk operation that creates a user. more are additional members of the
// user's JSON.
func PostUser(bulkID, name string, more ...string) string {
	return fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":%q,"data":{"userName":%q%s}}`, bulkID, name, strings.Join(append([]string{""}, more...), ","))
}

// PostGroup is a bulk operation that creates a group. Each of members is "Type id".
func PostGroup(bulkID, name string, members ...string) string {
	var list []string
	for _, m := range members {
		typ, id, _ := strings.Cut(m, " ")
		list = append(list, fmt.Sprintf(`{"type":%q,"value":%q}`, typ, id))
	}
	return fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":%q,"data":{"displayName":%q,"members":[%s]}}`, bulkID, name, strings.Join(list, ","))
}

// Manager is the member of a user's JSON that names the manager.
func Manager(id string) string { return fmt.Sprintf(`%q:{"manager":{"value":%q}}`, Enterprise, id) }

// Patch is a bulk operation that patches path.
func Patch(path string, ops ...string) string {
	return fmt.Sprintf(`{"method":"PATCH","path":%q,"data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}}`, path, strings.Join(ops, ","))
}

// Delete is a bulk operation that deletes path.
func Delete(path string) string { return fmt.Sprintf(`{"method":"DELETE","path":%q}`, path) }
