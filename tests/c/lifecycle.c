/* The state tables of a recorder and of a runtime, cell by cell, and the same operations from many threads. */
#include "support.h"

/* ---- a recorder held in one state ---------------------------------------------------------------------- */

struct stage {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    struct hook_probe hooks;
    struct probe probe;
    mvx_wait *under_way;
};

/* Brings a recorder into the state and holds it there: STARTING and STOPPING by a hook that is pending. */
static void stage_enter(struct stage *stage, int32_t state)
{
    memset(stage, 0, sizeof *stage);
    stage->probe = (struct probe)PROBE_INITIALIZER;
    stage->type = number_type("lifecycle.number");
    stage->runtime = new_runtime();
    mvx_hooks hooks = hooks_of(&stage->hooks);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    if (state == MVX_RECORDER_STARTING) {
        stage->hooks.starting_reply = MVX_HOOK_PENDING;
    } else if (state == MVX_RECORDER_STOPPING) {
        stage->hooks.stopped_reply = MVX_HOOK_PENDING;
    } else if (state == MVX_RECORDER_FAILURE) {
        stage->hooks.starting_reply = MVX_HOOK_FAILED;
    }
    stage->recorder = new_recorder_with(stage->runtime, &options);
    add_probe(stage->recorder, "probe", &stage->probe);
    switch (state) {
    case MVX_RECORDER_STARTING:
        stage->under_way = begin_start(stage->recorder);
        EVENTUALLY(atomic_load(&stage->hooks.token) != NULL);
        break;
    case MVX_RECORDER_RUNNING:
        start(stage->recorder);
        break;
    case MVX_RECORDER_STOPPING:
        start(stage->recorder);
        atomic_store(&stage->hooks.token, NULL);
        stage->under_way = begin_stop(stage->recorder);
        EVENTUALLY(atomic_load(&stage->hooks.token) != NULL);
        break;
    case MVX_RECORDER_STOPPED:
        start(stage->recorder);
        stop(stage->recorder);
        break;
    case MVX_RECORDER_FAILURE:
        wait_fails(begin_start(stage->recorder), MVX_HOOK_FAILED, "ON_STARTING_HOOK_FAILED");
        break;
    case MVX_RECORDER_CANCELLED:
        OK(mvx_recorder_cancel(stage->recorder, ERR));
        break;
    default:
        break;
    }
    CHECK_INT(state, state_of(stage->recorder));
}

static void stage_release(struct stage *stage)
{
    stage->hooks.starting_reply = MVX_HOOK_DONE;
    stage->hooks.stopped_reply = MVX_HOOK_DONE;
    STATUS(MVX_OK, mvx_completion_done(take_token(&stage->hooks), (mvx_str){NULL, 0}));
}

static void stage_leave(struct stage *stage, int32_t state)
{
    if (stage->under_way) {
        stage_release(stage);
        wait_ok(stage->under_way);
        CHECK_INT(state == MVX_RECORDER_STARTING ? MVX_RECORDER_RUNNING : MVX_RECORDER_STOPPED,
                  state_of(stage->recorder));
    }
    mvx_recorder_free(stage->recorder);
    end_runtime(stage->runtime);
    EVENTUALLY(atomic_load(&stage->probe.drops) == 1 && atomic_load(&stage->hooks.drops) == 1);
}

static const char *const state_names[] = {"VIRGIN", "STARTING", "RUNNING", "STOPPING", "STOPPED", "FAILURE", "CANCELLED"};
#define STATES 7

static bool one_of(int32_t state, int32_t a, int32_t b)
{
    return state == a || state == b;
}

static void details_name(const mvx_error *error, int32_t state, const char *expected)
{
    mvx_str details = mvx_error_details_json(error);
    char part[80];
    snprintf(part, sizeof part, "\"recorder_state\":\"%s\"", state_names[state]);
    if (!json_has(details, part) || !json_has(details, "\"expected_states\":[") || !str_contains(details, expected)) {
        FAIL("details of INVALID_RECORDER_STATE: %.*s", (int)details.len, details.data);
    }
}

static void table_start(void)
{
    for (int32_t state = 0; state < STATES; state++) {
        struct stage stage;
        stage_enter(&stage, state);
        if (state == MVX_RECORDER_STARTING) {
            mvx_wait *joined = begin_start(stage.recorder);
            STATUS(MVX_TIMEOUT, mvx_wait_block(joined, 0));
            OK(mvx_recorder_start(stage.recorder, NULL, ERR));
            stage_release(&stage);
            wait_ok(joined);
            wait_ok(stage.under_way);
            stage.under_way = NULL;
            CHECK_INT(1, stage.hooks.starting);
            CHECK_INT(MVX_RECORDER_RUNNING, state_of(stage.recorder));
        } else if (one_of(state, MVX_RECORDER_VIRGIN, MVX_RECORDER_STOPPED)) {
            int before = stage.hooks.starting;
            start(stage.recorder);
            CHECK_INT(before + 1, stage.hooks.starting);
        } else {
            mvx_wait *refused = begin_start(stage.recorder);
            STATUS(MVX_OK, mvx_wait_block(refused, 0));
            mvx_error *error = wait_failure(refused, MVX_INVALID_STATE, "INVALID_RECORDER_STATE");
            details_name(error, state, "\"VIRGIN\"");
            details_name(error, state, "\"STOPPED\"");
            mvx_error_free(error);
            FAILS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE", mvx_recorder_start(stage.recorder, NULL, ERR));
            CHECK_INT(state, state_of(stage.recorder));
        }
        stage_leave(&stage, state);
    }
}

