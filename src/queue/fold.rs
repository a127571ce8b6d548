//! Folding: events that need not travel. Where all metrics that want an event type commute, and only ask which of few
//! kinds an event is of, the recording thread counts its events by kind in memory of its own, a *tally*; whoever reads
//! the metrics first adds to them what came to the tallies since.
//!
//! What makes the kind of an event is its *key*: those bits of one word of its payload that any metric looks at; without
//! any, all events of the type are alike. A tally has few cells. The first event of a key travels as if there were no
//! folding, so that series appear in the order of events, and so do all whose key finds no cell.
//!
//! Folding an event is one addition, and no call in the sense of `producer.rs`: nobody waits for it to be over. Where the set
//! of metrics changes, or the recorder's state, all threads get an alert; an event that was under way just then is counted
//! all the same, for the old set or the new one, as it was registered neither before nor after the change. So a tally lives
//! as long as the thread has its ring.

use std::cell::Cell;
use std::sync::Arc;

use super::own_word::add_within_thread;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the events of one type are folded into.
pub trait Fold: Send + Sync {
    /// `count` events of this key were registered. Called under a lock: it must neither block nor call foreign code.
    fn add(&self, key: u64, count: u64);
}

/// Tells how events are folded: one set of metrics.
pub trait Folding: Send + Sync {
    /// How events of this type are folded; `None`: they travel.
    fn plan(&self, type_id: u32) -> Option<FoldPlan>;
}

/// Where the key of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAt {
    /// All events are alike: the key is 0.
    Nowhere,
    /// The bits of `mask` in the four bytes at `offset` of the payload, as an integer of this machine.
    Four { offset: usize, mask: u64 },
    /// The same in eight bytes.
    Eight { offset: usize, mask: u64 },
}

/// How events of one type are folded.
pub struct FoldPlan {
    /// Where the key is, in any payload that may come.
    pub key_at: KeyAt,
    /// Who is told.
    pub into: Box<dyn Fold>,
}

/// Cells of a tally at first, and at most. One that is full is replaced by one four times as large.
#[cfg(not(any(mvx_loom, mvx_shuttle)))]
const FEWEST: usize = 16;
#[cfg(any(mvx_loom, mvx_shuttle))]
const FEWEST: usize = 4;
#[cfg(not(any(mvx_loom, mvx_shuttle)))]
const MOST: usize = 256;
#[cfg(any(mvx_loom, mvx_shuttle))]
const MOST: usize = 4;
/// A key may be in one of so many cells, which lie together.
const TOGETHER: usize = 2;
/// After so many events that found no cell, a tally of the largest size shows whether it is of use.
const TRIAL: u32 = 4_096;

/// How often one key came.
struct Kind {
    key: AtomicU64,
    count: AtomicU64,
}

/// The events of one type that one thread has folded. Written by that thread only.
#[repr(C)]
pub struct Tally {
    /// How many events there were, where they are all alike.
    all: AtomicU64,
    /// Where the key is.
    at: KeyAt,
    /// What the hash of a key is shifted by to find the cells that it may be in.
    shift: u32,
    kinds: Box<[[Kind; TOGETHER]]>,
    /// Events that found no cell since the last trial, and those that had found one until then.
    misses: Cell<u32>,
    hits: Cell<u64>,
    /// Most keys have no cell: looking for one costs more than it gives.
    is_of_no_use: AtomicBool,
    /// The event type.
    pub type_id: u32,
}

// SAFETY: the cells are used by the recording thread only; the rest is atomic, or not written.
unsafe impl Send for Tally {}
// SAFETY: as above.
unsafe impl Sync for Tally {}

/// What is to be done with an event whose key has no cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// It has one now; this one travels.
    Added,
    /// There is no room for it; it travels.
    Full,
    /// A larger tally would have room.
    Grow,
    /// There is none for most keys: events are to travel without looking for one.
    GiveUp,
}

