/* Calls by chance, from several threads and from callbacks, with handles that are good, freed, of another type or made
   up, for some seconds. Nothing may crash or hang, and everything that was handed to the library is dropped in the end.

   storm [seconds [seed]], or the name of a case as in the other programs; STORM_SECONDS and STORM_SEED do the same. */
#include "support.h"

enum kind { RUNTIME, RECORDER, WAIT, COMPLETION, KINDS };
#define SLOTS 24
#define THREADS 4

static _Atomic uintptr_t slots[KINDS][SLOTS];
static atomic_bool over;
static uint64_t seed;
static mvx_event_type types[3];

/* The generator of this thread, and how deep it is in callbacks. */
static _Thread_local uint64_t luck;
static _Thread_local int depth;

static uint64_t chance(uint64_t n)
{
    if (luck == 0) {
        static _Atomic uint64_t threads;
        luck = seed + 1000 * (1 + atomic_fetch_add(&threads, 1));
    }
    return next_random(&luck) % n;
}

/* ---- what the library is given ------------------------------------------------------------------------- */

#define ALIVE 0x616c697665616c69u

struct thing {
    uint64_t mark;
    const char *what;
    _Atomic uintptr_t owner;
    uint64_t count;
    struct thing *next;
    struct thing **link;
};

static pthread_mutex_t things_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct thing *all_things;
static atomic_long things;
static _Thread_local char self;

static struct thing *new_thing(const char *what)
{
    struct thing *thing = calloc(1, sizeof *thing);
    CHECK(thing != NULL);
    thing->mark = ALIVE;
    thing->what = what;
    pthread_mutex_lock(&things_mutex);
    thing->next = all_things;
    thing->link = &all_things;
    if (thing->next) {
        thing->next->link = &thing->next;
    }
    all_things = thing;
    pthread_mutex_unlock(&things_mutex);
    atomic_fetch_add(&things, 1);
    return thing;
}

static void drop_thing(void *user_data)
{
    struct thing *thing = user_data;
    CHECK(thing->mark == ALIVE);
    CHECK(atomic_load(&thing->owner) == 0);
    thing->mark = 0;
    pthread_mutex_lock(&things_mutex);
    *thing->link = thing->next;
    if (thing->next) {
        thing->next->link = thing->link;
    }
    pthread_mutex_unlock(&things_mutex);
    free(thing);
    atomic_fetch_sub(&things, 1);
}

/* Callbacks of one user_data never run on two threads at once. Returns whether this thread was inside already. */
static bool enter(struct thing *thing)
{
    CHECK(thing->mark == ALIVE);
    uintptr_t none = 0;
    if (atomic_compare_exchange_strong(&thing->owner, &none, (uintptr_t)&self)) {
        depth++;
        return false;
    }
    if (none != (uintptr_t)&self) {
        FAIL("two threads are in one metric or set of hooks (seed %" PRIu64 ")", seed);
    }
    depth++;
    return true;
}

static void leave(struct thing *thing, bool nested)
{
    depth--;
    if (!nested) {
        atomic_store(&thing->owner, 0);
    }
}

static void something(void);

static void perhaps_something(void)
{
    if (depth < 3 && chance(20) == 0) {
        something();
    }
}

static int32_t storm_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    struct thing *thing = user_data;
    bool nested = enter(thing);
    thing->count += event->len;
    perhaps_something();
    int32_t reply = (int32_t)chance(2);
    if (chance(2000) == 0) {
        mvx_callback_error_set(error, MVX_STR("by chance"));
        reply = chance(2) ? MVX_EVENT_FAILED : 77;
    }
    leave(thing, nested);
    return reply;
}

static int32_t storm_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                           mvx_callback_error *error)
{
    int32_t reply = MVX_EVENT_IGNORED;
    for (size_t i = 0; i < count && reply != MVX_EVENT_FAILED; i++) {
        reply = storm_event(user_data, &events[i], error);
        if (changed && reply == MVX_EVENT_CHANGED) {
            changed[i] = 1;
        }
    }
    return reply;
}