static void table_stop(void)
{
    for (int32_t state = 0; state < STATES; state++) {
        struct stage stage;
        stage_enter(&stage, state);
        if (state == MVX_RECORDER_STOPPING) {
            mvx_wait *joined = begin_stop(stage.recorder);
            STATUS(MVX_TIMEOUT, mvx_wait_block(joined, 0));
            OK(mvx_recorder_stop(stage.recorder, NULL, ERR));
            stage_release(&stage);
            wait_ok(joined);
            wait_ok(stage.under_way);
            stage.under_way = NULL;
            CHECK_INT(1, stage.hooks.stopped);
            CHECK_INT(MVX_RECORDER_STOPPED, state_of(stage.recorder));
        } else if (state == MVX_RECORDER_RUNNING) {
            stop(stage.recorder);
            CHECK_INT(1, stage.hooks.stopped);
        } else {
            mvx_wait *refused = begin_stop(stage.recorder);
            STATUS(MVX_OK, mvx_wait_block(refused, 0));
            mvx_error *error = wait_failure(refused, MVX_INVALID_STATE, "INVALID_RECORDER_STATE");
            details_name(error, state, "\"RUNNING\"");
            mvx_error_free(error);
            FAILS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE", mvx_recorder_stop(stage.recorder, NULL, ERR));
            CHECK_INT(state, state_of(stage.recorder));
        }
        stage_leave(&stage, state);
    }
}

static void table_flush(void)
{
    for (int32_t state = 0; state < STATES; state++) {
        struct stage stage;
        stage_enter(&stage, state);
        mvx_wait *wait = begin_flush(stage.recorder);
        if (one_of(state, MVX_RECORDER_FAILURE, MVX_RECORDER_CANCELLED)) {
            wait_fails(wait, MVX_INVALID_STATE, "INVALID_RECORDER_STATE");
            FAILS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE", mvx_recorder_flush(stage.recorder, NULL, ERR));
        } else if (one_of(state, MVX_RECORDER_VIRGIN, MVX_RECORDER_STOPPED)) {
            STATUS(MVX_OK, mvx_wait_block(wait, 0));
            wait_ok(wait);
            OK(mvx_recorder_flush(stage.recorder, NULL, ERR));
        } else {
            if (stage.under_way) {
                stage_release(&stage);
                wait_ok(stage.under_way);
                stage.under_way = NULL;
            }
            wait_ok(wait);
        }
        stage_leave(&stage, state);
    }
}

/* Events that wait for the start keep a flush waiting too. */
static void flush_of_a_starting_recorder_waits_for_its_events(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_STARTING);
    for (int i = 0; i < 10; i++) {
        record_ok(stage.recorder, stage.type, 1);
    }
    mvx_wait *wait = begin_flush(stage.recorder);
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, MS(30)));
    CHECK_UINT(0, stage.probe.seen);
    stage_release(&stage);
    wait_ok(wait);
    CHECK_UINT(10, stage.probe.seen);
    wait_ok(stage.under_way);
    stage.under_way = NULL;
    stage_leave(&stage, MVX_RECORDER_RUNNING);
}

static void table_register_metric(void)
{
    for (int32_t state = 0; state < STATES; state++) {
        struct stage stage;
        struct probe added = PROBE_INITIALIZER;
        stage_enter(&stage, state);
        mvx_metric_vtable vtable = probe_vtable();
        if (state <= MVX_RECORDER_RUNNING) {
            OK(mvx_recorder_register_metric(stage.recorder, MVX_STR("added"), &vtable, &added, ERR));
            CHECK_INT(0, added.drops);
        } else {
            mvx_error *error =
                FAILURE_OF(MVX_INVALID_STATE, "INVALID_RECORDER_STATE",
                           mvx_recorder_register_metric(stage.recorder, MVX_STR("added"), &vtable, &added, ERR));
            details_name(error, state, "\"RUNNING\"");
            const mvx_error *cause = mvx_error_cause(error);
            if (state == MVX_RECORDER_FAILURE) {
                CHECK(cause != NULL);
                CHECK_STR("ON_STARTING_HOOK_FAILED", mvx_error_reason(cause));
                CHECK(mvx_error_cause(cause) != NULL);
                CHECK_STR("CALLBACK_ERROR", mvx_error_reason(mvx_error_cause(cause)));
                CHECK_STR("the hook refuses", mvx_error_message(mvx_error_cause(cause)));
            }
            mvx_error_free(error);
            CHECK_INT(1, added.drops);
            mvx_metric_spec spec = {.struct_size = sizeof spec,
                                    .name = MVX_STR("native"),
                                    .kind = MVX_METRIC_COUNTER,
                                    .event_types = &stage.type,
                                    .event_type_count = 1};
            FAILS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE",
                  mvx_recorder_register_native_metric(stage.recorder, &spec, ERR));
        }
        CHECK_INT(state, state_of(stage.recorder));
        mvx_snapshot *snapshot = take_snapshot(stage.recorder, MVX_SNAPSHOT_RELAXED);
        CHECK_UINT(state <= MVX_RECORDER_RUNNING ? 2 : 1, mvx_snapshot_len(snapshot));
        mvx_snapshot_free(snapshot);
        stage_leave(&stage, state);
        EVENTUALLY(atomic_load(&added.drops) == 1);
    }
}

static void table_register_event(void)
{
    for (int32_t state = 0; state < STATES; state++) {
        struct stage stage;
        stage_enter(&stage, state);
        mvx_stats before = stats_of(stage.recorder);
        if (state <= MVX_RECORDER_RUNNING) {
            record_ok(stage.recorder, stage.type, 7);
            int32_t now = state_of(stage.recorder);
            if (state == MVX_RECORDER_STARTING) {
                CHECK_INT(MVX_RECORDER_STARTING, now);
                CHECK_UINT(1, stats_of(stage.recorder).pending);
                stage_release(&stage);
                wait_ok(stage.under_way);
                stage.under_way = NULL;
            } else {
                CHECK(one_of(now, MVX_RECORDER_STARTING, MVX_RECORDER_RUNNING));
            }
            flush(stage.recorder);
            CHECK_UINT(1, stage.probe.seen);
            CHECK_INT(1, stage.hooks.starting);
            mvx_stats after = stats_of(stage.recorder);
            CHECK_UINT(before.accepted + 1, after.accepted);
            CHECK_UINT(before.dispatched + 1, after.dispatched);
            EVENTUALLY(state_of(stage.recorder) == MVX_RECORDER_RUNNING);
        } else {
            STATUS(MVX_INVALID_STATE, record(stage.recorder, stage.type, 7));
            struct number two[2] = {{0}};
            size_t accepted = 99;
            STATUS(MVX_INVALID_STATE,
                   mvx_recorder_register_events(stage.recorder, stage.type, two, sizeof two[0], 2, &accepted));
            mvx_stats after = stats_of(stage.recorder);
            CHECK_UINT(before.accepted, after.accepted);
            CHECK_UINT(before.refused, after.refused);
            CHECK_UINT(before.dropped, after.dropped);
            CHECK_INT(state, state_of(stage.recorder));
        }
        stage_leave(&stage, state);
    }
}

