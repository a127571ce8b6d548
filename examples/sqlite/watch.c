#include "watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "result_code.h"

/* A statement between its first step and its end. */
struct run {
    sqlite3_stmt *stmt;
    int64_t began_ns;
    uint64_t rows;
};

/* A statement that ended, and whose outcome is still to be read from the connection. */
struct ended {
    struct run run;
    enum statement_kind kind;
    bool changed_rows;
    struct statement event;
    size_t event_len;
};

struct watch {
    sqlite3 *db;
    const struct monitor *monitor;
    struct run *runs;
    size_t run_count, run_room;
    bool has_ended;
    struct ended ended;
    bool watching_failures;
};

/* What called, and so what may have been overwritten since the statement ended. */
enum moment {
    AT_COMPILE,  /* the code is untouched, unless a compilation failed in between */
    AT_CLOSE,    /* so it is here */
    AT_STATEMENT /* the next statement was compiled or had parameters bound, either of which clears the code */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A few at most: one for each statement that is open at the same time. The youngest is the likeliest. */
static struct run *find_run(struct watch *watch, sqlite3_stmt *stmt)
{
    for (size_t i = watch->run_count; i-- > 0;)
        if (watch->runs[i].stmt == stmt)
            return &watch->runs[i];
    return NULL;
}

static struct run *add_run(struct watch *watch, struct run run)
{
    if (watch->run_count == watch->run_room) {
        size_t room = watch->run_room ? watch->run_room * 2 : 8;
        struct run *runs = realloc(watch->runs, room * sizeof *runs);
        if (runs == NULL)
            return NULL;
        watch->runs = runs;
        watch->run_room = room;
    }
    watch->runs[watch->run_count] = run;
    return &watch->runs[watch->run_count++];
}

static void record(struct watch *watch, const char *outcome)
{
    struct ended *ended = &watch->ended;

    watch->has_ended = false;
    /* An event that finds no room is counted by the recorder; there is nobody here to tell. */
    if (mvx_intern((mvx_str){ outcome, strlen(outcome) }, &ended->event.outcome) == MVX_OK)
        (void)mvx_recorder_register_event(watch->monitor->recorder, watch->monitor->statement_ended, &ended->event,
                                          ended->event_len);
}

/* A statement that failed to compile has left its code in the place of the one that ended before. Most say where in
 * their text the error is; the two that don't and that come before the authorizer is called are known by their words. */
static bool left_by_compiler(sqlite3 *db)
{
    return sqlite3_error_offset(db) >= 0 || strncmp(sqlite3_errmsg(db), "no such table: ", 15) == 0 ||
           strcmp(sqlite3_errmsg(db), "incomplete input") == 0;
}

/* The outcome where the connection has nothing to say. A statement that fails leaves no row changed, unless it asked for
 * that by OR FAIL, so one that did change some has succeeded. */
static const char *without_code(const struct ended *ended)
{
    return ended->changed_rows ? "ok" : "unseen";
}

static void settle(struct watch *watch, enum moment moment)
{
    if (!watch->has_ended)
        return;

    struct ended *ended = &watch->ended;
    int code = sqlite3_extended_errcode(watch->db);
    switch (code) {
    case SQLITE_DONE:
        record(watch, "ok");
        break;
    case SQLITE_OK:
    case SQLITE_ROW:
        record(watch, moment == AT_STATEMENT ? without_code(ended) : "ok");
        break;
    case SQLITE_SCHEMA:
        /* It goes on: SQLite is compiling it anew, since the schema has changed. */
        watch->has_ended = false;
        add_run(watch, ended->run);
        break;
    case SQLITE_MISUSE:
        /* No statement ends so: the connection is closed, or a call after the statement was wrong. */
        record(watch, without_code(ended));
        break;
    default:
        record(watch, left_by_compiler(watch->db) ? without_code(ended) : result_code_name(code));
    }
}

/* A trigger, or a statement that SQLite runs on behalf of another, is announced by a comment instead of its text. Only
 * what was asked for counts. */
static bool is_asked_for(sqlite3_stmt *stmt, const char *announced)
{
    const char *sql = sqlite3_sql(stmt);
    return sql != NULL && strcmp(sql, announced) == 0;
}

static void on_begin(struct watch *watch, sqlite3_stmt *stmt, const char *announced)
{
    if (!is_asked_for(stmt, announced))
        return;
    settle(watch, AT_STATEMENT);

    struct run *run = find_run(watch, stmt);
    if (run != NULL)
        *run = (struct run){ stmt, now_ns(), 0 };
    else
        add_run(watch, (struct run){ stmt, now_ns(), 0 });
}

/* The run that a callback is about. After SQLite has compiled a statement anew, it does not announce it again. Nor does
 * it where a statement that found the database busy is stepped once more, but then it does not announce its end either,
 * so such a statement has ended and stays so. */
static struct run *resume(struct watch *watch, sqlite3_stmt *stmt)
{
    if (watch->has_ended && watch->ended.run.stmt == stmt && sqlite3_errcode(watch->db) != SQLITE_BUSY) {
        watch->has_ended = false;
        return add_run(watch, watch->ended.run);
    }
    settle(watch, AT_STATEMENT);
    return find_run(watch, stmt);
}

/* SQLite's own statements have no text, and are nobody's. */
static bool is_internal(sqlite3_stmt *stmt)
{
    return sqlite3_sql(stmt) == NULL;
}

static void on_row(struct watch *watch, sqlite3_stmt *stmt)
{
    struct run *run = is_internal(stmt) ? NULL : resume(watch, stmt);
    if (run != NULL)
        run->rows++;
}

static bool changes_rows(enum statement_kind kind)
{
    return kind == KIND_INSERT || kind == KIND_UPDATE || kind == KIND_DELETE || kind == KIND_REPLACE;
}

static void on_end(struct watch *watch, sqlite3_stmt *stmt)
{
    /* The time that SQLite passes is in whole milliseconds. */
    int64_t ended_ns = now_ns();
    struct run *run = is_internal(stmt) ? NULL : resume(watch, stmt);
    if (run == NULL)
        return;

    struct ended *ended = &watch->ended;
    const char *sql = sqlite3_sql(stmt);
    *ended = (struct ended){ .run = *run, .kind = statement_kind_of(sql) };
    *run = watch->runs[--watch->run_count];

    ended->changed_rows = changes_rows(ended->kind) && sqlite3_changes(watch->db) > 0;
    ended->event.kind = watch->monitor->kinds[ended->kind];
    ended->event.seconds = (double)(ended_ns - ended->run.began_ns) / 1e9;
    ended->event.rows = ended->run.rows;
    ended->event_len = STATEMENT_HEAD + statement_copy_sql(ended->event.sql, STATEMENT_SQL_MAX, sql);
    watch->has_ended = true;

    /* Its reader has seen enough, and resets it before the end of its rows. */
    if (sqlite3_stmt_busy(stmt) && ended->run.rows > 0)
        record(watch, "ok");
}

static int on_trace(unsigned event, void *context, void *subject, void *detail)
{
    struct watch *watch = context;

    switch (event) {
    case SQLITE_TRACE_STMT:
        on_begin(watch, subject, detail);
        break;
    case SQLITE_TRACE_ROW:
        on_row(watch, subject);
        break;
    case SQLITE_TRACE_PROFILE:
        on_end(watch, subject);
        break;
    case SQLITE_TRACE_CLOSE:
        settle(watch, AT_CLOSE);
        break;
    }
    return 0;
}

static int on_authorize(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)action, (void)a, (void)b, (void)c, (void)d;
    settle(context, AT_COMPILE);
    return SQLITE_OK;
}

struct watch *watch_create(sqlite3 *db, const struct monitor *monitor)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch != NULL)
        *watch = (struct watch){ .db = db, .monitor = monitor };
    return watch;
}

int watch_begin(struct watch *watch)
{
    return sqlite3_trace_v2(watch->db, SQLITE_TRACE_STMT | SQLITE_TRACE_ROW | SQLITE_TRACE_PROFILE | SQLITE_TRACE_CLOSE,
                            on_trace, watch);
}

void watch_failures(struct watch *watch, bool on)
{
    if (on != watch->watching_failures)
        sqlite3_set_authorizer(watch->db, on ? on_authorize : NULL, watch);
    watch->watching_failures = on;
}

void watch_free(void *pointer)
{
    struct watch *watch = pointer;

    /* A statement that outlived sqlite3_close_v2(). */
    if (watch->has_ended)
        record(watch, "unseen");
    free(watch->runs);
    free(watch);
    monitor_release();
}

const struct monitor *watch_monitor(const struct watch *watch)
{
    return watch->monitor;
}
