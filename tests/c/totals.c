/* Nothing is lost and nothing is counted twice: every sum is right, whoever recorded and whoever counts. */
#include "support.h"

#define PRODUCERS 8
#define OUTCOMES 3

struct shop {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    mvx_symbol outcome[OUTCOMES];
    uint64_t each;
    bool in_batches;
    _Atomic uint64_t accepted;
    _Atomic uint64_t refused;
    struct probe one;
    struct probe many;
};

static const char *const outcome_texts[OUTCOMES] = {"ok", "error", "timed out"};

static void shop_open(struct shop *shop, uint32_t policy, int64_t limit)
{
    memset(shop, 0, sizeof *shop);
    shop->one = (struct probe)PROBE_INITIALIZER;
    shop->many = (struct probe)PROBE_INITIALIZER;
    shop->runtime = new_runtime();
    shop->type = number_type("totals.number");
    for (int i = 0; i < OUTCOMES; i++) {
        shop->outcome[i] = symbol(outcome_texts[i]);
    }
    mvx_recorder_options options = recorder_options();
    options.queue_max_size = limit;
    options.overflow_policy = policy;
    options.block_timeout_ns = MS(4 * patience_ms());
    shop->recorder = new_recorder_with(shop->runtime, &options);
    add_native(shop->recorder, "events", MVX_METRIC_COUNTER, shop->type, NULL, NULL);
    add_native(shop->recorder, "sum", MVX_METRIC_COUNTER, shop->type, "value", NULL);
    add_native(shop->recorder, "by outcome", MVX_METRIC_COUNTER, shop->type, NULL, "outcome");
    add_native(shop->recorder, "sum by outcome", MVX_METRIC_COUNTER, shop->type, "value", "outcome");
    add_probe(shop->recorder, "one", &shop->one);
    add_batch_probe(shop->recorder, "many", &shop->many);
    start(shop->recorder);
}

static void shop_close(struct shop *shop)
{
    mvx_recorder_free(shop->recorder);
    end_runtime(shop->runtime);
    EVENTUALLY(atomic_load(&shop->one.drops) == 1 && atomic_load(&shop->many.drops) == 1);
}

/* The n-th event of a producer: its outcome and its value, so that totals can be worked out. */
static struct number nth(const struct shop *shop, int producer, uint64_t n)
{
    return (struct number){(int64_t)(n % 7), shop->outcome[n % OUTCOMES], (uint32_t)producer};
}

static void produce(void *shared, int number)
{
    struct shop *shop = shared;
    uint64_t accepted = 0;
    uint64_t refused = 0;
    for (uint64_t n = 0; n < shop->each;) {
        if (shop->in_batches) {
            struct number batch[50];
            size_t count = shop->each - n < 50 ? (size_t)(shop->each - n) : 50;
            for (size_t i = 0; i < count; i++) {
                batch[i] = nth(shop, number, n + i);
            }
            size_t took = 0;
            STATUS(MVX_OK, mvx_recorder_register_events(shop->recorder, shop->type, batch, sizeof batch[0], count, &took));
            CHECK_UINT(count, took);
            accepted += took;
            n += count;
            continue;
        }
        struct number event = nth(shop, number, n);
        mvx_status status = mvx_recorder_register_event(shop->recorder, shop->type, &event, sizeof event);
        if (status == MVX_OK) {
            accepted++;
        } else {
            STATUS(MVX_QUEUE_OVERFLOW, status);
            refused++;
        }
        n++;
    }
    atomic_fetch_add(&shop->accepted, accepted);
    atomic_fetch_add(&shop->refused, refused);
}

