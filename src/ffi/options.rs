//! What runtimes and recorders are made with.

use std::mem::offset_of;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::recorder::{MetricErrorPolicy, OverflowPolicy, RecorderOptions};
use crate::runtime::RuntimeOptions;

use super::arguments::{Versioned, size, timeout, unknown, versioned};
use super::hooks::{self, mvx_hooks};
use super::log::{Log, mvx_log};
use super::text::mvx_str;
use super::threads::{self, mvx_thread_hooks};

/// At the pending limit: the call succeeds, the event is not queued, and it is counted as dropped. The
/// default of the recorders that a runtime creates.
pub const MVX_OVERFLOW_DROP: u32 = 1;
/// At the pending limit: the call returns MVX_QUEUE_OVERFLOW, the event is not queued, and it is counted as
/// refused. The default of a recorder made by mvx_recorder_create(), whatever its runtime's policy is.
pub const MVX_OVERFLOW_RAISE_ERROR: u32 = 2;
/// At the pending limit: the call waits for room, up to block_timeout_ns, then returns MVX_TIMEOUT. Callbacks
/// don't wait: they get MVX_WOULD_DEADLOCK. In both cases the event is not queued, and is counted as refused.
pub const MVX_OVERFLOW_BLOCK: u32 = 3;

/// A metric that fails makes its recorder FAILURE. The default.
pub const MVX_METRIC_ERROR_FAIL_RECORDER: u32 = 1;
/// A metric that fails gets no more events; the recorder and its other metrics go on.
pub const MVX_METRIC_ERROR_QUARANTINE_METRIC: u32 = 2;

/// An event that only native counters without a value field want, and that no on_metric_changed hook sees, may
/// be counted in memory of the thread that records it: it is never pending, takes no room, and is dispatched as
/// soon as it is accepted. The default.
pub const MVX_FOLDING_ON: u32 = 1;
/// Every event goes through the queue.
pub const MVX_FOLDING_OFF: u32 = 2;

/// Options of a runtime. Fill it with zeros, set struct_size, then what should differ from the defaults.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_runtime_options {
    /// sizeof(mvx_runtime_options).
    pub struct_size: usize,
    /// Names the runtime, in logs and as the default of its recorders. Empty: "mvx".
    pub name_space: mvx_str,
    /// Pending events of each recorder, at most. 0: 10,000; negative: MVX_INVALID_ARGUMENT.
    pub recorder_queue_max_size: i64,
    /// MVX_OVERFLOW_DROP, _RAISE_ERROR or _BLOCK, for recorders that the runtime creates. 0: DROP.
    pub recorder_overflow_policy: u32,
    /// Threads that coordinate, at most 1,024. 0: 1. Dispatching and callbacks have further ones, as many as
    /// are busy at once.
    pub worker_threads: u32,
    /// What bounds a shutdown, in nanoseconds. 0: 5 s; negative: MVX_INVALID_ARGUMENT.
    pub shutdown_timeout_ns: i64,
    /// The log of the runtime, and of its recorders where they name none. NULL: none.
    pub log: *const mvx_log,
    /// Begins the names of the runtime's threads; no NUL inside. Empty: "mvx".
    pub thread_name_prefix: mvx_str,
    /// Bytes of pending events of each recorder, at most: an event takes its payload, rounded up to a
    /// multiple of 8, and 16 more. 0: 16 MiB; negative: MVX_INVALID_ARGUMENT.
    pub recorder_queue_max_bytes: i64,
    /// Callbacks on each thread of the runtime. NULL: none.
    pub thread_hooks: *const mvx_thread_hooks,
}

/// The size of the first version of mvx_runtime_options.
pub const MVX_RUNTIME_OPTIONS_V1_SIZE: usize = 88;

