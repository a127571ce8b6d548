//! The right to call a recorder's metrics: one thread at a time has it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};

/// See the module.
#[derive(Default)]
pub struct Stage {
    lock: Mutex<()>,
    waiting: AtomicU32,
}

/// The right, until it is dropped.
pub struct OnStage<'a> {
    guard: MutexGuard<'a, ()>,
    stage: &'a Stage,
}

impl Stage {
    /// Waits for the right as long as it takes: the dispatcher's way.
    pub fn enter(&self) -> OnStage<'_> {
        OnStage {
            guard: self.lock.lock(),
            stage: self,
        }
    }

    /// Waits for the right until `deadline`; `None`: for ever.
    pub fn enter_until(&self, deadline: Option<Instant>) -> Option<OnStage<'_>> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let guard = match deadline {
            None => Some(self.lock.lock()),
            Some(deadline) => self.lock.try_lock_until(deadline),
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        guard.map(|guard| OnStage { guard, stage: self })
    }
}

impl OnStage<'_> {
    /// Lets others in between two events, if any wait.
    #[inline]
    pub fn make_way(&mut self) {
        if self.stage.waiting.load(Ordering::Relaxed) > 0 {
            MutexGuard::bump(&mut self.guard);
        }
    }
}
