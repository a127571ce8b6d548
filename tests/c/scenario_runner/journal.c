/* The journal of callbacks, and the gates at which callbacks can be held. */
#include "runner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void journal_add(struct scenario *scenario, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pthread_mutex_lock(&scenario->lock);
    json_array_append_new(scenario->journal, json_string(text));
    pthread_cond_broadcast(&scenario->changed);
    pthread_mutex_unlock(&scenario->lock);
}

static bool begins_with_words(const char *entry, const char *words)
{
    size_t len = strlen(words);
    return strncmp(entry, words, len) == 0 && (entry[len] == '\0' || entry[len] == ' ');
}

json_t *journal_select(struct scenario *scenario, json_t *of)
{
    json_t *selected = json_array(), *entry, *words;
    size_t index, other;
    pthread_mutex_lock(&scenario->lock);
    json_array_foreach(scenario->journal, index, entry)
    {
        json_array_foreach(of, other, words)
        {
            if (begins_with_words(json_string_value(entry), json_string_value(words))) {
                json_array_append_new(selected, json_string(json_string_value(entry)));
                break;
            }
        }
    }
    pthread_mutex_unlock(&scenario->lock);
    return selected;
}

struct gate *gate_named(struct scenario *scenario, const char *name)
{
    struct gate *gate = scenario->gates;
    while (gate != NULL && strcmp(gate->name, name) != 0)
        gate = gate->next;
    if (gate == NULL && (gate = calloc(1, sizeof *gate)) != NULL) {
        gate->name = strdup(name);
        gate->next = scenario->gates;
        scenario->gates = gate;
    }
    return gate;
}

void gate_pass(struct scenario *scenario, const char *name)
{
    pthread_mutex_lock(&scenario->lock);
    struct gate *gate = gate_named(scenario, name);
    gate->reached++;
    pthread_cond_broadcast(&scenario->changed);
    while (!gate->open && !scenario->cleaning)
        pthread_cond_wait(&scenario->changed, &scenario->lock);
    pthread_mutex_unlock(&scenario->lock);
}

void gate_open(struct scenario *scenario, const char *name)
{
    pthread_mutex_lock(&scenario->lock);
    gate_named(scenario, name)->open = true;
    pthread_cond_broadcast(&scenario->changed);
    pthread_mutex_unlock(&scenario->lock);
}

long long gate_reached(struct scenario *scenario, const char *name)
{
    pthread_mutex_lock(&scenario->lock);
    long long reached = gate_named(scenario, name)->reached;
    pthread_mutex_unlock(&scenario->lock);
    return reached;
}
