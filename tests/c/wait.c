/* Wait handles: five ways to wait, one result for all who wait, and letting go at any time. */
#include "support.h"

#ifndef _WIN32
#include <poll.h>
#endif

struct dock {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    struct hook_probe hooks;
};

/* on_starting is pending, so a start stays under way until dock_finish. */
static void dock_open(struct dock *dock)
{
    memset(dock, 0, sizeof *dock);
    dock->runtime = new_runtime();
    dock->type = number_type("wait.number");
    dock->hooks.starting_reply = MVX_HOOK_PENDING;
    mvx_hooks hooks = hooks_of(&dock->hooks);
    mvx_recorder_options options = recorder_options();
    options.hooks = &hooks;
    dock->recorder = new_recorder_with(dock->runtime, &options);
}

static void dock_finish(struct dock *dock, const char *error)
{
    STATUS(MVX_OK, mvx_completion_done(take_token(&dock->hooks), str_of(error)));
}

static void dock_close(struct dock *dock)
{
    mvx_recorder_free(dock->recorder);
    end_runtime(dock->runtime);
}

static mvx_status result_of(const mvx_wait *wait, mvx_error **error)
{
    int32_t operation = -1;
    mvx_status status = mvx_wait_result(wait, &operation, error);
    /* Known however it ended. */
    CHECK_INT(MVX_OPERATION_START, operation);
    return status;
}

/* ---- block, poll, result ------------------------------------------------------------------------------- */

static void blocking_with_a_time_out(void)
{
    struct dock dock;
    dock_open(&dock);
    mvx_wait *wait = begin_start(dock.recorder);
    int32_t operation = -1;
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, 0));
    STATUS(MVX_NOT_READY, mvx_wait_result(wait, &operation, ERR));
    CHECK_INT(-1, operation);
    int64_t before = now_ms();
    STATUS(MVX_TIMEOUT, mvx_wait_block(wait, MS(100)));
    int64_t took = now_ms() - before;
    CHECK(took >= 98);
    CHECK(took < 100 + patience_ms());
    /* The time-out was the wait's; the operation goes on. */
    CHECK_INT(MVX_RECORDER_STARTING, state_of(dock.recorder));
    dock_finish(&dock, "");
    STATUS(MVX_OK, mvx_wait_block(wait, -1));
    for (int i = 0; i < 3; i++) {
        operation = -1;
        STATUS(MVX_OK, mvx_wait_block(wait, 0));
        OK(mvx_wait_result(wait, &operation, ERR));
        CHECK_INT(MVX_OPERATION_START, operation);
        OK(result_of(wait, NULL));
    }
    mvx_wait_free(wait);
    STATUS(MVX_INVALID_HANDLE, mvx_wait_block(wait, 0));
    STATUS(MVX_INVALID_HANDLE, mvx_wait_result(wait, &operation, NULL));
    dock_close(&dock);
}

static void every_operation_names_itself(void)
{
    struct dock dock;
    dock_open(&dock);
    mvx_wait *wait[4] = {NULL};
    wait[0] = begin_start(dock.recorder);
    dock_finish(&dock, "");
    STATUS(MVX_OK, mvx_wait_block(wait[0], -1));
    wait[1] = begin_flush(dock.recorder);
    STATUS(MVX_OK, mvx_wait_block(wait[1], -1));
    wait[2] = begin_stop(dock.recorder);
    STATUS(MVX_OK, mvx_wait_block(wait[2], -1));
    OK(mvx_runtime_shutdown_async(dock.runtime, &wait[3], ERR));
    STATUS(MVX_OK, mvx_wait_block(wait[3], -1));
    static const int32_t operations[] = {MVX_OPERATION_START, MVX_OPERATION_FLUSH, MVX_OPERATION_STOP,
                                         MVX_OPERATION_SHUTDOWN};
    for (int i = 0; i < 4; i++) {
        int32_t operation = -1;
        OK(mvx_wait_result(wait[i], &operation, ERR));
        CHECK_INT(operations[i], operation);
        mvx_wait_free(wait[i]);
    }
    dock_close(&dock);
}

