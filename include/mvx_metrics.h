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

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Handles ---- */

/**
 * The token of one call of a hook. A handle; mvx_completion_done() consumes it, and a hook that returns
 * anything but MVX_HOOK_PENDING leaves it to the library.
 */
typedef struct mvx_completion mvx_completion;

/**
 * A recorder. A handle; free it with mvx_recorder_free().
 */
typedef struct mvx_recorder mvx_recorder;

/**
 * A runtime: the threads of the library, and a registry of recorders. A handle; free it with
 * mvx_runtime_free().
 */
typedef struct mvx_runtime mvx_runtime;

/**
 * One waiter's hold on an operation that was begun. A handle; free it with mvx_wait_free().
 */
typedef struct mvx_wait mvx_wait;

/* ---- Texts ---- */

/**
 * A list of texts that its receiver owns. Free it with mvx_strings_free().
 */
typedef struct mvx_strings mvx_strings;

/**
 * A text that its receiver owns. Free it with mvx_text_free().
 */
typedef struct mvx_text mvx_text;

/**
 * A text. As an argument it is copied before the call returns. Where the library hands one out, `data` is
 * never NULL, and the function says how long it may be read. MVX_STR("literal") makes one of a string
 * literal.
 */
typedef struct mvx_str {
    /**
     * UTF-8; it need not end in NUL, and may be NULL where `len` is 0.
     */
    const char *data;
    /**
     * The number of bytes.
     */
    size_t len;
} mvx_str;

/**
 * The text itself.
 *
 * - text: NULL gives an empty text.
 * - Result: borrowed, until mvx_text_free().
 * - Any thread, as long as none frees the text. Does not block. Callbacks may call it.
 */
mvx_str mvx_text_str(const mvx_text *text);

/**
 * Frees a text.
 *
 * - text: taken; NULL is fine.
 * - Any thread, when no other uses the text. Does not block. Callbacks may call it.
 */
void mvx_text_free(mvx_text *text);

/**
 * The number of texts in a list.
 *
 * - strings: NULL gives 0.
 * - Any thread, as long as none frees the list. Does not block. Callbacks may call it.
 */
size_t mvx_strings_len(const mvx_strings *strings);

/**
 * One text of a list.
 *
 * - strings: NULL gives an empty text.
 * - index: from 0 on; past the end it gives an empty text.
 * - Result: borrowed, until mvx_strings_free().
 * - Any thread, as long as none frees the list. Does not block. Callbacks may call it.
 */
mvx_str mvx_strings_at(const mvx_strings *strings, size_t index);

/**
 * Frees a list and its texts.
 *
 * - strings: taken; NULL is fine.
 * - Any thread, when no other uses the list. Does not block. Callbacks may call it.
 */
void mvx_strings_free(mvx_strings *strings);

/**
 * An mvx_str of a string literal.
 */
#ifdef __cplusplus
#define MVX_STR(literal) (mvx_str{"" literal, sizeof(literal) - 1})
#else
#define MVX_STR(literal) ((mvx_str){"" literal, sizeof(literal) - 1})
#endif

/* ---- Statuses ---- */

/**
 * What a call returns: MVX_OK or another of the constants below. Numbers keep their meaning for ever; later
 * versions may add some, so treat an unknown one as a failure.
 */
typedef int32_t mvx_status;

/**
 * Success.
 */
#define MVX_OK 0

/**
 * An argument is bad; the error names it.
 */
#define MVX_INVALID_ARGUMENT 1

/**
 * A handle is NULL, was freed, is of another type, or was never handed out.
 */
#define MVX_INVALID_HANDLE 2

/**
 * The recorder or runtime is in a state in which this can't be done.
 */
#define MVX_INVALID_STATE 3

/**
 * The pending limit is reached; the event was refused.
 */
#define MVX_QUEUE_OVERFLOW 4

/**
 * There is one of that name already.
 */
#define MVX_ALREADY_EXISTS 5

/**
 * There is none of that name.
 */
#define MVX_NOT_FOUND 6

/**
 * A hook failed. Hooks return this number too, to say so.
 */
#define MVX_HOOK_FAILED 7

/**
 * A callback of a metric failed.
 */
#define MVX_METRIC_FAILED 8

/**
 * A runtime, or a recorder that a runtime was creating, did not start.
 */
#define MVX_STARTUP_FAILED 9

/**
 * A recorder of a runtime did not stop as it should.
 */
#define MVX_STOP_FAILED 10

/**
 * Recorders did not stop as they should while their runtime was shut down.
 */
#define MVX_SHUTDOWN_FAILED 11

/**
 * A limit of the library is reached.
 */
#define MVX_LIMIT_REACHED 12

/**
 * The operation ended because its recorder was cancelled.
 */
#define MVX_CANCELLED 13

/**
 * It did not happen in time.
 */
#define MVX_TIMEOUT 14

/**
 * The operation is not over yet.
 */
#define MVX_NOT_READY 15

/**
 * The calling thread would wait for itself: it is inside a callback.
 */
#define MVX_WOULD_DEADLOCK 16

/**
 * The handle was made before fork() and belongs to the parent process.
 */
#define MVX_FORKED 17

/**
 * Not offered by this version, or on this platform.
 */
#define MVX_UNSUPPORTED 18

/**
 * A fault of the library or of the machine.
 */
#define MVX_UNEXPECTED 19

/**
 * The name of a status, such as "MVX_INVALID_STATE"; "MVX_UNKNOWN" for a number that is none.
 *
 * - Result: a static text that ends in NUL; never NULL.
 * - Any thread. Does not block. Callbacks may call it.
 */
const char *mvx_status_name(mvx_status status);

/* ---- Versions ---- */

/**
 * The version of this surface that the header describes.
 */
#define MVX_ABI_VERSION 1

/**
 * The version of the surface that the library has: compare it with MVX_ABI_VERSION of the header. It changes
 * only with what breaks callers; functions, constants and fields at the end of structs are added without.
 *
 * - Any thread. Does not block. Callbacks may call it.
 */
uint32_t mvx_abi_version(void);

/**
 * The version of the library, such as "0.1.0".
 *
 * - Result: a static text that ends in NUL; never NULL.
 * - Any thread. Does not block. Callbacks may call it.
 */
const char *mvx_version(void);

/* ---- Errors ---- */

/**
 * Why a call failed. Whoever receives one through an `error` parameter frees it with mvx_error_free(); one
 * that a callback is handed, and the cause of an error, are borrowed.
 */
typedef struct mvx_error mvx_error;

/**
 * The status that the failed call returned.
 *
 * - error: NULL gives MVX_OK.
 * - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
 */
mvx_status mvx_error_status(const mvx_error *error);

/**
 * The stable reason, for programs, such as "INVALID_RECORDER_STATE". They are listed at the beginning of this
 * header, under REASONS.
 *
 * - error: NULL gives an empty text.
 * - Result: borrowed, as long as the error is there.
 * - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
 */
mvx_str mvx_error_reason(const mvx_error *error);

/**
 * What happened, for people; the wording may change.
 *
 * - error: NULL gives an empty text.
 * - Result: borrowed, as long as the error is there.
 * - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
 */
mvx_str mvx_error_message(const mvx_error *error);

/**
 * Facts about it, as a JSON object, such as {"recorder_state":"STOPPED","expected_states":["RUNNING"]}. It
 * is {} where there are none.
 *
 * - error: NULL gives an empty text.
 * - Result: borrowed, as long as the error is there.
 * - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
 */
mvx_str mvx_error_details_json(const mvx_error *error);

/**
 * What led to it: an error in its turn, for instance the one of your callback (its reason is
 * CALLBACK_ERROR).
 *
 * - error: NULL gives NULL.
 * - Result: borrowed, as long as `error` is there; NULL where there is no cause. Do not free it.
 * - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
 */
const mvx_error *mvx_error_cause(const mvx_error *error);

/**
 * Frees an error and its causes.
 *
 * - error: taken; NULL is fine. Only errors that came through an out-parameter are freed.
 * - Any thread, when no other uses the error. Does not block. Callbacks may call it.
 */
void mvx_error_free(mvx_error *error);

/* ---- Errors of callbacks ---- */

/**
 * Where a callback puts its message; it is there while the callback runs.
 */
typedef struct mvx_callback_error mvx_callback_error;

/**
 * Says why the callback is going to fail. The message becomes the cause of the error that follows (reason
 * CALLBACK_ERROR). It is of no consequence where the callback then succeeds; the last message counts.
 *
 * - error: what the callback was handed, valid until it returns; NULL is fine.
 * - message: copied; what is not UTF-8 is replaced. NULL data with a length is ignored.
 * - Any thread, while the callback runs. Does not block. Meant for callbacks.
 */
void mvx_callback_error_set(mvx_callback_error *error, mvx_str message);

/* ---- Events ---- */

/**
 * Kind of a field: int8_t.
 */
#define MVX_FIELD_I8 1

/**
 * Kind of a field: int16_t.
 */
#define MVX_FIELD_I16 2

/**
 * Kind of a field: int32_t.
 */
#define MVX_FIELD_I32 3

/**
 * Kind of a field: int64_t.
 */
#define MVX_FIELD_I64 4

/**
 * Kind of a field: uint8_t.
 */
#define MVX_FIELD_U8 5

