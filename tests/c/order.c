/* The order promise: events of one thread keep their order for every metric; across threads, what happened before
   is seen before, by every metric for which order matters and by on_metric_changed.

   The threads here pass a token around. Whoever holds it registers the next numbers of the token's sequence, so all
   events of one token are totally ordered by happens-before, however many threads recorded them. */
#include "support.h"

#define TOKENS 2

/* ---- the checker --------------------------------------------------------------------------------------- */

struct checker {
    int64_t next[TOKENS];
    uint64_t wrong;
    uint64_t count;
};

static void checker_see(struct checker *checker, uint32_t token, int64_t number)
{
    CHECK(token < TOKENS);
    if (number != checker->next[token]) {
        checker->wrong++;
    }
    checker->next[token] = number + 1;
    checker->count++;
}

static void the_checker_sees_disorder(void)
{
    struct checker checker = {{0, 0}, 0, 0};
    for (int64_t i = 0; i < 100; i++) {
        checker_see(&checker, 0, i);
        checker_see(&checker, 1, i);
    }
    CHECK_UINT(0, checker.wrong);
    struct checker swapped = {{0, 0}, 0, 0};
    checker_see(&swapped, 0, 0);
    checker_see(&swapped, 0, 2);
    checker_see(&swapped, 0, 1);
    CHECK(swapped.wrong > 0);
    struct checker lost = {{0, 0}, 0, 0};
    checker_see(&lost, 0, 1);
    CHECK(lost.wrong > 0);
    struct checker doubled = {{0, 0}, 0, 0};
    checker_see(&doubled, 0, 0);
    checker_see(&doubled, 0, 0);
    CHECK(doubled.wrong > 0);
}

/* ---- metrics that use it ------------------------------------------------------------------------------- */

static mvx_event_type number_events;

/* Other types travel the same way; they must not disturb the order, and are none of the checker's business. */
static int32_t checker_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)error;
    struct number number;
    if (event->type != number_events) {
        return MVX_EVENT_IGNORED;
    }
    CHECK_UINT(sizeof number, event->len);
    memcpy(&number, event->payload, sizeof number);
    checker_see(user_data, number.source, number.value);
    return MVX_EVENT_CHANGED;
}

static int32_t checker_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                             mvx_callback_error *error)
{
    for (size_t i = 0; i < count; i++) {
        checker_event(user_data, &events[i], error);
        if (changed) {
            changed[i] = events[i].type == number_events;
        }
    }
    return MVX_EVENT_CHANGED;
}

static int32_t checker_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)error;
    struct checker *checker = user_data;
    mvx_writer_u64(writer, MVX_STR("count"), checker->count);
    mvx_writer_u64(writer, MVX_STR("wrong"), checker->wrong);
    mvx_writer_i64(writer, MVX_STR("next"), checker->next[0]);
    return MVX_SNAPSHOT_DONE;
}

static void add_checker(mvx_recorder *recorder, const char *name, struct checker *checker, bool batches, uint32_t flags)
{
    mvx_metric_vtable vtable = {.struct_size = sizeof vtable,
                                .handle_event = checker_event,
                                .handle_batch = batches ? checker_batch : NULL,
                                .snapshot = checker_snapshot,
                                .flags = flags};
    OK(mvx_recorder_register_metric(recorder, str_of(name), &vtable, checker, ERR));
}

static int32_t changed_in_order(void *user_data, mvx_str metric_name, void *metric_user_data, const mvx_event *event,
                                mvx_completion *completion, mvx_callback_error *error)
{
    (void)metric_user_data;
    (void)completion;
    if (str_is(metric_name, "event by event")) {
        checker_event(user_data, event, error);
    }
    return MVX_HOOK_DONE;
}

/* ---- the token ----------------------------------------------------------------------------------------- */

struct token {
    _Alignas(128) _Atomic int64_t turn; /* which thread may go on: the hand-over is this store */
    int64_t next;                       /* of the holder alone */
};

struct ring {
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    mvx_event_type unrelated;
    struct token token[TOKENS];
    pthread_mutex_t mutex;
    int threads;
    int64_t goal;
    int burst;
    bool batches;
    mvx_symbol outcome;
};

