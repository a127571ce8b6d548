//! Model checks of the life cycle: the real recorder, dispatcher, driver, bell, waits and hand-off under shuttle, which
//! plays thousands of schedules of a few threads and notices where all of them wait for ever.
//!
//! What the host would see goes into a ledger, and each check ends with the same account: every accepted event was
//! handled in order, and released once; no refused one was ever touched; the counts agree. Schedules for each check:
//! `MVX_MODEL_ITERATIONS`. A schedule that fails is printed, and `shuttle::replay` plays it again.

mod cast;
mod ledger;
mod play;

use std::sync::Arc;

use self::cast::{Nature, Probe, Script, Watched, Way};
use self::play::{Subject, check, until};
use super::*;
use crate::snapshot::Value;

/// Starts that come while one is under way join it; one that comes later is refused.
#[test]
fn concurrent_starts_are_one() {
    for starting in [Way::Done, Way::Later, Way::Fails] {
        check(move |world| {
            let subject = world.virgin(Script::new(starting, Way::Done, None));
            let start = |subject: &Subject| Watched::new(subject.start());
            let other = subject.on_thread(start);
            let one = start(&subject);
            let other = other.join().unwrap();
            let both = [one.close(), other.close()];
            assert_eq!(subject.script.starts(), 1);
            if Arc::ptr_eq(one.wait.operation_itself(), other.wait.operation_itself()) {
                assert_eq!(both[0], both[1]);
            } else {
                assert!(both.contains(&Err("INVALID_RECORDER_STATE")), "{both:?}");
            }
            if starting == Way::Fails {
                assert!(both.contains(&Err("ON_STARTING_HOOK_FAILED")), "{both:?}");
                subject.close(RecorderState::Failure);
            } else {
                assert!(both.contains(&Ok(())), "{both:?}");
                subject.end();
            }
        });
    }
}

/// Stops that come while one is under way join it, and every event that was accepted before is dispatched.
#[test]
fn concurrent_stops_are_one() {
    check(|world| {
        let subject = world.running();
        let recording = subject.recording(2);
        let stop = |subject: &Subject| {
            let stop = Watched::new(subject.stop());
            let outcome = stop.outcome();
            let stats = subject.stats();
            assert_eq!(
                (stats.accepted, stats.pending),
                (stats.dispatched, 0),
                "{stats:?}"
            );
            assert_eq!(subject.state(), RecorderState::Stopped);
            (stop, outcome)
        };
        let other = subject.on_thread(stop);
        let one = stop(&subject);
        let other = other.join().unwrap();
        let both = [one.1, other.1];
        if Arc::ptr_eq(one.0.wait.operation_itself(), other.0.wait.operation_itself()) {
            assert_eq!(both, [Ok(()); 2]);
        } else {
            assert!(both.contains(&Ok(())), "{both:?}");
            assert!(both.contains(&Err("INVALID_RECORDER_STATE")), "{both:?}");
        }
        for stop in [one.0, other.0] {
            let _ = stop.close();
        }
        let _ = recording.join().unwrap();
        assert_eq!(subject.stats().discarded, 0);
        subject.close(RecorderState::Stopped);
    });
}

/// An event that meets a stop is accepted and dispatched, or refused; also after a restart.
#[test]
fn events_that_meet_a_stop_are_not_lost() {
    check(|world| {
        let subject = world.running();
        let recording = [subject.recording(2), subject.recording(2)];
        let stop = Watched::new(subject.stop());
        assert_eq!(stop.close(), Ok(()));
        let stats = subject.stats();
        assert_eq!(
            (stats.accepted, stats.pending),
            (stats.dispatched, 0),
            "{stats:?}"
        );
        for recording in recording {
            let statuses = recording.join().unwrap();
            let refused = statuses.iter().position(|status| *status != Status::Ok);
            let rest = &statuses[refused.unwrap_or(statuses.len())..];
            assert!(
                rest.iter().all(|status| *status == Status::InvalidState),
                "{statuses:?}"
            );
        }
        subject.close(RecorderState::Stopped);
        subject.begin();
        assert_eq!(subject.ledger.record(&subject).1, Status::Ok);
        subject.end();
        assert_eq!(subject.script.starts(), 2);
    });
}

