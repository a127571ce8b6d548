/* Living in somebody else's process: fork, signals, exit, silence, and callbacks that would wait for themselves. */
#include "support.h"

#include <limits.h>
#include <locale.h>

#ifdef _WIN32
#include "guest_windows.h"
#else
#include "children.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/time.h>

extern char **environ;
#endif

/* ---- would deadlock ------------------------------------------------------------------------------------ */

struct trap {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_recorder *other;
    mvx_event_type type;
    struct probe probe;
    atomic_int passed;
    _Atomic(mvx_wait *) shutdown;
};

static void would_deadlock(mvx_wait *wait)
{
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, 0));
    STATUS(MVX_WOULD_DEADLOCK, mvx_wait_block(wait, MS(60000)));
    STATUS(MVX_WOULD_DEADLOCK, mvx_wait_block(wait, -1));
    mvx_wait_free(wait);
}

static void step_into_traps(struct probe *probe, const mvx_event *event)
{
    (void)event;
    struct trap *trap = probe->context;
    if (atomic_fetch_add(&trap->passed, 1) > 0) {
        return;
    }
    would_deadlock(begin_flush(trap->recorder));
    FAILS(MVX_WOULD_DEADLOCK, "WOULD_DEADLOCK", mvx_runtime_shutdown(trap->runtime, ERR));
    FAILS(MVX_WOULD_DEADLOCK, "WOULD_DEADLOCK", mvx_runtime_stop_recorder(trap->runtime, MVX_STR("mine"), ERR));
    FAILS(MVX_WOULD_DEADLOCK, "WOULD_DEADLOCK",
          mvx_runtime_stop_and_remove_recorder(trap->runtime, MVX_STR("mine"), NULL, ERR));
    CHECK_INT(MVX_RECORDER_RUNNING, state_of(trap->recorder));
    /* What somebody else does may be waited for. */
    record_ok(trap->other, trap->type, 1);
    flush(trap->other);
    CHECK_INT(1, current(trap->other, "sum", "value"));
    stop(trap->other);
    start(trap->other);
    mvx_recorder *third = NULL;
    OK(mvx_runtime_create_recorder(trap->runtime, MVX_STR("third"), NULL, &third, ERR));
    OK(mvx_runtime_stop_and_remove_recorder(trap->runtime, MVX_STR("third"), NULL, ERR));
    mvx_recorder_free(third);
    /* At last its own stop, which goes on when the callback has returned. */
    would_deadlock(begin_stop(trap->recorder));
}

static void waiting_for_oneself(void)
{
    struct trap trap = {.runtime = new_runtime(), .probe = PROBE_INITIALIZER};
    trap.type = number_type("guest.number");
    trap.probe.context = &trap;
    trap.probe.inside = step_into_traps;
    trap.other = new_recorder(trap.runtime);
    add_native(trap.other, "sum", MVX_METRIC_COUNTER, trap.type, "value", NULL);
    OK(mvx_runtime_create_recorder(trap.runtime, MVX_STR("mine"), NULL, &trap.recorder, ERR));
    add_probe(trap.recorder, "probe", &trap.probe);
    start(trap.other);
    record_ok(trap.recorder, trap.type, 1);
    EVENTUALLY(state_of(trap.recorder) == MVX_RECORDER_STOPPED);
    CHECK_INT(1, trap.passed);
    mvx_recorder_free(trap.recorder);
    mvx_recorder_free(trap.other);
    end_runtime(trap.runtime);
    EVENTUALLY(atomic_load(&trap.probe.drops) == 1);
}

static void shut_down_inside(struct probe *probe, const mvx_event *event)
{
    (void)event;
    struct trap *trap = probe->context;
    mvx_wait *wait = NULL;
    OK(mvx_runtime_shutdown_async(trap->runtime, &wait, ERR));
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, 0));
    STATUS(MVX_WOULD_DEADLOCK, mvx_wait_block(wait, -1));
    FAILS(MVX_WOULD_DEADLOCK, "WOULD_DEADLOCK", mvx_runtime_shutdown(trap->runtime, ERR));
    atomic_store(&trap->shutdown, wait);
}

static void shutting_down_from_a_callback(void)
{
    int threads = thread_count();
    struct trap trap = {.runtime = new_runtime(), .probe = PROBE_INITIALIZER};
    trap.type = number_type("guest.number");
    trap.probe.context = &trap;
    trap.probe.inside = shut_down_inside;
    trap.recorder = new_recorder(trap.runtime);
    add_probe(trap.recorder, "probe", &trap.probe);
    record_ok(trap.recorder, trap.type, 1);
    EVENTUALLY(atomic_load(&trap.shutdown) != NULL);
    wait_ok(trap.shutdown);
    CHECK_INT(MVX_RUNTIME_CLOSED, runtime_state(trap.runtime));
    mvx_recorder_free(trap.recorder);
    mvx_runtime_free(trap.runtime);
    EVENTUALLY(atomic_load(&trap.probe.drops) == 1);
    EVENTUALLY(thread_count() == threads);
}

/* Completion callbacks run on the library's threads too. */
static void complete_and_wait(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    (void)operation;
    (void)error;
    struct trap *trap = user_data;
    CHECK_INT(MVX_OK, status);
    FAILS(MVX_WOULD_DEADLOCK, "WOULD_DEADLOCK", mvx_runtime_shutdown(trap->runtime, ERR));
    atomic_fetch_add(&trap->passed, 1);
}

