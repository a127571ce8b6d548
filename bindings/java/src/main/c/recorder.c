#include "options.h"

#define RECORDER(number) POINTER(mvx_recorder, number)

/* id null: outside of the registry. numbers: queue_max_size, queue_max_bytes, overflow_policy, block_timeout_ns,
 * metric_error_policy, folding, hooks installed; those of the log */
NATIVE(jlong, recorderCreate)(JNIEnv *env, jclass c, jlong runtime, jbyteArray id, jbyteArray entity_id,
                              jbyteArray name_space, jlongArray array, jobject hooks, jobject log)
{
    (void)c;
    arena memory = arena_new(env);
    size_t count;
    const jlong *numbers = arena_longs(&memory, array, &count);
    mvx_str name = arena_str(&memory, id);
    mvx_recorder_options options = {.struct_size = sizeof options};
    options.entity_id = arena_str(&memory, entity_id);
    options.name_space = arena_str(&memory, name_space);
    mvx_recorder *recorder = NULL;
    if (!memory.failed) {
        options.queue_max_size = numbers[0];
        options.queue_max_bytes = numbers[1];
        options.overflow_policy = (uint32_t)numbers[2];
        options.block_timeout_ns = numbers[3];
        options.metric_error_policy = (uint32_t)numbers[4];
        options.folding = (uint32_t)numbers[5];
        options.log = log_in(&memory, log, numbers + 7);
        options.hooks = hooks_in(&memory, hooks, numbers[6]);
    }
    if (!memory.failed) {
        mvx_error *error = NULL;
        mvx_status status = id == NULL
            ? mvx_recorder_create(POINTER(mvx_runtime, runtime), &options, &recorder, &error)
            : mvx_runtime_create_recorder(POINTER(mvx_runtime, runtime), name, &options, &recorder, &error);
        succeeded(env, status, &error);
    }
    arena_free(&memory);
    return NUMBER(recorder);
}

NATIVE(jlong, recorderClone)(JNIEnv *env, jclass c, jlong recorder)
{
    (void)c;
    mvx_recorder *clone = NULL;
    succeeded(env, mvx_recorder_clone(RECORDER(recorder), &clone), NULL);
    return NUMBER(clone);
}

/* Gives a wait, or 0 where none is wanted. */
NATIVE(jlong, recorderOperate)(JNIEnv *env, jclass c, jlong recorder, jint operation, jboolean waits)
{
    (void)c;
    mvx_wait *wait = NULL, **wanted = waits ? &wait : NULL;
    mvx_error *error = NULL;
    mvx_status status;
    switch (operation) {
    case MVX_OPERATION_START: status = mvx_recorder_start(RECORDER(recorder), wanted, &error); break;
    case MVX_OPERATION_STOP: status = mvx_recorder_stop(RECORDER(recorder), wanted, &error); break;
    default: status = mvx_recorder_flush(RECORDER(recorder), wanted, &error);
    }
    succeeded(env, status, &error);
    return NUMBER(wait);
}

NATIVE(void, recorderCancel)(JNIEnv *env, jclass c, jlong recorder)
{
    (void)c;
    mvx_error *error = NULL;
    succeeded(env, mvx_recorder_cancel(RECORDER(recorder), &error), &error);
}

NATIVE(jint, recorderState)(JNIEnv *env, jclass c, jlong recorder)
{
    (void)c;
    int32_t state = 0;
    succeeded(env, mvx_recorder_state(RECORDER(recorder), &state), NULL);
    return state;
}

NATIVE(jobject, recorderLastError)(JNIEnv *env, jclass c, jlong recorder)
{
    (void)c;
    mvx_error *last = NULL;
    if (!succeeded(env, mvx_recorder_last_error(RECORDER(recorder), &last), NULL))
        return NULL;
    return exception_taken(env, last);
}

NATIVE(jbyteArray, recorderEntityId)(JNIEnv *env, jclass c, jlong recorder)
{
    (void)c;
    mvx_text *text = NULL;
    return succeeded(env, mvx_recorder_entity_id(RECORDER(recorder), &text), NULL) ? text_out(env, text) : NULL;
}

NATIVE(jbyteArray, recorderNameSpace)(JNIEnv *env, jclass c, jlong recorder)
{
    (void)c;
    mvx_text *text = NULL;
    return succeeded(env, mvx_recorder_name_space(RECORDER(recorder), &text), NULL) ? text_out(env, text) : NULL;
}

NATIVE(jlongArray, recorderStats)(JNIEnv *env, jclass c, jlong recorder)
{
    (void)c;
    struct mvx_recorder_stats stats = {.struct_size = sizeof stats};
    if (!succeeded(env, mvx_recorder_stats(RECORDER(recorder), &stats), NULL))
        return NULL;
    const jlong numbers[] = {
        (jlong)stats.accepted, (jlong)stats.dispatched, (jlong)stats.dropped, (jlong)stats.refused,
        (jlong)stats.discarded, (jlong)stats.pending, (jlong)stats.pending_max, (jlong)stats.pending_bytes,
        (jlong)stats.quarantined_metrics, stats.lag_ns,
    };
    jlongArray array = (*env)->NewLongArray(env, 10);
    if (array != NULL)
        (*env)->SetLongArrayRegion(env, array, 0, 10, numbers);
    return array;
}

NATIVE(jlong, snapshotTake)(JNIEnv *env, jclass c, jlong recorder, jint mode, jlong timeout_ns)
{
    (void)c;
    mvx_snapshot *snapshot = NULL;
    mvx_error *error = NULL;
    succeeded(env, mvx_recorder_snapshot(RECORDER(recorder), (uint32_t)mode, timeout_ns, &snapshot, &error), &error);
    return NUMBER(snapshot);
}

/* Fills a list through Callbacks.visit. */
NATIVE(void, recorderIterMetrics)(JNIEnv *env, jclass c, jlong recorder, jobject list)
{
    (void)c;
    visit to = {env, list};
    mvx_error *error = NULL;
    mvx_status status = mvx_recorder_iter_metrics(RECORDER(recorder), on_visit, &to, &error);
    if (!(*env)->ExceptionCheck(env))
        succeeded(env, status, &error);
}

NATIVE(void, recorderFree)(JNIEnv *env, jclass c, jlong recorder)
{
    (void)env;
    (void)c;
    mvx_recorder_free(RECORDER(recorder));
}
