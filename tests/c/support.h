/* What the C test programs share: checks, time, threads, gates, and two stand-ins for a user's code: a metric
   (struct probe) and a set of hooks (struct hook_probe). Every program is one translation unit that includes this
   file first. A failed check ends the process at once, so each case runs in a process of its own (see ./run). */
#ifndef SUPPORT_H
#define SUPPORT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mvx_metrics.h>

#ifdef _WIN32
#include "support_windows.h"
#else
/* What a wait has for event loops. */
typedef int descriptor;
#define NO_DESCRIPTOR (-1)
#endif

/* Not every program uses every helper. */
#define HELPER __attribute__((unused)) static

/* ---- how fast this run is ------------------------------------------------------------------------------ */

/* How many times slower than a plain build this one is; ./run sets it. */
HELPER int slowness(void)
{
    static atomic_int known;
    int value = atomic_load(&known);
    if (value == 0) {
        const char *text = getenv("MVX_TEST_SLOWNESS");
        value = text ? atoi(text) : 1;
        if (value < 1) {
            value = 1;
        }
        atomic_store(&known, value);
    }
    return value;
}

HELPER bool mode_is(const char *mode)
{
    const char *text = getenv("MVX_TEST_MODE");
    return text && strcmp(text, mode) == 0;
}

HELPER uint64_t scaled(uint64_t full, uint64_t least)
{
    uint64_t n = full / (uint64_t)slowness();
    return n < least ? least : n;
}

HELPER int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

HELPER int64_t now_ms(void)
{
    return now_ns() / 1000000;
}

HELPER void sleep_ms(int64_t ms)
{
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

#define MS(n) ((int64_t)(n)*1000000)

/* Long enough that only something that hangs takes as long. */
HELPER int64_t patience_ms(void)
{
    return 15000 + 2000 * (int64_t)slowness();
}

/* ---- checks -------------------------------------------------------------------------------------------- */

_Noreturn HELPER void fail_at(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    fflush(stderr);
    _exit(1);
}

#define FAIL(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)

/* Ends a case that can tell nothing here; ./run says so. */
_Noreturn HELPER void skip(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(77);
}

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            FAIL("not so: %s", #condition);                                                                            \
        }                                                                                                              \
    } while (0)