static void ring_open(struct ring *ring, bool with_hook, struct checker *hook_checker)
{
    memset(ring, 0, sizeof *ring);
    ring->runtime = new_runtime();
    ring->type = number_type("order.number");
    number_events = ring->type;
    ring->unrelated = number_type("order.unrelated");
    ring->outcome = symbol("ok");
    pthread_mutex_init(&ring->mutex, NULL);
    mvx_hooks hooks = {
        .struct_size = sizeof hooks, .on_metric_changed = changed_in_order, .user_data = hook_checker};
    mvx_recorder_options options = recorder_options();
    options.queue_max_size = 20000;
    options.overflow_policy = MVX_OVERFLOW_BLOCK;
    options.block_timeout_ns = MS(patience_ms());
    options.hooks = with_hook ? &hooks : NULL;
    ring->recorder = new_recorder_with(ring->runtime, &options);
}

static void ring_close(struct ring *ring)
{
    mvx_recorder_free(ring->recorder);
    end_runtime(ring->runtime);
    pthread_mutex_destroy(&ring->mutex);
}

static void ring_record(struct ring *ring, uint32_t token, int count)
{
    struct number numbers[64];
    CHECK(count <= 64);
    for (int i = 0; i < count; i++) {
        numbers[i] = (struct number){ring->token[token].next++, ring->outcome, token};
    }
    if (ring->batches) {
        size_t accepted = 0;
        STATUS(MVX_OK, mvx_recorder_register_events(ring->recorder, ring->type, numbers, sizeof numbers[0],
                                                    (size_t)count, &accepted));
        CHECK_UINT(count, accepted);
        return;
    }
    for (int i = 0; i < count; i++) {
        STATUS(MVX_OK, mvx_recorder_register_event(ring->recorder, ring->type, &numbers[i], sizeof numbers[i]));
    }
}

/* Waits for its turn, records a burst, and hands the token to a thread drawn by chance. */
static void ring_run(void *shared, int number)
{
    struct ring *ring = shared;
    uint64_t random = (uint64_t)number + 1;
    uint32_t token = (uint32_t)(number % TOKENS);
    struct token *mine = &ring->token[token];
    int group = ring->threads / TOKENS;
    int64_t me = number / TOKENS;
    int spins = 0;
    for (;;) {
        int64_t turn = atomic_load_explicit(&mine->turn, memory_order_acquire);
        if (turn < 0) {
            return;
        }
        if (turn != me) {
            if (++spins % 16 == 0) {
                sched_yield();
            }
            continue;
        }
        spins = 0;
        ring_record(ring, token, 1 + (int)(next_random(&random) % (uint64_t)ring->burst));
        if (next_random(&random) % 8 == 0) {
            struct number other = {1, ring->outcome, token};
            STATUS(MVX_OK, mvx_recorder_register_event(ring->recorder, ring->unrelated, &other, sizeof other));
        }
        int64_t to = mine->next >= ring->goal ? -1 : (int64_t)(next_random(&random) % (uint64_t)group);
        atomic_store_explicit(&mine->turn, to, memory_order_release);
    }
}

static void expect_order(const struct checker *checker, const struct ring *ring, const char *who)
{
    uint64_t total = 0;
    for (int i = 0; i < TOKENS; i++) {
        total += (uint64_t)ring->token[i].next;
        if (checker->next[i] != ring->token[i].next) {
            FAIL("%s ended at %" PRId64 ", recorded were %" PRId64, who, checker->next[i], ring->token[i].next);
        }
    }
    if (checker->wrong || checker->count != total) {
        FAIL("%s saw %" PRIu64 " of %" PRIu64 " events, %" PRIu64 " out of order", who, checker->count, total,
             checker->wrong);
    }
}

static void pass_tokens(int threads, int burst, bool batches, bool with_hook, uint64_t goal)
{
    struct ring ring;
    struct checker one = {0}, many = {0}, hook = {0};
    ring_open(&ring, with_hook, &hook);
    ring.threads = threads;
    ring.burst = burst;
    ring.batches = batches;
    ring.goal = (int64_t)scaled(goal, 2000);
    add_native(ring.recorder, "counter", MVX_METRIC_COUNTER, ring.unrelated, "value", NULL);
    add_checker(ring.recorder, "event by event", &one, false, 0);
    add_checker(ring.recorder, "batch by batch", &many, true, 0);
    start(ring.recorder);
    crew_run(threads, ring_run, &ring);
    stop(ring.recorder);
    expect_order(&one, &ring, "handle_event");
    expect_order(&many, &ring, "handle_batch");
    if (with_hook) {
        expect_order(&hook, &ring, "on_metric_changed");
    }
    ring_close(&ring);
}

