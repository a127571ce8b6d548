//! A pointer of each thread's own, as the language provides it.

use std::cell::Cell;

use super::{Memory, NOTHING};
use crate::sync::thread_local;

thread_local! {
    // Without a destructor, so that looking costs no check, and works while the thread's other locals are destroyed.
    static MEMORY: Cell<*const Memory> = const { Cell::new(NOTHING.get()) };
}

/// What was set last on the calling thread; [`NOTHING`] at first.
#[inline(always)]
pub fn get() -> *const Memory {
    // Where a checker plays the threads, this does not outlive the other locals.
    MEMORY.try_with(Cell::get).unwrap_or(NOTHING.get())
}

/// As [`get`].
#[inline(always)]
pub fn get_at_once() -> Option<*const Memory> {
    Some(get())
}

/// Sets it.
pub fn set(memory: *const Memory) {
    let _ = MEMORY.try_with(|place| place.set(memory));
}