#define CHECK_INT(want, got) check_int((long long)(want), (long long)(got), #got, __FILE__, __LINE__)
#define CHECK_UINT(want, got)                                                                                          \
    check_uint((unsigned long long)(want), (unsigned long long)(got), #got, __FILE__, __LINE__)
#define CHECK_STR(want, got) check_str((want), (got), #got, __FILE__, __LINE__)
#define EVENTUALLY(condition)                                                                                          \
    do {                                                                                                               \
        int64_t eventually_end = now_ms() + patience_ms();                                                             \
        while (!(condition)) {                                                                                         \
            if (now_ms() > eventually_end) {                                                                           \
                FAIL("never came true: %s", #condition);                                                               \
            }                                                                                                          \
            sleep_ms(1);                                                                                               \
        }                                                                                                              \
    } while (0)

HELPER void check_int(long long want, long long got, const char *what, const char *file, int line)
{
    if (want != got) {
        fail_at(file, line, "%s is %lld, not %lld", what, got, want);
    }
}

HELPER void check_uint(unsigned long long want, unsigned long long got, const char *what, const char *file, int line)
{
    if (want != got) {
        fail_at(file, line, "%s is %llu, not %llu", what, got, want);
    }
}

HELPER bool str_is(mvx_str text, const char *want)
{
    return text.len == strlen(want) && (text.len == 0 || memcmp(text.data, want, text.len) == 0);
}

HELPER bool str_contains(mvx_str text, const char *part)
{
    return text.len != 0 && memmem(text.data, text.len, part, strlen(part)) != NULL;
}

HELPER mvx_str str_of(const char *text)
{
    return (mvx_str){text, strlen(text)};
}

HELPER void check_str(const char *want, mvx_str got, const char *what, const char *file, int line)
{
    if (!str_is(got, want)) {
        fail_at(file, line, "%s is \"%.*s\", not \"%s\"", what, (int)got.len, got.data ? got.data : "", want);
    }
}

/* The error slot of this thread. Calls name it as ERR inside OK, STATUS, FAILS or FAILURE_OF, which look at it. */
static _Thread_local mvx_error *error_slot;
#define ERR (&error_slot)

#define OK(call) expect_status(MVX_OK, (call), #call, __FILE__, __LINE__)
#define STATUS(want, call) expect_status((want), (call), #call, __FILE__, __LINE__)
/* The call takes ERR and must fail with this status and reason. */
#define FAILS(want, reason, call) mvx_error_free(expect_failure((want), (reason), (call), #call, __FILE__, __LINE__))
/* The same, handing the error out; the caller frees it. */
#define FAILURE_OF(want, reason, call) expect_failure((want), (reason), (call), #call, __FILE__, __LINE__)

HELPER void describe_error(const mvx_error *error, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (; error && used < size; error = mvx_error_cause(error)) {
        mvx_str reason = mvx_error_reason(error);
        mvx_str message = mvx_error_message(error);
        int n = snprintf(text + used, size - used, " <- %.*s: %.*s", (int)reason.len, reason.data ? reason.data : "",
                         (int)message.len, message.data ? message.data : "");
        used += n > 0 ? (size_t)n : 0;
    }
}

HELPER void expect_status(mvx_status want, mvx_status got, const char *call, const char *file, int line)
{
    char text[600];
    describe_error(error_slot, text, sizeof text);
    if (want != got) {
        fail_at(file, line, "%s gave %s, not %s%s", call, mvx_status_name(got), mvx_status_name(want), text);
    }
    if (got == MVX_OK && error_slot) {
        fail_at(file, line, "%s succeeded and still wrote an error%s", call, text);
    }
    mvx_error_free(error_slot);
    error_slot = NULL;
}

HELPER mvx_error *expect_failure(mvx_status want, const char *reason, mvx_status got, const char *call,
                                 const char *file, int line)
{
    char text[600];
    mvx_error *error = error_slot;
    error_slot = NULL;
    describe_error(error, text, sizeof text);
    if (want != got) {
        fail_at(file, line, "%s gave %s, not %s%s", call, mvx_status_name(got), mvx_status_name(want), text);
    }
    if (!error) {
        fail_at(file, line, "%s gave %s and no error", call, mvx_status_name(got));
    }
    if (mvx_error_status(error) != got || !str_is(mvx_error_reason(error), reason)) {
        fail_at(file, line, "%s: status %s, wanted reason %s, got%s", call, mvx_status_name(mvx_error_status(error)),
                reason, text);
    }
    if (mvx_error_message(error).len == 0) {
        fail_at(file, line, "%s: an error without a message", call);
    }
    return error;
}

/* JSON without the white space between its tokens. The texts compared here hold no blanks of their own. */
HELPER bool json_has(mvx_str json, const char *part)
{
    char *bare = malloc(json.len + 1);
    CHECK(bare != NULL);
    size_t n = 0;
    for (size_t i = 0; i < json.len; i++) {
        if (!strchr(" \t\r\n", json.data[i])) {
            bare[n++] = json.data[i];
        }
    }
    bare[n] = 0;
    bool has = strstr(bare, part) != NULL;
    free(bare);
    return has;
}

/* ---- threads ------------------------------------------------------------------------------------------- */

HELPER pthread_t spawn(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, body, argument);
    if (error != 0) {
        FAIL("no thread: %s", strerror(error));
    }
    return thread;
}

HELPER void join(pthread_t thread)
{
    CHECK_INT(0, pthread_join(thread, NULL));
}

/* Threads that run one body, each with its number. */
struct crew_member {
    pthread_t thread;
    void (*body)(void *shared, int number);
    void *shared;
    int number;
};

HELPER void *crew_entry(void *argument)
{
    struct crew_member *member = argument;
    member->body(member->shared, member->number);
    return NULL;
}

HELPER struct crew_member *crew_start(int count, void (*body)(void *shared, int number), void *shared)
{
    struct crew_member *crew = calloc((size_t)count, sizeof *crew);
    CHECK(crew != NULL);
    for (int i = 0; i < count; i++) {
        crew[i].body = body;
        crew[i].shared = shared;
        crew[i].number = i;
        crew[i].thread = spawn(crew_entry, &crew[i]);
    }
    return crew;
}

HELPER void crew_join(struct crew_member *crew, int count)
{
    for (int i = 0; i < count; i++) {
        join(crew[i].thread);
    }
    free(crew);
}

HELPER void crew_run(int count, void (*body)(void *shared, int number), void *shared)
{
    crew_join(crew_start(count, body, shared), count);
}

/* A small generator, so that a run can be repeated from its seed. */
HELPER uint64_t next_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A place where threads wait until they are let through: all from now on (gate_open), or so many (gate_permit). */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open;
    uint64_t permits;
    uint64_t arrivals;
    uint64_t inside;
};
#define GATE_INITIALIZER {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}

