//! Metrics that the library keeps by itself, from a declaration.

use std::mem::offset_of;

use crate::error::{Error, Result};
use crate::metrics::MetricKind;
use crate::metrics::native::{Filter, FilterOp, FilterValue, NativeMetric, NativeSpec};

use super::arguments::{Versioned, array, flags, required, size, unknown};
use super::boundary::{self, ErrorOut};
use super::error::mvx_error;
use super::event::mvx_event_type;
use super::handles::mvx_recorder;
use super::metric_info::{
    MVX_METRIC_COUNTER, MVX_METRIC_DISTINCT_COUNT, MVX_METRIC_EXPONENTIAL_HISTOGRAM, MVX_METRIC_GAUGE,
    MVX_METRIC_HISTOGRAM, MVX_METRIC_QUANTILE_SKETCH, MVX_METRIC_UP_DOWN_COUNTER,
};
use super::status::mvx_status;
use super::text::mvx_str;
use super::value::{MVX_VALUE_BOOL, MVX_VALUE_F64, MVX_VALUE_I64, MVX_VALUE_STR, MVX_VALUE_U64};

/// Comparison of a filter: equal.
pub const MVX_FILTER_EQ: u32 = 1;
/// Comparison of a filter: not equal.
pub const MVX_FILTER_NE: u32 = 2;
/// Comparison of a filter: the field is less than the value.
pub const MVX_FILTER_LT: u32 = 3;
/// Comparison of a filter: less or equal.
pub const MVX_FILTER_LE: u32 = 4;
/// Comparison of a filter: greater.
pub const MVX_FILTER_GT: u32 = 5;
/// Comparison of a filter: greater or equal.
pub const MVX_FILTER_GE: u32 = 6;

/// A condition on a field of an event.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_filter {
    /// The name of a declared field.
    pub field: mvx_str,
    /// MVX_FILTER_EQ ... MVX_FILTER_GE.
    pub op: u32,
    /// Which of the following is the value: MVX_VALUE_BOOL, _I64, _U64, _F64 or _STR.
    pub value_kind: u32,
    /// The value of MVX_VALUE_I64; for MVX_VALUE_BOOL, 0 is false.
    pub i64: i64,
    /// The value of MVX_VALUE_U64.
    pub u64: u64,
    /// The value of MVX_VALUE_F64.
    pub f64: f64,
    /// The value of MVX_VALUE_STR, for symbols and texts.
    pub str: mvx_str,
}

/// The declaration of a native metric, of any kind. Fill it with zeros, set struct_size, then what is needed.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_metric_spec {
    /// sizeof(mvx_metric_spec).
    pub struct_size: usize,
    /// The name of the metric in its recorder; 1 to 255 bytes.
    pub name: mvx_str,
    /// What the values are measured in, such as "bytes"; may be empty.
    pub unit: mvx_str,
    /// A sentence for people; may be empty.
    pub help: mvx_str,
    /// MVX_METRIC_COUNTER ... MVX_METRIC_DISTINCT_COUNT.
    pub kind: u32,
    /// 0: there are no flags yet.
    pub flags: u32,
    /// The event types that the metric looks at.
    pub event_types: *const mvx_event_type,
    /// How many; at least one.
    pub event_type_count: usize,
    /// The field that is the value; all event types declare it. Empty: each event is worth 1.
    pub value_field: mvx_str,
    /// Conditions on fields; an event for which not all of them hold is ignored. May be NULL.
    pub filters: *const mvx_filter,
    /// How many.
    pub filter_count: usize,
    /// The names of fields; each combination of their values gets a series of its own, in the order in which
    /// they first come. May be NULL.
    pub group_by: *const mvx_str,
    /// How many; 16 at most.
    pub group_by_count: usize,
    /// How many series there are at most; further groups share one overflow series, which is not counted.
    /// 0: 2,000; negative, or more than 1,048,576: MVX_INVALID_ARGUMENT.
    pub max_series: i64,
    /// For MVX_METRIC_HISTOGRAM: the bounds, ascending. Otherwise of no meaning.
    pub bounds: *const f64,
    /// How many.
    pub bound_count: usize,
    /// For MVX_METRIC_QUANTILE_SKETCH: the greatest relative error, more than 0 and less than 1. 0: the
    /// default.
    pub relative_error: f64,
}