/**
 * Kind of a field: uint16_t.
 */
#define MVX_FIELD_U16 6

/**
 * Kind of a field: uint32_t.
 */
#define MVX_FIELD_U32 7

/**
 * Kind of a field: uint64_t.
 */
#define MVX_FIELD_U64 8

/**
 * Kind of a field: float.
 */
#define MVX_FIELD_F32 9

/**
 * Kind of a field: double.
 */
#define MVX_FIELD_F64 10

/**
 * Kind of a field: one byte, 0 is false.
 */
#define MVX_FIELD_BOOL 11

/**
 * Kind of a field: an mvx_symbol.
 */
#define MVX_FIELD_SYMBOL 12

/**
 * Kind of a field: char[size], a text that ends at the first NUL or after `size` bytes.
 */
#define MVX_FIELD_TEXT 13

/**
 * Flag of an event type: each event carries the time of its registration. Without, it carries the time at
 * which the library took up the batch that it came in, which costs nothing.
 */
#define MVX_EVENT_TYPE_TIMED 1u

/**
 * The size of the first version of mvx_event_type_options.
 */
#define MVX_EVENT_TYPE_OPTIONS_V1_SIZE 72

/**
 * The size of the first version of mvx_event.
 */
#define MVX_EVENT_V1_SIZE 56

/**
 * One declared field of a payload. Numbers are in the byte order of the machine and may lie unaligned.
 */
typedef struct mvx_field {
    /**
     * Unique within its event type; 1 to 255 bytes.
     */
    mvx_str name;
    /**
     * MVX_FIELD_I8 ... MVX_FIELD_TEXT.
     */
    uint32_t kind;
    /**
     * Where the field begins in the payload, in bytes.
     */
    uint32_t offset;
    /**
     * Its bytes: those of its kind (0 stands for that), or the length of a text.
     */
    uint32_t size;
} mvx_field;

/**
 * What an event type is declared with.
 */
typedef struct mvx_event_type_options {
    /**
     * sizeof(mvx_event_type_options).
     */
    size_t struct_size;
    /**
     * 1 to 255 bytes, such as "document_storage.save.attempt".
     */
    mvx_str name;
    /**
     * The fields that native metrics, JSON and logs can read; may be NULL: then the payload is opaque to
     * them.
     */
    const mvx_field *fields;
    /**
     * How many; 64 at most.
     */
    size_t field_count;
    /**
     * 0 or MVX_EVENT_TYPE_TIMED.
     */
    uint32_t flags;
    /**
     * For payloads that refer to something of yours; may be NULL. Called once for each accepted event, after
     * its dispatch or when it is discarded; never for one that was refused or dropped. Runs on a library
     * thread, or on the thread that cancels the recorder.
     */
    void (*release)(void *user_data, const void *payload, size_t len);
    /**
     * Frees user_data; may be NULL. An event type lives as long as the process, so this is called only where
     * the declaration fails, where it repeats an earlier one, or where there is no `release`.
     */
    void (*drop)(void *user_data);
    /**
     * Handed to `release` and `drop`.
     */
    void *user_data;
} mvx_event_type_options;

/**
 * The number of an event type, for the whole process; never 0.
 */
typedef uint32_t mvx_event_type;

/**
 * The number of an interned text, for the whole process; never 0. In a field, 0 and numbers that are no
 * symbol are no error: they are grouped under the label "", and filters take them for the empty text.
 */
typedef uint32_t mvx_symbol;

/**
 * An event as a metric or hook sees it. It and its payload are there while the callback runs.
 */
typedef struct mvx_event {
    /**
     * The size of this struct as the library has it.
     */
    size_t struct_size;
    /**
     * Its event type.
     */
    mvx_event_type type;
    /**
     * The name of its event type; a static text.
     */
    mvx_str type_name;
    /**
     * The payload, aligned to 8 bytes; of no meaning where `len` is 0.
     */
    const void *payload;
    /**
     * The number of bytes of the payload.
     */
    size_t len;
    /**
     * Nanoseconds since the Unix epoch; MVX_EVENT_TYPE_TIMED says of what.
     */
    uint64_t time_unix_ns;
} mvx_event;

/**
 * Declares an event type, or finds the one that was declared before. The same name with the same fields,
 * flags, `release` and user_data gives the same number; with others it is an error.
 *
 * - options: copied. Its `drop` has run when the call returns, where the declaration failed or was a
 *   repetition.
 * - type: receives the number, which is good for the life of the process.
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_ALREADY_EXISTS (EVENT_TYPE_ALREADY_EXISTS), MVX_LIMIT_REACHED
 *   (there are 65,536 event types), MVX_UNEXPECTED.
 */
mvx_status mvx_event_type_declare(const mvx_event_type_options *options,
                                  mvx_event_type *type,
                                  mvx_error **error);

/**
 * The name of an event type.
 *
 * - type: a number that mvx_event_type_declare() gave.
 * - name: receives a static text.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT (there is no such event type, or `name` is NULL), MVX_UNEXPECTED.
 */
mvx_status mvx_event_type_name(mvx_event_type type, mvx_str *name);

/**
 * Interns a text, for fields of kind MVX_FIELD_SYMBOL: texts that repeat, such as an outcome or a route. The
 * same text gives the same number. Interned texts live as long as the process, so don't intern what has no
 * bounds.
 *
 * - text: at most 4,096 bytes; copied.
 * - symbol: receives the number.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_LIMIT_REACHED (there are 1,048,576 texts), MVX_UNEXPECTED.
 */
mvx_status mvx_intern(mvx_str text, mvx_symbol *symbol);

/**
 * The text of a symbol.
 *
 * - symbol: a number that mvx_intern() gave.
 * - text: receives a static text.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT (there is no such symbol, or `text` is NULL), MVX_UNEXPECTED.
 */
mvx_status mvx_symbol_text(mvx_symbol symbol, mvx_str *text);

/* ---- Log ---- */

/**
 * Log level: something failed.
 */
#define MVX_LOG_ERROR 1

/**
 * Log level: something is not as it should be.
 */
#define MVX_LOG_WARN 2

/**
 * Log level: what the host asked for, and what came of it.
 */
#define MVX_LOG_INFO 3

/**
 * Log level: details.
 */
#define MVX_LOG_DEBUG 4

/**
 * Log level: every step.
 */
#define MVX_LOG_TRACE 5

/**
 * Log policy: nothing.
 */
#define MVX_LOG_POLICY_SILENT 1

/**
 * Log policy: what changes something (start, stop, register_metric, creating, stopping and removing
 * recorders, shutdown), dispatch errors and failed clean-ups. The default.
 */
#define MVX_LOG_POLICY_NORMAL 2

/**
 * Log policy: look-ups, snapshots and iter_metrics too.
 */
#define MVX_LOG_POLICY_INSPECTION 3

/**
 * The size of the first version of mvx_log_record.
 */
#define MVX_LOG_RECORD_V1_SIZE 80

/**
 * The size of the first version of mvx_log.
 */
#define MVX_LOG_V1_SIZE 40

/**
 * A fact in a log record.
 */
typedef struct mvx_log_field {
    /**
     * What it is.
     */
    mvx_str key;
    /**
     * Its value, as text.
     */
    mvx_str value;
} mvx_log_field;

/**
 * One log record. It, and all its texts, are there while the callback runs.
 *
 * Events are named "metrics_runtime.<operation>.invoke", then ".success" or ".failed", with the operations
 * start, shutdown, create_recorder, get_recorder, try_get_recorder, list_recorder_ids, stop_recorder and
 * stop_and_remove_recorder; likewise "metrics_recorder.<operation>..." with start, stop, register_metric,
 * snapshot and iter_metrics; and "metrics_recorder.dispatch_error", "metrics_recorder.cleanup.failed",
 * "metrics_recorder.overflow".
 */
typedef struct mvx_log_record {
    /**
     * The size of this struct as the library has it.
     */
    size_t struct_size;
    /**
     * MVX_LOG_ERROR ... MVX_LOG_TRACE.
     */
    int32_t level;
    /**
     * The event, such as "metrics_recorder.start.failed".
     */
    mvx_str event;
    /**
     * The part of the library that speaks.
     */
    mvx_str target;
    /**
     * The recorder's entity id, or the runtime's namespace.
     */
    mvx_str entity_id;
    /**
     * Further facts.
     */
    const mvx_log_field *fields;
    /**
     * How many.
     */
    size_t field_count;
} mvx_log_record;

/**
 * A log, as the options of a runtime or recorder name it.
 */
typedef struct mvx_log {
    /**
     * sizeof(mvx_log).
     */
    size_t struct_size;
    /**
     * MVX_LOG_POLICY_SILENT, _NORMAL or _INSPECTION; 0: NORMAL.
     */
    uint32_t policy;
    /**
     * Nothing less severe than this: MVX_LOG_ERROR ... MVX_LOG_TRACE; 0: INFO.
     */
    int32_t max_level;
    /**
     * Takes one record, on whatever thread it happened, also on several at once. NULL only where the policy
     * is SILENT.
     */
    void (*write)(void *user_data, const mvx_log_record *record);
    /**
     * Frees user_data; may be NULL. Called once, on any thread, after the last record; also where the call
     * that names this log fails.
     */
    void (*drop)(void *user_data);
    /**
     * Handed to `write` and `drop`.
     */
    void *user_data;
} mvx_log;