HELPER void gate_wait(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->arrivals++;
    gate->inside++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open && gate->permits == 0) {
        pthread_cond_wait(&gate->changed, &gate->mutex);
    }
    if (!gate->open) {
        gate->permits--;
    }
    gate->inside--;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

HELPER void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

HELPER void gate_close(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->open = false;
    gate->permits = 0;
    pthread_mutex_unlock(&gate->mutex);
}

HELPER void gate_permit(struct gate *gate, uint64_t count)
{
    pthread_mutex_lock(&gate->mutex);
    gate->permits += count;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

HELPER bool gate_condition(struct gate *gate, uint64_t arrivals, uint64_t inside)
{
    pthread_mutex_lock(&gate->mutex);
    bool holds = gate->arrivals >= arrivals && gate->inside >= inside;
    pthread_mutex_unlock(&gate->mutex);
    return holds;
}

/* Waits until so many threads stand at the gate. */
HELPER void gate_await(struct gate *gate, uint64_t inside)
{
    EVENTUALLY(gate_condition(gate, 0, inside));
}

/* Waits until so many threads have come to the gate since it was made. */
HELPER void gate_await_arrivals(struct gate *gate, uint64_t arrivals)
{
    EVENTUALLY(gate_condition(gate, arrivals, 0));
}

/* When nobody will come any more. Some systems take memory for a mutex with its first use. */
HELPER void gate_end(struct gate *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->mutex);
}

/* ---- what the process holds ---------------------------------------------------------------------------- */

/* All of them, or those that `counts` picks by their names. */
HELPER int count_entries(const char *path, bool (*counts)(const char *name))
{
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    int count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        count += entry->d_name[0] != '.' && (!counts || counts(entry->d_name));
    }
    closedir(dir);
    return count;
}

#ifdef _WIN32
HELPER int thread_count(void)
{
    return each_thread(NULL, NULL);
}

/* Handles of all kinds. */
HELPER int fd_count(void)
{
    DWORD count = 0;
    CHECK(GetProcessHandleCount(GetCurrentProcess(), &count));
    return (int)count;
}
#else
/* An emulator has threads that come when they please. They are named for it, as are those of the test: not so the
   library's. */
