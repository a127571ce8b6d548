/* Counts the attempts to save a document.
 *
 * The storage says what happened: an attempt to save, its outcome, its duration. It knows no counter. A metric
 * decides what an attempt means to it; the recorder hands it the events on a thread of its own. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mvx_metrics.h"

#define METRIC MVX_STR("document_storage.save.attempts")

/* What the storage reports. */
struct save_attempt {
    mvx_symbol outcome;
    double seconds;
};

/* What the metric makes of it. It needs no lock: a recorder calls its metrics one at a time. */
struct save_counts {
    mvx_symbol success;
    uint64_t total, success_total, failure_total;
};

static int32_t count_attempt(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    struct save_counts *counts = user_data;
    struct save_attempt attempt;
    (void)error; /* nothing here can fail: a payload shorter than its declared fields was never accepted */

    memcpy(&attempt, event->payload, sizeof attempt);
    counts->total++;
    if (attempt.outcome == counts->success)
        counts->success_total++;
    else
        counts->failure_total++;
    return MVX_EVENT_CHANGED;
}

static int32_t write_counts(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    const struct save_counts *counts = user_data;

    if (mvx_writer_u64(writer, MVX_STR("total"), counts->total) != MVX_OK ||
        mvx_writer_u64(writer, MVX_STR("success_total"), counts->success_total) != MVX_OK ||
        mvx_writer_u64(writer, MVX_STR("failure_total"), counts->failure_total) != MVX_OK) {
        mvx_callback_error_set(error, MVX_STR("the counts could not be written"));
        return MVX_SNAPSHOT_FAILED;
    }
    return MVX_SNAPSHOT_DONE;
}

/* Where a call offers an error, it says more than the status does. */
static void check(mvx_status status, const char *what, mvx_error **error)
{
    if (status == MVX_OK)
        return;
    mvx_str message = mvx_error_message(error ? *error : NULL);
    fprintf(stderr, "%s: %s %.*s\n", what, mvx_status_name(status), (int)message.len, message.data);
    if (error)
        mvx_error_free(*error);
    exit(EXIT_FAILURE);
}

static uint64_t count_of(const mvx_value *metric, mvx_str key)
{
    uint64_t count = 0;
    check(mvx_value_as_u64(mvx_value_get(metric, key), &count), "read a count", NULL);
    return count;
}

int main(void)
{
    mvx_error *error = NULL;

    mvx_symbol success, failure;
    check(mvx_intern(MVX_STR("success"), &success), "intern a text", NULL);
    check(mvx_intern(MVX_STR("failure"), &failure), "intern a text", NULL);

    const mvx_field fields[] = {
        { MVX_STR("outcome"), MVX_FIELD_SYMBOL, offsetof(struct save_attempt, outcome), sizeof(mvx_symbol) },
        { MVX_STR("seconds"), MVX_FIELD_F64, offsetof(struct save_attempt, seconds), sizeof(double) },
    };
    const mvx_event_type_options event_options = {
        .struct_size = sizeof event_options,
        .name = MVX_STR("document_storage.save.attempt"),
        .fields = fields,
        .field_count = 2,
    };
    mvx_event_type save_attempt;
    check(mvx_event_type_declare(&event_options, &save_attempt, &error), "declare the event type", &error);

    /* The runtime owns the threads. A recorder that it creates is running already. */
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    check(mvx_runtime_create(NULL, &runtime, &error), "create the runtime", &error);
    check(mvx_runtime_start(runtime, &error), "start the runtime", &error);
    check(mvx_runtime_create_recorder(runtime, MVX_STR("document_storage"), NULL, &recorder, &error),
          "create the recorder", &error);

    /* These counts outlive the recorder; a metric that doesn't gives its memory back in `drop`. */
    struct save_counts counts = { .success = success };
    const mvx_metric_vtable metric = {
        .struct_size = sizeof metric,
        .handle_event = count_attempt,
        .snapshot = write_counts,
        .event_types = &save_attempt,
        .event_type_count = 1,
    };
    check(mvx_recorder_register_metric(recorder, METRIC, &metric, &counts, &error), "register the metric", &error);

    const struct save_attempt attempts[] = { { success, 0.012 }, { failure, 1.5 }, { success, 0.009 } };
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        check(mvx_recorder_register_event(recorder, save_attempt, &attempts[i], sizeof attempts[i]),
              "register an event", NULL);

    /* Shows every event registered so far, and waits for them: a second at most. */
    mvx_snapshot *snapshot;
    check(mvx_recorder_snapshot(recorder, MVX_SNAPSHOT_CONSISTENT, 1000000000, &snapshot, &error),
          "take a snapshot", &error);
    const mvx_value *saved = mvx_snapshot_get(snapshot, METRIC);
    printf("{\"total\": %" PRIu64 ", \"success_total\": %" PRIu64 ", \"failure_total\": %" PRIu64 "}\n",
           count_of(saved, MVX_STR("total")), count_of(saved, MVX_STR("success_total")),
           count_of(saved, MVX_STR("failure_total")));
    mvx_snapshot_free(snapshot);

    check(mvx_runtime_shutdown(runtime, &error), "shut the runtime down", &error);
    mvx_recorder_free(recorder);
    mvx_runtime_free(runtime);
    return EXIT_SUCCESS;
}
