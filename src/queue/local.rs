//! What a recording thread remembers: its rings, and for the last few recorder handles that it used which ring is
//! theirs, so that a call needs no lock and no table.

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(mvx_shuttle)))]
#[path = "local/pointer_tlsdesc.rs"]
mod pointer;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64", not(mvx_shuttle))))]
mod pointer;

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::atomic::{AtomicU64 as PlainAtomicU64, Ordering};

use super::producer::{Producer, Short};
use super::shape::Shape;
use crate::metrics::EventHub;
use crate::process::fork;
use crate::process::handle_table::liveness;
use crate::sync::{Arc, thread_local};

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
#[repr(align(64))]
pub struct Recent {
    key: u64,
    live: *const PlainAtomicU64,
    expected: u32,
    hub: *const EventHub,
    producer: *const Producer,
    /// Shapes of events that were recorded by it, by event type.
    shapes: [Shape; SHAPES],
}

/// How many shapes are remembered for a handle.
const SHAPES: usize = 4;

/// What no handle leads to, whatever its number.
const NONE: Recent = Recent {
    key: 0,
    live: &NEVER,
    expected: 1,
    hub: ptr::null(),
    producer: ptr::null(),
    shapes: [Shape::NONE; SHAPES],
};
static NEVER: PlainAtomicU64 = PlainAtomicU64::new(0);
/// How many handles a thread remembers.
const RECENT: usize = 4;
/// What a thread remembers. It is on the heap, as room for thread-local variables that are found fast is scarce.
pub type RecentKeys = [Cell<Recent>; RECENT];

struct Entry {
    hub: Arc<EventHub>,
    producer: Arc<Producer>,
}

/// The rings of a thread. When the thread ends, each goes back to its recorder.
struct Rings(RefCell<Vec<Entry>>);

impl Drop for Rings {
    fn drop(&mut self) {
        let keys = pointer::get().cast_mut();
        pointer::set(ptr::null());
        if !keys.is_null() {
            // SAFETY: `remember` made it of a box, and nobody finds it any more.
            drop(unsafe { Box::from_raw(keys) });
        }
        for entry in self.0.borrow_mut().drain(..) {
            entry.hub.leave(&entry.producer);
        }
    }
}

thread_local! {
    static RINGS: Rings = const { Rings(RefCell::new(Vec::new())) };
}

fn forget_recent(which: impl Fn(&Recent) -> bool) {
    // SAFETY: it lives until this thread's rings go, and is used by this thread only.
    if let Some(keys) = unsafe { pointer::get().as_ref() } {
        for cell in keys {
            if which(&cell.get()) {
                cell.set(NONE);
            }
        }
    }
}

fn remember(recent: Recent) {
    if pointer::get().is_null() {
        let keys: Box<RecentKeys> = Box::new([const { Cell::new(NONE) }; RECENT]);
        pointer::set(Box::into_raw(keys));
    }
    // SAFETY: as in `forget_recent`.
    if let Some(keys) = unsafe { pointer::get().as_ref() } {
        keys[recent.key as usize % RECENT].set(recent);
    }
}

/// What a key led to which this thread used before; `None` where it did not, or where the key is no longer good.
#[inline(always)]
fn recent<'a>(keys: *const RecentKeys, key: u64) -> Option<&'a Recent> {
    // SAFETY: the caller got it from `pointer`: it lives until this thread's rings go, and is used by this thread only.
    let keys = unsafe { keys.as_ref() }?;
    // SAFETY: as above; nobody writes while this is looked at.
    let recent = unsafe { &*keys[key as usize % RECENT].as_ptr() };
    // SAFETY: `live` lives as long as the process.
    let live = liveness(unsafe { (*recent.live).load(Ordering::Acquire) });
    (recent.key == key && live == recent.expected).then_some(recent)
}

/// Records one event the shortest way: by a key that this thread used before, for events of the same shape. `NUMBERING`
/// as in [`Producer::push_one`].
///
/// # Safety
/// `payload` has `len` readable bytes, or is null.
#[inline(always)]
pub unsafe fn push_one<const NUMBERING: bool>(
    key: u64,
    type_id: u32,
    payload: *const u8,
    len: usize,
) -> Short {
    let Some(recent) = recent(pointer::get_at_once(), key) else {
        return Short::TakeTheLongWay;
    };
    let shape = &recent.shapes[type_id as usize % SHAPES];
    if !shape.is_of(type_id, len) || payload.is_null() {
        return Short::TakeTheLongWay;
    }
    // SAFETY: as in `with_ring`; the rest is the caller's promise.
    unsafe { (*recent.hub).push_one::<NUMBERING>(&*recent.producer, shape, payload, len) }
}

/// As [`push_one`] for events of a new shape, which is remembered.
///
/// # Safety
/// `payload` has as many readable bytes as `shape` says.
#[inline(always)]
pub unsafe fn push_one_of_new_shape(key: u64, shape: &Shape, payload: *const u8) -> Short {
    let keys = pointer::get();
    let Some(known) = recent(keys, key) else {
        return Short::TakeTheLongWay;
    };
    let (hub, producer) = (known.hub, known.producer);
    // SAFETY: as in `recent`, whose result is not used any more.
    unsafe {
        let recent = (&*keys)[key as usize % RECENT].as_ptr();
        (*recent).shapes[shape.type_id() as usize % SHAPES] = *shape;
    }
    // SAFETY: as in `with_ring`; the rest is the caller's promise.
    unsafe { (*hub).push_one::<false>(&*producer, shape, payload, shape.len) }
}

/// Runs `record` with the ring that a key led to which this thread used before; `None` where it did not use it, or where
/// the key is no longer good.
#[inline(always)]
pub fn with_ring<T>(key: u64, record: impl FnOnce(&EventHub, &Producer) -> T) -> Option<T> {
    let recent = recent(pointer::get(), key)?;
    // SAFETY: an entry of `RINGS` keeps both alive, and outlives its mention here; only `ring_into` takes entries out.
    Some(record(unsafe { &*recent.hub }, unsafe { &*recent.producer }))
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
        forget_recent(|recent| {
            rings
                .iter()
                .any(|entry| is_retired(entry) && ptr::eq(recent.hub, &raw const *entry.hub))
        });
        rings.retain(|entry| !is_retired(entry));
        let producer = hub.join();
        rings.push(Entry {
            hub: Arc::clone(hub),
            producer: Arc::clone(&producer),
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
                shapes: [Shape::NONE; SHAPES],
            });
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

fn is_retired(entry: &Entry) -> bool {
    entry.hub.is_retired()
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
    forget_recent(|_| true);
    let _ = RINGS.try_with(|rings| {
        if let Ok(mut rings) = rings.0.try_borrow_mut() {
            std::mem::forget(std::mem::take(&mut *rings));
        }
    });
}
