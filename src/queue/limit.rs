//! The pending limit: never exceeded, and free of shared writes for most events.
//!
//! `granted` counts the events that recording threads were allowed to accept, `done` those that are dispatched or
//! discarded. `granted - done`, which is what is pending plus what is allowed but unused, never exceeds the limit.
//! A thread takes its allowance in portions (its *lease*) of at most 1 % of the limit; under a limit of 1,024 a
//! portion is one event, so that nothing is ever held back. Bytes are bounded in the same way.
//! A lease is one word, so that another thread can revoke it: see `producer.rs`.

use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::fence;
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

/// Under this limit of bytes portions are exactly what an event needs.
const EXACT_BYTES_BELOW: u64 = 1 << 20;
/// Largest portion, so that differences of packed counts keep their sign.
const MAX_PORTION: u64 = 1 << 24;

/// What an event counts against the limit of bytes: its payload in whole words, and a flat rate for the rest.
#[inline(always)]
pub fn cost(len: usize) -> u64 {
    payload_size(len as u64) + 2 * WORD
}

/// Counts of events and of words of cost, modulo 2^32 and 2^31, in one word: up to where a thread may accept (a
/// lease), or how far it has come (a cursor). The top bit is free for [`Packed::VOID`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed(pub u64);

impl Packed {
    /// No lease: somebody took it away.
    pub const VOID: Packed = Packed(u64::MAX);
    const WORDS: u64 = (1 << 31) - 1;

    #[inline(always)]
    pub fn new(events: u64, words: u64) -> Self {
        Self((events & 0xFFFF_FFFF) | (words & Self::WORDS) << 32)
    }

    #[inline(always)]
    pub fn advance(self, events: u64, words: u64) -> Self {
        Self::new(self.0.wrapping_add(events), (self.0 >> 32).wrapping_add(words))
    }

    /// Events from `cursor` up to this lease.
    #[inline(always)]
    pub fn events_after(self, cursor: Packed) -> i64 {
        i64::from((self.0 as u32).wrapping_sub(cursor.0 as u32) as i32)
    }

    /// Words from `cursor` up to this lease.
    #[inline(always)]
    pub fn words_after(self, cursor: Packed) -> i64 {
        let difference = (self.0 >> 32).wrapping_sub(cursor.0 >> 32) & Self::WORDS;
        // Sign-extend 31 bits.
        ((difference << 33) as i64) >> 33
    }

    /// Whether an event of `words` fits between `cursor` and this lease.
    #[inline(always)]
    pub fn fits(self, cursor: Packed, words: u64) -> bool {
        self != Self::VOID && self.events_after(cursor) > 0 && self.words_after(cursor) >= words as i64
    }
}

struct Granted {
    events: AtomicU64,
    bytes: AtomicU64,
}

struct Done {
    dispatched: AtomicU64,
    dispatched_bytes: AtomicU64,
    discarded: AtomicU64,
    discarded_bytes: AtomicU64,
    pending_max: AtomicU64,
}

/// Threads that wait for room.
struct Room {
    waiters: AtomicU32,
    announced: Mutex<u64>,
    changed: Condvar,
}

