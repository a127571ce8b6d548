/* The log: which events come under which policy and level, who gets them, and that writing may call back. */
#include "support.h"

#define LINES 4000

struct line {
    int32_t level;
    char event[64];
    char entity[64];
    char target[64];
    char fields[400];
    int64_t at_ms;
};

struct journal {
    pthread_mutex_t mutex;
    struct line *lines;
    int count;
    atomic_int drops;
    atomic_int inside;
    int32_t max_level;
    void (*write_too)(struct journal *journal, const mvx_log_record *record);
    void *context;
};

static void journal_open(struct journal *journal)
{
    memset(journal, 0, sizeof *journal);
    pthread_mutex_init(&journal->mutex, NULL);
    journal->lines = calloc(LINES, sizeof *journal->lines);
    CHECK(journal->lines != NULL);
}

static void journal_close(struct journal *journal)
{
    EVENTUALLY(atomic_load(&journal->drops) == 1);
    CHECK_INT(0, journal->inside);
    pthread_mutex_destroy(&journal->mutex);
    free(journal->lines);
}

static void copy(char *to, size_t size, mvx_str text)
{
    snprintf(to, size, "%.*s", (int)text.len, text.data ? text.data : "");
}

static void journal_write(void *user_data, const mvx_log_record *record_)
{
    struct journal *journal = user_data;
    atomic_fetch_add(&journal->inside, 1);
    CHECK_INT(0, journal->drops);
    CHECK(record_->struct_size >= MVX_LOG_RECORD_V1_SIZE);
    CHECK(record_->level >= MVX_LOG_ERROR && record_->level <= MVX_LOG_TRACE);
    CHECK(record_->level <= (journal->max_level ? journal->max_level : MVX_LOG_INFO));
    CHECK(record_->event.len > 0);
    CHECK(record_->target.len > 0);
    pthread_mutex_lock(&journal->mutex);
    CHECK(journal->count < LINES);
    struct line *line = &journal->lines[journal->count++];
    line->level = record_->level;
    line->at_ms = now_ms();
    copy(line->event, sizeof line->event, record_->event);
    copy(line->entity, sizeof line->entity, record_->entity_id);
    copy(line->target, sizeof line->target, record_->target);
    size_t used = 0;
    for (size_t i = 0; i < record_->field_count && used < sizeof line->fields; i++) {
        const mvx_log_field *field = &record_->fields[i];
        CHECK(field->key.len > 0);
        int n = snprintf(line->fields + used, sizeof line->fields - used, "%.*s=%.*s;", (int)field->key.len,
                         field->key.data, (int)field->value.len, field->value.data ? field->value.data : "");
        used += n > 0 ? (size_t)n : 0;
    }
    pthread_mutex_unlock(&journal->mutex);
    if (journal->write_too) {
        journal->write_too(journal, record_);
    }
    atomic_fetch_sub(&journal->inside, 1);
}

static void journal_drop(void *user_data)
{
    struct journal *journal = user_data;
    CHECK_INT(0, atomic_fetch_add(&journal->drops, 1));
}

static mvx_log log_to(struct journal *journal, uint32_t policy, int32_t max_level)
{
    journal->max_level = max_level;
    return (mvx_log){.struct_size = sizeof(mvx_log),
                     .policy = policy,
                     .max_level = max_level,
                     .write = journal_write,
                     .drop = journal_drop,
                     .user_data = journal};
}

static int count_events(struct journal *journal, const char *event, const char *entity)
{
    int found = 0;
    pthread_mutex_lock(&journal->mutex);
    for (int i = 0; i < journal->count; i++) {
        found += (!event || strcmp(journal->lines[i].event, event) == 0) &&
                 (!entity || strcmp(journal->lines[i].entity, entity) == 0);
    }
    pthread_mutex_unlock(&journal->mutex);
    return found;
}

