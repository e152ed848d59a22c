package journal

import (
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	flushEvery = 250 * time.Millisecond
	batchSize  = 2 << 20 // bytes of one batch
	retryAfter = 2 * time.Second
	callTime   = 10 * time.Second // for one call of the store or the Wrapper
	beatEvery  = 5 * time.Second
	lostAfter  = 30 * time.Second // a process without a beat has ended
	trimEvery  = 10 * time.Minute
	warnEvery  = time.Minute
)

// running is the state of Run and Close.
type running struct {
	mu      sync.Mutex
	isOn    bool
	closed  chan struct{} // Close closes it
	ended   chan struct{} // Run closes it
	warned  time.Time
	beat    time.Time
	trimmed time.Time
	lost    []Beat // processes that have ended, of which no entry tells yet
	err     error  // of the last write, once ended is closed
	// isWritten says that something writes the queue, and first is when the first exchange came, in microseconds.
	isWritten atomic.Bool
	first     atomic.Int64
}

// runLate is how long the first exchange waits until a warning says that nobody calls Run.
const runLate = 10 * time.Second

// hasToWarn reports whether nobody writes the queue. It says so once.
func (r *running) hasToWarn(now time.Time) bool {
	if r.isWritten.Load() {
		return false
	}
	at := now.UnixMicro()
	if r.first.CompareAndSwap(0, at) || at-r.first.Load() < runLate.Microseconds() {
		return false
	}
	return r.isWritten.CompareAndSwap(false, true)
}

// batch is what one call of Store.Append writes.
type batch struct {
	records  []Record
	room     int64
	failures int
}

// Run writes what the requests leave in the queue, until ctx ends or Close is called. It also removes what is older
// than Options.Age, or more than Options.Size, and says where a process has ended without Close. Call it once,
// in a goroutine that the application owns. While it does not run, the queue fills up.
//
// If the store or the Wrapper fails, Run tries again every 2 s, and the queue keeps what has room. Its error
// says that it ran already, or is that of the last write.
func (j *Journal) Run(ctx context.Context) error {
	j.run.mu.Lock()
	if j.run.isOn {
		j.run.mu.Unlock()
		return errors.New("journal: Run runs already, or has ended")
	}
	j.run.isOn, j.run.ended = true, make(chan struct{})
	j.run.closed = orNew(j.run.closed)
	closed := j.run.closed
	j.run.mu.Unlock()
	defer close(j.run.ended)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	j.ring.check(ctx)
	for {
		wait := j.work(ctx)
		select {
		case <-ctx.Done():
		case <-closed:
		case <-wait:
			select {
			case <-ctx.Done():
			case <-closed:
			case <-tick.C:
				continue
			case <-j.queue.wake:
				continue
			}
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
		defer cancel()
		j.run.err = errors.Join(j.Flush(last), j.store.Beat(last, j.process, time.Time{}))
		return j.run.err
	}
}

func orNew(c chan struct{}) chan struct{} {
	if c == nil {
		c = make(chan struct{})
	}
	return c
}

// done is a channel that is closed.
func done() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}

// work does what is due, and returns what to wait for.
func (j *Journal) work(ctx context.Context) <-chan time.Time {
	now := j.o.Now()
	err := j.Flush(ctx)
	// Also after an error: the key of one tenant may fail, and others go on.
	if now.Sub(j.run.beat) >= beatEvery {
		err = errors.Join(err, j.watch(ctx, now))
		j.run.beat = now
	}
	if now.Sub(j.run.trimmed) >= trimEvery || j.written.Load() > j.o.Size/16 {
		err = errors.Join(err, j.trim(ctx, now))
	}
	if err == nil || ctx.Err() != nil {
		return done()
	}
	if now.Sub(j.run.warned) >= warnEvery {
		j.run.warned = now
		j.o.Log.WarnContext(ctx, "scim: the journal cannot be written at the moment", "error", err)
	}
	return time.After(retryAfter)
}

