//! One place of a handle table: an object that many threads look up while others free it.
//!
//! A word says everything: which generation of the slot this is, whether it is open, and how many threads
//! look at the object right now (pins). Nobody waits for anybody: who closes a slot leaves the object to the
//! last pin, if there are any.

#[cfg(mvx_loom)]
use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};
#[cfg(not(mvx_loom))]
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

use std::ptr::NonNull;
use std::sync::atomic::Ordering;

/// The part of the word that counts pins.
const PINS: u64 = (1 << PIN_BITS) - 1;
const PIN_BITS: u32 = 32;
/// The object may be looked up.
const LIVE: u64 = 1 << 32;
/// It may not any more; the last pin takes it out.
const CLOSING: u64 = 1 << 33;
/// The object belongs to the parent process and stays where it is for ever.
const ABANDONED: u64 = 1 << 34;

const GENERATION_SHIFT: u32 = 40;
const ONE_GENERATION: u64 = 1 << GENERATION_SHIFT;

/// A slot that was open this many times is never opened again, so that no number ever means two things.
pub const LAST_GENERATION: u32 = (1 << 24) - 1;

/// The part of a slot's word that changes when its handle is freed or inherited by a child process.
#[inline(always)]
pub fn liveness(word: u64) -> u32 {
    (word >> PIN_BITS) as u32
}

const LIVENESS_MASK: u64 = !PINS;

/// What [`LIVENESS_MASK`] leaves of the word while the slot is open under `generation`.
pub fn live_word(generation: u32) -> u64 {
    (u64::from(generation) << GENERATION_SHIFT) | LIVE
}

/// The slot is not open, or not under this generation any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOpen;

/// A slot. It has a cache line to itself: threads that use different handles don't meet here.
#[derive(Debug)]
#[repr(align(64))]
pub struct Slot<T> {
    word: AtomicU64,
    object: AtomicPtr<T>,
    /// The next free slot: the table's, under its lock.
    pub(super) next_free: AtomicU32,
}

impl<T: Send + Sync> Slot<T> {
    /// A free slot that was never open.
    pub fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
            object: AtomicPtr::new(std::ptr::null_mut()),
            next_free: AtomicU32::new(0),
        }
    }

    /// Opens a free slot and says under which generation. Only who took the slot off the free list calls
    /// this.
    pub fn open(&self, object: Box<T>) -> u32 {
        self.object.store(Box::into_raw(object), Ordering::Relaxed);
        // Added, not stored: a late look-up of an earlier generation may have a pin here. Release: who pins
        // the slot sees the object.
        let before = self.word.fetch_add(ONE_GENERATION | LIVE, Ordering::Release);
        generation_of(before) + 1
    }

    /// Looks at the object where the slot is open under this generation; it stays until [`Slot::unpin`].
    ///
    /// # Errors
    /// It is not; and where this look-up came in the way of a close, the object that it now has to dispose
    /// of.
    #[inline]
    pub fn pin(&self, generation: u32) -> Result<NonNull<T>, Option<Box<T>>> {
        let live = live_word(generation);
        // Most of what is wrong is found here, without a write.
        if self.word.load(Ordering::Relaxed) & LIVENESS_MASK != live {
            return Err(None);
        }
        let before = self.word.fetch_add(1, Ordering::Acquire);
        if before & LIVENESS_MASK == live
            && let Some(object) = NonNull::new(self.object.load(Ordering::Relaxed))
        {
            return Ok(object);
        }
        // SAFETY: pinned two lines above, and this pin was given to nobody.
        Err(unsafe { self.unpin() })
    }

    /// Takes a pin back. Where that was the last one of a closed slot, the slot is free and its object the
    /// caller's.
    ///
    /// # Safety
    /// Once for each pin.
    #[inline]
    #[must_use]
    pub unsafe fn unpin(&self) -> Option<Box<T>> {
        let after = self.word.fetch_sub(1, Ordering::AcqRel) - 1;
        if after & CLOSING == 0 {
            None
        } else {
            self.reclaim(after)
        }
    }

    /// Closes the slot: nobody pins it any more. The object comes back at once, or to the last pin.
    ///
    /// # Errors
    /// It is not open under this generation: of several who close it, one succeeds.
    pub fn close(&self, generation: u32) -> Result<Option<Box<T>>, NotOpen> {
        let live = live_word(generation);
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & LIVENESS_MASK != live {
                return Err(NotOpen);
            }
            let closing = (word & !LIVE) | CLOSING;
            match self
                .word
                .compare_exchange_weak(word, closing, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Ok(self.reclaim(closing)),
                Err(now) => word = now,
            }
        }
    }

    fn reclaim(&self, seen: u64) -> Option<Box<T>> {
        if seen & (PINS | CLOSING | ABANDONED) != CLOSING {
            return None;
        }
        // Several may see the last pin go, because a look-up that fails pins for a moment too: one of them
        // wins.
        self.word
            .compare_exchange(seen, seen & !CLOSING, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        let object = self.object.swap(std::ptr::null_mut(), Ordering::Relaxed);
        if object.is_null() {
            return None;
        }
        // SAFETY: `open` made it of a box. No pin is left, none can be had again, and only the winner gets
        // here.
        Some(unsafe { Box::from_raw(object) })
    }

    /// In a child process: leaves the object, if there is one, to the parent. It is neither looked up nor
    /// dropped any more. An empty slot loses the pins of look-ups that failed on threads which the child does
    /// not have.
    pub fn abandon(&self) {
        if self.word.load(Ordering::Relaxed) & (LIVE | CLOSING) != 0 {
            self.word.fetch_or(ABANDONED, Ordering::Relaxed);
        } else {
            self.word.fetch_and(!PINS, Ordering::Relaxed);
        }
    }

    /// Whether the slot may be opened again.
    pub fn is_reusable(&self) -> bool {
        generation_of(self.word.load(Ordering::Relaxed)) < LAST_GENERATION
    }

    /// The word to compare, under [`LIVENESS_MASK`], with [`live_word`].
    pub fn word(&self) -> &AtomicU64 {
        &self.word
    }

    /// Makes the slot nearly used up.
    #[cfg(test)]
    pub(super) fn age(&self, generation: u32) {
        self.word
            .store(u64::from(generation) << GENERATION_SHIFT, Ordering::Relaxed);
    }
}

