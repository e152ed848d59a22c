package upgrades

import (
	"math"
	"strings"
	"testing"

	"github.com/scimkit/scim"
)

// The application's roles. Their texts need care wherever they become JSON or SQL.
var (
	viewer  = scim.Role{ID: "viewer", Name: "Viewer", Weight: -3}
	editor  = scim.Role{ID: "editor", Name: "Editor", Weight: 10}
	odd     = scim.Role{ID: `o'd"d\ü🙂`, Name: "O'Dd \"quoted\" \\ <ü>&\u2028\t{p}$1?", Weight: math.MinInt}
	admin   = scim.Role{ID: "admin", Name: "Admin", Weight: math.MaxInt, Protected: true}
	auditor = scim.Role{ID: "auditor", Name: "Auditor", Weight: 7, Protected: true}
)

// long is a value that a source does not have in full.
var long = strings.Repeat("lang ü ", 50)

// roleFor is the role that each name of a group, and each value of an attribute, stands for.
var roleFor = map[string]scim.Role{
	"Viewers": viewer, "Editors": editor, "Writers": editor, "Odd": odd, "Admins": admin, "Auditors": auditor,
	"contractor": viewer, long: editor, "chief": auditor, "boss": auditor,
}

// history makes a state of nearly every kind: who gets a role from where, who had it
// before, who waits and why.
func (n *tenant) history(t *testing.T) {
	if n.exclusive {
		n.exclusiveHistory(t)
		return
	}
	for _, name := range []string{"ann", "bob", "cal", "dan", "eve", "fay", "gil", "max", "nia", "ola", "pam", "qi", "rob", "tom"} {
		n.user(t, name, "")
	}
	n.user(t, "hal", "contractor")
	n.user(t, "ian", long)
	n.user(t, "jan", "chief")
	n.user(t, "kim", "boss")
	n.user(t, "lea", "boss")
	n.user(t, "sue", "contractor")
	n.user(t, "una", "boss")
	n.byHand(t, "bob", editor)
	n.byHand(t, "cal", viewer)
	n.byHand(t, "fay", viewer)
	n.byHand(t, "tom", auditor)

	n.group(t, "editors", "Editors", "ann", "bob", "ola", "pam", "qi")
	n.group(t, "writers", "Someone", "ann")
	n.rename(t, "writers", "Writers")
	n.group(t, "viewers", "Viewers", "qi", "nia", "sue")
	n.group(t, "former", "Viewers", "max")
	n.rename(t, "former", "Former viewers") // no longer linked
	n.group(t, "nobody", "Nobody", "max")
	n.group(t, "odd", "Odd", "nia", "qi")
	n.group(t, "admins", "Admins", "dan", "ann") // not confirmed
	n.group(t, "auditors", "Auditors", "eve", "fay", "gil", "ola", "tom", "una")
	n.confirm(t, "auditors", auditor)
	// Ids that look like a source, and such that do not quite.
	for _, id := range []string{"group:a", "GROUP:b", "attr:userType=contractor", "Attr:c", "group", "%"} {
		n.group(t, id, "Editors", "rob")
	}
	n.confirmValue(t, "boss", auditor)

	n.active(t, "fay", false)
	n.active(t, "ola", false)
	for _, name := range []string{"gil", "lea", "tom", "una"} {
		n.active(t, name, false)
		n.active(t, name, true)
	}
	// One of two sources gives the role, and the other one waits.
	n.patch(t, "Groups", "auditors", "add", "members", []object{{"value": "una"}})
	n.remove(t, "Users", "pam")
}

// exclusiveHistory is for a tenant whose users hold one role.
func (n *tenant) exclusiveHistory(t *testing.T) {
	for _, name := range []string{"ann", "bob", "cal", "dan", "eve", "fay"} {
		n.user(t, name, "")
	}
	n.byHand(t, "ann", editor)
	n.byHand(t, "cal", viewer)
	n.byHand(t, "eve", viewer)
	n.byHand(t, "fay", viewer)
	n.group(t, "viewers", "Viewers", "ann", "bob")
	n.group(t, "editors", "Editors", "bob", "dan", "eve")
	n.group(t, "auditors", "Auditors", "cal", "fay")
	n.confirm(t, "auditors", auditor)
	n.group(t, "admins", "Admins", "dan")
	// He waits for the place, and to be named again.
	n.active(t, "cal", false)
	n.active(t, "cal", true)
	// She does not get a role because she had one.
	n.active(t, "eve", false)
	n.active(t, "eve", true)
}