HELPER bool is_not_the_emulators(const char *thread)
{
    char path[300], name[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", thread);
    FILE *file = fopen(path, "r");
    if (!file) {
        return false;
    }
    bool named = fgets(name, sizeof name, file) != NULL;
    fclose(file);
    return named && strncmp(name, "qemu-", 5) != 0;
}

HELPER int thread_count(void)
{
    if (mode_is("aarch64")) {
        return 1 + count_entries("/proc/self/task", is_not_the_emulators);
    }
    return count_entries("/proc/self/task", NULL);
}

HELPER int fd_count(void)
{
    return count_entries("/proc/self/fd", NULL);
}
#endif

/* Threads that were joined are gone at once. Those with which an emulator ran them go soon. */
HELPER void expect_threads(int count)
{
    if (mode_is("aarch64")) {
        EVENTUALLY(thread_count() == count);
    }
    CHECK_INT(count, thread_count());
}

/* ---- runtimes, recorders, waits ------------------------------------------------------------------------ */

HELPER mvx_runtime *new_runtime_with(const mvx_runtime_options *options)
{
    mvx_runtime *runtime = NULL;
    OK(mvx_runtime_create(options, &runtime, ERR));
    CHECK(runtime != NULL);
    OK(mvx_runtime_start(runtime, ERR));
    return runtime;
}

HELPER mvx_runtime *new_runtime(void)
{
    mvx_runtime_options options = {.struct_size = sizeof options, .worker_threads = 2};
    return new_runtime_with(&options);
}

HELPER void end_runtime(mvx_runtime *runtime)
{
    OK(mvx_runtime_shutdown(runtime, ERR));
    mvx_runtime_free(runtime);
}

HELPER int32_t runtime_state(const mvx_runtime *runtime)
{
    int32_t state = -1;
    OK(mvx_runtime_state(runtime, &state));
    return state;
}

HELPER mvx_recorder_options recorder_options(void)
{
    return (mvx_recorder_options){.struct_size = sizeof(mvx_recorder_options)};
}

HELPER mvx_recorder *new_recorder_with(mvx_runtime *runtime, const mvx_recorder_options *options)
{
    mvx_recorder *recorder = NULL;
    OK(mvx_recorder_create(runtime, options, &recorder, ERR));
    CHECK(recorder != NULL);
    return recorder;
}

HELPER mvx_recorder *new_recorder(mvx_runtime *runtime)
{
    return new_recorder_with(runtime, NULL);
}

HELPER int32_t state_of(const mvx_recorder *recorder)
{
    int32_t state = -1;
    OK(mvx_recorder_state(recorder, &state));
    return state;
}

HELPER mvx_stats stats_of(const mvx_recorder *recorder)
{
    mvx_stats stats = {.struct_size = sizeof stats};
    OK(mvx_recorder_stats(recorder, &stats));
    CHECK_UINT(stats.accepted, stats.dispatched + stats.discarded + stats.pending);
    return stats;
}

/* Waits for the operation, whatever its result, and gives the result; ERR holds the error. */
HELPER mvx_status wait_over(mvx_wait *wait)
{
    CHECK(wait != NULL);
    int32_t operation = 0;
    STATUS(MVX_OK, mvx_wait_block(wait, MS(patience_ms())));
    return mvx_wait_result(wait, &operation, ERR);
}

HELPER void wait_ok(mvx_wait *wait)
{
    OK(wait_over(wait));
    mvx_wait_free(wait);
}

HELPER mvx_error *wait_failure(mvx_wait *wait, mvx_status status, const char *reason)
{
    mvx_error *error = FAILURE_OF(status, reason, wait_over(wait));
    mvx_wait_free(wait);
    return error;
}

HELPER void wait_fails(mvx_wait *wait, mvx_status status, const char *reason)
{
    mvx_error_free(wait_failure(wait, status, reason));
}

HELPER mvx_wait *begin_start(mvx_recorder *recorder)
{
    mvx_wait *wait = NULL;
    OK(mvx_recorder_start(recorder, &wait, ERR));
    CHECK(wait != NULL);
    return wait;
}

HELPER mvx_wait *begin_stop(mvx_recorder *recorder)
{
    mvx_wait *wait = NULL;
    OK(mvx_recorder_stop(recorder, &wait, ERR));
    CHECK(wait != NULL);
    return wait;
}

HELPER mvx_wait *begin_flush(mvx_recorder *recorder)
{
    mvx_wait *wait = NULL;
    OK(mvx_recorder_flush(recorder, &wait, ERR));
    CHECK(wait != NULL);
    return wait;
}

HELPER void start(mvx_recorder *recorder)
{
    wait_ok(begin_start(recorder));
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(recorder));
}

HELPER void stop(mvx_recorder *recorder)
{
    wait_ok(begin_stop(recorder));
    CHECK_INT(MVX_RECORDER_STOPPED, state_of(recorder));
}

HELPER void flush(mvx_recorder *recorder)
{
    wait_ok(begin_flush(recorder));
}

/* ---- events -------------------------------------------------------------------------------------------- */

/* The payload most tests use: a number, and an interned text to group by. */
struct number {
    int64_t value;
    mvx_symbol outcome;
    uint32_t source;
};

HELPER mvx_event_type number_type(const char *name)
{
    const mvx_field fields[] = {
        {MVX_STR("value"), MVX_FIELD_I64, offsetof(struct number, value), 8},
        {MVX_STR("outcome"), MVX_FIELD_SYMBOL, offsetof(struct number, outcome), 4},
        {MVX_STR("source"), MVX_FIELD_U32, offsetof(struct number, source), 4},
    };
    mvx_event_type_options options = {
        .struct_size = sizeof options, .name = str_of(name), .fields = fields, .field_count = 3};
    mvx_event_type type = 0;
    OK(mvx_event_type_declare(&options, &type, ERR));
    return type;
}

