/* Snapshots: they show the caller's own writes, are values of their own, and neither fail nor hang with a metric. */
#include "support.h"

struct scene {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    struct probe probe;
    struct gate gate;
};

static void scene_open(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    scene->probe = (struct probe)PROBE_INITIALIZER;
    scene->gate = (struct gate)GATE_INITIALIZER;
    scene->runtime = new_runtime();
    scene->type = number_type("snapshot.number");
    mvx_recorder_options options = recorder_options();
    options.queue_max_size = 50000;
    options.overflow_policy = MVX_OVERFLOW_BLOCK;
    options.block_timeout_ns = MS(patience_ms());
    scene->recorder = new_recorder_with(scene->runtime, &options);
    scene->probe.context = scene;
}

static void scene_close(struct scene *scene)
{
    gate_open(&scene->gate);
    mvx_recorder_free(scene->recorder);
    end_runtime(scene->runtime);
}

/* ---- reads your writes --------------------------------------------------------------------------------- */

struct writers {
    struct scene scene;
    int rounds;
    mvx_symbol label[8];
};

static const char *const labels[8] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"};

static void write_and_read(void *shared, int number)
{
    struct writers *writers = shared;
    uint64_t random = (uint64_t)number;
    int64_t written = 0;
    for (int i = 0; i < writers->rounds; i++) {
        int burst = 1 + (int)(next_random(&random) % 40);
        for (int n = 0; n < burst; n++) {
            struct number event = {1, writers->label[number], 0};
            STATUS(MVX_OK, mvx_recorder_register_event(writers->scene.recorder, writers->scene.type, &event, sizeof event));
            written++;
        }
        mvx_snapshot *snapshot = take_snapshot(writers->scene.recorder, MVX_SNAPSHOT_CONSISTENT);
        CHECK_INT(written, series_in(snapshot, "by thread", "outcome", labels[number]));
        CHECK(i64_in(snapshot, "probe", "count") >= written);
        mvx_snapshot_free(snapshot);
    }
}

static void reads_your_writes(void)
{
    struct writers writers;
    memset(&writers, 0, sizeof writers);
    scene_open(&writers.scene);
    add_native(writers.scene.recorder, "by thread", MVX_METRIC_COUNTER, writers.scene.type, NULL, "outcome");
    add_probe(writers.scene.recorder, "probe", &writers.scene.probe);
    start(writers.scene.recorder);
    writers.rounds = (int)scaled(400, 20);
    for (int i = 0; i < 8; i++) {
        writers.label[i] = symbol(labels[i]);
    }
    crew_run(4, write_and_read, &writers);
    scene_close(&writers.scene);
}

/* The same for a recorder that has nothing but a native counter. */
static void reads_your_writes_natively(void)
{
    struct scene scene;
    scene_open(&scene);
    add_native(scene.recorder, "sum", MVX_METRIC_COUNTER, scene.type, "value", NULL);
    start(scene.recorder);
    int rounds = (int)scaled(3000, 100);
    for (int i = 1; i <= rounds; i++) {
        record_ok(scene.recorder, scene.type, 2);
        CHECK_INT(2 * i, current(scene.recorder, "sum", "value"));
    }
    scene_close(&scene);
}

struct reader {
    struct scene *scene;
    pthread_barrier_t line;
    int rounds;
    _Atomic int64_t written;
};

static void *read_after_the_other(void *argument)
{
    struct reader *reader = argument;
    for (int i = 0; i < reader->rounds; i++) {
        pthread_barrier_wait(&reader->line);
        int64_t written = atomic_load(&reader->written);
        CHECK_INT(written, current(reader->scene->recorder, "sum", "value"));
        CHECK_INT(written, current(reader->scene->recorder, "probe", "sum"));
        pthread_barrier_wait(&reader->line);
    }
    return NULL;
}