/* ---- Threads ---- */

/**
 * The size of the first version of mvx_thread_hooks.
 */
#define MVX_THREAD_HOOKS_V1_SIZE 40

/**
 * Callbacks on each thread that a runtime starts, for instance to attach it to a virtual machine.
 */
typedef struct mvx_thread_hooks {
    /**
     * sizeof(mvx_thread_hooks).
     */
    size_t struct_size;
    /**
     * The first thing that a thread does; may be NULL.
     */
    void (*on_start)(void *user_data);
    /**
     * The last thing that a thread does; may be NULL. It runs before thread-local destructors.
     */
    void (*on_stop)(void *user_data);
    /**
     * Frees user_data; may be NULL. Called once, on any thread, after the last of the others; also where the
     * call that names these hooks fails.
     */
    void (*drop)(void *user_data);
    /**
     * Handed to all of them.
     */
    void *user_data;
} mvx_thread_hooks;

/* ---- Hooks ---- */

/**
 * What a hook returns when it is done. One that failed returns MVX_HOOK_FAILED (7); any number that is none
 * of the three counts as a failure too.
 */
#define MVX_HOOK_DONE 0

/**
 * What a hook returns that finishes later, by mvx_completion_done(). Only dispatching of its own recorder
 * waits for it.
 */
#define MVX_HOOK_PENDING 1

/**
 * The size of the first version of mvx_hooks.
 */
#define MVX_HOOKS_V1_SIZE 48

/**
 * The hooks of a recorder; each may be NULL. They run on library threads, one at a time. `completion` is a
 * token for this call: a hook that returns MVX_HOOK_PENDING keeps it and completes it once; after any other
 * result it is no longer valid.
 */
typedef struct mvx_hooks {
    /**
     * sizeof(mvx_hooks).
     */
    size_t struct_size;
    /**
     * Runs at each start, before the first event is dispatched. If it fails, so does the start, with
     * ON_STARTING_HOOK_FAILED.
     */
    int32_t (*on_starting)(void *user_data, mvx_completion *completion, mvx_callback_error *error);
    /**
     * Runs at each stop, after the last event, and once as clean-up where the recorder failed or was
     * cancelled.
     */
    int32_t (*on_stopped)(void *user_data, mvx_completion *completion, mvx_callback_error *error);
    /**
     * Runs after an event changed a metric, for each such metric and event, before the next metric sees the
     * event. `metric_user_data` is NULL for native metrics. A recorder without this hook is faster.
     */
    int32_t (*on_metric_changed)(void *user_data,
                                 mvx_str metric_name,
                                 void *metric_user_data,
                                 const mvx_event *event,
                                 mvx_completion *completion,
                                 mvx_callback_error *error);
    /**
     * Frees user_data; may be NULL. Called once, on any thread, after the last of the others; also where the
     * call that names these hooks fails.
     */
    void (*drop)(void *user_data);
    /**
     * Handed to all of them.
     */
    void *user_data;
} mvx_hooks;

/**
 * Completes a hook that returned MVX_HOOK_PENDING, or is about to. The token is consumed.
 *
 * - completion: the token that the hook was handed.
 * - error_message: copied; empty means success, anything else makes the hook fail with it.
 * - Any thread, also before the hook has returned. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE (also the second time, and where the hook returned anything else than
 *   MVX_HOOK_PENDING), MVX_FORKED, MVX_INVALID_ARGUMENT (the message is not UTF-8; the token stays good),
 *   MVX_UNEXPECTED.
 */
mvx_status mvx_completion_done(mvx_completion *completion, mvx_str error_message);

/* ---- Options ---- */

/**
 * At the pending limit: the call succeeds, the event is not queued, and it is counted as dropped. The
 * default of the recorders that a runtime creates.
 */
#define MVX_OVERFLOW_DROP 1

/**
 * At the pending limit: the call returns MVX_QUEUE_OVERFLOW, the event is not queued, and it is counted as
 * refused. The default of a recorder made by mvx_recorder_create(), whatever its runtime's policy is.
 */
#define MVX_OVERFLOW_RAISE_ERROR 2

/**
 * At the pending limit: the call waits for room, up to block_timeout_ns, then returns MVX_TIMEOUT. Callbacks
 * don't wait: they get MVX_WOULD_DEADLOCK. In both cases the event is not queued, and is counted as refused.
 */
#define MVX_OVERFLOW_BLOCK 3

/**
 * A metric that fails makes its recorder FAILURE. The default.
 */
#define MVX_METRIC_ERROR_FAIL_RECORDER 1

/**
 * A metric that fails gets no more events; the recorder and its other metrics go on.
 */
#define MVX_METRIC_ERROR_QUARANTINE_METRIC 2

/**
 * An event that only native counters without a value field want, and that no on_metric_changed hook sees, may
 * be counted in memory of the thread that records it: it is never pending, takes no room, and is dispatched as
 * soon as it is accepted. The default.
 */
#define MVX_FOLDING_ON 1

/**
 * Every event goes through the queue.
 */
#define MVX_FOLDING_OFF 2

/**
 * The size of the first version of mvx_runtime_options.
 */
#define MVX_RUNTIME_OPTIONS_V1_SIZE 88

/**
 * The size of the first version of mvx_recorder_options.
 */
#define MVX_RECORDER_OPTIONS_V1_SIZE 96

/**
 * Options of a runtime. Fill it with zeros, set struct_size, then what should differ from the defaults.
 */
typedef struct mvx_runtime_options {
    /**
     * sizeof(mvx_runtime_options).
     */
    size_t struct_size;
    /**
     * Names the runtime, in logs and as the default of its recorders. Empty: "mvx".
     */
    mvx_str name_space;
    /**
     * Pending events of each recorder, at most. 0: 10,000; negative: MVX_INVALID_ARGUMENT.
     */
    int64_t recorder_queue_max_size;
    /**
     * MVX_OVERFLOW_DROP, _RAISE_ERROR or _BLOCK, for recorders that the runtime creates. 0: DROP.
     */
    uint32_t recorder_overflow_policy;
    /**
     * Threads that coordinate, at most 1,024. 0: 1. Dispatching and callbacks have further ones, as many as
     * are busy at once.
     */
    uint32_t worker_threads;
    /**
     * What bounds a shutdown, in nanoseconds. 0: 5 s; negative: MVX_INVALID_ARGUMENT.
     */
    int64_t shutdown_timeout_ns;
    /**
     * The log of the runtime, and of its recorders where they name none. NULL: none.
     */
    const mvx_log *log;
    /**
     * Begins the names of the runtime's threads; no NUL inside. Empty: "mvx".
     */
    mvx_str thread_name_prefix;
    /**
     * Bytes of pending events of each recorder, at most: an event takes its payload, rounded up to a
     * multiple of 8, and 16 more. 0: 16 MiB; negative: MVX_INVALID_ARGUMENT.
     */
    int64_t recorder_queue_max_bytes;
    /**
     * Callbacks on each thread of the runtime. NULL: none.
     */
    const mvx_thread_hooks *thread_hooks;
} mvx_runtime_options;

/**
 * Options of a recorder. Fill it with zeros, set struct_size, then what should differ from the defaults.
 * Where a runtime creates the recorder, its own options are the defaults.
 */
typedef struct mvx_recorder_options {
    /**
     * sizeof(mvx_recorder_options).
     */
    size_t struct_size;
    /**
     * Names the recorder in logs and snapshots; trimmed, then at most 255 bytes. Blank: the recorder id
     * where a runtime creates it, otherwise eight random hex digits.
     */
    mvx_str entity_id;
    /**
     * Empty: the runtime's.
     */
    mvx_str name_space;
    /**
     * Pending events, at most. 0: the runtime's; negative: MVX_INVALID_ARGUMENT.
     */
    int64_t queue_max_size;
    /**
     * Bytes of pending events, at most, counted as for a runtime; the pending limit is reached where either
     * this or queue_max_size is. An event that is larger than this can never be queued: it is dropped or
     * refused, under MVX_OVERFLOW_BLOCK after all of block_timeout_ns. 0: the runtime's; negative:
     * MVX_INVALID_ARGUMENT.
     */
    int64_t queue_max_bytes;
    /**
     * MVX_OVERFLOW_DROP, _RAISE_ERROR or _BLOCK. 0: the runtime's where it creates the recorder, otherwise
     * RAISE_ERROR.
     */
    uint32_t overflow_policy;
    /**
     * How long MVX_OVERFLOW_BLOCK waits, in nanoseconds. 0: 1 s; negative: MVX_INVALID_ARGUMENT. For ever:
     * INT64_MAX, which is 292 years.
     */
    int64_t block_timeout_ns;
    /**
     * MVX_METRIC_ERROR_FAIL_RECORDER or _QUARANTINE_METRIC. 0: FAIL_RECORDER.
     */
    uint32_t metric_error_policy;
    /**
     * MVX_FOLDING_ON or _OFF. 0: ON.
     */
    uint32_t folding;
    /**
     * NULL: none.
     */
    const mvx_hooks *hooks;
    /**
     * NULL: the runtime's.
     */
    const mvx_log *log;
} mvx_recorder_options;

/* ---- Runtimes ---- */