static void a_failure_is_told_every_time(void)
{
    struct dock dock;
    dock_open(&dock);
    mvx_wait *wait = begin_start(dock.recorder);
    dock_finish(&dock, "closed on Sundays");
    STATUS(MVX_OK, mvx_wait_block(wait, -1));
    for (int i = 0; i < 3; i++) {
        mvx_error *error = FAILURE_OF(MVX_HOOK_FAILED, "ON_STARTING_HOOK_FAILED", result_of(wait, ERR));
        CHECK(mvx_error_cause(error) != NULL);
        CHECK_STR("closed on Sundays", mvx_error_message(mvx_error_cause(error)));
        mvx_error_free(error);
        STATUS(MVX_HOOK_FAILED, result_of(wait, NULL));
    }
    mvx_wait_free(wait);
    dock_close(&dock);
}

struct waiters {
    struct dock dock;
    mvx_wait *shared;
    _Atomic int blocked;
    mvx_status expected;
};

static void block_on_the_shared_handle(void *shared, int number)
{
    struct waiters *waiters = shared;
    atomic_fetch_add(&waiters->blocked, 1);
    if (number % 2 == 0) {
        STATUS(MVX_OK, mvx_wait_block(waiters->shared, number % 4 == 0 ? -1 : MS(patience_ms())));
        STATUS(waiters->expected, result_of(waiters->shared, NULL));
    } else {
        mvx_wait *own = begin_start(waiters->dock.recorder);
        STATUS(MVX_OK, mvx_wait_block(own, -1));
        STATUS(waiters->expected, result_of(own, NULL));
        mvx_wait_free(own);
    }
}

static void all_waiters_get_one_result(void)
{
    for (int failing = 0; failing < 2; failing++) {
        struct waiters waiters;
        memset(&waiters, 0, sizeof waiters);
        waiters.expected = failing ? MVX_HOOK_FAILED : MVX_OK;
        dock_open(&waiters.dock);
        waiters.shared = begin_start(waiters.dock.recorder);
        struct crew_member *crew = crew_start(10, block_on_the_shared_handle, &waiters);
        EVENTUALLY(atomic_load(&waiters.blocked) == 10);
        sleep_ms(100 + 20 * slowness());
        dock_finish(&waiters.dock, failing ? "no" : "");
        crew_join(crew, 10);
        mvx_wait_free(waiters.shared);
        dock_close(&waiters.dock);
    }
}

static void *block_until_freed(void *argument)
{
    struct waiters *waiters = argument;
    atomic_fetch_add(&waiters->blocked, 1);
    mvx_status status = mvx_wait_block(waiters->shared, -1);
    CHECK(status == MVX_OK || status == MVX_INVALID_HANDLE);
    return NULL;
}

/* Who blocks on a handle that another thread frees comes back, at the latest when the operation is over. */
static void freed_while_somebody_blocks(void)
{
    int rounds = (int)scaled(30, 5);
    for (int i = 0; i < rounds; i++) {
        struct waiters waiters;
        memset(&waiters, 0, sizeof waiters);
        dock_open(&waiters.dock);
        waiters.shared = begin_start(waiters.dock.recorder);
        pthread_t one = spawn(block_until_freed, &waiters);
        pthread_t two = spawn(block_until_freed, &waiters);
        EVENTUALLY(atomic_load(&waiters.blocked) == 2);
        sleep_ms(i % 3);
        mvx_wait_free(waiters.shared);
        dock_finish(&waiters.dock, "");
        join(one);
        join(two);
        EVENTUALLY(state_of(waiters.dock.recorder) == MVX_RECORDER_RUNNING);
        dock_close(&waiters.dock);
    }
}

/* ---- the callback -------------------------------------------------------------------------------------- */

struct bell {
    _Atomic int rings;
    _Atomic int drops;
    _Atomic int operation;
    _Atomic int status;
    _Atomic int same_thread;
    pthread_t registrar;
    struct dock *dock;
};

static void ring(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    struct bell *bell = user_data;
    CHECK_INT(0, bell->drops);
    atomic_store(&bell->operation, operation);
    atomic_store(&bell->status, status);
    atomic_store(&bell->same_thread, pthread_equal(bell->registrar, pthread_self()) != 0);
    if (status == MVX_OK) {
        CHECK(error == NULL);
    } else {
        CHECK(error != NULL);
        CHECK_INT(status, mvx_error_status(error));
        CHECK(mvx_error_message(error).len > 0);
    }
    CHECK_INT(0, atomic_fetch_add(&bell->rings, 1));
}

static void bell_drop(void *user_data)
{
    struct bell *bell = user_data;
    CHECK_INT(0, atomic_fetch_add(&bell->drops, 1));
}

static void on_complete(mvx_wait *wait, struct bell *bell)
{
    bell->registrar = pthread_self();
    OK(mvx_wait_on_complete(wait, ring, bell, bell_drop));
}

