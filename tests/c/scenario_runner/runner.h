/* Plays the scenario files of tests/scenarios against the library. The format is described in
   tests/scenarios/README.md; the words used here are the words of that page. */
#ifndef SCENARIO_RUNNER_H
#define SCENARIO_RUNNER_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mvx_metrics.h"

/* How long a step may wait for something that must come; the limit of a whole scenario is on the command line. */
#define PATIENCE_MS 20000

#if defined(__GNUC__)
#ifdef _WIN32
#define PRINTF_LIKE(text, first) __attribute__((format(gnu_printf, text, first)))
#else
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#endif
#else
#define PRINTF_LIKE(text, first)
#endif

enum kind { KIND_RUNTIME, KIND_RECORDER, KIND_WAIT, KIND_SNAPSHOT, KIND_COMPLETION };

/* A handle or snapshot under a scenario's name for it. A freed one stays, so that a step can use it once more. */
struct object {
    struct object *next;
    enum kind kind;
    char *name;
    void *value;
    bool live;
};

struct gate {
    struct gate *next;
    char *name;
    bool open;
    long long reached;
};

/* What a callback does at each of its calls. */
struct script {
    json_t *behaviours; /* borrowed; NULL: always ok */
    size_t calls;
};

struct field {
    const char *name;
    uint32_t kind, offset, size;
};

#define MAX_FIELDS 16

struct event {
    struct event *next;
    struct scenario *scenario;
    const char *key;
    char *name; /* as declared: with the scenario's name before it */
    mvx_event_type type;
    bool release;
    struct field fields[MAX_FIELDS];
    size_t field_count, len;
};

/* The state of a scripted metric. It has no lock: the library promises that none is needed, and `owner` checks that. */
struct metric {
    struct metric *next;
    const char *key, *kind;
    json_t *config; /* borrowed */
    struct script handle, snapshot;
    mvx_event_type *types;
    size_t type_count;
    long long total;
    json_t *by;     /* count */
    json_t *values; /* list */
    json_t *last;   /* last */
    uint64_t first_time, last_time;
    _Atomic uintptr_t owner; /* the thread inside one of its functions */
    int depth;
};

struct hooks {
    struct hooks *next;
    const char *key;
    json_t *config;
    struct script on_starting, on_stopped, on_metric_changed;
};

struct log {
    struct log *next;
    const char *key;
    json_t *config;
};

enum use_of { USE_OF_METRIC, USE_OF_HOOKS, USE_OF_LOG, USE_OF_CALLBACK };

/* One user_data handed to the library. It stays until the scenario is over, so that a second drop is seen. */
struct use {
    struct use *next;
    struct scenario *scenario;
    enum use_of of;
    const char *key;
    void *target;
    json_t *steps; /* of a completion callback */
    int drops;
    bool drop_due; /* false where the library can't know of the drop */
    bool called;
    pthread_t thread;
};

struct job {
    struct job *next;
    struct scenario *scenario;
    char *name;
    json_t *step;
    char where[256];
    pthread_t thread;
    bool done, joined;
};

struct worker {
    struct worker *next;
    struct scenario *scenario;
    char *name;
    pthread_t thread;
    json_t *step;
    const char *where;
    bool busy, quit;
};

/* A step being played, for the report of a hang. */
struct active {
    struct active *next;
    const char *where;
};

struct mark {
    struct mark *next;
    char *name;
    uint64_t unix_ns;
};

struct scenario {
    const char *path; /* as shown: without the folder of all scenarios and .json */
    json_t *root;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool failed, cleaning, default_runtime_used;
    json_t *journal;
    struct object *objects;
    struct gate *gates;
    struct event *events;
    struct metric *metrics;
    struct hooks *hooks;
    struct log *logs;
    struct use *uses;
    struct job *jobs;
    struct worker *workers;
    struct active *active;
    struct mark *marks;
};

/* A step being played. */
struct call {
    struct scenario *scenario;
    json_t *step;
    const char *where;
};

struct op {
    const char *name;
    const char *keys;  /* what the step may have besides the common keys */
    const char *gives; /* what its `expect` may have besides `status` */
    json_t *(*run)(struct call *call);
};

extern const struct op runtime_ops[], recorder_ops[], wait_ops[], flow_ops[];

/* scenario.c */
const struct op *op_find(const char *name);
bool scenario_check(const char *path, json_t *root);
bool scenario_play(const char *path, json_t *root, struct scenario **playing, pthread_mutex_t *playing_lock);
void play_step(struct scenario *scenario, json_t *step, const char *where);
void play_steps(struct scenario *scenario, json_t *steps, const char *where);
json_t *play_bare(struct call *call); /* the result, not compared with what is expected */
void pause_ms(long ms);
uint64_t now_ms(void);

