//! What Windows has in the place of an eventfd.

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use crate::error::{Error, Result};

#[link(name = "kernel32")]
unsafe extern "system" {
    fn CreateEventW(
        attributes: *const c_void,
        manual_reset: i32,
        initial_state: i32,
        name: *const u16,
    ) -> *mut c_void;
    fn SetEvent(event: *mut c_void) -> i32;
}

/// An event that is set once and stays signalled.
#[derive(Debug)]
pub struct EventHandle(OwnedHandle);

impl EventHandle {
    pub fn new() -> Result<Self> {
        // SAFETY: neither attributes nor a name; an event that only a call resets, which nobody makes.
        let handle = unsafe { CreateEventW(std::ptr::null(), 1, 0, std::ptr::null()) };
        if handle.is_null() {
            let error = io::Error::last_os_error();
            return Err(Error::unexpected(format!("no event to wait on: {error}")));
        }
        // SAFETY: the handle was just made and belongs to nobody else.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub fn set(&self) {
        // SAFETY: the handle is open as long as this is.
        unsafe { SetEvent(self.0.as_raw_handle()) };
    }

    pub fn number(&self) -> *mut c_void {
        self.0.as_raw_handle()
    }
}
