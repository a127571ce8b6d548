//! The warning that events found no room: at most one a second, with their number. It comes from the bell, not from
//! the dispatcher, as a queue is full most of all while a metric holds the dispatcher up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use crate::log::Facts;

/// Least time between two warnings.
const WARN_EVERY: Duration = Duration::from_secs(1);

/// What was warned of, and when.
#[derive(Default)]
pub struct Overflow {
    last: Option<Instant>,
    told: u64,
    /// A warning is on its way.
    owed: bool,
}

impl Core {
    /// Something rang: sees to it that a warning comes, where one is due. On the bell's thread.
    pub fn attend_overflow(self: &Arc<Self>) {
        if !self.with.hub.overflowed() {
            return;
        }
        let mut overflow = self.overflow.lock();
        if std::mem::replace(&mut overflow.owed, true) {
            return;
        }
        let rest = overflow
            .last
            .map_or(Duration::ZERO, |last| WARN_EVERY.saturating_sub(last.elapsed()));
        drop(overflow);
        let core = Arc::downgrade(self);
        self.with.driver.threads().after(rest, move || {
            if let Some(core) = core.upgrade() {
                let threads = Arc::clone(core.with.driver.threads());
                threads.run(move || core.warn_of_overflow());
            }
        });
    }

    fn warn_of_overflow(&self) {
        let mut overflow = self.overflow.lock();
        overflow.owed = false;
        overflow.last = Some(Instant::now());
        // First the flag, then the counts: what comes in between rings again.
        self.with.hub.clear_overflowed();
        let counts = self.with.hub.counts();
        let total = counts.dropped + counts.refused;
        let news = total - overflow.told;
        overflow.told = total;
        drop(overflow);
        if news > 0 {
            let facts = Facts {
                count: Some(news),
                ..Facts::default()
            };
            self.with
                .inside(|| self.with.log.warn("metrics_recorder.overflow", facts));
        }
    }
}
