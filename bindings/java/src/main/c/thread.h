/* Threads of the library in the Java machine. They attach as daemons at their first callback, so that a JVM need not
 * wait for them, and stay attached until they end, so that callbacks pay for it once. */
#ifndef MVX_JAVA_THREAD_H
#define MVX_JAVA_THREAD_H

#include <jni.h>
#include <stddef.h>
#include <stdint.h>

/* Memory through which events travel to Java, and the Java object that reads it. */
typedef struct dispatch {
    jobject object;
    char *memory;
    int kept;
} dispatch;

/* Before anything of the library is called; 0 where it failed. */
int thread_load(JavaVM *machine, JNIEnv *env);

/* Begins a callback: the thread's environment, with room for local references; NULL where the machine is gone. */
JNIEnv *callback_enter(void);
/* Ends it. Java's side catches everything; what still comes (no memory, no stack) makes the outcome `failed`. */
int32_t callback_leave(JNIEnv *env, int32_t outcome, int32_t failed);
int callback_depth(void);

/* Takes memory for so many bytes, within a callback; 0 with an exception pending. Threads of the library keep theirs. */
int dispatch_take(JNIEnv *env, size_t bytes, dispatch *taken);
void dispatch_give_back(const dispatch *taken);

/* The last thing that a thread of the library does. */
void thread_stopped(void *unused);

#endif