static void two_threads_pass_each_token(void)
{
    pass_tokens(4, 1, false, false, 1000000);
}

static void many_threads_pass_bursts(void)
{
    pass_tokens(8, 50, false, false, 2000000);
}

static void bursts_by_register_events(void)
{
    pass_tokens(4, 64, true, false, 3000000);
}

static void the_changed_hook_keeps_order(void)
{
    pass_tokens(4, 4, false, true, 400000);
}

/* ---- a mutex instead of an atomic ---------------------------------------------------------------------- */

static void under_the_mutex(void *shared, int number)
{
    (void)number;
    struct ring *ring = shared;
    for (bool over = false; !over;) {
        pthread_mutex_lock(&ring->mutex);
        over = ring->token[0].next >= ring->goal;
        if (!over) {
            ring_record(ring, 0, 1);
        }
        pthread_mutex_unlock(&ring->mutex);
    }
}

static void a_mutex_orders_too(void)
{
    struct ring ring;
    struct checker one = {0};
    ring_open(&ring, false, NULL);
    ring.goal = (int64_t)scaled(1500000, 2000);
    add_checker(ring.recorder, "event by event", &one, false, 0);
    add_native(ring.recorder, "gauge", MVX_METRIC_GAUGE, ring.type, "value", NULL);
    start(ring.recorder);
    crew_run(5, under_the_mutex, &ring);
    CHECK_INT(ring.goal - 1, current(ring.recorder, "gauge", "value"));
    stop(ring.recorder);
    expect_order(&one, &ring, "handle_event");
    ring_close(&ring);
}

/* ---- the gauge: last write wins, and the last write is known ------------------------------------------- */

static void gauge_run(void *shared, int number)
{
    struct ring *ring = shared;
    uint64_t random = (uint64_t)number + 1;
    for (;;) {
        int64_t turn = atomic_load_explicit(&ring->token[0].turn, memory_order_acquire);
        if (turn < 0) {
            return;
        }
        if (turn != number) {
            sched_yield();
            continue;
        }
        ring_record(ring, 0, 1 + (int)(next_random(&random) % 8));
        if (next_random(&random) % 4 == 0) {
            /* Nobody else records while the token is here, so the gauge shows exactly the last number. */
            CHECK_INT(ring->token[0].next - 1, current(ring->recorder, "gauge", "value"));
        }
        int64_t to = ring->token[0].next >= ring->goal ? -1 : (int64_t)(next_random(&random) % (uint64_t)ring->threads);
        atomic_store_explicit(&ring->token[0].turn, to, memory_order_release);
    }
}

static void a_gauge_shows_the_last_write(void)
{
    struct ring ring;
    ring_open(&ring, false, NULL);
    ring.threads = 4;
    ring.goal = (int64_t)scaled(200000, 500);
    add_native(ring.recorder, "gauge", MVX_METRIC_GAUGE, ring.type, "value", NULL);
    start(ring.recorder);
    crew_run(4, gauge_run, &ring);
    stop(ring.recorder);
    CHECK_INT(ring.token[0].next - 1, current(ring.recorder, "gauge", "value"));
    ring_close(&ring);
}

/* ---- threads that come and go -------------------------------------------------------------------------- */

static void *short_life(void *argument)
{
    struct ring *ring = argument;
    ring_record(ring, 0, 5);
    atomic_store_explicit(&ring->token[0].turn, 1, memory_order_release);
    return NULL;
}

