package doc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

func TestCheckRequired(t *testing.T) {
	user, probe := users(t), probes(t)
	tests := []struct {
		name, reason string
		typ          *model.Type
		body, err    string
	}{
		{"Q59 nothing but the name", "userName is all that a user needs", user, `{"userName":"jo"}`, ""},
		{"missing", "", user, `{"title":"x"}`, "invalidValue: userName: is required and must not be empty"},
		{"null", "absent", user, `{"userName":null}`, "invalidValue: userName: is required and must not be empty"},
		{"blank", "white space names nobody", user, `{"userName":" \t"}`, "invalidValue: userName: is required and must not be empty"},
		{"part of an element", "each element needs it", probe, `{"must":"m","parts":[{"value":"a"},{"display":"b"}]}`, "invalidValue: parts.value: is required and must not be empty"},
		{"part of nothing", "a list that is not there needs nothing", probe, `{"must":"m"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := doc.CheckRequired(tt.typ, decoded(t, tt.typ, tt.body, doc.Options{}))
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestCheckImmutable(t *testing.T) {
	probe, group := probes(t), groups(t)
	const refused = ": has a value and cannot be changed any more"
	tests := []struct {
		name, reason       string
		typ                *model.Type
		before, after, err string
	}{
		{"set first", "it had no value", probe, `{}`, `{"fixed":"a"}`, ""},
		{"same", "RFC 7644, 3.5.1", probe, `{"fixed":"a"}`, `{"fixed":"a","text":"b"}`, ""},
		{"changed", "RFC 7644, 3.5.1", probe, `{"fixed":"a"}`, `{"fixed":"b"}`, "mutability: fixed" + refused},
		{"dropped", "that is a change", probe, `{"fixed":"a"}`, `{}`, "mutability: fixed" + refused},
		{"part changed", "of a single complex attribute", probe, `{"box":{"fixed":"a"}}`, `{"box":{"fixed":"b"}}`, "mutability: box.fixed" + refused},
		{"part dropped with the whole", "that is a change", probe, `{"box":{"fixed":"a"}}`, `{}`, "mutability: box.fixed" + refused},
		{"element's part changed", "that is another element", probe, `{"parts":[{"value":"1","fixed":"a"}]}`, `{"parts":[{"value":"1","fixed":"b"}]}`, ""},
		{"Q42 members", "a group may lose members", group, `{"members":[{"value":"1"},{"value":"2"}]}`, `{"members":[{"value":"2"}]}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := doc.CheckImmutable(tt.typ, decoded(t, tt.typ, tt.before, doc.Options{}), decoded(t, tt.typ, tt.after, doc.Options{}))
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestCheckKept(t *testing.T) {
	probe := probes(t)
	tests := []struct{ name, reason, before, after, err string }{
		{"removed", "RFC 7644, 3.5.2.2", `{"must":"m"}`, `{}`, "mutability: must: is required and cannot be removed"},
		{"replaced", "it still has a value", `{"must":"m"}`, `{"must":"n"}`, ""},
		{"emptied", "an empty value is judged as a value", `{"must":"m"}`, `{"must":""}`, ""},
		{"never there", "that is no removal", `{}`, `{}`, ""},
		{"optional", "it may go", `{"text":"t"}`, `{}`, ""},
		{"element with its part", "another element has its own", `{"parts":[{"value":"a"}]}`, `{"parts":[{"display":"b"}]}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := doc.CheckKept(probe, decoded(t, probe, tt.before, doc.Options{}), decoded(t, probe, tt.after, doc.Options{}))
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestCheckEnumerated(t *testing.T) {
	user := users(t)
	const want = "invalidValue: emails.type: must be one of work, home, other, got "
	tests := []struct{ name, reason, before, after, err string }{
		{"allowed", "case does not count", `{}`, `{"emails":[{"value":"a","type":"Work"},{"value":"b"}]}`, ""},
		{"not allowed", "the answer lists what is", `{}`, `{"emails":[{"value":"a","type":"work"},{"value":"b","type":"boat"}]}`, want + `"boat"`},
		{"empty", "it is a value like others", `{}`, `{"emails":[{"value":"a","type":""}]}`, want + `""`},
		{"there before", "it may be older than the rule", `{"emails":[{"value":"a","type":"boat"}]}`, `{"emails":[{"value":"c","type":"boat"}]}`, ""},
		{"there before in another case", "that is a new value", `{"emails":[{"value":"a","type":"boat"}]}`, `{"emails":[{"value":"a","type":"Boat"}]}`, want + `"Boat"`},
		{"there before elsewhere", "that is another attribute", `{"phoneNumbers":[{"value":"1","type":"boat"}]}`, `{"emails":[{"value":"a","type":"boat"}]}`, want + `"boat"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := doc.CheckEnumerated(user.Find("emails.type"), decoded(t, user, tt.before, doc.Options{}), decoded(t, user, tt.after, doc.Options{}))
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestCarry(t *testing.T) {
	probe := probes(t)
	ext := probeURN + "Extension"
	tests := []struct {
		name, reason, before, after string
		want                        []string
	}{
		{"writable", "a PUT replaces", `{"text":"a","list":["x"]}`, `{"text":"b"}`, []string{"text=b"}},
		{"Q61 readOnly", "always the server's own", `{"given":"g"}`, `{"given":"h"}`, []string{"given=g"}},
		{"readOnly without a value", "the client cannot give it one", `{}`, `{"given":"h","text":"a"}`, []string{"text=a"}},
		{"Q61 hidden", "the client could not see it", `{"secret":"s"}`, `{"text":"a"}`, []string{"text=a", "secret=s"}},
		{"hidden, new", "the client gave another", `{"secret":"s"}`, `{"secret":"t"}`, []string{"secret=t"}},
		{"parts", "as the whole", `{"box":{"value":"v","given":"g","secret":"s"}}`, `{"box":{"value":"w"}}`, []string{"box.value=w", "box.given=g", "box.secret=s"}},
		{"left out whole", "the client saw it, so it meant that", `{"box":{"value":"v","given":"g","secret":"s"}}`, `{}`, nil},
		{"left out unseen", "the client never saw it", `{"box":{"given":"g","secret":"s"}}`, `{}`, []string{"box.given=g", "box.secret=s"}},
		{"extension left out", "its attributes are on their own", `{"` + ext + `":{"text":"a","given":"g"}}`, `{}`, []string{ext + ".given=g"}},
		{"on request", "a client that did not ask for it still replaces it", `{"onRequest":"r"}`, `{}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stored := doc.Options{Stored: true}
			before, after := decoded(t, probe, tt.before, stored), decoded(t, probe, tt.after, stored)
			was, now := show(before), show(after)
			if diff := cmp.Diff(tt.want, show(doc.Carry(probe, before, after))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff([][]string{was, now}, [][]string{show(before), show(after)}); diff != "" {
				t.Errorf("the arguments were changed (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCheckEnumeratedIsLinear checks many values that are older than the enumeration.
func TestCheckEnumeratedIsLinear(t *testing.T) {
	user := users(t)
	var list []string
	for i := range 20_000 {
		list = append(list, fmt.Sprintf(`{"value":"%d","type":"t%d"}`, i, i))
	}
	values := decoded(t, user, `{"emails":[`+strings.Join(list, ",")+`]}`, doc.Options{})
	start := time.Now()
	if err := doc.CheckEnumerated(user.Find("emails.type"), values, values); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}
