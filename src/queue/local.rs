//! What a recording thread remembers: its rings; for the last few recorder handles that it used, which ring is theirs, so
//! that a call needs no lock and no table; and for the events that it recorded last, all that there is to know of them
//! (`shortcut.rs`).

mod funnel;
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(mvx_shuttle)))]
#[path = "local/pointer_tlsdesc.rs"]
mod pointer;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64", not(mvx_shuttle))))]
mod pointer;
mod shortcut;

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicU64 as PlainAtomicU64, Ordering};

use super::producer::Producer;
use crate::metrics::EventHub;
use crate::process::fork;
use crate::process::handle_table::liveness;
use crate::sync::{Arc, thread_local};

use funnel::Funnel;
use shortcut::Shortcuts;

pub use super::fold::Tally;
pub use shortcut::{
    Shortcut, Shortest, fold_by_key, fold_if_alike, learn, push_many, push_one, push_one_with_new_room,
    push_one_without_cell, refuse_at_once,
};

/// What a thread looks a ring up by, with a word that tells whether that is still right: a handle, and its slot's
/// generation.
#[derive(Clone, Copy)]
pub struct Key {
    /// The handle, or another number that is never used again.
    pub value: u64,
    /// A word that lives as long as the process.
    pub live: &'static PlainAtomicU64,
    /// Its [`liveness`] while the key is good.
    pub expected: u32,
}

/// A handle that this thread used, and the ring that it led to.
#[derive(Clone, Copy)]
struct Recent {
    key: u64,
    live: *const PlainAtomicU64,
    expected: u32,
    hub: *const EventHub,
    producer: *const Producer,
}

/// What no handle leads to, whatever its number.
const NONE: Recent = Recent {
    key: 0,
    live: &NEVER,
    expected: 1,
    hub: ptr::null(),
    producer: ptr::null(),
};
static NEVER: PlainAtomicU64 = PlainAtomicU64::new(0);
/// How many handles a thread remembers.
const RECENT: usize = 4;

/// What a thread remembers. It is on the heap, as room for thread-local variables that are found fast is scarce.
pub struct Memory {
    shortcuts: Shortcuts,
    recents: [Cell<Recent>; RECENT],
}

/// What threads remember that remember nothing; read only.
#[repr(transparent)]
pub struct Nothing(Memory);

// SAFETY: nobody writes it.
unsafe impl Sync for Nothing {}

impl Nothing {
    const fn get(&self) -> *const Memory {
        &raw const self.0
    }
}

static NOTHING: Nothing = Nothing(Memory::new());

impl Memory {
    const fn new() -> Self {
        Self {
            shortcuts: Shortcuts::new(),
            recents: [const { Cell::new(NONE) }; RECENT],
        }
    }
}

struct Entry {
    hub: Arc<EventHub>,
    producer: Arc<Producer>,
    /// What leads to that which its events are folded into.
    #[expect(clippy::vec_box, reason = "shortcuts point to them")]
    funnels: Vec<Box<Funnel>>,
}

/// The rings of a thread. When the thread ends, each goes back to its recorder.
struct Rings(RefCell<Vec<Entry>>);

impl Drop for Rings {
    fn drop(&mut self) {
        // Nobody is left who could give back a lock that a recorder needs: all stays as it is.
        #[cfg(windows)]
        if crate::process::module::is_process_ending() {
            std::mem::forget(self.0.take());
            return;
        }
        let memory = pointer::get();
        pointer::set(NOTHING.get());
        if memory != NOTHING.get() {
            // SAFETY: `remember` made it of a box, and nobody finds it any more.
            drop(unsafe { Box::from_raw(memory.cast_mut()) });
        }
        for entry in self.0.borrow_mut().drain(..) {
            entry.hub.leave(&entry.producer);
        }
    }
}

thread_local! {
    static RINGS: Rings = const { Rings(RefCell::new(Vec::new())) };
}

/// What this thread remembers.
#[inline(always)]
fn memory<'a>() -> &'a Memory {
    // SAFETY: it lives until this thread's rings go, and is used by this thread only; or it is `NOTHING`.
    unsafe { &*pointer::get() }
}

/// Forgets all that leads to `producer`.
fn forget(memory: &Memory, producer: *const Producer) {
    memory.shortcuts.forget(producer);
    for cell in &memory.recents {
        if ptr::eq(cell.get().producer, producer) {
            cell.set(NONE);
        }
    }
}

fn remember(recent: Recent) {
    if pointer::get() == NOTHING.get() {
        pointer::set(Box::into_raw(Box::new(Memory::new())));
    }
    memory().recents[recent.key as usize % RECENT].set(recent);
}

