//! What the library says about itself, through `tracing`.
//!
//! Each operation that is logged gives an `….invoke` event and then `….success` or `….failed`. A host that sets a sink
//! gets the records by a subscriber of the library's own, used for these calls only: the process's default subscriber
//! is neither set nor changed. Without a sink the records go to the default subscriber, if a Rust host has one.

use std::cell::Cell;
use std::fmt::{self, Debug};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use crate::error::{Error, Result};

/// Which operations are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Default)]
pub enum LogPolicy {
    /// None.
    Silent,
    /// Those that change something, and what goes wrong.
    #[default]
    Normal,
    /// Also snapshots, iteration and look-ups.
    Inspection,
}

/// One log record, as the sink sees it.
#[derive(Debug)]
pub struct LogRecord<'a> {
    /// Its level.
    pub level: Level,
    /// The event's name, such as `metrics_recorder.start.invoke`.
    pub event: &'a str,
    /// The part of the library that speaks.
    pub target: &'a str,
    /// The recorder's entity id, or the runtime's namespace.
    pub entity_id: &'a str,
    /// Key-value fields.
    pub fields: &'a [(&'static str, String)],
}

/// Where log records go.
pub trait LogSink: Send + Sync {
    /// Takes one record, on whatever thread it happened.
    fn write(&self, record: &LogRecord<'_>);
}

/// The log of a runtime or recorder as its options give it.
#[derive(Clone)]
pub struct LogOptions {
    /// Which operations.
    pub policy: LogPolicy,
    /// Nothing less severe than this.
    pub max_level: Level,
    /// Where to.
    pub sink: Arc<dyn LogSink>,
}

/// A subscriber that hands events to a host's sink and knows no spans.
struct SinkSubscriber {
    max_level: Level,
    sink: Arc<dyn LogSink>,
}

#[derive(Default)]
struct Collected {
    event: String,
    entity_id: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Collected {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "event" => self.event = value.to_owned(),
            "entity_id" => self.entity_id = value.to_owned(),
            name => self.fields.push((name, value.to_owned())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.push((field.name(), format!("{value:?}")));
    }
}

impl Subscriber for SinkSubscriber {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.max_level
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut collected = Collected::default();
        event.record(&mut collected);
        self.sink.write(&LogRecord {
            level: *event.metadata().level(),
            event: &collected.event,
            target: event.metadata().target(),
            entity_id: &collected.entity_id,
            fields: &collected.fields,
        });
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

thread_local! {
    /// This thread is inside a sink.
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

/// The log of one runtime or recorder.
#[derive(Clone)]
pub struct Log {
    policy: LogPolicy,
    dispatch: Option<Dispatch>,
    entity_id: Arc<str>,
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Log")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Facts that a record tells, beside its name and whose it is.
#[derive(Clone, Copy, Default)]
pub struct Facts<'a> {
    /// State at the time.
    pub state: Option<&'a str>,
    /// Recorder id in its runtime's registry.
    pub recorder_id: Option<&'a str>,
    /// Metric concerned.
    pub metric_name: Option<&'a str>,
    /// How many events.
    pub count: Option<u64>,
}

macro_rules! emit {
    ($level:expr, $log:expr, $name:expr, $facts:expr, $error:expr) => {{
        let (facts, error): (Facts<'_>, Option<&Error>) = ($facts, $error);
        tracing::event!(
            target: "mvx_metrics",
            $level,
            event = $name,
            entity_id = &*$log.entity_id,
            state = facts.state,
            recorder_id = facts.recorder_id,
            metric_name = facts.metric_name,
            count = facts.count,
            reason = error.map(|error| error.reason),
            message = error.map(|error| error.message.as_str()),
            details = error.map(Error::details_json).as_deref(),
        );
    }};
}

impl Log {
    /// The log of `entity_id`, as the options say.
    pub fn new(options: Option<&LogOptions>, entity_id: &str) -> Self {
        let dispatch = options.map(|options| {
            Dispatch::new(SinkSubscriber {
                max_level: options.max_level,
                sink: Arc::clone(&options.sink),
            })
        });
        Self {
            policy: options.map_or(LogPolicy::Normal, |options| options.policy),
            dispatch,
            entity_id: entity_id.into(),
        }
    }

    /// What a sink does is not logged in its turn: `tracing` can't nest, and the log would never end.
    fn write(&self, emit: impl FnOnce()) {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                WRITING.set(false);
            }
        }
        if WRITING.replace(true) {
            return;
        }
        let _leave = Leave;
        match &self.dispatch {
            Some(dispatch) => tracing::dispatcher::with_default(dispatch, emit),
            None => emit(),
        }
    }

    /// Whether operations of this policy are logged at all.
    pub fn is_on(&self, policy: LogPolicy) -> bool {
        self.policy >= policy && self.policy != LogPolicy::Silent
    }

    /// An operation was called.
    pub fn invoke(&self, policy: LogPolicy, operation: &str, facts: Facts<'_>) {
        if self.is_on(policy) {
            let name = format!("{operation}.invoke");
            self.write(|| emit!(Level::INFO, self, name.as_str(), facts, None));
        }
    }

    /// An operation ended.
    pub fn outcome(&self, policy: LogPolicy, operation: &str, facts: Facts<'_>, error: Option<&Error>) {
        if !self.is_on(policy) {
            return;
        }
        match error {
            None => {
                let name = format!("{operation}.success");
                self.write(|| emit!(Level::INFO, self, name.as_str(), facts, None));
            }
            Some(error) => {
                let name = format!("{operation}.failed");
                self.write(|| emit!(Level::ERROR, self, name.as_str(), facts, Some(error)));
            }
        }
    }

    /// Runs an operation between its `invoke` and its `success` or `failed`.
    ///
    /// # Errors
    /// The operation's own.
    pub fn operation<T>(
        &self,
        policy: LogPolicy,
        name: &str,
        facts: Facts<'_>,
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if !self.is_on(policy) {
            return run();
        }
        self.invoke(policy, name, facts);
        let result = run();
        self.outcome(policy, name, facts, result.as_ref().err());
        result
    }

    /// Something went wrong by itself.
    pub fn error(&self, name: &str, facts: Facts<'_>, error: &Error) {
        if self.is_on(LogPolicy::Normal) {
            self.write(|| emit!(Level::ERROR, self, name, facts, Some(error)));
        }
    }

    /// Something that the host should know.
    pub fn warn(&self, name: &str, facts: Facts<'_>) {
        if self.is_on(LogPolicy::Normal) {
            self.write(|| emit!(Level::WARN, self, name, facts, None));
        }
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);

    impl LogSink for Kept {
        fn write(&self, record: &LogRecord<'_>) {
            let fields: Vec<String> = record
                .fields
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            let line = format!(
                "{} {} {} {}",
                record.level,
                record.event,
                record.entity_id,
                fields.join(" ")
            );
            self.0.lock().unwrap().push(line);
        }
    }

    fn log(policy: LogPolicy, max_level: Level) -> (Arc<Kept>, Log) {
        let kept = Arc::new(Kept::default());
        let options = LogOptions {
            policy,
            max_level,
            sink: kept.clone(),
        };
        (kept, Log::new(Some(&options), "e1"))
    }

    #[test]
    fn an_operation_is_told_twice_with_its_error() {
        let (kept, log) = log(LogPolicy::Normal, Level::INFO);
        let facts = Facts {
            state: Some("VIRGIN"),
            ..Facts::default()
        };
        let _ = log.operation(LogPolicy::Normal, "metrics_recorder.start", facts, || Ok(()));
        let _: Result<()> = log.operation(LogPolicy::Normal, "metrics_recorder.stop", facts, || {
            Err(Error::cancelled())
        });
        let _ = log.operation(LogPolicy::Inspection, "metrics_recorder.snapshot", facts, || {
            Ok(())
        });
        let lines = kept.0.lock().unwrap();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], "INFO metrics_recorder.start.invoke e1 state=VIRGIN");
        assert_eq!(lines[1], "INFO metrics_recorder.start.success e1 state=VIRGIN");
        assert!(
            lines[3].starts_with("ERROR metrics_recorder.stop.failed e1 state=VIRGIN reason=DISPATCHER_")
        );
    }

    #[test]
    fn silence_and_levels_hold() {
        let (kept, log) = log(LogPolicy::Silent, Level::TRACE);
        log.warn("metrics_recorder.overflow", Facts::default());
        assert!(kept.0.lock().unwrap().is_empty());
        let (kept, log) = self::log(LogPolicy::Inspection, Level::WARN);
        log.invoke(
            LogPolicy::Inspection,
            "metrics_recorder.snapshot",
            Facts::default(),
        );
        log.warn(
            "metrics_recorder.overflow",
            Facts {
                count: Some(3),
                ..Facts::default()
            },
        );
        assert_eq!(
            *kept.0.lock().unwrap(),
            ["WARN metrics_recorder.overflow e1 count=3"]
        );
    }
}
