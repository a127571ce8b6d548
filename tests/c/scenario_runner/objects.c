/* What steps take (handles, texts, names of constants) and what they give. */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct name recorder_states[] = {
    {"VIRGIN", MVX_RECORDER_VIRGIN},     {"STARTING", MVX_RECORDER_STARTING}, {"RUNNING", MVX_RECORDER_RUNNING},
    {"STOPPING", MVX_RECORDER_STOPPING}, {"STOPPED", MVX_RECORDER_STOPPED},   {"FAILURE", MVX_RECORDER_FAILURE},
    {"CANCELLED", MVX_RECORDER_CANCELLED}, {NULL, 0}};
const struct name runtime_states[] = {
    {"VIRGIN", MVX_RUNTIME_VIRGIN},     {"STARTING", MVX_RUNTIME_STARTING}, {"RUNNING", MVX_RUNTIME_RUNNING},
    {"STOPPING", MVX_RUNTIME_STOPPING}, {"CLOSED", MVX_RUNTIME_CLOSED},     {"FAILURE", MVX_RUNTIME_FAILURE},
    {NULL, 0}};
const struct name overflow_policies[] = {
    {"DROP", MVX_OVERFLOW_DROP}, {"RAISE_ERROR", MVX_OVERFLOW_RAISE_ERROR}, {"BLOCK", MVX_OVERFLOW_BLOCK}, {NULL, 0}};
const struct name metric_error_policies[] = {{"FAIL_RECORDER", MVX_METRIC_ERROR_FAIL_RECORDER},
                                             {"QUARANTINE_METRIC", MVX_METRIC_ERROR_QUARANTINE_METRIC},
                                             {NULL, 0}};
const struct name snapshot_modes[] = {
    {"CONSISTENT", MVX_SNAPSHOT_CONSISTENT}, {"RELAXED", MVX_SNAPSHOT_RELAXED}, {NULL, 0}};
const struct name metric_kinds[] = {{"VTABLE", MVX_METRIC_VTABLE},
                                    {"COUNTER", MVX_METRIC_COUNTER},
                                    {"UP_DOWN_COUNTER", MVX_METRIC_UP_DOWN_COUNTER},
                                    {"GAUGE", MVX_METRIC_GAUGE},
                                    {"HISTOGRAM", MVX_METRIC_HISTOGRAM},
                                    {"EXPONENTIAL_HISTOGRAM", MVX_METRIC_EXPONENTIAL_HISTOGRAM},
                                    {"QUANTILE_SKETCH", MVX_METRIC_QUANTILE_SKETCH},
                                    {"DISTINCT_COUNT", MVX_METRIC_DISTINCT_COUNT},
                                    {NULL, 0}};
const struct name metric_states[] = {
    {"ACTIVE", MVX_METRIC_ACTIVE}, {"QUARANTINED", MVX_METRIC_QUARANTINED}, {NULL, 0}};
const struct name operations[] = {{"START", MVX_OPERATION_START},
                                  {"STOP", MVX_OPERATION_STOP},
                                  {"FLUSH", MVX_OPERATION_FLUSH},
                                  {"SHUTDOWN", MVX_OPERATION_SHUTDOWN},
                                  {NULL, 0}};
const struct name field_kinds[] = {
    {"I8", MVX_FIELD_I8},     {"I16", MVX_FIELD_I16},   {"I32", MVX_FIELD_I32},       {"I64", MVX_FIELD_I64},
    {"U8", MVX_FIELD_U8},     {"U16", MVX_FIELD_U16},   {"U32", MVX_FIELD_U32},       {"U64", MVX_FIELD_U64},
    {"F32", MVX_FIELD_F32},   {"F64", MVX_FIELD_F64},   {"BOOL", MVX_FIELD_BOOL},     {"SYMBOL", MVX_FIELD_SYMBOL},
    {"TEXT", MVX_FIELD_TEXT}, {NULL, 0}};
const struct name filter_ops[] = {{"EQ", MVX_FILTER_EQ}, {"NE", MVX_FILTER_NE}, {"LT", MVX_FILTER_LT},
                                  {"LE", MVX_FILTER_LE}, {"GT", MVX_FILTER_GT}, {"GE", MVX_FILTER_GE},
                                  {NULL, 0}};
const struct name value_kinds[] = {{"BOOL", MVX_VALUE_BOOL}, {"I64", MVX_VALUE_I64}, {"U64", MVX_VALUE_U64},
                                   {"F64", MVX_VALUE_F64},   {"STR", MVX_VALUE_STR}, {NULL, 0}};
const struct name log_policies[] = {{"SILENT", MVX_LOG_POLICY_SILENT},
                                    {"NORMAL", MVX_LOG_POLICY_NORMAL},
                                    {"INSPECTION", MVX_LOG_POLICY_INSPECTION},
                                    {NULL, 0}};
