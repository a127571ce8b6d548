/* Checks, plays and clears away one scenario. */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMON_KEYS "do expect background thread note"
#define STATS_KEYS \
    "accepted dispatched dropped refused discarded pending pending_max pending_bytes quarantined_metrics lag_ns"

void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0) {
    }
}

uint64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000u + (uint64_t)time.tv_nsec / 1000000u;
}

const struct op *op_find(const char *name)
{
    const struct op *const tables[] = {runtime_ops, recorder_ops, wait_ops, flow_ops};
    for (size_t i = 0; name != NULL && i < sizeof tables / sizeof *tables; i++) {
        for (const struct op *op = tables[i]; op->name != NULL; op++) {
            if (strcmp(op->name, name) == 0)
                return op;
        }
    }
    return NULL;
}

/* ---- checking: what is misspelt must not pass ---- */

static bool wrong(const char *path, const char *where, const char *what, const char *word)
{
    printf("%s: %s: %s '%s'\n", path, where, what, word);
    return false;
}

static bool check_error(const char *path, const char *where, json_t *error)
{
    const char *stranger;
    if (!json_is_object(error))
        return true;
    if (!known_keys(error, "status reason message message_contains details cause", NULL, &stranger))
        return wrong(path, where, "unknown key of an error", stranger);
    return check_error(path, where, json_object_get(error, "cause"));
}

static bool check_steps(const char *path, const char *within, json_t *steps);

static bool check_stats(const char *path, const char *where, json_t *stats)
{
    const char *stranger, *key;
    json_t *value;
    if (stats != NULL && !known_keys(stats, STATS_KEYS, NULL, &stranger))
        return wrong(path, where, "unknown count", stranger);
    json_object_foreach(stats, key, value)
    {
        if (json_is_object(value) && !known_keys(value, "at_least at_most", NULL, &stranger))
            return wrong(path, where, "unknown bound", stranger);
    }
    return true;
}

static bool check_step(const char *path, const char *within, size_t number, json_t *step)
{
    char where[256];
    const char *stranger, *name = json_string_value(json_object_get(step, "do"));
    const struct op *op = op_find(name);
    json_t *expect = json_object_get(step, "expect"), *row;
    json_t *nested = json_object_get(step, "step");
    size_t index;
    snprintf(where, sizeof where, "%sstep %zu", within, number);
    if (op == NULL)
        return wrong(path, where, "unknown operation", name != NULL ? name : "");
    if (!known_keys(step, COMMON_KEYS, op->keys, &stranger))
        return wrong(path, where, "unknown key", stranger);
    if (expect != NULL && (!json_is_object(expect) || !known_keys(expect, "status", op->gives, &stranger)))
        return wrong(path, where, "unknown expectation", json_is_object(expect) ? stranger : "(no object)");
    if (!check_error(path, where, json_object_get(expect, "error")) ||
        !check_stats(path, where, json_object_get(expect, "stats")) ||
        !check_stats(path, where, json_object_get(step, "stats")))
        return false;
    json_array_foreach(json_object_get(expect, "metrics"), index, row)
    {
        if (!known_keys(row, "name kind state object error", NULL, &stranger))
            return wrong(path, where, "unknown key of a metric", stranger);
    }
    if (nested != NULL && !check_step(path, where, 1, nested))
        return false;
    return check_steps(path, where, json_object_get(step, "steps"));
}

static bool check_steps(const char *path, const char *within, json_t *steps)
{
    size_t index;
    json_t *step;
    bool ok = true;
    if (steps != NULL && !json_is_array(steps))
        return wrong(path, within, "no list", "steps");
    json_array_foreach(steps, index, step)
        ok = check_step(path, within, index + 1, step) && ok;
    return ok;
}

