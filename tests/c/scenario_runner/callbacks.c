/* Metrics, hooks, logs and completion callbacks that behave as the scenario declares. */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEHAVIOUR_KEYS "times gate steps fail pending ignore"

/* ---- behaviours ---- */

static json_t *behaviour_next(struct scenario *scenario, struct script *script, size_t *number)
{
    size_t index, left, last = json_array_size(script->behaviours);
    json_t *behaviour;
    pthread_mutex_lock(&scenario->lock);
    left = *number = ++script->calls;
    pthread_mutex_unlock(&scenario->lock);
    json_array_foreach(script->behaviours, index, behaviour)
    {
        json_t *times = json_object_get(behaviour, "times");
        size_t many = times != NULL ? (size_t)json_integer_value(times) : 1;
        if (left <= many || index + 1 == last)
            return behaviour;
        left -= many;
    }
    return NULL;
}

static void behave(struct scenario *scenario, json_t *behaviour, const char *key, const char *function, size_t number)
{
    char where[256];
    json_t *gate = json_object_get(behaviour, "gate"), *steps = json_object_get(behaviour, "steps");
    if (gate != NULL)
        gate_pass(scenario, json_string_value(gate));
    if (steps != NULL) {
        snprintf(where, sizeof where, "in call %zu of %s.%s", number, key, function);
        play_steps(scenario, steps, where);
    }
}

/* Whether the behaviour fails; an empty message is left away, so that the library has to find one. */
static bool fails(json_t *behaviour, mvx_callback_error *error)
{
    json_t *message = json_object_get(behaviour, "fail");
    if (message == NULL)
        return false;
    if (json_string_length(message) > 0)
        mvx_callback_error_set(error, (mvx_str){json_string_value(message), json_string_length(message)});
    return true;
}

/* ---- uses ---- */

struct use *use_add(struct scenario *scenario, enum use_of of, const char *key, void *target)
{
    struct use *use = calloc(1, sizeof *use);
    use->scenario = scenario;
    use->of = of;
    use->key = key;
    use->target = target;
    use->drop_due = true;
    pthread_mutex_lock(&scenario->lock);
    use->next = scenario->uses;
    scenario->uses = use;
    pthread_mutex_unlock(&scenario->lock);
    return use;
}

struct use *use_at(struct scenario *scenario, const void *user_data)
{
    pthread_mutex_lock(&scenario->lock);
    struct use *use = scenario->uses;
    while (use != NULL && use != user_data)
        use = use->next;
    pthread_mutex_unlock(&scenario->lock);
    return use;
}

void use_dropped(void *user_data)
{
    struct use *use = user_data;
    struct scenario *scenario = use->scenario;
    if (use->of == USE_OF_METRIC &&
        atomic_load_explicit(&((struct metric *)use->target)->owner, memory_order_relaxed) != 0)
        fail(scenario, use->key, "dropped while one of its functions runs");
    pthread_mutex_lock(&scenario->lock);
    int drops = ++use->drops;
    pthread_mutex_unlock(&scenario->lock);
    if (drops > 1)
        fail(scenario, use->key, "dropped %d times", drops);
    journal_add(scenario, "%s.drop", use->key);
}

/* ---- metrics ---- */

static _Thread_local char this_thread;

static bool metric_enter(struct use *use)
{
    struct metric *metric = use->target;
    uintptr_t nobody = 0, me = (uintptr_t)&this_thread;
    /* Relaxed on purpose: this must not lend the library an ordering that it doesn't provide itself. */
    if (!atomic_compare_exchange_strong_explicit(&metric->owner, &nobody, me, memory_order_relaxed,
                                                 memory_order_relaxed) && nobody != me) {
        fail(use->scenario, use->key, "called from two threads at once");
        return false;
    }
    metric->depth++;
    return true;
}

static void metric_leave(struct use *use)
{
    struct metric *metric = use->target;
    if (--metric->depth == 0)
        atomic_store_explicit(&metric->owner, 0, memory_order_relaxed);
}

static void count_by(struct metric *metric, json_t *value)
{
    char *dump = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *key = dump != NULL ? dump : json_string_value(value);
    json_object_set_new(metric->by, key, json_integer(json_integer_value(json_object_get(metric->by, key)) + 1));
    free(dump);
}

