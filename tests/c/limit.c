/* The pending limit: exact, never exceeded, refused as the policy says, and counted without a gap. */
#include "support.h"

struct desk {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    struct probe probe;
    struct gate gate;
};

/* A running recorder whose metric stands at the gate with its first event. */
static void desk_open(struct desk *desk, mvx_recorder_options options, bool batches)
{
    memset(desk, 0, sizeof *desk);
    desk->probe = (struct probe)PROBE_INITIALIZER;
    desk->gate = (struct gate)GATE_INITIALIZER;
    desk->runtime = new_runtime();
    desk->type = number_type("limit.number");
    options.struct_size = sizeof options;
    desk->recorder = new_recorder_with(desk->runtime, &options);
    atomic_store(&desk->probe.hold, &desk->gate);
    if (batches) {
        add_batch_probe(desk->recorder, "probe", &desk->probe);
    } else {
        add_probe(desk->recorder, "probe", &desk->probe);
    }
    start(desk->recorder);
}

static void desk_close(struct desk *desk)
{
    gate_open(&desk->gate);
    mvx_recorder_free(desk->recorder);
    end_runtime(desk->runtime);
    EVENTUALLY(atomic_load(&desk->probe.drops) == 1);
}

/* Records until refused; how many were accepted. */
static uint64_t fill(mvx_recorder *recorder, mvx_event_type type, mvx_status refusal)
{
    struct number number = {1, 0, 0};
    for (uint64_t n = 0;; n++) {
        mvx_status status = mvx_recorder_register_event(recorder, type, &number, sizeof number);
        if (status != MVX_OK) {
            STATUS(refusal, status);
            return n;
        }
    }
}

/* ---- one producer -------------------------------------------------------------------------------------- */

static const int64_t limits[] = {1, 2, 100, 1023, 1024, 10000};
#define LIMITS (sizeof limits / sizeof limits[0])

static void fill_exactly(struct desk *desk, int64_t limit)
{
    uint64_t seen = desk->probe.seen;
    mvx_stats before = stats_of(desk->recorder);
    gate_close(&desk->gate);
    record_ok(desk->recorder, desk->type, 1);
    gate_await(&desk->gate, 1);
    CHECK_UINT(limit - 1, fill(desk->recorder, desk->type, MVX_QUEUE_OVERFLOW));
    CHECK_UINT(0, fill(desk->recorder, desk->type, MVX_QUEUE_OVERFLOW));
    mvx_stats stats = stats_of(desk->recorder);
    CHECK_UINT(limit, stats.pending);
    CHECK_UINT(limit, stats.pending_max);
    CHECK_UINT(before.accepted + (uint64_t)limit, stats.accepted);
    CHECK_UINT(before.refused + 2, stats.refused);
    CHECK_UINT(0, stats.dropped);
    gate_open(&desk->gate);
    flush(desk->recorder);
    CHECK_UINT(seen + (uint64_t)limit, desk->probe.seen);
    CHECK_UINT(0, stats_of(desk->recorder).pending);
}

static void *fill_exactly_elsewhere(void *argument)
{
    struct desk *desk = argument;
    fill_exactly(desk, (int64_t)stats_of(desk->recorder).pending_max);
    return NULL;
}

static void exact_for_one_producer(void)
{
    for (size_t i = 0; i < LIMITS; i++) {
        for (int batches = 0; batches < 2; batches++) {
            struct desk desk;
            desk_open(&desk, (mvx_recorder_options){.queue_max_size = limits[i]}, batches == 1);
            fill_exactly(&desk, limits[i]);
            fill_exactly(&desk, limits[i]);
            /* Another thread, while the first one is idle and after it was. */
            join(spawn(fill_exactly_elsewhere, &desk));
            fill_exactly(&desk, limits[i]);
            desk_close(&desk);
        }
    }
}

static void the_default_is_ten_thousand(void)
{
    struct desk desk;
    desk_open(&desk, (mvx_recorder_options){.queue_max_size = 0}, false);
    fill_exactly(&desk, 10000);
    desk_close(&desk);
}

