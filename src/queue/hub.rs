//! The hand-off of one recorder: recording threads on one side, its dispatcher on the other.

use std::sync::Arc as StdArc;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::alert::Alert;
use super::fence;
use super::fold::{Folding, Tally};
use super::intake::{Intake, Next};
use super::limit::{Limit, OverflowPolicy, cost};
use super::order::{NumberedTypes, Sequence};
use super::producer::{Counts, Inlet, Load, Producer, Verdict};
use super::reader::Record;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
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

/// What recording threads look at the long way, and where they have an alert: whoever changes it to something that an
/// event the short way must not miss raises the alert of all producers.
struct Shown {
    /// Events are accepted.
    open: AtomicBool,
    bell: AtomicU32,
    numbered: NumberedTypes,
    /// Events of some types may be folded (`fold.rs`).
    folding: AtomicBool,
    /// The number of the set of metrics.
    generation: AtomicU64,
    /// The recorder is gone: threads may let go of their rings.
    retired: AtomicBool,
    /// An event found no room, and somebody was rung for.
    overflowed: AtomicBool,
}

/// Somebody else holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

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

/// What changes with the set of metrics.
pub struct Change<'a, C> {
    /// For which types order has to matter from now on: `None` for no further ones, `Some(None)` for all.
    pub numbered: Option<Option<&'a [u32]>>,
    /// How events are folded from now on.
    pub folding: Option<StdArc<dyn Folding>>,
    /// What the dispatcher is told.
    pub change: C,
}