impl<T: Send + Sync> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn generation_of(word: u64) -> u32 {
    (word >> GENERATION_SHIFT) as u32
}

#[cfg(test)]
#[cfg(mvx_loom)]
mod loom_tests {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// Two threads look, one closes: whoever sees the object sees it whole, and exactly one gets it back.
    #[test]
    fn close_against_pins() {
        loom::model(|| {
            let slot = Arc::new(Slot::new());
            let generation = slot.open(Box::new(7_u32));
            let lookers: Vec<_> = (0..2)
                .map(|_| {
                    let slot = Arc::clone(&slot);
                    thread::spawn(move || match slot.pin(generation) {
                        Ok(object) => {
                            // SAFETY: pinned.
                            assert_eq!(unsafe { *object.as_ref() }, 7);
                            // SAFETY: pinned above.
                            usize::from(unsafe { slot.unpin() }.is_some())
                        }
                        Err(object) => usize::from(object.is_some()),
                    })
                })
                .collect();
            let mut returned = usize::from(slot.close(generation).unwrap().is_some());
            for looker in lookers {
                returned += looker.join().unwrap();
            }
            assert_eq!(returned, 1);
            assert!(slot.pin(generation).is_err());
        });
    }

    /// A look-up of an old generation that is late by a whole life of the slot.
    #[test]
    fn reopened_under_a_late_look_up() {
        loom::model(|| {
            let slot = Arc::new(Slot::new());
            let first = slot.open(Box::new(1_u32));
            let late = {
                let slot = Arc::clone(&slot);
                thread::spawn(move || match slot.pin(first) {
                    Ok(object) => {
                        // SAFETY: pinned.
                        assert_eq!(unsafe { *object.as_ref() }, 1);
                        // SAFETY: pinned above.
                        unsafe { slot.unpin() }.map(|object| *object)
                    }
                    Err(object) => object.map(|object| *object),
                })
            };
            let mut returned = Vec::new();
            if let Some(object) = slot.close(first).unwrap() {
                returned.push(*object);
                let second = slot.open(Box::new(2));
                assert_ne!(first, second);
                returned.extend(slot.close(second).unwrap().map(|object| *object));
            }
            returned.extend(late.join().unwrap());
            assert!(returned == [1] || returned == [1, 2], "{returned:?}");
        });
    }
}
