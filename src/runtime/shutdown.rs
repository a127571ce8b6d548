//! The end of a runtime: bounded in time, whatever its recorders do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, json};

use super::inner::Inner;
use super::registry::stop_error;
use super::state::RuntimeState;
use crate::error::{Error, Result, Status};
use crate::recorder::{Core, RecorderState};
use crate::wait::{Operation, OperationKind, Owner};

/// After the deadline callbacks get this long to notice that their recorder was cancelled.
const GRACE: Duration = Duration::from_millis(100);

/// What came of stopping the recorders.
pub struct Stopped {
    pub deadline: Instant,
    /// Ids of recorders that did not stop as they should, each with its error.
    pub failures: Vec<(String, Error)>,
    /// Kept until the threads are gone.
    pub cores: Vec<Arc<Core>>,
}

impl Stopped {
    /// The runtime's error, where there is one.
    pub fn error(&self) -> Option<Error> {
        let (_, first) = self.failures.first()?;
        let undelivered: u64 = self
            .cores
            .iter()
            .map(|core| core.stats())
            .map(|stats| stats.discarded + stats.pending)
            .sum();
        let ids: Vec<&str> = self.failures.iter().map(|(id, _)| id.as_str()).collect();
        let errors: Map<_, _> = self
            .failures
            .iter()
            .map(|(id, error)| {
                (
                    id.clone(),
                    json!({"reason": error.reason, "message": error.message}),
                )
            })
            .collect();
        let what = format!(
            "unable to shut the metrics runtime down: recorders failed to stop: {}",
            ids.join(", ")
        );
        Some(
            Error::new(Status::ShutdownFailed, "SHUTDOWN_ERROR", what)
                .with_detail("failed_recorder_ids", json!(ids))
                .with_detail("recorder_errors", errors)
                .with_detail("undelivered_events", undelivered)
                .caused_by(first.clone()),
        )
    }
}

/// Stops all recorders of the runtime at once, those of the registry and those made directly, until the deadline;
/// those that are not over by then are cancelled.
pub async fn stop_recorders(inner: Arc<Inner>) {
    let deadline = Instant::now() + inner.shutdown_timeout();
    let registered = inner.registry.lock().clear();
    let mut stopping = Vec::new();
    let mut cores = Vec::new();
    for (id, hold) in &registered {
        stopping.push((id.clone(), Arc::clone(hold.core()), true));
    }
    for core in inner.recorders() {
        if !registered.iter().any(|(_, hold)| Arc::ptr_eq(hold.core(), &core)) {
            stopping.push((core.entity_id.clone(), core, false));
        }
    }
    let tasks: Vec<_> = stopping
        .into_iter()
        .map(|(id, core, is_registered)| {
            cores.push(Arc::clone(&core));
            let inner = Arc::clone(&inner);
            tokio::spawn(async move {
                let result = stop_until(&inner, &core, deadline, is_registered).await;
                (id, result)
            })
        })
        .collect();
    let mut failures = Vec::new();
    for task in tasks {
        match task.await {
            Ok((_, Ok(()))) => {}
            Ok((id, Err(error))) => failures.push((id.clone(), stop_error(&id, error))),
            Err(error) => failures.push(("?".to_owned(), Error::unexpected(error.to_string()))),
        }
    }
    // Holds on the registry's recorders go on a thread that may block, as the host's objects may go with them.
    inner.run_on_pool(move || drop(registered));
    inner.set_stopped(Stopped {
        deadline,
        failures,
        cores,
    });
    inner.end_threads();
}

async fn stop_until(inner: &Arc<Inner>, core: &Arc<Core>, deadline: Instant, registered: bool) -> Result<()> {
    match tokio::time::timeout_at(deadline.into(), stop_one(core, registered)).await {
        Ok(result) => result,
        Err(_) => {
            // Discarding calls the host's release callbacks, which may block.
            let owner = Owner::Recorder(core.with.recorder);
            let cancelled = Operation::new(OperationKind::Stop, owner);
            let job = (Arc::clone(core), Arc::clone(&cancelled));
            inner.run_on_pool(move || {
                let (core, cancelled) = job;
                let _ = core.cancel();
                cancelled.complete(Ok(()), |callbacks| callbacks());
            });
            let _ = tokio::time::timeout(GRACE, cancelled.finished()).await;
            Err(Error::timeout(
                "the recorder did not stop before the runtime's shutdown timeout; it was cancelled",
            ))
        }
    }
}

async fn stop_one(core: &Arc<Core>, registered: bool) -> Result<()> {
    loop {
        match core.state() {
            RecorderState::Virgin | RecorderState::Stopped => return Ok(()),
            RecorderState::Starting => {
                // The start's own error went to whoever waits for the start.
                let _ = core.start().operation_itself().finished().await;
            }
            RecorderState::Running | RecorderState::Stopping => {
                match core.stop().operation_itself().finished().await {
                    // It stopped, or began to start, between the look and the call.
                    Err(error) if error.reason == "INVALID_RECORDER_STATE" => {}
                    result => return result,
                }
            }
            state @ (RecorderState::Failure | RecorderState::Cancelled) => {
                if !registered {
                    // Whoever made it knows already.
                    return Ok(());
                }
                let last = core.control.lock().last_error.clone();
                return Err(Error::recorder_state(
                    state,
                    &[
                        RecorderState::Running,
                        RecorderState::Stopping,
                        RecorderState::Stopped,
                    ],
                    last,
                ));
            }
        }
    }
}

/// On the bell's thread, the last one: ends the others, and tells everybody.
pub fn finish(inner: &Arc<Inner>, end_others: &dyn Fn(Duration)) {
    let stopped = inner.take_stopped();
    let left = stopped.as_ref().map_or(GRACE, |stopped| {
        stopped
            .deadline
            .saturating_duration_since(Instant::now())
            .max(GRACE)
    });
    end_others(left);
    let error = stopped.as_ref().and_then(Stopped::error);
    if let Some(stopped) = stopped {
        for core in &stopped.cores {
            core.with.driver.abandon();
        }
    }
    match error {
        None => inner.close(RuntimeState::Closed, Ok(())),
        Some(error) => inner.close(RuntimeState::Failure, Err(error)),
    }
}
