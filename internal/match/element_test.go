package match_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

func compileElement(t *testing.T, a *model.Attribute, text string) *match.Element {
	t.Helper()
	m, err := match.CompileElement(a, parse(t, text), nil)
	if err != nil {
		t.Fatalf("compile %s: %v", text, err)
	}
	return m
}

func TestElement(t *testing.T) {
	emails := userType(t).Find("emails")
	mails := []mail{{"ann@ex.test", "work", "true"}, {"Ann@ex.test", "home", ""}, {"bob@ex.test", "", "false"}}
	for _, row := range []struct {
		name, reason, filter string
		want                 func(mail) bool
	}{
		{"one field", "a sub-attribute by its own name", `TYPE eq "WORK"`, func(m mail) bool { return m.kind == "work" }},
		{"two fields", "of the same element", `type eq "home" and value eq "ann@ex.test"`, func(m mail) bool { return m.kind == "home" && same(m.value, "ann@ex.test") }},
		{"Q22 primary", "a string against a boolean", `primary eq "True"`, func(m mail) bool { return m.primary == "true" }},
		{"absent", "ne holds for what is not there", `type ne "work"`, func(m mail) bool { return m.kind != "work" }},
		{"not", "not", `not (type pr)`, func(m mail) bool { return m.kind == "" }},
		{"or", "or", `type eq null or primary eq true`, func(m mail) bool { return m.kind == "" || m.primary == "true" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := compileElement(t, emails, row.filter)
			yes := 0
			for _, e := range mails {
				o := obj{"value": e.value}
				if e.kind != "" {
					o["type"] = e.kind
				}
				if e.primary != "" {
					o["primary"] = e.primary
				}
				want := row.want(e)
				if got := m.Match(new(match.Work), doc.Composite(emails, fields(emails, o)...)); got != want {
					t.Errorf("%s: %s of %v = %v", row.reason, row.filter, e, got)
				}
				if want {
					yes++
				}
			}
			if yes == 0 || yes == len(mails) {
				t.Error("the row tells nothing")
			}
		})
	}
}

func TestElementOfOtherAttributes(t *testing.T) {
	lab := labType(t)
	ages, deep, box, extra := lab.Find("many-age"), lab.Find("deep"), lab.Find("box"), lab.Extension(extraURN)
	for _, row := range []struct {
		name, reason, filter string
		attr                 *model.Attribute
		v                    doc.Value
		want                 bool
	}{
		{"simple", "value is the element itself", `value gt 5`, ages, doc.Simple(ages, "7"), true},
		{"simple not", "value is the element itself", `value gt 5`, ages, doc.Simple(ages, "5"), false},
		{"multi inside", "any of the element's values", `text eq "b"`, deep, doc.Composite(deep, fields(deep, obj{"text": []string{"a", "B"}})...), true},
		{"single complex", "a complex value is its own element", `flag eq true`, box, doc.Composite(box, fields(box, obj{"flag": "true"})...), true},
		{"root", "without a document there is no id", `id ne "x"`, lab.Root, doc.Composite(lab.Root, fields(lab.Root, obj{"text": "x"})...), true},
		{"extension", "with paths", `box.age lt 5`, extra, doc.Composite(extra, fields(extra, obj{"box": obj{"age": "4"}})...), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := compileElement(t, row.attr, row.filter).Match(new(match.Work), row.v); got != row.want {
				t.Errorf("%s: %s = %v", row.reason, row.filter, got)
			}
		})
	}
}

