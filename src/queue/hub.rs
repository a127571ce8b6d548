//! The hand-off of one recorder: recording threads on one side, its dispatcher on the other.

use std::cell::Cell;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::fence;
use super::intake::{Intake, Next};
use super::limit::{Limit, OverflowPolicy, cost};
use super::order::{NumberedTypes, Sequence};
use super::producer::{Counts, Gate, Inlet, Load, Producer, Short, Verdict};
use super::reader::Record;
use super::shape::Shape;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard};

/// What the dispatcher is doing, as far as recording threads care.
mod bell {
    /// It runs, or somebody has seen to it that it will: nothing to do.
    pub const AWAKE: u32 = 0;
    /// It looks again in a moment; worth waking only where the queue fills.
    pub const DOZING: u32 = 1;
    /// It looks again when it is woken, and not before.
    pub const ASLEEP: u32 = 2;
}

/// How the gate stands, as flags: what recording threads look at before they do anything.
mod gate {
    /// Events are accepted.
    pub const OPEN: u32 = 1;
    /// There are types whose events get a number.
    pub const NUMBERING: u32 = 2;
    /// Fences are dear here (`fence.rs`): the short way, which takes them for cheap, is closed.
    pub const FENCED: u32 = 4;
}

const OPEN_NUMBERING: u32 = gate::OPEN | gate::NUMBERING;

/// What recording threads read for every event, and others seldom write.
struct Shown {
    gate: AtomicU32,
    bell: AtomicU32,
    numbered: NumberedTypes,
    /// The recorder is gone: threads may let go of their rings.
    retired: AtomicBool,
    /// An event found no room, and somebody was rung for.
    overflowed: AtomicBool,
}

/// How a recording thread wakes the dispatcher: no lock, no allocation, at most one system call.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// The hand-off. `C` is a change of the set of metrics, `M` a mark that is told when it is reached.
pub struct Hub<C, M> {
    shown: CachePadded<Shown>,
    sequence: CachePadded<Sequence>,
    limit: Limit,
    policy: OverflowPolicy,
    block_timeout: Duration,
    waker: Waker,
    intake: Mutex<Intake<C, M>>,
}

/// Counts of the hand-off at one moment: `accepted = dispatched + discarded + pending`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    pub accepted: u64,
    pub dispatched: u64,
    pub discarded: u64,
    pub dropped: u64,
    pub refused: u64,
    pub pending: u64,
    pub pending_max: u64,
    pub pending_bytes: u64,
}

impl<C, M> Hub<C, M> {
    pub fn new(limit: Limit, policy: OverflowPolicy, block_timeout: Duration, waker: Waker) -> Self {
        fence::prepare();
        Self {
            shown: CachePadded::new(Shown {
                gate: AtomicU32::new(if fence::light_is_free() { 0 } else { gate::FENCED }),
                bell: AtomicU32::new(bell::AWAKE),
                numbered: NumberedTypes::new(),
                retired: AtomicBool::new(false),
                overflowed: AtomicBool::new(false),
            }),
            sequence: CachePadded::new(Sequence::new()),
            limit,
            policy,
            block_timeout,
            waker,
            intake: Mutex::new(Intake::new()),
        }
    }

    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    // ---- recording threads ----

    /// A ring for the calling thread.
    pub fn join(&self) -> Arc<Producer> {
        let producer = Arc::new(Producer::new());
        self.intake.lock().join(Arc::clone(&producer));
        producer
    }

    /// The calling thread ends, or will not record here any more.
    pub fn leave(&self, producer: &Producer) {
        producer.leave(&self.limit);
        self.intake.lock().drop_departed();
    }

    /// Whether the recorder is gone for good.
    pub fn is_retired(&self) -> bool {
        self.shown.retired.load(Ordering::Acquire)
    }

    /// Records one event the shortest way; `NUMBERING` as in [`Producer::push_one`].
    ///
    /// # Safety
    /// As [`Producer::push_one`]; `producer` is the calling thread's own, from [`Hub::join`].
    #[inline(always)]
    pub unsafe fn push_one<const NUMBERING: bool>(
        &self,
        producer: &Producer,
        shape: &Shape,
        payload: *const u8,
        len: usize,
    ) -> Short {
        // SAFETY: the caller's promise.
        let short = unsafe { producer.push_one::<NUMBERING>(self, shape, payload, len) };
        if short == Short::Accepted {
            self.wake_if_asleep();
        }
        short
    }

    /// Under lasting overload, refusing must not cost more than accepting: where the queue is as full as it was when
    /// somebody last looked for room in vain, nobody looks again. The thread has no room left.
    #[inline(always)]
    pub fn refuse_at_once(&self, producer: &Producer) -> Option<Verdict> {
        if self.policy == OverflowPolicy::Block || !self.stands_open() || !self.limit.is_exhausted() {
            return None;
        }
        Some(self.overflow(producer, 1))
    }

    fn stands_open(&self) -> bool {
        self.stands(Gate::Open) || self.stands(Gate::OpenNumbering)
    }

