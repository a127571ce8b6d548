/* Steps on runtimes. */
#include "runner.h"

#include <string.h>

struct options {
    mvx_runtime_options raw;
    mvx_log log;
    struct text name_space, prefix;
};

static bool options_of(struct call *call, struct options *options, const mvx_runtime_options **pointer)
{
    json_t *json = json_object_get(call->step, "options"), *policy;
    const char *stranger;
    int64_t struct_size = sizeof options->raw, threads = 0, timeout_ms = 0;
    memset(options, 0, sizeof *options);
    *pointer = NULL;
    if (json == NULL)
        return true;
    if (!known_keys(json, "name_space recorder_queue_max_size recorder_queue_max_bytes recorder_overflow_policy "
                    "worker_threads shutdown_timeout_ms thread_name_prefix log struct_size", NULL, &stranger)) {
        broken(call, "unknown option '%s'", stranger);
        return false;
    }
    policy = json_object_get(json, "recorder_overflow_policy");
    if (!text_of(call, json_object_get(json, "name_space"), &options->name_space) ||
        !text_of(call, json_object_get(json, "thread_name_prefix"), &options->prefix) ||
        !int_arg(call, json, "recorder_queue_max_size", &options->raw.recorder_queue_max_size) ||
        !int_arg(call, json, "recorder_queue_max_bytes", &options->raw.recorder_queue_max_bytes) ||
        !int_arg(call, json, "worker_threads", &threads) ||
        !int_arg(call, json, "shutdown_timeout_ms", &timeout_ms) ||
        !int_arg(call, json, "struct_size", &struct_size) ||
        (policy != NULL && !value_of(call, overflow_policies, policy, &options->raw.recorder_overflow_policy)))
        return false;
    if (json_object_get(json, "log") != NULL) {
        if (!log_use(call, json_object_get(json, "log"), &options->log))
            return false;
        options->raw.log = &options->log;
        ((struct use *)options->log.user_data)->drop_due &= struct_size == sizeof options->raw;
    }
    options->raw.struct_size = (size_t)struct_size;
    options->raw.name_space = options->name_space.str;
    options->raw.thread_name_prefix = options->prefix.str;
    options->raw.worker_threads = (uint32_t)threads;
    options->raw.shutdown_timeout_ns = timeout_ms * 1000000;
    *pointer = &options->raw;
    return true;
}

static json_t *runtime_create(struct call *call)
{
    struct options options;
    const mvx_runtime_options *pointer;
    mvx_runtime *runtime = NULL;
    mvx_error *error = NULL;
    if (!options_of(call, &options, &pointer))
        return NULL;
    mvx_status status = mvx_runtime_create(pointer, gives_null(call, "as") ? NULL : &runtime, &error);
    text_free(&options.name_space);
    text_free(&options.prefix);
    json_t *got = result(call, status, error);
    give_handle(call, got, "as", KIND_RUNTIME, runtime);
    return got;
}

static json_t *runtime_default(struct call *call)
{
    mvx_runtime *runtime = NULL;
    mvx_error *error = NULL;
    call->scenario->default_runtime_used = true;
    mvx_status status = mvx_runtime_default(gives_null(call, "as") ? NULL : &runtime, &error);
    json_t *got = result(call, status, error);
    give_handle(call, got, "as", KIND_RUNTIME, runtime);
    return got;
}

static json_t *runtime_clone(struct call *call)
{
    void *runtime;
    mvx_runtime *clone = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
        return NULL;
    json_t *got = result_plain(mvx_runtime_clone(runtime, gives_null(call, "as") ? NULL : &clone));
    give_handle(call, got, "as", KIND_RUNTIME, clone);
    return got;
}

static json_t *runtime_start(struct call *call)
{
    void *runtime;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
        return NULL;
    mvx_status status = mvx_runtime_start(runtime, &error);
    return result(call, status, error);
}

static json_t *runtime_shutdown(struct call *call)
{
    void *runtime;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
        return NULL;
    mvx_status status = mvx_runtime_shutdown(runtime, &error);
    return result(call, status, error);
}

static json_t *runtime_shutdown_async(struct call *call)
{
    void *runtime;
    mvx_wait *wait = NULL;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
        return NULL;
    mvx_status status =
        mvx_runtime_shutdown_async(runtime, json_object_get(call->step, "wait") != NULL ? &wait : NULL, &error);
    json_t *got = result(call, status, error);
    give_handle(call, got, "wait", KIND_WAIT, wait);
    return got;
}

static json_t *runtime_state(struct call *call)
{
    void *runtime;
    int32_t state = -1;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
        return NULL;
    json_t *got = result_plain(mvx_runtime_state(runtime, flag_arg(call->step, "null_out") ? NULL : &state));
    if (state != -1)
        json_object_set_new(got, "state", json_string(name_of(runtime_states, state)));
    return got;
}

static json_t *runtime_last_error(struct call *call)
{
    void *runtime;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
        return NULL;
    json_t *got = result_plain(mvx_runtime_last_error(runtime, flag_arg(call->step, "null_out") ? NULL : &error));
    json_object_set_new(got, "error", error_json(error));
    mvx_error_free(error);
    return got;
}

