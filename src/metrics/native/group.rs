//! Series: one accumulated state for each combination of values of the fields that a metric is grouped by.
//!
//! A series is labelled with texts, one for each field: a symbol or text as it is (bytes that are not UTF-8 as `\xe9`),
//! a number in decimal, a truth value as `true` or `false`. Events that would be labelled alike share a series: the
//! unset symbol 0 and the empty one, all NaNs, zero and minus zero.

use std::collections::HashMap;
use std::sync::Arc;

use crate::event::{Event, FieldAt, FieldValue, symbol_text};
use crate::metrics::native::number::Number;
use crate::metrics::native::spec::Sort;
use crate::snapshot::Value;

/// What one series accumulates.
pub(super) trait Accumulator: Copy + Default {
    /// A value that was found to be good.
    type Input: Copy;
    /// Whether the value is good; `None`: it does not count.
    fn accept(number: Number) -> Option<Self::Input>;
    /// Takes the value into account, as often as `count` says.
    fn apply(&mut self, input: Self::Input, count: u64);
    /// What a snapshot shows.
    fn value(&self) -> Value;
}

/// The series of one metric.
#[derive(Debug)]
pub(super) struct SeriesTable<A> {
    series: Vec<A>,
    /// The labels of each series.
    labels: Vec<Arc<[String]>>,
    index: Index,
    max_series: usize,
    /// Of all groups that came when there was no room for another series.
    overflow: A,
    overflow_events: u64,
    invalid_events: u64,
}

/// Where the series of a group is.
#[derive(Debug)]
enum Index {
    /// There is one series, for all.
    Single,
    /// Grouped by one SYMBOL field.
    Symbol(SymbolIndex),
    /// Grouped by anything else: the values, encoded one after the other.
    Key {
        known: HashMap<Box<[u8]>, usize>,
        scratch: Vec<u8>,
    },
}

/// Where an event belongs.
#[derive(Clone, Copy, Debug)]
enum Place {
    Series(usize),
    Overflow,
    /// The payload is too short to tell; a recorder accepts none that is.
    Nowhere,
}

/// Finds series by symbol. Symbols are small numbers, so most are an index.
#[derive(Debug, Default)]
struct SymbolIndex {
    /// By symbol: 1 + the series; 0: none.
    near: Vec<u32>,
    /// Those whose number would make `near` too long.
    far: HashMap<u32, u32>,
}

/// `near` has at most so many entries (256 KiB).
const NEAR_SYMBOLS: u32 = 65_536;

impl SymbolIndex {
    #[inline]
    fn get(&self, symbol: u32) -> Option<usize> {
        let found = match self.near.get(symbol as usize) {
            Some(&found) => found,
            None if symbol < NEAR_SYMBOLS => 0,
            None => self.far.get(&symbol).copied().unwrap_or(0),
        };
        (found as usize).checked_sub(1)
    }

    fn insert(&mut self, symbol: u32, series: usize) {
        // Series are far fewer than u32::MAX.
        let entry = series as u32 + 1;
        if symbol >= NEAR_SYMBOLS {
            self.far.insert(symbol, entry);
            return;
        }
        let at = symbol as usize;
        if self.near.len() <= at {
            self.near.resize(at + 1, 0);
        }
        if let Some(place) = self.near.get_mut(at) {
            *place = entry;
        }
    }
}

/// What a table held at one moment.
#[derive(Debug)]
pub(super) struct Series<A> {
    pub(super) series: Vec<(Arc<[String]>, A)>,
    pub(super) overflow: A,
    pub(super) overflow_events: u64,
    pub(super) invalid_events: u64,
}

impl<A: Accumulator> SeriesTable<A> {
    /// A table for groups of fields of these sorts; without any there is one series from the start.
    pub(super) fn new(group_by: &[Sort], max_series: usize) -> Self {
        let index = match group_by {
            [] => Index::Single,
            [Sort::Symbol] => Index::Symbol(SymbolIndex::default()),
            _ => Index::Key {
                known: HashMap::new(),
                scratch: Vec::new(),
            },
        };
        let (series, labels) = match index {
            Index::Single => (vec![A::default()], vec![Arc::default()]),
            _ => (Vec::new(), Vec::new()),
        };
        Self {
            series,
            labels,
            index,
            max_series,
            overflow: A::default(),
            overflow_events: 0,
            invalid_events: 0,
        }
    }