static void reads_what_happened_before_elsewhere(void)
{
    struct scene scene;
    scene_open(&scene);
    add_native(scene.recorder, "sum", MVX_METRIC_COUNTER, scene.type, "value", NULL);
    add_probe(scene.recorder, "probe", &scene.probe);
    start(scene.recorder);
    struct reader reader = {.scene = &scene, .rounds = (int)scaled(300, 20)};
    pthread_barrier_init(&reader.line, NULL, 2);
    pthread_t thread = spawn(read_after_the_other, &reader);
    for (int i = 0; i < reader.rounds; i++) {
        for (int n = 0; n < 25; n++) {
            record_ok(scene.recorder, scene.type, 1);
            atomic_fetch_add(&reader.written, 1);
        }
        pthread_barrier_wait(&reader.line);
        pthread_barrier_wait(&reader.line);
    }
    join(thread);
    pthread_barrier_destroy(&reader.line);
    scene_close(&scene);
}

/* ---- from inside a callback ---------------------------------------------------------------------------- */

static void snapshot_inside(struct probe *probe, const mvx_event *event)
{
    (void)event;
    struct scene *scene = probe->context;
    mvx_snapshot *snapshot = NULL;
    int64_t before = now_ms();
    OK(mvx_recorder_snapshot(scene->recorder, MVX_SNAPSHOT_CONSISTENT, -1, &snapshot, ERR));
    CHECK(now_ms() - before < patience_ms());
    CHECK_INT(probe->count, i64_in(snapshot, "probe", "count"));
    mvx_snapshot_free(snapshot);
}

static void in_a_callback_it_is_taken_at_once(void)
{
    struct scene scene;
    scene_open(&scene);
    add_native(scene.recorder, "sum", MVX_METRIC_COUNTER, scene.type, "value", NULL);
    add_probe(scene.recorder, "probe", &scene.probe);
    scene.probe.inside = snapshot_inside;
    start(scene.recorder);
    uint64_t count = scaled(500, 50);
    for (uint64_t i = 0; i < count; i++) {
        record_ok(scene.recorder, scene.type, 1);
    }
    flush(scene.recorder);
    CHECK_UINT(count, scene.probe.seen);
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(scene.recorder));
    scene_close(&scene);
}

struct watcher {
    mvx_recorder *recorder;
    atomic_int calls;
};

/* Right after the event: the metric shows it, and nothing later. */
static int32_t look_after_change(void *user_data, mvx_str metric_name, void *metric_user_data, const mvx_event *event,
                                 mvx_completion *completion, mvx_callback_error *error)
{
    (void)metric_user_data;
    (void)completion;
    (void)error;
    struct watcher *watcher = user_data;
    struct number number;
    memcpy(&number, event->payload, sizeof number);
    mvx_snapshot *snapshot = NULL;
    OK(mvx_recorder_snapshot(watcher->recorder, MVX_SNAPSHOT_CONSISTENT, -1, &snapshot, ERR));
    if (str_is(metric_name, "first")) {
        CHECK_INT(number.value, i64_in(snapshot, "first", "last"));
        /* A gauge is null before its first event. */
        if (number.value == 1) {
            CHECK_INT(MVX_VALUE_NULL, mvx_value_kind(value_in(snapshot, "gauge", "value")));
        } else {
            CHECK_INT(number.value - 1, i64_in(snapshot, "gauge", "value"));
        }
        CHECK_INT(number.value - 1, i64_in(snapshot, "second", "last"));
    } else if (str_is(metric_name, "gauge")) {
        CHECK_INT(number.value, i64_in(snapshot, "first", "last"));
        CHECK_INT(number.value, i64_in(snapshot, "gauge", "value"));
        CHECK_INT(number.value - 1, i64_in(snapshot, "second", "last"));
    } else {
        CHECK_STR("second", metric_name);
        CHECK_INT(number.value, i64_in(snapshot, "second", "last"));
    }
    mvx_snapshot_free(snapshot);
    atomic_fetch_add(&watcher->calls, 1);
    return MVX_HOOK_DONE;
}