static int find(struct journal *journal, const char *event, const char *entity)
{
    int index = -1;
    pthread_mutex_lock(&journal->mutex);
    for (int i = 0; i < journal->count && index < 0; i++) {
        if (strcmp(journal->lines[i].event, event) == 0 && (!entity || strcmp(journal->lines[i].entity, entity) == 0)) {
            index = i;
        }
    }
    pthread_mutex_unlock(&journal->mutex);
    return index;
}

static void print_journal(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    for (int i = 0; i < journal->count && i < 60; i++) {
        const struct line *line = &journal->lines[i];
        fprintf(stderr, "  %d %s [%s] %s %s\n", line->level, line->event, line->entity, line->target, line->fields);
    }
    pthread_mutex_unlock(&journal->mutex);
}

/* One invoke, then one end, of an operation of an entity. */
static void expect_pair(struct journal *journal, const char *operation, const char *end, const char *entity)
{
    char invoke[80], over[80];
    snprintf(invoke, sizeof invoke, "%s.invoke", operation);
    snprintf(over, sizeof over, "%s.%s", operation, end);
    /* The end of a start is logged when it is over, which its caller may know a moment before. */
    int64_t until = now_ms() + patience_ms();
    while (count_events(journal, over, entity) == 0 && now_ms() < until) {
        sleep_ms(1);
    }
    int first = find(journal, invoke, entity), second = find(journal, over, entity);
    if (first < 0 || second < first || count_events(journal, invoke, entity) != 1 ||
        count_events(journal, over, entity) != 1) {
        print_journal(journal);
        FAIL("%s of %s: invoke at %d, %s at %d", operation, entity ? entity : "anybody", first, end, second);
    }
    if (strcmp(end, "failed") == 0) {
        CHECK(strlen(journal->lines[second].fields) > 0);
        CHECK(journal->lines[second].level <= MVX_LOG_WARN);
    }
}

static void expect_none(struct journal *journal, const char *operation)
{
    pthread_mutex_lock(&journal->mutex);
    for (int i = 0; i < journal->count; i++) {
        if (strncmp(journal->lines[i].event, operation, strlen(operation)) == 0) {
            FAIL("logged: %s", journal->lines[i].event);
        }
    }
    pthread_mutex_unlock(&journal->mutex);
}

static int32_t visit_nothing(void *context, const mvx_metric_info *metric)
{
    (void)context;
    (void)metric;
    return 0;
}

/* One of everything, each once, so that the journal can be read. */
static void do_everything(const mvx_log *log)
{
    mvx_runtime_options options = {.struct_size = sizeof options, .name_space = MVX_STR("office"), .log = log};
    mvx_runtime *runtime = new_runtime_with(&options);
    mvx_event_type type = number_type("log.number");
    mvx_recorder *recorder = NULL, *other = NULL;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("desk"), NULL, &recorder, ERR));
    add_native(recorder, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
    for (int i = 0; i < 100; i++) {
        record_ok(recorder, type, 1);
    }
    flush(recorder);
    mvx_snapshot_free(take_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT));
    OK(mvx_recorder_iter_metrics(recorder, visit_nothing, NULL, ERR));
    OK(mvx_runtime_get_recorder(runtime, MVX_STR("desk"), &other, ERR));
    mvx_recorder_free(other);
    OK(mvx_runtime_try_get_recorder(runtime, MVX_STR("desk"), &other, ERR));
    mvx_recorder_free(other);
    mvx_strings *ids = NULL;
    OK(mvx_runtime_list_recorder_ids(runtime, &ids, ERR));
    mvx_strings_free(ids);
    OK(mvx_runtime_stop_recorder(runtime, MVX_STR("desk"), ERR));
    OK(mvx_runtime_stop_and_remove_recorder(runtime, MVX_STR("desk"), NULL, ERR));
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

