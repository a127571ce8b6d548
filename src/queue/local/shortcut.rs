//! The short way of recording: what a thread learned of the events that it recorded last, by handle, event type and
//! length, so that the next one like it is a few instructions.
//!
//! Nothing that is learned is checked again by the event: not the handle, the recorder's state, or whether order matters.
//! Whoever changes one of these raises the alert of the threads concerned, which then forget it (`Producer::attend`).
//!
//! A signal handler may record too, and learn, between any two instructions. So a shortcut to the ring is read inside of a
//! call, where handlers leave it alone; one that folds, which is no call, is read between two looks at its version, which
//! grows when another is put in its place.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

use super::super::fold::{Miss, Tally};
use super::super::producer::{Inside, Producer, Short, Verdict};
use super::super::shape::Shape;
use super::{hold, memory, pointer, recent};
use crate::metrics::EventHub;

/// How many are remembered.
const SHORTCUTS: usize = 16;

/// How events of a shape are recorded, as a bit above all event types.
mod way {
    /// With a number that orders them among all threads' events.
    pub const NUMBERED: u32 = 1 << 31;
    /// Folded by key; without this bit, what is folded is all alike.
    pub const BY_KEY: u32 = 1 << 30;
    /// All of them.
    pub const ALL: u32 = NUMBERED | BY_KEY;
}

/// See the module. One cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Shortcut {
    /// The handle.
    key: u64,
    /// Bytes of payload.
    len: usize,
    leads: Leads,
    /// Also of events that are folded: they travel where their key has no cell.
    shape: Shape,
    towards: Towards,
    /// The event type, and a [`way`]; 0, which is no event type, where nothing is remembered.
    tag: u32,
    /// How often a shortcut was put here.
    version: u32,
}

/// By which producer, with the lowest bit set where events are folded.
#[derive(Clone, Copy)]
struct Leads(*const Producer);

/// Where else events go.
#[derive(Clone, Copy)]
union Towards {
    /// Of events that travel.
    hub: *const EventHub,
    /// Of those that are folded.
    tally: *const Tally,
}

const NONE: Shortcut = Shortcut {
    key: 0,
    len: 0,
    leads: Leads::nowhere(),
    shape: Shape::NONE,
    towards: Towards { tally: ptr::null() },
    tag: 0,
    version: 0,
};

impl Leads {
    /// Looks like one that folds, whose key is no handle.
    const fn nowhere() -> Self {
        Self(ptr::without_provenance(1))
    }

    fn new(producer: &Producer, folds: bool) -> Self {
        Self(ptr::from_ref(producer).wrapping_byte_add(usize::from(folds)))
    }

    #[inline(always)]
    fn folds(self) -> bool {
        self.0.addr() & 1 != 0
    }

    /// The producer, where that is known to be there: an entry of `RINGS` keeps it alive, and who takes that out forgets
    /// the shortcut first.
    #[inline(always)]
    fn producer(self) -> *const Producer {
        self.0.wrapping_byte_sub(usize::from(self.folds()))
    }
}

/// See the module.
pub struct Shortcuts([Cell<Shortcut>; SHORTCUTS]);

impl Shortcuts {
    pub const fn new() -> Self {
        Self([const { Cell::new(NONE) }; SHORTCUTS])
    }

    /// Handles and event types are consecutive numbers in their lowest bits: those that a thread uses together rarely meet.
    #[inline(always)]
    fn place(&self, key: u64, type_id: u32) -> &Cell<Shortcut> {
        &self.0[(type_id.wrapping_add((key as u32) << 2)) as usize % SHORTCUTS]
    }

    /// Forgets what leads to `producer`.
    pub fn forget(&self, producer: *const Producer) {
        for place in &self.0 {
            if ptr::eq(place.get().leads.producer(), producer) {
                clear(place);
            }
        }
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.0.iter().for_each(clear);
    }
}

/// Puts a shortcut in the place of another, inside a call on its producer. A signal handler that comes in between finds
/// none, as no handle is 0; as soon as the place leads to that producer, the handler leaves it alone ([`learn`]), and what
/// it put there before is overwritten as a whole.
fn put(place: &Cell<Shortcut>, shortcut: Shortcut) {
    let at = place.as_ptr();
    // SAFETY: it is this thread's, and nobody refers to it now.
    unsafe {
        (&raw mut (*at).key).write_volatile(0);
        renew(at);
        (&raw mut (*at).leads).write_volatile(shortcut.leads);
        (&raw mut (*at).len).write_volatile(shortcut.len);
        (&raw mut (*at).shape).write_volatile(shortcut.shape);
        (&raw mut (*at).towards).write_volatile(shortcut.towards);
        (&raw mut (*at).tag).write_volatile(shortcut.tag);
        (&raw mut (*at).key).write_volatile(shortcut.key);
    }
}