/**
 * State of a runtime: created, not started.
 */
#define MVX_RUNTIME_VIRGIN 0

/**
 * State of a runtime: its threads are being started.
 */
#define MVX_RUNTIME_STARTING 1

/**
 * State of a runtime: ready for recorders.
 */
#define MVX_RUNTIME_RUNNING 2

/**
 * State of a runtime: it is being shut down.
 */
#define MVX_RUNTIME_STOPPING 3

/**
 * State of a runtime: shut down, for good.
 */
#define MVX_RUNTIME_CLOSED 4

/**
 * State of a runtime: it failed to start, or recorders failed to stop; for good.
 */
#define MVX_RUNTIME_FAILURE 5

/**
 * Creates a runtime, which is VIRGIN: it has no threads yet.
 *
 * - options: copied; NULL: all defaults. What they name is dropped (its `drop` runs) where the call fails.
 * - runtime: receives a handle to free with mvx_runtime_free().
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_create(const mvx_runtime_options *options, mvx_runtime **runtime, mvx_error **error);

/**
 * The default runtime of the process: created and started when it is first asked for, and anew after it was
 * shut down.
 *
 * - runtime: receives a handle of its own, to free with mvx_runtime_free(). Freeing it does not shut the
 *   runtime down.
 * - error: may be NULL.
 * - Any thread. Blocks while the runtime starts its threads. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_STARTUP_FAILED, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_default(mvx_runtime **runtime, mvx_error **error);

/**
 * A further reference to the same runtime.
 *
 * - runtime: stays the caller's.
 * - clone: receives a handle of its own, to free with mvx_runtime_free().
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_clone(mvx_runtime *runtime, mvx_runtime **clone);

/**
 * Starts the threads of a VIRGIN runtime. A RUNNING one is left as it is.
 *
 * - runtime: stays the caller's.
 * - error: may be NULL.
 * - Any thread. Blocks while the threads start. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (it is, or is being, shut down),
 *   MVX_STARTUP_FAILED (the runtime is FAILURE then), MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_start(mvx_runtime *runtime, mvx_error **error);

/**
 * Shuts a runtime down, for good: stops its recorders, which flushes what they accepted, removes them, and
 * joins the threads. Calls at the same time join. A runtime that is VIRGIN or CLOSED is CLOSED at once. What
 * is not done by the deadline (shutdown_timeout_ns) is cancelled. The handle must still be freed.
 *
 * - runtime: stays the caller's.
 * - error: may be NULL. Its details list failed_recorder_ids, recorder_errors and undelivered_events.
 * - Any thread, except those of the runtime. Blocks until it is over. From a callback: MVX_WOULD_DEADLOCK.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (it is FAILURE), MVX_SHUTDOWN_FAILED,
 *   MVX_WOULD_DEADLOCK, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_shutdown(mvx_runtime *runtime, mvx_error **error);

/**
 * The same, without waiting: the wait's operation is MVX_OPERATION_SHUTDOWN.
 *
 * - runtime: stays the caller's.
 * - wait: receives a handle to free with mvx_wait_free().
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it, but not wait for it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
 *   MVX_LIMIT_REACHED, MVX_UNEXPECTED; what came of the shutdown is the wait's result.
 */
mvx_status mvx_runtime_shutdown_async(mvx_runtime *runtime, mvx_wait **wait, mvx_error **error);

/**
 * The state of a runtime.
 *
 * - runtime: stays the caller's.
 * - state: receives MVX_RUNTIME_VIRGIN ... MVX_RUNTIME_FAILURE.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_state(const mvx_runtime *runtime, int32_t *state);

/**
 * The error that a runtime keeps: why it is FAILURE.
 *
 * - runtime: stays the caller's.
 * - last_error: receives an error to free with mvx_error_free(), or NULL where there is none.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_last_error(const mvx_runtime *runtime, mvx_error **last_error);

/**
 * Creates a recorder, starts it, and registers it with the runtime under an id. Of calls at the same time
 * with one id, one succeeds. Where the start fails, the id is free again.
 *
 * - runtime: stays the caller's; it must be RUNNING.
 * - recorder_id: copied and trimmed; then 1 to 255 bytes.
 * - options: copied; NULL: all defaults. What they name is dropped (its `drop` runs) where the call fails.
 * - recorder: receives a handle to free with mvx_recorder_free(). The runtime holds the recorder too, until
 *   it is removed.
 * - error: may be NULL.
 * - Any thread. Blocks until the recorder is RUNNING, its on_starting hook included. A callback that would
 *   thereby wait for itself gets MVX_WOULD_DEADLOCK.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
 *   MVX_ALREADY_EXISTS, MVX_STARTUP_FAILED, MVX_WOULD_DEADLOCK, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_create_recorder(mvx_runtime *runtime,
                                       mvx_str recorder_id,
                                       const mvx_recorder_options *options,
                                       mvx_recorder **recorder,
                                       mvx_error **error);

/**
 * A reference to the recorder that is registered under an id.
 *
 * - runtime: stays the caller's; it must be RUNNING.
 * - recorder_id: trimmed.
 * - recorder: receives a handle of its own, to free with mvx_recorder_free().
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE, MVX_NOT_FOUND,
 *   MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_get_recorder(mvx_runtime *runtime,
                                    mvx_str recorder_id,
                                    mvx_recorder **recorder,
                                    mvx_error **error);

/**
 * The same, where it is no error that there is none.
 *
 * - runtime: stays the caller's; it must be RUNNING.
 * - recorder_id: trimmed.
 * - recorder: receives a handle of its own, to free with mvx_recorder_free(), or NULL where there is none.
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
 *   MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_try_get_recorder(mvx_runtime *runtime,
                                        mvx_str recorder_id,
                                        mvx_recorder **recorder,
                                        mvx_error **error);

/**
 * The ids of the runtime's recorders.
 *
 * - runtime: stays the caller's; it must be RUNNING.
 * - ids: receives a list to free with mvx_strings_free(); what happens later does not change it.
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_list_recorder_ids(mvx_runtime *runtime, mvx_strings **ids, mvx_error **error);

/**
 * Stops a recorder and leaves it registered. One that is STOPPED is left as it is; a stop under way is
 * joined.
 *
 * - runtime: stays the caller's; it must be RUNNING.
 * - recorder_id: trimmed.
 * - error: may be NULL.
 * - Any thread. Blocks until the recorder's events are dispatched and its on_stopped hook is done. A
 *   callback of that recorder gets MVX_WOULD_DEADLOCK.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE, MVX_NOT_FOUND,
 *   MVX_STOP_FAILED, MVX_WOULD_DEADLOCK, MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_stop_recorder(mvx_runtime *runtime, mvx_str recorder_id, mvx_error **error);

/**
 * Stops a recorder and removes it from the runtime, also where stopping fails.
 *
 * - runtime: stays the caller's; it must be RUNNING.
 * - recorder_id: trimmed.
 * - recorder: receives a handle to free with mvx_recorder_free(); may be NULL.
 * - error: may be NULL.
 * - Any thread. Blocks until the recorder's events are dispatched and its on_stopped hook is done. A
 *   callback of that recorder gets MVX_WOULD_DEADLOCK.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE, MVX_NOT_FOUND
 *   (also for the second of two such calls), MVX_STOP_FAILED, MVX_WOULD_DEADLOCK, MVX_LIMIT_REACHED,
 *   MVX_UNEXPECTED.
 */
mvx_status mvx_runtime_stop_and_remove_recorder(mvx_runtime *runtime,
                                                mvx_str recorder_id,
                                                mvx_recorder **recorder,
                                                mvx_error **error);

/**
 * Frees a reference to a runtime. Calls under way go on. The runtime itself goes with its last reference and
 * its last recorder; shut it down before, so as to know what came of it.
 *
 * - runtime: taken; NULL, and what is no live handle, is ignored.
 * - Any thread. Does not block. Callbacks may call it.
 */
void mvx_runtime_free(mvx_runtime *runtime);

/* ---- Recorders ---- */

/**
 * State of a recorder: created, not started. An event starts it.
 */
#define MVX_RECORDER_VIRGIN 0

/**
 * State of a recorder: its on_starting hook runs; events are accepted and wait.
 */
#define MVX_RECORDER_STARTING 1

/**
 * State of a recorder: events are dispatched.
 */
#define MVX_RECORDER_RUNNING 2

/**
 * State of a recorder: what was accepted is dispatched, then its on_stopped hook runs.
 */
#define MVX_RECORDER_STOPPING 3

/**
 * State of a recorder: stopped; it can be started again, and its metrics keep their values.
 */
#define MVX_RECORDER_STOPPED 4

/**
 * State of a recorder: a hook or metric failed; for good.
 */
#define MVX_RECORDER_FAILURE 5

/**
 * State of a recorder: cancelled; for good.
 */
#define MVX_RECORDER_CANCELLED 6

/**
 * The size of the first version of mvx_stats.
 */
#define MVX_RECORDER_STATS_V1_SIZE 88

/**
 * Counts of a recorder since it was created. At every moment accepted = dispatched + discarded + pending.
 */
