/* Failures, and the comparison of what a step gave with what the scenario expects. */
#include "runner.h"

#ifdef _WIN32
#include "regex_windows.h"
#else
#include <regex.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static void say(struct scenario *scenario, const char *where, const char *text)
{
    pthread_mutex_lock(&scenario->lock);
    scenario->failed = true;
    pthread_cond_broadcast(&scenario->changed);
    pthread_mutex_unlock(&scenario->lock);
    pthread_mutex_lock(&output);
    printf("%s: %s: %s\n", scenario->path, where, text);
    fflush(stdout);
    pthread_mutex_unlock(&output);
}

void fail(struct scenario *scenario, const char *where, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(scenario, where, text);
}

json_t *broken(struct call *call, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(call->scenario, call->where, text);
    return NULL;
}

static bool word_in(const char *words, const char *word)
{
    size_t len = strlen(word);
    while (words != NULL && *words != '\0') {
        size_t here = strcspn(words, " ");
        if (here == len && memcmp(words, word, len) == 0)
            return true;
        words += here;
        words += strspn(words, " ");
    }
    return false;
}

bool known_keys(json_t *object, const char *keys, const char *more, const char **stranger)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (!word_in(keys, key) && !word_in(more, key)) {
            *stranger = key;
            return false;
        }
    }
    return true;
}

static bool is_text(json_t *json, const char *text)
{
    return json_is_string(json) && strcmp(json_string_value(json), text) == 0;
}

static bool same(json_t *expected, json_t *got)
{
    const char *key;
    json_t *value;
    size_t index;
    if (is_text(expected, "$any"))
        return got != NULL;
    if (got == NULL || json_typeof(expected) != json_typeof(got))
        return false;
    switch (json_typeof(expected)) {
    case JSON_OBJECT:
        if (json_object_size(expected) != json_object_size(got))
            return false;
        json_object_foreach(expected, key, value)
        {
            if (!same(value, json_object_get(got, key)))
                return false;
        }
        return true;
    case JSON_ARRAY:
        if (json_array_size(expected) != json_array_size(got))
            return false;
        json_array_foreach(expected, index, value)
        {
            if (!same(value, json_array_get(got, index)))
                return false;
        }
        return true;
    default:
        return json_equal(expected, got);
    }
}

static bool same_order(json_t *expected, json_t *got)
{
    void *left = json_object_iter(expected), *right = json_object_iter(got);
    while (left != NULL && right != NULL) {
        if (strcmp(json_object_iter_key(left), json_object_iter_key(right)) != 0)
            return false;
        left = json_object_iter_next(expected, left);
        right = json_object_iter_next(got, right);
    }
    return left == NULL && right == NULL;
}

bool stats_match(json_t *expected, json_t *got)
{
    const char *key;
    json_t *value;
    json_object_foreach(expected, key, value)
    {
        json_t *actual = json_object_get(got, key);
        json_t *least = json_object_get(value, "at_least"), *most = json_object_get(value, "at_most");
        if (actual == NULL)
            return false;
        if (json_is_object(value)) {
            if (least != NULL && json_integer_value(actual) < json_integer_value(least))
                return false;
            if (most != NULL && json_integer_value(actual) > json_integer_value(most))
                return false;
        } else if (!same(value, actual)) {
            return false;
        }
    }
    return true;
}

bool error_match(json_t *expected, json_t *got, char *why, size_t size)
{
    const char *key, *detail;
    json_t *value, *fact;
    if (json_is_null(expected) || !json_is_object(got)) {
        snprintf(why, size, "%s", json_is_null(expected) ? "there is an error" : "there is no error");
        return json_is_null(expected) && !json_is_object(got);
    }
    json_object_foreach(expected, key, value)
    {
        if (strcmp(key, "cause") == 0) {
            size_t used = (size_t)snprintf(why, size, "cause: ");
            if (!error_match(value, json_object_get(got, "cause"), why + used, size - used))
                return false;
        } else if (strcmp(key, "details") == 0) {
            json_object_foreach(value, detail, fact)
            {
                if (!same(fact, json_object_get(json_object_get(got, "details"), detail))) {
                    snprintf(why, size, "details.%s differs", detail);
                    return false;
                }
            }
        } else if (strcmp(key, "message_contains") == 0) {
            const char *message = json_string_value(json_object_get(got, "message"));
            if (message == NULL || strstr(message, json_string_value(value)) == NULL) {
                snprintf(why, size, "the message doesn't contain it");
                return false;
            }
        } else if (!same(value, json_object_get(got, key))) {
            snprintf(why, size, "%s differs", key);
            return false;
        }
    }
    return true;
}

