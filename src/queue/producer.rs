//! The recording side of the hand-off: one ring a thread and recorder, written by that thread only.

use std::cell::Cell;

use crossbeam_utils::CachePadded;

use super::fence;
use super::limit::{Limit, Packed, cost};
use super::segment::{Header, JUMP, PAD, SEQUENCED, Segment, TIMED, WORD, extra_size, record_size};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::relax;

/// Bytes of a ring's first segment. Each further one is four times as large: a ring that has to hold a burst of
/// thousands gets there in a few steps, and a thread that records once costs little.
#[cfg(not(any(mvx_loom, mvx_shuttle)))]
const FIRST_SEGMENT: u64 = 1 << 10;
#[cfg(any(mvx_loom, mvx_shuttle))]
const FIRST_SEGMENT: u64 = 1 << 6;
const GROWTH: u64 = 4;
const MAX_SEGMENT: u64 = 1 << 30;

/// No revocation under way that waits for the thread's answer.
const ANSWERED: u64 = 0;
/// A revocation is under way.
const ASKED: u64 = u64::MAX;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the ring.
    Accepted,
    /// The recorder does not accept events now.
    Closed,
    /// The pending limit is reached, and the thread may wait for room.
    Full,
    /// The pending limit is reached: counted as dropped.
    Dropped,
    /// The pending limit is reached: counted as refused.
    Refused,
    /// The thread is inside a call on this ring already: only a signal handler can do that.
    Nested,
}

/// Events of one type to be recorded, one after the other.
#[derive(Clone, Copy)]
pub struct Load {
    pub type_id: u32,
    pub payloads: *const u8,
    pub len: usize,
    pub count: usize,
    /// Whether each gets the time of its registration.
    pub timed: bool,
}

/// What only the recording thread writes.
struct Own {
    /// Odd while the thread is inside a call.
    calls: AtomicU64,
    /// The ring is written up to here.
    tail: AtomicU64,
    accepted: AtomicU64,
    accepted_bytes: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    // From here on nobody else reads.
    cursor: Cell<Packed>,
    segment: Cell<*mut Segment>,
    /// Free up to here, by the last look at `head`; leaves room for a JUMP.
    free_until: Cell<u64>,
}

/// What others write, and the thread reads.
struct Shared {
    /// Up to where the thread may accept: a [`Packed`].
    lease: AtomicU64,
    /// The thread's answer to a revocation: its cursor when it noticed.
    revoked_at: AtomicU64,
}

/// One thread's end of its ring into one recorder.
pub struct Producer {
    own: CachePadded<Own>,
    shared: CachePadded<Shared>,
    /// Read up to here: the reader's word.
    head: CachePadded<AtomicU64>,
    /// The thread has ended.
    gone: AtomicBool,
    /// Where reading begins.
    first: *mut Segment,
}

// SAFETY: the cells are used by the recording thread only; the rest is atomic.
unsafe impl Send for Producer {}
// SAFETY: as above.
unsafe impl Sync for Producer {}

/// Counts of one or of many producers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub accepted: u64,
    pub accepted_bytes: u64,
    pub dropped: u64,
    pub refused: u64,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.accepted += other.accepted;
        self.accepted_bytes += other.accepted_bytes;
        self.dropped += other.dropped;
        self.refused += other.refused;
    }
}

/// What a call needs to know of the recorder.
pub trait Inlet {
    /// Whether events are accepted now.
    fn is_open(&self) -> bool;
    /// The number that orders an event of this type among all, where that is needed.
    fn sequence(&self, type_id: u32) -> Option<u64>;
    /// The limit.
    fn limit(&self) -> &Limit;
    /// Called where a lease was used up: the dispatcher may have to be told that the queue fills.
    fn filling(&self);
    /// Tries to take unused leases from other threads than the one that asks; whether any room was won.
    fn reclaim(&self, asking: &Producer) -> bool;
    /// Nanoseconds since the Unix epoch.
    fn now(&self) -> u64;
}

