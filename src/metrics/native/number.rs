//! Numbers of the three sorts that fields have, compared without rounding.

use std::cmp::Ordering;

use crate::event::FieldValue;
use crate::snapshot::Value;

/// A number as a field has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    I64(i64),
    U64(u64),
    F64(f64),
}

impl Number {
    /// The number that a field's value is; `None` for truth values and texts.
    #[inline]
    pub(super) fn of(value: FieldValue<'_>) -> Option<Self> {
        match value {
            FieldValue::I64(value) => Some(Self::I64(value)),
            FieldValue::U64(value) => Some(Self::U64(value)),
            FieldValue::F64(value) => Some(Self::F64(value)),
            FieldValue::Bool(_) | FieldValue::Symbol(_) | FieldValue::Text(_) => None,
        }
    }

    /// As a snapshot has it.
    pub(super) fn value(self) -> Value {
        match self {
            Self::I64(value) => Value::I64(value),
            Self::U64(value) => Value::U64(value),
            Self::F64(value) => Value::F64(value),
        }
    }

    /// Which is greater, of the numbers themselves; `None` where one is NaN.
    #[inline]
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::F64(a), Self::F64(b)) => a.partial_cmp(&b),
            (Self::F64(a), b) => integer_and_float(b.integer(), a).map(Ordering::reverse),
            (a, Self::F64(b)) => integer_and_float(a.integer(), b),
            (a, b) => Some(a.integer().cmp(&b.integer())),
        }
    }

    /// The integer, in a type that has room for both sorts.
    fn integer(self) -> i128 {
        match self {
            Self::I64(value) => value.into(),
            Self::U64(value) => value.into(),
            // Not asked for: a float is compared as such.
            Self::F64(_) => 0,
        }
    }
}

/// Converting the integer to a float would round it; so the float is split into its integral part, which an `i128`
/// holds exactly where it is in the range of the integers at all, and its fraction.
fn integer_and_float(integer: i128, float: f64) -> Option<Ordering> {
    const BEYOND: f64 = 36_893_488_147_419_103_232.0; // 2^65
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float <= -BEYOND {
        return Some(Ordering::Greater);
    }
    let integral = float.trunc();
    let by_integral = integer.cmp(&(integral as i128));
    Some(by_integral.then_with(|| integral.partial_cmp(&float).unwrap_or(Ordering::Equal)))
}

#[cfg(test)]
mod tests {
    use super::Number::*;
    use super::*;

    #[test]
    fn integers_compare_exactly_across_signs() {
        assert_eq!(I64(-1).compare(U64(u64::MAX)), Some(Ordering::Less));
        assert_eq!(U64(u64::MAX).compare(I64(-1)), Some(Ordering::Greater));
        assert_eq!(U64(5).compare(I64(5)), Some(Ordering::Equal));
        assert_eq!(
            U64(i64::MAX as u64 + 1).compare(I64(i64::MAX)),
            Some(Ordering::Greater)
        );
    }

    #[test]
    fn integers_and_floats_compare_without_rounding() {
        let two_53 = 9_007_199_254_740_992.0;
        assert_eq!(I64((1 << 53) + 1).compare(F64(two_53)), Some(Ordering::Greater));
        assert_eq!(U64(1 << 53).compare(F64(two_53)), Some(Ordering::Equal));
        assert_eq!(
            U64(u64::MAX).compare(F64(18_446_744_073_709_551_616.0)),
            Some(Ordering::Less)
        );
        assert_eq!(
            F64(9_223_372_036_854_775_808.0).compare(I64(i64::MAX)),
            Some(Ordering::Greater)
        );
        assert_eq!(I64(3).compare(F64(3.5)), Some(Ordering::Less));
        assert_eq!(I64(-3).compare(F64(-3.5)), Some(Ordering::Greater));
        assert_eq!(F64(-0.5).compare(U64(0)), Some(Ordering::Less));
        assert_eq!(F64(-0.0).compare(U64(0)), Some(Ordering::Equal));
        assert_eq!(I64(i64::MAX).compare(F64(f64::INFINITY)), Some(Ordering::Less));
        assert_eq!(
            I64(i64::MIN).compare(F64(f64::NEG_INFINITY)),
            Some(Ordering::Greater)
        );
        assert_eq!(U64(u64::MAX).compare(F64(1e300)), Some(Ordering::Less));
    }

    #[test]
    fn nan_compares_with_nothing() {
        for number in [I64(0), U64(0), F64(0.0), F64(f64::NAN)] {
            assert_eq!(number.compare(F64(f64::NAN)), None);
            assert_eq!(F64(f64::NAN).compare(number), None);
        }
    }
}
