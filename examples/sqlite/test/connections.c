/* The extension in a program of its own: what a shell does not do. Several connections and threads, statements that are
 * kept and run again, connections that outlive their close, unloading.
 * It leaves a database in the working folder, which must be empty.
 *
 * usage: connections EXTENSION */

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *extension;
static atomic_int failures;

#define EXPECT(condition) expect((condition), #condition, __LINE__)

static bool expect(bool holds, const char *condition, int line)
{
    if (!holds) {
        fprintf(stderr, "connections.c:%d: not so: %s\n", line, condition);
        failures++;
    }
    return holds;
}

static sqlite3 *open_plain(const char *file)
{
    sqlite3 *db = NULL;
    char *message = NULL;

    if (sqlite3_open(file, &db) != SQLITE_OK || sqlite3_enable_load_extension(db, 1) != SQLITE_OK ||
        sqlite3_load_extension(db, extension, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "cannot load %s: %s\n", extension, message ? message : sqlite3_errmsg(db));
        exit(EXIT_FAILURE);
    }
    return db;
}

/* As the shell does it; sqlite3_exec() would hide failures from the extension. */
static int run(sqlite3 *db, const char *sql)
{
    int code = SQLITE_OK;
    while (code == SQLITE_OK && *sql != '\0') {
        sqlite3_stmt *stmt = NULL;
        code = sqlite3_prepare_v2(db, sql, -1, &stmt, &sql);
        while (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW)
            continue;
        if (code == SQLITE_OK)
            code = sqlite3_finalize(stmt);
    }
    return code;
}

static sqlite3 *open_watched(const char *file)
{
    sqlite3 *db = open_plain(file);
    EXPECT(run(db, "SELECT mvx_watch_failures(1)") == SQLITE_OK);
    return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    if (!EXPECT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK))
        fprintf(stderr, "  %s: %s\n", sql, sqlite3_errmsg(db));
    return stmt;
}

static long long number(sqlite3 *db, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);

    sqlite3_stmt *stmt = prepare(db, sql);
    long long result = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
    return result;
}

static long long count(sqlite3 *db, const char *kind, const char *outcome)
{
    return number(db, "SELECT ifnull(sum(value), 0) FROM mvx_metrics() WHERE metric = 'sqlite.statements' "
                      "AND labels ->> 'kind' = %Q AND labels ->> 'outcome' = %Q", kind, outcome);
}

static long long accepted(sqlite3 *db)
{
    return number(db, "SELECT value FROM mvx_metrics() WHERE metric = 'recorder' AND field = 'accepted'");
}

static int thread_count(void)
{
    int threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;)
        threads += task->d_name[0] != '.';
    if (tasks != NULL)
        closedir(tasks);
    return threads;
}

static bool is_loaded(void)
{
    void *handle = dlopen(extension, RTLD_LAZY | RTLD_NOLOAD);
    if (handle != NULL)
        dlclose(handle);
    return handle != NULL;
}

/* The last connection takes the extension with it, and its threads; the next starts at zero. */
static void loads_and_unloads(void)
{
    for (int round = 0; round < 20; round++) {
        sqlite3 *db = open_watched(":memory:");
        EXPECT(run(db, "CREATE TABLE t (a)") == SQLITE_OK);
        EXPECT(count(db, "CREATE", "ok") == 1);
        EXPECT(sqlite3_close(db) == SQLITE_OK);
        EXPECT(!is_loaded());
        EXPECT(thread_count() == 1);
    }
}

static void two_connections_share_one_recorder(void)
{
    sqlite3 *first = open_watched(":memory:"), *second = open_watched(":memory:");

    EXPECT(run(first, "CREATE TABLE t (a)") == SQLITE_OK);
    EXPECT(run(second, "CREATE TABLE t (a)") == SQLITE_OK);
    EXPECT(sqlite3_close(first) == SQLITE_OK);
    EXPECT(is_loaded());
    EXPECT(run(second, "INSERT INTO t VALUES (1)") == SQLITE_OK);
    EXPECT(count(second, "CREATE", "ok") == 2);
    EXPECT(count(second, "INSERT", "ok") == 1);
    EXPECT(sqlite3_close(second) == SQLITE_OK);
}

static void loading_twice_changes_nothing(void)
{
    sqlite3 *db = open_watched(":memory:");

    EXPECT(sqlite3_load_extension(db, extension, NULL, NULL) == SQLITE_OK);
    EXPECT(run(db, "CREATE TABLE t (a)") == SQLITE_OK);
    EXPECT(count(db, "CREATE", "ok") == 1);
    EXPECT(sqlite3_close(db) == SQLITE_OK);
    EXPECT(!is_loaded());
}