/* Rows are objects: each key that is expected must be there with that value; an `error` is matched as an error. */
static bool rows_match(json_t *expected, json_t *got)
{
    size_t index;
    json_t *row, *value;
    const char *key;
    char why[256];
    if (json_array_size(expected) != json_array_size(got))
        return false;
    json_array_foreach(expected, index, row)
    {
        json_t *actual = json_array_get(got, index);
        json_object_foreach(row, key, value)
        {
            json_t *there = json_object_get(actual, key);
            if (strcmp(key, "error") == 0 ? !error_match(value, there, why, sizeof why) : !same(value, there))
                return false;
        }
    }
    return true;
}

static bool text_matches(json_t *pattern, json_t *text)
{
    regex_t regex;
    if (!json_is_string(text) || regcomp(&regex, json_string_value(pattern), REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool matches = regexec(&regex, json_string_value(text), 0, NULL, 0) == 0;
    regfree(&regex);
    return matches;
}

static bool text_contains(json_t *parts, json_t *text)
{
    size_t index;
    json_t *part;
    json_array_foreach(parts, index, part)
    {
        if (!json_is_string(text) || strstr(json_string_value(text), json_string_value(part)) == NULL)
            return false;
    }
    return true;
}

static void differs(struct call *call, const char *what, json_t *expected, json_t *got, const char *why)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17);
    char *left = json_dumps(expected, flags), *right = got == NULL ? NULL : json_dumps(got, flags);
    fail(call->scenario, call->where, "%s: expected %s, got %s%s%s%s", what, left, right == NULL ? "nothing" : right,
         why == NULL ? "" : " (", why == NULL ? "" : why, why == NULL ? "" : ")");
    free(left);
    free(right);
}

void compare(struct call *call, json_t *expect, json_t *got)
{
    const char *key;
    json_t *value;
    char why[512];
    /* A step that says nothing about its status expects success, unless many statuses are counted. */
    if (json_object_get(expect, "status") == NULL && json_object_get(expect, "statuses") == NULL &&
        json_object_get(got, "status") != NULL && !is_text(json_object_get(got, "status"), "OK")) {
        json_t *ok = json_string("OK");
        json_t *shown = json_object_get(got, "error");
        differs(call, "status", ok, json_object_get(got, "status"), NULL);
        json_decref(ok);
        if (json_is_object(shown)) {
            char *text = json_dumps(shown, JSON_COMPACT);
            fail(call->scenario, call->where, "the error is %s", text);
            free(text);
        }
    }
    json_object_foreach(expect, key, value)
    {
        json_t *there = json_object_get(got, key);
        if (strcmp(key, "error") == 0) {
            if (!error_match(value, there, why, sizeof why))
                differs(call, key, value, there, why);
        } else if (strcmp(key, "stats") == 0) {
            if (!stats_match(value, there))
                differs(call, key, value, there, NULL);
        } else if (strcmp(key, "metrics") == 0) {
            if (!rows_match(value, there))
                differs(call, key, value, there, NULL);
        } else if (strcmp(key, "matches") == 0) {
            if (!text_matches(value, json_object_get(got, "text")))
                differs(call, "text matches", value, json_object_get(got, "text"), NULL);
        } else if (strcmp(key, "contains") == 0) {
            if (!text_contains(value, json_object_get(got, "text")))
                differs(call, "text contains", value, json_object_get(got, "text"), NULL);
        } else if (strcmp(key, "snapshot") == 0) {
            if (!same(value, there))
                differs(call, key, value, there, NULL);
            else if (!same_order(value, there))
                differs(call, key, value, there, "in another order");
        } else if (!same(value, there)) {
            differs(call, key, value, there, NULL);
        }
    }
}