static int32_t storm_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    struct thing *thing = user_data;
    bool nested = enter(thing);
    mvx_writer_u64(writer, MVX_STR("count"), thing->count);
    if (chance(4) == 0) {
        mvx_writer_begin_list(writer, MVX_STR("list"));
        mvx_writer_end(writer);
    }
    if (chance(50) == 0) {
        mvx_writer_end(writer);
        mvx_writer_begin_map(writer, (mvx_str){"\xff", 1});
    }
    perhaps_something();
    leave(thing, nested);
    mvx_callback_error_set(error, MVX_STR("unused mostly"));
    return chance(100) == 0 ? MVX_SNAPSHOT_FAILED : MVX_SNAPSHOT_DONE;
}

/* Tokens of pending hooks go to one thread that completes them all, so that nothing waits for ever. */
static struct {
    pthread_mutex_t mutex;
    mvx_completion *tokens[4096];
    size_t count;
} pending = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static bool keep_token(mvx_completion *token)
{
    pthread_mutex_lock(&pending.mutex);
    bool kept = pending.count < sizeof pending.tokens / sizeof pending.tokens[0];
    if (kept) {
        pending.tokens[pending.count++] = token;
    }
    pthread_mutex_unlock(&pending.mutex);
    return kept;
}

/* Nobody waits any more for what a token completes. */
static atomic_bool nobody_waits;

static void *complete_tokens(void *argument)
{
    (void)argument;
    for (;;) {
        mvx_completion *token = NULL;
        pthread_mutex_lock(&pending.mutex);
        if (pending.count > 0) {
            token = pending.tokens[--pending.count];
        }
        pthread_mutex_unlock(&pending.mutex);
        if (token) {
            mvx_completion_done(token, chance(10) ? (mvx_str){NULL, 0} : MVX_STR("late failure"));
        } else if (atomic_load(&nobody_waits)) {
            return NULL;
        } else {
            sleep_ms(1);
        }
    }
}

static int32_t hook_reply(struct thing *thing, mvx_completion *completion, mvx_callback_error *error)
{
    bool nested = enter(thing);
    int32_t reply = MVX_HOOK_DONE;
    perhaps_something();
    switch (chance(12)) {
    case 0:
    case 1:
        reply = keep_token(completion) ? MVX_HOOK_PENDING : MVX_HOOK_DONE;
        break;
    case 2:
        mvx_completion_done(completion, (mvx_str){NULL, 0});
        reply = chance(2) ? MVX_HOOK_PENDING : MVX_HOOK_DONE;
        break;
    case 3:
        if (chance(5) == 0) {
            mvx_callback_error_set(error, MVX_STR("by chance"));
            reply = chance(2) ? MVX_HOOK_FAILED : -5;
        }
        break;
    case 4:
        atomic_store(&slots[COMPLETION][chance(SLOTS)], (uintptr_t)completion);
        break;
    default:
        break;
    }
    leave(thing, nested);
    return reply;
}

static int32_t storm_hook(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    return hook_reply(user_data, completion, error);
}

static int32_t storm_changed(void *user_data, mvx_str metric_name, void *metric_user_data, const mvx_event *event,
                             mvx_completion *completion, mvx_callback_error *error)
{
    (void)metric_user_data;
    CHECK(metric_name.len > 0);
    CHECK(event->type != 0);
    return hook_reply(user_data, completion, error);
}

static void storm_complete(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    struct thing *thing = user_data;
    CHECK(thing->mark == ALIVE);
    CHECK(operation >= MVX_OPERATION_START && operation <= MVX_OPERATION_SHUTDOWN);
    CHECK((status == MVX_OK) == (error == NULL));
    CHECK_UINT(0, thing->count++);
    depth++;
    perhaps_something();
    depth--;
}

static void storm_log(void *user_data, const mvx_log_record *record_)
{
    struct thing *thing = user_data;
    CHECK(thing->mark == ALIVE);
    CHECK(record_->event.len > 0);
    depth++;
    perhaps_something();
    depth--;
}

static atomic_long releases;

static void storm_release(void *user_data, const void *payload, size_t len)
{
    CHECK(user_data == &releases);
    CHECK(len >= 8);
    uint64_t first;
    memcpy(&first, payload, sizeof first);
    CHECK(first == ALIVE);
    atomic_fetch_add(&releases, 1);
}

