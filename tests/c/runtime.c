/* Runtimes: the registry under concurrency, a shutdown that keeps its deadline, and threads that are gone after it. */
#include "support.h"

#define RACERS 8

/* ---- one id, many threads ------------------------------------------------------------------------------ */

struct contest {
    mvx_runtime *runtime;
    pthread_barrier_t line;
    int rounds;
    _Atomic int created;
    _Atomic int removed;
};

static void race_to_create_and_remove(void *shared, int number)
{
    (void)number;
    struct contest *contest = shared;
    for (int i = 0; i < contest->rounds; i++) {
        mvx_recorder *recorder = NULL;
        pthread_barrier_wait(&contest->line);
        mvx_status status = mvx_runtime_create_recorder(contest->runtime, MVX_STR("one"), NULL, &recorder, ERR);
        if (status == MVX_OK) {
            OK(status);
            CHECK(recorder != NULL);
            CHECK_INT(MVX_RECORDER_RUNNING, state_of(recorder));
            mvx_recorder_free(recorder);
            atomic_fetch_add(&contest->created, 1);
        } else {
            FAILS(MVX_ALREADY_EXISTS, "RECORDER_ALREADY_EXISTS", status);
            CHECK(recorder == NULL);
        }
        pthread_barrier_wait(&contest->line);
        CHECK_INT(i + 1, contest->created);
        OK(mvx_runtime_get_recorder(contest->runtime, MVX_STR("one"), &recorder, ERR));
        mvx_recorder_free(recorder);
        recorder = NULL;
        pthread_barrier_wait(&contest->line);
        status = mvx_runtime_stop_and_remove_recorder(contest->runtime, MVX_STR("one"), &recorder, ERR);
        if (status == MVX_OK) {
            OK(status);
            CHECK_INT(MVX_RECORDER_STOPPED, state_of(recorder));
            mvx_recorder_free(recorder);
            atomic_fetch_add(&contest->removed, 1);
        } else {
            FAILS(MVX_NOT_FOUND, "RECORDER_NOT_FOUND", status);
        }
        pthread_barrier_wait(&contest->line);
        CHECK_INT(i + 1, contest->removed);
    }
}

static void of_concurrent_creates_one_wins(void)
{
    struct contest contest = {.runtime = new_runtime(), .rounds = (int)scaled(150, 10)};
    pthread_barrier_init(&contest.line, NULL, RACERS);
    crew_run(RACERS, race_to_create_and_remove, &contest);
    pthread_barrier_destroy(&contest.line);
    end_runtime(contest.runtime);
}

/* Without the rounds: creates and removes in any order, each answer one of the allowed ones. */
static void create_and_remove_freely(void *shared, int number)
{
    struct contest *contest = shared;
    uint64_t random = (uint64_t)number;
    static const char *const ids[] = {"a", "b"};
    for (int i = 0; i < contest->rounds; i++) {
        mvx_str id = str_of(ids[next_random(&random) % 2]);
        mvx_recorder *recorder = NULL;
        mvx_status status;
        switch (next_random(&random) % 5) {
        case 0:
        case 1:
            status = mvx_runtime_create_recorder(contest->runtime, id, NULL, &recorder, NULL);
            CHECK(status == MVX_OK || status == MVX_ALREADY_EXISTS);
            atomic_fetch_add(&contest->created, status == MVX_OK);
            break;
        case 2:
            status = mvx_runtime_stop_and_remove_recorder(contest->runtime, id, &recorder, NULL);
            CHECK(status == MVX_OK || status == MVX_NOT_FOUND);
            atomic_fetch_add(&contest->removed, status == MVX_OK);
            break;
        case 3:
            status = mvx_runtime_try_get_recorder(contest->runtime, id, &recorder, NULL);
            CHECK(status == MVX_OK);
            break;
        default:
            status = mvx_runtime_stop_recorder(contest->runtime, id, NULL);
            CHECK(status == MVX_OK || status == MVX_NOT_FOUND);
            break;
        }
        if (recorder) {
            CHECK(state_of(recorder) >= MVX_RECORDER_STARTING);
            mvx_recorder_free(recorder);
        }
    }
}

static void creates_and_removes_add_up(void)
{
    struct contest contest = {.runtime = new_runtime(), .rounds = (int)scaled(1500, 60)};
    crew_run(6, create_and_remove_freely, &contest);
    mvx_strings *ids = NULL;
    OK(mvx_runtime_list_recorder_ids(contest.runtime, &ids, ERR));
    CHECK_INT(contest.created - contest.removed, mvx_strings_len(ids));
    mvx_strings_free(ids);
    end_runtime(contest.runtime);
}

