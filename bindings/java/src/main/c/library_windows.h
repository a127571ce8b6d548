/* Windows looks for libraries on its own paths, where ours need not be; so it is found before anything of it is called. */
#ifndef MVX_JAVA_LIBRARY_WINDOWS_H
#define MVX_JAVA_LIBRARY_WINDOWS_H

#include <stddef.h>

/* Takes the mvx_metrics.dll that another language of the process loaded, or else the one beside this file; 0 where it is of
 * no use, and the message says why. */
int library_load(char *message, size_t room);

#endif
