package main

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/examples/internal/pagetest"
	"github.com/scimkit/scim/internal/pgtest"
)

// clients plays what the other clients send, each with people of its own.
func (r *acme) clients() {
	for _, client := range []struct {
		name, contentType string
		play              func(r *acme, c *pagetest.Client)
	}{
		{"Microsoft Entra", "application/scim+json; charset=utf-8", (*acme).entra},
		{"Google Workspace, by the Adobe app", "application/json", (*acme).google},
		{"Keycloak", "application/scim+json", (*acme).keycloak},
		{"Rippling", "application/json", (*acme).rippling},
	} {
		r.Run(client.name, func(t *testing.T) {
			in := *r
			in.T, in.ann = t, r.ann.In(t)
			in.okta.Client = r.okta.In(t)
			c := r.okta.In(t)
			c.Header.Set("Content-Type", client.contentType)
			client.play(&in, c)
		})
	}
}

// entra tests its connection, creates without members, and sends one operation for each attribute.
func (r *acme) entra(c *pagetest.Client) {
	for _, path := range []string{"/Users?filter=userName+eq+%225a1e%22", "/Groups?excludedAttributes=members&filter=displayName+eq+%225a1e%22"} {
		r.want("the connection's test", "0", c.Want(200, "GET", path, "").String("totalResults"))
	}
	id := c.Want(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
		"externalId":"kit","userName":"kit@acme.test","active":true,"displayName":"Kit Lee","emails":[{"primary":true,"type":"work","value":"kit@acme.test"}],
		"meta":{"resourceType":"User"},"name":{"formatted":"Kit Lee","familyName":"Lee","givenName":"Kit"},"roles":[]}`).ID()
	group := c.Want(201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
		"externalId":"8f3c","displayName":"Finance","meta":{"resourceType":"Group"}}`).ID()
	c.Want(204, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"`+id+`"}]}]}`)
	r.wantGroup("Finance", "Finance | SCIM | kit@acme.test")
	q := url.Values{"filter": {fmt.Sprintf("id eq %q and members eq %q", group, id)}, "attributes": {"id"}}
	r.want("the member check", "1", c.Want(200, "GET", "/Groups?"+q.Encode(), "").String("totalResults"))
	c.Want(204, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"Replace","path":"displayName","value":"Treasury"}]}`)
	c.Want(204, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"`+id+`"}]}]}`)
	r.wantGroup("Treasury", "Treasury | SCIM")
	a := c.Want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"Replace","path":"active","value":"False"},{"op":"Add","path":"displayName","value":"K"}]}`)
	r.want("active", "false K", a.String("active")+" "+a.String("displayName"))
	c.Want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","value":{"active":true,"name.givenName":"Kitty"}}]}`)
	c.Want(204, "DELETE", "/Users/"+id, "")
}

// google knows no groups, and sends application/json.
func (r *acme) google(c *pagetest.Client) {
	c.Want(200, "GET", "/Users?count=1", "")
	r.want("the look-up", "", c.Find("/Users", "userName", "goo@acme.test"))
	id := c.Want(201, "POST", "/Users", `{"userName":"goo@acme.test","name":{"givenName":"Goo","familyName":"Gle"},"active":true}`).ID()
	c.Want(200, "PUT", "/Users/"+id, `{"userName":"goo@acme.test","name":{"givenName":"Goo","familyName":"Gle"},"active":false}`)
	c.Want(204, "DELETE", "/Users/"+id, "")
}

