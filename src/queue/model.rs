//! Model checks of the hand-off: the real code under loom, which tries every interleaving, and every outcome that the
//! memory model allows, of a few threads and steps.

use std::cell::{Cell, RefCell};
use std::sync::Arc as StdArc;
use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::thread;

use super::alert::Alert;
use super::fold::{Fold, FoldPlan, Folding, KeyAt, Tally};
use super::limit::{Limit, OverflowPolicy};
use super::producer::{Load, Producer, Short, Verdict};
use super::shape::Shape;
use super::{Change, Hub, Next};

type TestHub = Hub<u32, u32>;

fn hub_with(max_events: u64, wakes: &Arc<AtomicU32>) -> Arc<TestHub> {
    let wakes = Arc::clone(wakes);
    let hub = TestHub::new(
        Limit::new(max_events, 1 << 24),
        OverflowPolicy::RaiseError,
        Duration::from_secs(1),
        Box::new(move || {
            wakes.fetch_add(1, Ordering::SeqCst);
        }),
    );
    hub.open();
    Arc::new(hub)
}

fn hub(max_events: u64) -> Arc<TestHub> {
    hub_with(max_events, &Arc::new(AtomicU32::new(0)))
}

/// A recording thread's ring, and what the thread has learned (`local/shortcut.rs`).
struct Recording {
    producer: Arc<Producer>,
    learned: Cell<Option<(Shape, bool)>>,
    tally: RefCell<Option<StdArc<Tally>>>,
}

fn join(hub: &TestHub) -> Recording {
    Recording {
        producer: hub.join(),
        learned: Cell::new(None),
        tally: RefCell::new(None),
    }
}

/// Has a thread that has an alert look around, and forget what it learned.
fn attend(hub: &TestHub, recording: &Recording) {
    hub.attend(&recording.producer, || {
        recording.learned.set(None);
        recording.tally.replace(None);
    });
}

/// Records the short way.
fn push_short(recording: &Recording, payload: &[u8]) -> Short {
    let (pointer, len) = (payload.as_ptr(), payload.len());
    let Recording {
        producer, learned, ..
    } = recording;
    let Some(inside) = producer.enter_short(Alert::ANY) else {
        return Short::TakeTheLongWay;
    };
    match learned.get() {
        // SAFETY: the payload is readable, and each test gives each producer to one thread.
        Some((shape, false)) => unsafe { producer.push_one::<false>(inside, &shape, pointer, len) },
        // SAFETY: as above.
        Some((shape, true)) => unsafe { producer.push_one::<true>(inside, &shape, pointer, len) },
        None => {
            producer.leave_short(inside);
            Short::TakeTheLongWay
        }
    }
}

/// Records one event with `value` as payload, the short way where that goes, as recording threads do.
fn push(hub: &TestHub, recording: &Recording, type_id: u32, value: u64) -> Verdict {
    let payload = value.to_ne_bytes();
    let Recording {
        producer, learned, ..
    } = recording;
    if learned.get().is_none() {
        producer.learn(|| {
            let numbered = hub.is_numbered(type_id);
            learned.set(Shape::new(type_id, payload.len(), numbered).map(|shape| (shape, numbered)));
        });
    }
    let mut went = push_short(recording, &payload);
    if went == Short::NoRoom {
        if let Some(inside) = producer.enter_short(Alert::ANY) {
            let refused = hub.refuse_at_once(producer);
            let renewed = refused.is_none() && hub.has_room(producer, payload.len());
            producer.leave_short(inside);
            if let Some(verdict) = refused {
                return verdict;
            }
            if renewed {
                went = push_short(recording, &payload);
            }
        }
    }
    if went == Short::Accepted {
        return Verdict::Accepted;
    }
    attend(hub, recording);
    let load = Load {
        type_id,
        payloads: payload.as_ptr(),
        len: payload.len(),
        count: 1,
        timed: false,
    };
    // SAFETY: the payload is readable, and each test gives each producer to one thread.
    unsafe { hub.push(producer, load) }.1
}

/// Folds one event, if it is known how, and nothing has changed; whether it did.
fn fold(recording: &Recording) -> bool {
    let Recording { producer, tally, .. } = recording;
    let tally = tally.borrow();
    let tally = tally.as_ref().filter(|_| !producer.is_alert(Alert::CHANGED));
    tally.inspect(|tally| tally.add_all(1)).is_some()
}