    /// Records what there is room for; how many, and why not more. Wakes the dispatcher if it sleeps.
    ///
    /// # Safety
    /// As [`Producer::push`]; `producer` is the calling thread's own, from [`Hub::join`].
    pub unsafe fn push(&self, producer: &Producer, load: Load) -> (usize, Verdict) {
        // SAFETY: the caller's promise.
        let (done, verdict) = unsafe { producer.push(self, load) };
        if done > 0 {
            self.wake_if_asleep();
        }
        if verdict == Verdict::Full {
            return (done, self.overflow(producer, load.count - done));
        }
        (done, verdict)
    }

    #[inline(always)]
    fn wake_if_asleep(&self) {
        if self.shown.bell.load(Ordering::Relaxed) == bell::ASLEEP {
            self.wake_from(bell::ASLEEP);
        }
    }

    /// Events found no room: counted as the policy says, unless the thread may wait.
    fn overflow(&self, producer: &Producer, events: usize) -> Verdict {
        match self.policy {
            OverflowPolicy::Drop => {
                producer.count_dropped(events as u64);
                self.note_overflow();
                Verdict::Dropped
            }
            OverflowPolicy::RaiseError => {
                producer.count_refused(events as u64);
                self.note_overflow();
                Verdict::Refused
            }
            OverflowPolicy::Block => Verdict::Full,
        }
    }

    /// Rings, once until [`Hub::clear_overflowed`], so that somebody is told.
    pub fn note_overflow(&self) {
        // A plain look first: under lasting overload the word is not written again and again.
        if !self.shown.overflowed.load(Ordering::Relaxed)
            && !self.shown.overflowed.swap(true, Ordering::SeqCst)
        {
            (self.waker)();
        }
    }

    /// Whether an event found no room since this was last cleared.
    pub fn overflowed(&self) -> bool {
        self.shown.overflowed.load(Ordering::Relaxed)
    }

    /// Has the next event that finds no room ring again.
    pub fn clear_overflowed(&self) {
        self.shown.overflowed.store(false, Ordering::SeqCst);
    }

    /// Waits for room until `ready` gives something or the block time-out is over.
    pub fn wait_for_room<T>(&self, ready: impl FnMut() -> Option<T>) -> Option<T> {
        self.limit.wait_for_room(self.block_timeout, ready)
    }

