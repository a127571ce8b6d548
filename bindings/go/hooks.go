package metrics

// #include "shim.h"
import "C"

import (
	"errors"
	"runtime/cgo"
)

// Pending is what a hook returns that finishes later, by Completion.Done. Only dispatching of its own recorder waits
// for it.
var Pending = errors.New("the hook finishes later")

// Hooks are the hooks of a recorder; each may be nil. They run on library threads, one at a time. A hook that returns
// an error other than Pending fails, and so does what it belongs to.
type Hooks struct {
	// OnStarting runs at each start, before the first event is dispatched. If it fails, so does the start.
	OnStarting func(completion *Completion) error
	// OnStopped runs at each stop, after the last event, and once as clean-up where the recorder failed or was
	// cancelled.
	OnStopped func(completion *Completion) error
	// OnMetricChanged runs after an event changed a metric, for each such metric and event, before the next metric
	// sees the event. The metric is nil where it is native or another language's. A recorder without this hook is
	// faster.
	OnMetricChanged func(name string, metric Metric, event *Event, completion *Completion) error
	// Drop runs once, after the last of the others, also where the call that names these hooks fails.
	Drop func()
}

func (h *Hooks) dropped() { quietly(h.Drop) }

// Completion is the token of one call of a hook.
type Completion struct{ handle C.uintptr_t }

// Done completes a hook that returned Pending, or is about to; an error makes the hook fail with its message. The token
// is consumed: a second call gets InvalidHandle, and so does one where the hook returned anything but Pending. Any
// goroutine; does not block.
func (c *Completion) Done(failure error) error {
	message := ""
	if failure != nil {
		// An empty message would mean success.
		if message = failure.Error(); message == "" {
			message = "the hook failed"
		}
	}
	text, size := textPointer(message)
	return plainError(C.mvx_go_completion_done(c.handle, text, size))
}

// Handle is the number of the token.
func (c *Completion) Handle() uintptr { return uintptr(c.handle) }

// CompletionFromHandle is a token that another language handed on.
func CompletionFromHandle(handle uintptr) *Completion { return &Completion{C.uintptr_t(handle)} }

func hookOutcome(err error, failure *C.mvx_callback_error) C.int32_t {
	if err == nil {
		return C.MVX_HOOK_DONE
	}
	if errors.Is(err, Pending) {
		return C.MVX_HOOK_PENDING
	}
	say(failure, err)
	return C.MVX_HOOK_FAILED
}

//export mvxGoHook
func mvxGoHook(handle C.uintptr_t, starting C.int, completion C.uintptr_t, failure *C.mvx_callback_error) C.int32_t {
	hooks := cgo.Handle(handle).Value().(*Hooks)
	hook := hooks.OnStopped
	if starting != 0 {
		hook = hooks.OnStarting
	}
	return hookOutcome(guarded(func() error { return hook(&Completion{completion}) }), failure)
}

//export mvxGoMetricChanged
func mvxGoMetricChanged(handle C.uintptr_t, name C.mvx_str, metric C.uintptr_t, event *C.mvx_event,
	completion C.uintptr_t, failure *C.mvx_callback_error) C.int32_t {
	hooks := cgo.Handle(handle).Value().(*Hooks)
	var seen Event
	seen.read(event)
	err := guarded(func() error {
		return hooks.OnMetricChanged(goText(name), metricAt(metric), &seen, &Completion{completion})
	})
	seen.Payload = nil
	return hookOutcome(err, failure)
}
