/* Hooks: when they run, what their failing does, and that finishing later holds up nobody else. */
#include "support.h"

struct stand {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    struct hook_probe hooks;
    struct probe probe;
};

static void stand_open(struct stand *stand, bool with_changed)
{
    memset(stand, 0, sizeof *stand);
    stand->probe = (struct probe)PROBE_INITIALIZER;
    stand->runtime = new_runtime();
    stand->type = number_type("hooks.number");
    mvx_hooks hooks = hooks_of(&stand->hooks);
    hooks.on_metric_changed = with_changed ? hook_changed : NULL;
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    stand->recorder = new_recorder_with(stand->runtime, &options);
    add_probe(stand->recorder, "probe", &stand->probe);
}

static void stand_close(struct stand *stand)
{
    mvx_recorder_free(stand->recorder);
    end_runtime(stand->runtime);
    EVENTUALLY(atomic_load(&stand->probe.drops) == 1 && atomic_load(&stand->hooks.drops) == 1);
}

#define NOTHING ((mvx_str){NULL, 0})

/* ---- finishing in time --------------------------------------------------------------------------------- */

static void each_hook_runs_once_a_run(void)
{
    struct stand stand;
    stand_open(&stand, true);
    for (int run = 1; run <= 3; run++) {
        start(stand.recorder);
        CHECK_INT(run, stand.hooks.starting);
        CHECK_INT(run - 1, stand.hooks.stopped);
        for (int i = 0; i < 10; i++) {
            record_ok(stand.recorder, stand.type, i);
        }
        stop(stand.recorder);
        CHECK_INT(run, stand.hooks.stopped);
        CHECK_INT(10 * run, stand.hooks.changed);
    }
    CHECK_INT(0, stand.hooks.drops);
    stand_close(&stand);
}

static void an_ignored_event_is_no_change(void)
{
    struct stand stand;
    stand_open(&stand, true);
    atomic_store(&stand.probe.event_reply, MVX_EVENT_IGNORED);
    start(stand.recorder);
    for (int i = 0; i < 10; i++) {
        record_ok(stand.recorder, stand.type, i);
    }
    flush(stand.recorder);
    CHECK_UINT(10, stand.probe.seen);
    CHECK_INT(0, stand.hooks.changed);
    atomic_store(&stand.probe.event_reply, MVX_EVENT_CHANGED);
    record_ok(stand.recorder, stand.type, 1);
    flush(stand.recorder);
    CHECK_INT(1, stand.hooks.changed);
    stand_close(&stand);
}

struct diary {
    struct probe first;
    struct probe second;
    struct probe batching;
    char lines[64][24];
    atomic_int count;
    mvx_event_type type;
};

static void note(struct diary *diary, const char *text)
{
    int n = atomic_load(&diary->count);
    CHECK(n < 64);
    snprintf(diary->lines[n], sizeof diary->lines[n], "%s", text);
    atomic_store(&diary->count, n + 1);
}

static void note_first(struct probe *probe, const mvx_event *event)
{
    (void)event;
    note(probe->context, "first");
}

static void note_second(struct probe *probe, const mvx_event *event)
{
    (void)event;
    note(probe->context, "second");
}

static void note_batching(struct probe *probe, const mvx_event *event)
{
    (void)event;
    note(probe->context, "batching");
}

static int32_t diary_starting(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)completion;
    (void)error;
    note(user_data, "starting");
    return MVX_HOOK_DONE;
}

static int32_t diary_stopped(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)completion;
    (void)error;
    note(user_data, "stopped");
    return MVX_HOOK_DONE;
}