/* The first event makes the state STARTING before the call returns, and a start then joins. */
static void first_event_starts(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_VIRGIN);
    stage.hooks.starting_reply = MVX_HOOK_PENDING;
    record_ok(stage.recorder, stage.type, 1);
    CHECK_INT(MVX_RECORDER_STARTING, state_of(stage.recorder));
    mvx_wait *joined = begin_start(stage.recorder);
    EVENTUALLY(atomic_load(&stage.hooks.token) != NULL);
    stage_release(&stage);
    wait_ok(joined);
    flush(stage.recorder);
    CHECK_UINT(1, stage.probe.seen);
    CHECK_INT(1, stage.hooks.starting);
    stage_leave(&stage, MVX_RECORDER_RUNNING);
}

static int32_t count_metrics(void *context, const mvx_metric_info *info)
{
    CHECK(info->struct_size >= sizeof(size_t));
    CHECK_STR("probe", info->name);
    CHECK_INT(MVX_METRIC_VTABLE, info->kind);
    CHECK_INT(MVX_METRIC_ACTIVE, info->state);
    CHECK(info->error == NULL);
    CHECK(info->user_data != NULL);
    ++*(int *)context;
    return 0;
}

static void table_reading(void)
{
    for (int32_t state = 0; state < STATES; state++) {
        struct stage stage;
        stage_enter(&stage, state);
        for (int mode = 0; mode < 2; mode++) {
            mvx_snapshot *snapshot = take_snapshot(stage.recorder, mode ? MVX_SNAPSHOT_RELAXED : MVX_SNAPSHOT_CONSISTENT);
            CHECK_UINT(1, mvx_snapshot_len(snapshot));
            CHECK_STR("probe", mvx_snapshot_name_at(snapshot, 0));
            CHECK_INT(0, i64_in(snapshot, "probe", "count"));
            mvx_snapshot_free(snapshot);
        }
        int metrics = 0;
        OK(mvx_recorder_iter_metrics(stage.recorder, count_metrics, &metrics, ERR));
        CHECK_INT(1, metrics);
        CHECK_UINT(0, stats_of(stage.recorder).accepted);
        mvx_error *last = NULL;
        OK(mvx_recorder_last_error(stage.recorder, &last));
        if (state == MVX_RECORDER_FAILURE) {
            CHECK_STR("ON_STARTING_HOOK_FAILED", mvx_error_reason(last));
        } else if (state != MVX_RECORDER_CANCELLED) {
            CHECK(last == NULL);
        }
        mvx_error_free(last);
        CHECK_INT(state, state_of(stage.recorder));
        stage_leave(&stage, state);
    }
}

static void table_cancel(void)
{
    for (int32_t state = 0; state < STATES; state++) {
        struct stage stage;
        stage_enter(&stage, state);
        if (state == MVX_RECORDER_FAILURE) {
            FAILS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE", mvx_recorder_cancel(stage.recorder, ERR));
            CHECK_INT(MVX_RECORDER_FAILURE, state_of(stage.recorder));
            stage_leave(&stage, state);
            continue;
        }
        OK(mvx_recorder_cancel(stage.recorder, ERR));
        CHECK_INT(MVX_RECORDER_CANCELLED, state_of(stage.recorder));
        OK(mvx_recorder_cancel(stage.recorder, ERR));
        mvx_error *last = NULL;
        OK(mvx_recorder_last_error(stage.recorder, &last));
        CHECK(last != NULL);
        CHECK_INT(MVX_CANCELLED, mvx_error_status(last));
        mvx_error_free(last);
        if (stage.under_way) {
            wait_fails(stage.under_way, MVX_CANCELLED, "DISPATCHER_UNEXPECTEDLY_CANCELLED");
            stage.under_way = NULL;
            /* The hook is still pending; letting it end brings nothing back to life. */
            stage_release(&stage);
        }
        int clean_ups = state == MVX_RECORDER_VIRGIN || state == MVX_RECORDER_CANCELLED ? 0 : 1;
        EVENTUALLY(atomic_load(&stage.hooks.stopped) == clean_ups);
        sleep_ms(20);
        CHECK_INT(clean_ups, stage.hooks.stopped);
        CHECK_INT(MVX_RECORDER_CANCELLED, state_of(stage.recorder));
        stage_leave(&stage, MVX_RECORDER_CANCELLED);
    }
}

/* Everything that was waiting for a recorder hears of its end, and what was pending is discarded. */
static void cancel_ends_what_is_under_way(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_RUNNING);
    struct gate gate = GATE_INITIALIZER;
    atomic_store(&stage.probe.hold, &gate);
    for (int i = 0; i < 10; i++) {
        record_ok(stage.recorder, stage.type, i);
    }
    gate_await(&gate, 1);
    mvx_wait *flushed = begin_flush(stage.recorder);
    mvx_wait *stopped = begin_stop(stage.recorder);
    CHECK_INT(MVX_RECORDER_STOPPING, state_of(stage.recorder));
    OK(mvx_recorder_cancel(stage.recorder, ERR));
    CHECK_INT(MVX_RECORDER_CANCELLED, state_of(stage.recorder));
    mvx_stats stats = stats_of(stage.recorder);
    CHECK_UINT(10, stats.accepted);
    CHECK_UINT(9, stats.discarded);
    CHECK_UINT(1, stats.pending);
    wait_fails(flushed, MVX_CANCELLED, "DISPATCHER_UNEXPECTEDLY_CANCELLED");
    wait_fails(stopped, MVX_CANCELLED, "DISPATCHER_UNEXPECTEDLY_CANCELLED");
    CHECK_INT(0, stage.hooks.stopped);
    gate_open(&gate);
    EVENTUALLY(atomic_load(&stage.hooks.stopped) == 1);
    EVENTUALLY(stats_of(stage.recorder).pending == 0);
    CHECK_UINT(1, stage.probe.seen);
    stage_leave(&stage, MVX_RECORDER_CANCELLED);
}

