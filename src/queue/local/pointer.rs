//! A pointer of each thread's own, as the language provides it.

use std::cell::Cell;
use std::ptr;

use super::RecentKeys;
use crate::sync::thread_local;

thread_local! {
    // Without a destructor, so that looking costs no check, and works while the thread's other locals are destroyed.
    static KEYS: Cell<*const RecentKeys> = const { Cell::new(ptr::null()) };
}

/// What was set last on the calling thread; null at first.
#[inline(always)]
pub fn get() -> *const RecentKeys {
    // Where a checker plays the threads, this does not outlive the other locals.
    KEYS.try_with(Cell::get).unwrap_or(ptr::null())
}

/// As [`get`].
#[inline(always)]
pub fn get_at_once() -> *const RecentKeys {
    get()
}

/// Sets it.
pub fn set(keys: *const RecentKeys) {
    let _ = KEYS.try_with(|place| place.set(keys));
}
