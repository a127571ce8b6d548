//! The one way from C into the library: no panic gets out, and none goes unnoticed.

use std::cell::OnceCell;

use crate::error::{Error, Result, Status};
use crate::process::handle_table::Pinned;
use crate::process::panic;
use crate::recorder::Recorder;

use super::error::mvx_error;
use super::handles::{self, mvx_recorder};
use super::status::mvx_status;

/// The result of a call on the recording path: no error is made that nobody reads.
pub(super) type Bare<T> = std::result::Result<T, Status>;

/// One call from C.
pub(super) struct Call {
    /// The recorder that the call is about: a panic ends it.
    recorder: OnceCell<Pinned<Recorder>>,
}

impl Call {
    /// The recorder of a handle, for as long as the call goes on.
    pub(super) fn recorder(&self, handle: *const mvx_recorder) -> Result<&Recorder> {
        let pinned = handles::lookup(handle)?;
        Ok(self.recorder.get_or_init(|| pinned))
    }

    /// The same for a call that has no place for an error.
    #[inline]
    pub(super) fn recorder_or_status(&self, handle: *const mvx_recorder) -> Bare<&Recorder> {
        let pinned = handles::lookup_or_status(handle)?;
        Ok(self.recorder.get_or_init(|| pinned))
    }
}

/// Where a call puts its error: nowhere, if C gave NULL.
pub(super) struct ErrorOut(*mut *mut mvx_error);

impl ErrorOut {
    /// # Safety
    /// `pointer` is NULL or may be written to during the call.
    pub(super) unsafe fn new(pointer: *mut *mut mvx_error) -> Self {
        Self(pointer)
    }

    fn set(self, error: Error) {
        if !self.0.is_null() {
            let error = mvx_error::new(error).into_raw();
            // SAFETY: not NULL, so it may be written to; C code that packs structs may misalign it.
            unsafe { self.0.write_unaligned(error) };
        }
    }
}

/// A function that returns a status and may give an error.
pub(super) fn status(
    function: &'static str,
    error: ErrorOut,
    body: impl FnOnce(&Call) -> Result<()>,
) -> mvx_status {
    match guard(function, body) {
        Ok(Ok(())) => Status::Ok as mvx_status,
        Ok(Err(failure)) | Err(failure) => {
            let status = failure.status as mvx_status;
            // Telling must not fail where the doing did not.
            let _ = panic::catch(|| error.set(failure));
            status
        }
    }
}

/// A function that returns a status and has no place for an error.
pub(super) fn status_only(function: &'static str, body: impl FnOnce(&Call) -> Result<()>) -> mvx_status {
    match guard(function, body) {
        Ok(Ok(())) => Status::Ok as mvx_status,
        Ok(Err(failure)) | Err(failure) => failure.status as mvx_status,
    }
}

/// A function on the recording path.
#[inline]
pub(super) fn bare_status(function: &'static str, body: impl FnOnce(&Call) -> Bare<()>) -> mvx_status {
    match guard(function, body) {
        Ok(Ok(())) => Status::Ok as mvx_status,
        Ok(Err(status)) => status as mvx_status,
        Err(failure) => failure.status as mvx_status,
    }
}

/// A function that returns no status: a panic inside gives the harmless value.
pub(super) fn value<R>(function: &'static str, harmless: R, body: impl FnOnce() -> R) -> R {
    guard(function, |_| body()).unwrap_or(harmless)
}

#[inline]
fn guard<R>(function: &'static str, body: impl FnOnce(&Call) -> R) -> Result<R> {
    let call = Call {
        recorder: OnceCell::new(),
    };
    let outcome = panic::catch(|| body(&call));
    let result = match outcome {
        Ok(result) => Ok(result),
        Err(caught) => Err(panicked(function, &call, caught)),
    };
    if call.recorder.get().is_some() {
        // It may be the last to hold a recorder whose handle was freed meanwhile.
        let _ = panic::catch(move || drop(call));
    }
    result
}

#[cold]
fn panicked(function: &'static str, call: &Call, caught: panic::Caught) -> Error {
    let error = caught.into_error(function);
    if let Some(recorder) = call.recorder.get() {
        let _ = panic::catch(|| recorder.fail_unexpectedly(error.clone()));
    }
    error
}