static void the_changed_hook_sees_the_state_after_the_event(void)
{
    struct scene scene;
    struct probe second = PROBE_INITIALIZER;
    scene_open(&scene);
    mvx_recorder_free(scene.recorder);
    struct watcher watcher = {0};
    mvx_hooks hooks = {.struct_size = sizeof hooks, .on_metric_changed = look_after_change, .user_data = &watcher};
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    scene.recorder = new_recorder_with(scene.runtime, &options);
    watcher.recorder = scene.recorder;
    scene.probe.last = 0;
    second.last = 0;
    add_probe(scene.recorder, "first", &scene.probe);
    add_native(scene.recorder, "gauge", MVX_METRIC_GAUGE, scene.type, "value", NULL);
    add_probe(scene.recorder, "second", &second);
    start(scene.recorder);
    int count = (int)scaled(300, 30);
    for (int i = 1; i <= count; i++) {
        record_ok(scene.recorder, scene.type, i);
    }
    flush(scene.recorder);
    CHECK_INT(3 * count, watcher.calls);
    scene_close(&scene);
}

/* ---- the tree of values -------------------------------------------------------------------------------- */

static int32_t tree_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)user_data;
    (void)event;
    (void)error;
    return MVX_EVENT_IGNORED;
}

#define W(call) CHECK_INT(MVX_OK, (call))
#define NO_KEY ((mvx_str){NULL, 0})

static int32_t tree_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)user_data;
    (void)error;
    W(mvx_writer_null(writer, MVX_STR("nothing")));
    W(mvx_writer_bool(writer, MVX_STR("yes"), 1));
    W(mvx_writer_bool(writer, MVX_STR("no"), 0));
    W(mvx_writer_i64(writer, MVX_STR("least"), INT64_MIN));
    W(mvx_writer_i64(writer, MVX_STR("seven"), 7));
    W(mvx_writer_u64(writer, MVX_STR("most"), UINT64_MAX));
    W(mvx_writer_f64(writer, MVX_STR("three"), 3.0));
    W(mvx_writer_f64(writer, MVX_STR("tenth"), 0.1));
    W(mvx_writer_f64(writer, MVX_STR("half"), -1.5));
    double zero = 0.0;
    W(mvx_writer_f64(writer, MVX_STR("nan"), zero / zero));
    W(mvx_writer_f64(writer, MVX_STR("inf"), 1.0 / zero));
    W(mvx_writer_f64(writer, MVX_STR("-inf"), -1.0 / zero));
    W(mvx_writer_str(writer, MVX_STR("text"), MVX_STR("a \"quoted\" \\ line\nbreak \xc3\xa9")));
    W(mvx_writer_str(writer, MVX_STR("empty"), NO_KEY));
    W(mvx_writer_begin_list(writer, MVX_STR("list")));
    W(mvx_writer_i64(writer, NO_KEY, 1));
    W(mvx_writer_str(writer, NO_KEY, MVX_STR("two")));
    W(mvx_writer_begin_map(writer, NO_KEY));
    W(mvx_writer_bool(writer, MVX_STR("deep"), 1));
    W(mvx_writer_begin_list(writer, MVX_STR("none")));
    W(mvx_writer_end(writer));
    W(mvx_writer_end(writer));
    W(mvx_writer_end(writer));
    W(mvx_writer_begin_map(writer, MVX_STR("map")));
    W(mvx_writer_u64(writer, MVX_STR("b"), 2));
    W(mvx_writer_u64(writer, MVX_STR("a"), 1));
    W(mvx_writer_end(writer));
    return MVX_SNAPSHOT_DONE;
}

static const char tree_json[] =
    "{\"tree\":{\"nothing\":null,\"yes\":true,\"no\":false,\"least\":-9223372036854775808,\"seven\":7,"
    "\"most\":18446744073709551615,\"three\":3.0,\"tenth\":0.1,\"half\":-1.5,\"nan\":\"NaN\",\"inf\":\"Infinity\","
    "\"-inf\":\"-Infinity\",\"text\":\"a \\\"quoted\\\" \\\\ line\\nbreak \xc3\xa9\",\"empty\":\"\","
    "\"list\":[1,\"two\",{\"deep\":true,\"none\":[]}],\"map\":{\"b\":2,\"a\":1}}}";