static void expect_totals(struct shop *shop, uint64_t producers)
{
    int64_t events = 0, sum = 0;
    int64_t by_outcome[OUTCOMES] = {0}, sum_by_outcome[OUTCOMES] = {0};
    for (uint64_t n = 0; n < shop->each; n++) {
        struct number event = nth(shop, 0, n);
        events++;
        sum += event.value;
        by_outcome[n % OUTCOMES]++;
        sum_by_outcome[n % OUTCOMES] += event.value;
    }
    mvx_snapshot *snapshot = take_snapshot(shop->recorder, MVX_SNAPSHOT_CONSISTENT);
    int64_t times = (int64_t)producers;
    CHECK_INT(times * events, i64_in(snapshot, "events", "value"));
    CHECK_INT(times * sum, i64_in(snapshot, "sum", "value"));
    CHECK_INT(times * events, i64_in(snapshot, "one", "count"));
    CHECK_INT(times * sum, i64_in(snapshot, "one", "sum"));
    CHECK_INT(times * events, i64_in(snapshot, "many", "count"));
    CHECK_INT(times * sum, i64_in(snapshot, "many", "sum"));
    CHECK_INT(0, i64_in(snapshot, "by outcome", "overflow_events"));
    for (int i = 0; i < OUTCOMES; i++) {
        CHECK_INT(times * by_outcome[i], series_in(snapshot, "by outcome", "outcome", outcome_texts[i]));
        CHECK_INT(times * sum_by_outcome[i], series_in(snapshot, "sum by outcome", "outcome", outcome_texts[i]));
    }
    mvx_snapshot_free(snapshot);
    mvx_stats stats = stats_of(shop->recorder);
    CHECK_UINT(producers * shop->each, stats.accepted);
    CHECK_UINT(producers * shop->each, stats.dispatched);
    CHECK_UINT(0, stats.dropped + stats.refused + stats.discarded + stats.pending);
}

static void eight_producers(void)
{
    struct shop shop;
    shop_open(&shop, MVX_OVERFLOW_BLOCK, 50000);
    shop.each = scaled(200000, 3000);
    crew_run(PRODUCERS, produce, &shop);
    expect_totals(&shop, PRODUCERS);
    CHECK(shop.many.calls <= shop.many.seen);
    shop_close(&shop);
}

static void eight_producers_in_batches(void)
{
    struct shop shop;
    shop_open(&shop, MVX_OVERFLOW_BLOCK, 50000);
    shop.each = scaled(200000, 3000);
    shop.in_batches = true;
    crew_run(PRODUCERS, produce, &shop);
    expect_totals(&shop, PRODUCERS);
    shop_close(&shop);
}

/* Only native, commuting metrics: the path with the most freedom to take short cuts. */
static void only_native_counters(void)
{
    mvx_runtime *runtime = new_runtime();
    struct shop shop;
    memset(&shop, 0, sizeof shop);
    shop.type = number_type("totals.number");
    for (int i = 0; i < OUTCOMES; i++) {
        shop.outcome[i] = symbol(outcome_texts[i]);
    }
    mvx_recorder_options options = recorder_options();
    options.queue_max_size = 50000;
    options.overflow_policy = MVX_OVERFLOW_BLOCK;
    options.block_timeout_ns = MS(4 * patience_ms());
    shop.recorder = new_recorder_with(runtime, &options);
    shop.each = scaled(200000, 3000);
    add_native(shop.recorder, "by outcome", MVX_METRIC_COUNTER, shop.type, NULL, "outcome");
    start(shop.recorder);
    crew_run(PRODUCERS, produce, &shop);
    mvx_snapshot *snapshot = take_snapshot(shop.recorder, MVX_SNAPSHOT_CONSISTENT);
    int64_t total = 0;
    for (int i = 0; i < OUTCOMES; i++) {
        total += series_in(snapshot, "by outcome", "outcome", outcome_texts[i]);
    }
    CHECK_INT(PRODUCERS * shop.each, total);
    mvx_snapshot_free(snapshot);
    CHECK_UINT(PRODUCERS * shop.each, stats_of(shop.recorder).dispatched);
    mvx_recorder_free(shop.recorder);
    end_runtime(runtime);
}