/// Whatever meets a cancellation: the recorder ends cancelled, everything that was under way is told so once, and each
/// accepted event was dispatched or is discarded.
fn cancel_meets_everything(script: fn() -> Arc<Script>, in_batches: bool) {
    check(move |world| {
        let subject = world.subject(script(), RecorderOptions::default());
        let nature = Nature {
            in_batches,
            ..Nature::default()
        };
        let metric = Probe::with("m", world, nature);
        subject.register_metric("m", metric).unwrap();
        let recording = subject.recording(3);
        let living = subject.on_thread(|subject| {
            let start = Watched::new(subject.start());
            let _ = start.outcome();
            let stop = Watched::new(subject.stop());
            let _ = stop.outcome();
            [start, stop, Watched::new(subject.start())]
        });
        let cancelling = subject.on_thread(move |subject| {
            subject.cancel().unwrap();
            assert_eq!(subject.state(), RecorderState::Cancelled);
            let stats = subject.stats();
            assert!(stats.pending <= if in_batches { 3 } else { 1 }, "{stats:?}");
            subject.cancel().unwrap();
        });
        cancelling.join().unwrap();
        let _ = recording.join().unwrap();
        for watched in living.join().unwrap() {
            let outcome = watched.close();
            let allowed = [
                Ok(()),
                Err("DISPATCHER_UNEXPECTEDLY_CANCELLED"),
                Err("INVALID_RECORDER_STATE"),
            ];
            assert!(allowed.contains(&outcome), "{outcome:?}");
        }
        assert_eq!(
            subject.start().result().unwrap().unwrap_err().status,
            Status::InvalidState
        );
        subject.close(RecorderState::Cancelled);
    });
}

#[test]
fn cancel_meets_dispatch_start_and_stop() {
    cancel_meets_everything(|| Script::new(Way::Done, Way::Done, None), false);
}

#[test]
fn cancel_meets_a_batch() {
    cancel_meets_everything(|| Script::new(Way::Done, Way::Done, None), true);
}

#[test]
fn cancel_meets_hooks_that_are_pending() {
    cancel_meets_everything(|| Script::new(Way::Later, Way::Later, None), false);
    cancel_meets_everything(|| Script::new(Way::Done, Way::Done, Some(Way::Later)), false);
}

/// Two that cancel at once: when either returns, the recorder is cancelled and its events are gone.
#[test]
fn concurrent_cancels_agree() {
    check(|world| {
        let subject = world.running();
        for _ in 0..2 {
            subject.ledger.record(&subject);
        }
        let cancel = |subject: &Subject| {
            subject.cancel().unwrap();
            assert_eq!(subject.state(), RecorderState::Cancelled);
        };
        let other = subject.on_thread(cancel);
        cancel(&subject);
        other.join().unwrap();
        assert!(subject.stats().pending <= 1);
        subject.close(RecorderState::Cancelled);
    });
}

/// The first event starts the recorder, and so does a call: once.
#[test]
fn a_first_event_and_a_start_are_one_start() {
    for starting in [Way::Done, Way::Later] {
        check(move |world| {
            let subject = world.virgin(Script::new(starting, Way::Done, None));
            let recording = [subject.recording(1), subject.recording(1)];
            let start = Watched::new(subject.start());
            let outcome = start.close();
            for recording in recording {
                assert_eq!(recording.join().unwrap(), [Status::Ok]);
            }
            // RUNNING already, where an event was first.
            assert!(matches!(outcome, Ok(()) | Err("INVALID_RECORDER_STATE")));
            assert_eq!(subject.script.starts(), 1);
            // The event may have started it without anybody to wait for it.
            until(|| subject.state() == RecorderState::Running);
            subject.end();
            assert_eq!(subject.stats().dispatched, 2);
        });
    }
}