struct slow {
    mvx_runtime *runtime;
    struct hook_probe *probe;
    mvx_status expected;
};

static void *create_slow(void *argument)
{
    struct slow *slow = argument;
    mvx_hooks hooks = hooks_of(slow->probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = NULL;
    STATUS(slow->expected, mvx_runtime_create_recorder(slow->runtime, MVX_STR("slow"), &options, &recorder, ERR));
    mvx_recorder_free(recorder);
    return NULL;
}

/* The id is taken while its recorder is starting, and free again when that fails. */
static void an_id_is_taken_while_it_starts(void)
{
    for (int failing = 0; failing < 2; failing++) {
        mvx_runtime *runtime = new_runtime();
        struct hook_probe probe = {.starting_reply = MVX_HOOK_PENDING};
        struct slow slow = {runtime, &probe, failing ? MVX_STARTUP_FAILED : MVX_OK};
        pthread_t thread = spawn(create_slow, &slow);
        mvx_completion *token = take_token(&probe);
        mvx_recorder *recorder = NULL;
        FAILS(MVX_ALREADY_EXISTS, "RECORDER_ALREADY_EXISTS",
              mvx_runtime_create_recorder(runtime, MVX_STR(" slow\t"), NULL, &recorder, ERR));
        STATUS(MVX_OK, mvx_completion_done(token, failing ? MVX_STR("no") : (mvx_str){NULL, 0}));
        join(thread);
        OK(mvx_runtime_try_get_recorder(runtime, MVX_STR("slow"), &recorder, ERR));
        CHECK((recorder == NULL) == (failing == 1));
        mvx_recorder_free(recorder);
        if (failing) {
            OK(mvx_runtime_create_recorder(runtime, MVX_STR("slow"), NULL, &recorder, ERR));
            mvx_recorder_free(recorder);
        }
        end_runtime(runtime);
        EVENTUALLY(atomic_load(&probe.drops) == 1);
    }
}

/* ---- the registry -------------------------------------------------------------------------------------- */

static void ids_are_trimmed_and_default_to_the_entity(void)
{
    mvx_runtime_options options = {.struct_size = sizeof options, .name_space = MVX_STR("shop")};
    mvx_runtime *runtime = new_runtime_with(&options);
    mvx_recorder *made = NULL, *got = NULL;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("  till \n"), NULL, &made, ERR));
    OK(mvx_runtime_get_recorder(runtime, MVX_STR("till  "), &got, ERR));
    CHECK(got != made);
    mvx_text *text = NULL;
    OK(mvx_recorder_entity_id(got, &text));
    CHECK_STR("till", mvx_text_str(text));
    mvx_text_free(text);
    OK(mvx_recorder_name_space(got, &text));
    CHECK_STR("shop", mvx_text_str(text));
    mvx_text_free(text);
    mvx_recorder_free(got);
    mvx_recorder_free(made);
    got = NULL;
    FAILS(MVX_INVALID_ARGUMENT, "INVALID_ARGUMENT",
          mvx_runtime_create_recorder(runtime, MVX_STR(" \t "), NULL, &made, ERR));
    FAILS(MVX_NOT_FOUND, "RECORDER_NOT_FOUND", mvx_runtime_get_recorder(runtime, MVX_STR("tills"), &got, ERR));
    OK(mvx_runtime_try_get_recorder(runtime, MVX_STR("tills"), &got, ERR));
    CHECK(got == NULL);
    FAILS(MVX_NOT_FOUND, "RECORDER_NOT_FOUND", mvx_runtime_stop_recorder(runtime, MVX_STR("tills"), ERR));
    mvx_recorder_options own = recorder_options();
    own.entity_id = MVX_STR("somebody");
    own.name_space = MVX_STR("elsewhere");
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("desk"), &own, &made, ERR));
    OK(mvx_recorder_entity_id(made, &text));
    CHECK_STR("somebody", mvx_text_str(text));
    mvx_text_free(text);
    OK(mvx_recorder_name_space(made, &text));
    CHECK_STR("elsewhere", mvx_text_str(text));
    mvx_text_free(text);
    mvx_recorder_free(made);
    mvx_strings *ids = NULL;
    OK(mvx_runtime_list_recorder_ids(runtime, &ids, ERR));
    CHECK_UINT(2, mvx_strings_len(ids));
    CHECK(str_is(mvx_strings_at(ids, 0), "till") || str_is(mvx_strings_at(ids, 1), "till"));
    CHECK(str_is(mvx_strings_at(ids, 0), "desk") || str_is(mvx_strings_at(ids, 1), "desk"));
    CHECK_UINT(0, mvx_strings_at(ids, 2).len);
    mvx_strings_free(ids);
    end_runtime(runtime);
}

