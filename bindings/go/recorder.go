package metrics

// #include "shim.h"
import "C"

import (
	"context"
	"fmt"
	"runtime/cgo"
	"sync"
	"time"
	"unsafe"
)

// RecorderState is the state of a recorder.
type RecorderState int32

const (
	RecorderVirgin    RecorderState = C.MVX_RECORDER_VIRGIN    // created, not started; an event starts it
	RecorderStarting  RecorderState = C.MVX_RECORDER_STARTING  // OnStarting runs; events are accepted and wait
	RecorderRunning   RecorderState = C.MVX_RECORDER_RUNNING   // events are dispatched
	RecorderStopping  RecorderState = C.MVX_RECORDER_STOPPING  // what was accepted is dispatched, then OnStopped runs
	RecorderStopped   RecorderState = C.MVX_RECORDER_STOPPED   // it can be started again; metrics keep their values
	RecorderFailure   RecorderState = C.MVX_RECORDER_FAILURE   // a hook or metric failed; for good
	RecorderCancelled RecorderState = C.MVX_RECORDER_CANCELLED // for good
)

var recorderStateNames = [...]string{"VIRGIN", "STARTING", "RUNNING", "STOPPING", "STOPPED", "FAILURE", "CANCELLED"}

// String is the name of the state, such as "RUNNING".
func (s RecorderState) String() string {
	if s < 0 || int(s) >= len(recorderStateNames) {
		return fmt.Sprintf("RecorderState(%d)", int32(s))
	}
	return recorderStateNames[s]
}

// Recorder takes events, hands them to its metrics, and shows their state. Close it once.
type Recorder struct {
	handle       C.uintptr_t
	identityLock sync.Mutex
	identity     recorderIdentity
}

// recorderIdentity is what all handles of one recorder have in common. That another recorder may have the same does no
// harm: its batches are sent too, that is all.
type recorderIdentity struct{ entityID, namespace string }

// NewRecorder creates a recorder, which is VIRGIN, outside the registry of its runtime, which must be RUNNING; a nil
// runtime is the default one. nil options: all defaults. Closing its last handle stops it in the background, then drops
// its metrics.
func NewRecorder(runtime *Runtime, options *RecorderOptions) (*Recorder, error) {
	var memory arena
	defer memory.free()
	var handle, owner C.uintptr_t
	var failure *C.mvx_error
	if runtime != nil {
		owner = runtime.handle
	}
	status := C.mvx_go_recorder_create(owner, memory.recorderOptions(options), &handle, &failure)
	return recorderOf(handle, takeError(status, failure))
}

// RecorderFromHandle takes over a handle that another language handed on: whoever calls it closes it. To share one that
// stays the other's, Clone what it gives and don't close it.
func RecorderFromHandle(handle uintptr) *Recorder { return &Recorder{handle: C.uintptr_t(handle)} }

func recorderOf(handle C.uintptr_t, err error) (*Recorder, error) {
	if err != nil {
		return nil, err
	}
	return &Recorder{handle: handle}, nil
}

func (r *Recorder) raw() C.uintptr_t {
	if r == nil {
		return 0
	}
	return r.handle
}

// Handle is the number of the handle. It stays this Recorder's: clone before handing it on for good.
func (r *Recorder) Handle() uintptr { return uintptr(r.raw()) }

// Clone gives a further reference to the same recorder, to be closed on its own.
func (r *Recorder) Clone() (*Recorder, error) {
	var clone C.uintptr_t
	status := C.mvx_go_recorder_clone(r.raw(), &clone)
	return recorderOf(clone, plainError(status))
}

// Close sends what the recorder's batches hold, and lets go of the handle. A recorder made by NewRecorder is stopped in
// the background with its last handle; one that its runtime created lives until it is removed.
func (r *Recorder) Close() {
	r.sendBatches()
	C.mvx_go_recorder_free(r.raw())
}

func (r *Recorder) operate(operation Operation) (*Wait, error) {
	var handle C.uintptr_t
	var failure *C.mvx_error
	status := C.mvx_go_recorder_operate(r.raw(), C.int32_t(operation), &handle, &failure)
	return waitOf(handle, takeError(status, failure))
}

