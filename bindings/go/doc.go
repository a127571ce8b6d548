// Package metrics is the Go binding of mvx_metrics, a metrics recorder that every language in a process shares.
//
// Production code says what happened: it records events. A metric decides which events matter to it and how they
// change its state. A recorder takes events in a few nanoseconds, hands them to its metrics on the library's own
// threads, and shows their state as a snapshot. A runtime owns the threads and a registry of recorders.
//
// The binding holds no state machine: states, order and errors are those of the library, whose header
// (mvx_metrics.h) is the full manual. What holds for all of this package:
//
// Handles. Runtime, Recorder and Wait are handles: numbers that the library looks up. Each is closed once with
// Close; a call on one that is closed gets an error with the status InvalidHandle, whatever other goroutines do
// meanwhile. Handle gives the number, for another language in the same process; FromHandle functions take one.
//
// Goroutines. Everything may be called from any goroutine at any time, from callbacks too, unless its text says
// otherwise. What would wait for itself, such as a callback that waits for the stop of its own recorder, gets
// WouldDeadlock.
//
// Callbacks (metrics, hooks, logs, functions of a Wait) run on threads of the library. A panic in one becomes its
// error, or is swallowed where it has none to give (logs, drops, functions of a Wait). What a callback is handed (events, writers) is there until it returns. A callback must not start another
// goroutine and wait for it to wait for the library: only the thread of the callback itself is recognised.
//
// Errors are of type *Error, with reason, message, details and cause. errors.Is matches a Status, a Reason, and, for
// time-outs, context.DeadlineExceeded.
//
// Options are structs whose zero values mean the defaults. Times are of type time.Duration.
package metrics
