/* SQLite's functions, as a loadable extension reaches them: through the table that its entry point is given. */
#ifndef MVX_SQLITE_EXTENSION_H
#define MVX_SQLITE_EXTENSION_H

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#endif
