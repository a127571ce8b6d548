#include "metrics.h"

#include <stdlib.h>
#include <string.h>

#include "statement.h"

struct row {
    mvx_symbol kind;
    uint64_t count;
    double min, max, sum;
};

struct latency {
    size_t len;
    struct row rows[KIND_COUNT];
};

static struct row *row_of(struct latency *latency, mvx_symbol kind)
{
    for (size_t i = 0; i < latency->len; i++)
        if (latency->rows[i].kind == kind)
            return &latency->rows[i];
    if (latency->len == KIND_COUNT)
        return NULL;
    struct row *row = &latency->rows[latency->len++];
    *row = (struct row){ .kind = kind };
    return row;
}

static int32_t handle_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                            mvx_callback_error *error)
{
    int32_t result = MVX_EVENT_IGNORED;
    (void)error;

    for (size_t i = 0; i < count; i++) {
        struct statement statement;
        memcpy(&statement, events[i].payload, STATEMENT_HEAD);
        struct row *row = row_of(user_data, statement.kind);
        if (row == NULL)
            continue;
        if (row->count == 0 || statement.seconds < row->min)
            row->min = statement.seconds;
        if (row->count == 0 || statement.seconds > row->max)
            row->max = statement.seconds;
        row->sum += statement.seconds;
        row->count++;
        result = MVX_EVENT_CHANGED;
        if (changed)
            changed[i] = 1;
    }
    return result;
}

/* The shape that native metrics with groups have, so that one reader serves both. */
static mvx_status write_row(mvx_writer *writer, const struct row *row)
{
    mvx_str kind;
    mvx_status status = mvx_symbol_text(row->kind, &kind);

    if (status == MVX_OK) status = mvx_writer_begin_map(writer, MVX_STR(""));
    if (status == MVX_OK) status = mvx_writer_begin_map(writer, MVX_STR("labels"));
    if (status == MVX_OK) status = mvx_writer_str(writer, MVX_STR("kind"), kind);
    if (status == MVX_OK) status = mvx_writer_end(writer);
    if (status == MVX_OK) status = mvx_writer_u64(writer, MVX_STR("count"), row->count);
    if (status == MVX_OK) status = mvx_writer_f64(writer, MVX_STR("min"), row->min);
    if (status == MVX_OK) status = mvx_writer_f64(writer, MVX_STR("mean"), row->sum / (double)row->count);
    if (status == MVX_OK) status = mvx_writer_f64(writer, MVX_STR("max"), row->max);
    if (status == MVX_OK) status = mvx_writer_end(writer);
    return status;
}

static int32_t snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    const struct latency *latency = user_data;
    mvx_status status = mvx_writer_begin_list(writer, MVX_STR("series"));

    for (size_t i = 0; status == MVX_OK && i < latency->len; i++)
        status = write_row(writer, &latency->rows[i]);
    if (status == MVX_OK)
        status = mvx_writer_end(writer);
    if (status == MVX_OK)
        return MVX_SNAPSHOT_DONE;
    mvx_callback_error_set(error, MVX_STR("the table could not be written"));
    return MVX_SNAPSHOT_FAILED;
}

mvx_status register_latency(mvx_recorder *recorder, mvx_event_type statement_ended, mvx_error **error)
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
    struct latency *latency = calloc(1, sizeof *latency);

    if (latency == NULL)
        return MVX_LIMIT_REACHED;
    return mvx_recorder_register_metric(recorder, MVX_STR("sqlite.latency"), &vtable, latency, error);
}
