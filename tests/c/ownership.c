/* Everything is created, used and freed, many times over: for leak checkers, and in a plain build by the allocator's
   own count. */
#include "support.h"

#ifndef _WIN32
#include <malloc.h>
#endif

/* ---- one round of each ---------------------------------------------------------------------------------- */

static int32_t look(void *context, const mvx_metric_info *metric)
{
    CHECK(metric->name.len > 0);
    ++*(int *)context;
    return 0;
}

static void count_calls(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    (void)operation;
    (void)status;
    (void)error;
    atomic_fetch_add((atomic_int *)user_data, 1);
}

static void count_drops(void *user_data)
{
    atomic_fetch_add((atomic_int *)user_data, 1000);
}

static mvx_event_type type;

static void use_runtime(void)
{
    mvx_thread_hooks thread_hooks = {.struct_size = sizeof thread_hooks};
    mvx_runtime_options options = {.struct_size = sizeof options,
                                   .name_space = MVX_STR("ownership"),
                                   .worker_threads = 2,
                                   .thread_name_prefix = MVX_STR("owner"),
                                   .thread_hooks = &thread_hooks};
    mvx_runtime *runtime = new_runtime_with(&options);
    mvx_runtime *clone = NULL;
    OK(mvx_runtime_clone(runtime, &clone));
    mvx_recorder *recorder = NULL, *found = NULL;
    OK(mvx_runtime_create_recorder(runtime, MVX_STR("one"), NULL, &recorder, ERR));
    OK(mvx_runtime_get_recorder(runtime, MVX_STR("one"), &found, ERR));
    mvx_recorder_free(found);
    STATUS(MVX_ALREADY_EXISTS, mvx_runtime_create_recorder(runtime, MVX_STR("one"), NULL, &found, ERR));
    STATUS(MVX_NOT_FOUND, mvx_runtime_get_recorder(runtime, MVX_STR("two"), &found, ERR));
    mvx_strings *ids = NULL;
    OK(mvx_runtime_list_recorder_ids(clone, &ids, ERR));
    mvx_strings_free(ids);
    OK(mvx_runtime_stop_and_remove_recorder(runtime, MVX_STR("one"), &found, ERR));
    mvx_recorder_free(found);
    mvx_recorder_free(recorder);
    mvx_runtime_free(clone);
    end_runtime(runtime);
}

static mvx_runtime *common;

static void use_recorder(void)
{
    struct hook_probe hook_probe = {0};
    struct probe one = PROBE_INITIALIZER, two = PROBE_INITIALIZER, batch = PROBE_INITIALIZER;
    mvx_hooks hooks = hooks_of(&hook_probe);
    hooks.on_metric_changed = hook_changed;
    mvx_recorder_options options = recorder_options();
    options.entity_id = MVX_STR("owned");
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(common, &options);
    mvx_recorder *clone = NULL;
    OK(mvx_recorder_clone(recorder, &clone));
    add_probe(recorder, "probe", &one);
    add_probe(clone, "probe", &two);
    add_batch_probe(recorder, "batch", &batch);
    add_native(recorder, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
    add_native(recorder, "by outcome", MVX_METRIC_COUNTER, type, "value", "outcome");
    add_native(recorder, "gauge", MVX_METRIC_GAUGE, type, "value", NULL);
    start(recorder);
    for (int i = 0; i < 50; i++) {
        record_ok(clone, type, i);
    }
    flush(recorder);
    int metrics = 0;
    OK(mvx_recorder_iter_metrics(recorder, look, &metrics, ERR));
    CHECK_INT(5, metrics);
    mvx_snapshot *snapshot = take_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT);
    mvx_text *text = NULL;
    OK(mvx_snapshot_to_json(snapshot, &text, ERR));
    mvx_text_free(text);
    OK(mvx_snapshot_to_openmetrics(snapshot, &text, ERR));
    mvx_text_free(text);
    mvx_snapshot_free(snapshot);
    OK(mvx_recorder_entity_id(recorder, &text));
    mvx_text_free(text);
    OK(mvx_recorder_name_space(recorder, &text));
    mvx_text_free(text);
    mvx_error *last = NULL;
    OK(mvx_recorder_last_error(recorder, &last));
    mvx_error_free(last);
    stop(recorder);
    start(recorder);
    mvx_recorder_free(recorder);
    mvx_recorder_free(clone);
    EVENTUALLY(atomic_load(&one.drops) && atomic_load(&two.drops) && atomic_load(&batch.drops) &&
               atomic_load(&hook_probe.drops));
}