static int32_t diary_changed(void *user_data, mvx_str metric_name, void *metric_user_data, const mvx_event *event,
                             mvx_completion *completion, mvx_callback_error *error)
{
    (void)completion;
    (void)error;
    struct diary *diary = user_data;
    char text[24];
    snprintf(text, sizeof text, "%.*s!", (int)metric_name.len, metric_name.data);
    note(diary, text);
    CHECK_UINT(sizeof(struct number), event->len);
    CHECK_UINT(diary->type, event->type);
    CHECK_STR("hooks.number", event->type_name);
    CHECK(event->time_unix_ns > 1600000000000000000u);
    if (str_is(metric_name, "first")) {
        CHECK(metric_user_data == &diary->first);
    } else if (str_is(metric_name, "second")) {
        CHECK(metric_user_data == &diary->second);
    } else if (str_is(metric_name, "batching")) {
        CHECK(metric_user_data == &diary->batching);
    } else {
        CHECK_STR("native", metric_name);
        CHECK(metric_user_data == NULL);
    }
    return MVX_HOOK_DONE;
}

/* Metric, its hook, next metric, its hook; one event after the other. */
static void changes_are_told_before_the_next_metric(void)
{
    static const char *const expected[] = {"starting", "first",   "first!",   "native!",   "second", "second!", "batching",
                                           "batching!", "first",  "first!",   "native!",   "second", "second!", "batching",
                                           "batching!", "stopped"};
    struct diary diary = {
        .first = PROBE_INITIALIZER, .second = PROBE_INITIALIZER, .batching = PROBE_INITIALIZER, .count = 0};
    diary.first.inside = note_first;
    diary.second.inside = note_second;
    diary.batching.inside = note_batching;
    diary.first.context = diary.second.context = diary.batching.context = &diary;
    diary.type = number_type("hooks.number");
    mvx_runtime *runtime = new_runtime();
    mvx_hooks hooks = {.struct_size = sizeof hooks,
                       .on_starting = diary_starting,
                       .on_stopped = diary_stopped,
                       .on_metric_changed = diary_changed,
                       .user_data = &diary};
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    add_probe(recorder, "first", &diary.first);
    add_native(recorder, "native", MVX_METRIC_COUNTER, diary.type, NULL, NULL);
    add_probe(recorder, "second", &diary.second);
    add_batch_probe(recorder, "batching", &diary.batching);
    record_ok(recorder, diary.type, 1);
    record_ok(recorder, diary.type, 2);
    flush(recorder);
    EVENTUALLY(state_of(recorder) == MVX_RECORDER_RUNNING);
    stop(recorder);
    CHECK_INT((int)(sizeof expected / sizeof expected[0]), diary.count);
    for (int i = 0; i < diary.count; i++) {
        if (strcmp(expected[i], diary.lines[i]) != 0) {
            FAIL("line %d is %s, not %s", i, diary.lines[i], expected[i]);
        }
    }
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* ---- failing ------------------------------------------------------------------------------------------- */

static void failing_on_metric_changed(void)
{
    for (int later = 0; later < 2; later++) {
        struct stand stand;
        stand_open(&stand, true);
        stand.hooks.changed_reply = later ? MVX_HOOK_PENDING : MVX_HOOK_FAILED;
        start(stand.recorder);
        atomic_store(&stand.hooks.token, NULL);
        for (int i = 0; i < 5; i++) {
            record(stand.recorder, stand.type, 1);
        }
        if (later) {
            STATUS(MVX_OK, mvx_completion_done(take_token(&stand.hooks), MVX_STR("told too late")));
        }
        EVENTUALLY(state_of(stand.recorder) == MVX_RECORDER_FAILURE);
        EVENTUALLY(atomic_load(&stand.hooks.stopped) == 1);
        mvx_error *last = NULL;
        OK(mvx_recorder_last_error(stand.recorder, &last));
        CHECK_INT(MVX_METRIC_FAILED, mvx_error_status(last));
        CHECK(mvx_error_cause(last) != NULL);
        CHECK_STR("CALLBACK_ERROR", mvx_error_reason(mvx_error_cause(last)));
        CHECK_STR(later ? "told too late" : "the hook refuses", mvx_error_message(mvx_error_cause(last)));
        mvx_error_free(last);
        EVENTUALLY(stats_of(stand.recorder).pending == 0);
        CHECK_INT(1, stand.hooks.changed);
        CHECK_UINT(1, stand.probe.seen);
        stand_close(&stand);
    }
}

static int32_t fail_without_a_word(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)user_data;
    (void)completion;
    (void)error;
    return MVX_HOOK_FAILED;
}

