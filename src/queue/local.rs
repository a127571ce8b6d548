//! What a recording thread remembers: its rings, and for the last few recorder handles that it used which ring is
//! theirs, so that a call needs no lock and no table.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::atomic::{AtomicU64 as PlainAtomicU64, Ordering};

use super::producer::{Load, Producer, Verdict};
use crate::metrics::EventHub;
use crate::process::fork;
use crate::sync::{Arc, thread_local};

/// What a thread looks a ring up by, with a word that tells whether that is still right: a handle, and its slot's
/// generation.
#[derive(Clone, Copy)]
pub struct Key {
    /// The handle, or another number that is never used again.
    pub value: u64,
    /// A word that lives as long as the process.
    pub live: &'static PlainAtomicU64,
    /// Bits of the word that matter.
    pub mask: u64,
    /// What they are while the key is good.
    pub expected: u64,
}

#[derive(Clone, Copy)]
struct Recent {
    key: u64,
    live: *const PlainAtomicU64,
    mask: u64,
    expected: u64,
    hub: *const EventHub,
    producer: *const Producer,
}

const NONE: Recent = Recent {
    key: 0,
    live: ptr::null(),
    mask: 0,
    expected: 0,
    hub: ptr::null(),
    producer: ptr::null(),
};
const RECENT: usize = 4;

struct Entry {
    hub: Arc<EventHub>,
    producer: Arc<Producer>,
}

/// The rings of a thread. When the thread ends, each goes back to its recorder.
struct Rings(RefCell<Vec<Entry>>);

impl Drop for Rings {
    fn drop(&mut self) {
        forget_recent(|_| true);
        for entry in self.0.borrow_mut().drain(..) {
            entry.hub.leave(&entry.producer);
        }
    }
}

thread_local! {
    // Without a destructor, so that looking costs no check, and works while the thread's other locals are destroyed.
    static RECENT_KEYS: [Cell<Recent>; RECENT] = const { [const { Cell::new(NONE) }; RECENT] };
    static RINGS: Rings = const { Rings(RefCell::new(Vec::new())) };
}

fn forget_recent(which: impl Fn(&Recent) -> bool) {
    // The keys outlive the rings, except where a checker plays the threads.
    let _ = RECENT_KEYS.try_with(|recent| {
        for cell in recent {
            if which(&cell.get()) {
                cell.set(NONE);
            }
        }
    });
}

/// Records by a key that this thread used before; `None` where it did not, or where the key is no longer good.
///
/// # Safety
/// As [`Producer::push`].
#[inline(always)]
pub unsafe fn push(key: u64, load: Load) -> Option<(usize, Verdict)> {
    let recent = RECENT_KEYS.with(|recent| recent[key as usize % RECENT].get());
    if recent.key != key || key == 0 {
        return None;
    }
    // SAFETY: `live` lives as long as the process.
    if unsafe { (*recent.live).load(Ordering::Acquire) } & recent.mask != recent.expected {
        return None;
    }
    // SAFETY: an entry of `RINGS` keeps both alive, and outlives its mention in `RECENT_KEYS`; the producer is this
    // thread's own; the rest is the caller's promise.
    Some(unsafe { (*recent.hub).push(&*recent.producer, load) })
}

/// Records into `hub`, and remembers `key` for the next time.
///
/// # Safety
/// As [`Producer::push`].
pub unsafe fn push_first(key: Key, hub: &Arc<EventHub>, load: Load) -> (usize, Verdict) {
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
        Ok(Some(producer)) => {
            RECENT_KEYS.with(|recent| {
                recent[key.value as usize % RECENT].set(Recent {
                    key: key.value,
                    live: key.live,
                    mask: key.mask,
                    expected: key.expected,
                    hub: &raw const **hub,
                    producer: &raw const *producer,
                });
            });
            // SAFETY: the producer is this thread's own; the rest is the caller's promise.
            unsafe { hub.push(&producer, load) }
        }
        Ok(None) => (0, Verdict::Nested),
        Err(_) => {
            // The thread is ending and its rings are gone: a ring for this call alone.
            let producer = hub.join();
            // SAFETY: as above.
            let outcome = unsafe { hub.push(&producer, load) };
            hub.leave(&producer);
            outcome
        }
    }
}

fn is_retired(entry: &Entry) -> bool {
    entry.hub.is_retired()
}

/// This thread's ring into `hub`, for counting what was not accepted.
pub fn with_producer(hub: &Arc<EventHub>, count: impl FnOnce(&Producer)) {
    let _ = RINGS.try_with(|rings| {
        if let Ok(rings) = rings.0.try_borrow() {
            if let Some(entry) = rings.iter().find(|entry| Arc::ptr_eq(&entry.hub, hub)) {
                count(&entry.producer);
            }
        }
    });
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
