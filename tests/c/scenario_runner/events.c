/* Event types, and payloads written and read field by field. */
#include "runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An event type lives as long as the process, its scenario does not: the user_data of `release` is a slot, not an
   object, and a scenario played again finds its slot by name. */
#define SLOTS 1024
static struct {
    char name[192];
    struct event *event;
} slots[SLOTS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;

static void released(void *user_data, const void *payload, size_t len)
{
    size_t slot = (size_t)(uintptr_t)user_data - 1;
    char shown[256];
    pthread_mutex_lock(&slots_lock);
    struct event *event = slots[slot].event;
    pthread_mutex_unlock(&slots_lock);
    if (event == NULL)
        return;
    event_show(event, payload, len, shown, sizeof shown);
    journal_add(event->scenario, "release %s", shown);
}

static void *slot_take(struct event *event)
{
    void *user_data = NULL;
    pthread_mutex_lock(&slots_lock);
    for (size_t i = 0; i < SLOTS && user_data == NULL; i++) {
        if (slots[i].name[0] == '\0')
            snprintf(slots[i].name, sizeof slots[i].name, "%s", event->name);
        if (strcmp(slots[i].name, event->name) == 0) {
            slots[i].event = event;
            user_data = (void *)(uintptr_t)(i + 1);
        }
    }
    pthread_mutex_unlock(&slots_lock);
    return user_data;
}

void events_forget(struct scenario *scenario)
{
    pthread_mutex_lock(&slots_lock);
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].event != NULL && slots[i].event->scenario == scenario)
            slots[i].event = NULL;
    }
    pthread_mutex_unlock(&slots_lock);
    while (scenario->events != NULL) {
        struct event *event = scenario->events;
        scenario->events = event->next;
        free(event->name);
        free(event);
    }
}

struct event *event_keyed(struct scenario *scenario, const char *key)
{
    struct event *event = scenario->events;
    while (event != NULL && strcmp(event->key, key) != 0)
        event = event->next;
    return event;
}

struct event *event_typed(struct scenario *scenario, mvx_event_type type)
{
    struct event *event = scenario->events;
    while (event != NULL && event->type != type)
        event = event->next;
    return event;
}

static uint32_t kind_size(uint32_t kind)
{
    switch (kind) {
    case MVX_FIELD_I8: case MVX_FIELD_U8: case MVX_FIELD_BOOL: case MVX_FIELD_TEXT: return 1;
    case MVX_FIELD_I16: case MVX_FIELD_U16: return 2;
    case MVX_FIELD_I32: case MVX_FIELD_U32: case MVX_FIELD_F32: case MVX_FIELD_SYMBOL: return 4;
    default: return 8;
    }
}

bool fields_of(struct call *call, json_t *list, bool natural, mvx_field *fields, size_t *count, size_t *len)
{
    size_t index;
    json_t *json;
    *count = 0;
    *len = 0;
    json_array_foreach(list, index, json)
    {
        struct text name;
        int64_t offset = 0, size = 0;
        const char *stranger;
        mvx_field *field = &fields[index];
        if (index == MAX_FIELDS) {
            broken(call, "more than %d fields", MAX_FIELDS);
            return false;
        }
        if (!known_keys(json, "name kind offset size", NULL, &stranger)) {
            broken(call, "unknown key '%s' in a field", stranger);
            return false;
        }
        if (!text_of(call, json_object_get(json, "name"), &name) ||
            !value_of(call, field_kinds, json_object_get(json, "kind"), &field->kind) ||
            !int_arg(call, json, "offset", &offset) || !int_arg(call, json, "size", &size))
            return false;
        if (name.owned != NULL) {
            text_free(&name);
            broken(call, "a field's name must be a plain text");
            return false;
        }
        size_t align = kind_size(field->kind);
        field->name = name.str;
        field->size = size != 0 ? (uint32_t)size : (uint32_t)align;
        field->offset = natural ? (uint32_t)((*len + align - 1) / align * align) : (uint32_t)offset;
        if (field->offset + field->size > *len)
            *len = field->offset + field->size;
        *count = index + 1;
    }
    *len = (*len + 7) / 8 * 8;
    return true;
}

