//! The pending limit: never exceeded, and free of shared writes for most events.
//!
//! `granted` counts the events that recording threads were allowed to accept, `done` those that are dispatched or
//! discarded. `granted - done`, which is what is pending plus what is allowed but unused, never exceeds the limit.
//! A thread takes its allowance in portions (its *lease*) of at most 1 % of the limit; under a limit of 1,024 a
//! portion is one event, so that nothing is ever held back. Bytes are bounded in the same way.
//! A lease is one word (`room.rs`); how another thread takes it away is in `lease.rs`.

use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::fence;
use super::room::Room;
use super::segment::{WORD, payload_size};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Condvar, Mutex};

/// What happens to an event that finds the pending limit reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverflowPolicy {
    /// The call succeeds, the event is counted as dropped.
    Drop,
    /// The call fails with QUEUE_OVERFLOW.
    RaiseError,
    /// The call waits for room, up to a time-out.
    Block,
}

/// Under this limit portions are single events.
#[cfg(not(any(mvx_loom, mvx_shuttle)))]
const EXACT_BELOW: u64 = 1_024;
/// Which part of the limit a portion is.
#[cfg(not(any(mvx_loom, mvx_shuttle)))]
const PORTIONS: u64 = 100;

// A model checker needs small numbers: portions of two events from a limit of four.
#[cfg(any(mvx_loom, mvx_shuttle))]
const EXACT_BELOW: u64 = 4;
#[cfg(any(mvx_loom, mvx_shuttle))]
const PORTIONS: u64 = 2;

/// Which part of the limit of bytes a portion is.
const BYTE_PORTIONS: u64 = 100;
/// Under this limit of bytes portions are exactly what an event needs.
const EXACT_BYTES_BELOW: u64 = 1 << 20;
/// How long a thread that waits for room sleeps before it looks for itself: room that is not announced, as there is little
/// of it, is not to be missed. Doubled each time, up to the second.
const LOOK_AFTER: Duration = Duration::from_millis(1);
const LOOK_AFTER_MOST: Duration = Duration::from_millis(64);
/// Largest portion, in events.
const MAX_PORTION: u64 = 1 << 24;

/// What an event counts against the limit of bytes beside its payload.
pub const FLAT_RATE: u64 = 2 * WORD;

/// What an event counts against the limit of bytes: its payload in whole words, and a flat rate for the rest.
#[inline(always)]
pub fn cost(len: usize) -> u64 {
    payload_size(len as u64) + FLAT_RATE
}

struct Granted {
    events: Grant,
    bytes: Grant,
}

/// How much of something recording threads were allowed.
struct Grant {
    granted: AtomicU64,
    /// `done` when somebody looked last. It is on the line of the dispatcher, which is dear to look at.
    done_seen: AtomicU64,
}

impl Grant {
    fn new() -> Self {
        Self {
            granted: AtomicU64::new(0),
            done_seen: AtomicU64::new(0),
        }
    }

    /// Takes up to `want`, at least `least`, or nothing.
    fn take(&self, max: u64, done: impl Fn() -> u64, want: u64, least: u64) -> u64 {
        let mut seen = self.done_seen.load(Ordering::Acquire);
        loop {
            // After `seen`: it is never behind a `done` that was read before it.
            let granted = self.granted.load(Ordering::Acquire);
            let room = max.saturating_sub(granted - seen);
            if room < want {
                let now = done();
                if now != seen {
                    seen = now;
                    self.done_seen.store(now, Ordering::Release);
                    continue;
                }
                if room < least {
                    return 0;
                }
            }
            let take = want.min(room);
            if self
                .granted
                .compare_exchange_weak(granted, granted + take, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                return take;
            }
        }
    }

    fn give_back(&self, amount: u64) {
        if amount > 0 {
            self.granted.fetch_sub(amount, Ordering::AcqRel);
        }
    }

    fn granted(&self) -> u64 {
        self.granted.load(Ordering::Relaxed)
    }

    /// What is granted and not done, or more.
    fn last_seen(&self) -> u64 {
        let seen = self.done_seen.load(Ordering::Relaxed);
        self.granted().saturating_sub(seen)
    }
}

struct Done {
    dispatched: AtomicU64,
    dispatched_bytes: AtomicU64,
    discarded: AtomicU64,
    discarded_bytes: AtomicU64,
    pending_max: AtomicU64,
    /// Events dispatched since room was announced.
    unannounced: AtomicU64,
}

/// Threads that wait for room.
struct Waiting {
    waiters: AtomicU32,
    announced: Mutex<u64>,
    changed: Condvar,
}

/// The limit of one recorder.
pub struct Limit {
    max_events: u64,
    max_bytes: u64,
    portion: u64,
    /// Room for so many events is announced at once.
    announce_after: u64,
    granted: CachePadded<Granted>,
    done: CachePadded<Done>,
    /// `done` at the time at which the last search for unused leases found none.
    fruitless_at: AtomicU64,
    waiting: Waiting,
}

