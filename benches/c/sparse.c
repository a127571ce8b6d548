/* Sparse load: an event a millisecond: sparse SECONDS
 *
 * The median time of the call, less the median cost of the clock around nothing; beside it an empty call into a shared
 * object, in the same way. Half a millisecond after each event the thread wakes again and times, in turns, nothing and
 * the empty call, so that all three are measured after a sleep of the same length. And the time from before the call
 * until a metric of the host sees the event; beside it the largest time by which the machine woke this thread too late,
 * which no library can do anything about. */
#include "bench.h"

#if defined(__x86_64__)
#include <x86intrin.h>
/* Finer than clock_gettime(), which moves in steps of ten nanoseconds on some machines. */
static uint64_t ticks(void)
{
    _mm_lfence();
    uint64_t now = __rdtsc();
    _mm_lfence();
    return now;
}
#else
static uint64_t ticks(void)
{
    return (uint64_t)now_ns();
}
#endif

static double *latency;
static uint64_t seen, warm_up;

static int32_t handle_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)user_data, (void)error;
    struct payload payload;
    memcpy(&payload, event->payload, sizeof payload);
    latency[seen++] = (double)(now_ns() - (int64_t)payload.number);
    return MVX_EVENT_CHANGED;
}

static void sleep_until(int64_t when)
{
    struct timespec t = {(time_t)(when / 1000000000), (long)(when % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        die("usage: %s SECONDS", argv[0]);
    }
    uint64_t events = (uint64_t)(atof(argv[1]) * 1000);
    warm_up = 100;
    load_library();
    register_event_fn empty;
    *(void **)&empty = load_symbol(load_object("MVX_BENCH_EMPTY"), "empty_call");
    register_event_fn call = mvx.recorder_register_event;
    mvx_runtime *runtime = start_runtime(library_thread_to_consumer_core);
    mvx_event_type type = declare("bench.event", sizeof(struct payload));
    mvx_symbol symbols[SYMBOLS];
    intern_symbols(symbols);
    mvx_recorder *recorder = create_recorder(runtime, 8192, MVX_OVERFLOW_RAISE_ERROR, MVX_FOLDING_OFF);
    uint64_t all = warm_up + events;
    double *ours = calloc(all, sizeof *ours), *nothing = calloc(all, sizeof *nothing);
    double *empties = calloc(all, sizeof *empties);
    latency = calloc(all, sizeof *latency);
    CHECK(ours && nothing && empties && latency && events > 10);
    add_native(recorder, "count", MVX_METRIC_COUNTER, type, NULL, "symbol", 0);
    add_vtable(recorder, "latency", type, MVX_METRIC_COMMUTATIVE, handle_event, NULL, no_snapshot, NULL);
    start(recorder);
    pin(0);

    size_t count = 0, count_nothing = 0, count_empty = 0;
    int64_t began = now_ns(), next = began, late = 0;
    uint64_t first_tick = ticks();
    for (uint64_t i = 0; i < all; i++) {
        sleep_until(next += 500000);
        struct payload payload = {symbols[i & 7], 0, (uint64_t)now_ns()};
        if ((int64_t)payload.number - next > late) {
            late = (int64_t)payload.number - next;
        }
        uint64_t begin = ticks();
        mvx_status status = call(recorder, type, &payload, sizeof payload);
        uint64_t end = ticks();
        CHECK(status == MVX_OK);
        bool counts = i >= warm_up;
        if (counts) {
            ours[count++] = (double)(end - begin);
        }
        sleep_until(next += 500000);
        payload.number = (uint64_t)now_ns();
        if (i % 2 == 0) {
            begin = ticks();
            end = ticks();
            if (counts) {
                nothing[count_nothing++] = (double)(end - begin);
            }
        } else {
            begin = ticks();
            status = empty(recorder, type, &payload, sizeof payload);
            end = ticks();
            if (counts) {
                empties[count_empty++] = (double)(end - begin);
            }
        }
    }
    double ns_a_tick = (double)(now_ns() - began) / (double)(ticks() - first_tick);
    flush(recorder);
    CHECK(seen == all);
    double clock = median(nothing, count_nothing);
    double largest = quantile(latency + warm_up, events, 1);
    report(all, counted(recorder, "count"),
           "\"ns\":%.3f,\"empty_ns\":%.3f,\"clock_ns\":%.3f,\"latency_median_ms\":%.4f,\"latency_ms\":%.4f,"
           "\"late_ms\":%.4f",
           (median(ours, count) - clock) * ns_a_tick, (median(empties, count_empty) - clock) * ns_a_tick,
           clock * ns_a_tick, median(latency + warm_up, events) / 1e6, largest / 1e6, (double)late / 1e6);
    mvx.recorder_free(recorder);
    mvx.runtime_shutdown(runtime, NULL);
    mvx.runtime_free(runtime);
    return 0;
}
