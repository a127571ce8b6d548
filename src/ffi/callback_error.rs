//! How a callback says why it failed.

use parking_lot::Mutex;

use super::boundary;
use super::text::mvx_str;

/// Where a callback puts its message; it is there while the callback runs.
pub struct mvx_callback_error {
    message: Mutex<Option<String>>,
}

impl mvx_callback_error {
    pub(super) fn new() -> Self {
        Self {
            message: Mutex::new(None),
        }
    }

    /// Whether the callback, which has returned, said nothing.
    #[inline]
    pub(super) fn is_unused(&mut self) -> bool {
        self.message.get_mut().is_none()
    }

    /// What the callback said.
    pub(super) fn into_message(self) -> Option<String> {
        self.message.into_inner()
    }

    pub(super) fn as_raw(&self) -> *mut Self {
        std::ptr::from_ref(self).cast_mut()
    }
}

/// Says why the callback is going to fail. The message becomes the cause of the error that follows (reason
/// CALLBACK_ERROR). It is of no consequence where the callback then succeeds; the last message counts.
///
/// - error: what the callback was handed, valid until it returns; NULL is fine.
/// - message: copied; what is not UTF-8 is replaced. NULL data with a length is ignored.
/// - Any thread, while the callback runs. Does not block. Meant for callbacks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_callback_error_set(error: *mut mvx_callback_error, message: mvx_str) {
    boundary::value("mvx_callback_error_set", (), || {
        // SAFETY: NULL, or what a callback was handed that has not returned. It is only ever shared.
        let error = unsafe { error.as_ref() };
        // SAFETY: a text argument as the header asks.
        let message = unsafe { message.read_lossy() };
        if let (Some(error), Some(message)) = (error, message) {
            *error.message.lock() = Some(message);
        }
    });
}
