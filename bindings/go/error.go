package metrics

// #include "shim.h"
import "C"

import (
	"context"
	"encoding/json"
)

// Status is the outcome of a call. It is an error itself, so that errors.Is(err, metrics.QueueOverflow) works.
type Status int32

const (
	OK              Status = C.MVX_OK               // success; never an error
	InvalidArgument Status = C.MVX_INVALID_ARGUMENT // an argument is bad; detail "argument"
	InvalidHandle   Status = C.MVX_INVALID_HANDLE   // closed, of another type, or never handed out
	InvalidState    Status = C.MVX_INVALID_STATE    // the recorder or runtime is in a state in which this can't be done
	QueueOverflow   Status = C.MVX_QUEUE_OVERFLOW   // the pending limit is reached; the event was refused
	AlreadyExists   Status = C.MVX_ALREADY_EXISTS   // there is one of that name already
	NotFound        Status = C.MVX_NOT_FOUND        // there is none of that name
	HookFailed      Status = C.MVX_HOOK_FAILED      // a hook failed
	MetricFailed    Status = C.MVX_METRIC_FAILED    // a callback of a metric failed
	StartupFailed   Status = C.MVX_STARTUP_FAILED   // a runtime, or a recorder that it was creating, did not start
	StopFailed      Status = C.MVX_STOP_FAILED      // a recorder of a runtime did not stop as it should
	ShutdownFailed  Status = C.MVX_SHUTDOWN_FAILED  // recorders did not stop while their runtime was shut down
	LimitReached    Status = C.MVX_LIMIT_REACHED    // a limit of the library is reached
	Cancelled       Status = C.MVX_CANCELLED        // the operation ended because its recorder was cancelled
	Timeout         Status = C.MVX_TIMEOUT          // it did not happen in time; also context.DeadlineExceeded
	NotReady        Status = C.MVX_NOT_READY        // the operation is not over yet
	WouldDeadlock   Status = C.MVX_WOULD_DEADLOCK   // a callback would wait for itself
	Forked          Status = C.MVX_FORKED           // the handle belongs to the parent process
	Unsupported     Status = C.MVX_UNSUPPORTED      // not offered by this version or platform
	Unexpected      Status = C.MVX_UNEXPECTED       // a fault of the library or of the machine
)

// String is the name of the status, such as "INVALID_STATE".
func (s Status) String() string {
	name := C.GoString(C.mvx_status_name(C.mvx_status(s)))
	if len(name) > 4 {
		return name[4:]
	}
	return name
}

// Error is the name of the status.
func (s Status) Error() string { return s.String() }

// Reason is the stable reason of an error, for programs. It is an error itself, for errors.Is. Later versions of the
// library may add some.
type Reason string

const (
	ReasonInvalidArgument                 Reason = "INVALID_ARGUMENT"
	ReasonInvalidHandle                   Reason = "INVALID_HANDLE"
	ReasonInvalidRecorderState            Reason = "INVALID_RECORDER_STATE"
	ReasonInvalidRuntimeState             Reason = "INVALID_RUNTIME_STATE"
	ReasonQueueOverflow                   Reason = "QUEUE_OVERFLOW"
	ReasonEventTypeAlreadyExists          Reason = "EVENT_TYPE_ALREADY_EXISTS"
	ReasonRecorderAlreadyExists           Reason = "RECORDER_ALREADY_EXISTS"
	ReasonRecorderNotFound                Reason = "RECORDER_NOT_FOUND"
	ReasonOnStartingHookFailed            Reason = "ON_STARTING_HOOK_FAILED"
	ReasonOnStoppedHookFailed             Reason = "ON_STOPPED_HOOK_FAILED"
	ReasonStartupError                    Reason = "STARTUP_ERROR"
	ReasonRecorderStartupError            Reason = "RECORDER_STARTUP_ERROR"
	ReasonRecorderStopError               Reason = "RECORDER_STOP_ERROR"
	ReasonShutdownError                   Reason = "SHUTDOWN_ERROR"
	ReasonLimitReached                    Reason = "LIMIT_REACHED"
	ReasonDispatcherUnexpectedlyCancelled Reason = "DISPATCHER_UNEXPECTEDLY_CANCELLED"
	ReasonTimeout                         Reason = "TIMEOUT"
	ReasonNotReady                        Reason = "NOT_READY"
	ReasonWouldDeadlock                   Reason = "WOULD_DEADLOCK"
	ReasonForked                          Reason = "FORKED"
	ReasonUnsupported                     Reason = "UNSUPPORTED"
	ReasonUnexpectedError                 Reason = "UNEXPECTED_ERROR"
	ReasonCallbackError                   Reason = "CALLBACK_ERROR" // of a cause: what a callback of yours said
)

