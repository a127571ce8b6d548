//! Errors as the contract words them: a status, a stable reason, a message, details and a cause.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::recorder::RecorderState;
use crate::runtime::RuntimeState;

/// The outcome of a call, with the number that crosses the ABI. Numbers are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum Status {
    Ok = 0,
    InvalidArgument = 1,
    InvalidHandle = 2,
    InvalidState = 3,
    QueueOverflow = 4,
    AlreadyExists = 5,
    NotFound = 6,
    HookFailed = 7,
    MetricFailed = 8,
    StartupFailed = 9,
    StopFailed = 10,
    ShutdownFailed = 11,
    LimitReached = 12,
    Cancelled = 13,
    Timeout = 14,
    NotReady = 15,
    WouldDeadlock = 16,
    Forked = 17,
    Unsupported = 18,
    Unexpected = 19,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "it succeeded",
            Self::InvalidArgument => "an argument is bad",
            Self::InvalidHandle => "the handle was freed, or was never handed out",
            Self::InvalidState => "this can't be done in the present state",
            Self::QueueOverflow => "as many events are pending as may be; this one was refused",
            Self::AlreadyExists => "there is one already",
            Self::NotFound => "there is none",
            Self::HookFailed => "a hook failed",
            Self::MetricFailed => "a metric failed",
            Self::StartupFailed => "it could not start",
            Self::StopFailed => "it could not stop",
            Self::ShutdownFailed => "not all of the shutdown went well",
            Self::LimitReached => "a limit of the library is reached",
            Self::Cancelled => "it was cancelled",
            Self::Timeout => "it did not happen in time",
            Self::NotReady => "it is not over yet",
            Self::WouldDeadlock => "a callback would wait for itself",
            Self::Forked => "it was made before a fork and belongs to the parent process",
            Self::Unsupported => "this version, or this platform, does not offer it",
            Self::Unexpected => "the library failed unexpectedly",
        })
    }
}

impl std::error::Error for Status {}

/// An error of the library. Cheap to clone: what waiters of one operation share.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What the call returns.
    pub status: Status,
    /// The stable, upper-case reason.
    pub reason: &'static str,
    /// A sentence for people.
    pub message: String,
    /// Machine-readable facts, by name.
    pub details: Map<String, Value>,
    /// What led to it.
    #[source]
    pub cause: Option<Arc<Error>>,
}

