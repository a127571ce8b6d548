#include "statement.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *const names[KIND_COUNT] = {
    [KIND_ALTER] = "ALTER",         [KIND_ANALYZE] = "ANALYZE", [KIND_ATTACH] = "ATTACH",   [KIND_BEGIN] = "BEGIN",
    [KIND_COMMIT] = "COMMIT",       [KIND_CREATE] = "CREATE",   [KIND_DELETE] = "DELETE",   [KIND_DETACH] = "DETACH",
    [KIND_DROP] = "DROP",           [KIND_END] = "END",         [KIND_INSERT] = "INSERT",
    [KIND_PRAGMA] = "PRAGMA",       [KIND_REINDEX] = "REINDEX", [KIND_RELEASE] = "RELEASE", [KIND_REPLACE] = "REPLACE",
    [KIND_ROLLBACK] = "ROLLBACK",   [KIND_SAVEPOINT] = "SAVEPOINT", [KIND_SELECT] = "SELECT", [KIND_UPDATE] = "UPDATE",
    [KIND_VACUUM] = "VACUUM",       [KIND_VALUES] = "VALUES",   [KIND_OTHER] = "OTHER",
};

const char *statement_kind_name(enum statement_kind kind)
{
    return names[kind];
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

/* Past the white space and the comments at the start of the text. */
static const char *skip_blanks(const char *sql)
{
    for (;;) {
        if (isspace((unsigned char)*sql)) {
            sql++;
        } else if (sql[0] == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\n");
        } else if (sql[0] == '/' && sql[1] == '*') {
            const char *end = strstr(sql + 2, "*/");
            sql = end ? end + 2 : sql + strlen(sql);
        } else {
            return sql;
        }
    }
}

/* Past the quoted text or name that starts here. A doubled quote is two texts side by side, which is as good here. */
static const char *skip_quoted(const char *sql)
{
    const char *end = strchr(sql + 1, *sql == '[' ? ']' : *sql);
    return end ? end + 1 : sql + strlen(sql);
}

static bool is_quote(char c)
{
    return c == '\'' || c == '"' || c == '`' || c == '[';
}

static enum statement_kind kind_of_word(const char *word, size_t len)
{
    for (int kind = 0; kind < KIND_OTHER; kind++)
        if (strlen(names[kind]) == len && strncasecmp(names[kind], word, len) == 0)
            return kind;
    return KIND_OTHER;
}

/* The verb of a statement that starts with WITH is the first one outside the parentheses of its tables. */
enum statement_kind statement_kind_of(const char *sql)
{
    bool after_with = false;
    int depth = 0;

    while (*(sql = skip_blanks(sql))) {
        size_t len = 0;
        while (in_word(sql[len]))
            len++;
        if (len > 0 && depth == 0) {
            enum statement_kind kind = kind_of_word(sql, len);
            if (!after_with && len == 4 && strncasecmp(sql, "WITH", 4) == 0)
                after_with = true;
            else if (kind != KIND_OTHER || !after_with)
                return kind;
        }
        if (len > 0) {
            sql += len;
        } else if (is_quote(*sql)) {
            sql = skip_quoted(sql);
        } else {
            depth += (*sql == '(') - (*sql == ')');
            sql++;
        }
    }
    return KIND_OTHER;
}

/* The length of the UTF-8 character that starts here, 0 where none does. */
static size_t utf8_len(const unsigned char *s)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool beyond = (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f);
    return overlong || beyond ? 0 : len;
}

size_t statement_copy_sql(char *copy, size_t room, const char *sql)
{
    size_t used = 0;
    const char *quoted_end = sql;

    sql = skip_blanks(sql);
    while (*sql) {
        if (sql >= quoted_end) {
            const char *next = skip_blanks(sql);
            if (next > sql) {
                sql = next;
                if (*sql == '\0' || used == room)
                    break;
                copy[used++] = ' ';
                continue;
            }
            if (is_quote(*sql))
                quoted_end = skip_quoted(sql);
        }
        size_t len = utf8_len((const unsigned char *)sql);
        if (used + (len ? len : 1) > room)
            break;
        memcpy(copy + used, len == 0 ? "?" : iscntrl((unsigned char)*sql) ? " " : sql, len ? len : 1);
        used += len ? len : 1;
        sql += len ? len : 1;
    }
    return used;
}
