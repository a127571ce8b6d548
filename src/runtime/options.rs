//! What a runtime is made with.

use std::sync::Arc;
use std::time::Duration;

use crate::callback::ThreadHooks;
use crate::log::LogOptions;
use crate::queue::OverflowPolicy;

/// The namespace where nothing else is said.
pub const DEFAULT_NAME_SPACE: &str = "mvx";
/// What bounds a shutdown where nothing else is said.
pub const DEFAULT_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// Tokio's worker threads where nothing else is said: they only coordinate.
pub const DEFAULT_WORKERS: u32 = 1;
/// The most workers that make any sense.
pub const MAX_WORKERS: u32 = 1_024;

/// Options of a runtime; `None` and empty texts mean the default.
#[derive(Clone, Default)]
pub struct RuntimeOptions {
    /// Names the runtime in logs, and its recorders; `mvx` by default.
    pub name_space: String,
    /// Most pending events of its recorders; 10,000 by default.
    pub recorder_queue_max_size: Option<u64>,
    /// Most bytes of pending events of its recorders; 16 MiB by default.
    pub recorder_queue_max_bytes: Option<u64>,
    /// What its recorders do at the limit; DROP by default.
    pub recorder_overflow_policy: Option<OverflowPolicy>,
    /// Tokio's worker threads, at most 1,024; 1 by default. Callbacks run on other threads, as many as needed.
    pub worker_threads: Option<u32>,
    /// What bounds a shutdown; 5 s by default.
    pub shutdown_timeout: Option<Duration>,
    /// Prefix of thread names; `mvx` by default.
    pub thread_name_prefix: String,
    /// The runtime's log, and its recorders' by default.
    pub log: Option<LogOptions>,
    /// Called on each library thread.
    pub thread_hooks: Option<Arc<dyn ThreadHooks>>,
}