static bool check_behaviours(const char *path, json_t *callbacks)
{
    const char *key, *function, *stranger;
    json_t *callback, *list, *behaviour;
    size_t index;
    bool ok = true;
    char where[256];
    json_object_foreach(callbacks, key, callback)
    {
        json_object_foreach(callback, function, list)
        {
            if (strncmp(function, "on_", 3) != 0 && strcmp(function, "handle") != 0 &&
                strcmp(function, "snapshot") != 0)
                continue;
            json_array_foreach(list, index, behaviour)
            {
                snprintf(where, sizeof where, "%s.%s ", key, function);
                if (!json_is_object(behaviour) || !known_keys(behaviour, "times gate steps fail pending ignore", NULL, &stranger))
                    ok = wrong(path, where, "unknown key", json_is_object(behaviour) ? stranger : "(no object)");
                ok = check_steps(path, where, json_object_get(behaviour, "steps")) && ok;
            }
        }
    }
    return ok;
}

bool scenario_check(const char *path, json_t *root)
{
    const char *stranger, *name = json_string_value(json_object_get(root, "name"));
    const char *slash = strrchr(path, '/');
    size_t index;
    json_t *need;
    bool ok = true;
    if (!known_keys(root, "name shows covers needs own_process events metrics hooks logs steps", NULL, &stranger))
        return wrong(path, "scenario", "unknown key", stranger);
    if (name == NULL || strcmp(name, slash != NULL ? slash + 1 : path) != 0)
        ok = wrong(path, "scenario", "the name is not that of the file:", name != NULL ? name : "");
    if (json_string_length(json_object_get(root, "shows")) == 0)
        ok = wrong(path, "scenario", "missing", "shows");
    if (json_array_size(json_object_get(root, "covers")) == 0)
        ok = wrong(path, "scenario", "missing", "covers");
    if (json_array_size(json_object_get(root, "steps")) == 0)
        ok = wrong(path, "scenario", "missing", "steps");
    json_array_foreach(json_object_get(root, "needs"), index, need)
    {
        const char *word = json_is_string(need) ? json_string_value(need) : "";
        if (strcmp(word, "raw") != 0 && strcmp(word, "fd") != 0 && strcmp(word, "fork") != 0)
            ok = wrong(path, "scenario", "unknown need", word);
    }
    ok = check_behaviours(path, json_object_get(root, "metrics")) && ok;
    ok = check_behaviours(path, json_object_get(root, "hooks")) && ok;
    return check_steps(path, "", json_object_get(root, "steps")) && ok;
}

/* ---- playing ---- */

json_t *play_bare(struct call *call)
{
    struct active active = {NULL, call->where};
    struct scenario *scenario = call->scenario;
    const struct op *op = op_find(json_string_value(json_object_get(call->step, "do")));
    pthread_mutex_lock(&scenario->lock);
    active.next = scenario->active;
    scenario->active = &active;
    pthread_mutex_unlock(&scenario->lock);
    json_t *got = op->run(call);
    pthread_mutex_lock(&scenario->lock);
    struct active **link = &scenario->active;
    while (*link != &active)
        link = &(*link)->next;
    *link = active.next;
    pthread_mutex_unlock(&scenario->lock);
    return got;
}

static void play_here(struct scenario *scenario, json_t *step, const char *where)
{
    struct call call = {scenario, step, where};
    json_t *got = play_bare(&call);
    if (got != NULL)
        compare(&call, json_object_get(step, "expect"), got);
    json_decref(got);
}

static void *job_main(void *argument)
{
    struct job *job = argument;
    play_here(job->scenario, job->step, job->where);
    pthread_mutex_lock(&job->scenario->lock);
    job->done = true;
    pthread_cond_broadcast(&job->scenario->changed);
    pthread_mutex_unlock(&job->scenario->lock);
    return NULL;
}

