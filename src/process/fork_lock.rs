//! Locks of the whole process that survive `fork()`.
//!
//! A fork copies every lock as it is. One that another thread held at that moment would stay locked in the child for
//! ever, since its holder does not exist there. So the forking thread takes all of them first, and lets go of them
//! afterwards, in the parent and in the child.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::{event_type, symbol};
use crate::runtime::default;
use crate::threads::cycles;

/// A lock that can be held across a `fork()`.
///
/// What is done under it must not call back into the host: a callback that forks, or that declares or interns, would
/// wait for itself.
pub struct ForkLock<T: 'static> {
    mutex: Mutex<T>,
    /// The guard of the thread that is forking; only touched by whoever holds `mutex`.
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
}

// SAFETY: `mutex` is Sync where T is Send. `held` is only touched while `mutex` is held, so never by two threads at
// once, and a guard in it is taken out by the thread that put it there: `hold` and `let_go` enclose one fork.
unsafe impl<T: Send> Sync for ForkLock<T> {}

impl<T: Send> ForkLock<T> {
    /// A lock around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            mutex: Mutex::new(value),
            held: UnsafeCell::new(None),
        }
    }

    /// Waits for the lock.
    pub fn lock(&self) -> ForkGuard<'_, T> {
        ForkGuard {
            guard: self.mutex.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// Access to what a [`ForkLock`] protects.
pub struct ForkGuard<'a, T> {
    guard: MutexGuard<'a, T>,
}

impl<T> Deref for ForkGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for ForkGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// What the fork handlers do with a lock.
pub trait HeldAcrossFork: Sync {
    /// Takes the lock for the calling thread.
    fn hold(&'static self);
    /// Frees it again; the caller is the thread that called [`HeldAcrossFork::hold`], or its copy in the child.
    fn let_go(&'static self);
}

impl<T: Send> HeldAcrossFork for ForkLock<T> {
    fn hold(&'static self) {
        let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: this thread holds `mutex`, which is what access to `held` needs.
        unsafe { *self.held.get() = Some(guard) };
    }

    fn let_go(&'static self) {
        // SAFETY: this thread still holds `mutex` through the guard that `hold` left here. The guard is taken out
        // before it is dropped, so that `held` is not touched once the mutex is free.
        let guard = unsafe { (*self.held.get()).take() };
        drop(guard);
    }
}

/// Every lock of the process that may be held by some thread when another one forks, in the order in which they are
/// taken.
static LOCKS: [&dyn HeldAcrossFork; 4] = [
    &default::DEFAULT,
    &cycles::HELD_UP,
    &event_type::TYPES,
    &symbol::SYMBOLS,
];

/// Takes every global lock. To be called by the handler that runs before a `fork()`, on the forking thread.
pub fn before_fork() {
    for lock in LOCKS {
        lock.hold();
    }
}

/// Frees what [`before_fork`] took. To be called after the `fork()`, by the forking thread in the parent and by its
/// copy in the child.
pub fn after_fork() {
    for lock in LOCKS.iter().rev() {
        lock.let_go();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::event::{intern, symbol_text};

    static COUNT: ForkLock<u32> = ForkLock::new(0);

    #[test]
    fn a_held_lock_keeps_others_out_until_it_is_let_go() {
        COUNT.hold();
        let other = thread::spawn(|| *COUNT.lock() += 1);
        thread::sleep(Duration::from_millis(50));
        assert!(!other.is_finished());
        COUNT.let_go();
        other.join().unwrap();
        assert_eq!(*COUNT.lock(), 1);
    }

    /// The child's exit code, or `None` where it hung.
    fn wait_for(child: libc::pid_t) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            let mut status = 0;
            // SAFETY: `status` is valid for the call, and `child` is a child of this process.
            if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
                return Some(libc::WEXITSTATUS(status));
            }
            thread::sleep(Duration::from_millis(1));
        }
        // SAFETY: `child` is a child of this process that was not waited for.
        unsafe {
            libc::kill(child, libc::SIGKILL);
            libc::waitpid(child, std::ptr::null_mut(), 0);
        }
        None
    }

    #[test]
    fn a_child_can_intern_whatever_other_threads_did_at_the_fork() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let busy: Vec<_> = (0..2)
            .map(|thread| {
                thread::spawn(move || {
                    let mut n = 0;
                    while !STOP.load(Ordering::Relaxed) {
                        intern(&format!("fork_lock.busy.{thread}.{}", n % 100)).unwrap();
                        n += 1;
                    }
                })
            })
            .collect();
        assert!(crate::process::fork::watch());
        let known = intern("fork_lock.known").unwrap();
        for _ in 0..20 {
            // SAFETY: the child only interns and exits; the locks that this needs are held across the fork.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let fine = symbol_text(known) == Some("fork_lock.known")
                    && intern("fork_lock.known").ok() == Some(known)
                    && intern("fork_lock.child").is_ok();
                // SAFETY: leaves the child at once, without running what belongs to the parent.
                unsafe { libc::_exit(if fine { 0 } else { 1 }) };
            }
            assert!(child > 0);
            assert_eq!(wait_for(child), Some(0));
        }
        STOP.store(true, Ordering::Relaxed);
        for thread in busy {
            thread.join().unwrap();
        }
    }
}