impl Producer {
    pub fn new() -> Self {
        let first = Segment::allocate(FIRST_SEGMENT, 0);
        Self {
            own: CachePadded::new(Own {
                calls: AtomicU64::new(0),
                tail: AtomicU64::new(0),
                accepted: AtomicU64::new(0),
                accepted_bytes: AtomicU64::new(0),
                dropped: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                cursor: Cell::new(Packed::new(0, 0)),
                segment: Cell::new(first),
                free_until: Cell::new(FIRST_SEGMENT - WORD),
            }),
            shared: CachePadded::new(Shared {
                lease: AtomicU64::new(Packed::new(0, 0).0),
                revoked_at: AtomicU64::new(ANSWERED),
            }),
            head: CachePadded::new(AtomicU64::new(0)),
            gone: AtomicBool::new(false),
            first,
        }
    }

    /// The first segment, for the reader, which frees all of them.
    pub fn first(&self) -> *mut Segment {
        self.first
    }

    pub fn tail(&self) -> u64 {
        self.own.tail.load(Ordering::Acquire)
    }

    /// The reader is done with everything before `position`.
    pub fn set_head(&self, position: u64) {
        self.head.store(position, Ordering::Release);
    }

    pub fn counts(&self) -> Counts {
        Counts {
            accepted: self.own.accepted.load(Ordering::Acquire),
            accepted_bytes: self.own.accepted_bytes.load(Ordering::Acquire),
            dropped: self.own.dropped.load(Ordering::Acquire),
            refused: self.own.refused.load(Ordering::Acquire),
        }
    }

    pub fn count_dropped(&self, events: u64) {
        let dropped = self.own.dropped.load(Ordering::Relaxed);
        self.own.dropped.store(dropped + events, Ordering::Release);
    }

    pub fn count_refused(&self, events: u64) {
        let refused = self.own.refused.load(Ordering::Relaxed);
        self.own.refused.store(refused + events, Ordering::Release);
    }

    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// The thread ends: its lease goes back. Recording thread only.
    pub fn leave(&self, limit: &Limit) {
        let calls = self.enter();
        self.return_lease(limit);
        self.exit(calls);
        self.gone.store(true, Ordering::Release);
    }

    /// Marks the thread as inside a call; whoever fences heavily after closing the gate sees it, or is seen.
    #[inline(always)]
    fn enter(&self) -> u64 {
        let calls = self.own.calls.load(Ordering::Relaxed);
        self.own.calls.store(calls + 1, Ordering::Relaxed);
        fence::light();
        calls
    }

    #[inline(always)]
    fn exit(&self, calls: u64) {
        self.own.calls.store(calls + 2, Ordering::Release);
        fence::light();
    }

    /// Waits until the call that the thread may be inside of, if any, is over. To be called after a heavy fence.
    pub fn await_quiet(&self) {
        let seen = self.own.calls.load(Ordering::Acquire);
        if seen & 1 == 0 {
            return;
        }
        let mut round = 0;
        while self.own.calls.load(Ordering::Acquire) == seen {
            relax(round);
            round += 1;
        }
    }

    /// Records as many of `load` as there is room for; how many, and why not more. Recording thread only.
    ///
    /// # Safety
    /// `load.payloads` has `load.len * load.count` readable bytes, and `load.len` is at most 4,096.
    #[inline(always)]
    pub unsafe fn push(&self, inlet: &impl Inlet, load: Load) -> (usize, Verdict) {
        let own = &*self.own;
        if own.calls.load(Ordering::Relaxed) & 1 == 1 {
            return (0, Verdict::Nested);
        }
        let calls = self.enter();
        if !inlet.is_open() {
            self.exit(calls);
            return (0, Verdict::Closed);
        }
        let cost = cost(load.len);
        let mut cursor = own.cursor.get();
        let mut position = own.tail.load(Ordering::Relaxed);
        let mut done = 0;
        let mut verdict = Verdict::Accepted;
        while done < load.count {
            // Acquire: a lease that was granted after events were done comes with what their handlers did.
            let lease = Packed(self.shared.lease.load(Ordering::Acquire));
            if !lease.fits(cursor, cost / WORD) && !self.renew_lease(inlet, cursor, cost) {
                verdict = Verdict::Full;
                break;
            }
            let mut flags = if load.timed { TIMED } else { 0 };
            let sequence = inlet.sequence(load.type_id);
            if sequence.is_some() {
                flags |= SEQUENCED;
            }
            let header = Header {
                type_id: load.type_id,
                len: load.len as u16,
                flags,
            };
            // SAFETY: this thread writes the ring; `write_record` takes free positions only; the payload is readable.
            position = unsafe {
                let payload = load.payloads.wrapping_add(done * load.len);
                self.write_record(position, header, sequence, inlet, payload)
            };
            cursor = cursor.advance(1, cost / WORD);
            own.cursor.set(cursor);
            done += 1;
        }
        if done > 0 {
            // Counted before it can be dispatched, so that dispatched never runs ahead of accepted.
            let events = done as u64;
            let bytes = own.accepted_bytes.load(Ordering::Relaxed) + events * cost;
            own.accepted_bytes.store(bytes, Ordering::Release);
            own.accepted
                .store(own.accepted.load(Ordering::Relaxed) + events, Ordering::Release);
            own.tail.store(position, Ordering::Release);
        }
        self.exit(calls);
        (done, verdict)
    }

