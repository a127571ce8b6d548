/* Does one thing for so many events, and has callgrind dump the instructions that this took: count MEASURE EVENTS.
   ./run takes the difference between two numbers of events, so what is done once does not count. */
#include "support.h"

#include <valgrind/callgrind.h>

/* At least four times what ./run asks for: the rings then have room, as they grow by segments. */
#define WARM_UP 102400
/* The queue takes the warm-up at once, and no lease of room (1 % of the limit) is asked for often. */
#define ROOM (1 << 20)
#define ROOM_BYTES (1 << 30)
#define MOST_RECORDERS 2
#define TYPES 4
#define SYMBOLS 8
#define AT_A_TIME 64

struct large {
    struct number number;
    uint64_t more[4];
};

/* What is measured, and what it is measured with. */
struct bench {
    mvx_runtime *runtime;
    mvx_recorder *recorders[MOST_RECORDERS];
    int recorder_count;
    mvx_event_type types[TYPES];
    struct number numbers[SYMBOLS];
    mvx_event_type last;
    /* A gate for each recorder, so that none goes through twice while another waits. */
    struct gate gates[MOST_RECORDERS];
    uint64_t held;
    atomic_bool counts_dispatching;
};

static struct bench bench = {.gates = {GATE_INITIALIZER, GATE_INITIALIZER}};
_Static_assert(MOST_RECORDERS == 2, "each gate has its initializer");

/* callgrind zeroes and dumps the counts of the thread that asks. */
static void begin_count(void)
{
    CALLGRIND_ZERO_STATS;
}

static void end_count(void)
{
    CALLGRIND_DUMP_STATS_AT("counted");
}

/* Runs on the dispatcher. A metric at the gate would look at every event, and be counted. */
static void hold(void *user_data, const void *payload, size_t len)
{
    (void)user_data;
    CHECK_UINT(1, len);
    struct gate *gate = &bench.gates[*(const unsigned char *)payload];
    if (atomic_load(&bench.counts_dispatching)) {
        end_count();
    }
    gate_wait(gate);
    if (atomic_load(&bench.counts_dispatching)) {
        begin_count();
    }
}

