/* What it costs a thread to hand an event over, in bursts: burst MODE BURSTS
 *
 *   single16 single48   one producer, payload of 16 or 48 bytes
 *   pair16              two producers at once
 *   ordered16           two producers at once, an event type that a gauge wants, so that its order matters
 *   batch16             mvx_recorder_register_events, 64 at a time
 *   refused16           at the pending limit, policy DROP
 *   folded16            folded: a counter of all events
 *   folded_by_symbol16  folded: a counter by a symbol with 8 different values
 *   folded_by_number16  folded no more: a counter by a number that never comes again
 *   by_number16         the same, with folding off
 *   empty               a call into a shared object that does nothing
 *
 * Half the capacity is pushed and timed; then, untimed, it is waited until all of it is dispatched. The figure is that
 * of the median burst. */
#include "bench.h"

#define CAPACITY 8192
#define BURST (CAPACITY / 2)
#define WARM_UP 50
#define BATCH 64

static mvx_recorder *recorder;
static mvx_event_type type;
static mvx_symbol symbols[SYMBOLS];
static register_event_fn register_event;
static size_t payload_len;

union any_payload {
    struct payload payload;
    uint64_t words[8];
};

/* Nanoseconds a call of one burst. */
static double burst_of_events(void)
{
    register_event_fn call = register_event;
    mvx_recorder *to = recorder;
    mvx_event_type of = type;
    mvx_symbol symbol = symbols[0];
    int32_t failed = 0;
    int64_t begin = now_ns();
    if (payload_len == sizeof(struct payload)) {
        for (uint64_t number = 0; number < BURST; number++) {
            struct payload payload = {symbol, 0, number};
            failed |= call(to, of, &payload, sizeof payload);
        }
    } else {
        for (uint64_t number = 0; number < BURST; number++) {
            union any_payload payload = {.payload = {symbol, 0, number}};
            for (size_t word = 2; word < 6; word++) {
                payload.words[word] = number;
            }
            failed |= call(to, of, &payload, 48);
        }
    }
    int64_t end = now_ns();
    CHECK(failed == 0);
    return (double)(end - begin) / BURST;
}

static double burst_of_batches(void)
{
    mvx_symbol symbol = symbols[0];
    size_t all = 0;
    int32_t failed = 0;
    int64_t begin = now_ns();
    for (uint64_t number = 0; number < BURST; number += BATCH) {
        struct payload payloads[BATCH];
        for (size_t i = 0; i < BATCH; i++) {
            payloads[i] = (struct payload){symbol, 0, number + i};
        }
        size_t accepted = 0;
        failed |= mvx.recorder_register_events(recorder, type, payloads, sizeof *payloads, BATCH, &accepted);
        all += accepted;
    }
    int64_t end = now_ns();
    CHECK(failed == 0 && all == BURST);
    return (double)(end - begin) / BURST;
}

/* As above, of 8 different symbols. */
static double burst_of_symbols(void)
{
    register_event_fn call = register_event;
    mvx_recorder *to = recorder;
    mvx_event_type of = type;
    int32_t failed = 0;
    int64_t begin = now_ns();
    for (uint64_t number = 0; number < BURST; number++) {
        struct payload payload = {symbols[number % SYMBOLS], 0, number};
        failed |= call(to, of, &payload, sizeof payload);
    }
    int64_t end = now_ns();
    CHECK(failed == 0);
    return (double)(end - begin) / BURST;
}

/* ---- two producers ----------------------------------------------------------------------------------------- */

static pthread_barrier_t both;
static atomic_uint ready;
static double (*figures)[2];
static size_t rounds;

static void *produce(void *which)
{
    unsigned self = which ? 1 : 0;
    pin((int)self);
    for (unsigned round = 0; round < rounds; round++) {
        pthread_barrier_wait(&both);
        /* The barrier lets one go long before the other: meet again, awake. */
        atomic_fetch_add(&ready, 1);
        while (atomic_load_explicit(&ready, memory_order_acquire) < 2 * (round + 1)) {
            if (!pinned) {
                sched_yield();
            }
        }
        figures[round][self] = burst_of_events();
        pthread_barrier_wait(&both);
        if (self == 0) {
            drain(recorder);
        }
    }
    return NULL;
}

