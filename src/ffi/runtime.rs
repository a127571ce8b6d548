//! Runtimes.

use crate::error::Result;
use crate::runtime::{Runtime, RuntimeState};

use super::arguments::out;
use super::boundary::{self, ErrorOut};
use super::error::mvx_error;
use super::handles::{self, mvx_recorder, mvx_runtime, mvx_wait};
use super::options::{self, mvx_recorder_options, mvx_runtime_options};
use super::status::mvx_status;
use super::text::{mvx_str, mvx_strings, new_strings};

/// State of a runtime: created, not started.
pub const MVX_RUNTIME_VIRGIN: i32 = 0;
/// State of a runtime: its threads are being started.
pub const MVX_RUNTIME_STARTING: i32 = 1;
/// State of a runtime: ready for recorders.
pub const MVX_RUNTIME_RUNNING: i32 = 2;
/// State of a runtime: it is being shut down.
pub const MVX_RUNTIME_STOPPING: i32 = 3;
/// State of a runtime: shut down, for good.
pub const MVX_RUNTIME_CLOSED: i32 = 4;
/// State of a runtime: it failed to start, or recorders failed to stop; for good.
pub const MVX_RUNTIME_FAILURE: i32 = 5;

const _: () = {
    assert!(MVX_RUNTIME_VIRGIN == RuntimeState::Virgin as i32);
    assert!(MVX_RUNTIME_STARTING == RuntimeState::Starting as i32);
    assert!(MVX_RUNTIME_RUNNING == RuntimeState::Running as i32);
    assert!(MVX_RUNTIME_STOPPING == RuntimeState::Stopping as i32);
    assert!(MVX_RUNTIME_CLOSED == RuntimeState::Closed as i32);
    assert!(MVX_RUNTIME_FAILURE == RuntimeState::Failure as i32);
};

/// Creates a runtime, which is VIRGIN: it has no threads yet.
///
/// - options: copied; NULL: all defaults. What they name is dropped (its `drop` runs) where the call fails.
/// - runtime: receives a handle to free with mvx_runtime_free().
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_create(
    options: *const mvx_runtime_options,
    runtime: *mut *mut mvx_runtime,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_create", error, |_| {
        // SAFETY: NULL or a struct as the header asks.
        let options = unsafe { options::runtime_options(options) }?;
        // SAFETY: NULL or writable.
        let runtime = unsafe { out(runtime, "runtime") }?;
        let room = handles::reserve::<mvx_runtime>()?;
        runtime.set(room.publish(Runtime::new(options)));
        Ok(())
    })
}

/// The default runtime of the process: created and started when it is first asked for, and anew after it was
/// shut down.
///
/// - runtime: receives a handle of its own, to free with mvx_runtime_free(). Freeing it does not shut the
///   runtime down.
/// - error: may be NULL.
/// - Any thread. Blocks while the runtime starts its threads. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_STARTUP_FAILED, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_default(
    runtime: *mut *mut mvx_runtime,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_default", error, |_| {
        // SAFETY: NULL or writable.
        let runtime = unsafe { out(runtime, "runtime") }?;
        let room = handles::reserve::<mvx_runtime>()?;
        runtime.set(room.publish(Runtime::default_runtime()?));
        Ok(())
    })
}

/// A further reference to the same runtime.
///
/// - runtime: stays the caller's.
/// - clone: receives a handle of its own, to free with mvx_runtime_free().
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_clone(
    runtime: *mut mvx_runtime,
    clone: *mut *mut mvx_runtime,
) -> mvx_status {
    boundary::status_only("mvx_runtime_clone", |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: NULL or writable.
        let clone = unsafe { out(clone, "clone") }?;
        let room = handles::reserve::<mvx_runtime>()?;
        clone.set(room.publish(Runtime::clone(&runtime)));
        Ok(())
    })
}

/// Starts the threads of a VIRGIN runtime. A RUNNING one is left as it is.
///
/// - runtime: stays the caller's.
/// - error: may be NULL.
/// - Any thread. Blocks while the threads start. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (it is, or is being, shut down),
///   MVX_STARTUP_FAILED (the runtime is FAILURE then), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_start(
    runtime: *mut mvx_runtime,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_start", error, |_| handles::lookup(runtime)?.start())
}

