/* Folding: what only native counters want is counted by the thread that records it. It takes no room, it is there for
   every snapshot at once, and the counters show what they would show if all events had gone through the queue. */
#include "support.h"

#ifndef _WIN32
#include "children.h"
#endif

/* ---- a recorder whose dispatcher can be held up -------------------------------------------------------- */

struct scene {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    mvx_event_type other;
    struct probe probe;
    struct gate gate;
};

static void add_probe_of(mvx_recorder *recorder, const char *name, mvx_event_type type, struct probe *probe)
{
    mvx_metric_vtable vtable = probe_vtable();
    vtable.event_types = &type;
    vtable.event_type_count = 1;
    OK(mvx_recorder_register_metric(recorder, str_of(name), &vtable, probe, ERR));
}

/* Its probe wants the other type alone. The recorder is VIRGIN. */
static void scene_open(struct scene *scene, mvx_recorder_options options)
{
    memset(scene, 0, sizeof *scene);
    scene->probe = (struct probe)PROBE_INITIALIZER;
    scene->gate = (struct gate)GATE_INITIALIZER;
    scene->runtime = new_runtime();
    scene->type = number_type("folding.number");
    scene->other = number_type("folding.other");
    options.struct_size = sizeof options;
    scene->recorder = new_recorder_with(scene->runtime, &options);
    gate_open(&scene->gate);
    atomic_store(&scene->probe.hold, &scene->gate);
    add_probe_of(scene->recorder, "probe", scene->other, &scene->probe);
}

static void scene_close(struct scene *scene)
{
    gate_open(&scene->gate);
    mvx_recorder_free(scene->recorder);
    end_runtime(scene->runtime);
    EVENTUALLY(atomic_load(&scene->probe.drops) == 1);
}

/* The dispatcher stands still from here on, with one event of the other type. Awake and idle, it would now and then
   have all threads look around, and the event with which one does that travels. */
static void hold_up(struct scene *scene)
{
    gate_close(&scene->gate);
    record_ok(scene->recorder, scene->other, 1);
    gate_await(&scene->gate, 1);
}

static void let_go(struct scene *scene)
{
    gate_open(&scene->gate);
    flush(scene->recorder);
}

static mvx_recorder_options waiting_for_room(void)
{
    mvx_recorder_options options = recorder_options();
    options.queue_max_size = 20000;
    options.overflow_policy = MVX_OVERFLOW_BLOCK;
    options.block_timeout_ns = MS(4 * patience_ms());
    return options;
}

/* ---- declarations -------------------------------------------------------------------------------------- */

static mvx_event_type declare(const char *name, const mvx_field *fields, size_t count)
{
    mvx_event_type_options options = {
        .struct_size = sizeof options, .name = str_of(name), .fields = fields, .field_count = count};
    mvx_event_type type = 0;
    OK(mvx_event_type_declare(&options, &type, ERR));
    return type;
}

struct rule {
    const char *group_by[3];
    const mvx_filter *filters;
    size_t filter_count;
    int64_t max_series;
};

static void add_counter(mvx_recorder *recorder, const char *name, mvx_event_type type, struct rule rule)
{
    mvx_str groups[3];
    size_t count = 0;
    while (count < 3 && rule.group_by[count]) {
        groups[count] = str_of(rule.group_by[count]);
        count++;
    }
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = str_of(name),
                            .kind = MVX_METRIC_COUNTER,
                            .event_types = &type,
                            .event_type_count = 1,
                            .group_by = groups,
                            .group_by_count = count,
                            .filters = rule.filters,
                            .filter_count = rule.filter_count,
                            .max_series = rule.max_series};
    OK(mvx_recorder_register_native_metric(recorder, &spec, ERR));
}

/* ---- reading counters ---------------------------------------------------------------------------------- */

static int64_t value_of(const mvx_value *series)
{
    int64_t result = 0;
    OK(mvx_value_as_i64(mvx_value_get(series, MVX_STR("value")), &result));
    return result;
}

static mvx_str label_of(const mvx_value *series, const char *label)
{
    mvx_str result = {NULL, 0};
    const mvx_value *labels = mvx_value_get(series, MVX_STR("labels"));
    return mvx_value_as_str(mvx_value_get(labels, str_of(label)), &result) == MVX_OK ? result : (mvx_str){NULL, 0};
}

/* Of all series, that of overflow included. */
static int64_t total_in(const mvx_snapshot *snapshot, const char *metric)
{
    const mvx_value *map = mvx_snapshot_get(snapshot, str_of(metric));
    const mvx_value *series = mvx_value_get(map, MVX_STR("series"));
    if (!series) {
        return i64_in(snapshot, metric, "value");
    }
    int64_t total = 0;
    for (size_t i = 0; i < mvx_value_len(series); i++) {
        total += value_of(mvx_value_at(series, i));
    }
    return total;
}

static int64_t current_total(mvx_recorder *recorder, const char *metric, uint32_t mode)
{
    mvx_snapshot *snapshot = take_snapshot(recorder, mode);
    int64_t total = total_in(snapshot, metric);
    mvx_snapshot_free(snapshot);
    return total;
}

/* The series that has two labels; -1 where there is none. */
static int64_t series_of_two(const mvx_snapshot *snapshot, const char *metric, const char *label, const char *text,
                             const char *label_two, const char *text_two)
{
    const mvx_value *series = value_in(snapshot, metric, "series");
    for (size_t i = 0; i < mvx_value_len(series); i++) {
        const mvx_value *one = mvx_value_at(series, i);
        if (str_is(label_of(one, label), text) && str_is(label_of(one, label_two), text_two)) {
            return value_of(one);
        }
    }
    return -1;
}

static size_t series_count(const mvx_snapshot *snapshot, const char *metric)
{
    return mvx_value_len(value_in(snapshot, metric, "series"));
}

/* ---- folded or not ------------------------------------------------------------------------------------- */

/* The event with which a thread learns of a recorder, a type or a key travels. Few do; how many were recorded until one
   was folded. The dispatcher is held up. */
static uint64_t record_until_folded(struct scene *scene, mvx_event_type type, const void *payload, size_t len)
{
    for (uint64_t n = 1; n <= 4; n++) {
        uint64_t pending = stats_of(scene->recorder).pending;
        STATUS(MVX_OK, mvx_recorder_register_event(scene->recorder, type, payload, len));
        if (stats_of(scene->recorder).pending == pending) {
            return n;
        }
    }
    FAIL("events of type %u with %zu bytes are not folded", type, len);
}

static void record_many(struct scene *scene, mvx_event_type type, const void *payload, size_t len, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        STATUS(MVX_OK, mvx_recorder_register_event(scene->recorder, type, payload, len));
    }
}

/* So many more events were accepted since, and so many of them are pending. */
static void expect_more(const struct scene *scene, mvx_stats before, uint64_t accepted, uint64_t pending)
{
    mvx_stats after = stats_of(scene->recorder);
    CHECK_UINT(before.accepted + accepted, after.accepted);
    CHECK_UINT(before.dispatched + accepted - pending, after.dispatched);
    CHECK_UINT(before.pending + pending, after.pending);
    CHECK_UINT(after.pending > before.pending_max ? after.pending : before.pending_max, after.pending_max);
    if (pending == 0) {
        CHECK_UINT(before.pending_bytes, after.pending_bytes);
    }
    CHECK_UINT(before.refused, after.refused);
    CHECK_UINT(0, after.dropped + after.discarded);
}

/* Records at least `count` events, which are folded; how many. */
static uint64_t fold_many(struct scene *scene, mvx_event_type type, const void *payload, size_t len, uint64_t count)
{
    uint64_t first = record_until_folded(scene, type, payload, len);
    mvx_stats before = stats_of(scene->recorder);
    record_many(scene, type, payload, len, count);
    expect_more(scene, before, count, 0);
    return first + count;
}

static void travel_many(struct scene *scene, mvx_event_type type, const void *payload, size_t len, uint64_t count)
{
    mvx_stats before = stats_of(scene->recorder);
    record_many(scene, type, payload, len, count);
    expect_more(scene, before, count, count);
}

static void expect_count(struct scene *scene, const char *metric, uint64_t count)
{
    CHECK_INT(count, current_total(scene->recorder, metric, MVX_SNAPSHOT_RELAXED));
    CHECK_INT(count, current_total(scene->recorder, metric, MVX_SNAPSHOT_CONSISTENT));
}

static const struct number plain_number = {.value = 1};

static void counted_at_once(void)
{
    struct scene scene;
    scene_open(&scene, recorder_options());
    add_native(scene.recorder, "events", MVX_METRIC_COUNTER, scene.type, NULL, NULL);
    start(scene.recorder);
    hold_up(&scene);
    uint64_t count = fold_many(&scene, scene.type, &plain_number, sizeof plain_number, scaled(1000000, 5000));
    let_go(&scene);
    expect_count(&scene, "events", count);
    CHECK_UINT(count + 1, stats_of(scene.recorder).dispatched);
    scene_close(&scene);
}

/* What is accepted and not pending is in every snapshot, whatever the dispatcher is doing. */
static void shown_at_once(void)
{
    struct scene scene;
    scene_open(&scene, recorder_options());
    add_native(scene.recorder, "events", MVX_METRIC_COUNTER, scene.type, NULL, NULL);
    start(scene.recorder);
    uint64_t rounds = scaled(2000, 50);
    int64_t recorded = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i <= round % 5; i++) {
            record_ok(scene.recorder, scene.type, 1);
            recorded++;
        }
        mvx_stats stats = stats_of(scene.recorder);
        CHECK_INT(recorded, stats.accepted);
        int64_t relaxed = current_total(scene.recorder, "events", MVX_SNAPSHOT_RELAXED);
        CHECK(relaxed <= recorded);
        CHECK(relaxed >= recorded - (int64_t)stats.pending);
        CHECK_INT(recorded, current_total(scene.recorder, "events", MVX_SNAPSHOT_CONSISTENT));
        CHECK_UINT(0, stats_of(scene.recorder).pending);
    }
    scene_close(&scene);
}

static void batches_are_folded(void)
{
    enum { EACH = 64 };
    struct scene scene;
    struct number numbers[EACH] = {{0}};
    scene_open(&scene, recorder_options());
    add_native(scene.recorder, "events", MVX_METRIC_COUNTER, scene.type, NULL, NULL);
    start(scene.recorder);
    hold_up(&scene);
    uint64_t count = record_until_folded(&scene, scene.type, numbers, sizeof numbers[0]);
    mvx_stats before = stats_of(scene.recorder);
    uint64_t rounds = scaled(10000, 100);
    for (uint64_t i = 0; i < rounds; i++) {
        size_t accepted = 0;
        STATUS(MVX_OK, mvx_recorder_register_events(scene.recorder, scene.type, numbers, sizeof numbers[0], i % EACH,
                                                    &accepted));
        CHECK_UINT(i % EACH, accepted);
        count += accepted;
    }
    mvx_stats after = stats_of(scene.recorder);
    expect_more(&scene, before, after.accepted - before.accepted, 0);
    let_go(&scene);
    expect_count(&scene, "events", count);
    scene_close(&scene);
}