func (r *Recorder) begin(operation Operation) error {
	var failure *C.mvx_error
	status := C.mvx_go_recorder_operate(r.raw(), C.int32_t(operation), nil, &failure)
	return takeError(status, failure)
}

// Start starts a recorder that is VIRGIN or STOPPED, and joins a start under way. In any other state the Wait is over
// already, with InvalidState. Does not block.
func (r *Recorder) Start() (*Wait, error) { return r.operate(OperationStart) }

// Stop sends what the recorder's batches hold and stops a RUNNING recorder: what was accepted before is dispatched, then
// OnStopped runs. Joins a stop under way.
func (r *Recorder) Stop() (*Wait, error) {
	r.sendBatches()
	return r.operate(OperationStop)
}

// Flush sends what the recorder's batches hold; the Wait is over when every event that was accepted before is
// dispatched.
func (r *Recorder) Flush() (*Wait, error) {
	r.sendBatches()
	return r.operate(OperationFlush)
}

// StartNoWait is Start for who does not want to know how it ends: it gives InvalidState itself.
func (r *Recorder) StartNoWait() error { return r.begin(OperationStart) }

// StopNoWait is Stop for who does not want to know how it ends.
func (r *Recorder) StopNoWait() error {
	r.sendBatches()
	return r.begin(OperationStop)
}

// FlushNoWait is Flush for who does not want to know when it is over.
func (r *Recorder) FlushNoWait() error {
	r.sendBatches()
	return r.begin(OperationFlush)
}

// Cancel makes the recorder CANCELLED, for good: what is pending is discarded, released and counted.
func (r *Recorder) Cancel() error {
	var failure *C.mvx_error
	status := C.mvx_go_recorder_cancel(r.raw(), &failure)
	return takeError(status, failure)
}

// State is the state of the recorder.
func (r *Recorder) State() (RecorderState, error) {
	var state C.int32_t
	status := C.mvx_go_recorder_state(r.raw(), &state)
	return RecorderState(state), plainError(status)
}

// LastError is the error that the recorder keeps, why it is FAILURE or CANCELLED; nil where there is none. The second
// result is that of the call.
func (r *Recorder) LastError() (kept *Error, err error) {
	var failure *C.mvx_error
	status := C.mvx_go_recorder_last_error(r.raw(), &failure)
	kept = copyError(failure)
	C.mvx_error_free(failure)
	return kept, plainError(status)
}

// EntityID names the recorder in logs and snapshots.
func (r *Recorder) EntityID() (string, error) {
	var text *C.mvx_text
	status := C.mvx_go_recorder_entity_id(r.raw(), &text)
	return takeText(text), plainError(status)
}

// Namespace is the recorder's namespace.
func (r *Recorder) Namespace() (string, error) {
	var text *C.mvx_text
	status := C.mvx_go_recorder_name_space(r.raw(), &text)
	return takeText(text), plainError(status)
}

func takeText(text *C.mvx_text) string {
	defer C.mvx_text_free(text)
	return goText(C.mvx_text_str(text))
}

// Stats are the counts of a recorder since it was created. At every moment
// Accepted = Dispatched + Discarded + Pending. What a Batch holds is not counted yet.
type Stats struct {
	Accepted           uint64        // events that were accepted
	Dispatched         uint64        // of these: that every metric has handled
	Dropped            uint64        // events that OverflowDrop let go of at the pending limit
	Refused            uint64        // events that were refused at the pending limit, with an error
	Discarded          uint64        // accepted, but not dispatched: the recorder failed or was cancelled
	Pending            uint64        // events that are pending now, the one being handled included
	PendingMax         uint64        // the most events that were pending at once
	PendingBytes       uint64        // bytes of pending events
	QuarantinedMetrics uint64        // metrics that were quarantined
	Lag                time.Duration // how far dispatching is behind recording
}

