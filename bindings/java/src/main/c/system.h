/* What systems do each in their own way. */
#ifndef MVX_JAVA_SYSTEM_H
#define MVX_JAVA_SYSTEM_H

#include <jni.h>
#include <stddef.h>

/* Once, before anything of the library is called; 0 where it failed, perhaps with an exception pending. A thread that ends
 * hands over what it has set. */
int system_load(JNIEnv *env, void (*thread_ended)(void *set));

/* One pointer of the calling thread, NULL at first. */
void *system_thread_get(void);
int system_thread_set(void *pointer);

/* The calling thread's name in UTF-8; stays as it is where the thread has none. */
void system_thread_name(char *name, size_t room);

#endif