/// A result of the library.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error without details or cause.
    pub fn new(status: Status, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            message: message.into(),
            details: Map::new(),
            cause: None,
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with_detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Adds to the message what the caller can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: &str) -> Self {
        self.message = format!("{}: {hint}", self.message);
        self
    }

    /// Sets the cause and says it in the message too, as `message -> cause`.
    #[must_use]
    pub fn caused_by(mut self, cause: Error) -> Self {
        self.message = format!("{} -> {}", self.message, cause.message);
        self.cause = Some(Arc::new(cause));
        self
    }

    /// `argument` is bad for the reason that `what` gives.
    pub fn invalid_argument(argument: &str, what: impl fmt::Display) -> Self {
        Self::new(
            Status::InvalidArgument,
            "INVALID_ARGUMENT",
            format!("argument '{argument}' {what}"),
        )
        .with_detail("argument", argument)
    }

    /// Where this says that an argument is bad: names it as the part of `whole` that it is.
    #[must_use]
    pub fn within(mut self, whole: &str) -> Self {
        if self.reason == "INVALID_ARGUMENT"
            && let Some(Value::String(part)) = self.details.get_mut("argument")
        {
            let full = format!("{whole}.{part}");
            self.message = self
                .message
                .replacen(&format!("'{part}'"), &format!("'{full}'"), 1);
            *part = full;
        }
        self
    }

    /// `argument` is no live handle of its type, for the reason that `what` gives.
    pub fn invalid_handle(argument: &str, what: impl fmt::Display) -> Self {
        Self::new(
            Status::InvalidHandle,
            "INVALID_HANDLE",
            format!("argument '{argument}' {what}"),
        )
        .with_detail("argument", argument)
    }

    /// `argument` is the number of no event type.
    pub fn no_event_type(argument: &str, number: u32) -> Self {
        Self::invalid_argument(
            argument,
            format!("is {number}, which is no event type: mvx_event_type_declare gives their numbers"),
        )
    }

    /// The process was forked, and `argument` is a handle of the parent.
    pub fn forked(argument: &str) -> Self {
        Self::new(
            Status::Forked,
            "FORKED",
            format!(
                "argument '{argument}' was made before fork() and belongs to the parent process: \
                 create a runtime of your own in the child"
            ),
        )
        .with_detail("argument", argument)
    }

    /// A recorder operation is not valid in `state`.
    pub fn recorder_state(state: RecorderState, expected: &[RecorderState], last: Option<Error>) -> Self {
        let names: Vec<&str> = expected.iter().map(|state| state.name()).collect();
        let error = Self::new(
            Status::InvalidState,
            "INVALID_RECORDER_STATE",
            format!(
                "invalid recorder state '{}', expected {}",
                state.name(),
                one_of(&names)
            ),
        )
        .with_detail("recorder_state", state.name())
        .with_detail("expected_states", json!(names));
        match last {
            Some(last) => error.caused_by(last),
            None => error,
        }
    }

    /// A runtime operation is not valid in `state`.
    pub fn runtime_state(state: RuntimeState, expected: &[RuntimeState]) -> Self {
        let names: Vec<&str> = expected.iter().map(|state| state.name()).collect();
        let error = Self::new(
            Status::InvalidState,
            "INVALID_RUNTIME_STATE",
            format!(
                "invalid metrics runtime state '{}', expected {}",
                state.name(),
                one_of(&names)
            ),
        )
        .with_detail("runtime_state", state.name())
        .with_detail("expected_states", json!(names));
        match state {
            RuntimeState::Virgin => error.with_hint("call mvx_runtime_start first"),
            _ => error,
        }
    }

    /// What a callback of the host reported, or the words for its silence.
    pub fn callback(status: Status, message: Option<String>) -> Self {
        let message = message.unwrap_or_else(|| "the callback gave no message".to_owned());
        Self::new(status, "CALLBACK_ERROR", message)
    }

    /// The pending limit is reached.
    pub fn queue_overflow(limit: u64) -> Self {
        Self::new(
            Status::QueueOverflow,
            "QUEUE_OVERFLOW",
            format!("queue overflow: {limit} events are pending already"),
        )
        .with_detail("queue_max_size", limit)
    }

    /// The recorder was cancelled.
    pub fn cancelled() -> Self {
        Self::new(
            Status::Cancelled,
            "DISPATCHER_UNEXPECTEDLY_CANCELLED",
            "dispatcher unexpectedly cancelled",
        )
    }

    /// `what` did not happen in time.
    pub fn timeout(what: impl Into<String>) -> Self {
        Self::new(Status::Timeout, "TIMEOUT", what)
    }

    /// The calling thread would wait for itself.
    pub fn would_deadlock(what: impl Into<String>) -> Self {
        Self::new(Status::WouldDeadlock, "WOULD_DEADLOCK", what)
    }

    /// A limit of the library is reached.
    pub fn limit_reached(what: impl Into<String>) -> Self {
        Self::new(Status::LimitReached, "LIMIT_REACHED", what)
    }

    /// The operation is not over yet.
    pub fn not_ready() -> Self {
        Self::new(Status::NotReady, "NOT_READY", "the operation is not over yet")
    }

    /// Not offered by this version or on this platform.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(Status::Unsupported, "UNSUPPORTED", what)
    }

    /// A fault of the library or of the machine.
    pub fn unexpected(what: impl Into<String>) -> Self {
        Self::new(Status::Unexpected, "UNEXPECTED_ERROR", what)
    }

    /// The details as a JSON object.
    pub fn details_json(&self) -> String {
        Value::Object(self.details.clone()).to_string()
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [one] => format!("'{one}'"),
        many => {
            let quoted: Vec<String> = many.iter().map(|name| format!("'{name}'")).collect();
            format!("one of: {}", quoted.join(", "))
        }
    }
}