    /// Writes one record at `position`, and what must stand before it; the position after it.
    ///
    /// # Safety
    /// Recording thread, inside a call; `payload` has `header.len` readable bytes.
    #[inline(always)]
    unsafe fn write_record(
        &self,
        mut position: u64,
        header: Header,
        sequence: Option<u64>,
        inlet: &impl Inlet,
        payload: *const u8,
    ) -> u64 {
        let own = &*self.own;
        let size = record_size(u64::from(header.len), header.flags);
        // SAFETY: the reader frees a segment only after it has read the JUMP out of it; this is the last one.
        let mut segment = unsafe { &*own.segment.get() };
        let mut rest = segment.contiguous(position);
        let padding = if size > rest { rest } else { 0 };
        if position + padding + size > own.free_until.get() {
            // SAFETY: as for this function.
            let moved = unsafe { self.make_room(position, padding, size) };
            if moved != position {
                position = moved;
                // SAFETY: as above.
                segment = unsafe { &*own.segment.get() };
                rest = segment.contiguous(position);
            }
        }
        if size > rest {
            // SAFETY: `position .. position + rest` is free.
            unsafe {
                segment.write(
                    position,
                    Header {
                        type_id: rest as u32,
                        len: 0,
                        flags: PAD,
                    }
                    .pack(),
                )
            };
            position += rest;
        }
        // SAFETY: `position .. position + size` is free and contiguous.
        unsafe {
            segment.write(position, header.pack());
            let mut at = position + WORD;
            if let Some(sequence) = sequence {
                segment.write(at, sequence);
                at += WORD;
            }
            if header.flags & TIMED != 0 {
                segment.write(at, inlet.now());
            }
            let body = position + WORD + extra_size(header.flags);
            segment.write_payload(body, payload, usize::from(header.len));
        }
        position + size
    }

    /// Sees to it that a record of `size` fits after `padding`, or, in a new segment, without it; where the
    /// writing goes on.
    ///
    /// # Safety
    /// As [`Producer::write_record`].
    #[cold]
    unsafe fn make_room(&self, position: u64, padding: u64, size: u64) -> u64 {
        let own = &*self.own;
        let old = own.segment.get();
        // SAFETY: as in `write_record`.
        let segment = unsafe { &*old };
        let read = self.head.load(Ordering::Acquire).max(segment.base);
        own.free_until.set(read + segment.capacity() - WORD);
        if position + padding + size <= own.free_until.get() {
            return position;
        }
        let least = (size + 2 * WORD).next_power_of_two();
        let bytes = (segment.capacity() * GROWTH).min(MAX_SEGMENT).max(least);
        let base = position + WORD;
        let next = Segment::allocate(bytes, base);
        segment.next.store(next, Ordering::Release);
        // SAFETY: `free_until` always leaves this one word.
        unsafe {
            segment.write(
                position,
                Header {
                    type_id: 0,
                    len: 0,
                    flags: JUMP,
                }
                .pack(),
            )
        };
        own.segment.set(next);
        own.free_until.set(base + bytes - WORD);
        base
    }

    /// Gets a lease for at least one event of `cost`; false at the limit.
    #[cold]
    fn renew_lease(&self, inlet: &impl Inlet, cursor: Packed, cost: u64) -> bool {
        inlet.filling();
        loop {
            let lease = self.lease_or_answer(cursor);
            if lease.fits(cursor, cost / WORD) {
                return true;
            }
            let base = if lease == Packed::VOID { cursor } else { lease };
            let events_needed = base.events_after(cursor) <= 0;
            let Some((events, bytes)) = inlet.limit().take_portion(cost, events_needed) else {
                if inlet.reclaim(self) {
                    continue;
                }
                return false;
            };
            let renewed = base.advance(events, bytes / WORD);
            // Fails where a revocation comes, or is taken back, at this very moment.
            if self
                .shared
                .lease
                .compare_exchange(lease.0, renewed.0, Ordering::AcqRel, Ordering::Acquire)
                .is_err()
            {
                inlet.limit().give_back(events, bytes);
            }
        }
    }