/// The size of the first version of mvx_metric_spec.
pub const MVX_METRIC_SPEC_V1_SIZE: usize = 160;

// SAFETY: `repr(C)`, the size first, then numbers and nullable pointers.
unsafe impl Versioned for mvx_metric_spec {
    const V1_SIZE: usize = MVX_METRIC_SPEC_V1_SIZE;
}

const _: () = {
    assert!(size_of::<mvx_filter>() == 64);
    assert!(offset_of!(mvx_filter, op) == 16);
    assert!(offset_of!(mvx_filter, value_kind) == 20);
    assert!(offset_of!(mvx_filter, i64) == 24);
    assert!(offset_of!(mvx_filter, u64) == 32);
    assert!(offset_of!(mvx_filter, f64) == 40);
    assert!(offset_of!(mvx_filter, str) == 48);

    assert!(size_of::<mvx_metric_spec>() == MVX_METRIC_SPEC_V1_SIZE);
    assert!(offset_of!(mvx_metric_spec, name) == 8);
    assert!(offset_of!(mvx_metric_spec, unit) == 24);
    assert!(offset_of!(mvx_metric_spec, help) == 40);
    assert!(offset_of!(mvx_metric_spec, kind) == 56);
    assert!(offset_of!(mvx_metric_spec, flags) == 60);
    assert!(offset_of!(mvx_metric_spec, event_types) == 64);
    assert!(offset_of!(mvx_metric_spec, event_type_count) == 72);
    assert!(offset_of!(mvx_metric_spec, value_field) == 80);
    assert!(offset_of!(mvx_metric_spec, filters) == 96);
    assert!(offset_of!(mvx_metric_spec, filter_count) == 104);
    assert!(offset_of!(mvx_metric_spec, group_by) == 112);
    assert!(offset_of!(mvx_metric_spec, group_by_count) == 120);
    assert!(offset_of!(mvx_metric_spec, max_series) == 128);
    assert!(offset_of!(mvx_metric_spec, bounds) == 136);
    assert!(offset_of!(mvx_metric_spec, bound_count) == 144);
    assert!(offset_of!(mvx_metric_spec, relative_error) == 152);

    assert!(MVX_FILTER_EQ == FilterOp::Eq as u32);
    assert!(MVX_FILTER_NE == FilterOp::Ne as u32);
    assert!(MVX_FILTER_LT == FilterOp::Lt as u32);
    assert!(MVX_FILTER_LE == FilterOp::Le as u32);
    assert!(MVX_FILTER_GT == FilterOp::Gt as u32);
    assert!(MVX_FILTER_GE == FilterOp::Ge as u32);
};

/// Registers a native metric under the name in its declaration; otherwise as mvx_recorder_register_metric().
///
/// Its snapshot is {"value": 3}; with group_by it is {"series": [{"labels": {"route": "/", "code": "200"},
/// "value": 3}, ...], "overflow_events": 0}, with the series in the order of their first appearance. Labels
/// are named like the fields, and are always texts: numbers in decimal, truth values "true" or "false",
/// symbols and texts as they are. Where events came past max_series, a last series {"labels": {}, "value": 2,
/// "overflow": true} stands for all their groups. Where values came that do not count, "invalid_events": n
/// follows.
///
/// - recorder: stays the caller's; VIRGIN, STARTING or RUNNING.
/// - spec: copied.
/// - error: may be NULL.
/// - Any thread. Does not wait for a callback that is running. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
///   MVX_LIMIT_REACHED, MVX_UNSUPPORTED (a kind that this version does not offer), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_register_native_metric(
    recorder: *mut mvx_recorder,
    spec: *const mvx_metric_spec,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_recorder_register_native_metric", error, |call| {
        let recorder = call.recorder(recorder)?;
        // SAFETY: NULL or a struct as the header asks.
        let spec = unsafe { read_spec(spec) }?;
        let metric = NativeMetric::new(&spec).map_err(|error| error.within("spec"))?;
        recorder.register_metric(&spec.name, Box::new(metric))
    })
}