static void normal_is_what_changes_something(void)
{
    struct journal journal;
    journal_open(&journal);
    mvx_log log = log_to(&journal, 0, MVX_LOG_TRACE);
    do_everything(&log);
    expect_pair(&journal, "metrics_runtime.start", "success", NULL);
    expect_pair(&journal, "metrics_runtime.create_recorder", "success", NULL);
    expect_pair(&journal, "metrics_recorder.start", "success", "desk");
    expect_pair(&journal, "metrics_recorder.register_metric", "success", "desk");
    expect_pair(&journal, "metrics_recorder.stop", "success", "desk");
    expect_pair(&journal, "metrics_runtime.stop_recorder", "success", NULL);
    expect_pair(&journal, "metrics_runtime.stop_and_remove_recorder", "success", NULL);
    expect_pair(&journal, "metrics_runtime.shutdown", "success", NULL);
    expect_none(&journal, "metrics_recorder.snapshot");
    expect_none(&journal, "metrics_recorder.iter_metrics");
    expect_none(&journal, "metrics_runtime.get_recorder");
    expect_none(&journal, "metrics_runtime.try_get_recorder");
    expect_none(&journal, "metrics_runtime.list_recorder_ids");
    expect_none(&journal, "metrics_recorder.register_event");
    /* register_event is never logged, so the whole is short. */
    CHECK(journal.count <= 20);
    journal_close(&journal);
}

static void inspection_adds_the_looking(void)
{
    struct journal journal;
    journal_open(&journal);
    mvx_log log = log_to(&journal, MVX_LOG_POLICY_INSPECTION, MVX_LOG_TRACE);
    do_everything(&log);
    expect_pair(&journal, "metrics_recorder.start", "success", "desk");
    expect_pair(&journal, "metrics_recorder.snapshot", "success", "desk");
    expect_pair(&journal, "metrics_recorder.iter_metrics", "success", "desk");
    expect_pair(&journal, "metrics_runtime.get_recorder", "success", NULL);
    expect_pair(&journal, "metrics_runtime.try_get_recorder", "success", NULL);
    expect_pair(&journal, "metrics_runtime.list_recorder_ids", "success", NULL);
    expect_none(&journal, "metrics_recorder.register_event");
    journal_close(&journal);
}

static void silent_is_silent(void)
{
    struct journal journal;
    journal_open(&journal);
    mvx_log log = log_to(&journal, MVX_LOG_POLICY_SILENT, MVX_LOG_TRACE);
    do_everything(&log);
    CHECK_INT(0, journal.count);
    journal_close(&journal);
    /* Without a function to write with, silence is the only policy. */
    mvx_log mute = {.struct_size = sizeof mute, .policy = MVX_LOG_POLICY_SILENT};
    do_everything(&mute);
}

/* journal_write checks each record's level against the greatest allowed; here that something is left out. */
static void levels_leave_out(void)
{
    int counts[6];
    for (int32_t level = 0; level <= MVX_LOG_TRACE; level++) {
        struct journal journal;
        journal_open(&journal);
        mvx_log log = log_to(&journal, MVX_LOG_POLICY_INSPECTION, level);
        do_everything(&log);
        counts[level] = journal.count;
        journal_close(&journal);
    }
    CHECK_INT(counts[MVX_LOG_INFO], counts[0]);
    CHECK_INT(0, counts[MVX_LOG_ERROR]);
    CHECK_INT(0, counts[MVX_LOG_WARN]);
    for (int level = MVX_LOG_ERROR; level < MVX_LOG_TRACE; level++) {
        CHECK(counts[level] <= counts[level + 1]);
    }
    CHECK(counts[MVX_LOG_TRACE] > 10);
}