impl Tally {
    /// A tally without events, for as many keys as `larger_than` has cells for and more.
    pub fn new(at: KeyAt, type_id: u32, larger_than: Option<&Tally>) -> Self {
        let cells = match (at, larger_than) {
            (KeyAt::Nowhere, _) => 0,
            (_, None) => FEWEST,
            (_, Some(tally)) => (tally.kinds.len() * TOGETHER * 4).min(MOST),
        };
        let groups = cells / TOGETHER;
        let mut tally = Self {
            all: AtomicU64::new(0),
            at,
            shift: 64 - groups.max(2).trailing_zeros(),
            kinds: Box::new([]),
            misses: Cell::new(0),
            hits: Cell::new(0),
            is_of_no_use: AtomicBool::new(false),
            type_id,
        };
        let empty = |group: usize| {
            [(); TOGETHER].map(|()| Kind {
                key: AtomicU64::new(tally.no_key(group)),
                count: AtomicU64::new(0),
            })
        };
        tally.kinds = (0..groups).map(empty).collect();
        tally
    }

    /// The cells that a key may be in lie together: which ones.
    #[inline(always)]
    fn group(&self, key: u64) -> usize {
        // Fibonacci hashing: the upper bits depend on all bits of the key.
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }

    /// What an empty cell has for a key: one that is looked for elsewhere.
    fn no_key(&self, group: usize) -> u64 {
        let elsewhere = |key: &u64| self.group(*key) != group;
        (0..64).find(elsewhere).unwrap_or(u64::MAX)
    }

    /// Whether it is of events of this type that are told apart like this.
    pub fn is_of(&self, type_id: u32, at: KeyAt) -> bool {
        self.type_id == type_id && self.at == at
    }

    /// Whether all events are alike: then [`Tally::add_all`] serves them.
    pub fn is_of_one_kind(&self) -> bool {
        self.at == KeyAt::Nowhere
    }

    /// Whether nothing would be gained by a larger one.
    fn is_largest(&self) -> bool {
        self.kinds.len() * TOGETHER >= MOST
    }

    /// Folds `count` events that are all alike. Recording thread only.
    #[inline(always)]
    pub fn add_all(&self, count: u64) {
        add_within_thread(&self.all, count);
    }

    /// Folds one event, where its key has a cell; whether it has. Recording thread only.
    ///
    /// # Safety
    /// `payload` has as many bytes as the event type asks for at least.
    #[inline(always)]
    pub unsafe fn add_one(&self, payload: *const u8) -> bool {
        // SAFETY: the caller's promise.
        let key = unsafe { self.key_of(payload) };
        // SAFETY: there are as many groups as the shift says.
        let [one, other] = unsafe { self.kinds.get_unchecked(self.group(key)) };
        if one.key.load(Ordering::Relaxed) == key {
            add_within_thread(&one.count, 1);
        } else if other.key.load(Ordering::Relaxed) == key {
            add_within_thread(&other.count, 1);
        } else {
            return false;
        }
        true
    }

    /// Folds events that lie one after the other, up to the first whose key has no cell; how many. As [`Tally::add_one`].
    ///
    /// # Safety
    /// There are `count` payloads of `len` bytes, each as there.
    #[inline(always)]
    pub unsafe fn add_many(&self, payloads: *const u8, len: usize, count: usize) -> usize {
        if self.is_of_one_kind() {
            self.add_all(count as u64);
            return count;
        }
        // SAFETY: the caller's promise.
        let misses = |&at: &usize| unsafe { !self.add_one(payloads.wrapping_add(at * len)) };
        (0..count).find(misses).unwrap_or(count)
    }

    /// An event whose key has no cell is to travel: gives the key one, where there is room. Recording thread only, inside a
    /// call.
    ///
    /// # Safety
    /// As [`Tally::add_one`].
    #[cold]
    pub unsafe fn miss(&self, payload: *const u8) -> Miss {
        // SAFETY: the caller's promise.
        let key = unsafe { self.key_of(payload) };
        let group = self.group(key);
        let no_key = self.no_key(group);
        let mut cells = self.kinds.get(group).into_iter().flatten();
        if let Some(kind) = cells.find(|kind| kind.key.load(Ordering::Relaxed) == no_key) {
            // Readers look at it where there is a count, which is written after it.
            kind.key.store(key, Ordering::Relaxed);
            return Miss::Added;
        }
        if !self.is_largest() {
            return Miss::Grow;
        }
        let misses = self.misses.get() + 1;
        if misses < TRIAL {
            self.misses.set(misses);
            return Miss::Full;
        }
        self.misses.set(0);
        let events = self.events();
        if events - self.hits.replace(events) < u64::from(TRIAL) {
            self.is_of_no_use.store(true, Ordering::Relaxed);
            Miss::GiveUp
        } else {
            Miss::Full
        }
    }

