/* What snapshots cost recording threads: snapshots SLICES SECONDS
 *
 * Two producers record into a counter of 10,000 series, in bursts with naps between; in every other slice of time a
 * third thread takes five snapshots a second. The figure is the processor time of the producers an event: two cores can
 * not run three threads at once, so that the clock on the wall would tell about the scheduler. */
#include "bench.h"

#define SERIES 10000
#define BURST 2048

static mvx_recorder *recorder;
static mvx_event_type type;
static atomic_bool over, with_snapshots;
static atomic_uint slice;

struct producer {
    pthread_t thread;
    unsigned which;
    uint64_t events, *slice_events;
    double *slice_ns;
};

static void *produce(void *argument)
{
    struct producer *self = argument;
    register_event_fn call = mvx.recorder_register_event;
    pin((int)self->which);
    uint64_t number = self->which * (SERIES / 2);
    while (!atomic_load(&over)) {
        unsigned now = atomic_load(&slice);
        int32_t failed = 0;
        int64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < BURST; i++) {
            struct payload payload = {1, 0, number};
            number = number + 1 == SERIES ? 0 : number + 1;
            failed |= call(recorder, type, &payload, sizeof payload);
        }
        int64_t took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
        CHECK(failed == 0);
        self->events += BURST;
        self->slice_events[now] += BURST;
        self->slice_ns[now] += (double)took;
        /* Half a million events a second each: the dispatcher keeps up, and the naps let it. */
        sleep_ns(4000000);
    }
    return NULL;
}

static size_t series(void)
{
    mvx_snapshot *snapshot = NULL;
    succeed(mvx.recorder_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT, INT64_C(10000000000), &snapshot, NULL), NULL,
            "mvx_recorder_snapshot");
    const mvx_value *count = mvx.snapshot_get(snapshot, MVX_STR("count"));
    size_t len = mvx.value_len(mvx.value_get(count, MVX_STR("series")));
    mvx.snapshot_free(snapshot);
    return len;
}

static void *take_snapshots(void *taken)
{
    while (!atomic_load(&over)) {
        if (atomic_load(&with_snapshots)) {
            mvx_snapshot *snapshot = NULL;
            succeed(mvx.recorder_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT, INT64_C(10000000000), &snapshot, NULL),
                    NULL, "mvx_recorder_snapshot");
            mvx.snapshot_free(snapshot);
            *(uint64_t *)taken += 1;
        }
        sleep_ns(200000000);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        die("usage: %s SLICES SECONDS", argv[0]);
    }
    /* Half of them with snapshots; before them two that warm up. */
    unsigned slices = 2 * (unsigned)atoi(argv[1]) + 2;
    load_library();
    mvx_runtime *runtime = start_runtime(library_thread_anywhere);
    type = declare("bench.event", sizeof(struct payload));
    recorder = create_recorder(runtime, 65536, MVX_OVERFLOW_BLOCK, MVX_FOLDING_OFF);
    add_native(recorder, "count", MVX_METRIC_COUNTER, type, NULL, "number", 2 * SERIES);
    start(recorder);
    struct producer producers[2];
    for (unsigned i = 0; i < 2; i++) {
        producers[i] = (struct producer){.which = i,
                                         .slice_events = calloc(slices + 1, sizeof(uint64_t)),
                                         .slice_ns = calloc(slices + 1, sizeof(double))};
        CHECK(pthread_create(&producers[i].thread, NULL, produce, &producers[i]) == 0);
    }
    pthread_t snapshots;
    uint64_t taken = 0;
    CHECK(pthread_create(&snapshots, NULL, take_snapshots, &taken) == 0);
    for (unsigned i = 0; i < slices; i++) {
        atomic_store(&with_snapshots, i % 2 == 1);
        atomic_store(&slice, i);
        sleep_ns((int64_t)(atof(argv[2]) * 1e9));
    }
    atomic_store(&over, true);
    double *figures[2] = {calloc(slices, sizeof(double)), calloc(slices, sizeof(double))};
    size_t count = 0;
    uint64_t events = 0;
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(producers[i].thread, NULL);
        events += producers[i].events;
    }
    pthread_join(snapshots, NULL);
    for (unsigned i = 2; i < slices; i++) {
        figures[i % 2][count / 2] = (producers[0].slice_ns[i] + producers[1].slice_ns[i]) /
                                    (double)(producers[0].slice_events[i] + producers[1].slice_events[i]);
        count++;
    }
    CHECK(taken > 0);
    CHECK(series() == SERIES);
    mvx_stats end = stats(recorder);
    CHECK(end.accepted == events);
    report(events, counted(recorder, "count"), "\"without_ns\":%.3f,\"with_ns\":%.3f,\"snapshots\":%" PRIu64,
           median(figures[0], count / 2), median(figures[1], count / 2), taken);
    return 0;
}
