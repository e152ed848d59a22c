package testhost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Pruner is a client that removes users whom it does not know. It finds them in the list
// of all users.
type Pruner struct {
	URL    string // the address of the endpoint
	Token  string
	People []Person // the people whom the client knows
	Teams  []Team   // the groups that the client knows; only PruneByExternalID syncs groups
	// Refused lists the requests that were refused since the last Prune, with the status.
	Refused []string
}

// Person is somebody whom a Pruner knows. ID is the externalId.
type Person struct{ ID, UserName, DisplayName string }

// Team is a group that a Pruner knows, with the ID of each Person in it.
type Team struct {
	ID, Name string
	Members  []string
}

// found is a resource as a Pruner reads it.
type found struct {
	ID          string `json:"id"`
	ExternalID  string `json:"externalId"`
	UserName    string `json:"userName"`
	DisplayName string `json:"displayName"`
	Active      bool   `json:"active"`
}

type object = map[string]any

// PruneByExternalID syncs as Pocket ID does. It matches by externalId. It updates or
// creates its own, and deletes everybody else who was in the list at the start.
func (p *Pruner) PruneByExternalID() error {
	p.Refused = nil
	users, err := p.list("/Users")
	if err != nil {
		return err
	}
	groups, err := p.list("/Groups")
	if err != nil {
		return err
	}
	for _, person := range p.People {
		body := object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "externalId": person.ID,
			"userName": person.UserName, "displayName": person.DisplayName, "active": true}
		if users, err = p.put("/Users", users, person.ID, body); err != nil {
			return err
		}
	}
	ids := map[string]string{}
	for _, u := range users {
		ids[u.ExternalID] = u.ID
	}
	known := map[string]bool{}
	for _, person := range p.People {
		known[person.ID] = true
	}
	p.deleteOthers("/Users", users, known)
	for _, team := range p.Teams {
		members := []object{}
		for _, m := range team.Members {
			if ids[m] != "" {
				members = append(members, object{"value": ids[m]})
			}
		}
		body := object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "externalId": team.ID,
			"displayName": team.Name, "members": members}
		known[team.ID] = true
		if groups, err = p.put("/Groups", groups, team.ID, body); err != nil {
			return err
		}
	}
	p.deleteOthers("/Groups", groups, known)
	return nil
}

// PruneByUserName syncs as Probo does. It matches by userName and sends no externalId. It
// deactivates everybody else, and deletes those who are inactive already.
func (p *Pruner) PruneByUserName() error {
	p.Refused = nil
	users, err := p.list("/Users")
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, person := range p.People {
		known[strings.ToLower(person.UserName)] = true
		body := object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": person.UserName,
			"displayName": person.DisplayName, "active": true}
		method, path := http.MethodPost, "/Users"
		for _, u := range users {
			if strings.EqualFold(u.UserName, person.UserName) {
				method, path = http.MethodPut, "/Users/"+u.ID
			}
		}
		p.request(method, path, body)
	}
	for _, u := range users {
		switch {
		case known[strings.ToLower(u.UserName)]:
		case u.Active:
			p.request(http.MethodPatch, "/Users/"+u.ID, object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
				"Operations": []object{{"op": "replace", "path": "active", "value": false}}})
		default:
			p.request(http.MethodDelete, "/Users/"+u.ID, nil)
		}
	}
	return nil
}

// put updates the resource that has the externalId, or creates one. It returns the list
// with the new one.
func (p *Pruner) put(path string, all []found, externalID string, body object) ([]found, error) {
	for _, r := range all {
		if r.ExternalID == externalID {
			p.request(http.MethodPut, path+"/"+r.ID, body)
			return all, nil
		}
	}
	answer, ok := p.request(http.MethodPost, path, body)
	if !ok {
		return all, nil
	}
	var r found
	err := json.Unmarshal(answer, &r)
	return append(all, r), err
}

func (p *Pruner) deleteOthers(path string, all []found, known map[string]bool) {
	for _, r := range all {
		if !known[r.ExternalID] {
			p.request(http.MethodDelete, path+"/"+r.ID, nil)
		}
	}
}

// list reads all resources of a type, page by page.
func (p *Pruner) list(path string) (all []found, err error) {
	for {
		answer, ok := p.request(http.MethodGet, fmt.Sprintf("%s?startIndex=%d&count=2", path, len(all)+1), nil)
		if !ok {
			return nil, fmt.Errorf("the list is refused: %v", p.Refused)
		}
		var page struct {
			TotalResults int
			Resources    []found
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Resources...)
		if len(all) >= page.TotalResults {
			return all, nil
		}
		if len(page.Resources) == 0 {
			return nil, fmt.Errorf("the list ends after %d of %d", len(all), page.TotalResults)
		}
	}
}

// request sends a request. It notes the request if it is refused.
func (p *Pruner) request(method, path string, body object) (answer []byte, ok bool) {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body) // the values are plain
	}
	r, err := http.NewRequest(method, p.URL+path, bytes.NewReader(text))
	if err == nil {
		r.Header.Set("Content-Type", "application/scim+json")
		r.Header.Set("Authorization", "Bearer "+p.Token)
		var res *http.Response
		if res, err = http.DefaultClient.Do(r); err == nil {
			defer res.Body.Close() //nolint:errcheck // it was read
			answer, err = io.ReadAll(res.Body)
			ok = res.StatusCode < 300
		}
		if err == nil && !ok {
			err = fmt.Errorf("%s %s: %d", method, path, res.StatusCode)
		}
	}
	if err != nil {
		p.Refused = append(p.Refused, err.Error())
	}
	return answer, err == nil
}
