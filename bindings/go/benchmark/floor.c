#include <stddef.h>
#include <stdint.h>

/* In a file of its own, so that no compiler sees both the call and that it does nothing. */
int32_t floor_2(uintptr_t recorder, uint32_t type, uint64_t a, uint64_t b, size_t len)
{
    (void)recorder, (void)type, (void)a, (void)b, (void)len;
    return 0;
}