/// Shuts a runtime down, for good: stops its recorders, which flushes what they accepted, removes them, and
/// joins the threads. Calls at the same time join. A runtime that is VIRGIN or CLOSED is CLOSED at once. What
/// is not done by the deadline (shutdown_timeout_ns) is cancelled. The handle must still be freed.
///
/// - runtime: stays the caller's.
/// - error: may be NULL. Its details list failed_recorder_ids, recorder_errors and undelivered_events.
/// - Any thread, except those of the runtime. Blocks until it is over. From a callback: MVX_WOULD_DEADLOCK.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_STATE (it is FAILURE), MVX_SHUTDOWN_FAILED,
///   MVX_WOULD_DEADLOCK, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_shutdown(
    runtime: *mut mvx_runtime,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_shutdown", error, |_| {
        handles::lookup(runtime)?.shutdown()
    })
}

/// The same, without waiting: the wait's operation is MVX_OPERATION_SHUTDOWN.
///
/// - runtime: stays the caller's.
/// - wait: receives a handle to free with mvx_wait_free().
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it, but not wait for it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
///   MVX_LIMIT_REACHED, MVX_UNEXPECTED; what came of the shutdown is the wait's result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_shutdown_async(
    runtime: *mut mvx_runtime,
    wait: *mut *mut mvx_wait,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_shutdown_async", error, |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: NULL or writable.
        let wait = unsafe { out(wait, "wait") }?;
        let room = handles::reserve::<mvx_wait>()?;
        wait.set(room.publish(runtime.shutdown_async()?));
        Ok(())
    })
}

/// The state of a runtime.
///
/// - runtime: stays the caller's.
/// - state: receives MVX_RUNTIME_VIRGIN ... MVX_RUNTIME_FAILURE.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_state(runtime: *const mvx_runtime, state: *mut i32) -> mvx_status {
    boundary::status_only("mvx_runtime_state", |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: NULL or writable.
        unsafe { out(state, "state") }?.set(runtime.state() as i32);
        Ok(())
    })
}

/// The error that a runtime keeps: why it is FAILURE.
///
/// - runtime: stays the caller's.
/// - last_error: receives an error to free with mvx_error_free(), or NULL where there is none.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_last_error(
    runtime: *const mvx_runtime,
    last_error: *mut *mut mvx_error,
) -> mvx_status {
    boundary::status_only("mvx_runtime_last_error", |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: NULL or writable.
        let last_error = unsafe { out(last_error, "last_error") }?;
        let error = runtime.last_error().map(|error| mvx_error::new(error).into_raw());
        last_error.set(error.unwrap_or(std::ptr::null_mut()));
        Ok(())
    })
}

/// Creates a recorder, starts it, and registers it with the runtime under an id. Of calls at the same time
/// with one id, one succeeds. Where the start fails, the id is free again.
///
/// - runtime: stays the caller's; it must be RUNNING.
/// - recorder_id: copied and trimmed; then 1 to 255 bytes.
/// - options: copied; NULL: all defaults. What they name is dropped (its `drop` runs) where the call fails.
/// - recorder: receives a handle to free with mvx_recorder_free(). The runtime holds the recorder too, until
///   it is removed.
/// - error: may be NULL.
/// - Any thread. Blocks until the recorder is RUNNING, its on_starting hook included. A callback that would
///   thereby wait for itself gets MVX_WOULD_DEADLOCK.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
///   MVX_ALREADY_EXISTS, MVX_STARTUP_FAILED, MVX_WOULD_DEADLOCK, MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_create_recorder(
    runtime: *mut mvx_runtime,
    recorder_id: mvx_str,
    options: *const mvx_recorder_options,
    recorder: *mut *mut mvx_recorder,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_create_recorder", error, |_| {
        // First, so that what the options name is dropped whatever else is wrong.
        // SAFETY: NULL or a struct as the header asks.
        let options = unsafe { options::recorder_options(options) };
        let runtime = handles::lookup(runtime)?;
        // SAFETY: a text argument as the header asks.
        let recorder_id = unsafe { recorder_id.read("recorder_id") }?;
        // SAFETY: NULL or writable.
        let recorder = unsafe { out(recorder, "recorder") }?;
        let room = handles::reserve::<mvx_recorder>()?;
        recorder.set(room.publish(runtime.create_recorder(recorder_id, options?)?));
        Ok(())
    })
}

/// A reference to the recorder that is registered under an id.
///
/// - runtime: stays the caller's; it must be RUNNING.
/// - recorder_id: trimmed.
/// - recorder: receives a handle of its own, to free with mvx_recorder_free().
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE, MVX_NOT_FOUND,
///   MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_get_recorder(
    runtime: *mut mvx_runtime,
    recorder_id: mvx_str,
    recorder: *mut *mut mvx_recorder,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_get_recorder", error, |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: a text argument as the header asks.
        let recorder_id = unsafe { recorder_id.read("recorder_id") }?;
        // SAFETY: NULL or writable.
        let recorder = unsafe { out(recorder, "recorder") }?;
        let room = handles::reserve::<mvx_recorder>()?;
        recorder.set(room.publish(runtime.get_recorder(recorder_id)?));
        Ok(())
    })
}