/* ---- arguments by chance ------------------------------------------------------------------------------- */

static void *any(enum kind kind)
{
    uint64_t draw = chance(100);
    if (draw < 85) {
        return (void *)atomic_load(&slots[kind][chance(SLOTS)]);
    }
    if (draw < 93) {
        return (void *)atomic_load(&slots[chance(KINDS)][chance(SLOTS)]);
    }
    if (draw < 95) {
        return (void *)(atomic_load(&slots[kind][chance(SLOTS)]) ^ ((uintptr_t)1 << chance(64)));
    }
    return draw < 98 ? (void *)(uintptr_t)next_random(&luck) : NULL;
}

static void free_as(enum kind kind, void *handle)
{
    switch (kind) {
    case RUNTIME:
        mvx_runtime_free(handle);
        break;
    case RECORDER:
        mvx_recorder_free(handle);
        break;
    case WAIT:
        mvx_wait_free(handle);
        break;
    default:
        break;
    }
}

static void keep(enum kind kind, void *handle)
{
    if (handle) {
        free_as(kind, (void *)atomic_exchange(&slots[kind][chance(SLOTS)], (uintptr_t)handle));
    }
}

static mvx_str any_text(void)
{
    static const mvx_str texts[] = {{"a", 1},     {"b", 1},  {"c", 1},      {"  d ", 4},    {"e\xc3\xa9", 3},
                                    {"\xff f", 3}, {NULL, 0}, {NULL, 7},     {"long name", 9}, {"g\0h", 3}};
    return texts[chance(chance(8) ? 5 : sizeof texts / sizeof texts[0])];
}

static const mvx_hooks *any_hooks(mvx_hooks *hooks)
{
    if (chance(2)) {
        return NULL;
    }
    *hooks = (mvx_hooks){.struct_size = sizeof *hooks, .drop = drop_thing, .user_data = new_thing("hooks")};
    hooks->on_starting = chance(2) ? storm_hook : NULL;
    hooks->on_stopped = chance(2) ? storm_hook : NULL;
    hooks->on_metric_changed = chance(3) ? NULL : storm_changed;
    return hooks;
}

static const mvx_log *any_log(mvx_log *log)
{
    if (chance(3)) {
        return NULL;
    }
    *log = (mvx_log){.struct_size = sizeof *log,
                     .policy = (uint32_t)chance(5),
                     .max_level = (int32_t)chance(7),
                     .write = storm_log,
                     .drop = drop_thing,
                     .user_data = new_thing("log")};
    return log;
}

static mvx_recorder_options any_options(mvx_hooks *hooks, mvx_log *log)
{
    static const int64_t sizes[] = {0, 1, 2, 10, 1000, 5000, -1};
    return (mvx_recorder_options){.struct_size = sizeof(mvx_recorder_options),
                                  .entity_id = any_text(),
                                  .queue_max_size = sizes[chance(chance(10) ? 6 : 7)],
                                  .queue_max_bytes = chance(5) ? 0 : 5000,
                                  .overflow_policy = (uint32_t)chance(chance(20) ? 4 : 6),
                                  .block_timeout_ns = MS(1),
                                  .metric_error_policy = (uint32_t)chance(3),
                                  .hooks = any_hooks(hooks),
                                  .log = any_log(log)};
}

/* ---- the calls ------------------------------------------------------------------------------------------- */

static void make_runtime(void)
{
    mvx_log log;
    mvx_runtime *runtime = NULL;
    mvx_runtime_options options = {.struct_size = sizeof options,
                                   .worker_threads = (uint32_t)(1 + chance(2)),
                                   .recorder_overflow_policy = (uint32_t)chance(4),
                                   .shutdown_timeout_ns = MS(1 + chance(60)),
                                   .log = any_log(&log)};
    if (mvx_runtime_create(&options, &runtime, NULL) == MVX_OK) {
        if (chance(10)) {
            mvx_runtime_start(runtime, NULL);
        }
        keep(RUNTIME, runtime);
    }
}

