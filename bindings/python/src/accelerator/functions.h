/*
 * The functions of the library that the accelerator calls. It isn't linked with the library: it is handed their
 * addresses, so that it calls the very library that ctypes loaded.
 */
#ifndef MVX_ACCELERATOR_FUNCTIONS_H
#define MVX_ACCELERATOR_FUNCTIONS_H

#include "mvx_metrics.h"

/* One line a function; its type is the header's. */
#define MVX_FUNCTIONS(FUNCTION) \
    FUNCTION(mvx_recorder_register_event) \
    FUNCTION(mvx_recorder_register_events)

struct mvx_functions {
#define MVX_MEMBER(name) __typeof__(&name) name;
    MVX_FUNCTIONS(MVX_MEMBER)
#undef MVX_MEMBER
};

/* Filled by connect(), before anything else is called. */
extern struct mvx_functions mvx_library;

#endif
