//! Hooks that a host runs on each thread of a runtime.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;

use crate::callback::ThreadHooks;
use crate::error::Result;

use super::arguments::{Versioned, versioned};
use super::user_data::UserData;

/// Callbacks on each thread that a runtime starts, for instance to attach it to a virtual machine.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_thread_hooks {
    /// sizeof(mvx_thread_hooks).
    pub struct_size: usize,
    /// The first thing that a thread does; may be NULL.
    pub on_start: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// The last thing that a thread does; may be NULL. It runs before thread-local destructors.
    pub on_stop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Frees user_data; may be NULL. Called once, on any thread, after the last of the others; also where the
    /// call that names these hooks fails.
    pub drop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Handed to all of them.
    pub user_data: *mut c_void,
}

/// The size of the first version of mvx_thread_hooks.
pub const MVX_THREAD_HOOKS_V1_SIZE: usize = 40;

// SAFETY: `repr(C)`, the size first, then nullable pointers.
unsafe impl Versioned for mvx_thread_hooks {
    const V1_SIZE: usize = MVX_THREAD_HOOKS_V1_SIZE;
}

const _: () = {
    assert!(size_of::<mvx_thread_hooks>() == MVX_THREAD_HOOKS_V1_SIZE);
    assert!(offset_of!(mvx_thread_hooks, on_start) == 8);
    assert!(offset_of!(mvx_thread_hooks, on_stop) == 16);
    assert!(offset_of!(mvx_thread_hooks, drop) == 24);
    assert!(offset_of!(mvx_thread_hooks, user_data) == 32);
};

/// Takes charge of the hooks that `pointer` names.
///
/// # Safety
/// `pointer` is NULL or points to a struct as the header asks.
pub(super) unsafe fn take(
    pointer: *const mvx_thread_hooks,
    argument: &str,
) -> Result<Option<Arc<dyn ThreadHooks>>> {
    // SAFETY: as this function was promised.
    let raw = unsafe { versioned(pointer, argument) }?;
    Ok(raw.map(|raw: mvx_thread_hooks| -> Arc<dyn ThreadHooks> {
        Arc::new(CThreadHooks {
            on_start: raw.on_start,
            on_stop: raw.on_stop,
            user_data: UserData::new(raw.user_data, raw.drop),
        })
    }))
}

struct CThreadHooks {
    on_start: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    on_stop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    user_data: UserData,
}

impl ThreadHooks for CThreadHooks {
    fn on_start(&self) {
        if let Some(on_start) = self.on_start {
            // SAFETY: the host gave this function for this user data.
            unsafe { on_start(self.user_data.pointer()) };
        }
    }

    fn on_stop(&self) {
        if let Some(on_stop) = self.on_stop {
            // SAFETY: the host gave this function for this user data.
            unsafe { on_stop(self.user_data.pointer()) };
        }
    }
}