HELPER mvx_symbol symbol(const char *text)
{
    mvx_symbol result = 0;
    OK(mvx_intern(str_of(text), &result));
    return result;
}

HELPER mvx_status record(mvx_recorder *recorder, mvx_event_type type, int64_t value)
{
    struct number number = {.value = value, .outcome = symbol("ok")};
    return mvx_recorder_register_event(recorder, type, &number, sizeof number);
}

HELPER void record_ok(mvx_recorder *recorder, mvx_event_type type, int64_t value)
{
    OK(record(recorder, type, value));
}

/* ---- a metric ------------------------------------------------------------------------------------------ */

/* The fields without _Atomic are touched in callbacks only. The library promises to call a metric from one thread
   at a time, so they need no lock; a race detector would see it if the promise were broken. */
struct probe {
    uint64_t count;
    int64_t sum;
    int64_t last;
    _Atomic uint64_t seen;
    _Atomic uint64_t calls;
    _Atomic int drops;
    _Atomic int event_reply;
    _Atomic int snapshot_reply;
    _Atomic(struct gate *) hold;
    _Atomic(struct gate *) snapshot_hold;
    void (*inside)(struct probe *probe, const mvx_event *event);
    void *context;
};
#define PROBE_INITIALIZER {.last = -1, .event_reply = MVX_EVENT_CHANGED, .snapshot_reply = MVX_SNAPSHOT_DONE}

HELPER void probe_take(struct probe *probe, const mvx_event *event)
{
    CHECK_INT(0, atomic_load(&probe->drops));
    CHECK(event->struct_size >= sizeof(size_t));
    struct gate *hold = atomic_load(&probe->hold);
    if (hold) {
        gate_wait(hold);
    }
    if (probe->inside) {
        probe->inside(probe, event);
    }
    if (event->len >= sizeof(int64_t)) {
        int64_t value;
        memcpy(&value, event->payload, sizeof value);
        probe->sum += value;
        probe->last = value;
    }
    probe->count++;
    atomic_fetch_add(&probe->seen, 1);
}

HELPER int32_t probe_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    struct probe *probe = user_data;
    atomic_fetch_add(&probe->calls, 1);
    probe_take(probe, event);
    int32_t reply = atomic_load(&probe->event_reply);
    if (reply == MVX_EVENT_FAILED) {
        mvx_callback_error_set(error, MVX_STR("the probe refuses"));
    }
    return reply;
}

HELPER int32_t probe_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                           mvx_callback_error *error)
{
    struct probe *probe = user_data;
    atomic_fetch_add(&probe->calls, 1);
    CHECK(count > 0);
    CHECK(count <= 256);
    for (size_t i = 0; i < count; i++) {
        probe_take(probe, &events[i]);
        if (changed) {
            changed[i] = 1;
        }
    }
    int32_t reply = atomic_load(&probe->event_reply);
    if (reply == MVX_EVENT_FAILED) {
        mvx_callback_error_set(error, MVX_STR("the probe refuses"));
    }
    return reply;
}

HELPER int32_t probe_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    struct probe *probe = user_data;
    CHECK_INT(0, atomic_load(&probe->drops));
    struct gate *hold = atomic_load(&probe->snapshot_hold);
    if (hold) {
        gate_wait(hold);
    }
    CHECK_INT(MVX_OK, mvx_writer_u64(writer, MVX_STR("count"), probe->count));
    CHECK_INT(MVX_OK, mvx_writer_i64(writer, MVX_STR("sum"), probe->sum));
    CHECK_INT(MVX_OK, mvx_writer_i64(writer, MVX_STR("last"), probe->last));
    int32_t reply = atomic_load(&probe->snapshot_reply);
    if (reply == MVX_SNAPSHOT_FAILED) {
        mvx_callback_error_set(error, MVX_STR("no picture today"));
    }
    return reply;
}

HELPER void probe_drop(void *user_data)
{
    struct probe *probe = user_data;
    CHECK_INT(0, atomic_fetch_add(&probe->drops, 1));
}

