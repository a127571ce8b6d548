/* Steps on recorders, events and snapshots. */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making, and the life of a recorder ---- */

bool recorder_options_of(struct call *call, struct recorder_options *options, const mvx_recorder_options **pointer)
{
    json_t *json = json_object_get(call->step, "options"), *overflow, *errors;
    const char *stranger;
    int64_t struct_size = sizeof options->raw, block_ms = 0;
    memset(options, 0, sizeof *options);
    *pointer = NULL;
    if (json == NULL)
        return true;
    if (!known_keys(json, "entity_id name_space queue_max_size queue_max_bytes overflow_policy block_timeout_ms "
                    "metric_error_policy hooks log struct_size", NULL, &stranger)) {
        broken(call, "unknown option '%s'", stranger);
        return false;
    }
    overflow = json_object_get(json, "overflow_policy");
    errors = json_object_get(json, "metric_error_policy");
    if (!text_of(call, json_object_get(json, "entity_id"), &options->entity_id) ||
        !text_of(call, json_object_get(json, "name_space"), &options->name_space) ||
        !int_arg(call, json, "queue_max_size", &options->raw.queue_max_size) ||
        !int_arg(call, json, "queue_max_bytes", &options->raw.queue_max_bytes) ||
        !int_arg(call, json, "block_timeout_ms", &block_ms) || !int_arg(call, json, "struct_size", &struct_size) ||
        (overflow != NULL && !value_of(call, overflow_policies, overflow, &options->raw.overflow_policy)) ||
        (errors != NULL && !value_of(call, metric_error_policies, errors, &options->raw.metric_error_policy)))
        return false;
    /* What can't be read can't be dropped either. */
    bool readable = struct_size == sizeof options->raw;
    if (json_object_get(json, "hooks") != NULL) {
        if (!hooks_use(call, json_object_get(json, "hooks"), &options->hooks))
            return false;
        options->raw.hooks = &options->hooks;
        ((struct use *)options->hooks.user_data)->drop_due &= readable;
    }
    if (json_object_get(json, "log") != NULL) {
        if (!log_use(call, json_object_get(json, "log"), &options->log))
            return false;
        options->raw.log = &options->log;
        ((struct use *)options->log.user_data)->drop_due &= readable;
    }
    options->raw.struct_size = (size_t)struct_size;
    options->raw.entity_id = options->entity_id.str;
    options->raw.name_space = options->name_space.str;
    options->raw.block_timeout_ns = block_ms * 1000000;
    *pointer = &options->raw;
    return true;
}

void recorder_options_free(struct recorder_options *options)
{
    text_free(&options->entity_id);
    text_free(&options->name_space);
}

static json_t *recorder_create(struct call *call)
{
    void *runtime = NULL;
    struct recorder_options options;
    const mvx_recorder_options *pointer;
    mvx_recorder *recorder = NULL;
    mvx_error *error = NULL;
    if (json_object_get(call->step, "runtime") != NULL) {
        if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
            return NULL;
    } else {
        call->scenario->default_runtime_used = true;
    }
    if (!recorder_options_of(call, &options, &pointer))
        return NULL;
    mvx_status status = mvx_recorder_create(runtime, pointer, gives_null(call, "as") ? NULL : &recorder, &error);
    recorder_options_free(&options);
    json_t *got = result(call, status, error);
    give_handle(call, got, "as", KIND_RECORDER, recorder);
    return got;
}

static json_t *recorder_clone(struct call *call)
{
    void *recorder;
    mvx_recorder *clone = NULL;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder))
        return NULL;
    json_t *got = result_plain(mvx_recorder_clone(recorder, gives_null(call, "as") ? NULL : &clone));
    give_handle(call, got, "as", KIND_RECORDER, clone);
    return got;
}