static void failures_are_logged_with_their_error(void)
{
    struct journal journal;
    journal_open(&journal);
    mvx_log log = log_to(&journal, MVX_LOG_POLICY_INSPECTION, MVX_LOG_TRACE);
    mvx_runtime_options options = {.struct_size = sizeof options, .log = &log};
    mvx_runtime *runtime = new_runtime_with(&options);
    struct hook_probe bad = {.starting_reply = MVX_HOOK_FAILED, .stopped_reply = MVX_HOOK_FAILED};
    mvx_hooks hooks = hooks_of(&bad);
    mvx_recorder_options recorder = recorder_options();
    recorder.hooks = &hooks;
    mvx_recorder *made = NULL;
    STATUS(MVX_STARTUP_FAILED, mvx_runtime_create_recorder(runtime, MVX_STR("a"), &recorder, &made, ERR));
    expect_pair(&journal, "metrics_runtime.create_recorder", "failed", NULL);
    expect_pair(&journal, "metrics_recorder.start", "failed", "a");
    CHECK(strstr(journal.lines[find(&journal, "metrics_recorder.start.failed", "a")].fields, "ON_STARTING_HOOK_FAILED"));
    bad.starting_reply = MVX_HOOK_DONE;
    EVENTUALLY(atomic_load(&bad.drops) == 1);
    bad.drops = 0;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("b"), &recorder, &made, ERR));
    STATUS(MVX_STOP_FAILED, mvx_runtime_stop_recorder(runtime, MVX_STR("b"), ERR));
    expect_pair(&journal, "metrics_runtime.stop_recorder", "failed", NULL);
    expect_pair(&journal, "metrics_recorder.stop", "failed", "b");
    mvx_metric_vtable vtable = probe_vtable();
    vtable.drop = NULL;
    STATUS(MVX_INVALID_STATE, mvx_recorder_register_metric(made, MVX_STR("late"), &vtable, NULL, ERR));
    expect_pair(&journal, "metrics_recorder.register_metric", "failed", "b");
    mvx_recorder *nobody = NULL;
    STATUS(MVX_NOT_FOUND, mvx_runtime_get_recorder(runtime, MVX_STR("nobody"), &nobody, ERR));
    expect_pair(&journal, "metrics_runtime.get_recorder", "failed", NULL);
    mvx_recorder_free(made);
    STATUS(MVX_STOP_FAILED, mvx_runtime_stop_and_remove_recorder(runtime, MVX_STR("b"), NULL, ERR));
    expect_pair(&journal, "metrics_runtime.stop_and_remove_recorder", "failed", NULL);
    end_runtime(runtime);
    journal_close(&journal);
}

static void dispatch_errors_and_clean_up(void)
{
    struct journal journal;
    journal_open(&journal);
    mvx_log log = log_to(&journal, MVX_LOG_POLICY_NORMAL, MVX_LOG_WARN);
    mvx_runtime *runtime = new_runtime();
    struct hook_probe bad = {.stopped_reply = MVX_HOOK_FAILED};
    struct probe probe = PROBE_INITIALIZER;
    mvx_hooks hooks = hooks_of(&bad);
    mvx_recorder_options options = recorder_options();
    options.entity_id = MVX_STR("crash");
    options.hooks = &hooks;
    options.log = &log;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    mvx_event_type type = number_type("log.number");
    add_probe(recorder, "probe", &probe);
    start(recorder);
    CHECK_INT(0, journal.count);
    atomic_store(&probe.event_reply, MVX_EVENT_FAILED);
    record_ok(recorder, type, 1);
    EVENTUALLY(find(&journal, "metrics_recorder.dispatch_error", "crash") >= 0);
    EVENTUALLY(find(&journal, "metrics_recorder.cleanup.failed", "crash") >= 0);
    CHECK_INT(1, count_events(&journal, "metrics_recorder.dispatch_error", NULL));
    CHECK_INT(1, count_events(&journal, "metrics_recorder.cleanup.failed", NULL));
    /* The clean-up's failure is only logged: the metric's error is the one that is kept. */
    mvx_error *last = NULL;
    OK(mvx_recorder_last_error(recorder, &last));
    CHECK_INT(MVX_METRIC_FAILED, mvx_error_status(last));
    mvx_error_free(last);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
    journal_close(&journal);
}

