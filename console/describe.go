package console

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
)

// row is an entry as a line of a list.
type row struct {
	journal.Head
	// What says what the client did, and Whom to whom or what.
	What, Whom string
	// Client is the client's label.
	Client string
	// Outcome says what it changed, or why it failed.
	Outcome string
	Tone    string // the class of the status
	Answer  string // the status as a list shows it
	IsGap   bool
}

// rowOf describes an entry. list are the tokens of the tenant, by which clients have names; known has the names of
// resources that the entry does not show.
func rowOf(e *journal.Entry, list []tokens.Token, known *lookup) row {
	r := row{Head: e.Head, What: whatOf(e), Whom: whomOf(e, known), Client: clientOf(e, list), Tone: toneOf(e.Status), Answer: fmt.Sprint(e.Status), IsGap: e.Kind == journal.Gap}
	switch d := e.Detail; {
	case r.IsGap:
		r.Answer, r.Tone = "", "w"
		if d != nil && d.Gap != nil {
			r.Outcome = d.Gap.Reason
		}
	case e.Unreadable != "":
		r.Outcome = e.Unreadable
	case d == nil:
	case d.Failure != nil:
		r.Outcome = failureWords(e)
	default:
		r.Outcome = outcomeOf(d, known)
		if n := len(d.Operations); n > 0 {
			r.Outcome, r.Tone = strings.TrimPrefix(r.Outcome+"; "+countOf(n, "operation", "operations")+" failed", "; "), "w"
		}
	}
	if e.Status == 0 && !r.IsGap {
		r.Answer, r.Outcome = "none", "the connection broke before the answer"
	}
	return r
}

// toneOf returns the class by which the style shows a status.
func toneOf(status int) string {
	switch {
	case status >= 400 || status == 0:
		return "b"
	case status >= 300:
		return "w"
	}
	return ""
}

// failureWords says why a request failed.
func failureWords(e *journal.Entry) string {
	if e.Kind == journal.Refused && e.Status == http.StatusUnauthorized && e.Detail.Client == "" { // The answer only asks for valid credentials.
		isAuthorization := func(f journal.Field) bool { return strings.EqualFold(f.Name, "Authorization") }
		if all := e.Detail.RequestHeader; len(all) > 0 && !slices.ContainsFunc(all, isAuthorization) {
			return "no token came"
		}
		return "the token is not known here"
	}
	return cmp.Or(e.Detail.Failure.Detail, http.StatusText(e.Status))
}

// clientOf returns the name of the client for people.
func clientOf(e *journal.Entry, list []tokens.Token) string {
	if e.Detail == nil {
		return ""
	}
	return cmp.Or(e.Detail.Label, labelOf(list, e.Detail.Client), e.Detail.Client)
}

// whatOf says what a client wanted, in a few words.
func whatOf(e *journal.Entry) string {
	path := ""
	if e.Detail != nil {
		path, _, _ = strings.Cut(e.Detail.URL, "?")
	}
	switch {
	case e.Kind == journal.Gap:
		return "Entries are missing"
	case e.Kind == journal.Refused:
		return "Refused"
	case strings.HasSuffix(strings.ToLower(path), "/bulk"):
		return "Several changes at once"
	case slices.Contains(e.Events, scim.UserDeactivated):
		return "Deactivate"
	case slices.Contains(e.Events, scim.UserReactivated):
		return "Reactivate"
	}
	kind := kindWord(e.Type)
	switch e.Method {
	case http.MethodPost:
		if strings.HasSuffix(path, "/.search") {
			return "Look up " + kind
		}
		return "Create " + kind
	case http.MethodPut, http.MethodPatch:
		return "Update " + kind
	case http.MethodDelete:
		return "Delete " + kind
	}
	switch {
	case e.Type == "":
		return "Read the description"
	case strings.EqualFold(path[strings.LastIndexByte(path, '/')+1:], e.Type+"s"): // the address of a list
		return "Look up " + kind
	}
	return "Read " + kind
}

// kindWord returns the word for a resource type.
func kindWord(name string) string {
	switch name {
	case "User":
		return "person"
	case "":
		return "resource"
	}
	return strings.ToLower(name)
}

