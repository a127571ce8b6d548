package metrics

// #include "shim.h"
import "C"

import "fmt"

// RuntimeState is the state of a runtime.
type RuntimeState int32

const (
	RuntimeVirgin   RuntimeState = C.MVX_RUNTIME_VIRGIN   // created, not started
	RuntimeStarting RuntimeState = C.MVX_RUNTIME_STARTING // its threads are being started
	RuntimeRunning  RuntimeState = C.MVX_RUNTIME_RUNNING  // ready for recorders
	RuntimeStopping RuntimeState = C.MVX_RUNTIME_STOPPING // it is being shut down
	RuntimeClosed   RuntimeState = C.MVX_RUNTIME_CLOSED   // shut down, for good
	RuntimeFailure  RuntimeState = C.MVX_RUNTIME_FAILURE  // it failed to start, or recorders failed to stop; for good
)

var runtimeStateNames = [...]string{"VIRGIN", "STARTING", "RUNNING", "STOPPING", "CLOSED", "FAILURE"}

// String is the name of the state, such as "RUNNING".
func (s RuntimeState) String() string {
	if s < 0 || int(s) >= len(runtimeStateNames) {
		return fmt.Sprintf("RuntimeState(%d)", int32(s))
	}
	return runtimeStateNames[s]
}

// Runtime owns the threads of the library, and a registry of recorders. Shut it down, then close it.
type Runtime struct{ handle C.uintptr_t }

// NewRuntime creates a runtime, which is VIRGIN: it has no threads yet. nil options: all defaults.
func NewRuntime(options *RuntimeOptions) (*Runtime, error) {
	var memory arena
	defer memory.free()
	var handle C.uintptr_t
	var failure *C.mvx_error
	status := C.mvx_go_runtime_create(memory.runtimeOptions(options), &handle, &failure)
	return runtimeOf(handle, takeError(status, failure))
}

// DefaultRuntime is the default runtime of the process: created and started when it is first asked for, and anew after
// it was shut down. Closing the handle does not shut it down.
func DefaultRuntime() (*Runtime, error) {
	var handle C.uintptr_t
	var failure *C.mvx_error
	status := C.mvx_go_runtime_default(&handle, &failure)
	return runtimeOf(handle, takeError(status, failure))
}

// RuntimeFromHandle takes over a handle that another language handed on: whoever calls it closes it.
func RuntimeFromHandle(handle uintptr) *Runtime { return &Runtime{C.uintptr_t(handle)} }

func runtimeOf(handle C.uintptr_t, err error) (*Runtime, error) {
	if err != nil {
		return nil, err
	}
	return &Runtime{handle}, nil
}

// Clone gives a further reference to the same runtime, to be closed on its own.
func (r *Runtime) Clone() (*Runtime, error) {
	var clone C.uintptr_t
	status := C.mvx_go_runtime_clone(r.handle, &clone)
	return runtimeOf(clone, plainError(status))
}

// Handle is the number of the handle. It stays this Runtime's: clone before handing it on for good.
func (r *Runtime) Handle() uintptr { return uintptr(r.handle) }

// Start starts the threads of a VIRGIN runtime; a RUNNING one is left as it is. Blocks while they start.
func (r *Runtime) Start() error {
	var failure *C.mvx_error
	status := C.mvx_go_runtime_start(r.handle, &failure)
	return takeError(status, failure)
}

// Shutdown shuts the runtime down, for good: sends what batches hold, stops its recorders, which flushes what they
// accepted, removes them, and joins the threads. Calls at the same time join. What is not done by the deadline
// (ShutdownTimeout) is cancelled. Blocks a thread until it is over; ShutdownAsync does not. From a callback:
// WouldDeadlock. Details of the error list failed_recorder_ids, recorder_errors and undelivered_events.
func (r *Runtime) Shutdown() error {
	sendAllBatches()
	var failure *C.mvx_error
	status := C.mvx_go_runtime_shutdown(r.handle, &failure)
	return takeError(status, failure)
}

// ShutdownAsync is Shutdown without waiting: what came of it is the result of the Wait.
func (r *Runtime) ShutdownAsync() (*Wait, error) {
	sendAllBatches()
	var handle C.uintptr_t
	var failure *C.mvx_error
	status := C.mvx_go_runtime_shutdown_async(r.handle, &handle, &failure)
	return waitOf(handle, takeError(status, failure))
}