// Stats gives the recorder's counts, in every state.
func (r *Recorder) Stats() (Stats, error) {
	var raw C.struct_mvx_recorder_stats
	raw.struct_size = C.sizeof_struct_mvx_recorder_stats
	if status := C.mvx_go_recorder_stats(r.raw(), &raw); status != C.MVX_OK {
		return Stats{}, plainError(status)
	}
	return Stats{
		Accepted: uint64(raw.accepted), Dispatched: uint64(raw.dispatched), Dropped: uint64(raw.dropped),
		Refused: uint64(raw.refused), Discarded: uint64(raw.discarded), Pending: uint64(raw.pending),
		PendingMax: uint64(raw.pending_max), PendingBytes: uint64(raw.pending_bytes),
		QuarantinedMetrics: uint64(raw.quarantined_metrics), Lag: time.Duration(raw.lag_ns),
	}, nil
}

// RegisterMetric registers a metric under a name. One of the same name is replaced, in its place. The metric sees the
// events that are registered after this call returns. nil options: all events, in batches. VIRGIN, STARTING or RUNNING.
func (r *Recorder) RegisterMetric(name string, metric Metric, options *MetricOptions) error {
	if metric == nil {
		return argumentError("metric", "there is no metric")
	}
	if options == nil {
		options = &MetricOptions{}
	}
	var memory arena
	defer memory.free()
	user := newUser(&metricUse{metric})
	ownMetricsLock.Lock()
	ownMetrics[uintptr(unsafe.Pointer(user))] = metric
	ownMetricsLock.Unlock()
	flags, oneByOne := C.uint32_t(0), C.int(0)
	if options.Commutative {
		flags = C.MVX_METRIC_COMMUTATIVE
	}
	if options.OneByOne {
		oneByOne = 1
	}
	var failure *C.mvx_error
	text, size := textPointer(name)
	status := C.mvx_go_recorder_register_metric(r.raw(), text, size, memory.eventTypes(options.EventTypes),
		C.size_t(len(options.EventTypes)), flags, oneByOne, user, &failure)
	return takeError(status, failure)
}

// RegisterEvent records one event of an event type that is known only at run time; EventOf.Register does it for a
// struct. The payload is copied. nil also where OverflowDrop dropped the event.
func (r *Recorder) RegisterEvent(eventType EventType, payload []byte) error {
	var first unsafe.Pointer
	if len(payload) > 0 {
		first = unsafe.Pointer(&payload[0])
	}
	return plainError(C.mvx_go_record(r.raw(), C.mvx_event_type(eventType), first, C.size_t(len(payload))))
}

// RegisterEvents records count events of size bytes each, which lie one after the other in payloads, in one call. It
// accepts as many as fit, from the first one on, and says how many.
func (r *Recorder) RegisterEvents(eventType EventType, payloads []byte, size, count int) (accepted int, err error) {
	if size < 0 || count < 0 || size > maxPayload && count > 0 || len(payloads) != size*count {
		return 0, argumentError("payloads", fmt.Sprintf("%d bytes are not %d payloads of %d bytes, of %d bytes at most",
			len(payloads), count, size, maxPayload))
	}
	var first unsafe.Pointer
	if len(payloads) > 0 {
		first = unsafe.Pointer(&payloads[0])
	}
	return registerMany(r, eventType, first, uintptr(size), count)
}

// SnapshotMode says what a snapshot waits for.
type SnapshotMode uint32

const (
	// Consistent shows every event that was registered before the call, where the recorder is RUNNING. In other states,
	// and in a callback of the recorder, it waits for no event and shows what was dispatched so far.
	Consistent SnapshotMode = C.MVX_SNAPSHOT_CONSISTENT
	// Relaxed shows what was dispatched so far.
	Relaxed SnapshotMode = C.MVX_SNAPSHOT_RELAXED
)

