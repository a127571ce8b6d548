//! What a host attaches to its callbacks.

use std::ffi::c_void;

/// A host's pointer and what frees it, called once: when the last holder of this lets go.
pub(super) struct UserData {
    pointer: *mut c_void,
    drop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

// SAFETY: the header tells hosts that their callbacks, `drop` among them, run on any thread.
unsafe impl Send for UserData {}
// SAFETY: the library itself never looks behind the pointer.
unsafe impl Sync for UserData {}

impl UserData {
    /// Takes charge of `pointer`: from here on `drop` will run, whatever happens.
    pub(super) fn new(
        pointer: *mut c_void,
        drop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    ) -> Self {
        Self { pointer, drop }
    }

    pub(super) fn pointer(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            // SAFETY: the host gave this function for this pointer, and it is called this once.
            unsafe { drop(self.pointer) };
        }
    }
}
