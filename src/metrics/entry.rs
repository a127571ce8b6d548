//! A metric that is registered with a recorder.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::Metric;
use crate::error::Error;
use crate::queue::Hub;
use crate::wait::Operation;

/// A metric under its name. Dropped, and with it the host's object, when the last who looks at it lets go.
pub struct MetricEntry {
    /// The name it was registered under.
    pub name: Arc<str>,
    /// The metric.
    pub metric: Box<dyn Metric>,
    quarantine: OnceLock<Error>,
}

impl MetricEntry {
    /// A metric that is active.
    pub fn new(name: &str, metric: Box<dyn Metric>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            metric,
            quarantine: OnceLock::new(),
        })
    }

    /// Whether it gets events of this type.
    pub fn wants(&self, type_id: u32) -> bool {
        self.quarantined().is_none()
            && self
                .metric
                .event_types()
                .is_none_or(|types| types.contains(&type_id))
    }

    /// Takes the metric out of dispatching; false where it was out already.
    pub fn quarantine(&self, error: Error) -> bool {
        self.quarantine.set(error).is_ok()
    }

    /// Why it is out of dispatching, if it is.
    pub fn quarantined(&self) -> Option<&Error> {
        self.quarantine.get()
    }
}

impl fmt::Debug for MetricEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MetricEntry")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl PartialEq for MetricEntry {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// The hand-off of a recorder: its changes install metrics, its marks are flushes.
pub type EventHub = Hub<Arc<MetricEntry>, Arc<Operation>>;