    /// Takes the value of `count` events into account that are all alike; whether the metric changed. `group_by` are the
    /// fields to group by in `payload`.
    // A call would cost about as much as the work itself.
    #[inline(always)]
    pub(super) fn take(&mut self, number: Number, group_by: &[FieldAt], payload: &[u8], count: u64) -> bool {
        let Some(input) = A::accept(number) else {
            self.invalid_events = self.invalid_events.saturating_add(count);
            return false;
        };
        let place = match (&self.index, group_by) {
            (Index::Single, _) => Place::Series(0),
            (Index::Symbol(index), [field]) => match field.read_symbol(payload) {
                Some(symbol) => match index.get(symbol) {
                    Some(found) => Place::Series(found),
                    None => self.find_symbol(symbol),
                },
                None => Place::Nowhere,
            },
            _ => self.find_key(group_by, payload),
        };
        match place {
            Place::Series(found) => {
                // Always there: a place is only ever given for a series that was added.
                if let Some(series) = self.series.get_mut(found) {
                    series.apply(input, count);
                }
                true
            }
            Place::Overflow => {
                self.overflow_events = self.overflow_events.saturating_add(count);
                self.overflow.apply(input, count);
                true
            }
            Place::Nowhere => false,
        }
    }

    /// Counts each event of a type as 1, where that goes without further ado; whether it did.
    pub(super) fn count_all(&mut self, type_id: u32, group_by: &[FieldAt], events: &[Event]) -> bool {
        let events = events.iter().filter(|event| event.type_id == type_id);
        let Some(one) = A::accept(Number::U64(1)) else {
            return false;
        };
        match (&self.index, group_by) {
            (Index::Single, _) => {
                let Some(series) = self.series.first_mut() else {
                    return false;
                };
                events.for_each(|_| series.apply(one, 1));
            }
            (Index::Symbol(_), [field]) => {
                for event in events {
                    let known = match &self.index {
                        Index::Symbol(index) => field
                            .read_symbol(event.payload())
                            .and_then(|symbol| index.get(symbol)),
                        _ => None,
                    };
                    match known.and_then(|found| self.series.get_mut(found)) {
                        Some(series) => series.apply(one, 1),
                        None => {
                            self.take(Number::U64(1), group_by, event.payload(), 1);
                        }
                    }
                }
            }
            _ => return false,
        }
        true
    }

    /// The place of a symbol that the index does not have.
    #[cold]
    fn find_symbol(&mut self, symbol: u32) -> Place {
        let text = symbol_text(symbol).unwrap_or_default();
        // What is no symbol, or the empty one, is labelled like 0.
        let canonical = if text.is_empty() { 0 } else { symbol };
        if let Index::Symbol(index) = &self.index
            && canonical != symbol
            && let Some(found) = index.get(canonical)
        {
            return Place::Series(found);
        }
        let place = self.add(|| [text.to_owned()].into());
        if let Index::Symbol(index) = &mut self.index
            && let Place::Series(added) = place
        {
            index.insert(canonical, added);
        }
        place
    }

    /// The place of the group that the payload belongs to, by the values of all fields.
    #[inline(never)]
    fn find_key(&mut self, group_by: &[FieldAt], payload: &[u8]) -> Place {
        let Index::Key { known, scratch } = &mut self.index else {
            return Place::Nowhere;
        };
        scratch.clear();
        if !encode(group_by, payload, scratch) {
            return Place::Nowhere;
        }
        if let Some(&found) = known.get(scratch.as_slice()) {
            return Place::Series(found);
        }
        let labels = || {
            group_by
                .iter()
                .map(|field| field.read(payload).map(label).unwrap_or_default())
                .collect()
        };
        let place = self.add(labels);
        if let Index::Key { known, scratch } = &mut self.index
            && let Place::Series(added) = place
        {
            known.insert(Box::from(scratch.as_slice()), added);
        }
        place
    }

    /// A new series, or the overflow series where there is no room for one.
    fn add(&mut self, labels: impl FnOnce() -> Arc<[String]>) -> Place {
        let added = self.series.len();
        if added >= self.max_series {
            return Place::Overflow;
        }
        self.series.push(A::default());
        self.labels.push(labels());
        Place::Series(added)
    }

    /// What it holds now.
    pub(super) fn copy(&self) -> Series<A> {
        Series {
            series: self
                .labels
                .iter()
                .cloned()
                .zip(self.series.iter().copied())
                .collect(),
            overflow: self.overflow,
            overflow_events: self.overflow_events,
            invalid_events: self.invalid_events,
        }
    }
}

