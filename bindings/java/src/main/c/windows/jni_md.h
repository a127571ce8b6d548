/* What jni.h wants to know about Windows; JDKs for other systems have only their own. */
#ifndef MVX_JAVA_JNI_MD_H
#define MVX_JAVA_JNI_MD_H

#define JNIEXPORT __declspec(dllexport)
#define JNIIMPORT __declspec(dllimport)
#define JNICALL __stdcall

typedef int jint; /* as wide as there, and the same type as int32_t */
typedef long long jlong;
typedef signed char jbyte;

#endif
