//! The one place that says which atomics and locks the hand-off and the life cycle are built from: the real ones,
//! loom's (`--cfg mvx_loom`, every interleaving and every weak-memory outcome of the hand-off), or shuttle's
//! (`--cfg mvx_shuttle`, random schedules of the whole life cycle). The code above is the same in all three.

#[cfg(not(any(mvx_loom, mvx_shuttle)))]
mod real {
    pub use parking_lot::{Condvar, Mutex, MutexGuard};
    pub use std::sync::Arc;
    pub use std::sync::atomic;

    /// Waits a little for another thread that is inside a few instructions.
    pub fn relax(round: u32) {
        if round < 64 {
            std::hint::spin_loop()
        } else {
            std::thread::yield_now()
        }
    }
}

#[cfg(any(mvx_loom, mvx_shuttle))]
mod model {
    #[cfg(mvx_loom)]
    use loom as checker;
    #[cfg(mvx_shuttle)]
    use shuttle as checker;

    pub use checker::sync::Arc;
    pub use checker::sync::atomic;
    pub use checker::thread;

    use std::time::{Duration, Instant};

    /// A lock with parking_lot's manners. A checker knows no time: what takes a time-out waits without one.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(checker::sync::Mutex<T>);

    pub type MutexGuard<'a, T> = checker::sync::MutexGuard<'a, T>;

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Self(checker::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            match self.0.lock() {
                Ok(guard) => guard,
                Err(poisoned) => poisoned.into_inner(),
            }
        }

        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }

        pub fn try_lock_until(&self, _deadline: Instant) -> Option<MutexGuard<'_, T>> {
            Some(self.lock())
        }
    }

    /// Whether a wait ended by time; in a checker it never does.
    pub struct WaitTimeoutResult;

    impl WaitTimeoutResult {
        pub fn timed_out(&self) -> bool {
            false
        }
    }

    #[derive(Debug, Default)]
    pub struct Condvar(checker::sync::Condvar);

    impl Condvar {
        pub fn new() -> Self {
            Self(checker::sync::Condvar::new())
        }

        pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            // SAFETY: the guard is moved out, consumed by `wait`, and the one it returns is moved back in; a
            // panic in between ends the checker's run.
            unsafe {
                let taken = std::ptr::read(guard);
                let back = match self.0.wait(taken) {
                    Ok(guard) => guard,
                    Err(poisoned) => poisoned.into_inner(),
                };
                std::ptr::write(guard, back);
            }
        }

        pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _timeout: Duration) -> WaitTimeoutResult {
            self.wait(guard);
            WaitTimeoutResult
        }

        pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _deadline: Instant) -> WaitTimeoutResult {
            self.wait(guard);
            WaitTimeoutResult
        }

        pub fn notify_all(&self) {
            self.0.notify_all();
        }
    }

    pub fn relax(_round: u32) {
        thread::yield_now();
    }
}

#[cfg(any(mvx_loom, mvx_shuttle))]
pub use model::*;
#[cfg(not(any(mvx_loom, mvx_shuttle)))]
pub use real::*;
