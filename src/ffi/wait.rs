//! Waiting for an operation.

#[cfg(not(windows))]
use std::ffi::c_int;
use std::ffi::c_void;

use crate::error::{Error, Result};
use crate::wait::OperationKind;

use super::arguments::{out, patience};
use super::boundary::{self, ErrorOut};
use super::error::mvx_error;
use super::handles::{self, mvx_wait};
use super::status::{MVX_OK, mvx_status};
use super::user_data::UserData;

/// Operation of a wait: the start of a recorder.
pub const MVX_OPERATION_START: i32 = 1;
/// Operation of a wait: the stop of a recorder.
pub const MVX_OPERATION_STOP: i32 = 2;
/// Operation of a wait: a flush of a recorder.
pub const MVX_OPERATION_FLUSH: i32 = 3;
/// Operation of a wait: the shutdown of a runtime.
pub const MVX_OPERATION_SHUTDOWN: i32 = 4;

const _: () = {
    assert!(MVX_OPERATION_START == OperationKind::Start as i32);
    assert!(MVX_OPERATION_STOP == OperationKind::Stop as i32);
    assert!(MVX_OPERATION_FLUSH == OperationKind::Flush as i32);
    assert!(MVX_OPERATION_SHUTDOWN == OperationKind::Shutdown as i32);
};

/// Called once when an operation is over: with which one (MVX_OPERATION_START ...), its status, and its
/// error, which is borrowed, and NULL on success.
pub type mvx_completion_fn = Option<
    unsafe extern "C" fn(user_data: *mut c_void, operation: i32, status: mvx_status, error: *const mvx_error),
>;

/// Waits until the operation is over; mvx_wait_result() says how it ended.
///
/// - wait: stays the caller's. It may be freed meanwhile; the call goes on.
/// - timeout_ns: negative: for ever; 0: does not wait.
/// - Any thread. Blocks up to the time-out. A callback that the operation waits for gets MVX_WOULD_DEADLOCK,
///   unless the operation is over or the time-out is 0.
/// - Returns MVX_OK (it is over, whether it succeeded or not), MVX_TIMEOUT, MVX_WOULD_DEADLOCK,
///   MVX_INVALID_HANDLE, MVX_FORKED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_wait_block(wait: *mut mvx_wait, timeout_ns: i64) -> mvx_status {
    boundary::status_only("mvx_wait_block", |_| {
        handles::lookup(wait)?.block(patience(timeout_ns))
    })
}

/// How the operation ended. All waits of one operation give the same.
///
/// - wait: stays the caller's.
/// - operation: receives MVX_OPERATION_START ... MVX_OPERATION_SHUTDOWN, as soon as the operation is over,
///   whether it succeeded or not.
/// - error: may be NULL. Receives why the operation failed, an error of the caller's own to free with
///   mvx_error_free().
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_NOT_READY (it is not over), MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT
///   (`operation` is NULL), MVX_UNEXPECTED; otherwise the operation's own status: MVX_OK, or
///   MVX_INVALID_STATE, MVX_HOOK_FAILED, MVX_METRIC_FAILED, MVX_CANCELLED, MVX_SHUTDOWN_FAILED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_wait_result(
    wait: *const mvx_wait,
    operation: *mut i32,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_wait_result", error, |_| {
        let wait = handles::lookup(wait)?;
        // SAFETY: NULL or writable.
        let operation = unsafe { out(operation, "operation") }?;
        let result = wait.result().ok_or_else(Error::not_ready)?;
        operation.set(wait.operation() as i32);
        result
    })
}

/// Has a function called when the operation is over: on a thread of the library, or, where it is over
/// already, on this one before the call returns. It may be asked for several times. Freeing the wait does not
/// take it back.
///
/// - wait: stays the caller's.
/// - fn: called once.
/// - user_data: handed to it, and owned by the library from here on.
/// - drop: frees user_data; may be NULL. Called once: after `fn`, or where this call fails, before it
///   returns.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_wait_on_complete(
    wait: *mut mvx_wait,
    r#fn: mvx_completion_fn,
    user_data: *mut c_void,
    drop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
) -> mvx_status {
    boundary::status_only("mvx_wait_on_complete", |_| {
        let user_data = UserData::new(user_data, drop);
        let wait = handles::lookup(wait)?;
        let function = r#fn.ok_or_else(|| Error::invalid_argument("fn", "must not be NULL"))?;
        wait.on_complete(Box::new(move |operation: OperationKind, result: Result<()>| {
            let error = result.err().map(mvx_error::new);
            let borrowed = error.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
            let status = error.as_ref().map_or(MVX_OK, mvx_error::status);
            // SAFETY: the host gave this function for this user data; the error outlives the call.
            unsafe { function(user_data.pointer(), operation as i32, status, borrowed) };
        }));
        Ok(())
    })
}

/// A file descriptor that becomes readable when the operation is over, for poll() and event loops. Don't read
/// from it and don't close it.
///
/// - wait: stays the caller's.
/// - fd: receives the descriptor, borrowed: it is good until mvx_wait_free().
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_UNSUPPORTED, MVX_LIMIT_REACHED
///   or MVX_UNEXPECTED (the system has none left).
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_wait_fd(wait: *mut mvx_wait, fd: *mut c_int) -> mvx_status {
    boundary::status_only("mvx_wait_fd", |_| {
        let wait = handles::lookup(wait)?;
        // SAFETY: NULL or writable.
        unsafe { out(fd, "fd") }?.set(wait.fd()?);
        Ok(())
    })
}

/// Windows: an event HANDLE that is signalled when the operation is over, for WaitForMultipleObjects() and
/// event loops. Don't reset it and don't close it.
///
/// - wait: stays the caller's.
/// - handle: receives the HANDLE, borrowed: it is good until mvx_wait_free().
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_INVALID_ARGUMENT, MVX_UNSUPPORTED, MVX_LIMIT_REACHED or
///   MVX_UNEXPECTED (the system has none left).
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_wait_handle(wait: *mut mvx_wait, handle: *mut *mut c_void) -> mvx_status {
    boundary::status_only("mvx_wait_handle", |_| {
        let wait = handles::lookup(wait)?;
        // SAFETY: NULL or writable.
        unsafe { out(handle, "handle") }?.set(wait.handle()?);
        Ok(())
    })
}

/// Frees a wait. The operation goes on, and completion callbacks still come.
///
/// - wait: taken; NULL, and what is no live handle, is ignored.
/// - Any thread. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_wait_free(wait: *mut mvx_wait) {
    boundary::value("mvx_wait_free", (), || {
        let _: Result<()> = handles::free(wait);
    });
}
