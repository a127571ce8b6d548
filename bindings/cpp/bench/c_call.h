#ifndef MVX_BENCH_C_CALL_H
#define MVX_BENCH_C_CALL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
struct sale {
    uint32_t article;
    uint32_t pieces;
    double price;
};
/* Records so many events by the C interface, compiled as C; the number of those that were accepted. */
size_t c_record(void *recorder, uint32_t type, const uint32_t *articles, size_t article_count, size_t count);
int32_t floor_call(void *recorder, uint32_t type, const void *payload, size_t len);
#ifdef __cplusplus
}
#endif

#endif
