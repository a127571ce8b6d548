//! The states of a recorder.

/// The state of a recorder, with the number that crosses the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum RecorderState {
    /// Made, never started.
    Virgin = 0,
    /// `on_starting` runs.
    Starting = 1,
    /// Events are dispatched.
    Running = 2,
    /// What was accepted is dispatched, then `on_stopped` runs.
    Stopping = 3,
    /// Stopped; can be started again.
    Stopped = 4,
    /// Failed for good.
    Failure = 5,
    /// Cancelled for good.
    Cancelled = 6,
}

impl RecorderState {
    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Virgin => "VIRGIN",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Failure => "FAILURE",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether it never leaves this state.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Failure | Self::Cancelled)
    }

    /// Whether metrics and events are taken.
    pub fn accepts(self) -> bool {
        matches!(self, Self::Virgin | Self::Starting | Self::Running)
    }
}

/// States in which metrics and events are taken.
pub const ACCEPTING: [RecorderState; 3] = [
    RecorderState::Virgin,
    RecorderState::Starting,
    RecorderState::Running,
];