static json_t *runtime_create_recorder(struct call *call)
{
    void *runtime;
    struct recorder_options options;
    const mvx_recorder_options *pointer;
    struct text id;
    mvx_recorder *recorder = NULL;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime) || !text_arg(call, "id", &id))
        return NULL;
    if (!recorder_options_of(call, &options, &pointer)) {
        text_free(&id);
        return NULL;
    }
    mvx_status status =
        mvx_runtime_create_recorder(runtime, id.str, pointer, gives_null(call, "as") ? NULL : &recorder, &error);
    recorder_options_free(&options);
    text_free(&id);
    json_t *got = result(call, status, error);
    give_handle(call, got, "as", KIND_RECORDER, recorder);
    return got;
}

static json_t *runtime_get_recorder(struct call *call)
{
    void *runtime;
    struct text id;
    mvx_recorder *recorder = NULL;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime) || !text_arg(call, "id", &id))
        return NULL;
    mvx_status status = mvx_runtime_get_recorder(runtime, id.str, gives_null(call, "as") ? NULL : &recorder, &error);
    text_free(&id);
    json_t *got = result(call, status, error);
    give_handle(call, got, "as", KIND_RECORDER, recorder);
    return got;
}

static json_t *runtime_try_get_recorder(struct call *call)
{
    void *runtime;
    struct text id;
    mvx_recorder *recorder = NULL;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime) || !text_arg(call, "id", &id))
        return NULL;
    mvx_status status =
        mvx_runtime_try_get_recorder(runtime, id.str, gives_null(call, "as") ? NULL : &recorder, &error);
    text_free(&id);
    json_t *got = result(call, status, error);
    json_object_set_new(got, "found", json_boolean(recorder != NULL));
    give_handle(call, got, "as", KIND_RECORDER, recorder);
    return got;
}

static json_t *runtime_list_recorder_ids(struct call *call)
{
    void *runtime;
    mvx_strings *ids = NULL;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
        return NULL;
    mvx_status status =
        mvx_runtime_list_recorder_ids(runtime, flag_arg(call->step, "null_out") ? NULL : &ids, &error);
    json_t *got = result(call, status, error);
    if (ids != NULL) {
        json_t *list = json_array();
        for (size_t i = 0; i < mvx_strings_len(ids); i++)
            json_array_append_new(list, json_text(mvx_strings_at(ids, i)));
        json_object_set_new(got, "ids", list);
    }
    mvx_strings_free(ids);
    return got;
}

static json_t *runtime_stop_recorder(struct call *call)
{
    void *runtime;
    struct text id;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime) || !text_arg(call, "id", &id))
        return NULL;
    mvx_status status = mvx_runtime_stop_recorder(runtime, id.str, &error);
    text_free(&id);
    return result(call, status, error);
}

static json_t *runtime_stop_and_remove_recorder(struct call *call)
{
    void *runtime;
    struct text id;
    mvx_recorder *recorder = NULL;
    mvx_error *error = NULL;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime) || !text_arg(call, "id", &id))
        return NULL;
    mvx_status status = mvx_runtime_stop_and_remove_recorder(
        runtime, id.str, json_object_get(call->step, "as") != NULL ? &recorder : NULL, &error);
    text_free(&id);
    json_t *got = result(call, status, error);
    give_handle(call, got, "as", KIND_RECORDER, recorder);
    return got;
}

static json_t *runtime_free(struct call *call)
{
    void *runtime;
    if (!handle_of(call, "runtime", KIND_RUNTIME, &runtime))
        return NULL;
    object_freed(call->scenario, KIND_RUNTIME, json_object_get(call->step, "runtime"));
    mvx_runtime_free(runtime);
    return json_object();
}

const struct op runtime_ops[] = {
    {"runtime_create", "options as", "error", runtime_create},
    {"runtime_default", "as", "error", runtime_default},
    {"runtime_clone", "runtime as", "", runtime_clone},
    {"runtime_start", "runtime", "error", runtime_start},
    {"runtime_shutdown", "runtime", "error", runtime_shutdown},
    {"runtime_shutdown_async", "runtime wait", "error", runtime_shutdown_async},
    {"runtime_state", "runtime null_out", "state", runtime_state},
    {"runtime_last_error", "runtime null_out", "error", runtime_last_error},
    {"runtime_create_recorder", "runtime id options as", "error", runtime_create_recorder},
    {"runtime_get_recorder", "runtime id as", "error", runtime_get_recorder},
    {"runtime_try_get_recorder", "runtime id as", "error found", runtime_try_get_recorder},
    {"runtime_list_recorder_ids", "runtime null_out", "error ids", runtime_list_recorder_ids},
    {"runtime_stop_recorder", "runtime id", "error", runtime_stop_recorder},
    {"runtime_stop_and_remove_recorder", "runtime id as", "error", runtime_stop_and_remove_recorder},
    {"runtime_free", "runtime", "", runtime_free},
    {NULL, NULL, NULL, NULL},
};
