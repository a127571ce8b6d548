/* Bad input, one by one: it gets a status and an error that names the argument, and changes nothing. And what errors
   carry: causes and details. */
#include "support.h"

#define BAD(argument, call) expect_bad(MVX_INVALID_ARGUMENT, "INVALID_ARGUMENT", argument, (call), #call, __LINE__)
#define NO_HANDLE(argument, call) expect_bad(MVX_INVALID_HANDLE, "INVALID_HANDLE", argument, (call), #call, __LINE__)

static void expect_bad(mvx_status want, const char *reason, const char *argument, mvx_status got, const char *call, int line)
{
    mvx_error *error = expect_failure(want, reason, got, call, __FILE__, line);
    mvx_str message = mvx_error_message(error);
    if (!str_contains(message, argument)) {
        fail_at(__FILE__, line, "%s: the message doesn't name %s: %.*s", call, argument, (int)message.len, message.data);
    }
    mvx_str details = mvx_error_details_json(error);
    if (details.len < 2 || details.data[0] != '{' || details.data[details.len - 1] != '}') {
        fail_at(__FILE__, line, "%s: details: %.*s", call, (int)details.len, details.data ? details.data : "");
    }
    mvx_error_free(error);
}

#define NOT_UTF8 ((mvx_str){"a\xff\xfe z", 5})
#define NULL_BUT_LONG ((mvx_str){NULL, 5})
#define EMPTY ((mvx_str){NULL, 0})

static mvx_str long_text(void)
{
    static char text[256];
    memset(text, 'x', sizeof text);
    return (mvx_str){text, sizeof text};
}

/* Handles and outputs that a failing call must leave as they are. */
#define UNTOUCHED(type) ((type *)(uintptr_t)0x5a5a5a50)
static mvx_runtime *no_runtime;
static mvx_recorder *no_recorder;

static void reset_outputs(void)
{
    no_runtime = UNTOUCHED(mvx_runtime);
    no_recorder = UNTOUCHED(mvx_recorder);
}

static void outputs_untouched(void)
{
    CHECK(no_runtime == UNTOUCHED(mvx_runtime));
    CHECK(no_recorder == UNTOUCHED(mvx_recorder));
}

/* ---- log, hooks and other user data -------------------------------------------------------------------- */

static atomic_int drops;

static void count_drop(void *user_data)
{
    CHECK(user_data == &drops);
    atomic_fetch_add(&drops, 1);
}

static void ignore_record(void *user_data, const mvx_log_record *record_)
{
    (void)user_data;
    (void)record_;
}

static mvx_log plain_log(void)
{
    return (mvx_log){.struct_size = sizeof(mvx_log),
                     .policy = MVX_LOG_POLICY_NORMAL,
                     .write = ignore_record,
                     .drop = count_drop,
                     .user_data = &drops};
}

static mvx_hooks plain_hooks(void)
{
    return (mvx_hooks){.struct_size = sizeof(mvx_hooks), .drop = count_drop, .user_data = &drops};
}

/* ---- runtime options ----------------------------------------------------------------------------------- */

