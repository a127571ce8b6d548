/* A snapshot as rows of (metric, labels, field, value). */
#ifndef MVX_SQLITE_SNAPSHOT_ROWS_H
#define MVX_SQLITE_SNAPSHOT_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "extension.h"
#include "mvx_metrics.h"

struct row {
    mvx_str metric;
    char *labels; /* JSON */
    char *field;
    const mvx_value *value; /* NULL: the number instead */
    uint64_t number;
};

/* Metric names and values are borrowed from the snapshot, which is freed with the rows. */
struct rows {
    mvx_snapshot *snapshot;
    struct row *items;
    size_t len, room;
    bool out_of_memory;
};

/* A snapshot that shows every statement that has ended. On failure *message says why; sqlite3_free() it. */
mvx_status take_snapshot(mvx_recorder *recorder, mvx_snapshot **snapshot, char **message);

/* The rows of such a snapshot, and of the recorder's own counts, as a metric called `recorder`. */
mvx_status rows_take(struct rows *rows, mvx_recorder *recorder, char **message);
void rows_free(struct rows *rows);

#endif