// Error is the reason.
func (r Reason) Error() string { return string(r) }

// Error is why a call or an operation failed. It is a value of its own and never changes.
type Error struct {
	Status  Status
	Reason  Reason
	Message string // for people; the wording may change
	// DetailsJSON has facts about it as a JSON object, such as
	// {"recorder_state":"STOPPED","expected_states":["RUNNING"]}; {} where there are none.
	DetailsJSON string
	// Cause is what led to it, for instance the error of your callback; nil where there is none.
	Cause *Error
}

// Error is the message, followed by those of the causes.
func (e *Error) Error() string {
	text := string(e.Reason) + ": " + e.Message
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error {
	if e.Cause == nil {
		return nil
	}
	return e.Cause
}

// Is tells whether target is this error's Status or Reason, or context.DeadlineExceeded of a time-out.
func (e *Error) Is(target error) bool {
	switch target := target.(type) {
	case Status:
		return e.Status == target
	case Reason:
		return e.Reason == target
	}
	return target == context.DeadlineExceeded && e.Status == Timeout
}

// Details decodes DetailsJSON; numbers are of type json.Number.
func (e *Error) Details() map[string]any {
	details := map[string]any{}
	if decodeNumbers(e.DetailsJSON, &details) != nil {
		return nil
	}
	return details
}

var messages = map[Status]string{
	InvalidArgument: "an argument is bad",
	InvalidHandle:   "the handle is closed, of another type, or was never handed out",
	InvalidState:    "this can't be done in the present state",
	QueueOverflow:   "the pending limit is reached; the event was refused",
	LimitReached:    "a limit of the library is reached",
	Timeout:         "it did not happen in time",
	NotReady:        "the operation is not over yet",
	WouldDeadlock:   "a callback would wait for itself",
	Forked:          "the handle was made before a fork and belongs to the parent process",
	Unsupported:     "not offered by this version or on this platform",
	Unexpected:      "a fault of the library or of the machine",
}

// plainErrors are the errors of calls that give a status only: made once, so that a refused event allocates nothing.
var plainErrors = func() map[Status]*Error {
	made := make(map[Status]*Error)
	for status := InvalidArgument; status <= Unexpected; status++ {
		made[status] = newPlainError(status)
	}
	return made
}()

func newPlainError(status Status) *Error {
	reason, message := Reason(status.String()), messages[status]
	if status == Unexpected {
		reason = ReasonUnexpectedError
	}
	if message == "" {
		message = "the call gave " + status.String()
	}
	return &Error{Status: status, Reason: reason, Message: message, DetailsJSON: "{}"}
}

// plainError is the error of a call that gives a status only.
func plainError(status C.mvx_status) error {
	if status == C.MVX_OK {
		return nil
	}
	if known := plainErrors[Status(status)]; known != nil {
		return known
	}
	return newPlainError(Status(status))
}

// argumentError is the error of an argument that the binding itself can't pass on.
func argumentError(argument, message string) *Error {
	details, err := json.Marshal(map[string]string{"argument": argument})
	if err != nil {
		details = []byte("{}")
	}
	return &Error{Status: InvalidArgument, Reason: ReasonInvalidArgument, Message: message, DetailsJSON: string(details)}
}

// copyError reads an error that stays the library's; nil gives nil.
func copyError(from *C.mvx_error) *Error {
	if from == nil {
		return nil
	}
	return &Error{
		Status:      Status(C.mvx_error_status(from)),
		Reason:      Reason(goText(C.mvx_error_reason(from))),
		Message:     goText(C.mvx_error_message(from)),
		DetailsJSON: goText(C.mvx_error_details_json(from)),
		Cause:       copyError(C.mvx_error_cause(from)),
	}
}

// takeError frees the error that a call gave, if it gave one, and makes it Go's.
func takeError(status C.mvx_status, from *C.mvx_error) error {
	taken := copyError(from)
	C.mvx_error_free(from)
	if status == C.MVX_OK {
		return nil
	}
	if taken == nil {
		return plainError(status)
	}
	return taken
}
