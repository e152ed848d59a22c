package console

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/scimkit/scim/auth/tokens"
)

// TroubleKind says what a Trouble is.
type TroubleKind string

// The kinds of troubles.
const (
	// Failing: of the requests of a client in 24 hours, a fifth has failed. It ends below a tenth.
	Failing TroubleKind = "failing"
	// Silent: a client has sent nothing for much longer than it used to.
	Silent TroubleKind = "silent"
	// TokenEnds: a token without a successor ends within 14 days.
	TokenEnds TroubleKind = "token ends"
)

// Trouble is something that an administrator should look at.
type Trouble struct {
	Tenant string
	Kind   TroubleKind
	// Object is the id of the client, or of the token.
	Object string
	// Name is the label of the client or of the token, which people chose.
	Name string
	// Text says it in a sentence for people. It has the name.
	Text string
}

// key names a trouble. It stays the same while the trouble lasts.
func (t *Trouble) key() [3]string { return [3]string{t.Tenant, string(t.Kind), t.Object} }

// Troubles returns what should be looked at in a tenant now. It reads the counters of the journal, the tokens and, for
// clients that are silent, some of their entries.
func (c *Console) Troubles(ctx context.Context, tenant string) ([]Trouble, error) {
	return c.troublesIn(ctx, tenant, nil)
}

// troublesIn is Troubles. begun says when troubles began that were known before.
func (c *Console) troublesIn(ctx context.Context, tenant string, begun map[[3]string]time.Time) ([]Trouble, error) {
	t, err := c.o.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var list []tokens.Token
	if t.Tokens != nil {
		if list, err = t.Tokens.List(ctx); err != nil {
			return nil, err
		}
		list = withoutLinks(list)
	}
	now := c.o.Now().UTC()
	all, err := c.o.Journal.Summary(ctx, tenant, now.AddDate(0, 0, 1-healthDays), now)
	if err != nil {
		return nil, err
	}
	return c.troublesOf(ctx, tenant, clientsOf(all, list), list, begun)
}

const (
	fewRequests = 10 // Of fewer, a share says nothing.
	badShare    = 5  // One of so many that fail is trouble.
	goodShare   = 10 // With fewer than one of so many the trouble is over.
	endsSoon    = 14 * 24 * time.Hour
)

// maxTroubles is how many troubles of a tenant there are at most: a client can make very many tokens fail.
const maxTroubles = 100

// troublesOf finds the troubles of clients and tokens. begun says when those began that were known before.
func (c *Console) troublesOf(ctx context.Context, tenant string, clients []clientHealth, list []tokens.Token, begun map[[3]string]time.Time) ([]Trouble, error) {
	var out []Trouble
	now := c.o.Now()
	for i := range clients {
		h := &clients[i]
		t := Trouble{Tenant: tenant, Kind: Failing, Object: h.Client, Name: h.Name}
		share := badShare
		if !begun[t.key()].IsZero() {
			share = goodShare
		}
		if n := h.lastDay(now); n[0] >= fewRequests && n[1]*share >= n[0] {
			t.Text = fmt.Sprintf("%s: %s of %s have failed in the last 24 hours.", h.Name, numberOf(n[1]), countOf(n[0], "request", "requests"))
			out = append(out, t)
		}
		t = Trouble{Tenant: tenant, Kind: Silent, Object: h.Client, Name: h.Name}
		var err error
		if since := begun[t.key()]; !since.IsZero() && h.Last.Before(since) {
			t.Text = fmt.Sprintf("%s has sent nothing for %s.", h.Name, spanOf(now.Sub(h.Last))) // It is not learned anew.
		} else if t.Text, err = h.silence(ctx, c.o.Journal, tenant, now); err != nil {
			return nil, err
		}
		if t.Text != "" {
			out = append(out, t)
		}
	}
	for key := range begun { // A client that was silent for so long that nothing is known of it is still silent.
		if key[1] == string(Silent) && !slices.ContainsFunc(clients, func(h clientHealth) bool { return h.Client == key[2] }) {
			out = append(out, Trouble{Tenant: tenant, Kind: Silent, Object: key[2], Text: "The client has sent nothing for 2 weeks."})
		}
	}
	for _, t := range list {
		if left := t.Expires.Sub(now); t.IsValid(now) && t.Successor == "" && !t.Expires.IsZero() && left < endsSoon && t.Label != trialLabel {
			out = append(out, Trouble{tenant, TokenEnds, t.ID, t.Label, fmt.Sprintf("The token %q ends %s. Replace it on the page Connection.", t.Label, agoOf(t.Expires, now))})
		}
	}
	return out[:min(len(out), maxTroubles)], nil
}

// lastDay returns how many requests came in 24 hours, and how many of them failed.
func (h *clientHealth) lastDay(now time.Time) (n [2]int) {
	for i := range int64(24) {
		of := h.perHour[hourOf(now)-i]
		n[0], n[1] = n[0]+of[0], n[1]+of[1]
	}
	return n
}

// hourOf numbers hours.
func hourOf(t time.Time) int64 { return t.Unix() / 3600 }
