#include <stdlib.h>

#include "support.h"

#define RECORDER(number) POINTER(mvx_recorder, number)

/* A payload of an array up to this size is copied to the stack. */
#define SMALL 256

/* Statuses, not exceptions: these are the calls to make often, and a full queue is no surprise. */

NATIVE(jint, record)(JNIEnv *env, jclass c, jlong recorder, jint type, jlong address, jint len)
{
    (void)env;
    (void)c;
    return mvx_recorder_register_event(RECORDER(recorder), (mvx_event_type)type, POINTER(void, address), (size_t)len);
}

/* A payload of 16 bytes at most rides in registers, so that nobody waits for memory that was written just now. It is stored
 * with one instruction, as the library loads it with one. */
NATIVE(jint, recordWords)(JNIEnv *env, jclass c, jlong recorder, jint type, jlong first, jlong second, jint len)
{
    (void)env;
    (void)c;
    typedef jlong pair __attribute__((vector_size(16)));
    const pair payload = {first, second};
    return mvx_recorder_register_event(RECORDER(recorder), (mvx_event_type)type, &payload, (size_t)len);
}

/* Java has checked the range. */
NATIVE(jint, recordArray)(JNIEnv *env, jclass c, jlong recorder, jint type, jbyteArray payload, jint offset, jint len)
{
    (void)c;
    if (len <= SMALL) {
        uint64_t aligned[SMALL / 8];
        (*env)->GetByteArrayRegion(env, payload, offset, len, (jbyte *)aligned);
        return mvx_recorder_register_event(RECORDER(recorder), (mvx_event_type)type, aligned, (size_t)len);
    }
    char *copy = malloc((size_t)len);
    if (copy == NULL)
        return MVX_UNEXPECTED;
    (*env)->GetByteArrayRegion(env, payload, offset, len, (jbyte *)copy);
    mvx_status status = mvx_recorder_register_event(RECORDER(recorder), (mvx_event_type)type, copy, (size_t)len);
    free(copy);
    return status;
}

static jlong outcome(mvx_status status, size_t accepted)
{
    return (jlong)status << 32 | (jlong)(uint32_t)accepted;
}

/* Gives the status in the upper half, the number accepted in the lower. */
NATIVE(jlong, recordMany)(JNIEnv *env, jclass c, jlong recorder, jint type, jlong address, jint len_each, jint count)
{
    (void)env;
    (void)c;
    size_t accepted = 0;
    mvx_status status =
        mvx_recorder_register_events(RECORDER(recorder), (mvx_event_type)type, POINTER(void, address),
                                     (size_t)len_each, (size_t)count, &accepted);
    return outcome(status, accepted);
}

NATIVE(jlong, recordManyArray)(JNIEnv *env, jclass c, jlong recorder, jint type, jbyteArray payloads, jint len_each,
                               jint count)
{
    (void)c;
    arena memory = arena_new(env);
    mvx_str copy = arena_str(&memory, payloads);
    size_t accepted = 0;
    mvx_status status = MVX_UNEXPECTED;
    if (!memory.failed)
        status = mvx_recorder_register_events(RECORDER(recorder), (mvx_event_type)type, copy.data, (size_t)len_each,
                                              (size_t)count, &accepted);
    arena_free(&memory);
    return outcome(status, accepted);
}

NATIVE(jlong, addressOf)(JNIEnv *env, jclass c, jobject buffer)
{
    (void)c;
    return NUMBER((*env)->GetDirectBufferAddress(env, buffer));
}
