//! The hooks of a recorder, and the tokens by which they finish later.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;

use crate::callback::{Completion, HookOutcome, Hooks};
use crate::error::Result;
use crate::event::Event;

use super::arguments::{Versioned, versioned};
use super::boundary;
use super::callback_error::mvx_callback_error;
use super::event::{as_c, mvx_event};
use super::handles::{self, mvx_completion};
use super::status::{MVX_HOOK_FAILED, mvx_status};
use super::text::mvx_str;
use super::user_data::UserData;

/// What a hook returns when it is done. One that failed returns MVX_HOOK_FAILED (7); any number that is none
/// of the three counts as a failure too.
pub const MVX_HOOK_DONE: i32 = 0;
/// What a hook returns that finishes later, by mvx_completion_done(). Only dispatching of its own recorder
/// waits for it.
pub const MVX_HOOK_PENDING: i32 = 1;

/// The hooks of a recorder; each may be NULL. They run on library threads, one at a time. `completion` is a
/// token for this call: a hook that returns MVX_HOOK_PENDING keeps it and completes it once; after any other
/// result it is no longer valid.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_hooks {
    /// sizeof(mvx_hooks).
    pub struct_size: usize,
    /// Runs at each start, before the first event is dispatched. If it fails, so does the start, with
    /// ON_STARTING_HOOK_FAILED.
    pub on_starting: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            completion: *mut mvx_completion,
            error: *mut mvx_callback_error,
        ) -> i32,
    >,
    /// Runs at each stop, after the last event, and once as clean-up where the recorder failed or was
    /// cancelled.
    pub on_stopped: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            completion: *mut mvx_completion,
            error: *mut mvx_callback_error,
        ) -> i32,
    >,
    /// Runs after an event changed a metric, for each such metric and event, before the next metric sees the
    /// event. `metric_user_data` is NULL for native metrics. A recorder without this hook is faster.
    pub on_metric_changed: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            metric_name: mvx_str,
            metric_user_data: *mut c_void,
            event: *const mvx_event,
            completion: *mut mvx_completion,
            error: *mut mvx_callback_error,
        ) -> i32,
    >,
    /// Frees user_data; may be NULL. Called once, on any thread, after the last of the others; also where the
    /// call that names these hooks fails.
    pub drop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Handed to all of them.
    pub user_data: *mut c_void,
}

/// The size of the first version of mvx_hooks.
pub const MVX_HOOKS_V1_SIZE: usize = 48;

// SAFETY: `repr(C)`, the size first, then nullable pointers.
unsafe impl Versioned for mvx_hooks {
    const V1_SIZE: usize = MVX_HOOKS_V1_SIZE;
}

const _: () = {
    assert!(size_of::<mvx_hooks>() == MVX_HOOKS_V1_SIZE);
    assert!(offset_of!(mvx_hooks, on_starting) == 8);
    assert!(offset_of!(mvx_hooks, on_stopped) == 16);
    assert!(offset_of!(mvx_hooks, on_metric_changed) == 24);
    assert!(offset_of!(mvx_hooks, drop) == 32);
    assert!(offset_of!(mvx_hooks, user_data) == 40);
};

/// Takes charge of the hooks that `pointer` names.
///
/// # Safety
/// `pointer` is NULL or points to a struct as the header asks.
pub(super) unsafe fn take(pointer: *const mvx_hooks, argument: &str) -> Result<Option<Arc<dyn Hooks>>> {
    // SAFETY: as this function was promised.
    let raw = unsafe { versioned(pointer, argument) }?;
    Ok(raw.map(|raw: mvx_hooks| -> Arc<dyn Hooks> {
        Arc::new(CHooks {
            user_data: UserData::new(raw.user_data, raw.drop),
            raw,
        })
    }))
}

struct CHooks {
    raw: mvx_hooks,
    user_data: UserData,
}

// SAFETY: `raw` is only read; the header tells hosts that their callbacks run on any thread.
unsafe impl Send for CHooks {}
// SAFETY: as above.
unsafe impl Sync for CHooks {}

impl Hooks for CHooks {
    fn wants_metric_changed(&self) -> bool {
        self.raw.on_metric_changed.is_some()
    }

    fn on_starting(&self, completion: &Arc<Completion>) -> HookOutcome {
        let Some(hook) = self.raw.on_starting else {
            return HookOutcome::Done;
        };
        // SAFETY: the host gave this function for this user data.
        run("on_starting", completion, |token, error| unsafe {
            hook(self.user_data.pointer(), token, error)
        })
    }

    fn on_stopped(&self, completion: &Arc<Completion>) -> HookOutcome {
        let Some(hook) = self.raw.on_stopped else {
            return HookOutcome::Done;
        };
        // SAFETY: the host gave this function for this user data.
        run("on_stopped", completion, |token, error| unsafe {
            hook(self.user_data.pointer(), token, error)
        })
    }

    fn on_metric_changed(
        &self,
        metric_name: &str,
        metric_user_data: *mut c_void,
        event: &Event,
        completion: &Arc<Completion>,
    ) -> HookOutcome {
        let Some(hook) = self.raw.on_metric_changed else {
            return HookOutcome::Done;
        };
        let name = mvx_str::of(metric_name);
        // SAFETY: the host gave this function for this user data; name and event outlive the call.
        run("on_metric_changed", completion, |token, error| unsafe {
            hook(
                self.user_data.pointer(),
                name,
                metric_user_data,
                as_c(event),
                token,
                error,
            )
        })
    }
}

/// Calls a hook with a token of its own.
fn run(
    hook: &str,
    completion: &Arc<Completion>,
    call: impl FnOnce(*mut mvx_completion, *mut mvx_callback_error) -> i32,
) -> HookOutcome {
    let token = match handles::reserve::<mvx_completion>() {
        Ok(room) => room.publish(Arc::clone(completion)),
        Err(error) => return HookOutcome::Failed(Some(error.message)),
    };
    let error = mvx_callback_error::new();
    let result = call(token, error.as_raw());
    if result == MVX_HOOK_PENDING {
        return HookOutcome::Pending;
    }
    // The hook may have completed it too, which changes nothing.
    let _ = handles::free(token);
    match result {
        MVX_HOOK_DONE => HookOutcome::Done,
        MVX_HOOK_FAILED => HookOutcome::Failed(error.into_message()),
        other => HookOutcome::Failed(Some(error.into_message().unwrap_or_else(|| {
            format!("the hook {hook} returned {other}, which is none of the results of a hook")
        }))),
    }
}

/// Completes a hook that returned MVX_HOOK_PENDING, or is about to. The token is consumed.
///
/// - completion: the token that the hook was handed.
/// - error_message: copied; empty means success, anything else makes the hook fail with it.
/// - Any thread, also before the hook has returned. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE (also the second time, and where the hook returned anything else than
///   MVX_HOOK_PENDING), MVX_FORKED, MVX_INVALID_ARGUMENT (the message is not UTF-8; the token stays good),
///   MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_completion_done(
    completion: *mut mvx_completion,
    error_message: mvx_str,
) -> mvx_status {
    boundary::status_only("mvx_completion_done", |_| {
        let token = handles::lookup(completion)?;
        // SAFETY: a text argument as the header asks.
        let message = unsafe { error_message.read("error_message") }?;
        let result = if message.is_empty() {
            Ok(())
        } else {
            Err(message.to_owned())
        };
        // Of two threads that complete it, one frees the handle; the other has nothing to say.
        handles::free(completion)?;
        token.complete(result);
        Ok(())
    })
}
