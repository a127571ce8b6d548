//! The one place that says which atomics and locks the hand-off and the life cycle are built from: the standard
//! library's, loom's (`mvx_loom`, every interleaving and every weak-memory outcome of the hand-off), or shuttle's
//! (`mvx_shuttle`, random schedules of the whole life cycle); build.rs sets which. The code above is the same in all
//! three.
//!
//! Locks that threads wait for are not parking_lot's: it keeps all waiting threads of the process in one table, and in
//! the child of a `fork()` that table still names threads that do not exist there. The first contended lock of the child
//! then touches freed stacks. parking_lot serves where a lock is never waited for (see `metrics/native`).

#[cfg(mvx_loom)]
use loom as base;
#[cfg(mvx_shuttle)]
use shuttle as base;
#[cfg(not(any(mvx_loom, mvx_shuttle)))]
use std as base;

use std::ops::{Deref, DerefMut};
use std::time::Instant;

#[cfg(not(mvx_loom))]
pub use base::sync::mpsc;
pub use base::sync::{Arc, atomic};
pub use base::thread_local;

/// Threads.
pub mod thread {
    pub use super::base::thread::*;

    /// Ends when it likes: the checker knows no time, and whoever rests for a while is not to rely on being woken.
    #[cfg(mvx_shuttle)]
    pub fn park_timeout(_time: std::time::Duration) {
        yield_now();
    }
}

/// A lock that a panic does not poison: what a panic left half done is seen to where it is caught.
#[derive(Debug, Default)]
pub struct Mutex<T>(base::sync::Mutex<T>);

/// The lock, until it is dropped.
pub struct MutexGuard<'a, T>(
    /// Empty only inside of a wait.
    Option<base::sync::MutexGuard<'a, T>>,
);

impl<T> Mutex<T> {
    #[cfg_attr(mvx_shuttle, track_caller)]
    pub fn new(value: T) -> Self {
        Self(base::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }))
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        use std::sync::TryLockError;
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard(Some(guard))),
            Err(TryLockError::Poisoned(poisoned)) => Some(MutexGuard(Some(poisoned.into_inner()))),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    #[cfg(not(mvx_loom))]
    pub fn get_mut(&mut self) -> &mut T {
        match self.0.get_mut() {
            Ok(value) => value,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(guard) => guard,
            None => unreachable!("looked at inside of a wait"),
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some(guard) => guard,
            None => unreachable!("looked at inside of a wait"),
        }
    }
}

/// Whether a wait ended by time; in a checker it never does.
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

#[derive(Debug, Default)]
pub struct Condvar(base::sync::Condvar);

impl Condvar {
    #[cfg_attr(mvx_shuttle, track_caller)]
    pub fn new() -> Self {
        Self(base::sync::Condvar::new())
    }

    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        guard.0 = guard.0.take().map(|guard| match self.0.wait(guard) {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        });
    }

    /// Waits no longer than until `deadline`.
    #[cfg(not(any(mvx_loom, mvx_shuttle)))]
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) -> WaitTimeoutResult {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut timed_out = left.is_zero();
        if !timed_out {
            guard.0 = guard.0.take().map(|guard| {
                let (guard, result) = match self.0.wait_timeout(guard, left) {
                    Ok(woken) => woken,
                    Err(poisoned) => poisoned.into_inner(),
                };
                timed_out = result.timed_out();
                guard
            });
        }
        WaitTimeoutResult(timed_out)
    }

    /// A checker knows no time: what takes a time-out waits without one.
    #[cfg(any(mvx_loom, mvx_shuttle))]
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _deadline: Instant) -> WaitTimeoutResult {
        self.wait(guard);
        WaitTimeoutResult(false)
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Waits a little for another thread that is inside a few instructions.
pub fn relax(round: u32) {
    #[cfg(not(any(mvx_loom, mvx_shuttle)))]
    if round < 64 {
        std::hint::spin_loop();
        return;
    }
    let _ = round;
    thread::yield_now();
}