static void exact_while_starting(void)
{
    for (size_t i = 0; i < LIMITS; i++) {
        mvx_runtime *runtime = new_runtime();
        mvx_event_type type = number_type("limit.number");
        struct hook_probe probe = {.starting_reply = MVX_HOOK_PENDING};
        mvx_hooks hooks = hooks_of(&probe);
        mvx_recorder_options options = recorder_options();
        options.hooks = &hooks;
        options.queue_max_size = limits[i];
        mvx_recorder *recorder = new_recorder_with(runtime, &options);
        add_native(recorder, "counter", MVX_METRIC_COUNTER, type, NULL, NULL);
        CHECK_UINT(limits[i], fill(recorder, type, MVX_QUEUE_OVERFLOW));
        CHECK_UINT(limits[i], stats_of(recorder).pending);
        STATUS(MVX_OK, mvx_completion_done(take_token(&probe), (mvx_str){NULL, 0}));
        flush(recorder);
        CHECK_INT(limits[i], current(recorder, "counter", "value"));
        stop(recorder);
        mvx_recorder_free(recorder);
        end_runtime(runtime);
    }
}

static void room_comes_back_event_by_event(void)
{
    struct desk desk;
    desk_open(&desk, (mvx_recorder_options){.queue_max_size = 10}, false);
    CHECK_UINT(10, fill(desk.recorder, desk.type, MVX_QUEUE_OVERFLOW));
    gate_await(&desk.gate, 1);
    for (uint64_t i = 1; i <= 20; i++) {
        gate_permit(&desk.gate, 1);
        EVENTUALLY(stats_of(desk.recorder).dispatched == i);
        CHECK_UINT(1, fill(desk.recorder, desk.type, MVX_QUEUE_OVERFLOW));
    }
    desk_close(&desk);
}

/* ---- policies ------------------------------------------------------------------------------------------ */

static void drop_is_silent_and_counted(void)
{
    struct desk desk;
    desk_open(&desk, (mvx_recorder_options){.queue_max_size = 100, .overflow_policy = MVX_OVERFLOW_DROP}, false);
    record_ok(desk.recorder, desk.type, 1);
    gate_await(&desk.gate, 1);
    for (int i = 0; i < 149; i++) {
        record_ok(desk.recorder, desk.type, 1);
    }
    mvx_stats stats = stats_of(desk.recorder);
    CHECK_UINT(100, stats.accepted);
    CHECK_UINT(50, stats.dropped);
    CHECK_UINT(0, stats.refused);
    gate_open(&desk.gate);
    flush(desk.recorder);
    CHECK_UINT(100, desk.probe.seen);
    desk_close(&desk);
}

static void register_events_takes_what_fits(void)
{
    static const uint32_t policies[] = {MVX_OVERFLOW_DROP, MVX_OVERFLOW_RAISE_ERROR, MVX_OVERFLOW_BLOCK};
    static const mvx_status answers[] = {MVX_OK, MVX_QUEUE_OVERFLOW, MVX_TIMEOUT};
    for (int i = 0; i < 3; i++) {
        struct desk desk;
        desk_open(&desk,
                  (mvx_recorder_options){
                      .queue_max_size = 100, .overflow_policy = policies[i], .block_timeout_ns = MS(50)},
                  false);
        struct number numbers[300] = {{0}};
        size_t accepted = 0;
        STATUS(MVX_OK, mvx_recorder_register_events(desk.recorder, desk.type, numbers, sizeof numbers[0], 60, &accepted));
        CHECK_UINT(60, accepted);
        accepted = 0;
        STATUS(answers[i],
               mvx_recorder_register_events(desk.recorder, desk.type, numbers, sizeof numbers[0], 300, &accepted));
        CHECK_UINT(40, accepted);
        mvx_stats stats = stats_of(desk.recorder);
        CHECK_UINT(100, stats.accepted);
        CHECK_UINT(100, stats.pending);
        CHECK_UINT(i == 0 ? 260 : 0, stats.dropped);
        CHECK_UINT(i == 0 ? 0 : 260, stats.refused);
        desk_close(&desk);
    }
}

