//! Recorders: their lifecycle, and recording itself.

use std::ffi::c_void;
use std::mem::offset_of;

use crate::error::{Result, Status};
use crate::queue::Verdict;
use crate::queue::local::{self, Key, Shortcut, Shortest, Tally};
use crate::recorder::{Events, Recorder, RecorderState, Stats, learn, record_known, record_rest};
use crate::runtime::Runtime;
use crate::wait::Wait;

use super::arguments::{Versioned, out, out_struct};
use super::boundary::{self, Bare, Call, ErrorOut};
use super::error::mvx_error;
use super::event::mvx_event_type;
use super::handles::{self, mvx_recorder, mvx_runtime, mvx_wait};
use super::options::{self, mvx_recorder_options};
use super::status::mvx_status;
use super::text::{mvx_text, new_text};

/// State of a recorder: created, not started. An event starts it.
pub const MVX_RECORDER_VIRGIN: i32 = 0;
/// State of a recorder: its on_starting hook runs; events are accepted and wait.
pub const MVX_RECORDER_STARTING: i32 = 1;
/// State of a recorder: events are dispatched.
pub const MVX_RECORDER_RUNNING: i32 = 2;
/// State of a recorder: what was accepted is dispatched, then its on_stopped hook runs.
pub const MVX_RECORDER_STOPPING: i32 = 3;
/// State of a recorder: stopped; it can be started again, and its metrics keep their values.
pub const MVX_RECORDER_STOPPED: i32 = 4;
/// State of a recorder: a hook or metric failed; for good.
pub const MVX_RECORDER_FAILURE: i32 = 5;
/// State of a recorder: cancelled; for good.
pub const MVX_RECORDER_CANCELLED: i32 = 6;

/// Counts of a recorder since it was created. At every moment accepted = dispatched + discarded + pending.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mvx_recorder_stats {
    /// sizeof(mvx_stats), set by the caller.
    pub struct_size: usize,
    /// Events that were accepted.
    pub accepted: u64,
    /// Of these: that every metric has handled.
    pub dispatched: u64,
    /// Events that the policy MVX_OVERFLOW_DROP let go of at the pending limit.
    pub dropped: u64,
    /// Events that were refused at the pending limit, with an error.
    pub refused: u64,
    /// Events that were accepted, but not dispatched, because the recorder failed or was cancelled.
    pub discarded: u64,
    /// Events that are pending now, the one being handled included.
    pub pending: u64,
    /// The most events that were pending at once.
    pub pending_max: u64,
    /// Bytes of pending events.
    pub pending_bytes: u64,
    /// Metrics that were quarantined.
    pub quarantined_metrics: u64,
    /// How far dispatching is behind recording, in nanoseconds.
    pub lag_ns: i64,
}

/// The size of the first version of mvx_stats.
pub const MVX_RECORDER_STATS_V1_SIZE: usize = 88;

// SAFETY: `repr(C)`, the size first, all integers.
unsafe impl Versioned for mvx_recorder_stats {
    const V1_SIZE: usize = MVX_RECORDER_STATS_V1_SIZE;
}

const _: () = {
    assert!(MVX_RECORDER_VIRGIN == RecorderState::Virgin as i32);
    assert!(MVX_RECORDER_STARTING == RecorderState::Starting as i32);
    assert!(MVX_RECORDER_RUNNING == RecorderState::Running as i32);
    assert!(MVX_RECORDER_STOPPING == RecorderState::Stopping as i32);
    assert!(MVX_RECORDER_STOPPED == RecorderState::Stopped as i32);
    assert!(MVX_RECORDER_FAILURE == RecorderState::Failure as i32);
    assert!(MVX_RECORDER_CANCELLED == RecorderState::Cancelled as i32);

    assert!(size_of::<mvx_recorder_stats>() == MVX_RECORDER_STATS_V1_SIZE);
    assert!(offset_of!(mvx_recorder_stats, accepted) == 8);
    assert!(offset_of!(mvx_recorder_stats, dispatched) == 16);
    assert!(offset_of!(mvx_recorder_stats, dropped) == 24);
    assert!(offset_of!(mvx_recorder_stats, refused) == 32);
    assert!(offset_of!(mvx_recorder_stats, discarded) == 40);
    assert!(offset_of!(mvx_recorder_stats, pending) == 48);
    assert!(offset_of!(mvx_recorder_stats, pending_max) == 56);
    assert!(offset_of!(mvx_recorder_stats, pending_bytes) == 64);
    assert!(offset_of!(mvx_recorder_stats, quarantined_metrics) == 72);
    assert!(offset_of!(mvx_recorder_stats, lag_ns) == 80);
};