/* start, stop and flush: with `block` the step's result is that of the operation. */
static json_t *operate(struct call *call, mvx_status (*operation)(mvx_recorder *, mvx_wait **, mvx_error **))
{
    void *recorder;
    mvx_wait *wait = NULL;
    mvx_error *error = NULL;
    bool block = flag_arg(call->step, "block");
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder))
        return NULL;
    bool waits = block || json_object_get(call->step, "wait") != NULL;
    mvx_status status = operation(recorder, waits ? &wait : NULL, &error);
    json_t *got = result(call, status, error);
    if (!block || wait == NULL) {
        give_handle(call, got, "wait", KIND_WAIT, wait);
        return got;
    }
    status = mvx_wait_block(wait, (int64_t)PATIENCE_MS * 1000000);
    json_decref(got);
    if (status != MVX_OK) {
        mvx_wait_free(wait);
        return broken(call, "waiting for the operation gave %s", status_name(status));
    }
    int32_t done = 0;
    error = NULL;
    status = mvx_wait_result(wait, &done, &error);
    got = result(call, status, error);
    mvx_wait_free(wait);
    return got;
}

static json_t *recorder_start(struct call *call)
{
    return operate(call, mvx_recorder_start);
}

static json_t *recorder_stop(struct call *call)
{
    return operate(call, mvx_recorder_stop);
}

static json_t *recorder_flush(struct call *call)
{
    return operate(call, mvx_recorder_flush);
}

static json_t *recorder_cancel(struct call *call)
{
    void *recorder;
    mvx_error *error = NULL;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder))
        return NULL;
    mvx_status status = mvx_recorder_cancel(recorder, &error);
    return result(call, status, error);
}

static json_t *recorder_state(struct call *call)
{
    void *recorder;
    int32_t state = -1;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder))
        return NULL;
    json_t *got = result_plain(mvx_recorder_state(recorder, flag_arg(call->step, "null_out") ? NULL : &state));
    if (state != -1)
        json_object_set_new(got, "state", json_string(name_of(recorder_states, state)));
    return got;
}

static json_t *recorder_last_error(struct call *call)
{
    void *recorder;
    mvx_error *error = NULL;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder))
        return NULL;
    json_t *got = result_plain(mvx_recorder_last_error(recorder, flag_arg(call->step, "null_out") ? NULL : &error));
    json_object_set_new(got, "error", error_json(error));
    mvx_error_free(error);
    return got;
}

static json_t *text_getter(struct call *call, mvx_status (*getter)(const mvx_recorder *, mvx_text **))
{
    void *recorder;
    mvx_text *text = NULL;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder))
        return NULL;
    json_t *got = result_plain(getter(recorder, flag_arg(call->step, "null_out") ? NULL : &text));
    if (text != NULL)
        json_object_set_new(got, "text", json_text(mvx_text_str(text)));
    mvx_text_free(text);
    return got;
}

static json_t *recorder_entity_id(struct call *call)
{
    return text_getter(call, mvx_recorder_entity_id);
}

static json_t *recorder_name_space(struct call *call)
{
    return text_getter(call, mvx_recorder_name_space);
}

static json_t *recorder_stats(struct call *call)
{
    void *recorder;
    struct mvx_recorder_stats stats = {.struct_size = sizeof stats};
    int64_t struct_size = sizeof stats;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder) ||
        !int_arg(call, call->step, "struct_size", &struct_size))
        return NULL;
    stats.struct_size = (size_t)struct_size;
    mvx_status status = mvx_recorder_stats(recorder, flag_arg(call->step, "null_out") ? NULL : &stats);
    json_t *got = result_plain(status);
    if (status != MVX_OK)
        return got;
    if (stats.accepted != stats.dispatched + stats.discarded + stats.pending)
        broken(call, "accepted isn't dispatched + discarded + pending");
    json_object_set_new(
        got, "stats",
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "accepted", (json_int_t)stats.accepted, "dispatched",
                  (json_int_t)stats.dispatched, "dropped", (json_int_t)stats.dropped, "refused",
                  (json_int_t)stats.refused, "discarded", (json_int_t)stats.discarded, "pending",
                  (json_int_t)stats.pending, "pending_max", (json_int_t)stats.pending_max, "pending_bytes",
                  (json_int_t)stats.pending_bytes, "quarantined_metrics", (json_int_t)stats.quarantined_metrics,
                  "lag_ns", (json_int_t)stats.lag_ns));
    return got;
}