static void a_runtime_s_recorder_drops_by_default(void)
{
    mvx_runtime_options options = {.struct_size = sizeof options, .recorder_queue_max_size = 7};
    mvx_runtime *runtime = new_runtime_with(&options);
    mvx_event_type type = number_type("limit.number");
    struct probe probe = PROBE_INITIALIZER;
    struct gate gate = GATE_INITIALIZER;
    atomic_store(&probe.hold, &gate);
    mvx_recorder *recorder = NULL;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("dropping"), NULL, &recorder, ERR));
    add_probe(recorder, "probe", &probe);
    for (int i = 0; i < 20; i++) {
        record_ok(recorder, type, 1);
    }
    CHECK_UINT(7, stats_of(recorder).accepted);
    CHECK_UINT(13, stats_of(recorder).dropped);
    gate_open(&gate);
    flush(recorder);
    mvx_recorder_free(recorder);
    /* A direct recorder of the same runtime keeps its own default. */
    recorder = new_recorder(runtime);
    struct gate closed = GATE_INITIALIZER;
    struct probe held = PROBE_INITIALIZER;
    atomic_store(&held.hold, &closed);
    add_probe(recorder, "held", &held);
    CHECK(fill(recorder, type, MVX_QUEUE_OVERFLOW) > 0);
    CHECK_UINT(0, stats_of(recorder).dropped);
    gate_open(&closed);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

static mvx_recorder_options blocking(int64_t limit, int64_t timeout_ms)
{
    mvx_recorder_options options = recorder_options();
    options.queue_max_size = limit;
    options.overflow_policy = MVX_OVERFLOW_BLOCK;
    options.block_timeout_ns = MS(timeout_ms);
    return options;
}

static void block_gives_up_after_its_time(void)
{
    static const int64_t times[] = {100, 0};
    for (int i = 0; i < 2; i++) {
        int64_t expected = times[i] ? times[i] : 1000;
        struct desk desk;
        desk_open(&desk, blocking(5, times[i]), false);
        for (int n = 0; n < 5; n++) {
            record_ok(desk.recorder, desk.type, 1);
        }
        int64_t before = now_ms();
        STATUS(MVX_TIMEOUT, record(desk.recorder, desk.type, 1));
        int64_t took = now_ms() - before;
        CHECK(took >= expected - 5);
        CHECK(took < expected + patience_ms());
        mvx_stats stats = stats_of(desk.recorder);
        CHECK_UINT(5, stats.accepted);
        CHECK_UINT(1, stats.refused);
        CHECK_UINT(0, stats.dropped);
        desk_close(&desk);
    }
}

struct blocked {
    struct desk desk;
    atomic_int result;
    atomic_int begun;
};

static void *record_blocked(void *argument)
{
    struct blocked *blocked = argument;
    atomic_fetch_add(&blocked->begun, 1);
    atomic_store(&blocked->result, record(blocked->desk.recorder, blocked->desk.type, 1));
    return NULL;
}

static void block_goes_on_when_room_comes(void)
{
    struct blocked blocked = {.result = -1};
    desk_open(&blocked.desk, blocking(5, 10 * patience_ms()), false);
    for (int n = 0; n < 5; n++) {
        record_ok(blocked.desk.recorder, blocked.desk.type, 1);
    }
    gate_await(&blocked.desk.gate, 1);
    pthread_t thread = spawn(record_blocked, &blocked);
    EVENTUALLY(atomic_load(&blocked.begun) == 1);
    sleep_ms(50);
    CHECK_INT(-1, blocked.result);
    CHECK_UINT(5, stats_of(blocked.desk.recorder).accepted);
    gate_permit(&blocked.desk.gate, 1);
    join(thread);
    CHECK_INT(MVX_OK, blocked.result);
    CHECK_UINT(6, stats_of(blocked.desk.recorder).accepted);
    CHECK_UINT(0, stats_of(blocked.desk.recorder).refused);
    desk_close(&blocked.desk);
}

enum { BATCH_LIMIT = 2000, BATCH_EVENTS = 5000 };

struct batch {
    struct desk desk;
    mvx_recorder *handle;
    mvx_status status;
    size_t accepted;
};

static void *record_batch(void *argument)
{
    struct batch *batch = argument;
    static struct number numbers[BATCH_EVENTS];
    /* From here on the thread knows the handle. */
    record_ok(batch->handle, batch->desk.type, 1);
    batch->status = mvx_recorder_register_events(batch->handle, batch->desk.type, numbers, sizeof numbers[0],
                                                 BATCH_EVENTS, &batch->accepted);
    return NULL;
}

