package metrics

// #include "shim.h"
import "C"

import "time"

// OverflowPolicy is what happens to an event at the pending limit.
type OverflowPolicy uint32

const (
	// OverflowDrop: the call succeeds, the event is not queued and is counted as dropped. The default of the recorders
	// that a runtime creates.
	OverflowDrop OverflowPolicy = C.MVX_OVERFLOW_DROP
	// OverflowRaiseError: the call gives QueueOverflow, the event is not queued and is counted as refused. The default
	// of NewRecorder.
	OverflowRaiseError OverflowPolicy = C.MVX_OVERFLOW_RAISE_ERROR
	// OverflowBlock: the call waits for room, up to BlockTimeout, then gives Timeout. Callbacks don't wait: they get
	// WouldDeadlock. Each goroutine that waits so holds a thread of the operating system.
	OverflowBlock OverflowPolicy = C.MVX_OVERFLOW_BLOCK
)

// MetricErrorPolicy is what the error of a metric leads to.
type MetricErrorPolicy uint32

const (
	FailRecorder     MetricErrorPolicy = C.MVX_METRIC_ERROR_FAIL_RECORDER     // the recorder is FAILURE; the default
	QuarantineMetric MetricErrorPolicy = C.MVX_METRIC_ERROR_QUARANTINE_METRIC // only the metric gets no more events
)

// Folding says whether events that only native counters want may be counted without going through the queue.
type Folding uint32

const (
	FoldingOn  Folding = C.MVX_FOLDING_ON // the default
	FoldingOff Folding = C.MVX_FOLDING_OFF
)

// RuntimeOptions are the options of a runtime. Zero values mean the defaults; negative numbers are InvalidArgument.
type RuntimeOptions struct {
	Namespace              string         // "mvx"
	RecorderQueueMaxSize   int64          // pending events of each recorder, at most; 10,000
	RecorderQueueMaxBytes  int64          // bytes of pending events of each recorder, at most; 16 MiB
	RecorderOverflowPolicy OverflowPolicy // OverflowDrop
	WorkerThreads          uint32         // threads that coordinate; 1
	ShutdownTimeout        time.Duration  // what bounds a shutdown; 5 s
	ThreadNamePrefix       string         // "mvx"
	Log                    *Log           // of the runtime, and of its recorders where they name none
}

// RecorderOptions are the options of a recorder. Zero values mean the defaults; negative numbers are InvalidArgument.
type RecorderOptions struct {
	EntityID          string            // the recorder id where a runtime creates it, otherwise random
	Namespace         string            // the runtime's
	QueueMaxSize      int64             // pending events, at most; the runtime's
	QueueMaxBytes     int64             // bytes of pending events, at most; the runtime's
	OverflowPolicy    OverflowPolicy    // the runtime's where it creates the recorder, otherwise OverflowRaiseError
	BlockTimeout      time.Duration     // how long OverflowBlock waits; 1 s
	MetricErrorPolicy MetricErrorPolicy // FailRecorder
	Folding           Folding           // FoldingOn
	Hooks             *Hooks            // none
	Log               *Log              // the runtime's
}

func (a *arena) runtimeOptions(options *RuntimeOptions) *C.mvx_runtime_options {
	if options == nil {
		return nil
	}
	raw := (*C.mvx_runtime_options)(a.alloc(C.sizeof_mvx_runtime_options))
	raw.struct_size = C.sizeof_mvx_runtime_options
	raw.name_space = a.str(options.Namespace)
	raw.recorder_queue_max_size = C.int64_t(options.RecorderQueueMaxSize)
	raw.recorder_queue_max_bytes = C.int64_t(options.RecorderQueueMaxBytes)
	raw.recorder_overflow_policy = C.uint32_t(options.RecorderOverflowPolicy)
	raw.worker_threads = C.uint32_t(options.WorkerThreads)
	raw.shutdown_timeout_ns = C.int64_t(options.ShutdownTimeout)
	raw.thread_name_prefix = a.str(options.ThreadNamePrefix)
	raw.log = a.log(options.Log)
	return raw
}

func (a *arena) recorderOptions(options *RecorderOptions) *C.mvx_recorder_options {
	if options == nil {
		return nil
	}
	raw := (*C.mvx_recorder_options)(a.alloc(C.sizeof_mvx_recorder_options))
	raw.struct_size = C.sizeof_mvx_recorder_options
	raw.entity_id = a.str(options.EntityID)
	raw.name_space = a.str(options.Namespace)
	raw.queue_max_size = C.int64_t(options.QueueMaxSize)
	raw.queue_max_bytes = C.int64_t(options.QueueMaxBytes)
	raw.overflow_policy = C.uint32_t(options.OverflowPolicy)
	raw.block_timeout_ns = C.int64_t(options.BlockTimeout)
	raw.metric_error_policy = C.uint32_t(options.MetricErrorPolicy)
	raw.folding = C.uint32_t(options.Folding)
	raw.hooks = a.hooks(options.Hooks)
	raw.log = a.log(options.Log)
	return raw
}

func (a *arena) hooks(hooks *Hooks) *C.mvx_hooks {
	if hooks == nil {
		return nil
	}
	kept := *hooks
	raw := (*C.mvx_hooks)(a.alloc(C.sizeof_mvx_hooks))
	flag := func(installed bool) C.int {
		if installed {
			return 1
		}
		return 0
	}
	C.mvx_go_hooks_fill(raw, newUser(&kept), flag(kept.OnStarting != nil), flag(kept.OnStopped != nil),
		flag(kept.OnMetricChanged != nil))
	return raw
}
