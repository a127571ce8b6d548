//! Handles: numbers in pointer clothing that may be looked up whatever they are.
//!
//! A handle is never an address. It holds, from the top: 8 bits of type tag, 8 bits of fork generation, 24
//! bits of slot generation, 24 bits of slot index. Slots are allocated in chunks that are never freed, so a
//! look-up of any bit pattern reads memory that is there, takes no lock, and finds out whether the slot still
//! means that handle.

#[cfg(mvx_loom)]
use loom::sync::atomic::AtomicU64;
#[cfg(not(mvx_loom))]
use std::sync::atomic::AtomicU64;

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::fork;
use super::fork_lock::{ForkLock, HeldAcrossFork};
use super::handle_slot::{Slot, live_word};

pub use super::handle_slot::liveness;

const TAG_SHIFT: u32 = 56;
const FORK_SHIFT: u32 = 48;
const GENERATION_SHIFT: u32 = 24;
const LOW_24: u64 = (1 << 24) - 1;

/// A chunk holds twice as many slots as the one before; the first has this many.
const FIRST_CHUNK: u32 = 64;
const CHUNKS: usize = 18;
/// All chunks together: just under 2^24.
const CAPACITY: u32 = FIRST_CHUNK * ((1 << CHUNKS) - 1);

/// So many slots rest before the first of them is used again: a handle that is freed and used by mistake
/// right after meets an empty slot rather than a strange object's, even though its generation would tell.
const RESTING: u32 = 64;

/// Marks the end of the free list.
const NONE: u32 = u32::MAX;

/// Why a look-up found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// Not a live handle of this table.
    Invalid,
    /// A handle of the process that this one was forked from.
    Forked,
}

/// There are no handles left of this type, or forks can't be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// The handles of one type. Lives as long as the process.
pub struct Table<T: Send + Sync + 'static> {
    tag: u8,
    chunks: [AtomicPtr<Slot<T>>; CHUNKS],
    free: ForkLock<FreeList>,
}

/// A queue, linked through the slots, so that freeing a handle allocates nothing.
struct FreeList {
    first: u32,
    last: u32,
    len: u32,
    /// Slots from here on were never used.
    fresh: u32,
}