static void a_direct_recorder_gets_an_id(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_recorder_options options = recorder_options();
    mvx_text *text = NULL;
    options.entity_id = MVX_STR("  direct ");
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    OK(mvx_recorder_entity_id(recorder, &text));
    CHECK_STR("direct", mvx_text_str(text));
    mvx_text_free(text);
    mvx_recorder_free(recorder);
    options.entity_id = MVX_STR("   ");
    recorder = new_recorder_with(runtime, &options);
    OK(mvx_recorder_entity_id(recorder, &text));
    CHECK_UINT(8, mvx_text_str(text).len);
    for (size_t i = 0; i < 8; i++) {
        CHECK(strchr("0123456789abcdef", mvx_text_str(text).data[i]) != NULL);
    }
    mvx_text_free(text);
    mvx_recorder_free(recorder);
    mvx_strings *ids = NULL;
    OK(mvx_runtime_list_recorder_ids(runtime, &ids, ERR));
    CHECK_UINT(0, mvx_strings_len(ids));
    mvx_strings_free(ids);
    end_runtime(runtime);
}

static void stopping_by_id(void)
{
    mvx_runtime *runtime = new_runtime();
    struct hook_probe probe = {0};
    mvx_hooks hooks = hooks_of(&probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = NULL;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("one"), &options, &recorder, ERR));
    OK(mvx_runtime_stop_recorder(runtime, MVX_STR("one"), ERR));
    CHECK_INT(MVX_RECORDER_STOPPED, state_of(recorder));
    OK(mvx_runtime_stop_recorder(runtime, MVX_STR("one"), ERR));
    CHECK_INT(1, probe.stopped);
    start(recorder);
    probe.stopped_reply = MVX_HOOK_FAILED;
    mvx_error *error = FAILURE_OF(MVX_STOP_FAILED, "RECORDER_STOP_ERROR",
                                  mvx_runtime_stop_recorder(runtime, MVX_STR("one"), ERR));
    CHECK(mvx_error_cause(error) != NULL);
    CHECK_STR("ON_STOPPED_HOOK_FAILED", mvx_error_reason(mvx_error_cause(error)));
    mvx_error_free(error);
    /* Removed all the same. */
    FAILS(MVX_STOP_FAILED, "RECORDER_STOP_ERROR",
          mvx_runtime_stop_and_remove_recorder(runtime, MVX_STR("one"), NULL, ERR));
    FAILS(MVX_NOT_FOUND, "RECORDER_NOT_FOUND",
          mvx_runtime_stop_and_remove_recorder(runtime, MVX_STR("one"), NULL, ERR));
    mvx_recorder_free(recorder);
    EVENTUALLY(atomic_load(&probe.drops) == 1);
    end_runtime(runtime);
}

/* The registry keeps a recorder alive though nobody else does. */
static void the_registry_holds_its_recorders(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("runtime.number");
    struct probe probe = PROBE_INITIALIZER;
    mvx_recorder *recorder = NULL;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("kept"), NULL, &recorder, ERR));
    add_probe(recorder, "probe", &probe);
    record_ok(recorder, type, 1);
    mvx_recorder_free(recorder);
    sleep_ms(30);
    CHECK_INT(0, probe.drops);
    OK(mvx_runtime_get_recorder(runtime, MVX_STR("kept"), &recorder, ERR));
    record_ok(recorder, type, 1);
    OK(mvx_runtime_stop_and_remove_recorder(runtime, MVX_STR("kept"), NULL, ERR));
    CHECK_UINT(2, probe.seen);
    CHECK_INT(2, current(recorder, "probe", "sum"));
    CHECK_INT(0, probe.drops);
    mvx_recorder_free(recorder);
    EVENTUALLY(atomic_load(&probe.drops) == 1);
    end_runtime(runtime);
}

/* ---- shutdown ------------------------------------------------------------------------------------------ */

/* Nothing runs a recorder whose runtime is closed; asking for it is answered, not hung. */
static void refuse_to_start(mvx_recorder *recorder)
{
    mvx_wait *wait = NULL;
    mvx_status status = mvx_recorder_start(recorder, &wait, ERR);
    if (status == MVX_OK) {
        status = wait_over(wait);
        mvx_wait_free(wait);
    }
    STATUS(MVX_INVALID_STATE, status);
}