static void payloads_of_any_length(void)
{
    static const unsigned char bytes[4096];
    static const size_t lengths[] = {0, 1, 8, 15, 16, 48, 49, 64, 65, 200, 4096};
    struct scene scene;
    scene_open(&scene, recorder_options());
    mvx_event_type bare = declare("folding.bare", NULL, 0);
    mvx_event_type unwanted = declare("folding.unwanted", NULL, 0);
    add_native(scene.recorder, "events", MVX_METRIC_COUNTER, bare, NULL, NULL);
    start(scene.recorder);
    hold_up(&scene);
    uint64_t each = scaled(10000, 100);
    uint64_t count = fold_many(&scene, bare, NULL, 0, each);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        count += fold_many(&scene, bare, bytes, lengths[i], each);
        /* Nobody counts these; the recorder does. */
        fold_many(&scene, unwanted, bytes, lengths[i], each);
    }
    /* One after the other, so that no two alike follow each other. */
    mvx_stats before = stats_of(scene.recorder);
    for (uint64_t i = 0; i < each; i++) {
        size_t len = lengths[i % (sizeof lengths / sizeof lengths[0])];
        record_many(&scene, bare, bytes, len, 1);
        record_many(&scene, unwanted, len == 0 ? NULL : bytes, len, 1);
    }
    expect_more(&scene, before, 2 * each, 0);
    size_t accepted = 0;
    STATUS(MVX_OK, mvx_recorder_register_events(scene.recorder, bare, NULL, 0, 7, &accepted));
    CHECK_UINT(7, accepted);
    /* No payload is longer, folded or not. */
    static const unsigned char too_long[2 * 4097];
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_event(scene.recorder, bare, too_long, 4097));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_events(scene.recorder, bare, too_long, 4097, 2, &accepted));
    let_go(&scene);
    expect_count(&scene, "events", count + each + 7);
    scene_close(&scene);
}

/* ---- room ---------------------------------------------------------------------------------------------- */

static void the_pending_limit_is_none_of_their_business(void)
{
    static const uint32_t policies[] = {MVX_OVERFLOW_RAISE_ERROR, MVX_OVERFLOW_DROP, MVX_OVERFLOW_BLOCK};
    static const mvx_status answers[] = {MVX_QUEUE_OVERFLOW, MVX_OK, MVX_TIMEOUT};
    for (int policy = 0; policy < 3; policy++) {
        struct scene scene;
        scene_open(&scene, (mvx_recorder_options){.queue_max_size = 1,
                                                  .overflow_policy = policies[policy],
                                                  .block_timeout_ns = MS(20)});
        add_counter(scene.recorder, "by outcome", scene.type, (struct rule){.group_by = {"outcome"}});
        start(scene.recorder);
        const struct number good = {1, symbol("ok"), 0}, bad = {1, symbol("error"), 0};
        /* What each of them travels for is done while there is room. */
        for (int i = 0; i < 10; i++) {
            record_many(&scene, scene.type, i % 2 ? &good : &bad, sizeof good, 1);
            flush(scene.recorder);
        }
        hold_up(&scene);
        STATUS(answers[policy], record(scene.recorder, scene.other, 1));
        mvx_stats before = stats_of(scene.recorder);
        CHECK_UINT(1, before.refused + before.dropped);
        uint64_t each = scaled(100000, 1000);
        for (uint64_t i = 0; i < each; i++) {
            record_many(&scene, scene.type, i % 2 ? &good : &bad, sizeof good, 1);
        }
        mvx_stats after = stats_of(scene.recorder);
        CHECK_UINT(before.accepted + each, after.accepted);
        CHECK_UINT(before.dispatched + each, after.dispatched);
        CHECK_UINT(1, after.pending);
        CHECK_UINT(1, after.pending_max);
        CHECK_UINT(1, after.refused + after.dropped);
        STATUS(answers[policy], record(scene.recorder, scene.other, 1));
        CHECK_UINT(2, stats_of(scene.recorder).refused + stats_of(scene.recorder).dropped);
        let_go(&scene);
        expect_count(&scene, "by outcome", each + 10);
        CHECK_UINT(1, scene.probe.seen);
        scene_close(&scene);
    }
}

struct onlooker {
    struct scene scene;
    atomic_bool over;
};

/* ---- what travels -------------------------------------------------------------------------------------- */

static void folding_can_be_turned_off(void)
{
    static const uint32_t settings[] = {0, MVX_FOLDING_ON, MVX_FOLDING_OFF};
    for (int i = 0; i < 3; i++) {
        struct scene scene;
        uint64_t count = 500;
        scene_open(&scene, (mvx_recorder_options){.folding = settings[i]});
        add_native(scene.recorder, "events", MVX_METRIC_COUNTER, scene.type, NULL, NULL);
        start(scene.recorder);
        hold_up(&scene);
        if (settings[i] == MVX_FOLDING_OFF) {
            travel_many(&scene, scene.type, &plain_number, sizeof plain_number, count);
        } else {
            count = fold_many(&scene, scene.type, &plain_number, sizeof plain_number, count);
        }
        let_go(&scene);
        expect_count(&scene, "events", count);
        scene_close(&scene);
    }
}

static void an_unknown_setting_is_refused(void)
{
    static const uint32_t settings[] = {3, 7, UINT32_MAX};
    mvx_runtime *runtime = new_runtime();
    for (int i = 0; i < 6; i++) {
        mvx_recorder_options options = recorder_options();
        options.folding = settings[i / 2];
        mvx_recorder *recorder = NULL;
        mvx_error *error =
            i % 2 ? FAILURE_OF(MVX_INVALID_ARGUMENT, "INVALID_ARGUMENT",
                               mvx_recorder_create(runtime, &options, &recorder, ERR))
                  : FAILURE_OF(MVX_INVALID_ARGUMENT, "INVALID_ARGUMENT",
                               mvx_runtime_create_recorder(runtime, MVX_STR("one"), &options, &recorder, ERR));
        CHECK(json_has(mvx_error_details_json(error), "\"argument\":\"options.folding\""));
        mvx_error_free(error);
        CHECK(recorder == NULL);
    }
    end_runtime(runtime);
}

enum { RELEASES = 50 };
static atomic_int released[RELEASES];

static void note_release(void *user_data, const void *payload, size_t len)
{
    CHECK(user_data == &released);
    CHECK_UINT(sizeof(struct number), len);
    struct number number;
    memcpy(&number, payload, sizeof number);
    CHECK(number.value >= 0 && number.value < RELEASES);
    atomic_fetch_add(&released[number.value], 1);
}

static void an_event_with_a_release_travels(void)
{
    struct scene scene;
    scene_open(&scene, recorder_options());
    mvx_event_type_options options = {.struct_size = sizeof options,
                                      .name = MVX_STR("folding.released"),
                                      .release = note_release,
                                      .user_data = &released};
    mvx_event_type type = 0;
    OK(mvx_event_type_declare(&options, &type, ERR));
    add_native(scene.recorder, "events", MVX_METRIC_COUNTER, type, NULL, NULL);
    start(scene.recorder);
    hold_up(&scene);
    for (int i = 0; i < RELEASES; i++) {
        struct number number = {.value = i};
        travel_many(&scene, type, &number, sizeof number, 1);
        CHECK_INT(0, released[i]);
    }
    let_go(&scene);
    for (int i = 0; i < RELEASES; i++) {
        CHECK_INT(1, released[i]);
    }
    expect_count(&scene, "events", RELEASES);
    scene_close(&scene);
}

static void an_event_with_its_time_travels(void)
{
    struct scene scene;
    scene_open(&scene, recorder_options());
    mvx_event_type_options options = {
        .struct_size = sizeof options, .name = MVX_STR("folding.timed"), .flags = MVX_EVENT_TYPE_TIMED};
    mvx_event_type type = 0;
    OK(mvx_event_type_declare(&options, &type, ERR));
    add_native(scene.recorder, "events", MVX_METRIC_COUNTER, type, NULL, NULL);
    start(scene.recorder);
    hold_up(&scene);
    travel_many(&scene, type, &plain_number, sizeof plain_number, 100);
    let_go(&scene);
    expect_count(&scene, "events", 100);
    scene_close(&scene);
}

/* Beside a counter that would let its events fold, each of these wants more than a count. */
static void what_others_want_travels(void)
{
    static const char *const names[] = {"folding.probed", "folding.summed", "folding.gauged", "folding.all"};
    for (int i = 0; i < 4; i++) {
        struct scene scene;
        struct probe second = PROBE_INITIALIZER;
        scene_open(&scene, recorder_options());
        mvx_event_type type = number_type(names[i]);
        add_native(scene.recorder, "events", MVX_METRIC_COUNTER, type, NULL, NULL);
        if (i == 0) {
            add_probe_of(scene.recorder, "second", type, &second);
        } else if (i == 1) {
            add_native(scene.recorder, "second", MVX_METRIC_COUNTER, type, "value", NULL);
        } else if (i == 2) {
            add_native(scene.recorder, "second", MVX_METRIC_GAUGE, type, "value", NULL);
        } else {
            add_batch_probe(scene.recorder, "second", &second);
        }
        start(scene.recorder);
        hold_up(&scene);
        travel_many(&scene, type, &plain_number, sizeof plain_number, 100);
        let_go(&scene);
        expect_count(&scene, "events", 100);
        /* The batch probe gets what holds the dispatcher up, too. */
        static const uint64_t seen[] = {100, 0, 0, 101};
        CHECK_UINT(seen[i], second.seen);
        scene_close(&scene);
        EVENTUALLY(atomic_load(&second.drops) == (i == 0 || i == 3));
    }
}

/* A key is a word of the payload: these fields have none in common. */
static void fields_that_lie_apart_travel(void)
{
    const mvx_field short_fields[] = {{MVX_STR("code"), MVX_FIELD_U8, 0, 1},
                                      {MVX_STR("flag"), MVX_FIELD_BOOL, 1, 1}};
    const mvx_filter positive = {MVX_STR("value"), MVX_FILTER_GE, MVX_VALUE_I64, 1, 0, 0, {NULL, 0}};
    struct scene scene;
    scene_open(&scene, recorder_options());
    mvx_event_type two_bytes = declare("folding.two_bytes", short_fields, 2);
    mvx_event_type third = number_type("folding.apart");
    add_counter(scene.recorder, "events", scene.type,
                (struct rule){.group_by = {"outcome"}, .filters = &positive, .filter_count = 1});
    add_counter(scene.recorder, "two bytes", two_bytes, (struct rule){.group_by = {"code", "flag"}});
    /* Each for itself would fold. */
    add_counter(scene.recorder, "by value", third, (struct rule){.group_by = {"value"}});
    add_counter(scene.recorder, "by source", third, (struct rule){.group_by = {"source"}});
    start(scene.recorder);
    hold_up(&scene);
    const unsigned char bytes[] = {7, 1};
    travel_many(&scene, scene.type, &plain_number, sizeof plain_number, 100);
    travel_many(&scene, two_bytes, bytes, sizeof bytes, 100);
    travel_many(&scene, third, &plain_number, sizeof plain_number, 100);
    let_go(&scene);
    static const char *const names[] = {"events", "two bytes", "by value", "by source"};
    for (size_t i = 0; i < 4; i++) {
        expect_count(&scene, names[i], 100);
    }
    scene_close(&scene);
}

