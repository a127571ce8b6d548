//! Snapshots as OpenMetrics 1.0 text, for Prometheus and whatever else scrapes.
//!
//! - Every sample has the label `recorder`, the recorder's entity id, and `namespace`, where that is not empty: the
//!   recorders of one process have metrics of the same name, and are told apart by it.
//! - The recorder's own counts come first, as the families `mvx_recorder_...`.
//! - A native counter is a counter and a native gauge a gauge, with a label for each field that it is grouped by. Its
//!   overflow series has the label `mvx_overflow="true"` instead. How many events overflowed or had an invalid value is
//!   said by the families `mvx_metric_overflow_events` and `mvx_metric_invalid_events`, by metric.
//! - Of a metric that the host programmed, each number or truth value is a family of type `unknown`, called like the
//!   metric and the keys that lead to the value, joined by `_`. Elements of a list are one family, told apart by the
//!   label `index`, which is `1.0` for the first element of the second list. Texts and nulls are left out.
//! - Names are brought into the form that OpenMetrics asks for: what is no ASCII letter, digit or `_` becomes `_`, and
//!   a prefix is put before what may not come first. Where that makes two families alike, or lets one be mistaken for
//!   a part of another (`a_total` is what a counter `a` has), the later one gets `_2`, `_3` and so on at its end. The
//!   recorder's own families come first in this, then native metrics, then the others, each in registration order: the
//!   name of a declared metric does not depend on what other metrics happen to contain.
//! - A unit is given as such where the family's name ends in it, as OpenMetrics demands; otherwise the help text says
//!   it.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use crate::metrics::MetricKind;
use crate::metrics::native::Family;
use crate::recorder::Stats;
use crate::snapshot::{Snapshot, Value};

/// The snapshot as OpenMetrics text, `# EOF` included.
pub fn snapshot(snapshot: &Snapshot) -> String {
    let mut text = Text::new(snapshot);
    text.recorder(&snapshot.stats);
    text.native_faults(snapshot);
    // Claimed in this order, written in registration order.
    let native: Vec<Option<String>> = snapshot
        .metrics
        .iter()
        .map(|(name, metric)| {
            metric
                .family
                .as_ref()
                .map(|family| text.claim_native(name, family))
        })
        .collect();
    for ((name, metric), claimed) in snapshot.metrics.iter().zip(native) {
        match (&metric.family, claimed) {
            (Some(family), Some(claimed)) => text.native(&claimed, family),
            _ => text.tree(name, &metric.value),
        }
    }
    text.out.push_str("# EOF\n");
    text.out
}

/// Type of a family.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Counter,
    Gauge,
    Unknown,
}

impl Type {
    fn of(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter,
            MetricKind::Gauge => Self::Gauge,
            _ => Self::Unknown,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Unknown => "unknown",
        }
    }

    /// What the names of samples may have after that of the family.
    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["", "_total", "_created"],
            Self::Gauge | Self::Unknown => &[""],
        }
    }

    /// What the names of the samples that are written here have.
    fn suffix(self) -> &'static str {
        match self {
            Self::Counter => "_total",
            Self::Gauge | Self::Unknown => "",
        }
    }
}

/// Labels that are not the fields of an event.
const OWN_LABELS: [&str; 4] = ["recorder", "namespace", "mvx_overflow", "mvx_duplicate"];

const OVERFLOW_EVENTS: &str = "mvx_metric_overflow_events";
const INVALID_EVENTS: &str = "mvx_metric_invalid_events";

/// The text as far as it is written.
struct Text {
    out: String,
    /// The labels that every sample has.
    common: String,
    /// Every name that a family or one of its samples may have.
    taken: HashSet<String>,
}

impl Text {
    fn new(snapshot: &Snapshot) -> Self {
        let mut common = String::new();
        push_label(&mut common, "recorder", &snapshot.entity_id);
        if !snapshot.name_space.is_empty() {
            push_label(&mut common, "namespace", &snapshot.name_space);
        }
        Self {
            out: String::new(),
            common,
            taken: HashSet::new(),
        }
    }