static json_t *recorder_free(struct call *call)
{
    void *recorder;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder))
        return NULL;
    object_freed(call->scenario, KIND_RECORDER, json_object_get(call->step, "recorder"));
    mvx_recorder_free(recorder);
    return json_object();
}

/* ---- metrics ---- */

static json_t *recorder_register_metric(struct call *call)
{
    void *recorder;
    struct text name;
    mvx_error *error = NULL;
    mvx_metric_vtable vtable;
    const char *key = json_string_value(json_object_get(call->step, "metric"));
    struct metric *metric = key != NULL ? metric_keyed(call->scenario, key) : NULL;
    struct use *use = NULL;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder))
        return NULL;
    if (metric == NULL && !gives_null(call, "metric"))
        return broken(call, "unknown metric");
    if (metric != NULL && !metric_vtable(call, metric, &vtable))
        return NULL;
    if (json_object_get(call->step, "name") != NULL ? !text_arg(call, "name", &name)
                                                   : !text_of(call, json_object_get(call->step, "metric"), &name))
        return NULL;
    if (metric != NULL) {
        use = use_add(call->scenario, USE_OF_METRIC, metric->key, metric);
        use->drop_due = vtable.struct_size == sizeof vtable;
    }
    mvx_status status =
        mvx_recorder_register_metric(recorder, name.str, metric != NULL ? &vtable : NULL, use, &error);
    text_free(&name);
    return result(call, status, error);
}

#define MANY 16

struct spec {
    mvx_metric_spec raw;
    mvx_event_type types[MANY];
    mvx_filter filters[MANY];
    mvx_str group_by[MANY];
    double bounds[MANY];
    struct text name, unit, help, value_field;
    struct text texts[3 * MANY];
    size_t text_count;
};

static bool spec_text(struct call *call, struct spec *spec, json_t *json, mvx_str *text)
{
    if (!text_of(call, json, &spec->texts[spec->text_count]))
        return false;
    *text = spec->texts[spec->text_count++].str;
    return true;
}

static bool filter_of(struct call *call, struct spec *spec, json_t *json, mvx_filter *filter)
{
    json_t *value = json_object_get(json, "value"), *kind = json_object_get(json, "value_kind");
    const char *stranger;
    if (!known_keys(json, "field op value value_kind", NULL, &stranger)) {
        broken(call, "unknown key '%s' in a filter", stranger);
        return false;
    }
    if (!spec_text(call, spec, json_object_get(json, "field"), &filter->field) ||
        !value_of(call, filter_ops, json_object_get(json, "op"), &filter->op))
        return false;
    if (json_is_string(value)) {
        filter->value_kind = MVX_VALUE_STR;
        filter->str = (mvx_str){json_string_value(value), json_string_length(value)};
        filter->u64 = strtoull(json_string_value(value), NULL, 10);
    } else if (json_is_boolean(value)) {
        filter->value_kind = MVX_VALUE_BOOL;
        filter->i64 = json_is_true(value);
    } else if (json_is_real(value)) {
        filter->value_kind = MVX_VALUE_F64;
        filter->f64 = json_real_value(value);
    } else {
        filter->value_kind = MVX_VALUE_I64;
        filter->i64 = json_integer_value(value);
        filter->u64 = (uint64_t)filter->i64;
        filter->f64 = (double)filter->i64;
    }
    return kind == NULL || value_of(call, value_kinds, kind, &filter->value_kind);
}

