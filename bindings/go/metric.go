package metrics

// #include "shim.h"
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// Metric decides which events matter to it and how they change its state.
//
// The metrics of a recorder are called one at a time, never from two threads at once, so a metric needs no lock of its
// own. A metric that has a method Drop() too has it called once, when it was replaced or its recorder is gone, and
// where its registration fails.
type Metric interface {
	// HandleEvent takes one event, which is there until it returns, and says whether the metric changed. An error
	// makes the recorder FAILURE, or quarantines the metric, as the recorder's MetricErrorPolicy says.
	HandleEvent(event *Event) (changed bool, err error)
	// Snapshot writes the metric's state into a map that is open already. Its error is that of the snapshot; the
	// recorder goes on.
	Snapshot(writer *Writer) error
}

// Dropper is a Metric that wants to know when the library lets go of it.
type Dropper interface{ Drop() }

// MetricOptions say how a metric wants its events.
type MetricOptions struct {
	// EventTypes are those that the metric wants; others never reach it. None: all.
	EventTypes []EventType
	// Commutative: the order of events from different goroutines does not matter to the metric, which makes
	// recording them faster.
	Commutative bool
	// OneByOne takes each event from the library in a call of its own. By default a batch of events costs one call
	// from C into Go; the metric sees the same events in the same order, but where a batch fails in its midst the
	// whole batch counts as the failure.
	OneByOne bool
}

// metricUse is one registration of a metric.
type metricUse struct{ metric Metric }

func (u *metricUse) dropped() {
	if dropper, wants := u.metric.(Dropper); wants {
		quietly(dropper.Drop)
	}
}

//export mvxGoMetricHandle
func mvxGoMetricHandle(handle C.uintptr_t, events *C.mvx_event, count C.size_t, changed *C.uint8_t,
	failure *C.mvx_callback_error) C.int32_t {
	use := cgo.Handle(handle).Value().(*metricUse)
	changedAny := false
	var marks []C.uint8_t
	if changed != nil {
		marks = unsafe.Slice(changed, int(count))
	}
	var event Event
	err := guarded(func() error {
		for i := 0; i < int(count); i++ {
			// The library may know longer events than this header.
			event.read((*C.mvx_event)(unsafe.Add(unsafe.Pointer(events), i*int(events.struct_size))))
			did, err := use.metric.HandleEvent(&event)
			if err != nil {
				return err
			}
			if did {
				changedAny = true
				if marks != nil {
					marks[i] = 1
				}
			}
		}
		return nil
	})
	// What a metric wrongly kept must not lead into memory that is gone.
	event.Payload = nil
	if err != nil {
		say(failure, err)
		return C.MVX_EVENT_FAILED
	}
	if changedAny {
		return C.MVX_EVENT_CHANGED
	}
	return C.MVX_EVENT_IGNORED
}

//export mvxGoMetricSnapshot
func mvxGoMetricSnapshot(handle C.uintptr_t, writer *C.mvx_writer, failure *C.mvx_callback_error) C.int32_t {
	use := cgo.Handle(handle).Value().(*metricUse)
	into := &Writer{writer: writer}
	err := guarded(func() error { return use.metric.Snapshot(into) })
	into.writer = nil
	if err == nil {
		err = into.err
	}
	if err != nil {
		say(failure, err)
		return C.MVX_SNAPSHOT_FAILED
	}
	return C.MVX_SNAPSHOT_DONE
}