/* Binding the next values clears the result code, but rows that were changed speak for themselves. */
static void kept_statements(void)
{
    sqlite3 *db = open_watched(":memory:");
    EXPECT(run(db, "CREATE TABLE t (a PRIMARY KEY)") == SQLITE_OK);

    sqlite3_stmt *insert = prepare(db, "INSERT INTO t VALUES (?)");
    sqlite3_stmt *select = prepare(db, "SELECT a FROM t");
    for (int i = 0; i < 3; i++) {
        EXPECT(sqlite3_bind_int(insert, 1, i) == SQLITE_OK);
        EXPECT(sqlite3_step(insert) == SQLITE_DONE);
        EXPECT(sqlite3_reset(insert) == SQLITE_OK);
    }
    EXPECT(sqlite3_step(insert) == SQLITE_CONSTRAINT);
    EXPECT(sqlite3_reset(insert) == SQLITE_CONSTRAINT);

    /* The reader stops after the first of three rows. */
    EXPECT(sqlite3_step(select) == SQLITE_ROW);
    EXPECT(sqlite3_reset(select) == SQLITE_OK);
    while (sqlite3_step(select) == SQLITE_ROW)
        continue;
    sqlite3_finalize(select);
    EXPECT(sqlite3_bind_int(insert, 1, 3) == SQLITE_OK);
    EXPECT(sqlite3_step(insert) == SQLITE_DONE);
    sqlite3_finalize(insert);

    EXPECT(count(db, "INSERT", "ok") == 4);
    EXPECT(count(db, "INSERT", "SQLITE_CONSTRAINT_PRIMARYKEY") == 1);
    EXPECT(count(db, "SELECT", "unseen") == 1);
    EXPECT(number(db, "SELECT value FROM mvx_metrics() WHERE metric = 'sqlite.rows' AND labels ->> 'kind' = 'INSERT'") == 0);
    EXPECT(sqlite3_close(db) == SQLITE_OK);
}

/* SQLite compiles a kept statement anew where the schema has changed since. It is one statement all the same. */
static void compiled_anew(bool watched)
{
    sqlite3 *db = watched ? open_watched(":memory:") : open_plain(":memory:");
    EXPECT(run(db, "CREATE TABLE t (a)") == SQLITE_OK);
    sqlite3_stmt *update = prepare(db, "UPDATE t SET a = a + 1 RETURNING a");
    EXPECT(run(db, "INSERT INTO t VALUES (1), (2)") == SQLITE_OK);
    EXPECT(run(db, "ALTER TABLE t ADD COLUMN b") == SQLITE_OK);

    for (int times = 0; times < 2; times++) {
        int rows = 0;
        while (sqlite3_step(update) == SQLITE_ROW)
            rows++;
        EXPECT(rows == 2);
        EXPECT(sqlite3_reset(update) == SQLITE_OK);
        EXPECT(run(db, times == 0 ? "CREATE INDEX i ON t (a)" : "SELECT 1") == SQLITE_OK);
    }
    sqlite3_finalize(update);
    EXPECT(count(db, "UPDATE", "ok") == 2);
    EXPECT(number(db, "SELECT value FROM mvx_metrics() WHERE metric = 'sqlite.rows' AND labels ->> 'kind' = 'UPDATE'") == 4);
    EXPECT(sqlite3_close(db) == SQLITE_OK);
}

/* A statement that found the database busy may simply be stepped again. It is one statement all the same. */
static void busy_and_stepped_again(void)
{
    sqlite3 *writer = open_watched("busy.db"), *waiter = open_watched("busy.db");
    EXPECT(run(writer, "CREATE TABLE t (a); BEGIN IMMEDIATE;") == SQLITE_OK);

    sqlite3_stmt *insert = prepare(waiter, "INSERT INTO t VALUES (1)");
    sqlite3_stmt *returning = prepare(waiter, "INSERT INTO t VALUES (2) RETURNING a");
    EXPECT(sqlite3_step(insert) == SQLITE_BUSY);
    EXPECT(run(writer, "COMMIT") == SQLITE_OK);
    EXPECT(sqlite3_step(insert) == SQLITE_DONE);
    EXPECT(run(writer, "BEGIN IMMEDIATE") == SQLITE_OK);
    EXPECT(sqlite3_step(returning) == SQLITE_BUSY);
    EXPECT(run(writer, "COMMIT") == SQLITE_OK);
    EXPECT(sqlite3_step(returning) == SQLITE_ROW);
    EXPECT(sqlite3_step(returning) == SQLITE_DONE);
    sqlite3_finalize(insert);
    sqlite3_finalize(returning);

    EXPECT(count(waiter, "INSERT", "ok") == 1);
    EXPECT(count(waiter, "INSERT", "SQLITE_BUSY") == 1);
    EXPECT(sqlite3_close(writer) == SQLITE_OK);
    EXPECT(sqlite3_close(waiter) == SQLITE_OK);
}