static void use_failing_recorder(void)
{
    struct hook_probe hook_probe = {.starting_reply = MVX_HOOK_FAILED};
    struct probe probe = PROBE_INITIALIZER, late = PROBE_INITIALIZER;
    mvx_hooks hooks = hooks_of(&hook_probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(common, &options);
    add_probe(recorder, "probe", &probe);
    wait_fails(begin_start(recorder), MVX_HOOK_FAILED, "ON_STARTING_HOOK_FAILED");
    mvx_metric_vtable vtable = probe_vtable();
    FAILS(MVX_INVALID_STATE, "INVALID_RECORDER_STATE",
          mvx_recorder_register_metric(recorder, MVX_STR("late"), &vtable, &late, ERR));
    CHECK_INT(1, late.drops);
    mvx_error *last = NULL;
    OK(mvx_recorder_last_error(recorder, &last));
    mvx_error_free(last);
    mvx_recorder_free(recorder);
    EVENTUALLY(atomic_load(&probe.drops) == 1 && atomic_load(&hook_probe.drops) == 1);
}

/* Pending events, waits that were never waited for, a snapshot that failed: all of it let go. */
static void use_cancelled_recorder(void)
{
    struct gate gate = GATE_INITIALIZER;
    struct probe probe = PROBE_INITIALIZER;
    mvx_recorder *recorder = new_recorder(common);
    probe.hold = &gate;
    add_probe(recorder, "probe", &probe);
    for (int i = 0; i < 100; i++) {
        record_ok(recorder, type, i);
    }
    gate_await(&gate, 1);
    mvx_wait_free(begin_flush(recorder));
    mvx_wait *wait = begin_stop(recorder);
    descriptor fd = NO_DESCRIPTOR;
    OK(mvx_wait_fd(wait, &fd));
    mvx_snapshot *snapshot = NULL;
    STATUS(MVX_TIMEOUT, mvx_recorder_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT, MS(1), &snapshot, ERR));
    OK(mvx_recorder_cancel(recorder, ERR));
    wait_fails(wait, MVX_CANCELLED, "DISPATCHER_UNEXPECTEDLY_CANCELLED");
    mvx_recorder_free(recorder);
    gate_open(&gate);
    EVENTUALLY(atomic_load(&probe.drops) == 1);
    gate_end(&gate);
}

