//! Why a recording thread may have to look around before it records the short way: one word, so that an event looks at
//! nothing else. Any thread raises it; the recording thread answers (`Producer::attend`).

use crate::sync::atomic::{AtomicU32, Ordering};

/// A set of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert(u32);

impl Alert {
    /// Something has changed that the thread may remember: the recorder's state, the metrics, a handle, or its lease.
    pub const CHANGED: Self = Self(1);
    /// The dispatcher sleeps, and is to be woken for an event that travels.
    pub const ASLEEP: Self = Self(2);
    pub const ANY: Self = Self(!0);

    /// Whether it has any reason of `other`.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The reasons that one thread has.
pub struct AlertWord(AtomicU32);

impl AlertWord {
    #[cfg(not(mvx_loom))]
    pub const fn new(alert: Alert) -> Self {
        Self(AtomicU32::new(alert.0))
    }

    /// Loom's words are not made at compile time.
    #[cfg(mvx_loom)]
    pub fn new(alert: Alert) -> Self {
        Self(AtomicU32::new(alert.0))
    }

    pub fn raise(&self, why: Alert) {
        self.0.fetch_or(why.0, Ordering::SeqCst);
    }

    /// Takes all reasons.
    pub fn take(&self) -> Alert {
        Alert(self.0.swap(0, Ordering::AcqRel))
    }

    /// Whether there is any reason of `what`.
    #[inline(always)]
    pub fn has(&self, what: Alert) -> bool {
        Alert(self.0.load(Ordering::Relaxed)).has(what)
    }
}