static void make_recorder(void)
{
    mvx_hooks hooks;
    mvx_log log;
    mvx_recorder *recorder = NULL;
    mvx_recorder_options options = any_options(&hooks, &log);
    mvx_recorder_create(chance(20) ? any(RUNTIME) : NULL, &options, &recorder, NULL);
    keep(RECORDER, recorder);
}

static void create_registered(void)
{
    mvx_hooks hooks;
    mvx_log log;
    mvx_recorder *recorder = NULL;
    mvx_recorder_options options = any_options(&hooks, &log);
    mvx_error *error = NULL;
    mvx_runtime_create_recorder(any(RUNTIME), any_text(), &options, &recorder, &error);
    mvx_error_free(error);
    keep(RECORDER, recorder);
}

static void look_up(void)
{
    mvx_recorder *recorder = NULL;
    if (chance(2)) {
        mvx_runtime_get_recorder(any(RUNTIME), any_text(), &recorder, NULL);
    } else {
        mvx_runtime_try_get_recorder(any(RUNTIME), any_text(), &recorder, NULL);
    }
    keep(RECORDER, recorder);
    mvx_strings *ids = NULL;
    mvx_runtime_list_recorder_ids(any(RUNTIME), &ids, NULL);
    for (size_t i = 0; i <= mvx_strings_len(ids); i++) {
        mvx_strings_at(ids, i);
    }
    mvx_strings_free(ids);
    int32_t state = 0;
    mvx_runtime_state(any(RUNTIME), &state);
    mvx_error *last = NULL;
    mvx_runtime_last_error(any(RUNTIME), &last);
    mvx_error_free(last);
    mvx_runtime *clone = NULL;
    if (chance(5) == 0) {
        mvx_runtime_clone(any(RUNTIME), &clone);
        keep(RUNTIME, clone);
    }
}

static void stop_registered(void)
{
    mvx_recorder *recorder = NULL;
    if (chance(2)) {
        mvx_runtime_stop_recorder(any(RUNTIME), any_text(), NULL);
    } else {
        mvx_runtime_stop_and_remove_recorder(any(RUNTIME), any_text(), &recorder, NULL);
        keep(RECORDER, recorder);
    }
}

static void shut_down(void)
{
    mvx_wait *wait = NULL;
    if (chance(2)) {
        mvx_error *error = NULL;
        mvx_runtime_shutdown(any(RUNTIME), &error);
        mvx_error_details_json(error);
        mvx_error_free(error);
    } else {
        mvx_runtime_shutdown_async(any(RUNTIME), &wait, NULL);
        keep(WAIT, wait);
    }
}

static void begin_something(void)
{
    mvx_wait *wait = NULL;
    mvx_wait **out = chance(4) ? &wait : NULL;
    void *recorder = any(RECORDER);
    switch (chance(6)) {
    case 0:
    case 1:
        mvx_recorder_start(recorder, out, NULL);
        break;
    case 2:
        mvx_recorder_stop(recorder, out, NULL);
        break;
    case 3:
        if (chance(10) == 0) {
            mvx_recorder_cancel(recorder, NULL);
        }
        break;
    default:
        mvx_recorder_flush(recorder, out, NULL);
        break;
    }
    keep(WAIT, wait);
}

static void wait_somehow(void)
{
    void *wait = any(WAIT);
    int32_t operation = 0;
    descriptor fd = NO_DESCRIPTOR;
    mvx_error *error = NULL;
    switch (chance(5)) {
    case 0:
        mvx_wait_block(wait, 0);
        break;
    case 1:
        mvx_wait_block(wait, (int64_t)chance((uint64_t)MS(3)));
        break;
    case 2:
        mvx_wait_result(wait, &operation, &error);
        mvx_error_reason(mvx_error_cause(error));
        mvx_error_free(error);
        break;
    case 3:
        mvx_wait_fd(wait, &fd);
        break;
    default:
        mvx_wait_on_complete(wait, chance(30) ? storm_complete : NULL, new_thing("completion callback"), drop_thing);
        break;
    }
}