const struct name log_levels[] = {{"ERROR", MVX_LOG_ERROR}, {"WARN", MVX_LOG_WARN},   {"INFO", MVX_LOG_INFO},
                                  {"DEBUG", MVX_LOG_DEBUG}, {"TRACE", MVX_LOG_TRACE}, {NULL, 0}};

const char *name_of(const struct name *names, int64_t value)
{
    for (; names->name != NULL; names++) {
        if (names->value == value)
            return names->name;
    }
    return "(a number without a name)";
}

/* What only a surface with raw pointers can do has to be announced, so that the runners of others can skip it. */
static bool needs_raw(struct call *call, const char *what)
{
    size_t index;
    json_t *need;
    json_array_foreach(json_object_get(call->scenario->root, "needs"), index, need)
    {
        if (strcmp(json_string_value(need), "raw") == 0)
            return true;
    }
    broken(call, "%s: the scenario must say that it needs \"raw\"", what);
    return false;
}

bool value_of(struct call *call, const struct name *names, json_t *json, uint32_t *value)
{
    if (json_is_integer(json)) {
        *value = (uint32_t)json_integer_value(json);
        return needs_raw(call, "a number in place of a name");
    }
    for (; json_is_string(json) && names->name != NULL; names++) {
        if (strcmp(names->name, json_string_value(json)) == 0) {
            *value = (uint32_t)names->value;
            return true;
        }
    }
    broken(call, "unknown constant %s", json_is_string(json) ? json_string_value(json) : "(no text)");
    return false;
}

const char *status_name(mvx_status status)
{
    const char *name = mvx_status_name(status);
    return name != NULL && strncmp(name, "MVX_", 4) == 0 ? name + 4 : "(a status without a name)";
}

json_t *json_text(mvx_str text)
{
    json_t *json = text.len == 0 ? json_string("") : json_stringn(text.data, text.len);
    return json != NULL ? json : json_string("(not UTF-8)");
}

json_t *result_plain(mvx_status status)
{
    return json_pack("{s:s}", "status", status_name(status));
}

json_t *error_json(const mvx_error *error)
{
    if (error == NULL)
        return json_null();
    mvx_str details = mvx_error_details_json(error);
    json_t *json = json_object(), *facts = json_loadb(details.data, details.len, JSON_REJECT_DUPLICATES, NULL);
    json_object_set_new(json, "status", json_string(status_name(mvx_error_status(error))));
    json_object_set_new(json, "reason", json_text(mvx_error_reason(error)));
    json_object_set_new(json, "message", json_text(mvx_error_message(error)));
    json_object_set_new(json, "details", facts != NULL ? facts : json_string("(no JSON)"));
    json_object_set_new(json, "cause", error_json(mvx_error_cause(error)));
    return json;
}

json_t *result(struct call *call, mvx_status status, mvx_error *error)
{
    json_t *got = result_plain(status);
    json_object_set_new(got, "error", error_json(error));
    if (status == MVX_OK && error != NULL)
        broken(call, "the call succeeded and gave an error");
    if (status != MVX_OK && error == NULL)
        broken(call, "the call gave %s without an error", status_name(status));
    if (error != NULL && mvx_error_status(error) != status)
        broken(call, "the call gave %s, its error says %s", status_name(status), status_name(mvx_error_status(error)));
    if (error != NULL && (mvx_error_message(error).len == 0 || mvx_error_reason(error).len == 0))
        broken(call, "the error has no message or no reason");
    mvx_error_free(error);
    return got;
}

struct object *object_named(struct scenario *scenario, enum kind kind, const char *name)
{
    struct object *object = scenario->objects;
    while (object != NULL && (object->kind != kind || strcmp(object->name, name) != 0))
        object = object->next;
    return object;
}

bool object_bind(struct call *call, enum kind kind, const char *name, void *value)
{
    bool bound = true;
    pthread_mutex_lock(&call->scenario->lock);
    struct object *object = object_named(call->scenario, kind, name);
    if (object == NULL && (object = calloc(1, sizeof *object)) != NULL) {
        object->kind = kind;
        object->name = strdup(name);
        object->next = call->scenario->objects;
        call->scenario->objects = object;
    } else if (object->live) {
        bound = false;
    }
    if (bound) {
        object->value = value;
        object->live = true;
        pthread_cond_broadcast(&call->scenario->changed);
    }
    pthread_mutex_unlock(&call->scenario->lock);
    if (!bound)
        broken(call, "the name '%s' is taken", name);
    return bound;
}

void object_freed(struct scenario *scenario, enum kind kind, json_t *reference)
{
    if (!json_is_string(reference))
        return;
    pthread_mutex_lock(&scenario->lock);
    struct object *object = object_named(scenario, kind, json_string_value(reference));
    if (object != NULL)
        object->live = false;
    pthread_mutex_unlock(&scenario->lock);
}

