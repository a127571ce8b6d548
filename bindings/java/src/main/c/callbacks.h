/* What the library calls; each goes on to a static method of dev.mvx.metrics.Callbacks. */
#ifndef MVX_JAVA_CALLBACKS_H
#define MVX_JAVA_CALLBACKS_H

#include "support.h"

int32_t on_event(void *user, const mvx_event *event, mvx_callback_error *error);
int32_t on_batch(void *user, const mvx_event *events, size_t count, uint8_t *changed, mvx_callback_error *error);
int32_t on_snapshot(void *user, mvx_writer *writer, mvx_callback_error *error);
int32_t on_starting(void *user, mvx_completion *completion, mvx_callback_error *error);
int32_t on_stopped(void *user, mvx_completion *completion, mvx_callback_error *error);
int32_t on_metric_changed(void *user, mvx_str name, void *metric, const mvx_event *event, mvx_completion *completion,
                          mvx_callback_error *error);
void on_log(void *user, const mvx_log_record *record);
void on_complete(void *user, int32_t operation, mvx_status status, const mvx_error *error);
void on_release(void *user, const void *payload, size_t len);
int32_t on_visit(void *context, const mvx_metric_info *metric);
void user_drop(void *user);

/* What on_visit needs. */
typedef struct visit {
    JNIEnv *env;
    jobject list;
} visit;

/* A dev.mvx.metrics.Dispatch with so many bytes, and where they are; NULL with an exception pending. */
jobject callbacks_dispatch(JNIEnv *env, size_t bytes, char **memory);

/* Looks the methods up; 0 with an exception pending. */
int callbacks_load(JNIEnv *env);

#endif