impl Limit {
    pub fn new(max_events: u64, max_bytes: u64) -> Self {
        Self {
            max_events,
            max_bytes,
            portion: if max_events < EXACT_BELOW {
                1
            } else {
                (max_events / PORTIONS).min(MAX_PORTION)
            },
            announce_after: if max_events < EXACT_BELOW {
                1
            } else {
                max_events / 2
            },
            granted: CachePadded::new(Granted {
                events: Grant::new(),
                bytes: Grant::new(),
            }),
            done: CachePadded::new(Done {
                dispatched: AtomicU64::new(0),
                dispatched_bytes: AtomicU64::new(0),
                discarded: AtomicU64::new(0),
                discarded_bytes: AtomicU64::new(0),
                pending_max: AtomicU64::new(0),
                unannounced: AtomicU64::new(0),
            }),
            fruitless_at: AtomicU64::new(u64::MAX),
            waiting: Waiting {
                waiters: AtomicU32::new(0),
                announced: Mutex::new(0),
                changed: Condvar::new(),
            },
        }
    }

    pub fn max_events(&self) -> u64 {
        self.max_events
    }

    /// Events dispatched, then discarded, so far.
    pub fn done_counts(&self) -> (u64, u64) {
        (
            self.done.dispatched.load(Ordering::Acquire),
            self.done.discarded.load(Ordering::Acquire),
        )
    }

    pub fn done(&self) -> u64 {
        let (dispatched, discarded) = self.done_counts();
        dispatched + discarded
    }

    pub fn done_bytes(&self) -> u64 {
        self.done.dispatched_bytes.load(Ordering::Acquire) + self.done.discarded_bytes.load(Ordering::Acquire)
    }

    /// A portion for a thread that holds too little room for an event of `cost` bytes; `None` at the limit.
    pub fn take_portion(&self, cost: u64, held: Room) -> Option<Room> {
        let events = if held.events() == 0 {
            match self
                .granted
                .events
                .take(self.max_events, || self.done(), self.portion, 1)
            {
                0 => return None,
                taken => taken,
            }
        } else {
            0
        };
        let exact = self.portion == 1 || self.max_bytes < EXACT_BYTES_BELOW;
        let want = if exact {
            cost
        } else {
            (self.max_bytes / BYTE_PORTIONS).min(Room::MOST * WORD).max(cost)
        };
        let lacking = cost.saturating_sub(held.bytes());
        // Down to whole words: the rest of an odd limit is nobody's.
        let want = want.saturating_sub(held.bytes()) & !(WORD - 1);
        let bytes = if lacking == 0 {
            0
        } else {
            self.granted
                .bytes
                .take(self.max_bytes & !(WORD - 1), || self.done_bytes(), want, lacking)
        };
        if bytes < lacking {
            // Not announced: nobody gained room by it.
            self.granted.events.give_back(events);
            return None;
        }
        Some(Room::new(events, bytes / WORD))
    }

    /// Whether there is no room left to be taken, nor any that other threads hold unused, as of the last search.
    #[inline]
    pub fn is_exhausted(&self) -> bool {
        // What was seen last tells enough as long as there is room.
        if self.granted.events.last_seen() < self.max_events {
            return false;
        }
        let done = self.done();
        self.granted.events.granted() - done >= self.max_events
            && self.fruitless_at.load(Ordering::Acquire) == done
    }

    /// Returns room that was taken and not used.
    pub fn give_back(&self, room: Room) {
        self.granted.events.give_back(room.events());
        self.granted.bytes.give_back(room.bytes());
        if room != Room::NONE {
            self.announce_room();
        }
    }

    /// Whether more than a quarter of the limit is taken: time to wake a dispatcher that dozes.
    pub fn is_filling(&self) -> bool {
        let done = self.done();
        let done_bytes = self.done_bytes();
        (self.granted.events.granted() - done) * 4 >= self.max_events
            || (self.granted.bytes.granted() - done_bytes) * 4 >= self.max_bytes
    }

    /// Whether looking for unused leases of other threads was in vain since the last event was done.
    pub fn search_is_fruitless(&self) -> bool {
        self.fruitless_at.load(Ordering::Acquire) == self.done()
    }

    /// Remembers that a search that began when `done` events were done found nothing.
    pub fn note_fruitless(&self, done: u64) {
        self.fruitless_at.store(done, Ordering::Release);
    }

