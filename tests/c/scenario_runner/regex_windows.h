/* As much of POSIX's <regex.h> as the scenarios use, for systems that have none. */
#ifndef REGEX_WINDOWS_H
#define REGEX_WINDOWS_H

#include <stddef.h>

typedef struct {
    const char *pattern;
} regex_t;

enum { REG_EXTENDED = 1, REG_NOSUB = 2 };

/* 0, or something else for a pattern with more in it than literals, '.', [sets], (groups|choices), ^, $ and the
   repetitions ?, *, + and {n}. The pattern must outlive the regex. */
int regcomp(regex_t *regex, const char *pattern, int flags);
/* 0 if some part of the text matches; the last three are for what is not offered. */
int regexec(const regex_t *regex, const char *text, size_t count, void *matches, int flags);
void regfree(regex_t *regex);

#endif