static void a_recorder_may_have_its_own(void)
{
    struct journal common, own;
    journal_open(&common);
    journal_open(&own);
    mvx_log common_log = log_to(&common, MVX_LOG_POLICY_INSPECTION, MVX_LOG_TRACE);
    mvx_log own_log = log_to(&own, MVX_LOG_POLICY_INSPECTION, MVX_LOG_TRACE);
    mvx_runtime_options options = {.struct_size = sizeof options, .log = &common_log};
    mvx_runtime *runtime = new_runtime_with(&options);
    mvx_recorder_options special = recorder_options();
    special.log = &own_log;
    mvx_recorder *plain = NULL, *private = NULL;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("plain"), NULL, &plain, ERR));
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("private"), &special, &private, ERR));
    mvx_event_type type = number_type("log.number");
    add_native(plain, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
    add_native(private, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
    mvx_recorder_free(plain);
    mvx_recorder_free(private);
    end_runtime(runtime);
    expect_pair(&common, "metrics_recorder.start", "success", "plain");
    expect_pair(&common, "metrics_recorder.register_metric", "success", "plain");
    expect_pair(&own, "metrics_recorder.start", "success", "private");
    expect_pair(&own, "metrics_recorder.register_metric", "success", "private");
    expect_pair(&own, "metrics_recorder.stop", "success", "private");
    CHECK_INT(0, count_events(&common, "metrics_recorder.start.invoke", "private"));
    CHECK_INT(0, count_events(&own, NULL, "plain"));
    expect_none(&own, "metrics_runtime.");
    journal_close(&common);
    journal_close(&own);
}

/* ---- overflow ------------------------------------------------------------------------------------------ */

/* The number in a field of a warning; there must be one. */
static long long number_in(const char *fields)
{
    for (const char *at = strchr(fields, '='); at; at = strchr(at + 1, '=')) {
        char *end = NULL;
        long long value = strtoll(at + 1, &end, 10);
        if (end > at + 1 && *end == ';') {
            return value;
        }
    }
    FAIL("no number in \"%s\"", fields);
}

static void dawdle(struct probe *probe, const mvx_event *event)
{
    (void)probe;
    (void)event;
    sleep_ms(20);
}

static void overflow_warns_once_a_second(void)
{
    static const uint32_t policies[] = {MVX_OVERFLOW_DROP, MVX_OVERFLOW_RAISE_ERROR};
    for (int i = 0; i < 2; i++) {
        struct journal journal;
        struct probe probe = PROBE_INITIALIZER;
        journal_open(&journal);
        mvx_log log = log_to(&journal, MVX_LOG_POLICY_NORMAL, MVX_LOG_WARN);
        mvx_runtime *runtime = new_runtime();
        mvx_recorder_options options = recorder_options();
        options.entity_id = MVX_STR("full");
        options.queue_max_size = 5;
        options.overflow_policy = policies[i];
        options.log = &log;
        mvx_recorder *recorder = new_recorder_with(runtime, &options);
        mvx_event_type type = number_type("log.number");
        probe.inside = dawdle;
        add_probe(recorder, "probe", &probe);
        start(recorder);
        int64_t begin = now_ms();
        while (now_ms() - begin < 2300) {
            for (int n = 0; n < 50; n++) {
                mvx_status status = record(recorder, type, 1);
                CHECK(status == MVX_OK || status == MVX_QUEUE_OVERFLOW);
            }
            sleep_ms(1);
        }
        mvx_stats stats = stats_of(recorder);
        int64_t took = now_ms() - begin;
        EVENTUALLY(find(&journal, "metrics_recorder.overflow", "full") >= 0);
        stop(recorder);
        mvx_recorder_free(recorder);
        end_runtime(runtime);
        int warnings = count_events(&journal, "metrics_recorder.overflow", "full");
        CHECK(warnings >= 1);
        CHECK(warnings <= took / 1000 + 2);
        long long told = 0;
        int64_t before = 0;
        for (int n = 0; n < journal.count; n++) {
            struct line *line = &journal.lines[n];
            if (strcmp(line->event, "metrics_recorder.overflow") == 0) {
                CHECK_INT(MVX_LOG_WARN, line->level);
                CHECK(before == 0 || line->at_ms - before >= 900);
                before = line->at_ms;
                CHECK(number_in(line->fields) > 0);
                told += number_in(line->fields);
            }
        }
        CHECK(told <= (long long)(stats.dropped + stats.refused));
        journal_close(&journal);
    }
}

/* The numbers of all warnings so far. */
static long long overflow_told(struct journal *journal)
{
    long long told = 0;
    pthread_mutex_lock(&journal->mutex);
    for (int n = 0; n < journal->count; n++) {
        if (strcmp(journal->lines[n].event, "metrics_recorder.overflow") == 0) {
            told += number_in(journal->lines[n].fields);
        }
    }
    pthread_mutex_unlock(&journal->mutex);
    return told;
}

static void overflow_warns_while_a_metric_is_stuck(void)
{
    struct journal journal;
    struct probe probe = PROBE_INITIALIZER;
    struct gate gate = GATE_INITIALIZER;
    journal_open(&journal);
    mvx_log log = log_to(&journal, MVX_LOG_POLICY_NORMAL, MVX_LOG_WARN);
    mvx_runtime *runtime = new_runtime();
    mvx_recorder_options options = recorder_options();
    options.entity_id = MVX_STR("stuck");
    options.queue_max_size = 5;
    options.overflow_policy = MVX_OVERFLOW_DROP;
    options.log = &log;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    mvx_event_type type = number_type("log.number");
    atomic_store(&probe.hold, &gate);
    add_probe(recorder, "probe", &probe);
    start(recorder);
    for (int n = 0; n < 20; n++) {
        CHECK_INT(MVX_OK, record(recorder, type, 1));
    }
    EVENTUALLY(overflow_told(&journal) == 15);
    CHECK_INT(MVX_OK, record(recorder, type, 1));
    EVENTUALLY(overflow_told(&journal) == 16);
    gate_open(&gate);
    stop(recorder);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
    journal_close(&journal);
}

/* ---- calling back -------------------------------------------------------------------------------------- */

struct caller {
    mvx_runtime *runtime;
    _Atomic(mvx_recorder *) recorder;
    mvx_event_type type;
    _Atomic int calls;
};

static _Thread_local bool calling;

static void call_back(struct journal *journal, const mvx_log_record *record_)
{
    struct caller *caller = journal->context;
    mvx_recorder *recorder = atomic_load(&caller->recorder);
    if (calling || !recorder) {
        return;
    }
    calling = true;
    int32_t state = -1;
    mvx_stats stats = {.struct_size = sizeof stats};
    CHECK_INT(MVX_OK, mvx_recorder_state(recorder, &state));
    CHECK_INT(MVX_OK, mvx_recorder_stats(recorder, &stats));
    mvx_status status = record(recorder, caller->type, 1);
    mvx_error *error = NULL;
    CHECK(status == MVX_OK || status == MVX_INVALID_STATE || status == MVX_QUEUE_OVERFLOW);
    mvx_snapshot *snapshot = NULL;
    status = mvx_recorder_snapshot(recorder, MVX_SNAPSHOT_RELAXED, MS(200), &snapshot, &error);
    if (status != MVX_OK && status != MVX_TIMEOUT) {
        char text[400];
        describe_error(error, text, sizeof text);
        FAIL("a snapshot from the log gave %s in %.*s:%s", mvx_status_name(status), (int)record_->event.len,
             record_->event.data, text);
    }
    mvx_error_free(error);
    mvx_snapshot_free(snapshot);
    snapshot = NULL;
    status = mvx_recorder_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT, MS(200), &snapshot, NULL);
    if (status != MVX_OK && status != MVX_TIMEOUT) {
        FAIL("a snapshot from the log gave %s in %.*s", mvx_status_name(status), (int)record_->event.len,
             record_->event.data);
    }
    mvx_snapshot_free(snapshot);
    CHECK_INT(MVX_OK, mvx_recorder_iter_metrics(recorder, visit_nothing, NULL, NULL));
    mvx_recorder *found = NULL;
    status = mvx_runtime_try_get_recorder(caller->runtime, MVX_STR("nobody"), &found, NULL);
    CHECK(status == MVX_OK || status == MVX_INVALID_STATE);
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = MVX_STR("from the log"),
                            .kind = MVX_METRIC_COUNTER,
                            .event_types = &caller->type,
                            .event_type_count = 1};
    status = mvx_recorder_register_native_metric(recorder, &spec, NULL);
    CHECK(status == MVX_OK || status == MVX_INVALID_STATE);
    mvx_wait *wait = NULL;
    CHECK_INT(MVX_OK, mvx_recorder_flush(recorder, &wait, NULL));
    status = mvx_wait_block(wait, 0);
    CHECK(status == MVX_OK || status == MVX_TIMEOUT);
    mvx_wait_free(wait);
    atomic_fetch_add(&caller->calls, 1);
    calling = false;
}