impl<T: Send + Sync + 'static> Table<T> {
    /// An empty table; `tag` is its alone, and such that no address begins with it.
    pub const fn new(tag: u8) -> Self {
        Self {
            tag,
            chunks: [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS],
            free: ForkLock::new(FreeList {
                first: NONE,
                last: NONE,
                len: 0,
                fresh: 0,
            }),
        }
    }

    /// Sets a slot aside, so that what follows can't fail for want of one.
    ///
    /// # Errors
    /// There is none.
    pub fn reserve(&'static self) -> Result<Reservation<T>, Exhausted> {
        // The number has room for so many generations of forks inside forks.
        if !fork::watch() || fork::generation() > 0xff {
            return Err(Exhausted);
        }
        let mut free = self.free.lock();
        let fresh_left = free.fresh < CAPACITY;
        if free.first != NONE && (free.len > RESTING || !fresh_left) {
            let index = free.first;
            let slot = self.slot(index).ok_or(Exhausted)?;
            free.first = slot.next_free.load(Ordering::Relaxed);
            free.len -= 1;
            if free.first == NONE {
                free.last = NONE;
            }
            return Ok(Reservation {
                table: self,
                slot,
                index,
            });
        }
        if !fresh_left {
            return Err(Exhausted);
        }
        let index = free.fresh;
        let (chunk, offset) = locate(index);
        if offset == 0 && self.chunks[chunk].load(Ordering::Relaxed).is_null() {
            let slots: Vec<Slot<T>> = (0..FIRST_CHUNK << chunk).map(|_| Slot::new()).collect();
            self.chunks[chunk].store(
                Box::leak(slots.into_boxed_slice()).as_mut_ptr(),
                Ordering::Release,
            );
        }
        let slot = self.slot(index).ok_or(Exhausted)?;
        free.fresh += 1;
        Ok(Reservation {
            table: self,
            slot,
            index,
        })
    }

    /// Finds the object of a handle. Takes no lock; never waits; answers any bit pattern.
    ///
    /// # Errors
    /// Why there is none.
    #[inline]
    pub fn lookup(&'static self, handle: u64) -> Result<Pinned<T>, LookupError> {
        let (index, generation) = self.parts(handle)?;
        let slot = self.slot(index).ok_or(LookupError::Invalid)?;
        match slot.pin(generation) {
            Ok(object) => Ok(Pinned {
                table: self,
                slot,
                index,
                object,
            }),
            Err(left) => {
                self.recycle(slot, index, left);
                Err(LookupError::Invalid)
            }
        }
    }

    /// Frees a handle: of several who free it, one succeeds. The object is dropped here, or by the last
    /// thread that is still looking at it.
    ///
    /// # Errors
    /// Why there is nothing to free.
    pub fn free(&'static self, handle: u64) -> Result<(), LookupError> {
        let (index, generation) = self.parts(handle)?;
        let slot = self.slot(index).ok_or(LookupError::Invalid)?;
        let left = slot.close(generation).map_err(|_| LookupError::Invalid)?;
        self.recycle(slot, index, left);
        Ok(())
    }

    /// For a cache that wants to know with one load whether a handle that it saw is still live: it is while the
    /// [`liveness`] of the word equals the number given. Forking changes the word in the child.
    pub fn liveness(&'static self, handle: u64) -> Option<(&'static AtomicU64, u32)> {
        let (index, generation) = self.parts(handle).ok()?;
        let word = self.slot(index)?.word();
        let live = liveness(live_word(generation));
        (liveness(word.load(Ordering::Acquire)) == live).then_some((word, live))
    }

    /// In a child process, on its only thread: leaves all objects to the parent.
    pub fn abandon(&self) {
        for (number, chunk) in self.chunks.iter().enumerate() {
            let first = chunk.load(Ordering::Acquire);
            if first.is_null() {
                return;
            }
            for offset in 0..FIRST_CHUNK as usize * (1 << number) {
                // SAFETY: the chunk was leaked with so many slots.
                unsafe { (*first.add(offset)).abandon() };
            }
        }
    }

    /// Whether a handle looks like one of this table, live or not.
    pub fn is_of_type(&self, handle: u64) -> bool {
        (handle >> TAG_SHIFT) as u8 == self.tag
    }

    /// Slot index and generation of a handle that is of this type and this process.
    #[inline]
    fn parts(&self, handle: u64) -> Result<(u32, u32), LookupError> {
        if !self.is_of_type(handle) {
            return Err(LookupError::Invalid);
        }
        let forks = (handle >> FORK_SHIFT) & 0xff;
        if forks != fork::generation() {
            return Err(if forks < fork::generation() {
                LookupError::Forked
            } else {
                LookupError::Invalid
            });
        }
        Ok((
            (handle & LOW_24) as u32,
            ((handle >> GENERATION_SHIFT) & LOW_24) as u32,
        ))
    }

    #[inline]
    fn slot(&'static self, index: u32) -> Option<&'static Slot<T>> {
        let (chunk, offset) = locate(index);
        let first = NonNull::new(self.chunks.get(chunk)?.load(Ordering::Acquire))?;
        // SAFETY: `locate` stays within the chunk's slots, and chunks are never freed.
        Some(unsafe { first.add(offset as usize).as_ref() })
    }

    /// Puts a slot that was left empty back into use, then drops its object, outside the lock.
    fn recycle(&'static self, slot: &'static Slot<T>, index: u32, left: Option<Box<T>>) {
        if let Some(object) = left {
            self.give_back(slot, index);
            drop(object);
        }
    }

    fn give_back(&'static self, slot: &'static Slot<T>, index: u32) {
        if !slot.is_reusable() {
            return;
        }
        slot.next_free.store(NONE, Ordering::Relaxed);
        let mut free = self.free.lock();
        match self.slot(free.last) {
            Some(last) => last.next_free.store(index, Ordering::Relaxed),
            None => free.first = index,
        }
        free.last = index;
        free.len += 1;
    }
}