/// Appends the values of `fields` to `key` so that equal groups have equal keys; `false` where the payload is too
/// short for one.
#[inline]
fn encode(fields: &[FieldAt], payload: &[u8], key: &mut Vec<u8>) -> bool {
    for field in fields {
        let Some(value) = field.read(payload) else {
            return false;
        };
        match value {
            // Widened to one width, so that fields of different width group together across event types.
            FieldValue::I64(value) => key.extend_from_slice(&i128::from(value).to_ne_bytes()),
            FieldValue::U64(value) => key.extend_from_slice(&i128::from(value).to_ne_bytes()),
            FieldValue::F64(value) => key.extend_from_slice(&canonical(value).to_ne_bytes()),
            FieldValue::Bool(value) => key.push(value.into()),
            FieldValue::Symbol(symbol) => {
                let set = symbol_text(symbol).is_some_and(|text| !text.is_empty());
                key.extend_from_slice(&if set { symbol } else { 0 }.to_ne_bytes());
            }
            // A text has no NUL, so one ends it.
            FieldValue::Text(text) => {
                key.extend_from_slice(text);
                key.push(0);
            }
        }
    }
    true
}

/// One number for all that are labelled alike.
fn canonical(value: f64) -> f64 {
    match value {
        value if value.is_nan() => f64::NAN,
        // Minus zero too: it equals zero.
        0.0 => 0.0,
        value => value,
    }
}

/// How a series is labelled with a value.
fn label(value: FieldValue<'_>) -> String {
    match value {
        FieldValue::I64(value) => value.to_string(),
        FieldValue::U64(value) => value.to_string(),
        FieldValue::F64(value) if value.is_infinite() => {
            if value > 0.0 {
                "Infinity".to_owned()
            } else {
                "-Infinity".to_owned()
            }
        }
        FieldValue::F64(value) => format!("{:?}", canonical(value)),
        FieldValue::Bool(value) => value.to_string(),
        FieldValue::Symbol(symbol) => symbol_text(symbol).unwrap_or_default().to_owned(),
        FieldValue::Text(bytes) => text_label(bytes),
    }
}