/// A metric gets what is registered after it, and nothing that was registered before; the one that it replaces gets the
/// rest, and is dropped after that.
fn metrics_change(commutative: bool, from_virgin: bool) {
    check(move |world| {
        let subject = world.subject(
            Script::new(Way::Done, Way::Done, None),
            RecorderOptions::default(),
        );
        let metric = |name: &'static str| {
            Probe::with(
                name,
                world,
                Nature {
                    commutative,
                    ..Nature::default()
                },
            )
        };
        subject.register_metric("place", metric("old")).unwrap();
        if !from_virgin {
            subject.begin();
        }
        let recording = subject.recording(2);
        let before = if from_virgin {
            None
        } else {
            Some(subject.ledger.record(&subject).0)
        };
        subject.register_metric("place", metric("new")).unwrap();
        subject.register_metric("further", metric("further")).unwrap();
        let (after, status) = subject.ledger.record(&subject);
        assert_eq!(status, Status::Ok);
        assert_eq!(recording.join().unwrap(), [Status::Ok; 2]);
        until(|| subject.state() == RecorderState::Running);
        subject.end();
        assert_eq!(subject.stats().dispatched, subject.ledger.lives().len() as u64);
        if let Some(before) = before {
            assert_eq!(subject.ledger.life(before).handled_by, ["old"]);
        }
        assert_eq!(subject.ledger.life(after).handled_by, ["new", "further"]);
        for life in subject.ledger.lives() {
            let handled_by = &*life.handled_by;
            let allowed: [&[&str]; 3] = [&["old"], &["new"], &["new", "further"]];
            assert!(allowed.contains(&handled_by), "{life:?}");
        }
        // Replaced, and let go of by the dispatcher; the other two live as long as the recorder.
        let ledger = Arc::clone(&subject.ledger);
        assert_eq!([ledger.drops_of("old"), ledger.drops_of("new")], [1, 0]);
        drop(subject);
        until(|| {
            [
                ledger.drops_of("old"),
                ledger.drops_of("new"),
                ledger.drops_of("further"),
            ] == [1; 3]
        });
    });
}

#[test]
fn a_metric_gets_what_comes_after_it() {
    metrics_change(false, false);
    metrics_change(true, false);
}

#[test]
fn a_metric_of_a_virgin_recorder_gets_what_comes_after_it() {
    metrics_change(false, true);
    metrics_change(true, true);
}

/// A flush that is over means that what its caller recorded before was dispatched.
#[test]
fn a_flush_is_over_when_its_events_are_dispatched() {
    check(|world| {
        let subject = world.running();
        let others = subject.recording(1);
        let flushing = |subject: &Subject| {
            let (number, status) = subject.ledger.record(subject);
            assert_eq!(status, Status::Ok);
            let flush = Watched::new(subject.flush());
            assert_eq!(flush.outcome(), Ok(()));
            assert_eq!(subject.ledger.life(number).released, 1);
            flush
        };
        let other = subject.on_thread(flushing);
        assert_eq!(flushing(&subject).close(), Ok(()));
        assert_eq!(other.join().unwrap().close(), Ok(()));
        let _ = others.join().unwrap();
        subject.end();
    });
}

/// A flush is over whatever becomes of the recorder, and true where it says that all is well.
#[test]
fn a_flush_that_meets_the_end_is_over() {
    for cancels in [false, true] {
        check(move |world| {
            let subject = world.running();
            let flushing = subject.on_thread(|subject| {
                let recorded = [subject.ledger.record(subject), subject.ledger.record(subject)];
                let flush = Watched::new(subject.flush());
                let outcome = flush.outcome();
                if outcome.is_ok() {
                    for (number, status) in recorded {
                        let released = subject.ledger.life(number).released;
                        assert_eq!(released, u32::from(status == Status::Ok));
                    }
                }
                flush
            });
            if cancels {
                subject.cancel().unwrap();
            } else {
                assert_eq!(Watched::new(subject.stop()).close(), Ok(()));
            }
            let outcome = flushing.join().unwrap().close();
            if cancels {
                let allowed = [
                    Ok(()),
                    Err("DISPATCHER_UNEXPECTEDLY_CANCELLED"),
                    Err("INVALID_RECORDER_STATE"),
                ];
                assert!(allowed.contains(&outcome), "{outcome:?}");
                subject.close(RecorderState::Cancelled);
            } else {
                assert_eq!(outcome, Ok(()));
                subject.close(RecorderState::Stopped);
            }
        });
    }
}