/// Records one event, folded where that may be; whether it was folded.
fn fold_or_push(hub: &TestHub, recording: &Recording, type_id: u32) -> bool {
    if fold(recording) {
        return true;
    }
    attend(hub, recording);
    let Recording { producer, tally, .. } = recording;
    if tally.borrow().is_none()
        && let Ok(Some((found, generation))) = hub.tally(producer, type_id, None)
    {
        producer.learn(|| {
            if hub.generation() == generation {
                tally.replace(Some(found));
            }
        });
    }
    if fold(recording) {
        return true;
    }
    push(hub, recording, type_id, 0);
    false
}

/// A set of metrics: what was folded into it, if it lets fold.
struct Set {
    folded: Arc<AtomicU32>,
    folds: bool,
}

impl Folding for Set {
    fn plan(&self, _type_id: u32) -> Option<FoldPlan> {
        let into = Box::new(Counting(Arc::clone(&self.folded)));
        let key_at = KeyAt::Nowhere;
        self.folds.then_some(FoldPlan { key_at, into })
    }
}

struct Counting(Arc<AtomicU32>);

impl Fold for Counting {
    fn add(&self, _key: u64, count: u64) {
        self.0.fetch_add(u32::try_from(count).unwrap(), Ordering::Relaxed);
    }
}

fn change_to(hub: &TestHub, folded: &Arc<AtomicU32>, folds: bool) {
    let folded = Arc::clone(folded);
    hub.change(Change {
        numbered: None,
        folding: Some(StdArc::new(Set { folded, folds })),
        change: 77,
    });
}

/// Everything that can be taken now: values, by the order of dispatch.
fn drain(hub: &TestHub) -> Vec<u64> {
    let mut values = Vec::new();
    loop {
        let next = hub.collect(16, |record| {
            // SAFETY: the payload has eight bytes, aligned.
            values.push(unsafe { *record.payload.cast::<u64>() });
        });
        if next == Next::Nothing {
            return values;
        }
    }
}

fn check(bound: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(bound);
    model.check(test);
}

#[test]
fn a_ring_keeps_order_and_loses_nothing_while_it_grows() {
    check(3, || {
        let hub = hub(4);
        let producer = join(&hub);
        let recording = {
            let hub = Arc::clone(&hub);
            thread::spawn(move || {
                for value in 0..3 {
                    assert_eq!(push(&hub, &producer, 1, value), Verdict::Accepted);
                }
            })
        };
        let mut values = drain(&hub);
        recording.join().unwrap();
        values.extend(drain(&hub));
        assert_eq!(values, [0, 1, 2]);
    });
}

/// Of `events`, all but the first of the thread's life go the short way, with a portion of three.
fn a_dispatcher_sleeps_while_come(events: u64) {
    check(4, move || {
        let wakes = Arc::new(AtomicU32::new(0));
        let hub = hub_with(6, &wakes);
        let producer = join(&hub);
        push(&hub, &producer, 1, 6);
        assert_eq!(drain(&hub), [6]);
        let recording = {
            let hub = Arc::clone(&hub);
            thread::spawn(move || {
                for event in 0..events {
                    push(&hub, &producer, 1, event);
                }
            })
        };
        let slept = hub.try_sleep();
        recording.join().unwrap();
        let woken = wakes.load(Ordering::SeqCst);
        assert!(woken <= 1, "woken {woken} times in one burst");
        // Asleep with an event in the ring, and nobody rang: lost.
        assert!(!slept || woken == 1);
    });
}

#[test]
fn a_dispatcher_that_sleeps_is_woken_or_saw_the_event() {
    // One alone: a second one would wake it for the first.
    a_dispatcher_sleeps_while_come(1);
}

#[test]
fn a_dispatcher_that_sleeps_is_woken_once() {
    a_dispatcher_sleeps_while_come(2);
}

#[test]
fn nothing_is_accepted_after_the_gate_is_closed() {
    check(4, || {
        let hub = hub(4);
        let producer = join(&hub);
        // With a portion of two, the next event goes the short way, the one after it the long way.
        push(&hub, &producer, 1, 6);
        assert_eq!(drain(&hub), [6]);
        let recording = {
            let hub = Arc::clone(&hub);
            thread::spawn(move || {
                u64::from(push(&hub, &producer, 1, 0) == Verdict::Accepted)
                    + u64::from(push(&hub, &producer, 1, 1) == Verdict::Accepted)
            })
        };
        hub.close();
        let drained = drain(&hub).len() as u64;
        let accepted = recording.join().unwrap();
        assert_eq!(accepted, drained);
        assert!(drain(&hub).is_empty());
    });
}