    /// Forgets which keys there are: the first event of each travels again. Recording thread only; what was folded is told.
    pub fn forget_keys(&self) {
        for (group, cells) in self.kinds.iter().enumerate() {
            for kind in cells {
                kind.key.store(self.no_key(group), Ordering::Relaxed);
            }
        }
        self.misses.set(0);
        self.is_of_no_use.store(false, Ordering::Relaxed);
    }

    /// Whether [`Miss::GiveUp`] was said.
    pub fn is_of_no_use(&self) -> bool {
        self.is_of_no_use.load(Ordering::Relaxed)
    }

    /// # Safety
    /// As [`Tally::add_one`].
    #[inline(always)]
    unsafe fn key_of(&self, payload: *const u8) -> u64 {
        // SAFETY: the plan's key lies within the bytes that each payload has.
        unsafe {
            match self.at {
                KeyAt::Four { offset, mask } => {
                    u64::from(payload.add(offset).cast::<u32>().read_unaligned()) & mask
                }
                KeyAt::Eight { offset, mask } => payload.add(offset).cast::<u64>().read_unaligned() & mask,
                KeyAt::Nowhere => 0,
            }
        }
    }

    /// How many events were folded.
    pub fn events(&self) -> u64 {
        let kinds = self.kinds.iter().flatten();
        let kinds = kinds.map(|kind| kind.count.load(Ordering::Acquire));
        self.all.load(Ordering::Acquire) + kinds.sum::<u64>()
    }
}

/// A tally, and what of it the metrics know already.
pub struct Reading {
    tally: Arc<Tally>,
    plan: FoldPlan,
    all: u64,
    kinds: Box<[u64]>,
}

impl Reading {
    pub fn new(tally: Arc<Tally>, plan: FoldPlan) -> Self {
        let kinds = vec![0; tally.kinds.len() * TOGETHER].into();
        Self {
            tally,
            plan,
            all: 0,
            kinds,
        }
    }

    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Tells the metrics what came since.
    pub fn tell(&mut self) {
        let tell = |key: u64, count: &AtomicU64, known: &mut u64| {
            let count = count.load(Ordering::Acquire);
            if count != *known {
                self.plan.into.add(key, count - *known);
                *known = count;
            }
        };
        tell(0, &self.tally.all, &mut self.all);
        for (kind, known) in self.tally.kinds.iter().flatten().zip(&mut self.kinds) {
            // Once there is a count, the key stays.
            if kind.count.load(Ordering::Acquire) != *known {
                tell(kind.key.load(Ordering::Relaxed), &kind.count, known);
            }
        }
    }

    /// The metrics have changed. What came so far of events that are all alike is told to the old ones, and what comes to the
    /// new ones; where such events are told apart now, or travel, what comes was under way before. Where there are keys the
    /// thread goes on with another tally, and this one stays with the old ones.
    pub fn tell_others(&mut self, folding: Option<&dyn Folding>) {
        if !self.tally.is_of_one_kind() {
            return;
        }
        self.tell();
        let plan = folding.and_then(|folding| folding.plan(self.tally.type_id));
        if let Some(plan) = plan.filter(|plan| plan.key_at == self.tally.at) {
            self.plan = plan;
        }
    }

