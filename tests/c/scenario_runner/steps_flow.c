/* Steps of the scenario itself: gates, waiting for a condition, the journal, races, and a forked child. */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifndef _WIN32
#include <sys/wait.h>
#endif

static json_t *open_gate(struct call *call)
{
    const char *gate = json_string_value(json_object_get(call->step, "gate"));
    if (gate == NULL)
        return broken(call, "the step needs 'gate'");
    gate_open(call->scenario, gate);
    return json_object();
}

static json_t *observe(struct call *call, const char *name)
{
    struct call other = *call;
    const struct op *op = op_find(name);
    return op->run(&other);
}

/* Looks once; `seen` is what there was, for the report. */
static bool condition_holds(struct call *call, json_t **seen)
{
    json_t *step = call->step, *state = json_object_get(step, "state"), *stats = json_object_get(step, "stats");
    json_t *gate = json_object_get(step, "gate"), *calls = json_object_get(step, "calls");
    json_t *completion = json_object_get(step, "completion");
    int64_t least = 1;
    if (state != NULL) {
        *seen = observe(call, json_object_get(step, "runtime") != NULL ? "runtime_state" : "recorder_state");
        return *seen != NULL && json_equal(json_object_get(*seen, "state"), state);
    }
    if (stats != NULL) {
        *seen = observe(call, "recorder_stats");
        return *seen != NULL && stats_match(stats, json_object_get(*seen, "stats"));
    }
    if (gate != NULL) {
        int_arg(call, step, "reached", &least);
        *seen = json_integer(gate_reached(call->scenario, json_string_value(gate)));
        return json_integer_value(*seen) >= least;
    }
    if (calls != NULL) {
        int_arg(call, step, "count", &least);
        *seen = journal_select(call->scenario, calls);
        return (int64_t)json_array_size(*seen) >= least;
    }
    if (completion != NULL) {
        pthread_mutex_lock(&call->scenario->lock);
        struct object *object = object_named(call->scenario, KIND_COMPLETION, json_string_value(completion));
        bool live = object != NULL && object->live;
        pthread_mutex_unlock(&call->scenario->lock);
        *seen = json_boolean(live);
        return live;
    }
    *seen = NULL;
    broken(call, "the step names no condition");
    return false;
}

static json_t *wait_until(struct call *call)
{
    uint64_t end = now_ms() + PATIENCE_MS;
    for (;;) {
        json_t *seen = NULL;
        bool holds = condition_holds(call, &seen), over = now_ms() > end || seen == NULL;
        if (!holds && over) {
            char *text = json_dumps(seen, JSON_COMPACT | JSON_ENCODE_ANY);
            broken(call, "it did not come; there is %s", text);
            free(text);
        }
        json_decref(seen);
        if (holds)
            return json_object();
        if (over || call->scenario->failed)
            return NULL;
        pause_ms(1);
    }
}

static json_t *calls(struct call *call)
{
    json_t *selected = journal_select(call->scenario, json_object_get(call->step, "of"));
    return json_pack("{s:I,s:o}", "count", (json_int_t)json_array_size(selected), "calls", selected);
}

static struct job *job_named(struct call *call)
{
    const char *name = json_string_value(json_object_get(call->step, "job"));
    pthread_mutex_lock(&call->scenario->lock);
    struct job *job = call->scenario->jobs;
    while (job != NULL && (name == NULL || strcmp(job->name, name) != 0))
        job = job->next;
    pthread_mutex_unlock(&call->scenario->lock);
    if (job == NULL)
        broken(call, "there is no such job");
    return job;
}

static json_t *join(struct call *call)
{
    struct job *job = job_named(call);
    if (job == NULL)
        return NULL;
    if (job->joined)
        return broken(call, "the job was joined before");
    pthread_join(job->thread, NULL);
    job->joined = true;
    return json_object();
}

static json_t *job(struct call *call)
{
    struct job *job = job_named(call);
    if (job == NULL)
        return NULL;
    pthread_mutex_lock(&call->scenario->lock);
    bool done = job->done;
    pthread_mutex_unlock(&call->scenario->lock);
    return json_pack("{s:b}", "done", done);
}

static json_t *pause_step(struct call *call)
{
    int64_t ms = 0;
    if (!int_arg(call, call->step, "ms", &ms))
        return NULL;
    pause_ms((long)ms);
    return json_object();
}

/* ---- races ---- */

struct race {
    struct call call;
    pthread_barrier_t *start;
    json_t *got;
};

static void *race_main(void *argument)
{
    struct race *race = argument;
    pthread_barrier_wait(race->start);
    race->got = play_bare(&race->call);
    return NULL;
}