/* The successor starts to record when its predecessor hands over, which may be before that one is gone. */
static void short_lived_threads_keep_order(void)
{
    struct ring ring;
    struct checker one = {0};
    ring_open(&ring, false, NULL);
    add_checker(ring.recorder, "event by event", &one, false, 0);
    add_native(ring.recorder, "gauge", MVX_METRIC_GAUGE, ring.type, "value", NULL);
    start(ring.recorder);
    int rounds = (int)scaled(2000, 100);
    pthread_t before = 0;
    for (int i = 0; i < rounds; i++) {
        atomic_store_explicit(&ring.token[0].turn, 0, memory_order_relaxed);
        pthread_t thread = spawn(short_life, &ring);
        while (atomic_load_explicit(&ring.token[0].turn, memory_order_acquire) == 0) {
            sched_yield();
        }
        if (i % 3 == 0) {
            ring_record(&ring, 0, 1);
        }
        if (i > 0) {
            join(before);
        }
        before = thread;
    }
    join(before);
    CHECK_INT(ring.token[0].next - 1, current(ring.recorder, "gauge", "value"));
    stop(ring.recorder);
    expect_order(&one, &ring, "handle_event");
    ring_close(&ring);
}

/* ---- metrics that change in the middle ----------------------------------------------------------------- */

struct span {
    int64_t first;
    int64_t last;
    uint64_t count;
    uint64_t wrong;
    atomic_int drops;
};

static int32_t span_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)error;
    struct span *span = user_data;
    struct number number;
    memcpy(&number, event->payload, sizeof number);
    CHECK_INT(0, atomic_load(&span->drops));
    if (span->count == 0) {
        span->first = number.value;
    } else if (number.value != span->last + 1) {
        span->wrong++;
    }
    span->last = number.value;
    span->count++;
    return MVX_EVENT_CHANGED;
}

static int32_t span_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)user_data;
    (void)error;
    mvx_writer_null(writer, MVX_STR("nothing"));
    return MVX_SNAPSHOT_DONE;
}

static void span_drop(void *user_data)
{
    struct span *span = user_data;
    CHECK_INT(0, atomic_fetch_add(&span->drops, 1));
}

static void add_span(mvx_recorder *recorder, const char *name, struct span *span)
{
    mvx_metric_vtable vtable = {
        .struct_size = sizeof vtable, .handle_event = span_event, .snapshot = span_snapshot, .drop = span_drop};
    OK(mvx_recorder_register_metric(recorder, str_of(name), &vtable, span, ERR));
}

struct relay {
    struct ring ring;
    struct span *replaced;
    int64_t *replaced_at;
    struct span *added;
    int64_t *added_at;
    int spans;
    atomic_int used;
};

static void relay_run(void *shared, int number)
{
    struct relay *relay = shared;
    struct ring *ring = &relay->ring;
    uint64_t random = (uint64_t)number + 77;
    for (;;) {
        int64_t turn = atomic_load_explicit(&ring->token[0].turn, memory_order_acquire);
        if (turn < 0) {
            return;
        }
        if (turn != number) {
            sched_yield();
            continue;
        }
        ring_record(ring, 0, 1 + (int)(next_random(&random) % 16));
        int used = atomic_load(&relay->used);
        if (used < relay->spans && next_random(&random) % 4 == 0) {
            char name[32];
            snprintf(name, sizeof name, "added %d", used);
            relay->replaced_at[used] = ring->token[0].next;
            add_span(ring->recorder, "replaced", &relay->replaced[used]);
            ring_record(ring, 0, 1);
            relay->added_at[used] = ring->token[0].next;
            add_span(ring->recorder, name, &relay->added[used]);
            atomic_store(&relay->used, used + 1);
        }
        int64_t to = ring->token[0].next >= ring->goal && used == relay->spans
                         ? -1
                         : (int64_t)(next_random(&random) % (uint64_t)ring->threads);
        atomic_store_explicit(&ring->token[0].turn, to, memory_order_release);
    }
}