/// Options of a recorder. Fill it with zeros, set struct_size, then what should differ from the defaults.
/// Where a runtime creates the recorder, its own options are the defaults.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_recorder_options {
    /// sizeof(mvx_recorder_options).
    pub struct_size: usize,
    /// Names the recorder in logs and snapshots; trimmed, then at most 255 bytes. Blank: the recorder id
    /// where a runtime creates it, otherwise eight random hex digits.
    pub entity_id: mvx_str,
    /// Empty: the runtime's.
    pub name_space: mvx_str,
    /// Pending events, at most. 0: the runtime's; negative: MVX_INVALID_ARGUMENT.
    pub queue_max_size: i64,
    /// Bytes of pending events, at most, counted as for a runtime; the pending limit is reached where either
    /// this or queue_max_size is. An event that is larger than this can never be queued: it is dropped or
    /// refused, under MVX_OVERFLOW_BLOCK after all of block_timeout_ns. 0: the runtime's; negative:
    /// MVX_INVALID_ARGUMENT.
    pub queue_max_bytes: i64,
    /// MVX_OVERFLOW_DROP, _RAISE_ERROR or _BLOCK. 0: the runtime's where it creates the recorder, otherwise
    /// RAISE_ERROR.
    pub overflow_policy: u32,
    /// How long MVX_OVERFLOW_BLOCK waits, in nanoseconds. 0: 1 s; negative: MVX_INVALID_ARGUMENT. For ever:
    /// INT64_MAX, which is 292 years.
    pub block_timeout_ns: i64,
    /// MVX_METRIC_ERROR_FAIL_RECORDER or _QUARANTINE_METRIC. 0: FAIL_RECORDER.
    pub metric_error_policy: u32,
    /// MVX_FOLDING_ON or _OFF. 0: ON.
    pub folding: u32,
    /// NULL: none.
    pub hooks: *const mvx_hooks,
    /// NULL: the runtime's.
    pub log: *const mvx_log,
}

/// The size of the first version of mvx_recorder_options.
pub const MVX_RECORDER_OPTIONS_V1_SIZE: usize = 96;

// SAFETY: `repr(C)`, the size first, then integers and nullable pointers.
unsafe impl Versioned for mvx_runtime_options {
    const V1_SIZE: usize = MVX_RUNTIME_OPTIONS_V1_SIZE;
}

// SAFETY: `repr(C)`, the size first, then integers and nullable pointers.
unsafe impl Versioned for mvx_recorder_options {
    const V1_SIZE: usize = MVX_RECORDER_OPTIONS_V1_SIZE;
}

const _: () = {
    assert!(size_of::<mvx_runtime_options>() == MVX_RUNTIME_OPTIONS_V1_SIZE);
    assert!(offset_of!(mvx_runtime_options, name_space) == 8);
    assert!(offset_of!(mvx_runtime_options, recorder_queue_max_size) == 24);
    assert!(offset_of!(mvx_runtime_options, recorder_overflow_policy) == 32);
    assert!(offset_of!(mvx_runtime_options, worker_threads) == 36);
    assert!(offset_of!(mvx_runtime_options, shutdown_timeout_ns) == 40);
    assert!(offset_of!(mvx_runtime_options, log) == 48);
    assert!(offset_of!(mvx_runtime_options, thread_name_prefix) == 56);
    assert!(offset_of!(mvx_runtime_options, recorder_queue_max_bytes) == 72);
    assert!(offset_of!(mvx_runtime_options, thread_hooks) == 80);

    assert!(size_of::<mvx_recorder_options>() == MVX_RECORDER_OPTIONS_V1_SIZE);
    assert!(offset_of!(mvx_recorder_options, entity_id) == 8);
    assert!(offset_of!(mvx_recorder_options, name_space) == 24);
    assert!(offset_of!(mvx_recorder_options, queue_max_size) == 40);
    assert!(offset_of!(mvx_recorder_options, queue_max_bytes) == 48);
    assert!(offset_of!(mvx_recorder_options, overflow_policy) == 56);
    assert!(offset_of!(mvx_recorder_options, block_timeout_ns) == 64);
    assert!(offset_of!(mvx_recorder_options, metric_error_policy) == 72);
    assert!(offset_of!(mvx_recorder_options, folding) == 76);
    assert!(offset_of!(mvx_recorder_options, hooks) == 80);
    assert!(offset_of!(mvx_recorder_options, log) == 88);
};

/// More threads than any machine has use for; a made-up number must not end the process for want of memory.
const MAX_WORKER_THREADS: u32 = 1_024;

