//! Errors as C reads them.

use crate::error::{Error, Status};

use super::boundary;
use super::status::mvx_status;
use super::text::mvx_str;

/// Why a call failed. Whoever receives one through an `error` parameter frees it with mvx_error_free(); one
/// that a callback is handed, and the cause of an error, are borrowed.
pub struct mvx_error {
    error: Error,
    /// Kept, so that C can borrow it.
    details: String,
    cause: Option<Box<mvx_error>>,
}

impl mvx_error {
    pub(super) fn new(error: Error) -> Self {
        let details = error.details_json();
        let cause = error
            .cause
            .as_ref()
            .map(|cause| Box::new(Self::new(cause.as_ref().clone())));
        Self {
            error,
            details,
            cause,
        }
    }

    pub(super) fn status(&self) -> mvx_status {
        self.error.status as mvx_status
    }

    /// Gives it to C.
    pub(super) fn into_raw(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }
}

/// The status that the failed call returned.
///
/// - error: NULL gives MVX_OK.
/// - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_error_status(error: *const mvx_error) -> mvx_status {
    boundary::value("mvx_error_status", Status::Ok as mvx_status, || {
        // SAFETY: NULL, or an error of the library that was not freed.
        unsafe { error.as_ref() }.map_or(Status::Ok, |error| error.error.status) as mvx_status
    })
}

/// The stable reason, for programs, such as "INVALID_RECORDER_STATE". They are listed at the beginning of this
/// header, under REASONS.
///
/// - error: NULL gives an empty text.
/// - Result: borrowed, as long as the error is there.
/// - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_error_reason(error: *const mvx_error) -> mvx_str {
    boundary::value("mvx_error_reason", mvx_str::of(""), || {
        // SAFETY: NULL, or an error of the library that was not freed.
        mvx_str::of(unsafe { error.as_ref() }.map_or("", |error| error.error.reason))
    })
}

/// What happened, for people; the wording may change.
///
/// - error: NULL gives an empty text.
/// - Result: borrowed, as long as the error is there.
/// - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_error_message(error: *const mvx_error) -> mvx_str {
    boundary::value("mvx_error_message", mvx_str::of(""), || {
        // SAFETY: NULL, or an error of the library that was not freed.
        mvx_str::of(unsafe { error.as_ref() }.map_or("", |error| &error.error.message))
    })
}

/// Facts about it, as a JSON object, such as {"recorder_state":"STOPPED","expected_states":["RUNNING"]}. It
/// is {} where there are none.
///
/// - error: NULL gives an empty text.
/// - Result: borrowed, as long as the error is there.
/// - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_error_details_json(error: *const mvx_error) -> mvx_str {
    boundary::value("mvx_error_details_json", mvx_str::of(""), || {
        // SAFETY: NULL, or an error of the library that was not freed.
        mvx_str::of(unsafe { error.as_ref() }.map_or("", |error| &error.details))
    })
}

/// What led to it: an error in its turn, for instance the one of your callback (its reason is
/// CALLBACK_ERROR).
///
/// - error: NULL gives NULL.
/// - Result: borrowed, as long as `error` is there; NULL where there is no cause. Do not free it.
/// - Any thread, as long as none frees the error. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_error_cause(error: *const mvx_error) -> *const mvx_error {
    boundary::value("mvx_error_cause", std::ptr::null(), || {
        // SAFETY: NULL, or an error of the library that was not freed.
        let cause = unsafe { error.as_ref() }.and_then(|error| error.cause.as_deref());
        cause.map_or(std::ptr::null(), std::ptr::from_ref)
    })
}

/// Frees an error and its causes.
///
/// - error: taken; NULL is fine. Only errors that came through an out-parameter are freed.
/// - Any thread, when no other uses the error. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_error_free(error: *mut mvx_error) {
    boundary::value("mvx_error_free", (), || {
        if !error.is_null() {
            // SAFETY: `into_raw` made it of a box, and its owner gives it back.
            drop(unsafe { Box::from_raw(error) });
        }
    });
}