impl<C, M> Hub<C, M> {
    pub fn new(limit: Limit, policy: OverflowPolicy, block_timeout: Duration, waker: Waker) -> Self {
        fence::prepare();
        Self {
            shown: CachePadded::new(Shown {
                open: AtomicBool::new(false),
                bell: AtomicU32::new(bell::AWAKE),
                numbered: NumberedTypes::new(),
                folding: AtomicBool::new(false),
                generation: AtomicU64::new(0),
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
        let producer = Arc::new(Producer::new(&raw const *self.sequence));
        self.intake.lock().join(Arc::clone(&producer));
        producer
    }

    /// The calling thread ends, or will not record here any more.
    pub fn leave(&self, producer: &Producer) {
        producer.leave(&self.limit);
        self.intake.lock().drop_departed();
    }

    /// Whether order among threads matters for events of this type.
    pub fn is_numbered(&self, type_id: u32) -> bool {
        self.shown.numbered.contains(type_id)
    }

    /// Whether the recorder is gone for good.
    pub fn is_retired(&self) -> bool {
        self.shown.retired.load(Ordering::Acquire)
    }

    /// Sees to what `producer`'s alert was raised for, if it was: where something has changed, `forget` is called before the
    /// thread records again. To be called before every call the long way.
    #[inline(always)]
    pub fn attend(&self, producer: &Producer, forget: impl FnOnce()) {
        if producer.is_alert(Alert::ANY) {
            producer.attend(|why| {
                if why.has(Alert::CHANGED) {
                    forget();
                }
                // Before the event is there, but then no call the short way has to look whether it sleeps.
                self.wake_if_asleep();
                // Where fences are dear (`fence.rs`), the short way, which takes them for cheap, is never open.
                !fence::light_is_free() || !self.is_open()
            });
        }
    }

    /// For a thread that has used its room up: under lasting overload, refusing must not cost more than accepting. So where
    /// the queue is as full as it was when somebody last looked for room in vain, nobody looks again. The call that found
    /// no room goes on: whether the recorder accepts events is not asked again.
    #[inline(always)]
    pub fn refuse_at_once(&self, producer: &Producer) -> Option<Verdict> {
        if self.policy == OverflowPolicy::Block || !self.limit.is_exhausted() {
            return None;
        }
        Some(self.overflow(producer, 1))
    }

    /// Whether a thread that is inside a call has room for an event of `len` bytes, new room included that is soon taken.
    #[inline(always)]
    pub fn has_room(&self, producer: &Producer, len: usize) -> bool {
        producer.has_room(cost(len)) || producer.renew_short(self, cost(len))
    }

    fn is_open(&self) -> bool {
        self.shown.open.load(Ordering::Acquire)
    }

    fn wake_if_asleep(&self) {
        if self.shown.bell.load(Ordering::Relaxed) == bell::ASLEEP {
            self.wake_from(bell::ASLEEP);
        }
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
        self.shown.open.store(true, Ordering::Release);
    }

    /// Lets no event in any more. When this returns, what was accepted is visible, and no thread is inside a call
    /// that could still accept one.
    pub fn close(&self) {
        self.shown.open.store(false, Ordering::SeqCst);
        self.shown.folding.store(false, Ordering::SeqCst);
        self.quiesce(&self.intake.lock());
        // Threads that wait for room have to look at the state.
        self.limit.announce_room();
    }

    /// Has all threads look around before they record again.
    pub fn alert(&self) {
        self.intake.lock().alert(Alert::CHANGED);
    }

    /// When this returns, no thread is inside a call that began before it looked around.
    fn quiesce(&self, intake: &Intake<C, M>) {
        intake.alert(Alert::CHANGED);
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
        self.shown.numbered.add(intake.published(), types)
    }

    /// Queues a change of the set of metrics behind all events that are registered already.
    pub fn change(&self, change: Change<'_, C>) {
        let mut intake = self.intake.lock();
        let Change {
            numbered,
            folding,
            change,
        } = change;
        self.shown.generation.fetch_add(1, Ordering::SeqCst);
        if numbered.is_some_and(|types| self.number_too(&mut intake, types)) {
            // Events that were not numbered come before the change.
            self.quiesce(&intake);
        } else {
            // What was folded may have to travel, or the other way around.
            intake.alert(Alert::CHANGED);
        }
        intake.fold_anew(folding);
        intake.change(&self.sequence, change);
    }

    /// Lets events be folded, until the hand-off is closed.
    pub fn begin_folding(&self) {
        let intake = self.intake.lock();
        // A recorder that stopped meanwhile closed first.
        if self.is_open() {
            self.shown.folding.store(true, Ordering::SeqCst);
            intake.alert(Alert::CHANGED);
        }
    }

    /// Tells the metrics of what was folded.
    pub fn tell_folded(&self) {
        self.intake.lock().tell_folded();
    }

    /// A tally for events of this type of `producer`'s thread, larger than `larger_than`, and [`Hub::generation`]; `None`:
    /// they travel.
    ///
    /// # Errors
    /// Somebody else is busy with the rings: a recording thread never waits for that.
    pub fn tally(
        &self,
        producer: &Producer,
        type_id: u32,
        larger_than: Option<&Tally>,
    ) -> Result<Option<(StdArc<Tally>, u64)>, Busy> {
        if !self.shown.folding.load(Ordering::Acquire) {
            return Ok(None);
        }
        let mut intake = self.intake.try_lock().ok_or(Busy)?;
        // Under the lock, so that it is so until the thread learns of the tally, or has an alert.
        if !self.shown.folding.load(Ordering::Acquire) {
            return Ok(None);
        }
        let tally = intake.tally(producer, type_id, larger_than);
        Ok(tally.map(|tally| (tally, self.generation())))
    }

    /// The number of the set of metrics, which grows with each change of it.
    pub fn generation(&self) -> u64 {
        self.shown.generation.load(Ordering::SeqCst)
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
        // Either a recording thread has an alert, or sees ASLEEP after it has published its event the long way, or the
        // event, or that the thread is about to publish it, is seen here.
        let intake = self.intake.lock();
        intake.alert(Alert::ASLEEP);
        fence::heavy();
        // First who is inside: a call that ended meanwhile has left its event to be seen.
        if intake.producers().any(|producer| producer.is_inside()) || intake.has_work() {
            self.shown.bell.store(bell::AWAKE, Ordering::SeqCst);
            return false;
        }
        true
    }

    // ---- anybody ----

    /// How many events are pending.
    pub fn pending(&self) -> u64 {
        let intake = self.intake.lock();
        let done = self.limit.done();
        intake.counts().accepted.saturating_sub(done)
    }

    /// The counts. `pending` never exceeds the limit.
    pub fn counts(&self) -> QueueCounts {
        let intake = self.intake.lock();
        let mut tries = 0;
        loop {
            let (dispatched, discarded) = self.limit.done_counts();
            let done_bytes = self.limit.done_bytes();
            let sums: Counts = intake.counts();
            // What was folded was dispatched at once.
            let folded = intake.folded();
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
                accepted: done + pending + folded,
                dispatched: dispatched + folded,
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
    fn accepts(&self) -> bool {
        self.is_open()
    }

    fn is_numbered(&self, type_id: u32) -> bool {
        Hub::is_numbered(self, type_id)
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
