/* The C side: the library as bench.h loads it, so an instance of its own beside the one in the Rust program, and an
   empty call. Both get the very payloads that the Rust side makes. */
#include "../c/bench.h"

static mvx_event_type type;
static mvx_symbol symbols[SYMBOLS];
/* The one that does not fold, and the one that does. */
static mvx_recorder *recorders[2];
static register_event_fn empty;

static size_t record(register_event_fn call, mvx_recorder *recorder, size_t burst)
{
    size_t accepted = 0;
    for (size_t i = 0; i < burst; i++) {
        struct payload payload = {symbols[i % SYMBOLS], 0, i};
        accepted += call(recorder, type, &payload, sizeof payload) == MVX_OK;
    }
    return accepted;
}

void c_open(int64_t queue_max_size)
{
    load_library();
    *(void **)&empty = load_symbol(load_object("MVX_BENCH_EMPTY"), "empty_call");
    mvx_runtime *runtime = start_runtime(NULL);
    type = declare("bench.event", sizeof(struct payload));
    intern_symbols(symbols);
    const uint32_t folding[] = {MVX_FOLDING_OFF, MVX_FOLDING_ON};
    for (int i = 0; i < 2; i++) {
        recorders[i] = create_recorder(runtime, queue_max_size, MVX_OVERFLOW_RAISE_ERROR, folding[i]);
        add_native(recorders[i], "count", MVX_METRIC_COUNTER, type, NULL, "symbol", 0);
        start(recorders[i]);
    }
}

/* The number of events that were accepted. */
size_t c_record(bool folded, size_t burst)
{
    return record(mvx.recorder_register_event, recorders[folded], burst);
}

size_t empty_record(size_t burst)
{
    return record(empty, recorders[0], burst);
}

void c_flush(bool folded)
{
    flush(recorders[folded]);
}

uint64_t c_counted(bool folded)
{
    return counted(recorders[folded], "count");
}