static bool spec_of(struct call *call, json_t *json, struct spec *spec)
{
    const char *stranger;
    json_t *item, *kind = json_object_get(json, "kind");
    json_t *events = json_object_get(json, "events"), *filters = json_object_get(json, "filters");
    json_t *group_by = json_object_get(json, "group_by"), *bounds = json_object_get(json, "bounds");
    size_t index;
    int64_t struct_size = sizeof spec->raw, flags = 0;
    memset(spec, 0, sizeof *spec);
    if (!known_keys(json, "name unit help kind flags events value_field filters group_by max_series bounds "
                    "relative_error struct_size", NULL, &stranger)) {
        broken(call, "unknown key '%s' in the spec", stranger);
        return false;
    }
    if (json_array_size(events) > MANY || json_array_size(filters) > MANY || json_array_size(group_by) > MANY ||
        json_array_size(bounds) > MANY) {
        broken(call, "more than %d of something in the spec", MANY);
        return false;
    }
    if (!text_of(call, json_object_get(json, "name"), &spec->name) ||
        !text_of(call, json_object_get(json, "unit"), &spec->unit) ||
        !text_of(call, json_object_get(json, "help"), &spec->help) ||
        !text_of(call, json_object_get(json, "value_field"), &spec->value_field) ||
        !value_of(call, metric_kinds, kind, &spec->raw.kind) || !int_arg(call, json, "flags", &flags) ||
        !int_arg(call, json, "max_series", &spec->raw.max_series) ||
        !int_arg(call, json, "struct_size", &struct_size))
        return false;
    json_array_foreach(events, index, item)
    {
        struct event *event = json_is_string(item) ? event_keyed(call->scenario, json_string_value(item)) : NULL;
        if (event == NULL && json_object_get(item, "$number") == NULL) {
            broken(call, "the spec wants an unknown event");
            return false;
        }
        spec->types[index] =
            event != NULL ? event->type : (mvx_event_type)json_integer_value(json_object_get(item, "$number"));
    }
    json_array_foreach(filters, index, item)
    {
        if (!filter_of(call, spec, item, &spec->filters[index]))
            return false;
    }
    json_array_foreach(group_by, index, item)
    {
        if (!spec_text(call, spec, item, &spec->group_by[index]))
            return false;
    }
    json_array_foreach(bounds, index, item)
        spec->bounds[index] = json_number_value(item);
    spec->raw.struct_size = (size_t)struct_size;
    spec->raw.name = spec->name.str;
    spec->raw.unit = spec->unit.str;
    spec->raw.help = spec->help.str;
    spec->raw.flags = (uint32_t)flags;
    spec->raw.event_types = spec->types;
    spec->raw.event_type_count = json_array_size(events);
    spec->raw.value_field = spec->value_field.str;
    spec->raw.filters = spec->filters;
    spec->raw.filter_count = json_array_size(filters);
    spec->raw.group_by = spec->group_by;
    spec->raw.group_by_count = json_array_size(group_by);
    spec->raw.bounds = spec->bounds;
    spec->raw.bound_count = json_array_size(bounds);
    spec->raw.relative_error = json_number_value(json_object_get(json, "relative_error"));
    return true;
}

static json_t *recorder_register_native_metric(struct call *call)
{
    void *recorder;
    struct spec *spec = calloc(1, sizeof *spec);
    mvx_error *error = NULL;
    json_t *got = NULL;
    if (handle_of(call, "recorder", KIND_RECORDER, &recorder) &&
        (gives_null(call, "spec") || spec_of(call, json_object_get(call->step, "spec"), spec))) {
        mvx_status status =
            mvx_recorder_register_native_metric(recorder, gives_null(call, "spec") ? NULL : &spec->raw, &error);
        got = result(call, status, error);
    }
    for (size_t i = 0; i < spec->text_count; i++)
        text_free(&spec->texts[i]);
    text_free(&spec->name);
    text_free(&spec->unit);
    text_free(&spec->help);
    text_free(&spec->value_field);
    free(spec);
    return got;
}

struct visit {
    struct call *call;
    json_t *rows;
    int64_t stop_after;
};