static void shutdown_flushes_and_stops_all(void)
{
    int threads = thread_count();
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("runtime.number");
    enum { COUNT = 12 };
    struct probe probes[COUNT];
    mvx_recorder *recorders[COUNT];
    for (int i = 0; i < COUNT; i++) {
        char id[16];
        snprintf(id, sizeof id, "r%d", i);
        probes[i] = (struct probe)PROBE_INITIALIZER;
        if (i % 2) {
            OK(mvx_runtime_create_recorder(runtime, str_of(id), NULL, &recorders[i], ERR));
        } else {
            recorders[i] = new_recorder(runtime);
        }
        add_probe(recorders[i], "probe", &probes[i]);
        for (int n = 0; n < 500; n++) {
            record_ok(recorders[i], type, 1);
        }
    }
    CHECK(thread_count() > threads);
    OK(mvx_runtime_shutdown(runtime, ERR));
    expect_threads(threads);
    CHECK_INT(MVX_RUNTIME_CLOSED, runtime_state(runtime));
    for (int i = 0; i < COUNT; i++) {
        CHECK_UINT(500, probes[i].seen);
        CHECK_INT(MVX_RECORDER_STOPPED, state_of(recorders[i]));
        CHECK_INT(500, current(recorders[i], "probe", "sum"));
        STATUS(MVX_INVALID_STATE, record(recorders[i], type, 1));
        refuse_to_start(recorders[i]);
        CHECK_INT(0, probes[i].drops);
        mvx_recorder_free(recorders[i]);
        EVENTUALLY(atomic_load(&probes[i].drops) == 1);
    }
    mvx_runtime_free(runtime);
    expect_threads(threads);
}

static void threads_come_and_go_with_runtimes(void)
{
    int threads = thread_count();
    mvx_runtime *virgin = NULL;
    OK(mvx_runtime_create(NULL, &virgin, ERR));
    expect_threads(threads);
    OK(mvx_runtime_shutdown(virgin, ERR));
    mvx_runtime_free(virgin);
    int rounds = (int)scaled(60, 8);
    for (int i = 0; i < rounds; i++) {
        mvx_runtime *one = new_runtime();
        mvx_runtime *two = new_runtime();
        mvx_recorder *recorder = new_recorder(one);
        start(recorder);
        mvx_recorder_free(recorder);
        end_runtime(one);
        CHECK(thread_count() > threads);
        end_runtime(two);
        /* A thread that was joined is listed for a moment yet. */
        EVENTUALLY(thread_count() == threads);
    }
}

static void shut_down(void *shared, int number)
{
    mvx_runtime *runtime = shared;
    if (number % 2) {
        OK(mvx_runtime_shutdown(runtime, ERR));
    } else {
        mvx_wait *wait = NULL;
        OK(mvx_runtime_shutdown_async(runtime, &wait, ERR));
        wait_ok(wait);
    }
    CHECK_INT(MVX_RUNTIME_CLOSED, runtime_state(runtime));
}

static void concurrent_shutdowns_join(void)
{
    int threads = thread_count();
    int rounds = (int)scaled(40, 5);
    for (int i = 0; i < rounds; i++) {
        mvx_runtime *runtime = new_runtime();
        struct probe probe = PROBE_INITIALIZER;
        mvx_event_type type = number_type("runtime.number");
        mvx_recorder *recorder = NULL;
        OK(mvx_runtime_create_recorder(runtime, MVX_STR("one"), NULL, &recorder, ERR));
        add_probe(recorder, "probe", &probe);
        for (int n = 0; n < 200; n++) {
            record_ok(recorder, type, 1);
        }
        mvx_recorder_free(recorder);
        crew_run(6, shut_down, runtime);
        CHECK_UINT(200, probe.seen);
        EVENTUALLY(thread_count() == threads);
        mvx_runtime_free(runtime);
        EVENTUALLY(atomic_load(&probe.drops) == 1);
    }
}

/* ---- the deadline -------------------------------------------------------------------------------------- */

enum stuck_in { IN_HANDLE_EVENT, IN_ON_STOPPED, IN_PENDING_ON_STOPPED, IN_ON_STARTING, IN_PENDING_CHANGE, WAYS };