    /// A name of its own for a family that would like to be called `wanted`.
    fn claim(&mut self, wanted: &str, kind: Type) -> String {
        let mut name = wanted.to_owned();
        let mut number = 1;
        while kind
            .suffixes()
            .iter()
            .any(|suffix| self.taken.contains(&format!("{name}{suffix}")))
        {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        self.taken
            .extend(kind.suffixes().iter().map(|suffix| format!("{name}{suffix}")));
        name
    }

    fn claim_native(&mut self, name: &str, family: &Family) -> String {
        let kind = Type::of(family.kind);
        let mut wanted = sanitized(name, "metric");
        if kind == Type::Counter
            && let Some(stem) = wanted.strip_suffix("_total")
        {
            // The samples of a counter get it anyhow.
            wanted = stem.to_owned();
        }
        self.claim(&wanted, kind)
    }

    fn head(&mut self, name: &str, kind: Type, unit: &str, help: &str) {
        let _ = writeln!(self.out, "# TYPE {name} {}", kind.name());
        let mut help = help.trim().to_owned();
        if !unit.is_empty() {
            let valid = unit.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let ends = name.strip_suffix(unit).is_some_and(|stem| stem.ends_with('_'));
            if valid && ends {
                let _ = writeln!(self.out, "# UNIT {name} {unit}");
            } else {
                let space = if help.is_empty() { "" } else { " " };
                let _ = write!(help, "{space}[unit: {unit}]");
            }
        }
        if !help.is_empty() {
            let _ = write!(self.out, "# HELP {name} ");
            push_escaped(&mut self.out, &help);
            self.out.push('\n');
        }
    }

    /// `labels`: those beside the common ones.
    fn sample(&mut self, name: &str, kind: Type, labels: &str, value: &Value) {
        let Some(number) = number(value) else { return };
        let comma = if labels.is_empty() { "" } else { "," };
        let _ = writeln!(
            self.out,
            "{name}{}{{{}{comma}{labels}}} {number}",
            kind.suffix(),
            self.common
        );
    }

    fn recorder(&mut self, stats: &Stats) {
        let count = Value::U64;
        let lag = Value::F64(stats.lag_ns as f64 / 1e9);
        for (name, kind, unit, help, value) in [
            (
                "events_accepted",
                Type::Counter,
                "",
                "Events accepted.",
                count(stats.accepted),
            ),
            (
                "events_dispatched",
                Type::Counter,
                "",
                "Events that the metrics handled.",
                count(stats.dispatched),
            ),
            (
                "events_dropped",
                Type::Counter,
                "",
                "Events dropped at the pending limit.",
                count(stats.dropped),
            ),
            (
                "events_refused",
                Type::Counter,
                "",
                "Events refused at the pending limit.",
                count(stats.refused),
            ),
            (
                "events_discarded",
                Type::Counter,
                "",
                "Events accepted, but never dispatched.",
                count(stats.discarded),
            ),
            (
                "events_pending",
                Type::Gauge,
                "",
                "Events accepted and not yet handled.",
                count(stats.pending),
            ),
            (
                "events_pending_max",
                Type::Gauge,
                "",
                "The most events that were pending at once.",
                count(stats.pending_max),
            ),
            (
                "events_pending_bytes",
                Type::Gauge,
                "bytes",
                "Memory that pending events take.",
                count(stats.pending_bytes),
            ),
            (
                "quarantined_metrics",
                Type::Gauge,
                "",
                "Metrics that failed and get no more events.",
                count(stats.quarantined_metrics),
            ),
            (
                "lag_seconds",
                Type::Gauge,
                "seconds",
                "How far the dispatcher is behind.",
                lag,
            ),
        ] {
            let name = self.claim(&format!("mvx_recorder_{name}"), kind);
            self.head(&name, kind, unit, help);
            self.sample(&name, kind, "", &value);
        }
    }

    /// What native metrics could not take as declared.
    fn native_faults(&mut self, snapshot: &Snapshot) {
        type Faults = fn(&Family) -> Option<u64>;
        let overflow: Faults = |family| (!family.label_names.is_empty()).then_some(family.overflow_events);
        let invalid: Faults =
            |family| (Type::of(family.kind) == Type::Counter).then_some(family.invalid_events);
        for (name, help, faults) in [
            (OVERFLOW_EVENTS, "Events in a metric's overflow series.", overflow),
            (
                INVALID_EVENTS,
                "Events whose value the metric can not count.",
                invalid,
            ),
        ] {
            // Taken even where there is nothing to say, so that other names do not depend on it.
            let name = self.claim(name, Type::Counter);
            let faults: Vec<(&str, u64)> = snapshot
                .metrics
                .iter()
                .filter_map(|(metric, shown)| Some((metric.as_str(), faults(shown.family.as_ref()?)?)))
                .collect();
            if faults.is_empty() {
                continue;
            }
            self.head(&name, Type::Counter, "", help);
            for (metric, count) in faults {
                let mut labels = String::new();
                push_label(&mut labels, "metric", metric);
                self.sample(&name, Type::Counter, &labels, &Value::U64(count));
            }
        }
    }

    fn native(&mut self, name: &str, family: &Family) {
        let kind = Type::of(family.kind);
        self.head(name, kind, &family.unit, &family.help);
        let label_names = label_names(&family.label_names);
        let mut seen = HashSet::new();
        for series in &family.series {
            let mut labels = String::new();
            for (name, label) in label_names.iter().zip(series.labels.iter()) {
                push_label(&mut labels, name, label);
            }
            // Different groups can read alike: a text that spells the bytes of another. A reader would take the second
            // for an error.
            let unique = labels.len();
            let mut number = 1;
            while !seen.insert(labels.clone()) {
                number += 1;
                labels.truncate(unique);
                push_label(&mut labels, "mvx_duplicate", &number.to_string());
            }
            self.sample(name, kind, &labels, &series.value);
        }
        if let Some(overflow) = &family.overflow {
            self.sample(name, kind, "mvx_overflow=\"true\"", overflow);
        }
    }

    fn tree(&mut self, metric: &str, value: &Value) {
        let mut leaves = Leaves::default();
        leaves.collect(value, &mut Vec::new(), &mut String::new());
        for (path, values) in leaves.families {
            let joined = [&[metric], path.as_slice()].concat().join("_");
            let name = self.claim(&sanitized(&joined, "metric"), Type::Unknown);
            let help = match path.as_slice() {
                [] => format!("Value of the metric '{metric}'."),
                path => format!("Value '{}' of the metric '{metric}'.", path.join(".")),
            };
            self.head(&name, Type::Unknown, "", &help);
            for (index, value) in values {
                let mut labels = String::new();
                if !index.is_empty() {
                    push_label(&mut labels, "index", &index);
                }
                self.sample(&name, Type::Unknown, &labels, value);
            }
        }
    }
}

/// The numeric leaves of a tree, by the keys that lead to them. The keys themselves tell families apart, not what
/// becomes of them in a name.
#[derive(Default)]
struct Leaves<'a> {
    /// In order of appearance, each leaf with its index where it is in a list.
    families: Vec<(Path<'a>, Vec<(String, &'a Value)>)>,
    by_path: HashMap<Path<'a>, usize>,
}