/// The limit of one recorder.
pub struct Limit {
    max_events: u64,
    max_bytes: u64,
    portion: u64,
    granted: CachePadded<Granted>,
    done: CachePadded<Done>,
    /// `done` at the time at which the last search for unused leases found none.
    fruitless_at: AtomicU64,
    room: Room,
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
            granted: CachePadded::new(Granted {
                events: AtomicU64::new(0),
                bytes: AtomicU64::new(0),
            }),
            done: CachePadded::new(Done {
                dispatched: AtomicU64::new(0),
                dispatched_bytes: AtomicU64::new(0),
                discarded: AtomicU64::new(0),
                discarded_bytes: AtomicU64::new(0),
                pending_max: AtomicU64::new(0),
            }),
            fruitless_at: AtomicU64::new(u64::MAX),
            room: Room {
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

    /// Takes room from `counter`: up to `want`, at least `least`, or nothing.
    fn take(counter: &AtomicU64, max: u64, done: impl Fn() -> u64, want: u64, least: u64) -> u64 {
        loop {
            // In this order: `granted` is never behind a `done` that was read before it.
            let done = done();
            let granted = counter.load(Ordering::Acquire);
            let room = max.saturating_sub(granted - done);
            if room < least {
                return 0;
            }
            let take = want.min(room);
            if counter
                .compare_exchange_weak(granted, granted + take, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                return take;
            }
        }
    }

    /// A portion for a thread whose next event costs `cost` bytes: events and bytes, or `None` at the limit.
    /// `events_needed` is false where the thread's lease lacks only bytes.
    pub fn take_portion(&self, cost: u64, events_needed: bool) -> Option<(u64, u64)> {
        let events = if events_needed {
            match Self::take(
                &self.granted.events,
                self.max_events,
                || self.done(),
                self.portion,
                1,
            ) {
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
            (self.portion * cost).min(self.max_bytes / 100) & !(WORD - 1)
        };
        let bytes = Self::take(
            &self.granted.bytes,
            self.max_bytes,
            || self.done_bytes(),
            want.max(cost),
            cost,
        );
        if bytes == 0 {
            // Not announced: nobody gained room by it.
            self.granted.events.fetch_sub(events, Ordering::AcqRel);
            return None;
        }
        let whole = bytes & !(WORD - 1);
        self.granted.bytes.fetch_sub(bytes - whole, Ordering::AcqRel);
        Some((events, whole))
    }

    /// Returns room that was taken and not used.
    pub fn give_back(&self, events: u64, bytes: u64) {
        if events > 0 {
            self.granted.events.fetch_sub(events, Ordering::AcqRel);
        }
        if bytes > 0 {
            self.granted.bytes.fetch_sub(bytes, Ordering::AcqRel);
        }
        if events + bytes > 0 {
            self.announce_room();
        }
    }

    /// Whether more than a quarter of the limit is taken: time to wake a dispatcher that dozes.
    pub fn is_filling(&self) -> bool {
        let done = self.done();
        let done_bytes = self.done_bytes();
        (self.granted.events.load(Ordering::Relaxed) - done) * 4 >= self.max_events
            || (self.granted.bytes.load(Ordering::Relaxed) - done_bytes) * 4 >= self.max_bytes
    }

    /// Whether looking for unused leases of other threads was in vain since the last event was done.
    pub fn search_is_fruitless(&self) -> bool {
        self.fruitless_at.load(Ordering::Acquire) == self.done()
    }

    /// Remembers that a search that began when `done` events were done found nothing.
    pub fn note_fruitless(&self, done: u64) {
        self.fruitless_at.store(done, Ordering::Release);
    }

    /// One event more was handled by every metric. Dispatcher only.
    #[inline]
    pub fn dispatched(&self, events: u64, bytes: u64) {
        let total = self.done.dispatched_bytes.load(Ordering::Relaxed) + bytes;
        self.done.dispatched_bytes.store(total, Ordering::Release);
        let total = self.done.dispatched.load(Ordering::Relaxed) + events;
        self.done.dispatched.store(total, Ordering::Release);
        self.announce_room();
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

    /// Wakes threads that wait for room, where there are any. Also called where the recorder stops accepting.
    #[inline]
    pub fn announce_room(&self) {
        fence::light();
        if self.room.waiters.load(Ordering::Relaxed) > 0 {
            *self.room.announced.lock() += 1;
            self.room.changed.notify_all();
        }
    }

    /// Waits until `ready` gives something, or until `timeout` is over. `ready` runs without a lock.
    pub fn wait_for_room<T>(&self, timeout: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
        let deadline = Instant::now().checked_add(timeout);
        self.room.waiters.fetch_add(1, Ordering::SeqCst);
        // Either the dispatcher sees a waiter after it has made room, or the room is seen below.
        fence::heavy();
        let result = loop {
            let seen = *self.room.announced.lock();
            if let Some(result) = ready() {
                break Some(result);
            }
            let mut announced = self.room.announced.lock();
            let mut timed_out = false;
            while *announced == seen && !timed_out {
                match deadline {
                    Some(deadline) => {
                        timed_out = self.room.changed.wait_until(&mut announced, deadline).timed_out();
                    }
                    None => self.room.changed.wait(&mut announced),
                }
            }
            drop(announced);
            if timed_out {
                break ready();
            }
        };
        self.room.waiters.fetch_sub(1, Ordering::SeqCst);
        result
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn packed_counts_wrap_without_losing_their_difference() {
        let cursor = Packed::new(u64::from(u32::MAX), (1 << 31) - 1);
        let lease = cursor.advance(100, 400);
        assert_eq!(lease.events_after(cursor), 100);
        assert_eq!(lease.words_after(cursor), 400);
        assert!(lease.fits(cursor, 400));
        assert!(!lease.fits(cursor, 401));
        assert!(!lease.fits(lease, 0));
        assert_eq!(cursor.events_after(lease), -100);
        assert!(!Packed::VOID.fits(cursor, 0));
    }

    #[test]
    fn small_limits_are_taken_one_by_one_and_large_ones_in_hundredths() {
        let small = Limit::new(2, 1 << 24);
        assert_eq!(small.take_portion(24, true), Some((1, 24)));
        assert_eq!(small.take_portion(24, true), Some((1, 24)));
        assert_eq!(small.take_portion(24, true), None);
        small.dispatched(1, 24);
        assert_eq!(small.take_portion(24, true), Some((1, 24)));

        let large = Limit::new(10_000, 1 << 24);
        assert_eq!(large.take_portion(32, true), Some((100, 3_200)));
        large.give_back(100, 3_200);
        for _ in 0..100 {
            assert!(large.take_portion(32, true).is_some());
        }
        assert_eq!(large.take_portion(32, true), None);
    }

    #[test]
    fn bytes_bound_too_and_give_the_events_back() {
        let limit = Limit::new(10, 100);
        assert_eq!(limit.take_portion(48, true), Some((1, 48)));
        assert_eq!(limit.take_portion(48, true), Some((1, 48)));
        assert_eq!(limit.take_portion(48, true), None);
        limit.discarded(2, 96);
        for _ in 0..2 {
            assert_eq!(limit.take_portion(48, true), Some((1, 48)));
        }
    }
}