/* Where there is no room for all, the totals are those of the accepted events. */
static void totals_under_overflow(void)
{
    static const uint32_t policies[] = {MVX_OVERFLOW_DROP, MVX_OVERFLOW_RAISE_ERROR};
    for (int i = 0; i < 2; i++) {
        struct shop shop;
        shop_open(&shop, policies[i], 200);
        shop.each = scaled(50000, 3000);
        crew_run(PRODUCERS, produce, &shop);
        flush(shop.recorder);
        mvx_stats stats = stats_of(shop.recorder);
        uint64_t total = PRODUCERS * shop.each;
        CHECK_UINT(total, stats.accepted + stats.dropped + stats.refused);
        CHECK_UINT(i == 0 ? 0 : shop.refused, stats.refused);
        CHECK_UINT(stats.accepted, stats.dispatched);
        CHECK_UINT(stats.accepted, shop.one.seen);
        CHECK_UINT(stats.accepted, shop.many.seen);
        mvx_snapshot *snapshot = take_snapshot(shop.recorder, MVX_SNAPSHOT_CONSISTENT);
        CHECK_INT(stats.accepted, i64_in(snapshot, "events", "value"));
        CHECK_INT(i64_in(snapshot, "one", "sum"), i64_in(snapshot, "sum", "value"));
        mvx_snapshot_free(snapshot);
        shop_close(&shop);
    }
}

/* ---- threads that come and go -------------------------------------------------------------------------- */

static void threads_that_come_and_go(void)
{
    struct shop shop;
    shop_open(&shop, MVX_OVERFLOW_BLOCK, 10000);
    shop.each = 20;
    int waves = (int)scaled(250, 15);
    for (int i = 0; i < waves; i++) {
        crew_run(PRODUCERS, produce, &shop);
    }
    expect_totals(&shop, (uint64_t)waves * PRODUCERS);
    shop_close(&shop);
}

/* A thread that ends hands its events over, also while the recorder is starting or held up. */
static void events_of_gone_threads_are_kept(void)
{
    mvx_runtime *runtime = new_runtime();
    struct shop shop;
    memset(&shop, 0, sizeof shop);
    shop.type = number_type("totals.number");
    struct probe probe = PROBE_INITIALIZER;
    struct hook_probe hook_probe = {.starting_reply = MVX_HOOK_PENDING};
    mvx_hooks hooks = hooks_of(&hook_probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    shop.recorder = new_recorder_with(runtime, &options);
    add_probe(shop.recorder, "probe", &probe);
    shop.each = 20;
    int waves = (int)scaled(50, 5);
    for (int i = 0; i < waves; i++) {
        crew_run(PRODUCERS, produce, &shop);
    }
    CHECK_UINT(20 * PRODUCERS * waves, stats_of(shop.recorder).pending);
    STATUS(MVX_OK, mvx_completion_done(take_token(&hook_probe), (mvx_str){NULL, 0}));
    flush(shop.recorder);
    CHECK_UINT(20 * PRODUCERS * waves, probe.seen);
    stop(shop.recorder);
    mvx_recorder_free(shop.recorder);
    end_runtime(runtime);
}

/* One thread, many recorders: each keeps its own books. */
static void one_thread_many_recorders(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("totals.number");
    enum { COUNT = 40 };
    mvx_recorder *recorders[COUNT];
    for (int i = 0; i < COUNT; i++) {
        recorders[i] = new_recorder(runtime);
        add_native(recorders[i], "sum", MVX_METRIC_COUNTER, type, "value", NULL);
        start(recorders[i]);
    }
    int rounds = (int)scaled(1000, 50);
    for (int n = 0; n < rounds; n++) {
        for (int i = 0; i < COUNT; i++) {
            record_ok(recorders[i], type, i);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(rounds * i, current(recorders[i], "sum", "value"));
        mvx_recorder_free(recorders[i]);
    }
    end_runtime(runtime);
}

/* ---- series -------------------------------------------------------------------------------------------- */

static void series_are_bounded(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("totals.number");
    mvx_recorder *recorder = new_recorder(runtime);
    mvx_str group = MVX_STR("outcome");
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = MVX_STR("bounded"),
                            .kind = MVX_METRIC_COUNTER,
                            .event_types = &type,
                            .event_type_count = 1,
                            .group_by = &group,
                            .group_by_count = 1,
                            .max_series = 10};
    OK(mvx_recorder_register_native_metric(recorder, &spec, ERR));
    start(recorder);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 25; i++) {
            char text[32];
            snprintf(text, sizeof text, "bounded %d", i);
            struct number number = {1, symbol(text), 0};
            STATUS(MVX_OK, mvx_recorder_register_event(recorder, type, &number, sizeof number));
        }
    }
    mvx_snapshot *snapshot = take_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_INT(45, i64_in(snapshot, "bounded", "overflow_events"));
    for (int i = 0; i < 10; i++) {
        char text[32];
        snprintf(text, sizeof text, "bounded %d", i);
        CHECK_INT(3, series_in(snapshot, "bounded", "outcome", text));
    }
    CHECK_INT(-1, series_in(snapshot, "bounded", "outcome", "bounded 10"));
    /* Totals stay right: the overflow series holds what the others could not. */
    const mvx_value *series = value_in(snapshot, "bounded", "series");
    int64_t total = 0;
    for (size_t i = 0; i < mvx_value_len(series); i++) {
        int64_t one = 0;
        OK(mvx_value_as_i64(mvx_value_get(mvx_value_at(series, i), MVX_STR("value")), &one));
        total += one;
    }
    CHECK_INT(75, total);
    CHECK_UINT(11, mvx_value_len(series));
    mvx_snapshot_free(snapshot);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* ---- filters ------------------------------------------------------------------------------------------- */