static void the_changed_hook_sees_each_event(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("folding.number");
    struct hook_probe hook_probe = {0};
    mvx_hooks hooks = hooks_of(&hook_probe);
    hooks.on_metric_changed = hook_changed;
    struct gate gate = GATE_INITIALIZER;
    atomic_store(&hook_probe.changed_hold, &gate);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    add_native(recorder, "events", MVX_METRIC_COUNTER, type, NULL, NULL);
    start(recorder);
    for (int i = 0; i < 200; i++) {
        record_ok(recorder, type, 1);
    }
    gate_await(&gate, 1);
    CHECK_UINT(200, stats_of(recorder).pending);
    gate_open(&gate);
    flush(recorder);
    CHECK_INT(200, hook_probe.changed);
    CHECK_INT(200, current(recorder, "events", "value"));
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* ---- by group ------------------------------------------------------------------------------------------ */

#define PRODUCERS 4
#define OUTCOMES 5
#define SOURCES 7

static const char *const outcome_texts[OUTCOMES] = {"ok", "error", "timed out", "refused", "late"};

struct shop {
    struct scene scene;
    mvx_symbol outcome[OUTCOMES];
    uint64_t each;
    bool in_batches;
};

static void shop_open(struct shop *shop, mvx_recorder_options options)
{
    memset(shop, 0, sizeof *shop);
    scene_open(&shop->scene, options);
    for (int i = 0; i < OUTCOMES; i++) {
        shop->outcome[i] = symbol(outcome_texts[i]);
    }
}

/* Outcomes and sources of uneven frequency, and a value that nobody counts. */
static struct number nth(const struct shop *shop, uint64_t n)
{
    uint64_t mixed = n * 2654435761u >> 7;
    return (struct number){(int64_t)n, shop->outcome[mixed % 11 % OUTCOMES], (uint32_t)(mixed % 23 % SOURCES)};
}

static void produce(void *shared, int number)
{
    (void)number;
    struct shop *shop = shared;
    struct number batch[50];
    for (uint64_t n = 0; n < shop->each;) {
        size_t count = 0;
        for (; count < (shop->in_batches ? 50 : 1) && n < shop->each; count++) {
            batch[count] = nth(shop, n++);
        }
        size_t accepted = 0;
        if (count == 1) {
            STATUS(MVX_OK, mvx_recorder_register_event(shop->scene.recorder, shop->scene.type, batch, sizeof batch[0]));
            continue;
        }
        STATUS(MVX_OK, mvx_recorder_register_events(shop->scene.recorder, shop->scene.type, batch, sizeof batch[0],
                                                    count, &accepted));
        CHECK_UINT(count, accepted);
    }
}

/* How often each pair of outcome and source came from one producer. */
static void tally_up(const struct shop *shop, int64_t counts[OUTCOMES][SOURCES])
{
    memset(counts, 0, sizeof(int64_t[OUTCOMES][SOURCES]));
    for (uint64_t n = 0; n < shop->each; n++) {
        struct number event = nth(shop, n);
        for (int outcome = 0; outcome < OUTCOMES; outcome++) {
            counts[outcome][event.source] += event.outcome == shop->outcome[outcome];
        }
    }
}

static void expect_groups(const struct shop *shop, int64_t times)
{
    int64_t counts[OUTCOMES][SOURCES], by_source[SOURCES] = {0};
    char text[SOURCES][12];
    tally_up(shop, counts);
    mvx_snapshot *snapshot = take_snapshot(shop->scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    for (int source = 0; source < SOURCES; source++) {
        snprintf(text[source], sizeof text[source], "%d", source);
    }
    for (int outcome = 0; outcome < OUTCOMES; outcome++) {
        int64_t of_outcome = 0, from_three = 0;
        for (int source = 0; source < SOURCES; source++) {
            int64_t both = counts[outcome][source];
            CHECK_INT(times * both, series_of_two(snapshot, "by both", "outcome", outcome_texts[outcome], "source",
                                                  text[source]));
            of_outcome += both;
            from_three += source >= 3 ? both : 0;
            by_source[source] += both;
        }
        CHECK_INT(times * of_outcome, series_in(snapshot, "by outcome", "outcome", outcome_texts[outcome]));
        CHECK_INT(times * from_three, series_in(snapshot, "from three on", "outcome", outcome_texts[outcome]));
    }
    for (int source = 0; source < SOURCES; source++) {
        CHECK_INT(times * by_source[source], series_in(snapshot, "by source", "source", text[source]));
    }
    CHECK_INT(times * (int64_t)shop->each, i64_in(snapshot, "events", "value"));
    CHECK_UINT(OUTCOMES * SOURCES, series_count(snapshot, "by both"));
    CHECK_UINT(OUTCOMES, series_count(snapshot, "by outcome"));
    CHECK_UINT(OUTCOMES, series_count(snapshot, "from three on"));
    CHECK_UINT(SOURCES, series_count(snapshot, "by source"));
    CHECK_INT(0, i64_in(snapshot, "by both", "overflow_events"));
    mvx_snapshot_free(snapshot);
}

/* Several metrics look at one type, each in its own way. */
static void groups_of_many_threads(void)
{
    const mvx_filter from_three = {MVX_STR("source"), MVX_FILTER_GE, MVX_VALUE_I64, 3, 0, 0, {NULL, 0}};
    for (int in_batches = 0; in_batches < 2; in_batches++) {
        struct shop shop;
        shop_open(&shop, waiting_for_room());
        shop.in_batches = in_batches == 1;
        shop.each = scaled(200000, 3000);
        mvx_recorder *recorder = shop.scene.recorder;
        add_native(recorder, "events", MVX_METRIC_COUNTER, shop.scene.type, NULL, NULL);
        add_counter(recorder, "by outcome", shop.scene.type, (struct rule){.group_by = {"outcome"}});
        add_counter(recorder, "by source", shop.scene.type, (struct rule){.group_by = {"source"}});
        add_counter(recorder, "by both", shop.scene.type, (struct rule){.group_by = {"source", "outcome"}});
        add_counter(recorder, "from three on", shop.scene.type,
                    (struct rule){.group_by = {"outcome"}, .filters = &from_three, .filter_count = 1});
        start(recorder);
        crew_run(PRODUCERS, produce, &shop);
        expect_groups(&shop, PRODUCERS);
        mvx_stats stats = stats_of(recorder);
        CHECK_UINT(PRODUCERS * shop.each, stats.accepted);
        CHECK_UINT(PRODUCERS * shop.each, stats.dispatched);
        /* The threads that recorded are gone; this one goes on where they left off. */
        produce(&shop, 0);
        expect_groups(&shop, PRODUCERS + 1);
        scene_close(&shop.scene);
    }
}

/* From the second event of a key on, nothing is pending. */
static void groups_are_counted_at_once(void)
{
    struct shop shop;
    shop_open(&shop, recorder_options());
    add_counter(shop.scene.recorder, "by outcome", shop.scene.type, (struct rule){.group_by = {"outcome"}});
    start(shop.scene.recorder);
    hold_up(&shop.scene);
    uint64_t each = scaled(100000, 1000);
    uint64_t count[OUTCOMES];
    for (int i = 0; i < OUTCOMES; i++) {
        struct number number = {1, shop.outcome[i], 0};
        count[i] = fold_many(&shop.scene, shop.scene.type, &number, sizeof number, each);
    }
    struct number batch[OUTCOMES * 10];
    for (int i = 0; i < OUTCOMES * 10; i++) {
        batch[i] = (struct number){i, shop.outcome[i % OUTCOMES], (uint32_t)i};
    }
    /* Where a thread finds that it has to keep more keys, those that it kept before are new once more. */
    for (int i = 0; i < OUTCOMES * 4; i++) {
        record_many(&shop.scene, shop.scene.type, &batch[i], sizeof batch[i], 1);
    }
    mvx_stats before = stats_of(shop.scene.recorder);
    size_t accepted = 0;
    STATUS(MVX_OK, mvx_recorder_register_events(shop.scene.recorder, shop.scene.type, batch, sizeof batch[0],
                                                OUTCOMES * 10, &accepted));
    CHECK_UINT(OUTCOMES * 10, accepted);
    expect_more(&shop.scene, before, OUTCOMES * 10, 0);
    let_go(&shop.scene);
    mvx_snapshot *snapshot = take_snapshot(shop.scene.recorder, MVX_SNAPSHOT_RELAXED);
    for (int i = 0; i < OUTCOMES; i++) {
        CHECK_INT(count[i] + 14, series_in(snapshot, "by outcome", "outcome", outcome_texts[i]));
    }
    mvx_snapshot_free(snapshot);
    scene_close(&shop.scene);
}

/* Fields narrower than the key, between others that nobody looks at. */
struct narrow {
    int64_t value;
    uint8_t code;
    uint8_t flag;
    uint8_t noise[6];
};

static void groups_by_narrow_fields(void)
{
    const mvx_field fields[] = {{MVX_STR("value"), MVX_FIELD_I64, offsetof(struct narrow, value), 8},
                                       {MVX_STR("code"), MVX_FIELD_U8, offsetof(struct narrow, code), 1},
                                       {MVX_STR("flag"), MVX_FIELD_BOOL, offsetof(struct narrow, flag), 1}};
    static const char *const codes[] = {"0", "1", "2"};
    struct scene scene;
    scene_open(&scene, waiting_for_room());
    mvx_event_type type = declare("folding.narrow", fields, 3);
    add_counter(scene.recorder, "narrow", type, (struct rule){.group_by = {"code", "flag"}});
    start(scene.recorder);
    int64_t expected[3][2] = {{0}};
    uint64_t random = 7, count = scaled(100000, 2000);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t drawn = next_random(&random);
        struct narrow narrow = {.value = (int64_t)drawn, .code = drawn % 3, .flag = (drawn >> 8) % 4};
        memcpy(narrow.noise, &drawn, sizeof narrow.noise);
        /* Any byte but 0 is true. */
        expected[narrow.code][narrow.flag != 0]++;
        STATUS(MVX_OK, mvx_recorder_register_event(scene.recorder, type, &narrow, sizeof narrow));
    }
    mvx_snapshot *snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    for (int code = 0; code < 3; code++) {
        CHECK_INT(expected[code][0], series_of_two(snapshot, "narrow", "code", codes[code], "flag", "false"));
        CHECK_INT(expected[code][1], series_of_two(snapshot, "narrow", "code", codes[code], "flag", "true"));
    }
    CHECK_UINT(6, series_count(snapshot, "narrow"));
    mvx_snapshot_free(snapshot);
    scene_close(&scene);
}

struct worded {
    char word[4];
    float level;
};

/* Payloads that differ and are labelled alike are one series. */
static void groups_by_texts_and_levels(void)
{
    const mvx_field fields[] = {{MVX_STR("word"), MVX_FIELD_TEXT, offsetof(struct worded, word), 4},
                                       {MVX_STR("level"), MVX_FIELD_F32, offsetof(struct worded, level), 4}};
    /* No literals: newer compilers warn of one whose NUL does not fit. */
    static const struct worded kinds[] = {{{'a', 'b', 0, 'x'}, 0.0f},
                                          {{'a', 'b', 0, 'y'}, -0.0f},
                                          {{'a', 'b', 'c', 'd'}, 1.5f},
                                          {{0}, 1.5f},
                                          {{0, 'z', 'z', 'z'}, 1.5f}};
    struct scene scene;
    scene_open(&scene, recorder_options());
    mvx_event_type type = declare("folding.worded", fields, 2);
    add_counter(scene.recorder, "worded", type, (struct rule){.group_by = {"word", "level"}});
    start(scene.recorder);
    hold_up(&scene);
    uint64_t count[5];
    for (int i = 0; i < 5; i++) {
        count[i] = fold_many(&scene, type, &kinds[i], sizeof kinds[i], 100 * (uint64_t)(i + 1));
    }
    let_go(&scene);
    mvx_snapshot *snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_INT(count[0] + count[1], series_of_two(snapshot, "worded", "word", "ab", "level", "0.0"));
    CHECK_INT(count[2], series_of_two(snapshot, "worded", "word", "abcd", "level", "1.5"));
    CHECK_INT(count[3] + count[4], series_of_two(snapshot, "worded", "word", "", "level", "1.5"));
    CHECK_UINT(3, series_count(snapshot, "worded"));
    mvx_snapshot_free(snapshot);
    scene_close(&scene);
}

static void what_is_no_symbol_has_no_text(void)
{
    const mvx_filter set = {MVX_STR("outcome"), MVX_FILTER_NE, MVX_VALUE_STR, 0, 0, 0, {"", 0}};
    struct scene scene;
    scene_open(&scene, recorder_options());
    add_counter(scene.recorder, "by outcome", scene.type, (struct rule){.group_by = {"outcome"}});
    add_counter(scene.recorder, "set", scene.type, (struct rule){.filters = &set, .filter_count = 1});
    start(scene.recorder);
    const mvx_symbol outcomes[] = {0, 4000000000u, symbol(""), symbol("ok"), UINT32_MAX};
    for (int i = 0; i < 1000; i++) {
        struct number number = {i, outcomes[i % 5], 0};
        STATUS(MVX_OK, mvx_recorder_register_event(scene.recorder, scene.type, &number, sizeof number));
    }
    mvx_snapshot *snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_INT(800, series_in(snapshot, "by outcome", "outcome", ""));
    CHECK_INT(200, series_in(snapshot, "by outcome", "outcome", "ok"));
    CHECK_UINT(2, series_count(snapshot, "by outcome"));
    CHECK_INT(200, i64_in(snapshot, "set", "value"));
    mvx_snapshot_free(snapshot);
    scene_close(&scene);
}

/* ---- the order of series ------------------------------------------------------------------------------- */

#define KINDS 40

static mvx_symbol kind_symbol(int kind)
{
    char text[32];
    snprintf(text, sizeof text, "kind %d", kind);
    return symbol(text);
}

/* An order that neither symbols nor hashes have. */
static int nth_kind(int n)
{
    return n * 23 % KINDS;
}

static void record_kind(struct scene *scene, int kind, uint64_t count)
{
    struct number number = {1, kind_symbol(kind), 0};
    record_many(scene, scene->type, &number, sizeof number, count);
}

/* Each kind comes for the first time in its turn, and then again between the others. */
static void record_kinds(struct scene *scene)
{
    for (int n = 0; n < KINDS; n++) {
        record_kind(scene, nth_kind(n), 3);
        for (int before = 0; before <= n; before += 3) {
            record_kind(scene, nth_kind(before), 1);
        }
    }
}

/* Where fewer series than KINDS may be there, they are the first ones. */
static void expect_kinds_in_order(const mvx_snapshot *snapshot, const char *metric, size_t least)
{
    const mvx_value *series = value_in(snapshot, metric, "series");
    CHECK(mvx_value_len(series) >= least);
    CHECK(mvx_value_len(series) <= KINDS);
    for (size_t i = 0; i < mvx_value_len(series); i++) {
        char text[32];
        snprintf(text, sizeof text, "kind %d", nth_kind((int)i));
        mvx_str got = label_of(mvx_value_at(series, i), "outcome");
        if (!str_is(got, text)) {
            FAIL("series %zu of %s is %.*s, not %s", i, metric, (int)got.len, got.data, text);
        }
    }
}

static void expect_all_kinds_in_order(struct scene *scene, const char *metric)
{
    mvx_snapshot *snapshot = take_snapshot(scene->recorder, MVX_SNAPSHOT_CONSISTENT);
    expect_kinds_in_order(snapshot, metric, KINDS);
    mvx_snapshot_free(snapshot);
}

static void series_are_in_order(void)
{
    struct scene scene;
    scene_open(&scene, recorder_options());
    add_counter(scene.recorder, "kinds", scene.type, (struct rule){.group_by = {"outcome"}});
    start(scene.recorder);
    record_kinds(&scene);
    expect_all_kinds_in_order(&scene, "kinds");
    record_kinds(&scene);
    expect_all_kinds_in_order(&scene, "kinds");
    scene_close(&scene);
}

/* Another metric comes while the first events of the kinds are pending. */
static void series_are_in_order_after_a_change(void)
{
    struct scene scene;
    scene_open(&scene, recorder_options());
    add_counter(scene.recorder, "kinds", scene.type, (struct rule){.group_by = {"outcome"}});
    start(scene.recorder);
    hold_up(&scene);
    record_kinds(&scene);
    add_native(scene.recorder, "events", MVX_METRIC_COUNTER, scene.type, NULL, NULL);
    let_go(&scene);
    expect_all_kinds_in_order(&scene, "kinds");
    scene_close(&scene);
}

/* The metric comes when the thread has counted all kinds before, for another one, in another order. */
static void series_of_a_later_metric_are_in_order(void)
{
    for (int replaces = 0; replaces < 2; replaces++) {
        struct scene scene;
        scene_open(&scene, recorder_options());
        add_counter(scene.recorder, "before", scene.type, (struct rule){.group_by = {"outcome"}});
        start(scene.recorder);
        for (int kind = 0; kind < KINDS; kind++) {
            record_kind(&scene, kind, 3);
        }
        const char *name = replaces ? "before" : "after";
        add_counter(scene.recorder, name, scene.type, (struct rule){.group_by = {"outcome"}});
        record_kinds(&scene);
        expect_all_kinds_in_order(&scene, name);
        scene_close(&scene);
    }
}

static void series_are_bounded(void)
{
    enum { ROOM = 3 };
    struct scene scene;
    scene_open(&scene, waiting_for_room());
    add_counter(scene.recorder, "kinds", scene.type, (struct rule){.group_by = {"outcome"}, .max_series = ROOM});
    start(scene.recorder);
    int rounds = (int)scaled(5000, 100);
    for (int round = 0; round < rounds; round++) {
        for (int n = 0; n < KINDS; n++) {
            record_kind(&scene, nth_kind(n), 1);
        }
    }
    mvx_snapshot *snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_UINT(ROOM + 1, series_count(snapshot, "kinds"));
    for (int n = 0; n < ROOM; n++) {
        char text[32];
        snprintf(text, sizeof text, "kind %d", nth_kind(n));
        CHECK_INT(rounds, series_in(snapshot, "kinds", "outcome", text));
    }
    CHECK_INT((KINDS - ROOM) * rounds, i64_in(snapshot, "kinds", "overflow_events"));
    CHECK_INT(KINDS * rounds, total_in(snapshot, "kinds"));
    mvx_snapshot_free(snapshot);
    scene_close(&scene);
}

static void produce_kinds(void *shared, int number)
{
    struct shop *shop = shared;
    uint64_t random = (uint64_t)number + 1;
    for (uint64_t i = 0; i < shop->each; i++) {
        record_kind(&shop->scene, (int)(next_random(&random) % KINDS), 1);
    }
}

/* Which groups have a series is a matter of who came first; that all are counted is not. */
static void series_of_many_threads_are_bounded(void)
{
    enum { ROOM = 10 };
    struct shop shop;
    shop_open(&shop, waiting_for_room());
    shop.each = scaled(50000, 2000);
    add_counter(shop.scene.recorder, "kinds", shop.scene.type,
                (struct rule){.group_by = {"outcome"}, .max_series = ROOM});
    start(shop.scene.recorder);
    crew_run(PRODUCERS, produce_kinds, &shop);
    int64_t expected[KINDS] = {0};
    for (int number = 0; number < PRODUCERS; number++) {
        uint64_t random = (uint64_t)number + 1;
        for (uint64_t i = 0; i < shop.each; i++) {
            expected[next_random(&random) % KINDS]++;
        }
    }
    mvx_snapshot *snapshot = take_snapshot(shop.scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_UINT(ROOM + 1, series_count(snapshot, "kinds"));
    int64_t total = (int64_t)(PRODUCERS * shop.each), within = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        char text[32];
        snprintf(text, sizeof text, "kind %d", kind);
        int64_t got = series_in(snapshot, "kinds", "outcome", text);
        CHECK(got == -1 || got == expected[kind]);
        within += got == -1 ? 0 : got;
    }
    CHECK_INT(total - within, i64_in(snapshot, "kinds", "overflow_events"));
    CHECK_INT(total, total_in(snapshot, "kinds"));
    mvx_snapshot_free(snapshot);
    scene_close(&shop.scene);
}

/* ---- more keys than a thread keeps --------------------------------------------------------------------- */

#define KEYS 5000

struct crowd {
    struct scene scene;
    uint64_t rounds;
    size_t batch;
};

/* All keys in turn, and between them a few that come often. */
static struct number nth_key(uint64_t n)
{
    return (struct number){1, 0, (uint32_t)(n % 2 ? n / 2 * 7 % KEYS : n / 2 % 3)};
}

static void produce_keys(void *shared, int number)
{
    (void)number;
    struct crowd *crowd = shared;
    struct number numbers[100];
    uint64_t count = crowd->rounds * 2 * KEYS;
    for (uint64_t n = 0; n < count;) {
        size_t size = 0;
        while (size < crowd->batch && n < count) {
            numbers[size++] = nth_key(n++);
        }
        size_t accepted = 0;
        if (crowd->batch == 1) {
            record_many(&crowd->scene, crowd->scene.type, numbers, sizeof numbers[0], 1);
            continue;
        }
        STATUS(MVX_OK, mvx_recorder_register_events(crowd->scene.recorder, crowd->scene.type, numbers,
                                                    sizeof numbers[0], size, &accepted));
        CHECK_UINT(size, accepted);
    }
}

static void expect_keys(const struct crowd *crowd, int64_t threads)
{
    mvx_snapshot *snapshot = take_snapshot(crowd->scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    const mvx_value *series = value_in(snapshot, "keys", "series");
    static int64_t expected[KEYS];
    memset(expected, 0, sizeof expected);
    for (uint64_t n = 0; n < crowd->rounds * 2 * KEYS; n++) {
        expected[nth_key(n).source] += threads;
    }
    CHECK_UINT(KEYS, mvx_value_len(series));
    for (size_t i = 0; i < KEYS; i++) {
        const mvx_value *one = mvx_value_at(series, i);
        mvx_str label = label_of(one, "source");
        char text[12] = {0};
        CHECK(label.len > 0 && label.len < sizeof text);
        memcpy(text, label.data, label.len);
        int key = atoi(text);
        CHECK(key >= 0 && key < KEYS);
        CHECK_INT(expected[key], value_of(one));
        expected[key] = -1;
    }
    CHECK_INT(threads * (int64_t)(crowd->rounds * 2 * KEYS), total_in(snapshot, "keys"));
    CHECK_INT(0, i64_in(snapshot, "keys", "overflow_events"));
    mvx_snapshot_free(snapshot);
}

static void more_keys_than_a_thread_keeps(void)
{
    static const size_t batches[] = {1, 100};
    for (int i = 0; i < 2; i++) {
        struct crowd crowd = {.rounds = scaled(20, 2), .batch = batches[i]};
        scene_open(&crowd.scene, waiting_for_room());
        add_counter(crowd.scene.recorder, "keys", crowd.scene.type,
                    (struct rule){.group_by = {"source"}, .max_series = KEYS + 1000});
        start(crowd.scene.recorder);
        crew_run(2, produce_keys, &crowd);
        expect_keys(&crowd, 2);
        CHECK_UINT(2 * crowd.rounds * 2 * KEYS, stats_of(crowd.scene.recorder).dispatched);
        scene_close(&crowd.scene);
    }
}

/* ---- who sees what ------------------------------------------------------------------------------------- */

struct gallery {
    struct scene scene;
    uint64_t waves;
    mvx_symbol outcome[2];
    _Alignas(64) _Atomic uint64_t begun;
    _Alignas(64) _Atomic uint64_t done;
    _Alignas(64) atomic_bool over;
};

static void gallery_open(struct gallery *gallery)
{
    memset(gallery, 0, sizeof *gallery);
    scene_open(&gallery->scene, waiting_for_room());
    gallery->outcome[0] = symbol("ok");
    gallery->outcome[1] = symbol("error");
    add_native(gallery->scene.recorder, "events", MVX_METRIC_COUNTER, gallery->scene.type, NULL, NULL);
    add_counter(gallery->scene.recorder, "by outcome", gallery->scene.type, (struct rule){.group_by = {"outcome"}});
    start(gallery->scene.recorder);
}

/* Counts events before they are begun, and after their calls have returned. */
static void record_counted(struct gallery *gallery, uint64_t n)
{
    struct number number = {1, gallery->outcome[n % 2], 0};
    atomic_fetch_add(&gallery->begun, 1);
    STATUS(MVX_OK, mvx_recorder_register_event(gallery->scene.recorder, gallery->scene.type, &number, sizeof number));
    atomic_fetch_add(&gallery->done, 1);
}

/* Every snapshot lies between what is done before and what is begun after it. */
static void watch_once(struct gallery *gallery, uint32_t mode, int64_t seen[2])
{
    static const char *const metrics[] = {"events", "by outcome"};
    int64_t done = (int64_t)atomic_load(&gallery->done);
    /* All of these but what is pending now were dispatched. */
    int64_t pending = mode == MVX_SNAPSHOT_CONSISTENT ? 0 : (int64_t)stats_of(gallery->scene.recorder).pending;
    mvx_snapshot *snapshot = take_snapshot(gallery->scene.recorder, mode);
    int64_t begun = (int64_t)atomic_load(&gallery->begun);
    for (int i = 0; i < 2; i++) {
        int64_t total = total_in(snapshot, metrics[i]);
        if (total < done - pending || total > begun || total < seen[i]) {
            FAIL("%s shows %" PRId64 " of %" PRId64 " to %" PRId64 " with %" PRId64 " pending, after %" PRId64,
                 metrics[i], total, done, begun, pending, seen[i]);
        }
        seen[i] = total;
    }
    mvx_snapshot_free(snapshot);
}

static void *watch(void *argument)
{
    struct gallery *gallery = argument;
    int64_t seen[2] = {0, 0};
    for (int round = 0; !atomic_load(&gallery->over); round++) {
        watch_once(gallery, round % 2 ? MVX_SNAPSHOT_RELAXED : MVX_SNAPSHOT_CONSISTENT, seen);
    }
    return NULL;
}

static void live_shortly(void *shared, int number)
{
    struct gallery *gallery = shared;
    for (int i = 0; i < 10 + number; i++) {
        record_counted(gallery, (uint64_t)i);
    }
}

static void threads_that_come_and_go(void)
{
    struct gallery gallery;
    gallery_open(&gallery);
    pthread_t watcher = spawn(watch, &gallery);
    uint64_t waves = scaled(300, 15);
    for (uint64_t i = 0; i < waves; i++) {
        crew_run(8, live_shortly, &gallery);
        if (i % 8 == 0) {
            int64_t done = (int64_t)atomic_load(&gallery.done);
            CHECK_INT(done, current_total(gallery.scene.recorder, "events", MVX_SNAPSHOT_CONSISTENT));
            CHECK_INT(done, current_total(gallery.scene.recorder, "by outcome", MVX_SNAPSHOT_CONSISTENT));
        }
    }
    atomic_store(&gallery.over, true);
    join(watcher);
    uint64_t total = waves * (8 * 10 + 28);
    CHECK_UINT(total, gallery.done);
    flush(gallery.scene.recorder);
    expect_count(&gallery.scene, "events", total);
    expect_count(&gallery.scene, "by outcome", total);
    CHECK_UINT(total, stats_of(gallery.scene.recorder).accepted);
    CHECK_UINT(total, stats_of(gallery.scene.recorder).dispatched);
    scene_close(&gallery.scene);
}

static void record_until_over(void *shared, int number)
{
    struct gallery *gallery = shared;
    for (uint64_t n = (uint64_t)number; !atomic_load(&gallery->over); n++) {
        record_counted(gallery, n);
    }
}

static void reads_what_happened_before_elsewhere(void)
{
    struct gallery gallery;
    gallery_open(&gallery);
    struct crew_member *crew = crew_start(2, record_until_over, &gallery);
    int64_t seen[2] = {0, 0};
    int64_t rounds = (int64_t)scaled(10000, 200);
    int64_t end = now_ms() + 1000 * slowness();
    for (int64_t round = 0; round < rounds && now_ms() < end; round++) {
        watch_once(&gallery, round % 2 ? MVX_SNAPSHOT_RELAXED : MVX_SNAPSHOT_CONSISTENT, seen);
    }
    atomic_store(&gallery.over, true);
    crew_join(crew, 2);
    flush(gallery.scene.recorder);
    expect_count(&gallery.scene, "events", gallery.done);
    expect_count(&gallery.scene, "by outcome", gallery.done);
    scene_close(&gallery.scene);
}

struct relay {
    struct scene scene;
    _Atomic int64_t recorded;
    _Atomic int64_t seen;
    int64_t rounds;
};

static void *record_and_tell(void *argument)
{
    struct relay *relay = argument;
    for (int64_t round = 0; round < relay->rounds; round++) {
        record_many(&relay->scene, relay->scene.type, &plain_number, sizeof plain_number, 1 + (uint64_t)round % 5);
        int64_t recorded = atomic_load(&relay->recorded) + 1 + round % 5;
        atomic_store(&relay->recorded, recorded);
        while (atomic_load(&relay->seen) != recorded) {
            sched_yield();
        }
    }
    return NULL;
}

/* One thread says that it has recorded, and waits; the other must see exactly that. */
static void a_snapshot_elsewhere_is_exact(void)
{
    struct relay relay = {.rounds = (int64_t)scaled(20000, 300)};
    scene_open(&relay.scene, recorder_options());
    add_native(relay.scene.recorder, "events", MVX_METRIC_COUNTER, relay.scene.type, NULL, NULL);
    start(relay.scene.recorder);
    pthread_t thread = spawn(record_and_tell, &relay);
    int64_t seen = 0;
    for (int64_t round = 0; round < relay.rounds; round++) {
        int64_t recorded = seen;
        while (recorded == seen) {
            recorded = atomic_load(&relay.recorded);
            sched_yield();
        }
        int64_t pending = (int64_t)stats_of(relay.scene.recorder).pending;
        int64_t relaxed = current_total(relay.scene.recorder, "events", MVX_SNAPSHOT_RELAXED);
        CHECK(relaxed >= recorded - pending && relaxed <= recorded);
        CHECK_INT(recorded, current_total(relay.scene.recorder, "events", MVX_SNAPSHOT_CONSISTENT));
        seen = recorded;
        atomic_store(&relay.seen, seen);
    }
    join(thread);
    scene_close(&relay.scene);
}

/* ---- metrics that come in the middle ------------------------------------------------------------------- */

#define CHANGES 24
#define WORKERS 3

struct worker {
    _Alignas(128) _Atomic uint64_t done;
    /* How many events were begun when so many changes were known to be over. */
    uint64_t begun_after[CHANGES + 1];
};

struct works {
    struct scene scene;
    mvx_symbol outcome[2];
    _Alignas(128) atomic_int changes;
    atomic_bool over;
    uint64_t done_before[CHANGES];
    struct worker workers[WORKERS];
    struct crew_member *crew;
};

static void work(void *shared, int number)
{
    struct works *works = shared;
    struct worker *worker = &works->workers[number];
    for (uint64_t n = 0; !atomic_load(&works->over); n++) {
        struct number event = {(int64_t)n, works->outcome[n % 2], (uint32_t)number};
        worker->begun_after[atomic_load(&works->changes)]++;
        STATUS(MVX_OK, mvx_recorder_register_event(works->scene.recorder, works->scene.type, &event, sizeof event));
        atomic_store(&worker->done, n + 1);
    }
}

static void works_open(struct works *works)
{
    memset(works, 0, sizeof *works);
    scene_open(&works->scene, waiting_for_room());
    works->outcome[0] = symbol("ok");
    works->outcome[1] = symbol("error");
    add_native(works->scene.recorder, "all", MVX_METRIC_COUNTER, works->scene.type, NULL, NULL);
    start(works->scene.recorder);
    works->crew = crew_start(WORKERS, work, works);
}

static uint64_t done_so_far(struct works *works)
{
    uint64_t done = 0;
    for (int i = 0; i < WORKERS; i++) {
        done += atomic_load(&works->workers[i].done);
    }
    return done;
}

static bool all_went_on(struct works *works, const uint64_t *from)
{
    for (int i = 0; i < WORKERS; i++) {
        if (atomic_load(&works->workers[i].done) < from[i] + 20) {
            return false;
        }
    }
    return true;
}

static void await_progress(struct works *works)
{
    uint64_t from[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        from[i] = atomic_load(&works->workers[i].done);
    }
    EVENTUALLY(all_went_on(works, from));
}

/* Around each change: what is done before it, and the news that it is over. */
static void before_change(struct works *works)
{
    await_progress(works);
    works->done_before[atomic_load(&works->changes)] = done_so_far(works);
}

static void after_change(struct works *works)
{
    atomic_fetch_add(&works->changes, 1);
}

static uint64_t begun_after_change(const struct works *works, int change)
{
    uint64_t begun = 0;
    for (int i = 0; i < WORKERS; i++) {
        for (int known = change + 1; known <= CHANGES; known++) {
            begun += works->workers[i].begun_after[known];
        }
    }
    return begun;
}

/* Ends the work; how many events there were, each of which the first counter has counted. */
static uint64_t works_finish(struct works *works)
{
    await_progress(works);
    atomic_store(&works->over, true);
    crew_join(works->crew, WORKERS);
    uint64_t total = done_so_far(works);
    flush(works->scene.recorder);
    expect_count(&works->scene, "all", total);
    mvx_stats stats = stats_of(works->scene.recorder);
    CHECK_UINT(total, stats.accepted);
    CHECK_UINT(total, stats.dispatched);
    return total;
}

/* A metric that came with one change and left with another has all events between, and none from before and after;
   those that were under way meanwhile may be on either side. */
static void expect_between(struct works *works, uint64_t got, int came, int left)
{
    uint64_t total = done_so_far(works);
    uint64_t after = left < 0 ? 0 : begun_after_change(works, left);
    uint64_t most = total - works->done_before[came] - after;
    uint64_t begun_until = total - begun_after_change(works, came);
    uint64_t done = left < 0 ? total : works->done_before[left];
    uint64_t least = done > begun_until ? done - begun_until : 0;
    if (got < least || got > most) {
        FAIL("it saw %" PRIu64 " events, not %" PRIu64 " to %" PRIu64 " (%d, %d)", got, least, most, came, left);
    }
}

static void counters_that_come_in_the_middle(void)
{
    static const struct rule rules[] = {{{NULL}, NULL, 0, 0},
                                        {{"outcome"}, NULL, 0, 0},
                                        {{"source", "outcome"}, NULL, 0, 0},
                                        {{"source"}, NULL, 0, 0}};
    uint64_t rounds = scaled(10, 1);
    for (uint64_t round = 0; round < rounds; round++) {
        struct works works;
        works_open(&works);
        for (int i = 0; i < CHANGES; i++) {
            char name[16];
            snprintf(name, sizeof name, "late %d", i);
            before_change(&works);
            add_counter(works.scene.recorder, name, works.scene.type, rules[((uint64_t)i + round) % 4]);
            after_change(&works);
        }
        works_finish(&works);
        for (int i = 0; i < CHANGES; i++) {
            char name[16];
            snprintf(name, sizeof name, "late %d", i);
            int64_t got = current_total(works.scene.recorder, name, MVX_SNAPSHOT_CONSISTENT);
            expect_between(&works, (uint64_t)got, i, -1);
        }
        scene_close(&works.scene);
    }
}

/* Each counter takes the place of the one before, of the same kind or another. */
static void counters_that_are_replaced(void)
{
    static const struct rule rules[] = {{{NULL}, NULL, 0, 0}, {{"outcome"}, NULL, 0, 0}};
    uint64_t rounds = scaled(10, 1);
    for (uint64_t round = 0; round < rounds; round++) {
        struct works works;
        works_open(&works);
        int changes = CHANGES - (int)(round % 4);
        for (int i = 0; i < changes; i++) {
            before_change(&works);
            add_counter(works.scene.recorder, "replaced", works.scene.type, rules[i % 3 == 0]);
            after_change(&works);
            /* What the last one had counted is gone: all of it was done before this change. */
            int64_t now = current_total(works.scene.recorder, "replaced", MVX_SNAPSHOT_CONSISTENT);
            int64_t all = current_total(works.scene.recorder, "all", MVX_SNAPSHOT_CONSISTENT);
            CHECK(now + (int64_t)works.done_before[i] <= all);
        }
        works_finish(&works);
        int64_t got = current_total(works.scene.recorder, "replaced", MVX_SNAPSHOT_CONSISTENT);
        expect_between(&works, (uint64_t)got, changes - 1, -1);
        scene_close(&works.scene);
    }
}

struct visitor {
    struct probe probe;
    int64_t last[WORKERS];
};

/* From the first event of a thread that it sees on, it sees all of them. */
static void see_in_order(struct probe *probe, const mvx_event *event)
{
    struct visitor *visitor = probe->context;
    struct number number;
    memcpy(&number, event->payload, sizeof number);
    CHECK(number.source < WORKERS);
    int64_t last = visitor->last[number.source];
    if (last >= 0) {
        CHECK_INT(last + 1, number.value);
    }
    visitor->last[number.source] = number.value;
}

static void visitor_open(struct visitor *visitor)
{
    *visitor = (struct visitor){.probe = PROBE_INITIALIZER, .last = {-1, -1, -1}};
    visitor->probe.context = visitor;
    visitor->probe.inside = see_in_order;
}

/* The events that were folded travel while the visitor is there, and fold again when a counter has taken its place. */
static void a_visitor_that_comes_and_goes(void)
{
    enum { VISITS = 4 };
    uint64_t rounds = scaled(10, 1);
    for (uint64_t round = 0; round < rounds; round++) {
        struct works works;
        struct visitor visitors[VISITS];
        works_open(&works);
        for (int i = 0; i < VISITS; i++) {
            visitor_open(&visitors[i]);
            before_change(&works);
            add_probe_of(works.scene.recorder, "visitor", works.scene.type, &visitors[i].probe);
            after_change(&works);
            EVENTUALLY(atomic_load(&visitors[i].probe.seen) > 0);
            before_change(&works);
            add_counter(works.scene.recorder, "visitor", works.scene.type, (struct rule){.group_by = {"outcome"}});
            after_change(&works);
        }
        works_finish(&works);
        for (int i = 0; i < VISITS; i++) {
            expect_between(&works, visitors[i].probe.seen, 2 * i, 2 * i + 1);
        }
        int64_t got = current_total(works.scene.recorder, "visitor", MVX_SNAPSHOT_CONSISTENT);
        expect_between(&works, (uint64_t)got, 2 * VISITS - 1, -1);
        scene_close(&works.scene);
        for (int i = 0; i < VISITS; i++) {
            EVENTUALLY(atomic_load(&visitors[i].probe.drops) == 1);
        }
    }
}

/* With one thread there is nothing under way, so all is exact. */
static void changes_of_one_thread_are_exact(void)
{
    struct scene scene;
    struct visitor visitor;
    visitor_open(&visitor);
    scene_open(&scene, recorder_options());
    add_native(scene.recorder, "all", MVX_METRIC_COUNTER, scene.type, NULL, NULL);
    start(scene.recorder);
    record_many(&scene, scene.type, &plain_number, sizeof plain_number, 1000);
    add_counter(scene.recorder, "second", scene.type, (struct rule){.group_by = {"source"}});
    record_many(&scene, scene.type, &plain_number, sizeof plain_number, 200);
    flush(scene.recorder);
    expect_count(&scene, "all", 1200);
    CHECK_INT(200, current_total(scene.recorder, "second", MVX_SNAPSHOT_CONSISTENT));
    visitor.probe.inside = NULL;
    add_probe_of(scene.recorder, "visitor", scene.type, &visitor.probe);
    record_many(&scene, scene.type, &plain_number, sizeof plain_number, 30);
    add_counter(scene.recorder, "visitor", scene.type, (struct rule){.group_by = {"source"}});
    record_many(&scene, scene.type, &plain_number, sizeof plain_number, 4);
    CHECK_INT(4, current_total(scene.recorder, "visitor", MVX_SNAPSHOT_CONSISTENT));
    CHECK_UINT(30, visitor.probe.seen);
    add_native(scene.recorder, "second", MVX_METRIC_COUNTER, scene.type, NULL, NULL);
    CHECK_INT(0, current_total(scene.recorder, "second", MVX_SNAPSHOT_CONSISTENT));
    record_many(&scene, scene.type, &plain_number, sizeof plain_number, 1);
    flush(scene.recorder);
    expect_count(&scene, "second", 1);
    expect_count(&scene, "visitor", 5);
    expect_count(&scene, "all", 1235);
    scene_close(&scene);
    EVENTUALLY(atomic_load(&visitor.probe.drops) == 1);
}

/* ---- recorders that end -------------------------------------------------------------------------------- */

struct shift {
    struct scene scene;
    mvx_symbol outcome[2];
    pthread_barrier_t line;
    _Atomic uint64_t accepted;
    _Atomic uint64_t travelled;
    uint64_t rounds;
};

static void shift_open(struct shift *shift, uint64_t rounds)
{
    memset(shift, 0, sizeof *shift);
    scene_open(&shift->scene, waiting_for_room());
    shift->outcome[0] = symbol("ok");
    shift->outcome[1] = symbol("error");
    shift->rounds = rounds;
    pthread_barrier_init(&shift->line, NULL, PRODUCERS + 1);
    add_native(shift->scene.recorder, "events", MVX_METRIC_COUNTER, shift->scene.type, NULL, NULL);
    add_counter(shift->scene.recorder, "by outcome", shift->scene.type, (struct rule){.group_by = {"outcome"}});
    start(shift->scene.recorder);
}

static void shift_close(struct shift *shift)
{
    pthread_barrier_destroy(&shift->line);
    scene_close(&shift->scene);
}

/* Records until the recorder takes no more. Now and then an event is of the type that travels. */
static void record_until_closed(struct shift *shift)
{
    uint64_t accepted = 0, travelled = 0;
    for (uint64_t n = 0;; n++) {
        struct number number = {1, shift->outcome[n % 2], 0};
        mvx_event_type type = n % 16 == 0 ? shift->scene.other : shift->scene.type;
        mvx_status status = mvx_recorder_register_event(shift->scene.recorder, type, &number, sizeof number);
        if (status != MVX_OK) {
            STATUS(MVX_INVALID_STATE, status);
            break;
        }
        accepted++;
        travelled += n % 16 == 0;
    }
    atomic_fetch_add(&shift->accepted, accepted);
    atomic_fetch_add(&shift->travelled, travelled);
}

static void work_shifts(void *shared, int number)
{
    (void)number;
    struct shift *shift = shared;
    for (uint64_t i = 0; i < shift->rounds; i++) {
        record_until_closed(shift);
        pthread_barrier_wait(&shift->line);
        pthread_barrier_wait(&shift->line);
    }
}

static void expect_accepted(struct shift *shift)
{
    mvx_stats stats = stats_of(shift->scene.recorder);
    CHECK_UINT(shift->accepted, stats.accepted);
    CHECK_UINT(shift->accepted, stats.dispatched);
    CHECK_UINT(0, stats.pending + stats.discarded + stats.refused + stats.dropped);
    CHECK_UINT(shift->travelled, shift->scene.probe.seen);
    expect_count(&shift->scene, "events", shift->accepted - shift->travelled);
    expect_count(&shift->scene, "by outcome", shift->accepted - shift->travelled);
}

/* The threads stay, and record again after each restart. */
static void stops_in_the_middle(void)
{
    struct shift shift;
    shift_open(&shift, scaled(60, 5));
    struct crew_member *crew = crew_start(PRODUCERS, work_shifts, &shift);
    for (uint64_t i = 0; i < shift.rounds; i++) {
        sleep_ms(1 + (int64_t)i % 5);
        stop(shift.scene.recorder);
        pthread_barrier_wait(&shift.line);
        expect_accepted(&shift);
        if (i + 1 < shift.rounds) {
            start(shift.scene.recorder);
        }
        pthread_barrier_wait(&shift.line);
    }
    crew_join(crew, PRODUCERS);
    expect_accepted(&shift);
    start(shift.scene.recorder);
    record_many(&shift.scene, shift.scene.type, &plain_number, sizeof plain_number, 1000);
    shift.accepted += 1000;
    stop(shift.scene.recorder);
    expect_accepted(&shift);
    shift_close(&shift);
}

static void record_one_shift(void *shared, int number)
{
    (void)number;
    record_until_closed(shared);
}

static void cancels_in_the_middle(void)
{
    uint64_t rounds = scaled(100, 5);
    for (uint64_t i = 0; i < rounds; i++) {
        struct shift shift;
        shift_open(&shift, 1);
        struct crew_member *crew = crew_start(PRODUCERS, record_one_shift, &shift);
        sleep_ms((int64_t)i % 4);
        OK(mvx_recorder_cancel(shift.scene.recorder, ERR));
        crew_join(crew, PRODUCERS);
        EVENTUALLY(stats_of(shift.scene.recorder).pending == 0);
        mvx_stats stats = stats_of(shift.scene.recorder);
        CHECK_UINT(shift.accepted, stats.accepted);
        CHECK_UINT(shift.accepted, stats.dispatched + stats.discarded);
        /* The one event that was just being handled may have reached one metric, and not the next. */
        int64_t counted = current_total(shift.scene.recorder, "events", MVX_SNAPSHOT_RELAXED);
        int64_t grouped = current_total(shift.scene.recorder, "by outcome", MVX_SNAPSHOT_CONSISTENT);
        CHECK(grouped == counted || grouped + 1 == counted);
        CHECK((uint64_t)counted <= shift.accepted - shift.travelled);
        CHECK((uint64_t)counted + shift.scene.probe.seen >= stats.dispatched);
        shift_close(&shift);
    }
}

/* ---- recorders that begin ------------------------------------------------------------------------------ */

static void what_comes_before_the_start_waits(void)
{
    struct scene scene;
    struct hook_probe hook_probe = {.starting_reply = MVX_HOOK_PENDING};
    mvx_hooks hooks = hooks_of(&hook_probe);
    scene_open(&scene, (mvx_recorder_options){.hooks = &hooks});
    add_counter(scene.recorder, "by source", scene.type, (struct rule){.group_by = {"source"}});
    /* The first of them finds the recorder VIRGIN. */
    for (uint64_t n = 1; n <= 300; n++) {
        record_many(&scene, scene.type, &plain_number, sizeof plain_number, 1);
        CHECK_UINT(n, stats_of(scene.recorder).pending);
    }
    CHECK_INT(MVX_RECORDER_STARTING, state_of(scene.recorder));
    CHECK_UINT(0, stats_of(scene.recorder).dispatched);
    CHECK_INT(0, current_total(scene.recorder, "by source", MVX_SNAPSHOT_CONSISTENT));
    STATUS(MVX_OK, mvx_completion_done(take_token(&hook_probe), (mvx_str){NULL, 0}));
    flush(scene.recorder);
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(scene.recorder));
    expect_count(&scene, "by source", 300);
    hold_up(&scene);
    uint64_t count = fold_many(&scene, scene.type, &plain_number, sizeof plain_number, 1000);
    let_go(&scene);
    expect_count(&scene, "by source", 300 + count);
    /* So it is after a restart. */
    stop(scene.recorder);
    STATUS(MVX_INVALID_STATE, record(scene.recorder, scene.type, 1));
    /* That of the other hook, which is done. */
    atomic_store(&hook_probe.token, NULL);
    mvx_wait *started = begin_start(scene.recorder);
    mvx_completion *token = take_token(&hook_probe);
    travel_many(&scene, scene.type, &plain_number, sizeof plain_number, 200);
    STATUS(MVX_OK, mvx_completion_done(token, (mvx_str){NULL, 0}));
    wait_ok(started);
    flush(scene.recorder);
    hold_up(&scene);
    count += fold_many(&scene, scene.type, &plain_number, sizeof plain_number, 1000);
    let_go(&scene);
    expect_count(&scene, "by source", 500 + count);
    scene_close(&scene);
}

/* ---- handles ------------------------------------------------------------------------------------------- */

struct lending {
    struct scene scene;
    mvx_recorder *lent;
    atomic_bool is_freed;
    atomic_int known;
    _Atomic uint64_t accepted;
};

static void expect_invalid(const struct lending *lending)
{
    size_t accepted = 0;
    struct number numbers[5] = {{0}};
    for (int i = 0; i < 3; i++) {
        STATUS(MVX_INVALID_HANDLE,
               mvx_recorder_register_event(lending->lent, lending->scene.type, numbers, sizeof numbers[0]));
        STATUS(MVX_INVALID_HANDLE, mvx_recorder_register_events(lending->lent, lending->scene.type, numbers,
                                                                sizeof numbers[0], 5, &accepted));
        CHECK_UINT(0, accepted);
    }
}

static void lending_open(struct lending *lending, bool by_key)
{
    memset(lending, 0, sizeof *lending);
    scene_open(&lending->scene, waiting_for_room());
    add_counter(lending->scene.recorder, "events", lending->scene.type,
                (struct rule){.group_by = {by_key ? "source" : NULL}});
    start(lending->scene.recorder);
    STATUS(MVX_OK, mvx_recorder_clone(lending->scene.recorder, &lending->lent));
}

/* Records through the handle and its clone in turn, until it is told that the handle is freed. */
static void borrow(void *shared, int number)
{
    (void)number;
    struct lending *lending = shared;
    uint64_t accepted = 0;
    mvx_recorder *kept = lending->scene.recorder;
    for (uint64_t n = 0; !atomic_load(&lending->is_freed); n++) {
        mvx_recorder *handle = n % 64 == 0 ? kept : lending->lent;
        mvx_status status =
            mvx_recorder_register_event(handle, lending->scene.type, &plain_number, sizeof plain_number);
        /* It may be freed, and not be told yet. */
        STATUS(n > 200 && handle != kept && status != MVX_OK ? MVX_INVALID_HANDLE : MVX_OK, status);
        accepted += status == MVX_OK;
        atomic_fetch_add(&lending->known, n == 200);
    }
    expect_invalid(lending);
    for (int i = 0; i < 100; i++) {
        STATUS(MVX_OK, mvx_recorder_register_event(kept, lending->scene.type, &plain_number, sizeof plain_number));
        accepted++;
    }
    expect_invalid(lending);
    atomic_fetch_add(&lending->accepted, accepted);
}

static void freed_handles_are_invalid(void)
{
    uint64_t rounds = scaled(60, 4);
    for (uint64_t i = 0; i < rounds; i++) {
        struct lending lending;
        lending_open(&lending, i % 2 == 1);
        struct crew_member *crew = crew_start(3, borrow, &lending);
        EVENTUALLY(atomic_load(&lending.known) == 3);
        mvx_recorder_free(lending.lent);
        atomic_store(&lending.is_freed, true);
        crew_join(crew, 3);
        expect_invalid(&lending);
        flush(lending.scene.recorder);
        expect_count(&lending.scene, "events", lending.accepted);
        CHECK_UINT(lending.accepted, stats_of(lending.scene.recorder).accepted);
        scene_close(&lending.scene);
    }
}

static void a_freed_handle_is_invalid_at_once(void)
{
    for (int by_key = 0; by_key < 2; by_key++) {
        struct lending lending;
        lending_open(&lending, by_key == 1);
        uint64_t rounds = scaled(2000, 50), accepted = 0;
        for (uint64_t i = 0; i < rounds; i++) {
            for (int n = 0; n < 5; n++) {
                STATUS(MVX_OK, mvx_recorder_register_event(lending.lent, lending.scene.type, &plain_number,
                                                           sizeof plain_number));
                record_many(&lending.scene, lending.scene.type, &plain_number, sizeof plain_number, 1);
                accepted += 2;
            }
            mvx_recorder_free(lending.lent);
            expect_invalid(&lending);
            STATUS(MVX_OK, mvx_recorder_clone(lending.scene.recorder, &lending.lent));
        }
        mvx_recorder_free(lending.lent);
        flush(lending.scene.recorder);
        expect_count(&lending.scene, "events", accepted);
        scene_close(&lending.scene);
    }
}

#ifndef _WIN32
/* ---- signal handlers ----------------------------------------------------------------------------------- */

enum { PARTIES = 2, FORMS = 40, ROUTES = 3 };

/* What the thread that is interrupted and its handler record. */
static struct {
    mvx_recorder *recorders[PARTIES];
    mvx_event_type forms[FORMS];
    mvx_symbol outcome[ROUTES];
    int form_count;
    /* The forms that the thread records: so many from this one on, into so many recorders. */
    int first, count, parties;
    /* The thread allocates and frees beside, and the handler records only what is folded. */
    bool allocates;
    atomic_bool ready, over;
    _Atomic uint64_t handled;
    _Atomic uint64_t unsupported;
    atomic_int odd;
    uint64_t turn;
    _Atomic uint64_t accepted[PARTIES][FORMS][ROUTES];
} weather;

static mvx_status record_form(int party, int form, int route)
{
    struct number number = {1, weather.outcome[route], 0};
    mvx_status status =
        mvx_recorder_register_event(weather.recorders[party], weather.forms[form], &number, sizeof number);
    if (status == MVX_OK) {
        atomic_fetch_add(&weather.accepted[party][form][route], 1);
    }
    return status;
}

static void record_in_handler(int signal_number)
{
    (void)signal_number;
    int kept = errno;
    for (int i = 0; i < 4; i++) {
        uint64_t turn = weather.turn++;
        int form = (int)(turn / PARTIES % (uint64_t)weather.form_count);
        form -= weather.allocates && form % 3 == 2;
        mvx_status status = record_form((int)(turn % PARTIES), form, (int)(turn / 5 % ROUTES));
        if (status == MVX_UNSUPPORTED) {
            atomic_fetch_add(&weather.unsupported, 1);
        } else if (status != MVX_OK) {
            atomic_store(&weather.odd, status);
        }
    }
    atomic_fetch_add(&weather.handled, 1);
    errno = kept;
}

/* A third of the forms is all alike, a third is told apart by its outcome, and a third travels. */
static void weather_open(int forms, const struct scene *scenes)
{
    memset(&weather, 0, sizeof weather);
    weather.form_count = forms;
    for (int route = 0; route < ROUTES; route++) {
        weather.outcome[route] = symbol(outcome_texts[route]);
    }
    for (int form = 0; form < forms; form++) {
        char name[32];
        snprintf(name, sizeof name, "folding.form %d", form);
        weather.forms[form] = number_type(name);
        for (int party = 0; party < PARTIES; party++) {
            weather.recorders[party] = scenes[party].recorder;
            add_native(scenes[party].recorder, name, MVX_METRIC_COUNTER, weather.forms[form],
                       form % 3 == 2 ? "value" : NULL, form % 3 == 0 ? NULL : "outcome");
        }
    }
}

/* Whatever takes memory is done before the first signal: the rings are as long as they will be, and all is known. */
static void weather_prepare(void)
{
    for (int i = 0; i < 20000; i++) {
        for (int party = 0; party < PARTIES; party++) {
            STATUS(MVX_OK, record_form(party, 2, i % ROUTES));
        }
    }
    for (int i = 0; i < 3 * ROUTES; i++) {
        for (int form = 0; form < weather.form_count; form++) {
            for (int party = 0; party < PARTIES; party++) {
                STATUS(MVX_OK, record_form(party, form, i % ROUTES));
            }
        }
    }
}

static void allocate_and_free(uint64_t *random)
{
    static void *blocks[4096];
    for (int i = 0; i < 100; i++) {
        void **block = &blocks[next_random(random) % 4096];
        free(*block);
        *block = malloc(8 + next_random(random) % 400);
        CHECK(*block != NULL);
    }
    for (int i = 0; i < 4096 && atomic_load(&weather.over); i++) {
        free(blocks[i]);
        blocks[i] = NULL;
    }
}

/* The thread is faster than a dispatcher can be that has no processor of its own. */
static void await_room(const struct scene *scene)
{
    while (stats_of(scene->recorder).pending > 1 << 18) {
        sched_yield();
    }
}

static void *record_in_the_rain(void *argument)
{
    struct scene *scenes = argument;
    for (int party = 0; party < PARTIES; party++) {
        hold_up(&scenes[party]);
    }
    weather_prepare();
    for (int party = 0; party < PARTIES; party++) {
        let_go(&scenes[party]);
    }
    atomic_store(&weather.ready, true);
    uint64_t random = 1;
    for (int i = 0; !atomic_load(&weather.over); i++) {
        if (weather.allocates) {
            allocate_and_free(&random);
            continue;
        }
        for (int party = 0; i % 1000 == 0 && party < PARTIES; party++) {
            await_room(&scenes[party]);
        }
        for (int n = 0; n < weather.count; n++) {
            int form = (weather.first + n) % weather.form_count;
            for (int party = 0; party < weather.parties; party++) {
                STATUS(MVX_OK, record_form(party, form, i % ROUTES));
            }
        }
    }
    return NULL;
}

/* Interrupts the thread again and again, each time after the last handler is over. */
static void let_it_rain(pthread_t thread, uint64_t signals)
{
    uint64_t random = signals;
    EVENTUALLY(atomic_load(&weather.ready));
    int64_t enough = now_ms() + 1500;
    for (uint64_t i = 0; i < signals && (i < 100 || now_ms() < enough); i++) {
        uint64_t handled = atomic_load(&weather.handled);
        int64_t end = now_ms() + patience_ms();
        CHECK_INT(0, pthread_kill(thread, SIGUSR1));
        while (atomic_load(&weather.handled) == handled) {
            CHECK(now_ms() < end);
            sched_yield();
        }
        for (volatile uint64_t pause = next_random(&random) % 1000; pause > 0; pause--) {
        }
    }
}

static void expect_forms(const struct scene *scene, int party)
{
    uint64_t total = 0;
    mvx_snapshot *snapshot = take_snapshot(scene->recorder, MVX_SNAPSHOT_CONSISTENT);
    for (int form = 0; form < weather.form_count; form++) {
        char name[32];
        snprintf(name, sizeof name, "folding.form %d", form);
        uint64_t of_form = 0;
        for (int route = 0; route < ROUTES; route++) {
            uint64_t accepted = weather.accepted[party][form][route];
            of_form += accepted;
            if (form % 3 != 0) {
                CHECK_INT(accepted, series_in(snapshot, name, "outcome", outcome_texts[route]));
            }
        }
        CHECK_INT(of_form, total_in(snapshot, name));
        total += of_form;
    }
    mvx_snapshot_free(snapshot);
    /* One held the dispatcher up. */
    CHECK_UINT(total + 1, stats_of(scene->recorder).accepted);
    CHECK_UINT(total + 1, stats_of(scene->recorder).dispatched);
}

static void rain(int forms, int first, int count, int parties, bool allocates)
{
    uint64_t signals = scaled(50000, 1000);
    struct scene scenes[PARTIES];
    for (int party = 0; party < PARTIES; party++) {
        scene_open(&scenes[party], (mvx_recorder_options){.queue_max_size = 1 << 24, .queue_max_bytes = 1 << 30});
    }
    weather_open(forms, scenes);
    weather.first = first;
    weather.count = count;
    weather.parties = parties;
    weather.allocates = allocates;
    struct sigaction action = {.sa_handler = record_in_handler, .sa_flags = SA_RESTART}, kept;
    CHECK_INT(0, sigaction(SIGUSR1, &action, &kept));
    for (int party = 0; party < PARTIES; party++) {
        start(scenes[party].recorder);
    }
    pthread_t thread = spawn(record_in_the_rain, scenes);
    let_it_rain(thread, signals);
    atomic_store(&weather.over, true);
    join(thread);
    CHECK_INT(0, sigaction(SIGUSR1, &kept, NULL));
    STATUS(MVX_OK, atomic_load(&weather.odd));
    for (int party = 0; party < PARTIES; party++) {
        expect_forms(&scenes[party], party);
        scene_close(&scenes[party]);
    }
}

/* An addition is one instruction, so that no handler comes in between. The thread sanitizer makes two calls of it. */
static bool additions_are_whole(void)
{
    return !mode_is("tsan");
}

static void handlers_interrupt_what_is_alike(void)
{
    if (!additions_are_whole()) {
        return;
    }
    rain(3, 0, 1, 1, false);
}

static void handlers_interrupt_what_has_keys(void)
{
    if (!additions_are_whole()) {
        return;
    }
    rain(3, 1, 1, 1, false);
}

static void handlers_interrupt_what_travels(void)
{
    rain(3, 2, 1, 1, false);
}

/* More forms than a thread remembers: what it learns of one takes the place of what it knew of another, and so it is in
   the handler. */
static void handlers_interrupt_what_is_not_remembered(void)
{
    if (!additions_are_whole()) {
        return;
    }
    rain(FORMS, 0, FORMS, PARTIES, false);
}

/* A handler that allocated, or took a lock, would wait for the thread that it has interrupted. */
static void handlers_interrupt_an_allocation(void)
{
    rain(FORMS, 0, 0, 0, true);
}

/* ---- fork ---------------------------------------------------------------------------------------------- */

static void expect_forked(const struct scene *scene)
{
    struct number numbers[3] = {{0}};
    size_t accepted = 0;
    for (int i = 0; i < 3; i++) {
        STATUS(MVX_FORKED, mvx_recorder_register_event(scene->recorder, scene->type, numbers, sizeof numbers[0]));
        STATUS(MVX_FORKED, mvx_recorder_register_event(scene->recorder, scene->other, numbers, sizeof numbers[0]));
        STATUS(MVX_FORKED, mvx_recorder_register_events(scene->recorder, scene->type, numbers, sizeof numbers[0], 3,
                                                        &accepted));
    }
    CHECK_UINT(0, accepted);
}

/* The child folds into a recorder of its own. */
static void fold_anew(void)
{
    struct scene scene;
    scene_open(&scene, recorder_options());
    add_counter(scene.recorder, "by source", scene.type, (struct rule){.group_by = {"source"}});
    start(scene.recorder);
    hold_up(&scene);
    uint64_t count = fold_many(&scene, scene.type, &plain_number, sizeof plain_number, 500);
    let_go(&scene);
    expect_count(&scene, "by source", count);
    scene_close(&scene);
}

static void a_child_counts_nothing_of_its_parent(void)
{
    static const char *const groups[] = {NULL, "source"};
    for (int by = 0; by < 2; by++) {
        struct scene scene;
        scene_open(&scene, recorder_options());
        add_counter(scene.recorder, "events", scene.type, (struct rule){.group_by = {groups[by]}});
        start(scene.recorder);
        uint64_t rounds = scaled(10, 2), count = 0;
        for (uint64_t i = 0; i < rounds; i++) {
            record_many(&scene, scene.type, &plain_number, sizeof plain_number, 1000);
            struct report *report = shared_report();
            pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                expect_forked(&scene);
                fold_anew();
                expect_forked(&scene);
                end_child(report);
            }
            record_many(&scene, scene.type, &plain_number, sizeof plain_number, 1000);
            await_child(child, report);
            count += 2000;
            CHECK_INT(count, current_total(scene.recorder, "events", MVX_SNAPSHOT_CONSISTENT));
        }
        expect_count(&scene, "events", count);
        CHECK_UINT(count, stats_of(scene.recorder).dispatched);
        scene_close(&scene);
    }
}

