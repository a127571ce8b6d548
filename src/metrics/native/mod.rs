//! Native metrics: declared, not programmed. They need no callback, and take events in a few nanoseconds.
//!
//! The value of a metric without groups is `{"value": 3}`, with groups
//! `{"series": [{"labels": {"outcome": "ok"}, "value": 2}], "overflow_events": 0}`, in order of first appearance. Where
//! events came past the limit of series, a last series without labels has `"overflow": true`. Where values came that
//! do not count, such as a negative one for a counter, `"invalid_events"` says how many.

mod counter;
pub mod family;
pub mod filter;
mod gauge;
mod group;
mod number;
pub mod spec;

use std::ffi::c_void;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::event::{Event, FieldAt};
use crate::metrics::{Metric, MetricKind};
use crate::snapshot::{MetricSnapshot, Value};

use counter::{FloatSum, IntegerSum};
use filter::FieldFilter;
use gauge::LastValue;
use group::{Accumulator, Series, SeriesTable};
use number::Number;
use spec::{Plan, Sort};

pub use family::{Family, FamilySeries};
pub use filter::{Filter, FilterOp, FilterValue};
pub use spec::NativeSpec;

/// A metric that the library itself keeps.
#[derive(Debug)]
pub struct NativeMetric {
    kind: MetricKind,
    unit: String,
    help: String,
    label_names: Vec<String>,
    event_types: Vec<u32>,
    /// By event type number, in ascending order.
    plans: Box<[Plan]>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    IntegerCounter(SeriesTable<IntegerSum>),
    FloatCounter(SeriesTable<FloatSum>),
    Gauge(SeriesTable<LastValue>),
}

impl NativeMetric {
    /// A metric as declared.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming the member of the declaration that is bad. UNSUPPORTED: a kind that this version does
    /// not offer. LIMIT_REACHED: a filter's text can not be interned.
    pub fn new(spec: &NativeSpec) -> Result<Self> {
        if !matches!(spec.kind, MetricKind::Counter | MetricKind::Gauge) {
            return Err(not_offered(spec.kind));
        }
        let resolved = spec.resolve()?;
        let (group_by, max_series) = (&resolved.group_by, resolved.max_series);
        let state = match (spec.kind, resolved.value) {
            (MetricKind::Counter, Sort::Float) => State::FloatCounter(SeriesTable::new(group_by, max_series)),
            (MetricKind::Counter, _) => State::IntegerCounter(SeriesTable::new(group_by, max_series)),
            _ => State::Gauge(SeriesTable::new(group_by, max_series)),
        };
        Ok(Self {
            kind: spec.kind,
            unit: spec.unit.clone(),
            help: spec.help.clone(),
            label_names: spec.group_by.clone(),
            event_types: resolved.plans.iter().map(|plan| plan.type_id).collect(),
            plans: resolved.plans,
            state: Mutex::new(state),
        })
    }

    /// What is to be done with events of this type.
    fn plan(&self, type_id: u32) -> Option<&Plan> {
        let found = self.plans.binary_search_by_key(&type_id, |plan| plan.type_id);
        found.ok().and_then(|found| self.plans.get(found))
    }

    fn show<A: Accumulator>(&self, series: &Series<A>) -> MetricSnapshot {
        let overflow = (series.overflow_events > 0).then(|| series.overflow.value());
        let family = Family {
            kind: self.kind,
            unit: self.unit.clone(),
            help: self.help.clone(),
            label_names: self.label_names.clone(),
            series: series
                .series
                .iter()
                .map(|(labels, state)| FamilySeries {
                    labels: labels.clone(),
                    value: state.value(),
                })
                .collect(),
            overflow,
            overflow_events: series.overflow_events,
            invalid_events: series.invalid_events,
        };
        MetricSnapshot {
            value: tree(&family),
            family: Some(family),
        }
    }
}

fn not_offered(kind: MetricKind) -> Error {
    let name = match kind {
        MetricKind::Vtable | MetricKind::Counter | MetricKind::Gauge => {
            return Error::invalid_argument("kind", "is not that of a native metric");
        }
        MetricKind::UpDownCounter => "UP_DOWN_COUNTER",
        MetricKind::Histogram => "HISTOGRAM",
        MetricKind::ExponentialHistogram => "EXPONENTIAL_HISTOGRAM",
        MetricKind::QuantileSketch => "QUANTILE_SKETCH",
        MetricKind::DistinctCount => "DISTINCT_COUNT",
    };
    Error::unsupported(format!(
        "native metrics of kind {name} are not offered by this version, which offers COUNTER and GAUGE"
    ))
    .with_detail("kind", name)
}