/// A child gets the free list as a whole, whatever other threads did with it at that moment.
impl<T: Send + Sync + 'static> HeldAcrossFork for Table<T> {
    fn hold(&'static self) {
        self.free.hold();
    }

    fn let_go(&'static self) {
        self.free.let_go();
    }
}

/// Chunk and offset of a slot; the chunk may be one that does not exist.
#[inline]
fn locate(index: u32) -> (usize, u32) {
    let rounds = index / FIRST_CHUNK + 1;
    let chunk = rounds.ilog2();
    let before = (1_u64 << chunk) - 1;
    (
        chunk as usize,
        (u64::from(index) - before * u64::from(FIRST_CHUNK)) as u32,
    )
}

/// A slot set aside for a handle to come; dropping it puts the slot back.
pub struct Reservation<T: Send + Sync + 'static> {
    table: &'static Table<T>,
    slot: &'static Slot<T>,
    index: u32,
}

impl<T: Send + Sync + 'static> Reservation<T> {
    /// Makes the handle.
    pub fn publish(self, object: T) -> u64 {
        let generation = self.slot.open(Box::new(object));
        let handle = (u64::from(self.table.tag) << TAG_SHIFT)
            | ((fork::generation() & 0xff) << FORK_SHIFT)
            | (u64::from(generation) << GENERATION_SHIFT)
            | u64::from(self.index);
        std::mem::forget(self);
        handle
    }
}

impl<T: Send + Sync + 'static> Drop for Reservation<T> {
    fn drop(&mut self) {
        self.table.give_back(self.slot, self.index);
    }
}

/// The object of a handle, held fast: it stays even if the handle is freed meanwhile.
pub struct Pinned<T: Send + Sync + 'static> {
    table: &'static Table<T>,
    slot: &'static Slot<T>,
    index: u32,
    object: NonNull<T>,
}

impl<T: Send + Sync + 'static> Deref for Pinned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the pin keeps the object where it is, and nobody has it exclusively while there are pins.
        unsafe { self.object.as_ref() }
    }
}

