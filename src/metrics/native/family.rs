//! What exporters need of a native metric beside its value.

use std::sync::Arc;

use crate::metrics::MetricKind;
use crate::snapshot::Value;

/// A native metric's series as exporters need them.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// What the values are.
    pub kind: MetricKind,
    /// What they are measured in; may be empty.
    pub unit: String,
    /// A sentence for people; may be empty.
    pub help: String,
    /// The names of the fields that the metric is grouped by; may be empty.
    pub label_names: Vec<String>,
    /// In order of first appearance; without groups exactly one.
    pub series: Vec<FamilySeries>,
    /// What the events past the limit of series amount to; `None` where there were none.
    pub overflow: Option<Value>,
    /// How many events that were.
    pub overflow_events: u64,
    /// How many events had a value that the metric can not count.
    pub invalid_events: u64,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilySeries {
    /// A text for each of the family's label names.
    pub labels: Arc<[String]>,
    /// A number, or null where there is none yet.
    pub value: Value,
}