static void writing_may_call_anything(void)
{
    struct journal journal;
    struct caller caller = {.type = number_type("log.number")};
    journal_open(&journal);
    journal.write_too = call_back;
    journal.context = &caller;
    mvx_log log = log_to(&journal, MVX_LOG_POLICY_INSPECTION, MVX_LOG_TRACE);
    mvx_runtime_options options = {.struct_size = sizeof options, .log = &log, .worker_threads = 2};
    caller.runtime = new_runtime_with(&options);
    struct probe probe = PROBE_INITIALIZER;
    mvx_recorder *recorder = new_recorder(caller.runtime);
    add_probe(recorder, "probe", &probe);
    start(recorder);
    atomic_store(&caller.recorder, recorder);
    int64_t before = now_ms();
    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            start(recorder);
        }
        record_ok(recorder, caller.type, 1);
        mvx_snapshot_free(take_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT));
        stop(recorder);
    }
    OK(mvx_runtime_shutdown(caller.runtime, ERR));
    CHECK(now_ms() - before < patience_ms());
    CHECK(caller.calls >= 12);
    atomic_store(&caller.recorder, NULL);
    mvx_recorder_free(recorder);
    mvx_runtime_free(caller.runtime);
    journal_close(&journal);
    EVENTUALLY(atomic_load(&probe.drops) == 1);
}