static int32_t visit(void *context, const mvx_metric_info *info)
{
    struct visit *visit = context;
    struct use *use = info->user_data != NULL ? use_at(visit->call->scenario, info->user_data) : NULL;
    json_t *row = json_object();
    json_object_set_new(row, "name", json_text(info->name));
    json_object_set_new(row, "kind", json_string(name_of(metric_kinds, info->kind)));
    json_object_set_new(row, "state", json_string(name_of(metric_states, info->state)));
    json_object_set_new(row, "object", use != NULL ? json_string(use->key)
                                       : info->user_data == NULL ? json_null() : json_string("(unknown)"));
    json_object_set_new(row, "error", error_json(info->error));
    json_array_append_new(visit->rows, row);
    return visit->stop_after > 0 && (int64_t)json_array_size(visit->rows) >= visit->stop_after;
}

static json_t *recorder_iter_metrics(struct call *call)
{
    void *recorder;
    mvx_error *error = NULL;
    struct visit context = {call, NULL, 0};
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder) ||
        !int_arg(call, call->step, "stop_after", &context.stop_after))
        return NULL;
    context.rows = json_array();
    mvx_status status =
        mvx_recorder_iter_metrics(recorder, flag_arg(call->step, "null_out") ? NULL : visit, &context, &error);
    json_t *got = result(call, status, error);
    json_object_set_new(got, "metrics", context.rows);
    return got;
}

/* ---- events ---- */

static bool event_of(struct call *call, struct event **event, mvx_event_type *type)
{
    json_t *json = json_object_get(call->step, "event");
    *event = json_is_string(json) ? event_keyed(call->scenario, json_string_value(json)) : NULL;
    if (*event == NULL && json_object_get(json, "$number") == NULL) {
        broken(call, "unknown event");
        return false;
    }
    *type = *event != NULL ? (*event)->type : (mvx_event_type)json_integer_value(json_object_get(json, "$number"));
    return true;
}

static void status_count(json_t *statuses, mvx_status status)
{
    const char *name = status_name(status);
    json_object_set_new(statuses, name, json_integer(json_integer_value(json_object_get(statuses, name)) + 1));
}

/* The result of many calls: their common status, or how often each occurred. */
static json_t *result_of_many(json_t *statuses)
{
    void *first = json_object_iter(statuses);
    const char *status = first == NULL                              ? "OK"
                         : json_object_iter_next(statuses, first) == NULL ? json_object_iter_key(first)
                                                                    : "MIXED";
    return json_pack("{s:s,s:o}", "status", status, "statuses", statuses);
}

static bool register_one(struct call *call, mvx_recorder *recorder, json_t *payload, int64_t times, json_t *statuses)
{
    struct event *event;
    mvx_event_type type;
    unsigned char *bytes;
    size_t len;
    bool null;
    if (!event_of(call, &event, &type) || !payload_of(call, event, payload, &bytes, &len, &null))
        return false;
    for (int64_t i = 0; i < times; i++)
        status_count(statuses, mvx_recorder_register_event(recorder, type, null ? NULL : bytes, len));
    free(bytes);
    return true;
}

static json_t *recorder_register_event(struct call *call)
{
    void *recorder;
    json_t *payload, *list = json_object_get(call->step, "payloads"), *statuses;
    int64_t times = 1;
    size_t index;
    bool ok = true;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder) || !int_arg(call, call->step, "times", &times))
        return NULL;
    statuses = json_object();
    if (list == NULL)
        ok = register_one(call, recorder, json_object_get(call->step, "payload"), times, statuses);
    json_array_foreach(list, index, payload)
        ok = ok && register_one(call, recorder, payload, times, statuses);
    if (ok)
        return result_of_many(statuses);
    json_decref(statuses);
    return NULL;
}

static json_t *recorder_register_events(struct call *call)
{
    void *recorder;
    struct event *event;
    mvx_event_type type;
    json_t *payload, *list = json_object_get(call->step, "payloads"), *got = NULL;
    unsigned char *bytes = NULL, *all;
    size_t index, len = 0, accepted = SIZE_MAX;
    bool null = false, ok = true;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder) || !event_of(call, &event, &type))
        return NULL;
    if (event != NULL)
        len = event->len;
    all = malloc(1);
    json_array_foreach(list, index, payload)
    {
        if (ok && (ok = payload_of(call, event, payload, &bytes, &len, &null))) {
            all = realloc(all, (index + 1) * len + 1);
            if (len > 0)
                memcpy(all + index * len, bytes, len);
            free(bytes);
        }
    }
    if (ok) {
        mvx_status status =
            mvx_recorder_register_events(recorder, type, null ? NULL : all, len, json_array_size(list),
                                         flag_arg(call->step, "null_out") ? NULL : &accepted);
        got = result_plain(status);
        if (accepted != SIZE_MAX)
            json_object_set_new(got, "accepted", json_integer((json_int_t)accepted));
    }
    free(all);
    return got;
}