static void record_some(void)
{
    static char payload[8192];
    struct {
        uint64_t mark;
        struct number number;
    } event = {ALIVE, {1, 0, 0}};
    void *recorder = any(RECORDER);
    for (uint64_t i = 1 + chance(200); i > 0; i--) {
        switch (chance(40)) {
        case 0:
            mvx_recorder_register_event(recorder, (mvx_event_type)next_random(&luck), payload, chance(5000));
            break;
        case 1:
            mvx_recorder_register_event(recorder, types[0], NULL, chance(3));
            break;
        case 2: {
            struct number numbers[20] = {{1, 0, 0}};
            size_t accepted = 0;
            mvx_recorder_register_events(recorder, types[1], numbers, sizeof numbers[0], chance(21), &accepted);
            break;
        }
        case 3:
            mvx_recorder_register_event(recorder, types[2], &event, sizeof event);
            break;
        default:
            mvx_recorder_register_event(recorder, types[1], &event.number, sizeof event.number);
            break;
        }
    }
}

static void *record_and_go(void *argument)
{
    (void)argument;
    record_some();
    return NULL;
}

static void record_elsewhere(void)
{
    join(spawn(record_and_go, NULL));
}

static void add_metric(void)
{
    mvx_metric_vtable vtable = {.struct_size = chance(30) ? sizeof vtable : MVX_METRIC_VTABLE_V1_SIZE - 8,
                                .handle_event = storm_event,
                                .handle_batch = chance(2) ? storm_batch : NULL,
                                .snapshot = storm_snapshot,
                                .drop = drop_thing,
                                .event_types = types,
                                .event_type_count = chance(4),
                                .flags = (uint32_t)chance(chance(20) ? 2 : 4)};
    mvx_recorder_register_metric(any(RECORDER), any_text(), &vtable, new_thing("metric"), NULL);
}

static void add_native_metric(void)
{
    mvx_str group = chance(8) ? MVX_STR("outcome") : MVX_STR("absent");
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = any_text(),
                            .kind = (uint32_t)chance(9),
                            .event_types = &types[1],
                            .event_type_count = 1,
                            .value_field = chance(2) ? MVX_STR("value") : (mvx_str){NULL, 0},
                            .group_by = &group,
                            .group_by_count = chance(2),
                            .max_series = (int64_t)chance(20)};
    mvx_recorder_register_native_metric(any(RECORDER), &spec, NULL);
}

static void walk(const mvx_value *value, int level)
{
    int64_t number;
    mvx_str text;
    mvx_value_as_i64(value, &number);
    mvx_value_as_str(value, &text);
    for (size_t i = 0; i < mvx_value_len(value) && level < 5; i++) {
        mvx_value_key_at(value, i);
        walk(mvx_value_at(value, i), level + 1);
    }
}

static void take_and_read(void)
{
    mvx_snapshot *snapshot = NULL;
    mvx_error *error = NULL;
    mvx_recorder_snapshot(any(RECORDER), (uint32_t)chance(chance(10) ? 2 : 4), (int64_t)chance((uint64_t)MS(3)), &snapshot,
                          &error);
    mvx_error_free(error);
    for (size_t i = 0; i < mvx_snapshot_len(snapshot); i++) {
        walk(mvx_snapshot_get(snapshot, mvx_snapshot_name_at(snapshot, i)), 0);
    }
    mvx_text *text = NULL;
    if (snapshot && mvx_snapshot_to_json(snapshot, &text, NULL) == MVX_OK) {
        CHECK(mvx_text_str(text).len >= 2);
        mvx_text_free(text);
    }
    mvx_snapshot_free(snapshot);
}

static int32_t visit(void *context, const mvx_metric_info *metric)
{
    (void)context;
    CHECK(metric->name.len > 0);
    if (metric->kind == MVX_METRIC_VTABLE) {
        CHECK(((struct thing *)metric->user_data)->mark == ALIVE);
    }
    mvx_error_message(metric->error);
    depth++;
    perhaps_something();
    depth--;
    return chance(10) == 0;
}

