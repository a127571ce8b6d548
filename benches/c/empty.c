/* A shared object of one function that does nothing, with the arguments of mvx_recorder_register_event(): what the
   crossing itself costs. */
#include <stddef.h>
#include <stdint.h>

int32_t empty_call(void *recorder, uint32_t type, const void *payload, size_t len)
{
    (void)recorder, (void)type, (void)payload, (void)len;
    return 0;
}