static int32_t answer_nonsense(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)user_data;
    (void)completion;
    (void)error;
    return 4711;
}

static void a_failure_without_a_message(void)
{
    mvx_runtime *runtime = new_runtime();
    for (int i = 0; i < 2; i++) {
        mvx_hooks hooks = {.struct_size = sizeof hooks, .on_starting = i ? answer_nonsense : fail_without_a_word};
        mvx_recorder_options options = recorder_options();
        options.hooks = &hooks;
        mvx_recorder *recorder = new_recorder_with(runtime, &options);
        mvx_error *error = wait_failure(begin_start(recorder), MVX_HOOK_FAILED, "ON_STARTING_HOOK_FAILED");
        CHECK(mvx_error_cause(error) != NULL);
        if (i == 0) {
            CHECK_STR("the callback gave no message", mvx_error_message(mvx_error_cause(error)));
        }
        mvx_error_free(error);
        mvx_recorder_free(recorder);
    }
    end_runtime(runtime);
}

/* A message set by a hook that then succeeds means nothing. */
static int32_t set_and_succeed(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)user_data;
    (void)completion;
    mvx_callback_error_set(error, MVX_STR("first"));
    mvx_callback_error_set(error, MVX_STR("second"));
    mvx_callback_error_set(NULL, MVX_STR("third"));
    return MVX_HOOK_DONE;
}

static void a_message_alone_is_no_failure(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_hooks hooks = {.struct_size = sizeof hooks, .on_starting = set_and_succeed};
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    start(recorder);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* ---- finishing later ----------------------------------------------------------------------------------- */

struct finisher {
    struct hook_probe *hooks;
    int count;
};

static void *finish_later(void *argument)
{
    struct finisher *finisher = argument;
    for (int i = 0; i < finisher->count; i++) {
        STATUS(MVX_OK, mvx_completion_done(take_token(finisher->hooks), NOTHING));
    }
    return NULL;
}

/* Every hook of a run is completed by another thread, some perhaps before the hook has returned PENDING. */
static void all_hooks_may_finish_elsewhere(void)
{
    struct stand stand;
    stand_open(&stand, true);
    stand.hooks.starting_reply = MVX_HOOK_PENDING;
    stand.hooks.stopped_reply = MVX_HOOK_PENDING;
    stand.hooks.changed_reply = MVX_HOOK_PENDING;
    int events = (int)scaled(300, 20);
    struct finisher finisher = {&stand.hooks, events + 2};
    pthread_t thread = spawn(finish_later, &finisher);
    start(stand.recorder);
    for (int i = 0; i < events; i++) {
        record_ok(stand.recorder, stand.type, i);
    }
    stop(stand.recorder);
    join(thread);
    CHECK_INT(events, stand.hooks.changed);
    CHECK_UINT(events, stand.probe.seen);
    CHECK_UINT(events, stats_of(stand.recorder).dispatched);
    stand_close(&stand);
}

static int32_t finish_inside(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)error;
    struct hook_probe *probe = user_data;
    atomic_fetch_add(&probe->starting, 1);
    STATUS(MVX_OK, mvx_completion_done(completion, NOTHING));
    STATUS(MVX_INVALID_HANDLE, mvx_completion_done(completion, NOTHING));
    return MVX_HOOK_PENDING;
}