static const struct {
    const char *key;
    enum kind kind;
} foreign[] = {{"$runtime", KIND_RUNTIME}, {"$recorder", KIND_RECORDER}, {"$wait", KIND_WAIT}};

bool handle_of(struct call *call, const char *key, enum kind kind, void **handle)
{
    json_t *reference = json_object_get(call->step, key);
    const char *name = json_string_value(reference);
    if (json_object_get(reference, "$null") != NULL) {
        *handle = NULL;
        return true;
    }
    if (json_object_get(reference, "$made_up") != NULL) {
        *handle = (void *)(uintptr_t)json_integer_value(json_object_get(reference, "$made_up"));
        return true;
    }
    for (size_t i = 0; json_is_object(reference) && i < sizeof foreign / sizeof *foreign; i++) {
        if (json_object_get(reference, foreign[i].key) != NULL) {
            name = json_string_value(json_object_get(reference, foreign[i].key));
            kind = foreign[i].kind;
        }
    }
    if (name == NULL) {
        broken(call, "the step needs '%s'", key);
        return false;
    }
    pthread_mutex_lock(&call->scenario->lock);
    struct object *object = object_named(call->scenario, kind, name);
    bool live = object != NULL && object->live;
    if (object != NULL)
        *handle = object->value;
    pthread_mutex_unlock(&call->scenario->lock);
    if (object == NULL)
        broken(call, "there is no '%s'", name);
    return object != NULL && (live || needs_raw(call, "a handle that was freed"));
}

static void free_handle(enum kind kind, void *value)
{
    switch (kind) {
    case KIND_RUNTIME: mvx_runtime_free(value); break;
    case KIND_RECORDER: mvx_recorder_free(value); break;
    case KIND_WAIT: mvx_wait_free(value); break;
    case KIND_SNAPSHOT: mvx_snapshot_free(value); break;
    case KIND_COMPLETION: break;
    }
}

/* Binds what a call gave under the step's name for it; without a name it is freed at once. */
void give_handle(struct call *call, json_t *got, const char *key, enum kind kind, void *value)
{
    const char *name = json_string_value(json_object_get(call->step, key));
    bool ok = strcmp(json_string_value(json_object_get(got, "status")), "OK") == 0;
    if (value == NULL)
        return;
    if (!ok)
        broken(call, "the call failed and wrote its out-parameter");
    if (name == NULL || !ok || !object_bind(call, kind, name, value))
        free_handle(kind, value);
}

bool gives_null(struct call *call, const char *key)
{
    return json_object_get(json_object_get(call->step, key), "$null") != NULL;
}

static char *bytes_of_hex(const char *hex, size_t *len)
{
    char *bytes = malloc(strlen(hex) / 2 + 1);
    *len = 0;
    while (bytes != NULL && hex[0] != '\0') {
        char digits[3] = {hex[0], hex[1], '\0'};
        if (hex[0] == ' ') {
            hex++;
            continue;
        }
        bytes[(*len)++] = (char)strtoul(digits, NULL, 16);
        hex += hex[1] == '\0' ? 1 : 2;
    }
    return bytes;
}

bool text_of(struct call *call, json_t *value, struct text *text)
{
    json_t *repeat = json_object_get(value, "$repeat"), *hex = json_object_get(value, "$hex");
    *text = (struct text){NULL, {NULL, 0}};
    if (value == NULL)
        return true;
    if (json_is_string(value)) {
        text->str = (mvx_str){json_string_value(value), json_string_length(value)};
    } else if (repeat != NULL) {
        size_t unit = json_string_length(repeat), times = (size_t)json_integer_value(json_object_get(value, "times"));
        text->owned = malloc(unit * times + 1);
        for (size_t i = 0; i < times; i++)
            memcpy(text->owned + i * unit, json_string_value(repeat), unit);
        text->str = (mvx_str){text->owned, unit * times};
    } else if (hex != NULL) {
        text->owned = bytes_of_hex(json_string_value(hex), &text->str.len);
        text->str.data = text->owned;
    } else if (json_object_get(value, "$null") != NULL) {
        json_t *len = json_object_get(value, "$null");
        text->str.len = json_is_integer(len) ? (size_t)json_integer_value(len) : 0;
    } else {
        broken(call, "this is no text");
        return false;
    }
    return true;
}

bool text_arg(struct call *call, const char *key, struct text *text)
{
    return text_of(call, json_object_get(call->step, key), text);
}

void text_free(struct text *text)
{
    free(text->owned);
    text->owned = NULL;
}

bool int_arg(struct call *call, json_t *object, const char *key, int64_t *value)
{
    json_t *json = json_object_get(object, key);
    if (json == NULL)
        return true;
    if (!json_is_integer(json)) {
        broken(call, "'%s' must be an integer", key);
        return false;
    }
    *value = json_integer_value(json);
    return true;
}

bool flag_arg(json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}
