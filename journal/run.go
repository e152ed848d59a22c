package journal

import (
	"context"
	"errors"
	"fmt"
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
		r, err := (&sealer{j: j}).gap(ctx, "", &Missing{From: b.At.Add(-time.Second), To: b.At.Add(beatEvery + time.Second), Reason: "a process ended without Close"}, termEnded)
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
	sealer, broken := sealer{j: j}, map[string]bool{} // tenants whose key fails: it may take long
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
		j.batch = &batch{records: make([]Record, 0, len(all)+len(gaps))}
		if err := j.sealGaps(ctx, &sealer, gaps); err != nil {
			failed = err
			laterGaps = append(laterGaps, gaps)
		}
		for _, x := range all {
			if broken[x.head.Tenant] {
				later = append(later, x)
				continue
			}
			r, err := sealer.exchange(ctx, x)
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
func (j *Journal) sealGaps(ctx context.Context, s *sealer, gaps map[string]*Missing) (failed error) {
	for tenant, m := range gaps {
		r, err := s.gap(ctx, tenant, m, "")
		if err != nil {
			failed = err
			continue
		}
		j.batch.records = append(j.batch.records, r)
		delete(gaps, tenant)
	}
	return failed
}