static void metric_take(struct metric *metric, const struct event *event, const mvx_event *seen)
{
    const char *field = json_string_value(json_object_get(metric->config, "field"));
    const char *by = json_string_value(json_object_get(metric->config, "by"));
    metric->total++;
    if (metric->by != NULL && by != NULL) {
        json_t *value = payload_field(event, by, seen->payload, seen->len);
        count_by(metric, value);
        json_decref(value);
    }
    json_t *value = field != NULL ? payload_field(event, field, seen->payload, seen->len) : json_string(event->key);
    if (metric->values != NULL)
        json_array_append(metric->values, value);
    json_decref(metric->last);
    metric->last = value;
}

static int32_t handle_one(struct use *use, const mvx_event *seen, mvx_callback_error *error)
{
    struct metric *metric = use->target;
    struct event *event = event_typed(use->scenario, seen->type);
    char shown[256];
    size_t number;
    if (event == NULL) {
        fail(use->scenario, use->key, "got an event of a type that the scenario doesn't declare");
        return MVX_EVENT_IGNORED;
    }
    if (seen->struct_size < sizeof *seen || seen->type_name.len != strlen(event->name) ||
        memcmp(seen->type_name.data, event->name, seen->type_name.len) != 0)
        fail(use->scenario, use->key, "the event's type_name or struct_size is wrong");
    event_show(event, seen->payload, seen->len, shown, sizeof shown);
    journal_add(use->scenario, "%s.handle %s", use->key, shown);
    if (metric->first_time == 0 || seen->time_unix_ns < metric->first_time)
        metric->first_time = seen->time_unix_ns;
    if (seen->time_unix_ns > metric->last_time)
        metric->last_time = seen->time_unix_ns;
    json_t *behaviour = behaviour_next(use->scenario, &metric->handle, &number);
    behave(use->scenario, behaviour, use->key, "handle", number);
    if (fails(behaviour, error))
        return MVX_EVENT_FAILED;
    if (flag_arg(behaviour, "ignore"))
        return MVX_EVENT_IGNORED;
    metric_take(metric, event, seen);
    return MVX_EVENT_CHANGED;
}

static int32_t metric_handle_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    struct use *use = user_data;
    if (!metric_enter(use))
        return MVX_EVENT_IGNORED;
    int32_t outcome = handle_one(use, event, error);
    metric_leave(use);
    return outcome;
}

static int32_t metric_handle_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                                   mvx_callback_error *error)
{
    struct use *use = user_data;
    int32_t outcome = MVX_EVENT_IGNORED;
    if (!metric_enter(use))
        return outcome;
    if (count == 0 || count > 256)
        fail(use->scenario, use->key, "got a batch of %zu events", count);
    for (size_t i = 0; i < count && outcome != MVX_EVENT_FAILED; i++) {
        int32_t one = handle_one(use, &events[i], error);
        if (one == MVX_EVENT_CHANGED && changed != NULL)
            changed[i] = 1;
        if (one != MVX_EVENT_IGNORED)
            outcome = one;
    }
    metric_leave(use);
    return outcome;
}

static void write_value(mvx_writer *writer, mvx_str key, json_t *value);

static void write_members(mvx_writer *writer, json_t *map)
{
    const char *key;
    json_t *value;
    json_object_foreach(map, key, value)
        write_value(writer, (mvx_str){key, strlen(key)}, value);
}

static double named_real(const char *name)
{
    return strtod(name, NULL); /* takes NaN, Infinity and -Infinity too */
}

static void write_value(mvx_writer *writer, mvx_str key, json_t *value)
{
    const char *natural = json_string_value(json_object_get(value, "$u64"));
    const char *real = json_string_value(json_object_get(value, "$f64"));
    size_t index;
    json_t *item;
    if (natural != NULL) {
        mvx_writer_u64(writer, key, strtoull(natural, NULL, 10));
        return;
    }
    if (real != NULL) {
        mvx_writer_f64(writer, key, named_real(real));
        return;
    }
    switch (json_typeof(value)) {
    case JSON_NULL: mvx_writer_null(writer, key); break;
    case JSON_TRUE: mvx_writer_bool(writer, key, 1); break;
    case JSON_FALSE: mvx_writer_bool(writer, key, 0); break;
    case JSON_INTEGER: mvx_writer_i64(writer, key, json_integer_value(value)); break;
    case JSON_REAL: mvx_writer_f64(writer, key, json_real_value(value)); break;
    case JSON_STRING:
        mvx_writer_str(writer, key, (mvx_str){json_string_value(value), json_string_length(value)});
        break;
    case JSON_ARRAY:
        mvx_writer_begin_list(writer, key);
        json_array_foreach(value, index, item)
            write_value(writer, (mvx_str){NULL, 0}, item);
        mvx_writer_end(writer);
        break;
    case JSON_OBJECT:
        mvx_writer_begin_map(writer, key);
        write_members(writer, value);
        mvx_writer_end(writer);
        break;
    }
}