typedef struct mvx_recorder_stats {
    /**
     * sizeof(mvx_stats), set by the caller.
     */
    size_t struct_size;
    /**
     * Events that were accepted.
     */
    uint64_t accepted;
    /**
     * Of these: that every metric has handled.
     */
    uint64_t dispatched;
    /**
     * Events that the policy MVX_OVERFLOW_DROP let go of at the pending limit.
     */
    uint64_t dropped;
    /**
     * Events that were refused at the pending limit, with an error.
     */
    uint64_t refused;
    /**
     * Events that were accepted, but not dispatched, because the recorder failed or was cancelled.
     */
    uint64_t discarded;
    /**
     * Events that are pending now, the one being handled included.
     */
    uint64_t pending;
    /**
     * The most events that were pending at once.
     */
    uint64_t pending_max;
    /**
     * Bytes of pending events.
     */
    uint64_t pending_bytes;
    /**
     * Metrics that were quarantined.
     */
    uint64_t quarantined_metrics;
    /**
     * How far dispatching is behind recording, in nanoseconds.
     */
    int64_t lag_ns;
} mvx_stats;

/**
 * Creates a recorder, which is VIRGIN, outside the registry of its runtime. Freeing its last handle stops it
 * in the background, then drops its metrics.
 *
 * - runtime: stays the caller's; NULL: the default runtime, which is created and started on first use. It
 *   must be RUNNING.
 * - options: copied; NULL: all defaults. What they name is dropped (its `drop` runs) where the call fails.
 * - recorder: receives a handle to free with mvx_recorder_free().
 * - error: may be NULL.
 * - Any thread. Does not block, except while the default runtime starts. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
 *   MVX_STARTUP_FAILED, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_create(mvx_runtime *runtime,
                               const mvx_recorder_options *options,
                               mvx_recorder **recorder,
                               mvx_error **error);

/**
 * A further reference to the same recorder.
 *
 * - recorder: stays the caller's.
 * - clone: receives a handle of its own, to free with mvx_recorder_free().
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_clone(mvx_recorder *recorder, mvx_recorder **clone);

/**
 * Starts a recorder that is VIRGIN or STOPPED, and joins a start under way.
 *
 * - recorder: stays the caller's.
 * - wait: receives a handle to free with mvx_wait_free(). In any other state the call succeeds too, and the
 *   wait is over already, with MVX_INVALID_STATE. May be NULL: then the call itself returns that status, or
 *   MVX_OK as soon as the operation is begun; how it ends is not told.
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (only without `wait`),
 *   MVX_LIMIT_REACHED, MVX_UNEXPECTED; the wait's result may also be MVX_HOOK_FAILED or MVX_CANCELLED.
 */
mvx_status mvx_recorder_start(mvx_recorder *recorder, mvx_wait **wait, mvx_error **error);

/**
 * Stops a RUNNING recorder: dispatches what was accepted before, then runs its on_stopped hook; joins a stop
 * under way.
 *
 * - recorder: stays the caller's.
 * - wait: as for mvx_recorder_start(): with NULL the call returns before the operation is over.
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (only without `wait`),
 *   MVX_LIMIT_REACHED, MVX_UNEXPECTED; the wait's result may also be MVX_HOOK_FAILED, MVX_METRIC_FAILED or
 *   MVX_CANCELLED.
 */
mvx_status mvx_recorder_stop(mvx_recorder *recorder, mvx_wait **wait, mvx_error **error);

/**
 * Asks to be told when every event that was accepted before is dispatched; in VIRGIN and STOPPED that is at
 * once. In FAILURE and CANCELLED it can't be done.
 *
 * - recorder: stays the caller's.
 * - wait: as for mvx_recorder_start(): with NULL the call returns before the operation is over.
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (only without `wait`),
 *   MVX_LIMIT_REACHED, MVX_UNEXPECTED; the wait's result may also be MVX_HOOK_FAILED, MVX_METRIC_FAILED or
 *   MVX_CANCELLED.
 */
mvx_status mvx_recorder_flush(mvx_recorder *recorder, mvx_wait **wait, mvx_error **error);

/**
 * Makes a recorder CANCELLED, for good: what is pending, except inside a callback that is running, is
 * discarded and released; start, stop and flush under way end with MVX_CANCELLED. The on_stopped hook runs
 * as clean-up. A CANCELLED recorder is left as it is.
 *
 * - recorder: stays the caller's.
 * - error: may be NULL.
 * - Any thread. Does not wait for callbacks that are running. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (it is FAILURE), MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_cancel(mvx_recorder *recorder, mvx_error **error);

/**
 * The state of a recorder.
 *
 * - recorder: stays the caller's.
 * - state: receives MVX_RECORDER_VIRGIN ... MVX_RECORDER_CANCELLED.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_state(const mvx_recorder *recorder, int32_t *state);

/**
 * The error that a recorder keeps: why it is FAILURE or CANCELLED.
 *
 * - recorder: stays the caller's.
 * - last_error: receives an error to free with mvx_error_free(), or NULL where there is none.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_last_error(const mvx_recorder *recorder, mvx_error **last_error);

/**
 * The entity id of a recorder.
 *
 * - recorder: stays the caller's.
 * - entity_id: receives a text to free with mvx_text_free().
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_entity_id(const mvx_recorder *recorder, mvx_text **entity_id);

/**
 * The namespace of a recorder.
 *
 * - recorder: stays the caller's.
 * - name_space: receives a text to free with mvx_text_free().
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_name_space(const mvx_recorder *recorder, mvx_text **name_space);

/**
 * The counts of a recorder, in every state.
 *
 * - recorder: stays the caller's.
 * - stats: struct_size is set by the caller; receives as many fields as fit.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_stats(const mvx_recorder *recorder, struct mvx_recorder_stats *stats);

/**
 * Records one event. This is the call to make often: it takes no lock, allocates nothing and makes no system
 * call once the thread has recorded events of this type before, unless the policy is MVX_OVERFLOW_BLOCK and
 * there is no room.
 *
 * - recorder: stays the caller's; VIRGIN (which starts it), STARTING or RUNNING.
 * - type: an event type.
 * - payload: copied; may be NULL where `len` is 0.
 * - len: bytes, 4,096 at most, and no fewer than the event type's fields need.
 * - Any thread. Blocks only under MVX_OVERFLOW_BLOCK. Callbacks may call it; they never block.
 * - Returns MVX_OK (also where MVX_OVERFLOW_DROP dropped the event), MVX_INVALID_HANDLE, MVX_FORKED,
 *   MVX_INVALID_ARGUMENT (in any state: there is no such event type, `len` is more than 4,096 or less than
 *   its fields need, or `payload` is NULL and `len` is not 0), MVX_INVALID_STATE (of a STOPPED recorder,
 *   until mvx_recorder_start()), MVX_QUEUE_OVERFLOW, MVX_TIMEOUT, MVX_WOULD_DEADLOCK, MVX_UNSUPPORTED (from
 *   a signal handler that interrupted such a call), MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_register_event(mvx_recorder *recorder,
                                       mvx_event_type type,
                                       const void *payload,
                                       size_t len);

/**
 * Records many events of one type, in the order in which they lie in memory. It accepts as many as fit, from
 * the first one on.
 *
 * - recorder, type: as for mvx_recorder_register_event().
 * - payloads: copied; `count` payloads one after the other. May be NULL where they have no bytes.
 * - len_each: bytes of each payload.
 * - count: how many; may be 0.
 * - accepted: receives how many were accepted, also where not all were: with MVX_OK (the others were
 *   dropped), MVX_INVALID_STATE, MVX_QUEUE_OVERFLOW, MVX_TIMEOUT, MVX_WOULD_DEADLOCK and MVX_UNSUPPORTED.
 *   With any other status it is left as it was.
 * - Any thread. Blocks only under MVX_OVERFLOW_BLOCK. Callbacks may call it; they never block.
 * - Returns what mvx_recorder_register_event() returns for the first event that was not accepted, otherwise
 *   MVX_OK. MVX_INVALID_ARGUMENT also where `accepted` is NULL or len_each * count more than PTRDIFF_MAX.
 */
mvx_status mvx_recorder_register_events(mvx_recorder *recorder,
                                        mvx_event_type type,
                                        const void *payloads,
                                        size_t len_each,
                                        size_t count,
                                        size_t *accepted);

/**
 * Frees a reference to a recorder. Calls under way go on. A recorder made by mvx_recorder_create() is
 * stopped in the background with its last reference, if it is running; one that its runtime created lives
 * until it is removed.
 *
 * - recorder: taken; NULL, and what is no live handle, is ignored.
 * - Any thread. Does not block. Callbacks may call it.
 */
void mvx_recorder_free(mvx_recorder *recorder);

/* ---- Writing snapshots ---- */

/**
 * Writes the snapshot of a metric, into a map that is open already. It is there while the metric's
 * `snapshot` runs.
 *
 * Inside a map every entry has a key of its own, which is not empty; inside a list the key is ignored, so
 * pass an empty one. A call that fails changes nothing. The functions don't block, and may be called from
 * any thread while `snapshot` runs. All return MVX_OK, MVX_INVALID_ARGUMENT (`writer` is NULL, the key is
 * empty, there already or not UTF-8, or nesting is more than 64 deep) or MVX_UNEXPECTED.
 */
typedef struct mvx_writer mvx_writer;