bool events_declare(struct scenario *scenario)
{
    const char *key, *stranger;
    json_t *json;
    json_object_foreach(json_object_get(scenario->root, "events"), key, json)
    {
        struct call call = {scenario, json, "events"};
        mvx_field fields[MAX_FIELDS];
        struct event *event = calloc(1, sizeof *event);
        size_t room = strlen(scenario->path) + strlen(key) + 2;
        event->scenario = scenario;
        event->key = key;
        event->name = malloc(room);
        event->next = scenario->events;
        scenario->events = event;
        snprintf(event->name, room, "%s.%s", scenario->path, key);
        for (char *at = event->name; *at != '\0'; at++) {
            if (*at == '/')
                *at = '.';
        }
        if (!known_keys(json, "fields timed release", NULL, &stranger)) {
            broken(&call, "unknown key '%s' in event '%s'", stranger, key);
            return false;
        }
        if (!fields_of(&call, json_object_get(json, "fields"), true, fields, &event->field_count, &event->len))
            return false;
        for (size_t i = 0; i < event->field_count; i++)
            event->fields[i] = (struct field){fields[i].name.data, fields[i].kind, fields[i].offset, fields[i].size};
        event->release = flag_arg(json, "release");
        mvx_event_type_options options = {sizeof options, {event->name, strlen(event->name)}, fields,
                                          event->field_count, flag_arg(json, "timed") ? MVX_EVENT_TYPE_TIMED : 0,
                                          NULL, NULL, NULL};
        if (event->release) {
            options.release = released;
            options.user_data = slot_take(event);
        }
        mvx_error *error = NULL;
        mvx_status status = mvx_event_type_declare(&options, &event->type, &error);
        mvx_error_free(error);
        if (status != MVX_OK) {
            broken(&call, "event '%s' can't be declared: %s", key, status_name(status));
            return false;
        }
    }
    return true;
}

static bool number_of(json_t *json, int64_t *integer, uint64_t *natural, double *real)
{
    /* A text serves the integers that a JSON library doesn't hold. */
    if (json_is_string(json)) {
        *natural = strtoull(json_string_value(json), NULL, 10);
        *integer = (int64_t)*natural;
        *real = (double)*natural;
    } else if (json_is_integer(json)) {
        *integer = json_integer_value(json);
        *natural = (uint64_t)*integer;
        *real = (double)*integer;
    } else if (json_is_real(json)) {
        *real = json_real_value(json);
        *integer = (int64_t)*real;
        *natural = (uint64_t)*integer;
    } else if (json_is_boolean(json)) {
        *integer = json_is_true(json);
        *natural = (uint64_t)*integer;
        *real = (double)*integer;
    } else {
        return false;
    }
    return true;
}

static bool field_write(struct call *call, const struct field *field, json_t *value, unsigned char *payload)
{
    unsigned char *at = payload + field->offset;
    int64_t integer = 0;
    uint64_t natural = 0;
    double real = 0;
    if (field->kind == MVX_FIELD_TEXT || field->kind == MVX_FIELD_SYMBOL) {
        size_t len = json_string_length(value);
        mvx_symbol symbol = 0;
        if (!json_is_string(value) || (field->kind == MVX_FIELD_TEXT && len > field->size))
            return false;
        if (field->kind == MVX_FIELD_TEXT) {
            memcpy(at, json_string_value(value), len);
            return true;
        }
        mvx_status status = mvx_intern((mvx_str){json_string_value(value), len}, &symbol);
        if (status != MVX_OK)
            broken(call, "mvx_intern gave %s", status_name(status));
        memcpy(at, &symbol, sizeof symbol);
        return status == MVX_OK;
    }
    if (!number_of(value, &integer, &natural, &real))
        return false;
#define STORE(type, from) do { type stored = (type)(from); memcpy(at, &stored, sizeof stored); } while (0)
    switch (field->kind) {
    case MVX_FIELD_I8: STORE(int8_t, integer); break;
    case MVX_FIELD_I16: STORE(int16_t, integer); break;
    case MVX_FIELD_I32: STORE(int32_t, integer); break;
    case MVX_FIELD_I64: STORE(int64_t, integer); break;
    case MVX_FIELD_U8: case MVX_FIELD_BOOL: STORE(uint8_t, natural); break;
    case MVX_FIELD_U16: STORE(uint16_t, natural); break;
    case MVX_FIELD_U32: STORE(uint32_t, natural); break;
    case MVX_FIELD_U64: STORE(uint64_t, natural); break;
    case MVX_FIELD_F32: STORE(float, real); break;
    default: STORE(double, real); break;
    }
#undef STORE
    return true;
}

