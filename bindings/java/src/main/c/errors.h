/* Errors of the library as exceptions of Java. */
#ifndef MVX_JAVA_ERRORS_H
#define MVX_JAVA_ERRORS_H

#include <jni.h>
#include <stddef.h>
#include <stdint.h>

#include "mvx_metrics.h"

void throw_out_of_memory(JNIEnv *env);
/* Throws what a call said, frees the error, and answers whether the call succeeded. `error` may be NULL; it is looked at
 * only after the call, which may be an argument, too. */
int succeeded(JNIEnv *env, mvx_status status, mvx_error **error);
/* The Java exception of an error that stays its owner's; NULL for none, or with an exception pending. */
jobject exception_of(JNIEnv *env, mvx_status status, const mvx_error *error);
/* The same, of an error that is freed. */
jobject exception_taken(JNIEnv *env, mvx_error *error);

/* Looks up what exceptions need; 0 with an exception pending. */
int errors_load(JNIEnv *env);

#endif
