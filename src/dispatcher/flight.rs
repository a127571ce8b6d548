//! The events under dispatch, as far as a cancellation from another thread needs to know them.
//!
//! A cancellation discards at once whatever no callback has in its hands. The dispatcher and the one that cancels agree
//! without a lock for each event: the dispatcher says which event it begins and then looks whether it is cancelled; the
//! other side says that it is and then, after a heavy fence, looks how far the dispatcher has come.

use crate::event::Event;
use crate::queue::fence;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

struct Batch {
    events: *const Event,
    len: usize,
    cancelled: bool,
    /// From here on the one that cancelled has discarded the events.
    taken_from: usize,
}

// SAFETY: the pointer is to the dispatcher's batch, which it keeps until it has passed `settle`.
unsafe impl Send for Batch {}

/// See the module.
pub struct Flight {
    batch: Mutex<Batch>,
    /// Events of the batch that were begun.
    begun: AtomicUsize,
    cancelled: AtomicBool,
    /// Held while what was taken is discarded.
    discarding: Mutex<()>,
}

impl Flight {
    /// Nothing under dispatch.
    pub fn new() -> Self {
        Self {
            batch: Mutex::new(Batch {
                events: std::ptr::null(),
                len: 0,
                cancelled: false,
                taken_from: 0,
            }),
            begun: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            discarding: Mutex::new(()),
        }
    }

    /// Takes a batch by `collect` and puts it under dispatch, unless cancelled. `collect` gives the events, which stay
    /// where they are until the next batch.
    pub fn take_off<T>(&self, collect: impl FnOnce() -> (T, *const Event, usize)) -> Option<T> {
        let mut batch = self.batch.lock();
        if batch.cancelled {
            return None;
        }
        let (result, events, len) = collect();
        batch.events = events;
        batch.len = len;
        batch.taken_from = len;
        self.begun.store(0, Ordering::Relaxed);
        Some(result)
    }

    /// The dispatcher is about to handle all events before `count`; false where it is cancelled and must not.
    #[inline]
    pub fn begin(&self, count: usize) -> bool {
        self.begun.store(count, Ordering::Relaxed);
        fence::light();
        !self.cancelled.load(Ordering::Relaxed)
    }

    /// Whether it is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Cancels, from any thread: gives the events of the batch that were not begun to `discard`, which goes on to
    /// discard all others. When this returns, they are discarded.
    pub fn cancel(&self, discard: impl FnOnce(&[Event])) {
        let _discarding = self.discarding.lock();
        let rest: Vec<Event> = {
            let mut batch = self.batch.lock();
            batch.cancelled = true;
            self.cancelled.store(true, Ordering::SeqCst);
            fence::heavy();
            let begun = self.begun.load(Ordering::Relaxed).min(batch.len);
            batch.taken_from = begun;
            if batch.len == 0 {
                Vec::new()
            } else {
                // SAFETY: the dispatcher keeps the batch until it has passed `settle`, which waits for `discarding`.
                let rest = unsafe { std::slice::from_raw_parts(batch.events.add(begun), batch.len - begun) };
                rest.iter().map(Event::copied).collect()
            }
        };
        discard(&rest);
    }

    /// For a dispatcher that gives up its batch: takes it out of reach of whoever cancels from now on. Where somebody
    /// did, waits until what was taken from it is discarded. Which events are the dispatcher's own to discard: those
    /// before the number returned.
    pub fn settle(&self) -> usize {
        drop(self.discarding.lock());
        let mut batch = self.batch.lock();
        batch.events = std::ptr::null();
        batch.len = 0;
        batch.taken_from
    }

    /// The batch is done.
    pub fn land(&self) {
        let mut batch = self.batch.lock();
        batch.events = std::ptr::null();
        batch.len = 0;
    }
}

impl Default for Flight {
    fn default() -> Self {
        Self::new()
    }
}