static mvx_snapshot *tree(struct scene *scene)
{
    scene_open(scene);
    mvx_metric_vtable vtable = {.struct_size = sizeof vtable, .handle_event = tree_event, .snapshot = tree_snapshot};
    OK(mvx_recorder_register_metric(scene->recorder, MVX_STR("tree"), &vtable, NULL, ERR));
    start(scene->recorder);
    return take_snapshot(scene->recorder, MVX_SNAPSHOT_CONSISTENT);
}

static const mvx_value *get(const mvx_value *map, const char *key)
{
    const mvx_value *value = mvx_value_get(map, str_of(key));
    if (!value) {
        FAIL("no %s", key);
    }
    return value;
}

static void the_tree_of_values(void)
{
    struct scene scene;
    mvx_snapshot *snapshot = tree(&scene);
    CHECK_UINT(1, mvx_snapshot_len(snapshot));
    CHECK_STR("tree", mvx_snapshot_name_at(snapshot, 0));
    CHECK_UINT(0, mvx_snapshot_name_at(snapshot, 1).len);
    CHECK(mvx_snapshot_get(snapshot, MVX_STR("wood")) == NULL);
    CHECK(mvx_snapshot_get(snapshot, NO_KEY) == NULL);
    const mvx_value *map = mvx_snapshot_get(snapshot, MVX_STR("tree"));
    static const struct {
        const char *key;
        int32_t kind;
    } shape[] = {{"nothing", MVX_VALUE_NULL}, {"yes", MVX_VALUE_BOOL},  {"no", MVX_VALUE_BOOL},  {"least", MVX_VALUE_I64},
                 {"seven", MVX_VALUE_I64},    {"most", MVX_VALUE_U64},  {"three", MVX_VALUE_F64}, {"tenth", MVX_VALUE_F64},
                 {"half", MVX_VALUE_F64},     {"nan", MVX_VALUE_F64},   {"inf", MVX_VALUE_F64},   {"-inf", MVX_VALUE_F64},
                 {"text", MVX_VALUE_STR},     {"empty", MVX_VALUE_STR}, {"list", MVX_VALUE_LIST}, {"map", MVX_VALUE_MAP}};
    size_t count = sizeof shape / sizeof shape[0];
    CHECK_INT(MVX_VALUE_MAP, mvx_value_kind(map));
    CHECK_UINT(count, mvx_value_len(map));
    for (size_t i = 0; i < count; i++) {
        CHECK_STR(shape[i].key, mvx_value_key_at(map, i));
        CHECK_INT(shape[i].kind, mvx_value_kind(mvx_value_at(map, i)));
        CHECK(mvx_value_at(map, i) == get(map, shape[i].key));
    }
    CHECK(mvx_value_at(map, count) == NULL);
    CHECK_UINT(0, mvx_value_key_at(map, count).len);
    CHECK(mvx_value_get(map, MVX_STR("absent")) == NULL);

    int32_t truth = -1;
    OK(mvx_value_as_bool(get(map, "yes"), &truth));
    CHECK_INT(1, truth);
    OK(mvx_value_as_bool(get(map, "no"), &truth));
    CHECK_INT(0, truth);
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_bool(get(map, "seven"), &truth));

    int64_t i64 = 0;
    uint64_t u64 = 0;
    double f64 = 0;
    OK(mvx_value_as_i64(get(map, "least"), &i64));
    CHECK(i64 == INT64_MIN);
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_u64(get(map, "least"), &u64));
    OK(mvx_value_as_u64(get(map, "most"), &u64));
    CHECK(u64 == UINT64_MAX);
    i64 = 5;
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_i64(get(map, "most"), &i64));
    CHECK_INT(5, i64);
    OK(mvx_value_as_u64(get(map, "seven"), &u64));
    CHECK_UINT(7, u64);
    OK(mvx_value_as_f64(get(map, "seven"), &f64));
    CHECK(f64 == 7.0);
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_f64(get(map, "most"), &f64));
    OK(mvx_value_as_f64(get(map, "tenth"), &f64));
    CHECK(f64 == 0.1);
    OK(mvx_value_as_f64(get(map, "nan"), &f64));
    CHECK(f64 != f64);
    OK(mvx_value_as_i64(get(map, "three"), &i64));
    CHECK_INT(3, i64);
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_i64(get(map, "half"), &i64));
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_i64(get(map, "nan"), &i64));
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_i64(get(map, "text"), &i64));
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_i64(get(map, "nothing"), &i64));

    mvx_str text = {NULL, 0};
    OK(mvx_value_as_str(get(map, "text"), &text));
    CHECK_STR("a \"quoted\" \\ line\nbreak \xc3\xa9", text);
    OK(mvx_value_as_str(get(map, "empty"), &text));
    CHECK_UINT(0, text.len);
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_str(get(map, "seven"), &text));

    const mvx_value *list = get(map, "list");
    CHECK_UINT(3, mvx_value_len(list));
    CHECK_UINT(0, mvx_value_key_at(list, 0).len);
    CHECK(mvx_value_get(list, MVX_STR("deep")) == NULL);
    const mvx_value *inner = mvx_value_at(list, 2);
    CHECK_INT(MVX_VALUE_MAP, mvx_value_kind(inner));
    CHECK_UINT(0, mvx_value_len(get(inner, "none")));
    CHECK_UINT(0, mvx_value_len(get(map, "seven")));
    CHECK(mvx_value_at(get(map, "seven"), 0) == NULL);

    mvx_text *json = NULL;
    OK(mvx_snapshot_to_json(snapshot, &json, ERR));
    CHECK_STR(tree_json, mvx_text_str(json));
    mvx_text_free(json);
    mvx_snapshot_free(snapshot);
    scene_close(&scene);
}

