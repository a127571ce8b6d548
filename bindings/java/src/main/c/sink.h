/* What the library gives, on its way to Java. */
#ifndef MVX_JAVA_SINK_H
#define MVX_JAVA_SINK_H

#include <jni.h>
#include <stddef.h>
#include <stdint.h>

#include "mvx_metrics.h"

/* Numbers and texts one after the other, for one crossing into Java, which reads them with Packed.java. */
typedef struct sink {
    char *data;
    size_t len, room;
    int failed;
} sink;

void sink_put(sink *to, const void *data, size_t len);
void sink_u32(sink *to, size_t number);
void sink_str(sink *to, mvx_str text);
/* Gives it to Java and frees it. NULL: an exception is pending. */
jbyteArray sink_out(JNIEnv *env, sink *from);

jbyteArray bytes_out(JNIEnv *env, const void *data, size_t len);
/* Gives a text that its receiver owns to Java, and frees it. */
jbyteArray text_out(JNIEnv *env, mvx_text *text);

#endif