static void open_bench(int recorders, mvx_recorder_options options)
{
    static const char *const names[] = {"count.one", "count.two", "count.three", "count.four"};
    static const char *const outcomes[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (int i = 0; i < TYPES; i++) {
        bench.types[i] = number_type(names[i]);
    }
    for (int i = 0; i < SYMBOLS; i++) {
        bench.numbers[i] = (struct number){i, symbol(outcomes[i]), 0};
    }
    mvx_event_type_options last = {
        .struct_size = sizeof last, .name = MVX_STR("count.last"), .release = hold};
    OK(mvx_event_type_declare(&last, &bench.last, ERR));
    bench.runtime = new_runtime();
    bench.recorder_count = recorders;
    options.struct_size = sizeof options;
    for (int i = 0; i < recorders; i++) {
        bench.recorders[i] = new_recorder_with(bench.runtime, &options);
    }
}

static mvx_recorder_options roomy(void)
{
    return (mvx_recorder_options){
        .queue_max_size = ROOM, .queue_max_bytes = ROOM_BYTES, .folding = MVX_FOLDING_OFF};
}

static mvx_recorder_options folding(void)
{
    return (mvx_recorder_options){.queue_max_size = ROOM, .queue_max_bytes = ROOM_BYTES};
}

/* ---- the dispatchers at the gate ----------------------------------------------------------------------- */

static void put_last(void)
{
    for (int i = 0; i < bench.recorder_count; i++) {
        unsigned char which = (unsigned char)i;
        OK(mvx_recorder_register_event(bench.recorders[i], bench.last, &which, 1));
    }
}

static void await_held(void)
{
    uint64_t turn = bench.held / (uint64_t)bench.recorder_count + 1;
    bench.held += (uint64_t)bench.recorder_count;
    for (int i = 0; i < bench.recorder_count; i++) {
        gate_await_arrivals(&bench.gates[i], turn);
        gate_await(&bench.gates[i], 1);
    }
}

static void begin(void)
{
    for (int i = 0; i < bench.recorder_count; i++) {
        start(bench.recorders[i]);
    }
    put_last();
    await_held();
}

/* Has everything that is queued handled. The dispatchers stop right behind it, so that their idling is not counted. */
static void handle_all(void)
{
    for (int i = 0; i < bench.recorder_count; i++) {
        gate_permit(&bench.gates[i], 1);
    }
    await_held();
}

static void end(uint64_t accepted, uint64_t dropped)
{
    for (int i = 0; i < bench.recorder_count; i++) {
        CHECK(gate_condition(&bench.gates[i], 0, 1));
        gate_open(&bench.gates[i]);
    }
    mvx_stats sum = {0};
    for (int i = 0; i < bench.recorder_count; i++) {
        flush(bench.recorders[i]);
        mvx_stats stats = stats_of(bench.recorders[i]);
        sum.accepted += stats.accepted;
        sum.dispatched += stats.dispatched;
        sum.dropped += stats.dropped;
        stop(bench.recorders[i]);
        mvx_recorder_free(bench.recorders[i]);
    }
    /* Those that held the dispatchers are no part of it. */
    CHECK_UINT(accepted, sum.accepted - bench.held);
    CHECK_UINT(sum.accepted, sum.dispatched);
    CHECK_UINT(dropped, sum.dropped);
    end_runtime(bench.runtime);
}

/* ---- recording: the first thread's instructions -------------------------------------------------------- */

/* Each records so many events; what the loop itself takes is counted along. */
typedef void recording(uint64_t events);

static mvx_status register_number(int recorder, int type)
{
    return mvx_recorder_register_event(bench.recorders[recorder], bench.types[type], bench.numbers, 16);
}

static void one_by_one(uint64_t events)
{
    mvx_status status = MVX_OK;
    for (uint64_t i = 0; i < events; i++) {
        status |= register_number(0, 0);
    }
    CHECK_INT(MVX_OK, status);
}

static void one_by_one_large(uint64_t events)
{
    static const struct large large = {.number = {.value = 1}};
    CHECK_UINT(48, sizeof large);
    mvx_status status = MVX_OK;
    for (uint64_t i = 0; i < events; i++) {
        status |= mvx_recorder_register_event(bench.recorders[0], bench.types[0], &large, sizeof large);
    }
    CHECK_INT(MVX_OK, status);
}

static void many_at_a_time(uint64_t events)
{
    static const struct number numbers[AT_A_TIME];
    mvx_status status = MVX_OK;
    size_t total = 0;
    for (uint64_t i = 0; i < events / AT_A_TIME; i++) {
        size_t accepted = 0;
        status |= mvx_recorder_register_events(bench.recorders[0], bench.types[0], numbers, sizeof numbers[0],
                                               AT_A_TIME, &accepted);
        total += accepted;
    }
    CHECK_INT(MVX_OK, status);
    CHECK_UINT(events, total);
}

static void by_symbol(uint64_t events)
{
    mvx_status status = MVX_OK;
    for (uint64_t i = 0; i < events; i++) {
        status |= mvx_recorder_register_event(bench.recorders[0], bench.types[0], &bench.numbers[i % SYMBOLS], 16);
    }
    CHECK_INT(MVX_OK, status);
}

/* Of as many kinds as events. */
static void all_different(uint64_t events)
{
    mvx_status status = MVX_OK;
    static struct number number;
    for (uint64_t i = 0; i < events; i++) {
        number.value++;
        status |= mvx_recorder_register_event(bench.recorders[0], bench.types[0], &number, sizeof number);
    }
    CHECK_INT(MVX_OK, status);
}

static void into_two_recorders(uint64_t events)
{
    mvx_status status = MVX_OK;
    for (uint64_t i = 0; i < events / 2; i++) {
        status |= register_number(0, 0);
        status |= register_number(1, 0);
    }
    CHECK_INT(MVX_OK, status);
}

static void of_four_types(uint64_t events)
{
    mvx_status status = MVX_OK;
    for (uint64_t i = 0; i < events / 4; i++) {
        status |= register_number(0, 0);
        status |= register_number(0, 1);
        status |= register_number(0, 2);
        status |= register_number(0, 3);
    }
    CHECK_INT(MVX_OK, status);
}

static void add_counters(void)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    for (int i = 0; i < bench.recorder_count; i++) {
        for (int type = 0; type < TYPES; type++) {
            add_native(bench.recorders[i], names[type], MVX_METRIC_COUNTER, bench.types[type], NULL, NULL);
        }
    }
}

static void count_recording(recording *record_all, uint64_t events)
{
    begin();
    record_all(WARM_UP);
    put_last();
    handle_all();
    begin_count();
    record_all(events);
    end_count();
    end(WARM_UP + events, 0);
}

static void register_16(uint64_t events)
{
    open_bench(1, roomy());
    add_counters();
    count_recording(one_by_one, events);
}

static void register_48(uint64_t events)
{
    open_bench(1, roomy());
    add_counters();
    count_recording(one_by_one_large, events);
}

static void register_16_in_order(uint64_t events)
{
    open_bench(1, roomy());
    add_native(bench.recorders[0], "gauge", MVX_METRIC_GAUGE, bench.types[0], "value", NULL);
    count_recording(one_by_one, events);
}

static void register_64_at_a_time(uint64_t events)
{
    open_bench(1, roomy());
    add_counters();
    count_recording(many_at_a_time, events);
}

static void register_two_recorders(uint64_t events)
{
    open_bench(2, roomy());
    add_counters();
    count_recording(into_two_recorders, events);
}

static void register_four_types(uint64_t events)
{
    open_bench(1, roomy());
    add_counters();
    count_recording(of_four_types, events);
}

static void fold_16(uint64_t events)
{
    open_bench(1, folding());
    add_counters();
    count_recording(one_by_one, events);
}

static void fold_64_at_a_time(uint64_t events)
{
    open_bench(1, folding());
    add_counters();
    count_recording(many_at_a_time, events);
}

