//! Taking snapshots.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::state::RecorderState;
use crate::error::{Error, Result, Status};
use crate::log::{Facts, LogPolicy};
use crate::metrics::{MetricEntry, MetricKind};
use crate::snapshot::Snapshot;
use crate::sync::mpsc::{self, RecvTimeoutError};
use crate::threads::{cycles, scope};
use crate::wait::{Operation, OperationKind, Wait};

const SNAPSHOT: &str = "metrics_recorder.snapshot";

/// What a snapshot waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotMode {
    /// Every event registered before the call, where the recorder is RUNNING.
    Consistent,
    /// Nothing.
    Relaxed,
}

impl Core {
    /// The state of all metrics, within `timeout` (`None`: as long as it takes).
    pub fn snapshot(self: &Arc<Self>, mode: SnapshotMode, timeout: Option<Duration>) -> Result<Snapshot> {
        let facts = Facts {
            state: Some(self.state().name()),
            ..Facts::default()
        };
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.with
            .log
            .operation(LogPolicy::Inspection, SNAPSHOT, facts, || {
                if scope::is_inside_recorder(self.with.recorder) {
                    // This thread has the right to call the metrics already.
                    return self.collect();
                }
                if mode == SnapshotMode::Consistent {
                    self.await_own_events(deadline)?;
                }
                self.collect_until(deadline)
            })
    }

    fn await_own_events(self: &Arc<Self>, deadline: Option<Instant>) -> Result<()> {
        let operation = {
            let control = self.control.lock();
            if control.state != RecorderState::Running || self.with.hub.pending() == 0 {
                return Ok(());
            }
            let operation = Operation::new(OperationKind::Flush, self.owner());
            self.with.hub.mark(Arc::clone(&operation));
            operation
        };
        self.with.driver.ring();
        // Where the recorder ends meanwhile, what was dispatched is shown.
        Wait::new(operation)
            .block(remaining(deadline))
            .map_err(|error| match error.status {
                Status::Timeout => not_in_time(),
                _ => error,
            })
    }

    fn collect_until(self: &Arc<Self>, deadline: Option<Instant>) -> Result<Snapshot> {
        let _waiting = cycles::begin(self.with.recorder).ok_or_else(|| {
            Error::would_deadlock(
                "a callback of the recorder waits, directly or not, for the callback that asks for this snapshot",
            )
        })?;
        let foreign = self
            .registry
            .lock()
            .iter()
            .any(|entry| entry.metric.kind() == MetricKind::Vtable);
        if !foreign || self.with.driver.threads().is_ending() {
            return self.collect_on_stage(deadline);
        }
        // Foreign code may hang: the caller must be able to turn away from it.
        let (sender, receiver) = mpsc::sync_channel(1);
        let core = Arc::clone(self);
        self.with.driver.threads().run(move || {
            let snapshot = core.collect_on_stage(deadline);
            // The job lets go of the recorder first: what the caller then frees is the last reference.
            drop(core);
            let _ = sender.send(snapshot);
        });
        let lost = || Err(Error::unexpected("the snapshot was lost"));
        match deadline {
            None => receiver.recv().unwrap_or_else(|_| lost()),
            Some(deadline) => match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(snapshot) => snapshot,
                Err(RecvTimeoutError::Timeout) => Err(not_in_time()),
                Err(RecvTimeoutError::Disconnected) => lost(),
            },
        }
    }

    fn collect_on_stage(&self, deadline: Option<Instant>) -> Result<Snapshot> {
        let _on_stage = self.with.stage.enter_until(deadline).ok_or_else(not_in_time)?;
        self.with.inside(|| self.collect())
    }

    /// Asks each metric. The thread has the right to.
    fn collect(&self) -> Result<Snapshot> {
        self.with.hub.tell_folded();
        let entries: Vec<Arc<MetricEntry>> = self.registry.lock().clone();
        let mut metrics = Vec::with_capacity(entries.len());
        for entry in &entries {
            let snapshot = entry.metric.snapshot().map_err(|cause| {
                let message = format!("the snapshot of metric '{}' failed", entry.name);
                Error::new(Status::MetricFailed, "UNEXPECTED_ERROR", message)
                    .with_detail("metric", &*entry.name)
                    .caused_by(cause)
            })?;
            metrics.push((entry.name.to_string(), snapshot));
        }
        Ok(Snapshot {
            entity_id: self.entity_id.clone(),
            name_space: self.name_space.clone(),
            stats: self.stats(),
            metrics,
        })
    }
}

fn remaining(deadline: Option<Instant>) -> Option<Duration> {
    // Never zero: that would only look.
    deadline.map(|deadline| {
        deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_nanos(1))
    })
}

fn not_in_time() -> Error {
    Error::timeout(
        "the snapshot was not ready in time: events are still pending, or a metric or hook of the recorder has not returned",
    )
}