static void read_recorder(void)
{
    void *recorder = any(RECORDER);
    mvx_stats stats = {.struct_size = chance(20) ? sizeof stats : chance(sizeof stats)};
    if (mvx_recorder_stats(recorder, &stats) == MVX_OK) {
        CHECK_UINT(stats.accepted, stats.dispatched + stats.discarded + stats.pending);
    }
    int32_t state = 0;
    mvx_recorder_state(recorder, &state);
    mvx_error *last = NULL;
    mvx_recorder_last_error(recorder, &last);
    mvx_error_free(last);
    mvx_text *text = NULL;
    mvx_recorder_entity_id(recorder, &text);
    mvx_text_free(text);
    mvx_recorder_iter_metrics(recorder, visit, NULL, NULL);
    mvx_recorder *clone = NULL;
    if (chance(4) == 0) {
        mvx_recorder_clone(recorder, &clone);
        keep(RECORDER, clone);
    }
}

static void free_something(void)
{
    enum kind kind = (enum kind)chance(chance(4) ? WAIT + 1 : KINDS);
    if (kind == RUNTIME && chance(10)) {
        return;
    }
    free_as((enum kind)(chance(10) ? kind : chance(KINDS)), any(kind));
}

static void complete_something(void)
{
    mvx_completion_done(any(COMPLETION), chance(4) ? (mvx_str){NULL, 0} : any_text());
}

static void intern_something(void)
{
    char text[32];
    snprintf(text, sizeof text, "storm %d", (int)chance(1000));
    mvx_symbol symbol_ = 0;
    mvx_str back = {NULL, 0};
    if (mvx_intern(str_of(text), &symbol_) == MVX_OK && mvx_symbol_text(symbol_, &back) == MVX_OK) {
        CHECK_STR(text, back);
    }
    mvx_symbol_text((mvx_symbol)next_random(&luck), &back);
    mvx_event_type_name((mvx_event_type)next_random(&luck), &back);
}

static const struct {
    const char *name;
    void (*run)(void);
    int weight;
    bool may_wait;
} calls[] = {{"make_runtime", make_runtime, 2, false},
             {"make_recorder", make_recorder, 8, false},
             {"create_registered", create_registered, 5, true},
             {"look_up", look_up, 6, false},
             {"stop_registered", stop_registered, 4, true},
             {"shut_down", shut_down, 1, true},
             {"begin_something", begin_something, 20, false},
             {"wait_somehow", wait_somehow, 20, false},
             {"record_some", record_some, 30, false},
             {"record_elsewhere", record_elsewhere, 3, true},
             {"add_metric", add_metric, 10, false},
             {"add_native_metric", add_native_metric, 5, false},
             {"take_and_read", take_and_read, 8, false},
             {"read_recorder", read_recorder, 10, false},
             {"free_something", free_something, 10, false},
             {"complete_something", complete_something, 3, false},
             {"intern_something", intern_something, 2, false}};
#define CALLS (sizeof calls / sizeof calls[0])

static void one_of(bool may_wait, _Atomic(const char *) *doing)
{
    uint64_t total = 0;
    for (size_t i = 0; i < CALLS; i++) {
        total += (uint64_t)calls[i].weight;
    }
    uint64_t draw = chance(total);
    size_t i = 0;
    while (draw >= (uint64_t)calls[i].weight) {
        draw -= (uint64_t)calls[i++].weight;
    }
    if (calls[i].may_wait && !may_wait) {
        return;
    }
    if (doing) {
        atomic_store(doing, calls[i].name);
    }
    calls[i].run();
}

/* From a callback: nothing that waits for the callbacks of others. */
static void something(void)
{
    one_of(false, NULL);
}

/* ---- the storm ------------------------------------------------------------------------------------------- */

struct sailor {
    _Atomic uint64_t steps;
    _Atomic(const char *) doing;
};

static struct sailor sailors[THREADS];

static void sail(void *shared, int number)
{
    (void)shared;
    struct sailor *sailor = &sailors[number];
    luck = seed + (uint64_t)number;
    while (!atomic_load(&over)) {
        one_of(true, &sailor->doing);
        atomic_fetch_add(&sailor->steps, 1);
    }
}