/* A call that waits for room in the middle of a batch goes on, also where its handle was freed meanwhile. */
static void a_batch_goes_on_without_its_handle(void)
{
    struct batch batch = {.status = -1};
    desk_open(&batch.desk, blocking(BATCH_LIMIT, 20 * patience_ms()), true);
    STATUS(MVX_OK, mvx_recorder_clone(batch.desk.recorder, &batch.handle));
    pthread_t thread = spawn(record_batch, &batch);
    EVENTUALLY(stats_of(batch.desk.recorder).pending == BATCH_LIMIT);
    mvx_recorder_free(batch.handle);
    gate_open(&batch.desk.gate);
    join(thread);
    CHECK_INT(MVX_OK, batch.status);
    CHECK_UINT(BATCH_EVENTS, batch.accepted);
    CHECK_UINT(BATCH_EVENTS + 1, stats_of(batch.desk.recorder).accepted);
    STATUS(MVX_INVALID_HANDLE, record(batch.handle, batch.desk.type, 1));
    desk_close(&batch.desk);
}

/* Who waits for room in a recorder that ends hears of it at once, not when its time is over. */
static void block_ends_with_the_recorder(void)
{
    for (int i = 0; i < 2; i++) {
        struct blocked blocked = {.result = -1};
        desk_open(&blocked.desk, blocking(2, 20 * patience_ms()), false);
        record_ok(blocked.desk.recorder, blocked.desk.type, 1);
        record_ok(blocked.desk.recorder, blocked.desk.type, 1);
        gate_await(&blocked.desk.gate, 1);
        pthread_t thread = spawn(record_blocked, &blocked);
        EVENTUALLY(atomic_load(&blocked.begun) == 1);
        sleep_ms(30);
        CHECK_INT(-1, blocked.result);
        mvx_wait *stopped = NULL;
        if (i == 0) {
            OK(mvx_recorder_cancel(blocked.desk.recorder, ERR));
        } else {
            stopped = begin_stop(blocked.desk.recorder);
        }
        EVENTUALLY(atomic_load(&blocked.result) != -1);
        CHECK(blocked.result != MVX_OK);
        join(thread);
        gate_open(&blocked.desk.gate);
        if (stopped) {
            wait_ok(stopped);
            CHECK_UINT(2, blocked.desk.probe.seen);
        }
        desk_close(&blocked.desk);
    }
}

static atomic_int inside_status = -1;

static void record_inside(struct probe *probe, const mvx_event *event)
{
    (void)event;
    struct desk *desk = probe->context;
    int64_t before = now_ms();
    if (atomic_load(&inside_status) == -1) {
        atomic_store(&inside_status, record(desk->recorder, desk->type, 1));
        CHECK(now_ms() - before < 10000);
    }
}

static void block_never_blocks_a_callback(void)
{
    struct desk desk;
    desk_open(&desk, blocking(3, 20 * patience_ms()), false);
    desk.probe.context = &desk;
    desk.probe.inside = record_inside;
    for (int i = 0; i < 3; i++) {
        record_ok(desk.recorder, desk.type, 1);
    }
    gate_await(&desk.gate, 1);
    gate_open(&desk.gate);
    flush(desk.recorder);
    CHECK_INT(MVX_WOULD_DEADLOCK, inside_status);
    mvx_stats stats = stats_of(desk.recorder);
    CHECK_UINT(3, stats.accepted);
    CHECK_UINT(1, stats.refused);
    /* With room it may record. */
    atomic_store(&inside_status, -1);
    record_ok(desk.recorder, desk.type, 1);
    EVENTUALLY(atomic_load(&desk.probe.seen) == 5);
    CHECK_INT(MVX_OK, inside_status);
    desk_close(&desk);
}

/* ---- bytes --------------------------------------------------------------------------------------------- */

static uint64_t fill_bytes(struct desk *desk, size_t len)
{
    static const char payload[4096];
    mvx_event_type_options options = {.struct_size = sizeof options, .name = MVX_STR("limit.bytes")};
    mvx_event_type type = 0;
    OK(mvx_event_type_declare(&options, &type, ERR));
    for (uint64_t n = 0;; n++) {
        mvx_status status = mvx_recorder_register_event(desk->recorder, type, payload, len);
        if (status != MVX_OK) {
            STATUS(MVX_QUEUE_OVERFLOW, status);
            return n;
        }
    }
}