/// Creates a recorder, which is VIRGIN, outside the registry of its runtime. Freeing its last handle stops it
/// in the background, then drops its metrics.
///
/// - runtime: stays the caller's; NULL: the default runtime, which is created and started on first use. It
///   must be RUNNING.
/// - options: copied; NULL: all defaults. What they name is dropped (its `drop` runs) where the call fails.
/// - recorder: receives a handle to free with mvx_recorder_free().
/// - error: may be NULL.
/// - Any thread. Does not block, except while the default runtime starts. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
///   MVX_STARTUP_FAILED, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_create(
    runtime: *mut mvx_runtime,
    options: *const mvx_recorder_options,
    recorder: *mut *mut mvx_recorder,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_recorder_create", error, |_| {
        // First, so that what the options name is dropped whatever else is wrong.
        // SAFETY: NULL or a struct as the header asks.
        let options = unsafe { options::recorder_options(options) };
        let given = if runtime.is_null() {
            None
        } else {
            Some(handles::lookup(runtime)?)
        };
        // SAFETY: NULL or writable.
        let recorder = unsafe { out(recorder, "recorder") }?;
        let options = options?;
        let room = handles::reserve::<mvx_recorder>()?;
        let created = match given {
            Some(runtime) => Recorder::new(&runtime, options)?,
            None => Recorder::new(&Runtime::default_runtime()?, options)?,
        };
        recorder.set(room.publish(created));
        Ok(())
    })
}

/// A further reference to the same recorder.
///
/// - recorder: stays the caller's.
/// - clone: receives a handle of its own, to free with mvx_recorder_free().
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_clone(
    recorder: *mut mvx_recorder,
    clone: *mut *mut mvx_recorder,
) -> mvx_status {
    boundary::status_only("mvx_recorder_clone", |call| {
        let recorder = call.recorder(recorder)?;
        // SAFETY: NULL or writable.
        let clone = unsafe { out(clone, "clone") }?;
        let room = handles::reserve::<mvx_recorder>()?;
        clone.set(room.publish(recorder.clone()));
        Ok(())
    })
}

/// Starts a recorder that is VIRGIN or STOPPED, and joins a start under way.
///
/// - recorder: stays the caller's.
/// - wait: receives a handle to free with mvx_wait_free(). In any other state the call succeeds too, and the
///   wait is over already, with MVX_INVALID_STATE. May be NULL: then the call itself returns that status, or
///   MVX_OK as soon as the operation is begun; how it ends is not told.
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (only without `wait`),
///   MVX_LIMIT_REACHED, MVX_UNEXPECTED; the wait's result may also be MVX_HOOK_FAILED or MVX_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_start(
    recorder: *mut mvx_recorder,
    wait: *mut *mut mvx_wait,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    // SAFETY: NULL or writable.
    boundary::status("mvx_recorder_start", error, |call| unsafe {
        begin(call, recorder, wait, Recorder::start)
    })
}

/// Stops a RUNNING recorder: dispatches what was accepted before, then runs its on_stopped hook; joins a stop
/// under way.
///
/// - recorder: stays the caller's.
/// - wait: as for mvx_recorder_start(): with NULL the call returns before the operation is over.
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (only without `wait`),
///   MVX_LIMIT_REACHED, MVX_UNEXPECTED; the wait's result may also be MVX_HOOK_FAILED, MVX_METRIC_FAILED or
///   MVX_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_stop(
    recorder: *mut mvx_recorder,
    wait: *mut *mut mvx_wait,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    // SAFETY: NULL or writable.
    boundary::status("mvx_recorder_stop", error, |call| unsafe {
        begin(call, recorder, wait, Recorder::stop)
    })
}

