// Package foreign stands for another language in the process: C code that is handed the number of a recorder's handle.
package foreign

/*
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "mvx_metrics.h"

static int32_t foreign_handle(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)event, (void)error;
    ++*(uint64_t *)user_data;
    return MVX_EVENT_CHANGED;
}

static int32_t foreign_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)error;
    return mvx_writer_u64(writer, MVX_STR("seen_by_c"), *(uint64_t *)user_data) == MVX_OK ? MVX_SNAPSHOT_DONE
                                                                                        : MVX_SNAPSHOT_FAILED;
}

static uint64_t foreign_count;

static mvx_status foreign_register_metric(uintptr_t recorder)
{
    mvx_metric_vtable vtable;
    memset(&vtable, 0, sizeof vtable);
    vtable.struct_size = sizeof vtable;
    vtable.handle_event = foreign_handle;
    vtable.snapshot = foreign_snapshot;
    foreign_count = 0;
    return mvx_recorder_register_metric((mvx_recorder *)recorder, MVX_STR("of_c"), &vtable, &foreign_count, NULL);
}

static mvx_status foreign_record(uintptr_t recorder, const char *name, size_t len)
{
    mvx_event_type_options options;
    mvx_event_type type = 0;
    mvx_str text = {name, len};
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.name = text;
    mvx_status status = mvx_event_type_declare(&options, &type, NULL);
    return status != MVX_OK ? status : mvx_recorder_register_event((mvx_recorder *)recorder, type, NULL, 0);
}
*/
import "C"

import "unsafe"

// RegisterMetric registers a metric of C's, "of_c", with the recorder of that handle, and gives the status.
func RegisterMetric(recorder uintptr) int {
	return int(C.foreign_register_metric(C.uintptr_t(recorder)))
}

// Record has C declare an event type without fields and record one event.
func Record(recorder uintptr, eventType string) int {
	name := C.CString(eventType)
	defer C.free(unsafe.Pointer(name))
	return int(C.foreign_record(C.uintptr_t(recorder), name, C.size_t(len(eventType))))
}
