package metrics

// #include "shim.h"
import "C"

import (
	"context"
	"runtime/cgo"
	"sync"
	"time"
)

// Operation is what a Wait waits for.
type Operation int32

const (
	OperationStart    Operation = C.MVX_OPERATION_START
	OperationStop     Operation = C.MVX_OPERATION_STOP
	OperationFlush    Operation = C.MVX_OPERATION_FLUSH
	OperationShutdown Operation = C.MVX_OPERATION_SHUTDOWN
)

// Wait is one waiter's hold on an operation that was begun. Close it when it is no longer needed; the operation goes
// on. Any number of goroutines may use it at once.
type Wait struct {
	handle C.uintptr_t
	once   sync.Once
	done   chan struct{}
}

// Wait waits until the operation is over and gives its error; or until ctx is done, and gives the error of ctx. A
// waiting goroutine holds no thread, except inside a callback of the library: there, a wait for what waits for that
// callback gets WouldDeadlock.
func (w *Wait) Wait(ctx context.Context) error {
	if C.mvx_go_in_callback() != 0 {
		if err := w.waitInCallback(ctx); err != nil {
			return err
		}
		return w.Err()
	}
	select {
	case <-w.Done():
		return w.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// slice is how long a callback blocks in C before it looks at its context again.
const slice = 20 * time.Millisecond

// waitInCallback blocks this thread, so that the library knows who waits for whom.
func (w *Wait) waitInCallback(ctx context.Context) error {
	for {
		status := C.mvx_go_wait_block(w.handle, C.int64_t(slice))
		if status != C.MVX_TIMEOUT {
			return plainError(status)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// Done is closed when the operation is over. On a Wait that is closed already it is closed, too; Err says why.
func (w *Wait) Done() <-chan struct{} {
	w.once.Do(func() {
		w.done = make(chan struct{})
		done := w.done
		if w.OnComplete(func(Operation, error) { close(done) }) != nil {
			close(done)
		}
	})
	return w.done
}

// Block waits in C, like the library's own function: until the operation is over, whether it succeeded or not, or for
// the given time (negative: for ever). It holds a thread; Wait and Done don't.
func (w *Wait) Block(timeout time.Duration) error {
	return plainError(C.mvx_go_wait_block(w.handle, C.int64_t(timeout)))
}

// Result is how the operation ended; all waits of one operation give the same. Operation is 0, and the error NotReady,
// where it is not over yet. Does not block.
func (w *Wait) Result() (Operation, error) {
	var operation C.int32_t
	var failure *C.mvx_error
	status := C.mvx_go_wait_result(w.handle, &operation, &failure)
	return Operation(operation), takeError(status, failure)
}

// Err is the error of Result.
func (w *Wait) Err() error {
	_, err := w.Result()
	return err
}

// OnComplete has a function called when the operation is over: on a thread of the library, or, where it is over
// already, on this one before the call returns. It may be asked for several times; Close does not take it back. What
// is given as dropped runs after it, or where this call fails.
func (w *Wait) OnComplete(completed func(Operation, error), dropped ...func()) error {
	if completed == nil {
		for _, drop := range dropped {
			quietly(drop)
		}
		return argumentError("completed", "there is no function to call")
	}
	return plainError(C.mvx_go_wait_on_complete(w.handle, newUser(&completionUse{completed, dropped})))
}

// Handle is the number of the handle.
func (w *Wait) Handle() uintptr { return uintptr(w.handle) }

// WaitFromHandle takes over a wait that another language handed on: whoever calls it closes it.
func WaitFromHandle(handle uintptr) *Wait { return &Wait{handle: C.uintptr_t(handle)} }

// Close lets go of the handle. The operation goes on, and functions that wait for it are still called.
func (w *Wait) Close() { C.mvx_go_wait_free(w.handle) }

type completionUse struct {
	completed func(Operation, error)
	drops     []func()
}

func (u *completionUse) dropped() {
	for _, drop := range u.drops {
		quietly(drop)
	}
}

//export mvxGoComplete
func mvxGoComplete(handle C.uintptr_t, operation C.int32_t, status C.mvx_status, failure *C.mvx_error) {
	use := cgo.Handle(handle).Value().(*completionUse)
	var err error
	if copied := copyError(failure); copied != nil {
		err = copied
	} else {
		err = plainError(status)
	}
	quietly(func() { use.completed(Operation(operation), err) })
}