/// Asks to be told when every event that was accepted before is dispatched; in VIRGIN and STOPPED that is at
/// once. In FAILURE and CANCELLED it can't be done.
///
/// - recorder: stays the caller's.
/// - wait: as for mvx_recorder_start(): with NULL the call returns before the operation is over.
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (only without `wait`),
///   MVX_LIMIT_REACHED, MVX_UNEXPECTED; the wait's result may also be MVX_HOOK_FAILED, MVX_METRIC_FAILED or
///   MVX_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_flush(
    recorder: *mut mvx_recorder,
    wait: *mut *mut mvx_wait,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    // SAFETY: NULL or writable.
    boundary::status("mvx_recorder_flush", error, |call| unsafe {
        begin(call, recorder, wait, Recorder::flush)
    })
}

/// Begins an operation and hands out its wait, or, where nobody wants that, says whether it could begin.
///
/// # Safety
/// `wait` is NULL or may be written to during the call.
unsafe fn begin(
    call: &Call,
    recorder: *mut mvx_recorder,
    wait: *mut *mut mvx_wait,
    operation: fn(&Recorder) -> Wait,
) -> Result<()> {
    let recorder = call.recorder(recorder)?;
    if wait.is_null() {
        return match operation(recorder).result() {
            Some(Err(error)) if error.status == Status::InvalidState => Err(error),
            _ => Ok(()),
        };
    }
    // SAFETY: as this function was promised.
    let wait = unsafe { out(wait, "wait") }?;
    let room = handles::reserve::<mvx_wait>()?;
    wait.set(room.publish(operation(recorder)));
    Ok(())
}

/// Makes a recorder CANCELLED, for good: what is pending, except inside a callback that is running, is
/// discarded and released; start, stop and flush under way end with MVX_CANCELLED. The on_stopped hook runs
/// as clean-up. A CANCELLED recorder is left as it is.
///
/// - recorder: stays the caller's.
/// - error: may be NULL.
/// - Any thread. Does not wait for callbacks that are running. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (it is FAILURE), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_cancel(
    recorder: *mut mvx_recorder,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_recorder_cancel", error, |call| {
        call.recorder(recorder)?.cancel()
    })
}

/// The state of a recorder.
///
/// - recorder: stays the caller's.
/// - state: receives MVX_RECORDER_VIRGIN ... MVX_RECORDER_CANCELLED.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_state(recorder: *const mvx_recorder, state: *mut i32) -> mvx_status {
    boundary::status_only("mvx_recorder_state", |call| {
        let recorder = call.recorder(recorder)?;
        // SAFETY: NULL or writable.
        unsafe { out(state, "state") }?.set(recorder.state() as i32);
        Ok(())
    })
}

/// The error that a recorder keeps: why it is FAILURE or CANCELLED.
///
/// - recorder: stays the caller's.
/// - last_error: receives an error to free with mvx_error_free(), or NULL where there is none.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_last_error(
    recorder: *const mvx_recorder,
    last_error: *mut *mut mvx_error,
) -> mvx_status {
    boundary::status_only("mvx_recorder_last_error", |call| {
        let recorder = call.recorder(recorder)?;
        // SAFETY: NULL or writable.
        let last_error = unsafe { out(last_error, "last_error") }?;
        let error = recorder
            .last_error()
            .map(|error| mvx_error::new(error).into_raw());
        last_error.set(error.unwrap_or(std::ptr::null_mut()));
        Ok(())
    })
}

/// The entity id of a recorder.
///
/// - recorder: stays the caller's.
/// - entity_id: receives a text to free with mvx_text_free().
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_entity_id(
    recorder: *const mvx_recorder,
    entity_id: *mut *mut mvx_text,
) -> mvx_status {
    boundary::status_only("mvx_recorder_entity_id", |call| {
        let recorder = call.recorder(recorder)?;
        // SAFETY: NULL or writable.
        unsafe { out(entity_id, "entity_id") }?.set(new_text(recorder.entity_id().to_owned()));
        Ok(())
    })
}

/// The namespace of a recorder.
///
/// - recorder: stays the caller's.
/// - name_space: receives a text to free with mvx_text_free().
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_name_space(
    recorder: *const mvx_recorder,
    name_space: *mut *mut mvx_text,
) -> mvx_status {
    boundary::status_only("mvx_recorder_name_space", |call| {
        let recorder = call.recorder(recorder)?;
        // SAFETY: NULL or writable.
        unsafe { out(name_space, "name_space") }?.set(new_text(recorder.name_space().to_owned()));
        Ok(())
    })
}