static void a_hook_may_finish_itself(void)
{
    mvx_runtime *runtime = new_runtime();
    struct hook_probe probe = {0};
    mvx_hooks hooks = hooks_of(&probe);
    hooks.on_starting = finish_inside;
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    start(recorder);
    CHECK_INT(1, probe.starting);
    stop(recorder);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

static void a_token_works_once(void)
{
    struct stand stand;
    stand_open(&stand, false);
    stand.hooks.starting_reply = MVX_HOOK_PENDING;
    mvx_wait *wait = begin_start(stand.recorder);
    mvx_completion *token = take_token(&stand.hooks);
    CHECK_INT(MVX_RECORDER_STARTING, state_of(stand.recorder));
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, MS(30)));
    STATUS(MVX_OK, mvx_completion_done(token, NOTHING));
    STATUS(MVX_INVALID_HANDLE, mvx_completion_done(token, NOTHING));
    STATUS(MVX_INVALID_HANDLE, mvx_completion_done(token, MVX_STR("too late")));
    wait_ok(wait);
    STATUS(MVX_INVALID_HANDLE, mvx_completion_done(token, NOTHING));
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(stand.recorder));
    /* The token of a hook that was done in time is worth nothing. */
    atomic_store(&stand.hooks.token, NULL);
    stop(stand.recorder);
    STATUS(MVX_INVALID_HANDLE, mvx_completion_done(take_token(&stand.hooks), NOTHING));
    stand_close(&stand);
}

struct token_race {
    mvx_completion *token;
    pthread_barrier_t line;
    atomic_int won;
};

static void race_for_the_token(void *shared, int number)
{
    (void)number;
    struct token_race *race = shared;
    pthread_barrier_wait(&race->line);
    mvx_status status = mvx_completion_done(race->token, NOTHING);
    if (status == MVX_OK) {
        atomic_fetch_add(&race->won, 1);
    } else {
        STATUS(MVX_INVALID_HANDLE, status);
    }
}

static void one_of_many_finishers_wins(void)
{
    int rounds = (int)scaled(100, 10);
    for (int i = 0; i < rounds; i++) {
        struct stand stand;
        stand_open(&stand, false);
        stand.hooks.starting_reply = MVX_HOOK_PENDING;
        mvx_wait *wait = begin_start(stand.recorder);
        struct token_race race = {.token = take_token(&stand.hooks)};
        pthread_barrier_init(&race.line, NULL, 4);
        crew_run(4, race_for_the_token, &race);
        pthread_barrier_destroy(&race.line);
        CHECK_INT(1, race.won);
        wait_ok(wait);
        stand_close(&stand);
    }
}

/* ---- holding up nobody else ---------------------------------------------------------------------------- */