static void bad_runtime_options(void)
{
    reset_outputs();
    mvx_runtime_options options = {.struct_size = sizeof options};
    BAD("runtime", mvx_runtime_create(&options, NULL, ERR));
    BAD("runtime", mvx_runtime_default(NULL, ERR));
#define WITH(field, value)                                                                                             \
    do {                                                                                                               \
        mvx_runtime_options bad = {.struct_size = sizeof bad};                                                         \
        bad.field = value;                                                                                             \
        BAD(#field, mvx_runtime_create(&bad, &no_runtime, ERR));                                                       \
        STATUS(MVX_INVALID_ARGUMENT, mvx_runtime_create(&bad, &no_runtime, NULL));                                     \
    } while (0)
    WITH(struct_size, 0);
    WITH(struct_size, sizeof(size_t));
    WITH(struct_size, MVX_RUNTIME_OPTIONS_V1_SIZE - 1);
    WITH(name_space, NOT_UTF8);
    WITH(name_space, NULL_BUT_LONG);
    WITH(recorder_queue_max_size, -1);
    WITH(recorder_queue_max_size, INT64_MIN);
    WITH(recorder_queue_max_bytes, -1);
    WITH(recorder_overflow_policy, 4);
    WITH(recorder_overflow_policy, UINT32_MAX);
    WITH(shutdown_timeout_ns, -1);
    WITH(thread_name_prefix, NOT_UTF8);
    WITH(thread_name_prefix, NULL_BUT_LONG);
    WITH(thread_name_prefix, MVX_STR("a\0b"));
    WITH(worker_threads, 1025);
    WITH(worker_threads, UINT32_MAX);
#undef WITH
    outputs_untouched();
}

static void bad_logs(void)
{
    mvx_runtime *runtime = new_runtime();
    reset_outputs();
    int expected = atomic_load(&drops);
#define WITH(field, value, dropped)                                                                                    \
    do {                                                                                                               \
        mvx_log log = plain_log();                                                                                     \
        log.field = value;                                                                                             \
        mvx_runtime_options options = {.struct_size = sizeof options, .log = &log};                                    \
        BAD(#field, mvx_runtime_create(&options, &no_runtime, ERR));                                                   \
        mvx_recorder_options recorder = recorder_options();                                                            \
        recorder.log = &log;                                                                                           \
        BAD(#field, mvx_recorder_create(runtime, &recorder, &no_recorder, ERR));                                       \
        BAD(#field, mvx_runtime_create_recorder(runtime, MVX_STR("logged"), &recorder, &no_recorder, ERR));            \
        expected += 3 * (dropped);                                                                                     \
        CHECK_INT(expected, drops);                                                                                    \
    } while (0)
    WITH(struct_size, 0, 0);
    WITH(policy, 4, 1);
    WITH(policy, UINT32_MAX, 1);
    WITH(max_level, 6, 1);
    WITH(max_level, -1, 1);
    WITH(write, NULL, 1);
#undef WITH
    outputs_untouched();
    end_runtime(runtime);
}

/* ---- recorder options ---------------------------------------------------------------------------------- */

static void bad_recorder_options(void)
{
    mvx_runtime *runtime = new_runtime();
    reset_outputs();
    BAD("recorder", mvx_recorder_create(runtime, NULL, NULL, ERR));
    BAD("recorder", mvx_runtime_create_recorder(runtime, MVX_STR("one"), NULL, NULL, ERR));
    int expected = atomic_load(&drops);
#define WITH(field, value)                                                                                             \
    do {                                                                                                               \
        mvx_hooks hooks = plain_hooks();                                                                               \
        mvx_recorder_options bad = recorder_options();                                                                 \
        bad.hooks = &hooks;                                                                                            \
        bad.field = value;                                                                                             \
        BAD(#field, mvx_recorder_create(runtime, &bad, &no_recorder, ERR));                                            \
        BAD(#field, mvx_runtime_create_recorder(runtime, MVX_STR("one"), &bad, &no_recorder, ERR));                    \
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_create(runtime, &bad, &no_recorder, NULL));                          \
        expected += 3;                                                                                                 \
        CHECK_INT(expected, drops);                                                                                    \
    } while (0)
    WITH(entity_id, NOT_UTF8);
    WITH(entity_id, NULL_BUT_LONG);
    WITH(entity_id, long_text());
    WITH(name_space, NOT_UTF8);
    WITH(name_space, NULL_BUT_LONG);
    WITH(queue_max_size, -1);
    WITH(queue_max_size, INT64_MIN);
    WITH(queue_max_bytes, -1);
    WITH(overflow_policy, 4);
    WITH(overflow_policy, UINT32_MAX);
    WITH(block_timeout_ns, -1);
    WITH(metric_error_policy, 3);
    WITH(metric_error_policy, UINT32_MAX);
#undef WITH
    /* The size comes first: nothing else of the struct may be read. */
    for (size_t size = 0; size < sizeof(mvx_recorder_options); size += 8) {
        mvx_recorder_options bad = recorder_options();
        bad.struct_size = size;
        bad.hooks = UNTOUCHED(mvx_hooks);
        BAD("struct_size", mvx_recorder_create(runtime, &bad, &no_recorder, ERR));
    }
    mvx_hooks hooks = plain_hooks();
    mvx_recorder_options bad = recorder_options();
    hooks.struct_size = 8;
    bad.hooks = &hooks;
    BAD("struct_size", mvx_recorder_create(runtime, &bad, &no_recorder, ERR));
    CHECK_INT(expected, drops);
    outputs_untouched();
    mvx_strings *ids = NULL;
    OK(mvx_runtime_list_recorder_ids(runtime, &ids, ERR));
    CHECK_UINT(0, mvx_strings_len(ids));
    mvx_strings_free(ids);
    end_runtime(runtime);
}

/* Larger structs come from newer programs: the known prefix is read. */
static void larger_structs_are_fine(void)
{
    struct {
        mvx_runtime_options options;
        unsigned char rest[64];
    } runtime_options;
    memset(&runtime_options, 0xee, sizeof runtime_options);
    runtime_options.options = (mvx_runtime_options){.struct_size = sizeof runtime_options, .worker_threads = 1};
    mvx_runtime *runtime = new_runtime_with(&runtime_options.options);
    struct {
        mvx_recorder_options options;
        unsigned char rest[64];
    } large_options;
    memset(&large_options, 0xee, sizeof large_options);
    large_options.options = (mvx_recorder_options){.struct_size = sizeof large_options};
    mvx_recorder *recorder = new_recorder_with(runtime, &large_options.options);
    struct {
        mvx_metric_vtable vtable;
        unsigned char rest[64];
    } large_vtable;
    memset(&large_vtable, 0xee, sizeof large_vtable);
    large_vtable.vtable = probe_vtable();
    large_vtable.vtable.struct_size = sizeof large_vtable;
    struct probe probe = PROBE_INITIALIZER;
    OK(mvx_recorder_register_metric(recorder, MVX_STR("large"), &large_vtable.vtable, &probe, ERR));
    struct {
        mvx_stats stats;
        unsigned char rest[64];
    } large_stats;
    memset(&large_stats, 0xee, sizeof large_stats);
    large_stats.stats.struct_size = sizeof large_stats;
    OK(mvx_recorder_stats(recorder, &large_stats.stats));
    CHECK_UINT(0, large_stats.stats.accepted);
    for (size_t i = 0; i < sizeof large_stats.rest; i++) {
        CHECK_INT(0xee, large_stats.rest[i]);
    }
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

static void bad_recorder_ids(void)
{
    mvx_runtime *runtime = new_runtime();
    reset_outputs();
    const mvx_str ids[] = {EMPTY, MVX_STR(""), MVX_STR("  \t\n"), NOT_UTF8, NULL_BUT_LONG, long_text()};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        BAD("recorder_id", mvx_runtime_create_recorder(runtime, ids[i], NULL, &no_recorder, ERR));
        BAD("recorder_id", mvx_runtime_get_recorder(runtime, ids[i], &no_recorder, ERR));
        BAD("recorder_id", mvx_runtime_try_get_recorder(runtime, ids[i], &no_recorder, ERR));
        BAD("recorder_id", mvx_runtime_stop_recorder(runtime, ids[i], ERR));
        BAD("recorder_id", mvx_runtime_stop_and_remove_recorder(runtime, ids[i], &no_recorder, ERR));
    }
    BAD("recorder", mvx_runtime_get_recorder(runtime, MVX_STR("one"), NULL, ERR));
    BAD("recorder", mvx_runtime_try_get_recorder(runtime, MVX_STR("one"), NULL, ERR));
    BAD("ids", mvx_runtime_list_recorder_ids(runtime, NULL, ERR));
    STATUS(MVX_INVALID_ARGUMENT, mvx_runtime_state(runtime, NULL));
    STATUS(MVX_INVALID_ARGUMENT, mvx_runtime_last_error(runtime, NULL));
    STATUS(MVX_INVALID_ARGUMENT, mvx_runtime_clone(runtime, NULL));
    BAD("wait", mvx_runtime_shutdown_async(runtime, NULL, ERR));
    CHECK_INT(MVX_RUNTIME_RUNNING, runtime_state(runtime));
    outputs_untouched();
    end_runtime(runtime);
}

/* ---- metrics ------------------------------------------------------------------------------------------- */

static void no_metrics(mvx_recorder *recorder)
{
    mvx_snapshot *snapshot = take_snapshot(recorder, MVX_SNAPSHOT_RELAXED);
    CHECK_UINT(0, mvx_snapshot_len(snapshot));
    mvx_snapshot_free(snapshot);
    CHECK_INT(MVX_RECORDER_VIRGIN, state_of(recorder));
}

/* The user_data is dropped exactly once, also where the registration failed. */
static void bad_vtables(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_recorder *recorder = new_recorder(runtime);
    const mvx_event_type known = number_type("errors.number");
    const mvx_event_type unknown = 0x7fffffff;
    int expected = atomic_load(&drops);
    mvx_metric_vtable good = probe_vtable();
    good.drop = count_drop;
    const mvx_str names[] = {EMPTY, MVX_STR(""), NOT_UTF8, NULL_BUT_LONG, long_text()};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        BAD("name", mvx_recorder_register_metric(recorder, names[i], &good, &drops, ERR));
        CHECK_INT(++expected, drops);
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_metric(recorder, names[i], &good, &drops, NULL));
        CHECK_INT(++expected, drops);
    }
    BAD("vtable", mvx_recorder_register_metric(recorder, MVX_STR("m"), NULL, &drops, ERR));
    CHECK_INT(expected, drops);
#define WITH(name, change)                                                                                             \
    do {                                                                                                               \
        mvx_metric_vtable bad = good;                                                                                  \
        change;                                                                                                        \
        BAD(name, mvx_recorder_register_metric(recorder, MVX_STR("m"), &bad, &drops, ERR));                            \
        CHECK_INT(++expected, drops);                                                                                  \
    } while (0)
    WITH("handle_event", bad.handle_event = NULL);
    WITH("snapshot", bad.snapshot = NULL);
    WITH("event_types", (bad.event_types = &unknown, bad.event_type_count = 1));
    WITH("event_types", (bad.event_types = NULL, bad.event_type_count = 1));
    WITH("flags", bad.flags = 0x80);
#undef WITH
    for (size_t size = 0; size < MVX_METRIC_VTABLE_V1_SIZE; size += 4) {
        mvx_metric_vtable bad = good;
        bad.struct_size = size;
        BAD("struct_size", mvx_recorder_register_metric(recorder, MVX_STR("m"), &bad, &drops, ERR));
        expected += size >= offsetof(mvx_metric_vtable, event_types);
        CHECK_INT(expected, drops);
    }
    NO_HANDLE("recorder", mvx_recorder_register_metric(NULL, MVX_STR("m"), &good, &drops, ERR));
    CHECK_INT(++expected, drops);
    NO_HANDLE("recorder", mvx_recorder_register_metric((mvx_recorder *)runtime, MVX_STR("m"), &good, &drops, ERR));
    CHECK_INT(++expected, drops);
    no_metrics(recorder);
    good.event_types = &known;
    good.event_type_count = 1;
    OK(mvx_recorder_register_metric(recorder, MVX_STR("m"), &good, &drops, ERR));
    CHECK_INT(expected, drops);
    BAD("visitor", mvx_recorder_iter_metrics(recorder, NULL, NULL, ERR));
    mvx_recorder_free(recorder);
    EVENTUALLY(atomic_load(&drops) == expected + 1);
    end_runtime(runtime);
}

/* A version may not offer every kind yet; what it offers must check its arguments. */
static bool is_offered(mvx_runtime *runtime, uint32_t kind)
{
    static const double bounds[] = {1, 2};
    const mvx_event_type type = number_type("errors.number");
    mvx_recorder *recorder = new_recorder(runtime);
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = MVX_STR("m"),
                            .kind = kind,
                            .event_types = &type,
                            .event_type_count = 1,
                            .value_field = MVX_STR("value"),
                            .bounds = bounds,
                            .bound_count = 2};
    mvx_status status = mvx_recorder_register_native_metric(recorder, &spec, ERR);
    CHECK(status == MVX_OK || status == MVX_UNSUPPORTED);
    STATUS(status, status);
    mvx_recorder_free(recorder);
    return status == MVX_OK;
}

static void bad_specs(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_recorder *recorder = new_recorder(runtime);
    const mvx_event_type type = number_type("errors.number");
    const mvx_event_type unknown[] = {type, 0x7fffffff};
    const double falling[] = {1, 3, 2};
    double zero = 0.0;
    const double nan_bounds[] = {1, zero / zero};
    const mvx_str missing = MVX_STR("colour");
    mvx_str many[17];
    for (int i = 0; i < 17; i++) {
        many[i] = MVX_STR("outcome");
    }
    const mvx_filter good_filter = {MVX_STR("value"), MVX_FILTER_EQ, MVX_VALUE_I64, 1, 0, 0, {NULL, 0}};
    mvx_filter filter;
    const mvx_metric_spec good = {.struct_size = sizeof good,
                                  .name = MVX_STR("m"),
                                  .kind = MVX_METRIC_COUNTER,
                                  .event_types = &type,
                                  .event_type_count = 1};
    BAD("spec", mvx_recorder_register_native_metric(recorder, NULL, ERR));
#define WITH(name, change)                                                                                             \
    do {                                                                                                               \
        mvx_metric_spec bad = good;                                                                                    \
        filter = good_filter;                                                                                          \
        change;                                                                                                        \
        BAD(name, mvx_recorder_register_native_metric(recorder, &bad, ERR));                                           \
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_native_metric(recorder, &bad, NULL));                       \
    } while (0)
    WITH("struct_size", bad.struct_size = 0);
    WITH("struct_size", bad.struct_size = 16);
    WITH("name", bad.name = EMPTY);
    WITH("name", bad.name = NOT_UTF8);
    WITH("name", bad.name = NULL_BUT_LONG);
    WITH("name", bad.name = long_text());
    WITH("unit", bad.unit = NOT_UTF8);
    WITH("help", bad.help = NOT_UTF8);
    WITH("kind", bad.kind = 0);
    WITH("kind", bad.kind = MVX_METRIC_VTABLE);
    WITH("kind", bad.kind = 99);
    WITH("flags", bad.flags = 0x80000000u);
    WITH("event_types", bad.event_type_count = 0);
    WITH("event_types", bad.event_types = NULL);
    WITH("event_types", (bad.event_types = unknown, bad.event_type_count = 2));
    WITH("value_field", bad.value_field = missing);
    WITH("value_field", bad.value_field = NOT_UTF8);
    WITH("value_field", bad.value_field = MVX_STR("outcome"));
    WITH("filters", bad.filter_count = 1);
    WITH("filter", (bad.filters = &filter, bad.filter_count = 1, filter.field = missing));
    WITH("filter", (bad.filters = &filter, bad.filter_count = 1, filter.op = 0));
    WITH("filter", (bad.filters = &filter, bad.filter_count = 1, filter.op = 99));
    WITH("filter", (bad.filters = &filter, bad.filter_count = 1, filter.value_kind = 99));
    WITH("filter", (bad.filters = &filter, bad.filter_count = 1, filter.value_kind = MVX_VALUE_LIST));
    WITH("filter", (bad.filters = &filter, bad.filter_count = 1, filter.field = NOT_UTF8));
    WITH("group_by", bad.group_by_count = 1);
    WITH("group_by", (bad.group_by = &missing, bad.group_by_count = 1));
    WITH("group_by", (bad.group_by = many, bad.group_by_count = 17));
    WITH("max_series", bad.max_series = -1);
    if (is_offered(runtime, MVX_METRIC_HISTOGRAM)) {
        WITH("bounds", (bad.kind = MVX_METRIC_HISTOGRAM, bad.value_field = MVX_STR("value")));
        WITH("bounds", (bad.kind = MVX_METRIC_HISTOGRAM, bad.value_field = MVX_STR("value"), bad.bound_count = 2));
        WITH("bounds", (bad.kind = MVX_METRIC_HISTOGRAM, bad.value_field = MVX_STR("value"), bad.bounds = falling,
                        bad.bound_count = 3));
        WITH("bounds", (bad.kind = MVX_METRIC_HISTOGRAM, bad.value_field = MVX_STR("value"), bad.bounds = nan_bounds,
                        bad.bound_count = 2));
    }
    if (is_offered(runtime, MVX_METRIC_QUANTILE_SKETCH)) {
        WITH("relative_error", (bad.kind = MVX_METRIC_QUANTILE_SKETCH, bad.value_field = MVX_STR("value"),
                                bad.relative_error = -0.1));
        WITH("relative_error", (bad.kind = MVX_METRIC_QUANTILE_SKETCH, bad.value_field = MVX_STR("value"),
                                bad.relative_error = 2.0));
        WITH("relative_error", (bad.kind = MVX_METRIC_QUANTILE_SKETCH, bad.value_field = MVX_STR("value"),
                                bad.relative_error = zero / zero));
    }
#undef WITH
    NO_HANDLE("recorder", mvx_recorder_register_native_metric(NULL, &good, ERR));
    no_metrics(recorder);
    OK(mvx_recorder_register_native_metric(recorder, &good, ERR));
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static void bad_events(void)
{
    static const char payload[5000];
    mvx_runtime *runtime = new_runtime();
    mvx_recorder *recorder = new_recorder(runtime);
    mvx_event_type type = number_type("errors.number");
    mvx_event_type_options bare_options = {.struct_size = sizeof bare_options, .name = MVX_STR("errors.bare")};
    mvx_event_type bare = 0;
    OK(mvx_event_type_declare(&bare_options, &bare, ERR));
    size_t accepted = 77;
    static const size_t wrong_sizes[] = {4097, 5000};
    for (size_t i = 0; i < 2; i++) {
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_event(recorder, bare, payload, wrong_sizes[i]));
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_events(recorder, bare, payload, wrong_sizes[i], 1, &accepted));
    }
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_event(recorder, bare, payload, SIZE_MAX));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_events(recorder, bare, payload, SIZE_MAX, 2, &accepted));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_event(recorder, bare, NULL, 1));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_events(recorder, bare, NULL, 1, 2, &accepted));
    for (size_t len = 0; len < sizeof(struct number); len++) {
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_event(recorder, type, payload, len));
    }
    static const mvx_event_type unknown[] = {0x7fffffff, UINT32_MAX, 100000};
    for (size_t i = 0; i < 3; i++) {
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_event(recorder, unknown[i], payload, 16));
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_register_events(recorder, unknown[i], payload, 16, 1, &accepted));
        mvx_str name = MVX_STR("untouched");
        STATUS(MVX_INVALID_ARGUMENT, mvx_event_type_name(unknown[i], &name));
        CHECK_STR("untouched", name);
    }
    STATUS(MVX_INVALID_ARGUMENT, mvx_event_type_name(type, NULL));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_register_event(NULL, type, payload, 16));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_register_event((mvx_recorder *)runtime, type, payload, 16));
    CHECK_UINT(77, accepted);
    CHECK_INT(MVX_RECORDER_VIRGIN, state_of(recorder));
    mvx_stats stats = stats_of(recorder);
    CHECK_UINT(0, stats.accepted + stats.dropped + stats.refused + stats.discarded);
    /* What is allowed: nothing at all, and as much as there may be. */
    struct probe probe = PROBE_INITIALIZER;
    add_probe(recorder, "probe", &probe);
    OK(mvx_recorder_register_event(recorder, bare, NULL, 0));
    OK(mvx_recorder_register_event(recorder, bare, payload, 4096));
    OK(mvx_recorder_register_event(recorder, type, payload, 4096));
    flush(recorder);
    CHECK_UINT(3, probe.seen);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

