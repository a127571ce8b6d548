/* What all natives share. */
#ifndef MVX_JAVA_SUPPORT_H
#define MVX_JAVA_SUPPORT_H

#include "arena.h"
#include "errors.h"
#include "sink.h"

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_dev_mvx_metrics_Native_##name

/* Handles and addresses travel as numbers. */
#define POINTER(type, number) ((type *)(uintptr_t)(number))
#define NUMBER(pointer) ((jlong)(uintptr_t)(pointer))

#endif
