package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
)

var (
	// errSpent says that a link has done all that it may.
	errSpent = errors.New("console: the set-up link has done all that it may")
	// errBusy says that another request makes a token with the link.
	errBusy = errors.New("console: another request makes a token with the set-up link")
)

// linkList is what the page Connection shows of set-up links.
type linkList struct {
	All []linkRow
	// Fresh is the address of a link that was just made; "" otherwise. FreshEnds is when it ends.
	Fresh     string
	FreshEnds time.Time
}

// linkRow is a link that works.
type linkRow struct {
	tokens.Token
	Made int // how many tokens it has made
}

// linksOf returns the links among the tokens of a tenant that work. Nil: the viewer makes none.
func (q *request) linksOf(all []tokens.Token) *linkList {
	if q.c.o.Setup == nil || !q.viewer.May.Tokens || q.tenant.Tokens == nil {
		return nil
	}
	list := &linkList{}
	for _, t := range all {
		if !isLink(t) || !t.IsValid(q.c.o.Now()) {
			continue
		}
		row, l := linkRow{Token: t}, &setupLink{ID: t.ID}
		for _, m := range all {
			if l.madeBy(m) && m.Label != trialLabel {
				row.Made++
			}
		}
		list.All = append(list.All, row)
	}
	return list
}

// linkLives are how long a link may work, by the value in the form.
func linkLives() map[string]time.Duration {
	return map[string]time.Duration{"1": 24 * time.Hour, "3": 3 * 24 * time.Hour, "7": 7 * 24 * time.Hour, "14": MaxSetupLife}
}

// linkScopes are what the tokens of a link open, by the value in the form. Nil: everything.
func linkScopes() map[string][]string {
	return map[string][]string{"all": nil, "users": {scim.ScopeUsers}}
}

const (
	// maxLinks is how many links of a tenant work at the same time.
	maxLinks = 20
	// maxLinkTokens is how many tokens a link makes at most.
	maxLinkTokens = 10
)

// mayMakeLinks refuses viewers who may not make links.
func (q *request) mayMakeLinks() error {
	if q.c.o.Setup == nil {
		return scim.ErrNotFound
	}
	return q.mayChangeTokens()
}

func makeLink(ctx context.Context, q *request) error {
	if err := q.mayMakeLinks(); err != nil {
		return err
	}
	life, isLife := linkLives()[q.r.PostFormValue("life")]
	scopes, isScope := linkScopes()[q.r.PostFormValue("opens")]
	number, err := strconv.Atoi(q.r.PostFormValue("tokens"))
	if !isLife || !isScope || err != nil || number < 1 || number > maxLinkTokens {
		return errForm
	}
	list, err := q.tenant.Tokens.List(ctx)
	if err != nil {
		return err
	}
	if len(q.linksOf(list).All) >= maxLinks {
		return renderConnection(ctx, q, http.StatusConflict, &connection{Wrong: "There are " + strconv.Itoa(maxLinks) + " set-up links. End those that nobody needs."})
	}
	end := q.c.o.Now().Add(life).UTC().Truncate(time.Second)
	_, record, err := q.tenant.Tokens.Issue(ctx, tokens.Request{Label: linkLabel, Maker: q.viewer.ID, Expires: end, Scopes: []string{}})
	code := ""
	if err == nil {
		code, err = q.c.links.sign(&setupLink{ID: record.ID, Tenant: []byte(q.id), Maker: []byte(q.viewer.ID), Expires: end, Scopes: scopes, Tokens: number})
		if err != nil {
			err = errors.Join(err, q.tenant.Tokens.Revoke(ctx, record.ID))
		}
	}
	audit(ctx, q, record.ID, err)
	if err != nil {
		return err
	}
	return renderConnection(ctx, q, http.StatusOK, &connection{Links: &linkList{Fresh: q.c.o.Setup.Address + "#" + code, FreshEnds: end}})
}

// endLink ends a link. The tokens that it has made stay valid.
func endLink(ctx context.Context, q *request) error {
	if err := q.mayMakeLinks(); err != nil {
		return err
	}
	id := q.r.PathValue("id")
	err := q.mustBeLink(ctx, id, true)
	if err == nil {
		err = q.tenant.Tokens.Revoke(ctx, id)
	}
	audit(ctx, q, id, err)
	if err != nil {
		return err
	}
	redirect(q.w, q.base()+"connection")
	return nil
}

// endLinks ends all links of the tenant, also those that others make meanwhile.
func endLinks(ctx context.Context, q *request) error {
	if err := q.mayMakeLinks(); err != nil {
		return err
	}
	err := q.endAll(ctx)
	audit(ctx, q, "", err)
	if err != nil {
		return err
	}
	redirect(q.w, q.base()+"connection")
	return nil
}

func (q *request) endAll(ctx context.Context) error {
	for {
		list, err := q.tenant.Tokens.List(ctx)
		if err != nil {
			return err
		}
		all := q.linksOf(list).All
		for _, l := range all {
			if err := q.tenant.Tokens.Revoke(ctx, l.ID); err != nil && !errors.Is(err, scim.ErrNotFound) {
				return err
			}
		}
		if len(all) == 0 {
			return nil
		}
	}
}

// mustBeLink returns scim.ErrNotFound if a token is a link, and should be none; or the other way round.
func (q *request) mustBeLink(ctx context.Context, id string, should bool) error {
	list, err := q.tenant.Tokens.List(ctx)
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.ID == id && isLink(t) == should {
			return nil
		}
	}
	return scim.ErrNotFound
}