static void the_callback_comes_once(void)
{
    struct dock dock;
    dock_open(&dock);
    struct bell before[3] = {{0}};
    struct bell after = {0};
    mvx_wait *wait = begin_start(dock.recorder);
    for (int i = 0; i < 3; i++) {
        on_complete(wait, &before[i]);
    }
    sleep_ms(20);
    CHECK_INT(0, before[0].rings);
    dock_finish(&dock, "");
    for (int i = 0; i < 3; i++) {
        EVENTUALLY(atomic_load(&before[i].drops) == 1);
        CHECK_INT(1, before[i].rings);
        CHECK_INT(MVX_OPERATION_START, before[i].operation);
        CHECK_INT(MVX_OK, before[i].status);
        CHECK_INT(0, before[i].same_thread);
    }
    STATUS(MVX_OK, mvx_wait_block(wait, -1));
    on_complete(wait, &after);
    CHECK_INT(1, after.rings);
    CHECK_INT(1, after.drops);
    CHECK_INT(1, after.same_thread);
    mvx_wait_free(wait);
    sleep_ms(20);
    CHECK_INT(1, before[0].rings);
    dock_close(&dock);
}

static void the_callback_hears_of_failure(void)
{
    struct dock dock;
    dock_open(&dock);
    struct bell bell = {0}, late = {0}, refused = {0};
    mvx_wait *wait = begin_start(dock.recorder);
    on_complete(wait, &bell);
    dock_finish(&dock, "no");
    EVENTUALLY(atomic_load(&bell.drops) == 1);
    CHECK_INT(MVX_HOOK_FAILED, bell.status);
    on_complete(wait, &late);
    CHECK_INT(MVX_HOOK_FAILED, late.status);
    CHECK_INT(1, late.drops);
    mvx_wait_free(wait);
    wait = begin_stop(dock.recorder);
    on_complete(wait, &refused);
    CHECK_INT(MVX_OPERATION_STOP, refused.operation);
    CHECK_INT(MVX_INVALID_STATE, refused.status);
    CHECK_INT(1, refused.drops);
    mvx_wait_free(wait);
    dock_close(&dock);
}

static void the_callback_comes_though_the_handle_is_gone(void)
{
    struct dock dock;
    dock_open(&dock);
    struct bell bell = {0};
    mvx_wait *wait = begin_start(dock.recorder);
    on_complete(wait, &bell);
    mvx_wait_free(wait);
    sleep_ms(20);
    CHECK_INT(0, bell.rings);
    CHECK_INT(0, bell.drops);
    dock_finish(&dock, "");
    EVENTUALLY(atomic_load(&bell.drops) == 1);
    CHECK_INT(1, bell.rings);
    CHECK_INT(MVX_OK, bell.status);
    dock_close(&dock);
}

static void no_drop_and_no_user_data(void)
{
    struct dock dock;
    dock_open(&dock);
    struct bell bell = {0};
    mvx_wait *wait = begin_start(dock.recorder);
    bell.registrar = pthread_self();
    OK(mvx_wait_on_complete(wait, ring, &bell, NULL));
    dock_finish(&dock, "");
    EVENTUALLY(atomic_load(&bell.rings) == 1);
    mvx_wait_free(wait);
    dock_close(&dock);
}

struct bells {
    mvx_recorder *recorder;
    _Atomic int expected;
    _Atomic int rung;
    _Atomic int dropped;
    int rounds;
};

static void count_ring(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    (void)operation;
    (void)status;
    (void)error;
    atomic_fetch_add(&((struct bells *)user_data)->rung, 1);
}

static void count_drop(void *user_data)
{
    atomic_fetch_add(&((struct bells *)user_data)->dropped, 1);
}

/* Registering races the end of the operation and the freeing of the handle: still each comes once. */
static void ring_many(void *shared, int number)
{
    struct bells *bells = shared;
    for (int i = 0; i < bells->rounds; i++) {
        mvx_wait *wait = number == 0 ? ((i % 2) ? begin_stop(bells->recorder) : begin_start(bells->recorder))
                                     : begin_flush(bells->recorder);
        atomic_fetch_add(&bells->expected, 2);
        OK(mvx_wait_on_complete(wait, count_ring, bells, count_drop));
        OK(mvx_wait_on_complete(wait, count_ring, bells, count_drop));
        mvx_wait_free(wait);
    }
}