/// Whoever reads the shortcut now, below a signal handler, is to notice.
unsafe fn renew(at: *mut Shortcut) {
    // SAFETY: as in `put`.
    unsafe {
        let version = &raw mut (*at).version;
        version.write_volatile(version.read_volatile().wrapping_add(1));
    }
}

/// Empties a place. What a signal handler puts there meanwhile is lost with it: the key is the last to go.
fn clear(place: &Cell<Shortcut>) {
    let at = place.as_ptr();
    // SAFETY: as in `put`. Nobody follows where it leads whose event is not of its type.
    unsafe {
        renew(at);
        (&raw mut (*at).tag).write_volatile(NONE.tag);
        (&raw mut (*at).leads).write_volatile(NONE.leads);
        (&raw mut (*at).key).write_volatile(NONE.key);
    }
}

/// The shortcut that is remembered for such events, or for others.
#[inline(always)]
fn find(key: u64, type_id: u32) -> Option<*const Shortcut> {
    let memory = pointer::get_at_once()?;
    // SAFETY: this thread's own memory.
    Some(unsafe { (*memory).shortcuts.place(key, type_id).as_ptr() })
}

impl Shortcut {
    /// Begins a call by a shortcut that [`push_one`] gave, where it still is of such events.
    #[inline(always)]
    fn enter_again(&self, key: u64, type_id: u32, len: usize) -> Option<(&Producer, Inside)> {
        let leads = self.leads;
        if leads.0 == Leads::nowhere().0 {
            return None;
        }
        // SAFETY: it leads somewhere.
        let producer = unsafe { &*leads.producer() };
        let inside = producer.enter_short()?;
        let is_it = self.key == key && self.len == len && self.tag & !way::ALL == type_id;
        if !is_it || !ptr::eq(leads.0, self.leads.0) || Producer::is_nested(&inside) {
            producer.leave_short(inside);
            return None;
        }
        Some((producer, inside))
    }

    /// Where events travel to. Inside a call.
    #[inline(always)]
    fn hub(&self) -> Option<&EventHub> {
        // SAFETY: an entry of `RINGS` keeps it alive, as in `Leads::producer`.
        (!self.leads.folds()).then(|| unsafe { &*self.towards.hub })
    }

    /// What events are folded into. Inside a call.
    #[inline(always)]
    fn tally(&self) -> Option<&Tally> {
        // SAFETY: as above.
        self.leads.folds().then(|| unsafe { &*self.towards.tally })
    }
}

/// An event that was tried the shortest way.
pub enum Shortest<'a> {
    /// It is in the ring.
    Accepted,
    /// The thread's room is used up: [`refuse_at_once`] and [`push_one_with_new_room`] go on.
    NoRoom(&'a Shortcut),
    /// It may be folded: [`fold_one`] goes on.
    Folds(&'a Shortcut),
    /// None like it is remembered, or something seldom is to be done first.
    Unknown,
}

/// Records one event the shortest way, where this thread recorded one like it before.
///
/// # Safety
/// `payload` has `len` readable bytes, or is null.
#[inline(always)]
pub unsafe fn push_one<'a>(key: u64, type_id: u32, payload: *const u8, len: usize) -> Shortest<'a> {
    let Some(found) = find(key, type_id) else {
        return Shortest::Unknown;
    };
    // SAFETY: it lives until the thread ends; it is read with care, see the module.
    let found = unsafe { &*found };
    let leads = found.leads;
    if leads.folds() {
        return Shortest::Folds(found);
    }
    // SAFETY: it does not fold, so it leads somewhere.
    let producer = unsafe { &*leads.0 };
    let Some(inside) = producer.enter_short() else {
        return Shortest::Unknown;
    };
    // It may have led elsewhere, to another recorder, before the call began.
    let is_it = found.key == key && ptr::eq(found.leads.0, leads.0);
    if !is_it || found.len != len || payload.is_null() {
        producer.leave_short(inside);
        return Shortest::Unknown;
    }
    let went = if found.tag == type_id {
        // SAFETY: the caller's promise.
        unsafe { producer.push_one::<false>(inside, &found.shape, payload, len) }
    } else if found.tag == type_id | way::NUMBERED {
        // SAFETY: as above.
        unsafe { producer.push_one::<true>(inside, &found.shape, payload, len) }
    } else {
        producer.leave_short(inside);
        return Shortest::Unknown;
    };
    match went {
        Short::Accepted => Shortest::Accepted,
        Short::NoRoom => Shortest::NoRoom(found),
        Short::TakeTheLongWay => Shortest::Unknown,
    }
}

/// What became of an event that may be folded.
pub enum Folded<'a> {
    /// It was.
    Yes,
    /// It is folded by key: [`fold_by_key`] goes on.
    ByKey(&'a Tally),
    /// It is not remembered, or something seldom is to be done first.
    Unknown,
}

/// Goes on with an event for which [`push_one`] found that it may be folded.
///
/// # Safety
/// `payload` has `len` readable bytes, or is null.
#[inline(always)]
pub unsafe fn fold_one<'a>(
    found: &Shortcut,
    key: u64,
    type_id: u32,
    payload: *const u8,
    len: usize,
) -> Folded<'a> {
    // SAFETY: all may be read. What is volatile stays in this order.
    unsafe {
        let before = (&raw const found.version).read_volatile();
        let leads = (&raw const found.leads).read_volatile();
        let tally = (&raw const found.towards.tally).read_volatile();
        let tag = (&raw const found.tag).read_volatile();
        if (&raw const found.key).read_volatile() != key || payload.is_null() || found.len != len {
            return Folded::Unknown;
        }
        if (&raw const found.version).read_volatile() != before {
            return Folded::Unknown;
        }
        // Key and tag are those of one shortcut: where it folds, it leads to a producer that lives as long as the tally.
        let alike = tag == type_id;
        if !alike && tag != type_id | way::BY_KEY {
            return Folded::Unknown;
        }
        if !leads.folds() {
            return Folded::Unknown;
        }
        if (*leads.0.wrapping_byte_sub(1)).is_alert() {
            return Folded::Unknown;
        }
        if !alike {
            return Folded::ByKey(&*tally);
        }
        (*tally).add_all(1);
    }
    Folded::Yes
}

