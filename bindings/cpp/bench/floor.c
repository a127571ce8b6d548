/* The floor of any call into a shared object with the arguments of the record call. */
#include <stddef.h>
#include <stdint.h>

int32_t floor_call(void *recorder, uint32_t type, const void *payload, size_t len)
{
    __asm__ volatile("" : : "r"(recorder), "r"(type), "r"(payload), "r"(len) : "memory");
    return 0;
}