bool payload_of(struct call *call, const struct event *event, json_t *payload, unsigned char **bytes, size_t *len,
                bool *null)
{
    const char *key;
    json_t *value, *zeros = json_object_get(payload, "$zeros"), *nothing = json_object_get(payload, "$null");
    *null = false;
    if (json_object_get(payload, "$hex") != NULL) {
        struct text text;
        if (!text_of(call, payload, &text))
            return false;
        *bytes = (unsigned char *)text.owned;
        *len = text.str.len;
        return true;
    }
    if (zeros != NULL || nothing != NULL) {
        *null = nothing != NULL;
        *len = (size_t)json_integer_value(zeros != NULL ? zeros : nothing);
        *bytes = calloc(*len + 1, 1);
        return true;
    }
    *len = event == NULL ? 0 : event->len;
    *bytes = calloc(*len + 1, 1);
    json_object_foreach(payload, key, value)
    {
        const struct field *field = NULL;
        for (size_t i = 0; event != NULL && i < event->field_count; i++) {
            if (strcmp(event->fields[i].name, key) == 0)
                field = &event->fields[i];
        }
        if (field == NULL || !field_write(call, field, value, *bytes)) {
            broken(call, "the event has no field '%s' or it can't take that value", key);
            free(*bytes);
            return false;
        }
    }
    if (event != NULL && json_object_size(payload) != event->field_count) {
        broken(call, "the payload must give each field of the event");
        free(*bytes);
        return false;
    }
    return true;
}

static json_t *natural_json(uint64_t value)
{
    char text[24];
    if (value <= INT64_MAX)
        return json_integer((json_int_t)value);
    snprintf(text, sizeof text, "%" PRIu64, value);
    return json_string(text);
}

json_t *payload_field(const struct event *event, const char *name, const void *payload, size_t len)
{
    const struct field *field = NULL;
    for (size_t i = 0; i < event->field_count; i++) {
        if (strcmp(event->fields[i].name, name) == 0)
            field = &event->fields[i];
    }
    if (field == NULL || field->offset + field->size > len)
        return json_null();
    const unsigned char *at = (const unsigned char *)payload + field->offset;
#define LOAD(type, make, as) do { type loaded; memcpy(&loaded, at, sizeof loaded); return make((as)loaded); } while (0)
    switch (field->kind) {
    case MVX_FIELD_I8: LOAD(int8_t, json_integer, json_int_t);
    case MVX_FIELD_I16: LOAD(int16_t, json_integer, json_int_t);
    case MVX_FIELD_I32: LOAD(int32_t, json_integer, json_int_t);
    case MVX_FIELD_I64: LOAD(int64_t, json_integer, json_int_t);
    case MVX_FIELD_U8: LOAD(uint8_t, json_integer, json_int_t);
    case MVX_FIELD_U16: LOAD(uint16_t, json_integer, json_int_t);
    case MVX_FIELD_U32: LOAD(uint32_t, json_integer, json_int_t);
    case MVX_FIELD_U64: LOAD(uint64_t, natural_json, uint64_t);
    case MVX_FIELD_F32: LOAD(float, json_real, double);
    case MVX_FIELD_F64: LOAD(double, json_real, double);
    case MVX_FIELD_BOOL: return json_boolean(*at != 0);
    case MVX_FIELD_SYMBOL: {
        mvx_symbol symbol;
        mvx_str text = {NULL, 0};
        memcpy(&symbol, at, sizeof symbol);
        return mvx_symbol_text(symbol, &text) == MVX_OK ? json_text(text) : json_null();
    }
    default: {
        size_t end = 0;
        while (end < field->size && at[end] != '\0')
            end++;
        return json_text((mvx_str){(const char *)at, end});
    }
    }
#undef LOAD
}

void event_show(const struct event *event, const void *payload, size_t len, char *text, size_t size)
{
    if (event->field_count == 0) {
        snprintf(text, size, "%s", event->key);
        return;
    }
    json_t *value = payload_field(event, event->fields[0].name, payload, len);
    char *dump = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(text, size, "%s(%s)", event->key, dump != NULL ? dump : json_string_value(value));
    free(dump);
    json_decref(value);
}