#endif

/* However an event type is recorded, a number that only looks like it is none. */
static void what_looks_like_a_type_is_none(void)
{
    static const char *const groups[] = {NULL, "source"};
    for (int way = 0; way < 3; way++) {
        struct scene scene;
        scene_open(&scene, recorder_options());
        if (way < 2) {
            add_counter(scene.recorder, "events", scene.type, (struct rule){.group_by = {groups[way]}});
        } else {
            /* Order matters to it, so events get numbers. */
            add_native(scene.recorder, "events", MVX_METRIC_GAUGE, scene.type, "value", NULL);
        }
        start(scene.recorder);
        record_many(&scene, scene.type, &plain_number, sizeof plain_number, 100);
        mvx_stats before = stats_of(scene.recorder);
        for (int bit = 24; bit < 32; bit++) {
            mvx_event_type wrong = scene.type | UINT32_C(1) << bit;
            size_t accepted = 0;
            STATUS(MVX_INVALID_ARGUMENT,
                   mvx_recorder_register_event(scene.recorder, wrong, &plain_number, sizeof plain_number));
            STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_events(scene.recorder, wrong, &plain_number,
                                                                      sizeof plain_number, 1, &accepted));
        }
        CHECK_UINT(before.accepted, stats_of(scene.recorder).accepted);
        flush(scene.recorder);
        scene_close(&scene);
    }
}

