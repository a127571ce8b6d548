/* One call of the library's record function, with what Python needs around it. */
#ifndef MVX_ACCELERATOR_RECORDING_H
#define MVX_ACCELERATOR_RECORDING_H

#include "accelerator.h"

struct recording {
    mvx_recorder *recorder;
    /* Its policy is BLOCK, or unknown. */
    int may_block;
    /* The call never blocks, so the interpreter's lock is kept. */
    int keeps_lock;
};

mvx_status recording_let_go(struct recording *recording, mvx_event_type type, const void *payload, size_t length);

/*
 * A call takes a few nanoseconds, and letting go of the lock costs more. But a call that waits with the lock held
 * would wait for ever for a metric, a hook or a log of Python. It can wait in two cases: under the policy BLOCK, and
 * while the first event starts a VIRGIN recorder. A recorder that accepted an event is never VIRGIN again.
 *
 * After an event that was refused the lock is let go too, so that a loop that tries again leaves others the time in which
 * its turn could come.
 */
static inline mvx_status record(struct recording *recording, mvx_event_type type, const void *payload, size_t length)
{
    if (LIKELY(recording->keeps_lock)) {
        mvx_status status = mvx_library.mvx_recorder_register_event(recording->recorder, type, payload, length);
        if (!LIKELY(status == MVX_OK))
            recording->keeps_lock = 0;
        return status;
    }
    return recording_let_go(recording, type, payload, length);
}

#endif
