//! Model checks of the hand-off: the real code under loom, which tries every interleaving, and every outcome that the
//! memory model allows, of a few threads and steps.

use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::thread;

use super::limit::{Limit, OverflowPolicy};
use super::producer::{Load, Producer, Short, Verdict};
use super::shape::Shape;
use super::{Hub, Next};

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

/// Records one event with `value` as payload, the short way where that goes, as recording threads do.
fn push(hub: &TestHub, producer: &Producer, type_id: u32, value: u64) -> Verdict {
    let payload = value.to_ne_bytes();
    let shape = Shape::new(type_id, payload.len()).unwrap();
    // SAFETY: the payload is readable, and each test gives each producer to one thread.
    let mut short = unsafe { hub.push_one::<false>(producer, &shape, payload.as_ptr(), payload.len()) };
    if short == Short::OtherGate {
        // SAFETY: as above.
        short = unsafe { hub.push_one::<true>(producer, &shape, payload.as_ptr(), payload.len()) };
    }
    match short {
        Short::Accepted => return Verdict::Accepted,
        Short::NoRoom => {
            if let Some(verdict) = hub.refuse_at_once(producer) {
                return verdict;
            }
        }
        Short::OtherGate | Short::TakeTheLongWay => {}
    }
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
        let producer = hub.join();
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

#[test]
fn a_dispatcher_that_sleeps_is_woken_or_saw_the_event() {
    check(4, || {
        let wakes = Arc::new(AtomicU32::new(0));
        // With a portion of three, the first event goes the long way, the next two go the short way.
        let hub = hub_with(6, &wakes);
        let producer = hub.join();
        push(&hub, &producer, 1, 6);
        assert_eq!(drain(&hub), [6]);
        let recording = {
            let hub = Arc::clone(&hub);
            thread::spawn(move || {
                push(&hub, &producer, 1, 7);
                push(&hub, &producer, 1, 8);
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
fn nothing_is_accepted_after_the_gate_is_closed() {
    check(4, || {
        let hub = hub(4);
        let producer = hub.join();
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
                let producer = hub.join();
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
        let (holder, taker) = (hub.join(), hub.join());
        // A portion is two events: one used, one in the lease.
        assert_eq!(push(&hub, &holder, 1, 0), Verdict::Accepted);
        let recording = {
            let hub = Arc::clone(&hub);
            let holder = Arc::clone(&holder);
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
        let (first, second) = (hub.join(), hub.join());
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
        let (first, second) = (hub.join(), hub.join());
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
        let producer = hub.join();
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
        hub.change(Some(None), 77);
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