static void fold_by_symbol(uint64_t events)
{
    open_bench(1, folding());
    add_native(bench.recorders[0], "by symbol", MVX_METRIC_COUNTER, bench.types[0], NULL, "outcome");
    count_recording(by_symbol, events);
}

static void fold_given_up(uint64_t events)
{
    open_bench(1, folding());
    add_native(bench.recorders[0], "by value", MVX_METRIC_COUNTER, bench.types[0], NULL, "value");
    count_recording(all_different, events);
}

static void register_at_limit(uint64_t events)
{
    const uint64_t limit = 10000, more = 1000;
    open_bench(1, (mvx_recorder_options){.queue_max_size = (int64_t)limit,
                                         .overflow_policy = MVX_OVERFLOW_DROP,
                                         .folding = MVX_FOLDING_OFF});
    add_counters();
    begin();
    one_by_one(limit + more);
    begin_count();
    one_by_one(events);
    end_count();
    /* The one that holds the dispatcher is pending, too. */
    end(limit - 1, events + more + 1);
}

/* ---- dispatching: the dispatcher's instructions -------------------------------------------------------- */

static void queue(uint64_t events)
{
    mvx_status status = MVX_OK;
    for (uint64_t i = 0; i < events; i++) {
        status |= mvx_recorder_register_event(bench.recorders[0], bench.types[0], &bench.numbers[i % SYMBOLS], 16);
    }
    CHECK_INT(MVX_OK, status);
    put_last();
}

static void count_dispatching(uint64_t events)
{
    begin();
    queue(WARM_UP);
    handle_all();
    queue(events);
    atomic_store(&bench.counts_dispatching, true);
    handle_all();
    atomic_store(&bench.counts_dispatching, false);
    end(WARM_UP + events, 0);
}

static void dispatch_counter(uint64_t events)
{
    open_bench(1, roomy());
    add_native(bench.recorders[0], "counter", MVX_METRIC_COUNTER, bench.types[0], NULL, NULL);
    count_dispatching(events);
}

static void dispatch_counter_by_symbol(uint64_t events)
{
    open_bench(1, roomy());
    add_native(bench.recorders[0], "counter", MVX_METRIC_COUNTER, bench.types[0], NULL, "outcome");
    count_dispatching(events);
}

static int64_t total;

static void add_value(const mvx_event *event)
{
    const struct number *number = event->payload;
    total += number->value;
}

static int32_t add_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)user_data;
    (void)error;
    add_value(event);
    return MVX_EVENT_CHANGED;
}

static int32_t add_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                         mvx_callback_error *error)
{
    (void)user_data;
    (void)changed;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        add_value(&events[i]);
    }
    return MVX_EVENT_CHANGED;
}

static void count_callbacks(mvx_metric_vtable vtable, uint64_t events)
{
    open_bench(1, roomy());
    vtable.struct_size = sizeof vtable;
    vtable.snapshot = probe_snapshot;
    vtable.event_types = bench.types;
    vtable.event_type_count = 1;
    OK(mvx_recorder_register_metric(bench.recorders[0], MVX_STR("sum"), &vtable, NULL, ERR));
    count_dispatching(events);
    /* Each symbol's number came as often as the others. */
    CHECK_INT((WARM_UP + events) / SYMBOLS * (SYMBOLS * (SYMBOLS - 1) / 2), total);
}

static void dispatch_handle_batch(uint64_t events)
{
    count_callbacks((mvx_metric_vtable){.handle_batch = add_batch}, events);
}

static void dispatch_handle_event(uint64_t events)
{
    count_callbacks((mvx_metric_vtable){.handle_event = add_event}, events);
}

/* ---- the program --------------------------------------------------------------------------------------- */

struct measure {
    const char *name;
    void (*run)(uint64_t events);
};

#define MEASURE(function) {#function, function}

int main(int argc, char **argv)
{
    static const struct measure measures[] = {
        MEASURE(register_16),
        MEASURE(register_48),
        MEASURE(register_16_in_order),
        MEASURE(register_64_at_a_time),
        MEASURE(register_at_limit),
        MEASURE(register_two_recorders),
        MEASURE(register_four_types),
        MEASURE(fold_16),
        MEASURE(fold_64_at_a_time),
        MEASURE(fold_by_symbol),
        MEASURE(fold_given_up),
        MEASURE(dispatch_counter),
        MEASURE(dispatch_counter_by_symbol),
        MEASURE(dispatch_handle_batch),
        MEASURE(dispatch_handle_event),
    };
    const size_t count = sizeof measures / sizeof measures[0];
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++) {
            puts(measures[i].name);
        }
        return 0;
    }
    for (size_t i = 0; argc == 3 && i < count; i++) {
        if (strcmp(argv[1], measures[i].name) == 0) {
            uint64_t events = strtoull(argv[2], NULL, 10);
            CHECK(events > 0 && events % AT_A_TIME == 0 && events <= WARM_UP / 4);
            measures[i].run(events);
            return 0;
        }
    }
    fprintf(stderr, "usage: count --list | MEASURE EVENTS\n");
    return 2;
}
