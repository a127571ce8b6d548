#include "callbacks.h"

#include <string.h>

#include "thread.h"

/* First a byte for each event: did it change the metric? Then of each event: type, length, time, and its payload, padded
 * to 8 bytes. Events.java reads the same. */
#define HEAD 16
#define PADDED(len) (((len) + 7) & ~(size_t)7)

static jclass callbacks;
static jmethodID events_method, snapshot_method, hook_method, changed_method, log_method, complete_method,
    release_method, visit_method, drop_method, dispatch_method;
static jfieldID dispatch_memory;

int callbacks_load(JNIEnv *env)
{
    const struct {
        jmethodID *id;
        const char *name, *signature;
    } methods[] = {
        {&events_method, "events", "(Ljava/lang/Object;Ldev/mvx/metrics/Dispatch;IZJ)I"},
        {&snapshot_method, "snapshot", "(Ljava/lang/Object;JJ)I"},
        {&hook_method, "hook", "(Ljava/lang/Object;ZJJ)I"},
        {&changed_method, "metricChanged", "(Ljava/lang/Object;[BJLdev/mvx/metrics/Dispatch;JJ)I"},
        {&log_method, "log", "(Ljava/lang/Object;[B)V"},
        {&complete_method, "complete", "(Ljava/lang/Object;ILdev/mvx/metrics/MetricsException;)V"},
        {&release_method, "release", "(Ljava/lang/Object;[B)V"},
        {&visit_method, "visit", "(Ljava/lang/Object;[BIIJLdev/mvx/metrics/MetricsException;)V"},
        {&drop_method, "drop", "(Ljava/lang/Object;J)V"},
        {&dispatch_method, "dispatch", "(I)Ldev/mvx/metrics/Dispatch;"},
    };
    jclass found = (*env)->FindClass(env, "dev/mvx/metrics/Callbacks");
    if (found == NULL)
        return 0;
    callbacks = (*env)->NewGlobalRef(env, found);
    if (callbacks == NULL)
        return 0;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        *methods[i].id = (*env)->GetStaticMethodID(env, found, methods[i].name, methods[i].signature);
        if (*methods[i].id == NULL)
            return 0;
    }
    jclass dispatch_class = (*env)->FindClass(env, "dev/mvx/metrics/Dispatch");
    if (dispatch_class == NULL)
        return 0;
    dispatch_memory = (*env)->GetFieldID(env, dispatch_class, "memory", "Ljava/nio/ByteBuffer;");
    return dispatch_memory != NULL;
}

jobject callbacks_dispatch(JNIEnv *env, size_t bytes, char **memory)
{
    if (bytes > INT32_MAX) {
        throw_out_of_memory(env);
        return NULL;
    }
    jobject made = (*env)->CallStaticObjectMethod(env, callbacks, dispatch_method, (jint)bytes);
    if ((*env)->ExceptionCheck(env))
        return NULL;
    jobject buffer = (*env)->GetObjectField(env, made, dispatch_memory);
    *memory = (*env)->GetDirectBufferAddress(env, buffer);
    (*env)->DeleteLocalRef(env, buffer);
    return made;
}

/* The library may know longer events than this header. */
static const mvx_event *event_at(const mvx_event *events, size_t index)
{
    return (const mvx_event *)((const char *)events + index * events->struct_size);
}

static int pack(JNIEnv *env, const mvx_event *events, size_t count, dispatch *into)
{
    size_t bytes = PADDED(count);
    for (size_t i = 0; i < count; i++)
        bytes += HEAD + PADDED(event_at(events, i)->len);
    if (!dispatch_take(env, bytes, into))
        return 0;
    memset(into->memory, 0, PADDED(count));
    char *to = into->memory + PADDED(count);
    for (size_t i = 0; i < count; i++) {
        const mvx_event *event = event_at(events, i);
        uint32_t len = (uint32_t)event->len;
        memcpy(to, &event->type, 4);
        memcpy(to + 4, &len, 4);
        memcpy(to + 8, &event->time_unix_ns, 8);
        if (len > 0)
            memcpy(to + HEAD, event->payload, len);
        to += HEAD + PADDED((size_t)len);
    }
    return 1;
}

static int32_t events_up(void *user, const mvx_event *events, size_t count, uint8_t *changed, jboolean single,
                         mvx_callback_error *error)
{
    JNIEnv *env = callback_enter();
    if (env == NULL)
        return MVX_EVENT_FAILED;
    int32_t outcome = MVX_EVENT_FAILED;
    dispatch packed;
    if (pack(env, events, count, &packed)) {
        outcome = (*env)->CallStaticIntMethod(env, callbacks, events_method, (jobject)user, packed.object,
                                              (jint)count, single, NUMBER(error));
        if (changed != NULL)
            memcpy(changed, packed.memory, count);
        dispatch_give_back(&packed);
    }
    return callback_leave(env, outcome, MVX_EVENT_FAILED);
}

int32_t on_event(void *user, const mvx_event *event, mvx_callback_error *error)
{
    return events_up(user, event, 1, NULL, JNI_TRUE, error);
}