/// # Safety
/// `spec` is NULL or points to a struct as the header asks.
unsafe fn read_spec(spec: *const mvx_metric_spec) -> Result<NativeSpec> {
    // SAFETY: as this function was promised.
    let spec = unsafe { required(spec, "spec") }?;
    let kind = kind_of(spec.kind)?;
    flags(spec.flags, 0, "spec.flags")?;
    // SAFETY: NULL or as many numbers as the count says.
    let event_types = unsafe { array(spec.event_types, spec.event_type_count, "spec.event_types") }?;
    // SAFETY: NULL or as many filters as the count says.
    let filters = unsafe { array(spec.filters, spec.filter_count, "spec.filters") }?;
    // SAFETY: NULL or as many texts as the count says.
    let group_by = unsafe { array(spec.group_by, spec.group_by_count, "spec.group_by") }?;
    // SAFETY: NULL or as many numbers as the count says.
    unsafe { array(spec.bounds, spec.bound_count, "spec.bounds") }?;
    if !(0.0..1.0).contains(&spec.relative_error) {
        return Err(Error::invalid_argument(
            "spec.relative_error",
            format!("is {}, which is not from 0 up to 1", spec.relative_error),
        ));
    }
    // SAFETY: text arguments as the header asks.
    let read = |text: mvx_str, argument: &str| unsafe { text.read(argument) }.map(str::to_owned);
    let read_filter = |(index, filter)| read_filter(filter, &format!("spec.filters[{index}]"), &read);
    Ok(NativeSpec {
        name: read(spec.name, "spec.name")?,
        unit: read(spec.unit, "spec.unit")?,
        help: read(spec.help, "spec.help")?,
        kind,
        event_types: event_types.to_vec(),
        value_field: Some(read(spec.value_field, "spec.value_field")?).filter(|name| !name.is_empty()),
        filters: filters
            .iter()
            .enumerate()
            .map(read_filter)
            .collect::<Result<_>>()?,
        group_by: group_by
            .iter()
            .enumerate()
            .map(|(index, name)| read(*name, &format!("spec.group_by[{index}]")))
            .collect::<Result<_>>()?,
        max_series: size(spec.max_series, "spec.max_series")?,
    })
}

fn read_filter(
    filter: &mvx_filter,
    argument: &str,
    read: &impl Fn(mvx_str, &str) -> Result<String>,
) -> Result<Filter> {
    Ok(Filter {
        field: read(filter.field, &format!("{argument}.field"))?,
        op: FilterOp::from_code(filter.op).ok_or_else(|| unknown(&format!("{argument}.op"), filter.op))?,
        value: match i32::try_from(filter.value_kind) {
            Ok(MVX_VALUE_BOOL) => FilterValue::Bool(filter.i64 != 0),
            Ok(MVX_VALUE_I64) => FilterValue::I64(filter.i64),
            Ok(MVX_VALUE_U64) => FilterValue::U64(filter.u64),
            Ok(MVX_VALUE_F64) => FilterValue::F64(filter.f64),
            Ok(MVX_VALUE_STR) => FilterValue::Str(read(filter.str, &format!("{argument}.str"))?),
            _ => return Err(unknown(&format!("{argument}.value_kind"), filter.value_kind)),
        },
    })
}

fn kind_of(number: u32) -> Result<MetricKind> {
    Ok(match number {
        MVX_METRIC_COUNTER => MetricKind::Counter,
        MVX_METRIC_UP_DOWN_COUNTER => MetricKind::UpDownCounter,
        MVX_METRIC_GAUGE => MetricKind::Gauge,
        MVX_METRIC_HISTOGRAM => MetricKind::Histogram,
        MVX_METRIC_EXPONENTIAL_HISTOGRAM => MetricKind::ExponentialHistogram,
        MVX_METRIC_QUANTILE_SKETCH => MetricKind::QuantileSketch,
        MVX_METRIC_DISTINCT_COUNT => MetricKind::DistinctCount,
        other => return Err(unknown("spec.kind", other)),
    })
}
