//! Funnels: what a place among the shortcuts leads to where events are folded.
//!
//! Folding an event is no call, so that a signal handler may come in between and learn of others in the same place. It
//! does not matter: the event that it interrupted goes on with the funnel that it found. That always leads to the same
//! tally, and all that may change is which handle and which length it is of; any handle of it is one of that recorder, and
//! any length of it one that events of the type may have. So however an event finds a funnel half changed, what it is found
//! to fit is right. A funnel lives as long as the thread's ring.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

use super::super::alert::{Alert, AlertWord};
use super::super::fold::Tally;
use super::super::producer::Producer;
use super::Shortcut;

/// See the module. What an event looks at stands first.
#[repr(C, align(64))]
pub struct Funnel {
    /// The handle.
    key: Cell<u64>,
    /// Bytes of payload.
    len: Cell<usize>,
    /// The producer's.
    alert: *const AlertWord,
    tally: *const Tally,
    type_id: u32,
    /// Whether events are all alike.
    alike: bool,
    producer: *const Producer,
    /// The place that leads here.
    place: *const Shortcut,
    /// What `tally` points to; nothing, where it leads nowhere.
    _held: Option<Arc<Tally>>,
}

/// Whether an event goes by a funnel.
pub enum Fits {
    /// Yes: it is one more of its tally.
    Alike,
    /// Yes, to a tally that tells events apart.
    ByKey,
    /// No, or something seldom is to be done first.
    No,
}

impl Funnel {
    /// A funnel for events of no handle.
    pub fn new(place: *const Shortcut, producer: &Producer, tally: Arc<Tally>) -> Self {
        Self {
            key: Cell::new(0),
            len: Cell::new(0),
            alert: producer.alert(),
            tally: Arc::as_ptr(&tally),
            type_id: tally.type_id,
            alike: tally.is_of_one_kind(),
            producer,
            place,
            _held: Some(tally),
        }
    }

    /// Whether it leads from `place` to `tally`.
    pub fn leads(&self, place: *const Shortcut, tally: &Arc<Tally>) -> bool {
        ptr::eq(self.place, place) && ptr::eq(self.tally, Arc::as_ptr(tally))
    }

    /// It is of events with this handle and length from now on.
    pub fn put(&self, key: u64, len: usize) {
        self.key.set(key);
        self.len.set(len);
    }

    /// Whose events it is for; null where it leads nowhere.
    pub fn producer(&self) -> *const Producer {
        self.producer
    }

    /// What events are folded into. It leads somewhere.
    #[inline(always)]
    pub fn tally(&self) -> &Tally {
        // SAFETY: it is held.
        unsafe { &*self.tally }
    }

    /// Whether such an event goes by it now.
    #[inline(always)]
    pub fn fits(&self, key: u64, type_id: u32, len: usize) -> Fits {
        if self.key.get() != key || self.len.get() != len || self.type_id != type_id {
            return Fits::No;
        }
        // SAFETY: the producer lives as long. That the dispatcher sleeps is no matter to who does not need it.
        if unsafe { (*self.alert).has(Alert::CHANGED) } {
            return Fits::No;
        }
        if self.alike { Fits::Alike } else { Fits::ByKey }
    }
}

/// A funnel that no event fits, whatever it looks like.
#[repr(transparent)]
pub struct Nowhere(Funnel);

// SAFETY: nobody writes it.
unsafe impl Sync for Nowhere {}

impl Nowhere {
    pub const fn get(&self) -> *const Funnel {
        &raw const self.0
    }
}

static ALERT: AlertWord = AlertWord::new(Alert::CHANGED);
pub static NOWHERE: Nowhere = Nowhere(Funnel {
    key: Cell::new(0),
    len: Cell::new(0),
    alert: &raw const ALERT,
    tally: ptr::null(),
    type_id: 0,
    alike: false,
    producer: ptr::null(),
    place: ptr::null(),
    _held: None,
});
