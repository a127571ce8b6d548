//! What a series of a counter accumulates: a sum that never goes down, and stays at its greatest value rather than
//! begin anew.

use crate::metrics::native::group::Accumulator;
use crate::metrics::native::number::Number;
use crate::snapshot::Value;

/// A sum of integers. A negative one does not count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IntegerSum(u64);

impl Accumulator for IntegerSum {
    type Input = u64;

    #[inline]
    fn accept(number: Number) -> Option<u64> {
        match number {
            Number::U64(value) => Some(value),
            Number::I64(value) => u64::try_from(value).ok(),
            Number::F64(_) => None,
        }
    }

    #[inline]
    fn apply(&mut self, input: u64, count: u64) {
        self.0 = self.0.saturating_add(input.saturating_mul(count));
    }

    fn value(&self) -> Value {
        Value::U64(self.0)
    }
}

/// A sum of floats. A negative one, NaN and the infinities do not count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FloatSum(f64);

impl Accumulator for FloatSum {
    type Input = f64;

    #[inline]
    fn accept(number: Number) -> Option<f64> {
        match number {
            Number::F64(value) if value.is_finite() && value >= 0.0 => Some(value),
            _ => None,
        }
    }

    #[inline]
    fn apply(&mut self, input: f64, count: u64) {
        self.0 = (self.0 + input * count as f64).min(f64::MAX);
    }

    fn value(&self) -> Value {
        Value::F64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_add_up_and_saturate() {
        let mut sum = IntegerSum::default();
        assert_eq!(sum.value(), Value::U64(0));
        sum.apply(IntegerSum::accept(Number::U64(u64::MAX - 1)).unwrap(), 1);
        sum.apply(IntegerSum::accept(Number::I64(1)).unwrap(), 1);
        assert_eq!(sum.value(), Value::U64(u64::MAX));
        sum.apply(7, 1);
        assert_eq!(sum.value(), Value::U64(u64::MAX));
        assert_eq!(IntegerSum::accept(Number::I64(-1)), None);
    }

    #[test]
    fn floats_add_up_and_saturate() {
        let mut sum = FloatSum::default();
        sum.apply(FloatSum::accept(Number::F64(0.5)).unwrap(), 1);
        sum.apply(FloatSum::accept(Number::F64(-0.0)).unwrap(), 1);
        assert_eq!(sum.value(), Value::F64(0.5));
        sum.apply(f64::MAX, 1);
        sum.apply(f64::MAX, 1);
        assert_eq!(sum.value(), Value::F64(f64::MAX));
        for bad in [-0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(FloatSum::accept(Number::F64(bad)), None);
        }
    }
}
