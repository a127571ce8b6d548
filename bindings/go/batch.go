package metrics

// #include "shim.h"
import "C"

import (
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// BatchOptions bound what a Batch holds. Zero values mean the defaults; negative ones are InvalidArgument.
type BatchOptions struct {
	MaxEvents int           // 512; at most 65,536
	MaxDelay  time.Duration // how long an event is held at most; 10 ms
	// OnLost is told whenever events were refused (with the error) or dropped (with nil) as a batch was sent, on the
	// goroutine that sent it. It must not use the batch.
	OnLost func(count int, err error)
}

// BatchStats counts what became of a batch's events.
type BatchStats struct {
	Held    int    // not sent yet
	Sent    uint64 // accepted by the recorder
	Dropped uint64 // let go of by the recorder under OverflowDrop
	Refused uint64 // refused by the recorder; Err is why
	Err     *Error // of the last events that were refused; nil where none were
}

// BatchError is what Close of a Batch gives where some of its events were refused.
type BatchError struct {
	Refused uint64
	Cause   *Error // of the last of them
}

func (e *BatchError) Error() string {
	return fmt.Sprintf("%d batched events were refused: %v", e.Refused, e.Cause)
}

// Unwrap gives the recorder's error.
func (e *BatchError) Unwrap() error { return e.Cause }

// Batch holds events of one type back and sends many with one call into C, which costs more than all the rest of
// recording an event. What it holds is bounded by count and by time, and is sent before each Snapshot, Flush, Stop and
// Close of its recorder through this package, and before a runtime's Shutdown, StopRecorder and StopAndRemoveRecorder:
// nothing that was registered before is missed. (A snapshot that another language takes of the same recorder may miss
// what is held, for MaxDelay at most.)
//
// Register and Close are for one goroutine at a time, like a bufio.Writer's: make a batch for each goroutine that
// records much. Everything else, and what sends it from elsewhere, may happen on any goroutine meanwhile. Its events
// keep their order; events that are recorded otherwise may come before those that are held.
//
// An event that the recorder refuses is refused when the batch is sent: see BatchStats, OnLost, and the errors of
// Register, Send and Close.
type Batch[E any] struct {
	// These are atomic, and first, where 32-bit machines find them aligned.
	put     uint64 // events that were put into the ring
	taken   uint64 // events that were taken out
	sent    uint64
	dropped uint64
	refused uint64
	failure atomic.Value // *Error
	armed   uint32       // whether the timer is going to send

	// A ring. One goroutine puts events in, whoever holds `sending` takes them out: `put` hands them over, `taken` gives
	// their room back. So an event costs one atomic store, where a lock would cost two.
	ring    []E    // its length is a power of two
	last    uint64 // the last index of the ring
	sending sync.Mutex

	// The owner's: `put`; what it may grow to before the owner looks at `taken` again.
	count, limit uint64
	closed       bool

	recorder *Recorder // a handle of its own
	identity recorderIdentity
	options  BatchOptions
	number   EventType
	timer    *time.Timer
}

// Batch begins a batch of events for a recorder. Close it: until then it holds a handle of the recorder.
func (t EventOf[E]) Batch(recorder *Recorder, options *BatchOptions) (*Batch[E], error) {
	batch := &Batch[E]{number: t.number}
	if options != nil {
		batch.options = *options
	}
	if batch.options.MaxEvents == 0 {
		batch.options.MaxEvents = 512
	}
	if batch.options.MaxDelay == 0 {
		batch.options.MaxDelay = 10 * time.Millisecond
	}
	if batch.options.MaxEvents < 0 || batch.options.MaxEvents > 1<<16 {
		return nil, argumentError("MaxEvents",
			fmt.Sprintf("a batch holds 1 to 65,536 events, not %d", batch.options.MaxEvents))
	}
	if batch.options.MaxDelay < 0 {
		return nil, argumentError("MaxDelay", "the longest delay must not be negative")
	}
	identity, err := recorder.identify()
	if err != nil {
		return nil, err
	}
	if batch.recorder, err = recorder.Clone(); err != nil {
		return nil, err
	}
	batch.identity = identity
	size := uint64(1) << bits.Len64(uint64(batch.options.MaxEvents-1))
	batch.ring, batch.last = make([]E, size), size-1
	batch.limit = uint64(batch.options.MaxEvents)
	// Armed by the first event.
	batch.timer = time.AfterFunc(batch.options.MaxDelay, batch.overdue)
	batch.timer.Stop()
	openBatch(identity, batch)
	return batch, nil
}

// Register takes an event into the batch. Where that fills the batch it is sent, and the error is that of sending.
func (b *Batch[E]) Register(event E) error {
	if b.count == b.limit {
		if err := b.makeRoom(); err != nil {
			return err
		}
	}
	b.ring[b.count&b.last] = event
	b.count++
	atomic.StoreUint64(&b.put, b.count)
	if b.count != b.limit && atomic.LoadUint32(&b.armed) != 0 {
		return nil
	}
	return b.registered()
}

// registered does what the first and the last event of a batch make due.
func (b *Batch[E]) registered() error {
	// The timer takes `armed` back before it looks at the ring: so either it sees this event or this sees that.
	if atomic.SwapUint32(&b.armed, 1) == 0 {
		b.timer.Reset(b.options.MaxDelay)
	}
	if b.hasRoom() {
		return nil
	}
	err := b.Send()
	b.hasRoom()
	return err
}

// hasRoom looks how much was taken out meanwhile.
func (b *Batch[E]) hasRoom() bool {
	b.limit = atomic.LoadUint64(&b.taken) + uint64(b.options.MaxEvents)
	return b.count < b.limit
}

// makeRoom is for what is closed, and for a callback that could not send.
func (b *Batch[E]) makeRoom() error {
	if b.closed {
		return plainErrors[InvalidHandle]
	}
	_ = b.Send() // what is refused of older events is counted
	if !b.hasRoom() {
		b.refuse(1, plainErrors[WouldDeadlock])
		return plainErrors[WouldDeadlock]
	}
	return nil
}

func (b *Batch[E]) overdue() {
	atomic.StoreUint32(&b.armed, 0)
	_ = b.Send()
}

// Send sends what the batch holds. Its error says why some of that was refused. Any goroutine.
func (b *Batch[E]) Send() error {
	if !b.sending.TryLock() {
		if C.mvx_go_in_callback() != 0 {
			return nil // waiting for who is sending might be waiting for this very callback
		}
		b.sending.Lock()
	}
	return b.sendAndUnlock()
}

func (b *Batch[E]) sendAndUnlock() error {
	var accepted, dropped, refused int
	var failure error
	taken := atomic.LoadUint64(&b.taken)
	for end := atomic.LoadUint64(&b.put); taken < end; {
		from := taken & b.last
		run := end - taken
		if whole := b.last + 1 - from; run > whole {
			run = whole
		}
		some, err := registerMany(b.recorder, b.number, unsafe.Pointer(&b.ring[from]), unsafe.Sizeof(b.ring[0]), int(run))
		accepted += some
		if err == nil {
			dropped += int(run) - some
		} else {
			refused += int(run) - some
			failure = err
		}
		taken += run
	}
	atomic.StoreUint64(&b.taken, taken)
	b.sending.Unlock()
	atomic.AddUint64(&b.sent, uint64(accepted))
	if dropped > 0 {
		atomic.AddUint64(&b.dropped, uint64(dropped))
		b.tell(dropped, nil)
	}
	if refused > 0 {
		b.refuse(refused, failure)
	}
	return failure
}

func (b *Batch[E]) refuse(count int, err error) {
	b.failure.Store(err)
	atomic.AddUint64(&b.refused, uint64(count))
	b.tell(count, err)
}

func (b *Batch[E]) tell(lost int, err error) {
	if b.options.OnLost != nil {
		b.options.OnLost(lost, err)
	}
}

// Stats says what became of the batch's events so far. Any goroutine.
func (b *Batch[E]) Stats() BatchStats {
	taken := atomic.LoadUint64(&b.taken)
	stats := BatchStats{
		Held: int(atomic.LoadUint64(&b.put) - taken), Sent: atomic.LoadUint64(&b.sent),
		Dropped: atomic.LoadUint64(&b.dropped), Refused: atomic.LoadUint64(&b.refused),
	}
	stats.Err, _ = b.failure.Load().(*Error)
	return stats
}

// Close sends what the batch holds and ends it; a second call does nothing. Where any event of the batch was refused,
// also earlier, it gives a *BatchError.
func (b *Batch[E]) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	b.limit = b.count
	b.timer.Stop()
	// Unlike Send, also in a callback: this is the last occasion.
	b.sending.Lock()
	_ = b.sendAndUnlock()
	closeBatch(b.identity, b)
	C.mvx_go_recorder_free(b.recorder.raw())
	if stats := b.Stats(); stats.Refused > 0 {
		return &BatchError{stats.Refused, stats.Err}
	}
	return nil
}
