#include "c_call.h"

#include <mvx_metrics.h>

size_t c_record(void *recorder, uint32_t type, const uint32_t *articles, size_t article_count, size_t count)
{
    size_t accepted = 0;
    for (size_t i = 0; i < count; i++) {
        struct sale sale = {articles[i % article_count], (uint32_t)i, 1.5};
        accepted += mvx_recorder_register_event((mvx_recorder *)recorder, type, &sale, sizeof sale) == MVX_OK;
    }
    return accepted;
}