/// The same, where it is no error that there is none.
///
/// - runtime: stays the caller's; it must be RUNNING.
/// - recorder_id: trimmed.
/// - recorder: receives a handle of its own, to free with mvx_recorder_free(), or NULL where there is none.
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
///   MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_try_get_recorder(
    runtime: *mut mvx_runtime,
    recorder_id: mvx_str,
    recorder: *mut *mut mvx_recorder,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_try_get_recorder", error, |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: a text argument as the header asks.
        let recorder_id = unsafe { recorder_id.read("recorder_id") }?;
        // SAFETY: NULL or writable.
        let recorder = unsafe { out(recorder, "recorder") }?;
        let handle = match runtime.try_get_recorder(recorder_id)? {
            Some(found) => handles::reserve::<mvx_recorder>()?.publish(found),
            None => std::ptr::null_mut(),
        };
        recorder.set(handle);
        Ok(())
    })
}

/// The ids of the runtime's recorders.
///
/// - runtime: stays the caller's; it must be RUNNING.
/// - ids: receives a list to free with mvx_strings_free(); what happens later does not change it.
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_list_recorder_ids(
    runtime: *mut mvx_runtime,
    ids: *mut *mut mvx_strings,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_list_recorder_ids", error, |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: NULL or writable.
        let ids = unsafe { out(ids, "ids") }?;
        ids.set(new_strings(runtime.list_recorder_ids()?));
        Ok(())
    })
}

/// Stops a recorder and leaves it registered. One that is STOPPED is left as it is; a stop under way is
/// joined.
///
/// - runtime: stays the caller's; it must be RUNNING.
/// - recorder_id: trimmed.
/// - error: may be NULL.
/// - Any thread. Blocks until the recorder's events are dispatched and its on_stopped hook is done. A
///   callback of that recorder gets MVX_WOULD_DEADLOCK.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE, MVX_NOT_FOUND,
///   MVX_STOP_FAILED, MVX_WOULD_DEADLOCK, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_stop_recorder(
    runtime: *mut mvx_runtime,
    recorder_id: mvx_str,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_stop_recorder", error, |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: a text argument as the header asks.
        let recorder_id = unsafe { recorder_id.read("recorder_id") }?;
        runtime.stop_recorder(recorder_id)
    })
}

/// Stops a recorder and removes it from the runtime, also where stopping fails.
///
/// - runtime: stays the caller's; it must be RUNNING.
/// - recorder_id: trimmed.
/// - recorder: receives a handle to free with mvx_recorder_free(); may be NULL.
/// - error: may be NULL.
/// - Any thread. Blocks until the recorder's events are dispatched and its on_stopped hook is done. A
///   callback of that recorder gets MVX_WOULD_DEADLOCK.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE, MVX_NOT_FOUND
///   (also for the second of two such calls), MVX_STOP_FAILED, MVX_WOULD_DEADLOCK, MVX_LIMIT_REACHED,
///   MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_stop_and_remove_recorder(
    runtime: *mut mvx_runtime,
    recorder_id: mvx_str,
    recorder: *mut *mut mvx_recorder,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_runtime_stop_and_remove_recorder", error, |_| {
        let runtime = handles::lookup(runtime)?;
        // SAFETY: a text argument as the header asks.
        let recorder_id = unsafe { recorder_id.read("recorder_id") }?;
        if recorder.is_null() {
            return runtime.stop_and_remove_recorder(recorder_id).map(drop);
        }
        // SAFETY: writable where it is not NULL.
        let recorder = unsafe { out(recorder, "recorder") }?;
        let room = handles::reserve::<mvx_recorder>()?;
        recorder.set(room.publish(runtime.stop_and_remove_recorder(recorder_id)?));
        Ok(())
    })
}

/// Frees a reference to a runtime. Calls under way go on. The runtime itself goes with its last reference and
/// its last recorder; shut it down before, so as to know what came of it.
///
/// - runtime: taken; NULL, and what is no live handle, is ignored.
/// - Any thread. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_runtime_free(runtime: *mut mvx_runtime) {
    boundary::value("mvx_runtime_free", (), || {
        let _: Result<()> = handles::free(runtime);
    });
}
