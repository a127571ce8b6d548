//! What a series of a gauge keeps: the last value, whatever it is.

use crate::metrics::native::group::Accumulator;
use crate::metrics::native::number::Number;
use crate::snapshot::Value;

/// The last value; none before the first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastValue(Option<Number>);

impl Accumulator for LastValue {
    type Input = Number;

    #[inline]
    fn accept(number: Number) -> Option<Number> {
        Some(number)
    }

    #[inline]
    fn apply(&mut self, input: Number, _count: u64) {
        self.0 = Some(input);
    }

    fn value(&self) -> Value {
        self.0.map_or(Value::Null, Number::value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_is_kept_in_its_own_kind() {
        let mut last = LastValue::default();
        assert_eq!(last.value(), Value::Null);
        for (number, value) in [
            (Number::U64(u64::MAX), Value::U64(u64::MAX)),
            (Number::I64(-1), Value::I64(-1)),
            (Number::F64(f64::INFINITY), Value::F64(f64::INFINITY)),
        ] {
            last.apply(LastValue::accept(number).unwrap(), 1);
            assert_eq!(last.value(), value);
        }
    }
}