/* ---- failing hooks and metrics ------------------------------------------------------------------------- */

static void failed_start_is_final(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_VIRGIN);
    stage.hooks.starting_reply = MVX_HOOK_PENDING;
    mvx_wait *waits[4];
    for (int i = 0; i < 4; i++) {
        waits[i] = begin_start(stage.recorder);
    }
    record_ok(stage.recorder, stage.type, 1);
    STATUS(MVX_OK, mvx_completion_done(take_token(&stage.hooks), MVX_STR("no database")));
    for (int i = 0; i < 4; i++) {
        mvx_error *error = wait_failure(waits[i], MVX_HOOK_FAILED, "ON_STARTING_HOOK_FAILED");
        CHECK(mvx_error_cause(error) != NULL);
        CHECK_STR("no database", mvx_error_message(mvx_error_cause(error)));
        mvx_error_free(error);
    }
    CHECK_INT(MVX_RECORDER_FAILURE, state_of(stage.recorder));
    EVENTUALLY(stats_of(stage.recorder).discarded == 1);
    CHECK_UINT(0, stage.probe.seen);
    wait_fails(begin_start(stage.recorder), MVX_INVALID_STATE, "INVALID_RECORDER_STATE");
    stage_leave(&stage, MVX_RECORDER_FAILURE);
}

static void failed_stop_has_flushed(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_RUNNING);
    stage.hooks.stopped_reply = MVX_HOOK_FAILED;
    for (int i = 0; i < 100; i++) {
        record_ok(stage.recorder, stage.type, 1);
    }
    mvx_wait *stopped = begin_stop(stage.recorder);
    mvx_error *error = wait_failure(stopped, MVX_HOOK_FAILED, "ON_STOPPED_HOOK_FAILED");
    CHECK(mvx_error_cause(error) != NULL);
    CHECK_STR("the hook refuses", mvx_error_message(mvx_error_cause(error)));
    mvx_error_free(error);
    CHECK_INT(MVX_RECORDER_FAILURE, state_of(stage.recorder));
    CHECK_UINT(100, stage.probe.seen);
    CHECK_INT(1, stage.hooks.stopped);
    CHECK_INT(100, current(stage.recorder, "probe", "sum"));
    stage_leave(&stage, MVX_RECORDER_FAILURE);
}

static void failing_metric_fails_the_recorder(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_RUNNING);
    struct gate gate = GATE_INITIALIZER;
    atomic_store(&stage.probe.hold, &gate);
    for (int i = 0; i < 10; i++) {
        record_ok(stage.recorder, stage.type, 1);
    }
    gate_await(&gate, 1);
    mvx_wait *flushed = begin_flush(stage.recorder);
    atomic_store(&stage.probe.event_reply, MVX_EVENT_FAILED);
    gate_open(&gate);
    STATUS(MVX_OK, mvx_wait_block(flushed, MS(patience_ms())));
    mvx_wait_free(flushed);
    EVENTUALLY(state_of(stage.recorder) == MVX_RECORDER_FAILURE);
    EVENTUALLY(atomic_load(&stage.hooks.stopped) == 1);
    mvx_error *last = NULL;
    OK(mvx_recorder_last_error(stage.recorder, &last));
    CHECK_INT(MVX_METRIC_FAILED, mvx_error_status(last));
    CHECK_STR("UNEXPECTED_ERROR", mvx_error_reason(last));
    CHECK(mvx_error_cause(last) != NULL);
    CHECK_STR("CALLBACK_ERROR", mvx_error_reason(mvx_error_cause(last)));
    CHECK_STR("the probe refuses", mvx_error_message(mvx_error_cause(last)));
    mvx_error_free(last);
    mvx_stats stats = stats_of(stage.recorder);
    CHECK_UINT(10, stats.discarded);
    CHECK_UINT(0, stats.pending);
    CHECK_UINT(1, stage.probe.calls);
    STATUS(MVX_INVALID_STATE, record(stage.recorder, stage.type, 1));
    stage_leave(&stage, MVX_RECORDER_FAILURE);
    CHECK_INT(1, stage.hooks.stopped);
}

static void metric_failing_while_stopping(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_RUNNING);
    struct gate gate = GATE_INITIALIZER;
    atomic_store(&stage.probe.hold, &gate);
    record_ok(stage.recorder, stage.type, 1);
    record_ok(stage.recorder, stage.type, 1);
    gate_await(&gate, 1);
    mvx_wait *stopped = begin_stop(stage.recorder);
    atomic_store(&stage.probe.event_reply, MVX_EVENT_FAILED);
    gate_open(&gate);
    wait_fails(stopped, MVX_METRIC_FAILED, "UNEXPECTED_ERROR");
    CHECK_INT(MVX_RECORDER_FAILURE, state_of(stage.recorder));
    EVENTUALLY(atomic_load(&stage.hooks.stopped) == 1);
    CHECK_UINT(2, stats_of(stage.recorder).discarded);
    stage_leave(&stage, MVX_RECORDER_FAILURE);
}

static int32_t find_quarantined(void *context, const mvx_metric_info *info)
{
    if (str_is(info->name, "probe")) {
        CHECK_INT(MVX_METRIC_QUARANTINED, info->state);
        CHECK(info->error != NULL);
        CHECK_INT(MVX_METRIC_FAILED, mvx_error_status(info->error));
        ++*(int *)context;
    } else {
        CHECK_INT(MVX_METRIC_ACTIVE, info->state);
        CHECK(info->error == NULL);
    }
    return 0;
}

