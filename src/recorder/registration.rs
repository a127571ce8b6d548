//! Metrics come and are looked at.

use std::ffi::c_void;
use std::sync::Arc;

use super::core::Core;
use super::state::{ACCEPTING, RecorderState};
use crate::error::{Error, Result};
use crate::log::{Facts, LogPolicy};
use crate::metrics::{Metric, MetricEntry, MetricFolding, MetricKind};
use crate::queue::Change;

const REGISTER: &str = "metrics_recorder.register_metric";
const ITERATE: &str = "metrics_recorder.iter_metrics";

/// Longest name of a metric, in bytes.
const MAX_NAME: usize = 255;

/// A registered metric.
#[derive(Clone, Debug)]
pub struct MetricInfo(Arc<MetricEntry>);

impl MetricInfo {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its kind.
    pub fn kind(&self) -> MetricKind {
        self.0.metric.kind()
    }

    /// Why it is out of dispatching, where it is.
    pub fn quarantined(&self) -> Option<&Error> {
        self.0.quarantined()
    }

    /// The host's own object; null for a native metric. It is not dropped while this lives.
    pub fn user_data(&self) -> *mut c_void {
        self.0.metric.user_data()
    }
}

impl Core {
    /// Adds a metric, or replaces the one of its name. Events registered before belong to the metrics of that time.
    pub fn register_metric(self: &Arc<Self>, name: &str, metric: Box<dyn Metric>) -> Result<()> {
        let state = Some(self.state().name());
        let facts = Facts {
            state,
            metric_name: Some(name),
            ..Facts::default()
        };
        self.with.log.operation(LogPolicy::Normal, REGISTER, facts, || {
            self.add_metric(name, metric)
        })
    }

    fn add_metric(self: &Arc<Self>, name: &str, metric: Box<dyn Metric>) -> Result<()> {
        if name.is_empty() || name.len() > MAX_NAME {
            let problem = format!("must have 1 to {MAX_NAME} bytes, has {}", name.len());
            return Err(Error::invalid_argument("name", problem));
        }
        let entry = MetricEntry::new(name, metric);
        let types = entry.metric.event_types();
        let numbered = entry.metric.order_matters().then_some(types);
        let control = self.control.lock();
        if !control.state.accepts() {
            let cause = control
                .last_error
                .clone()
                .filter(|_| control.state == RecorderState::Failure);
            let mut error = Error::recorder_state(control.state, &ACCEPTING, cause);
            if control.state == RecorderState::Stopped {
                error = error.with_hint("mvx_recorder_start starts it again");
            }
            drop(control);
            // Here the host's object is dropped: it may call anything.
            drop(entry);
            return Err(error);
        }
        let replaced = {
            let mut registry = self.registry.lock();
            match registry.iter_mut().find(|old| old.name == entry.name) {
                Some(place) => Some(std::mem::replace(place, Arc::clone(&entry))),
                None => {
                    registry.push(Arc::clone(&entry));
                    None
                }
            }
        };
        self.with.hub.change(Change {
            numbered,
            folding: Some(self.folding()),
            change: Arc::clone(&entry),
        });
        let virgin = control.state == RecorderState::Virgin;
        let installed_here = if virgin { self.install_now() } else { Vec::new() };
        drop(control);
        if !virgin {
            self.with.driver.ring();
        }
        self.with.inside(|| drop((replaced, installed_here)));
        Ok(())
    }

    /// How events are folded for the metrics that are registered now.
    fn folding(&self) -> Arc<MetricFolding> {
        MetricFolding::new(self.registry.lock().clone())
    }

    /// In VIRGIN there is no dispatcher yet and no event: changes take effect at once. What they replaced.
    fn install_now(&self) -> Vec<Arc<MetricEntry>> {
        let mut dispatcher = self.dispatcher.lock();
        let Some(dispatcher) = dispatcher.as_mut() else {
            return Vec::new();
        };
        self.with
            .hub
            .take_changes()
            .into_iter()
            .filter_map(|entry| dispatcher.install(entry))
            .collect()
    }

    /// The registered metrics, in order.
    pub fn iter_metrics(&self) -> Vec<MetricInfo> {
        let facts = Facts {
            state: Some(self.state().name()),
            ..Facts::default()
        };
        self.with.log.invoke(LogPolicy::Inspection, ITERATE, facts);
        let metrics = self.registry.lock().iter().cloned().map(MetricInfo).collect();
        self.with.log.outcome(LogPolicy::Inspection, ITERATE, facts, None);
        metrics
    }
}