/**
 * Writes a null.
 *
 * - writer: what the metric was handed.
 * - key: copied; ignored inside a list.
 * - Threads, blocking and results: see mvx_writer.
 */
mvx_status mvx_writer_null(mvx_writer *writer, mvx_str key);

/**
 * Writes a truth value.
 *
 * - writer: what the metric was handed.
 * - key: copied; ignored inside a list.
 * - value: 0 is false, anything else is true.
 * - Threads, blocking and results: see mvx_writer.
 */
mvx_status mvx_writer_bool(mvx_writer *writer, mvx_str key, int32_t value);

/**
 * Writes a signed integer.
 *
 * - writer: what the metric was handed.
 * - key: copied; ignored inside a list.
 * - Threads, blocking and results: see mvx_writer.
 */
mvx_status mvx_writer_i64(mvx_writer *writer, mvx_str key, int64_t value);

/**
 * Writes an unsigned integer.
 *
 * - writer: what the metric was handed.
 * - key: copied; ignored inside a list.
 * - Threads, blocking and results: see mvx_writer.
 */
mvx_status mvx_writer_u64(mvx_writer *writer, mvx_str key, uint64_t value);

/**
 * Writes a floating point number. NaN and infinities are allowed; JSON shows them as "NaN", "Infinity",
 * "-Infinity".
 *
 * - writer: what the metric was handed.
 * - key: copied; ignored inside a list.
 * - Threads, blocking and results: see mvx_writer.
 */
mvx_status mvx_writer_f64(mvx_writer *writer, mvx_str key, double value);

/**
 * Writes a text.
 *
 * - writer: what the metric was handed.
 * - key: copied; ignored inside a list.
 * - value: copied.
 * - Threads, blocking and results: see mvx_writer.
 */
mvx_status mvx_writer_str(mvx_writer *writer, mvx_str key, mvx_str value);

/**
 * Begins a map: what follows goes into it, until mvx_writer_end().
 *
 * - writer: what the metric was handed.
 * - key: copied; ignored inside a list.
 * - Threads, blocking and results: see mvx_writer.
 */
mvx_status mvx_writer_begin_map(mvx_writer *writer, mvx_str key);

/**
 * Begins a list: what follows goes into it, until mvx_writer_end().
 *
 * - writer: what the metric was handed.
 * - key: copied; ignored inside a list.
 * - Threads, blocking and results: see mvx_writer.
 */
mvx_status mvx_writer_begin_list(mvx_writer *writer, mvx_str key);

/**
 * Ends the map or list that was begun last. Each one must be ended before `snapshot` returns, or it counts
 * as failed.
 *
 * - writer: what the metric was handed.
 * - Threads, blocking and results: see mvx_writer; MVX_INVALID_ARGUMENT also where nothing is open.
 */
mvx_status mvx_writer_end(mvx_writer *writer);

/* ---- Metrics of the host ---- */

/**
 * Result of handle_event and handle_batch: nothing changed.
 */
#define MVX_EVENT_IGNORED 0

/**
 * Result of handle_event and handle_batch: the metric changed.
 */
#define MVX_EVENT_CHANGED 1

/**
 * Result of handle_event and handle_batch: the metric failed. A number that is none of the three counts as
 * that too.
 */
#define MVX_EVENT_FAILED 2

/**
 * Result of a metric's snapshot: it is written.
 */
#define MVX_SNAPSHOT_DONE 0

/**
 * Result of a metric's snapshot: it failed. Any number but MVX_SNAPSHOT_DONE counts as that.
 */
#define MVX_SNAPSHOT_FAILED 2

/**
 * Flag of a metric: the order of events from different threads does not matter to it, which makes recording
 * them faster. It still gets the events of each thread in their order. Without the flag, an event that was
 * registered before another one (on any thread) comes before it.
 */
#define MVX_METRIC_COMMUTATIVE 1u

/**
 * The size of the first version of mvx_metric_vtable.
 */
#define MVX_METRIC_VTABLE_V1_SIZE 64

/**
 * A metric as a table of functions. They run on library threads, never two of them at once, so a metric
 * needs no lock of its own; but a function may be entered again on the same thread, if it calls something
 * that calls back.
 */
typedef struct mvx_metric_vtable {
    /**
     * sizeof(mvx_metric_vtable).
     */
    size_t struct_size;
    /**
     * Handles one event; returns MVX_EVENT_CHANGED, _IGNORED or _FAILED. May be NULL if there is
     * handle_batch.
     */
    int32_t (*handle_event)(void *user_data, const mvx_event *event, mvx_callback_error *error);
    /**
     * Handles `count` events, in order (the next one lies events[0].struct_size bytes further on, which is
     * sizeof(mvx_event) where library and header are of one version); returns MVX_EVENT_CHANGED if any of
     * them changed the metric, _IGNORED or _FAILED. `changed` is NULL, or has `count` bytes, all 0: set to 1
     * those of the events that changed the metric. May be NULL if there is handle_event.
     */
    int32_t (*handle_batch)(void *user_data,
                            const mvx_event *events,
                            size_t count,
                            uint8_t *changed,
                            mvx_callback_error *error);
    /**
     * Writes the state of the metric into a map that is open already; returns MVX_SNAPSHOT_DONE or _FAILED.
     */
    int32_t (*snapshot)(void *user_data, mvx_writer *writer, mvx_callback_error *error);
    /**
     * Frees user_data; may be NULL. Called once, on any thread, never while another function runs: when the
     * metric was replaced or its recorder is gone, and where its registration fails.
     */
    void (*drop)(void *user_data);
    /**
     * The event types that the metric wants; others never reach it. Copied. NULL: all.
     */
    const mvx_event_type *event_types;
    /**
     * How many. 0: all.
     */
    size_t event_type_count;
    /**
     * 0 or MVX_METRIC_COMMUTATIVE.
     */
    uint32_t flags;
} mvx_metric_vtable;

/**
 * Registers a metric under a name. One of the same name is replaced, in its place; its `drop` runs after the
 * events that were registered before. The metric sees the events that are registered after this call
 * returns.
 *
 * - recorder: stays the caller's; VIRGIN, STARTING or RUNNING.
 * - name: copied; 1 to 255 bytes.
 * - vtable: copied.
 * - user_data: handed to the functions, and owned by the library from here on: where the call fails, `drop`
 *   has run when it returns (unless `vtable` is NULL or its struct_size ends before `drop`).
 * - error: may be NULL.
 * - Any thread. Does not wait for a callback that is running. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
 *   MVX_LIMIT_REACHED, MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_register_metric(mvx_recorder *recorder,
                                        mvx_str name,
                                        const mvx_metric_vtable *vtable,
                                        void *user_data,
                                        mvx_error **error);

/* ---- Kinds of metrics, and looking through them ---- */

/**
 * Kind of a metric: a table of functions of the host.
 */
#define MVX_METRIC_VTABLE 1

/**
 * Kind of a metric: a sum that only grows. A value that is negative, infinite or not a number is left out of
 * it, and counted: the snapshot then has "invalid_events" beside its value. A whole-number sum stays at its
 * largest value instead of wrapping.
 */
#define MVX_METRIC_COUNTER 2

/**
 * Kind of a metric: a sum that grows and shrinks. Not offered by this version: MVX_UNSUPPORTED.
 */
#define MVX_METRIC_UP_DOWN_COUNTER 3

/**
 * Kind of a metric: the last value, in the order in which events were registered, across threads too. Its
 * value in a snapshot is null before the first event.
 */
#define MVX_METRIC_GAUGE 4

/**
 * Kind of a metric: how many values lie between given bounds. Not offered by this version: MVX_UNSUPPORTED.
 */
#define MVX_METRIC_HISTOGRAM 5

/**
 * Kind of a metric: how many values lie between bounds that grow by powers of 2. Not offered by this version:
 * MVX_UNSUPPORTED.
 */
#define MVX_METRIC_EXPONENTIAL_HISTOGRAM 6

/**
 * Kind of a metric: quantiles with a stated relative error. Not offered by this version: MVX_UNSUPPORTED.
 */
#define MVX_METRIC_QUANTILE_SKETCH 7

/**
 * Kind of a metric: how many different values there were. Not offered by this version: MVX_UNSUPPORTED.
 */
#define MVX_METRIC_DISTINCT_COUNT 8

/**
 * State of a metric: it gets events.
 */
#define MVX_METRIC_ACTIVE 1

/**
 * State of a metric: it failed and gets no more (MVX_METRIC_ERROR_QUARANTINE_METRIC).
 */
#define MVX_METRIC_QUARANTINED 2

/**
 * The size of the first version of mvx_metric_info.
 */
#define MVX_METRIC_INFO_V1_SIZE 48

/**
 * A metric as mvx_recorder_iter_metrics() shows it. It, and what it points to, are there while the visitor
 * runs.
 */
typedef struct mvx_metric_info {
    /**
     * The size of this struct as the library has it.
     */
    size_t struct_size;
    /**
     * The name that it was registered under.
     */
    mvx_str name;
    /**
     * MVX_METRIC_VTABLE ... MVX_METRIC_DISTINCT_COUNT.
     */
    uint32_t kind;
    /**
     * MVX_METRIC_ACTIVE or MVX_METRIC_QUARANTINED.
     */
    uint32_t state;
    /**
     * What it was registered with; NULL for native metrics. It is not dropped while the visitor runs.
     */
    void *user_data;
    /**
     * Why it is quarantined, borrowed; NULL where it is not.
     */
    const mvx_error *error;
} mvx_metric_info;

