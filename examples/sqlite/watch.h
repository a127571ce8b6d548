/* Watches one connection and records an event for each statement that ended on it.
 *
 * SQLite never says how a statement ended. Its profile callback runs inside the last sqlite3_step(), before the result
 * code is set, and nothing is called afterwards. What can be seen is the code that the statement left on the
 * connection, at the next callback, provided nothing has overwritten it by then. Compiling the next statement
 * overwrites it, but calls the authorizer first: with watch_failures() on, the code is read there. Without it, most
 * failures go unseen. An outcome is therefore one of
 *
 *   ok                  it succeeded
 *   SQLITE_...          the extended result code that it failed with
 *   unseen              it ended, and what it left on the connection was overwritten before this code was called again
 *
 * One way of running statements hides its failures altogether: sqlite3_exec() begins by clearing the code that the
 * statement before has left, which then passes for ok. The shell, like most drivers, prepares and steps its statements.
 *
 * An event is recorded at that next callback, so the last statement of a connection that falls idle comes late: with the
 * one after it, or when the connection closes.
 *
 * What SQLite refuses to compile is never run, and what is only explained isn't either: neither is reported to a
 * callback, nor counted. */
#ifndef MVX_SQLITE_WATCH_H
#define MVX_SQLITE_WATCH_H

#include <stdbool.h>

#include "extension.h"
#include "monitor.h"

struct watch;

/* NULL where there is no memory. */
struct watch *watch_create(sqlite3 *db, const struct monitor *monitor);
int watch_begin(struct watch *watch);

/* Takes the place of the connection's authorizer, of which SQLite has only one: off unless asked for. */
void watch_failures(struct watch *watch, bool on);

/* Frees the watch, and lets go of the monitor. */
void watch_free(void *watch);

const struct monitor *watch_monitor(const struct watch *watch);

#endif
