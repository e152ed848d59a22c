package crashtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/go-cmp/cmp"
)

// world is the state of one worker's users and groups, by externalId, which does not
// change. A world never changes: with makes a new one.
type world struct {
	Users  map[string]person
	Groups map[string]team
	Shared map[string]bool // the users who are members of the group of all workers
}

type person struct {
	UserName, Title, Email string
	Active                 bool
	Hand                   string // a role that was given by hand, or ""
}

type team struct {
	Name    string
	Members map[string]bool
}

// with returns a copy after change.
func (w world) with(change func(*world)) world {
	next := world{maps.Clone(w.Users), maps.Clone(w.Groups), maps.Clone(w.Shared)}
	change(&next)
	return next
}

// join returns the group after adding and removing members.
func (g team) join(add, remove []string) team {
	g.Members = joined(g.Members, add, remove)
	return g
}

func joined(members map[string]bool, add, remove []string) map[string]bool {
	next := maps.Clone(members)
	for _, m := range remove {
		delete(next, m)
	}
	for _, m := range add {
		next[m] = true
	}
	return next
}

// leave removes a deleted user from all groups.
func (w *world) leave(user string) {
	delete(w.Users, user)
	w.Shared = joined(w.Shared, nil, []string{user})
	for key, g := range w.Groups {
		w.Groups[key] = g.join(nil, []string{user})
	}
}

// resource has the parts of a user or group that the tests read.
type resource struct {
	ID          string  `json:"id"`
	ExternalID  string  `json:"externalId"`
	UserName    string  `json:"userName"`
	DisplayName string  `json:"displayName"`
	Title       string  `json:"title"`
	Active      bool    `json:"active"`
	Emails      []value `json:"emails"`
	Members     []value `json:"members"`
}

type value struct {
	Value string `json:"value"`
}

// observe reads a worker's world by HTTP, as a client sees it, and the ids.
func (w *worker) observe() (world, map[string]string, error) {
	seen := world{map[string]person{}, map[string]team{}, map[string]bool{}}
	ids, keys := map[string]string{}, map[string]string{}
	hand, err := w.d.byHand()
	if err != nil {
		return seen, nil, err
	}
	users, err := w.list("Users")
	if err != nil {
		return seen, nil, err
	}
	for _, u := range users {
		p := person{UserName: u.UserName, Title: u.Title, Active: u.Active, Hand: hand[u.ID]}
		for _, e := range u.Emails {
			p.Email += e.Value
		}
		if _, twice := ids[u.ExternalID]; twice {
			return seen, nil, fmt.Errorf("%s is there twice", u.ExternalID)
		}
		seen.Users[u.ExternalID], ids[u.ExternalID], keys[u.ID] = p, u.ID, u.ExternalID
	}
	groups, err := w.list("Groups")
	if err != nil {
		return seen, nil, err
	}
	for _, g := range groups {
		members := map[string]bool{}
		for _, m := range g.Members {
			members[keys[m.Value]] = true // "" for one that is not a user of this worker
		}
		if _, twice := ids[g.ExternalID]; twice {
			return seen, nil, fmt.Errorf("%s is there twice", g.ExternalID)
		}
		seen.Groups[g.ExternalID], ids[g.ExternalID] = team{g.DisplayName, members}, g.ID
	}
	a := w.c.sure(http.MethodGet, "/scim/Groups/"+w.shared, nil)
	var g resource
	if err := json.Unmarshal(a.body, &g); err != nil || a.status != http.StatusOK {
		return seen, nil, fmt.Errorf("the shared group: %d %s", a.status, a.body)
	}
	for _, m := range g.Members {
		if key := keys[m.Value]; key != "" {
			seen.Shared[key] = true
		}
	}
	return seen, ids, nil
}

// list lists the worker's resources of a type.
func (w *worker) list(endpoint string) ([]resource, error) {
	filter := url.QueryEscape(`externalId sw "` + w.prefix + `"`)
	a := w.c.sure(http.MethodGet, "/scim/"+endpoint+"?count=200&filter="+filter, nil)
	var page struct {
		TotalResults int
		Resources    []resource
	}
	if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK || page.TotalResults != len(page.Resources) {
		return nil, fmt.Errorf("list of %s: %d, %d of %d", endpoint, a.status, len(page.Resources), page.TotalResults)
	}
	return page.Resources, nil
}

// settle finds out whether the server carried out a request in doubt: all of it or nothing.
// All acknowledged writes must exist, and nothing else.
func (w *worker) settle() {
	seen, ids, err := w.observe()
	if err != nil {
		w.c.t.Errorf("worker %s: %v", w.prefix, err)
		return
	}
	diff := cmp.Diff(w.now, seen)
	if w.doubt != nil {
		w.doubts++
		if diff != "" {
			w.carried++
			if other := cmp.Diff(w.doubt.after, seen); other != "" {
				w.c.t.Errorf("worker %s after %s %s: neither what was before (-want +got):\n%s\nnor what should be afterwards:\n%s",
					w.prefix, w.doubt.method, w.doubt.path, diff, other)
			}
		}
	} else if diff != "" {
		w.c.t.Errorf("worker %s: what was acknowledged is not what is there (-want +got):\n%s", w.prefix, diff)
	}
	w.now, w.ids, w.doubt = seen, ids, nil
}

// some picks up to n of the keys.
func (w *worker) some(n int, keys map[string]bool) []string {
	all := slices.Sorted(maps.Keys(keys))
	w.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

// users are the keys of the users.
func (w world) users() map[string]bool {
	all := make(map[string]bool)
	for k := range w.Users {
		all[k] = true
	}
	return all
}
