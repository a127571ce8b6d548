#include "errors.h"

#include "sink.h"

static jclass exception_class;
static jmethodID exception_unpack;

int errors_load(JNIEnv *env)
{
    jclass found = (*env)->FindClass(env, "dev/mvx/metrics/MetricsException");
    if (found == NULL)
        return 0;
    exception_class = (*env)->NewGlobalRef(env, found);
    if (exception_class == NULL)
        return 0;
    exception_unpack =
        (*env)->GetStaticMethodID(env, found, "unpack", "(I[B)Ldev/mvx/metrics/MetricsException;");
    return exception_unpack != NULL;
}

void throw_out_of_memory(JNIEnv *env)
{
    if ((*env)->ExceptionCheck(env))
        return;
    jclass found = (*env)->FindClass(env, "java/lang/OutOfMemoryError");
    if (found != NULL)
        (*env)->ThrowNew(env, found, "no memory for a call into mvx_metrics");
}

jobject exception_of(JNIEnv *env, mvx_status status, const mvx_error *error)
{
    if (status == MVX_OK && error == NULL)
        return NULL;
    jbyteArray packed = NULL;
    if (error != NULL) {
        sink chain = {NULL, 0, 0, 0};
        for (const mvx_error *link = error; link != NULL; link = mvx_error_cause(link)) {
            sink_u32(&chain, (size_t)mvx_error_status(link));
            sink_str(&chain, mvx_error_reason(link));
            sink_str(&chain, mvx_error_message(link));
            sink_str(&chain, mvx_error_details_json(link));
        }
        packed = sink_out(env, &chain);
        if (packed == NULL)
            return NULL;
    }
    jobject exception =
        (*env)->CallStaticObjectMethod(env, exception_class, exception_unpack, (jint)status, packed);
    if ((*env)->ExceptionCheck(env))
        return NULL;
    if (packed != NULL)
        (*env)->DeleteLocalRef(env, packed);
    return exception;
}

jobject exception_taken(JNIEnv *env, mvx_error *error)
{
    jobject exception = error == NULL ? NULL : exception_of(env, mvx_error_status(error), error);
    mvx_error_free(error);
    return exception;
}

int succeeded(JNIEnv *env, mvx_status status, mvx_error **error)
{
    if (status == MVX_OK)
        return 1;
    jobject exception = exception_of(env, status, error == NULL ? NULL : *error);
    if (error != NULL)
        mvx_error_free(*error);
    if (exception != NULL)
        (*env)->Throw(env, exception);
    return 0;
}