static json_t *event_type_declare(struct call *call)
{
    json_t *key = json_object_get(call->step, "event"), *like = json_object_get(call->step, "like");
    struct event *event = json_is_string(key) ? event_keyed(call->scenario, json_string_value(key)) : NULL;
    struct event *other = json_is_string(like) ? event_keyed(call->scenario, json_string_value(like)) : NULL;
    struct text name;
    mvx_field fields[MAX_FIELDS];
    size_t count, len;
    mvx_event_type type = 0;
    mvx_error *error = NULL;
    int64_t flags = 0;
    int64_t struct_size = sizeof(mvx_event_type_options);
    json_t *got = NULL;
    if ((key != NULL && event == NULL) || (like != NULL && other == NULL))
        return broken(call, "unknown event");
    if (!text_arg(call, "name", &name))
        return NULL;
    if (event != NULL)
        name.str = (mvx_str){event->name, strlen(event->name)};
    if (int_arg(call, call->step, "flags", &flags) && int_arg(call, call->step, "struct_size", &struct_size) &&
        fields_of(call, json_object_get(call->step, "fields"), flag_arg(call->step, "natural"), fields, &count,
                  &len)) {
        mvx_event_type_options options = {(size_t)struct_size, name.str, fields, count, (uint32_t)flags,
                                          NULL, NULL, NULL};
        mvx_status status = mvx_event_type_declare(gives_null(call, "options") ? NULL : &options,
                                                   flag_arg(call->step, "null_out") ? NULL : &type, &error);
        got = result(call, status, error);
        if (other != NULL && status == MVX_OK)
            json_object_set_new(got, "same", json_boolean(type == other->type));
    }
    text_free(&name);
    return got;
}

static json_t *event_type_name(struct call *call)
{
    struct event *event;
    mvx_event_type type;
    mvx_str name = {NULL, 0};
    if (!event_of(call, &event, &type))
        return NULL;
    mvx_status status = mvx_event_type_name(type, flag_arg(call->step, "null_out") ? NULL : &name);
    json_t *got = result_plain(status);
    if (status == MVX_OK)
        json_object_set_new(got, "text", json_text(name));
    return got;
}

static json_t *intern(struct call *call)
{
    struct text text, like;
    int64_t times = 0;
    mvx_symbol symbol = 0, other = 0;
    json_t *statuses, *got;
    if (!text_arg(call, "text", &text) || !int_arg(call, call->step, "times", &times))
        return NULL;
    statuses = json_object();
    if (times == 0)
        status_count(statuses, mvx_intern(text.str, flag_arg(call->step, "null_out") ? NULL : &symbol));
    for (int64_t i = 0; i < times; i++) {
        char numbered[128];
        int len = snprintf(numbered, sizeof numbered, "%.*s%lld", (int)text.str.len, text.str.data, (long long)i);
        status_count(statuses, mvx_intern((mvx_str){numbered, (size_t)len}, &symbol));
    }
    got = result_of_many(statuses);
    mvx_str back = {NULL, 0};
    if (times == 0 && symbol != 0 && mvx_symbol_text(symbol, &back) == MVX_OK)
        json_object_set_new(got, "text", json_text(back));
    if (json_object_get(call->step, "like") != NULL && text_arg(call, "like", &like)) {
        bool same = mvx_intern(like.str, &other) == MVX_OK && other == symbol;
        json_object_set_new(got, "same", json_boolean(same));
        text_free(&like);
    }
    text_free(&text);
    return got;
}

/* ---- snapshots ---- */

