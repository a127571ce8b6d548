#define _GNU_SOURCE /* dladdr */
#include "monitor.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "metrics.h"

#define NAME(text) { "" text, sizeof(text) - 1 }

/* Guards `connections` and the coming and going of the monitor. Recording an event never takes it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int connections;
static mvx_runtime *runtime;
static struct monitor the_monitor;

static mvx_str str_of(const char *text)
{
    return (mvx_str){ text, strlen(text) };
}

static mvx_status declare_events(struct monitor *monitor, mvx_error **error)
{
    const mvx_field fields[] = {
        { MVX_STR("kind"), MVX_FIELD_SYMBOL, offsetof(struct statement, kind), sizeof(mvx_symbol) },
        { MVX_STR("outcome"), MVX_FIELD_SYMBOL, offsetof(struct statement, outcome), sizeof(mvx_symbol) },
        { MVX_STR("seconds"), MVX_FIELD_F64, offsetof(struct statement, seconds), sizeof(double) },
        { MVX_STR("rows"), MVX_FIELD_U64, offsetof(struct statement, rows), sizeof(uint64_t) },
    };
    const mvx_event_type_options options = {
        .struct_size = sizeof options,
        .name = MVX_STR("sqlite.statement.ended"),
        .fields = fields,
        .field_count = sizeof fields / sizeof *fields,
    };

    for (int kind = 0; kind < KIND_COUNT; kind++) {
        mvx_status status = mvx_intern(str_of(statement_kind_name(kind)), &monitor->kinds[kind]);
        if (status != MVX_OK)
            return status;
    }
    return mvx_event_type_declare(&options, &monitor->statement_ended, error);
}

static mvx_status register_metrics(const struct monitor *monitor, mvx_error **error)
{
    static const mvx_str by_kind[] = { NAME("kind") };
    static const mvx_str by_kind_and_outcome[] = { NAME("kind"), NAME("outcome") };
    const mvx_metric_spec specs[] = {
        { .name = MVX_STR("sqlite.statements"), .help = MVX_STR("Statements that ended"), .kind = MVX_METRIC_COUNTER,
          .group_by = by_kind_and_outcome, .group_by_count = 2 },
        { .name = MVX_STR("sqlite.rows"), .help = MVX_STR("Rows that statements returned"),
          .kind = MVX_METRIC_COUNTER, .value_field = MVX_STR("rows"), .group_by = by_kind, .group_by_count = 1 },
        { .name = MVX_STR("sqlite.duration_seconds"), .unit = MVX_STR("seconds"),
          .help = MVX_STR("Time from the first step of a statement to its end"), .kind = MVX_METRIC_COUNTER,
          .value_field = MVX_STR("seconds"), .group_by = by_kind, .group_by_count = 1 },
        { .name = MVX_STR("sqlite.last_duration_seconds"), .unit = MVX_STR("seconds"),
          .help = MVX_STR("Duration of the last statement"), .kind = MVX_METRIC_GAUGE,
          .value_field = MVX_STR("seconds") },
    };

    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        mvx_metric_spec spec = specs[i];
        spec.struct_size = sizeof spec;
        spec.event_types = &monitor->statement_ended;
        spec.event_type_count = 1;
        mvx_status status = mvx_recorder_register_native_metric(monitor->recorder, &spec, error);
        if (status != MVX_OK)
            return status;
    }
    mvx_status status = register_latency(monitor->recorder, monitor->statement_ended, error);
    if (status == MVX_OK)
        status = register_slowest(monitor->recorder, monitor->statement_ended, error);
    return status;
}

static mvx_status start(mvx_error **error)
{
    /* A statement never waits for its measurement: what finds no room is dropped, and counted as dropped. */
    const mvx_runtime_options options = {
        .struct_size = sizeof options,
        .name_space = MVX_STR("sqlite"),
        .recorder_queue_max_size = 65536,
        .recorder_overflow_policy = MVX_OVERFLOW_DROP,
        .worker_threads = 1,
    };

    mvx_status status = declare_events(&the_monitor, error);
    if (status == MVX_OK)
        status = mvx_runtime_create(&options, &runtime, error);
    if (status == MVX_OK)
        status = mvx_runtime_start(runtime, error);
    if (status == MVX_OK)
        status = mvx_runtime_create_recorder(runtime, MVX_STR("statements"), NULL, &the_monitor.recorder, error);
    if (status == MVX_OK)
        status = register_metrics(&the_monitor, error);
    return status;
}

/* SQLite unloads an extension with its last connection. Where the library could not end its threads in time, one of them
 * may still call a metric in here, so this code must stay. */
static void stay_loaded(void)
{
    Dl_info self;
    if (dladdr(&the_monitor, &self))
        (void)dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

static void end(void)
{
    if (runtime != NULL && mvx_runtime_shutdown(runtime, NULL) != MVX_OK)
        stay_loaded();
    mvx_recorder_free(the_monitor.recorder);
    mvx_runtime_free(runtime);
    memset(&the_monitor, 0, sizeof the_monitor);
    runtime = NULL;
}

mvx_status monitor_acquire(const struct monitor **monitor, mvx_error **error)
{
    mvx_status status = MVX_OK;

    pthread_mutex_lock(&lock);
    if (connections == 0)
        status = start(error);
    if (status == MVX_OK) {
        connections++;
        *monitor = &the_monitor;
    } else {
        end();
    }
    pthread_mutex_unlock(&lock);
    return status;
}

void monitor_release(void)
{
    pthread_mutex_lock(&lock);
    if (--connections == 0)
        end();
    pthread_mutex_unlock(&lock);
}