static void play_in_background(struct scenario *scenario, json_t *step, const char *where, const char *name)
{
    struct job *job = calloc(1, sizeof *job);
    job->scenario = scenario;
    job->name = strdup(name);
    job->step = step;
    snprintf(job->where, sizeof job->where, "%s", where);
    pthread_mutex_lock(&scenario->lock);
    job->next = scenario->jobs;
    scenario->jobs = job;
    pthread_mutex_unlock(&scenario->lock);
    pthread_create(&job->thread, NULL, job_main, job);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct scenario *scenario = worker->scenario;
    pthread_mutex_lock(&scenario->lock);
    for (;;) {
        while (worker->step == NULL && !worker->quit)
            pthread_cond_wait(&scenario->changed, &scenario->lock);
        if (worker->quit)
            break;
        pthread_mutex_unlock(&scenario->lock);
        play_here(scenario, worker->step, worker->where);
        pthread_mutex_lock(&scenario->lock);
        worker->step = NULL;
        pthread_cond_broadcast(&scenario->changed);
    }
    pthread_mutex_unlock(&scenario->lock);
    return NULL;
}

static void play_on_thread(struct scenario *scenario, json_t *step, const char *where, const char *name)
{
    pthread_mutex_lock(&scenario->lock);
    struct worker *worker = scenario->workers;
    while (worker != NULL && strcmp(worker->name, name) != 0)
        worker = worker->next;
    if (worker == NULL) {
        worker = calloc(1, sizeof *worker);
        worker->scenario = scenario;
        worker->name = strdup(name);
        worker->next = scenario->workers;
        scenario->workers = worker;
        pthread_create(&worker->thread, NULL, worker_main, worker);
    }
    worker->where = where;
    worker->step = step;
    pthread_cond_broadcast(&scenario->changed);
    while (worker->step != NULL)
        pthread_cond_wait(&scenario->changed, &scenario->lock);
    pthread_mutex_unlock(&scenario->lock);
}

void play_step(struct scenario *scenario, json_t *step, const char *where)
{
    const char *background = json_string_value(json_object_get(step, "background"));
    const char *thread = json_string_value(json_object_get(step, "thread"));
    if (background != NULL)
        play_in_background(scenario, step, where, background);
    else if (thread != NULL)
        play_on_thread(scenario, step, where, thread);
    else
        play_here(scenario, step, where);
}

static bool goes_on(struct scenario *scenario)
{
    pthread_mutex_lock(&scenario->lock);
    bool on = !scenario->failed && !scenario->cleaning;
    pthread_mutex_unlock(&scenario->lock);
    return on;
}

void play_steps(struct scenario *scenario, json_t *steps, const char *within)
{
    size_t index;
    json_t *step;
    json_array_foreach(steps, index, step)
    {
        char where[512];
        /* What follows a failed expectation would only fail for the same reason. */
        if (!goes_on(scenario))
            return;
        snprintf(where, sizeof where, "%s%sstep %zu (%s)", within, within[0] != '\0' ? ", " : "", index + 1,
                 json_string_value(json_object_get(step, "do")));
        play_step(scenario, step, where);
    }
}

/* ---- clearing away ---- */

static void shut_down(mvx_runtime *runtime)
{
    mvx_error *error = NULL;
    mvx_runtime_shutdown(runtime, &error);
    mvx_error_free(error);
}

static bool all_dropped(struct scenario *scenario)
{
    pthread_mutex_lock(&scenario->lock);
    bool all = true;
    for (struct use *use = scenario->uses; use != NULL; use = use->next)
        all = all && (use->drops > 0 || !use->drop_due);
    pthread_mutex_unlock(&scenario->lock);
    return all;
}

static void for_live(struct scenario *scenario, enum kind kind, void (*act)(void *))
{
    for (struct object *object = scenario->objects; object != NULL; object = object->next) {
        if (object->kind == kind && object->live)
            act(object->value);
    }
}

static void complete(void *completion)
{
    mvx_completion_done(completion, (mvx_str){NULL, 0});
}

static void free_wait(void *wait) { mvx_wait_free(wait); }
static void free_recorder(void *recorder) { mvx_recorder_free(recorder); }
static void free_runtime(void *runtime) { mvx_runtime_free(runtime); }
static void free_snapshot(void *snapshot) { mvx_snapshot_free(snapshot); }
static void shut_down_runtime(void *runtime) { shut_down(runtime); }