/// Goes on with an event for which [`fold_one`] found that it is folded by key; whether its key has a cell. If not,
/// [`push_one_without_cell`] goes on.
///
/// # Safety
/// `payload` is that of the event.
#[inline(always)]
pub unsafe fn fold_by_key(tally: &Tally, payload: *const u8) -> bool {
    // SAFETY: a payload that was learned of has the bytes that its type asks for.
    unsafe { tally.add_one(payload) }
}

/// Folds one event that came the long way, if such events are all alike; whether it did. One that has a key may be the
/// first, whose cell is there already, and is to travel.
///
/// # Safety
/// As [`fold_one`].
pub unsafe fn fold_if_alike(key: u64, type_id: u32, payload: *const u8, len: usize) -> bool {
    let Some(found) = find(key, type_id) else {
        return false;
    };
    // SAFETY: as in `push_one`.
    let found = unsafe { &*found };
    // SAFETY: the caller's promise.
    found.leads.folds()
        && matches!(
            unsafe { fold_one(found, key, type_id, payload, len) },
            Folded::Yes
        )
}

/// Goes on with an event that would be folded by key, if that had a cell: gives it one, if there is room, and has this
/// event travel, where that is soon done; whether it did.
///
/// # Safety
/// `payload` has `len` readable bytes.
pub unsafe fn push_one_without_cell(
    found: &Shortcut,
    key: u64,
    type_id: u32,
    payload: *const u8,
    len: usize,
) -> bool {
    let Some((producer, inside)) = found.enter_again(key, type_id, len) else {
        return false;
    };
    let Some(tally) = found.tally() else {
        producer.leave_short(inside);
        return false;
    };
    // SAFETY: a payload that was learned of has the bytes that its type asks for.
    let miss = unsafe { tally.miss(payload) };
    match miss {
        Miss::Added | Miss::Full => {
            // SAFETY: the caller's promise.
            let went = unsafe { producer.push_one::<false>(inside, &found.shape, payload, len) };
            return went == Short::Accepted;
        }
        Miss::Grow | Miss::GiveUp => producer.leave_short(inside),
    }
    learn_way(key, type_id, len, (miss == Miss::Grow).then_some(tally));
    false
}

/// Refuses an event for which [`push_one`] found no room, where it is known that there is none.
#[inline(always)]
pub fn refuse_at_once(found: &Shortcut, key: u64, type_id: u32, len: usize) -> Option<Verdict> {
    let (producer, inside) = found.enter_again(key, type_id, len)?;
    let refused = found.hub().and_then(|hub| hub.refuse_at_once(producer));
    producer.leave_short(inside);
    refused
}