/* A recorder whose callback doesn't come back may keep its own thread, but not the shutdown. */
static void keep_the_deadline(enum stuck_in way)
{
    int threads = thread_count();
    struct gate gate = GATE_INITIALIZER;
    struct probe probe = PROBE_INITIALIZER, fine = PROBE_INITIALIZER;
    struct hook_probe hook_probe = {0};
    mvx_event_type type = number_type("runtime.number");
    mvx_runtime_options runtime_options = {
        .struct_size = sizeof runtime_options, .worker_threads = 2, .shutdown_timeout_ns = MS(300)};
    mvx_runtime *runtime = new_runtime_with(&runtime_options);
    mvx_hooks hooks = hooks_of(&hook_probe);
    if (way == IN_PENDING_CHANGE) {
        hooks.on_metric_changed = hook_changed;
        hook_probe.changed_reply = MVX_HOOK_PENDING;
    }
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *stuck = NULL, *healthy = NULL;
    bool registered = way != IN_ON_STARTING;
    if (registered) {
        OK(mvx_runtime_create_recorder(runtime, MVX_STR("stuck"), &options, &stuck, ERR));
    } else {
        hook_probe.starting_hold = &gate;
        stuck = new_recorder_with(runtime, &options);
    }
    atomic_store(&hook_probe.token, NULL);
    add_probe(stuck, "probe", &probe);
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("healthy"), NULL, &healthy, ERR));
    add_probe(healthy, "fine", &fine);
    if (way == IN_HANDLE_EVENT) {
        probe.hold = &gate;
    } else if (way == IN_ON_STOPPED) {
        hook_probe.stopped_hold = &gate;
    } else if (way == IN_PENDING_ON_STOPPED) {
        hook_probe.stopped_reply = MVX_HOOK_PENDING;
    }
    for (int i = 0; i < 10; i++) {
        record_ok(stuck, type, 1);
        record_ok(healthy, type, 1);
    }
    if (way == IN_HANDLE_EVENT || way == IN_ON_STARTING) {
        gate_await(&gate, 1);
    } else if (way == IN_PENDING_CHANGE) {
        EVENTUALLY(atomic_load(&hook_probe.token) != NULL);
    }
    int64_t before = now_ms();
    mvx_status status = mvx_runtime_shutdown(runtime, ERR);
    int64_t took = now_ms() - before;
    if (registered) {
        mvx_error *error = FAILURE_OF(MVX_SHUTDOWN_FAILED, "SHUTDOWN_ERROR", status);
        mvx_str details = mvx_error_details_json(error);
        CHECK(json_has(details, "\"failed_recorder_ids\":[\"stuck\"]"));
        CHECK(json_has(details, "\"recorder_errors\":{\"stuck\":{\"reason\":\""));
        CHECK(mvx_error_cause(error) != NULL);
        if (way == IN_HANDLE_EVENT) {
            CHECK(json_has(details, "\"undelivered_events\":9") || json_has(details, "\"undelivered_events\":10"));
        }
        mvx_error_free(error);
        CHECK_INT(MVX_RUNTIME_FAILURE, runtime_state(runtime));
    } else {
        mvx_error_free(error_slot);
        error_slot = NULL;
        CHECK(runtime_state(runtime) == MVX_RUNTIME_FAILURE || runtime_state(runtime) == MVX_RUNTIME_CLOSED);
    }
    CHECK(took >= 250);
    CHECK(took < 3000 + 500 * slowness());
    CHECK_INT(MVX_RECORDER_CANCELLED, state_of(stuck));
    CHECK_INT(MVX_RECORDER_STOPPED, state_of(healthy));
    CHECK_UINT(10, fine.seen);
    /* The callback comes back in the end, and everything goes. */
    gate_open(&gate);
    if (way == IN_PENDING_ON_STOPPED || way == IN_PENDING_CHANGE) {
        mvx_completion_done(take_token(&hook_probe), (mvx_str){NULL, 0});
    }
    EVENTUALLY(thread_count() == threads);
    mvx_recorder_free(stuck);
    mvx_recorder_free(healthy);
    mvx_runtime_free(runtime);
    EVENTUALLY(atomic_load(&probe.drops) == 1 && atomic_load(&hook_probe.drops) == 1);
    EVENTUALLY(atomic_load(&fine.drops) == 1);
}

static void a_deadline_with_a_stuck_metric(void)
{
    keep_the_deadline(IN_HANDLE_EVENT);
}

static void a_deadline_with_a_stuck_on_stopped(void)
{
    keep_the_deadline(IN_ON_STOPPED);
}

static void a_deadline_with_a_pending_on_stopped(void)
{
    keep_the_deadline(IN_PENDING_ON_STOPPED);
}

static void a_deadline_with_a_stuck_on_starting(void)
{
    keep_the_deadline(IN_ON_STARTING);
}

static void a_deadline_with_a_pending_change(void)
{
    keep_the_deadline(IN_PENDING_CHANGE);
}

