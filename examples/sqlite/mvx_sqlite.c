/* A loadable extension that measures every statement of the connections it is loaded into.
 *
 *   .load ./mvx_sqlite
 *   SELECT mvx_watch_failures(1);        read how statements fail, too; see watch.h for what that takes
 *   SELECT * FROM mvx_metrics();         metric, labels (JSON), field, value
 *   SELECT mvx_snapshot_json();
 *   SELECT mvx_openmetrics();
 *
 * A statement is counted when it ends, so one that reads the metrics does not see itself. */

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "metrics_table.h"
#include "snapshot_rows.h"

/* Some newer SQLites want to be told of functions that return JSON as such; before 3.45 it has no meaning. */
#ifndef SQLITE_RESULT_SUBTYPE
#define SQLITE_RESULT_SUBTYPE 0
#endif

/* JSON that SQLite's own JSON functions take as JSON, not as a text. */
#define JSON_SUBTYPE 'J'

typedef mvx_status (*render_fn)(const mvx_snapshot *snapshot, mvx_text **text, mvx_error **error);

static bool result_snapshot(sqlite3_context *context, render_fn render)
{
    struct watch *watch = sqlite3_user_data(context);
    mvx_snapshot *snapshot = NULL;
    mvx_text *text = NULL;
    char *message = NULL;

    mvx_status status = take_snapshot(watch_monitor(watch)->recorder, &snapshot, &message);
    if (status == MVX_OK) {
        status = render(snapshot, &text, NULL);
        if (status != MVX_OK)
            message = sqlite3_mprintf("the snapshot can't be written: %s", mvx_status_name(status));
    }
    if (status == MVX_OK) {
        mvx_str str = mvx_text_str(text);
        sqlite3_result_text64(context, str.data, str.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (message != NULL) {
        sqlite3_result_error(context, message, -1);
    } else {
        sqlite3_result_error_nomem(context);
    }
    sqlite3_free(message);
    mvx_text_free(text);
    mvx_snapshot_free(snapshot);
    return status == MVX_OK;
}

static void snapshot_json(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    if (result_snapshot(context, mvx_snapshot_to_json))
        sqlite3_result_subtype(context, JSON_SUBTYPE);
}

static void openmetrics(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    result_snapshot(context, mvx_snapshot_to_openmetrics);
}

static void set_watch_failures(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    bool on = sqlite3_value_int(argv[0]) != 0;
    (void)argc;
    watch_failures(sqlite3_user_data(context), on);
    sqlite3_result_int(context, on);
}

static const struct {
    const char *name;
    int argc, flags;
    void (*call)(sqlite3_context *context, int argc, sqlite3_value **argv);
} functions[] = {
    { "mvx_snapshot_json", 0, SQLITE_UTF8 | SQLITE_RESULT_SUBTYPE, snapshot_json },
    { "mvx_openmetrics", 0, SQLITE_UTF8, openmetrics },
    /* Changes the connection: not for the triggers and views of a database that came from elsewhere. */
    { "mvx_watch_failures", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, set_watch_failures },
};

#define FUNCTION_COUNT (sizeof functions / sizeof *functions)

/* SQLite unloads an extension that could not be loaded to the end: nothing may point into it any more. The module goes
 * last, and the watch with it. */
static void take_back(sqlite3 *db)
{
    sqlite3_trace_v2(db, 0, NULL, NULL);
    for (size_t i = 0; i < FUNCTION_COUNT; i++)
        sqlite3_create_function_v2(db, functions[i].name, functions[i].argc, functions[i].flags, NULL, NULL, NULL, NULL,
                                   NULL);
    sqlite3_create_module_v2(db, "mvx_metrics", NULL, NULL, NULL);
}

/* Loading it a second time would leave functions behind that point to the first watch. */
static bool is_loaded(sqlite3 *db)
{
    sqlite3_stmt *probe = NULL;
    int code = sqlite3_prepare_v2(db, "SELECT mvx_snapshot_json()", -1, &probe, NULL);
    sqlite3_finalize(probe);
    return code == SQLITE_OK;
}

static int load(sqlite3 *db, const struct monitor *monitor)
{
    struct watch *watch = watch_create(db, monitor);
    if (watch == NULL) {
        monitor_release();
        return SQLITE_NOMEM;
    }

    int code = metrics_table_create(db, watch);
    for (size_t i = 0; code == SQLITE_OK && i < FUNCTION_COUNT; i++)
        code = sqlite3_create_function_v2(db, functions[i].name, functions[i].argc, functions[i].flags, watch,
                                          functions[i].call, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = watch_begin(watch);
    if (code != SQLITE_OK)
        take_back(db);
    return code;
}

/* SQLite derives this name from that of the file. */
__attribute__((visibility("default"))) int sqlite3_mvxsqlite_init(sqlite3 *db, char **message,
                                                                 const sqlite3_api_routines *api);

int sqlite3_mvxsqlite_init(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
    SQLITE_EXTENSION_INIT2(api)

    if (sqlite3_libversion_number() < 3038000) {
        *message = sqlite3_mprintf("mvx_sqlite needs SQLite 3.38 or later");
        return SQLITE_ERROR;
    }
    if (is_loaded(db))
        return SQLITE_OK;
    const struct monitor *monitor = NULL;
    mvx_error *error = NULL;
    mvx_status status = monitor_acquire(&monitor, &error);
    if (status != MVX_OK) {
        mvx_str text = mvx_error_message(error);
        *message = sqlite3_mprintf("mvx_sqlite: %s: %.*s", mvx_status_name(status), (int)text.len, text.data);
        mvx_error_free(error);
        return SQLITE_ERROR;
    }
    return load(db, monitor);
}
