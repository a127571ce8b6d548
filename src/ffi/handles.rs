//! The handles of the surface: which types have one, and their tables.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::callback::Completion;
use crate::error::{Error, Result, Status};
use crate::process::fork;
use crate::process::fork_lock::HeldAcrossFork;
use crate::process::handle_table::{LookupError, Pinned, Reservation, Table};
use crate::recorder::Recorder;
use crate::runtime::Runtime;
use crate::wait::Wait;

use super::boundary::Bare;

/// A runtime: the threads of the library, and a registry of recorders. A handle; free it with
/// mvx_runtime_free().
pub struct mvx_runtime {
    _number: (),
}

/// A recorder. A handle; free it with mvx_recorder_free().
pub struct mvx_recorder {
    _number: (),
}

/// One waiter's hold on an operation that was begun. A handle; free it with mvx_wait_free().
pub struct mvx_wait {
    _number: (),
}

/// The token of one call of a hook. A handle; mvx_completion_done() consumes it, and a hook that returns
/// anything but MVX_HOOK_PENDING leaves it to the library.
pub struct mvx_completion {
    _number: (),
}

/// A type that C knows by handles.
pub(super) trait Handle: Sized {
    /// What a handle stands for.
    type Object: Send + Sync + 'static;
    /// How arguments of this type are called.
    const ARGUMENT: &'static str;
    /// All handles of this type.
    fn table() -> &'static Table<Self::Object>;
}

// The tags are neither ASCII, nor 0 or 0xff as at the top of addresses and small integers, nor one of the
// bytes that allocators and debuggers fill memory with.
static RUNTIMES: Table<Runtime> = Table::new(0x91);
static RECORDERS: Table<Recorder> = Table::new(0x92);
static WAITS: Table<Wait> = Table::new(0x93);
static COMPLETIONS: Table<Arc<Completion>> = Table::new(0x94);

impl Handle for mvx_runtime {
    type Object = Runtime;
    const ARGUMENT: &'static str = "runtime";
    fn table() -> &'static Table<Runtime> {
        &RUNTIMES
    }
}

impl Handle for mvx_recorder {
    type Object = Recorder;
    const ARGUMENT: &'static str = "recorder";
    fn table() -> &'static Table<Recorder> {
        &RECORDERS
    }
}

impl Handle for mvx_wait {
    type Object = Wait;
    const ARGUMENT: &'static str = "wait";
    fn table() -> &'static Table<Wait> {
        &WAITS
    }
}

impl Handle for mvx_completion {
    type Object = Arc<Completion>;
    const ARGUMENT: &'static str = "completion";
    fn table() -> &'static Table<Arc<Completion>> {
        &COMPLETIONS
    }
}

/// The object of a handle, held until the result is dropped.
pub(super) fn lookup<H: Handle>(handle: *const H) -> Result<Pinned<H::Object>> {
    H::table()
        .lookup(handle as u64)
        .map_err(|error| error_of::<H>(handle as u64, error))
}

/// The same without an error that nobody reads.
#[inline]
pub(super) fn lookup_or_status<H: Handle>(handle: *const H) -> Bare<Pinned<H::Object>> {
    H::table().lookup(handle as u64).map_err(|error| match error {
        LookupError::Invalid => Status::InvalidHandle,
        LookupError::Forked => Status::Forked,
    })
}

/// Frees a handle; its object goes with its last user.
pub(super) fn free<H: Handle>(handle: *const H) -> Result<()> {
    H::table()
        .free(handle as u64)
        .map_err(|error| error_of::<H>(handle as u64, error))
}

/// For a cache of recorders: the word to load, and what its [`liveness`] is while the handle is live.
///
/// [`liveness`]: crate::process::handle_table::liveness
pub fn recorder_liveness(handle: *const mvx_recorder) -> Option<(&'static AtomicU64, u32)> {
    RECORDERS.liveness(handle as u64)
}

/// Room for one handle, taken before the work that it is for: the work is never done for nothing.
pub(super) struct Reserved<H: Handle>(Reservation<H::Object>);

/// Takes room for a handle.
pub(super) fn reserve<H: Handle>() -> Result<Reserved<H>> {
    if !fork::register(&AROUND_FORK) {
        return Err(Error::unexpected(
            "there is no room left to prepare handles for fork()",
        ));
    }
    let room = H::table().reserve().map_err(|_| {
        Error::limit_reached(format!("there are no handles left for a further {}", H::ARGUMENT))
    })?;
    Ok(Reserved(room))
}

impl<H: Handle> Reserved<H> {
    /// The handle.
    pub(super) fn publish(self, object: H::Object) -> *mut H {
        std::ptr::without_provenance_mut(self.0.publish(object) as usize)
    }
}

/// A child finds the tables in order, and all that was behind handles left to its parent.
static AROUND_FORK: fork::Hooks = fork::Hooks {
    before: || {
        RUNTIMES.hold();
        RECORDERS.hold();
        WAITS.hold();
        COMPLETIONS.hold();
    },
    parent: let_go,
    child: || {
        RUNTIMES.abandon();
        RECORDERS.abandon();
        WAITS.abandon();
        COMPLETIONS.abandon();
        let_go();
    },
};

fn let_go() {
    COMPLETIONS.let_go();
    WAITS.let_go();
    RECORDERS.let_go();
    RUNTIMES.let_go();
}

fn error_of<H: Handle>(handle: u64, error: LookupError) -> Error {
    match error {
        LookupError::Invalid => Error::invalid_handle(
            H::ARGUMENT,
            match handle {
                0 => "is NULL",
                _ if H::table().is_of_type(handle) => "is no live handle: it was freed, or never handed out",
                _ => "is no live handle: it is of another type, or was never handed out",
            },
        ),
        LookupError::Forked => Error::forked(H::ARGUMENT),
    }
}
