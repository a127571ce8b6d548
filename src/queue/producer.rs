//! The recording side of the hand-off: one ring a thread and recorder, written by that thread only.

use std::cell::Cell;

use crossbeam_utils::CachePadded;

use super::fence;
use super::fetch::fetch_to_write;
use super::lease::Revocation;
use super::limit::{FLAT_RATE, Limit, cost};
use super::room::Room;
use super::segment::{
    Header, JUMP, PAD, SEQUENCED, Segment, TIMED, WORD, Word, extra_size, payload_size, record_size,
    words_after, write_payload, write_short_payload, write_word,
};
use super::shape::Shape;
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
/// How far ahead memory is fetched, in bytes: what a thread writes while one cache line comes from another core.
const AHEAD: usize = 512;

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

/// What became of an event that was tried the short way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    /// It is in the ring.
    Accepted,
    /// The gate does not stand so.
    OtherGate,
    /// The thread's room is used up.
    NoRoom,
    /// Something seldom is to be done first: [`Producer::push`] does it.
    TakeTheLongWay,
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

impl Load {
    /// What is left of it after the first `done` events.
    pub fn after(self, done: usize) -> Self {
        Self {
            payloads: self.payloads.wrapping_add(done * self.len),
            count: self.count - done,
            ..self
        }
    }
}

/// What only the recording thread writes, for each event: one cache line.
#[repr(C)]
struct Own {
    /// Odd while the thread is inside a call.
    calls: AtomicU64,
    /// What the thread may still accept: a [`Room`].
    room: AtomicU64,
    /// The ring is written up to here.
    tail: AtomicU64,
    accepted: AtomicU64,
    // From here on nobody else reads.
    /// Where `tail` is in memory.
    next: Cell<*const Word>,
    /// Free and contiguous up to here, by the last look at `head`; leaves room for a JUMP.
    end: Cell<*const Word>,
    segment: Cell<*mut Segment>,
}

/// What only the recording thread writes, seldom.
struct Seldom {
    /// Bytes in the ring that are neither header nor payload of an event.
    extra: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    /// The thread has ended.
    gone: AtomicBool,
    /// The number of the thread's last numbered event (`order.rs`).
    number: Cell<u64>,
}

/// One thread's end of its ring into one recorder.
pub struct Producer {
    own: CachePadded<Own>,
    seldom: Seldom,
    /// Where reading begins.
    first: *mut Segment,
    /// What others write of the thread's lease.
    revocation: CachePadded<Revocation>,
    /// Read up to here: the reader's word.
    head: CachePadded<AtomicU64>,
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

/// Whether events are accepted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// All, and their order among threads does not matter.
    Open,
    /// All; those of some types get a number ([`Inlet::number`]).
    OpenNumbering,
    /// None.
    Closed,
}

/// What a call needs to know of the recorder.
pub trait Inlet {
    /// Whether the gate stands so, at a glance: one load. Also false where only [`Inlet::gate`] can tell.
    fn stands(&self, so: Gate) -> bool;
    /// Whether events are accepted now.
    fn gate(&self) -> Gate;
    /// The number that orders an event of this type among all, where that is needed. `last` is the number that the
    /// thread got last.
    fn number(&self, type_id: u32, last: &Cell<u64>) -> Option<u64>;
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
        // SAFETY: just made.
        let (next, end) = unsafe { ((*first).word(0), (*first).word_after(0, FIRST_SEGMENT - WORD)) };
        Self {
            own: CachePadded::new(Own {
                calls: AtomicU64::new(0),
                room: AtomicU64::new(Room::NONE.bits()),
                tail: AtomicU64::new(0),
                accepted: AtomicU64::new(0),
                next: Cell::new(next),
                end: Cell::new(end),
                segment: Cell::new(first),
            }),
            seldom: Seldom {
                extra: AtomicU64::new(0),
                dropped: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                gone: AtomicBool::new(false),
                number: Cell::new(0),
            },
            first,
            revocation: CachePadded::default(),
            head: CachePadded::new(AtomicU64::new(0)),
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
        let extra = self.seldom.extra.load(Ordering::Acquire);
        let accepted = self.own.accepted.load(Ordering::Acquire);
        let tail = self.tail();
        Counts {
            accepted,
            // A record is its header and its payload, and what is extra.
            accepted_bytes: (tail + accepted * FLAT_RATE).saturating_sub(extra + accepted * WORD),
            dropped: self.seldom.dropped.load(Ordering::Acquire),
            refused: self.seldom.refused.load(Ordering::Acquire),
        }
    }

    pub fn count_dropped(&self, events: u64) {
        add(&self.seldom.dropped, events);
    }

    pub fn count_refused(&self, events: u64) {
        add(&self.seldom.refused, events);
    }

    pub fn is_gone(&self) -> bool {
        self.seldom.gone.load(Ordering::Acquire)
    }

    /// The thread ends: its lease goes back. Recording thread only.
    pub fn leave(&self, limit: &Limit) {
        self.enter();
        fence::light();
        self.revocation.answer(&self.own.room);
        limit.give_back(self.room());
        self.set_room(Room::NONE);
        self.exit();
        fence::light();
        self.seldom.gone.store(true, Ordering::Release);
    }