/* A metric sees exactly the events registered after it was registered and before it was replaced. */
static void metrics_join_and_leave_at_one_point(void)
{
    struct relay relay;
    memset(&relay, 0, sizeof relay);
    ring_open(&relay.ring, false, NULL);
    relay.spans = (int)scaled(60, 10);
    size_t n = (size_t)relay.spans;
    relay.replaced = calloc(n, sizeof *relay.replaced);
    relay.added = calloc(n, sizeof *relay.added);
    relay.replaced_at = calloc(n, sizeof *relay.replaced_at);
    relay.added_at = calloc(n, sizeof *relay.added_at);
    CHECK(relay.replaced && relay.added && relay.replaced_at && relay.added_at);
    relay.ring.threads = 3;
    relay.ring.goal = (int64_t)scaled(20000, 1000);
    start(relay.ring.recorder);
    crew_run(3, relay_run, &relay);
    stop(relay.ring.recorder);
    int64_t end = relay.ring.token[0].next;
    for (int i = 0; i < relay.spans; i++) {
        const struct span *span = &relay.replaced[i];
        int64_t until = i + 1 < relay.spans ? relay.replaced_at[i + 1] : end;
        CHECK_UINT(0, span->wrong);
        CHECK_UINT(until - relay.replaced_at[i], span->count);
        CHECK_INT(relay.replaced_at[i], span->first);
        CHECK_INT(until - 1, span->last);
        span = &relay.added[i];
        CHECK_UINT(0, span->wrong);
        if (relay.added_at[i] < end) {
            CHECK_UINT(end - relay.added_at[i], span->count);
            CHECK_INT(relay.added_at[i], span->first);
            CHECK_INT(end - 1, span->last);
        } else {
            CHECK_UINT(0, span->count);
        }
    }
    ring_close(&relay.ring);
    for (int i = 0; i < relay.spans; i++) {
        EVENTUALLY(atomic_load(&relay.replaced[i].drops) == 1 && atomic_load(&relay.added[i].drops) == 1);
    }
    free(relay.replaced);
    free(relay.added);
    free(relay.replaced_at);
    free(relay.added_at);
}

/* ---- one thread's own order, for metrics that don't ask for more --------------------------------------- */

struct solo {
    mvx_recorder *recorder;
    mvx_event_type type;
    int64_t goal;
};

static void solo_run(void *shared, int number)
{
    struct solo *solo = shared;
    for (int64_t i = 0; i < solo->goal; i++) {
        struct number event = {i, 0, (uint32_t)number};
        STATUS(MVX_OK, mvx_recorder_register_event(solo->recorder, solo->type, &event, sizeof event));
    }
}

static void a_commutative_metric_sees_each_thread_in_order(void)
{
    struct ring ring;
    struct checker one = {0}, many = {0};
    ring_open(&ring, false, NULL);
    add_checker(ring.recorder, "one", &one, false, MVX_METRIC_COMMUTATIVE);
    add_checker(ring.recorder, "many", &many, true, MVX_METRIC_COMMUTATIVE);
    start(ring.recorder);
    struct solo solo = {ring.recorder, ring.type, (int64_t)scaled(300000, 2000)};
    crew_run(TOKENS, solo_run, &solo);
    stop(ring.recorder);
    for (int i = 0; i < TOKENS; i++) {
        ring.token[i].next = solo.goal;
    }
    expect_order(&one, &ring, "handle_event");
    expect_order(&many, &ring, "handle_batch");
    ring_close(&ring);
}

/* ---- a wish for certain types only --------------------------------------------------------------------- */

static void a_chosen_type_keeps_order_among_others(void)
{
    struct ring ring;
    struct checker chosen = {0}, all = {0};
    ring_open(&ring, false, NULL);
    ring.threads = 4;
    ring.burst = 3;
    ring.goal = (int64_t)scaled(100000, 2000);
    mvx_metric_vtable vtable = {.struct_size = sizeof vtable,
                                .handle_event = checker_event,
                                .snapshot = checker_snapshot,
                                .event_types = &ring.type,
                                .event_type_count = 1};
    OK(mvx_recorder_register_metric(ring.recorder, MVX_STR("chosen"), &vtable, &chosen, ERR));
    vtable.event_types = NULL;
    vtable.event_type_count = 0;
    OK(mvx_recorder_register_metric(ring.recorder, MVX_STR("all"), &vtable, &all, ERR));
    start(ring.recorder);
    crew_run(4, ring_run, &ring);
    stop(ring.recorder);
    expect_order(&chosen, &ring, "the metric of one type");
    expect_order(&all, &ring, "the metric of all types");
    ring_close(&ring);
}

TEST_MAIN(CASE(the_checker_sees_disorder), CASE(two_threads_pass_each_token), CASE(many_threads_pass_bursts),
          CASE(bursts_by_register_events), CASE(the_changed_hook_keeps_order), CASE(a_mutex_orders_too),
          CASE(a_gauge_shows_the_last_write), CASE(short_lived_threads_keep_order),
          CASE(metrics_join_and_leave_at_one_point), CASE(a_commutative_metric_sees_each_thread_in_order),
          CASE(a_chosen_type_keeps_order_among_others))