HELPER mvx_metric_vtable probe_vtable(void)
{
    return (mvx_metric_vtable){.struct_size = sizeof(mvx_metric_vtable),
                               .handle_event = probe_event,
                               .snapshot = probe_snapshot,
                               .drop = probe_drop};
}

HELPER void add_probe(mvx_recorder *recorder, const char *name, struct probe *probe)
{
    mvx_metric_vtable vtable = probe_vtable();
    OK(mvx_recorder_register_metric(recorder, str_of(name), &vtable, probe, ERR));
}

HELPER void add_batch_probe(mvx_recorder *recorder, const char *name, struct probe *probe)
{
    mvx_metric_vtable vtable = probe_vtable();
    vtable.handle_batch = probe_batch;
    OK(mvx_recorder_register_metric(recorder, str_of(name), &vtable, probe, ERR));
}

/* A native metric over one event type; value_field and group_by may be NULL. */
HELPER void add_native(mvx_recorder *recorder, const char *name, uint32_t kind, mvx_event_type type,
                       const char *value_field, const char *group_by)
{
    mvx_str group = group_by ? str_of(group_by) : (mvx_str){NULL, 0};
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = str_of(name),
                            .kind = kind,
                            .event_types = &type,
                            .event_type_count = 1,
                            .value_field = value_field ? str_of(value_field) : (mvx_str){NULL, 0},
                            .group_by = group_by ? &group : NULL,
                            .group_by_count = group_by ? 1 : 0};
    OK(mvx_recorder_register_native_metric(recorder, &spec, ERR));
}

/* ---- hooks --------------------------------------------------------------------------------------------- */

struct hook_probe {
    _Atomic int starting, stopped, changed, drops;
    _Atomic int starting_reply, stopped_reply, changed_reply;
    _Atomic(mvx_completion *) token;
    _Atomic(struct gate *) starting_hold, stopped_hold, changed_hold;
};

HELPER int32_t hook_finish(struct hook_probe *probe, int reply, struct gate *hold, mvx_completion *completion,
                           mvx_callback_error *error)
{
    CHECK_INT(0, atomic_load(&probe->drops));
    atomic_store(&probe->token, completion);
    if (hold) {
        gate_wait(hold);
    }
    if (reply == MVX_HOOK_FAILED) {
        mvx_callback_error_set(error, MVX_STR("the hook refuses"));
    }
    return reply;
}

HELPER int32_t hook_starting(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    struct hook_probe *probe = user_data;
    int reply = atomic_load(&probe->starting_reply);
    atomic_fetch_add(&probe->starting, 1);
    return hook_finish(probe, reply, atomic_load(&probe->starting_hold), completion, error);
}

HELPER int32_t hook_stopped(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    struct hook_probe *probe = user_data;
    int reply = atomic_load(&probe->stopped_reply);
    atomic_fetch_add(&probe->stopped, 1);
    return hook_finish(probe, reply, atomic_load(&probe->stopped_hold), completion, error);
}

HELPER int32_t hook_changed(void *user_data, mvx_str metric_name, void *metric_user_data, const mvx_event *event,
                            mvx_completion *completion, mvx_callback_error *error)
{
    (void)metric_name;
    (void)metric_user_data;
    (void)event;
    struct hook_probe *probe = user_data;
    int reply = atomic_load(&probe->changed_reply);
    atomic_fetch_add(&probe->changed, 1);
    return hook_finish(probe, reply, atomic_load(&probe->changed_hold), completion, error);
}

HELPER void hook_drop(void *user_data)
{
    struct hook_probe *probe = user_data;
    CHECK_INT(0, atomic_fetch_add(&probe->drops, 1));
}

/* on_starting and on_stopped; on_metric_changed makes dispatching go event by event and is asked for by name. */
HELPER mvx_hooks hooks_of(struct hook_probe *probe)
{
    return (mvx_hooks){.struct_size = sizeof(mvx_hooks),
                       .on_starting = hook_starting,
                       .on_stopped = hook_stopped,
                       .drop = hook_drop,
                       .user_data = probe};
}

/* Waits for a hook to hand out its token, and takes it. */
HELPER mvx_completion *take_token(struct hook_probe *probe)
{
    EVENTUALLY(atomic_load(&probe->token) != NULL);
    return atomic_exchange(&probe->token, NULL);
}

