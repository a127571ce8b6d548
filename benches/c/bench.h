/* What the benchmarks in C share: the library as programs load it (dlopen, dlsym), clock, cores, medians, a recorder
   with a counter, and the end of a run: one line of JSON, after a check that all events were counted. Every program is
   one translation unit that includes this file first. */
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <mvx_metrics.h>

/* Not every program uses every helper. */
#define HELPER __attribute__((unused)) static

HELPER __attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            die("%s:%d: %s does not hold", __FILE__, __LINE__, #condition);    \
        }                                                                      \
    } while (0)

/* ---- the library ---------------------------------------------------------------------------------------- */

#define FUNCTIONS(X)                                                                                          \
    X(event_type_declare)                                                                                     \
    X(intern)                                                                                                 \
    X(version)                                                                                                \
    X(status_name)                                                                                            \
    X(error_message)                                                                                          \
    X(runtime_create)                                                                                         \
    X(runtime_start)                                                                                          \
    X(runtime_shutdown)                                                                                       \
    X(runtime_free)                                                                                           \
    X(recorder_create)                                                                                        \
    X(recorder_start)                                                                                         \
    X(recorder_flush)                                                                                         \
    X(recorder_stop)                                                                                          \
    X(recorder_stats)                                                                                         \
    X(recorder_free)                                                                                          \
    X(recorder_snapshot)                                                                                      \
    X(recorder_register_event)                                                                                \
    X(recorder_register_events)                                                                               \
    X(recorder_register_metric)                                                                               \
    X(recorder_register_native_metric)                                                                        \
    X(snapshot_get)                                                                                           \
    X(snapshot_free)                                                                                          \
    X(value_get)                                                                                              \
    X(value_at)                                                                                               \
    X(value_len)                                                                                              \
    X(value_as_u64)                                                                                           \
    X(wait_block)                                                                                             \
    X(wait_result)                                                                                            \
    X(wait_free)

/* mvx.recorder_create is mvx_recorder_create() of the library that was loaded. */
static struct {
#define X(name) __typeof__(&mvx_##name) name;
    FUNCTIONS(X)
#undef X
} mvx;

typedef __typeof__(&mvx_recorder_register_event) register_event_fn;

HELPER void *load_symbol(void *library, const char *name)
{
    void *symbol = dlsym(library, name);
    if (!symbol) {
        die("dlsym: %s", dlerror());
    }
    return symbol;
}

HELPER void *load_object(const char *variable)
{
    const char *path = getenv(variable);
    if (!path) {
        die("%s is not set; benches/run does that", variable);
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        die("dlopen: %s", dlerror());
    }
    return library;
}

HELPER void load_library(void)
{
    void *library = load_object("MVX_LIBRARY");
#define X(name) *(void **)&mvx.name = load_symbol(library, "mvx_" #name);
    FUNCTIONS(X)
#undef X
}

HELPER void succeed(mvx_status status, mvx_error *error, const char *what)
{
    if (status != MVX_OK) {
        mvx_str message = error ? mvx.error_message(error) : (mvx_str){"", 0};
        die("%s: %s %.*s", what, mvx.status_name(status), (int)message.len, message.data);
    }
}

/* ---- time ------------------------------------------------------------------------------------------------ */

HELPER int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

HELPER int64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

HELPER void sleep_ns(int64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

/* Between 50 and 100 microseconds. Not always the same, or bursts would fall into step with the naps of the consumer:
   in one run all of them while it sleeps, in another all while it works. */
HELPER void nap(void)
{
    static _Thread_local uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    sleep_ns(50000 + (int64_t)(state >> 16) * 50000 / 65536);
}

HELPER int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
HELPER double quantile(double *values, size_t count, double q)
{
    CHECK(count > 0);
    qsort(values, count, sizeof *values, by_size);
    return values[(size_t)((double)(count - 1) * q)];
}

HELPER double median(double *values, size_t count)
{
    return quantile(values, count, 0.5);
}

/* ---- cores ----------------------------------------------------------------------------------------------- */

/* False where the process may use one core only, or may not choose: the run goes on unpinned and says so. */
static bool pinned = true;
/* Every core that the process was given, for threads that are to run anywhere. */
static cpu_set_t all_cores;
static int cores[2];

__attribute__((constructor)) static void find_cores(void)
{
    int found = 0;
    if (sched_getaffinity(0, sizeof all_cores, &all_cores) == 0) {
        for (int core = 0; core < CPU_SETSIZE && found < 2; core++) {
            if (CPU_ISSET(core, &all_cores)) {
                cores[found++] = core;
            }
        }
    }
    pinned = found == 2;
}

/* 0 is the producer's core, 1 the consumer's. */
HELPER void pin(int which)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cores[which], &set);
    if (!pinned || sched_setaffinity(0, sizeof set, &set) != 0) {
        pinned = false;
    }
}