static _Thread_local bool on_library_thread;

static void mark_thread(void *user_data)
{
    (void)user_data;
    on_library_thread = true;
}

/* What is logged on a thread of the library must not wait there for its own recorder or runtime. */
static void wait_from_the_log(struct journal *journal, const mvx_log_record *record_)
{
    struct caller *caller = journal->context;
    mvx_recorder *recorder = atomic_load(&caller->recorder);
    if (!on_library_thread || calling || !recorder) {
        return;
    }
    calling = true;
    mvx_wait *wait = NULL;
    mvx_status status = mvx_runtime_shutdown(caller->runtime, ERR);
    /* At its very end the runtime is closed already, and shutting down again is no more than that. */
    if (status != MVX_WOULD_DEADLOCK && !(status == MVX_OK && runtime_state(caller->runtime) == MVX_RUNTIME_CLOSED)) {
        char text[400];
        describe_error(error_slot, text, sizeof text);
        FAIL("a shutdown from the log gave %s in %.*s:%s", mvx_status_name(status), (int)record_->event.len,
             record_->event.data, text);
    }
    mvx_error_free(error_slot);
    error_slot = NULL;
    CHECK_INT(MVX_OK, mvx_recorder_flush(recorder, &wait, NULL));
    status = mvx_wait_block(wait, -1);
    CHECK(status == MVX_OK || status == MVX_WOULD_DEADLOCK);
    mvx_wait_free(wait);
    atomic_fetch_add(&caller->calls, 1);
    calling = false;
}

