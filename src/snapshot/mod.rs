//! Snapshots: the state of a recorder's metrics at one moment, as values that depend on nothing.

pub mod value;
pub mod writer;

pub use value::{Value, ValueKind};
pub use writer::Writer;

use crate::error::{Error, Result, Status};
use crate::recorder::Stats;

/// What one metric's snapshot gives.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSnapshot {
    /// The tree; its root is a map.
    pub value: Value,
    /// What a native metric says beside it for exporters (kind, unit, help, series).
    pub family: Option<crate::metrics::native::Family>,
}

impl MetricSnapshot {
    /// What a metric of the host wrote, as its writer gave it in the end.
    ///
    /// # Errors
    /// METRIC_FAILED where the writer was not ended as it should be.
    pub(crate) fn of_host(written: Result<Value>) -> Result<Self> {
        let value =
            written.map_err(|unfinished| Error::callback(Status::MetricFailed, Some(unfinished.message)))?;
        Ok(Self { value, family: None })
    }
}

/// A recorder's state at one moment; a value of its own.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The recorder.
    pub entity_id: String,
    /// Its namespace.
    pub name_space: String,
    /// Its counts.
    pub stats: Stats,
    /// By metric name, in registration order.
    pub metrics: Vec<(String, MetricSnapshot)>,
}

impl Snapshot {
    /// The value of the metric of that name.
    pub fn get(&self, metric_name: &str) -> Option<&Value> {
        self.metrics
            .iter()
            .find(|(name, _)| name == metric_name)
            .map(|(_, metric)| &metric.value)
    }

    /// As JSON: metric names and their values.
    ///
    /// # Errors
    /// UNEXPECTED_ERROR where it can't be written.
    pub fn to_json(&self) -> Result<String> {
        crate::export::json::snapshot(self)
    }

    /// As OpenMetrics text, for Prometheus and others.
    pub fn to_openmetrics(&self) -> String {
        crate::export::openmetrics::snapshot(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_its_name() {
        let metric = |value| MetricSnapshot { value, family: None };
        let snapshot = Snapshot {
            entity_id: "e".to_owned(),
            name_space: "n".to_owned(),
            stats: Stats::default(),
            metrics: vec![
                ("a".to_owned(), metric(Value::U64(1))),
                ("b".to_owned(), metric(Value::Null)),
            ],
        };
        assert_eq!(snapshot.get("b"), Some(&Value::Null));
        assert_eq!(snapshot.get("a"), Some(&Value::U64(1)));
        assert_eq!(snapshot.get("c"), None);
    }
}
