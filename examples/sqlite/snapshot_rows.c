#include "snapshot_rows.h"

#include <string.h>

#define SNAPSHOT_TIMEOUT_NS 2000000000

mvx_status take_snapshot(mvx_recorder *recorder, mvx_snapshot **snapshot, char **message)
{
    mvx_error *error = NULL;
    mvx_status status =
        mvx_recorder_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT, SNAPSHOT_TIMEOUT_NS, snapshot, &error);

    if (status != MVX_OK) {
        mvx_str text = mvx_error_message(error);
        *message = sqlite3_mprintf("no snapshot: %s: %.*s", mvx_status_name(status), (int)text.len, text.data);
    }
    mvx_error_free(error);
    return status;
}

static void append_json_str(sqlite3_str *json, mvx_str text)
{
    sqlite3_str_appendchar(json, 1, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            sqlite3_str_appendf(json, "\\%c", c);
        else if (c < 0x20)
            sqlite3_str_appendf(json, "\\u%04x", c);
        else
            sqlite3_str_appendchar(json, 1, (char)c);
    }
    sqlite3_str_appendchar(json, 1, '"');
}

static void append_json_scalar(sqlite3_str *json, const mvx_value *value)
{
    int32_t truth;
    int64_t i64;
    uint64_t u64;
    double f64;
    mvx_str text;

    if (mvx_value_as_str(value, &text) == MVX_OK)
        append_json_str(json, text);
    else if (mvx_value_as_bool(value, &truth) == MVX_OK)
        sqlite3_str_appendall(json, truth ? "true" : "false");
    else if (mvx_value_as_i64(value, &i64) == MVX_OK)
        sqlite3_str_appendf(json, "%lld", (long long)i64);
    else if (mvx_value_as_u64(value, &u64) == MVX_OK)
        sqlite3_str_appendf(json, "%llu", (unsigned long long)u64);
    else if (mvx_value_as_f64(value, &f64) == MVX_OK)
        sqlite3_str_appendf(json, "%!.17g", f64);
    else
        sqlite3_str_appendall(json, "null");
}

/* `labels` may be NULL: a group without any, such as the one that takes what is too much. */
static char *labels_json(const mvx_value *labels)
{
    sqlite3_str *json = sqlite3_str_new(NULL);

    sqlite3_str_appendchar(json, 1, '{');
    for (size_t i = 0; i < mvx_value_len(labels); i++) {
        if (i > 0)
            sqlite3_str_appendchar(json, 1, ',');
        append_json_str(json, mvx_value_key_at(labels, i));
        sqlite3_str_appendchar(json, 1, ':');
        append_json_scalar(json, mvx_value_at(labels, i));
    }
    sqlite3_str_appendchar(json, 1, '}');
    return sqlite3_str_finish(json);
}

/* Takes over the texts of the row. */
static void add_row(struct rows *rows, struct row row)
{
    if (rows->len == rows->room) {
        size_t room = rows->room ? rows->room * 2 : 64;
        struct row *items = sqlite3_realloc64(rows->items, room * sizeof *items);
        if (items != NULL) {
            rows->items = items;
            rows->room = room;
        }
    }
    if (rows->len < rows->room && row.labels != NULL && row.field != NULL) {
        rows->items[rows->len++] = row;
        return;
    }
    sqlite3_free(row.labels);
    sqlite3_free(row.field);
    rows->out_of_memory = true;
}

static bool same(mvx_str text, const char *literal)
{
    return text.len == strlen(literal) && memcmp(text.data, literal, text.len) == 0;
}

/* A row for each value that is not made of others. A field of a field is called `outer.inner`. */
static void add_fields(struct rows *rows, mvx_str metric, const char *labels, const char *outer, const mvx_value *value)
{
    bool is_map = mvx_value_kind(value) == MVX_VALUE_MAP;

    for (size_t i = 0; i < mvx_value_len(value); i++) {
        const mvx_value *inner = mvx_value_at(value, i);
        int32_t kind = mvx_value_kind(inner);
        mvx_str key = mvx_value_key_at(value, i);
        const char *dot = *outer ? "." : "";

        if (*outer == '\0' && (same(key, "series") || same(key, "labels")))
            continue;
        char *field = is_map ? sqlite3_mprintf("%s%s%.*s", outer, dot, (int)key.len, key.data)
                             : sqlite3_mprintf("%s%s%llu", outer, dot, (unsigned long long)i);
        if (kind != MVX_VALUE_MAP && kind != MVX_VALUE_LIST) {
            add_row(rows, (struct row){ metric, sqlite3_mprintf("%s", labels), field, inner, 0 });
            continue;
        }
        if (field != NULL)
            add_fields(rows, metric, labels, field, inner);
        else
            rows->out_of_memory = true;
        sqlite3_free(field);
    }
}

static void add_metric(struct rows *rows, mvx_str metric, const mvx_value *value)
{
    const mvx_value *series = mvx_value_get(value, MVX_STR("series"));

    for (size_t i = 0; i < mvx_value_len(series); i++) {
        const mvx_value *group = mvx_value_at(series, i);
        char *labels = labels_json(mvx_value_get(group, MVX_STR("labels")));
        if (labels != NULL)
            add_fields(rows, metric, labels, "", group);
        else
            rows->out_of_memory = true;
        sqlite3_free(labels);
    }
    add_fields(rows, metric, "{}", "", value);
}

static void add_stats(struct rows *rows, const mvx_stats *stats)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        { "accepted", stats->accepted },   { "dispatched", stats->dispatched }, { "discarded", stats->discarded },
        { "pending", stats->pending },     { "pending_max", stats->pending_max }, { "dropped", stats->dropped },
        { "refused", stats->refused },     { "quarantined_metrics", stats->quarantined_metrics },
    };

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        add_row(rows, (struct row){ MVX_STR("recorder"), sqlite3_mprintf("{}"), sqlite3_mprintf("%s", counts[i].name),
                                    NULL, counts[i].value });
}

mvx_status rows_take(struct rows *rows, mvx_recorder *recorder, char **message)
{
    mvx_stats stats = { .struct_size = sizeof stats };

    *rows = (struct rows){ 0 };
    mvx_status status = take_snapshot(recorder, &rows->snapshot, message);
    if (status != MVX_OK)
        return status;
    for (size_t i = 0; i < mvx_snapshot_len(rows->snapshot); i++) {
        mvx_str metric = mvx_snapshot_name_at(rows->snapshot, i);
        add_metric(rows, metric, mvx_snapshot_get(rows->snapshot, metric));
    }
    status = mvx_recorder_stats(recorder, &stats);
    if (status == MVX_OK)
        add_stats(rows, &stats);
    else
        *message = sqlite3_mprintf("no counts of the recorder: %s", mvx_status_name(status));
    return status;
}

void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->len; i++) {
        sqlite3_free(rows->items[i].labels);
        sqlite3_free(rows->items[i].field);
    }
    sqlite3_free(rows->items);
    mvx_snapshot_free(rows->snapshot);
    *rows = (struct rows){ 0 };
}