static void a_deadline_with_many_stuck(void)
{
    enum { COUNT = 30 };
    int threads = thread_count();
    struct gate gate = GATE_INITIALIZER;
    struct probe probes[COUNT];
    mvx_event_type type = number_type("runtime.number");
    mvx_runtime_options options = {.struct_size = sizeof options, .shutdown_timeout_ns = MS(300)};
    mvx_runtime *runtime = new_runtime_with(&options);
    for (int i = 0; i < COUNT; i++) {
        char id[16];
        snprintf(id, sizeof id, "stuck %d", i);
        probes[i] = (struct probe)PROBE_INITIALIZER;
        probes[i].hold = &gate;
        mvx_recorder *recorder = NULL;
        OK(mvx_runtime_create_recorder(runtime, str_of(id), NULL, &recorder, ERR));
        add_probe(recorder, "probe", &probes[i]);
        record_ok(recorder, type, 1);
        mvx_recorder_free(recorder);
    }
    gate_await(&gate, COUNT);
    int64_t before = now_ms();
    FAILS(MVX_SHUTDOWN_FAILED, "SHUTDOWN_ERROR", mvx_runtime_shutdown(runtime, ERR));
    CHECK(now_ms() - before < 3000 + 500 * slowness());
    gate_open(&gate);
    mvx_runtime_free(runtime);
    EVENTUALLY(thread_count() == threads);
    for (int i = 0; i < COUNT; i++) {
        EVENTUALLY(atomic_load(&probes[i].drops) == 1);
    }
}

/* One recorder failing to stop doesn't keep the others from stopping. */
static void a_failing_stop_is_reported(void)
{
    int threads = thread_count();
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("runtime.number");
    struct hook_probe bad = {.stopped_reply = MVX_HOOK_FAILED};
    struct probe fine = PROBE_INITIALIZER;
    mvx_hooks hooks = hooks_of(&bad);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *first = NULL, *second = NULL;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("bad"), &options, &first, ERR));
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("fine"), NULL, &second, ERR));
    add_probe(second, "fine", &fine);
    for (int i = 0; i < 100; i++) {
        record_ok(second, type, 1);
    }
    mvx_error *error = FAILURE_OF(MVX_SHUTDOWN_FAILED, "SHUTDOWN_ERROR", mvx_runtime_shutdown(runtime, ERR));
    mvx_str details = mvx_error_details_json(error);
    CHECK(json_has(details, "\"failed_recorder_ids\":[\"bad\"]"));
    CHECK(json_has(details, "\"recorder_errors\":{\"bad\":{\"reason\":\""));
    CHECK(json_has(details, "\"undelivered_events\":0"));
    const mvx_error *cause = mvx_error_cause(error);
    while (cause && !str_is(mvx_error_reason(cause), "ON_STOPPED_HOOK_FAILED")) {
        cause = mvx_error_cause(cause);
    }
    CHECK(cause != NULL);
    mvx_error_free(error);
    CHECK_INT(MVX_RUNTIME_FAILURE, runtime_state(runtime));
    CHECK_INT(MVX_RECORDER_FAILURE, state_of(first));
    CHECK_INT(MVX_RECORDER_STOPPED, state_of(second));
    CHECK_UINT(100, fine.seen);
    EVENTUALLY(thread_count() == threads);
    mvx_recorder_free(first);
    mvx_recorder_free(second);
    mvx_runtime_free(runtime);
}

/* ---- shutdown among everything else -------------------------------------------------------------------- */

struct crowd {
    mvx_runtime *runtime;
    mvx_event_type type;
    _Atomic int busy;
    atomic_bool over;
};

static void allowed(mvx_status status)
{
    CHECK(status == MVX_OK || status == MVX_INVALID_STATE || status == MVX_ALREADY_EXISTS || status == MVX_NOT_FOUND ||
          status == MVX_CANCELLED || status == MVX_STARTUP_FAILED || status == MVX_STOP_FAILED);
    STATUS(status, status);
}

