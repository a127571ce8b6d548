/* Options as Java passes them: texts as bytes, numbers in one array, callbacks as objects. */
#ifndef MVX_JAVA_OPTIONS_H
#define MVX_JAVA_OPTIONS_H

#include "callbacks.h"

/* Gives the log's address, or NULL where there is none. numbers: policy, level, whether it writes. */
const mvx_log *log_in(arena *memory, jobject object, const jlong *numbers);
/* installed: a bit for each of on_starting, on_stopped, on_metric_changed. */
const mvx_hooks *hooks_in(arena *memory, jobject object, jlong installed);

#endif
