package journal

import (
	"time"

	"github.com/scimkit/scim"
)

// Kind says what an Entry is about.
type Kind string

// The kinds of entries.
const (
	// Exchange is a request and its answer.
	Exchange Kind = "exchange"
	// Refused is a request that nobody known has sent, or one over a limit (429).
	Refused Kind = "refused"
	// Gap says that entries are missing: see Detail.Gap.
	Gap Kind = "gap"
)

// Head is the part of an Entry that stores keep in the clear. It names no person.
type Head struct {
	// ID names the entry: a UUIDv7, so entries are in the order of their IDs.
	ID string `json:"id"`
	// Tenant is Tenant.ID. Refused requests of an unknown tenant have "".
	Tenant string `json:"tenant"`
	// Kind says what the entry is about.
	Kind Kind `json:"kind"`
	// Time is when the request came, in UTC and whole microseconds.
	Time time.Time `json:"time"`
	// RequestID is the X-Request-Id of the answer, or else ID. A client may have chosen it.
	RequestID string `json:"requestId"`
	// Method is the method of the request, or "other" if HTTP does not define it.
	Method string `json:"method,omitempty"`
	// Status is the status of the answer. 0: the connection was broken instead.
	Status int `json:"status"`
	// Type is the name of the resource type in the address; "" if there is none.
	Type string `json:"type,omitempty"`
	// Events are the kinds of the events, each once.
	Events []scim.EventKind `json:"events,omitempty"`
	// RequestSize and ResponseSize are the bytes of both bodies, as they passed.
	RequestSize  int64 `json:"requestSize"`
	ResponseSize int64 `json:"responseSize"`
}

// Entry is one entry of the journal.
type Entry struct {
	Head
	// Detail is what else the journal knows. Nil: see Unreadable.
	Detail *Detail `json:"detail,omitempty"`
	// Request and Response are the bodies. Nil: there was none, Find does not read them, or see Unreadable.
	Request  *Body `json:"request,omitempty"`
	Response *Body `json:"response,omitempty"`
	// Unreadable says why Detail is nil. "": it is not.
	Unreadable string `json:"unreadable,omitempty"`
}

// The values of Entry.Unreadable.
const (
	KeyGone = "the key of this entry is gone" // no key of the Wrapper opens it
	Erased  = "the content was erased"        // Journal.Erase has erased it
	Damaged = "the entry is damaged"          // it is not what the journal has written
)

// Detail is what stores keep sealed. Texts of clients are as they came: escape them.
type Detail struct {
	// Client is Principal.ID, and Label is what Options.Label has returned for it.
	Client string `json:"client,omitempty"`
	Label  string `json:"label,omitempty"`
	// Address is the client's network address, without the port.
	Address string `json:"address,omitempty"`
	// URL is the path and the query of the request.
	URL string `json:"url,omitempty"`
	// Duration is the time from the first line of the request to the end of the answer.
	Duration time.Duration `json:"duration,omitempty"`
	// RequestHeader and ResponseHeader are the headers that may be shown. Of others there is the name only.
	RequestHeader  []Field `json:"requestHeader,omitempty"`
	ResponseHeader []Field `json:"responseHeader,omitempty"`
	// Failure says why the request failed. Nil: it did not.
	Failure *Failure `json:"failure,omitempty"`
	// Operations are those of a bulk request that failed, of the first 1,000. The request itself may have succeeded.
	Operations []FailedOperation `json:"operations,omitempty"`
	// Touched are the resources that the exchange names, with the names that it shows.
	Touched []Touched `json:"touched,omitempty"`
	// Changes are what the request did to resources.
	Changes []Change `json:"changes,omitempty"`
	// Events are what the request did else: members, roles, tolerances. At most 1,000 are kept.
	Events []Event `json:"events,omitempty"`
	// Gap is set in entries of the kind Gap.
	Gap *Missing `json:"gap,omitempty"`
}

// Field is a line of a header. Value is "[not shown]" if it may be secret.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Failure is why a request failed.
type Failure struct {
	// Type is the scimType of the answer (RFC 7644, Section 3.12); "" if it has none.
	Type string `json:"type,omitempty"`
	// Detail is the text of the answer.
	Detail string `json:"detail,omitempty"`
}

// FailedOperation is an operation of a bulk request that failed.
type FailedOperation struct {
	// Method and Status are its method and the status of its answer.
	Method string `json:"method"`
	Status int    `json:"status"`
	// Failure says why it failed.
	Failure Failure `json:"failure"`
	// Resource is the resource that it is about, as far as the request and the answer tell.
	Resource Touched `json:"resource"`
}

// Touched is a resource that an exchange names.
type Touched struct {
	// Type is the name of its resource type, and ID its id; "" if only names are known.
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
	// Names are its userName, displayName, externalId and emails, as far as the exchange shows them.
	Names []string `json:"names,omitempty"`
}

// Change is what a request did to one resource.
type Change struct {
	// Op is what the client did.
	Op scim.Op `json:"op"`
	// Type and ID name the resource.
	Type string `json:"type"`
	ID   string `json:"id"`
	// Attributes are the top-level attributes whose values have changed. None: the queue was full, or
	// only members have changed.
	Attributes []AttributeChange `json:"attributes,omitempty"`
}

// AttributeChange is the change of one attribute. Old and New are JSON; "" for no value.
type AttributeChange struct {
	Path string `json:"path"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// Event is a scim.Event as the journal keeps it.
type Event struct {
	Kind     scim.EventKind `json:"kind"`
	Resource scim.Ref       `json:"resource"`
	Member   scim.Ref       `json:"member"`
	// Role is the role's name, or its id if it has none.
	Role   string `json:"role,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Tolerance and Path are those of the event.
	Tolerance scim.Tolerance `json:"tolerance,omitempty"`
	Path      string         `json:"path,omitempty"`
}

// Missing says what is missing in a Gap.
type Missing struct {
	// From and To are the time in which entries are missing.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Entries is how many are missing. 0: nobody knows, because a process ended without Close.
	Entries int `json:"entries"`
	// Reason says why.
	Reason string `json:"reason"`
}

// Body is the body of a request or an answer.
type Body struct {
	// Text is the body, with "[redacted]" in the place of secrets. "": see Note.
	Text string `json:"text,omitempty"`
	// Size is its size in bytes, as it passed.
	Size int64 `json:"size"`
	// Hash is a keyed hash of what passed, in hexadecimal digits. Equal bodies of a tenant have equal hashes.
	Hash string `json:"hash"`
	// Note says why Text is missing or not whole. "": it is whole.
	Note string `json:"note,omitempty"`
}

// The values of Body.Note.
const (
	NotJSON = "not kept: it is not valid JSON"
	TooLong = "only the beginning is kept"
	Dropped = "not kept: the journal's queue was full"
	// TooManyNames is for bodies that name more people than the journal could find it by.
	TooManyNames = "not kept: it names too many people"
)
