//! The states of a runtime.

/// The state of a runtime, with the number that crosses the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum RuntimeState {
    /// Made, never started: no thread runs.
    Virgin = 0,
    /// Its threads start.
    Starting = 1,
    /// Recorders can be made.
    Running = 2,
    /// Its recorders stop, then its threads end.
    Stopping = 3,
    /// Over.
    Closed = 4,
    /// Over, and not everything ended as it should.
    Failure = 5,
}

impl RuntimeState {
    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Virgin => "VIRGIN",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Closed => "CLOSED",
            Self::Failure => "FAILURE",
        }
    }
}