static void watch_over(int64_t seconds)
{
    uint64_t before[THREADS] = {0};
    int64_t moved[THREADS];
    int64_t end = now_ms() + seconds * 1000;
    for (int i = 0; i < THREADS; i++) {
        moved[i] = now_ms();
    }
    while (now_ms() < end) {
        sleep_ms(50);
        for (int i = 0; i < THREADS; i++) {
            uint64_t steps = atomic_load(&sailors[i].steps);
            if (steps != before[i]) {
                before[i] = steps;
                moved[i] = now_ms();
            } else if (now_ms() - moved[i] > patience_ms()) {
                const char *last = atomic_load(&sailors[i].doing);
                FAIL("thread %d hangs in %s (seed %" PRIu64 ")", i, last ? last : "nothing", seed);
            }
        }
    }
}

static void clear_slots(void)
{
    for (int kind = KINDS - 1; kind >= 0; kind--) {
        for (int i = 0; i < SLOTS; i++) {
            void *handle = (void *)atomic_exchange(&slots[kind][i], 0);
            if (kind == RUNTIME && handle) {
                mvx_runtime_shutdown(handle, NULL);
            }
            free_as((enum kind)kind, handle);
        }
    }
}

static void storm(int64_t seconds)
{
    fprintf(stderr, "seed %" PRIu64 ", %" PRId64 " s\n", seed, seconds);
    mvx_event_type_options bare = {.struct_size = sizeof bare, .name = MVX_STR("storm.bare")};
    OK(mvx_event_type_declare(&bare, &types[0], ERR));
    types[1] = number_type("storm.number");
    mvx_event_type_options released = {.struct_size = sizeof released,
                                       .name = MVX_STR("storm.released"),
                                       .release = storm_release,
                                       .user_data = &releases};
    OK(mvx_event_type_declare(&released, &types[2], ERR));
    int threads = thread_count();
    pthread_t completer = spawn(complete_tokens, NULL);
    struct crew_member *crew = crew_start(THREADS, sail, NULL);
    watch_over(seconds);
    atomic_store(&over, true);
    crew_join(crew, THREADS);
    atomic_store(&nobody_waits, true);
    join(completer);

    /* The wreckage is cleared, and then nothing of it may be left. */
    depth = 100;
    clear_slots();
    mvx_runtime *common = NULL;
    if (mvx_runtime_default(&common, NULL) == MVX_OK) {
        mvx_runtime_shutdown(common, NULL);
        mvx_runtime_free(common);
    }
    join(spawn(complete_tokens, NULL));
    int64_t end = now_ms() + patience_ms();
    while ((atomic_load(&things) > 0 || thread_count() > threads) && now_ms() < end) {
        join(spawn(complete_tokens, NULL));
        /* A callback that began before the end may have put something into a slot that was cleared already. */
        clear_slots();
        sleep_ms(10);
    }
    if (atomic_load(&things) != 0 || thread_count() != threads) {
        pthread_mutex_lock(&things_mutex);
        for (const struct thing *thing = all_things; thing; thing = thing->next) {
            fprintf(stderr, "not dropped: a %s, count %" PRIu64 "\n", thing->what, thing->count);
        }
        pthread_mutex_unlock(&things_mutex);
        FAIL("%ld things were not dropped, %d threads are left (seed %" PRIu64 ")", atomic_load(&things),
             thread_count() - threads, seed);
    }
    uint64_t steps = 0;
    for (int i = 0; i < THREADS; i++) {
        steps += sailors[i].steps;
    }
    fprintf(stderr, "%" PRIu64 " calls\n", steps);
    CHECK(steps > 0);
}

static int64_t setting(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoll(text, NULL, 10) : otherwise;
}

static void calls_by_chance(void)
{
    storm(setting("STORM_SECONDS", 5));
}

static const struct test_case cases[] = {CASE(calls_by_chance)};

int main(int argc, char **argv)
{
    seed = (uint64_t)setting("STORM_SEED", now_ns() % 1000000007);
    if (argc >= 2 && argv[1][0] >= '0' && argv[1][0] <= '9') {
        if (argc >= 3) {
            seed = strtoull(argv[2], NULL, 10);
        }
        storm(strtoll(argv[1], NULL, 10));
        return 0;
    }
    return run_cases(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