    /// The lease, and where it was revoked, the answer how far it had been used.
    fn lease_or_answer(&self, cursor: Packed) -> Packed {
        let lease = Packed(self.shared.lease.load(Ordering::Acquire));
        if lease == Packed::VOID {
            let _ = self.shared.revoked_at.compare_exchange(
                ASKED,
                // Never ASKED or ANSWERED by accident: the top bit is free.
                cursor.0 | 1 << 63,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
        lease
    }

    /// Gives the unused lease back, by the recording thread itself.
    fn return_lease(&self, limit: &Limit) {
        let cursor = self.own.cursor.get();
        loop {
            let lease = self.lease_or_answer(cursor);
            if lease == Packed::VOID {
                // Whoever revoked it gives it back.
                return;
            }
            let void = cursor.0;
            if self
                .shared
                .lease
                .compare_exchange(lease.0, void, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                give_back_difference(limit, lease, cursor);
                return;
            }
        }
    }

    /// Takes the unused lease from a thread that is not inside a call; how many events it gave. By any other
    /// thread, one at a time a producer.
    ///
    /// The lease is voided first; after a heavy fence the thread is either seen outside of a call, and then cannot
    /// use the lease any more, or it is inside one, and the lease is put back. If it noticed in between, it has
    /// said in `revoked_at` how far it had used the old lease.
    pub fn revoke_lease(&self, limit: &Limit) -> u64 {
        let seen = Packed(self.shared.lease.load(Ordering::Acquire));
        if seen == Packed::VOID || seen.events_after(self.published_cursor()) <= 0 {
            return 0;
        }
        self.shared.revoked_at.store(ASKED, Ordering::Release);
        let old = Packed(self.shared.lease.swap(Packed::VOID.0, Ordering::AcqRel));
        fence::heavy();
        let used = loop {
            let answer = self.shared.revoked_at.load(Ordering::Acquire);
            if answer != ASKED {
                break Some(Packed(answer & !(1 << 63)));
            }
            let calls = self.own.calls.load(Ordering::Acquire);
            if calls & 1 == 0 {
                let cursor = self.published_cursor();
                // A heavy fence orders the two loads of `calls` around the reading of the counts.
                crate::sync::atomic::fence(Ordering::Acquire);
                if self.own.calls.load(Ordering::Acquire) == calls {
                    break Some(cursor);
                }
            } else if self
                .shared
                .lease
                .compare_exchange(Packed::VOID.0, old.0, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                break None;
            }
        };
        let given = used.map_or(0, |used| give_back_difference(limit, old, used));
        if used.is_some() {
            // From VOID to an empty lease, unless the thread has a new one by now.
            let empty = used.unwrap_or(old);
            let _ = self.shared.lease.compare_exchange(
                Packed::VOID.0,
                empty.0,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
        self.shared.revoked_at.store(ANSWERED, Ordering::Release);
        given
    }

    /// The cursor as the counts tell it, for other threads.
    fn published_cursor(&self) -> Packed {
        let bytes = self.own.accepted_bytes.load(Ordering::Acquire);
        Packed::new(self.own.accepted.load(Ordering::Acquire), bytes / WORD)
    }
}

/// Gives back what lies between `used` and `lease`; how many events.
fn give_back_difference(limit: &Limit, lease: Packed, used: Packed) -> u64 {
    let events = lease.events_after(used).max(0) as u64;
    let words = lease.words_after(used).max(0) as u64;
    limit.give_back(events, words * WORD);
    events
}

impl Default for Producer {
    fn default() -> Self {
        Self::new()
    }
}

/// Frees a chain of segments from `segment` on.
///
/// # Safety
/// Nobody uses them any more.
pub unsafe fn free_chain(mut segment: *mut Segment) {
    while !segment.is_null() {
        // SAFETY: the caller's promise.
        let next = unsafe { (*segment).next.load(Ordering::Acquire) };
        // SAFETY: the caller's promise.
        unsafe { Segment::free(segment) };
        segment = next;
    }
}