static void quarantine_leaves_the_rest_alone(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_recorder_options options = recorder_options();
    options.metric_error_policy = MVX_METRIC_ERROR_QUARANTINE_METRIC;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    mvx_event_type type = number_type("lifecycle.number");
    struct probe bad = PROBE_INITIALIZER;
    struct probe good = PROBE_INITIALIZER;
    add_probe(recorder, "probe", &bad);
    add_probe(recorder, "good", &good);
    start(recorder);
    record_ok(recorder, type, 1);
    flush(recorder);
    atomic_store(&bad.event_reply, MVX_EVENT_FAILED);
    for (int i = 0; i < 5; i++) {
        record_ok(recorder, type, 1);
    }
    flush(recorder);
    CHECK_UINT(2, bad.calls);
    CHECK_UINT(6, good.calls);
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(recorder));
    mvx_stats stats = stats_of(recorder);
    CHECK_UINT(1, stats.quarantined_metrics);
    CHECK_UINT(6, stats.dispatched);
    int found = 0;
    OK(mvx_recorder_iter_metrics(recorder, find_quarantined, &found, ERR));
    CHECK_INT(1, found);
    mvx_snapshot *snapshot = take_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_UINT(2, mvx_snapshot_len(snapshot));
    CHECK_INT(6, i64_in(snapshot, "good", "sum"));
    mvx_snapshot_free(snapshot);
    /* A fresh metric of the same name is active again. */
    struct probe fresh = PROBE_INITIALIZER;
    add_probe(recorder, "probe", &fresh);
    record_ok(recorder, type, 1);
    flush(recorder);
    CHECK_UINT(1, fresh.calls);
    EVENTUALLY(atomic_load(&bad.drops) == 1);
    stop(recorder);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
    EVENTUALLY(atomic_load(&fresh.drops) == 1 && atomic_load(&good.drops) == 1);
}

/* ---- many threads -------------------------------------------------------------------------------------- */

/* How many threads have joined what goes on. */
static atomic_int joined;

static void start_and_wait(void *shared, int number)
{
    (void)number;
    struct stage *stage = shared;
    mvx_wait *wait = begin_start(stage->recorder);
    atomic_fetch_add(&joined, 1);
    wait_ok(wait);
}

static void stop_and_wait(void *shared, int number)
{
    (void)number;
    struct stage *stage = shared;
    mvx_wait *wait = begin_stop(stage->recorder);
    atomic_fetch_add(&joined, 1);
    wait_ok(wait);
}

static void joined_starts(void)
{
    struct stage stage;
    struct gate gate = GATE_INITIALIZER;
    stage_enter(&stage, MVX_RECORDER_VIRGIN);
    atomic_store(&stage.hooks.starting_hold, &gate);
    struct crew_member *crew = crew_start(8, start_and_wait, &stage);
    gate_await(&gate, 1);
    EVENTUALLY(atomic_load(&joined) == 8);
    CHECK_INT(MVX_RECORDER_STARTING, state_of(stage.recorder));
    gate_open(&gate);
    crew_join(crew, 8);
    CHECK_INT(1, stage.hooks.starting);
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(stage.recorder));
    stage_leave(&stage, MVX_RECORDER_RUNNING);
}

static void joined_stops(void)
{
    struct stage stage;
    struct gate gate = GATE_INITIALIZER;
    stage_enter(&stage, MVX_RECORDER_RUNNING);
    atomic_store(&stage.hooks.stopped_hold, &gate);
    struct crew_member *crew = crew_start(8, stop_and_wait, &stage);
    gate_await(&gate, 1);
    EVENTUALLY(atomic_load(&joined) == 8);
    CHECK_INT(MVX_RECORDER_STOPPING, state_of(stage.recorder));
    gate_open(&gate);
    crew_join(crew, 8);
    CHECK_INT(1, stage.hooks.stopped);
    CHECK_INT(MVX_RECORDER_STOPPED, state_of(stage.recorder));
    stage_leave(&stage, MVX_RECORDER_STOPPED);
}

struct tug {
    struct stage stage;
    int rounds;
    atomic_int started;
    atomic_int stopped;
};

static void tug_pull(void *shared, int number)
{
    struct tug *tug = shared;
    uint64_t random = (uint64_t)number;
    for (int i = 0; i < tug->rounds; i++) {
        bool up = next_random(&random) % 2 == 0;
        mvx_wait *wait = up ? begin_start(tug->stage.recorder) : begin_stop(tug->stage.recorder);
        mvx_status status = wait_over(wait);
        if (status == MVX_OK) {
            OK(status);
            atomic_fetch_add(up ? &tug->started : &tug->stopped, 1);
        } else {
            FAILS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE", status);
        }
        mvx_wait_free(wait);
    }
}

static void concurrent_stops_and_starts(void)
{
    struct tug tug;
    stage_enter(&tug.stage, MVX_RECORDER_VIRGIN);
    tug.rounds = (int)scaled(2000, 40);
    tug.started = 0;
    tug.stopped = 0;
    crew_run(6, tug_pull, &tug);
    int32_t state = state_of(tug.stage.recorder);
    CHECK(state == MVX_RECORDER_RUNNING || one_of(state, MVX_RECORDER_STOPPED, MVX_RECORDER_VIRGIN));
    /* Joined operations run their hook once, so there are no more hooks than successes. */
    CHECK_INT(state == MVX_RECORDER_RUNNING ? 1 : 0, tug.stage.hooks.starting - tug.stage.hooks.stopped);
    CHECK(tug.stage.hooks.starting <= tug.started);
    CHECK(tug.stage.hooks.stopped <= tug.stopped);
    stage_leave(&tug.stage, state);
}