static void it_outlives_its_recorder(void)
{
    struct scene scene;
    mvx_snapshot *snapshot = tree(&scene);
    scene_close(&scene);
    CHECK_UINT(1, mvx_snapshot_len(snapshot));
    CHECK_INT(7, i64_in(snapshot, "tree", "seven"));
    mvx_text *json = NULL;
    OK(mvx_snapshot_to_json(snapshot, &json, ERR));
    mvx_snapshot_free(snapshot);
    CHECK_STR(tree_json, mvx_text_str(json));
    mvx_text_free(json);
}

static void it_does_not_change(void)
{
    struct scene scene;
    scene_open(&scene);
    add_native(scene.recorder, "sum", MVX_METRIC_COUNTER, scene.type, "value", NULL);
    add_probe(scene.recorder, "probe", &scene.probe);
    record_ok(scene.recorder, scene.type, 5);
    flush(scene.recorder);
    mvx_snapshot *snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    record_ok(scene.recorder, scene.type, 6);
    flush(scene.recorder);
    CHECK_INT(5, i64_in(snapshot, "sum", "value"));
    CHECK_INT(5, i64_in(snapshot, "probe", "sum"));
    CHECK_INT(11, current(scene.recorder, "sum", "value"));
    CHECK_INT(11, current(scene.recorder, "probe", "sum"));
    mvx_snapshot_free(snapshot);
    scene_close(&scene);
}