static void make_work(void *shared, int number)
{
    struct crowd *crowd = shared;
    uint64_t random = (uint64_t)number;
    atomic_fetch_add(&crowd->busy, 1);
    while (!atomic_load(&crowd->over)) {
        mvx_recorder *recorder = NULL;
        mvx_strings *ids = NULL;
        mvx_str id = str_of(next_random(&random) % 2 ? "x" : "y");
        switch (next_random(&random) % 6) {
        case 0:
            allowed(mvx_runtime_create_recorder(crowd->runtime, id, NULL, &recorder, ERR));
            break;
        case 1:
            allowed(mvx_runtime_stop_and_remove_recorder(crowd->runtime, id, NULL, ERR));
            break;
        case 2:
            allowed(mvx_runtime_list_recorder_ids(crowd->runtime, &ids, ERR));
            mvx_strings_free(ids);
            break;
        case 3:
            allowed(mvx_recorder_create(crowd->runtime, NULL, &recorder, ERR));
            break;
        default:
            allowed(mvx_runtime_get_recorder(crowd->runtime, id, &recorder, ERR));
            break;
        }
        if (recorder) {
            for (int i = 0; i < 20; i++) {
                allowed(record(recorder, crowd->type, 1));
            }
            mvx_recorder_free(recorder);
        }
        /* These must not take all the machine's time: what is tested is that calls interleave, not that they starve. */
        nanosleep(&(struct timespec){0, mode_is("valgrind") ? 2000000 : 100000}, NULL);
    }
}

static void shutdown_in_the_middle_of_everything(void)
{
    int threads = thread_count();
    int rounds = (int)scaled(40, 5);
    for (int i = 0; i < rounds; i++) {
        mvx_runtime_options options = {
            .struct_size = sizeof options, .worker_threads = 2, .shutdown_timeout_ns = MS(patience_ms())};
        struct crowd crowd = {.runtime = new_runtime_with(&options), .type = number_type("runtime.number")};
        struct crew_member *crew = crew_start(4, make_work, &crowd);
        EVENTUALLY(atomic_load(&crowd.busy) == 4);
        sleep_ms(5 + i % 20);
        OK(mvx_runtime_shutdown(crowd.runtime, ERR));
        CHECK_INT(MVX_RUNTIME_CLOSED, runtime_state(crowd.runtime));
        atomic_store(&crowd.over, true);
        crew_join(crew, 4);
        mvx_runtime_free(crowd.runtime);
        EVENTUALLY(thread_count() == threads);
    }
}

/* Nobody shuts it down: with its last handle and its last recorder it goes by itself. */
static void a_runtime_let_go(void)
{
    int threads = thread_count();
    mvx_runtime *runtime = new_runtime();
    mvx_runtime *second = NULL;
    OK(mvx_runtime_clone(runtime, &second));
    mvx_runtime_free(runtime);
    STATUS(MVX_INVALID_HANDLE, mvx_runtime_start(runtime, NULL));
    CHECK_INT(MVX_RUNTIME_RUNNING, runtime_state(second));
    mvx_recorder *recorder = new_recorder(second);
    start(recorder);
    stop(recorder);
    mvx_recorder_free(recorder);
    mvx_runtime_free(second);
    EVENTUALLY(thread_count() == threads);
}

/* ---- the threads --------------------------------------------------------------------------------------- */

struct thread_watch {
    _Atomic int starts, stops, drops;
};

static _Thread_local int started_here;

static void watch_start(void *user_data)
{
    CHECK_INT(0, started_here);
    started_here = 1;
    atomic_fetch_add(&((struct thread_watch *)user_data)->starts, 1);
}

static void watch_stop(void *user_data)
{
    CHECK_INT(1, started_here);
    started_here = 0;
    atomic_fetch_add(&((struct thread_watch *)user_data)->stops, 1);
}

static void watch_drop(void *user_data)
{
    CHECK_INT(0, atomic_fetch_add(&((struct thread_watch *)user_data)->drops, 1));
}

static void hooked(struct probe *probe, const mvx_event *event)
{
    (void)probe;
    (void)event;
    CHECK_INT(1, started_here);
}

#ifdef _WIN32
struct names {
    const char *prefix;
    int found;
};

static void look_at_name(HANDLE thread, void *context)
{
    struct names *names = context;
    PWSTR wide = NULL;
    char name[64] = "";
    if (GetThreadDescription(thread, &wide) >= 0) {
        snprintf(name, sizeof name, "%ls", wide);
        LocalFree(wide);
    }
    names->found += strncmp(name, names->prefix, strlen(names->prefix)) == 0;
}

static int threads_named(const char *prefix)
{
    struct names names = {prefix, 0};
    each_thread(look_at_name, &names);
    return names.found;
}
#else
static int threads_named(const char *prefix)
{
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    int found = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char path[300], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file) {
            if (fgets(name, sizeof name, file) && strncmp(name, prefix, strlen(prefix)) == 0) {
                found++;
            }
            fclose(file);
        }
    }
    closedir(dir);
    return found;
}
#endif