static int32_t snapshot_one(struct use *use, mvx_writer *writer, mvx_callback_error *error)
{
    struct metric *metric = use->target;
    size_t number;
    journal_add(use->scenario, "%s.snapshot", use->key);
    json_t *behaviour = behaviour_next(use->scenario, &metric->snapshot, &number);
    behave(use->scenario, behaviour, use->key, "snapshot", number);
    if (fails(behaviour, error))
        return MVX_SNAPSHOT_FAILED;
    if (strcmp(metric->kind, "fixed") == 0) {
        write_members(writer, json_object_get(metric->config, "gives"));
    } else if (strcmp(metric->kind, "count") == 0) {
        mvx_writer_i64(writer, MVX_STR("total"), metric->total);
        if (json_object_get(metric->config, "by") != NULL)
            write_value(writer, MVX_STR("by"), metric->by);
    } else if (strcmp(metric->kind, "list") == 0) {
        write_value(writer, MVX_STR("values"), metric->values);
    } else {
        write_value(writer, MVX_STR("value"), metric->last);
    }
    return MVX_SNAPSHOT_DONE;
}

static int32_t metric_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    struct use *use = user_data;
    if (!metric_enter(use))
        return MVX_SNAPSHOT_FAILED;
    int32_t outcome = snapshot_one(use, writer, error);
    metric_leave(use);
    return outcome;
}

struct metric *metric_keyed(struct scenario *scenario, const char *key)
{
    struct metric *metric = scenario->metrics;
    while (metric != NULL && strcmp(metric->key, key) != 0)
        metric = metric->next;
    return metric;
}

static bool listed(json_t *list, const char *word)
{
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), word) == 0)
            return true;
    }
    return false;
}

bool metric_vtable(struct call *call, struct metric *metric, mvx_metric_vtable *vtable)
{
    json_t *without = json_object_get(metric->config, "without"), *events = json_object_get(metric->config, "events");
    json_t *item;
    size_t index;
    int64_t size = sizeof *vtable;
    if (!int_arg(call, metric->config, "struct_size", &size))
        return false;
    if (metric->types == NULL && json_array_size(events) > 0) {
        metric->types = calloc(json_array_size(events), sizeof *metric->types);
        json_array_foreach(events, index, item)
        {
            struct event *event = json_is_string(item) ? event_keyed(call->scenario, json_string_value(item)) : NULL;
            if (event == NULL && json_object_get(item, "$number") == NULL) {
                broken(call, "metric '%s' wants an unknown event", metric->key);
                return false;
            }
            metric->types[metric->type_count++] =
                event != NULL ? event->type : (mvx_event_type)json_integer_value(json_object_get(item, "$number"));
        }
    }
    *vtable = (mvx_metric_vtable){
        .struct_size = (size_t)size,
        .handle_event = listed(without, "handle_event") ? NULL : metric_handle_event,
        .handle_batch = flag_arg(metric->config, "batch") ? metric_handle_batch : NULL,
        .snapshot = listed(without, "snapshot") ? NULL : metric_snapshot,
        .drop = use_dropped,
        .event_types = metric->types,
        .event_type_count = metric->type_count,
        .flags = flag_arg(metric->config, "commutative") ? MVX_METRIC_COMMUTATIVE : 0,
    };
    return true;
}

/* ---- hooks ---- */

static int32_t run_hook(struct use *use, struct script *script, const char *function, mvx_completion *completion,
                        mvx_callback_error *error)
{
    size_t number;
    char where[256];
    json_t *behaviour = behaviour_next(use->scenario, script, &number);
    const char *token = json_string_value(json_object_get(behaviour, "pending"));
    struct call call = {use->scenario, behaviour, where};
    snprintf(where, sizeof where, "in call %zu of %s.%s", number, use->key, function);
    if (token != NULL && !use->scenario->cleaning && !object_bind(&call, KIND_COMPLETION, token, completion))
        return MVX_HOOK_DONE;
    behave(use->scenario, behaviour, use->key, function, number);
    if (fails(behaviour, error))
        return MVX_HOOK_FAILED;
    return token != NULL && !use->scenario->cleaning ? MVX_HOOK_PENDING : MVX_HOOK_DONE;
}