static void use_waits(void)
{
    mvx_recorder *recorder = new_recorder(common);
    struct hook_probe hook_probe = {.starting_reply = MVX_HOOK_PENDING};
    mvx_hooks hooks = hooks_of(&hook_probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder_free(recorder);
    recorder = new_recorder_with(common, &options);
    atomic_int calls = 0;
    mvx_wait *waits[4];
    for (int i = 0; i < 4; i++) {
        descriptor fd = NO_DESCRIPTOR;
        waits[i] = begin_start(recorder);
        OK(mvx_wait_fd(waits[i], &fd));
        OK(mvx_wait_on_complete(waits[i], count_calls, &calls, count_drops));
    }
    mvx_wait_free(waits[0]);
    STATUS(MVX_OK, mvx_completion_done(take_token(&hook_probe), MVX_STR("not today")));
    for (int i = 1; i < 4; i++) {
        wait_fails(waits[i], MVX_HOOK_FAILED, "ON_STARTING_HOOK_FAILED");
    }
    EVENTUALLY(atomic_load(&calls) == 4004);
    mvx_recorder_free(recorder);
    EVENTUALLY(atomic_load(&hook_probe.drops) == 1);
}

static void *record_in_passing(void *argument)
{
    mvx_recorder *recorder = argument;
    for (int i = 0; i < 10; i++) {
        record_ok(recorder, type, i);
    }
    return NULL;
}

static void use_threads(void)
{
    mvx_recorder *recorder = new_recorder(common);
    add_native(recorder, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
    for (int i = 0; i < 5; i++) {
        join(spawn(record_in_passing, recorder));
    }
    flush(recorder);
    CHECK_INT(225, current(recorder, "sum", "value"));
    mvx_recorder_free(recorder);
}

/* ---- many rounds ----------------------------------------------------------------------------------------- */

#ifndef _WIN32
static size_t bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
#endif

/* How many threads there are while nothing goes on. Those that callbacks ran on wait for more, and have memory, for a while. */
static int idle_threads;

/* Sanitizers, valgrind and the emulator have memory and threads of their own. */
static size_t bytes_at_rest(void)
{
    if (!mode_is("plain")) {
        return 0;
    }
    EVENTUALLY(thread_count() <= idle_threads);
    return bytes_in_use();
}

/* Whether many rounds leave less than 100 bytes each behind. */
static bool gives_back(void (*round)(void), int rounds)
{
    size_t bytes = bytes_at_rest();
    for (int i = 0; i < rounds; i++) {
        round();
    }
    size_t left = bytes_at_rest();
    if (left > bytes + 100 * (size_t)rounds) {
        fprintf(stderr, "    %zu bytes a round were not given back\n", (left - bytes) / (size_t)rounds);
        return false;
    }
    return true;
}

/* After a time in which caches fill, no memory, thread or descriptor is left behind by a round. The system's heap has
   caches, too, which fill up with the number of threads that there were at once: a leak grows however long it goes on. */
static void many_rounds(void (*round)(void), bool own_runtime)
{
    type = number_type("ownership.number");
    int threads_before = thread_count();
    if (own_runtime) {
        common = new_runtime();
    }
    idle_threads = thread_count();
    int rounds = (int)scaled(300, 5);
    for (int i = 0; i < rounds; i++) {
        round();
    }
    int fds = fd_count();
    CHECK(gives_back(round, rounds) || gives_back(round, rounds) || gives_back(round, rounds));
    CHECK(fd_count() <= fds + 3);
    if (own_runtime) {
        end_runtime(common);
    }
    EVENTUALLY(thread_count() == threads_before);
}

static void runtimes(void)
{
    many_rounds(use_runtime, false);
}

static void recorders(void)
{
    many_rounds(use_recorder, true);
}

static void failing_recorders(void)
{
    many_rounds(use_failing_recorder, true);
}

static void cancelled_recorders(void)
{
    many_rounds(use_cancelled_recorder, true);
}

static void waits(void)
{
    many_rounds(use_waits, true);
}

static void recording_threads(void)
{
    many_rounds(use_threads, true);
}

/* What is still pending when its runtime goes. */
static void runtimes_with_all_kinds_of_recorders(void)
{
    type = number_type("ownership.number");
    int rounds = (int)scaled(60, 4);
    for (int i = 0; i < rounds; i++) {
        mvx_runtime_options options = {.struct_size = sizeof options, .worker_threads = 2, .shutdown_timeout_ns = MS(40)};
        common = new_runtime_with(&options);
        struct hook_probe pending = {.stopped_reply = MVX_HOOK_PENDING};
        mvx_hooks hooks = hooks_of(&pending);
        mvx_recorder_options with_hooks = recorder_options();
        with_hooks.hooks = &hooks;
        mvx_recorder *virgin = new_recorder(common), *running = new_recorder(common), *stuck = NULL;
        OK(mvx_runtime_create_recorder(common, MVX_STR("stuck"), &with_hooks, &stuck, ERR));
        record_ok(running, type, 1);
        record_ok(stuck, type, 1);
        atomic_store(&pending.token, NULL);
        mvx_error_free(FAILURE_OF(MVX_SHUTDOWN_FAILED, "SHUTDOWN_ERROR", mvx_runtime_shutdown(common, ERR)));
        mvx_recorder_free(virgin);
        mvx_recorder_free(running);
        mvx_recorder_free(stuck);
        mvx_completion_done(take_token(&pending), (mvx_str){NULL, 0});
        mvx_runtime_free(common);
        EVENTUALLY(atomic_load(&pending.drops) == 1);
    }
}

TEST_MAIN(CASE(runtimes), CASE(recorders), CASE(failing_recorders), CASE(cancelled_recorders), CASE(waits),
          CASE(recording_threads), CASE(runtimes_with_all_kinds_of_recorders))