static void callbacks_racing_completion(void)
{
    mvx_runtime *runtime = new_runtime();
    mvx_recorder *recorder = new_recorder(runtime);
    struct bells bells = {.recorder = recorder, .rounds = (int)scaled(2000, 100)};
    crew_run(4, ring_many, &bells);
    EVENTUALLY(atomic_load(&bells.dropped) == atomic_load(&bells.expected));
    CHECK_INT(bells.expected, bells.rung);
    mvx_recorder_free(recorder);
    end_runtime(runtime);
}

static void ring_and_restart(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    (void)operation;
    (void)error;
    struct bell *bell = user_data;
    CHECK_INT(MVX_OK, status);
    mvx_wait *wait = begin_flush(bell->dock->recorder);
    struct bell *inner = bell + 1;
    inner->registrar = pthread_self();
    OK(mvx_wait_on_complete(wait, ring, inner, bell_drop));
    mvx_wait_free(wait);
    OK(mvx_recorder_stop(bell->dock->recorder, NULL, ERR));
    atomic_fetch_add(&bell->rings, 1);
}

static void the_callback_may_call_anything(void)
{
    struct dock dock;
    dock_open(&dock);
    struct bell bells[2] = {{.dock = &dock}, {.dock = &dock}};
    mvx_wait *wait = begin_start(dock.recorder);
    OK(mvx_wait_on_complete(wait, ring_and_restart, &bells[0], bell_drop));
    mvx_wait_free(wait);
    dock_finish(&dock, "");
    EVENTUALLY(atomic_load(&bells[0].drops) == 1 && atomic_load(&bells[1].drops) == 1);
    EVENTUALLY(state_of(dock.recorder) == MVX_RECORDER_STOPPED);
    dock_close(&dock);
}

/* ---- the file descriptor ------------------------------------------------------------------------------- */

#ifdef _WIN32
static bool readable(descriptor handle, int timeout_ms)
{
    DWORD outcome = WaitForSingleObject(handle, (DWORD)timeout_ms);
    CHECK(outcome == WAIT_OBJECT_0 || outcome == WAIT_TIMEOUT);
    return outcome == WAIT_OBJECT_0;
}

/* Waits for any, and gives the first one that is signalled. */
static int any_readable(const descriptor *handles, int count, int timeout_ms)
{
    DWORD outcome = WaitForMultipleObjects((DWORD)count, handles, FALSE, (DWORD)timeout_ms);
    CHECK(outcome < WAIT_OBJECT_0 + (DWORD)count);
    return (int)(outcome - WAIT_OBJECT_0);
}
#else
static bool readable(descriptor fd, int timeout_ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    int n = poll(&item, 1, timeout_ms);
    CHECK(n >= 0);
    CHECK((item.revents & (POLLNVAL | POLLERR)) == 0);
    return n == 1;
}

