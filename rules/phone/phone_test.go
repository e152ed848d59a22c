package phone_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/rules/phone"
	"github.com/scimkit/scim/store/memory"
)

func TestE164(t *testing.T) {
	for _, row := range []struct{ number, region, want, reason string }{
		{"(201) 555-0123", "US", "+12015550123", "people write numbers like this"},
		{"201.555.0123", "US", "+12015550123", "people write numbers like this"},
		{"+1 201 555 0123", "", "+12015550123", "the country code is there"},
		{"tel:+1-201-555-0123", "", "+12015550123", "RFC 7643 asks for an RFC 3966 URI"},
		{"tel:201-555-0123;phone-context=+1", "", "+12015550123", "a URI names the country in its context"},
		{"201-555-0123 ext. 5", "US", "+12015550123", "E.164 has no extensions"},
		{"030 901820", "DE", "+4930901820", "the trunk prefix is not dialled from abroad"},
		{"+49 30 901820", "US", "+4930901820", "a country code wins over the region"},
		{"0011 49 30 901820", "AU", "+4930901820", "the region's international prefix"},
		{"(201) 555-0123", "", "", "nobody knows the country"},
		{"(201) 555-0123", "us", "", "regions are in capital letters"},
		{"12345", "US", "", "it is too short"},
		{"+1 000 000 0000", "", "", "no such number exists"},
		{"call me", "US", "", "it is no number"},
		{"", "US", "", "there is none"},
		{strings.Repeat("1", 100_000), "US", "", "it is too long"},
	} {
		got, err := phone.E164(row.number, row.region)
		if got != row.want || (err == nil) != (row.want != "") {
			t.Errorf("E164(%.30q, %q) = %q, %v, want %q, because %s", row.number, row.region, got, err, row.want, row.reason)
		}
	}
}

// A number that is not valid refuses nobody, SCIM returns what was sent, and the application
// gets the valid ones.
func TestNumbers(t *testing.T) {
	s := memory.New()
	h := testhost.New(t, scim.Config{Store: s})
	id := testhost.Create(t, h, "/Users", `{"userName":"ann","phoneNumbers":[{"value":"none yet","type":"home"},
		{"value":"(201) 555-0123","type":"mobile","primary":true},{"value":"+49 30 901820"}]}`)
	res := testhost.Do(t, h, "GET", "/Users/"+id, "")
	if body := fmt.Sprint(testhost.Decode(t, res)); res.StatusCode != http.StatusOK || !strings.Contains(body, "value:(201) 555-0123") || !strings.Contains(body, "value:none yet") {
		t.Errorf("the answer is %s", body)
	}
	user, err := s.Get(t.Context(), scim.Ref{Type: "User", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	want := []phone.Number{
		{E164: "+12015550123", Sent: "(201) 555-0123", Type: "mobile", Primary: true},
		{E164: "+4930901820", Sent: "+49 30 901820"},
	}
	if diff := cmp.Diff(want, phone.Numbers(user, "US")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := phone.Numbers(user.WithMeta(scim.Meta{}), ""); len(got) != 1 {
		t.Errorf("without a region: %v", got)
	}
}

func FuzzE164(f *testing.F) {
	for _, s := range []string{"(201) 555-0123", "tel:201;phone-context=+1;isub=1", "+", "०१२", "1-800-FLOWERS"} {
		f.Add(s, "US")
	}
	f.Fuzz(func(t *testing.T, number, region string) {
		got, err := phone.E164(number, region)
		if err != nil {
			return
		}
		if again, err := phone.E164(got, ""); err != nil || again != got {
			t.Errorf("E164(%q, %q) = %q, whose form is %q, %v", number, region, got, again, err)
		}
	})
}

func ExampleE164() {
	number, err := phone.E164("(201) 555-0123", "US")
	fmt.Println(number, err)
	// Output: +12015550123 <nil>
}
