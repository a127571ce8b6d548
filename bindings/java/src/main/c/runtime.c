#include "options.h"
#include "thread.h"

#define RUNTIME(number) POINTER(mvx_runtime, number)

/* numbers: queue_max_size, queue_max_bytes, overflow_policy, worker_threads, shutdown_timeout_ns; those of the log */
NATIVE(jlong, runtimeCreate)(JNIEnv *env, jclass c, jbyteArray name_space, jbyteArray prefix, jlongArray array,
                             jobject log)
{
    (void)c;
    arena memory = arena_new(env);
    size_t count;
    const jlong *numbers = arena_longs(&memory, array, &count);
    const mvx_thread_hooks thread_hooks = {.struct_size = sizeof thread_hooks, .on_stop = thread_stopped};
    mvx_runtime_options options = {.struct_size = sizeof options};
    options.name_space = arena_str(&memory, name_space);
    options.thread_name_prefix = arena_str(&memory, prefix);
    options.thread_hooks = &thread_hooks;
    mvx_runtime *runtime = NULL;
    if (!memory.failed) {
        options.recorder_queue_max_size = numbers[0];
        options.recorder_queue_max_bytes = numbers[1];
        options.recorder_overflow_policy = (uint32_t)numbers[2];
        options.worker_threads = (uint32_t)numbers[3];
        options.shutdown_timeout_ns = numbers[4];
        options.log = log_in(&memory, log, numbers + 5);
    }
    if (!memory.failed) {
        mvx_error *error = NULL;
        succeeded(env, mvx_runtime_create(&options, &runtime, &error), &error);
    }
    arena_free(&memory);
    return NUMBER(runtime);
}

NATIVE(jlong, runtimeDefault)(JNIEnv *env, jclass c)
{
    (void)c;
    mvx_runtime *runtime = NULL;
    mvx_error *error = NULL;
    succeeded(env, mvx_runtime_default(&runtime, &error), &error);
    return NUMBER(runtime);
}

NATIVE(jlong, runtimeClone)(JNIEnv *env, jclass c, jlong runtime)
{
    (void)c;
    mvx_runtime *clone = NULL;
    succeeded(env, mvx_runtime_clone(RUNTIME(runtime), &clone), NULL);
    return NUMBER(clone);
}

NATIVE(void, runtimeStart)(JNIEnv *env, jclass c, jlong runtime)
{
    (void)c;
    mvx_error *error = NULL;
    succeeded(env, mvx_runtime_start(RUNTIME(runtime), &error), &error);
}

NATIVE(void, runtimeShutdown)(JNIEnv *env, jclass c, jlong runtime)
{
    (void)c;
    mvx_error *error = NULL;
    succeeded(env, mvx_runtime_shutdown(RUNTIME(runtime), &error), &error);
}

NATIVE(jlong, runtimeShutdownAsync)(JNIEnv *env, jclass c, jlong runtime)
{
    (void)c;
    mvx_wait *wait = NULL;
    mvx_error *error = NULL;
    succeeded(env, mvx_runtime_shutdown_async(RUNTIME(runtime), &wait, &error), &error);
    return NUMBER(wait);
}

NATIVE(jint, runtimeState)(JNIEnv *env, jclass c, jlong runtime)
{
    (void)c;
    int32_t state = 0;
    succeeded(env, mvx_runtime_state(RUNTIME(runtime), &state), NULL);
    return state;
}

NATIVE(jobject, runtimeLastError)(JNIEnv *env, jclass c, jlong runtime)
{
    (void)c;
    mvx_error *last = NULL;
    if (!succeeded(env, mvx_runtime_last_error(RUNTIME(runtime), &last), NULL))
        return NULL;
    return exception_taken(env, last);
}

/* how: 0 get, 1 try to get, 2 stop, 3 stop and remove */
NATIVE(jlong, runtimeRecorder)(JNIEnv *env, jclass c, jlong runtime, jint how, jbyteArray id)
{
    (void)c;
    arena memory = arena_new(env);
    mvx_str name = arena_str(&memory, id);
    mvx_recorder *recorder = NULL;
    if (!memory.failed) {
        mvx_error *error = NULL;
        mvx_status status;
        switch (how) {
        case 0: status = mvx_runtime_get_recorder(RUNTIME(runtime), name, &recorder, &error); break;
        case 1: status = mvx_runtime_try_get_recorder(RUNTIME(runtime), name, &recorder, &error); break;
        case 2: status = mvx_runtime_stop_recorder(RUNTIME(runtime), name, &error); break;
        default: status = mvx_runtime_stop_and_remove_recorder(RUNTIME(runtime), name, &recorder, &error);
        }
        succeeded(env, status, &error);
    }
    arena_free(&memory);
    return NUMBER(recorder);
}

/* How many, then the ids. */
NATIVE(jbyteArray, runtimeRecorderIds)(JNIEnv *env, jclass c, jlong runtime)
{
    (void)c;
    mvx_strings *ids = NULL;
    mvx_error *error = NULL;
    if (!succeeded(env, mvx_runtime_list_recorder_ids(RUNTIME(runtime), &ids, &error), &error))
        return NULL;
    sink packed = {NULL, 0, 0, 0};
    size_t count = mvx_strings_len(ids);
    sink_u32(&packed, count);
    for (size_t i = 0; i < count; i++)
        sink_str(&packed, mvx_strings_at(ids, i));
    mvx_strings_free(ids);
    return sink_out(env, &packed);
}

NATIVE(void, runtimeFree)(JNIEnv *env, jclass c, jlong runtime)
{
    (void)env;
    (void)c;
    mvx_runtime_free(RUNTIME(runtime));
}
