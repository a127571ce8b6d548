#ifndef MVX_TEST_FOREIGN_H
#define MVX_TEST_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
int32_t foreign_register_metric(uintptr_t recorder, uint64_t *total);
int32_t foreign_record(uintptr_t recorder, uint32_t type, const void *payload, size_t len);
#ifdef __cplusplus
}
#endif

#endif