static int32_t on_starting(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    struct use *use = user_data;
    journal_add(use->scenario, "%s.on_starting", use->key);
    return run_hook(use, &((struct hooks *)use->target)->on_starting, "on_starting", completion, error);
}

static int32_t on_stopped(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    struct use *use = user_data;
    journal_add(use->scenario, "%s.on_stopped", use->key);
    return run_hook(use, &((struct hooks *)use->target)->on_stopped, "on_stopped", completion, error);
}

static int32_t on_metric_changed(void *user_data, mvx_str metric_name, void *metric_user_data,
                                 const mvx_event *event, mvx_completion *completion, mvx_callback_error *error)
{
    struct use *use = user_data, *of = use_at(use->scenario, metric_user_data);
    struct event *known = event_typed(use->scenario, event->type);
    char shown[256] = "(unknown)";
    if (known != NULL)
        event_show(known, event->payload, event->len, shown, sizeof shown);
    journal_add(use->scenario, "%s.on_metric_changed %.*s %s %s", use->key, (int)metric_name.len, metric_name.data,
                of != NULL ? of->key : metric_user_data == NULL ? "-" : "(unknown)", shown);
    return run_hook(use, &((struct hooks *)use->target)->on_metric_changed, "on_metric_changed", completion, error);
}

bool hooks_use(struct call *call, json_t *key, mvx_hooks *hooks)
{
    struct hooks *found = call->scenario->hooks;
    int64_t size = sizeof *hooks;
    while (found != NULL && (!json_is_string(key) || strcmp(found->key, json_string_value(key)) != 0))
        found = found->next;
    if (found == NULL || !int_arg(call, found->config, "struct_size", &size)) {
        broken(call, "unknown hooks");
        return false;
    }
    struct use *use = use_add(call->scenario, USE_OF_HOOKS, found->key, found);
    use->drop_due = size == sizeof *hooks;
    *hooks = (mvx_hooks){
        .struct_size = (size_t)size,
        .on_starting = json_object_get(found->config, "on_starting") != NULL ? on_starting : NULL,
        .on_stopped = json_object_get(found->config, "on_stopped") != NULL ? on_stopped : NULL,
        .on_metric_changed = json_object_get(found->config, "on_metric_changed") != NULL ? on_metric_changed : NULL,
        .drop = use_dropped,
        .user_data = use,
    };
    return true;
}

/* ---- logs ---- */

static void log_write(void *user_data, const mvx_log_record *record)
{
    struct use *use = user_data;
    journal_add(use->scenario, "%s.log %.*s %.*s", use->key, (int)record->event.len, record->event.data,
                (int)record->entity_id.len, record->entity_id.data);
}

bool log_use(struct call *call, json_t *key, mvx_log *log)
{
    struct log *found = call->scenario->logs;
    uint32_t level = 0;
    int64_t size = sizeof *log;
    while (found != NULL && (!json_is_string(key) || strcmp(found->key, json_string_value(key)) != 0))
        found = found->next;
    if (found == NULL) {
        broken(call, "unknown log");
        return false;
    }
    json_t *policy = json_object_get(found->config, "policy"), *most = json_object_get(found->config, "max_level");
    *log = (mvx_log){.write = log_write, .drop = use_dropped};
    if ((policy != NULL && !value_of(call, log_policies, policy, &log->policy)) ||
        (most != NULL && !value_of(call, log_levels, most, &level)) ||
        !int_arg(call, found->config, "struct_size", &size))
        return false;
    log->struct_size = (size_t)size;
    log->max_level = (int32_t)level;
    struct use *use = use_add(call->scenario, USE_OF_LOG, found->key, found);
    use->drop_due = size == sizeof *log;
    log->user_data = use;
    return true;
}

/* ---- completion callbacks of waits ---- */

void completion_called(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    struct use *use = user_data;
    char where[256];
    if ((status == MVX_OK) != (error == NULL) || (error != NULL && mvx_error_status(error) != status))
        fail(use->scenario, use->key, "the callback's status and error don't agree");
    journal_add(use->scenario, "%s.complete %s %s", use->key, name_of(operations, operation), status_name(status));
    if (use->steps != NULL) {
        snprintf(where, sizeof where, "in %s.complete", use->key);
        play_steps(use->scenario, use->steps, where);
    }
    pthread_mutex_lock(&use->scenario->lock);
    use->called = true;
    use->thread = pthread_self();
    pthread_mutex_unlock(&use->scenario->lock);
}

