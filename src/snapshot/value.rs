//! A value in a snapshot.

/// A value in a snapshot. The entries of a map have an order, and no key twice.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Null,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Str(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// Kind of a value, with the number that crosses the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum ValueKind {
    Null = 0,
    Bool = 1,
    I64 = 2,
    U64 = 3,
    F64 = 4,
    Str = 5,
    List = 6,
    Map = 7,
}

/// 2^63 and 2^64, the first numbers past the integers' ranges; both are exact.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

impl Value {
    /// What it is.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Bool(_) => ValueKind::Bool,
            Self::I64(_) => ValueKind::I64,
            Self::U64(_) => ValueKind::U64,
            Self::F64(_) => ValueKind::F64,
            Self::Str(_) => ValueKind::Str,
            Self::List(_) => ValueKind::List,
            Self::Map(_) => ValueKind::Map,
        }
    }

    /// How many entries a list or map has; 0 for anything else.
    pub fn len(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Map(entries) => entries.len(),
            _ => 0,
        }
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of a map's entry.
    pub fn key_at(&self, index: usize) -> Option<&str> {
        match self {
            Self::Map(entries) => entries.get(index).map(|(key, _)| key.as_str()),
            _ => None,
        }
    }

    /// An entry of a list or map.
    pub fn at(&self, index: usize) -> Option<&Value> {
        match self {
            Self::List(items) => items.get(index),
            Self::Map(entries) => entries.get(index).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The entry of a map with that key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The truth value that it is.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, where an `i64` can hold exactly that.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::I64(value) => Some(value),
            Self::U64(value) => i64::try_from(value).ok(),
            Self::F64(value) if value.fract() == 0.0 && (-TWO_63..TWO_63).contains(&value) => {
                Some(value as i64)
            }
            _ => None,
        }
    }

    /// The number, where a `u64` can hold exactly that.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::I64(value) => u64::try_from(value).ok(),
            Self::U64(value) => Some(value),
            Self::F64(value) if value.fract() == 0.0 && (0.0..TWO_64).contains(&value) => Some(value as u64),
            _ => None,
        }
    }

    /// The number, where an `f64` can hold exactly that.
    pub fn as_f64(&self) -> Option<f64> {
        let converted = match *self {
            Self::I64(value) => value as f64,
            Self::U64(value) => value as f64,
            Self::F64(value) => return Some(value),
            _ => return None,
        };
        // The way back can not be a cast: that saturates, and would find the largest integers to be exact.
        let exact = match *self {
            Self::I64(value) => Self::F64(converted).as_i64() == Some(value),
            Self::U64(value) => Self::F64(converted).as_u64() == Some(value),
            _ => false,
        };
        exact.then_some(converted)
    }

    /// The text that it is.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_index_and_by_key() {
        let map = Value::Map(vec![
            ("b".to_owned(), Value::U64(1)),
            ("a".to_owned(), Value::List(vec![Value::Null, Value::Bool(true)])),
        ]);
        assert_eq!(map.kind(), ValueKind::Map);
        assert_eq!(map.len(), 2);
        assert_eq!(map.key_at(0), Some("b"));
        assert_eq!(map.at(0), Some(&Value::U64(1)));
        assert_eq!(map.get("a").and_then(|list| list.at(1)), Some(&Value::Bool(true)));
        assert_eq!(map.get("c"), None);
        assert_eq!(map.at(2), None);
        let list = map.get("a").unwrap();
        assert_eq!((list.len(), list.key_at(0), list.get("a")), (2, None, None));
        assert!(Value::Null.is_empty());
        assert_eq!(Value::Str("x".to_owned()).len(), 0);
    }

    #[test]
    fn conversions_are_exact_or_refused() {
        assert_eq!(Value::U64(u64::MAX).as_i64(), None);
        assert_eq!(Value::U64(i64::MAX as u64).as_i64(), Some(i64::MAX));
        assert_eq!(Value::I64(-1).as_u64(), None);
        assert_eq!(Value::F64(3.0).as_i64(), Some(3));
        assert_eq!(Value::F64(3.5).as_i64(), None);
        assert_eq!(Value::F64(-TWO_63).as_i64(), Some(i64::MIN));
        assert_eq!(Value::F64(TWO_63).as_i64(), None);
        assert_eq!(Value::F64(TWO_63).as_u64(), Some(1 << 63));
        assert_eq!(Value::F64(TWO_64).as_u64(), None);
        assert_eq!(Value::F64(-1.0).as_u64(), None);
        assert_eq!(Value::F64(f64::NAN).as_i64(), None);
        assert_eq!(Value::F64(f64::INFINITY).as_u64(), None);
        assert_eq!(Value::I64(1 << 53).as_f64(), Some(9_007_199_254_740_992.0));
        assert_eq!(Value::I64((1 << 53) + 1).as_f64(), None);
        assert_eq!(Value::I64(i64::MAX).as_f64(), None);
        assert_eq!(Value::I64(i64::MIN).as_f64(), Some(-TWO_63));
        assert_eq!(Value::U64(u64::MAX).as_f64(), None);
        assert_eq!(Value::U64(1 << 63).as_f64(), Some(TWO_63));
        assert!(Value::F64(f64::NAN).as_f64().is_some_and(f64::is_nan));
    }

    #[test]
    fn kinds_do_not_mix() {
        assert_eq!(Value::Bool(true).as_i64(), None);
        assert_eq!(Value::U64(1).as_bool(), None);
        assert_eq!(Value::Str("1".to_owned()).as_u64(), None);
        assert_eq!(Value::Null.as_str(), None);
        assert_eq!(Value::Bool(true).as_bool(), Some(true));
        assert_eq!(Value::Str("x".to_owned()).as_str(), Some("x"));
    }
}
