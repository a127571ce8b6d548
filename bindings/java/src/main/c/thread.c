#include "thread.h"

#include <stdlib.h>

#include "callbacks.h"
#include "support.h"
#include "system.h"

#define ROOM_FOR_REFERENCES 16
#define LEAST_KEPT ((size_t)64 << 10)
#define MOST_KEPT ((size_t)1 << 20)

static JavaVM *machine;

/* A thread that runs callbacks, until it ends. */
typedef struct thread {
    int attached; /* by us, so that we detach it, too */
    int depth;
    int busy;
    size_t room;
    dispatch kept;
} thread;

static void detach(thread *self)
{
    JNIEnv *env;
    if (!self->attached)
        return;
    self->attached = 0;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_10) != JNI_OK)
        return;
    if (self->kept.object != NULL)
        (*env)->DeleteGlobalRef(env, self->kept.object);
    self->kept.object = NULL;
    (*machine)->DetachCurrentThread(machine);
}

/* Detaches threads of runtimes that another language created. */
static void thread_ended(void *self)
{
    if (self == NULL)
        return;
    detach(self);
    free(self);
}

void thread_stopped(void *unused)
{
    thread *self = system_thread_get();
    (void)unused;
    if (self != NULL)
        detach(self);
}

int thread_load(JavaVM *vm, JNIEnv *env)
{
    machine = vm;
    return system_load(env, thread_ended);
}

static thread *this_thread(void)
{
    thread *self = system_thread_get();
    if (self != NULL)
        return self;
    self = calloc(1, sizeof *self);
    if (self != NULL && !system_thread_set(self)) {
        free(self);
        return NULL;
    }
    return self;
}

static JNIEnv *attached(thread *self)
{
    JNIEnv *env;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_10) == JNI_OK)
        return env;
    char name[64] = "mvx";
    system_thread_name(name, sizeof name);
    JavaVMAttachArgs arguments = {JNI_VERSION_10, name, NULL};
    if ((*machine)->AttachCurrentThreadAsDaemon(machine, (void **)&env, &arguments) != JNI_OK)
        return NULL;
    self->attached = 1;
    return env;
}

JNIEnv *callback_enter(void)
{
    thread *self = this_thread();
    JNIEnv *env = self == NULL ? NULL : attached(self);
    if (env == NULL)
        return NULL;
    if ((*env)->PushLocalFrame(env, ROOM_FOR_REFERENCES) != 0) {
        (*env)->ExceptionClear(env);
        return NULL;
    }
    self->depth++;
    return env;
}

int32_t callback_leave(JNIEnv *env, int32_t outcome, int32_t failed)
{
    this_thread()->depth--;
    if ((*env)->ExceptionCheck(env)) {
        (*env)->ExceptionClear(env);
        outcome = failed;
    }
    (*env)->PopLocalFrame(env, NULL);
    return outcome;
}

int callback_depth(void)
{
    const thread *self = system_thread_get();
    return self == NULL ? 0 : self->depth;
}

static int keep(JNIEnv *env, thread *self, size_t bytes)
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
    if (self->kept.object != NULL)
        (*env)->DeleteGlobalRef(env, self->kept.object);
    self->kept.object = kept;
    self->kept.memory = memory;
    self->kept.kept = 1;
    self->room = room;
    return 1;
}

int dispatch_take(JNIEnv *env, size_t bytes, dispatch *taken)
{
    thread *self = this_thread();
    /* A callback inside a callback, a huge batch and a thread of Java's own get memory for once. */
    if (!self->attached || self->busy || bytes > MOST_KEPT) {
        taken->kept = 0;
        taken->object = callbacks_dispatch(env, bytes, &taken->memory);
        return taken->object != NULL;
    }
    if ((self->kept.object == NULL || self->room < bytes) && !keep(env, self, bytes))
        return 0;
    self->busy = 1;
    *taken = self->kept;
    return 1;
}

void dispatch_give_back(const dispatch *taken)
{
    if (taken->kept)
        this_thread()->busy = 0;
}