static void threads_are_named_and_hooked(void)
{
    struct thread_watch watch = {0};
    struct probe probe = PROBE_INITIALIZER;
    probe.inside = hooked;
    mvx_event_type type = number_type("runtime.number");
    mvx_thread_hooks hooks = {.struct_size = sizeof hooks,
                              .on_start = watch_start,
                              .on_stop = watch_stop,
                              .drop = watch_drop,
                              .user_data = &watch};
    mvx_runtime_options options = {.struct_size = sizeof options,
                                   .worker_threads = 3,
                                   .thread_name_prefix = MVX_STR("shopkeeper"),
                                   .thread_hooks = &hooks};
    int threads = thread_count();
    mvx_runtime *runtime = new_runtime_with(&options);
    mvx_recorder *recorder = new_recorder(runtime);
    add_probe(recorder, "probe", &probe);
    for (int i = 0; i < 100; i++) {
        record_ok(recorder, type, 1);
    }
    flush(recorder);
    EVENTUALLY(threads_named("shopkeeper") == thread_count() - threads);
    CHECK(threads_named("shopkeeper") > 0);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
    EVENTUALLY(thread_count() == threads);
    CHECK(watch.starts > 0);
    CHECK_INT(watch.starts, watch.stops);
    EVENTUALLY(atomic_load(&watch.drops) == 1);
    CHECK_UINT(100, probe.seen);
}

/* ---- the default runtime ------------------------------------------------------------------------------- */

static void the_default_runtime(void)
{
    int threads = thread_count();
    mvx_event_type type = number_type("runtime.number");
    for (int i = 0; i < 3; i++) {
        mvx_recorder *recorder = new_recorder(NULL);
        CHECK_INT(MVX_RECORDER_VIRGIN, state_of(recorder));
        add_native(recorder, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
        record_ok(recorder, type, 3);
        mvx_runtime *one = NULL, *two = NULL;
        OK(mvx_runtime_default(&one, ERR));
        OK(mvx_runtime_default(&two, ERR));
        CHECK(one != two);
        CHECK_INT(MVX_RUNTIME_RUNNING, runtime_state(one));
        flush(recorder);
        CHECK_INT(3, current(recorder, "sum", "value"));
        OK(mvx_runtime_shutdown(one, ERR));
        CHECK_INT(MVX_RUNTIME_CLOSED, runtime_state(two));
        CHECK_INT(MVX_RECORDER_STOPPED, state_of(recorder));
        mvx_runtime_free(one);
        mvx_runtime_free(two);
        mvx_recorder_free(recorder);
        EVENTUALLY(thread_count() == threads);
    }
}

static void use_the_default(void *shared, int number)
{
    (void)number;
    mvx_event_type type = number_type("runtime.number");
    pthread_barrier_wait(shared);
    mvx_recorder *recorder = new_recorder(NULL);
    add_native(recorder, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
    record_ok(recorder, type, 1);
    flush(recorder);
    CHECK_INT(1, current(recorder, "sum", "value"));
    mvx_recorder_free(recorder);
}

static void the_default_runtime_is_made_once(void)
{
    int threads = thread_count();
    int rounds = (int)scaled(30, 4);
    for (int i = 0; i < rounds; i++) {
        pthread_barrier_t line;
        pthread_barrier_init(&line, NULL, 6);
        crew_run(6, use_the_default, &line);
        pthread_barrier_destroy(&line);
        mvx_runtime *runtime = NULL;
        OK(mvx_runtime_default(&runtime, ERR));
        OK(mvx_runtime_shutdown(runtime, ERR));
        mvx_runtime_free(runtime);
        EVENTUALLY(thread_count() == threads);
    }
}

TEST_MAIN(CASE(of_concurrent_creates_one_wins), CASE(creates_and_removes_add_up), CASE(an_id_is_taken_while_it_starts),
          CASE(ids_are_trimmed_and_default_to_the_entity), CASE(a_direct_recorder_gets_an_id), CASE(stopping_by_id),
          CASE(the_registry_holds_its_recorders), CASE(shutdown_flushes_and_stops_all),
          CASE(threads_come_and_go_with_runtimes), CASE(concurrent_shutdowns_join),
          CASE(a_deadline_with_a_stuck_metric), CASE(a_deadline_with_a_stuck_on_stopped),
          CASE(a_deadline_with_a_pending_on_stopped), CASE(a_deadline_with_a_stuck_on_starting),
          CASE(a_deadline_with_a_pending_change), CASE(a_deadline_with_many_stuck), CASE(a_failing_stop_is_reported),
          CASE(shutdown_in_the_middle_of_everything), CASE(a_runtime_let_go), CASE(threads_are_named_and_hooked),
          CASE(the_default_runtime), CASE(the_default_runtime_is_made_once))