/* STOPPED is not an end: values survive, and no event is lost on the way. */
static void restart_loops(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_VIRGIN);
    add_native(stage.recorder, "native", MVX_METRIC_COUNTER, stage.type, "value", NULL);
    int rounds = (int)scaled(500, 20);
    for (int i = 0; i < rounds; i++) {
        start(stage.recorder);
        for (int n = 0; n < 20; n++) {
            record_ok(stage.recorder, stage.type, 1);
        }
        stop(stage.recorder);
        CHECK_UINT(20 * (i + 1), stage.probe.seen);
    }
    CHECK_INT(rounds, stage.hooks.starting);
    CHECK_INT(rounds, stage.hooks.stopped);
    CHECK_INT(20 * rounds, current(stage.recorder, "probe", "sum"));
    CHECK_INT(20 * rounds, current(stage.recorder, "native", "value"));
    CHECK_UINT(20 * rounds, stats_of(stage.recorder).dispatched);
    stage_leave(&stage, MVX_RECORDER_STOPPED);
}

struct producers {
    mvx_recorder *recorder;
    mvx_event_type type;
    _Atomic uint64_t accepted;
    atomic_bool over;
};

static void produce_until_over(void *shared, int number)
{
    (void)number;
    struct producers *producers = shared;
    while (!atomic_load(&producers->over)) {
        mvx_status status = record(producers->recorder, producers->type, 1);
        if (status == MVX_OK) {
            atomic_fetch_add(&producers->accepted, 1);
        } else if (status == MVX_QUEUE_OVERFLOW) {
            sched_yield();
        } else {
            STATUS(MVX_INVALID_STATE, status);
            sleep_ms(1);
        }
    }
}

/* An event is either refused or dispatched, also where it races the end of a run. */
static void events_racing_stops(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_VIRGIN);
    add_native(stage.recorder, "native", MVX_METRIC_COUNTER, stage.type, "value", NULL);
    start(stage.recorder);
    struct producers producers = {.recorder = stage.recorder, .type = stage.type};
    struct crew_member *crew = crew_start(3, produce_until_over, &producers);
    int rounds = (int)scaled(100, 10);
    for (int i = 0; i < rounds; i++) {
        sleep_ms(2);
        stop(stage.recorder);
        CHECK_UINT(0, stats_of(stage.recorder).pending);
        start(stage.recorder);
    }
    atomic_store(&producers.over, true);
    crew_join(crew, 3);
    stop(stage.recorder);
    mvx_stats stats = stats_of(stage.recorder);
    CHECK_UINT(producers.accepted, stats.accepted);
    CHECK_UINT(producers.accepted, stats.dispatched);
    CHECK_UINT(producers.accepted, stage.probe.seen);
    CHECK_INT((int64_t)producers.accepted, current(stage.recorder, "native", "value"));
    stage_leave(&stage, MVX_RECORDER_STOPPED);
}

struct race {
    struct stage stage;
    pthread_barrier_t line;
    int jitter;
};

static void race_start(void *shared, int number)
{
    struct race *race = shared;
    pthread_barrier_wait(&race->line);
    if (number == 0) {
        for (int i = 0; i < race->jitter; i++) {
            sched_yield();
        }
        OK(mvx_recorder_cancel(race->stage.recorder, ERR));
        return;
    }
    mvx_wait *wait = begin_start(race->stage.recorder);
    mvx_status status = wait_over(wait);
    if (status == MVX_INVALID_STATE) {
        FAILS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE", status);
    } else if (status == MVX_CANCELLED) {
        FAILS(MVX_CANCELLED, "DISPATCHER_UNEXPECTEDLY_CANCELLED", status);
    } else {
        OK(status);
    }
    mvx_wait_free(wait);
}

static void starts_racing_cancel(void)
{
    int rounds = (int)scaled(300, 15);
    for (int i = 0; i < rounds; i++) {
        struct race race;
        stage_enter(&race.stage, MVX_RECORDER_VIRGIN);
        race.jitter = i % 20;
        pthread_barrier_init(&race.line, NULL, 3);
        crew_run(3, race_start, &race);
        pthread_barrier_destroy(&race.line);
        CHECK_INT(MVX_RECORDER_CANCELLED, state_of(race.stage.recorder));
        EVENTUALLY(atomic_load(&race.stage.hooks.starting) == atomic_load(&race.stage.hooks.stopped));
        stage_leave(&race.stage, MVX_RECORDER_CANCELLED);
    }
}

static void race_stop(void *shared, int number)
{
    struct race *race = shared;
    pthread_barrier_wait(&race->line);
    if (number == 0) {
        for (int i = 0; i < race->jitter; i++) {
            sched_yield();
        }
        OK(mvx_recorder_cancel(race->stage.recorder, ERR));
        return;
    }
    record(race->stage.recorder, race->stage.type, 1);
    mvx_wait *wait = begin_stop(race->stage.recorder);
    mvx_status status = wait_over(wait);
    CHECK(status == MVX_OK || status == MVX_CANCELLED || status == MVX_INVALID_STATE);
    STATUS(status, status);
    mvx_wait_free(wait);
}

static void stops_racing_cancel(void)
{
    int rounds = (int)scaled(300, 15);
    for (int i = 0; i < rounds; i++) {
        struct race race;
        stage_enter(&race.stage, MVX_RECORDER_RUNNING);
        race.jitter = i % 20;
        pthread_barrier_init(&race.line, NULL, 3);
        crew_run(3, race_stop, &race);
        pthread_barrier_destroy(&race.line);
        CHECK_INT(MVX_RECORDER_CANCELLED, state_of(race.stage.recorder));
        EVENTUALLY(stats_of(race.stage.recorder).pending == 0);
        EVENTUALLY(atomic_load(&race.stage.hooks.stopped) == 1);
        stage_leave(&race.stage, MVX_RECORDER_CANCELLED);
        CHECK_INT(1, race.stage.hooks.stopped);
    }
}

/* ---- letting go ---------------------------------------------------------------------------------------- */