static void shutting_down_from_a_completion(void)
{
    struct trap trap = {.runtime = new_runtime(), .probe = PROBE_INITIALIZER};
    struct hook_probe hook_probe = {.starting_reply = MVX_HOOK_PENDING};
    mvx_hooks hooks = hooks_of(&hook_probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    trap.recorder = new_recorder_with(trap.runtime, &options);
    mvx_wait *wait = begin_start(trap.recorder);
    OK(mvx_wait_on_complete(wait, complete_and_wait, &trap, NULL));
    mvx_wait_free(wait);
    STATUS(MVX_OK, mvx_completion_done(take_token(&hook_probe), (mvx_str){NULL, 0}));
    EVENTUALLY(atomic_load(&trap.passed) == 1);
    mvx_recorder_free(trap.recorder);
    end_runtime(trap.runtime);
}

static void shut_down_again(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    (void)error;
    struct trap *trap = user_data;
    CHECK_INT(MVX_OPERATION_SHUTDOWN, operation);
    CHECK_INT(MVX_OK, status);
    mvx_status again = mvx_runtime_shutdown(trap->runtime, ERR);
    CHECK(again == MVX_OK || again == MVX_WOULD_DEADLOCK);
    STATUS(again, again);
    atomic_fetch_add(&trap->passed, 1);
}

/* The runtime's last word comes on a thread of its own, too. */
static void shutting_down_when_it_was_shut_down(void)
{
    int threads = thread_count();
    struct trap trap = {.runtime = new_runtime(), .probe = PROBE_INITIALIZER};
    struct gate gate = GATE_INITIALIZER;
    mvx_wait *wait = NULL;
    trap.type = number_type("guest.number");
    trap.recorder = new_recorder(trap.runtime);
    trap.probe.hold = &gate;
    add_probe(trap.recorder, "probe", &trap.probe);
    record_ok(trap.recorder, trap.type, 1);
    gate_await(&gate, 1);
    OK(mvx_runtime_shutdown_async(trap.runtime, &wait, ERR));
    OK(mvx_wait_on_complete(wait, shut_down_again, &trap, NULL));
    gate_open(&gate);
    wait_ok(wait);
    EVENTUALLY(atomic_load(&trap.passed) == 1);
    mvx_recorder_free(trap.recorder);
    mvx_runtime_free(trap.runtime);
    EVENTUALLY(thread_count() == threads);
}

/* Callbacks of several recorders, each waiting for the next one's: whoever would close the circle is told. */
#define CIRCLE 3

struct circle {
    mvx_recorder *recorders[CIRCLE];
    struct probe probes[CIRCLE];
    pthread_barrier_t line;
    atomic_int told, waited;
};

struct place {
    struct circle *circle;
    int number;
};

static void wait_for_the_next(struct probe *probe, const mvx_event *event)
{
    (void)event;
    struct place *place = probe->context;
    struct circle *circle = place->circle;
    pthread_barrier_wait(&circle->line);
    mvx_wait *wait = begin_flush(circle->recorders[(place->number + 1) % CIRCLE]);
    mvx_status status = mvx_wait_block(wait, -1);
    mvx_wait_free(wait);
    if (status == MVX_OK) {
        atomic_fetch_add(&circle->waited, 1);
    } else {
        STATUS(MVX_WOULD_DEADLOCK, status);
        atomic_fetch_add(&circle->told, 1);
    }
}

static void waiting_for_each_other(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("guest.number");
    int rounds = (int)scaled(50, 5);
    for (int round = 0; round < rounds; round++) {
        struct circle circle = {.told = 0};
        struct place places[CIRCLE];
        pthread_barrier_init(&circle.line, NULL, CIRCLE);
        for (int i = 0; i < CIRCLE; i++) {
            places[i] = (struct place){&circle, i};
            circle.probes[i] = (struct probe)PROBE_INITIALIZER;
            circle.probes[i].context = &places[i];
            circle.probes[i].inside = wait_for_the_next;
            circle.recorders[i] = new_recorder(runtime);
            add_probe(circle.recorders[i], "probe", &circle.probes[i]);
            start(circle.recorders[i]);
        }
        for (int i = 0; i < CIRCLE; i++) {
            record_ok(circle.recorders[i], type, 1);
        }
        for (int i = 0; i < CIRCLE; i++) {
            flush(circle.recorders[i]);
        }
        CHECK(circle.told >= 1);
        CHECK_INT(CIRCLE, circle.told + circle.waited);
        for (int i = 0; i < CIRCLE; i++) {
            mvx_recorder_free(circle.recorders[i]);
            EVENTUALLY(atomic_load(&circle.probes[i].drops) == 1);
        }
        pthread_barrier_destroy(&circle.line);
    }
    end_runtime(runtime);
}

/* Freeing the own recorder, and all handles there are, from inside its callback. */
static void let_go_inside(struct probe *probe, const mvx_event *event)
{
    (void)event;
    struct trap *trap = probe->context;
    if (atomic_fetch_add(&trap->passed, 1) == 0) {
        mvx_recorder_free(trap->recorder);
        mvx_runtime_free(trap->runtime);
    }
}

static void letting_go_from_a_callback(void)
{
    int threads = thread_count();
    struct trap trap = {.runtime = new_runtime(), .probe = PROBE_INITIALIZER};
    trap.type = number_type("guest.number");
    trap.probe.context = &trap;
    trap.probe.inside = let_go_inside;
    trap.recorder = new_recorder(trap.runtime);
    add_probe(trap.recorder, "probe", &trap.probe);
    record_ok(trap.recorder, trap.type, 1);
    EVENTUALLY(atomic_load(&trap.probe.drops) == 1);
    EVENTUALLY(thread_count() == threads);
}

/* ---- fork ---------------------------------------------------------------------------------------------- */

struct family {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_recorder *second;
    mvx_event_type type;
    mvx_wait *wait;
    mvx_completion *completion;
    mvx_snapshot *snapshot;
    atomic_bool over;
    _Atomic uint64_t accepted;
    _Atomic int counter;
    struct hook_probe hooks;
};

#ifndef _WIN32
static int32_t visit_nothing(void *context, const mvx_metric_info *metric)
{
    (void)context;
    (void)metric;
    return 0;
}

static void never_called(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    (void)user_data;
    (void)operation;
    (void)status;
    (void)error;
    FAIL("a callback of the parent's operation came in the child");
}

/* Every function with a handle, in the child. Those that free just return. */
static void expect_forked(const struct family *family)
{
    struct number number = {.value = 1};
    size_t accepted = 0;
    int32_t state = -1;
    int fd = -1;
    mvx_stats stats = {.struct_size = sizeof stats};
    mvx_runtime *runtime = NULL;
    mvx_recorder *recorder = NULL;
    mvx_wait *wait = NULL;
    mvx_error *error = NULL;
    mvx_text *text = NULL;
    mvx_strings *strings = NULL;
    mvx_snapshot *snapshot = NULL;
    struct probe probe = PROBE_INITIALIZER;
    mvx_metric_vtable vtable = probe_vtable();
    mvx_event_type type = family->type;
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = MVX_STR("m"),
                            .kind = MVX_METRIC_COUNTER,
                            .event_types = &type,
                            .event_type_count = 1};
    mvx_str id = MVX_STR("one");
    mvx_runtime *of_parent = family->runtime;
    mvx_recorder *parents = family->recorder;
    STATUS(MVX_FORKED, mvx_recorder_register_event(parents, type, &number, sizeof number));
    STATUS(MVX_FORKED, mvx_recorder_register_events(parents, type, &number, sizeof number, 1, &accepted));
    STATUS(MVX_FORKED, mvx_recorder_state(parents, &state));
    STATUS(MVX_FORKED, mvx_recorder_stats(parents, &stats));
    STATUS(MVX_FORKED, mvx_recorder_last_error(parents, &error));
    STATUS(MVX_FORKED, mvx_recorder_entity_id(parents, &text));
    STATUS(MVX_FORKED, mvx_recorder_name_space(parents, &text));
    STATUS(MVX_FORKED, mvx_recorder_clone(parents, &recorder));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_start(parents, &wait, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_start(parents, NULL, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_stop(parents, &wait, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_flush(parents, &wait, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_cancel(parents, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_register_metric(parents, MVX_STR("m"), &vtable, &probe, ERR));
    CHECK_INT(1, probe.drops);
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_register_native_metric(parents, &spec, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_iter_metrics(parents, visit_nothing, NULL, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_snapshot(parents, MVX_SNAPSHOT_CONSISTENT, -1, &snapshot, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_snapshot(parents, MVX_SNAPSHOT_RELAXED, -1, &snapshot, ERR));
    STATUS(MVX_FORKED, mvx_runtime_state(of_parent, &state));
    STATUS(MVX_FORKED, mvx_runtime_last_error(of_parent, &error));
    STATUS(MVX_FORKED, mvx_runtime_clone(of_parent, &runtime));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_start(of_parent, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_shutdown(of_parent, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_shutdown_async(of_parent, &wait, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_create_recorder(of_parent, id, NULL, &recorder, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_get_recorder(of_parent, id, &recorder, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_try_get_recorder(of_parent, id, &recorder, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_list_recorder_ids(of_parent, &strings, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_stop_recorder(of_parent, id, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_runtime_stop_and_remove_recorder(of_parent, id, &recorder, ERR));
    FAILS(MVX_FORKED, "FORKED", mvx_recorder_create(of_parent, NULL, &recorder, ERR));
    STATUS(MVX_FORKED, mvx_wait_block(family->wait, 0));
    STATUS(MVX_FORKED, mvx_wait_block(family->wait, -1));
    FAILS(MVX_FORKED, "FORKED", mvx_wait_result(family->wait, &state, ERR));
    STATUS(MVX_FORKED, mvx_wait_on_complete(family->wait, never_called, NULL, NULL));
    STATUS(MVX_FORKED, mvx_wait_fd(family->wait, &fd));
    STATUS(MVX_FORKED, mvx_completion_done(family->completion, (mvx_str){NULL, 0}));
    STATUS(MVX_INVALID_HANDLE, mvx_recorder_state((mvx_recorder *)(uintptr_t)0xdead, &state));
    CHECK(!runtime && !recorder && !wait && !error && !text && !strings && !snapshot && state == -1 && fd == -1);
    mvx_wait_free(family->wait);
    mvx_recorder_free(parents);
    mvx_runtime_free(of_parent);
    STATUS(MVX_FORKED, mvx_recorder_state(family->second, &state));
}

/* A runtime of the child's own. */
static void start_anew(bool with_default)
{
    mvx_event_type type = number_type("guest.number");
    mvx_runtime *runtime = with_default ? NULL : new_runtime();
    mvx_recorder *recorder = new_recorder(runtime);
    struct probe probe = PROBE_INITIALIZER;
    add_probe(recorder, "probe", &probe);
    add_native(recorder, "sum", MVX_METRIC_COUNTER, type, "value", "outcome");
    for (int i = 0; i < 1000; i++) {
        record_ok(recorder, type, 1);
    }
    flush(recorder);
    CHECK_INT(1000, current(recorder, "probe", "sum"));
    if (with_default) {
        OK(mvx_runtime_default(&runtime, ERR));
    }
    mvx_snapshot *snapshot = take_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT);
    CHECK_INT(1000, series_in(snapshot, "sum", "outcome", "ok"));
    mvx_snapshot_free(snapshot);
    mvx_recorder_free(recorder);
    OK(mvx_runtime_shutdown(runtime, ERR));
    mvx_runtime_free(runtime);
    EVENTUALLY(atomic_load(&probe.drops) == 1);
    CHECK_INT(1, thread_count());
}

/* What the parent's other threads do when it forks: a bit of everything that could hold a lock. */
static void live_on(void *shared, int number)
{
    struct family *family = shared;
    while (!atomic_load(&family->over)) {
        char name[40];
        struct number event = {1, 0, 0};
        switch (number) {
        case 0:
            if (mvx_recorder_register_event(family->recorder, family->type, &event, sizeof event) == MVX_OK) {
                atomic_fetch_add(&family->accepted, 1);
            }
            break;
        case 1: {
            mvx_snapshot *snapshot = take_snapshot(family->recorder, MVX_SNAPSHOT_CONSISTENT);
            mvx_snapshot_free(snapshot);
            mvx_wait_free(begin_flush(family->recorder));
            break;
        }
        case 2: {
            int n = atomic_fetch_add(&family->counter, 1) % 20000;
            snprintf(name, sizeof name, "guest.text %d", n);
            symbol(name);
            snprintf(name, sizeof name, "guest.type %d", n % 500);
            number_type(name);
            break;
        }
        default: {
            mvx_recorder *recorder = NULL;
            snprintf(name, sizeof name, "r%d", number);
            OK(mvx_runtime_create_recorder(family->runtime, str_of(name), NULL, &recorder, ERR));
            record_ok(recorder, family->type, 1);
            OK(mvx_runtime_stop_and_remove_recorder(family->runtime, str_of(name), NULL, ERR));
            mvx_recorder_free(recorder);
            break;
        }
        }
        if (mode_is("valgrind")) {
            sched_yield();
        }
    }
}
#endif

static void family_open(struct family *family)
{
    memset(family, 0, sizeof *family);
    family->runtime = new_runtime();
    family->type = number_type("guest.number");
    mvx_recorder_options options = recorder_options();
    family->recorder = new_recorder_with(family->runtime, &options);
    add_native(family->recorder, "events", MVX_METRIC_COUNTER, family->type, NULL, NULL);
    start(family->recorder);
    family->hooks.starting_reply = MVX_HOOK_PENDING;
    mvx_hooks hooks = hooks_of(&family->hooks);
    options.hooks = &hooks;
    family->second = new_recorder_with(family->runtime, &options);
    family->wait = begin_start(family->second);
    family->completion = take_token(&family->hooks);
    family->snapshot = take_snapshot(family->recorder, MVX_SNAPSHOT_CONSISTENT);
}

/* The parent is not disturbed: all it recorded is there, and its operations end as they should. */
static void family_close(struct family *family)
{
    STATUS(MVX_OK, mvx_completion_done(family->completion, (mvx_str){NULL, 0}));
    wait_ok(family->wait);
    flush(family->recorder);
    CHECK_INT((int64_t)family->accepted, current(family->recorder, "events", "value"));
    CHECK_UINT(family->accepted, stats_of(family->recorder).dispatched);
    mvx_snapshot_free(family->snapshot);
    mvx_recorder_free(family->recorder);
    mvx_recorder_free(family->second);
    end_runtime(family->runtime);
}

#ifndef _WIN32
static void fork_while_all_is_busy(bool with_runtime)
{
    struct family family;
    family_open(&family);
    struct crew_member *crew = crew_start(5, live_on, &family);
    int rounds = (int)scaled(60, 6);
    for (int i = 0; i < rounds; i++) {
        /* This thread has recorded before, so it has all that a producer keeps. */
        record(family.recorder, family.type, 1) == MVX_OK ? atomic_fetch_add(&family.accepted, 1) : 0;
        struct report *report = shared_report();
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            int64_t begin = now_ms();
            expect_forked(&family);
            if (now_ms() - begin > patience_ms()) {
                FAIL("FORKED took %" PRId64 " ms", now_ms() - begin);
            }
            /* Texts and types are the process's, and were perhaps being added to. */
            CHECK_INT(0, i64_in(family.snapshot, "events", "value"));
            CHECK_UINT(family.type, number_type("guest.number"));
            CHECK_UINT(symbol("ok"), symbol("ok"));
            symbol("guest.text of the child");
            number_type("guest.type of the child");
            if (with_runtime) {
                start_anew(i % 2 == 1);
            }
            end_child(report);
        }
        await_child(child, report);
        sleep_ms(i % 7);
    }
    atomic_store(&family.over, true);
    crew_join(crew, 5);
    family_close(&family);
}

static void a_child_is_told_it_forked(void)
{
    fork_while_all_is_busy(false);
}

static void a_child_starts_anew(void)
{
    fork_while_all_is_busy(true);
}

static void grandchildren(void)
{
    struct family family;
    family_open(&family);
    record_ok(family.recorder, family.type, 1);
    atomic_fetch_add(&family.accepted, 1);
    struct report *report = shared_report();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct family own;
        family_open(&own);
        record_ok(own.recorder, own.type, 1);
        atomic_fetch_add(&own.accepted, 1);
        struct report *inner = shared_report();
        pid_t grandchild = fork();
        CHECK(grandchild >= 0);
        if (grandchild == 0) {
            expect_forked(&own);
            expect_forked(&family);
            start_anew(false);
            end_child(inner);
        }
        await_child(grandchild, inner);
        family_close(&own);
        expect_forked(&family);
        end_child(report);
    }
    await_child(child, report);
    family_close(&family);
}

/* The default runtime, too, is the parent's. */
static void the_default_runtime_does_not_cross(void)
{
    mvx_event_type type = number_type("guest.number");
    mvx_recorder *recorder = new_recorder(NULL);
    record_ok(recorder, type, 1);
    flush(recorder);
    struct report *report = shared_report();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        STATUS(MVX_FORKED, record(recorder, type, 1));
        start_anew(true);
        end_child(report);
    }
    await_child(child, report);
    record_ok(recorder, type, 1);
    flush(recorder);
    CHECK_UINT(2, stats_of(recorder).dispatched);
    mvx_recorder_free(recorder);
    mvx_runtime *runtime = NULL;
    OK(mvx_runtime_default(&runtime, ERR));
    end_runtime(runtime);
}

static void fork_inside(struct probe *probe, const mvx_event *event)
{
    (void)event;
    struct trap *trap = probe->context;
    struct report *report = shared_report();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int32_t state = -1;
        STATUS(MVX_FORKED, mvx_recorder_state(trap->recorder, &state));
        STATUS(MVX_FORKED, record(trap->recorder, trap->type, 1));
        FAILS(MVX_FORKED, "FORKED", mvx_runtime_shutdown(trap->runtime, ERR));
        end_child(report);
    }
    await_child(child, report);
    atomic_fetch_add(&trap->passed, 1);
}

static void fork_from_a_callback(void)
{
    struct trap trap = {.runtime = new_runtime(), .probe = PROBE_INITIALIZER};
    trap.type = number_type("guest.number");
    trap.probe.context = &trap;
    trap.probe.inside = fork_inside;
    trap.recorder = new_recorder(trap.runtime);
    add_probe(trap.recorder, "probe", &trap.probe);
    for (int i = 0; i < 5; i++) {
        record_ok(trap.recorder, trap.type, 1);
    }
    flush(trap.recorder);
    CHECK_INT(5, trap.passed);
    mvx_recorder_free(trap.recorder);
    end_runtime(trap.runtime);
}

/* ---- signals ------------------------------------------------------------------------------------------- */

static bool read_mask(const char *task, const char *field, uint64_t *mask)
{
    char path[300], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
    FILE *file = fopen(path, "r");
    bool found = false;
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, field, strlen(field)) == 0) {
            *mask = strtoull(line + strlen(field) + 1, NULL, 16);
            found = true;
        }
    }
    if (file) {
        fclose(file);
    }
    return found;
}

static bool blocked(uint64_t mask, int signal)
{
    return (mask >> (signal - 1)) & 1;
}

/* A thread that was just made has all signals blocked for a moment, so what must be open is open soon; what must be
   blocked is blocked from the first moment on. Gives the number of the library's threads, or -1 to look again. */
static int check_masks(const long *known, int known_count)
{
    int seen = 0;
    bool young = false;
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        long id = atol(entry->d_name);
        bool ours = id == 0;
        for (int i = 0; i < known_count; i++) {
            ours = ours || known[i] == id;
        }
        uint64_t mask = 0;
        if (ours || !read_mask(entry->d_name, "SigBlk:", &mask)) {
            continue;
        }
        /* The C library blocks everything in a thread that has not begun to run yet. */
        for (int i = 0; i < 5000 && blocked(mask, SIGPROF); i++) {
            sleep_ms(1);
            if (!read_mask(entry->d_name, "SigBlk:", &mask)) {
                break;
            }
        }
        seen++;
        static const int open[] = {SIGPROF, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
        for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
            young = young || blocked(mask, open[i]);
        }
        for (int signal = 1; signal <= SIGRTMAX; signal++) {
            bool exempt = signal == SIGKILL || signal == SIGSTOP || signal == SIGTRAP || signal == SIGSYS ||
                          signal == SIGABRT || (signal >= 32 && signal < SIGRTMIN);
            for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
                exempt = exempt || signal == open[i];
            }
            if (!exempt && !blocked(mask, signal)) {
                FAIL("thread %ld of the library does not block signal %d", id, signal);
            }
        }
    }
    closedir(dir);
    return young ? -1 : seen;
}

static int list_tasks(long *ids, int room)
{
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    int count = 0;
    for (struct dirent *entry = readdir(dir); entry && count < room; entry = readdir(dir)) {
        if (entry->d_name[0] != '.') {
            ids[count++] = atol(entry->d_name);
        }
    }
    closedir(dir);
    return count;
}

static void library_threads_block_signals(void)
{
    if (mode_is("valgrind") || mode_is("aarch64")) {
        skip("the system shows the masks of valgrind's or the emulator's threads");
    }
    long known[64];
    int known_count = list_tasks(known, 64);
    mvx_runtime_options options = {.struct_size = sizeof options, .worker_threads = 4};
    mvx_runtime *runtime = new_runtime_with(&options);
    mvx_event_type type = number_type("guest.number");
    enum { COUNT = 8 };
    struct gate gate = GATE_INITIALIZER;
    struct probe probes[COUNT];
    mvx_recorder *recorders[COUNT];
    EVENTUALLY(check_masks(known, known_count) > 0);
    for (int i = 0; i < COUNT; i++) {
        probes[i] = (struct probe)PROBE_INITIALIZER;
        probes[i].hold = &gate;
        recorders[i] = new_recorder(runtime);
        add_probe(recorders[i], "probe", &probes[i]);
        record_ok(recorders[i], type, 1);
    }
    gate_await(&gate, COUNT);
    EVENTUALLY(check_masks(known, known_count) >= COUNT);
    gate_open(&gate);
    for (int i = 0; i < COUNT; i++) {
        mvx_recorder_free(recorders[i]);
    }
    end_runtime(runtime);
}

static pthread_t host_thread;
static atomic_int signals_here, signals_elsewhere;

static void note_signal(int number)
{
    (void)number;
    atomic_fetch_add(pthread_equal(pthread_self(), host_thread) ? &signals_here : &signals_elsewhere, 1);
}

static void signals_reach_the_host_only(void)
{
    host_thread = pthread_self();
    struct sigaction action = {.sa_handler = note_signal};
    CHECK_INT(0, sigaction(SIGUSR1, &action, NULL));
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("guest.number");
    mvx_recorder *recorder = new_recorder(runtime);
    struct probe probe = PROBE_INITIALIZER;
    add_probe(recorder, "probe", &probe);
    start(recorder);
    for (int i = 0; i < 200; i++) {
        record_ok(recorder, type, 1);
        CHECK_INT(0, kill(getpid(), SIGUSR1));
    }
    flush(recorder);
    EVENTUALLY(atomic_load(&signals_here) > 0);
    CHECK_INT(0, signals_elsewhere);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* A signal that comes while a thread waits doesn't cut the wait short. */
static void waits_survive_signals(void)
{
    host_thread = pthread_self();
    struct hook_probe hook_probe = {.starting_reply = MVX_HOOK_PENDING};
    mvx_runtime *runtime = new_runtime();
    mvx_hooks hooks = hooks_of(&hook_probe);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    mvx_recorder *recorder = new_recorder_with(runtime, &options);
    mvx_wait *wait = begin_start(recorder);
    mvx_completion *token = take_token(&hook_probe);
    struct sigaction action = {.sa_handler = note_signal};
    CHECK_INT(0, sigaction(SIGALRM, &action, NULL));
    struct itimerval timer = {{0, 5000}, {0, 5000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    int64_t before = now_ms();
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, MS(200)));
    CHECK(now_ms() - before >= 198);
    struct itimerval off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &off, NULL);
    CHECK(signals_here > 3);
    CHECK_INT(0, signals_elsewhere);
    STATUS(MVX_OK, mvx_completion_done(token, (mvx_str){NULL, 0}));
    wait_ok(wait);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

/* ---- the host's globals -------------------------------------------------------------------------------- */

struct globals {
    struct sigaction actions[NSIG];
    sigset_t mask;
    char directory[PATH_MAX];
    char locale[200];
    mode_t file_mask;
    size_t environment;
};

static uint64_t hash_of_environment(void)
{
    uint64_t hash = 14695981039346656037u;
    for (char **entry = environ; entry && *entry; entry++) {
        for (const char *c = *entry; *c; c++) {
            hash = (hash ^ (unsigned char)*c) * 1099511628211u;
        }
    }
    return hash;
}

static void read_globals(struct globals *globals)
{
    memset(globals, 0, sizeof *globals);
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        if (sigaction(i, NULL, &action) == 0) {
            globals->actions[i].sa_handler = action.sa_handler;
            globals->actions[i].sa_flags = action.sa_flags;
        }
    }
    pthread_sigmask(SIG_SETMASK, NULL, &globals->mask);
    CHECK(getcwd(globals->directory, sizeof globals->directory) != NULL);
    snprintf(globals->locale, sizeof globals->locale, "%s", setlocale(LC_ALL, NULL));
    globals->file_mask = umask(0);
    umask(globals->file_mask);
    globals->environment = hash_of_environment();
}
#endif

static void no_global_is_changed(void)
{
    static struct globals before, during, after;
    read_globals(&before);
    mvx_runtime *runtime = new_runtime();
    mvx_event_type type = number_type("guest.number");
    mvx_recorder *recorder = new_recorder(runtime);
    add_native(recorder, "sum", MVX_METRIC_COUNTER, type, "value", NULL);
    record_ok(recorder, type, 1);
    flush(recorder);
    read_globals(&during);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
    read_globals(&after);
    CHECK(memcmp(&before, &during, sizeof before) == 0);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
}

/* ---- threads of the host with little stack ------------------------------------------------------------- */

static void *with_little_stack(void *argument)
{
    struct family *family = argument;
    for (int i = 0; i < 100; i++) {
        if (record(family->recorder, family->type, 1) == MVX_OK) {
            atomic_fetch_add(&family->accepted, 1);
        }
    }
    mvx_snapshot_free(take_snapshot(family->recorder, MVX_SNAPSHOT_CONSISTENT));
    return NULL;
}

static void a_small_stack_is_enough(void)
{
    if (!mode_is("plain")) {
        /* Checkers need more of it than what they check. */
        return;
    }
    struct family family;
    family_open(&family);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    CHECK_INT(0, pthread_attr_setstacksize(&attributes, 64 * 1024));
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        CHECK_INT(0, pthread_create(&thread, &attributes, with_little_stack, &family));
        join(thread);
    }
    pthread_attr_destroy(&attributes);
    family_close(&family);
}

/* ---- processes that end ------------------------------------------------------------------------------------ */

/* Each of these is the main function of a process of its own: what it returns or exits with must be 0, nothing may be
   written, and it must be over in time. */

static struct family child_family;
static atomic_bool child_over;

static void child_produce(void *shared, int number)
{
    (void)number;
    struct family *family = shared;
    struct number event = {1, 0, 0};
    while (!atomic_load(&child_over)) {
        mvx_recorder_register_event(family->recorder, family->type, &event, sizeof event);
    }
}

static struct probe child_probe = PROBE_INITIALIZER;

static void child_open(void)
{
    child_family.runtime = new_runtime();
    child_family.type = number_type("guest.number");
    child_family.recorder = new_recorder(child_family.runtime);
    add_native(child_family.recorder, "sum", MVX_METRIC_COUNTER, child_family.type, "value", "outcome");
    add_probe(child_family.recorder, "probe", &child_probe);
    start(child_family.recorder);
}

static int child_idle(void)
{
    child_open();
    return 0;
}

static int child_busy(void)
{
    child_open();
    crew_start(2, child_produce, &child_family);
    sleep_ms(3);
    return 0;
}

static int child_default_runtime(void)
{
    child_family.type = number_type("guest.number");
    child_family.recorder = new_recorder(NULL);
    add_native(child_family.recorder, "sum", MVX_METRIC_COUNTER, child_family.type, "value", "outcome");
    crew_start(2, child_produce, &child_family);
    sleep_ms(2);
    return 0;
}

static struct gate child_gate = GATE_INITIALIZER;

static int child_stuck_callback(void)
{
    atomic_store(&child_probe.hold, &child_gate);
    child_open();
    record_ok(child_family.recorder, child_family.type, 1);
    gate_await(&child_gate, 1);
    return 0;
}

static int child_pending_hook(void)
{
    family_open(&child_family);
    mvx_wait_free(begin_stop(child_family.recorder));
    return 0;
}

static void exit_inside(struct probe *probe, const mvx_event *event)
{
    (void)probe;
    (void)event;
    exit(0);
}

static int child_exits_in_callback(void)
{
    child_probe.inside = exit_inside;
    child_open();
    crew_start(1, child_produce, &child_family);
    sleep_ms(60000);
    return 9;
}

static void shut_down_late(void)
{
    mvx_recorder_free(child_family.recorder);
    if (mvx_runtime_shutdown(child_family.runtime, NULL) != MVX_OK) {
        _exit(8);
    }
    mvx_runtime_free(child_family.runtime);
}

static int child_shuts_down_at_exit(void)
{
    atexit(shut_down_late);
    child_open();
    for (int i = 0; i < 1000; i++) {
        record_ok(child_family.recorder, child_family.type, 1);
    }
    return 0;
}

static int child_shutting_down(void)
{
    child_open();
    for (int i = 0; i < 1000; i++) {
        record_ok(child_family.recorder, child_family.type, 1);
    }
    mvx_wait *wait = NULL;
    OK(mvx_runtime_shutdown_async(child_family.runtime, &wait, ERR));
    return 0;
}

static void *leave_with_exit(void *argument)
{
    (void)argument;
    sleep_ms(2);
    exit(0);
}

static int child_exits_elsewhere(void)
{
    child_open();
    spawn(leave_with_exit, NULL);
    child_produce(&child_family, 0);
    return 9;
}

/* Everything that could be tempted to print: failures, refusals, an environment that asks for it. */
static int child_is_silent(void)
{
    setenv("RUST_LOG", "trace", 1);
    setenv("RUST_BACKTRACE", "full", 1);
    struct hook_probe bad = {.starting_reply = MVX_HOOK_FAILED};
    mvx_hooks hooks = hooks_of(&bad);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    child_open();
    mvx_recorder *failing = NULL;
    STATUS(MVX_STARTUP_FAILED, mvx_runtime_create_recorder(child_family.runtime, MVX_STR("x"), &options, &failing, ERR));
    atomic_store(&child_probe.event_reply, MVX_EVENT_FAILED);
    record_ok(child_family.recorder, child_family.type, 1);
    EVENTUALLY(state_of(child_family.recorder) == MVX_RECORDER_FAILURE);
    STATUS(MVX_INVALID_STATE, record(child_family.recorder, child_family.type, 1));
    mvx_runtime_shutdown(child_family.runtime, NULL);
    STATUS(MVX_INVALID_HANDLE, mvx_runtime_start((mvx_runtime *)&options, ERR));
    mvx_recorder_free(child_family.recorder);
    mvx_runtime_free(child_family.runtime);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} children[] = {{"idle", child_idle},
                {"busy", child_busy},
                {"default_runtime", child_default_runtime},
                {"stuck_callback", child_stuck_callback},
                {"pending_hook", child_pending_hook},
                {"exits_in_callback", child_exits_in_callback},
                {"shuts_down_at_exit", child_shuts_down_at_exit},
                {"shutting_down", child_shutting_down},
                {"exits_elsewhere", child_exits_elsewhere},
                {"is_silent", child_is_silent}};

#ifndef _WIN32
static void run_child(const char *name)
{
    int out[2];
    CHECK_INT(0, pipe2(out, O_CLOEXEC));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    char program[] = "/proc/self/exe", flag[] = "--child", what[64];
    char self[PATH_MAX];
    ssize_t length = readlink(program, self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;
    snprintf(what, sizeof what, "%s", name);
    /* Where the system can't run this program by itself, ./run says what does. */
    char *emulator = getenv("MVX_TEST_EMULATOR"), folder_flag[] = "-L", *folder = getenv("MVX_TEST_EMULATOR_ROOT");
    char *emulated[] = {emulator, folder_flag, folder, self, flag, what, NULL};
    char **arguments = emulator ? emulated : emulated + 3;
    pid_t child = 0;
    CHECK_INT(0, posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ));
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    char text[2000];
    size_t used = 0;
    int64_t end = now_ms() + 2 * patience_ms();
    for (;;) {
        struct pollfd item = {.fd = out[0], .events = POLLIN};
        int64_t left = end - now_ms();
        if (left <= 0) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
            FAIL("the process %s did not end", name);
        }
        if (poll(&item, 1, (int)left) <= 0) {
            continue;
        }
        ssize_t n = read(out[0], text + used, sizeof text - 1 - used);
        if (n <= 0 || used + (size_t)n >= sizeof text - 1) {
            break;
        }
        used += (size_t)n;
    }
    text[used] = 0;
    close(out[0]);
    int status = 0;
    CHECK_INT(child, waitpid(child, &status, 0));
    if (status != 0 || used != 0) {
        FAIL("the process %s ended with 0x%x and wrote \"%s\"", name, status, text);
    }
}
#endif

static void run_children(const char *name, uint64_t count)
{
    /* Threads that are still there, or not joined yet, are what these processes are about. */
    char options[500];
    const char *given = getenv("TSAN_OPTIONS");
    snprintf(options, sizeof options, "%s:report_thread_leaks=0", given ? given : "");
    setenv("TSAN_OPTIONS", options, 1);
    uint64_t times = mode_is("valgrind") ? count : scaled(count, 4);
    for (uint64_t i = 0; i < times; i++) {
        run_child(name);
    }
}

static void exit_while_idle(void)
{
    run_children("idle", 30);
}

static void exit_while_producers_run(void)
{
    run_children("busy", 60);
}

static void exit_with_the_default_runtime(void)
{
    run_children("default_runtime", 40);
}

static void exit_while_a_callback_is_stuck(void)
{
    run_children("stuck_callback", 20);
}

static void exit_while_a_hook_is_pending(void)
{
    run_children("pending_hook", 20);
}

static void exit_from_a_callback(void)
{
    run_children("exits_in_callback", 40);
}

static void shut_down_at_exit(void)
{
    run_children("shuts_down_at_exit", 30);
}

static void exit_while_shutting_down(void)
{
    run_children("shutting_down", 40);
}

static void exit_from_another_thread(void)
{
    run_children("exits_elsewhere", 40);
}

static void nothing_is_written(void)
{
    run_children("is_silent", 4);
}

static const struct test_case cases[] = {CASE(waiting_for_oneself),
                                         CASE(shutting_down_from_a_callback),
                                         CASE(shutting_down_from_a_completion),
                                         CASE(shutting_down_when_it_was_shut_down),
                                         CASE(waiting_for_each_other),
                                         CASE(letting_go_from_a_callback),
                                         UNIX_CASE(a_child_is_told_it_forked, "fork()"),
                                         UNIX_CASE(a_child_starts_anew, "fork()"),
                                         UNIX_CASE(grandchildren, "fork()"),
                                         UNIX_CASE(the_default_runtime_does_not_cross, "fork()"),
                                         UNIX_CASE(fork_from_a_callback, "fork()"),
                                         UNIX_CASE(library_threads_block_signals, "signals"),
                                         UNIX_CASE(signals_reach_the_host_only, "signals"),
                                         UNIX_CASE(waits_survive_signals, "signals"),
                                         CASE(no_global_is_changed),
                                         CASE(a_small_stack_is_enough),
                                         CASE(exit_while_idle),
                                         CASE(exit_while_producers_run),
                                         CASE(exit_with_the_default_runtime),
                                         CASE(exit_while_a_callback_is_stuck),
                                         CASE(exit_while_a_hook_is_pending),
                                         CASE(exit_from_a_callback),
                                         CASE(shut_down_at_exit),
                                         CASE(exit_while_shutting_down),
                                         CASE(exit_from_another_thread),
                                         CASE(nothing_is_written)};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--child") == 0) {
        for (size_t i = 0; i < sizeof children / sizeof children[0]; i++) {
            if (strcmp(children[i].name, argv[2]) == 0) {
                return children[i].run();
            }
        }
        return 7;
    }
    return run_cases(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