/// A metric that fails ends the recorder; a stop that meets it is over once, with the metric's error or refused.
#[test]
fn a_metric_that_fails_meets_a_stop() {
    for in_batches in [false, true] {
        check(move |world| {
            let subject = world.subject(
                Script::new(Way::Done, Way::Done, None),
                RecorderOptions::default(),
            );
            let nature = Nature {
                fails_on: Some(1),
                in_batches,
                ..Nature::default()
            };
            let metric = Probe::with("m", world, nature);
            subject.register_metric("m", metric).unwrap();
            subject.begin();
            let recording = subject.recording(3);
            let stop = Watched::new(subject.stop());
            let outcome = stop.close();
            let statuses = recording.join().unwrap();
            if statuses[1] == Status::Ok {
                let allowed = [Err("UNEXPECTED_ERROR"), Err("INVALID_RECORDER_STATE")];
                assert!(allowed.contains(&outcome), "{outcome:?}");
                let error = subject.last_error().unwrap();
                assert_eq!(
                    (error.reason, error.status),
                    ("UNEXPECTED_ERROR", Status::MetricFailed)
                );
                subject.close(RecorderState::Failure);
                assert!(subject.stats().discarded >= 1);
            } else {
                assert_eq!(outcome, Ok(()));
                subject.close(RecorderState::Stopped);
            }
        });
    }
}

/// A metric fails while somebody cancels: one of the two ends the recorder, and each event is let go of once.
#[test]
fn a_metric_that_fails_meets_a_cancellation() {
    for in_batches in [false, true] {
        check(move |world| {
            let subject = world.subject(
                Script::new(Way::Done, Way::Done, None),
                RecorderOptions::default(),
            );
            let nature = Nature {
                fails_on: Some(0),
                in_batches,
                ..Nature::default()
            };
            let metric = Probe::with("m", world, nature);
            subject.register_metric("m", metric).unwrap();
            // Taken as one batch, mostly.
            for _ in 0..3 {
                subject.ledger.record(&subject);
            }
            let cancelled = subject.cancel();
            until(|| subject.state().is_final());
            let state = if cancelled.is_ok() {
                RecorderState::Cancelled
            } else {
                RecorderState::Failure
            };
            subject.close(state);
        });
    }
}

/// When the last reference goes, the recorder dispatches what it has, stops, and lets go of its metrics.
#[test]
fn a_recorder_that_nobody_holds_stops() {
    for starting in [Way::Done, Way::Later] {
        check(move |world| {
            let subject = world.virgin(Script::new(starting, Way::Done, None));
            let holders: Vec<_> = (0..2)
                .map(|_| subject.on_thread(|subject| subject.ledger.record(subject).1))
                .collect();
            let script = Arc::clone(&subject.script);
            drop(subject);
            for holder in holders {
                assert_eq!(holder.join().unwrap(), Status::Ok);
            }
            until(|| world.ledger.drops_of("m") == 1);
            assert_eq!(world.ledger.close(), 2);
            for life in world.ledger.lives() {
                assert_eq!(life.handled_by, ["m"]);
            }
            assert_eq!((script.starts(), script.stops()), (1, 1));
        });
    }
}

/// A dispatcher that goes to sleep when an event comes has seen it, or is woken: nothing else would wake it here.
#[test]
fn a_dispatcher_that_goes_to_sleep_misses_nothing() {
    check(|world| {
        let subject = world.running();
        let recording = [subject.recording(1), subject.recording(1)];
        subject.ledger.await_handled(2);
        for recording in recording {
            assert_eq!(recording.join().unwrap(), [Status::Ok]);
        }
        // Once more, by a thread that is known already.
        subject.ledger.record(&subject);
        subject.ledger.await_handled(3);
        subject.ledger.record(&subject);
        subject.ledger.await_handled(4);
        subject.end();
    });
}