// keycloak looks nothing up. It sends PUT of the whole resource, with the address as userName.
func (r *acme) keycloak(c *pagetest.Client) {
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"externalId":"6f1a","userName":"lea@acme.test","displayName":"Lea Roy","active":%t,
		"name":{"givenName":"Lea","familyName":"Roy"},"emails":[{"value":"lea@acme.test"}],"roles":[{"value":"offline_access"}]%s}`
	created := c.Want(201, "POST", "/Users", fmt.Sprintf(body, true, ""))
	id := created.ID()
	if created.String("userName") == "" || created.String("displayName") == "" || created.String("active") == "" {
		r.Errorf("the plug-in throws without these: %s", created.Text)
	}
	group := c.Want(201, "POST", "/Groups", `{"externalId":"77","displayName":"staff"}`).ID()
	c.Want(200, "PUT", "/Groups/"+group, `{"id":"`+group+`","externalId":"77","displayName":"staff","members":[{"value":"`+id+`","$ref":"Users/`+id+`"}]}`)
	c.Want(200, "PUT", "/Users/"+id, fmt.Sprintf(body, true, `,"id":"`+id+`"`))
	r.wantGroup("staff", "staff | SCIM | lea@acme.test")
	c.Want(200, "PUT", "/Users/"+id, fmt.Sprintf(body, false, `,"id":"`+id+`"`))
	r.wantGroup("staff", "staff | SCIM")
	c.Want(204, "DELETE", "/Users/"+id, "")
	c.Want(204, "DELETE", "/Groups/"+group, "")
}

// rippling sends a POST again after a failure, finds the person, and addresses the primary e-mail.
func (r *acme) rippling(c *pagetest.Client) {
	const body = `{"externalId":"rip-1","userName":"rip@acme.test","name":{"givenName":"Rip","familyName":"Ley"},"emails":[{"value":"rip@acme.test","primary":true}],"active":true}`
	id := c.Want(201, "POST", "/Users", body).ID()
	c.Want(409, "POST", "/Users", body)
	r.want("the look-up", id, c.Find("/Users", "userName", "rip@acme.test"))
	a := c.Want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"emails[primary eq true].value","value":"rip2@acme.test"}]}`)
	if !strings.Contains(a.Text, "rip2@acme.test") {
		r.Errorf("the address did not change: %s", a.Text)
	}
	c.Want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"active","value":false}]}`)
	c.Want(204, "DELETE", "/Users/"+id, "")
}

// log finds a failed request in the administrator's log, with its bodies and without its secrets.
func (r *acme) log() {
	r.okta.Want(400, "POST", "/Users", `{"userName":"no address","password":"pass-4711"}`)
	const activity = "/provisioning/t/acme/activity"
	var entry []string
	for end := time.Now().Add(10 * time.Second); entry == nil; time.Sleep(50 * time.Millisecond) {
		entry = regexp.MustCompile(`href="[./]*/t/acme/activity/([^"]+)">Create person</a> <span class="whom">no address<`).FindStringSubmatch(r.ann.Page(activity + "?f=failed"))
		if time.Now().After(end) {
			r.Fatal("the log does not show the failed request")
		}
	}
	text := r.ann.Page(activity + "/" + entry[1])
	status, bodies := r.ann.Send(activity+"/"+entry[1]+"/bodies", url.Values{})
	if status != http.StatusOK {
		r.Errorf("the bodies: %d %s", status, bodies)
	}
	for _, want := range []string{"POST", "/scim/Users", "400", "must be an e-mail address"} {
		if !strings.Contains(text+bodies, want) {
			r.Errorf("the entry does not show %q:\n%s", want, text)
		}
	}
	if !strings.Contains(bodies, `"userName"`) || !strings.Contains(bodies, "invalidValue") {
		r.Errorf("the bodies are %s", bodies)
	}
	if strings.Contains(text+bodies, "pass-4711") || strings.Contains(text+bodies, r.app.Token) {
		r.Error("the log shows a secret")
	}
	gus, _ := r.app.LogIn("gus@globex.test")
	if got := gus.Status(activity); got != http.StatusNotFound {
		r.Errorf("another team's administrator sees the log: %d", got)
	}
	con, _ := r.app.LogIn("sue@acme.test")
	if got := con.Status(activity); got != http.StatusForbidden {
		r.Errorf("somebody who is no administrator sees the log: %d", got)
	}
	kept := r.atRest()
	if len(kept) < 1000 || strings.Contains(kept, "no address") || strings.Contains(kept, hex.EncodeToString([]byte("no address"))) {
		r.Errorf("%d bytes are kept, and the name is among them", len(kept))
	}
}

// atRest returns what the database keeps of the log.
func (r *acme) atRest() (text string) {
	file, isFile := strings.CutPrefix(r.app.Where, "sqlite:")
	if isFile {
		for _, part := range []string{".journal", ".journal-wal"} {
			b, err := os.ReadFile(file + part)
			if err != nil {
				r.Fatal(err)
			}
			text += string(b)
		}
		return text
	}
	db, err := sql.Open(pgtest.Driver, r.app.Where)
	if err != nil {
		r.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	if err := db.QueryRow("SELECT string_agg(CAST(e AS text), ' ') FROM scim_entries e").Scan(&text); err != nil {
		r.Fatal(err)
	}
	return text
}