func TestElementRefused(t *testing.T) {
	user, lab := userType(t), labType(t)
	for _, row := range []struct {
		name, reason string
		attr         *model.Attribute
		filter       string
		detail       []string
	}{
		{"single string", "nothing to look into", user.Find("userName"), `value eq "x"`, []string{"userName[…]", "multi-valued"}},
		{"meta", "not in the document", user.Find("schemas"), `value eq "x"`, []string{"schemas[…]"}},
		{"unknown", "says what there is", user.Find("emails"), `kind eq "x"`, []string{`"kind"`, "value, display, type, primary"}},
		{"simple element", "says what it is called", lab.Find("many-age"), `age eq 5`, []string{`"age"`, "many-age", `"value"`}},
		{"wrong literal", "says what is needed", user.Find("emails"), `primary eq "maybe"`, []string{"emails.primary eq", "true or false"}},
		{"hidden", "never returned", lab.Find("vault"), `value eq "x"`, []string{"vault.value"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := match.CompileElement(row.attr, parse(t, row.filter), nil)
			checkRefusal(t, row.reason, err, row.detail)
		})
	}
	_, err := match.CompileElement(&model.Attribute{Path: "nick", Kind: model.Any, Multi: true}, parse(t, `value eq "x"`), nil)
	checkRefusal(t, "no schema describes it", err, []string{"nick[…]"})
}

func TestAssign(t *testing.T) {
	user, lab := userType(t), labType(t)
	emails := user.Find("emails")
	for _, row := range []struct {
		name, reason, filter string
		attr                 *model.Attribute
		want                 []doc.Value
	}{
		{"Q8 one", "the field that makes it match", `type eq "Work"`, emails, fields(emails, obj{"type": "Work"})},
		{"Q8 several", "each, in schema order", `primary eq "True" and (type eq "work" and value eq "x")`, emails, fields(emails, obj{"value": "x", "type": "work", "primary": "true"})},
		{"twice", "the same thing twice", `type eq "work" and type eq "work"`, emails, fields(emails, obj{"type": "work"})},
		{"contradiction", "no element can match", `type eq "work" and type eq "home"`, emails, nil},
		{"or", "which of them?", `type eq "work" or type eq "home"`, emails, nil},
		{"or within", "which of them?", `value eq "x" and (type eq "work" or type eq "home")`, emails, nil},
		{"not", "says what it is not", `not (type eq "work")`, emails, nil},
		{"other operator", "says too little", `type sw "w"`, emails, nil},
		{"ne", "says what it is not", `type eq "work" and value ne "x"`, emails, nil},
		{"null", "says what is not there", `type eq null`, emails, nil},
		{"pr", "says too little", `type pr`, emails, nil},
		{"number", "in digits", `age eq "7.0" and score eq 0.5`, lab.Find("items"), fields(lab.Find("items"), obj{"age": "7", "score": "0.5"})},
		{"date", "as sent", `at eq "2024-02-29T12:00:00Z"`, lab.Find("items"), fields(lab.Find("items"), obj{"at": "2024-02-29T12:00:00Z"})},
		{"multi inside", "a list of one", `text eq "a"`, lab.Find("deep"), fields(lab.Find("deep"), obj{"text": []string{"a"}})},
		{"simple", "the element itself", `value eq 7`, lab.Find("many-age"), []doc.Value{doc.Simple(lab.Find("many-age"), "7")}},
		{"simple contradiction", "no element can match", `value eq 7 and value eq 8`, lab.Find("many-age"), nil},
		{"path", "deeper than a field", `box.age eq 7`, lab.Extension(extraURN), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := compileElement(t, row.attr, row.filter)
			got, ok := m.Assign()
			if ok != (row.want != nil) {
				t.Errorf("%s: ok is %v", row.reason, ok)
			}
			if diff := cmp.Diff(row.want, got, cmp.Comparer(doc.Value.Equal)); ok && diff != "" {
				t.Errorf("%s (-want +got)\n%s", row.reason, diff)
			}
			element := doc.Composite(row.attr, got...)
			if ok && row.attr.Kind != model.Complex {
				element = got[0]
			}
			if ok && !m.Match(new(match.Work), element) {
				t.Error("the filter does not match what it assigns")
			}
			if again, _ := m.Assign(); !doc.EqualFields(got, again) {
				t.Error("a second call gives something else")
			}
		})
	}
}
