//! Snapshots as JSON: compact, keys in their order. Integers come in full, and floats as the shortest text that reads
//! back as the same number, with a fraction or an exponent to tell them from integers (`3.0`, `1e+300`). JSON has no
//! NaN and no infinities: they are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::error::{Error, Result};
use crate::snapshot::{MetricSnapshot, Snapshot, Value};

/// The snapshot as `{"metric name":{...},...}`, in registration order.
///
/// # Errors
/// UNEXPECTED, where serializing fails: no snapshot is known that does.
pub fn snapshot(snapshot: &Snapshot) -> Result<String> {
    text(snapshot)
}

/// One value.
///
/// # Errors
/// As for [`snapshot`].
pub fn value(value: &Value) -> Result<String> {
    text(value)
}

fn text(what: &impl Serialize) -> Result<String> {
    serde_json::to_string(what).map_err(|error| Error::unexpected(format!("JSON was not written: {error}")))
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::I64(value) => serializer.serialize_i64(*value),
            Self::U64(value) => serializer.serialize_u64(*value),
            Self::F64(value) if value.is_nan() => serializer.serialize_str("NaN"),
            Self::F64(f64::INFINITY) => serializer.serialize_str("Infinity"),
            Self::F64(f64::NEG_INFINITY) => serializer.serialize_str("-Infinity"),
            Self::F64(value) => serializer.serialize_f64(*value),
            Self::Str(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl Serialize for MetricSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.metrics.len()))?;
        for (name, metric) in &self.metrics {
            map.serialize_entry(name, metric)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::Stats;

    fn entry(key: &str, value: Value) -> (String, Value) {
        (key.to_owned(), value)
    }

    fn json(number: f64) -> String {
        value(&Value::F64(number)).unwrap()
    }

    #[test]
    fn a_snapshot_is_a_map_in_registration_order() {
        let metric = |value| MetricSnapshot { value, family: None };
        let nested = Value::Map(vec![
            entry(
                "z",
                Value::List(vec![Value::Null, Value::Bool(true), Value::Map(Vec::new())]),
            ),
            entry("a \"quoted\"\n", Value::Str("é\u{1}\\".to_owned())),
        ]);
        let metrics = vec![
            ("second".to_owned(), metric(nested)),
            ("first".to_owned(), metric(Value::Map(Vec::new()))),
        ];
        let whole = Snapshot {
            entity_id: "e".to_owned(),
            name_space: "n".to_owned(),
            stats: Stats::default(),
            metrics,
        };
        assert_eq!(
            snapshot(&whole).unwrap(),
            r#"{"second":{"z":[null,true,{}],"a \"quoted\"\n":"é\u0001\\"},"first":{}}"#
        );
        assert_eq!(
            snapshot(&Snapshot {
                metrics: Vec::new(),
                ..whole
            })
            .unwrap(),
            "{}"
        );
    }

    #[test]
    fn integers_come_in_full() {
        assert_eq!(value(&Value::U64(u64::MAX)).unwrap(), "18446744073709551615");
        assert_eq!(value(&Value::I64(i64::MIN)).unwrap(), "-9223372036854775808");
    }

    #[test]
    fn floats_read_back_and_are_told_from_integers() {
        assert_eq!(json(3.0), "3.0");
        assert_eq!(json(-0.0), "-0.0");
        assert_eq!(json(0.1), "0.1");
        assert_eq!(json(f64::NAN), "\"NaN\"");
        assert_eq!(json(f64::INFINITY), "\"Infinity\"");
        assert_eq!(json(f64::NEG_INFINITY), "\"-Infinity\"");
        for number in [
            0.1 + 0.2,
            1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            1e16,
            -123_456_789.125,
        ] {
            let text = json(number);
            assert_eq!(text.parse::<f64>().unwrap(), number);
            assert!(text.contains(['.', 'e']), "{text}");
            assert!(text.len() <= 25, "{text}");
        }
    }
}