static json_t *value_json(const mvx_value *value)
{
    int32_t flag;
    int64_t integer;
    uint64_t natural;
    double real;
    mvx_str text;
    json_t *json = NULL;
    switch (mvx_value_kind(value)) {
    case MVX_VALUE_NULL: return json_null();
    case MVX_VALUE_BOOL: return mvx_value_as_bool(value, &flag) == MVX_OK ? json_boolean(flag) : NULL;
    case MVX_VALUE_I64: return mvx_value_as_i64(value, &integer) == MVX_OK ? json_integer(integer) : NULL;
    case MVX_VALUE_U64:
        if (mvx_value_as_u64(value, &natural) != MVX_OK)
            return NULL;
        return natural <= INT64_MAX ? json_integer((json_int_t)natural) : json_real((double)natural);
    case MVX_VALUE_F64:
        if (mvx_value_as_f64(value, &real) != MVX_OK)
            return NULL;
        if (real != real)
            return json_string("NaN");
        if (real - real != 0)
            return json_string(real > 0 ? "Infinity" : "-Infinity");
        return json_real(real);
    case MVX_VALUE_STR: return mvx_value_as_str(value, &text) == MVX_OK ? json_text(text) : NULL;
    case MVX_VALUE_LIST:
        json = json_array();
        for (size_t i = 0; i < mvx_value_len(value); i++)
            json_array_append_new(json, value_json(mvx_value_at(value, i)));
        return json;
    case MVX_VALUE_MAP:
        json = json_object();
        for (size_t i = 0; i < mvx_value_len(value); i++) {
            mvx_str key = mvx_value_key_at(value, i);
            json_t *text_key = json_text(key), *member = value_json(mvx_value_get(value, key));
            json_object_set_new(json, json_string_value(text_key), member);
            json_decref(text_key);
        }
        return json;
    default: return NULL;
    }
}

/* Reads a snapshot in both ways that the library offers; they must agree. */
static void snapshot_show(struct call *call, json_t *got, const mvx_snapshot *snapshot)
{
    mvx_text *text = NULL;
    mvx_error *error = NULL;
    json_t *order = json_array(), *values = json_object(), *parsed = NULL;
    for (size_t i = 0; i < mvx_snapshot_len(snapshot); i++) {
        mvx_str name = mvx_snapshot_name_at(snapshot, i);
        json_t *key = json_text(name);
        json_object_set_new(values, json_string_value(key), value_json(mvx_snapshot_get(snapshot, name)));
        json_array_append_new(order, key);
    }
    mvx_status status = mvx_snapshot_to_json(snapshot, &text, &error);
    if (status == MVX_OK) {
        mvx_str json = mvx_text_str(text);
        parsed = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
        /* jansson has no integers over INT64_MAX: then only the syntax is checked here, and `text` by the scenario. */
        if (parsed == NULL && (parsed = json_loadb(json.data, json.len, JSON_DECODE_INT_AS_REAL, NULL)) != NULL) {
            json_decref(parsed);
            parsed = json_incref(values);
        }
        json_object_set_new(got, "text", json_text(json));
    }
    if (parsed == NULL) {
        broken(call, "the snapshot's JSON (%s) can't be read", status_name(status));
    } else if (!json_equal(parsed, values)) {
        char *left = json_dumps(values, JSON_COMPACT), *right = json_dumps(parsed, JSON_COMPACT);
        broken(call, "the snapshot's values are %s, its JSON is %s", left, right);
        free(left);
        free(right);
    }
    json_decref(parsed);
    json_object_set_new(got, "snapshot", values);
    json_object_set_new(got, "order", order);
    mvx_error_free(error);
    mvx_text_free(text);
}

