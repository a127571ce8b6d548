/* A matcher that goes back and tries again. Patterns of scenarios are short, so that it needs not be fast. */
#include "regex_windows.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A part of the pattern: from `at` on, up to `end`. */
struct part {
    const char *at, *end;
};

/* What has to match after that which is matched now. */
struct rest {
    struct part atom;
    long least, most;
    struct part after;
    const char *from;
    const struct rest *rest;
};

static _Thread_local const char *text_begin;

static bool match_choices(struct part part, const char *text, const struct rest *rest);

static const char *end_of_set(const char *at, const char *end)
{
    at += at[1] == '^' ? 2 : 1;
    for (bool first = true; at < end && (first || *at != ']'); at++, first = false) {
        /* A class by its name, most likely. */
        if (*at == '[')
            return NULL;
    }
    return at < end ? at + 1 : NULL;
}

static const char *end_of_group(const char *at, const char *end)
{
    int depth = 0;
    while (at != NULL && at < end) {
        if (*at == '[') {
            at = end_of_set(at, end);
            continue;
        }
        if (*at == '\\')
            at++;
        else if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0)
            return at + 1;
        at++;
    }
    return NULL;
}

/* Where the atom at the beginning ends; NULL where it is none. */
static const char *end_of_atom(struct part part)
{
    switch (*part.at) {
    case '[':
        return end_of_set(part.at, part.end);
    case '(':
        return end_of_group(part.at, part.end);
    case '\\':
        return part.at + 2 <= part.end ? part.at + 2 : NULL;
    case '*':
    case '+':
    case '?':
    case '{':
    case ')':
        return NULL;
    default:
        return part.at + 1;
    }
}

/* Reads a repetition, if there is one; NULL where it is not understood. */
static const char *repetition(const char *at, const char *end, long *least, long *most)
{
    *least = *most = 1;
    if (at == end)
        return at;
    switch (*at) {
    case '?':
        *least = 0;
        return at + 1;
    case '*':
        *least = 0;
        *most = LONG_MAX;
        return at + 1;
    case '+':
        *most = LONG_MAX;
        return at + 1;
    case '{': {
        char *closing;
        *least = *most = strtol(at + 1, &closing, 10);
        return closing > at + 1 && *closing == '}' ? closing + 1 : NULL;
    }
    default:
        return at;
    }
}

static bool in_set(struct part set, unsigned char c)
{
    bool negated = set.at[1] == '^', found = false;
    for (const char *at = set.at + (negated ? 2 : 1); at < set.end - 1; at++) {
        unsigned char low = (unsigned char)*at, high = low;
        if (at + 2 < set.end - 1 && at[1] == '-') {
            high = (unsigned char)at[2];
            at += 2;
        }
        found = found || (low <= c && c <= high);
    }
    return c != '\0' && found != negated;
}

static bool match_sequence(struct part part, const char *text, const struct rest *rest);

/* The atom so many times more, and then what comes after it. */
static bool match_repeated(const struct rest *now, const char *text)
{
    struct part atom = now->atom;
    if (now->most > 0) {
        struct rest again = *now;
        again.least--;
        again.most -= now->most == LONG_MAX ? 0 : 1;
        again.from = text;
        bool one = *text != '\0';
        switch (*atom.at) {
        case '(':
            if (match_choices((struct part){atom.at + 1, atom.end - 1}, text, &again))
                return true;
            one = false;
            break;
        case '[':
            one = one && in_set(atom, (unsigned char)*text);
            break;
        case '\\':
            one = *text == atom.at[1] && one;
            break;
        case '.':
            break;
        default:
            one = *text == *atom.at && one;
        }
        if (one && match_repeated(&again, text + 1))
            return true;
    }
    return now->least <= 0 && match_sequence(now->after, text, now->rest);
}

static bool match_sequence(struct part part, const char *text, const struct rest *rest)
{
    if (part.at == part.end) {
        /* A group that matched nothing would do so for ever. */
        return rest == NULL || (!(text == rest->from && rest->least <= 0 && rest->most == LONG_MAX) &&
                                match_repeated(rest, text));
    }
    if (*part.at == '^')
        return text == text_begin && match_sequence((struct part){part.at + 1, part.end}, text, rest);
    if (*part.at == '$')
        return *text == '\0' && match_sequence((struct part){part.at + 1, part.end}, text, rest);
    struct rest now = {.atom = {part.at, end_of_atom(part)}, .rest = rest};
    now.after = (struct part){repetition(now.atom.end, part.end, &now.least, &now.most), part.end};
    return match_repeated(&now, text);
}

/* Where the first choice ends: at a '|' outside of groups and sets, or where all ends. NULL: not understood. */
static const char *end_of_choice(struct part part)
{
    while (part.at != NULL && part.at < part.end && *part.at != '|') {
        long least, most;
        part.at = end_of_atom(part);
        if (part.at != NULL)
            part.at = repetition(part.at, part.end, &least, &most);
    }
    return part.at;
}

static bool match_choices(struct part part, const char *text, const struct rest *rest)
{
    for (;;) {
        const char *end = end_of_choice(part);
        if (match_sequence((struct part){part.at, end}, text, rest))
            return true;
        if (end == part.end)
            return false;
        part.at = end + 1;
    }
}

static bool understood(struct part part)
{
    for (;;) {
        const char *end = end_of_choice(part);
        if (end == NULL)
            return false;
        for (struct part rest = {part.at, end}; rest.at < end;) {
            const char *atom_end = end_of_atom(rest);
            long least, most;
            if (*rest.at == '(' && !understood((struct part){rest.at + 1, atom_end - 1}))
                return false;
            rest.at = repetition(atom_end, end, &least, &most);
        }
        if (end == part.end)
            return true;
        part.at = end + 1;
    }
}

int regcomp(regex_t *regex, const char *pattern, int flags)
{
    (void)flags;
    regex->pattern = pattern;
    return understood((struct part){pattern, pattern + strlen(pattern)}) ? 0 : 1;
}

int regexec(const regex_t *regex, const char *text, size_t count, void *matches, int flags)
{
    (void)count;
    (void)matches;
    (void)flags;
    struct part whole = {regex->pattern, regex->pattern + strlen(regex->pattern)};
    text_begin = text;
    for (const char *from = text;; from++) {
        if (match_choices(whole, from, NULL))
            return 0;
        if (*from == '\0')
            return 1;
    }
}

void regfree(regex_t *regex)
{
    regex->pattern = NULL;
}