static void filters_choose(void)
{
    static const uint32_t ops[] = {MVX_FILTER_EQ, MVX_FILTER_NE, MVX_FILTER_LT, MVX_FILTER_LE, MVX_FILTER_GT, MVX_FILTER_GE};
    static const char *const names[] = {"eq", "ne", "lt", "le", "gt", "ge"};
    static const int64_t expected[] = {10, 90, 50, 60, 40, 50};
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("totals.number");
    mvx_recorder *recorder = new_recorder(runtime);
    for (int i = 0; i < 6; i++) {
        mvx_filter filter = {MVX_STR("value"), ops[i], MVX_VALUE_I64, 5, 0, 0, {NULL, 0}};
        mvx_metric_spec spec = {.struct_size = sizeof spec,
                                .name = str_of(names[i]),
                                .kind = MVX_METRIC_COUNTER,
                                .event_types = &type,
                                .event_type_count = 1,
                                .filters = &filter,
                                .filter_count = 1};
        OK(mvx_recorder_register_native_metric(recorder, &spec, ERR));
    }
    mvx_filter both[] = {{MVX_STR("value"), MVX_FILTER_GE, MVX_VALUE_I64, 2, 0, 0, {NULL, 0}},
                         {MVX_STR("outcome"), MVX_FILTER_EQ, MVX_VALUE_STR, 0, 0, 0, MVX_STR("error")}};
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = MVX_STR("both"),
                            .kind = MVX_METRIC_COUNTER,
                            .event_types = &type,
                            .event_type_count = 1,
                            .filters = both,
                            .filter_count = 2};
    OK(mvx_recorder_register_native_metric(recorder, &spec, ERR));
    start(recorder);
    mvx_symbol good = symbol("ok"), bad = symbol("error");
    for (int i = 0; i < 100; i++) {
        struct number number = {i % 10, i % 2 ? bad : good, 0};
        STATUS(MVX_OK, mvx_recorder_register_event(recorder, type, &number, sizeof number));
    }
    for (int i = 0; i < 6; i++) {
        CHECK_INT(expected[i], current(recorder, names[i], "value"));
    }
    CHECK_INT(40, current(recorder, "both", "value"));
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

TEST_MAIN(CASE(eight_producers), CASE(eight_producers_in_batches), CASE(only_native_counters),
          CASE(totals_under_overflow), CASE(threads_that_come_and_go), CASE(events_of_gone_threads_are_kept),
          CASE(one_thread_many_recorders), CASE(series_are_bounded), CASE(filters_choose))