static void triggers_are_not_statements(void)
{
    sqlite3 *db = open_watched(":memory:");
    EXPECT(run(db, "CREATE TABLE t (a); CREATE TABLE log (a);"
                   "CREATE TRIGGER copy AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END;"
                   "-- three rows\nINSERT INTO t VALUES (1), (2), (3);") == SQLITE_OK);
    EXPECT(count(db, "INSERT", "ok") == 1);
    EXPECT(sqlite3_close(db) == SQLITE_OK);
}

static void without_watching_failures(void)
{
    sqlite3 *db = open_plain(":memory:");
    EXPECT(run(db, "CREATE TABLE t (a PRIMARY KEY)") == SQLITE_OK);
    EXPECT(run(db, "INSERT INTO t VALUES (1)") == SQLITE_OK);
    EXPECT(run(db, "INSERT INTO t VALUES (1)") == SQLITE_CONSTRAINT);
    EXPECT(run(db, "SELECT 1") == SQLITE_OK);
    EXPECT(count(db, "CREATE", "unseen") == 1);
    EXPECT(count(db, "INSERT", "ok") == 1);
    EXPECT(count(db, "INSERT", "unseen") == 1);
    EXPECT(sqlite3_close(db) == SQLITE_OK);
}

/* sqlite3_close_v2() leaves the connection to its last statement. */
static void statement_outlives_its_connection(void)
{
    sqlite3 *db = open_watched(":memory:");
    sqlite3_stmt *stmt = prepare(db, "VALUES (1), (2)");

    EXPECT(sqlite3_step(stmt) == SQLITE_ROW);
    EXPECT(sqlite3_close(db) == SQLITE_BUSY);
    EXPECT(sqlite3_close_v2(db) == SQLITE_OK);
    EXPECT(is_loaded());
    EXPECT(sqlite3_step(stmt) == SQLITE_ROW);
    EXPECT(sqlite3_step(stmt) == SQLITE_DONE);
    EXPECT(sqlite3_finalize(stmt) == SQLITE_OK);
    EXPECT(!is_loaded());
    EXPECT(thread_count() == 1);
}

/* Reading the metrics twice in one statement, and from inside one that changes rows. */
static void metrics_within_statements(void)
{
    sqlite3 *db = open_watched(":memory:");
    EXPECT(number(db, "SELECT count(*) > 0 FROM mvx_metrics() a JOIN mvx_metrics() b USING (metric, labels, field)") == 1);
    EXPECT(run(db, "CREATE TABLE seen AS SELECT * FROM mvx_metrics();"
                   "INSERT INTO seen SELECT 'json', '{}', '', mvx_snapshot_json();"
                   "UPDATE seen SET value = length(mvx_openmetrics()) WHERE metric = 'json';") == SQLITE_OK);
    EXPECT(number(db, "SELECT value FROM seen WHERE metric = 'json'") > 0);
    EXPECT(number(db, "SELECT json_valid(mvx_snapshot_json())") == 1);
    EXPECT(number(db, "SELECT mvx_openmetrics() LIKE '%%# EOF' || char(10)") == 1);
    EXPECT(sqlite3_close(db) == SQLITE_OK);
}

#define THREADS 4
#define ROUNDS 10
#define STATEMENTS 100

static void *connect_and_run(void *context)
{
    (void)context;
    for (int round = 0; round < ROUNDS; round++) {
        sqlite3 *db = open_watched(":memory:");
        EXPECT(run(db, "CREATE TABLE t (a PRIMARY KEY)") == SQLITE_OK);
        for (int i = 0; i < STATEMENTS; i++)
            EXPECT(run(db, "INSERT INTO t VALUES (1)") == (i == 0 ? SQLITE_OK : SQLITE_CONSTRAINT));
        EXPECT(accepted(db) > STATEMENTS);
        EXPECT(sqlite3_close(db) == SQLITE_OK);
    }
    return NULL;
}

/* First with a connection that keeps the extension loaded and counts, then with none, so that it comes and goes. */
static void many_threads(bool keep)
{
    sqlite3 *keeper = keep ? open_watched(":memory:") : NULL;
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, connect_and_run, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (keep) {
        EXPECT(count(keeper, "CREATE", "ok") == THREADS * ROUNDS);
        EXPECT(count(keeper, "INSERT", "ok") == THREADS * ROUNDS);
        EXPECT(count(keeper, "INSERT", "SQLITE_CONSTRAINT_PRIMARYKEY") == THREADS * ROUNDS * (STATEMENTS - 1));
        EXPECT(sqlite3_close(keeper) == SQLITE_OK);
    }
    EXPECT(!is_loaded());
    EXPECT(thread_count() == 1);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s EXTENSION\n", argv[0]);
        return EXIT_FAILURE;
    }
    extension = argv[1];

    loads_and_unloads();
    two_connections_share_one_recorder();
    loading_twice_changes_nothing();
    kept_statements();
    compiled_anew(true);
    compiled_anew(false);
    busy_and_stepped_again();
    triggers_are_not_statements();
    without_watching_failures();
    statement_outlives_its_connection();
    metrics_within_statements();
    many_threads(true);
    many_threads(false);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
