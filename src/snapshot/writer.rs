//! What a metric writes its snapshot with.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::snapshot::Value;

/// How many maps and lists may be open inside one another, the root not counted.
pub const MAX_DEPTH: usize = 64;

/// A map with more keys than this looks them up by hash.
const SHORT_MAP: usize = 16;

/// Builds the tree of a metric's snapshot, whose root is a map.
///
/// A call that fails changes nothing: the metric may go on. Inside a map each entry has a key of its own; inside a
/// list keys are ignored.
#[derive(Debug, Default)]
pub struct Writer {
    root: OpenMap,
    /// What was begun inside the root and not ended, outermost first.
    open: Vec<(String, Open)>,
}

#[derive(Debug)]
enum Open {
    Map(OpenMap),
    List(Vec<Value>),
}

#[derive(Debug, Default)]
struct OpenMap {
    entries: Vec<(String, Value)>,
    /// The keys of all entries once there are many; empty before.
    keys: HashSet<String>,
}

impl OpenMap {
    fn has(&self, key: &str) -> bool {
        match self.entries.len() {
            ..=SHORT_MAP => self.entries.iter().any(|(known, _)| known == key),
            _ => self.keys.contains(key),
        }
    }

    fn push(&mut self, key: String, value: Value) {
        match self.entries.len() {
            ..SHORT_MAP => {}
            SHORT_MAP => {
                self.keys = self.entries.iter().map(|(known, _)| known.clone()).collect();
                self.keys.insert(key.clone());
            }
            _ => {
                self.keys.insert(key.clone());
            }
        }
        self.entries.push((key, value));
    }
}

impl Writer {
    /// A writer inside an empty root.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a null.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming `key`: inside a map it is empty or there already. So for all values.
    pub fn null(&mut self, key: &str) -> Result<()> {
        self.write(key, Value::Null)
    }

    /// Writes a truth value.
    ///
    /// # Errors
    /// As for [`Writer::null`].
    pub fn bool(&mut self, key: &str, value: bool) -> Result<()> {
        self.write(key, Value::Bool(value))
    }

    /// Writes a signed integer.
    ///
    /// # Errors
    /// As for [`Writer::null`].
    pub fn i64(&mut self, key: &str, value: i64) -> Result<()> {
        self.write(key, Value::I64(value))
    }

    /// Writes an unsigned integer.
    ///
    /// # Errors
    /// As for [`Writer::null`].
    pub fn u64(&mut self, key: &str, value: u64) -> Result<()> {
        self.write(key, Value::U64(value))
    }

    /// Writes a floating point number.
    ///
    /// # Errors
    /// As for [`Writer::null`].
    pub fn f64(&mut self, key: &str, value: f64) -> Result<()> {
        self.write(key, Value::F64(value))
    }

    /// Writes a text.
    ///
    /// # Errors
    /// As for [`Writer::null`].
    pub fn str(&mut self, key: &str, value: &str) -> Result<()> {
        self.check(key)?;
        self.put(key.to_owned(), Value::Str(value.to_owned()));
        Ok(())
    }

    /// Begins a map, into which everything goes until its [`Writer::end`].
    ///
    /// # Errors
    /// As for [`Writer::null`]; also where 64 maps and lists are open inside one another already.
    pub fn begin_map(&mut self, key: &str) -> Result<()> {
        self.begin(key, Open::Map(OpenMap::default()))
    }

    /// Begins a list, into which everything goes until its [`Writer::end`].
    ///
    /// # Errors
    /// As for [`Writer::begin_map`].
    pub fn begin_list(&mut self, key: &str) -> Result<()> {
        self.begin(key, Open::List(Vec::new()))
    }

    /// Ends the map or list that was begun last.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming `writer`: nothing is open but the root.
    pub fn end(&mut self) -> Result<()> {
        let Some((key, ended)) = self.open.pop() else {
            return Err(Error::invalid_argument(
                "writer",
                "has no map or list open that could be ended",
            ));
        };
        let value = match ended {
            Open::Map(map) => Value::Map(map.entries),
            Open::List(items) => Value::List(items),
        };
        self.put(key, value);
        Ok(())
    }

    /// The tree.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming `writer`: a map or list was not ended.
    pub fn finish(self) -> Result<Value> {
        match self.open.len() {
            0 => Ok(Value::Map(self.root.entries)),
            open => Err(Error::invalid_argument(
                "writer",
                format!("has maps or lists open that were begun and not ended: {open}"),
            )),
        }
    }

    fn write(&mut self, key: &str, value: Value) -> Result<()> {
        self.check(key)?;
        self.put(key.to_owned(), value);
        Ok(())
    }

