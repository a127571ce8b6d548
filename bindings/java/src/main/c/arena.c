#include "arena.h"

#include <stdlib.h>

#include "errors.h"

struct arena_block {
    struct arena_block *next;
    uint64_t data[]; /* aligned for all that is put into it */
};

arena arena_new(JNIEnv *env)
{
    arena memory = {env, NULL, 0};
    return memory;
}

static void arena_fail(arena *memory)
{
    memory->failed = 1;
    throw_out_of_memory(memory->env);
}

void *arena_take(arena *memory, size_t count, size_t size)
{
    if (memory->failed)
        return NULL;
    struct arena_block *block = calloc(1, sizeof *block + count * size + 1);
    if (block == NULL) {
        arena_fail(memory);
        return NULL;
    }
    block->next = memory->blocks;
    memory->blocks = block;
    return block->data;
}

mvx_str arena_str(arena *memory, jbyteArray array)
{
    mvx_str text = {NULL, 0};
    if (array == NULL || memory->failed)
        return text;
    jsize len = (*memory->env)->GetArrayLength(memory->env, array);
    char *data = arena_take(memory, (size_t)len, 1);
    if (data == NULL)
        return text;
    (*memory->env)->GetByteArrayRegion(memory->env, array, 0, len, (jbyte *)data);
    text.data = data;
    text.len = (size_t)len;
    return text;
}

mvx_str *arena_strs(arena *memory, jobjectArray array, size_t *count)
{
    JNIEnv *env = memory->env;
    *count = 0;
    if (memory->failed)
        return NULL;
    jsize len = (*env)->GetArrayLength(env, array);
    mvx_str *texts = arena_take(memory, (size_t)len, sizeof *texts);
    if (texts == NULL)
        return NULL;
    for (jsize i = 0; i < len && !memory->failed; i++) {
        jobject element = (*env)->GetObjectArrayElement(env, array, i);
        if ((*env)->ExceptionCheck(env)) {
            memory->failed = 1;
            return texts;
        }
        texts[i] = arena_str(memory, element);
        (*env)->DeleteLocalRef(env, element);
    }
    *count = (size_t)len;
    return texts;
}

jint *arena_ints(arena *memory, jintArray array, size_t *count)
{
    *count = 0;
    if (memory->failed)
        return NULL;
    jsize len = (*memory->env)->GetArrayLength(memory->env, array);
    jint *numbers = arena_take(memory, (size_t)len, sizeof *numbers);
    if (numbers == NULL)
        return NULL;
    (*memory->env)->GetIntArrayRegion(memory->env, array, 0, len, numbers);
    *count = (size_t)len;
    return numbers;
}

jlong *arena_longs(arena *memory, jlongArray array, size_t *count)
{
    *count = 0;
    if (memory->failed)
        return NULL;
    jsize len = (*memory->env)->GetArrayLength(memory->env, array);
    jlong *numbers = arena_take(memory, (size_t)len, sizeof *numbers);
    if (numbers == NULL)
        return NULL;
    (*memory->env)->GetLongArrayRegion(memory->env, array, 0, len, numbers);
    *count = (size_t)len;
    return numbers;
}

double *arena_doubles(arena *memory, jdoubleArray array, size_t *count)
{
    *count = 0;
    if (memory->failed)
        return NULL;
    jsize len = (*memory->env)->GetArrayLength(memory->env, array);
    double *numbers = arena_take(memory, (size_t)len, sizeof *numbers);
    if (numbers == NULL)
        return NULL;
    (*memory->env)->GetDoubleArrayRegion(memory->env, array, 0, len, numbers);
    *count = (size_t)len;
    return numbers;
}

void *arena_user(arena *memory, jobject object)
{
    if (memory->failed)
        return NULL;
    jobject user = (*memory->env)->NewGlobalRef(memory->env, object);
    if (user == NULL)
        arena_fail(memory);
    return user;
}

void arena_free(arena *memory)
{
    while (memory->blocks != NULL) {
        struct arena_block *next = memory->blocks->next;
        free(memory->blocks);
        memory->blocks = next;
    }
}