static mvx_event_type declared;

static void ignore_release(void *user_data, const void *payload, size_t len)
{
    (void)user_data;
    (void)payload;
    (void)len;
}

static void bad_event_types(void)
{
    int expected = atomic_load(&drops);
    const mvx_field good_fields[] = {{MVX_STR("a"), MVX_FIELD_I64, 0, 8}, {MVX_STR("b"), MVX_FIELD_TEXT, 8, 20}};
    mvx_field fields[65] = {{{NULL, 0}, 0, 0, 0}};
    mvx_event_type_options good = {.struct_size = sizeof good,
                                   .name = MVX_STR("errors.declared"),
                                   .fields = fields,
                                   .field_count = 2,
                                   .drop = count_drop,
                                   .user_data = &drops};
    declared = 4242;
    BAD("options", mvx_event_type_declare(NULL, &declared, ERR));
    memcpy(fields, good_fields, sizeof good_fields);
    BAD("type", mvx_event_type_declare(&good, NULL, ERR));
    CHECK_INT(++expected, drops);
#define WITH(name_, change)                                                                                            \
    do {                                                                                                               \
        mvx_event_type_options bad = good;                                                                             \
        memcpy(fields, good_fields, sizeof good_fields);                                                                    \
        change;                                                                                                        \
        BAD(name_, mvx_event_type_declare(&bad, &declared, ERR));                                                      \
        CHECK_INT(++expected, drops);                                                                                  \
    } while (0)
    WITH("name", bad.name = EMPTY);
    WITH("name", bad.name = NOT_UTF8);
    WITH("name", bad.name = NULL_BUT_LONG);
    WITH("name", bad.name = long_text());
    WITH("flags", bad.flags = 0x80);
    WITH("fields", bad.fields = NULL);
    WITH("field", bad.field_count = 65);
    WITH("name", fields[0].name = EMPTY);
    WITH("name", fields[1].name = NOT_UTF8);
    WITH("name", fields[1].name = fields[0].name);
    WITH("kind", fields[0].kind = 0);
    WITH("kind", fields[0].kind = 99);
    WITH("size", fields[0].size = 4);
    WITH("size", fields[1].size = 0);
    WITH("field", fields[0].offset = 4090);
    WITH("field", fields[0].offset = UINT32_MAX - 3);
    WITH("field", fields[1].size = 4096);
#undef WITH
    mvx_event_type_options small = good;
    small.struct_size = 8;
    BAD("struct_size", mvx_event_type_declare(&small, &declared, ERR));
    CHECK_INT(expected, drops);
    CHECK_UINT(4242, declared);

    /* Declared, declared again alike, and otherwise. Without `release` nothing needs the user_data. */
    memcpy(fields, good_fields, sizeof good_fields);
    OK(mvx_event_type_declare(&good, &declared, ERR));
    CHECK_INT(++expected, drops);
    mvx_event_type again = 0;
    OK(mvx_event_type_declare(&good, &again, ERR));
    CHECK_UINT(declared, again);
    CHECK_INT(++expected, drops);
    fields[1].size = 21;
    again = 4242;
    FAILS(MVX_ALREADY_EXISTS, "EVENT_TYPE_ALREADY_EXISTS", mvx_event_type_declare(&good, &again, ERR));
    CHECK_INT(++expected, drops);
    CHECK_UINT(4242, again);
    good.field_count = 1;
    FAILS(MVX_ALREADY_EXISTS, "EVENT_TYPE_ALREADY_EXISTS", mvx_event_type_declare(&good, &again, ERR));
    CHECK_INT(++expected, drops);
    mvx_str name = EMPTY;
    OK(mvx_event_type_name(declared, &name));
    CHECK_STR("errors.declared", name);

    mvx_event_type_options releasing = {.struct_size = sizeof releasing,
                                        .name = MVX_STR("errors.releasing"),
                                        .release = ignore_release,
                                        .drop = count_drop,
                                        .user_data = &drops};
    OK(mvx_event_type_declare(&releasing, &declared, ERR));
    CHECK_INT(expected, drops);
    OK(mvx_event_type_declare(&releasing, &again, ERR));
    CHECK_UINT(declared, again);
    CHECK_INT(++expected, drops);
    releasing.release = NULL;
    FAILS(MVX_ALREADY_EXISTS, "EVENT_TYPE_ALREADY_EXISTS", mvx_event_type_declare(&releasing, &again, ERR));
    CHECK_INT(++expected, drops);
}