/* report.c */
void fail(struct scenario *scenario, const char *where, const char *format, ...) PRINTF_LIKE(3, 4);
json_t *broken(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3); /* fails; gives NULL */
void compare(struct call *call, json_t *expect, json_t *got);
bool stats_match(json_t *expected, json_t *got);
bool error_match(json_t *expected, json_t *got, char *why, size_t size);
bool known_keys(json_t *object, const char *keys, const char *more, const char **stranger);

/* journal.c */
void journal_add(struct scenario *scenario, const char *format, ...) PRINTF_LIKE(2, 3);
json_t *journal_select(struct scenario *scenario, json_t *of);
struct gate *gate_named(struct scenario *scenario, const char *name); /* with the lock held */
void gate_pass(struct scenario *scenario, const char *name);
void gate_open(struct scenario *scenario, const char *name);
long long gate_reached(struct scenario *scenario, const char *name);

/* objects.c: what steps take and give */
bool object_bind(struct call *call, enum kind kind, const char *name, void *value);
struct object *object_named(struct scenario *scenario, enum kind kind, const char *name); /* with the lock held */
void object_freed(struct scenario *scenario, enum kind kind, json_t *reference);
bool handle_of(struct call *call, const char *key, enum kind kind, void **handle);
void give_handle(struct call *call, json_t *got, const char *key, enum kind kind, void *value);
bool gives_null(struct call *call, const char *key); /* the step asks for NULL as the out-parameter */

struct text {
    char *owned;
    mvx_str str;
};
bool text_of(struct call *call, json_t *value, struct text *text);
bool text_arg(struct call *call, const char *key, struct text *text); /* absent: empty */
void text_free(struct text *text);

struct name {
    const char *name;
    int64_t value;
};
extern const struct name recorder_states[], runtime_states[], overflow_policies[], metric_error_policies[],
    snapshot_modes[], metric_kinds[], metric_states[], operations[], field_kinds[], filter_ops[], value_kinds[],
    log_policies[], log_levels[];
const char *name_of(const struct name *names, int64_t value);
bool value_of(struct call *call, const struct name *names, json_t *json, uint32_t *value); /* a number goes as it is */

const char *status_name(mvx_status status);
json_t *result_plain(mvx_status status);
json_t *result(struct call *call, mvx_status status, mvx_error *error); /* takes the error */
json_t *error_json(const mvx_error *error);
json_t *json_text(mvx_str text);
bool int_arg(struct call *call, json_t *object, const char *key, int64_t *value);
bool flag_arg(json_t *object, const char *key);

/* steps_recorder.c, for runtime_create_recorder as well */
struct recorder_options {
    mvx_recorder_options raw;
    mvx_hooks hooks;
    mvx_log log;
    struct text entity_id, name_space;
};
bool recorder_options_of(struct call *call, struct recorder_options *options, const mvx_recorder_options **pointer);
void recorder_options_free(struct recorder_options *options);

/* events.c */
struct event *event_keyed(struct scenario *scenario, const char *key);
struct event *event_typed(struct scenario *scenario, mvx_event_type type);
bool events_declare(struct scenario *scenario);
void events_forget(struct scenario *scenario);
bool fields_of(struct call *call, json_t *list, bool natural, mvx_field *fields, size_t *count, size_t *len);
bool payload_of(struct call *call, const struct event *event, json_t *payload, unsigned char **bytes, size_t *len,
                bool *null);
json_t *payload_field(const struct event *event, const char *field, const void *payload, size_t len);
void event_show(const struct event *event, const void *payload, size_t len, char *text, size_t size);

/* callbacks.c */
bool callbacks_make(struct scenario *scenario);
void callbacks_free(struct scenario *scenario);
struct metric *metric_keyed(struct scenario *scenario, const char *key);
struct use *use_add(struct scenario *scenario, enum use_of of, const char *key, void *target);
struct use *use_at(struct scenario *scenario, const void *user_data);
bool metric_vtable(struct call *call, struct metric *metric, mvx_metric_vtable *vtable);
bool hooks_use(struct call *call, json_t *key, mvx_hooks *hooks);
bool log_use(struct call *call, json_t *key, mvx_log *log);
void completion_called(void *user_data, int32_t operation, mvx_status status, const mvx_error *error);
void use_dropped(void *user_data);

#endif