static void last_handle_stops_in_the_background(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_RUNNING);
    for (int i = 0; i < 1000; i++) {
        record_ok(stage.recorder, stage.type, 1);
    }
    mvx_recorder *second = NULL;
    OK(mvx_recorder_clone(stage.recorder, &second));
    mvx_recorder_free(stage.recorder);
    STATUS(MVX_INVALID_HANDLE, record(stage.recorder, stage.type, 1));
    record_ok(second, stage.type, 1);
    CHECK_INT(0, stage.probe.drops);
    mvx_recorder_free(second);
    STATUS(MVX_INVALID_HANDLE, record(second, stage.type, 1));
    EVENTUALLY(atomic_load(&stage.probe.drops) == 1 && atomic_load(&stage.hooks.drops) == 1);
    CHECK_UINT(1001, stage.probe.seen);
    CHECK_INT(1, stage.hooks.stopped);
    end_runtime(stage.runtime);
}

static void virgin_recorder_is_dropped_unused(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_VIRGIN);
    mvx_recorder_free(stage.recorder);
    EVENTUALLY(atomic_load(&stage.probe.drops) == 1 && atomic_load(&stage.hooks.drops) == 1);
    CHECK_INT(0, stage.hooks.starting);
    CHECK_INT(0, stage.hooks.stopped);
    end_runtime(stage.runtime);
}

static void replaced_metric_keeps_its_place(void)
{
    struct stage stage;
    stage_enter(&stage, MVX_RECORDER_VIRGIN);
    struct probe other = PROBE_INITIALIZER;
    struct probe successor = PROBE_INITIALIZER;
    add_probe(stage.recorder, "other", &other);
    start(stage.recorder);
    record_ok(stage.recorder, stage.type, 1);
    add_probe(stage.recorder, "probe", &successor);
    record_ok(stage.recorder, stage.type, 1);
    flush(stage.recorder);
    CHECK_UINT(1, stage.probe.seen);
    CHECK_UINT(1, successor.seen);
    CHECK_UINT(2, other.seen);
    EVENTUALLY(atomic_load(&stage.probe.drops) == 1);
    mvx_snapshot *snapshot = take_snapshot(stage.recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_UINT(2, mvx_snapshot_len(snapshot));
    CHECK_STR("probe", mvx_snapshot_name_at(snapshot, 0));
    CHECK_STR("other", mvx_snapshot_name_at(snapshot, 1));
    CHECK_INT(1, i64_in(snapshot, "probe", "count"));
    mvx_snapshot_free(snapshot);
    stage_leave(&stage, MVX_RECORDER_RUNNING);
    EVENTUALLY(atomic_load(&other.drops) == 1 && atomic_load(&successor.drops) == 1);
}

/* Registering a metric doesn't wait for the callback that is running, nor does it reach the events before it. */
static void register_metric_never_waits(void)
{
    struct stage stage;
    struct gate gate = GATE_INITIALIZER;
    struct probe late = PROBE_INITIALIZER;
    struct probe successor = PROBE_INITIALIZER;
    stage_enter(&stage, MVX_RECORDER_RUNNING);
    atomic_store(&stage.probe.hold, &gate);
    for (int i = 0; i < 5; i++) {
        record_ok(stage.recorder, stage.type, 1);
    }
    gate_await(&gate, 1);
    add_probe(stage.recorder, "late", &late);
    add_probe(stage.recorder, "probe", &successor);
    add_native(stage.recorder, "native", MVX_METRIC_COUNTER, stage.type, "value", NULL);
    record_ok(stage.recorder, stage.type, 100);
    CHECK_INT(0, stage.probe.drops);
    gate_open(&gate);
    flush(stage.recorder);
    CHECK_UINT(5, stage.probe.seen);
    CHECK_UINT(1, late.seen);
    CHECK_UINT(1, successor.seen);
    CHECK_INT(100, current(stage.recorder, "native", "value"));
    stage_leave(&stage, MVX_RECORDER_RUNNING);
    EVENTUALLY(atomic_load(&late.drops) == 1 && atomic_load(&successor.drops) == 1);
}

/* ---- the runtime's table ------------------------------------------------------------------------------- */

struct house {
    mvx_runtime *runtime;
    struct hook_probe hooks;
    mvx_wait *under_way;
};

static const char *const runtime_names[] = {"VIRGIN", "STARTING", "RUNNING", "STOPPING", "CLOSED", "FAILURE"};

/* STARTING passes too quickly to be held. */
static void house_enter(struct house *house, int32_t state)
{
    memset(house, 0, sizeof *house);
    mvx_runtime_options options = {.struct_size = sizeof options, .worker_threads = 2};
    OK(mvx_runtime_create(&options, &house->runtime, ERR));
    if (state == MVX_RUNTIME_STOPPING) {
        house->hooks.stopped_reply = MVX_HOOK_PENDING;
    } else if (state == MVX_RUNTIME_FAILURE) {
        house->hooks.stopped_reply = MVX_HOOK_FAILED;
    }
    if (state != MVX_RUNTIME_VIRGIN) {
        OK(mvx_runtime_start(house->runtime, ERR));
        mvx_hooks hooks = hooks_of(&house->hooks);
        mvx_recorder_options recorder = recorder_options();
        recorder.hooks = &hooks;
        mvx_recorder *made = NULL;
        OK(mvx_runtime_create_recorder(house->runtime, MVX_STR("one"), &recorder, &made, ERR));
        mvx_recorder_free(made);
    }
    if (state == MVX_RUNTIME_STOPPING) {
        atomic_store(&house->hooks.token, NULL);
        OK(mvx_runtime_shutdown_async(house->runtime, &house->under_way, ERR));
        EVENTUALLY(atomic_load(&house->hooks.token) != NULL);
    } else if (state == MVX_RUNTIME_CLOSED) {
        OK(mvx_runtime_shutdown(house->runtime, ERR));
    } else if (state == MVX_RUNTIME_FAILURE) {
        FAILS(MVX_SHUTDOWN_FAILED, "SHUTDOWN_ERROR", mvx_runtime_shutdown(house->runtime, ERR));
    }
    CHECK_INT(state, runtime_state(house->runtime));
}

static void house_leave(struct house *house)
{
    if (house->under_way) {
        STATUS(MVX_OK, mvx_completion_done(take_token(&house->hooks), (mvx_str){NULL, 0}));
        wait_ok(house->under_way);
        CHECK_INT(MVX_RUNTIME_CLOSED, runtime_state(house->runtime));
    }
    if (runtime_state(house->runtime) == MVX_RUNTIME_RUNNING) {
        OK(mvx_runtime_shutdown(house->runtime, ERR));
    }
    mvx_runtime_free(house->runtime);
    STATUS(MVX_INVALID_HANDLE, mvx_runtime_start(house->runtime, NULL));
    if (house->hooks.starting) {
        EVENTUALLY(atomic_load(&house->hooks.drops) == 1);
    }
}

static void runtime_table(void)
{
    static const int32_t states[] = {MVX_RUNTIME_VIRGIN, MVX_RUNTIME_RUNNING, MVX_RUNTIME_STOPPING, MVX_RUNTIME_CLOSED,
                                     MVX_RUNTIME_FAILURE};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        int32_t state = states[i];
        struct house house;
        house_enter(&house, state);
        mvx_recorder *recorder = NULL;
        mvx_strings *ids = NULL;
        if (state != MVX_RUNTIME_RUNNING) {
            mvx_error *error =
                FAILURE_OF(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE",
                           mvx_runtime_create_recorder(house.runtime, MVX_STR("two"), NULL, &recorder, ERR));
            char part[80];
            snprintf(part, sizeof part, "\"runtime_state\":\"%s\"", runtime_names[state]);
            CHECK(json_has(mvx_error_details_json(error), part));
            mvx_error_free(error);
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE",
                  mvx_runtime_get_recorder(house.runtime, MVX_STR("one"), &recorder, ERR));
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE",
                  mvx_runtime_try_get_recorder(house.runtime, MVX_STR("one"), &recorder, ERR));
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE",
                  mvx_runtime_list_recorder_ids(house.runtime, &ids, ERR));
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE",
                  mvx_runtime_stop_recorder(house.runtime, MVX_STR("one"), ERR));
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE",
                  mvx_runtime_stop_and_remove_recorder(house.runtime, MVX_STR("one"), &recorder, ERR));
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE", mvx_recorder_create(house.runtime, NULL, &recorder, ERR));
            CHECK(recorder == NULL);
            CHECK(ids == NULL);
        } else {
            OK(mvx_runtime_get_recorder(house.runtime, MVX_STR("one"), &recorder, ERR));
            mvx_recorder_free(recorder);
            OK(mvx_runtime_list_recorder_ids(house.runtime, &ids, ERR));
            CHECK_UINT(1, mvx_strings_len(ids));
            CHECK_STR("one", mvx_strings_at(ids, 0));
            mvx_strings_free(ids);
            OK(mvx_runtime_start(house.runtime, ERR));
        }
        if (state > MVX_RUNTIME_RUNNING) {
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE", mvx_runtime_start(house.runtime, ERR));
        }
        CHECK_INT(state, runtime_state(house.runtime));
        switch (state) {
        case MVX_RUNTIME_VIRGIN:
        case MVX_RUNTIME_RUNNING:
        case MVX_RUNTIME_CLOSED:
            OK(mvx_runtime_shutdown(house.runtime, ERR));
            CHECK_INT(MVX_RUNTIME_CLOSED, runtime_state(house.runtime));
            OK(mvx_runtime_shutdown(house.runtime, ERR));
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE", mvx_runtime_start(house.runtime, ERR));
            break;
        case MVX_RUNTIME_STOPPING: {
            mvx_wait *joined = NULL;
            OK(mvx_runtime_shutdown_async(house.runtime, &joined, ERR));
            STATUS(MVX_TIMEOUT, mvx_wait_block(joined, 0));
            house_leave(&house);
            wait_ok(joined);
            continue;
        }
        default: {
            FAILS(MVX_INVALID_STATE, "INVALID_RUNTIME_STATE", mvx_runtime_shutdown(house.runtime, ERR));
            mvx_error *last = NULL;
            OK(mvx_runtime_last_error(house.runtime, &last));
            CHECK_STR("SHUTDOWN_ERROR", mvx_error_reason(last));
            mvx_error_free(last);
            break;
        }
        }
        house_leave(&house);
    }
}

