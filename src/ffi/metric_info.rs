//! Looking through the metrics of a recorder.

use std::ffi::c_void;
use std::mem::offset_of;

use crate::error::Error;
use crate::metrics::MetricKind;

use super::boundary::{self, ErrorOut};
use super::error::mvx_error;
use super::handles::mvx_recorder;
use super::status::mvx_status;
use super::text::mvx_str;

/// Kind of a metric: a table of functions of the host.
pub const MVX_METRIC_VTABLE: u32 = 1;
/// Kind of a metric: a sum that only grows. A value that is negative, infinite or not a number is left out of
/// it, and counted: the snapshot then has "invalid_events" beside its value. A whole-number sum stays at its
/// largest value instead of wrapping.
pub const MVX_METRIC_COUNTER: u32 = 2;
/// Kind of a metric: a sum that grows and shrinks. Not offered by this version: MVX_UNSUPPORTED.
pub const MVX_METRIC_UP_DOWN_COUNTER: u32 = 3;
/// Kind of a metric: the last value, in the order in which events were registered, across threads too. Its
/// value in a snapshot is null before the first event.
pub const MVX_METRIC_GAUGE: u32 = 4;
/// Kind of a metric: how many values lie between given bounds. Not offered by this version: MVX_UNSUPPORTED.
pub const MVX_METRIC_HISTOGRAM: u32 = 5;
/// Kind of a metric: how many values lie between bounds that grow by powers of 2. Not offered by this version:
/// MVX_UNSUPPORTED.
pub const MVX_METRIC_EXPONENTIAL_HISTOGRAM: u32 = 6;
/// Kind of a metric: quantiles with a stated relative error. Not offered by this version: MVX_UNSUPPORTED.
pub const MVX_METRIC_QUANTILE_SKETCH: u32 = 7;
/// Kind of a metric: how many different values there were. Not offered by this version: MVX_UNSUPPORTED.
pub const MVX_METRIC_DISTINCT_COUNT: u32 = 8;

/// State of a metric: it gets events.
pub const MVX_METRIC_ACTIVE: u32 = 1;
/// State of a metric: it failed and gets no more (MVX_METRIC_ERROR_QUARANTINE_METRIC).
pub const MVX_METRIC_QUARANTINED: u32 = 2;

/// A metric as mvx_recorder_iter_metrics() shows it. It, and what it points to, are there while the visitor
/// runs.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_metric_info {
    /// The size of this struct as the library has it.
    pub struct_size: usize,
    /// The name that it was registered under.
    pub name: mvx_str,
    /// MVX_METRIC_VTABLE ... MVX_METRIC_DISTINCT_COUNT.
    pub kind: u32,
    /// MVX_METRIC_ACTIVE or MVX_METRIC_QUARANTINED.
    pub state: u32,
    /// What it was registered with; NULL for native metrics. It is not dropped while the visitor runs.
    pub user_data: *mut c_void,
    /// Why it is quarantined, borrowed; NULL where it is not.
    pub error: *const mvx_error,
}

/// The size of the first version of mvx_metric_info.
pub const MVX_METRIC_INFO_V1_SIZE: usize = 48;

/// Called for each metric, on the thread that asked; returns 0 to go on, anything else to stop.
pub type mvx_metric_visitor =
    Option<unsafe extern "C" fn(context: *mut c_void, metric: *const mvx_metric_info) -> i32>;

const _: () = {
    assert!(size_of::<mvx_metric_info>() == MVX_METRIC_INFO_V1_SIZE);
    assert!(offset_of!(mvx_metric_info, name) == 8);
    assert!(offset_of!(mvx_metric_info, kind) == 24);
    assert!(offset_of!(mvx_metric_info, state) == 28);
    assert!(offset_of!(mvx_metric_info, user_data) == 32);
    assert!(offset_of!(mvx_metric_info, error) == 40);

    assert!(MVX_METRIC_VTABLE == MetricKind::Vtable as u32);
    assert!(MVX_METRIC_COUNTER == MetricKind::Counter as u32);
    assert!(MVX_METRIC_UP_DOWN_COUNTER == MetricKind::UpDownCounter as u32);
    assert!(MVX_METRIC_GAUGE == MetricKind::Gauge as u32);
    assert!(MVX_METRIC_HISTOGRAM == MetricKind::Histogram as u32);
    assert!(MVX_METRIC_EXPONENTIAL_HISTOGRAM == MetricKind::ExponentialHistogram as u32);
    assert!(MVX_METRIC_QUANTILE_SKETCH == MetricKind::QuantileSketch as u32);
    assert!(MVX_METRIC_DISTINCT_COUNT == MetricKind::DistinctCount as u32);
};

/// Shows the metrics of a recorder, in registration order, to a visitor. It sees those that were registered
/// when the call was made.
///
/// - recorder: stays the caller's.
/// - visitor: called on this thread, for one metric after the other.
/// - context: handed to the visitor; may be NULL.
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it, and the visitor may call anything.
/// - Returns MVX_OK (also where the visitor stopped), MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT,
///   MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_iter_metrics(
    recorder: *mut mvx_recorder,
    visitor: mvx_metric_visitor,
    context: *mut c_void,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_recorder_iter_metrics", error, |call| {
        let recorder = call.recorder(recorder)?;
        let visitor = visitor.ok_or_else(|| Error::invalid_argument("visitor", "must not be NULL"))?;
        for metric in recorder.iter_metrics() {
            let error = metric.quarantined().cloned().map(mvx_error::new);
            let info = mvx_metric_info {
                struct_size: size_of::<mvx_metric_info>(),
                name: mvx_str::of(metric.name()),
                kind: metric.kind() as u32,
                state: if error.is_some() {
                    MVX_METRIC_QUARANTINED
                } else {
                    MVX_METRIC_ACTIVE
                },
                user_data: metric.user_data(),
                error: error.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            };
            // SAFETY: the caller gave this function for this context; what it is shown outlives the call.
            if unsafe { visitor(context, &raw const info) } != 0 {
                break;
            }
        }
        Ok(())
    })
}
