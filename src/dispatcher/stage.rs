//! The right to call a recorder's metrics: one thread at a time has it.
//!
//! Not a lock of the system: it is held while foreign code runs, and waited for with a time-out.

use std::time::Instant;

use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Condvar, Mutex};

/// See the module.
#[derive(Default)]
pub struct Stage {
    taken: Mutex<bool>,
    free: Condvar,
    waiting: AtomicU32,
}

/// The right, until it is dropped.
pub struct OnStage<'a>(&'a Stage);

impl Stage {
    /// Waits for the right as long as it takes.
    pub fn enter(&self) -> OnStage<'_> {
        let mut taken = self.taken.lock();
        while *taken {
            self.free.wait(&mut taken);
        }
        *taken = true;
        OnStage(self)
    }

    /// Waits for the right until `deadline`; `None`: for ever.
    pub fn enter_until(&self, deadline: Option<Instant>) -> Option<OnStage<'_>> {
        struct Waiting<'a>(&'a AtomicU32);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        let Some(deadline) = deadline else {
            return Some(self.enter());
        };
        let mut taken = self.taken.lock();
        while *taken {
            if self.free.wait_until(&mut taken, deadline).timed_out() && *taken {
                return None;
            }
        }
        *taken = true;
        Some(OnStage(self))
    }

    fn leave(&self) {
        *self.taken.lock() = false;
        self.free.notify_all();
    }
}

impl OnStage<'_> {
    /// Lets others in between two events, if any wait.
    #[inline]
    pub fn make_way(&mut self) {
        if self.0.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.0.leave();
        // Whoever was woken gets a moment to come in first; where it does not, it will after the next event.
        crate::sync::relax(u32::MAX);
        std::mem::forget(self.0.enter());
    }
}

impl Drop for OnStage<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