static void native_metrics_as_json(void)
{
    struct scene scene;
    scene_open(&scene);
    add_native(scene.recorder, "events", MVX_METRIC_COUNTER, scene.type, NULL, NULL);
    add_native(scene.recorder, "by outcome", MVX_METRIC_COUNTER, scene.type, NULL, "outcome");
    add_native(scene.recorder, "gauge", MVX_METRIC_GAUGE, scene.type, "value", NULL);
    start(scene.recorder);
    mvx_text *json = NULL;
    mvx_snapshot *snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    OK(mvx_snapshot_to_json(snapshot, &json, ERR));
    CHECK_STR("{\"events\":{\"value\":0},\"by outcome\":{\"series\":[],\"overflow_events\":0},\"gauge\":{\"value\":null}}",
              mvx_text_str(json));
    mvx_text_free(json);
    mvx_snapshot_free(snapshot);
    const char *texts[] = {"ok", "error", "ok"};
    for (int i = 0; i < 3; i++) {
        struct number number = {-i, symbol(texts[i]), 0};
        OK(mvx_recorder_register_event(scene.recorder, scene.type, &number, sizeof number));
    }
    snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    OK(mvx_snapshot_to_json(snapshot, &json, ERR));
    CHECK_STR("{\"events\":{\"value\":3},\"by outcome\":{\"series\":[{\"labels\":{\"outcome\":\"ok\"},\"value\":2},"
              "{\"labels\":{\"outcome\":\"error\"},\"value\":1}],\"overflow_events\":0},\"gauge\":{\"value\":-2}}",
              mvx_text_str(json));
    mvx_text_free(json);
    mvx_text *metrics = NULL;
    OK(mvx_snapshot_to_openmetrics(snapshot, &metrics, ERR));
    mvx_str text = mvx_text_str(metrics);
    CHECK(text.len >= 6 && memcmp(text.data + text.len - 6, "# EOF\n", 6) == 0);
    CHECK(str_contains(text, "# TYPE "));
    mvx_text_free(metrics);
    mvx_snapshot_free(snapshot);
    scene_close(&scene);
}

static void an_empty_recorder_has_an_empty_snapshot(void)
{
    struct scene scene;
    scene_open(&scene);
    mvx_snapshot *snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_UINT(0, mvx_snapshot_len(snapshot));
    mvx_text *json = NULL;
    OK(mvx_snapshot_to_json(snapshot, &json, ERR));
    CHECK_STR("{}", mvx_text_str(json));
    mvx_text_free(json);
    mvx_snapshot_free(snapshot);
    scene_close(&scene);
}

/* ---- metrics that fail or hang ------------------------------------------------------------------------- */

static void a_failing_metric_fails_the_call_alone(void)
{
    struct scene scene;
    struct probe good = PROBE_INITIALIZER;
    scene_open(&scene);
    add_probe(scene.recorder, "good", &good);
    add_probe(scene.recorder, "bad", &scene.probe);
    start(scene.recorder);
    record_ok(scene.recorder, scene.type, 3);
    flush(scene.recorder);
    atomic_store(&scene.probe.snapshot_reply, MVX_SNAPSHOT_FAILED);
    for (uint32_t mode = MVX_SNAPSHOT_CONSISTENT; mode <= MVX_SNAPSHOT_RELAXED; mode++) {
        mvx_snapshot *snapshot = NULL;
        mvx_error *error = FAILURE_OF(MVX_METRIC_FAILED, "UNEXPECTED_ERROR",
                                      mvx_recorder_snapshot(scene.recorder, mode, -1, &snapshot, ERR));
        CHECK(snapshot == NULL);
        CHECK(json_has(mvx_error_details_json(error), "\"metric\":\"bad\""));
        CHECK(mvx_error_cause(error) != NULL);
        CHECK_STR("CALLBACK_ERROR", mvx_error_reason(mvx_error_cause(error)));
        CHECK_STR("no picture today", mvx_error_message(mvx_error_cause(error)));
        mvx_error_free(error);
    }
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(scene.recorder));
    mvx_error *last = NULL;
    OK(mvx_recorder_last_error(scene.recorder, &last));
    CHECK(last == NULL);
    record_ok(scene.recorder, scene.type, 4);
    flush(scene.recorder);
    CHECK_UINT(2, good.seen);
    CHECK_UINT(2, scene.probe.seen);
    atomic_store(&scene.probe.snapshot_reply, MVX_SNAPSHOT_DONE);
    CHECK_INT(7, current(scene.recorder, "bad", "sum"));
    CHECK_INT(7, current(scene.recorder, "good", "sum"));
    scene_close(&scene);
}

static void expect_timeout(struct scene *scene, uint32_t mode)
{
    mvx_snapshot *snapshot = NULL;
    int64_t before = now_ms();
    FAILS(MVX_TIMEOUT, "TIMEOUT", mvx_recorder_snapshot(scene->recorder, mode, MS(100), &snapshot, ERR));
    int64_t took = now_ms() - before;
    CHECK(took >= 95);
    CHECK(took < 100 + patience_ms());
    CHECK(snapshot == NULL);
}

