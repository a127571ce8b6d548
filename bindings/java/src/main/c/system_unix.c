#ifndef _WIN32
#define _GNU_SOURCE

#include "system.h"

#include <pthread.h>

static pthread_key_t key;

/* The loader has found the library: the one that the process has already, or the one beside this file. */
int system_load(JNIEnv *env, void (*thread_ended)(void *set))
{
    (void)env;
    return pthread_key_create(&key, thread_ended) == 0;
}

void *system_thread_get(void)
{
    return pthread_getspecific(key);
}

int system_thread_set(void *pointer)
{
    return pthread_setspecific(key, pointer) == 0;
}

void system_thread_name(char *name, size_t room)
{
    pthread_getname_np(pthread_self(), name, room);
}

#endif
