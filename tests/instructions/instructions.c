/* Records in the steady state, for callgrind to count the instructions of: instructions CASE CALLS
 *
 *   single16 single48   payload of 16 or 48 bytes
 *   ordered16           an event type that a gauge wants, so that its order matters
 *   batch16             mvx_recorder_register_events, 64 at a time
 *   refused16           at the pending limit, policy DROP
 *
 * The dispatcher is held in a callback while the calls are made, so that nothing else happens. Before that as many calls
 * were made in the same way, and dispatched: memory that a thread needs is there. */
#include "../../benches/c/bench.h"

#include <valgrind/callgrind.h>

/* More than any case leaves pending. */
#define CAPACITY 65536
#define FEW 1024
#define BATCH 64

static mvx_recorder *recorder;
static mvx_event_type type;
static uint64_t number;

static void record(const char *mode, size_t calls)
{
    int32_t failed = 0;
    if (strcmp(mode, "batch16") == 0) {
        static struct payload payloads[BATCH];
        for (size_t i = 0; i < calls; i++) {
            size_t accepted = 0;
            failed |= mvx.recorder_register_events(recorder, type, payloads, sizeof *payloads, BATCH, &accepted);
            CHECK(accepted == BATCH);
        }
    } else {
        size_t len = strcmp(mode, "single48") == 0 ? 48 : 16;
        for (size_t i = 0; i < calls; i++) {
            uint64_t payload[6] = {1, number++};
            failed |= mvx.recorder_register_event(recorder, type, payload, len);
        }
    }
    CHECK(failed == 0);
}

static void let_go(struct gate *gate)
{
    sem_post(&gate->leave);
    flush(recorder);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        die("usage: %s CASE CALLS", argv[0]);
    }
    const char *mode = argv[1];
    size_t calls = (size_t)atol(argv[2]);
    bool refused = strcmp(mode, "refused16") == 0, ordered = strcmp(mode, "ordered16") == 0;
    load_library();
    mvx_runtime *runtime = start_runtime(NULL);
    type = declare("bench.event", strcmp(mode, "single48") == 0 ? 48 : 16);
    recorder = create_recorder(runtime, refused ? FEW : CAPACITY, refused ? MVX_OVERFLOW_DROP : MVX_OVERFLOW_RAISE_ERROR);
    add_native(recorder, "count", MVX_METRIC_COUNTER, type, NULL, NULL, 0);
    if (ordered) {
        add_native(recorder, "last", MVX_METRIC_GAUGE, type, "number", NULL, 0);
    }
    struct gate gate;
    add_gate(recorder, &gate);
    start(recorder);
    if (!refused) {
        for (int turn = 0; turn < 2; turn++) {
            hold_dispatcher(recorder, &gate);
            record(mode, calls);
            let_go(&gate);
        }
    }
    hold_dispatcher(recorder, &gate);
    if (refused) {
        record(mode, 2 * FEW);
    }
    mvx_stats before = stats(recorder);
    CALLGRIND_ZERO_STATS;
    record(mode, calls);
    CALLGRIND_DUMP_STATS;
    mvx_stats after = stats(recorder);
    CHECK(refused ? after.dropped - before.dropped == calls && after.accepted == before.accepted
                  : after.accepted - before.accepted == calls * (strcmp(mode, "batch16") == 0 ? BATCH : 1));
    /* The events of the gate are no business of the counter. */
    let_go(&gate);
    mvx_stats end = stats(recorder);
    CHECK(counted(recorder, "count") + (refused ? 1 : 3) == end.accepted);
    return 0;
}
