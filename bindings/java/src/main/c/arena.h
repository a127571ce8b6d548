/* What a call passes to the library, copied out of Java. */
#ifndef MVX_JAVA_ARENA_H
#define MVX_JAVA_ARENA_H

#include <jni.h>
#include <stddef.h>
#include <stdint.h>

#include "mvx_metrics.h"

/* Memory of one call, freed with it. Where there is none, `failed` is set and a Java exception is pending: nothing but
 * arena_free() may follow. */
typedef struct arena {
    JNIEnv *env;
    struct arena_block *blocks;
    int failed;
} arena;

arena arena_new(JNIEnv *env);
/* Zeroed, and never NULL unless `failed` is set; room for at least one byte. */
void *arena_take(arena *memory, size_t count, size_t size);
/* The bytes of a Java array; null gives an empty text. */
mvx_str arena_str(arena *memory, jbyteArray array);
/* The arrays in a Java array, as texts. */
mvx_str *arena_strs(arena *memory, jobjectArray array, size_t *count);
jint *arena_ints(arena *memory, jintArray array, size_t *count);
jlong *arena_longs(arena *memory, jlongArray array, size_t *count);
double *arena_doubles(arena *memory, jdoubleArray array, size_t *count);
/* A Java object as user_data, which user_drop() frees. */
void *arena_user(arena *memory, jobject object);
void arena_free(arena *memory);

#endif