impl<T: Send + Sync + 'static> Drop for Pinned<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: each value of this type is one pin.
        let left = unsafe { self.slot.unpin() };
        if left.is_some() {
            self.table.recycle(self.slot, self.index, left);
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Pinned<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pinned")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(not(mvx_loom))]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize};
    use std::thread;

    use super::super::handle_slot::LAST_GENERATION;
    use super::*;

    fn table<T: Send + Sync>() -> &'static Table<T> {
        Box::leak(Box::new(Table::new(0x91)))
    }

    fn create<T: Send + Sync>(table: &'static Table<T>, object: T) -> u64 {
        table.reserve().unwrap().publish(object)
    }

    /// An object that notices being dropped twice, and being looked at after its end.
    struct Checked {
        number: usize,
        alive: AtomicBool,
        dropped: Arc<AtomicUsize>,
    }

    impl Checked {
        fn new(number: usize, dropped: &Arc<AtomicUsize>) -> Self {
            Self {
                number,
                alive: AtomicBool::new(true),
                dropped: Arc::clone(dropped),
            }
        }
    }

    impl Drop for Checked {
        fn drop(&mut self) {
            assert!(self.alive.swap(false, Ordering::SeqCst));
            self.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn every_index_has_a_place_of_its_own() {
        assert_eq!(locate(0), (0, 0));
        assert_eq!(locate(63), (0, 63));
        assert_eq!(locate(64), (1, 0));
        assert_eq!(locate(191), (1, 127));
        assert_eq!(locate(192), (2, 0));
        assert_eq!(
            locate(CAPACITY - 1),
            (CHUNKS - 1, (FIRST_CHUNK << (CHUNKS - 1)) - 1)
        );
        assert_eq!(locate(CAPACITY).0, CHUNKS);
        assert_eq!(locate(u32::MAX).0, 26);
    }

    #[test]
    fn a_freed_handle_is_invalid_for_ever() {
        let table = table();
        let first = create(table, 1);
        assert_eq!(*table.lookup(first).unwrap(), 1);
        table.free(first).unwrap();
        assert_eq!(table.lookup(first).unwrap_err(), LookupError::Invalid);
        assert_eq!(table.free(first).unwrap_err(), LookupError::Invalid);
        let mut seen = HashSet::from([first]);
        for number in 0..10_000 {
            let handle = create(table, number);
            assert!(seen.insert(handle), "a number came back");
            assert!(table.lookup(first).is_err());
            table.free(handle).unwrap();
        }
        // All that in the slots of the first two chunks.
        assert!(table.chunks[2].load(Ordering::Relaxed).is_null());
    }

    #[test]
    fn made_up_numbers_are_invalid() {
        let table = table();
        let handle = create(table, 1);
        let stack = 0_u8;
        let mut made_up = vec![
            0,
            1,
            2,
            0xff,
            u64::MAX,
            u64::MAX - 1,
            &raw const stack as u64,
            handle + 1,
        ];
        made_up.extend((0..64).map(|bit| handle ^ (1 << bit)));
        made_up.extend((0..64).map(|bit| 1 << bit));
        let mut state = handle | 1;
        for _ in 0..10_000 {
            // xorshift
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            made_up.push(state);
            made_up.push((state & !(0xff << TAG_SHIFT)) | (0x91 << TAG_SHIFT));
        }
        for number in made_up {
            assert!(table.lookup(number).is_err(), "{number:x}");
            assert!(table.liveness(number).is_none(), "{number:x}");
            assert!(table.free(number).is_err(), "{number:x}");
        }
        assert_eq!(*table.lookup(handle).unwrap(), 1);
    }

    #[test]
    fn liveness_tells_a_freed_handle_with_one_load() {
        let table = table();
        let handle = create(table, 1);
        let (word, live) = table.liveness(handle).unwrap();
        let pin = table.lookup(handle).unwrap();
        assert_eq!(liveness(word.load(Ordering::Relaxed)), live);
        table.free(handle).unwrap();
        assert_ne!(liveness(word.load(Ordering::Relaxed)), live);
        assert_eq!(*pin, 1);
        drop(pin);
        assert_ne!(liveness(word.load(Ordering::Relaxed)), live);
    }

    #[test]
    fn the_last_pin_drops_the_object() {
        let dropped = Arc::new(AtomicUsize::new(0));
        let table = table();
        let handle = create(table, Checked::new(1, &dropped));
        let pins = (table.lookup(handle).unwrap(), table.lookup(handle).unwrap());
        table.free(handle).unwrap();
        assert!(table.lookup(handle).is_err());
        drop(pins.0);
        assert_eq!(dropped.load(Ordering::SeqCst), 0);
        assert_eq!(pins.1.number, 1);
        drop(pins.1);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_used_up_slot_is_retired() {
        let table = table();
        let reservation = table.reserve().unwrap();
        reservation.slot.age(LAST_GENERATION - 1);
        let index = reservation.index;
        let last = reservation.publish(1);
        assert_eq!((last >> GENERATION_SHIFT) & LOW_24, u64::from(LAST_GENERATION));
        assert_eq!(*table.lookup(last).unwrap(), 1);
        table.free(last).unwrap();
        assert!(table.lookup(last).is_err());
        for _ in 0..1_000 {
            let handle = create(table, 2);
            assert_ne!(handle & LOW_24, u64::from(index));
            table.free(handle).unwrap();
        }
    }

    #[test]
    fn a_reservation_that_comes_to_nothing_gives_its_slot_back() {
        let table = table::<u32>();
        for _ in 0..1_000 {
            drop(table.reserve().unwrap());
        }
        assert!(table.free.lock().fresh <= RESTING + 1);
    }

    #[test]
    fn abandoned_objects_are_neither_seen_nor_dropped() {
        let dropped = Arc::new(AtomicUsize::new(0));
        let table = table();
        let handle = create(table, Checked::new(1, &dropped));
        let (word, live) = table.liveness(handle).unwrap();
        let pin = table.lookup(handle).unwrap();
        table.abandon();
        assert_ne!(liveness(word.load(Ordering::Relaxed)), live);
        assert!(table.lookup(handle).is_err());
        assert!(table.free(handle).is_err());
        drop(pin);
        assert_eq!(dropped.load(Ordering::SeqCst), 0);
        assert!(table.lookup(create(table, Checked::new(2, &dropped))).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_child_is_told_that_handles_are_its_parents() {
        let table = table();
        let handle = create(table, 1);
        // SAFETY: the child only looks numbers up and ends with `_exit`.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let told = table.lookup(handle).err() == Some(LookupError::Forked)
                && table.free(handle).err() == Some(LookupError::Forked)
                && table.lookup(handle ^ 1 << TAG_SHIFT).err() == Some(LookupError::Invalid);
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(i32::from(!told)) };
        }
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0);
        assert_eq!(*table.lookup(handle).unwrap(), 1);
    }

    /// Threads create, look up and free at random, each other's handles and old ones too.
    #[test]
    fn random_frees_and_look_ups() {
        const THREADS: usize = 4;
        let rounds = if cfg!(miri) { 200 } else { 50_000 };
        let dropped = Arc::new(AtomicUsize::new(0));
        let created = AtomicUsize::new(0);
        let table: &'static Table<Checked> = table();
        let shared: Vec<AtomicU64> = (0..32).map(|_| AtomicU64::new(0)).collect();
        let freed = AtomicUsize::new(0);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (dropped, created, shared, freed) = (&dropped, &created, &shared, &freed);
                scope.spawn(move || {
                    let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(thread as u64 + 1);
                    for _ in 0..rounds {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        let place = &shared[(random >> 8) as usize % shared.len()];
                        match random % 8 {
                            0 => {
                                let number = created.fetch_add(1, Ordering::Relaxed);
                                let handle = create(table, Checked::new(number, dropped));
                                place.store(handle, Ordering::Relaxed);
                            }
                            1 => {
                                let done = table.free(place.load(Ordering::Relaxed)).is_ok();
                                freed.fetch_add(usize::from(done), Ordering::Relaxed);
                            }
                            _ => {
                                if let Ok(object) = table.lookup(place.load(Ordering::Relaxed)) {
                                    assert!(object.alive.load(Ordering::SeqCst));
                                    if random & 0x100 != 0 {
                                        thread::yield_now();
                                    }
                                    assert!(object.alive.load(Ordering::SeqCst));
                                }
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(dropped.load(Ordering::SeqCst), freed.load(Ordering::SeqCst));
    }

    /// All threads free the same handle: one succeeds.
    #[test]
    fn freed_once() {
        let table = table();
        for _ in 0..if cfg!(miri) { 20 } else { 2_000 } {
            let dropped = Arc::new(AtomicUsize::new(0));
            let handle = create(table, Checked::new(0, &dropped));
            let wins: usize = thread::scope(|scope| {
                let threads: Vec<_> = (0..3)
                    .map(|_| {
                        scope.spawn(|| {
                            let seen = table.lookup(handle).map(|object| object.number);
                            assert!(seen.is_err() || seen == Ok(0));
                            usize::from(table.free(handle).is_ok())
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(wins, 1);
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
        }
    }
}
