//! Counts of a recorder.

use super::core::Core;
use crate::sync::atomic::Ordering;

/// Counts of a recorder; at every moment `accepted = dispatched + discarded + pending`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events that were taken in.
    pub accepted: u64,
    /// Events that every metric has handled.
    pub dispatched: u64,
    /// Events that found no room, silently.
    pub dropped: u64,
    /// Events that found no room, with an error.
    pub refused: u64,
    /// Events that were accepted and then not dispatched, because the recorder failed or was cancelled.
    pub discarded: u64,
    /// Events accepted and neither dispatched nor discarded.
    pub pending: u64,
    /// The highest `pending` seen.
    pub pending_max: u64,
    /// What pending events count against the limit of bytes.
    pub pending_bytes: u64,
    /// Metrics that were taken out of dispatching.
    pub quarantined_metrics: u64,
    /// How long the events now under dispatch have been so, in nanoseconds; 0 where none are.
    pub lag_ns: i64,
}

impl Core {
    /// The counts now.
    pub fn stats(&self) -> Stats {
        let counts = self.with.hub.counts();
        Stats {
            accepted: counts.accepted,
            dispatched: counts.dispatched,
            dropped: counts.dropped,
            refused: counts.refused,
            discarded: counts.discarded,
            pending: counts.pending,
            pending_max: counts.pending_max,
            pending_bytes: counts.pending_bytes,
            quarantined_metrics: self.with.quarantined.load(Ordering::Relaxed),
            lag_ns: if counts.pending == 0 {
                0
            } else {
                self.with.lag_ns()
            },
        }
    }
}