static void hanging_in_handle_event_is_a_timeout(void)
{
    struct scene scene;
    scene_open(&scene);
    add_native(scene.recorder, "sum", MVX_METRIC_COUNTER, scene.type, "value", NULL);
    add_probe(scene.recorder, "probe", &scene.probe);
    start(scene.recorder);
    atomic_store(&scene.probe.hold, &scene.gate);
    record_ok(scene.recorder, scene.type, 1);
    gate_await(&scene.gate, 1);
    expect_timeout(&scene, MVX_SNAPSHOT_CONSISTENT);
    expect_timeout(&scene, MVX_SNAPSHOT_CONSISTENT);
    gate_open(&scene.gate);
    CHECK_INT(1, current(scene.recorder, "probe", "sum"));
    CHECK_INT(1, current(scene.recorder, "sum", "value"));
    scene_close(&scene);
}

static void hanging_in_snapshot_is_a_timeout(void)
{
    struct scene scene;
    scene_open(&scene);
    add_probe(scene.recorder, "probe", &scene.probe);
    start(scene.recorder);
    atomic_store(&scene.probe.snapshot_hold, &scene.gate);
    expect_timeout(&scene, MVX_SNAPSHOT_CONSISTENT);
    expect_timeout(&scene, MVX_SNAPSHOT_RELAXED);
    /* Recording goes on meanwhile. */
    record_ok(scene.recorder, scene.type, 1);
    gate_open(&scene.gate);
    flush(scene.recorder);
    CHECK_INT(1, current(scene.recorder, "probe", "sum"));
    scene_close(&scene);
}

static void hanging_in_snapshot_while_stopped(void)
{
    struct scene scene;
    scene_open(&scene);
    add_probe(scene.recorder, "probe", &scene.probe);
    start(scene.recorder);
    stop(scene.recorder);
    atomic_store(&scene.probe.snapshot_hold, &scene.gate);
    expect_timeout(&scene, MVX_SNAPSHOT_CONSISTENT);
    gate_open(&scene.gate);
    CHECK_INT(0, current(scene.recorder, "probe", "sum"));
    scene_close(&scene);
}

/* ---- what was dispatched so far ------------------------------------------------------------------------ */

/* on_metric_changed that is pending holds dispatching without standing in a callback. */
static void relaxed_does_not_wait_for_pending_events(void)
{
    struct scene scene;
    scene_open(&scene);
    mvx_recorder_free(scene.recorder);
    struct hook_probe hook_probe = {.changed_reply = MVX_HOOK_PENDING};
    mvx_hooks hooks = hooks_of(&hook_probe);
    hooks.on_starting = NULL;
    hooks.on_stopped = NULL;
    hooks.on_metric_changed = hook_changed;
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    scene.recorder = new_recorder_with(scene.runtime, &options);
    add_native(scene.recorder, "sum", MVX_METRIC_COUNTER, scene.type, "value", NULL);
    start(scene.recorder);
    record_ok(scene.recorder, scene.type, 1);
    record_ok(scene.recorder, scene.type, 1);
    mvx_completion *token = take_token(&hook_probe);
    mvx_snapshot *snapshot = take_snapshot(scene.recorder, MVX_SNAPSHOT_RELAXED);
    CHECK(i64_in(snapshot, "sum", "value") <= 1);
    mvx_snapshot_free(snapshot);
    expect_timeout(&scene, MVX_SNAPSHOT_CONSISTENT);
    atomic_store(&hook_probe.changed_reply, MVX_HOOK_DONE);
    STATUS(MVX_OK, mvx_completion_done(token, NO_KEY));
    CHECK_INT(2, current(scene.recorder, "sum", "value"));
    scene_close(&scene);
}