/// Who waits for room gets it, or is told that the recorder takes no more events: nobody waits for ever.
fn waiting_for_room(max_events: u64, end: fn(&Subject) -> RecorderState) {
    check(move |world| {
        let options = RecorderOptions {
            queue_max_size: Some(max_events),
            overflow_policy: Some(OverflowPolicy::Block),
            ..RecorderOptions::default()
        };
        let subject = world.subject(Script::new(Way::Done, Way::Done, None), options);
        subject.register_metric("m", Probe::plain("m", world)).unwrap();
        subject.begin();
        let recording = [subject.recording(3), subject.recording(3)];
        let watching = subject.on_thread(move |subject| {
            let mut accepted = 0;
            for _ in 0..3 {
                let stats = subject.stats();
                assert!(
                    stats.pending <= max_events && stats.accepted >= accepted,
                    "{stats:?}"
                );
                accepted = stats.accepted;
            }
        });
        let state = end(&subject);
        watching.join().unwrap();
        for recording in recording {
            for status in recording.join().unwrap() {
                assert!(matches!(status, Status::Ok | Status::InvalidState), "{status:?}");
            }
        }
        subject.close(state);
        let stats = subject.stats();
        assert!(stats.pending_max <= max_events && stats.refused == 0, "{stats:?}");
    });
}

fn stop(subject: &Subject) -> RecorderState {
    assert_eq!(Watched::new(subject.stop()).close(), Ok(()));
    RecorderState::Stopped
}

fn cancel(subject: &Subject) -> RecorderState {
    subject.cancel().unwrap();
    RecorderState::Cancelled
}

#[test]
fn waiting_for_room_meets_dispatch_and_stop() {
    waiting_for_room(1, stop);
    waiting_for_room(2, cancel);
}

/// The same where threads hold room that they do not use.
#[test]
fn waiting_for_room_that_others_hold() {
    waiting_for_room(4, stop);
    waiting_for_room(4, |subject| {
        subject.ledger.await_handled(6);
        stop(subject)
    });
}

/// A consistent snapshot shows what its caller recorded before, and calls no metric beside the dispatcher.
#[test]
fn a_snapshot_shows_what_came_before_it() {
    check(|world| {
        let subject = world.running();
        let recording = subject.recording(2);
        let snapshots = |subject: &Subject| {
            for own in 1..=2 {
                subject.ledger.record(subject);
                let snapshot = subject.snapshot(SnapshotMode::Consistent, None).unwrap();
                let seen = snapshot
                    .get("m")
                    .and_then(|value| value.get("seen"))
                    .and_then(Value::as_u64);
                assert!(seen >= Some(own), "{seen:?} of {own}");
            }
        };
        snapshots(&subject);
        let _ = recording.join().unwrap();
        subject.end();
    });
}

/// A snapshot is given whatever becomes of the recorder meanwhile.
#[test]
fn a_snapshot_that_meets_the_end_is_given() {
    for end in [stop, cancel] {
        check(move |world| {
            let subject = world.running();
            let looking = subject.on_thread(|subject| {
                let (_, status) = subject.ledger.record(subject);
                let snapshot = subject.snapshot(SnapshotMode::Consistent, None).unwrap();
                (status, snapshot)
            });
            let state = end(&subject);
            let (status, snapshot) = looking.join().unwrap();
            let seen = snapshot
                .get("m")
                .and_then(|value| value.get("seen"))
                .and_then(Value::as_u64);
            // It may have come while the recorder was stopping, and then it does not wait.
            assert!(seen <= Some(u64::from(status == Status::Ok)));
            subject.close(state);
        });
    }
}

/// A metric that was taken in while the recorder stops is there when it starts again.
#[test]
fn a_metric_that_meets_a_stop_is_there_after_it() {
    check(|world| {
        let subject = world.running();
        let late = Probe::plain("late", world);
        let registering = subject.on_thread(|subject| subject.register_metric("late", late));
        stop(&subject);
        let registered = registering.join().unwrap();
        subject.close(RecorderState::Stopped);
        subject.begin();
        let (number, status) = subject.ledger.record(&subject);
        assert_eq!(status, Status::Ok);
        subject.end();
        let handled_by = subject.ledger.life(number).handled_by;
        match registered {
            Ok(()) => {
                assert_eq!(handled_by, ["m", "late"]);
                assert_eq!(subject.ledger.drops_of("late"), 0);
            }
            Err(error) => {
                assert_eq!(error.status, Status::InvalidState);
                assert_eq!(handled_by, ["m"]);
                assert_eq!(subject.ledger.drops_of("late"), 1);
            }
        }
    });
}
