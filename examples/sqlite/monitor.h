/* The recorder that all connections of the process share, and what it measures. */
#ifndef MVX_SQLITE_MONITOR_H
#define MVX_SQLITE_MONITOR_H

#include "statement.h"

struct monitor {
    mvx_recorder *recorder;
    mvx_event_type statement_ended;
    mvx_symbol kinds[KIND_COUNT];
};

/* The monitor starts with the first connection that acquires it and ends with the last that lets go of it: its runtime
 * is shut down then, and no thread of the library is left. On failure the caller frees *error, which may be NULL. */
mvx_status monitor_acquire(const struct monitor **monitor, mvx_error **error);
void monitor_release(void);

#endif
