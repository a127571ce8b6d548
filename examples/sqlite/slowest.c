#include "metrics.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"

#define SLOWEST_MAX 8

struct entry {
    struct statement statement;
    size_t sql_len;
};

/* The slowest comes first. */
struct slowest {
    size_t len;
    struct entry entries[SLOWEST_MAX];
};

static bool enter(struct slowest *slowest, const mvx_event *event)
{
    struct entry entry;
    memcpy(&entry.statement, event->payload, STATEMENT_HEAD);

    size_t place = slowest->len;
    while (place > 0 && slowest->entries[place - 1].statement.seconds < entry.statement.seconds)
        place--;
    if (place == SLOWEST_MAX)
        return false;

    entry.sql_len = event->len - STATEMENT_HEAD;
    memcpy(entry.statement.sql, (const char *)event->payload + STATEMENT_HEAD, entry.sql_len);
    if (slowest->len < SLOWEST_MAX)
        slowest->len++;
    memmove(&slowest->entries[place + 1], &slowest->entries[place],
            (slowest->len - place - 1) * sizeof *slowest->entries);
    slowest->entries[place] = entry;
    return true;
}

static int32_t handle_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                            mvx_callback_error *error)
{
    int32_t result = MVX_EVENT_IGNORED;
    (void)error;

    for (size_t i = 0; i < count; i++) {
        if (!enter(user_data, &events[i]))
            continue;
        result = MVX_EVENT_CHANGED;
        if (changed)
            changed[i] = 1;
    }
    return result;
}

static mvx_status write_entry(mvx_writer *writer, size_t rank, const struct entry *entry)
{
    const struct statement *statement = &entry->statement;
    mvx_str kind, outcome;
    mvx_status status = mvx_symbol_text(statement->kind, &kind);

    if (status == MVX_OK) status = mvx_symbol_text(statement->outcome, &outcome);
    if (status == MVX_OK) status = mvx_writer_begin_map(writer, MVX_STR(""));
    if (status == MVX_OK) status = mvx_writer_begin_map(writer, MVX_STR("labels"));
    if (status == MVX_OK) status = mvx_writer_u64(writer, MVX_STR("rank"), rank);
    if (status == MVX_OK) status = mvx_writer_end(writer);
    if (status == MVX_OK) status = mvx_writer_str(writer, MVX_STR("kind"), kind);
    if (status == MVX_OK) status = mvx_writer_str(writer, MVX_STR("outcome"), outcome);
    if (status == MVX_OK) status = mvx_writer_f64(writer, MVX_STR("seconds"), statement->seconds);
    if (status == MVX_OK) status = mvx_writer_u64(writer, MVX_STR("rows"), statement->rows);
    if (status == MVX_OK)
        status = mvx_writer_str(writer, MVX_STR("sql"), (mvx_str){ statement->sql, entry->sql_len });
    if (status == MVX_OK) status = mvx_writer_end(writer);
    return status;
}

static int32_t snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    const struct slowest *slowest = user_data;
    mvx_status status = mvx_writer_begin_list(writer, MVX_STR("series"));

    for (size_t i = 0; status == MVX_OK && i < slowest->len; i++)
        status = write_entry(writer, i + 1, &slowest->entries[i]);
    if (status == MVX_OK)
        status = mvx_writer_end(writer);
    if (status == MVX_OK)
        return MVX_SNAPSHOT_DONE;
    mvx_callback_error_set(error, MVX_STR("the statements could not be written"));
    return MVX_SNAPSHOT_FAILED;
}

mvx_status register_slowest(mvx_recorder *recorder, mvx_event_type statement_ended, mvx_error **error)
{
    const mvx_metric_vtable vtable = {
        .struct_size = sizeof vtable,
        .handle_batch = handle_batch,
        .snapshot = snapshot,
        .drop = free,
        .event_types = &statement_ended,
        .event_type_count = 1,
        .flags = MVX_METRIC_COMMUTATIVE,
    };
    struct slowest *slowest = calloc(1, sizeof *slowest);

    if (slowest == NULL)
        return MVX_LIMIT_REACHED;
    return mvx_recorder_register_metric(recorder, MVX_STR("sqlite.slowest"), &vtable, slowest, error);
}