HELPER void unpin(void)
{
    sched_setaffinity(0, sizeof all_cores, &all_cores);
}

/* A thread inherits the core of the one that starts it, so those of the library are told. */
HELPER void library_thread_to_consumer_core(void *user_data)
{
    (void)user_data;
    pin(1);
}

HELPER void library_thread_anywhere(void *user_data)
{
    (void)user_data;
    unpin();
}

/* ---- a recorder with everything on ----------------------------------------------------------------------- */

#define SYMBOLS 8

/* The payload of 16 bytes. */
struct payload {
    mvx_symbol symbol;
    uint32_t pad;
    uint64_t number;
};

_Static_assert(sizeof(struct payload) == 16, "payload");

HELPER mvx_event_type declare(const char *name, size_t len)
{
    const mvx_field fields[] = {
        {.name = MVX_STR("symbol"), .kind = MVX_FIELD_SYMBOL, .offset = 0},
        {.name = MVX_STR("number"), .kind = MVX_FIELD_U64, .offset = 8},
    };
    mvx_event_type_options options = {.struct_size = sizeof options,
                                      .name = {name, strlen(name)},
                                      .fields = fields,
                                      .field_count = len >= sizeof(struct payload) ? 2 : 0};
    mvx_event_type type = 0;
    mvx_error *error = NULL;
    succeed(mvx.event_type_declare(&options, &type, &error), error, "mvx_event_type_declare");
    return type;
}

HELPER mvx_symbol intern(const char *text)
{
    mvx_symbol symbol = 0;
    succeed(mvx.intern((mvx_str){text, strlen(text)}, &symbol), NULL, "mvx_intern");
    return symbol;
}

HELPER void intern_symbols(mvx_symbol symbols[SYMBOLS])
{
    for (int i = 0; i < SYMBOLS; i++) {
        char text[16];
        snprintf(text, sizeof text, "outcome %d", i);
        symbols[i] = intern(text);
    }
}

/* A runtime whose threads run `on_start` first. */
HELPER mvx_runtime *start_runtime(void (*on_start)(void *))
{
    mvx_thread_hooks hooks = {.struct_size = sizeof hooks, .on_start = on_start};
    mvx_runtime_options options = {.struct_size = sizeof options, .thread_hooks = on_start ? &hooks : NULL};
    mvx_runtime *runtime = NULL;
    mvx_error *error = NULL;
    succeed(mvx.runtime_create(&options, &runtime, &error), error, "mvx_runtime_create");
    succeed(mvx.runtime_start(runtime, &error), error, "mvx_runtime_start");
    return runtime;
}

/* `folding`: MVX_FOLDING_OFF where the way through the queue is what is measured. */
HELPER mvx_recorder *create_recorder(mvx_runtime *runtime, int64_t queue_max_size, uint32_t policy, uint32_t folding)
{
    /* Enough bytes for any payload of these benchmarks, so that the limit is that of events. */
    mvx_recorder_options options = {.struct_size = sizeof options,
                                    .queue_max_size = queue_max_size,
                                    .queue_max_bytes = queue_max_size * 128,
                                    .overflow_policy = policy,
                                    .folding = folding,
                                    .block_timeout_ns = INT64_C(60000000000)};
    mvx_recorder *recorder = NULL;
    mvx_error *error = NULL;
    succeed(mvx.recorder_create(runtime, &options, &recorder, &error), error, "mvx_recorder_create");
    return recorder;
}

/* A native metric of one event type; `value` and `group` name fields and may be NULL. */
HELPER void add_native(mvx_recorder *recorder, const char *name, uint32_t kind, mvx_event_type type,
                       const char *value, const char *group, int64_t max_series)
{
    mvx_str group_by = group ? (mvx_str){group, strlen(group)} : (mvx_str){NULL, 0};
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = {name, strlen(name)},
                            .kind = kind,
                            .event_types = &type,
                            .event_type_count = 1,
                            .value_field = value ? (mvx_str){value, strlen(value)} : (mvx_str){NULL, 0},
                            .group_by = group ? &group_by : NULL,
                            .group_by_count = group ? 1 : 0,
                            .max_series = max_series};
    mvx_error *error = NULL;
    succeed(mvx.recorder_register_native_metric(recorder, &spec, &error), error, name);
}

HELPER void add_vtable(mvx_recorder *recorder, const char *name, mvx_event_type type, uint32_t flags,
                       int32_t (*handle_event)(void *, const mvx_event *, mvx_callback_error *),
                       int32_t (*handle_batch)(void *, const mvx_event *, size_t, uint8_t *, mvx_callback_error *),
                       int32_t (*snapshot)(void *, mvx_writer *, mvx_callback_error *), void *user_data)
{
    mvx_metric_vtable vtable = {.struct_size = sizeof vtable,
                                .handle_event = handle_event,
                                .handle_batch = handle_batch,
                                .snapshot = snapshot,
                                .event_types = &type,
                                .event_type_count = 1,
                                .flags = flags};
    mvx_error *error = NULL;
    mvx_str text = {name, strlen(name)};
    succeed(mvx.recorder_register_metric(recorder, text, &vtable, user_data, &error), error, name);
}