static void measure_pair(double *per_burst, size_t count)
{
    rounds = count;
    figures = calloc(count, sizeof *figures);
    CHECK(figures);
    pthread_barrier_init(&both, NULL, 2);
    pthread_t other;
    CHECK(pthread_create(&other, NULL, produce, &recorder) == 0);
    produce(NULL);
    pthread_join(other, NULL);
    for (size_t i = 0; i < count; i++) {
        per_burst[i] = (figures[i][0] + figures[i][1]) / 2;
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        die("usage: %s MODE BURSTS", argv[0]);
    }
    const char *mode = argv[1];
    bool pair = strcmp(mode, "pair16") == 0, ordered = strcmp(mode, "ordered16") == 0;
    bool batch = strcmp(mode, "batch16") == 0, refused = strcmp(mode, "refused16") == 0;
    bool empty = strcmp(mode, "empty") == 0, large = strcmp(mode, "single48") == 0;
    bool folded = strncmp(mode, "folded", 6) == 0, by_symbol = strcmp(mode, "folded_by_symbol16") == 0;
    bool by_number = strcmp(mode, "folded_by_number16") == 0 || strcmp(mode, "by_number16") == 0;
    if (folded && !by_symbol && !by_number && strcmp(mode, "folded16") != 0) {
        die("unknown mode %s", mode);
    }
    if (!folded && !by_number && !pair && !ordered && !batch && !refused && !empty && !large && strcmp(mode, "single16") != 0) {
        die("unknown mode %s", mode);
    }
    size_t count = WARM_UP + (size_t)atol(argv[2]);
    double *per_burst = calloc(count, sizeof *per_burst);
    CHECK(per_burst && count > WARM_UP);
    payload_len = large ? 48 : sizeof(struct payload);

    if (empty) {
        pin(0);
        *(void **)&register_event = load_symbol(load_object("MVX_BENCH_EMPTY"), "empty_call");
        for (size_t i = 0; i < count; i++) {
            per_burst[i] = burst_of_events();
            nap();
        }
        report(count * BURST, count * BURST, "\"ns\":%.3f", median(per_burst + WARM_UP, count - WARM_UP));
        return 0;
    }

    load_library();
    register_event = mvx.recorder_register_event;
    /* Two producers have both cores, and the library's threads run where there is room. */
    mvx_runtime *runtime =
        start_runtime(pair || ordered ? library_thread_anywhere : library_thread_to_consumer_core);
    type = declare("bench.event", payload_len);
    intern_symbols(symbols);
    /* Each producer has half of a share of its own, as it would have with a ring of its own. */
    recorder = create_recorder(runtime, pair || ordered ? 2 * CAPACITY : CAPACITY,
                               refused ? MVX_OVERFLOW_DROP : MVX_OVERFLOW_RAISE_ERROR,
                               folded ? MVX_FOLDING_ON : MVX_FOLDING_OFF);
    const char *group = by_symbol ? "symbol" : by_number ? "number" : NULL;
    add_native(recorder, "count", MVX_METRIC_COUNTER, type, NULL, group, 0);
    if (ordered) {
        add_native(recorder, "last", MVX_METRIC_GAUGE, type, "number", NULL, 0);
    }
    struct gate gate;
    uint64_t events = 0;
    if (refused) {
        add_gate(recorder, &gate);
    }
    start(recorder);
    pin(0);
    if (pair || ordered) {
        measure_pair(per_burst, count);
        events = 2 * count * BURST;
    } else if (refused) {
        hold_dispatcher(recorder, &gate);
        for (int i = 0; i < 4; i++) {
            burst_of_events();
        }
        mvx_stats full = stats(recorder);
        CHECK(full.pending == CAPACITY);
        for (size_t i = 0; i < count; i++) {
            per_burst[i] = burst_of_events();
            nap();
        }
        CHECK(stats(recorder).dropped == full.dropped + count * BURST);
        sem_post(&gate.leave);
        /* All that was accepted, but the event of the gate. */
        events = full.accepted - 1;
    } else {
        for (size_t i = 0; i < count; i++) {
            per_burst[i] = batch ? burst_of_batches() : by_symbol ? burst_of_symbols() : burst_of_events();
            drain(recorder);
        }
        events = count * BURST;
    }
    double ns = median(per_burst + WARM_UP, count - WARM_UP);
    flush(recorder);
    report(events, counted(recorder, "count"), "\"ns\":%.3f", ns);
    mvx.recorder_free(recorder);
    mvx_error *error = NULL;
    succeed(mvx.runtime_shutdown(runtime, &error), error, "mvx_runtime_shutdown");
    mvx.runtime_free(runtime);
    return 0;
}
