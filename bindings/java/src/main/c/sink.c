#include "sink.h"

#include <stdlib.h>
#include <string.h>

#include "errors.h"

void sink_put(sink *to, const void *data, size_t len)
{
    if (to->failed)
        return;
    if (len > to->room - to->len) {
        size_t room = 2 * (to->len + len) + 256;
        char *grown = realloc(to->data, room);
        if (grown == NULL) {
            to->failed = 1;
            return;
        }
        to->data = grown;
        to->room = room;
    }
    if (len > 0)
        memcpy(to->data + to->len, data, len);
    to->len += len;
}

void sink_u32(sink *to, size_t number)
{
    uint32_t narrow = (uint32_t)number;
    sink_put(to, &narrow, sizeof narrow);
}

void sink_str(sink *to, mvx_str text)
{
    sink_u32(to, text.len);
    sink_put(to, text.data, text.len);
}

jbyteArray sink_out(JNIEnv *env, sink *from)
{
    jbyteArray array = NULL;
    if (from->failed)
        throw_out_of_memory(env);
    else
        array = bytes_out(env, from->data, from->len);
    free(from->data);
    return array;
}

jbyteArray bytes_out(JNIEnv *env, const void *data, size_t len)
{
    if (len > INT32_MAX) {
        throw_out_of_memory(env);
        return NULL;
    }
    jbyteArray array = (*env)->NewByteArray(env, (jsize)len);
    if (array != NULL && len > 0)
        (*env)->SetByteArrayRegion(env, array, 0, (jsize)len, data);
    return array;
}

jbyteArray text_out(JNIEnv *env, mvx_text *text)
{
    mvx_str borrowed = mvx_text_str(text);
    jbyteArray array = bytes_out(env, borrowed.data, borrowed.len);
    mvx_text_free(text);
    return array;
}
