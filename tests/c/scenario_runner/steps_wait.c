/* Steps on wait handles and on the tokens of pending hooks. */
#include "runner.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <poll.h>
#endif
#include <string.h>

static json_t *wait_block(struct call *call)
{
    void *wait;
    int64_t timeout_ms = PATIENCE_MS;
    if (!handle_of(call, "wait", KIND_WAIT, &wait) || !int_arg(call, call->step, "timeout_ms", &timeout_ms))
        return NULL;
    return result_plain(mvx_wait_block(wait, timeout_ms < 0 ? -1 : timeout_ms * 1000000));
}

static json_t *wait_result(struct call *call)
{
    void *wait;
    int32_t operation = 0;
    mvx_error *error = NULL;
    if (!handle_of(call, "wait", KIND_WAIT, &wait))
        return NULL;
    mvx_status status = mvx_wait_result(wait, flag_arg(call->step, "null_out") ? NULL : &operation, &error);
    json_t *got = result(call, status, error);
    if (operation != 0)
        json_object_set_new(got, "operation", json_string(name_of(operations, operation)));
    return got;
}

static json_t *wait_on_complete(struct call *call)
{
    void *wait;
    const char *name = json_string_value(json_object_get(call->step, "callback"));
    struct use *use = NULL;
    if (!handle_of(call, "wait", KIND_WAIT, &wait))
        return NULL;
    if (name == NULL && !gives_null(call, "callback"))
        return broken(call, "the step needs 'callback'");
    use = use_add(call->scenario, USE_OF_CALLBACK, name != NULL ? name : "(no callback)", NULL);
    use->steps = json_object_get(call->step, "steps");
    mvx_status status = mvx_wait_on_complete(wait, name != NULL ? completion_called : NULL, use, use_dropped);
    pthread_mutex_lock(&call->scenario->lock);
    bool called = use->called && pthread_equal(use->thread, pthread_self());
    pthread_mutex_unlock(&call->scenario->lock);
    json_t *got = result_plain(status);
    json_object_set_new(got, "called", json_boolean(called));
    return got;
}

/* What a wait has for event loops, and whether that says so: a file descriptor, or an event HANDLE. */
#ifdef _WIN32
typedef HANDLE descriptor;
#define mvx_wait_fd mvx_wait_handle

static bool readable(descriptor handle, int timeout_ms)
{
    return WaitForSingleObject(handle, (DWORD)timeout_ms) == WAIT_OBJECT_0;
}
#else
typedef int descriptor;

static bool readable(descriptor fd, int timeout_ms)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    return poll(&watched, 1, timeout_ms) == 1 && (watched.revents & POLLIN) != 0;
}
#endif

static json_t *wait_fd(struct call *call)
{
    void *wait;
    descriptor fd;
    int64_t timeout_ms = 0;
    if (!handle_of(call, "wait", KIND_WAIT, &wait) || !int_arg(call, call->step, "timeout_ms", &timeout_ms))
        return NULL;
    mvx_status status = mvx_wait_fd(wait, flag_arg(call->step, "null_out") ? NULL : &fd);
    json_t *got = result_plain(status);
    if (status == MVX_OK)
        json_object_set_new(got, "readable", json_boolean(readable(fd, (int)timeout_ms)));
    return got;
}

static json_t *wait_free(struct call *call)
{
    void *wait;
    if (!handle_of(call, "wait", KIND_WAIT, &wait))
        return NULL;
    object_freed(call->scenario, KIND_WAIT, json_object_get(call->step, "wait"));
    mvx_wait_free(wait);
    return json_object();
}

static json_t *completion_done(struct call *call)
{
    void *completion;
    struct text message;
    if (!handle_of(call, "completion", KIND_COMPLETION, &completion) || !text_arg(call, "fail", &message))
        return NULL;
    object_freed(call->scenario, KIND_COMPLETION, json_object_get(call->step, "completion"));
    mvx_status status = mvx_completion_done(completion, message.str);
    text_free(&message);
    return result_plain(status);
}

const struct op wait_ops[] = {
    {"wait_block", "wait timeout_ms", "", wait_block},
    {"wait_result", "wait null_out", "error operation", wait_result},
    {"wait_on_complete", "wait callback steps", "called", wait_on_complete},
    {"wait_fd", "wait timeout_ms null_out", "readable", wait_fd},
    {"wait_free", "wait", "", wait_free},
    {"completion_done", "completion fail", "", completion_done},
    {NULL, NULL, NULL, NULL},
};
