#define _GNU_SOURCE

#include "thread.h"

#include <pthread.h>
#include <stdint.h>

#include "callbacks.h"
#include "support.h"

#define ROOM_FOR_REFERENCES 16
#define LEAST_KEPT ((size_t)64 << 10)
#define MOST_KEPT ((size_t)1 << 20)

static JavaVM *machine;
static pthread_key_t attached_key;

static _Thread_local struct {
    int attached; /* by us, so that we detach it, too */
    int depth;
    int busy;
    size_t room;
    dispatch kept;
} self;

static void detach(void)
{
    JNIEnv *env;
    if (!self.attached)
        return;
    self.attached = 0;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_10) != JNI_OK)
        return;
    if (self.kept.object != NULL)
        (*env)->DeleteGlobalRef(env, self.kept.object);
    self.kept.object = NULL;
    (*machine)->DetachCurrentThread(machine);
}

/* For threads of runtimes that another language created. */
static void thread_ended(void *unused)
{
    (void)unused;
    detach();
}

void thread_stopped(void *unused)
{
    (void)unused;
    detach();
}

int thread_load(JavaVM *vm)
{
    machine = vm;
    return pthread_key_create(&attached_key, thread_ended) == 0;
}

static JNIEnv *attached(void)
{
    JNIEnv *env;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_10) == JNI_OK)
        return env;
    char name[16] = "mvx";
    pthread_getname_np(pthread_self(), name, sizeof name);
    JavaVMAttachArgs arguments = {JNI_VERSION_10, name, NULL};
    if ((*machine)->AttachCurrentThreadAsDaemon(machine, (void **)&env, &arguments) != JNI_OK)
        return NULL;
    self.attached = 1;
    pthread_setspecific(attached_key, &self);
    return env;
}

JNIEnv *callback_enter(void)
{
    JNIEnv *env = attached();
    if (env == NULL)
        return NULL;
    if ((*env)->PushLocalFrame(env, ROOM_FOR_REFERENCES) != 0) {
        (*env)->ExceptionClear(env);
        return NULL;
    }
    self.depth++;
    return env;
}

int32_t callback_leave(JNIEnv *env, int32_t outcome, int32_t failed)
{
    self.depth--;
    if ((*env)->ExceptionCheck(env)) {
        (*env)->ExceptionClear(env);
        outcome = failed;
    }
    (*env)->PopLocalFrame(env, NULL);
    return outcome;
}

int callback_depth(void)
{
    return self.depth;
}

static int keep(JNIEnv *env, size_t bytes)
{
    size_t room = LEAST_KEPT;
    while (room < bytes)
        room *= 2;
    char *memory;
    jobject made = callbacks_dispatch(env, room, &memory);
    jobject kept = made == NULL ? NULL : (*env)->NewGlobalRef(env, made);
    if (kept == NULL) {
        throw_out_of_memory(env);
        return 0;
    }
    if (self.kept.object != NULL)
        (*env)->DeleteGlobalRef(env, self.kept.object);
    self.kept.object = kept;
    self.kept.memory = memory;
    self.kept.kept = 1;
    self.room = room;
    return 1;
}

int dispatch_take(JNIEnv *env, size_t bytes, dispatch *taken)
{
    /* A callback inside a callback, a huge batch and a thread of Java's own get memory for once. */
    if (!self.attached || self.busy || bytes > MOST_KEPT) {
        taken->kept = 0;
        taken->object = callbacks_dispatch(env, bytes, &taken->memory);
        return taken->object != NULL;
    }
    if ((self.kept.object == NULL || self.room < bytes) && !keep(env, bytes))
        return 0;
    self.busy = 1;
    *taken = self.kept;
    return 1;
}

void dispatch_give_back(const dispatch *taken)
{
    if (taken->kept)
        self.busy = 0;
}