static void bytes_are_bounded_too(void)
{
    static const size_t sizes[] = {0, 1, 8, 9, 100, 4095, 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t cost = ((sizes[i] + 7) / 8) * 8 + 16;
        int64_t bytes = 100000;
        struct desk desk;
        desk_open(&desk, (mvx_recorder_options){.queue_max_bytes = bytes, .queue_max_size = 1000000}, false);
        for (int round = 0; round < 2; round++) {
            gate_close(&desk.gate);
            uint64_t room = (uint64_t)bytes / cost;
            CHECK_UINT(room, fill_bytes(&desk, sizes[i]));
            CHECK_UINT(room * cost, stats_of(desk.recorder).pending_bytes);
            CHECK_UINT(room, stats_of(desk.recorder).pending);
            gate_open(&desk.gate);
            flush(desk.recorder);
            CHECK_UINT(0, stats_of(desk.recorder).pending_bytes);
        }
        desk_close(&desk);
    }
}

static void an_event_larger_than_all_room_is_refused(void)
{
    struct desk desk;
    desk_open(&desk, (mvx_recorder_options){.queue_max_bytes = 100}, false);
    CHECK_UINT(0, fill_bytes(&desk, 81));
    CHECK_UINT(1, fill_bytes(&desk, 80));
    desk_close(&desk);
}

/* ---- several producers --------------------------------------------------------------------------------- */

struct hammer {
    struct desk desk;
    int64_t limit;
    _Atomic uint64_t accepted;
    _Atomic uint64_t refused;
    atomic_bool over;
};

static void fill_patiently(void *shared, int number)
{
    (void)number;
    struct hammer *hammer = shared;
    for (int refusals = 0; refusals < 200;) {
        uint64_t n = fill(hammer->desk.recorder, hammer->desk.type, MVX_QUEUE_OVERFLOW);
        atomic_fetch_add(&hammer->accepted, n);
        refusals++;
    }
}

static void several_producers_share_the_limit(void)
{
    for (size_t i = 0; i < LIMITS; i++) {
        for (int producers = 2; producers <= 8; producers += 3) {
            struct hammer hammer;
            memset(&hammer, 0, sizeof hammer);
            desk_open(&hammer.desk, (mvx_recorder_options){.queue_max_size = limits[i]}, false);
            crew_run(producers, fill_patiently, &hammer);
            uint64_t limit = (uint64_t)limits[i];
            uint64_t early = limit < 1024 ? 0 : (uint64_t)producers * (limit / 100);
            uint64_t accepted = hammer.accepted;
            if (accepted > limit || accepted + early < limit) {
                FAIL("%d producers had %" PRIu64 " of %" PRIu64, producers, accepted, limit);
            }
            CHECK_UINT(accepted, stats_of(hammer.desk.recorder).accepted);
            CHECK_UINT(accepted, stats_of(hammer.desk.recorder).pending_max);
            desk_close(&hammer.desk);
        }
    }
}

static void hammer_run(void *shared, int number)
{
    struct hammer *hammer = shared;
    struct number event = {1, 0, (uint32_t)number};
    while (!atomic_load(&hammer->over)) {
        for (int i = 0; i < 100; i++) {
            mvx_status status =
                mvx_recorder_register_event(hammer->desk.recorder, hammer->desk.type, &event, sizeof event);
            if (status == MVX_OK) {
                atomic_fetch_add(&hammer->accepted, 1);
            } else {
                STATUS(MVX_QUEUE_OVERFLOW, status);
                atomic_fetch_add(&hammer->refused, 1);
            }
        }
    }
}

static void *watch(void *argument)
{
    struct hammer *hammer = argument;
    uint64_t accepted = 0, dispatched = 0, refused = 0, max = 0;
    while (!atomic_load(&hammer->over)) {
        /* Accepted before, not handled yet: all of these are pending now. */
        uint64_t registered = atomic_load(&hammer->accepted);
        uint64_t handled = atomic_load(&hammer->desk.probe.seen);
        CHECK(registered <= handled + (uint64_t)hammer->limit);
        mvx_stats stats = stats_of(hammer->desk.recorder);
        CHECK(stats.pending <= (uint64_t)hammer->limit);
        CHECK(stats.pending_max <= (uint64_t)hammer->limit);
        CHECK(stats.pending_max >= stats.pending);
        CHECK_UINT(0, stats.dropped);
        CHECK_UINT(0, stats.discarded);
        CHECK(stats.accepted >= accepted && stats.dispatched >= dispatched);
        CHECK(stats.refused >= refused && stats.pending_max >= max);
        CHECK(stats.accepted >= registered);
        CHECK(stats.lag_ns >= 0);
        accepted = stats.accepted;
        dispatched = stats.dispatched;
        refused = stats.refused;
        max = stats.pending_max;
    }
    return NULL;
}