    #[cold]
    fn wake_from(&self, state: u32) {
        // Of all threads that see it asleep, one wakes it.
        let woken = self
            .shown
            .bell
            .compare_exchange(state, bell::AWAKE, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok();
        if woken {
            (self.waker)();
        }
    }

    // ---- the state machine ----

    /// Lets events in.
    pub fn open(&self) {
        self.shown.gate.fetch_or(gate::OPEN, Ordering::Release);
    }

    /// Lets no event in any more. When this returns, what was accepted is visible, and no thread is inside a call
    /// that could still accept one.
    pub fn close(&self) {
        self.shown.gate.fetch_and(!gate::OPEN, Ordering::SeqCst);
        self.quiesce(&self.intake.lock());
        // Threads that wait for room have to look at the state.
        self.limit.announce_room();
    }

    fn quiesce(&self, intake: &Intake<C, M>) {
        fence::heavy();
        for producer in intake.producers() {
            producer.await_quiet();
        }
    }

    /// Lets go of all rings. The recorder is closed for good.
    pub fn retire(&self) {
        self.close();
        self.shown.retired.store(true, Ordering::Release);
        *self.intake.lock() = Intake::new();
    }

    /// Has events of all types numbered from the first one on.
    pub fn number_all(&self) {
        let mut intake = self.intake.lock();
        self.number_too(&mut intake, None);
    }

    fn number_too(&self, intake: &mut Intake<C, M>, types: Option<&[u32]>) -> bool {
        let more = self.shown.numbered.add(intake.published(), types);
        // After the set: whoever sees the flag sees the set.
        self.shown.gate.fetch_or(gate::NUMBERING, Ordering::Release);
        more
    }

    /// Queues a change of the set of metrics behind all events that are registered already. `numbered` says for
    /// which types order has to matter from now on: `None` for no further ones, `Some(None)` for all.
    pub fn change(&self, numbered: Option<Option<&[u32]>>, change: C) {
        let mut intake = self.intake.lock();
        if let Some(types) = numbered
            && self.number_too(&mut intake, types)
        {
            // Events that were not numbered come before the change.
            self.quiesce(&intake);
        }
        intake.change(&self.sequence, change);
    }

    /// Queues a mark behind all events that are registered already.
    pub fn mark(&self, mark: M) {
        self.intake.lock().mark(&self.sequence, mark);
    }

    // ---- the dispatcher ----

    /// Takes up to `most` events in order. What was taken before is given back first.
    pub fn collect(&self, most: usize, take: impl FnMut(Record)) -> Next<C> {
        let mut intake = self.intake.lock();
        intake.commit();
        let counts = intake.counts();
        self.limit
            .note_pending(counts.accepted.saturating_sub(self.limit.done()));
        let next = intake.collect(&self.shown.numbered, &self.sequence, most, take);
        if matches!(next, Next::Nothing) {
            intake.drop_departed();
        }
        next
    }

    /// Takes up to `most` events without giving back what was taken before: for whoever discards what is pending
    /// while a callback may still look at an event. The gate is closed.
    pub fn take_rest(&self, most: usize, mut take: impl FnMut(Record)) -> bool {
        let mut intake = self.intake.lock();
        loop {
            match intake.collect(&self.shown.numbered, &self.sequence, most, &mut take) {
                Next::Events => return true,
                Next::Change(_) => {}
                Next::Nothing => return false,
            }
        }
    }

    /// A mark that was reached.
    pub fn reached_mark(&self) -> Option<M> {
        self.intake.lock().reached_mark()
    }

    pub fn take_marks(&self) -> Vec<M> {
        self.intake.lock().take_marks()
    }

    pub fn take_changes(&self) -> Vec<C> {
        self.intake.lock().take_changes()
    }

    /// Whether everything that was accepted was taken and given back.
    pub fn is_drained(&self) -> bool {
        self.intake.lock().is_drained()
    }

    /// The dispatcher runs.
    pub fn set_awake(&self) {
        self.shown.bell.store(bell::AWAKE, Ordering::SeqCst);
    }

    /// The dispatcher will look again in a moment by itself.
    pub fn doze(&self) {
        self.shown.bell.store(bell::DOZING, Ordering::SeqCst);
    }

    /// The dispatcher wants to sleep until it is woken; false where there is something to do after all.
    pub fn try_sleep(&self) -> bool {
        self.shown.bell.store(bell::ASLEEP, Ordering::SeqCst);
        // Either a recording thread sees ASLEEP after it has published its event, or the event is seen here.
        fence::heavy();
        if self.intake.lock().has_work() {
            self.shown.bell.store(bell::AWAKE, Ordering::SeqCst);
            return false;
        }
        true
    }

    // ---- anybody ----

    /// The counts. `pending` never exceeds the limit.
    pub fn counts(&self) -> QueueCounts {
        let intake = self.intake.lock();
        let mut tries = 0;
        loop {
            let (dispatched, discarded) = self.limit.done_counts();
            let done_bytes = self.limit.done_bytes();
            let sums: Counts = intake.counts();
            let done = dispatched + discarded;
            let pending = sums.accepted - done;
            tries += 1;
            // Events that were done while the sums were read are missing on the other side: look again, and if the
            // dispatcher is always faster, tell the moment at which the limit was just reached.
            if pending > self.limit.max_events() && self.limit.done() != done && tries < 8 {
                continue;
            }
            let pending = pending.min(self.limit.max_events());
            self.limit.note_pending(pending);
            return QueueCounts {
                accepted: done + pending,
                dispatched,
                discarded,
                dropped: sums.dropped,
                refused: sums.refused,
                pending,
                pending_max: self.limit.pending_max(),
                pending_bytes: sums.accepted_bytes.saturating_sub(done_bytes),
            };
        }
    }

    fn try_reclaim(&self, asking: &Producer) -> bool {
        if self.limit.search_is_fruitless() {
            return false;
        }
        let done = self.limit.done();
        let Some(intake) = self.intake_for_reclaim() else {
            return false;
        };
        let mut given = 0;
        for producer in intake
            .producers()
            .filter(|producer| !std::ptr::eq(&raw const ***producer, asking))
        {
            given += producer.revoke_lease(&self.limit);
        }
        if given == 0 {
            self.limit.note_fruitless(done);
        }
        given > 0
    }

    /// A recording thread never waits for the lock: whoever holds it is making room, or taking stock.
    fn intake_for_reclaim(&self) -> Option<MutexGuard<'_, Intake<C, M>>> {
        self.intake.try_lock()
    }
}

impl<C, M> Inlet for Hub<C, M> {
    #[inline(always)]
    fn stands(&self, so: Gate) -> bool {
        let flags = match so {
            Gate::Open => gate::OPEN,
            Gate::OpenNumbering => OPEN_NUMBERING,
            Gate::Closed => return false,
        };
        self.shown.gate.load(Ordering::Acquire) == flags
    }

    fn gate(&self) -> Gate {
        match self.shown.gate.load(Ordering::Acquire) & !gate::FENCED {
            gate::OPEN => Gate::Open,
            OPEN_NUMBERING => Gate::OpenNumbering,
            _ => Gate::Closed,
        }
    }

    #[inline(always)]
    fn number(&self, type_id: u32, last: &Cell<u64>) -> Option<u64> {
        let numbered = self.shown.numbered.contains(type_id);
        numbered.then(|| self.sequence.next(last))
    }

    fn limit(&self) -> &Limit {
        &self.limit
    }

    fn filling(&self) {
        if self.shown.bell.load(Ordering::Relaxed) == bell::DOZING && self.limit.is_filling() {
            self.wake_from(bell::DOZING);
        }
    }

    fn reclaim(&self, asking: &Producer) -> bool {
        self.try_reclaim(asking)
    }

    fn now(&self) -> u64 {
        super::clock::unix_ns()
    }
}

/// What an event of `len` bytes counts against the limit of bytes.
pub fn event_cost(len: usize) -> u64 {
    cost(len)
}
