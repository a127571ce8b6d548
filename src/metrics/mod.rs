//! What a metric is to the dispatcher, and the kinds of metric there are.

mod entry;
mod folding;
pub mod native;

pub(crate) use entry::{EventHub, MetricEntry};
pub(crate) use folding::MetricFolding;

use std::ffi::c_void;

use crate::error::Error;
use crate::event::{Event, FieldAt};
use crate::snapshot::MetricSnapshot;

/// The kind of a metric, with the number that crosses the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs)]
pub enum MetricKind {
    Vtable = 1,
    Counter = 2,
    UpDownCounter = 3,
    Gauge = 4,
    Histogram = 5,
    ExponentialHistogram = 6,
    QuantileSketch = 7,
    DistinctCount = 8,
}

/// A metric as the dispatcher sees it. Its methods are never called from two threads at once, but may be called
/// on different threads one after the other, and again on the same thread from inside a callback of their own.
pub trait Metric: Send + Sync {
    /// The kind of metric.
    fn kind(&self) -> MetricKind;
    /// The event types it wants; `None`: all.
    fn event_types(&self) -> Option<&[u32]>;
    /// Whether it must see events of different threads in the order in which they were registered.
    fn order_matters(&self) -> bool;
    /// Whether it takes many events at once gladly.
    fn offers_batch(&self) -> bool;
    /// Handles one event; whether the metric changed.
    ///
    /// # Errors
    /// What the metric reports.
    fn handle_event(&self, event: &Event) -> Result<bool, Error>;
    /// Handles many events. `changed`, where given, has a byte for each event, zero before, set to 1 where it changed the metric.
    ///
    /// # Errors
    /// What the metric reports.
    fn handle_batch(&self, events: &[Event], changed: Option<&mut [u8]>) -> Result<(), Error>;
    /// The fields that it looks at in events of this type, where all that counts is how many events with what in these
    /// fields there were, in whatever order: then it may get them by [`Metric::handle_folded`].
    fn folded_by(&self, type_id: u32) -> Option<Vec<FieldAt>> {
        let _ = type_id;
        None
    }
    /// `count` events of this type were registered whose fields, as far as the metric looks at them, are as in `payload`.
    /// It must neither block nor call foreign code, and may be called from any thread at any time.
    fn handle_folded(&self, type_id: u32, payload: &[u8], count: u64) {
        let _ = (type_id, payload, count);
    }
    /// Its state.
    ///
    /// # Errors
    /// What the metric reports (a CALLBACK_ERROR).
    fn snapshot(&self) -> Result<MetricSnapshot, Error>;
    /// The host's own object.
    fn user_data(&self) -> *mut c_void;
}