static void waiting_in_the_log_is_refused(void)
{
    struct journal journal;
    struct caller caller = {.type = number_type("log.number")};
    struct probe probe = PROBE_INITIALIZER;
    journal_open(&journal);
    journal.write_too = wait_from_the_log;
    journal.context = &caller;
    mvx_log log = log_to(&journal, MVX_LOG_POLICY_INSPECTION, MVX_LOG_TRACE);
    mvx_thread_hooks thread_hooks = {.struct_size = sizeof thread_hooks, .on_start = mark_thread};
    mvx_runtime_options options = {
        .struct_size = sizeof options, .log = &log, .worker_threads = 2, .thread_hooks = &thread_hooks};
    caller.runtime = new_runtime_with(&options);
    mvx_recorder *recorder = new_recorder(caller.runtime);
    add_probe(recorder, "probe", &probe);
    atomic_store(&caller.recorder, recorder);
    for (int i = 0; i < 3; i++) {
        start(recorder);
        record_ok(recorder, caller.type, 1);
        stop(recorder);
    }
    start(recorder);
    atomic_store(&probe.event_reply, MVX_EVENT_FAILED);
    record_ok(recorder, caller.type, 1);
    EVENTUALLY(find(&journal, "metrics_recorder.dispatch_error", NULL) >= 0);
    CHECK(caller.calls > 0);
    OK(mvx_runtime_shutdown(caller.runtime, ERR));
    atomic_store(&caller.recorder, NULL);
    mvx_recorder_free(recorder);
    mvx_runtime_free(caller.runtime);
    journal_close(&journal);
    EVENTUALLY(atomic_load(&probe.drops) == 1);
}

/* ---- many at once -------------------------------------------------------------------------------------- */

struct office {
    mvx_runtime *runtime;
    int rounds;
};

static void log_a_lot(void *shared, int number)
{
    struct office *office = shared;
    char id[16];
    snprintf(id, sizeof id, "r%d", number);
    for (int i = 0; i < office->rounds; i++) {
        mvx_recorder *recorder = NULL;
        OK(mvx_runtime_create_recorder(office->runtime, str_of(id), NULL, &recorder, ERR));
        OK(mvx_runtime_stop_and_remove_recorder(office->runtime, str_of(id), NULL, ERR));
        mvx_recorder_free(recorder);
    }
}

static void many_threads_write(void)
{
    struct journal journal;
    journal_open(&journal);
    mvx_log log = log_to(&journal, MVX_LOG_POLICY_NORMAL, MVX_LOG_TRACE);
    mvx_runtime_options options = {.struct_size = sizeof options, .log = &log, .worker_threads = 2};
    struct office office = {new_runtime_with(&options), (int)scaled(60, 5)};
    crew_run(4, log_a_lot, &office);
    end_runtime(office.runtime);
    EVENTUALLY(atomic_load(&journal.drops) == 1);
    CHECK_INT(4 * office.rounds, count_events(&journal, "metrics_recorder.start.success", NULL));
    CHECK_INT(4 * office.rounds, count_events(&journal, "metrics_recorder.stop.success", NULL));
    CHECK_INT(4 * office.rounds, count_events(&journal, "metrics_runtime.create_recorder.success", NULL));
    journal_close(&journal);
}

TEST_MAIN(CASE(normal_is_what_changes_something), CASE(inspection_adds_the_looking), CASE(silent_is_silent),
          CASE(levels_leave_out), CASE(failures_are_logged_with_their_error), CASE(dispatch_errors_and_clean_up),
          CASE(a_recorder_may_have_its_own), CASE(overflow_warns_once_a_second),
          CASE(overflow_warns_while_a_metric_is_stuck), CASE(writing_may_call_anything), CASE(waiting_in_the_log_is_refused),
          CASE(many_threads_write))