func waitOf(handle C.uintptr_t, err error) (*Wait, error) {
	if err != nil {
		return nil, err
	}
	return &Wait{handle: handle}, nil
}

// State is the state of the runtime.
func (r *Runtime) State() (RuntimeState, error) {
	var state C.int32_t
	status := C.mvx_go_runtime_state(r.handle, &state)
	return RuntimeState(state), plainError(status)
}

// LastError is the error that the runtime keeps, why it is FAILURE; nil where there is none. The second result is that
// of the call.
func (r *Runtime) LastError() (kept *Error, err error) {
	var failure *C.mvx_error
	status := C.mvx_go_runtime_last_error(r.handle, &failure)
	kept = copyError(failure)
	C.mvx_error_free(failure)
	return kept, plainError(status)
}

// CreateRecorder creates a recorder, starts it, and registers it under an id, which is trimmed and must not be empty.
// nil options: all defaults, which are the runtime's. Blocks until the recorder is RUNNING, its OnStarting hook
// included. The runtime holds the recorder too, until it is removed.
func (r *Runtime) CreateRecorder(id string, options *RecorderOptions) (*Recorder, error) {
	var memory arena
	defer memory.free()
	var handle C.uintptr_t
	var failure *C.mvx_error
	name, size := textPointer(id)
	status := C.mvx_go_runtime_create_recorder(r.handle, name, size, memory.recorderOptions(options), &handle, &failure)
	return recorderOf(handle, takeError(status, failure))
}

// GetRecorder gives a reference of its own to the recorder that is registered under an id. Does not block.
func (r *Runtime) GetRecorder(id string) (*Recorder, error) {
	var handle C.uintptr_t
	var failure *C.mvx_error
	name, size := textPointer(id)
	status := C.mvx_go_runtime_get_recorder(r.handle, name, size, &handle, &failure)
	return recorderOf(handle, takeError(status, failure))
}

// TryGetRecorder is GetRecorder, where it is no error that there is none: the recorder is nil then.
func (r *Runtime) TryGetRecorder(id string) (*Recorder, error) {
	var handle C.uintptr_t
	var failure *C.mvx_error
	name, size := textPointer(id)
	status := C.mvx_go_runtime_try_get_recorder(r.handle, name, size, &handle, &failure)
	if err := takeError(status, failure); err != nil || handle == 0 {
		return nil, err
	}
	return &Recorder{handle: handle}, nil
}

// ListRecorderIDs gives the ids of the runtime's recorders.
func (r *Runtime) ListRecorderIDs() ([]string, error) {
	var list *C.mvx_strings
	var failure *C.mvx_error
	status := C.mvx_go_runtime_list_recorder_ids(r.handle, &list, &failure)
	if err := takeError(status, failure); err != nil {
		return nil, err
	}
	defer C.mvx_strings_free(list)
	ids := make([]string, int(C.mvx_strings_len(list)))
	for i := range ids {
		ids[i] = goText(C.mvx_strings_at(list, C.size_t(i)))
	}
	return ids, nil
}

// StopRecorder sends what batches hold, stops the recorder and leaves it registered. One that is STOPPED is left
// as it is; a stop under way is joined. Blocks until its events are dispatched and its OnStopped hook is done.
func (r *Runtime) StopRecorder(id string) error {
	sendAllBatches()
	var failure *C.mvx_error
	name, size := textPointer(id)
	status := C.mvx_go_runtime_stop_recorder(r.handle, name, size, &failure)
	return takeError(status, failure)
}

// StopAndRemoveRecorder is StopRecorder, and removes the recorder from the runtime, also where stopping fails. It gives
// a reference to it, to be closed.
func (r *Runtime) StopAndRemoveRecorder(id string) (*Recorder, error) {
	sendAllBatches()
	var handle C.uintptr_t
	var failure *C.mvx_error
	name, size := textPointer(id)
	status := C.mvx_go_runtime_stop_and_remove_recorder(r.handle, name, size, &handle, &failure)
	return recorderOf(handle, takeError(status, failure))
}

// Close lets go of the handle. The runtime itself goes with its last reference and its last recorder; shut it down
// before, so as to know what came of it.
func (r *Runtime) Close() { C.mvx_go_runtime_free(r.handle) }