static void expect_to_go_on(mvx_runtime *runtime, mvx_event_type type)
{
    struct probe probe = PROBE_INITIALIZER;
    struct hook_probe hook_probe = {0};
    mvx_hooks hooks = hooks_of(&hook_probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    add_probe(recorder, "probe", &probe);
    start(recorder);
    for (int i = 0; i < 100; i++) {
        record_ok(recorder, type, 1);
    }
    flush(recorder);
    CHECK_INT(100, current(recorder, "probe", "sum"));
    stop(recorder);
    mvx_recorder_free(recorder);
    EVENTUALLY(atomic_load(&probe.drops) == 1 && atomic_load(&hook_probe.drops) == 1);
}

static void a_pending_recorder_holds_up_itself_only(void)
{
    mvx_runtime_options runtime_options = {.struct_size = sizeof runtime_options, .worker_threads = 1};
    mvx_runtime *runtime = new_runtime_with(&runtime_options);
    mvx_event_type type = number_type("hooks.number");
    struct hook_probe pending = {.changed_reply = MVX_HOOK_PENDING};
    mvx_hooks hooks = hooks_of(&pending);
    hooks.on_metric_changed = hook_changed;
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    add_native(recorder, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
    start(recorder);
    atomic_store(&pending.token, NULL);
    record_ok(recorder, type, 1);
    record_ok(recorder, type, 1);
    mvx_completion *token = take_token(&pending);
    expect_to_go_on(runtime, type);
    CHECK_INT(1, pending.changed);
    CHECK_UINT(2, stats_of(recorder).pending);
    atomic_store(&pending.changed_reply, MVX_HOOK_DONE);
    STATUS(MVX_OK, mvx_completion_done(token, NOTHING));
    flush(recorder);
    CHECK_INT(2, pending.changed);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

#define BLOCKED_MOST 600

/* So many recorders stand in a callback at once; one more still works, and so does their runtime. */
static void block_many(bool in_hooks)
{
    mvx_runtime_options runtime_options = {.struct_size = sizeof runtime_options, .worker_threads = 2};
    mvx_runtime *runtime = new_runtime_with(&runtime_options);
    mvx_event_type type = number_type("hooks.number");
    int count = mode_is("valgrind") ? 60 : BLOCKED_MOST;
    struct gate gate = GATE_INITIALIZER;
    struct probe *probes = calloc((size_t)count, sizeof *probes);
    struct hook_probe *hook_probes = calloc((size_t)count, sizeof *hook_probes);
    mvx_recorder **recorders = calloc((size_t)count, sizeof(mvx_recorder *));
    CHECK(probes && hook_probes && recorders);
    for (int i = 0; i < count; i++) {
        mvx_hooks hooks = hooks_of(&hook_probes[i]);
        mvx_recorder_options options = recorder_options();
        options.hooks = &hooks;
        probes[i] = (struct probe)PROBE_INITIALIZER;
        if (in_hooks) {
            hook_probes[i].starting_hold = &gate;
        } else {
            probes[i].hold = &gate;
        }
        recorders[i] = new_recorder_with(runtime, &options);
        add_probe(recorders[i], "probe", &probes[i]);
        record_ok(recorders[i], type, 1);
    }
    gate_await(&gate, (uint64_t)count);
    expect_to_go_on(runtime, type);
    gate_open(&gate);
    for (int i = 0; i < count; i++) {
        flush(recorders[i]);
        CHECK_UINT(1, probes[i].seen);
        mvx_recorder_free(recorders[i]);
    }
    end_runtime(runtime);
    for (int i = 0; i < count; i++) {
        EVENTUALLY(atomic_load(&probes[i].drops) == 1 && atomic_load(&hook_probes[i].drops) == 1);
    }
    free(probes);
    free(hook_probes);
    free(recorders);
}

static void many_blocked_metrics(void)
{
    block_many(false);
}

static void many_blocked_hooks(void)
{
    block_many(true);
}

static void many_pending_hooks(void)
{
    mvx_runtime_options runtime_options = {.struct_size = sizeof runtime_options, .worker_threads = 1};
    mvx_runtime *runtime = new_runtime_with(&runtime_options);
    mvx_event_type type = number_type("hooks.number");
    int count = (int)scaled(2000, 100);
    struct hook_probe *probes = calloc((size_t)count, sizeof *probes);
    mvx_recorder **recorders = calloc((size_t)count, sizeof(mvx_recorder *));
    mvx_wait **waits = calloc((size_t)count, sizeof(mvx_wait *));
    CHECK(probes && recorders && waits);
    for (int i = 0; i < count; i++) {
        probes[i].starting_reply = MVX_HOOK_PENDING;
        mvx_hooks hooks = hooks_of(&probes[i]);
        mvx_recorder_options options = recorder_options();
        options.hooks = &hooks;
        recorders[i] = new_recorder_with(runtime, &options);
        waits[i] = begin_start(recorders[i]);
    }
    for (int i = 0; i < count; i++) {
        EVENTUALLY(atomic_load(&probes[i].token) != NULL);
    }
    /* Waiting for a token takes no thread, though one may rest a while before it goes. */
    EVENTUALLY(thread_count() < 60);
    expect_to_go_on(runtime, type);
    for (int i = 0; i < count; i++) {
        STATUS(MVX_OK, mvx_completion_done(take_token(&probes[i]), NOTHING));
        wait_ok(waits[i]);
        mvx_recorder_free(recorders[i]);
    }
    end_runtime(runtime);
    free(probes);
    free(recorders);
    free(waits);
}

/* ---- hooks that call back ------------------------------------------------------------------------------ */

struct busy {
    mvx_recorder *recorder;
    mvx_event_type type;
    struct probe added;
    atomic_int calls;
};

static int32_t busy_starting(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)completion;
    (void)error;
    struct busy *busy = user_data;
    CHECK_INT(MVX_RECORDER_STARTING, state_of(busy->recorder));
    add_probe(busy->recorder, "added", &busy->added);
    record_ok(busy->recorder, busy->type, 1);
    mvx_wait *wait = begin_start(busy->recorder);
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, 0));
    STATUS(MVX_WOULD_DEADLOCK, mvx_wait_block(wait, MS(1000)));
    STATUS(MVX_WOULD_DEADLOCK, mvx_wait_block(wait, -1));
    mvx_wait_free(wait);
    atomic_fetch_add(&busy->calls, 1);
    return MVX_HOOK_DONE;
}