static json_t *recorder_snapshot(struct call *call)
{
    void *recorder;
    mvx_snapshot *snapshot = NULL;
    mvx_error *error = NULL;
    json_t *mode_json = json_object_get(call->step, "mode");
    uint32_t mode = MVX_SNAPSHOT_CONSISTENT;
    int64_t timeout_ms = PATIENCE_MS;
    if (!handle_of(call, "recorder", KIND_RECORDER, &recorder) ||
        !int_arg(call, call->step, "timeout_ms", &timeout_ms) ||
        (mode_json != NULL && !value_of(call, snapshot_modes, mode_json, &mode)))
        return NULL;
    mvx_status status = mvx_recorder_snapshot(recorder, mode, timeout_ms * 1000000,
                                              gives_null(call, "as") ? NULL : &snapshot, &error);
    json_t *got = result(call, status, error);
    if (snapshot != NULL && status == MVX_OK)
        snapshot_show(call, got, snapshot);
    give_handle(call, got, "as", KIND_SNAPSHOT, snapshot);
    return got;
}

static json_t *snapshot_read(struct call *call)
{
    void *snapshot;
    if (!handle_of(call, "snapshot", KIND_SNAPSHOT, &snapshot))
        return NULL;
    json_t *got = result_plain(MVX_OK);
    snapshot_show(call, got, snapshot);
    return got;
}

static json_t *snapshot_to_openmetrics(struct call *call)
{
    void *snapshot;
    mvx_text *text = NULL;
    mvx_error *error = NULL;
    if (!handle_of(call, "snapshot", KIND_SNAPSHOT, &snapshot))
        return NULL;
    mvx_status status = mvx_snapshot_to_openmetrics(snapshot, &text, &error);
    json_t *got = result(call, status, error);
    if (status == MVX_OK)
        json_object_set_new(got, "text", json_text(mvx_text_str(text)));
    mvx_text_free(text);
    return got;
}

static json_t *snapshot_free(struct call *call)
{
    void *snapshot;
    if (!handle_of(call, "snapshot", KIND_SNAPSHOT, &snapshot))
        return NULL;
    object_freed(call->scenario, KIND_SNAPSHOT, json_object_get(call->step, "snapshot"));
    mvx_snapshot_free(snapshot);
    return json_object();
}

const struct op recorder_ops[] = {
    {"recorder_create", "runtime options as", "error", recorder_create},
    {"recorder_clone", "recorder as", "", recorder_clone},
    {"recorder_start", "recorder wait block", "error", recorder_start},
    {"recorder_stop", "recorder wait block", "error", recorder_stop},
    {"recorder_flush", "recorder wait block", "error", recorder_flush},
    {"recorder_cancel", "recorder", "error", recorder_cancel},
    {"recorder_state", "recorder null_out", "state", recorder_state},
    {"recorder_last_error", "recorder null_out", "error", recorder_last_error},
    {"recorder_entity_id", "recorder null_out", "text matches contains", recorder_entity_id},
    {"recorder_name_space", "recorder null_out", "text matches contains", recorder_name_space},
    {"recorder_stats", "recorder null_out struct_size", "stats", recorder_stats},
    {"recorder_free", "recorder", "", recorder_free},
    {"recorder_register_metric", "recorder metric name", "error", recorder_register_metric},
    {"recorder_register_native_metric", "recorder spec", "error", recorder_register_native_metric},
    {"recorder_iter_metrics", "recorder stop_after null_out", "error metrics", recorder_iter_metrics},
    {"recorder_register_event", "recorder event payload payloads times", "statuses", recorder_register_event},
    {"recorder_register_events", "recorder event payloads null_out", "accepted", recorder_register_events},
    {"recorder_snapshot", "recorder mode timeout_ms as", "error snapshot order text matches contains",
     recorder_snapshot},
    {"snapshot_read", "snapshot", "snapshot order text matches contains", snapshot_read},
    {"snapshot_to_openmetrics", "snapshot", "error text matches contains", snapshot_to_openmetrics},
    {"snapshot_free", "snapshot", "", snapshot_free},
    {"event_type_declare", "event name fields natural flags like options struct_size null_out", "error same",
     event_type_declare},
    {"event_type_name", "event null_out", "text matches contains", event_type_name},
    {"intern", "text times like null_out", "statuses text same matches contains", intern},
    {NULL, NULL, NULL, NULL},
};