/**
 * Called for each metric, on the thread that asked; returns 0 to go on, anything else to stop.
 */
typedef int32_t (*mvx_metric_visitor)(void *context, const mvx_metric_info *metric);

/**
 * Shows the metrics of a recorder, in registration order, to a visitor. It sees those that were registered
 * when the call was made.
 *
 * - recorder: stays the caller's.
 * - visitor: called on this thread, for one metric after the other.
 * - context: handed to the visitor; may be NULL.
 * - error: may be NULL.
 * - Any thread. Does not block. Callbacks may call it, and the visitor may call anything.
 * - Returns MVX_OK (also where the visitor stopped), MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT,
 *   MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_iter_metrics(mvx_recorder *recorder,
                                     mvx_metric_visitor visitor,
                                     void *context,
                                     mvx_error **error);

/* ---- Values ---- */

/**
 * Kind of a value: null.
 */
#define MVX_VALUE_NULL 0

/**
 * Kind of a value: true or false.
 */
#define MVX_VALUE_BOOL 1

/**
 * Kind of a value: a signed integer.
 */
#define MVX_VALUE_I64 2

/**
 * Kind of a value: an unsigned integer.
 */
#define MVX_VALUE_U64 3

/**
 * Kind of a value: a floating point number.
 */
#define MVX_VALUE_F64 4

/**
 * Kind of a value: a text.
 */
#define MVX_VALUE_STR 5

/**
 * Kind of a value: a list of values.
 */
#define MVX_VALUE_LIST 6

/**
 * Kind of a value: values by name, in order.
 */
#define MVX_VALUE_MAP 7

/**
 * A value in a snapshot: borrowed, as long as the snapshot is there. It never changes, so any number of
 * threads may read it. NULL is answered like a null.
 */
typedef struct mvx_value mvx_value;

/**
 * What a value is: MVX_VALUE_NULL ... MVX_VALUE_MAP.
 *
 * - value: NULL gives MVX_VALUE_NULL.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 */
int32_t mvx_value_kind(const mvx_value *value);

/**
 * The number of entries of a list or map; 0 for anything else.
 *
 * - value: NULL gives 0.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 */
size_t mvx_value_len(const mvx_value *value);

/**
 * The key of an entry of a map.
 *
 * - value: what is no map (NULL too) gives an empty text.
 * - index: from 0 on; past the end it gives an empty text.
 * - Result: borrowed, as long as the snapshot is there.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 */
mvx_str mvx_value_key_at(const mvx_value *value, size_t index);

/**
 * An entry of a list or map.
 *
 * - value: what is neither (NULL too) gives NULL.
 * - index: from 0 on; past the end it gives NULL.
 * - Result: borrowed, as long as the snapshot is there.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 */
const mvx_value *mvx_value_at(const mvx_value *value, size_t index);

/**
 * The entry of a map with a key.
 *
 * - value: what is no map (NULL too) gives NULL.
 * - key: what is not there, or is not UTF-8, gives NULL.
 * - Result: borrowed, as long as the snapshot is there.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 */
const mvx_value *mvx_value_get(const mvx_value *value, mvx_str key);

/**
 * A truth value.
 *
 * - value: must be one.
 * - result: receives 0 or 1.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, or of another kind), MVX_UNEXPECTED.
 */
mvx_status mvx_value_as_bool(const mvx_value *value, int32_t *result);

/**
 * A number, where int64_t can hold exactly that.
 *
 * - value: a number of any kind.
 * - result: receives it.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, no number, or not exact), MVX_UNEXPECTED.
 */
mvx_status mvx_value_as_i64(const mvx_value *value, int64_t *result);

/**
 * A number, where uint64_t can hold exactly that.
 *
 * - value: a number of any kind.
 * - result: receives it.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, no number, or not exact), MVX_UNEXPECTED.
 */
mvx_status mvx_value_as_u64(const mvx_value *value, uint64_t *result);

/**
 * A number, where a double can hold exactly that.
 *
 * - value: a number of any kind.
 * - result: receives it.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, no number, or not exact), MVX_UNEXPECTED.
 */
mvx_status mvx_value_as_f64(const mvx_value *value, double *result);

/**
 * A text.
 *
 * - value: must be one.
 * - result: receives it, borrowed as long as the snapshot is there.
 * - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, or of another kind), MVX_UNEXPECTED.
 */
mvx_status mvx_value_as_str(const mvx_value *value, mvx_str *result);

/* ---- Native metrics ---- */

/**
 * Comparison of a filter: equal.
 */
#define MVX_FILTER_EQ 1

/**
 * Comparison of a filter: not equal.
 */
#define MVX_FILTER_NE 2

/**
 * Comparison of a filter: the field is less than the value.
 */
#define MVX_FILTER_LT 3

/**
 * Comparison of a filter: less or equal.
 */
#define MVX_FILTER_LE 4

/**
 * Comparison of a filter: greater.
 */
#define MVX_FILTER_GT 5

/**
 * Comparison of a filter: greater or equal.
 */
#define MVX_FILTER_GE 6

/**
 * The size of the first version of mvx_metric_spec.
 */
#define MVX_METRIC_SPEC_V1_SIZE 160

/**
 * A condition on a field of an event.
 */
typedef struct mvx_filter {
    /**
     * The name of a declared field.
     */
    mvx_str field;
    /**
     * MVX_FILTER_EQ ... MVX_FILTER_GE.
     */
    uint32_t op;
    /**
     * Which of the following is the value: MVX_VALUE_BOOL, _I64, _U64, _F64 or _STR.
     */
    uint32_t value_kind;
    /**
     * The value of MVX_VALUE_I64; for MVX_VALUE_BOOL, 0 is false.
     */
    int64_t i64;
    /**
     * The value of MVX_VALUE_U64.
     */
    uint64_t u64;
    /**
     * The value of MVX_VALUE_F64.
     */
    double f64;
    /**
     * The value of MVX_VALUE_STR, for symbols and texts.
     */
    mvx_str str;
} mvx_filter;

/**
 * The declaration of a native metric, of any kind. Fill it with zeros, set struct_size, then what is needed.
 */
typedef struct mvx_metric_spec {
    /**
     * sizeof(mvx_metric_spec).
     */
    size_t struct_size;
    /**
     * The name of the metric in its recorder; 1 to 255 bytes.
     */
    mvx_str name;
    /**
     * What the values are measured in, such as "bytes"; may be empty.
     */
    mvx_str unit;
    /**
     * A sentence for people; may be empty.
     */
    mvx_str help;
    /**
     * MVX_METRIC_COUNTER ... MVX_METRIC_DISTINCT_COUNT.
     */
    uint32_t kind;
    /**
     * 0: there are no flags yet.
     */
    uint32_t flags;
    /**
     * The event types that the metric looks at.
     */
    const mvx_event_type *event_types;
    /**
     * How many; at least one.
     */
    size_t event_type_count;
    /**
     * The field that is the value; all event types declare it. Empty: each event is worth 1.
     */
    mvx_str value_field;
    /**
     * Conditions on fields; an event for which not all of them hold is ignored. May be NULL.
     */
    const mvx_filter *filters;
    /**
     * How many.
     */
    size_t filter_count;
    /**
     * The names of fields; each combination of their values gets a series of its own, in the order in which
     * they first come. May be NULL.
     */
    const mvx_str *group_by;
    /**
     * How many; 16 at most.
     */
    size_t group_by_count;
    /**
     * How many series there are at most; further groups share one overflow series, which is not counted.
     * 0: 2,000; negative, or more than 1,048,576: MVX_INVALID_ARGUMENT.
     */
    int64_t max_series;
    /**
     * For MVX_METRIC_HISTOGRAM: the bounds, ascending. Otherwise of no meaning.
     */
    const double *bounds;
    /**
     * How many.
     */
    size_t bound_count;
    /**
     * For MVX_METRIC_QUANTILE_SKETCH: the greatest relative error, more than 0 and less than 1. 0: the
     * default.
     */
    double relative_error;
} mvx_metric_spec;

/**
 * Registers a native metric under the name in its declaration; otherwise as mvx_recorder_register_metric().
 *
 * Its snapshot is {"value": 3}; with group_by it is {"series": [{"labels": {"route": "/", "code": "200"},
 * "value": 3}, ...], "overflow_events": 0}, with the series in the order of their first appearance. Labels
 * are named like the fields, and are always texts: numbers in decimal, truth values "true" or "false",
 * symbols and texts as they are. Where events came past max_series, a last series {"labels": {}, "value": 2,
 * "overflow": true} stands for all their groups. Where values came that do not count, "invalid_events": n
 * follows.
 *
 * - recorder: stays the caller's; VIRGIN, STARTING or RUNNING.
 * - spec: copied.
 * - error: may be NULL.
 * - Any thread. Does not wait for a callback that is running. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
 *   MVX_LIMIT_REACHED, MVX_UNSUPPORTED (a kind that this version does not offer), MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_register_native_metric(mvx_recorder *recorder,
                                               const mvx_metric_spec *spec,
                                               mvx_error **error);

/* ---- Snapshots ---- */