/* ---- snapshots ----------------------------------------------------------------------------------------- */

HELPER mvx_snapshot *take_snapshot(mvx_recorder *recorder, uint32_t mode)
{
    mvx_snapshot *snapshot = NULL;
    OK(mvx_recorder_snapshot(recorder, mode, MS(patience_ms()), &snapshot, ERR));
    CHECK(snapshot != NULL);
    return snapshot;
}

HELPER const mvx_value *value_in(const mvx_snapshot *snapshot, const char *metric, const char *key)
{
    const mvx_value *map = mvx_snapshot_get(snapshot, str_of(metric));
    if (!map) {
        FAIL("the snapshot has no metric %s", metric);
    }
    const mvx_value *value = mvx_value_get(map, str_of(key));
    if (!value) {
        FAIL("the metric %s has no %s", metric, key);
    }
    return value;
}

HELPER int64_t i64_in(const mvx_snapshot *snapshot, const char *metric, const char *key)
{
    int64_t result = 0;
    OK(mvx_value_as_i64(value_in(snapshot, metric, key), &result));
    return result;
}

/* The number that one series of a grouped native metric shows; -1 where there is no such series. */
HELPER int64_t series_in(const mvx_snapshot *snapshot, const char *metric, const char *label, const char *text)
{
    const mvx_value *series = value_in(snapshot, metric, "series");
    for (size_t i = 0; i < mvx_value_len(series); i++) {
        const mvx_value *one = mvx_value_at(series, i);
        mvx_str got = {NULL, 0};
        /* The overflow series has no labels. */
        mvx_status labelled = mvx_value_as_str(mvx_value_get(mvx_value_get(one, MVX_STR("labels")), str_of(label)), &got);
        if (labelled == MVX_OK && str_is(got, text)) {
            int64_t result = 0;
            OK(mvx_value_as_i64(mvx_value_get(one, MVX_STR("value")), &result));
            return result;
        }
    }
    return -1;
}

/* One number of one metric, in a snapshot of the recorder as it is now. */
HELPER int64_t current(mvx_recorder *recorder, const char *metric, const char *key)
{
    mvx_snapshot *snapshot = take_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT);
    int64_t result = i64_in(snapshot, metric, key);
    mvx_snapshot_free(snapshot);
    return result;
}

/* ---- the program --------------------------------------------------------------------------------------- */

struct test_case {
    const char *name;
    void (*run)(void);
    /* Why it is left out on this system, if it is. */
    const char *left_out;
};
#define CASE(function) {#function, function, NULL}
/* A case about something that only Unix has. */
#ifdef _WIN32
#define UNIX_CASE(function, what) {#function, NULL, "Windows has no " what}
#else
#define UNIX_CASE(function, what) CASE(function)
#endif
/* The exit code of a case that is left out; it says why. */
#define LEFT_OUT 77

HELPER void *end_at_once(void *argument)
{
    return argument;
}

/* Without arguments: all cases, one after the other. `--list` names them. Otherwise the cases named. */
HELPER int run_cases(int argc, char **argv, const struct test_case *cases, size_t count)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++) {
            puts(cases[i].name);
        }
        return 0;
    }
    /* A thread sanitizer starts a thread of its own beside the first one: before anybody counts threads. */
    join(spawn(end_at_once, NULL));
    size_t ran = 0, left_out = 0;
    for (size_t i = 0; i < count; i++) {
        bool wanted = argc == 1;
        for (int a = 1; a < argc; a++) {
            wanted = wanted || strcmp(argv[a], cases[i].name) == 0;
        }
        if (wanted && cases[i].left_out) {
            printf("%s: %s\n", cases[i].name, cases[i].left_out);
            left_out++;
        } else if (wanted) {
            cases[i].run();
            ran++;
        }
    }
    if (ran == 0 && left_out > 0) {
        return LEFT_OUT;
    }
    if (ran == 0) {
        fprintf(stderr, "no such case\n");
        return 2;
    }
    return 0;
}

#define TEST_MAIN(...)                                                                                                 \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        static const struct test_case cases[] = {__VA_ARGS__};                                                         \
        return run_cases(argc, argv, cases, sizeof cases / sizeof cases[0]);                                           \
    }

#endif
