/* The names of SQLite's result codes, which SQLite itself keeps to itself. */
#ifndef MVX_SQLITE_RESULT_CODE_H
#define MVX_SQLITE_RESULT_CODE_H

/* Of an extended code that has no entry: the name of its primary code. */
const char *result_code_name(int code);

#endif