static void bad_texts(void)
{
    mvx_symbol one = 4242, two = 0;
    STATUS(MVX_INVALID_ARGUMENT, mvx_intern(NOT_UTF8, &one));
    STATUS(MVX_INVALID_ARGUMENT, mvx_intern(NULL_BUT_LONG, &one));
    STATUS(MVX_INVALID_ARGUMENT, mvx_intern(MVX_STR("x"), NULL));
    static char longest[4097];
    memset(longest, 'x', sizeof longest);
    STATUS(MVX_INVALID_ARGUMENT, mvx_intern((mvx_str){longest, 4097}, &one));
    CHECK_UINT(4242, one);
    OK(mvx_intern(MVX_STR("errors.text"), &one));
    OK(mvx_intern(MVX_STR("errors.text"), &two));
    CHECK_UINT(one, two);
    OK(mvx_intern(MVX_STR("errors.other"), &two));
    CHECK(one != two);
    OK(mvx_intern(EMPTY, &two));
    OK(mvx_intern((mvx_str){longest, 4096}, &two));
    mvx_str text = EMPTY;
    OK(mvx_symbol_text(one, &text));
    CHECK_STR("errors.text", text);
    text = MVX_STR("untouched");
    STATUS(MVX_INVALID_ARGUMENT, mvx_symbol_text(0x7fffffff, &text));
    CHECK_STR("untouched", text);
    STATUS(MVX_INVALID_ARGUMENT, mvx_symbol_text(one, NULL));
}

