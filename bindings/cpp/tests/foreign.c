/* Another language of the same process: it knows a recorder by its number only. */
#include "foreign.h"

#include <mvx_metrics.h>

static int32_t count(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)event, (void)error;
    ++*(uint64_t *)user_data;
    return MVX_EVENT_CHANGED;
}

static int32_t show(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)error;
    return mvx_writer_u64(writer, MVX_STR("total"), *(uint64_t *)user_data) == MVX_OK ? MVX_SNAPSHOT_DONE
                                                                                      : MVX_SNAPSHOT_FAILED;
}

int32_t foreign_register_metric(uintptr_t recorder, uint64_t *total)
{
    mvx_metric_vtable vtable = {0};
    vtable.struct_size = sizeof vtable;
    vtable.handle_event = count;
    vtable.snapshot = show;
    return mvx_recorder_register_metric((mvx_recorder *)recorder, MVX_STR("foreign"), &vtable, total, 0);
}

int32_t foreign_record(uintptr_t recorder, uint32_t type, const void *payload, size_t len)
{
    return mvx_recorder_register_event((mvx_recorder *)recorder, type, payload, len);
}
