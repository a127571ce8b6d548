#include "callbacks.h"

#define WAIT(number) POINTER(mvx_wait, number)

/* The status of the wait itself; the operation's error comes from waitResult. */
NATIVE(jint, waitBlock)(JNIEnv *env, jclass c, jlong wait, jlong timeout_ns)
{
    (void)env;
    (void)c;
    return mvx_wait_block(WAIT(wait), timeout_ns);
}

/* Gives the operation, or 0 where it is not over; `error` has room for why it failed. Throws where the wait itself is
 * of no use. */
NATIVE(jint, waitResult)(JNIEnv *env, jclass c, jlong wait, jobjectArray room)
{
    (void)c;
    int32_t operation = 0;
    mvx_error *error = NULL;
    mvx_status status = mvx_wait_result(WAIT(wait), &operation, &error);
    if (operation == 0) {
        succeeded(env, status, &error);
        return 0;
    }
    jobject exception = exception_of(env, status, error);
    mvx_error_free(error);
    if (exception != NULL)
        (*env)->SetObjectArrayElement(env, room, 0, exception);
    return operation;
}

NATIVE(void, waitOnComplete)(JNIEnv *env, jclass c, jlong wait, jobject callback)
{
    (void)c;
    arena memory = arena_new(env);
    void *user = arena_user(&memory, callback);
    if (!memory.failed)
        succeeded(env, mvx_wait_on_complete(WAIT(wait), on_complete, user, user_drop), NULL);
    arena_free(&memory);
}

NATIVE(jint, waitFd)(JNIEnv *env, jclass c, jlong wait)
{
    (void)c;
    int fd = -1;
#ifdef _WIN32
    (void)wait;
    mvx_status status = MVX_UNSUPPORTED;
#else
    mvx_status status = mvx_wait_fd(WAIT(wait), &fd);
#endif
    succeeded(env, status, NULL);
    return fd;
}

NATIVE(void, waitFree)(JNIEnv *env, jclass c, jlong wait)
{
    (void)env;
    (void)c;
    mvx_wait_free(WAIT(wait));
}

/* A null message means success. */
NATIVE(jint, completionDone)(JNIEnv *env, jclass c, jlong completion, jbyteArray message)
{
    (void)c;
    arena memory = arena_new(env);
    mvx_str text = arena_str(&memory, message);
    mvx_status status = MVX_UNEXPECTED;
    if (!memory.failed)
        status = mvx_completion_done(POINTER(mvx_completion, completion), text);
    arena_free(&memory);
    return status;
}
