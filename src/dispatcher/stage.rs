//! The right to call a recorder's metrics: one thread at a time has it.
//!
//! Not a lock of the system: it is held while foreign code runs, and waited for with a time-out.

use std::time::Instant;

use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Condvar, Mutex};

#[derive(Default)]
struct Held {
    taken: bool,
    /// Threads inside of a wait for `free`: telling nobody is a system call too.
    told: u32,
}

/// See the module.
#[derive(Default)]
pub struct Stage {
    held: Mutex<Held>,
    free: Condvar,
    /// Threads that want it before the next event.
    waiting: AtomicU32,
}

/// The right, until it is dropped.
pub struct OnStage<'a>(&'a Stage);

impl Stage {
    /// Waits for the right as long as it takes.
    pub fn enter(&self) -> OnStage<'_> {
        let mut held = self.held.lock();
        while held.taken {
            held.told += 1;
            self.free.wait(&mut held);
            held.told -= 1;
        }
        held.taken = true;
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
        let mut held = self.held.lock();
        while held.taken {
            held.told += 1;
            let timed_out = self.free.wait_until(&mut held, deadline).timed_out();
            held.told -= 1;
            if timed_out && held.taken {
                return None;
            }
        }
        held.taken = true;
        Some(OnStage(self))
    }

    fn leave(&self) {
        let tell = {
            let mut held = self.held.lock();
            held.taken = false;
            held.told > 0
        };
        if tell {
            self.free.notify_all();
        }
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
