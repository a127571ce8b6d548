//! The short way of recording: what a thread learned of the events that it recorded last, by handle, event type and
//! length, so that the next one like it is a few instructions.
//!
//! Nothing that is learned is checked again by the event: not the handle, the recorder's state, or whether order matters.
//! Whoever changes one of these raises the alert of the threads concerned, which then forget it (`Producer::attend`).
//!
//! A signal handler may record too, and learn, between any two instructions. So a shortcut is read inside of a call, where
//! handlers leave it alone; where events are folded, which is no call, the funnel is read instead that it leads to.

use std::cell::Cell;
use std::ptr;

use super::super::alert::Alert;
use super::super::fold::{Miss, Tally};
use super::super::producer::{Inside, Producer, Short, Verdict};
use super::super::shape::Shape;
use super::funnel::{Fits, Funnel, NOWHERE};
use super::{funnel, memory, pointer, recent};
use crate::metrics::EventHub;

/// How many are remembered.
const SHORTCUTS: usize = 16;

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
    /// Of events that travel: where to.
    hub: *const EventHub,
    /// The event type; 0, which is none, where nothing is remembered.
    type_id: u32,
    /// Of events that travel: with a number that orders them among all threads' events.
    numbered: bool,
}

/// To a producer, or, with the lowest bit set, to a funnel.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Leads(*const u8);

const NONE: Shortcut = Shortcut {
    key: 0,
    len: 0,
    leads: Leads::to_funnel(NOWHERE.get()),
    shape: Shape::NONE,
    hub: ptr::null(),
    type_id: 0,
    numbered: false,
};

impl Leads {
    const fn to_funnel(funnel: *const Funnel) -> Self {
        Self(funnel.cast::<u8>().wrapping_add(1))
    }

    const fn to_ring(producer: *const Producer) -> Self {
        Self(producer.cast())
    }

    /// Where events are folded.
    #[inline(always)]
    fn funnel(self) -> Option<*const Funnel> {
        (self.0.addr() & 1 != 0).then(|| self.0.wrapping_sub(1).cast())
    }

    /// The producer of the events; null where it leads nowhere. It is known to be there: an entry of `RINGS` keeps it and
    /// its funnels alive, and who takes that out forgets the shortcut first.
    #[inline(always)]
    fn producer(self) -> *const Producer {
        match self.funnel() {
            // SAFETY: as above.
            Some(funnel) => unsafe { (*funnel).producer() },
            None => self.0.cast(),
        }
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
        (&raw mut (*at).leads).write_volatile(shortcut.leads);
        (&raw mut (*at).len).write_volatile(shortcut.len);
        (&raw mut (*at).shape).write_volatile(shortcut.shape);
        (&raw mut (*at).hub).write_volatile(shortcut.hub);
        (&raw mut (*at).type_id).write_volatile(shortcut.type_id);
        (&raw mut (*at).numbered).write_volatile(shortcut.numbered);
        (&raw mut (*at).key).write_volatile(shortcut.key);
    }
}

