package console

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/scimkit/scim/journal"
)

// problems is the page of what has failed, by cause.
type problems struct {
	Days         int
	Open, Solved []problemView
	// IsMore says that the journal has failures that it did not read.
	IsMore bool
}

// problemView is a problem as the page shows it.
type problemView struct {
	journal.Problem
	Who string // who has to act
}

// maxDays is how far back problems can be looked at.
const maxDays = 90

func showProblems(ctx context.Context, q *request) error {
	body := problems{Days: int(problemsFor / (24 * time.Hour))}
	if n, err := strconv.Atoi(q.r.URL.Query().Get("days")); err == nil && n > 0 && n <= maxDays {
		body.Days = n
	}
	p := q.c.newPage(q, "problems", "Problems", &body)
	status := http.StatusOK
	var all []journal.Problem
	var more bool
	var err error
	if time.Duration(body.Days)*24*time.Hour == problemsFor {
		all, more, err = q.problems(ctx, false)
	} else {
		all, more, err = q.c.o.Journal.Problems(ctx, q.id, q.c.o.Now().AddDate(0, 0, -body.Days))
	}
	if err != nil {
		p.Down, status = whyDown(ctx, q, err), http.StatusServiceUnavailable
	}
	body.IsMore = more
	for _, found := range all {
		v := problemView{found, actorWords(found.Actor)}
		if found.IsSolved() {
			body.Solved = append(body.Solved, v)
		} else {
			body.Open = append(body.Open, v)
		}
	}
	q.c.render(q.w, q.r, status, "problems", p)
	return nil
}