// Snapshot sends what the recorder's batches hold and takes a snapshot of all metrics, in every state of the recorder.
// It waits for events, and for metrics that are busy, until ctx is done; past a deadline of ctx it gives Timeout. Where
// a metric fails, details of the error give its name ("metric"), and the cause what it said.
func (r *Recorder) Snapshot(ctx context.Context, mode SnapshotMode) (*Snapshot, error) {
	r.sendBatches()
	timeout := C.int64_t(-1)
	if deadline, bounded := ctx.Deadline(); bounded {
		if timeout = C.int64_t(time.Until(deadline)); timeout < 0 {
			timeout = 0
		}
	}
	if ctx.Err() == context.Canceled {
		return nil, ctx.Err()
	}
	if ctx.Done() == nil || timeout == 0 || C.mvx_go_in_callback() != 0 {
		return r.snapshot(mode, timeout)
	}
	type outcome struct {
		snapshot *Snapshot
		err      error
	}
	taken := make(chan outcome, 1)
	go func() {
		snapshot, err := r.snapshot(mode, timeout)
		taken <- outcome{snapshot, err}
	}()
	select {
	case got := <-taken:
		return got.snapshot, got.err
	case <-ctx.Done():
		if ctx.Err() == context.Canceled {
			return nil, ctx.Err() // the call ends by itself, and the garbage collector frees what it gives
		}
		got := <-taken // the library keeps the deadline as well, and knows more to say
		return got.snapshot, got.err
	}
}

func (r *Recorder) snapshot(mode SnapshotMode, timeout C.int64_t) (*Snapshot, error) {
	var raw *C.mvx_snapshot
	var failure *C.mvx_error
	status := C.mvx_go_recorder_snapshot(r.raw(), C.uint32_t(mode), timeout, &raw, &failure)
	if err := takeError(status, failure); err != nil {
		return nil, err
	}
	return newSnapshot(raw), nil
}

// MetricKind is the kind of a metric.
type MetricKind uint32

const (
	KindVtable               MetricKind = C.MVX_METRIC_VTABLE // of a host language: a Metric, or another language's
	KindCounter              MetricKind = C.MVX_METRIC_COUNTER
	KindUpDownCounter        MetricKind = C.MVX_METRIC_UP_DOWN_COUNTER
	KindGauge                MetricKind = C.MVX_METRIC_GAUGE
	KindHistogram            MetricKind = C.MVX_METRIC_HISTOGRAM
	KindExponentialHistogram MetricKind = C.MVX_METRIC_EXPONENTIAL_HISTOGRAM
	KindQuantileSketch       MetricKind = C.MVX_METRIC_QUANTILE_SKETCH
	KindDistinctCount        MetricKind = C.MVX_METRIC_DISTINCT_COUNT
)

// MetricState is the state of a metric.
type MetricState uint32

const (
	MetricActive      MetricState = C.MVX_METRIC_ACTIVE      // it gets events
	MetricQuarantined MetricState = C.MVX_METRIC_QUARANTINED // it failed and gets no more
)

// MetricInfo is a metric as IterMetrics shows it.
type MetricInfo struct {
	Name   string
	Kind   MetricKind
	State  MetricState
	Metric Metric // the very object that was registered; nil where it is native or another language's
	Err    *Error // why it is quarantined; nil where it is not
}

// IterMetrics shows the metrics that are registered now, in registration order, until visit returns false. It runs on
// this goroutine and may call anything. A panic of visit ends the iteration and goes on here.
func (r *Recorder) IterMetrics(visit func(info MetricInfo) bool) error {
	if visit == nil {
		return argumentError("visit", "there is no function to call")
	}
	state := &visitor{visit: visit}
	handle := cgo.NewHandle(state)
	defer handle.Delete()
	var failure *C.mvx_error
	status := C.mvx_go_recorder_iter_metrics(r.raw(), C.uintptr_t(handle), &failure)
	if state.panicked != nil {
		panic(state.panicked)
	}
	return takeError(status, failure)
}

type visitor struct {
	visit    func(info MetricInfo) bool
	panicked any
}

//export mvxGoVisit
func mvxGoVisit(handle C.uintptr_t, metric *C.mvx_metric_info, user C.uintptr_t) (stop C.int32_t) {
	visitor := cgo.Handle(handle).Value().(*visitor)
	defer func() {
		if visitor.panicked = recover(); visitor.panicked != nil {
			stop = 1
		}
	}()
	info := MetricInfo{
		Name: goText(metric.name), Kind: MetricKind(metric.kind), State: MetricState(metric.state),
		Metric: metricAt(user), Err: copyError(metric.error),
	}
	if !visitor.visit(info) {
		return 1
	}
	return 0
}