TEST_MAIN(CASE(counted_at_once), CASE(shown_at_once), CASE(batches_are_folded),
          CASE(payloads_of_any_length), CASE(the_pending_limit_is_none_of_their_business), CASE(folding_can_be_turned_off), CASE(an_unknown_setting_is_refused),
          CASE(an_event_with_a_release_travels), CASE(an_event_with_its_time_travels), CASE(what_others_want_travels),
          CASE(fields_that_lie_apart_travel), CASE(the_changed_hook_sees_each_event), CASE(groups_of_many_threads),
          CASE(groups_are_counted_at_once), CASE(groups_by_narrow_fields), CASE(groups_by_texts_and_levels),
          CASE(what_is_no_symbol_has_no_text), CASE(series_are_in_order), CASE(series_are_in_order_after_a_change),
          CASE(series_of_a_later_metric_are_in_order), CASE(series_are_bounded),
          CASE(series_of_many_threads_are_bounded), CASE(more_keys_than_a_thread_keeps), CASE(threads_that_come_and_go),
          CASE(reads_what_happened_before_elsewhere), CASE(a_snapshot_elsewhere_is_exact),
          CASE(counters_that_come_in_the_middle), CASE(counters_that_are_replaced), CASE(a_visitor_that_comes_and_goes),
          CASE(changes_of_one_thread_are_exact), CASE(stops_in_the_middle), CASE(cancels_in_the_middle),
          CASE(what_comes_before_the_start_waits), CASE(freed_handles_are_invalid),
          CASE(a_freed_handle_is_invalid_at_once), UNIX_CASE(handlers_interrupt_what_is_alike, "signals"),
          UNIX_CASE(handlers_interrupt_what_has_keys, "signals"), UNIX_CASE(handlers_interrupt_what_travels, "signals"),
          UNIX_CASE(handlers_interrupt_what_is_not_remembered, "signals"), UNIX_CASE(handlers_interrupt_an_allocation, "signals"),
          UNIX_CASE(a_child_counts_nothing_of_its_parent, "fork()"), CASE(what_looks_like_a_type_is_none))
