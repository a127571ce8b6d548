/* The event that this extension records: one for each statement that ended. */
#ifndef MVX_SQLITE_STATEMENT_H
#define MVX_SQLITE_STATEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "mvx_metrics.h"

#define STATEMENT_SQL_MAX 160

/* The event type declares what stands before `sql`, for the native metrics. The text is a tail of as many bytes as
 * it has, not ended by NUL, for the metric that shows the slowest statements. */
struct statement {
    mvx_symbol kind;
    mvx_symbol outcome;
    double seconds;
    uint64_t rows;
    char sql[STATEMENT_SQL_MAX];
};

#define STATEMENT_HEAD offsetof(struct statement, sql)

/* The kinds of statement, each with the word it is recognised by. */
enum statement_kind {
    KIND_ALTER, KIND_ANALYZE, KIND_ATTACH, KIND_BEGIN, KIND_COMMIT, KIND_CREATE, KIND_DELETE, KIND_DETACH, KIND_DROP,
    KIND_END, KIND_INSERT, KIND_PRAGMA, KIND_REINDEX, KIND_RELEASE, KIND_REPLACE, KIND_ROLLBACK,
    KIND_SAVEPOINT, KIND_SELECT, KIND_UPDATE, KIND_VACUUM, KIND_VALUES, KIND_OTHER,
    KIND_COUNT
};

const char *statement_kind_name(enum statement_kind kind);
enum statement_kind statement_kind_of(const char *sql);

/* Copies the text of a statement onto one line of valid UTF-8: white space and comments become single blanks, what is
 * not UTF-8 becomes '?', what is too long is cut between two characters. Returns the length. */
size_t statement_copy_sql(char *copy, size_t room, const char *sql);

#endif
