/* The table mvx_metrics(). */
#ifndef MVX_SQLITE_METRICS_TABLE_H
#define MVX_SQLITE_METRICS_TABLE_H

#include "watch.h"

/* Hands the watch over to the connection, which frees it when it has closed; where this fails, it is freed here. SQLite
 * gives up a module after the last statement, so no callback of the watch comes later. */
int metrics_table_create(sqlite3 *db, struct watch *watch);

#endif
