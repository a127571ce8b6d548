//! The recording side of the hand-off: one ring a thread and recorder, written by that thread only.

use std::cell::Cell;

use crossbeam_utils::CachePadded;

use super::alert::{Alert, AlertWord};
use super::fence;
use super::fetch::fetch_to_write;
use super::lease::Revocation;
use super::limit::{FLAT_RATE, Limit, cost};
use super::order::Sequence;
use super::own_word::fetch_add_within_thread;
use super::room::Room;
use super::segment::{
    Header, JUMP, PAD, SEQUENCED, Segment, TIMED, WORD, Word, extra_size, record_size, words_after,
    words_before, write_payload, write_short_payload, write_word,
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
    /// The thread's room is used up.
    NoRoom,
    /// Something seldom is to be done first: [`Producer::push`] does it.
    TakeTheLongWay,
}

/// A call the short way that was begun, or a call inside of a call, which finds no space.
#[must_use]
pub struct Inside {
    /// What the tail was.
    tail: u64,
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

/// What an event needs of its producer: one cache line. All but `alert` is written by the recording thread only.
#[repr(C)]
struct Own {
    /// The ring is written up to here; with [`INSIDE`] while the thread is inside a call.
    tail: AtomicU64,
    /// What the thread has to see to before it goes on.
    alert: AlertWord,
    /// What the thread may still accept: a [`Room`].
    room: AtomicU64,
    accepted: AtomicU64,
    // From here on nobody else reads.
    /// Free and contiguous up to here, by the last look at `head`; leaves room for a JUMP.
    end: Cell<u64>,
    /// Where position 0 would be in memory, if the ring had gone on like this from the beginning.
    origin: Cell<*const Word>,
    segment: Cell<*mut Segment>,
}

/// What [`Own::tail`] has more for each call that the thread is inside of: more than one where a signal handler interrupted a
/// call. No ring is that long, so a call inside of a call finds no space, and need not ask what it is.
const INSIDE: u64 = 1 << 60;

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
    /// Where the numbers of its events come from; it lives as long as the thread records here.
    sequence: *const Sequence,
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

/// What a call the long way needs to know of the recorder.
pub trait Inlet {
    /// Whether events are accepted now.
    fn accepts(&self) -> bool;
    /// Whether order among threads matters for events of this type.
    fn is_numbered(&self, type_id: u32) -> bool;
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
    /// A ring without events. `sequence` must live as long as somebody records by it.
    pub fn new(sequence: *const Sequence) -> Self {
        let first = Segment::allocate(FIRST_SEGMENT, 0);
        // SAFETY: just made.
        let origin = unsafe { (*first).word(0) };
        Self {
            own: CachePadded::new(Own {
                tail: AtomicU64::new(0),
                // The first call looks around.
                alert: AlertWord::new(Alert::CHANGED),
                room: AtomicU64::new(Room::NONE.bits()),
                accepted: AtomicU64::new(0),
                end: Cell::new(FIRST_SEGMENT - WORD),
                origin: Cell::new(origin),
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
            sequence,
            revocation: CachePadded::default(),
            head: CachePadded::new(AtomicU64::new(0)),
        }
    }

    /// The first segment, for the reader, which frees all of them.
    pub fn first(&self) -> *mut Segment {
        self.first
    }

    pub fn tail(&self) -> u64 {
        self.own.tail.load(Ordering::Acquire) % INSIDE
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
        let tail = self.enter();
        fence::light();
        self.revocation.answer(&self.own.room);
        limit.give_back(self.room());
        self.set_room(Room::NONE);
        self.exit(tail);
        fence::light();
        self.seldom.gone.store(true, Ordering::Release);
    }

    fn room(&self) -> Room {
        Room::from_bits(self.own.room.load(Ordering::Relaxed))
    }

    fn set_room(&self, room: Room) {
        self.own.room.store(room.bits(), Ordering::Relaxed);
    }

    /// Marks the thread as inside a call; where the ring is written up to. With a fence after it, whoever fences heavily
    /// after raising the alert sees it, or is seen.
    #[inline(always)]
    fn enter(&self) -> u64 {
        fetch_add_within_thread(&self.own.tail, INSIDE)
    }

    /// With a fence after it, whoever fences heavily after falling asleep is seen, or sees what was recorded.
    #[inline(always)]
    fn exit(&self, tail: u64) {
        self.own.tail.store(tail, Ordering::Release);
    }

    /// Whether the thread is inside a call. Told by others, it is true only for a moment.
    #[inline(always)]
    pub fn is_inside(&self) -> bool {
        self.own.tail.load(Ordering::Acquire) >= INSIDE
    }

    /// Waits until the call that the thread may be inside of, if any, is over. To be called after a heavy fence.
    pub fn await_quiet(&self) {
        let seen = self.own.tail.load(Ordering::Acquire);
        if seen < INSIDE {
            return;
        }
        // A call that records nothing leaves the tail as it was, and the next may look like it: but it saw the alert.
        let mut round = 0;
        while self.own.tail.load(Ordering::Acquire) == seen {
            relax(round);
            round += 1;
        }
    }

    /// Has the thread look around ([`Producer::attend`]) before it records again the short way: the recorder's state, the
    /// set of numbered types, a handle, or the thread's lease has changed, or the dispatcher sleeps. Whoever must know
    /// that the thread sees it, or is seen inside a call, fences heavily after this.
    pub fn raise_alert(&self, why: Alert) {
        self.own.alert.raise(why);
    }

    /// For who looks at it often.
    pub fn alert(&self) -> &AlertWord {
        &self.own.alert
    }

    /// Whether there is something of `what` to look at.
    #[inline(always)]
    pub fn is_alert(&self, what: Alert) -> bool {
        self.own.alert.has(what)
    }

    /// Answers the alert: `look` is told why it was raised, sees everything that was changed before, and says whether the
    /// thread has to look again next time. Recording thread only.
    ///
    /// Inside a call, so that a signal handler does not record by what is about to be forgotten.
    #[cold]
    pub fn attend(&self, look: impl FnOnce(Alert) -> bool) {
        if self.is_inside() {
            return;
        }
        let tail = self.enter();
        fence::light();
        let why = self.own.alert.take();
        if look(why) || !self.revocation.is_none() {
            self.raise_alert(Alert::CHANGED);
        }
        self.exit(tail);
    }

    /// Runs `learn` inside a call, unless the thread is inside of one or has to look around: what it reads is not
    /// outdated, and what it remembers is forgotten in time. Recording thread only.
    pub fn learn<T>(&self, learn: impl FnOnce() -> T) -> Option<T> {
        if self.is_inside() {
            return None;
        }
        let tail = self.enter();
        fence::light();
        let learned = (!self.is_alert(Alert::ANY)).then(learn);
        self.exit(tail);
        learned
    }

    /// Begins a call the short way, to be ended by [`Producer::push_one`] or [`Producer::leave_short`]; `None` where
    /// something of `heed` is to be seen to first. Recording thread only.
    #[inline(always)]
    pub fn enter_short(&self, heed: Alert) -> Option<Inside> {
        let tail = self.enter();
        fence::cheap();
        if self.is_alert(heed) {
            self.exit(tail);
            return None;
        }
        Some(Inside { tail })
    }

    /// Ends a call that recorded nothing.
    #[inline(always)]
    pub fn leave_short(&self, inside: Inside) {
        self.exit(inside.tail);
    }

    /// Whether this is a call inside of a call.
    pub fn is_nested(inside: &Inside) -> bool {
        inside.tail >= INSIDE
    }

    /// Records one event where nothing seldom stands in the way; this is what most events take, and every instruction
    /// in it counts. `NUMBERED` is for shapes with a number. Recording thread only.
    ///
    /// # Safety
    /// `payload` has `len` readable bytes, as many as `shape` says, which was learned by [`Producer::learn`].
    #[inline(always)]
    pub unsafe fn push_one<const NUMBERED: bool>(
        &self,
        inside: Inside,
        shape: &Shape,
        payload: *const u8,
        len: usize,
    ) -> Short {
        let own = &*self.own;
        let Inside { tail } = inside;
        let Some(left) = self.room().without(shape.need) else {
            self.exit(tail);
            return Short::NoRoom;
        };
        let after = tail.wrapping_add(shape.size);
        if after > own.end.get() {
            self.exit(tail);
            return Short::TakeTheLongWay;
        }
        let next = words_after(own.origin.get(), tail);
        fetch_to_write::<AHEAD, _>(next);
        // SAFETY: `tail .. end` is free and contiguous, and this thread's to write; the payload is readable.
        unsafe {
            write_word(next, shape.header);
            let mut body = next.wrapping_add(1);
            if NUMBERED {
                write_word(body, self.next_number());
                body = body.wrapping_add(1);
                add(&self.seldom.extra, WORD);
            }
            write_short_payload(body, payload, len);
        }
        self.set_room(left);
        // Counted before it can be dispatched, so that dispatched never runs ahead of accepted.
        add(&own.accepted, 1);
        self.exit(after);
        fence::cheap();
        Short::Accepted
    }

    /// Records as many of `count` events, which lie one after the other, as there is room and space for without further ado;
    /// how many. Otherwise as [`Producer::push_one`].
    ///
    /// # Safety
    /// `payloads` has `count * len` readable bytes, and `shape`, which was learned by [`Producer::learn`], is of such events.
    #[inline(always)]
    pub unsafe fn push_run<const NUMBERED: bool>(
        &self,
        inside: Inside,
        shape: &Shape,
        payloads: *const u8,
        len: usize,
        count: usize,
    ) -> usize {
        let own = &*self.own;
        let Inside { tail } = inside;
        let room = self.room();
        let need = shape.need.words();
        let run = room
            .fits(need)
            .min(own.end.get().saturating_sub(tail) / shape.size)
            .min(count as u64);
        if run == 0 || Self::is_nested(&inside) {
            self.exit(tail);
            return 0;
        }
        let number = if NUMBERED { self.next_number() } else { 0 };
        let next = words_after(own.origin.get(), tail);
        let write_all = |len: usize| {
            for at in 0..run as usize {
                let record = words_after(next, at as u64 * shape.size);
                fetch_to_write::<AHEAD, _>(record);
                let mut body = record.wrapping_add(1);
                // SAFETY: there is space for `run` records, and as many payloads are readable.
                unsafe {
                    write_word(record, shape.header);
                    if NUMBERED {
                        write_word(body, number);
                        body = body.wrapping_add(1);
                    }
                    write_short_payload(body, payloads.wrapping_add(at * len), len);
                }
            }
        };
        // With a length that the compiler knows, a payload is copied without asking how long it is.
        match len {
            8 => write_all(8),
            16 => write_all(16),
            24 => write_all(24),
            32 => write_all(32),
            _ => write_all(len),
        }
        if NUMBERED {
            add(&self.seldom.extra, run * WORD);
        }
        self.set_room(room.without(Room::new(run, run * need)).unwrap_or(Room::NONE));
        add(&own.accepted, run);
        self.exit(tail + run * shape.size);
        fence::cheap();
        run as usize
    }

    #[inline(always)]
    fn next_number(&self) -> u64 {
        // SAFETY: as `new` was promised.
        unsafe { (*self.sequence).next(&self.seldom.number) }
    }

    /// Whether there is room for an event of `cost`.
    #[inline(always)]
    pub fn has_room(&self, cost: u64) -> bool {
        self.room().fits(cost / WORD) > 0
    }

    /// Takes a new portion of room where the last one is used up, without looking for room that other threads hold;
    /// whether there is room for an event of `cost` now. Recording thread only, inside a call.
    pub fn renew_short(&self, inlet: &impl Inlet, cost: u64) -> bool {
        inlet.filling();
        let held = self.room();
        let portion = inlet.limit().take_portion(cost, held);
        if let Some(portion) = portion {
            self.set_room(held.with(portion));
        }
        portion.is_some()
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
        let mut position = self.enter();
        fence::light();
        if !inlet.accepts() {
            self.exit(position);
            return (0, Verdict::Closed);
        }
        // One number serves the whole call: its events stand in one ring.
        let number = inlet.is_numbered(load.type_id).then(|| self.next_number());
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
            let free = own.end.get().saturating_sub(position);
            if free < size {
                // SAFETY: `position` is where the ring is written up to.
                position = unsafe { self.make_space(position, size) };
                continue;
            }
            if run > 1 {
                run = run.min(free / size);
            }
            for at in done..done + run as usize {
                let payload = load.payloads.wrapping_add(at * load.len);
                // SAFETY: there is space for `run` records; the payload is readable.
                unsafe { self.write_record(position, header, number, inlet, payload) };
                position += size;
            }
            done += run as usize;
            let taken = Room::new(run, run * (cost / WORD));
            self.set_room(room.without(taken).unwrap_or(Room::NONE));
        }
        if done > 0 {
            let events = done as u64;
            add(&self.seldom.extra, events * extra_size(flags));
            add(&own.accepted, events);
        }
        self.exit(position);
        fence::light();
        (done, verdict)
    }

    /// Writes one record at `position`.
    ///
    /// # Safety
    /// Recording thread, inside a call; there is space for the record; `payload` has `header.len` readable bytes.
    #[inline(always)]
    unsafe fn write_record(
        &self,
        position: u64,
        header: Header,
        number: Option<u64>,
        inlet: &impl Inlet,
        payload: *const u8,
    ) {
        let next = words_after(self.own.origin.get(), position);
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
            own.origin.set(words_before(segment.word(position), position));
            own.end.set(position + free);
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
        own.origin.set(words_before(unsafe { (*added).word(base) }, base));
        own.end.set(base + bytes - WORD);
        base
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
        self.revocation.take(&self.own.room, self, limit)
    }
}

/// Adds to a count that only the calling thread writes.
#[inline(always)]
fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed) + more, Ordering::Release);
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