    fn begin(&mut self, key: &str, begun: Open) -> Result<()> {
        self.check(key)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(Error::invalid_argument(
                "writer",
                format!("has {MAX_DEPTH} maps and lists open inside one another already, which is the limit"),
            ));
        }
        // The key becomes an entry when this ends. Until then nothing can be written beside it, so it stays unique.
        self.open.push((key.to_owned(), begun));
        Ok(())
    }

    fn check(&self, key: &str) -> Result<()> {
        let map = match self.open.last() {
            Some((_, Open::List(_))) => return Ok(()),
            Some((_, Open::Map(map))) => map,
            None => &self.root,
        };
        if key.is_empty() {
            return Err(Error::invalid_argument(
                "key",
                "is empty: each entry of a map needs one",
            ));
        }
        if map.has(key) {
            return Err(Error::invalid_argument(
                "key",
                format!("is '{key}', which the map has already"),
            ));
        }
        Ok(())
    }

    fn put(&mut self, key: String, value: Value) {
        match self.open.last_mut() {
            Some((_, Open::List(items))) => items.push(value),
            Some((_, Open::Map(map))) => map.push(key, value),
            None => self.root.push(key, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn entry(key: &str, value: Value) -> (String, Value) {
        (key.to_owned(), value)
    }

    fn refused(result: Result<()>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.status, Status::InvalidArgument);
        error.details["argument"].as_str().unwrap().to_owned()
    }

    #[test]
    fn every_kind_arrives_in_order() {
        let mut writer = Writer::new();
        writer.null("null").unwrap();
        writer.bool("bool", true).unwrap();
        writer.begin_list("list").unwrap();
        writer.i64("ignored", i64::MIN).unwrap();
        writer.u64("", u64::MAX).unwrap();
        writer.begin_map("").unwrap();
        writer.f64("f", 0.5).unwrap();
        writer.end().unwrap();
        writer.end().unwrap();
        writer.str("after", "text").unwrap();
        let list = Value::List(vec![
            Value::I64(i64::MIN),
            Value::U64(u64::MAX),
            Value::Map(vec![entry("f", Value::F64(0.5))]),
        ]);
        assert_eq!(
            writer.finish().unwrap(),
            Value::Map(vec![
                entry("null", Value::Null),
                entry("bool", Value::Bool(true)),
                entry("list", list),
                entry("after", Value::Str("text".to_owned())),
            ])
        );
        assert_eq!(Writer::new().finish().unwrap(), Value::Map(Vec::new()));
    }

    #[test]
    fn a_bad_key_changes_nothing() {
        let mut writer = Writer::new();
        writer.u64("a", 1).unwrap();
        assert_eq!(refused(writer.u64("a", 2)), "key");
        assert_eq!(refused(writer.str("a", "")), "key");
        assert_eq!(refused(writer.begin_map("a")), "key");
        assert_eq!(refused(writer.null("")), "key");
        assert_eq!(refused(writer.begin_list("")), "key");
        writer.begin_map("m").unwrap();
        writer.u64("a", 3).unwrap();
        writer.end().unwrap();
        assert_eq!(refused(writer.null("m")), "key");
        assert_eq!(
            writer.finish().unwrap(),
            Value::Map(vec![
                entry("a", Value::U64(1)),
                entry("m", Value::Map(vec![entry("a", Value::U64(3))])),
            ])
        );
    }

    #[test]
    fn keys_are_unique_in_maps_of_any_size() {
        let mut writer = Writer::new();
        for n in 0..100 {
            writer.u64(&n.to_string(), n).unwrap();
            for known in 0..=n {
                assert_eq!(refused(writer.null(&known.to_string())), "key");
            }
        }
        assert_eq!(writer.finish().unwrap().len(), 100);
    }

    #[test]
    fn depth_is_bounded_and_ends_are_balanced() {
        let mut writer = Writer::new();
        assert_eq!(refused(writer.end()), "writer");
        for depth in 0..MAX_DEPTH {
            match depth % 2 {
                0 => writer.begin_map("m").unwrap(),
                _ => writer.begin_list("l").unwrap(),
            }
        }
        assert_eq!(refused(writer.begin_map("m")), "writer");
        assert_eq!(refused(writer.begin_list("l")), "writer");
        writer.u64("v", 1).unwrap();
        for _ in 0..MAX_DEPTH {
            writer.end().unwrap();
        }
        assert_eq!(refused(writer.end()), "writer");
        assert!(writer.finish().is_ok());
    }

    #[test]
    fn an_open_container_fails_the_whole() {
        let mut writer = Writer::new();
        writer.begin_list("l").unwrap();
        assert_eq!(writer.finish().unwrap_err().status, Status::InvalidArgument);
    }
}
