/* The floor: crossing into C with the arguments of the record call, and nothing else. */
#include <stddef.h>
#include <stdint.h>

int32_t empty(void *recorder, uint32_t type, const void *payload, size_t len)
{
    (void)recorder;
    (void)type;
    (void)payload;
    (void)len;
    return 0;
}