/* ---- snapshots and waiting ----------------------------------------------------------------------------- */

static void bad_reading(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_recorder *recorder = new_recorder(runtime);
    mvx_snapshot *snapshot = UNTOUCHED(mvx_snapshot);
    BAD("mode", mvx_recorder_snapshot(recorder, 2, -1, &snapshot, ERR));
    BAD("mode", mvx_recorder_snapshot(recorder, UINT32_MAX, -1, &snapshot, ERR));
    CHECK(snapshot == UNTOUCHED(mvx_snapshot));
    BAD("snapshot", mvx_recorder_snapshot(recorder, 0, -1, NULL, ERR));
    NO_HANDLE("recorder", mvx_recorder_snapshot(NULL, 0, -1, &snapshot, ERR));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_state(recorder, NULL));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_last_error(recorder, NULL));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_entity_id(recorder, NULL));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_name_space(recorder, NULL));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_clone(recorder, NULL));
    STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_stats(recorder, NULL));
    mvx_stats stats;
    memset(&stats, 0xee, sizeof stats);
    for (size_t size = 0; size < sizeof stats; size += 8) {
        mvx_stats before = stats;
        before.struct_size = stats.struct_size = size;
        STATUS(MVX_INVALID_ARGUMENT, mvx_recorder_stats(recorder, &stats));
        CHECK(memcmp(&before, &stats, sizeof stats) == 0);
    }
    mvx_wait *wait = begin_start(recorder);
    STATUS(MVX_OK, mvx_wait_block(wait, -1));
    int before = drops;
    STATUS(MVX_INVALID_ARGUMENT, mvx_wait_on_complete(wait, NULL, &drops, count_drop));
    CHECK_INT(before + 1, drops);
    STATUS(MVX_INVALID_ARGUMENT, mvx_wait_fd(wait, NULL));
    STATUS(MVX_INVALID_ARGUMENT, mvx_wait_result(wait, NULL, ERR));
    mvx_wait_free(wait);
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(recorder));
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

static void never_called(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    (void)user_data;
    (void)operation;
    (void)status;
    (void)error;
    FAIL("called back about a handle that is none");
}

/* NULL is answered by everything that takes a plain object. */
static void null_is_answered(void)
{
    CHECK(mvx_error_reason(NULL).len == 0);
    CHECK(mvx_error_message(NULL).len == 0);
    mvx_error_details_json(NULL);
    CHECK_INT(MVX_OK, mvx_error_status(NULL));
    CHECK(mvx_error_cause(NULL) == NULL);
    mvx_error_free(NULL);
    CHECK(mvx_text_str(NULL).len == 0);
    mvx_text_free(NULL);
    CHECK_UINT(0, mvx_strings_len(NULL));
    CHECK(mvx_strings_at(NULL, 0).len == 0);
    mvx_strings_free(NULL);
    CHECK_UINT(0, mvx_snapshot_len(NULL));
    CHECK(mvx_snapshot_name_at(NULL, 0).len == 0);
    CHECK(mvx_snapshot_get(NULL, MVX_STR("x")) == NULL);
    mvx_text *text = UNTOUCHED(mvx_text);
    BAD("snapshot", mvx_snapshot_to_json(NULL, &text, ERR));
    BAD("snapshot", mvx_snapshot_to_openmetrics(NULL, &text, ERR));
    CHECK(text == UNTOUCHED(mvx_text));
    mvx_snapshot_free(NULL);
    CHECK_INT(MVX_VALUE_NULL, mvx_value_kind(NULL));
    CHECK_UINT(0, mvx_value_len(NULL));
    CHECK(mvx_value_key_at(NULL, 0).len == 0);
    CHECK(mvx_value_at(NULL, 0) == NULL);
    CHECK(mvx_value_get(NULL, MVX_STR("x")) == NULL);
    int32_t i32 = 0;
    int64_t i64 = 0;
    uint64_t u64 = 0;
    double f64 = 0;
    mvx_str str = EMPTY;
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_bool(NULL, &i32));
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_i64(NULL, &i64));
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_u64(NULL, &u64));
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_f64(NULL, &f64));
    STATUS(MVX_INVALID_ARGUMENT, mvx_value_as_str(NULL, &str));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_null(NULL, MVX_STR("x")));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_bool(NULL, MVX_STR("x"), 1));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_i64(NULL, MVX_STR("x"), 1));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_u64(NULL, MVX_STR("x"), 1));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_f64(NULL, MVX_STR("x"), 1));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_str(NULL, MVX_STR("x"), MVX_STR("y")));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_begin_map(NULL, MVX_STR("x")));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_begin_list(NULL, MVX_STR("x")));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_end(NULL));
    mvx_callback_error_set(NULL, MVX_STR("x"));
    mvx_runtime_free(NULL);
    mvx_recorder_free(NULL);
    mvx_wait_free(NULL);
}

/* ---- handles ------------------------------------------------------------------------------------------- */