/// Records an event for which [`push_one`] found no room, after taking some, where that is soon done; whether it did.
///
/// # Safety
/// `payload` has `len` readable bytes.
#[inline(always)]
pub unsafe fn push_one_with_new_room(
    found: &Shortcut,
    key: u64,
    type_id: u32,
    payload: *const u8,
    len: usize,
) -> bool {
    let Some((producer, inside)) = found.enter_again(key, type_id, len) else {
        return false;
    };
    if !found.hub().is_some_and(|hub| hub.has_room(producer, len)) {
        producer.leave_short(inside);
        return false;
    }
    let went = match found.tag & way::NUMBERED {
        // SAFETY: the caller's promise.
        0 => unsafe { producer.push_one::<false>(inside, &found.shape, payload, len) },
        // SAFETY: as above.
        _ => unsafe { producer.push_one::<true>(inside, &found.shape, payload, len) },
    };
    went == Short::Accepted
}

/// Records as many of `count` events, which lie one after the other, as go the short way; how many.
///
/// # Safety
/// `payloads` has `count * len` readable bytes, or is null.
#[inline(always)]
pub unsafe fn push_many(key: u64, type_id: u32, payloads: *const u8, len: usize, count: usize) -> usize {
    let Some(found) = find(key, type_id) else {
        return 0;
    };
    // SAFETY: as in `push_one`.
    let found = unsafe { &*found };
    let mut done = 0;
    // Each round uses up a portion of room, or a stretch of the ring, or has one event travel among many that are folded.
    while done < count {
        let Some((producer, inside)) = found.enter_again(key, type_id, len) else {
            return done;
        };
        let rest = payloads.wrapping_add(done * len);
        if payloads.is_null() {
            producer.leave_short(inside);
            return done;
        }
        let run = if let Some(tally) = found.tally() {
            // SAFETY: the caller's promise; payloads that were learned of have the bytes that their type asks for.
            let folded = unsafe { tally.add_many(rest, len, count - done) };
            producer.leave_short(inside);
            let next = rest.wrapping_add(folded * len);
            let travels = done + folded < count
                // SAFETY: as above.
                && unsafe { push_one_without_cell(found, key, type_id, next, len) };
            folded + usize::from(travels)
        } else if !found.hub().is_some_and(|hub| hub.has_room(producer, len)) {
            producer.leave_short(inside);
            0
        } else if found.tag & way::NUMBERED == 0 {
            // SAFETY: as above.
            unsafe { producer.push_run::<false>(inside, &found.shape, rest, len, count - done) }
        } else {
            // SAFETY: as above.
            unsafe { producer.push_run::<true>(inside, &found.shape, rest, len, count - done) }
        };
        if run == 0 {
            return done;
        }
        done += run;
    }
    done
}

/// Learns of events of this type and length, where that is to be done; whether [`push_one`] may find them now. The event
/// type is declared, its events carry no time, and may have so few bytes. It waits for no lock and does not panic.
#[inline(always)]
pub fn learn(key: u64, type_id: u32, len: usize) -> bool {
    learn_way(key, type_id, len, None)
}

/// Learns how such events go; where they are folded, into a tally larger than `larger_than`.
fn learn_way(key: u64, type_id: u32, len: usize, larger_than: Option<&Tally>) -> bool {
    let memory = memory();
    let Some(recent) = recent(memory, key) else {
        return false;
    };
    // SAFETY: as in `with_ring`.
    let (hub, producer) = unsafe { (&*recent.hub, &*recent.producer) };
    let place = memory.shortcuts.place(key, type_id);
    let leads = place.get().leads;
    // A signal handler that interrupted a call by this very shortcut, which may have been about another recorder.
    // SAFETY: it leads somewhere.
    if leads.0 != Leads::nowhere().0 && unsafe { (*leads.producer()).is_inside() } {
        return false;
    }
    // Before anything is asked that an alert may be about.
    if producer.is_alert() {
        return false;
    }
    let Ok(tally) = hub.tally(producer, type_id, larger_than) else {
        return false;
    };
    // From here on the thread keeps it alive.
    if let Some((tally, _)) = &tally
        && !hold(producer, tally)
    {
        return false;
    }
    let learned = producer.learn(|| {
        let numbered = tally.is_none() && hub.is_numbered(type_id);
        // What is folded may be of any length.
        let shape = Shape::new(type_id, len, numbered).or(tally.is_some().then_some(Shape::NONE))?;
        let (way, towards) = match &tally {
            Some((_, generation)) if *generation != hub.generation() => return None,
            Some((tally, _)) => {
                let way = if tally.is_of_one_kind() { 0 } else { way::BY_KEY };
                let tally = Arc::as_ptr(tally);
                (way, Towards { tally })
            }
            None if numbered => (way::NUMBERED, Towards { hub }),
            None => (0, Towards { hub }),
        };
        let shortcut = Shortcut {
            key,
            len,
            leads: Leads::new(producer, tally.is_some()),
            shape,
            towards,
            tag: type_id | way,
            version: 0,
        };
        put(place, shortcut);
        Some(())
    });
    learned.flatten().is_some()
}
