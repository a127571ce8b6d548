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
 *     mvx_wait *started = NULL;
 *     mvx_recorder_start(recorder, &started, NULL);
 *     mvx_wait_block(started, -1);
 *     mvx_wait_free(started);
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
 * REASONS. What mvx_error_reason() gives keeps its meaning; later versions may add some.
 *
 *     status                reason                             what happened
 *     MVX_INVALID_ARGUMENT  INVALID_ARGUMENT                   an argument is bad; detail "argument"
 *     MVX_INVALID_HANDLE    INVALID_HANDLE                     a handle is not live; detail "argument"
 *     MVX_INVALID_STATE     INVALID_RECORDER_STATE             not in this state; details "recorder_state"
 *                                                              and "expected_states"
 *                           INVALID_RUNTIME_STATE              not in this state; details "runtime_state"
 *                                                              and "expected_states"
 *     MVX_ALREADY_EXISTS    EVENT_TYPE_ALREADY_EXISTS          the name was declared with something else
 *                           RECORDER_ALREADY_EXISTS            the id is taken; detail "recorder_id"
 *     MVX_NOT_FOUND         RECORDER_NOT_FOUND                 the id is not there; detail "recorder_id"
 *     MVX_HOOK_FAILED       ON_STARTING_HOOK_FAILED            its cause is what the hook said
 *                           ON_STOPPED_HOOK_FAILED             its cause is what the hook said
 *     MVX_METRIC_FAILED     UNEXPECTED_ERROR                   a metric or on_metric_changed failed; detail
 *                                                              "metric"; its cause is what that said
 *     MVX_STARTUP_FAILED    STARTUP_ERROR                      a runtime got no threads
 *                           RECORDER_STARTUP_ERROR             a new recorder did not start: see its cause
 *     MVX_STOP_FAILED       RECORDER_STOP_ERROR                a recorder did not stop: see its cause
 *     MVX_SHUTDOWN_FAILED   SHUTDOWN_ERROR                     recorders did not stop; details: see
 *                                                              mvx_runtime_shutdown()
 *     MVX_LIMIT_REACHED     LIMIT_REACHED                      no handle, event type or symbol is left
 *     MVX_CANCELLED         DISPATCHER_UNEXPECTEDLY_CANCELLED  the recorder was cancelled
 *     MVX_TIMEOUT           TIMEOUT                            it did not happen in time
 *     MVX_NOT_READY         NOT_READY                          the operation is not over yet
 *     MVX_WOULD_DEADLOCK    WOULD_DEADLOCK                     a callback would wait for itself
 *     MVX_FORKED            FORKED                             the handle belongs to the parent process
 *     MVX_UNSUPPORTED       UNSUPPORTED                        not offered by this version or platform
 *     MVX_UNEXPECTED        UNEXPECTED_ERROR                   a fault of the library or of the machine
 *
 * A cause with the reason CALLBACK_ERROR is what a callback of yours said. MVX_QUEUE_OVERFLOW has no reason:
 * the calls that return it give no error.
 *
 * ORDER. Events of one thread reach every metric in the order in which they were registered. Where
 * registering one event was over before registering another began on a different thread, gauges,
 * on_metric_changed and metrics of the host that are not MVX_METRIC_COMMUTATIVE see the two in that order.
 *
 * FOLDING. An event that only native counters without a value field want, by fields that lie within eight bytes
 * of its payload, is counted in memory of the thread that records it, as a rule, while the recorder is RUNNING:
 * it is accepted and dispatched at once, is not pending, takes no room, and every snapshot shows it. Some such
 * events go through the queue all the same, like all others: of each thread the first ones, also after metrics
 * came or handles were freed, and the first one of each group. Events with a release callback, with a time of
 * their own, or of a recorder with on_metric_changed always go through the queue; with MVX_FOLDING_OFF in the
 * recorder's options, all do. Series appear in the order of their first events, or about in that order where a
 * snapshot is taken, or a metric comes, while these are pending.
 *
 * LOSING NOTHING. By default a full recorder loses events: one that a runtime created drops them, and the
 * call still returns MVX_OK; one that mvx_recorder_create() made refuses them with MVX_QUEUE_OVERFLOW. Where
 * every event must count:
 *
 *   - Set overflow_policy to MVX_OVERFLOW_BLOCK, and block_timeout_ns to what production code may wait. There
 *     is no value for ever, but INT64_MAX is 292 years; when the recorder ends, so does the wait.
 *   - Give queue_max_bytes room for the largest event (4,112 bytes hold any), or that event waits in vain.
 *   - Look at what each call returns. After any status but MVX_OK, such as MVX_TIMEOUT, the event was not
 *     queued: register it again, or count it. Callbacks never wait: they get MVX_WOULD_DEADLOCK.
 *   - Stop the recorder, or shut its runtime down, before the process ends, and give that time enough
 *     (shutdown_timeout_ns). Then pending and discarded of mvx_recorder_stats() say how many accepted events
 *     were lost: 0, unless the recorder failed or was cancelled.
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
 * stays loaded after dlclose() or FreeLibrary().
 *
 * VERSIONS. Within one MVX_ABI_VERSION, functions, constants and fields keep their meaning; new ones may be
 * added.
 */

#if defined(_WIN32)
/*
 * WINDOWS. All of the above holds, with these differences:
 *
 *   - Event loops wait for an event HANDLE, mvx_wait_handle(); there is no mvx_wait_fd().
 *   - There is no fork(), hence no MVX_FORKED.
 *   - There are no signals to block. Whoever ends the process, whether by exit(), ExitProcess() or a return from
 *     main(), may do so at any time; TerminateProcess() as well.
 *   - Don't start, stop, wait or shut down in a DllMain() or in the destructor of a DLL's global: the system
 *     lets no thread begin or end meanwhile, and a call that waits for one would wait for ever. Recording
 *     there is fine.
 *   - FreeLibrary() succeeds, but the DLL stays until the process ends: it pins itself when it is loaded.
 *   - Texts are UTF-8 on Windows too, not the code page of the system.
 *   - The functions are those of a 64-bit DLL, mvx_metrics.dll; programs link with its import library. No
 *     declaration needs __declspec(dllimport). Memory that the library hands out is freed by the library's
 *     own functions, whichever C runtime the program has.
 */
#endif

#include <stddef.h>
#include <stdint.h>

