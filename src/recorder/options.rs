//! What a recorder is made with.

use std::sync::Arc;
use std::time::Duration;

use crate::callback::Hooks;
use crate::log::LogOptions;
pub use crate::queue::OverflowPolicy;

/// Pending events where nothing else is said.
pub const DEFAULT_QUEUE_MAX_SIZE: u64 = 10_000;
/// Bytes of pending events where nothing else is said.
pub const DEFAULT_QUEUE_MAX_BYTES: u64 = 16 << 20;
/// How long BLOCK waits for room where nothing else is said.
pub const DEFAULT_BLOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// The namespace where nothing else is said.
pub const DEFAULT_NAME_SPACE: &str = "mvx";

/// What a failing metric does to its recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MetricErrorPolicy {
    /// The recorder becomes FAILURE.
    #[default]
    FailRecorder,
    /// The metric gets no more events; the recorder goes on.
    QuarantineMetric,
}

/// Options of a recorder; `None` and empty texts mean the default.
#[derive(Clone)]
pub struct RecorderOptions {
    /// What is measured. Trimmed; a blank one becomes eight random hex digits, or the recorder id.
    pub entity_id: String,
    /// Names the recorder in logs; the runtime's by default.
    pub name_space: String,
    /// Most pending events; 10,000 by default.
    pub queue_max_size: Option<u64>,
    /// Most bytes of pending events; 16 MiB by default.
    pub queue_max_bytes: Option<u64>,
    /// What happens at the limit; RAISE_ERROR by default, DROP where a runtime creates the recorder.
    pub overflow_policy: Option<OverflowPolicy>,
    /// How long BLOCK waits; 1 s by default.
    pub block_timeout: Option<Duration>,
    /// What a failing metric does.
    pub metric_error_policy: MetricErrorPolicy,
    /// Whether events that only counters want are counted where they are recorded.
    pub folding: bool,
    /// The host's hooks.
    pub hooks: Option<Arc<dyn Hooks>>,
    /// The recorder's log; the runtime's by default.
    pub log: Option<LogOptions>,
}

impl Default for RecorderOptions {
    fn default() -> Self {
        Self {
            entity_id: String::new(),
            name_space: String::new(),
            queue_max_size: None,
            queue_max_bytes: None,
            overflow_policy: None,
            block_timeout: None,
            metric_error_policy: MetricErrorPolicy::default(),
            folding: true,
            hooks: None,
            log: None,
        }
    }
}