static void other_states_show_what_was_dispatched(void)
{
    struct scene scene;
    scene_open(&scene);
    mvx_recorder_free(scene.recorder);
    struct hook_probe hook_probe = {.starting_reply = MVX_HOOK_PENDING};
    mvx_hooks hooks = hooks_of(&hook_probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    scene.recorder = new_recorder_with(scene.runtime, &options);
    add_native(scene.recorder, "sum", MVX_METRIC_COUNTER, scene.type, "value", NULL);
    add_probe(scene.recorder, "probe", &scene.probe);
    record_ok(scene.recorder, scene.type, 1);
    CHECK_INT(MVX_RECORDER_STARTING, state_of(scene.recorder));
    CHECK_INT(0, current(scene.recorder, "sum", "value"));
    CHECK_INT(0, current(scene.recorder, "probe", "sum"));
    STATUS(MVX_OK, mvx_completion_done(take_token(&hook_probe), NO_KEY));
    flush(scene.recorder);
    stop(scene.recorder);
    CHECK_INT(1, current(scene.recorder, "sum", "value"));
    OK(mvx_recorder_cancel(scene.recorder, ERR));
    CHECK_INT(1, current(scene.recorder, "sum", "value"));
    CHECK_INT(1, current(scene.recorder, "probe", "sum"));
    /* After the runtime's end they still answer. */
    OK(mvx_runtime_shutdown(scene.runtime, ERR));
    CHECK_INT(1, current(scene.recorder, "sum", "value"));
    CHECK_INT(1, current(scene.recorder, "probe", "sum"));
    mvx_recorder_free(scene.recorder);
    mvx_runtime_free(scene.runtime);
}

/* ---- all at once --------------------------------------------------------------------------------------- */

struct crowd {
    struct scene scene;
    int64_t end_ms;
};

static void crowd_run(void *shared, int number)
{
    struct crowd *crowd = shared;
    int64_t floor = 0;
    for (int i = 0; now_ms() < crowd->end_ms; i++) {
        if (number < 2) {
            record_ok(crowd->scene.recorder, crowd->scene.type, 1);
        } else if (number < 5) {
            mvx_snapshot *snapshot =
                take_snapshot(crowd->scene.recorder, number == 4 ? MVX_SNAPSHOT_RELAXED : MVX_SNAPSHOT_CONSISTENT);
            int64_t count = i64_in(snapshot, "probe", "count");
            CHECK(count >= floor);
            floor = count;
            mvx_text *json = NULL;
            OK(mvx_snapshot_to_json(snapshot, &json, ERR));
            mvx_text_free(json);
            mvx_snapshot_free(snapshot);
        } else {
            char name[32];
            snprintf(name, sizeof name, "native %d", i % 20);
            add_native(crowd->scene.recorder, name, MVX_METRIC_COUNTER, crowd->scene.type, "value", "outcome");
            sleep_ms(1);
        }
    }
}

static void snapshots_among_everything(void)
{
    struct crowd crowd;
    memset(&crowd, 0, sizeof crowd);
    scene_open(&crowd.scene);
    add_probe(crowd.scene.recorder, "probe", &crowd.scene.probe);
    start(crowd.scene.recorder);
    crowd.end_ms = now_ms() + 1500;
    crew_run(6, crowd_run, &crowd);
    flush(crowd.scene.recorder);
    CHECK_INT((int64_t)stats_of(crowd.scene.recorder).accepted, current(crowd.scene.recorder, "probe", "count"));
    scene_close(&crowd.scene);
}

TEST_MAIN(CASE(reads_your_writes), CASE(reads_your_writes_natively), CASE(reads_what_happened_before_elsewhere),
          CASE(in_a_callback_it_is_taken_at_once), CASE(the_changed_hook_sees_the_state_after_the_event),
          CASE(the_tree_of_values), CASE(it_outlives_its_recorder), CASE(it_does_not_change),
          CASE(native_metrics_as_json), CASE(an_empty_recorder_has_an_empty_snapshot),
          CASE(a_failing_metric_fails_the_call_alone), CASE(hanging_in_handle_event_is_a_timeout),
          CASE(hanging_in_snapshot_is_a_timeout), CASE(hanging_in_snapshot_while_stopped),
          CASE(relaxed_does_not_wait_for_pending_events), CASE(other_states_show_what_was_dispatched),
          CASE(snapshots_among_everything))