static int32_t busy_changed(void *user_data, mvx_str metric_name, void *metric_user_data, const mvx_event *event,
                            mvx_completion *completion, mvx_callback_error *error)
{
    (void)metric_name;
    (void)metric_user_data;
    (void)completion;
    (void)error;
    struct busy *busy = user_data;
    struct number number;
    memcpy(&number, event->payload, sizeof number);
    if (number.value < 5) {
        record_ok(busy->recorder, busy->type, number.value + 1);
    } else {
        OK(mvx_recorder_stop(busy->recorder, NULL, ERR));
    }
    atomic_fetch_add(&busy->calls, 1);
    return MVX_HOOK_DONE;
}

static int32_t busy_stopped(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    (void)completion;
    (void)error;
    struct busy *busy = user_data;
    CHECK_INT(MVX_RECORDER_STOPPING, state_of(busy->recorder));
    STATUS(MVX_INVALID_STATE, record(busy->recorder, busy->type, 1));
    CHECK_INT(15, current(busy->recorder, "added", "sum"));
    CHECK_UINT(5, stats_of(busy->recorder).dispatched);
    atomic_fetch_add(&busy->calls, 1);
    return MVX_HOOK_DONE;
}

static void hooks_may_call_anything(void)
{
    mvx_runtime *runtime = new_runtime();
    struct busy busy = {.type = number_type("hooks.number"), .added = PROBE_INITIALIZER};
    mvx_hooks hooks = {.struct_size = sizeof hooks,
                       .on_starting = busy_starting,
                       .on_stopped = busy_stopped,
                       .on_metric_changed = busy_changed,
                       .user_data = &busy};
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    busy.recorder = new_recorder_with(runtime, &options);
    wait_ok(begin_start(busy.recorder));
    EVENTUALLY(state_of(busy.recorder) == MVX_RECORDER_STOPPED);
    CHECK_INT(7, busy.calls);
    mvx_recorder_free(busy.recorder);
    end_runtime(runtime);
    EVENTUALLY(atomic_load(&busy.added.drops) == 1);
}

TEST_MAIN(CASE(each_hook_runs_once_a_run), CASE(an_ignored_event_is_no_change),
          CASE(changes_are_told_before_the_next_metric), CASE(failing_on_metric_changed),
          CASE(a_failure_without_a_message), CASE(a_message_alone_is_no_failure), CASE(all_hooks_may_finish_elsewhere),
          CASE(a_hook_may_finish_itself), CASE(a_token_works_once), CASE(one_of_many_finishers_wins),
          CASE(a_pending_recorder_holds_up_itself_only), CASE(many_blocked_metrics), CASE(many_blocked_hooks),
          CASE(many_pending_hooks), CASE(hooks_may_call_anything))
