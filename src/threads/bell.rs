//! The bell: how any thread, recording ones above all, gets something to run on the library's threads, without a lock
//! and without an allocation.
//!
//! What rings is put on a stack of its own links, and the one thread that answers is unparked (one system call, if
//! it was parked at all). That thread then does what takes locks.

use std::ptr;
use std::sync::Arc;
use std::sync::OnceLock;

use crate::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use crate::sync::thread::{self, Thread};

/// The link by which something hangs on the stack.
#[derive(Debug)]
pub struct Link<T> {
    next: AtomicPtr<T>,
    rung: AtomicBool,
}

impl<T> Default for Link<T> {
    fn default() -> Self {
        Self {
            next: AtomicPtr::new(ptr::null_mut()),
            rung: AtomicBool::new(false),
        }
    }
}

/// What can ring.
pub trait Ringer: Send + Sync + Sized + 'static {
    /// Its link.
    fn link(&self) -> &Link<Self>;
    /// The bell was answered: runs on the bell's thread and must not block.
    fn answered(self: Arc<Self>);
}

/// A bell and who rang it.
#[derive(Debug)]
pub struct Bell<T> {
    top: AtomicPtr<T>,
    /// Nobody answers any more.
    closed: AtomicBool,
    answerer: OnceLock<Thread>,
}

impl<T: Ringer> Bell<T> {
    /// A bell that nobody answers yet.
    pub fn new() -> Self {
        Self {
            top: AtomicPtr::new(ptr::null_mut()),
            closed: AtomicBool::new(false),
            answerer: OnceLock::new(),
        }
    }

    /// Rings for `ringer`: its `answered` will be called after this. More than one ring before that counts as one.
    pub fn ring(&self, ringer: &Arc<T>) {
        if ringer.link().rung.swap(true, Ordering::SeqCst) {
            return;
        }
        let node = Arc::into_raw(Arc::clone(ringer)).cast_mut();
        let mut top = self.top.load(Ordering::Relaxed);
        loop {
            // SAFETY: the Arc keeps the node alive, and only the one that set `rung` writes its link.
            unsafe { (*node).link().next.store(top, Ordering::Relaxed) };
            match self
                .top
                .compare_exchange_weak(top, node, Ordering::SeqCst, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(now) => top = now,
            }
        }
        if self.closed.load(Ordering::SeqCst) {
            // What hangs on the stack would keep itself alive for ever.
            self.take_all(drop);
            return;
        }
        self.wake();
    }

    /// From here on rings are not answered.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.take_all(drop);
    }

    /// Wakes the answering thread.
    pub fn wake(&self) {
        if let Some(thread) = self.answerer.get() {
            thread.unpark();
        }
    }

    /// Answers for everything that rang.
    pub fn answer(&self) {
        self.take_all(T::answered);
    }

    fn take_all(&self, take: impl Fn(Arc<T>)) {
        let mut node = self.top.swap(ptr::null_mut(), Ordering::SeqCst);
        while !node.is_null() {
            // SAFETY: `ring` gave the stack a reference, which is taken over here, once.
            let ringer = unsafe { Arc::from_raw(node) };
            node = ringer.link().next.load(Ordering::Relaxed);
            // Whoever rings from here on is heard again.
            ringer.link().rung.store(false, Ordering::SeqCst);
            take(ringer);
        }
    }

    /// Answers on this thread until `over`, which is looked at after each wake.
    pub fn serve(&self, over: impl Fn() -> bool) {
        let _ = self.answerer.set(thread::current());
        loop {
            self.answer();
            if over() {
                return;
            }
            if self.top.load(Ordering::SeqCst).is_null() {
                thread::park();
            }
        }
    }
}

impl<T: Ringer> Default for Bell<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[derive(Default)]
    struct Counter {
        link: Link<Counter>,
        answered: AtomicU64,
        rings: AtomicU64,
    }

    impl Ringer for Counter {
        fn link(&self) -> &Link<Self> {
            &self.link
        }
        fn answered(self: Arc<Self>) {
            self.answered
                .store(self.rings.load(Ordering::SeqCst), Ordering::SeqCst);
        }
    }

    #[test]
    fn a_closed_bell_keeps_nothing() {
        let bell: Bell<Counter> = Bell::new();
        let (before, after) = (Arc::<Counter>::default(), Arc::<Counter>::default());
        bell.ring(&before);
        assert_eq!(Arc::strong_count(&before), 2);
        bell.close();
        bell.ring(&after);
        assert_eq!((Arc::strong_count(&before), Arc::strong_count(&after)), (1, 1));
    }

    #[test]
    fn no_ring_is_lost() {
        let bell: Bell<Counter> = Bell::new();
        let counters: Vec<Arc<Counter>> = (0..4).map(|_| Arc::default()).collect();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let server = scope.spawn(|| bell.serve(|| over.load(Ordering::SeqCst)));
            let ringers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..2_000 {
                            for counter in &counters {
                                counter.rings.fetch_add(1, Ordering::SeqCst);
                                bell.ring(counter);
                            }
                        }
                    })
                })
                .collect();
            for ringer in ringers {
                ringer.join().unwrap();
            }
            over.store(true, Ordering::SeqCst);
            bell.wake();
            while !server.is_finished() {
                bell.wake();
                thread::yield_now();
            }
        });
        bell.answer();
        for counter in &counters {
            assert_eq!(counter.answered.load(Ordering::SeqCst), 8_000);
            assert_eq!(Arc::strong_count(counter), 1);
        }
    }
}