/* Waits for any, and gives the first one that is readable. */
static int any_readable(const descriptor *fds, int count, int timeout_ms)
{
    struct pollfd items[64];
    for (int i = 0; i < count; i++) {
        items[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    CHECK(poll(items, (nfds_t)count, timeout_ms) >= 1);
    int first = 0;
    while (items[first].revents == 0) {
        first++;
    }
    CHECK(items[first].revents == POLLIN);
    return first;
}
#endif

static void a_descriptor_to_poll(void)
{
    struct dock dock;
    dock_open(&dock);
    mvx_wait *wait = begin_start(dock.recorder);
    int fds = fd_count();
    descriptor fd = NO_DESCRIPTOR, again = NO_DESCRIPTOR, late = NO_DESCRIPTOR;
    OK(mvx_wait_fd(wait, &fd));
    CHECK(fd != NO_DESCRIPTOR);
    OK(mvx_wait_fd(wait, &again));
    CHECK(fd == again);
    CHECK(!readable(fd, 50));
    dock_finish(&dock, "");
    CHECK(readable(fd, (int)patience_ms()));
    OK(result_of(wait, ERR));
    CHECK(readable(fd, 0));
    OK(mvx_wait_fd(wait, &again));
    CHECK(fd == again);
    mvx_wait *over = begin_start(dock.recorder);
    OK(mvx_wait_fd(over, &late));
    CHECK(readable(late, 0));
    mvx_wait_free(over);
    mvx_wait_free(wait);
    EVENTUALLY(fd_count() == fds);
    dock_close(&dock);
}

/* Freed while the operation is under way: the descriptor goes with the handle. */
static void a_descriptor_goes_with_its_handle(void)
{
    struct dock dock;
    dock_open(&dock);
    int fds = fd_count();
    for (int i = 0; i < 20; i++) {
        descriptor fd = NO_DESCRIPTOR;
        mvx_wait *wait = begin_start(dock.recorder);
        OK(mvx_wait_fd(wait, &fd));
        CHECK(!readable(fd, 0));
        mvx_wait_free(wait);
    }
    EVENTUALLY(fd_count() <= fds + 1);
    dock_finish(&dock, "");
    EVENTUALLY(state_of(dock.recorder) == MVX_RECORDER_RUNNING);
    dock_close(&dock);
}

static void an_event_loop_over_many(void)
{
    enum { COUNT = 30 };
    mvx_runtime *runtime = new_runtime();
    struct hook_probe probes[COUNT];
    mvx_recorder *recorders[COUNT];
    mvx_wait *waits[COUNT];
    descriptor fds[COUNT];
    memset(probes, 0, sizeof probes);
    for (int i = 0; i < COUNT; i++) {
        probes[i].starting_reply = MVX_HOOK_PENDING;
        mvx_hooks hooks = hooks_of(&probes[i]);
        mvx_recorder_options options = recorder_options();
        options.hooks = &hooks;
        recorders[i] = new_recorder_with(runtime, &options);
        waits[i] = begin_start(recorders[i]);
        fds[i] = NO_DESCRIPTOR;
        OK(mvx_wait_fd(waits[i], &fds[i]));
    }
    for (int i = COUNT - 1; i >= 0; i--) {
        CHECK(!readable(fds[i], 0));
        STATUS(MVX_OK, mvx_completion_done(take_token(&probes[i]), (mvx_str){NULL, 0}));
        CHECK_INT(i, any_readable(fds, i + 1, (int)patience_ms()));
        for (int n = 0; n < i; n++) {
            CHECK(!readable(fds[n], 0));
        }
    }
    for (int i = 0; i < COUNT; i++) {
        wait_ok(waits[i]);
        mvx_recorder_free(recorders[i]);
    }
    end_runtime(runtime);
}

/* ---- letting go ---------------------------------------------------------------------------------------- */

static void letting_go_cancels_nothing(void)
{
    struct dock dock;
    dock_open(&dock);
    mvx_wait_free(begin_start(dock.recorder));
    dock_finish(&dock, "");
    EVENTUALLY(state_of(dock.recorder) == MVX_RECORDER_RUNNING);
    for (int i = 0; i < 100; i++) {
        record_ok(dock.recorder, dock.type, 1);
    }
    mvx_wait_free(begin_flush(dock.recorder));
    mvx_wait_free(begin_stop(dock.recorder));
    EVENTUALLY(state_of(dock.recorder) == MVX_RECORDER_STOPPED);
    CHECK_UINT(100, stats_of(dock.recorder).dispatched);
    dock_close(&dock);
}

static void a_result_outlives_recorder_and_runtime(void)
{
    struct dock dock;
    dock_open(&dock);
    mvx_wait *started = begin_start(dock.recorder);
    dock_finish(&dock, "");
    STATUS(MVX_OK, mvx_wait_block(started, -1));
    mvx_wait *stopped = begin_stop(dock.recorder);
    mvx_recorder_free(dock.recorder);
    STATUS(MVX_OK, mvx_wait_block(stopped, MS(patience_ms())));
    end_runtime(dock.runtime);
    OK(result_of(started, ERR));
    int32_t operation = -1;
    OK(mvx_wait_result(stopped, &operation, ERR));
    CHECK_INT(MVX_OPERATION_STOP, operation);
    struct bell bell = {0};
    on_complete(stopped, &bell);
    CHECK_INT(1, bell.rings);
    mvx_wait_free(started);
    mvx_wait_free(stopped);
}

TEST_MAIN(CASE(blocking_with_a_time_out), CASE(every_operation_names_itself), CASE(a_failure_is_told_every_time),
          CASE(all_waiters_get_one_result), CASE(freed_while_somebody_blocks), CASE(the_callback_comes_once),
          CASE(the_callback_hears_of_failure), CASE(the_callback_comes_though_the_handle_is_gone),
          CASE(no_drop_and_no_user_data), CASE(callbacks_racing_completion), CASE(the_callback_may_call_anything),
          CASE(a_descriptor_to_poll), CASE(a_descriptor_goes_with_its_handle), CASE(an_event_loop_over_many),
          CASE(letting_go_cancels_nothing), CASE(a_result_outlives_recorder_and_runtime))
