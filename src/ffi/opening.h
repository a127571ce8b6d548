#ifndef MVX_METRICS_H
#define MVX_METRICS_H

/* Generated from the Rust sources by `make header`; changes made here are lost. */

/*
 * mvx_metrics: a metrics recorder that every language in a process shares.
 *
 * Production code says what happened: it registers events. Metrics decide which events matter to them and how
 * these change their state. A recorder takes events in a few nanoseconds, hands them to its metrics on the
 * library's own threads, and shows their state as a snapshot. A runtime owns the threads, and a registry of
 * recorders.
 *
 *     mvx_recorder *recorder = NULL;
 *     mvx_recorder_create(NULL, NULL, &recorder, NULL);
 *
 *     mvx_event_type_options options = {0};
 *     options.struct_size = sizeof options;
 *     options.name = MVX_STR("document_storage.save.attempt");
 *     mvx_event_type attempt = 0;
 *     mvx_event_type_declare(&options, &attempt, NULL);
 *
 *     mvx_metric_spec spec = {0};
 *     spec.struct_size = sizeof spec;
 *     spec.name = MVX_STR("save_attempts");
 *     spec.kind = MVX_METRIC_COUNTER;
 *     spec.event_types = &attempt;
 *     spec.event_type_count = 1;
 *     mvx_recorder_register_native_metric(recorder, &spec, NULL);
 *
 *     mvx_recorder_register_event(recorder, attempt, NULL, 0);
 *
 *     mvx_snapshot *snapshot = NULL;
 *     mvx_recorder_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT, 1000000000, &snapshot, NULL);
 *     ...
 *     mvx_snapshot_free(snapshot);
 *     mvx_recorder_free(recorder);
 *
 * HANDLES. Runtimes, recorders, waits and completions are handles. They look like pointers, but are numbers
 * that the library looks up: never read through one. A handle that is NULL, was freed, is of another type, or
 * was made up gets MVX_INVALID_HANDLE, whatever other threads do meanwhile. Each handle that a function hands
 * out is a reference of its own, and is freed once; what it refers to lives on while another reference, a
 * runtime's registry, or an operation under way needs it. Freeing a handle while another thread is inside a
 * call with it is fine: that call goes on.
 *
 * OBJECTS. Errors, texts, lists of texts and snapshots are plain objects: who receives one through an
 * out-parameter frees it, with the function that is named for it. Values belong to their snapshot. Writers
 * and callback errors are there while the callback runs that was handed them. NULL is answered harmlessly;
 * any other pointer must be what it claims to be.
 *
 * ARGUMENTS are copied before a call returns: options, tables of functions and texts may be on the stack. A
 * pointer must not be NULL unless its function says so. Out-parameters are written only on success, and
 * `error` only on failure; whatever they held before is overwritten, not freed.
 *
 * USER DATA. Where callbacks are registered, a `user_data` goes with them, and a `drop` that frees it. The
 * library calls `drop` exactly once: after the last callback, or before the call returns in which the
 * registration failed.
 *
 * STRUCTS that begin with struct_size can grow at their end in later versions. Set it to the sizeof of the
 * struct: the library reads and writes no more than that. The MVX_..._V1_SIZE constants are the sizes of the
 * first versions; a smaller one gets MVX_INVALID_ARGUMENT. In a struct that the library fills, compare
 * struct_size before you read a field that was added later. An option of 0, NULL or an empty text means its
 * default. Times are in nanoseconds.
 *
 * ERRORS. Functions return MVX_OK or another status. Many also take `error`, which may be NULL: on failure it
 * receives an error with a stable reason, a message, details as JSON, and perhaps a cause. No state is kept
 * per thread. A fault of the library itself is MVX_UNEXPECTED; the recorder that it concerned is FAILURE
 * then, and the process goes on.
 *
 * THREADS. Any function may be called from any thread at any time. The library starts threads when a runtime
 * starts and joins them when it is shut down; they block all asynchronous signals. It writes nothing to
 * stdout or stderr.
 *
 * CALLBACKS run on threads of the library unless their text says otherwise, and may call any function. What
 * would wait for itself, such as blocking on the stop of the recorder whose callback is running, gets
 * MVX_WOULD_DEADLOCK instead; so does the second of two callbacks that wait for each other's recorders. A
 * callback must return normally: no C++ exception, and no longjmp(), may leave it. The library holds no lock
 * while a callback runs.
 *
 * FORK. In the child of a fork() every handle of the parent gets MVX_FORKED, at once. Event types and
 * interned texts stay good, and the child may create a runtime of its own. The parent is not disturbed.
 *
 * EXIT. A process may exit without shutting anything down; events that are pending then are lost. The library
 * stays loaded after dlclose().
 *
 * VERSIONS. Within one MVX_ABI_VERSION, functions, constants and fields keep their meaning; new ones may be
 * added.
 */

#include <stddef.h>
#include <stdint.h>