fn text_label(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{FieldKind, intern};
    use crate::metrics::native::counter::IntegerSum;

    fn at(kind: FieldKind, offset: usize, size: usize) -> FieldAt {
        FieldAt { kind, offset, size }
    }

    fn shown(table: &SeriesTable<IntegerSum>) -> Vec<(String, Value)> {
        table
            .copy()
            .series
            .iter()
            .map(|(labels, sum)| (labels.join("|"), sum.value()))
            .collect()
    }

    fn entry(labels: &str, value: u64) -> (String, Value) {
        (labels.to_owned(), Value::U64(value))
    }

    #[test]
    fn without_groups_there_is_one_series() {
        let mut table = SeriesTable::<IntegerSum>::new(&[], 1);
        assert_eq!(shown(&table), [entry("", 0)]);
        assert!(table.take(Number::U64(2), &[], &[], 1));
        assert!(table.take(Number::U64(3), &[], &[], 1));
        assert_eq!(shown(&table), [entry("", 5)]);
        assert_eq!(table.copy().overflow_events, 0);
    }

    #[test]
    fn symbols_are_grouped_in_order_of_appearance() {
        let (b, a) = (intern("group.b").unwrap(), intern("group.a").unwrap());
        let field = [at(FieldKind::Symbol, 0, 4)];
        let mut table = SeriesTable::<IntegerSum>::new(&[Sort::Symbol], 10);
        for symbol in [b, a, b, b] {
            assert!(table.take(Number::U64(1), &field, &symbol.to_ne_bytes(), 1));
        }
        assert_eq!(shown(&table), [entry("group.b", 3), entry("group.a", 1)]);
        assert!(!table.take(Number::U64(1), &field, &[0; 3], 1));
    }

    #[test]
    fn what_is_no_symbol_is_grouped_with_the_empty_one() {
        let field = [at(FieldKind::Symbol, 0, 4)];
        for group_by in [&[Sort::Symbol][..], &[Sort::Symbol, Sort::Symbol]] {
            let fields = vec![field[0]; group_by.len()];
            let mut table = SeriesTable::<IntegerSum>::new(group_by, 10);
            for symbol in [u32::MAX, 0, intern("").unwrap(), 1_048_577] {
                assert!(table.take(Number::U64(1), &fields, &symbol.to_ne_bytes(), 1));
            }
            assert_eq!(
                shown(&table),
                [entry(if group_by.len() == 1 { "" } else { "|" }, 4)]
            );
        }
    }

    #[test]
    fn the_index_of_symbols_knows_large_numbers_too() {
        let mut index = SymbolIndex::default();
        let symbols = [0, 7, NEAR_SYMBOLS - 1, NEAR_SYMBOLS, u32::MAX];
        for (series, symbol) in symbols.into_iter().enumerate() {
            assert_eq!(index.get(symbol), None);
            index.insert(symbol, series);
        }
        for (series, symbol) in symbols.into_iter().enumerate() {
            assert_eq!(index.get(symbol), Some(series));
        }
        assert_eq!(index.get(6), None);
        assert_eq!(index.near.len(), NEAR_SYMBOLS as usize);
    }

    #[test]
    fn past_the_limit_events_go_to_the_overflow_series() {
        let field = [at(FieldKind::U8, 0, 1)];
        let mut table = SeriesTable::<IntegerSum>::new(&[Sort::Integer], 2);
        for (group, value) in [(1, 1), (2, 1), (3, 10), (1, 5), (4, 20)] {
            assert!(table.take(Number::U64(value), &field, &[group], 1));
        }
        assert_eq!(shown(&table), [entry("1", 6), entry("2", 1)]);
        let copy = table.copy();
        assert_eq!((copy.overflow_events, copy.overflow.value()), (2, Value::U64(30)));

        let field = [at(FieldKind::Symbol, 0, 4)];
        let mut table = SeriesTable::<IntegerSum>::new(&[Sort::Symbol], 1);
        for text in ["group.limit.1", "group.limit.2", "group.limit.2", "group.limit.1"] {
            assert!(table.take(Number::U64(1), &field, &intern(text).unwrap().to_ne_bytes(), 1));
        }
        assert_eq!(shown(&table), [entry("group.limit.1", 2)]);
        assert_eq!(table.copy().overflow_events, 2);
    }

    #[test]
    fn invalid_values_make_no_series() {
        let field = [at(FieldKind::U8, 0, 1)];
        let mut table = SeriesTable::<IntegerSum>::new(&[Sort::Integer], 2);
        assert!(!table.take(Number::I64(-1), &field, &[1], 1));
        assert!(shown(&table).is_empty());
        assert_eq!(table.copy().invalid_events, 1);
    }

    #[test]
    fn groups_of_several_fields() {
        let fields = [
            at(FieldKind::Text, 0, 4),
            at(FieldKind::Bool, 4, 1),
            at(FieldKind::I16, 5, 2),
        ];
        let mut table = SeriesTable::<IntegerSum>::new(&[Sort::Text, Sort::Bool, Sort::Integer], 10);
        let payload = |text: &[u8; 4], truth: u8, number: i16| {
            let mut payload = text.to_vec();
            payload.push(truth);
            payload.extend_from_slice(&number.to_ne_bytes());
            payload
        };
        for payload in [
            payload(b"ab\0x", 1, -7),
            payload(b"ab\0y", 2, -7),
            payload(b"a\0by", 1, -7),
            payload(b"ab\0x", 0, -7),
            payload(b"caf\xe9", 0, 300),
        ] {
            assert!(table.take(Number::U64(1), &fields, &payload, 1));
        }
        assert_eq!(
            shown(&table),
            [
                entry("ab|true|-7", 2),
                entry("a|true|-7", 1),
                entry("ab|false|-7", 1),
                entry("caf\\xe9|false|300", 1),
            ]
        );
        assert!(!table.take(Number::U64(1), &fields, &[0; 6], 1));
    }

    #[test]
    fn numbers_of_any_width_share_a_series() {
        let mut table = SeriesTable::<IntegerSum>::new(&[Sort::Integer], 10);
        table.take(Number::U64(1), &[at(FieldKind::I8, 0, 1)], &[5], 1);
        table.take(
            Number::U64(1),
            &[at(FieldKind::U64, 0, 8)],
            &5_u64.to_ne_bytes(),
            1,
        );
        table.take(
            Number::U64(1),
            &[at(FieldKind::I64, 0, 8)],
            &(-1_i64).to_ne_bytes(),
            1,
        );
        table.take(
            Number::U64(1),
            &[at(FieldKind::U64, 0, 8)],
            &u64::MAX.to_ne_bytes(),
            1,
        );
        assert_eq!(
            shown(&table),
            [entry("5", 2), entry("-1", 1), entry("18446744073709551615", 1)]
        );

        let mut table = SeriesTable::<IntegerSum>::new(&[Sort::Float], 10);
        for value in [
            0.0,
            -0.0,
            f64::NAN,
            -f64::NAN,
            1.5,
            f64::INFINITY,
            f64::NEG_INFINITY,
            3.0,
        ] {
            table.take(
                Number::U64(1),
                &[at(FieldKind::F64, 0, 8)],
                &value.to_ne_bytes(),
                1,
            );
        }
        let expected = [
            ("0.0", 2),
            ("NaN", 2),
            ("1.5", 1),
            ("Infinity", 1),
            ("-Infinity", 1),
            ("3.0", 1),
        ];
        assert_eq!(
            shown(&table),
            expected.map(|(labels, value)| entry(labels, value))
        );
    }
}