static void start_house(void *shared, int number)
{
    (void)number;
    struct house *house = shared;
    OK(mvx_runtime_start(house->runtime, ERR));
    CHECK_INT(MVX_RUNTIME_RUNNING, runtime_state(house->runtime));
}

static void runtime_concurrent_starts(void)
{
    int rounds = (int)scaled(50, 5);
    for (int i = 0; i < rounds; i++) {
        struct house house;
        house_enter(&house, MVX_RUNTIME_VIRGIN);
        crew_run(6, start_house, &house);
        house_leave(&house);
    }
}

TEST_MAIN(CASE(table_start), CASE(table_stop), CASE(table_flush),
          CASE(flush_of_a_starting_recorder_waits_for_its_events), CASE(table_register_metric),
          CASE(table_register_event), CASE(first_event_starts), CASE(table_reading), CASE(table_cancel),
          CASE(cancel_ends_what_is_under_way), CASE(failed_start_is_final), CASE(failed_stop_has_flushed),
          CASE(failing_metric_fails_the_recorder), CASE(metric_failing_while_stopping),
          CASE(quarantine_leaves_the_rest_alone), CASE(joined_starts), CASE(joined_stops),
          CASE(concurrent_stops_and_starts), CASE(restart_loops), CASE(events_racing_stops),
          CASE(starts_racing_cancel), CASE(stops_racing_cancel), CASE(last_handle_stops_in_the_background),
          CASE(virgin_recorder_is_dropped_unused), CASE(replaced_metric_keeps_its_place),
          CASE(register_metric_never_waits), CASE(runtime_table), CASE(runtime_concurrent_starts))