static void stats_add_up_at_every_moment(void)
{
    for (size_t i = 0; i < LIMITS; i++) {
        for (int batches = 0; batches < 2; batches++) {
            struct hammer hammer;
            memset(&hammer, 0, sizeof hammer);
            hammer.limit = limits[i];
            desk_open(&hammer.desk, (mvx_recorder_options){.queue_max_size = limits[i]}, batches == 1);
            gate_open(&hammer.desk.gate);
            struct crew_member *crew = crew_start(4, hammer_run, &hammer);
            pthread_t one = spawn(watch, &hammer);
            pthread_t two = spawn(watch, &hammer);
            sleep_ms(400);
            atomic_store(&hammer.over, true);
            crew_join(crew, 4);
            join(one);
            join(two);
            flush(hammer.desk.recorder);
            mvx_stats stats = stats_of(hammer.desk.recorder);
            CHECK_UINT(hammer.accepted, stats.accepted);
            CHECK_UINT(hammer.accepted, stats.dispatched);
            CHECK_UINT(hammer.refused, stats.refused);
            CHECK_UINT(hammer.accepted, hammer.desk.probe.seen);
            CHECK(stats.accepted > 0);
            desk_close(&hammer.desk);
        }
    }
}

struct idlers {
    struct desk desk;
    pthread_barrier_t line;
};

static void touch_and_idle(void *shared, int number)
{
    struct idlers *idlers = shared;
    record_ok(idlers->desk.recorder, idlers->desk.type, number);
    pthread_barrier_wait(&idlers->line);
    pthread_barrier_wait(&idlers->line);
    record_ok(idlers->desk.recorder, idlers->desk.type, number);
}

/* Threads that recorded once and now sleep don't keep a share of the room for themselves. */
static void idle_threads_give_room_back(void)
{
    static const int64_t some[] = {100, 1024, 10000};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        struct idlers idlers;
        memset(&idlers, 0, sizeof idlers);
        pthread_barrier_init(&idlers.line, NULL, 9);
        desk_open(&idlers.desk, (mvx_recorder_options){.queue_max_size = some[i]}, false);
        gate_open(&idlers.desk.gate);
        struct crew_member *crew = crew_start(8, touch_and_idle, &idlers);
        pthread_barrier_wait(&idlers.line);
        flush(idlers.desk.recorder);
        gate_close(&idlers.desk.gate);
        record_ok(idlers.desk.recorder, idlers.desk.type, 1);
        gate_await(&idlers.desk.gate, 1);
        uint64_t limit = (uint64_t)some[i];
        uint64_t accepted = 1 + fill(idlers.desk.recorder, idlers.desk.type, MVX_QUEUE_OVERFLOW);
        CHECK(accepted <= limit);
        CHECK(accepted + (limit < 1024 ? 0 : 8 * (limit / 100)) >= limit);
        int64_t end = now_ms() + patience_ms();
        while (accepted < limit && now_ms() < end) {
            sleep_ms(1);
            accepted += fill(idlers.desk.recorder, idlers.desk.type, MVX_QUEUE_OVERFLOW);
        }
        CHECK_UINT(limit, accepted);
        CHECK_UINT(0, fill(idlers.desk.recorder, idlers.desk.type, MVX_QUEUE_OVERFLOW));
        gate_open(&idlers.desk.gate);
        flush(idlers.desk.recorder);
        pthread_barrier_wait(&idlers.line);
        crew_join(crew, 8);
        pthread_barrier_destroy(&idlers.line);
        desk_close(&idlers.desk);
    }
}

/* So with threads that are gone. */
static void *touch_and_go(void *argument)
{
    struct desk *desk = argument;
    record_ok(desk->recorder, desk->type, 1);
    return NULL;
}

