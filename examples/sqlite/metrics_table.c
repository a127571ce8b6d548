#include "metrics_table.h"

#include "snapshot_rows.h"

enum column { COLUMN_METRIC, COLUMN_LABELS, COLUMN_FIELD, COLUMN_VALUE };

struct table {
    sqlite3_vtab base;
    mvx_recorder *recorder;
};

struct cursor {
    sqlite3_vtab_cursor base;
    struct rows rows;
    size_t at;
};

static int connect(sqlite3 *db, void *context, int argc, const char *const *argv, sqlite3_vtab **vtab, char **message)
{
    (void)argc, (void)argv, (void)message;

    int code = sqlite3_declare_vtab(db, "CREATE TABLE x(metric TEXT, labels TEXT, field TEXT, value)");
    if (code != SQLITE_OK)
        return code;
    struct table *table = sqlite3_malloc64(sizeof *table);
    if (table == NULL)
        return SQLITE_NOMEM;
    *table = (struct table){ .recorder = watch_monitor(context)->recorder };
    *vtab = &table->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *vtab)
{
    sqlite3_free(vtab);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    (void)vtab;
    info->estimatedCost = 10000;
    info->estimatedRows = 100;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *vtab, sqlite3_vtab_cursor **base)
{
    struct cursor *cursor = sqlite3_malloc64(sizeof *cursor);
    (void)vtab;
    if (cursor == NULL)
        return SQLITE_NOMEM;
    *cursor = (struct cursor){ 0 };
    *base = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;
    rows_free(&cursor->rows);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

/* Each scan shows a snapshot of its own. */
static int filter(sqlite3_vtab_cursor *base, int plan, const char *plan_text, int argc, sqlite3_value **argv)
{
    struct cursor *cursor = (struct cursor *)base;
    struct table *table = (struct table *)base->pVtab;
    char *message = NULL;
    (void)plan, (void)plan_text, (void)argc, (void)argv;

    rows_free(&cursor->rows);
    cursor->at = 0;
    if (rows_take(&cursor->rows, table->recorder, &message) != MVX_OK) {
        sqlite3_free(table->base.zErrMsg);
        table->base.zErrMsg = message;
        return SQLITE_ERROR;
    }
    return cursor->rows.out_of_memory ? SQLITE_NOMEM : SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
    ((struct cursor *)base)->at++;
    return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *base)
{
    const struct cursor *cursor = (struct cursor *)base;
    return cursor->at >= cursor->rows.len;
}

static void result_u64(sqlite3_context *context, uint64_t number)
{
    if (number <= INT64_MAX)
        sqlite3_result_int64(context, (sqlite3_int64)number);
    else
        sqlite3_result_double(context, (double)number);
}

static void result_value(sqlite3_context *context, const mvx_value *value)
{
    int32_t truth;
    int64_t i64;
    uint64_t u64;
    double f64;
    mvx_str text;

    if (mvx_value_as_str(value, &text) == MVX_OK)
        sqlite3_result_text64(context, text.data, text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    else if (mvx_value_as_bool(value, &truth) == MVX_OK)
        sqlite3_result_int(context, truth != 0);
    else if (mvx_value_kind(value) == MVX_VALUE_F64 && mvx_value_as_f64(value, &f64) == MVX_OK)
        sqlite3_result_double(context, f64);
    else if (mvx_value_as_i64(value, &i64) == MVX_OK)
        sqlite3_result_int64(context, i64);
    else if (mvx_value_as_u64(value, &u64) == MVX_OK)
        result_u64(context, u64);
    else
        sqlite3_result_null(context);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
    const struct cursor *cursor = (struct cursor *)base;
    const struct row *row = &cursor->rows.items[cursor->at];

    switch ((enum column)index) {
    case COLUMN_METRIC:
        sqlite3_result_text64(context, row->metric.data, row->metric.len, SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    case COLUMN_LABELS:
        sqlite3_result_text(context, row->labels, -1, SQLITE_TRANSIENT);
        break;
    case COLUMN_FIELD:
        sqlite3_result_text(context, row->field, -1, SQLITE_TRANSIENT);
        break;
    case COLUMN_VALUE:
        if (row->value != NULL)
            result_value(context, row->value);
        else
            result_u64(context, row->number);
        break;
    }
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
    *id = (sqlite3_int64)((struct cursor *)base)->at + 1;
    return SQLITE_OK;
}

/* Without xCreate there is no CREATE VIRTUAL TABLE: the table is there by its name, as a function is. */
static const sqlite3_module module = {
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = eof,
    .xColumn = column,
    .xRowid = row_id,
};

int metrics_table_create(sqlite3 *db, struct watch *watch)
{
    return sqlite3_create_module_v2(db, "mvx_metrics", &module, watch, watch_free);
}