/// Reads the options of a runtime; NULL: all defaults. All that has a `drop` is taken charge of before
/// anything is looked at that could be wrong.
///
/// # Safety
/// `pointer` is NULL or points to a struct as the header asks.
pub(super) unsafe fn runtime_options(pointer: *const mvx_runtime_options) -> Result<RuntimeOptions> {
    // SAFETY: as this function was promised.
    let Some(raw) = (unsafe { versioned(pointer, "options") })? else {
        return Ok(RuntimeOptions::default());
    };
    // SAFETY: NULL or a struct as the header asks.
    let log = unsafe { Log::take(raw.log, "options.log") };
    // SAFETY: NULL or a struct as the header asks.
    let thread_hooks = unsafe { threads::take(raw.thread_hooks, "options.thread_hooks") };
    // SAFETY: a text argument as the header asks.
    let thread_name_prefix = unsafe { raw.thread_name_prefix.read("options.thread_name_prefix") }?;
    if thread_name_prefix.contains('\0') {
        return Err(Error::invalid_argument(
            "options.thread_name_prefix",
            "must not have a NUL inside",
        ));
    }
    if raw.worker_threads > MAX_WORKER_THREADS {
        return Err(Error::invalid_argument(
            "options.worker_threads",
            format!("is {}, more than {MAX_WORKER_THREADS}", raw.worker_threads),
        ));
    }
    Ok(RuntimeOptions {
        // SAFETY: a text argument as the header asks.
        name_space: unsafe { raw.name_space.read("options.name_space") }?.to_owned(),
        recorder_queue_max_size: size(raw.recorder_queue_max_size, "options.recorder_queue_max_size")?,
        recorder_queue_max_bytes: size(raw.recorder_queue_max_bytes, "options.recorder_queue_max_bytes")?,
        recorder_overflow_policy: overflow_policy(
            raw.recorder_overflow_policy,
            "options.recorder_overflow_policy",
        )?,
        worker_threads: Some(raw.worker_threads).filter(|&threads| threads > 0),
        shutdown_timeout: timeout(raw.shutdown_timeout_ns, "options.shutdown_timeout_ns")?,
        thread_name_prefix: thread_name_prefix.to_owned(),
        log: log?.map(|log| log.into_options("options.log")).transpose()?,
        thread_hooks: thread_hooks?,
    })
}

/// Reads the options of a recorder, as [`runtime_options`] does.
///
/// # Safety
/// `pointer` is NULL or points to a struct as the header asks.
pub(super) unsafe fn recorder_options(pointer: *const mvx_recorder_options) -> Result<RecorderOptions> {
    // SAFETY: as this function was promised.
    let Some(raw) = (unsafe { versioned(pointer, "options") })? else {
        return Ok(RecorderOptions::default());
    };
    // SAFETY: NULL or a struct as the header asks.
    let hooks = unsafe { hooks::take(raw.hooks, "options.hooks") };
    // SAFETY: NULL or a struct as the header asks.
    let log = unsafe { Log::take(raw.log, "options.log") };
    let block_timeout: Option<Duration> = timeout(raw.block_timeout_ns, "options.block_timeout_ns")?;
    Ok(RecorderOptions {
        // SAFETY: a text argument as the header asks.
        entity_id: unsafe { raw.entity_id.read("options.entity_id") }?.to_owned(),
        // SAFETY: a text argument as the header asks.
        name_space: unsafe { raw.name_space.read("options.name_space") }?.to_owned(),
        queue_max_size: size(raw.queue_max_size, "options.queue_max_size")?,
        queue_max_bytes: size(raw.queue_max_bytes, "options.queue_max_bytes")?,
        overflow_policy: overflow_policy(raw.overflow_policy, "options.overflow_policy")?,
        block_timeout,
        metric_error_policy: match raw.metric_error_policy {
            0 | MVX_METRIC_ERROR_FAIL_RECORDER => MetricErrorPolicy::FailRecorder,
            MVX_METRIC_ERROR_QUARANTINE_METRIC => MetricErrorPolicy::QuarantineMetric,
            other => return Err(unknown("options.metric_error_policy", other)),
        },
        folding: match raw.folding {
            0 | MVX_FOLDING_ON => true,
            MVX_FOLDING_OFF => false,
            other => return Err(unknown("options.folding", other)),
        },
        hooks: hooks?,
        log: log?.map(|log| log.into_options("options.log")).transpose()?,
    })
}

fn overflow_policy(number: u32, argument: &str) -> Result<Option<OverflowPolicy>> {
    match number {
        0 => Ok(None),
        MVX_OVERFLOW_DROP => Ok(Some(OverflowPolicy::Drop)),
        MVX_OVERFLOW_RAISE_ERROR => Ok(Some(OverflowPolicy::RaiseError)),
        MVX_OVERFLOW_BLOCK => Ok(Some(OverflowPolicy::Block)),
        other => Err(unknown(argument, other)),
    }
}