/// The keys that lead to a leaf, outermost first.
type Path<'a> = Vec<&'a str>;

impl<'a> Leaves<'a> {
    fn collect(&mut self, value: &'a Value, path: &mut Path<'a>, index: &mut String) {
        match value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    path.push(key);
                    self.collect(value, path, index);
                    path.pop();
                }
            }
            Value::List(items) => {
                let outer = index.len();
                for (number, value) in items.iter().enumerate() {
                    let dot = if outer == 0 { "" } else { "." };
                    let _ = write!(index, "{dot}{number}");
                    self.collect(value, path, index);
                    index.truncate(outer);
                }
            }
            Value::Bool(_) | Value::I64(_) | Value::U64(_) | Value::F64(_) => {
                let family = *self.by_path.entry(path.clone()).or_insert_with(|| {
                    self.families.push((path.clone(), Vec::new()));
                    self.families.len() - 1
                });
                if let Some((_, values)) = self.families.get_mut(family) {
                    values.push((index.clone(), value));
                }
            }
            Value::Null | Value::Str(_) => {}
        }
    }
}

/// The value as OpenMetrics writes numbers; `None`: it is none.
fn number(value: &Value) -> Option<String> {
    Some(match *value {
        Value::Bool(value) => u8::from(value).to_string(),
        Value::I64(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F64(value) if value.is_nan() => "NaN".to_owned(),
        Value::F64(f64::INFINITY) => "+Inf".to_owned(),
        Value::F64(f64::NEG_INFINITY) => "-Inf".to_owned(),
        Value::F64(value) => format!("{value:?}"),
        Value::Null | Value::Str(_) | Value::List(_) | Value::Map(_) => return None,
    })
}

/// The text as a name. OpenMetrics reserves a `_` in front, and forbids a digit there.
fn sanitized(text: &str, prefix: &str) -> String {
    let name: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return name;
    }
    format!("{prefix}_{}", name.trim_start_matches('_'))
}

/// A label name for each field, none twice.
fn label_names(fields: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(fields.len());
    for field in fields {
        let mut wanted = sanitized(field, "label");
        if OWN_LABELS.contains(&wanted.as_str()) {
            // As Prometheus calls a label that one of its own hides.
            wanted = format!("exported_{wanted}");
        }
        let mut name = wanted.clone();
        let mut number = 1;
        while names.contains(&name) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        names.push(name);
    }
    names
}

fn push_label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    labels.push_str(name);
    labels.push_str("=\"");
    push_escaped(labels, value);
    labels.push('"');
}

fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
