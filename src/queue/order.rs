//! Order across threads.
//!
//! Rings keep the order of each thread. Where the order between threads matters to a metric, the events of the types
//! it wants also take a number from a counter that all threads of the recorder share: if registering A happened
//! before registering B on another thread, A's number is the smaller one. Events of one thread may share a number: as
//! long as nobody else took one, a thread goes on with its last, which takes a read instead of a write that all share.
//!
//! Which types are numbered is published behind one pointer, so that it changes for all types at once. Then no event
//! without a number can have been registered after a numbered one that follows the change, and events without one go
//! first. A metric for which order matters sees only events from after the change (see `intake.rs`).

use std::cell::Cell;
use std::ptr;

use super::fetch::fetch_to_write;
use crate::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// Where numbers come from: the last one that was taken.
pub struct Sequence(AtomicU64);

impl Sequence {
    pub fn new() -> Self {
        Self(AtomicU64::new(1))
    }

    /// A number for a thread that got `last` before. No other thread ever gets it.
    ///
    /// If A got number 5, on the thread that took it or by finding 5 in the counter, and A happened before B, then B's
    /// thread finds 5 or more, as looks at one word don't go back in time; and where it is not B's own thread that took
    /// what it finds, B takes a new one.
    #[inline(always)]
    pub fn next(&self, last: &Cell<u64>) -> u64 {
        // Where another thread took a number, this one is going to write: the line comes once, not first to be read.
        fetch_to_write::<0, _>(&raw const self.0);
        let mut number = self.0.load(Ordering::Acquire);
        if number != last.get() {
            number = self.take();
            last.set(number);
        }
        number
    }

    fn take(&self) -> u64 {
        self.0.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Numbers that were got before this call are below the result, those got after it are above.
    pub fn bound(&self) -> u64 {
        self.take()
    }
}

/// The event types that are numbered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderedTypes {
    all: bool,
    bits: Vec<u64>,
}

impl OrderedTypes {
    #[inline(always)]
    pub fn contains(&self, type_id: u32) -> bool {
        let bit = |word: &u64| word & (1 << (type_id % 64)) != 0;
        self.all || self.bits.get(type_id as usize / 64).is_some_and(bit)
    }

    /// This set and `types` (`None`: all).
    pub fn with(&self, types: Option<&[u32]>) -> OrderedTypes {
        let mut set = self.clone();
        match types {
            _ if set.all => {}
            None => {
                set = Self {
                    all: true,
                    bits: Vec::new(),
                }
            }
            Some(types) => {
                for &type_id in types {
                    let word = type_id as usize / 64;
                    if set.bits.len() <= word {
                        set.bits.resize(word + 1, 0);
                    }
                    set.bits[word] |= 1 << (type_id % 64);
                }
            }
        }
        set
    }
}

/// The published set. It only grows; sets that were replaced stay until the recorder goes, as a thread may still
/// look at them.
pub struct NumberedTypes {
    current: AtomicPtr<OrderedTypes>,
}

/// Owner of the sets that were ever published.
#[derive(Default)]
// Boxed: their addresses are published.
#[allow(clippy::vec_box)]
pub struct Published(Vec<Box<OrderedTypes>>);

impl NumberedTypes {
    pub fn new() -> Self {
        Self {
            current: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Whether any type is numbered.
    #[inline(always)]
    pub fn any(&self) -> bool {
        !self.current.load(Ordering::Acquire).is_null()
    }

    /// Whether events of this type are numbered. An event that meets the published set at all takes it as a whole.
    #[inline(always)]
    pub fn contains(&self, type_id: u32) -> bool {
        let set = self.current.load(Ordering::Acquire);
        // SAFETY: a published set lives as long as the recorder.
        !set.is_null() && unsafe { (*set).contains(type_id) }
    }

    /// Numbers `types` too from now on; whether that changed anything.
    pub fn add(&self, published: &mut Published, types: Option<&[u32]>) -> bool {
        let empty = OrderedTypes::default();
        let old = published.0.last().map_or(&empty, |set| set);
        let new = old.with(types);
        if new == *old {
            return false;
        }
        let mut new = Box::new(new);
        self.current.store(ptr::from_mut(&mut *new), Ordering::Release);
        published.0.push(new);
        true
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_its_number_until_another_takes_one() {
        let sequence = Sequence::new();
        let (one, two) = (Cell::new(0), Cell::new(0));
        let first = sequence.next(&one);
        assert_eq!(sequence.next(&one), first);
        let second = sequence.next(&two);
        assert!(second > first);
        assert!(sequence.next(&one) > second);
        let last = sequence.next(&one);
        let bound = sequence.bound();
        assert!(last < bound && sequence.next(&one) > bound);
    }

    #[test]
    fn sets_grow_and_say_so() {
        let ordering = NumberedTypes::new();
        let mut published = Published::default();
        assert!(!ordering.contains(1));
        assert!(ordering.add(&mut published, Some(&[1, 130])));
        assert!(!ordering.add(&mut published, Some(&[130])));
        assert!(ordering.contains(1) && ordering.contains(130) && !ordering.contains(2));
        assert!(ordering.add(&mut published, None));
        assert!(!ordering.add(&mut published, Some(&[7])));
        assert!(ordering.contains(60_000));
    }
}