/* Lets go of everything, whatever the scenario left standing, and sees that every user_data is dropped once. */
static void let_go(struct scenario *scenario)
{
    pthread_mutex_lock(&scenario->lock);
    scenario->cleaning = true;
    pthread_cond_broadcast(&scenario->changed);
    pthread_mutex_unlock(&scenario->lock);
    for_live(scenario, KIND_COMPLETION, complete);
    for (struct job *job = scenario->jobs; job != NULL; job = job->next) {
        if (!job->joined)
            pthread_join(job->thread, NULL);
    }
    for (struct worker *worker = scenario->workers; worker != NULL; worker = worker->next) {
        pthread_mutex_lock(&scenario->lock);
        worker->quit = true;
        pthread_cond_broadcast(&scenario->changed);
        pthread_mutex_unlock(&scenario->lock);
        pthread_join(worker->thread, NULL);
    }
    for_live(scenario, KIND_WAIT, free_wait);
    for_live(scenario, KIND_RUNTIME, shut_down_runtime);
    for_live(scenario, KIND_RECORDER, free_recorder);
    for_live(scenario, KIND_RUNTIME, free_runtime);
    for_live(scenario, KIND_SNAPSHOT, free_snapshot);
    mvx_runtime *runtime = NULL;
    mvx_error *error = NULL;
    if (scenario->default_runtime_used && mvx_runtime_default(&runtime, &error) == MVX_OK) {
        shut_down(runtime);
        mvx_runtime_free(runtime);
    }
    mvx_error_free(error);
    for (uint64_t end = now_ms() + PATIENCE_MS / 2; !all_dropped(scenario) && now_ms() < end;)
        pause_ms(1);
    for (struct use *use = scenario->uses; use != NULL; use = use->next) {
        if (use->drops == 0 && use->drop_due)
            fail(scenario, use->key, "its drop was never called");
    }
}

static void scenario_free(struct scenario *scenario)
{
    events_forget(scenario);
    callbacks_free(scenario);
    while (scenario->objects != NULL) {
        struct object *object = scenario->objects;
        scenario->objects = object->next;
        free(object->name);
        free(object);
    }
    while (scenario->gates != NULL) {
        struct gate *gate = scenario->gates;
        scenario->gates = gate->next;
        free(gate->name);
        free(gate);
    }
    while (scenario->jobs != NULL) {
        struct job *job = scenario->jobs;
        scenario->jobs = job->next;
        free(job->name);
        free(job);
    }
    while (scenario->workers != NULL) {
        struct worker *worker = scenario->workers;
        scenario->workers = worker->next;
        free(worker->name);
        free(worker);
    }
    while (scenario->marks != NULL) {
        struct mark *mark = scenario->marks;
        scenario->marks = mark->next;
        free(mark->name);
        free(mark);
    }
    json_decref(scenario->journal);
    pthread_cond_destroy(&scenario->changed);
    pthread_mutex_destroy(&scenario->lock);
    free(scenario);
}

bool scenario_play(const char *path, json_t *root, struct scenario **playing, pthread_mutex_t *playing_lock)
{
    struct scenario *scenario = calloc(1, sizeof *scenario);
    scenario->path = path;
    scenario->root = root;
    scenario->journal = json_array();
    pthread_mutex_init(&scenario->lock, NULL);
    pthread_cond_init(&scenario->changed, NULL);
    pthread_mutex_lock(playing_lock);
    *playing = scenario;
    pthread_mutex_unlock(playing_lock);
    if (events_declare(scenario) && callbacks_make(scenario))
        play_steps(scenario, json_object_get(root, "steps"), "");
    let_go(scenario);
    pthread_mutex_lock(playing_lock);
    *playing = NULL;
    pthread_mutex_unlock(playing_lock);
    bool passed = !scenario->failed, safe = all_dropped(scenario);
    /* Where a drop is still owed the library may yet call back: better a leak than a call into freed memory. */
    if (safe)
        scenario_free(scenario);
    return passed;
}