    fn room(&self) -> Room {
        Room::from_bits(self.own.room.load(Ordering::Relaxed))
    }

    fn set_room(&self, room: Room) {
        self.own.room.store(room.bits(), Ordering::Relaxed);
    }

    /// Marks the thread as inside a call. With a fence after it, whoever fences heavily after closing the gate sees it,
    /// or is seen.
    #[inline(always)]
    fn enter(&self) {
        let calls = self.own.calls.load(Ordering::Relaxed);
        self.own.calls.store(calls + 1, Ordering::Relaxed);
    }

    /// With a fence after it, whoever fences heavily after falling asleep is seen, or sees what was recorded.
    #[inline(always)]
    fn exit(&self) {
        add(&self.own.calls, 1);
    }

    #[inline(always)]
    fn is_inside(&self) -> bool {
        self.own.calls.load(Ordering::Relaxed) & 1 == 1
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

    /// Records one event where nothing seldom stands in the way; this is what most events take, and every instruction
    /// in it counts. `NUMBERING` is for recorders where the order of some types matters, the other for all others.
    /// Recording thread only.
    ///
    /// # Safety
    /// `payload` has `len` readable bytes, as many as `shape` says.
    #[inline(always)]
    pub unsafe fn push_one<const NUMBERING: bool>(
        &self,
        inlet: &impl Inlet,
        shape: &Shape,
        payload: *const u8,
        len: usize,
    ) -> Short {
        let own = &*self.own;
        let calls = own.calls.load(Ordering::Relaxed);
        if calls & 1 == 1 {
            return Short::TakeTheLongWay;
        }
        own.calls.store(calls + 1, Ordering::Relaxed);
        fence::cheap();
        let gate = if NUMBERING {
            Gate::OpenNumbering
        } else {
            Gate::Open
        };
        if !inlet.stands(gate) {
            self.exit();
            return Short::OtherGate;
        }
        if !self.revocation.is_none() {
            self.exit();
            return Short::TakeTheLongWay;
        }
        let Some(left) = self.room().without(shape.need) else {
            self.exit();
            return Short::NoRoom;
        };
        let number = if NUMBERING {
            inlet.number(shape.type_id(), &self.seldom.number)
        } else {
            None
        };
        let size = shape.size + if number.is_some() { WORD } else { 0 };
        let next = own.next.get();
        let after = words_after(next, size);
        if after > own.end.get() {
            self.exit();
            return Short::TakeTheLongWay;
        }
        fetch_to_write::<AHEAD, _>(next);
        // SAFETY: `next .. end` is free and contiguous, and this thread's to write; the payload is readable.
        unsafe {
            let mut body = next.wrapping_add(1);
            if let Some(number) = number {
                write_word(next, shape.header | Header::flags(SEQUENCED));
                write_word(body, number);
                body = body.wrapping_add(1);
                add(&self.seldom.extra, WORD);
            } else {
                write_word(next, shape.header);
            }
            write_short_payload(body, payload, len);
        }
        self.set_room(left);
        own.next.set(after);
        // Counted before it can be dispatched, so that dispatched never runs ahead of accepted.
        add(&own.accepted, 1);
        add(&own.tail, size);
        self.exit();
        fence::cheap();
        Short::Accepted
    }

    /// Records as many of `load` as there is room for; how many, and why not more. Recording thread only.
    ///
    /// # Safety
    /// `load.payloads` has `load.len * load.count` readable bytes, and `load.len` is at most 4,096.
    pub unsafe fn push(&self, inlet: &impl Inlet, load: Load) -> (usize, Verdict) {
        let own = &*self.own;
        if self.is_inside() {
            return (0, Verdict::Nested);
        }
        self.enter();
        fence::light();
        let gate = inlet.gate();
        if gate == Gate::Closed {
            self.exit();
            return (0, Verdict::Closed);
        }
        // One number serves the whole call: its events stand in one ring.
        let number = match gate {
            Gate::OpenNumbering => inlet.number(load.type_id, &self.seldom.number),
            _ => None,
        };
        let mut flags = if load.timed { TIMED } else { 0 };
        if number.is_some() {
            flags |= SEQUENCED;
        }
        let header = Header {
            type_id: load.type_id,
            len: load.len as u16,
            flags,
        };
        let cost = cost(load.len);
        let size = record_size(load.len as u64, flags);
        let mut position = own.tail.load(Ordering::Relaxed);
        let mut done = 0;
        let mut verdict = Verdict::Accepted;
        while done < load.count {
            if !self.revocation.is_none() {
                self.revocation.answer(&own.room);
            }
            let room = self.room();
            let mut run = room.fits(cost / WORD).min((load.count - done) as u64);
            if run == 0 {
                if self.renew_lease(inlet, cost) {
                    continue;
                }
                verdict = Verdict::Full;
                break;
            }
            let free = words_between(own.next.get(), own.end.get());
            if free < size / WORD {
                // SAFETY: `position` is where the ring is written up to.
                position = unsafe { self.make_space(position, size) };
                continue;
            }
            if run > 1 {
                run = run.min(free / (size / WORD));
            }
            for at in done..done + run as usize {
                let payload = load.payloads.wrapping_add(at * load.len);
                // SAFETY: there is space for `run` records; the payload is readable.
                unsafe { self.write_record(header, number, inlet, payload) };
            }
            position += run * size;
            done += run as usize;
            let taken = Room::new(run, run * (cost / WORD));
            self.set_room(room.without(taken).unwrap_or(Room::NONE));
        }
        if done > 0 {
            let events = done as u64;
            add(&self.seldom.extra, events * extra_size(flags));
            add(&own.accepted, events);
        }
        own.tail.store(position, Ordering::Release);
        self.exit();
        fence::light();
        (done, verdict)
    }

    /// Writes one record where the ring goes on.
    ///
    /// # Safety
    /// Recording thread, inside a call; there is space for the record; `payload` has `header.len` readable bytes.
    #[inline(always)]
    unsafe fn write_record(
        &self,
        header: Header,
        number: Option<u64>,
        inlet: &impl Inlet,
        payload: *const u8,
    ) {
        let next = self.own.next.get();
        let len = usize::from(header.len);
        let extra = (extra_size(header.flags) / WORD) as usize;
        let body = next.wrapping_add(1 + extra);
        // SAFETY: the caller's promise.
        unsafe {
            write_word(next, header.pack());
            if let Some(number) = number {
                write_word(next.wrapping_add(1), number);
            }
            if header.flags & TIMED != 0 {
                write_word(next.wrapping_add(extra), inlet.now());
            }
            write_payload(body, payload, len);
        }
        self.own
            .next
            .set(body.wrapping_add((payload_size(len as u64) / WORD) as usize));
    }

    /// Sees to it that a record of `size` bytes fits where the ring goes on: behind what the reader gave back, from the
    /// beginning of the segment's memory, or in a new, larger segment. Where that is.
    ///
    /// # Safety
    /// Recording thread, inside a call; `position` is where the ring is written up to.
    #[cold]
    unsafe fn make_space(&self, position: u64, size: u64) -> u64 {
        let own = &*self.own;
        // SAFETY: the reader frees a segment only after it has read the JUMP out of it; this is the last one.
        let segment = unsafe { &*own.segment.get() };
        let read = self.head.load(Ordering::Acquire).max(segment.base);
        let free_until = read + segment.capacity() - WORD;
        let contiguous = segment.contiguous(position);
        let goes_on_in = |segment: &Segment, position: u64, free_until: u64| {
            let free = segment.contiguous(position).min(free_until - position);
            own.next.set(segment.word(position));
            own.end.set(segment.word_after(position, free));
            position
        };
        if size <= contiguous && position + size <= free_until {
            return goes_on_in(segment, position, free_until);
        }
        if size > contiguous && position + contiguous + size <= free_until {
            let pad = Header {
                type_id: contiguous as u32,
                len: 0,
                flags: PAD,
            };
            // SAFETY: `position .. position + contiguous` is free.
            unsafe { write_word(segment.word(position), pad.pack()) };
            add(&self.seldom.extra, contiguous);
            return goes_on_in(segment, position + contiguous, free_until);
        }
        let least = (size + 2 * WORD).next_power_of_two();
        let bytes = (segment.capacity() * GROWTH).min(MAX_SEGMENT).max(least);
        let base = position + WORD;
        let added = Segment::allocate(bytes, base);
        segment.next.store(added, Ordering::Release);
        let jump = Header {
            type_id: 0,
            len: 0,
            flags: JUMP,
        };
        // SAFETY: `end` always leaves this one word free.
        unsafe { write_word(segment.word(position), jump.pack()) };
        add(&self.seldom.extra, WORD);
        own.segment.set(added);
        // SAFETY: just made.
        goes_on_in(unsafe { &*added }, base, base + bytes - WORD)
    }

    /// Gets a lease for at least one event of `cost`; false at the limit.
    #[cold]
    fn renew_lease(&self, inlet: &impl Inlet, cost: u64) -> bool {
        inlet.filling();
        loop {
            if !self.revocation.is_none() {
                self.revocation.answer(&self.own.room);
            }
            let held = self.room();
            if held.fits(cost / WORD) > 0 {
                return true;
            }
            match inlet.limit().take_portion(cost, held) {
                Some(portion) => self.set_room(held.with(portion)),
                None if inlet.reclaim(self) => {}
                None => return false,
            }
        }
    }

    /// Takes the unused lease from a thread that is not inside a call; how many events it gave. By any other thread,
    /// one at a time a producer.
    pub fn revoke_lease(&self, limit: &Limit) -> u64 {
        self.revocation.take(&self.own.room, &self.own.calls, limit)
    }
}

/// Adds to a count that only the calling thread writes.
#[inline(always)]
fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed) + more, Ordering::Release);
}

/// Words from `from` up to `to`, in the same memory.
#[inline(always)]
fn words_between(from: *const Word, to: *const Word) -> u64 {
    (to as usize - from as usize) as u64 / size_of::<Word>() as u64
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