    /// The tally is used once more, for `plan`: all that came is told to the old metrics. On the recording thread.
    pub fn start_anew(&mut self, plan: FoldPlan) {
        self.tell();
        self.tally.forget_keys();
        self.plan = plan;
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;

    type Told = Arc<Mutex<BTreeMap<u64, u64>>>;

    struct Telling(Told);

    impl Fold for Telling {
        fn add(&self, key: u64, count: u64) {
            *self.0.lock().unwrap().entry(key).or_default() += count;
        }
    }

    fn plan(key_at: KeyAt, told: &Told) -> FoldPlan {
        FoldPlan {
            key_at,
            into: Box::new(Telling(Arc::clone(told))),
        }
    }

    const EIGHT: KeyAt = KeyAt::Eight {
        offset: 0,
        mask: u64::MAX,
    };

    /// Folds an event; false where it is to travel.
    fn fold(tally: &Tally, key: u64) -> bool {
        let payload = key.to_ne_bytes();
        // SAFETY: there are eight bytes.
        unsafe { tally.add_one(payload.as_ptr()) }
    }

    fn miss(tally: &Tally, key: u64) -> Miss {
        let payload = key.to_ne_bytes();
        // SAFETY: there are eight bytes.
        unsafe { tally.miss(payload.as_ptr()) }
    }

    #[test]
    fn a_key_is_folded_from_its_second_event_on() {
        let told = Told::default();
        let tally = Arc::new(Tally::new(EIGHT, 1, None));
        let mut reading = Reading::new(Arc::clone(&tally), plan(EIGHT, &told));
        for key in [0, 7, u64::MAX] {
            assert!(!fold(&tally, key));
            assert_eq!(miss(&tally, key), Miss::Added);
            for _ in 0..key.min(5) + 1 {
                assert!(fold(&tally, key));
            }
        }
        reading.tell();
        reading.tell();
        let expected = BTreeMap::from([(0, 1), (7, 6), (u64::MAX, 6)]);
        assert_eq!(*told.lock().unwrap(), expected);
        assert_eq!(tally.events(), 13);
    }

    #[test]
    fn only_the_bits_of_the_mask_make_the_key() {
        let at = KeyAt::Four {
            offset: 2,
            mask: 0xff,
        };
        let tally = Tally::new(at, 1, None);
        let first = [1_u8, 2, 3, 4, 5, 6];
        // SAFETY: there are six bytes.
        assert_eq!(unsafe { tally.miss(first.as_ptr()) }, Miss::Added);
        for (payload, folded) in [([9, 9, 3, 9, 9, 9], true), ([1, 2, 9, 4, 5, 6], false)] {
            let payload: [u8; 6] = payload;
            // SAFETY: as above.
            let was_folded = unsafe { tally.add_one(payload.as_ptr()) };
            assert_eq!(was_folded, folded && cfg!(target_endian = "little"));
        }
    }

    #[test]
    fn a_tally_grows_and_in_the_end_gives_up() {
        let mut tally = Tally::new(EIGHT, 1, None);
        let mut sizes = vec![tally.kinds.len() * TOGETHER];
        let mut key = 0;
        let last = loop {
            key += 1;
            match miss(&tally, key) {
                Miss::Added => {}
                Miss::Grow => {
                    tally = Tally::new(EIGHT, 1, Some(&tally));
                    sizes.push(tally.kinds.len() * TOGETHER);
                }
                Miss::Full => assert!(!tally.is_of_no_use()),
                Miss::GiveUp => break key,
            }
        };
        assert_eq!(sizes, [16, 64, 256]);
        assert!(tally.is_of_no_use() && last > u64::from(TRIAL));

        // Where as many events are folded as are not, it is of use.
        let tally = Tally::new(EIGHT, 1, Some(&Tally::new(EIGHT, 1, Some(&tally))));
        assert_eq!(miss(&tally, 0), Miss::Added);
        for key in 1..4 * u64::from(TRIAL) {
            assert!(fold(&tally, 0));
            assert_ne!(miss(&tally, key), Miss::GiveUp);
        }
    }

    #[test]
    fn other_metrics_are_told_what_comes_later() {
        struct Others(KeyAt, Told);
        impl Folding for Others {
            fn plan(&self, _type_id: u32) -> Option<FoldPlan> {
                Some(plan(self.0, &self.1))
            }
        }
        let (old, new) = (Told::default(), Told::default());
        let tally = Arc::new(Tally::new(KeyAt::Nowhere, 1, None));
        let mut reading = Reading::new(Arc::clone(&tally), plan(KeyAt::Nowhere, &old));
        let sums = || [&old, &new].map(|told| told.lock().unwrap().values().sum::<u64>());
        tally.add_all(3);
        reading.tell_others(Some(&Others(KeyAt::Nowhere, Arc::clone(&new))));
        assert_eq!(sums(), [3, 0]);
        tally.add_all(4);
        reading.tell();
        assert_eq!(sums(), [3, 4]);
        // They tell events apart: what still comes was under way before.
        reading.tell_others(Some(&Others(EIGHT, Arc::clone(&old))));
        tally.add_all(1);
        reading.tell();
        assert_eq!(sums(), [3, 5]);
        reading.tell_others(None);
        tally.add_all(1);
        reading.tell();
        assert_eq!(sums(), [3, 6]);
    }
}
