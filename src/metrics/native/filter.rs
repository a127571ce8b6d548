//! Filters: which events a native metric takes into account.

use std::cmp::Ordering;

use crate::error::{Error, Result, Status};
use crate::event::{Field, FieldAt, FieldKind, FieldValue, intern, symbol_text};
use crate::metrics::native::number::Number;

/// How a field is compared, with the number that crosses the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs)]
pub enum FilterOp {
    Eq = 1,
    Ne = 2,
    Lt = 3,
    Le = 4,
    Gt = 5,
    Ge = 6,
}

impl FilterOp {
    /// The comparison that a number of the ABI stands for.
    pub fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            1 => Self::Eq,
            2 => Self::Ne,
            3 => Self::Lt,
            4 => Self::Le,
            5 => Self::Gt,
            6 => Self::Ge,
            _ => return None,
        })
    }

    /// Whether it holds for things that compare so; `None`: they do not compare, as NaN does with nothing.
    #[inline]
    fn holds(self, ordering: Option<Ordering>) -> bool {
        match self {
            Self::Eq => ordering == Some(Ordering::Equal),
            Self::Ne => ordering != Some(Ordering::Equal),
            Self::Lt => ordering == Some(Ordering::Less),
            Self::Le => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Self::Gt => ordering == Some(Ordering::Greater),
            Self::Ge => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum FilterValue {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Str(String),
}

/// A condition on a field. Numbers of all kinds compare with each other, and exactly: nothing is rounded. Truth values
/// and texts are equal to one another or not, but have no order. A field that is NaN is unequal to everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// The field's name.
    pub field: String,
    /// The comparison; the field is on its left.
    pub op: FilterOp,
    /// What is on its right.
    pub value: FilterValue,
}

/// A filter made ready for the payloads of one event type.
#[derive(Debug)]
pub(super) struct FieldFilter {
    at: FieldAt,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Number {
        op: FilterOp,
        than: Number,
    },
    Bool {
        equal: bool,
        to: bool,
    },
    Symbol {
        equal: bool,
        to: u32,
    },
    /// For the empty text: symbol 0 and what is no symbol mean it too, as they do in groups.
    NoSymbol {
        equal: bool,
    },
    Text {
        equal: bool,
        to: Box<[u8]>,
    },
}

impl Filter {
    /// Makes the filter ready for `field`. `argument` is what errors call the filter.
    pub(super) fn on(&self, field: &Field, argument: &str) -> Result<FieldFilter> {
        let test = match (&self.value, field.kind) {
            (FilterValue::Bool(to), FieldKind::Bool) => Test::Bool {
                equal: self.equal(argument)?,
                to: *to,
            },
            (FilterValue::Str(to), FieldKind::Text) => Test::Text {
                equal: self.equal(argument)?,
                to: Box::from(to.as_bytes()),
            },
            (FilterValue::Str(to), FieldKind::Symbol) if to.is_empty() => Test::NoSymbol {
                equal: self.equal(argument)?,
            },
            (FilterValue::Str(to), FieldKind::Symbol) => Test::Symbol {
                equal: self.equal(argument)?,
                to: symbol_of(to, argument)?,
            },
            (value, FieldKind::Bool | FieldKind::Text | FieldKind::Symbol) => {
                return Err(never_works(argument, value, field));
            }
            (FilterValue::I64(than), _) => Test::Number {
                op: self.op,
                than: Number::I64(*than),
            },
            (FilterValue::U64(than), _) => Test::Number {
                op: self.op,
                than: Number::U64(*than),
            },
            (FilterValue::F64(than), _) if than.is_nan() => {
                return Err(Error::invalid_argument(
                    &format!("{argument}.value"),
                    "is NaN, which compares with nothing",
                ));
            }
            (FilterValue::F64(than), _) => Test::Number {
                op: self.op,
                than: Number::F64(*than),
            },
            (value, _) => return Err(never_works(argument, value, field)),
        };
        Ok(FieldFilter { at: field.at(), test })
    }

    /// For things without an order: whether they are to be equal.
    fn equal(&self, argument: &str) -> Result<bool> {
        match self.op {
            FilterOp::Eq => Ok(true),
            FilterOp::Ne => Ok(false),
            _ => Err(Error::invalid_argument(
                &format!("{argument}.op"),
                format!(
                    "asks for an order, but '{}' is no number: it can only be equal or not equal",
                    self.field
                ),
            )),
        }
    }
}

/// The text as a symbol, so that an event's can be compared by number, even where the text comes up later.
fn symbol_of(text: &str, argument: &str) -> Result<u32> {
    intern(text).map_err(|error| match error.status {
        Status::InvalidArgument => Error::invalid_argument(
            &format!("{argument}.value"),
            format!("has {} bytes, which no symbol has", text.len()),
        ),
        _ => error,
    })
}

fn never_works(argument: &str, value: &FilterValue, field: &Field) -> Error {
    let value = match value {
        FilterValue::Bool(_) => "a truth value",
        FilterValue::I64(_) | FilterValue::U64(_) | FilterValue::F64(_) => "a number",
        FilterValue::Str(_) => "a text",
    };
    Error::invalid_argument(
        &format!("{argument}.value"),
        format!(
            "is {value}, but the field '{}' is of kind {}",
            field.name,
            field.kind.name()
        ),
    )
}

impl FieldFilter {
    /// The field that it looks at.
    pub(super) fn at(&self) -> FieldAt {
        self.at
    }

    /// Whether the condition holds for `payload`.
    #[inline]
    pub(super) fn holds(&self, payload: &[u8]) -> bool {
        match &self.test {
            Test::Symbol { equal, to } => self
                .at
                .read_symbol(payload)
                .is_some_and(|symbol| (symbol == *to) == *equal),
            Test::NoSymbol { equal } => self
                .at
                .read_symbol(payload)
                .is_some_and(|symbol| symbol_text(symbol).unwrap_or_default().is_empty() == *equal),
            Test::Number { op, than } => {
                let number = self.at.read(payload).and_then(Number::of);
                number.is_some_and(|number| op.holds(number.compare(*than)))
            }
            Test::Bool { equal, to } => match self.at.read(payload) {
                Some(FieldValue::Bool(value)) => (value == *to) == *equal,
                _ => false,
            },
            Test::Text { equal, to } => match self.at.read(payload) {
                Some(FieldValue::Text(text)) => (text == &**to) == *equal,
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldKind) -> Field {
        Field {
            name: "f".to_owned(),
            kind,
            offset: 0,
            size: kind.size().unwrap_or(4),
        }
    }

    fn filter(op: FilterOp, value: FilterValue) -> Filter {
        Filter {
            field: "f".to_owned(),
            op,
            value,
        }
    }

    fn holds(kind: FieldKind, op: FilterOp, value: FilterValue, payload: &[u8]) -> bool {
        filter(op, value)
            .on(&field(kind), "filters[0]")
            .unwrap()
            .holds(payload)
    }

    fn refused(kind: FieldKind, op: FilterOp, value: FilterValue) -> String {
        let error = filter(op, value).on(&field(kind), "filters[3]").unwrap_err();
        assert_eq!(error.status, Status::InvalidArgument);
        error.details["argument"].as_str().unwrap().to_owned()
    }

    #[test]
    fn codes_name_the_comparisons() {
        for code in 1..=6 {
            assert_eq!(FilterOp::from_code(code).map(|op| op as u32), Some(code));
        }
        assert_eq!(FilterOp::from_code(0), None);
        assert_eq!(FilterOp::from_code(7), None);
    }

    #[test]
    fn every_comparison_of_numbers() {
        use FilterOp::*;
        for (op, below, same, above) in [
            (Eq, false, true, false),
            (Ne, true, false, true),
            (Lt, true, false, false),
            (Le, true, true, false),
            (Gt, false, false, true),
            (Ge, false, true, true),
        ] {
            for (value, expected) in [(-3_i32, below), (-2, same), (-1, above)] {
                let payload = value.to_ne_bytes();
                assert_eq!(
                    holds(FieldKind::I32, op, FilterValue::I64(-2), &payload),
                    expected,
                    "{op:?} {value}"
                );
                assert_eq!(
                    holds(FieldKind::I32, op, FilterValue::F64(-2.0), &payload),
                    expected
                );
            }
        }
    }

    #[test]
    fn large_numbers_are_not_rounded() {
        let payload = ((1_u64 << 53) + 1).to_ne_bytes();
        let two_53 = FilterValue::F64(9_007_199_254_740_992.0);
        assert!(!holds(FieldKind::U64, FilterOp::Eq, two_53.clone(), &payload));
        assert!(holds(FieldKind::U64, FilterOp::Gt, two_53, &payload));
        let payload = u64::MAX.to_ne_bytes();
        assert!(holds(
            FieldKind::U64,
            FilterOp::Gt,
            FilterValue::I64(-1),
            &payload
        ));
        assert!(!holds(
            FieldKind::I64,
            FilterOp::Eq,
            FilterValue::U64(u64::MAX),
            &payload
        ));
    }

    #[test]
    fn a_field_that_is_nan_is_unequal_to_all() {
        let payload = f64::NAN.to_ne_bytes();
        for (op, expected) in [(FilterOp::Eq, false), (FilterOp::Ne, true), (FilterOp::Le, false)] {
            assert_eq!(
                holds(FieldKind::F64, op, FilterValue::F64(0.0), &payload),
                expected
            );
        }
        assert_eq!(
            refused(FieldKind::F64, FilterOp::Ne, FilterValue::F64(f64::NAN)),
            "filters[3].value"
        );
    }

    #[test]
    fn texts_symbols_and_truth_values() {
        let text = |text: &str| FilterValue::Str(text.to_owned());
        assert!(holds(FieldKind::Text, FilterOp::Eq, text("ab"), b"ab\0x"));
        assert!(!holds(FieldKind::Text, FilterOp::Ne, text("ab"), b"ab\0x"));
        assert!(!holds(FieldKind::Text, FilterOp::Eq, text("ab"), b"abc\0"));
        // The filter comes before the text is interned by anyone else.
        let ready = filter(FilterOp::Eq, text("filter.later"))
            .on(&field(FieldKind::Symbol), "f")
            .unwrap();
        assert!(ready.holds(&intern("filter.later").unwrap().to_ne_bytes()));
        assert!(!ready.holds(&intern("filter.other").unwrap().to_ne_bytes()));
        assert!(!ready.holds(&0_u32.to_ne_bytes()));
        assert!(holds(
            FieldKind::Symbol,
            FilterOp::Ne,
            text("filter.later"),
            &0_u32.to_ne_bytes()
        ));
        // The unset symbol and what is none mean the empty text, as where events are grouped.
        for symbol in [0, u32::MAX, intern("").unwrap()] {
            let payload = symbol.to_ne_bytes();
            assert!(holds(FieldKind::Symbol, FilterOp::Eq, text(""), &payload));
            assert!(!holds(FieldKind::Symbol, FilterOp::Ne, text(""), &payload));
        }
        let some = intern("filter.other").unwrap().to_ne_bytes();
        assert!(holds(FieldKind::Symbol, FilterOp::Ne, text(""), &some));
        assert!(holds(
            FieldKind::Bool,
            FilterOp::Eq,
            FilterValue::Bool(true),
            &[2]
        ));
        assert!(holds(
            FieldKind::Bool,
            FilterOp::Ne,
            FilterValue::Bool(true),
            &[0]
        ));
    }

    #[test]
    fn a_payload_that_is_too_short_never_holds() {
        for op in [FilterOp::Eq, FilterOp::Ne] {
            assert!(!holds(FieldKind::U32, op, FilterValue::U64(0), &[0; 3]));
            assert!(!holds(
                FieldKind::Symbol,
                op,
                FilterValue::Str("x".to_owned()),
                &[0; 3]
            ));
            assert!(!holds(FieldKind::Bool, op, FilterValue::Bool(true), &[]));
            assert!(!holds(
                FieldKind::Text,
                op,
                FilterValue::Str("x".to_owned()),
                &[0; 3]
            ));
        }
    }

    #[test]
    fn what_can_never_work_is_refused_by_name() {
        let text = || FilterValue::Str("x".to_owned());
        assert_eq!(refused(FieldKind::U32, FilterOp::Eq, text()), "filters[3].value");
        assert_eq!(
            refused(FieldKind::Text, FilterOp::Eq, FilterValue::U64(1)),
            "filters[3].value"
        );
        assert_eq!(
            refused(FieldKind::Symbol, FilterOp::Eq, FilterValue::I64(1)),
            "filters[3].value"
        );
        assert_eq!(
            refused(FieldKind::Bool, FilterOp::Eq, FilterValue::I64(1)),
            "filters[3].value"
        );
        assert_eq!(
            refused(FieldKind::F64, FilterOp::Eq, FilterValue::Bool(true)),
            "filters[3].value"
        );
        assert_eq!(refused(FieldKind::Text, FilterOp::Lt, text()), "filters[3].op");
        assert_eq!(refused(FieldKind::Symbol, FilterOp::Ge, text()), "filters[3].op");
        assert_eq!(
            refused(FieldKind::Bool, FilterOp::Gt, FilterValue::Bool(true)),
            "filters[3].op"
        );
        let long = FilterValue::Str("x".repeat(4_097));
        assert_eq!(refused(FieldKind::Symbol, FilterOp::Eq, long), "filters[3].value");
    }
}