#[test]
fn a_small_limit_is_exact_for_two_threads() {
    check(4, || {
        let hub = hub(1);
        let threads: Vec<_> = (0..2)
            .map(|value| {
                let hub = Arc::clone(&hub);
                let producer = join(&hub);
                thread::spawn(move || push(&hub, &producer, 1, value))
            })
            .collect();
        let verdicts: Vec<Verdict> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(
            verdicts.contains(&Verdict::Accepted) && verdicts.contains(&Verdict::Refused),
            "{verdicts:?}"
        );
        let counts = hub.counts();
        assert_eq!((counts.accepted, counts.pending, counts.refused), (1, 1, 1));
    });
}

/// One thread holds a lease and may be using it while another, at the limit, takes it away: no room appears or is lost.
#[test]
fn a_revoked_lease_is_neither_lost_nor_used_twice() {
    check(3, || {
        let hub = hub(4);
        let (holder, taker) = (join(&hub), join(&hub));
        // A portion is two events: one used, one in the lease.
        assert_eq!(push(&hub, &holder, 1, 0), Verdict::Accepted);
        let recording = {
            let hub = Arc::clone(&hub);
            thread::spawn(move || u64::from(push(&hub, &holder, 1, 1) == Verdict::Accepted))
        };
        let mut accepted = 1;
        for value in 2..5 {
            accepted += u64::from(push(&hub, &taker, 1, value) == Verdict::Accepted);
        }
        accepted += recording.join().unwrap();
        assert!(accepted <= 4);
        assert_eq!(hub.counts().pending, accepted);
        // With everybody quiet, all room can be had by one.
        let mut more = 0;
        while push(&hub, &taker, 1, 9) == Verdict::Accepted {
            more += 1;
            assert!(accepted + more <= 4, "more than the limit");
            // What a search found to be in vain is searched again once an event is done.
        }
        hub.limit().discarded(1, 24);
        while push(&hub, &taker, 1, 9) == Verdict::Accepted {
            more += 1;
        }
        assert_eq!(accepted + more, 5, "room was lost");
    });
}

#[test]
fn what_was_registered_before_is_dispatched_before() {
    check(3, || {
        let hub = hub(4);
        hub.number_all();
        let (first, second) = (join(&hub), join(&hub));
        let handed_over = Arc::new(AtomicBool::new(false));
        let one = {
            let (hub, handed_over) = (Arc::clone(&hub), Arc::clone(&handed_over));
            thread::spawn(move || {
                push(&hub, &first, 1, 1);
                handed_over.store(true, Ordering::Release);
            })
        };
        let two = {
            let (hub, handed_over) = (Arc::clone(&hub), Arc::clone(&handed_over));
            thread::spawn(move || {
                if handed_over.load(Ordering::Acquire) {
                    push(&hub, &second, 1, 2);
                }
            })
        };
        let mut values = drain(&hub);
        one.join().unwrap();
        two.join().unwrap();
        values.extend(drain(&hub));
        assert!(values == [1] || values == [1, 2], "{values:?}");
    });
}

/// A thread that goes on with its last number notices when another took one in between.
#[test]
fn order_goes_back_and_forth_between_threads() {
    check(3, || {
        let hub = hub(4);
        hub.number_all();
        let (first, second) = (join(&hub), join(&hub));
        let (there, back) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let other = {
            let (hub, there, back) = (Arc::clone(&hub), Arc::clone(&there), Arc::clone(&back));
            thread::spawn(move || {
                if there.load(Ordering::Acquire) {
                    push(&hub, &second, 1, 3);
                    back.store(true, Ordering::Release);
                }
            })
        };
        push(&hub, &first, 1, 1);
        push(&hub, &first, 1, 2);
        there.store(true, Ordering::Release);
        let came_back = back.load(Ordering::Acquire);
        if came_back {
            push(&hub, &first, 1, 4);
        }
        other.join().unwrap();
        let values = drain(&hub);
        assert!(
            values == [1, 2] || values == [1, 2, 3] || values == [1, 2, 3, 4],
            "{values:?}"
        );
    });
}