static json_t *race(struct call *call)
{
    json_t *step = json_object_get(call->step, "step"), *statuses, *count;
    int64_t threads = 2;
    const char *status;
    pthread_barrier_t start;
    bool ok = true;
    if (!int_arg(call, call->step, "threads", &threads) || threads < 1 || threads > 64)
        return broken(call, "a race has 1 to 64 threads");
    struct race races[64];
    pthread_t ids[64];
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int64_t i = 0; i < threads; i++) {
        races[i] = (struct race){{call->scenario, step, call->where}, &start, NULL};
        pthread_create(&ids[i], NULL, race_main, &races[i]);
    }
    statuses = json_object();
    for (int64_t i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        json_t *one = json_object_get(races[i].got, "statuses"), *plain = json_object_get(races[i].got, "status");
        ok = ok && races[i].got != NULL;
        json_object_foreach(one, status, count)
            json_object_set_new(statuses, status, json_integer(json_integer_value(json_object_get(statuses, status)) +
                                                               json_integer_value(count)));
        if (one == NULL && plain != NULL) {
            status = json_string_value(plain);
            json_object_set_new(statuses, status,
                                json_integer(json_integer_value(json_object_get(statuses, status)) + 1));
        }
        json_decref(races[i].got);
    }
    pthread_barrier_destroy(&start);
    json_t *got = json_pack("{s:o}", "statuses", statuses);
    if (ok)
        return got;
    json_decref(got);
    return NULL;
}

/* ---- times of events ---- */

static uint64_t unix_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static struct mark *mark_named(struct scenario *scenario, json_t *name)
{
    struct mark *mark = scenario->marks;
    while (mark != NULL && (!json_is_string(name) || strcmp(mark->name, json_string_value(name)) != 0))
        mark = mark->next;
    return mark;
}

static json_t *mark(struct call *call)
{
    struct mark *mark = calloc(1, sizeof *mark);
    const char *name = json_string_value(json_object_get(call->step, "as"));
    mark->name = strdup(name != NULL ? name : "");
    mark->unix_ns = unix_ns();
    mark->next = call->scenario->marks;
    call->scenario->marks = mark;
    return json_object();
}

static json_t *event_times(struct call *call)
{
    const char *key = json_string_value(json_object_get(call->step, "metric"));
    struct metric *metric = key != NULL ? metric_keyed(call->scenario, key) : NULL;
    struct mark *after = mark_named(call->scenario, json_object_get(call->step, "after"));
    struct mark *before = mark_named(call->scenario, json_object_get(call->step, "before"));
    int64_t tolerance_ms = 0;
    if (metric == NULL || after == NULL || before == NULL ||
        !int_arg(call, call->step, "tolerance_ms", &tolerance_ms))
        return broken(call, "the step needs 'metric', 'after' and 'before'");
    uint64_t tolerance = (uint64_t)tolerance_ms * 1000000u;
    bool within = metric->first_time + tolerance >= after->unix_ns && metric->last_time <= before->unix_ns + tolerance;
    return json_pack("{s:b}", "within", within);
}

/* ---- a forked child ---- */

#ifdef _WIN32
static json_t *in_fork(struct call *call)
{
    return broken(call, "Windows has no fork()");
}
#else
static json_t *in_fork(struct call *call)
{
    int ends[2];
    char verdict = 'f';
    if (pipe(ends) != 0)
        return broken(call, "no pipe");
    fflush(stdout);
    /* No other thread of the scenario may hold the lock at the moment of the fork: the child has this thread only. */
    pthread_mutex_lock(&call->scenario->lock);
    pid_t child = fork();
    pthread_mutex_unlock(&call->scenario->lock);
    if (child == 0) {
        alarm(PATIENCE_MS / 1000);
        play_steps(call->scenario, json_object_get(call->step, "steps"), call->where);
        verdict = call->scenario->failed ? 'f' : 'p';
        /* Not by the exit code: leak checkers have it their own way. */
        if (write(ends[1], &verdict, 1) != 1)
            _exit(2);
        _exit(0);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &verdict, 1) != 1)
        verdict = 'f';
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return verdict == 'p' ? json_object() : broken(call, "the child failed or hung");
}
#endif

const struct op flow_ops[] = {
    {"open_gate", "gate", "", open_gate},
    {"wait_until", "recorder runtime state stats gate reached calls count completion", "", wait_until},
    {"calls", "of", "calls count", calls},
    {"join", "job", "", join},
    {"job", "job", "done", job},
    {"pause", "ms", "", pause_step},
    {"race", "threads step", "statuses", race},
    {"mark", "as", "", mark},
    {"event_times", "metric after before tolerance_ms", "within", event_times},
    {"in_fork", "steps", "", in_fork},
    {NULL, NULL, NULL, NULL},
};