static void gone_threads_give_room_back(void)
{
    struct desk desk;
    desk_open(&desk, (mvx_recorder_options){.queue_max_size = 2000}, false);
    gate_open(&desk.gate);
    int rounds = (int)scaled(1000, 60);
    for (int i = 0; i < rounds; i++) {
        join(spawn(touch_and_go, &desk));
    }
    flush(desk.recorder);
    fill_exactly(&desk, 2000);
    desk_close(&desk);
}

/* ---- release ------------------------------------------------------------------------------------------- */

#define PAYLOADS 3000
static atomic_int released[PAYLOADS];

static void note_release(void *user_data, const void *payload, size_t len)
{
    CHECK(user_data == &released);
    CHECK_UINT(sizeof(struct number), len);
    struct number number;
    memcpy(&number, payload, sizeof number);
    CHECK(number.value >= 0 && number.value < PAYLOADS);
    atomic_fetch_add(&released[number.value], 1);
}

static mvx_event_type released_type(void)
{
    mvx_event_type_options options = {.struct_size = sizeof options,
                                      .name = MVX_STR("limit.released"),
                                      .release = note_release,
                                      .user_data = &released};
    mvx_event_type type = 0;
    OK(mvx_event_type_declare(&options, &type, ERR));
    return type;
}

static int released_total(void)
{
    int total = 0;
    for (int i = 0; i < PAYLOADS; i++) {
        int one = atomic_load(&released[i]);
        CHECK(one <= 1);
        total += one;
    }
    return total;
}

static void release_follows_every_accepted_event_once(void)
{
    static const uint32_t policies[] = {MVX_OVERFLOW_DROP, MVX_OVERFLOW_RAISE_ERROR};
    mvx_event_type type = released_type();
    for (int way = 0; way < 6; way++) {
        struct desk desk;
        memset(released, 0, sizeof released);
        desk_open(&desk, (mvx_recorder_options){.queue_max_size = 1500, .overflow_policy = policies[way % 2]}, way % 3 == 0);
        for (int i = 0; i < PAYLOADS; i++) {
            struct number number = {i, 0, 0};
            mvx_status status = mvx_recorder_register_event(desk.recorder, type, &number, sizeof number);
            STATUS(i < 1500 || way % 2 == 0 ? MVX_OK : MVX_QUEUE_OVERFLOW, status);
        }
        gate_await(&desk.gate, 1);
        CHECK_INT(0, released_total());
        if (way < 2) {
            gate_open(&desk.gate);
            flush(desk.recorder);
            CHECK_INT(1500, released_total());
        } else if (way < 4) {
            OK(mvx_recorder_cancel(desk.recorder, ERR));
            /* All but what a callback still holds. */
            CHECK(released_total() >= 1500 - 256);
            gate_open(&desk.gate);
            EVENTUALLY(released_total() == 1500);
        } else {
            atomic_store(&desk.probe.event_reply, MVX_EVENT_FAILED);
            gate_open(&desk.gate);
            EVENTUALLY(released_total() == 1500);
            CHECK_INT(MVX_RECORDER_FAILURE, state_of(desk.recorder));
        }
        EVENTUALLY(stats_of(desk.recorder).pending == 0);
        for (int i = 1500; i < PAYLOADS; i++) {
            CHECK_INT(0, released[i]);
        }
        desk_close(&desk);
        CHECK_INT(1500, released_total());
    }
}

TEST_MAIN(CASE(exact_for_one_producer), CASE(the_default_is_ten_thousand), CASE(exact_while_starting),
          CASE(room_comes_back_event_by_event), CASE(drop_is_silent_and_counted),
          CASE(register_events_takes_what_fits), CASE(a_runtime_s_recorder_drops_by_default),
          CASE(block_gives_up_after_its_time), CASE(block_goes_on_when_room_comes), CASE(a_batch_goes_on_without_its_handle),
          CASE(block_ends_with_the_recorder), CASE(block_never_blocks_a_callback), CASE(bytes_are_bounded_too),
          CASE(an_event_larger_than_all_room_is_refused), CASE(several_producers_share_the_limit),
          CASE(stats_add_up_at_every_moment), CASE(idle_threads_give_room_back), CASE(gone_threads_give_room_back),
          CASE(release_follows_every_accepted_event_once))