static void refuse_runtime(mvx_runtime *runtime)
{
    mvx_strings *ids = NULL;
    mvx_wait *wait = NULL;
    mvx_error *last = NULL;
    int32_t state = -1;
    mvx_str id = MVX_STR("one");
    NO_HANDLE("runtime", mvx_runtime_start(runtime, ERR));
    NO_HANDLE("runtime", mvx_runtime_shutdown(runtime, ERR));
    NO_HANDLE("runtime", mvx_runtime_shutdown_async(runtime, &wait, ERR));
    STATUS(MVX_INVALID_HANDLE, mvx_runtime_state(runtime, &state));
    STATUS(MVX_INVALID_HANDLE, mvx_runtime_last_error(runtime, &last));
    STATUS(MVX_INVALID_HANDLE, mvx_runtime_clone(runtime, &no_runtime));
    NO_HANDLE("runtime", mvx_runtime_create_recorder(runtime, id, NULL, &no_recorder, ERR));
    NO_HANDLE("runtime", mvx_runtime_get_recorder(runtime, id, &no_recorder, ERR));
    NO_HANDLE("runtime", mvx_runtime_try_get_recorder(runtime, id, &no_recorder, ERR));
    NO_HANDLE("runtime", mvx_runtime_list_recorder_ids(runtime, &ids, ERR));
    NO_HANDLE("runtime", mvx_runtime_stop_recorder(runtime, id, ERR));
    NO_HANDLE("runtime", mvx_runtime_stop_and_remove_recorder(runtime, id, &no_recorder, ERR));
    mvx_runtime_free(runtime);
    CHECK(ids == NULL && wait == NULL && last == NULL && state == -1);
}

static int32_t never_visited(void *context, const mvx_metric_info *metric)
{
    (void)context;
    (void)metric;
    FAIL("visited the metrics of no recorder");
    return 0;
}

static void refuse_recorder(mvx_recorder *recorder)
{
    mvx_event_type type = number_type("errors.number");
    struct number number = {0};
    mvx_metric_vtable vtable = probe_vtable();
    vtable.drop = count_drop;
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = MVX_STR("m"),
                            .kind = MVX_METRIC_COUNTER,
                            .event_types = &type,
                            .event_type_count = 1};
    mvx_wait *wait = NULL;
    mvx_error *last = NULL;
    mvx_text *text = NULL;
    mvx_snapshot *snapshot = NULL;
    mvx_stats stats = {.struct_size = sizeof stats};
    int32_t state = -1;
    size_t accepted = 77;
    int before = drops;
    NO_HANDLE("recorder", mvx_recorder_start(recorder, &wait, ERR));
    NO_HANDLE("recorder", mvx_recorder_start(recorder, NULL, ERR));
    NO_HANDLE("recorder", mvx_recorder_stop(recorder, &wait, ERR));
    NO_HANDLE("recorder", mvx_recorder_flush(recorder, &wait, ERR));
    NO_HANDLE("recorder", mvx_recorder_cancel(recorder, ERR));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_state(recorder, &state));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_last_error(recorder, &last));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_entity_id(recorder, &text));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_name_space(recorder, &text));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_stats(recorder, &stats));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_clone(recorder, &no_recorder));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_register_event(recorder, type, &number, sizeof number));
    STATUS(MVX_INVALID_HANDLE,
           mvx_recorder_register_events(recorder, type, &number, sizeof number, 1, &accepted));
    NO_HANDLE("recorder", mvx_recorder_register_metric(recorder, MVX_STR("m"), &vtable, &drops, ERR));
    CHECK_INT(before + 1, drops);
    NO_HANDLE("recorder", mvx_recorder_register_native_metric(recorder, &spec, ERR));
    NO_HANDLE("recorder", mvx_recorder_iter_metrics(recorder, never_visited, NULL, ERR));
    NO_HANDLE("recorder", mvx_recorder_snapshot(recorder, 0, 0, &snapshot, ERR));
    mvx_recorder_free(recorder);
    CHECK(wait == NULL && last == NULL && text == NULL && snapshot == NULL && state == -1);
    CHECK(accepted == 77 || accepted == 0);
}

static void refuse_wait(mvx_wait *wait)
{
    int32_t operation = -1;
    descriptor fd = NO_DESCRIPTOR;
    int before = drops;
    STATUS(MVX_INVALID_HANDLE, mvx_wait_block(wait, 0));
    STATUS(MVX_INVALID_HANDLE, mvx_wait_block(wait, -1));
    STATUS(MVX_INVALID_HANDLE, mvx_wait_result(wait, &operation, ERR));
    STATUS(MVX_INVALID_HANDLE, mvx_wait_on_complete(wait, never_called, &drops, count_drop));
    CHECK_INT(before + 1, drops);
    STATUS(MVX_INVALID_HANDLE, mvx_wait_fd(wait, &fd));
    mvx_wait_free(wait);
    CHECK(operation == -1 && fd == NO_DESCRIPTOR);
}

static void refuse_completion(mvx_completion *completion)
{
    STATUS(MVX_INVALID_HANDLE, mvx_completion_done(completion, EMPTY));
    STATUS(MVX_INVALID_HANDLE, mvx_completion_done(completion, MVX_STR("no")));
}

static void refuse_all(void *handle)
{
    refuse_runtime(handle);
    refuse_recorder(handle);
    refuse_wait(handle);
    refuse_completion(handle);
}

static void bad_handles(void)
{
    reset_outputs();
    struct hook_probe hook_probe = {.starting_reply = MVX_HOOK_PENDING};
    mvx_hooks hooks = hooks_of(&hook_probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_runtime *runtime = new_runtime();
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    mvx_wait *wait = begin_start(recorder);
    mvx_completion *completion = take_token(&hook_probe);
    int on_the_stack = 0;
    void *made_up[] = {NULL,
                       &on_the_stack,
                       &hook_probe,
                       (void *)(uintptr_t)1,
                       (void *)(uintptr_t)0x1000,
                       (void *)(uintptr_t)0xdeadbeefdeadbeef,
                       (void *)UINTPTR_MAX,
                       (void *)((uintptr_t)recorder + 1),
                       (void *)((uintptr_t)recorder ^ ((uintptr_t)1 << 60)),
                       (void *)((uintptr_t)recorder ^ ((uintptr_t)1 << 40))};
    for (size_t i = 0; i < sizeof made_up / sizeof made_up[0]; i++) {
        void *handle = made_up[i];
        if (handle != (void *)runtime && handle != (void *)wait && handle != (void *)completion) {
            refuse_all(handle);
        }
    }
    /* A handle of one type is none of the others; freeing it as another does nothing. */
    refuse_recorder((mvx_recorder *)runtime);
    refuse_wait((mvx_wait *)runtime);
    refuse_completion((mvx_completion *)runtime);
    refuse_runtime((mvx_runtime *)recorder);
    refuse_wait((mvx_wait *)recorder);
    refuse_completion((mvx_completion *)recorder);
    refuse_runtime((mvx_runtime *)wait);
    refuse_recorder((mvx_recorder *)wait);
    refuse_completion((mvx_completion *)wait);
    refuse_runtime((mvx_runtime *)completion);
    refuse_recorder((mvx_recorder *)completion);
    refuse_wait((mvx_wait *)completion);
    CHECK_INT(MVX_RUNTIME_RUNNING, runtime_state(runtime));
    CHECK_INT(MVX_RECORDER_STARTING, state_of(recorder));
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, 0));
    STATUS(MVX_OK, mvx_completion_done(completion, EMPTY));
    wait_ok(wait);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
    /* All of them are over now. Freeing twice is harmless. */
    refuse_all(completion);
    refuse_all(wait);
    refuse_all(recorder);
    refuse_all(runtime);
    outputs_untouched();
}