/// A metric for which order matters comes while events are under way: those after it, and only those, are its own, and
/// in order.
#[test]
fn a_change_of_metrics_cuts_between_before_and_after() {
    check(3, || {
        let hub = hub(4);
        let producer = join(&hub);
        let changed = Arc::new(AtomicBool::new(false));
        let recording = {
            let (hub, changed) = (Arc::clone(&hub), Arc::clone(&changed));
            thread::spawn(move || {
                push(&hub, &producer, 1, 1);
                if changed.load(Ordering::Acquire) {
                    push(&hub, &producer, 1, 2);
                }
            })
        };
        hub.change(Change {
            numbered: Some(None),
            folding: None,
            change: 77,
        });
        changed.store(true, Ordering::Release);
        recording.join().unwrap();
        let mut order = Vec::new();
        loop {
            let mut values = Vec::new();
            // SAFETY: the payload has eight bytes, aligned.
            match hub.collect(16, |record| values.push(unsafe { *record.payload.cast::<u64>() })) {
                Next::Events => order.extend(values),
                Next::Change(change) => order.push(u64::from(change)),
                Next::Nothing => break,
            }
        }
        let place = |value| order.iter().position(|&seen| seen == value);
        assert!(place(77).is_some() && place(1).is_some());
        if let Some(after) = place(2) {
            assert!(Some(after) > place(77), "{order:?}");
        }
    });
}

/// The metrics change while events are folded: each is counted once, and those that come after the change by what comes
/// after it.
fn events_meet_a_change(folds_after: bool) {
    check(3, move || {
        let hub = hub(4);
        let (old, new) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        change_to(&hub, &old, true);
        hub.begin_folding();
        let recording = join(&hub);
        assert!(fold_or_push(&hub, &recording, 1));
        let changed = Arc::new(AtomicBool::new(false));
        let thread = {
            let (hub, changed) = (Arc::clone(&hub), Arc::clone(&changed));
            thread::spawn(move || {
                let first = fold_or_push(&hub, &recording, 1);
                let after = changed.load(Ordering::Acquire);
                let second = fold_or_push(&hub, &recording, 1);
                (first, after, second)
            })
        };
        change_to(&hub, &new, folds_after);
        changed.store(true, Ordering::Release);
        let counts = hub.counts();
        assert_eq!(counts.accepted, counts.dispatched + counts.pending);
        let (first, after, second) = thread.join().unwrap();
        hub.tell_folded();
        assert!(
            old.load(Ordering::Relaxed) >= 1,
            "what came before is the old set's"
        );
        let folded = old.load(Ordering::Relaxed) + new.load(Ordering::Relaxed);
        assert_eq!(folded, 1 + u32::from(first) + u32::from(second));
        // Where the thread could not learn for want of a lock, it travelled, which is as good.
        assert!(!after || !second || (folds_after && new.load(Ordering::Relaxed) >= 1));
        let counts = hub.counts();
        assert_eq!(counts.accepted, 3);
        assert_eq!(counts.dispatched, u64::from(folded));
        assert_eq!(counts.pending, u64::from(!first) + u64::from(!second));
    });
}

#[test]
fn folded_events_meet_a_change_of_metrics() {
    events_meet_a_change(true);
}

#[test]
fn folded_events_meet_a_metric_that_wants_to_see_each() {
    events_meet_a_change(false);
}

/// A dispatcher that sleeps is left alone by what is folded, and woken by what travels.
#[test]
fn what_is_folded_wakes_nobody() {
    check(3, || {
        let wakes = Arc::new(AtomicU32::new(0));
        let hub = hub_with(4, &wakes);
        let folded = Arc::new(AtomicU32::new(0));
        change_to(&hub, &folded, true);
        hub.begin_folding();
        let recording = join(&hub);
        assert!(fold_or_push(&hub, &recording, 1));
        assert!(drain(&hub).is_empty());
        let thread = {
            let hub = Arc::clone(&hub);
            thread::spawn(move || {
                assert!(fold_or_push(&hub, &recording, 1));
                recording
            })
        };
        assert!(hub.try_sleep());
        let recording = thread.join().unwrap();
        assert!(fold_or_push(&hub, &recording, 1));
        assert_eq!(wakes.load(Ordering::SeqCst), 0);
        push(&hub, &recording, 1, 0);
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
    });
}

/// Whoever learns that an event was registered finds it in the metrics, or in the ring.
#[test]
fn what_was_folded_is_read() {
    check(3, || {
        let hub = hub(4);
        let folded = Arc::new(AtomicU32::new(0));
        change_to(&hub, &folded, true);
        hub.begin_folding();
        let recording = join(&hub);
        let registered = Arc::new(AtomicU32::new(0));
        let thread = {
            let (hub, registered) = (Arc::clone(&hub), Arc::clone(&registered));
            thread::spawn(move || {
                for n in 1..=2 {
                    fold_or_push(&hub, &recording, 1);
                    registered.store(n, Ordering::Release);
                }
            })
        };
        let seen = u64::from(registered.load(Ordering::Acquire));
        hub.tell_folded();
        let shown = u64::from(folded.load(Ordering::Relaxed));
        assert!(shown + hub.pending() >= seen);
        thread.join().unwrap();
    });
}
