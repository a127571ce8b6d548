/* End to end at full speed: millions of events a second until a metric has counted all: sustained METRIC SECONDS
 *
 *   native   a native counter, grouped by a symbol with 8 different values
 *   folded   the same, counted where it is recorded
 *   batch    a metric of the host that counts by the symbol, in handle_batch
 *   event    the same, in handle_event
 *
 * One producer on one core, under MVX_OVERFLOW_BLOCK; the library's threads on the other. */
#include "bench.h"

#define CAPACITY 65536
#define WARM_UP UINT64_C(500000)

static uint64_t counts[SYMBOLS];

static int32_t handle_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)user_data, (void)error;
    counts[*(const uint8_t *)event->payload & 7] += 1;
    return MVX_EVENT_CHANGED;
}

static int32_t handle_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                            mvx_callback_error *error)
{
    (void)user_data, (void)error, (void)changed;
    const char *at = (const char *)events;
    /* Its stride, which is the library's size of an event. */
    size_t size = count > 0 ? events->struct_size : 0;
    for (size_t i = 0; i < count; i++, at += size) {
        counts[*(const uint8_t *)((const mvx_event *)(const void *)at)->payload & 7] += 1;
    }
    return MVX_EVENT_CHANGED;
}

/* Nanoseconds until all is counted. */
static int64_t produce(mvx_recorder *recorder, mvx_event_type type, const mvx_symbol *symbols, uint64_t events)
{
    register_event_fn call = mvx.recorder_register_event;
    int32_t failed = 0;
    int64_t begin = now_ns();
    for (uint64_t number = 0; number < events; number++) {
        struct payload payload = {symbols[number & 7], 0, number};
        failed |= call(recorder, type, &payload, sizeof payload);
    }
    flush(recorder);
    int64_t took = now_ns() - begin;
    CHECK(failed == 0);
    return took;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        die("usage: %s native|folded|batch|event SECONDS", argv[0]);
    }
    bool folded = strcmp(argv[1], "folded") == 0, batch = strcmp(argv[1], "batch") == 0;
    bool native = folded || strcmp(argv[1], "native") == 0;
    CHECK(native || batch || strcmp(argv[1], "event") == 0);
    load_library();
    mvx_runtime *runtime = start_runtime(library_thread_to_consumer_core);
    mvx_event_type type = declare("bench.event", sizeof(struct payload));
    mvx_symbol symbols[SYMBOLS];
    intern_symbols(symbols);
    mvx_recorder *recorder = create_recorder(runtime, CAPACITY, MVX_OVERFLOW_BLOCK, folded ? MVX_FOLDING_ON : MVX_FOLDING_OFF);
    if (native) {
        add_native(recorder, "count", MVX_METRIC_COUNTER, type, NULL, "symbol", 0);
    } else {
        add_vtable(recorder, "count", type, MVX_METRIC_COMMUTATIVE, batch ? NULL : handle_event,
                   batch ? handle_batch : NULL, no_snapshot, NULL);
    }
    start(recorder);
    pin(0);
    double rate = (double)WARM_UP / (double)produce(recorder, type, symbols, WARM_UP);
    uint64_t events = (uint64_t)(rate * atof(argv[2]) * 1e9);
    int64_t took = produce(recorder, type, symbols, events);
    uint64_t sum = 0;
    if (native) {
        sum = counted(recorder, "count");
    } else {
        for (int i = 0; i < SYMBOLS; i++) {
            sum += counts[i];
        }
    }
    report(WARM_UP + events, sum, "\"mps\":%.3f", (double)events * 1e3 / (double)took);
    mvx.recorder_free(recorder);
    mvx.runtime_shutdown(runtime, NULL);
    mvx.runtime_free(runtime);
    return 0;
}
