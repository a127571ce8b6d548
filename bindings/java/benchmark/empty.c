#include <jni.h>

/* What a call into C costs that does nothing, with the arguments of those that record. */

JNIEXPORT jint JNICALL Java_Empty_record(JNIEnv *env, jclass c, jlong recorder, jint type, jlong address, jint len)
{
    (void)env, (void)c, (void)recorder, (void)type, (void)address, (void)len;
    return 0;
}

JNIEXPORT jint JNICALL Java_Empty_recordArray(JNIEnv *env, jclass c, jlong recorder, jint type, jbyteArray payload,
                                              jint offset, jint len)
{
    (void)env, (void)c, (void)recorder, (void)type, (void)payload, (void)offset, (void)len;
    return 0;
}
