//! Statuses: what calls return.

use std::ffi::{CStr, c_char};

use crate::error::Status;

use super::boundary;

/// What a call returns: MVX_OK or another of the constants below. Numbers keep their meaning for ever; later
/// versions may add some, so treat an unknown one as a failure.
pub type mvx_status = i32;

/// Success.
pub const MVX_OK: mvx_status = 0;
/// An argument is bad; the error names it.
pub const MVX_INVALID_ARGUMENT: mvx_status = 1;
/// A handle is NULL, was freed, is of another type, or was never handed out.
pub const MVX_INVALID_HANDLE: mvx_status = 2;
/// The recorder or runtime is in a state in which this can't be done.
pub const MVX_INVALID_STATE: mvx_status = 3;
/// The pending limit is reached; the event was refused.
pub const MVX_QUEUE_OVERFLOW: mvx_status = 4;
/// There is one of that name already.
pub const MVX_ALREADY_EXISTS: mvx_status = 5;
/// There is none of that name.
pub const MVX_NOT_FOUND: mvx_status = 6;
/// A hook failed. Hooks return this number too, to say so.
pub const MVX_HOOK_FAILED: mvx_status = 7;
/// A callback of a metric failed.
pub const MVX_METRIC_FAILED: mvx_status = 8;
/// A runtime, or a recorder that a runtime was creating, did not start.
pub const MVX_STARTUP_FAILED: mvx_status = 9;
/// A recorder of a runtime did not stop as it should.
pub const MVX_STOP_FAILED: mvx_status = 10;
/// Recorders did not stop as they should while their runtime was shut down.
pub const MVX_SHUTDOWN_FAILED: mvx_status = 11;
/// A limit of the library is reached.
pub const MVX_LIMIT_REACHED: mvx_status = 12;
/// The operation ended because its recorder was cancelled.
pub const MVX_CANCELLED: mvx_status = 13;
/// It did not happen in time.
pub const MVX_TIMEOUT: mvx_status = 14;
/// The operation is not over yet.
pub const MVX_NOT_READY: mvx_status = 15;
/// The calling thread would wait for itself: it is inside a callback.
pub const MVX_WOULD_DEADLOCK: mvx_status = 16;
/// The handle was made before fork() and belongs to the parent process.
pub const MVX_FORKED: mvx_status = 17;
/// Not offered by this version, or on this platform.
pub const MVX_UNSUPPORTED: mvx_status = 18;
/// A fault of the library or of the machine.
pub const MVX_UNEXPECTED: mvx_status = 19;

const NAMES: [(mvx_status, Status, &CStr); 20] = [
    (MVX_OK, Status::Ok, c"MVX_OK"),
    (
        MVX_INVALID_ARGUMENT,
        Status::InvalidArgument,
        c"MVX_INVALID_ARGUMENT",
    ),
    (MVX_INVALID_HANDLE, Status::InvalidHandle, c"MVX_INVALID_HANDLE"),
    (MVX_INVALID_STATE, Status::InvalidState, c"MVX_INVALID_STATE"),
    (MVX_QUEUE_OVERFLOW, Status::QueueOverflow, c"MVX_QUEUE_OVERFLOW"),
    (MVX_ALREADY_EXISTS, Status::AlreadyExists, c"MVX_ALREADY_EXISTS"),
    (MVX_NOT_FOUND, Status::NotFound, c"MVX_NOT_FOUND"),
    (MVX_HOOK_FAILED, Status::HookFailed, c"MVX_HOOK_FAILED"),
    (MVX_METRIC_FAILED, Status::MetricFailed, c"MVX_METRIC_FAILED"),
    (MVX_STARTUP_FAILED, Status::StartupFailed, c"MVX_STARTUP_FAILED"),
    (MVX_STOP_FAILED, Status::StopFailed, c"MVX_STOP_FAILED"),
    (
        MVX_SHUTDOWN_FAILED,
        Status::ShutdownFailed,
        c"MVX_SHUTDOWN_FAILED",
    ),
    (MVX_LIMIT_REACHED, Status::LimitReached, c"MVX_LIMIT_REACHED"),
    (MVX_CANCELLED, Status::Cancelled, c"MVX_CANCELLED"),
    (MVX_TIMEOUT, Status::Timeout, c"MVX_TIMEOUT"),
    (MVX_NOT_READY, Status::NotReady, c"MVX_NOT_READY"),
    (MVX_WOULD_DEADLOCK, Status::WouldDeadlock, c"MVX_WOULD_DEADLOCK"),
    (MVX_FORKED, Status::Forked, c"MVX_FORKED"),
    (MVX_UNSUPPORTED, Status::Unsupported, c"MVX_UNSUPPORTED"),
    (MVX_UNEXPECTED, Status::Unexpected, c"MVX_UNEXPECTED"),
];

// The header and the library count alike.
const _: () = {
    let mut number = 0;
    while number < NAMES.len() {
        assert!(NAMES[number].0 == number as i32 && NAMES[number].1 as i32 == number as i32);
        number += 1;
    }
};

/// The name of a status, such as "MVX_INVALID_STATE"; "MVX_UNKNOWN" for a number that is none.
///
/// - Result: a static text that ends in NUL; never NULL.
/// - Any thread. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_status_name(status: mvx_status) -> *const c_char {
    boundary::value("mvx_status_name", c"MVX_UNKNOWN".as_ptr(), || {
        let known = NAMES.iter().find(|(number, ..)| *number == status);
        known.map_or(c"MVX_UNKNOWN", |(.., name)| *name).as_ptr()
    })
}
