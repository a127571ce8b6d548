/* The metrics that this extension brings itself, beside the library's native ones. Both take events in batches. */
#ifndef MVX_SQLITE_METRICS_H
#define MVX_SQLITE_METRICS_H

#include "mvx_metrics.h"

/* A table of count, minimum, mean and maximum duration for each kind of statement. */
mvx_status register_latency(mvx_recorder *recorder, mvx_event_type statement_ended, mvx_error **error);

/* The statements that took longest. */
mvx_status register_slowest(mvx_recorder *recorder, mvx_event_type statement_ended, mvx_error **error);

#endif