int32_t on_batch(void *user, const mvx_event *events, size_t count, uint8_t *changed, mvx_callback_error *error)
{
    return events_up(user, events, count, changed, JNI_FALSE, error);
}

int32_t on_snapshot(void *user, mvx_writer *writer, mvx_callback_error *error)
{
    JNIEnv *env = callback_enter();
    if (env == NULL)
        return MVX_SNAPSHOT_FAILED;
    jint outcome = (*env)->CallStaticIntMethod(env, callbacks, snapshot_method, (jobject)user, NUMBER(writer),
                                               NUMBER(error));
    return callback_leave(env, outcome, MVX_SNAPSHOT_FAILED);
}

static int32_t hook(void *user, jboolean starting, mvx_completion *completion, mvx_callback_error *error)
{
    JNIEnv *env = callback_enter();
    if (env == NULL)
        return MVX_HOOK_FAILED;
    jint outcome = (*env)->CallStaticIntMethod(env, callbacks, hook_method, (jobject)user, starting,
                                               NUMBER(completion), NUMBER(error));
    return callback_leave(env, outcome, MVX_HOOK_FAILED);
}

int32_t on_starting(void *user, mvx_completion *completion, mvx_callback_error *error)
{
    return hook(user, JNI_TRUE, completion, error);
}

int32_t on_stopped(void *user, mvx_completion *completion, mvx_callback_error *error)
{
    return hook(user, JNI_FALSE, completion, error);
}

int32_t on_metric_changed(void *user, mvx_str name, void *metric, const mvx_event *event, mvx_completion *completion,
                          mvx_callback_error *error)
{
    JNIEnv *env = callback_enter();
    if (env == NULL)
        return MVX_HOOK_FAILED;
    int32_t outcome = MVX_HOOK_FAILED;
    jbyteArray text = bytes_out(env, name.data, name.len);
    dispatch packed;
    if (text != NULL && pack(env, event, 1, &packed)) {
        outcome = (*env)->CallStaticIntMethod(env, callbacks, changed_method, (jobject)user, text, NUMBER(metric),
                                              packed.object, NUMBER(completion), NUMBER(error));
        dispatch_give_back(&packed);
    }
    return callback_leave(env, outcome, MVX_HOOK_FAILED);
}

void on_log(void *user, const mvx_log_record *record)
{
    JNIEnv *env = callback_enter();
    if (env == NULL)
        return;
    sink packed = {NULL, 0, 0, 0};
    sink_u32(&packed, (size_t)record->level);
    sink_str(&packed, record->event);
    sink_str(&packed, record->target);
    sink_str(&packed, record->entity_id);
    sink_u32(&packed, record->field_count);
    for (size_t i = 0; i < record->field_count; i++) {
        sink_str(&packed, record->fields[i].key);
        sink_str(&packed, record->fields[i].value);
    }
    jbyteArray array = sink_out(env, &packed);
    if (array != NULL)
        (*env)->CallStaticVoidMethod(env, callbacks, log_method, (jobject)user, array);
    callback_leave(env, 0, 0);
}

void on_complete(void *user, int32_t operation, mvx_status status, const mvx_error *error)
{
    JNIEnv *env = callback_enter();
    if (env == NULL)
        return;
    jobject exception = exception_of(env, status, error);
    if (!(*env)->ExceptionCheck(env))
        (*env)->CallStaticVoidMethod(env, callbacks, complete_method, (jobject)user, (jint)operation, exception);
    callback_leave(env, 0, 0);
}

void on_release(void *user, const void *payload, size_t len)
{
    JNIEnv *env = callback_enter();
    if (env == NULL)
        return;
    jbyteArray copy = bytes_out(env, payload, len);
    if (copy != NULL)
        (*env)->CallStaticVoidMethod(env, callbacks, release_method, (jobject)user, copy);
    callback_leave(env, 0, 0);
}

/* On the thread that asked, inside its native call: an exception ends the visit and goes on there. */
int32_t on_visit(void *context, const mvx_metric_info *metric)
{
    visit *to = context;
    JNIEnv *env = to->env;
    jobject error = exception_of(env, MVX_OK, metric->error);
    if ((*env)->ExceptionCheck(env))
        return 1;
    jbyteArray name = bytes_out(env, metric->name.data, metric->name.len);
    if (name == NULL)
        return 1;
    (*env)->CallStaticVoidMethod(env, callbacks, visit_method, to->list, name, (jint)metric->kind,
                                 (jint)metric->state, NUMBER(metric->user_data), error);
    if ((*env)->ExceptionCheck(env))
        return 1;
    (*env)->DeleteLocalRef(env, name);
    if (error != NULL)
        (*env)->DeleteLocalRef(env, error);
    return 0;
}

void user_drop(void *user)
{
    JNIEnv *env = callback_enter();
    if (env == NULL)
        return;
    (*env)->CallStaticVoidMethod(env, callbacks, drop_method, (jobject)user, NUMBER(user));
    callback_leave(env, 0, 0);
    (*env)->DeleteGlobalRef(env, (jobject)user);
}
