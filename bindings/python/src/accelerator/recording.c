#include "recording.h"

mvx_status recording_let_go(struct recording *recording, mvx_event_type type, const void *payload, size_t length)
{
    mvx_recorder *recorder = recording->recorder;
    mvx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = mvx_library.mvx_recorder_register_event(recorder, type, payload, length);
    Py_END_ALLOW_THREADS
    recording->keeps_lock = status == MVX_OK && !recording->may_block;
    return status;
}
