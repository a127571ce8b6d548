//! Notices fork(): a child inherits the memory of the library but none of its threads.
//!
//! The handlers run on the forking thread only. What they do in the child is limited to atomics, because any
//! lock but those of [`super::fork_lock`] may be held by a thread that no longer exists.

#[cfg(unix)]
use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

#[cfg(unix)]
use super::fork_lock;

/// How often the line of processes that led here forked since the library was first used.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// What a part of the library does around a fork. All of it runs on the forking thread; in the child it may
/// touch atomics and what it locked before, nothing else.
#[derive(Debug)]
#[cfg_attr(not(unix), allow(dead_code, reason = "nothing forks there"))]
pub struct Hooks {
    /// In the parent, before.
    pub before: fn(),
    /// In the parent, afterwards.
    pub parent: fn(),
    /// In the child, before fork() returns there.
    pub child: fn(),
}

/// Few parts of the library have something to do; places are filled from the front and never emptied.
const MAX_HOOKS: usize = 16;
static HOOKS: [AtomicPtr<Hooks>; MAX_HOOKS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_HOOKS];

/// The fork generation of this process; it differs between a parent and its child.
#[inline]
pub fn generation() -> u64 {
    if cfg!(unix) {
        GENERATION.load(Ordering::Relaxed)
    } else {
        0
    }
}

/// Has `hooks` called around each fork from now on. Adding them again changes nothing.
///
/// Returns `false` where there is no room for further ones.
pub fn register(hooks: &'static Hooks) -> bool {
    let hooks = std::ptr::from_ref(hooks).cast_mut();
    HOOKS.iter().any(|place| {
        match place.compare_exchange(std::ptr::null_mut(), hooks, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(present) => present == hooks,
        }
    })
}

#[cfg(unix)]
fn registered() -> impl Iterator<Item = &'static Hooks> {
    // SAFETY: `register` puts in what lives for ever.
    HOOKS
        .iter()
        .map_while(|place| unsafe { place.load(Ordering::Acquire).as_ref() })
}

/// Makes sure that forks are noticed from now on; `false` where the system refuses.
///
/// No lock and no `Once` stands behind this: a child of a fork in the middle of it would find them taken for
/// ever. Threads that race here may register the handlers several times, which the handlers themselves allow
/// for.
#[cfg(unix)]
pub fn watch() -> bool {
    use std::sync::atomic::AtomicBool;
    static WATCHED: AtomicBool = AtomicBool::new(false);

    if WATCHED.load(Ordering::Acquire) {
        return true;
    }
    // SAFETY: the handlers are functions of this library, which is never unloaded (`-z nodelete`).
    let refused = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    if refused != 0 {
        return false;
    }
    WATCHED.store(true, Ordering::Release);
    true
}

/// Nothing to watch where processes can't fork.
#[cfg(not(unix))]
pub fn watch() -> bool {
    true
}

#[cfg(unix)]
thread_local! {
    /// How many registrations of the handlers this thread has entered: only the outermost acts.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// How many hooks ran before the fork: one that is added meanwhile has nothing to undo.
    static BEGUN: Cell<usize> = const { Cell::new(0) };
}

#[cfg(unix)]
extern "C" fn prepare() {
    let depth = DEPTH.get();
    DEPTH.set(depth + 1);
    if depth == 0 {
        fork_lock::before_fork();
        BEGUN.set(registered().map(|hooks| (hooks.before)()).count());
    }
}

#[cfg(unix)]
extern "C" fn parent() {
    if leave() {
        registered().take(BEGUN.get()).for_each(|hooks| (hooks.parent)());
        fork_lock::after_fork();
    }
}

#[cfg(unix)]
extern "C" fn child() {
    if leave() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
        registered().take(BEGUN.get()).for_each(|hooks| (hooks.child)());
        fork_lock::after_fork();
    }
}

/// Whether the handler that calls this is the last of its registrations to run on this thread.
#[cfg(unix)]
fn leave() -> bool {
    let depth = DEPTH.get().saturating_sub(1);
    DEPTH.set(depth);
    depth == 0
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// Hundreds: before; tens: in the parent; ones: in the child.
    static CALLED: AtomicU64 = AtomicU64::new(0);
    static COUNTING: Hooks = Hooks {
        before: || _ = CALLED.fetch_add(100, Ordering::Relaxed),
        parent: || _ = CALLED.fetch_add(10, Ordering::Relaxed),
        child: || _ = CALLED.fetch_add(1, Ordering::Relaxed),
    };

    #[test]
    fn a_child_has_another_generation_and_runs_each_hook_once() {
        assert!(watch());
        // A second registration, as a race would make it.
        // SAFETY: as in `watch`.
        let refused = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
        assert_eq!(refused, 0);
        assert!(register(&COUNTING));
        assert!(register(&COUNTING));
        let before = generation();
        // Tests beside this one may fork too: then the parent counts more, never the child.
        let calls = CALLED.load(Ordering::Relaxed);
        let code = in_child(|| {
            let good = generation() == before + 1 && CALLED.load(Ordering::Relaxed) % 10 == 1;
            i32::from(!good)
        });
        assert_eq!(code, 0);
        assert_eq!(generation(), before);
        let calls = CALLED.load(Ordering::Relaxed) - calls;
        assert!(
            calls >= 110 && calls / 100 == calls / 10 % 10 && calls.is_multiple_of(10),
            "{calls}"
        );
    }

    fn in_child(body: impl FnOnce() -> i32) -> i32 {
        // SAFETY: the child only touches atomics and ends with `_exit`.
        match unsafe { libc::fork() } {
            // SAFETY: ends the child without running the parent's exit handlers.
            0 => unsafe { libc::_exit(body()) },
            child => {
                let mut status = 0;
                // SAFETY: `status` outlives the call.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                assert!(libc::WIFEXITED(status));
                libc::WEXITSTATUS(status)
            }
        }
    }
}