// whomOf names the resource that a request is about.
func whomOf(e *journal.Entry, known *lookup) string {
	if e.Detail == nil || e.Kind == journal.Refused {
		return ""
	}
	all := e.Detail.Touched
	i := slices.IndexFunc(all, func(t journal.Touched) bool { return t.Type == e.Type && (t.ID != "" || len(t.Names) > 0) })
	if i < 0 {
		return ""
	}
	if len(all[i].Names) > 0 {
		return touchedName(all[i])
	}
	return cmp.Or(known.find(scim.Ref{Type: all[i].Type, ID: all[i].ID}), all[i].ID)
}

// touchedName returns the name of a resource for people: an address, or else a name, or else its id. An id of the
// client is among the names too.
func touchedName(t journal.Touched) string {
	for _, sign := range []string{"@", " ", ""} {
		for _, name := range t.Names {
			if strings.Contains(name, sign) {
				return name
			}
		}
	}
	return t.ID
}

// naming finds the name of a resource that an exchange names.
func naming(d *journal.Detail, known *lookup) func(ref scim.Ref) string {
	return func(ref scim.Ref) string {
		for _, t := range d.Touched {
			if t.Type == ref.Type && t.ID == ref.ID && len(t.Names) > 0 {
				return touchedName(t)
			}
		}
		return known.name(ref)
	}
}

// maxParts is how many changes a line names.
const maxParts = 3

// outcomeOf says in one line what a request changed. "": nothing.
func outcomeOf(d *journal.Detail, known *lookup) string {
	var parts []string
	for _, c := range d.Changes {
		switch c.Op {
		case scim.OpCreate:
			parts = append(parts, "created")
			continue
		case scim.OpDelete:
			parts = append(parts, "deleted")
			continue
		}
		for _, a := range c.Attributes {
			parts = append(parts, attributeWords(a))
		}
	}
	name := naming(d, known)
	for _, e := range d.Events {
		if text := eventWords(e, name); text != "" && e.Kind != scim.ToleranceUsed {
			parts = append(parts, text)
		}
	}
	if more := len(parts) - maxParts; more > 0 {
		parts = append(parts[:maxParts], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, "; ")
}

// attributeWords writes the change of an attribute in one line. Long values are left out.
func attributeWords(a journal.AttributeChange) string {
	const long = 40
	if len(a.Old) > long || len(a.New) > long {
		return a.Path
	}
	return fmt.Sprintf("%s %s → %s", a.Path, cmp.Or(a.Old, "none"), cmp.Or(a.New, "none"))
}

// eventWords writes an event as a sentence without its end. "": the change of the resource says it already.
func eventWords(e journal.Event, name func(scim.Ref) string) string {
	who := name(e.Resource)
	switch e.Kind {
	case scim.UserProvisioned, scim.UserUpdated, scim.UserDeleted, scim.GroupCreated, scim.GroupUpdated, scim.GroupDeleted, scim.ResourceChanged,
		scim.UserDeactivated, scim.UserReactivated:
		return ""
	case scim.MemberAdded:
		return name(e.Member) + " joins " + who
	case scim.MemberRemoved:
		return name(e.Member) + " leaves " + who
	case scim.RoleGranted:
		return who + " gets the role " + e.Role
	case scim.RoleRevoked:
		return who + " loses the role " + e.Role
	case scim.RoleWaiting:
		return because(who+" waits for the role "+e.Role, e.Reason)
	case scim.RoleRetained:
		return because(who+" keeps the role "+e.Role, e.Reason)
	case scim.GroupLinked:
		return who + " stands for the role " + e.Role
	case scim.GroupUnlinked:
		return because(who+" no longer stands for the role "+e.Role, e.Reason)
	case scim.GroupWaiting:
		return who + " waits for a confirmation of the role " + e.Role
	case scim.ToleranceUsed:
		return because("accepted although the RFCs do not allow it: "+string(e.Tolerance), e.Path)
	}
	text := string(e.Kind) + ": " + who
	if e.Member.ID != "" {
		text += ", " + name(e.Member)
	}
	if e.Role != "" {
		text += ", role " + e.Role
	}
	return because(text, e.Reason)
}

// because adds a reason to a sentence.
func because(text, reason string) string {
	if reason == "" {
		return text
	}
	return text + " (" + reason + ")"
}