/// The counts of a recorder, in every state.
///
/// - recorder: stays the caller's.
/// - stats: struct_size is set by the caller; receives as many fields as fit.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_stats(
    recorder: *const mvx_recorder,
    stats: *mut mvx_recorder_stats,
) -> mvx_status {
    boundary::status_only("mvx_recorder_stats", |call| {
        let recorder = call.recorder(recorder)?;
        // SAFETY: NULL or a struct as the header asks.
        let stats = unsafe { out_struct(stats, "stats") }?;
        stats.set(&as_c(&recorder.stats()));
        Ok(())
    })
}

fn as_c(stats: &Stats) -> mvx_recorder_stats {
    mvx_recorder_stats {
        struct_size: size_of::<mvx_recorder_stats>(),
        accepted: stats.accepted,
        dispatched: stats.dispatched,
        dropped: stats.dropped,
        refused: stats.refused,
        discarded: stats.discarded,
        pending: stats.pending,
        pending_max: stats.pending_max,
        pending_bytes: stats.pending_bytes,
        quarantined_metrics: stats.quarantined_metrics,
        lag_ns: stats.lag_ns,
    }
}

/// Records one event. This is the call to make often: it takes no lock, allocates nothing and makes no system
/// call once the thread has recorded events of this type before, unless the policy is MVX_OVERFLOW_BLOCK and
/// there is no room.
///
/// - recorder: stays the caller's; VIRGIN (which starts it), STARTING or RUNNING.
/// - type: an event type.
/// - payload: copied; may be NULL where `len` is 0.
/// - len: bytes, 4,096 at most, and no fewer than the event type's fields need.
/// - Any thread. Blocks only under MVX_OVERFLOW_BLOCK. Callbacks may call it; they never block.
/// - Returns MVX_OK (also where MVX_OVERFLOW_DROP dropped the event), MVX_INVALID_HANDLE, MVX_FORKED,
///   MVX_INVALID_ARGUMENT (in any state: there is no such event type, `len` is more than 4,096 or less than
///   its fields need, or `payload` is NULL and `len` is not 0), MVX_INVALID_STATE (of a STOPPED recorder,
///   until mvx_recorder_start()), MVX_QUEUE_OVERFLOW, MVX_TIMEOUT, MVX_WOULD_DEADLOCK, MVX_UNSUPPORTED (from
///   a signal handler that interrupted such a call), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_register_event(
    recorder: *mut mvx_recorder,
    r#type: mvx_event_type,
    payload: *const c_void,
    len: usize,
) -> mvx_status {
    // Before the boundary, which costs as much; this does not panic. What comes after it are functions of their own, so
    // that this one saves no registers.
    // SAFETY: NULL or `len` bytes.
    match unsafe { local::push_one(recorder as u64, r#type, payload.cast(), len) } {
        Shortest::Accepted | Shortest::Folded => Status::Ok as mvx_status,
        // SAFETY: as above.
        Shortest::NoRoom(found) => unsafe { record_without_room(recorder, r#type, payload, len, found) },
        // SAFETY: as above.
        Shortest::ByKey(tally) => unsafe { record_by_key(recorder, r#type, payload, len, tally) },
        // SAFETY: as above.
        Shortest::Unknown => unsafe { record_of_new_shape(recorder, r#type, payload, len) },
    }
}

/// # Safety
/// As [`mvx_recorder_register_event`]; `payload` is not NULL.
#[inline(never)]
unsafe extern "C" fn record_without_room(
    recorder: *mut mvx_recorder,
    r#type: mvx_event_type,
    payload: *const c_void,
    len: usize,
    found: &Shortcut,
) -> mvx_status {
    match local::refuse_at_once(found, recorder as u64, r#type, len) {
        Some(Verdict::Refused) => Status::QueueOverflow as mvx_status,
        Some(_) => Status::Ok as mvx_status,
        // SAFETY: as above.
        None => unsafe { record_with_new_room(recorder, r#type, payload, len, found) },
    }
}

/// # Safety
/// As [`mvx_recorder_register_event`]; `payload` is not NULL.
#[inline(never)]
unsafe extern "C" fn record_with_new_room(
    recorder: *mut mvx_recorder,
    r#type: mvx_event_type,
    payload: *const c_void,
    len: usize,
    found: &Shortcut,
) -> mvx_status {
    // SAFETY: as above.
    if unsafe { local::push_one_with_new_room(found, recorder as u64, r#type, payload.cast(), len) } {
        return Status::Ok as mvx_status;
    }
    // SAFETY: as above.
    unsafe { record_otherwise(recorder, r#type, payload, len) }
}

/// # Safety
/// As [`mvx_recorder_register_event`]; `payload` is not NULL.
#[inline(never)]
unsafe extern "C" fn record_by_key(
    recorder: *mut mvx_recorder,
    r#type: mvx_event_type,
    payload: *const c_void,
    len: usize,
    tally: &Tally,
) -> mvx_status {
    // SAFETY: as above.
    if unsafe { local::fold_by_key(tally, payload.cast()) } {
        return Status::Ok as mvx_status;
    }
    // SAFETY: as above.
    unsafe { record_without_cell(recorder, r#type, payload, len) }
}

/// # Safety
/// As [`mvx_recorder_register_event`]; `payload` is not NULL.
#[inline(never)]
unsafe extern "C" fn record_without_cell(
    recorder: *mut mvx_recorder,
    r#type: mvx_event_type,
    payload: *const c_void,
    len: usize,
) -> mvx_status {
    // SAFETY: as above.
    if unsafe { local::push_one_without_cell(recorder as u64, r#type, payload.cast(), len) } {
        return Status::Ok as mvx_status;
    }
    // SAFETY: as above.
    unsafe { record_otherwise(recorder, r#type, payload, len) }
}

/// # Safety
/// As [`mvx_recorder_register_event`].
#[cold]
#[inline(never)]
unsafe extern "C" fn record_of_new_shape(
    recorder: *mut mvx_recorder,
    r#type: mvx_event_type,
    payload: *const c_void,
    len: usize,
) -> mvx_status {
    if payload.is_null() && len == 0 {
        // Where there are no bytes they may be anywhere.
        let nowhere = std::ptr::dangling::<u64>().cast();
        // SAFETY: as above.
        return unsafe { mvx_recorder_register_event(recorder, r#type, nowhere, 0) };
    }
    if !payload.is_null() && learn(recorder as u64, r#type, len) {
        // SAFETY: as above.
        match unsafe { local::push_one(recorder as u64, r#type, payload.cast(), len) } {
            Shortest::Accepted | Shortest::Folded => return Status::Ok as mvx_status,
            // SAFETY: as above.
            Shortest::NoRoom(found) => unsafe {
                return record_without_room(recorder, r#type, payload, len, found);
            },
            // SAFETY: as above.
            Shortest::ByKey(tally) => unsafe {
                return record_by_key(recorder, r#type, payload, len, tally);
            },
            Shortest::Unknown => {}
        }
    }
    // SAFETY: as above.
    unsafe { record_otherwise(recorder, r#type, payload, len) }
}

/// # Safety
/// As [`mvx_recorder_register_event`].
#[inline(never)]
unsafe extern "C" fn record_otherwise(
    recorder: *mut mvx_recorder,
    r#type: mvx_event_type,
    payload: *const c_void,
    len: usize,
) -> mvx_status {
    let events = Events {
        type_id: r#type,
        payloads: payload.cast(),
        len,
        count: 1,
    };
    boundary::bare_status("mvx_recorder_register_event", |call| {
        // SAFETY: as above.
        unsafe { record(call, recorder, events) }.1
    })
}

/// Records many events of one type, in the order in which they lie in memory. It accepts as many as fit, from
/// the first one on.
///
/// - recorder, type: as for mvx_recorder_register_event().
/// - payloads: copied; `count` payloads one after the other. May be NULL where they have no bytes.
/// - len_each: bytes of each payload.
/// - count: how many; may be 0.
/// - accepted: receives how many were accepted, also where not all were: with MVX_OK (the others were
///   dropped), MVX_INVALID_STATE, MVX_QUEUE_OVERFLOW, MVX_TIMEOUT, MVX_WOULD_DEADLOCK and MVX_UNSUPPORTED.
///   With any other status it is left as it was.
/// - Any thread. Blocks only under MVX_OVERFLOW_BLOCK. Callbacks may call it; they never block.
/// - Returns what mvx_recorder_register_event() returns for the first event that was not accepted, otherwise
///   MVX_OK. MVX_INVALID_ARGUMENT also where `accepted` is NULL or len_each * count more than PTRDIFF_MAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_register_events(
    recorder: *mut mvx_recorder,
    r#type: mvx_event_type,
    payloads: *const c_void,
    len_each: usize,
    count: usize,
    accepted: *mut usize,
) -> mvx_status {
    let mut short = 0;
    if !accepted.is_null() && count <= MOST_SHORT {
        // Before the boundary, as for one event; that events are known says that their payloads are short.
        let (key, from) = (recorder as u64, payloads.cast::<u8>());
        // SAFETY: NULL or as many bytes as that.
        short = unsafe { local::push_many(key, r#type, from, len_each, count) };
        if short == 0 && learn(key, r#type, len_each) {
            // SAFETY: as above.
            short = unsafe { local::push_many(key, r#type, from, len_each, count) };
        }
        if short == count && count > 0 {
            // SAFETY: not NULL, so it may be written to; C code that packs structs may misalign it.
            unsafe { accepted.write_unaligned(count) };
            return Status::Ok as mvx_status;
        }
    }
    let events = Events {
        type_id: r#type,
        payloads: payloads.cast::<u8>().wrapping_add(short * len_each),
        len: len_each,
        count: count - short,
    };
    boundary::bare_status("mvx_recorder_register_events", |call| {
        let fits = len_each
            .checked_mul(count)
            .is_some_and(|len| isize::try_from(len).is_ok());
        if accepted.is_null() || !fits {
            // A bad handle is told before a bad argument.
            return call
                .recorder_or_status(recorder)
                .and(Err(Status::InvalidArgument));
        }
        // SAFETY: not NULL, so writable.
        let accepted = unsafe { out(accepted, "accepted") }.map_err(|error| error.status)?;
        // SAFETY: NULL or as many bytes as that.
        let rest = (short > 0).then(|| unsafe { record_rest(recorder as u64, events) });
        let (done, result) = match rest.flatten() {
            Some((done, status)) => (done, as_result(status)),
            // SAFETY: as above.
            None => unsafe { record(call, recorder, events) },
        };
        let bad = [Status::InvalidArgument, Status::InvalidHandle, Status::Forked].map(Err);
        if short > 0 || !bad.contains(&result) {
            accepted.set(short + done);
        }
        result
    })
}

/// The most events of one call that may go the short way: as many as fit into memory, however long their payloads are.
const MOST_SHORT: usize = isize::MAX as usize / 4_096;

/// Records through what this thread remembers of the handle, or by looking it up; how many, and why not all.
///
/// # Safety
/// `events.payloads` is NULL or has as many bytes as `events` says.
unsafe fn record(call: &Call, recorder: *const mvx_recorder, events: Events) -> (usize, Bare<()>) {
    let key = recorder as u64;
    // SAFETY: the caller's promise.
    if let Some((done, status)) = unsafe { record_known(key, events) } {
        return (done, as_result(status));
    }
    let found = match call.recorder_or_status(recorder) {
        Ok(found) => found,
        Err(status) => return (0, Err(status)),
    };
    let Some((live, expected)) = handles::recorder_liveness(recorder) else {
        return (0, Err(Status::InvalidHandle));
    };
    let key = Key {
        value: key,
        live,
        expected,
    };
    // SAFETY: the caller's promise.
    let (done, status) = unsafe { found.core().record(key, events) };
    (done, as_result(status))
}

#[inline]
fn as_result(status: Status) -> Bare<()> {
    if status == Status::Ok { Ok(()) } else { Err(status) }
}

/// Frees a reference to a recorder. Calls under way go on. A recorder made by mvx_recorder_create() is
/// stopped in the background with its last reference, if it is running; one that its runtime created lives
/// until it is removed.
///
/// - recorder: taken; NULL, and what is no live handle, is ignored.
/// - Any thread. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_free(recorder: *mut mvx_recorder) {
    boundary::value("mvx_recorder_free", (), || {
        let held = handles::lookup(recorder);
        let freed: Result<()> = handles::free(recorder);
        // Threads go by what they remember of a handle until they are told.
        if let (Ok(held), Ok(())) = (held, freed) {
            held.handle_freed();
        }
    });
}
