package journal

import (
	"net/http"
	"strings"
)

// Advice says who has to act so that a request like this one succeeds, and how, to people who set up clients. If only
// operations of a bulk request have failed, it is about the first of them. Both are "" if nothing has failed, or if the
// content of the entry cannot be read.
func (e *Entry) Advice() (Actor, string) {
	for _, f := range failuresOf(e) {
		return f.advice()
	}
	return "", ""
}

// advice says who has to act, and how.
func (f *failed) advice() (Actor, string) {
	switch {
	case f.status == 0:
		return Vendor, "The connection ended before the answer: look at proxies and their time limits, and at the log of the application."
	case f.status == http.StatusTooManyRequests:
		return Nobody, "The client sends more requests than it may, and tries again later. If this goes on for hours, raise the limit."
	case f.status == http.StatusNotImplemented:
		return Customer, "The application does not offer this: switch it off in the settings of the identity provider."
	case f.status == http.StatusServiceUnavailable:
		return Vendor, "The application was not available: look at its database, and whether SCIM is switched on for this tenant."
	case f.status >= 500:
		return Vendor, "This is an error of the application: find the id of the request in its log."
	case f.status == http.StatusUnauthorized:
		return Customer, "The client's credentials are not accepted: make a new token, and enter it in the identity provider."
	case f.Kind == Refused:
		return Customer, "There is no endpoint at this address: compare it with the one that the application shows."
	case f.status == http.StatusForbidden && strings.HasPrefix(f.failure.Detail, "this token does not have the scope"):
		return Customer, "The token does not open this: make one with the scope that the text names, or switch these requests off in the identity provider."
	case f.status == http.StatusForbidden:
		return Vendor, "The application does not allow this: its text says which rule, permission or limit of seats decides."
	case f.status == http.StatusNotFound:
		return Customer, "The client names what the application does not have: start the provisioning of this person or group again in the identity provider."
	case f.status == http.StatusPreconditionFailed:
		return Nobody, "The resource has changed since the client read it: the client reads it and tries again."
	case f.status == http.StatusUnsupportedMediaType || f.status == http.StatusMethodNotAllowed:
		return Customer, "This is no request of SCIM 2.0: compare the connector's settings with the page about the identity provider, and choose SCIM 2.0 and JSON."
	}
	if strings.HasPrefix(f.failure.Detail, "members: not provisioned here") {
		return Customer, "The group has members whom the identity provider has not sent: assign these people to the application there too."
	}
	if advice := adviceOfType[f.failure.Type]; advice != "" {
		return Customer, advice
	}
	switch f.status {
	case http.StatusConflict:
		return Customer, adviceOfType["uniqueness"]
	case http.StatusRequestEntityTooLarge:
		return Customer, adviceOfType["tooMany"]
	}
	return Customer, adviceOfType["invalidValue"]
}

// adviceOfType is what helps for a scimType (RFC 7644, Section 3.12; RFC 9865).
var adviceOfType = map[string]string{
	"uniqueness":    "Somebody has this value already: change one of the two in the identity provider, or delete or adopt the account in the application.",
	"invalidValue":  "A value is not what the application accepts: change the mapping of attributes in the identity provider, or the value there.",
	"invalidSyntax": "The body is not what SCIM expects, or no JSON at all: look at it in the journal. If you wrote the template of the connector, correct it; otherwise tell the identity provider's support.",
	"invalidFilter": "The client looks for people by a filter that the application cannot answer: match by userName or externalId in the settings of the identity provider.",
	"invalidPath":   "The client changes an attribute that does not exist here: remove its mapping in the identity provider.",
	"noTarget":      "The client changes an element that is not there: start the provisioning of this person or group again in the identity provider.",
	"mutability":    "Clients cannot change this attribute here: remove its mapping in the identity provider.",
	"tooMany":       "The request is too large: let the client send fewer members or operations at once.",
	"sensitive":     "The client sends a secret in an address: let it search by POST, or match by another attribute.",
	"invalidCursor": "The client goes on with a page that has ended: it has to begin the list again.",
	"expiredCursor": "The client took too long from one page to the next: it has to begin the list again.",
	"invalidCount":  "The client changes the size of pages within a list: it has to begin the list again.",
}