HELPER int32_t no_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)user_data, (void)writer, (void)error;
    return MVX_SNAPSHOT_DONE;
}

/* A metric that holds the dispatcher up, from the first event of its type until it is let go. */
struct gate {
    mvx_event_type type;
    sem_t entered, leave;
};

HELPER int32_t gate_handle_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)event, (void)error;
    struct gate *gate = user_data;
    sem_post(&gate->entered);
    while (sem_wait(&gate->leave) != 0) {
    }
    return MVX_EVENT_IGNORED;
}

HELPER void add_gate(mvx_recorder *recorder, struct gate *gate)
{
    gate->type = declare("bench.gate", 0);
    sem_init(&gate->entered, 0, 0);
    sem_init(&gate->leave, 0, 0);
    add_vtable(recorder, "gate", gate->type, MVX_METRIC_COMMUTATIVE, gate_handle_event, NULL, no_snapshot, gate);
}

HELPER void hold_dispatcher(mvx_recorder *recorder, struct gate *gate)
{
    succeed(mvx.recorder_register_event(recorder, gate->type, NULL, 0), NULL, "the gate's event");
    while (sem_wait(&gate->entered) != 0) {
    }
}

HELPER void wait_over(mvx_wait *wait, const char *what)
{
    int32_t operation;
    mvx_error *error = NULL;
    succeed(mvx.wait_block(wait, -1), NULL, what);
    mvx_status status = mvx.wait_result(wait, &operation, &error);
    succeed(status, error, what);
    mvx.wait_free(wait);
}

HELPER void flush(mvx_recorder *recorder)
{
    mvx_wait *wait = NULL;
    mvx_error *error = NULL;
    succeed(mvx.recorder_flush(recorder, &wait, &error), error, "mvx_recorder_flush");
    wait_over(wait, "flush");
}

HELPER void start(mvx_recorder *recorder)
{
    mvx_wait *wait = NULL;
    mvx_error *error = NULL;
    succeed(mvx.recorder_start(recorder, &wait, &error), error, "mvx_recorder_start");
    wait_over(wait, "start");
}

HELPER mvx_stats stats(mvx_recorder *recorder)
{
    mvx_stats result = {.struct_size = sizeof result};
    succeed(mvx.recorder_stats(recorder, &result), NULL, "mvx_recorder_stats");
    return result;
}

/* Until nothing is pending, with coarse looks that leave the cores alone. */
HELPER void drain(mvx_recorder *recorder)
{
    while (stats(recorder).pending != 0) {
        nap();
    }
}

/* What a native counter counted, over all its series. */
HELPER uint64_t counted(mvx_recorder *recorder, const char *name)
{
    mvx_snapshot *snapshot = NULL;
    mvx_error *error = NULL;
    succeed(mvx.recorder_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT, INT64_C(60000000000), &snapshot, &error), error,
            "mvx_recorder_snapshot");
    const mvx_value *metric = mvx.snapshot_get(snapshot, (mvx_str){name, strlen(name)});
    const mvx_value *series = mvx.value_get(metric, MVX_STR("series"));
    uint64_t sum = 0, value = 0;
    if (series) {
        for (size_t i = 0; i < mvx.value_len(series); i++) {
            const mvx_value *one = mvx.value_get(mvx.value_at(series, i), MVX_STR("value"));
            succeed(mvx.value_as_u64(one, &value), NULL, "the value of a series");
            sum += value;
        }
    } else {
        succeed(mvx.value_as_u64(mvx.value_get(metric, MVX_STR("value")), &sum), NULL, name);
    }
    mvx.snapshot_free(snapshot);
    return sum;
}

/* ---- what a program says at its end ---------------------------------------------------------------------- */

/* Checks the sum, then prints {"events":..., "counted":..., "pinned":..., <more>}; `more` is JSON without braces. */
HELPER __attribute__((format(printf, 3, 4))) void report(uint64_t events, uint64_t were_counted, const char *more, ...)
{
    printf("{\"events\":%" PRIu64 ",\"counted\":%" PRIu64 ",\"pinned\":%s,", events, were_counted,
           pinned ? "true" : "false");
    va_list arguments;
    va_start(arguments, more);
    vprintf(more, arguments);
    va_end(arguments);
    printf("}\n");
    fflush(stdout);
    if (events != were_counted) {
        die("%" PRIu64 " events were registered, %" PRIu64 " counted", events, were_counted);
    }
}

#endif