/// Empties a place. What a signal handler puts there meanwhile is lost with it: the key is the last to go.
fn clear(place: &Cell<Shortcut>) {
    let at = place.as_ptr();
    // SAFETY: as in `put`. Nobody follows where it leads whose event is not of its type.
    unsafe {
        (&raw mut (*at).type_id).write_volatile(NONE.type_id);
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
    /// Begins a call by a shortcut that [`push_one`] gave, where it still is of such events, and nothing is to be seen to
    /// first. `travels` says that an event is to go to the ring even if the shortcut is of such that are folded.
    #[inline(always)]
    fn enter_again(&self, key: u64, type_id: u32, len: usize, travels: bool) -> Option<(&Producer, Inside)> {
        let leads = self.leads;
        // What is folded needs no dispatcher.
        let heed = if travels || leads.funnel().is_none() {
            Alert::ANY
        } else {
            Alert::CHANGED
        };
        // SAFETY: it is there, or null.
        let producer = unsafe { leads.producer().as_ref() }?;
        let inside = producer.enter_short(heed)?;
        let is_it = self.key == key && self.len == len && self.type_id == type_id;
        if !is_it || leads != self.leads || Producer::is_nested(&inside) {
            producer.leave_short(inside);
            return None;
        }
        Some((producer, inside))
    }

    /// Where events travel to. Inside a call.
    #[inline(always)]
    fn hub(&self) -> Option<&EventHub> {
        // SAFETY: an entry of `RINGS` keeps it alive, as in `Leads::producer`.
        self.tally().is_none().then(|| unsafe { &*self.hub })
    }

    /// What events are folded into. Inside a call.
    #[inline(always)]
    fn tally(&self) -> Option<&Tally> {
        // SAFETY: as above.
        self.leads.funnel().map(|funnel| unsafe { (*funnel).tally() })
    }
}

/// An event that was tried the shortest way.
pub enum Shortest<'a> {
    /// It is in the ring.
    Accepted,
    /// The thread's room is used up: [`refuse_at_once`] and [`push_one_with_new_room`] go on.
    NoRoom(&'a Shortcut),
    /// It was folded.
    Folded,
    /// It is to be folded by key: [`fold_by_key`] goes on.
    ByKey(&'a Tally),
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
    if let Some(funnel) = leads.funnel() {
        // SAFETY: it lives as long as the ring.
        let funnel = unsafe { &*funnel };
        if payload.is_null() {
            return Shortest::Unknown;
        }
        return match funnel.fits(key, type_id, len) {
            Fits::Alike => {
                funnel.tally().add_all(1);
                Shortest::Folded
            }
            Fits::ByKey => Shortest::ByKey(funnel.tally()),
            Fits::No => Shortest::Unknown,
        };
    }
    // SAFETY: as above.
    let producer = unsafe { &*leads.0.cast::<Producer>() };
    let Some(inside) = producer.enter_short(Alert::ANY) else {
        return Shortest::Unknown;
    };
    // It may have led elsewhere, to another recorder, before the call began.
    let is_it = found.key == key && found.leads == leads;
    if !is_it || found.type_id != type_id || found.len != len || payload.is_null() {
        producer.leave_short(inside);
        return Shortest::Unknown;
    }
    let went = if found.numbered {
        // SAFETY: the caller's promise.
        unsafe { producer.push_one::<true>(inside, &found.shape, payload, len) }
    } else {
        // SAFETY: as above.
        unsafe { producer.push_one::<false>(inside, &found.shape, payload, len) }
    };
    match went {
        Short::Accepted => Shortest::Accepted,
        Short::NoRoom => Shortest::NoRoom(found),
        Short::TakeTheLongWay => Shortest::Unknown,
    }
}

/// Goes on with an event for which [`push_one`] found that it is folded by key; whether its key has a cell. If not,
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
/// As [`push_one`].
pub unsafe fn fold_if_alike(key: u64, type_id: u32, payload: *const u8, len: usize) -> bool {
    let folds = find(key, type_id).is_some_and(|found| {
        // SAFETY: as in `push_one`.
        unsafe { (*found).leads.funnel().is_some() }
    });
    // SAFETY: the caller's promise.
    folds && matches!(unsafe { push_one(key, type_id, payload, len) }, Shortest::Folded)
}

/// Goes on with an event that would be folded by key, if that had a cell: gives it one, if there is room, and has this
/// event travel, where that is soon done; whether it did.
///
/// # Safety
/// `payload` has `len` readable bytes.
pub unsafe fn push_one_without_cell(key: u64, type_id: u32, payload: *const u8, len: usize) -> bool {
    let Some(found) = find(key, type_id) else {
        return false;
    };
    // SAFETY: as in `push_one`.
    let found = unsafe { &*found };
    let Some((producer, inside)) = found.enter_again(key, type_id, len, true) else {
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
    let (producer, inside) = found.enter_again(key, type_id, len, true)?;
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
    let Some((producer, inside)) = found.enter_again(key, type_id, len, true) else {
        return false;
    };
    if !found.hub().is_some_and(|hub| hub.has_room(producer, len)) {
        producer.leave_short(inside);
        return false;
    }
    let went = if found.numbered {
        // SAFETY: the caller's promise.
        unsafe { producer.push_one::<true>(inside, &found.shape, payload, len) }
    } else {
        // SAFETY: as above.
        unsafe { producer.push_one::<false>(inside, &found.shape, payload, len) }
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
        let Some((producer, inside)) = found.enter_again(key, type_id, len, false) else {
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
                && unsafe { push_one_without_cell(key, type_id, next, len) };
            folded + usize::from(travels)
        } else if !found.hub().is_some_and(|hub| hub.has_room(producer, len)) {
            producer.leave_short(inside);
            0
        } else if !found.numbered {
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
    // A signal handler that interrupted a call by this very shortcut, which may have been about another recorder.
    // SAFETY: the producer is there, or null.
    if unsafe { place.get().leads.producer().as_ref() }.is_some_and(Producer::is_inside) {
        return false;
    }
    // Before anything is asked that an alert may be about.
    if producer.is_alert(Alert::ANY) {
        return false;
    }
    let Ok(tally) = hub.tally(producer, type_id, larger_than) else {
        return false;
    };
    let folds = match tally {
        // From here on the thread keeps it alive.
        Some((tally, generation)) => match funnel(producer, tally, place.as_ptr()) {
            Some(funnel) => Some((funnel, generation)),
            None => return false,
        },
        None => None,
    };
    let learned = producer.learn(|| {
        let numbered = folds.is_none() && hub.is_numbered(type_id);
        // What is folded may be of any length.
        let shape = Shape::new(type_id, len, numbered).or(folds.is_some().then_some(Shape::NONE))?;
        let leads = match folds {
            Some((_, generation)) if generation != hub.generation() => return None,
            Some((funnel, _)) => {
                // SAFETY: made above, and kept.
                unsafe { (*funnel).put(key, len) };
                Leads::to_funnel(funnel)
            }
            None => Leads::to_ring(producer),
        };
        let shortcut = Shortcut {
            key,
            len,
            leads,
            shape,
            hub,
            type_id,
            numbered,
        };
        put(place, shortcut);
        Some(())
    });
    learned.flatten().is_some()
}
