//! A recorder: takes events in a few nanoseconds, hands them to its metrics, and shows their state.

mod core;
mod lifecycle;
mod options;
mod overflow;
mod recording;
mod registration;
mod snapshots;
mod state;
mod stats;

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests;

#[cfg(all(test, mvx_shuttle))]
mod model;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub(crate) use self::core::Core;
pub use options::{MetricErrorPolicy, OverflowPolicy, RecorderOptions};
pub(crate) use recording::{Events, learn, record_known, record_rest, record_short};
pub use registration::MetricInfo;
pub use snapshots::SnapshotMode;
pub use state::RecorderState;
pub use stats::Stats;

use crate::error::{Error, Result, Status};
use crate::metrics::Metric;
use crate::queue::local::Key;
use crate::runtime::Runtime;
use crate::snapshot::Snapshot;
use crate::wait::Wait;

/// What hosts hold of a recorder; the registry of its runtime holds one too. When the last one goes, a recorder that
/// runs is stopped.
pub(crate) struct Hold {
    core: Arc<Core>,
}

impl Hold {
    /// The first hold on a recorder.
    pub fn new(core: Arc<Core>) -> Arc<Self> {
        Arc::new(Self { core })
    }

    /// The recorder.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.core.abandon();
    }
}

/// A reference to a recorder.
#[derive(Clone)]
pub struct Recorder {
    // Let go of before the runtime.
    hold: Arc<Hold>,
    runtime: Runtime,
}

/// What keys of this crate's own are checked against: they never go bad.
static ALWAYS: AtomicU64 = AtomicU64::new(0);

impl Recorder {
    /// A recorder of its own, in VIRGIN: not in the runtime's registry. A blank entity id becomes eight random hex
    /// digits.
    ///
    /// # Errors
    /// INVALID_RUNTIME_STATE where the runtime is not RUNNING.
    pub fn new(runtime: &Runtime, options: RecorderOptions) -> Result<Self> {
        runtime.new_recorder(options)
    }

    /// A reference to what `hold` holds.
    pub(crate) fn from_hold(hold: Arc<Hold>, runtime: Runtime) -> Self {
        Self { hold, runtime }
    }

    /// The recorder's inside.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.hold.core
    }

    /// The runtime it belongs to.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// VIRGIN, STOPPED -> STARTING -> RUNNING; joins a start under way; else the wait is over with INVALID_STATE.
    pub fn start(&self) -> Wait {
        self.core().start()
    }

    /// RUNNING -> STOPPING -> STOPPED; joins a stop under way; else the wait is over with INVALID_STATE.
    pub fn stop(&self) -> Wait {
        self.core().stop()
    }

    /// Over when every event accepted before was dispatched.
    pub fn flush(&self) -> Wait {
        self.core().flush()
    }

    /// Forces CANCELLED; what is pending is discarded.
    ///
    /// # Errors
    /// INVALID_RECORDER_STATE in FAILURE.
    pub fn cancel(&self) -> Result<()> {
        self.core().cancel()
    }

    /// The state now.
    pub fn state(&self) -> RecorderState {
        self.core().state()
    }

    /// Why the recorder is in FAILURE or CANCELLED.
    pub fn last_error(&self) -> Option<Error> {
        self.core().control.lock().last_error.clone()
    }

    /// What is measured.
    pub fn entity_id(&self) -> &str {
        &self.core().entity_id
    }

    /// The namespace.
    pub fn name_space(&self) -> &str {
        &self.core().name_space
    }

    /// The counts now.
    pub fn stats(&self) -> Stats {
        self.core().stats()
    }

    /// Adds a metric, or replaces the one of its name. `metric` is dropped where that fails.
    ///
    /// # Errors
    /// INVALID_RECORDER_STATE; INVALID_ARGUMENT for a name that is empty or longer than 255 bytes.
    pub fn register_metric(&self, name: &str, metric: Box<dyn Metric>) -> Result<()> {
        self.core().register_metric(name, metric)
    }

    /// Records one event.
    pub fn register_event(&self, event_type: u32, payload: &[u8]) -> Status {
        let key = Key {
            value: self.core().with.recorder,
            live: &ALWAYS,
            expected: 0,
        };
        if let Some(status) = record_short(key.value, event_type, payload) {
            return status;
        }
        let events = Events {
            type_id: event_type,
            payloads: payload.as_ptr(),
            len: payload.len(),
            count: 1,
        };
        // SAFETY: the payload is a slice.
        match unsafe { record_known(key.value, events) } {
            Some((_, status)) => status,
            // SAFETY: as above.
            None => unsafe { self.core().record(key, events) }.1,
        }
    }

    /// The state of all metrics. `None`: wait as long as it takes.
    ///
    /// # Errors
    /// TIMEOUT; METRIC_FAILED with the metric's name; WOULD_DEADLOCK.
    pub fn snapshot(&self, mode: SnapshotMode, timeout: Option<Duration>) -> Result<Snapshot> {
        self.core().snapshot(mode, timeout)
    }

    /// The registered metrics, in order.
    pub fn iter_metrics(&self) -> Vec<MetricInfo> {
        self.core().iter_metrics()
    }

    /// A handle of this recorder was freed: threads that remember it forget it.
    pub fn handle_freed(&self) {
        self.core().with.hub.alert();
    }

    /// Makes the recorder FAILURE: the library itself panicked inside a call that concerned it.
    pub fn fail_unexpectedly(&self, error: Error) {
        self.core().fail(error);
    }
}