/* ---- making and freeing ---- */

static bool script_make(struct call *call, const char *key, const char *function, json_t *list, struct script *script)
{
    size_t index;
    json_t *behaviour;
    const char *stranger;
    script->behaviours = list;
    if (list != NULL && !json_is_array(list)) {
        broken(call, "%s.%s must be a list", key, function);
        return false;
    }
    json_array_foreach(list, index, behaviour)
    {
        if (!known_keys(behaviour, BEHAVIOUR_KEYS, NULL, &stranger)) {
            broken(call, "unknown key '%s' in %s.%s", stranger, key, function);
            return false;
        }
    }
    return true;
}

static bool metric_make(struct scenario *scenario, const char *key, json_t *config)
{
    struct call call = {scenario, config, "metrics"};
    struct metric *metric = calloc(1, sizeof *metric);
    static const char *const kinds[] = {"count", "last", "list", "fixed"};
    const char *stranger;
    bool known = false;
    metric->next = scenario->metrics;
    scenario->metrics = metric;
    metric->key = key;
    metric->config = config;
    metric->kind = json_string_value(json_object_get(config, "kind"));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        known = known || (metric->kind != NULL && strcmp(metric->kind, kinds[i]) == 0);
    if (!known)
        return broken(&call, "metric '%s' is of an unknown kind", key) != NULL;
    if (!known_keys(config, "kind by field gives events batch commutative handle snapshot without struct_size", NULL,
                    &stranger))
        return broken(&call, "unknown key '%s' in metric '%s'", stranger, key) != NULL;
    metric->by = json_object();
    metric->values = strcmp(metric->kind, "list") == 0 ? json_array() : NULL;
    metric->last = json_null();
    return script_make(&call, key, "handle", json_object_get(config, "handle"), &metric->handle) &&
           script_make(&call, key, "snapshot", json_object_get(config, "snapshot"), &metric->snapshot);
}

static bool hooks_make(struct scenario *scenario, const char *key, json_t *config)
{
    struct call call = {scenario, config, "hooks"};
    struct hooks *hooks = calloc(1, sizeof *hooks);
    const char *stranger;
    hooks->next = scenario->hooks;
    scenario->hooks = hooks;
    hooks->key = key;
    hooks->config = config;
    if (!known_keys(config, "on_starting on_stopped on_metric_changed struct_size", NULL, &stranger))
        return broken(&call, "unknown key '%s' in hooks '%s'", stranger, key) != NULL;
    return script_make(&call, key, "on_starting", json_object_get(config, "on_starting"), &hooks->on_starting) &&
           script_make(&call, key, "on_stopped", json_object_get(config, "on_stopped"), &hooks->on_stopped) &&
           script_make(&call, key, "on_metric_changed", json_object_get(config, "on_metric_changed"),
                       &hooks->on_metric_changed);
}

static bool log_make(struct scenario *scenario, const char *key, json_t *config)
{
    struct call call = {scenario, config, "logs"};
    struct log *log = calloc(1, sizeof *log);
    const char *stranger;
    log->next = scenario->logs;
    scenario->logs = log;
    log->key = key;
    log->config = config;
    if (!known_keys(config, "policy max_level struct_size", NULL, &stranger))
        return broken(&call, "unknown key '%s' in log '%s'", stranger, key) != NULL;
    return true;
}

bool callbacks_make(struct scenario *scenario)
{
    const char *key;
    json_t *config;
    bool ok = true;
    json_object_foreach(json_object_get(scenario->root, "metrics"), key, config)
        ok = metric_make(scenario, key, config) && ok;
    json_object_foreach(json_object_get(scenario->root, "hooks"), key, config)
        ok = hooks_make(scenario, key, config) && ok;
    json_object_foreach(json_object_get(scenario->root, "logs"), key, config)
        ok = log_make(scenario, key, config) && ok;
    return ok;
}

#define FREE_LIST(type, list) \
    while ((list) != NULL) { \
        struct type *next = (list)->next; \
        free(list); \
        (list) = next; \
    }

void callbacks_free(struct scenario *scenario)
{
    for (struct metric *metric = scenario->metrics; metric != NULL; metric = metric->next) {
        free(metric->types);
        json_decref(metric->by);
        json_decref(metric->values);
        json_decref(metric->last);
    }
    FREE_LIST(metric, scenario->metrics)
    FREE_LIST(hooks, scenario->hooks)
    FREE_LIST(log, scenario->logs)
    FREE_LIST(use, scenario->uses)
}
