#include <string.h>

#include "support.h"

NATIVE(jbyteArray, version)(JNIEnv *env, jclass c)
{
    (void)c;
    const char *version = mvx_version();
    return bytes_out(env, version, strlen(version));
}

NATIVE(jint, abiVersion)(JNIEnv *env, jclass c)
{
    (void)env;
    (void)c;
    return (jint)mvx_abi_version();
}
