/* Another language of the process: it is linked with the library by name only, so it gets the copy that is loaded. */
#include <jni.h>
#include <malloc.h>
#include <stdint.h>

#include "mvx_metrics.h"

static mvx_event_type type_of(const char *name, size_t len)
{
    mvx_field fields[] = {
        {.name = MVX_STR("thread"), .kind = MVX_FIELD_I32, .offset = 0, .size = 4},
        {.name = MVX_STR("number"), .kind = MVX_FIELD_I32, .offset = 4, .size = 4},
    };
    mvx_event_type_options options = {.struct_size = sizeof options, .fields = fields, .field_count = 2};
    options.name.data = name;
    options.name.len = len;
    mvx_event_type type = 0;
    mvx_event_type_declare(&options, &type, NULL);
    return type;
}

JNIEXPORT jint JNICALL Java_dev_mvx_metrics_Foreign_eventType(JNIEnv *env, jclass c)
{
    (void)env;
    (void)c;
    return (jint)type_of("java.test.numbered", sizeof "java.test.numbered" - 1);
}

JNIEXPORT jint JNICALL Java_dev_mvx_metrics_Foreign_record(JNIEnv *env, jclass c, jlong recorder, jint count)
{
    (void)env;
    (void)c;
    mvx_event_type type = type_of("java.test.numbered", sizeof "java.test.numbered" - 1);
    for (int32_t i = 0; i < count; i++) {
        int32_t payload[] = {7, i};
        mvx_status status = mvx_recorder_register_event((mvx_recorder *)(uintptr_t)recorder, type, payload,
                                                        sizeof payload);
        if (status != MVX_OK)
            return status;
    }
    return MVX_OK;
}

JNIEXPORT jlong JNICALL Java_dev_mvx_metrics_Foreign_newRecorder(JNIEnv *env, jclass c)
{
    (void)env;
    (void)c;
    mvx_recorder *recorder = NULL;
    mvx_recorder_create(NULL, NULL, &recorder, NULL);
    return (jlong)(uintptr_t)recorder;
}

JNIEXPORT void JNICALL Java_dev_mvx_metrics_Foreign_freeRecorder(JNIEnv *env, jclass c, jlong recorder)
{
    (void)env;
    (void)c;
    mvx_recorder_free((mvx_recorder *)(uintptr_t)recorder);
}

static int32_t ignore(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)user_data;
    (void)event;
    (void)error;
    return MVX_EVENT_CHANGED;
}

static int32_t snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)user_data;
    (void)error;
    return mvx_writer_bool(writer, (mvx_str)MVX_STR("foreign"), 1) == MVX_OK ? MVX_SNAPSHOT_DONE
                                                                             : MVX_SNAPSHOT_FAILED;
}

/* Its user_data is a number that no language may take for an object of its own. */
JNIEXPORT jint JNICALL Java_dev_mvx_metrics_Foreign_registerMetric(JNIEnv *env, jclass c, jlong recorder)
{
    (void)env;
    (void)c;
    mvx_metric_vtable vtable = {.struct_size = sizeof vtable, .handle_event = ignore, .snapshot = snapshot};
    return mvx_recorder_register_metric((mvx_recorder *)(uintptr_t)recorder, (mvx_str)MVX_STR("foreign"), &vtable,
                                        (void *)(uintptr_t)42, NULL);
}

/* Bytes of the C heap that are in use; all of it, where there is one arena. */
JNIEXPORT jlong JNICALL Java_dev_mvx_metrics_Foreign_heapInUse(JNIEnv *env, jclass c)
{
    (void)env;
    (void)c;
    return (jlong)mallinfo2().uordblks;
}
