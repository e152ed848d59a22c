package storetest

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
)

// Failure is a way in which a database fails.
type Failure struct {
	Name string // Name is for the name of a sub-test.
	Err  error  // Err is what a call of the driver returns.
	// LosesAnswers says that a commit is carried out, and that nobody hears of it.
	LosesAnswers bool
	// Once says that one call fails, and that the next one works.
	Once bool
}

// Failures returns the ways in which a database fails in practice. Call RunFaults for each.
func Failures() []Failure {
	return []Failure{
		{Name: "connection lost", Err: driver.ErrBadConn},
		{Name: "error", Err: errors.New("disk I/O error")},
		{Name: "commit without answer", Err: io.ErrUnexpectedEOF, LosesAnswers: true},
	}
}

// Failing opens connections that fail on command. Give it to sql.OpenDB, and Break and Heal to
// RunFaults:
//
//	f := &storetest.Failing{Base: db.Driver(), DSN: dsn, Failure: failure}
//	failing := sql.OpenDB(f)
//	failing.SetMaxOpenConns(4) // so that a connection that is lost is missed
//	return storetest.Faulty{Store: newStore(t, failing), Break: f.Break, Heal: f.Heal}
type Failing struct {
	Base driver.Driver // Base is the driver of the database.
	DSN  string        // DSN is its data source name.
	Failure
	// HidesCodes says that errors of statements are texts only, as those of some wrappers are.
	HidesCodes bool

	mu     sync.Mutex
	broken bool
	left   int // left are the calls that succeed nevertheless.
	sent   int
}

// Break makes all calls fail after this number of further ones.
func (f *Failing) Break(after int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken, f.left = true, after
}

// Heal makes calls work again.
func (f *Failing) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = false
}

// Sent returns how many statements were sent since the last call of Sent.
func (f *Failing) Sent() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, f.sent = f.sent, 0
	return n
}

// Driver implements driver.Connector.
func (f *Failing) Driver() driver.Driver { return f.Base }

// Connect implements driver.Connector.
func (f *Failing) Connect(context.Context) (driver.Conn, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	c, err := f.Base.Open(f.DSN)
	if err != nil {
		return nil, err
	}
	return &failingConn{c, f}, nil
}

// fail returns the error of one call of the driver, or nil if it succeeds.
func (f *Failing) fail() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; !f.broken || f.left >= 0 {
		return nil
	}
	f.broken = !f.Once
	return f.Err
}

// send counts a statement.
func (f *Failing) send() error {
	f.mu.Lock()
	f.sent++
	f.mu.Unlock()
	return f.fail()
}

// isSkipped reports whether the driver wants to prepare a statement, which then counts in its
// place.
func (f *Failing) isSkipped(err error) bool {
	if !errors.Is(err, driver.ErrSkip) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent, f.left = f.sent-1, f.left+1
	return true
}

// failingConn is a connection of a Failing.
type failingConn struct {
	driver.Conn
	f *Failing
}

// ExecContext implements driver.ExecerContext.
func (c *failingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	x, ok := c.Conn.(driver.ExecerContext)
	if !ok || len(args) > 0 && !c.isDirect() {
		return nil, driver.ErrSkip
	}
	if err := c.f.send(); err != nil {
		return nil, err
	}
	res, err := x.ExecContext(ctx, query, args)
	if c.f.isSkipped(err) {
		return nil, driver.ErrSkip
	}
	if err != nil && c.f.HidesCodes {
		err = errors.New(err.Error())
	}
	return res, err
}

// isDirect reports whether the driver runs statements with arguments without preparing them.
func (c *failingConn) isDirect() bool {
	_, ok := c.Conn.(driver.QueryerContext)
	return ok
}

// PrepareContext counts as the statement that is prepared.
func (c *failingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.f.send(); err != nil {
		return nil, err
	}
	if p, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, query)
	}
	return c.Prepare(query)
}

// QueryContext implements driver.QueryerContext.
func (c *failingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !c.isDirect() {
		return nil, driver.ErrSkip
	}
	if err := c.f.send(); err != nil {
		return nil, err
	}
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if c.f.isSkipped(err) {
		return nil, driver.ErrSkip
	}
	if err != nil {
		return nil, err
	}
	return &failingRows{rows, c.f}, nil
}

// BeginTx implements driver.ConnBeginTx.
func (c *failingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.f.fail(); err != nil {
		return nil, err
	}
	b, ok := c.Conn.(driver.ConnBeginTx)
	if !ok {
		return nil, errors.New("storetest: the driver has no BeginTx")
	}
	tx, err := b.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &failingTx{tx, c.f}, nil
}

// CheckNamedValue and ResetSession are the driver's, where it has them.
func (c *failingConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// ResetSession implements driver.SessionResetter.
func (c *failingConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// failingRows are rows of a failingConn.
type failingRows struct {
	driver.Rows
	f *Failing
}

// Next implements driver.Rows.
func (r *failingRows) Next(dest []driver.Value) error {
	if err := r.f.fail(); err != nil {
		return err
	}
	return r.Rows.Next(dest)
}

// failingTx is a transaction of a failingConn.
type failingTx struct {
	driver.Tx
	f *Failing
}

// Commit implements driver.Tx.
func (tx *failingTx) Commit() error {
	err := tx.f.fail()
	switch {
	case err == nil:
		return tx.Tx.Commit()
	case tx.f.LosesAnswers:
		return errors.Join(err, tx.Tx.Commit())
	}
	return errors.Join(err, tx.Tx.Rollback())
}

// Rollback ends the transaction even if nobody hears of it, as the database does when the
// connection is gone.
func (tx *failingTx) Rollback() error {
	err := tx.f.fail()
	return errors.Join(err, tx.Tx.Rollback())
}