    /// Events were handled by every metric. Dispatcher only.
    ///
    /// Where the limit is large, threads that wait for room are woken when half of it is free: woken for each event, they
    /// would fill that room, wait again, and the two sides would do little but wake each other.
    #[inline]
    pub fn dispatched(&self, events: u64, bytes: u64) {
        let total = self.done.dispatched_bytes.load(Ordering::Relaxed) + bytes;
        self.done.dispatched_bytes.store(total, Ordering::Release);
        let total = self.done.dispatched.load(Ordering::Relaxed) + events;
        self.done.dispatched.store(total, Ordering::Release);
        let unannounced = self.done.unannounced.load(Ordering::Relaxed) + events;
        if unannounced >= self.announce_after {
            self.done.unannounced.store(0, Ordering::Relaxed);
            self.announce_room();
        } else {
            self.done.unannounced.store(unannounced, Ordering::Relaxed);
        }
    }

    /// Events were discarded, by any thread.
    pub fn discarded(&self, events: u64, bytes: u64) {
        self.done.discarded_bytes.fetch_add(bytes, Ordering::AcqRel);
        self.done.discarded.fetch_add(events, Ordering::AcqRel);
        self.announce_room();
    }

    /// Keeps the highest number of pending events.
    pub fn note_pending(&self, pending: u64) {
        if pending > self.done.pending_max.load(Ordering::Relaxed) {
            self.done
                .pending_max
                .fetch_max(pending.min(self.max_events), Ordering::Relaxed);
        }
    }

    pub fn pending_max(&self) -> u64 {
        self.done.pending_max.load(Ordering::Relaxed)
    }

    /// Whether there is as much room as is announced.
    fn has_plenty(&self) -> bool {
        let done = self.done();
        self.max_events
            .saturating_sub(self.granted.events.granted() - done)
            >= self.announce_after
    }

    /// Wakes threads that wait for room, where there are any. Also called where the recorder stops accepting.
    #[inline]
    pub fn announce_room(&self) {
        fence::light();
        if self.waiting.waiters.load(Ordering::Relaxed) > 0 {
            *self.waiting.announced.lock() += 1;
            self.waiting.changed.notify_all();
        }
    }

    /// Waits until `ready` gives something, or until `timeout` is over. `ready` runs without a lock.
    pub fn wait_for_room<T>(&self, timeout: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
        let deadline = Instant::now().checked_add(timeout);
        self.waiting.waiters.fetch_add(1, Ordering::SeqCst);
        // Either the dispatcher sees a waiter after it has made room, or the room is seen below.
        fence::heavy();
        let mut look_after = LOOK_AFTER;
        let result = loop {
            let seen = *self.waiting.announced.lock();
            // At first no crumbs: they would be used up at once, and the thread be here again.
            let is_worth_it = look_after > LOOK_AFTER || self.has_plenty();
            if let Some(result) = is_worth_it.then(&mut ready).flatten() {
                break Some(result);
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                break None;
            }
            let look_at = now + look_after;
            let until = deadline.map_or(look_at, |deadline| deadline.min(look_at));
            let mut announced = self.waiting.announced.lock();
            let mut slept_enough = false;
            while *announced == seen && !slept_enough {
                slept_enough = self.waiting.changed.wait_until(&mut announced, until).timed_out();
            }
            look_after = (look_after * 2).min(LOOK_AFTER_MOST);
        };
        self.waiting.waiters.fetch_sub(1, Ordering::SeqCst);
        result
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn small_limits_are_taken_one_by_one_and_large_ones_in_hundredths() {
        let small = Limit::new(2, 1 << 24);
        assert_eq!(small.take_portion(24, Room::NONE), Some(Room::new(1, 3)));
        assert_eq!(small.take_portion(24, Room::NONE), Some(Room::new(1, 3)));
        assert_eq!(small.take_portion(24, Room::NONE), None);
        small.dispatched(1, 24);
        assert_eq!(small.take_portion(24, Room::NONE), Some(Room::new(1, 3)));

        let large = Limit::new(10_000, 1 << 24);
        assert_eq!(
            large.take_portion(32, Room::NONE),
            Some(Room::new(100, (1 << 24) / 100 / 8))
        );
        large.give_back(Room::new(100, (1 << 24) / 100 / 8));
        for _ in 0..100 {
            assert!(large.take_portion(32, Room::NONE).is_some());
        }
        assert_eq!(large.take_portion(32, Room::NONE), None);
    }

    #[test]
    fn bytes_bound_too_and_give_the_events_back() {
        let limit = Limit::new(10, 100);
        assert_eq!(limit.take_portion(48, Room::NONE), Some(Room::new(1, 6)));
        assert_eq!(limit.take_portion(48, Room::NONE), Some(Room::new(1, 6)));
        assert_eq!(limit.take_portion(48, Room::NONE), None);
        limit.discarded(2, 96);
        for _ in 0..2 {
            assert_eq!(limit.take_portion(48, Room::NONE), Some(Room::new(1, 6)));
        }
    }
}