/// What a key led to which this thread used before; `None` where it did not, or where the key is no longer good.
#[inline(always)]
fn recent(memory: &Memory, key: u64) -> Option<Recent> {
    let recent = memory.recents[key as usize % RECENT].get();
    // SAFETY: `live` lives as long as the process.
    let live = liveness(unsafe { (*recent.live).load(Ordering::Acquire) });
    (recent.key == key && live == recent.expected).then_some(recent)
}

/// What leads from a place to a tally, kept for as long as this thread has the ring of `producer`;
/// `None` where that can't be done now.
fn funnel(producer: &Producer, tally: StdArc<Tally>, place: *const Shortcut) -> Option<*const Funnel> {
    let funnel = RINGS.try_with(|rings| {
        let mut rings = rings.0.try_borrow_mut().ok()?;
        let entry = rings
            .iter_mut()
            .find(|entry| ptr::eq(&raw const *entry.producer, producer))?;
        if let Some(known) = entry.funnels.iter().find(|known| known.leads(place, &tally)) {
            return Some(&raw const **known);
        }
        entry.funnels.push(Box::new(Funnel::new(place, producer, tally)));
        entry.funnels.last().map(|added| &raw const **added)
    });
    funnel.ok().flatten()
}

/// What was learned by the ring is to be forgotten where the recorder, or a handle, has changed.
#[inline(always)]
fn attend(hub: &EventHub, producer: &Producer) {
    hub.attend(producer, || memory().shortcuts.forget(producer));
}

/// Runs `record` with the ring that a key led to which this thread used before; `None` where it did not use it, or where
/// the key is no longer good.
#[inline(always)]
pub fn with_ring<T>(key: u64, record: impl FnOnce(&EventHub, &Producer) -> T) -> Option<T> {
    let recent = recent(memory(), key)?;
    // SAFETY: an entry of `RINGS` keeps both alive, and outlives its mention here; only `ring_into` takes entries out.
    let (hub, producer) = unsafe { (&*recent.hub, &*recent.producer) };
    attend(hub, producer);
    Some(record(hub, producer))
}

/// As [`with_ring`] for a call that has recorded by the key already: what becomes of a handle is no matter any more.
pub fn with_ring_of_call<T>(key: u64, record: impl FnOnce(&EventHub, &Producer) -> T) -> Option<T> {
    let recent = memory().recents[key as usize % RECENT].get();
    if recent.key != key {
        return None;
    }
    // SAFETY: as in `with_ring`.
    let (hub, producer) = unsafe { (&*recent.hub, &*recent.producer) };
    attend(hub, producer);
    Some(record(hub, producer))
}

/// This thread's ring into `hub`, made where there is none, and remembered under `key`. What `record` gets is its own
/// to write; `None` where the thread is inside of this very function, in a signal handler.
pub fn ring_into<T>(key: Key, hub: &Arc<EventHub>, record: impl FnOnce(&Producer) -> T) -> Option<T> {
    let known = RINGS.try_with(|rings| {
        // Borrowed already: a signal handler interrupted this very function.
        let mut rings = rings.0.try_borrow_mut().ok()?;
        if let Some(entry) = rings.iter().find(|entry| Arc::ptr_eq(&entry.hub, hub)) {
            return Some(Arc::clone(&entry.producer));
        }
        rings.retain(|entry| {
            let retired = entry.hub.is_retired();
            if retired {
                forget(memory(), &raw const *entry.producer);
            }
            !retired
        });
        let producer = hub.join();
        rings.push(Entry {
            hub: Arc::clone(hub),
            producer: Arc::clone(&producer),
            funnels: Vec::new(),
        });
        Some(producer)
    });
    match known {
        Ok(producer) => {
            let producer = producer?;
            remember(Recent {
                key: key.value,
                live: key.live,
                expected: key.expected,
                hub: &raw const **hub,
                producer: &raw const *producer,
            });
            attend(hub, &producer);
            Some(record(&producer))
        }
        Err(_) => {
            // The thread is ending and its rings are gone: a ring for this call alone.
            let producer = hub.join();
            let outcome = record(&producer);
            hub.leave(&producer);
            Some(outcome)
        }
    }
}

/// Sees to it that a forked child does not touch its parent's rings.
pub fn watch_forks() {
    static AROUND_FORK: fork::Hooks = fork::Hooks {
        before: || (),
        parent: || (),
        child: forget_after_fork,
    };
    fork::watch();
    fork::register(&AROUND_FORK);
}

/// In a forked child, on its only thread: the rings belong to the parent's recorders. They are left as they are.
fn forget_after_fork() {
    if pointer::get() != NOTHING.get() {
        memory().shortcuts.clear();
        memory().recents.iter().for_each(|cell| cell.set(NONE));
    }
    let _ = RINGS.try_with(|rings| {
        if let Ok(mut rings) = rings.0.try_borrow_mut() {
            std::mem::forget(std::mem::take(&mut *rings));
        }
    });
}