// Close ends Run, and waits until it has written what is in the queue, or ctx ends. Call it when the server has
// stopped. Without Run it writes the queue itself. Its error says that entries are lost.
func (j *Journal) Close(ctx context.Context) error {
	j.run.mu.Lock()
	j.run.closed = orNew(j.run.closed)
	select {
	case <-j.run.closed:
	default:
		close(j.run.closed)
	}
	ended := j.run.ended
	j.run.isOn = true
	j.run.mu.Unlock()
	if ended == nil {
		return j.Flush(ctx)
	}
	select {
	case <-ended:
		return j.run.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watch says that this process lives, and looks for others that have ended without Close.
func (j *Journal) watch(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := j.store.Beat(ctx, j.process, plainTime(now)); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	lost, err := j.store.Lost(ctx, now.Add(-lostAfter))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.run.lost = append(j.run.lost, lost...) // The store tells of each only once.
	for ; len(j.run.lost) > 0; j.run.lost = j.run.lost[1:] {
		b := j.run.lost[0]
		if b.Process == j.process {
			continue
		}
		r, err := j.sealGap(ctx, "", &Missing{From: b.At.Add(-time.Second), To: b.At.Add(beatEvery + time.Second), Reason: "a process ended without Close"}, termEnded)
		if err == nil {
			err = j.append(ctx, &batch{records: []Record{r}})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// trim removes what is too old or too much.
func (j *Journal) trim(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	from := now.Add(-j.o.Age)
	done, err := j.store.Trim(ctx, Retention{From: firstID(from), Day: day(from), Size: j.o.Size, Refused: maxRefusals})
	if err != nil {
		return fmt.Errorf("journal: trim: %w", err)
	}
	if done { // Otherwise it goes on after the next flush.
		j.run.trimmed = now
		j.written.Store(0)
	}
	return nil
}

// Flush writes what is in the queue now. Run calls it; an application that shows the newest entries may
// call it before it reads.
func (j *Journal) Flush(ctx context.Context) error {
	j.run.isWritten.Store(true)
	j.flushing.Lock()
	defer j.flushing.Unlock()
	if err := j.appendBatch(ctx); err != nil { // what could not be written the last time
		return err
	}
	labels, broken := clients{}, map[string]bool{} // tenants whose key fails: it may take long
	var later []*exchange
	var laterGaps []map[string]*Missing
	defer func() { j.queue.back(later, laterGaps) }()
	var failed error
	for {
		all := j.queue.take(batchSize)
		gaps := j.queue.gaps()
		if len(all) == 0 && len(gaps) == 0 {
			return failed
		}
		j.batch = &batch{}
		if err := j.sealGaps(ctx, gaps); err != nil {
			failed = err
			laterGaps = append(laterGaps, gaps)
		}
		for _, x := range all {
			if broken[x.head.Tenant] {
				later = append(later, x)
				continue
			}
			r, err := j.seal(ctx, x, labels)
			if errors.Is(err, errPanic) { // It would fail again.
				j.o.Log.ErrorContext(ctx, "scim: an entry of the journal is lost", "error", err)
				j.queue.forget(x)
				continue
			}
			if err != nil {
				failed, broken[x.head.Tenant] = err, true
				later = append(later, x)
				continue
			}
			j.batch.records = append(j.batch.records, r)
			j.batch.room += x.bytes()
		}
		if err := j.appendBatch(ctx); err != nil {
			return err
		}
	}
}

// appendBatch writes j.batch, if there is one.
func (j *Journal) appendBatch(ctx context.Context) error {
	if j.batch == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := j.append(ctx, j.batch)
	if j.batch.failures++; err != nil && j.batch.failures >= maxFailures && ctx.Err() == nil {
		err = j.appendEach(ctx, err)
	}
	if err != nil {
		return err
	}
	j.room.give(j.batch.room)
	j.batch = nil
	return nil
}

// maxFailures is after how many attempts a batch is divided.
const maxFailures = 3

// appendEach writes the records of j.batch one by one: the store may refuse one of them, which would hold up all others for
// ever. If it takes none, it is the store that fails.
func (j *Journal) appendEach(ctx context.Context, failed error) error {
	var refused []Record
	for _, r := range j.batch.records {
		if err := j.append(ctx, &batch{records: []Record{r}}); err != nil {
			refused = append(refused, r)
		}
	}
	if len(refused) == len(j.batch.records) {
		return failed
	}
	for _, r := range refused {
		j.o.Log.ErrorContext(ctx, "scim: an entry of the journal is lost", "error", failed)
		j.queue.miss(&r.Head)
	}
	return nil
}

// append writes the records of a batch.
func (j *Journal) append(ctx context.Context, b *batch) (err error) {
	defer catch(&err)
	if len(b.records) == 0 {
		return nil
	}
	if err := j.store.Append(ctx, b.records); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	for i := range b.records {
		j.written.Add(b.records[i].Size())
	}
	return nil
}

// sealGaps adds an entry for each gap to j.batch. What it cannot seal stays in gaps: other tenants need not wait for
// the key of one.
func (j *Journal) sealGaps(ctx context.Context, gaps map[string]*Missing) (failed error) {
	for tenant, m := range gaps {
		r, err := j.sealGap(ctx, tenant, m, "")
		if err != nil {
			failed = err
			continue
		}
		j.batch.records = append(j.batch.records, r)
		delete(gaps, tenant)
	}
	return failed
}

// sealGap makes the record of a gap. A term finds it, if kind is not "".
func (j *Journal) sealGap(ctx context.Context, tenant string, m *Missing, kind string) (r Record, err error) {
	defer catch(&err)
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	now := plainTime(j.o.Now())
	e := Entry{Head: Head{ID: newID(now), Tenant: tenant, Kind: Gap, Time: now}, Detail: &Detail{Gap: m}}
	e.RequestID = e.ID
	var terms []Term
	if kind != "" {
		h, err := j.ring.hasher(ctx, tenant)
		if err != nil {
			return Record{}, err
		}
		terms = []Term{h.term(kind, "")}
	}
	return j.sealEntry(ctx, &e, terms)
}

// errPanic is a bug of the journal, or of what the application supplies.
var errPanic = errors.New("journal: panic")

func catch(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
	}
}

// seal makes the record of an exchange.
func (j *Journal) seal(ctx context.Context, x *exchange, known clients) (r Record, err error) {
	defer catch(&err)
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	h, err := j.ring.hasher(ctx, x.head.Tenant)
	if err != nil {
		return Record{}, err
	}
	p := j.prepare(x, h)
	of, err := known.find(ctx, j, h, x)
	if err != nil {
		return Record{}, err
	}
	p.entry.Detail.Label = of.label
	if r, err = j.sealEntry(ctx, &p.entry, p.terms); err != nil {
		return r, err
	}
	for _, what := range p.whats {
		c := of.counter
		c.What, c.N, c.Last = what, 1, r.Time
		r.Counts = append(r.Counts, c)
	}
	if len(r.Counts) > 1 {
		r.Counts = SumCounters(r.Counts)
	}
	hour := of.counter
	hour.Last = r.Time
	r.Counts = append(r.Counts, hourCounts(p.whats, hour)...)
	return r, nil
}

// clients are those that a flush has met, by tenant, name and day.
type clients map[[3]string]*knownClient

// knownClient is a client with its label, and the counter of which its own are made.
type knownClient struct {
	label   string
	counter Counter
}

// find returns a client. It asks the application for its label once in a flush.
func (all clients) find(ctx context.Context, j *Journal, h *hasher, x *exchange) (*knownClient, error) {
	tenant, name := x.head.Tenant, x.notes.client
	at := [3]string{tenant, name, day(x.head.Time)}
	if c := all[at]; c != nil {
		return c, nil
	}
	aead, key, err := j.ring.writer(ctx, tenant, at[2])
	if err != nil {
		return nil, err
	}
	c := &knownClient{counter: Counter{Day: at[2], Client: h.term(termClient, name), Key: key}}
	if name != "" && j.o.Label != nil {
		c.label = clip(j.o.askLabel(ctx, [2]string{tenant, name}), maxHeader)
	}
	plain, err := json.Marshal([2]string{name, c.label})
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	c.counter.Name = aead.Seal(nil, nil, plain, boundCounter(tenant, &c.counter))
	all[at] = c
	return c, nil
}

func (o *Options) askLabel(ctx context.Context, at [2]string) (label string) {
	defer func() {
		if p := recover(); p != nil {
			o.Log.ErrorContext(ctx, "scim: Label of the journal's Options panics", "error", p)
		}
	}()
	return o.Label(ctx, at[0], at[1])
}

// sealEntry seals all but the head of an entry.
func (j *Journal) sealEntry(ctx context.Context, e *Entry, terms []Term) (Record, error) {
	aead, key, err := j.ring.writer(ctx, e.Tenant, day(e.Time))
	if err != nil {
		return Record{}, err
	}
	r := Record{Head: e.Head, Key: key, Terms: terms}
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return Record{}, fmt.Errorf("journal: %w", err)
	}
	r.Detail = sealPart(aead, &r.Head, partDetail, key, detail)
	r.Request = sealBody(aead, &r.Head, partRequest, key, e.Request)
	r.Response = sealBody(aead, &r.Head, partResponse, key, e.Response)
	return r, nil
}

func sealPart(aead cipher.AEAD, h *Head, part, key string, text []byte) []byte {
	return aead.Seal(nil, nil, text, boundPart(h, part, key))
}

// sealBody puts a line with all but the text before it: a text in JSON would become longer.
func sealBody(aead cipher.AEAD, h *Head, part, key string, b *Body) []byte {
	if b == nil {
		return nil
	}
	plain := make([]byte, 0, 128+len(b.Text))
	plain = strconv.AppendInt(append(plain, `{"size":`...), b.Size, 10)
	plain = append(append(append(plain, `,"hash":"`...), b.Hash...), `","note":"`...) // neither has what JSON escapes
	plain = append(append(append(plain, b.Note...), "\"}\n"...), b.Text...)
	return sealPart(aead, h, part, key, plain)
}