/// The value as snapshots show it.
fn tree(family: &Family) -> Value {
    let entry = |key: &str, value: Value| (key.to_owned(), value);
    let mut root = Vec::new();
    if family.label_names.is_empty() {
        let value = family
            .series
            .first()
            .map_or(Value::Null, |series| series.value.clone());
        root.push(entry("value", value));
    } else {
        let mut list: Vec<Value> = family
            .series
            .iter()
            .map(|series| {
                let labels = family.label_names.iter().zip(series.labels.iter());
                let labels = labels.map(|(name, label)| (name.clone(), Value::Str(label.clone())));
                Value::Map(vec![
                    entry("labels", Value::Map(labels.collect())),
                    entry("value", series.value.clone()),
                ])
            })
            .collect();
        if let Some(overflow) = &family.overflow {
            list.push(Value::Map(vec![
                entry("labels", Value::Map(Vec::new())),
                entry("value", overflow.clone()),
                entry("overflow", Value::Bool(true)),
            ]));
        }
        root.push(entry("series", Value::List(list)));
        root.push(entry("overflow_events", Value::U64(family.overflow_events)));
    }
    if family.invalid_events > 0 {
        root.push(entry("invalid_events", Value::U64(family.invalid_events)));
    }
    Value::Map(root)
}

impl Metric for NativeMetric {
    fn kind(&self) -> MetricKind {
        self.kind
    }

    fn event_types(&self) -> Option<&[u32]> {
        Some(&self.event_types)
    }

    fn order_matters(&self) -> bool {
        self.kind == MetricKind::Gauge
    }

    fn offers_batch(&self) -> bool {
        true
    }

    fn handle_event(&self, event: &Event) -> Result<bool> {
        let mut changed = [0];
        self.handle_batch(std::slice::from_ref(event), Some(&mut changed))?;
        Ok(changed != [0])
    }

    fn handle_batch(&self, events: &[Event], changed: Option<&mut [u8]>) -> Result<()> {
        match &mut *self.state.lock() {
            State::IntegerCounter(table) => take_all(&self.plans, table, events, changed),
            State::FloatCounter(table) => take_all(&self.plans, table, events, changed),
            State::Gauge(table) => take_all(&self.plans, table, events, changed),
        }
        Ok(())
    }

    fn folded_by(&self, type_id: u32) -> Option<Vec<FieldAt>> {
        // The sum of floats depends on their order, and values are as many as events.
        if self.kind != MetricKind::Counter {
            return None;
        }
        let plan = self.plan(type_id)?;
        if plan.value.is_some() {
            return None;
        }
        let filters = plan.filters.iter().map(FieldFilter::at);
        Some(filters.chain(plan.group_by.iter().copied()).collect())
    }

    fn handle_folded(&self, type_id: u32, payload: &[u8], count: u64) {
        let Some(plan) = self.plan(type_id) else { return };
        match &mut *self.state.lock() {
            State::IntegerCounter(table) => take(plan, table, payload, count),
            State::FloatCounter(table) => take(plan, table, payload, count),
            State::Gauge(table) => take(plan, table, payload, count),
        };
    }

    fn snapshot(&self) -> Result<MetricSnapshot> {
        // The copy is made under the lock, the tree is not: that takes longer.
        enum Copied {
            Integer(Series<IntegerSum>),
            Float(Series<FloatSum>),
            Last(Series<LastValue>),
        }
        let copied = match &*self.state.lock() {
            State::IntegerCounter(table) => Copied::Integer(table.copy()),
            State::FloatCounter(table) => Copied::Float(table.copy()),
            State::Gauge(table) => Copied::Last(table.copy()),
        };
        Ok(match copied {
            Copied::Integer(series) => self.show(&series),
            Copied::Float(series) => self.show(&series),
            Copied::Last(series) => self.show(&series),
        })
    }

    fn user_data(&self) -> *mut c_void {
        std::ptr::null_mut()
    }
}

/// Made once for each kind of series, so that the loop has no choice to make that it could make before.
fn take_all<A: Accumulator>(
    plans: &[Plan],
    table: &mut SeriesTable<A>,
    events: &[Event],
    mut changed: Option<&mut [u8]>,
) {
    // Counting events by nothing or by a symbol is what most metrics do.
    if let ([plan], None) = (plans, &changed)
        && plan.counts_all()
        && table.count_all(plan.type_id, &plan.group_by, events)
    {
        return;
    }
    // Events of one type tend to come together.
    let mut plan = plans.first();
    for (index, event) in events.iter().enumerate() {
        if plan.is_none_or(|plan| plan.type_id != event.type_id) {
            let found = plans.binary_search_by_key(&event.type_id, |plan| plan.type_id);
            plan = found.ok().and_then(|found| plans.get(found));
        }
        let took = plan.is_some_and(|plan| take(plan, table, event.payload(), 1));
        if took
            && let Some(changed) = &mut changed
            && let Some(changed) = changed.get_mut(index)
        {
            *changed = 1;
        }
    }
}

/// Takes events into account that are all like this one.
#[inline]
fn take<A: Accumulator>(plan: &Plan, table: &mut SeriesTable<A>, payload: &[u8], count: u64) -> bool {
    if !plan.filters.iter().all(|filter| filter.holds(payload)) {
        return false;
    }
    let number = match &plan.value {
        None => Some(Number::U64(1)),
        Some(field) => field.read(payload).and_then(Number::of),
    };
    number.is_some_and(|number| table.take(number, &plan.group_by, payload, count))
}

#[cfg(test)]
mod tests;