/* A handle that is given out later is not the one that was freed before. */
static void handles_are_not_reused(void)
{
    mvx_runtime *runtime = new_runtime();
    enum { COUNT = 300 };
    mvx_recorder *old[COUNT];
    for (int i = 0; i < COUNT; i++) {
        old[i] = new_recorder(runtime);
        mvx_recorder_free(old[i]);
    }
    mvx_recorder *young[COUNT];
    for (int i = 0; i < COUNT; i++) {
        young[i] = new_recorder(runtime);
    }
    for (int i = 0; i < COUNT; i++) {
        int32_t state = -1;
        STATUS(MVX_INVALID_HANDLE, mvx_recorder_state(old[i], &state));
        mvx_recorder_free(old[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(MVX_RECORDER_VIRGIN, state_of(young[i]));
        mvx_recorder_free(young[i]);
    }
    end_runtime(runtime);
}

#define SAYS(status, reason, words, call) expect_bad(status, reason, words, (call), #call, __LINE__)

static void messages_say_what_to_do(void)
{
    mvx_runtime_options options = {.struct_size = 0};
    mvx_runtime *runtime = NULL;
    BAD("set it to sizeof(mvx_runtime_options)", mvx_runtime_create(&options, &runtime, ERR));
    OK(mvx_runtime_create(NULL, &runtime, ERR));
    mvx_recorder *recorder = NULL;
    SAYS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE",
         "invalid metrics runtime state 'VIRGIN', expected 'RUNNING': call mvx_runtime_start first",
         mvx_recorder_create(runtime, NULL, &recorder, ERR));
    OK(mvx_runtime_start(runtime, ERR));
    recorder = new_recorder(runtime);

    NO_HANDLE("'recorder' is NULL", mvx_recorder_start(NULL, NULL, ERR));
    NO_HANDLE("of another type", mvx_recorder_start((mvx_recorder *)runtime, NULL, ERR));
    mvx_recorder *freed = NULL;
    OK(mvx_recorder_clone(recorder, &freed));
    mvx_recorder_free(freed);
    NO_HANDLE("it was freed", mvx_recorder_start(freed, NULL, ERR));

    const mvx_event_type none = 0;
    const mvx_event_type type = number_type("errors.number");
    static struct probe probe = PROBE_INITIALIZER;
    mvx_metric_vtable vtable = probe_vtable();
    vtable.drop = NULL;
    vtable.event_types = &none;
    vtable.event_type_count = 1;
    BAD("event_types[0]' is 0, which is no event type: mvx_event_type_declare gives",
        mvx_recorder_register_metric(recorder, MVX_STR("m"), &vtable, &probe, ERR));
    mvx_metric_spec spec = {.struct_size = sizeof spec, .name = MVX_STR("m"), .kind = MVX_METRIC_COUNTER};
    spec.event_types = &none;
    spec.event_type_count = 1;
    BAD("event_types[0]' is 0, which is no event type: mvx_event_type_declare gives",
        mvx_recorder_register_native_metric(recorder, &spec, ERR));
    spec.event_types = &type;
    spec.kind = MVX_METRIC_DISTINCT_COUNT;
    if (!is_offered(runtime, MVX_METRIC_DISTINCT_COUNT)) {
        SAYS(MVX_UNSUPPORTED, "UNSUPPORTED", "offers COUNTER and GAUGE",
             mvx_recorder_register_native_metric(recorder, &spec, ERR));
    }
    start(recorder);
    stop(recorder);
    spec.kind = MVX_METRIC_COUNTER;
    SAYS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE", "mvx_recorder_start starts it again",
         mvx_recorder_register_native_metric(recorder, &spec, ERR));
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* ---- what callbacks hand in ---------------------------------------------------------------------------- */

static atomic_bool leave_open;

static int32_t careless_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)user_data;
    (void)error;
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_null(writer, NOT_UTF8));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_i64(writer, NULL_BUT_LONG, 1));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_str(writer, MVX_STR("text"), NOT_UTF8));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_str(writer, MVX_STR("text"), NULL_BUT_LONG));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_begin_map(writer, NOT_UTF8));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_begin_list(writer, NOT_UTF8));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_end(writer));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_null(writer, EMPTY));
    STATUS(MVX_OK, mvx_writer_i64(writer, MVX_STR("good"), 1));
    STATUS(MVX_INVALID_ARGUMENT, mvx_writer_i64(writer, MVX_STR("good"), 2));
    int depth = 1;
    while (mvx_writer_begin_list(writer, MVX_STR("deep")) == MVX_OK) {
        depth++;
    }
    CHECK(depth > 60 && depth < 68);
    for (; depth > 1; depth--) {
        STATUS(MVX_OK, mvx_writer_end(writer));
    }
    if (atomic_load(&leave_open)) {
        STATUS(MVX_OK, mvx_writer_begin_map(writer, MVX_STR("open")));
    }
    return MVX_SNAPSHOT_DONE;
}

static void bad_writing(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_recorder *recorder = new_recorder(runtime);
    mvx_metric_vtable vtable = {.struct_size = sizeof vtable, .handle_event = probe_event, .snapshot = careless_snapshot};
    OK(mvx_recorder_register_metric(recorder, MVX_STR("m"), &vtable, NULL, ERR));
    mvx_snapshot *snapshot = take_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT);
    mvx_text *json = NULL;
    OK(mvx_snapshot_to_json(snapshot, &json, ERR));
    CHECK(str_contains(mvx_text_str(json), "{\"m\":{\"good\":1,\"deep\":[[["));
    mvx_text_free(json);
    mvx_snapshot_free(snapshot);
    atomic_store(&leave_open, true);
    snapshot = UNTOUCHED(mvx_snapshot);
    FAILS(MVX_METRIC_FAILED, "UNEXPECTED_ERROR", mvx_recorder_snapshot(recorder, 0, -1, &snapshot, ERR));
    CHECK(snapshot == UNTOUCHED(mvx_snapshot));
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

static int32_t fail_in_latin1(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)user_data;
    (void)completion;
    mvx_callback_error_set(error, NOT_UTF8);
    mvx_callback_error_set(error, NULL_BUT_LONG);
    return MVX_HOOK_FAILED;
}