/**
 * A snapshot that shows every event that was accepted before the call, except where the recorder is not
 * RUNNING (or fails or is cancelled meanwhile), and where one of its own callbacks asks: then it waits for no
 * event, and shows what was dispatched so far. So wait for the start, or flush, before you rely on it.
 */
#define MVX_SNAPSHOT_CONSISTENT 0

/**
 * A snapshot that shows what was dispatched so far, without waiting for events.
 */
#define MVX_SNAPSHOT_RELAXED 1

/**
 * The state of a recorder's metrics at one moment. It never changes, outlives its recorder, and may be read
 * by any number of threads. Free it with mvx_snapshot_free().
 */
typedef struct mvx_snapshot mvx_snapshot;

/**
 * Takes a snapshot of all metrics of a recorder, in every state.
 *
 * - recorder: stays the caller's.
 * - mode: MVX_SNAPSHOT_CONSISTENT or MVX_SNAPSHOT_RELAXED.
 * - timeout_ns: how long to wait for events and for metrics that are busy; negative: for ever.
 * - snapshot: receives a snapshot to free with mvx_snapshot_free().
 * - error: may be NULL. Of a metric that failed, its details give the name ("metric"), its cause what it
 *   said.
 * - Any thread. Blocks up to the time-out. A callback of the recorder gets its snapshot at once.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_METRIC_FAILED (the other
 *   metrics and the recorder are unharmed), MVX_TIMEOUT, MVX_WOULD_DEADLOCK (in a callback of another
 *   recorder), MVX_UNEXPECTED.
 */
mvx_status mvx_recorder_snapshot(mvx_recorder *recorder,
                                 uint32_t mode,
                                 int64_t timeout_ns,
                                 mvx_snapshot **snapshot,
                                 mvx_error **error);

/**
 * The number of metrics in a snapshot.
 *
 * - snapshot: NULL gives 0.
 * - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
 */
size_t mvx_snapshot_len(const mvx_snapshot *snapshot);

/**
 * The name of a metric in a snapshot, in registration order.
 *
 * - snapshot: NULL gives an empty text.
 * - index: from 0 on; past the end it gives an empty text.
 * - Result: borrowed, until mvx_snapshot_free().
 * - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
 */
mvx_str mvx_snapshot_name_at(const mvx_snapshot *snapshot, size_t index);

/**
 * The state of one metric: a map.
 *
 * - snapshot: NULL gives NULL.
 * - metric_name: what is not there, or is not UTF-8, gives NULL.
 * - Result: borrowed, until mvx_snapshot_free().
 * - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
 */
const mvx_value *mvx_snapshot_get(const mvx_snapshot *snapshot, mvx_str metric_name);

/**
 * A snapshot as JSON: {"metric name":{...},...}, in registration order, without white space outside of
 * strings. NaN and infinities are the strings "NaN", "Infinity" and "-Infinity"; integers are written in
 * full, however large.
 *
 * - snapshot: must not be NULL.
 * - json: receives a text to free with mvx_text_free().
 * - error: may be NULL.
 * - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_snapshot_to_json(const mvx_snapshot *snapshot, mvx_text **json, mvx_error **error);

/**
 * A snapshot as OpenMetrics text. Every sample has the labels `recorder` (the entity id) and `namespace`.
 *
 * What is no ASCII letter or digit in a name becomes `_`. A name that then begins with no letter gets
 * "metric_" (a label: "label_") in place of its leading `_`. Of two names alike the later one gets "_2".
 * There is no other prefix.
 *
 * The counts of mvx_stats come first, as mvx_recorder_events_accepted_total, mvx_recorder_events_pending,
 * mvx_recorder_lag_seconds and so on; then mvx_metric_overflow_events_total and
 * mvx_metric_invalid_events_total, with the label `metric`.
 *
 * A native metric is a family of its name, with a label for each field of group_by; its overflow series has
 * mvx_overflow="true" instead. Samples of a counter end in "_total", which is not added to a name that ends
 * so already. A unit is no part of the name: it is told as UNIT where the name ends in it, otherwise in HELP.
 *
 * Of a metric of the host, each number or truth value is a family of type unknown, called like the metric
 * and the keys that lead to the value, joined by `_`; elements of a list are told apart by the label `index`.
 * Texts and nulls are left out.
 *
 * - snapshot: must not be NULL.
 * - text: receives a text to free with mvx_text_free().
 * - error: may be NULL.
 * - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_UNSUPPORTED, MVX_UNEXPECTED.
 */
mvx_status mvx_snapshot_to_openmetrics(const mvx_snapshot *snapshot,
                                       mvx_text **text,
                                       mvx_error **error);

/**
 * Frees a snapshot, and all values that were borrowed from it.
 *
 * - snapshot: taken; NULL is fine.
 * - Any thread, when no other uses the snapshot. Does not block. Callbacks may call it.
 */
void mvx_snapshot_free(mvx_snapshot *snapshot);

/* ---- Waiting ---- */

/**
 * Operation of a wait: the start of a recorder.
 */
#define MVX_OPERATION_START 1

/**
 * Operation of a wait: the stop of a recorder.
 */
#define MVX_OPERATION_STOP 2

/**
 * Operation of a wait: a flush of a recorder.
 */
#define MVX_OPERATION_FLUSH 3

/**
 * Operation of a wait: the shutdown of a runtime.
 */
#define MVX_OPERATION_SHUTDOWN 4

/**
 * Called once when an operation is over: with which one (MVX_OPERATION_START ...), its status, and its
 * error, which is borrowed, and NULL on success.
 */
typedef void (*mvx_completion_fn)(void *user_data,
                                  int32_t operation,
                                  mvx_status status,
                                  const mvx_error *error);

/**
 * Waits until the operation is over; mvx_wait_result() says how it ended.
 *
 * - wait: stays the caller's. It may be freed meanwhile; the call goes on.
 * - timeout_ns: negative: for ever; 0: does not wait.
 * - Any thread. Blocks up to the time-out. A callback that the operation waits for gets MVX_WOULD_DEADLOCK,
 *   unless the operation is over or the time-out is 0.
 * - Returns MVX_OK (it is over, whether it succeeded or not), MVX_TIMEOUT, MVX_WOULD_DEADLOCK,
 *   MVX_INVALID_HANDLE, MVX_FORKED, MVX_UNEXPECTED.
 */
mvx_status mvx_wait_block(mvx_wait *wait, int64_t timeout_ns);

/**
 * How the operation ended. All waits of one operation give the same.
 *
 * - wait: stays the caller's.
 * - operation: receives MVX_OPERATION_START ... MVX_OPERATION_SHUTDOWN, as soon as the operation is over,
 *   whether it succeeded or not.
 * - error: may be NULL. Receives why the operation failed, an error of the caller's own to free with
 *   mvx_error_free().
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_NOT_READY (it is not over), MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT
 *   (`operation` is NULL), MVX_UNEXPECTED; otherwise the operation's own status: MVX_OK, or
 *   MVX_INVALID_STATE, MVX_HOOK_FAILED, MVX_METRIC_FAILED, MVX_CANCELLED, MVX_SHUTDOWN_FAILED.
 */
mvx_status mvx_wait_result(const mvx_wait *wait, int32_t *operation, mvx_error **error);

/**
 * Has a function called when the operation is over: on a thread of the library, or, where it is over
 * already, on this one before the call returns. It may be asked for several times. Freeing the wait does not
 * take it back.
 *
 * - wait: stays the caller's.
 * - fn: called once.
 * - user_data: handed to it, and owned by the library from here on.
 * - drop: frees user_data; may be NULL. Called once: after `fn`, or where this call fails, before it
 *   returns.
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
 */
mvx_status mvx_wait_on_complete(mvx_wait *wait,
                                mvx_completion_fn fn,
                                void *user_data,
                                void (*drop)(void *user_data));

#if !defined(_WIN32)
/**
 * A file descriptor that becomes readable when the operation is over, for poll() and event loops. Don't read
 * from it and don't close it.
 *
 * - wait: stays the caller's.
 * - fd: receives the descriptor, borrowed: it is good until mvx_wait_free().
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNSUPPORTED, MVX_LIMIT_REACHED
 *   or MVX_UNEXPECTED (the system has none left).
 */
mvx_status mvx_wait_fd(mvx_wait *wait, int *fd);
#endif

#if defined(_WIN32)
/**
 * Windows: an event HANDLE that is signalled when the operation is over, for WaitForMultipleObjects() and
 * event loops. Don't reset it and don't close it.
 *
 * - wait: stays the caller's.
 * - handle: receives the HANDLE, borrowed: it is good until mvx_wait_free().
 * - Any thread. Does not block. Callbacks may call it.
 * - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_INVALID_ARGUMENT, MVX_UNSUPPORTED, MVX_LIMIT_REACHED or
 *   MVX_UNEXPECTED (the system has none left).
 */
mvx_status mvx_wait_handle(mvx_wait *wait, void **handle);
#endif

/**
 * Frees a wait. The operation goes on, and completion callbacks still come.
 *
 * - wait: taken; NULL, and what is no live handle, is ignored.
 * - Any thread. Does not block. Callbacks may call it.
 */
void mvx_wait_free(mvx_wait *wait);

#ifdef __cplusplus
}
#endif

#endif
