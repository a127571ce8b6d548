#include <stdio.h>

#include "callbacks.h"
#include "support.h"
#include "thread.h"

/* What fails here is told to who loads the library, as the exception that is pending. */
JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *machine, void *reserved)
{
    JNIEnv *env;
    (void)reserved;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_10) != JNI_OK)
        return JNI_ERR;
    if (!thread_load(machine, env))
        return JNI_ERR;
    if (mvx_abi_version() != MVX_ABI_VERSION) {
        char message[160];
        snprintf(message, sizeof message,
                 "libmvx_metrics %s has version %u of the C surface, this binding needs version %u", mvx_version(),
                 (unsigned)mvx_abi_version(), (unsigned)MVX_ABI_VERSION);
        jclass error = (*env)->FindClass(env, "java/lang/UnsatisfiedLinkError");
        if (error != NULL)
            (*env)->ThrowNew(env, error, message);
        return JNI_ERR;
    }
    if (!errors_load(env) || !callbacks_load(env))
        return JNI_ERR;
    return JNI_VERSION_10;
}