/* Still a failure, whatever becomes of its message. */
static void a_message_that_is_no_text(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_hooks hooks = {.struct_size = sizeof hooks, .on_starting = fail_in_latin1};
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    mvx_error *error = wait_failure(begin_start(recorder), MVX_HOOK_FAILED, "ON_STARTING_HOOK_FAILED");
    CHECK(mvx_error_cause(error) != NULL);
    CHECK(mvx_error_message(mvx_error_cause(error)).len > 0);
    mvx_error_free(error);
    mvx_recorder_free(recorder);

    /* A bad message leaves the token as it is. */
    struct hook_probe probe = {.starting_reply = MVX_HOOK_PENDING};
    hooks = hooks_of(&probe);
    recorder = new_recorder_with(runtime, &options);
    mvx_wait *wait = begin_start(recorder);
    mvx_completion *token = take_token(&probe);
    STATUS(MVX_INVALID_ARGUMENT, mvx_completion_done(token, NOT_UTF8));
    STATUS(MVX_INVALID_ARGUMENT, mvx_completion_done(token, NULL_BUT_LONG));
    CHECK_INT(MVX_RECORDER_STARTING, state_of(recorder));
    STATUS(MVX_OK, mvx_completion_done(token, EMPTY));
    wait_ok(wait);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* ---- causes and details -------------------------------------------------------------------------------- */

static void expect_chain(const mvx_error *error, const char *const *reasons, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(error != NULL);
        CHECK_STR(reasons[i], mvx_error_reason(error));
        CHECK(mvx_error_message(error).len > 0);
        CHECK(mvx_error_status(error) != MVX_OK);
        CHECK(mvx_error_details_json(error).len >= 2);
        error = mvx_error_cause(error);
    }
    CHECK(error == NULL);
}

static void chains_of_causes(void)
{
    mvx_runtime *runtime = new_runtime();
    struct hook_probe probe = {.starting_reply = MVX_HOOK_FAILED};
    mvx_hooks hooks = hooks_of(&probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = NULL;
    mvx_error *error = FAILURE_OF(MVX_STARTUP_FAILED, "RECORDER_STARTUP_ERROR",
                                  mvx_runtime_create_recorder(runtime, MVX_STR("one"), &options, &recorder, ERR));
    static const char *const startup[] = {"RECORDER_STARTUP_ERROR", "ON_STARTING_HOOK_FAILED", "CALLBACK_ERROR"};
    expect_chain(error, startup, 3);
    CHECK_STR("the hook refuses", mvx_error_message(mvx_error_cause(mvx_error_cause(error))));
    mvx_error_free(error);
    CHECK(recorder == NULL);
    EVENTUALLY(atomic_load(&probe.drops) == 1);

    struct hook_probe second = {.stopped_reply = MVX_HOOK_FAILED};
    hooks = hooks_of(&second);
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("one"), &options, &recorder, ERR));
    error = FAILURE_OF(MVX_STOP_FAILED, "RECORDER_STOP_ERROR",
                       mvx_runtime_stop_and_remove_recorder(runtime, MVX_STR("one"), NULL, ERR));
    static const char *const stopping[] = {"RECORDER_STOP_ERROR", "ON_STOPPED_HOOK_FAILED", "CALLBACK_ERROR"};
    expect_chain(error, stopping, 3);
    mvx_error_free(error);
    mvx_metric_vtable vtable = probe_vtable();
    vtable.drop = NULL;
    error = FAILURE_OF(MVX_INVALID_STATE, "INVALID_RECORDER_STATE",
                       mvx_recorder_register_metric(recorder, MVX_STR("late"), &vtable, NULL, ERR));
    static const char *const late[] = {"INVALID_RECORDER_STATE", "ON_STOPPED_HOOK_FAILED", "CALLBACK_ERROR"};
    expect_chain(error, late, 3);
    mvx_error_free(error);
    mvx_error *last = NULL;
    OK(mvx_recorder_last_error(recorder, &last));
    expect_chain(last, late + 1, 2);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
    /* An error is a value of its own. */
    expect_chain(last, late + 1, 2);
    mvx_error_free(last);
}

static void details_are_json(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_recorder *recorder = new_recorder(runtime);
    mvx_error *error = wait_failure(begin_stop(recorder), MVX_INVALID_STATE, "INVALID_RECORDER_STATE");
    CHECK(json_has(mvx_error_details_json(error), "\"recorder_state\":\"VIRGIN\""));
    CHECK(json_has(mvx_error_details_json(error), "\"expected_states\":[\"RUNNING\"]"));
    CHECK(mvx_error_cause(error) == NULL);
    mvx_error_free(error);
    start(recorder);
    error = wait_failure(begin_start(recorder), MVX_INVALID_STATE, "INVALID_RECORDER_STATE");
    CHECK(json_has(mvx_error_details_json(error), "\"recorder_state\":\"RUNNING\""));
    mvx_error_free(error);
    mvx_recorder_free(recorder);
    OK(mvx_runtime_shutdown(runtime, ERR));
    error = FAILURE_OF(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE", mvx_runtime_start(runtime, ERR));
    CHECK(json_has(mvx_error_details_json(error), "\"runtime_state\":\"CLOSED\""));
    mvx_error_free(error);
    mvx_runtime_free(runtime);
}

static void names_of_statuses(void)
{
    static const char *const names[] = {
        "MVX_OK",             "MVX_INVALID_ARGUMENT", "MVX_INVALID_HANDLE", "MVX_INVALID_STATE", "MVX_QUEUE_OVERFLOW",
        "MVX_ALREADY_EXISTS", "MVX_NOT_FOUND",        "MVX_HOOK_FAILED",    "MVX_METRIC_FAILED", "MVX_STARTUP_FAILED",
        "MVX_STOP_FAILED",    "MVX_SHUTDOWN_FAILED",  "MVX_LIMIT_REACHED",  "MVX_CANCELLED",     "MVX_TIMEOUT",
        "MVX_NOT_READY",      "MVX_WOULD_DEADLOCK",   "MVX_FORKED",         "MVX_UNSUPPORTED",   "MVX_UNEXPECTED"};
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++) {
        CHECK(strcmp(names[i], mvx_status_name(i)) == 0);
    }
    CHECK(strcmp("MVX_UNKNOWN", mvx_status_name(-1)) == 0);
    CHECK(strcmp("MVX_UNKNOWN", mvx_status_name(20)) == 0);
    CHECK(strcmp("MVX_UNKNOWN", mvx_status_name(INT32_MAX)) == 0);
    CHECK_UINT(MVX_ABI_VERSION, mvx_abi_version());
    CHECK(strlen(mvx_version()) > 0);
}

TEST_MAIN(CASE(bad_runtime_options), CASE(bad_logs), CASE(bad_recorder_options), CASE(larger_structs_are_fine),
          CASE(bad_recorder_ids), CASE(bad_vtables), CASE(bad_specs), CASE(bad_events), CASE(bad_event_types),
          CASE(bad_texts), CASE(bad_reading), CASE(null_is_answered), CASE(bad_handles), CASE(handles_are_not_reused),
          CASE(messages_say_what_to_do), CASE(bad_writing), CASE(a_message_that_is_no_text), CASE(chains_of_causes), CASE(details_are_json),
          CASE(names_of_statuses))
