//! The crate as a Rust program uses it: by its safe API alone.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use mvx_metrics::error::Status;
use mvx_metrics::event::Event;
use mvx_metrics::metrics::MetricKind;
use mvx_metrics::metrics::native::NativeSpec;
use mvx_metrics::recorder::{
    MetricErrorPolicy, OverflowPolicy, Recorder, RecorderOptions, RecorderState, SnapshotMode,
};
use mvx_metrics::runtime::{Runtime, RuntimeOptions};
use mvx_metrics::snapshot::Writer;
use mvx_metrics::typed::{Failure, HandleEvents, Symbol, Text, TypedEvent};
use mvx_metrics::wait::{OperationKind, Wait};

mvx_metrics::event! {
    /// A document was saved, or was not.
    struct Saved: "typed.saved" {
        outcome: Symbol,
        pages: u16,
        name: Text<12>,
        seconds: f64,
    }
}

mvx_metrics::event! {
    struct Closed: "typed.closed" {}
}

fn saved(outcome: &str, pages: u16) -> Saved {
    Saved {
        outcome: Symbol::of(outcome).unwrap(),
        pages,
        name: Text::of("plan.odt"),
        seconds: 0.5,
    }
}

/// No test waits so long: what is not over by then never is.
const LONG: Option<Duration> = Some(Duration::from_secs(60));

fn runtime() -> Runtime {
    let runtime = Runtime::new(RuntimeOptions::default());
    runtime.start().unwrap();
    runtime
}

/// What an operation came to.
fn outcome(wait: &Wait) -> mvx_metrics::error::Result<()> {
    wait.block(LONG).unwrap();
    wait.result().unwrap()
}

fn count(recorder: &Recorder, metric: &str) -> Option<u64> {
    let snapshot = recorder.snapshot(SnapshotMode::Consistent, LONG).unwrap();
    snapshot.get(metric)?.get("value")?.as_u64()
}

/// Adds up pages, and keeps the names that it saw.
#[derive(Default)]
struct Pages {
    sum: u64,
    names: Vec<String>,
}

impl HandleEvents for Pages {
    fn handle_event(&mut self, event: &Event) -> Result<bool, Failure> {
        let saved = Saved::from_event(event).ok_or("not an event that was asked for")?;
        self.sum += u64::from(saved.pages);
        self.names.push(saved.name.as_str().to_owned());
        Ok(true)
    }

    fn snapshot(&self, writer: &mut Writer) -> Result<(), Failure> {
        writer.u64("sum", self.sum)?;
        writer.begin_list("names")?;
        for name in &self.names {
            writer.str("", name)?;
        }
        writer.end()?;
        Ok(())
    }

    fn event_types(&self) -> Option<Vec<u32>> {
        Saved::event_type().ok().map(|event_type| vec![event_type.id])
    }
}

/// Holds the dispatcher: says that it began with an event, and goes on with the next word.
struct Held {
    begun: Sender<()>,
    go_on: Receiver<()>,
}

impl HandleEvents for Held {
    fn handle_event(&mut self, _: &Event) -> Result<bool, Failure> {
        self.begun.send(())?;
        self.go_on.recv()?;
        Ok(true)
    }

    fn snapshot(&self, _: &mut Writer) -> Result<(), Failure> {
        Ok(())
    }
}

/// A recorder with room for `room` events, which is handling one and goes on when told to.
fn held(runtime: &Runtime, policy: OverflowPolicy, room: u64) -> (Recorder, Sender<()>) {
    let options = RecorderOptions {
        queue_max_size: Some(room + 1),
        overflow_policy: Some(policy),
        block_timeout: Some(Duration::from_millis(1)),
        ..RecorderOptions::default()
    };
    let recorder = runtime.create_recorder("held", options).unwrap();
    let ((begun, has_begun), (go_on, may_go_on)) = (channel(), channel());
    let metric = Held {
        begun,
        go_on: may_go_on,
    };
    recorder.register("held", metric).unwrap();
    recorder.record(&Closed {}).unwrap();
    // From here on nobody listens: later words find no receiver, which must not fail the metric.
    has_begun.recv().unwrap();
    thread::spawn(move || while has_begun.recv().is_ok() {});
    (recorder, go_on)
}

#[test]
fn metrics_get_the_events_that_they_ask_for_field_by_field() {
    let runtime = runtime();
    let recorder = runtime
        .create_recorder("documents", RecorderOptions::default())
        .unwrap();
    recorder.register("pages", Pages::default()).unwrap();
    let mut by_outcome = NativeSpec::new("saves", MetricKind::Counter, [Saved::event_type().unwrap()]);
    by_outcome.group_by = vec!["outcome".to_owned()];
    by_outcome.value_field = Some("pages".to_owned());
    recorder.register_native(&by_outcome).unwrap();

    recorder.record(&saved("success", 3)).unwrap();
    recorder.record(&Closed {}).unwrap();
    recorder.record(&saved("failure", 4)).unwrap();

    let snapshot = recorder.snapshot(SnapshotMode::Consistent, LONG).unwrap();
    assert_eq!(
        snapshot.to_json().unwrap(),
        concat!(
            r#"{"pages":{"sum":7,"names":["plan.odt","plan.odt"]},"#,
            r#""saves":{"series":[{"labels":{"outcome":"success"},"value":3},"#,
            r#"{"labels":{"outcome":"failure"},"value":4}],"overflow_events":0}}"#,
        )
    );
    assert!(snapshot.to_openmetrics().ends_with("# EOF\n"));
    assert_eq!(snapshot.stats.dispatched, 3);
    runtime.shutdown().unwrap();
}

#[test]
fn events_of_many_threads_are_all_counted_whether_they_fold_or_travel() {
    const THREADS: u64 = 4;
    const EACH: u64 = 5_000;
    let runtime = runtime();
    for folding in [true, false] {
        let options = RecorderOptions {
            overflow_policy: Some(OverflowPolicy::Block),
            block_timeout: LONG,
            folding,
            ..RecorderOptions::default()
        };
        let recorder = Recorder::new(&runtime, options).unwrap();
        let all = NativeSpec::new("all", MetricKind::Counter, [Saved::event_type().unwrap()]);
        recorder.register_native(&all).unwrap();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let event = saved("success", 1);
                    for _ in 0..EACH {
                        recorder.record(&event).unwrap();
                    }
                });
            }
        });
        assert_eq!(
            count(&recorder, "all"),
            Some(THREADS * EACH),
            "folding: {folding}"
        );
        assert_eq!(recorder.stats().accepted, THREADS * EACH);
    }
    runtime.shutdown().unwrap();
}

#[test]
fn a_full_recorder_does_what_its_policy_says() {
    let runtime = runtime();
    for (policy, answer, dropped, refused) in [
        (OverflowPolicy::RaiseError, Err(Status::QueueOverflow), 0, 1),
        (OverflowPolicy::Drop, Ok(()), 1, 0),
        (OverflowPolicy::Block, Err(Status::Timeout), 0, 1),
    ] {
        let (recorder, go_on) = held(&runtime, policy, 2);
        for _ in 0..2 {
            recorder.record(&Closed {}).unwrap();
        }
        assert_eq!(recorder.record(&Closed {}), answer, "{policy:?}");
        let stats = recorder.stats();
        assert_eq!(
            (stats.pending, stats.dropped, stats.refused),
            (3, dropped, refused)
        );

        for _ in 0..3 {
            go_on.send(()).unwrap();
        }
        outcome(&recorder.flush()).unwrap();
        // There is room again.
        go_on.send(()).unwrap();
        recorder.record(&Closed {}).unwrap();
        runtime.stop_and_remove_recorder("held").unwrap();
        assert_eq!(recorder.stats().dispatched, 4);
    }
    runtime.shutdown().unwrap();
}

#[test]
fn a_stopped_recorder_refuses_events_until_it_is_started_again() {
    let runtime = runtime();
    let recorder = Recorder::new(&runtime, RecorderOptions::default()).unwrap();
    recorder.register("pages", Pages::default()).unwrap();
    assert_eq!(recorder.state(), RecorderState::Virgin);
    // The first event starts it.
    recorder.record(&saved("success", 1)).unwrap();
    outcome(&recorder.flush()).unwrap();
    outcome(&recorder.stop()).unwrap();
    assert_eq!(recorder.state(), RecorderState::Stopped);
    // The thread has recorded such events here before, and must not go on as it did.
    assert_eq!(recorder.record(&saved("success", 10)), Err(Status::InvalidState));
    outcome(&recorder.start()).unwrap();
    recorder.record(&saved("success", 100)).unwrap();

    let snapshot = recorder.snapshot(SnapshotMode::Consistent, LONG).unwrap();
    assert_eq!(
        snapshot.get("pages").unwrap().get("sum").unwrap().as_u64(),
        Some(101)
    );
    runtime.shutdown().unwrap();
    assert_eq!(recorder.record(&saved("success", 1)), Err(Status::InvalidState));
}

#[test]
fn a_wait_tells_what_it_stands_for_and_when_that_is_over() {
    let runtime = runtime();
    let (recorder, go_on) = held(&runtime, OverflowPolicy::RaiseError, 2);
    let flush = recorder.flush();
    assert_eq!(flush.operation(), OperationKind::Flush);
    assert!(flush.result().is_none());
    assert_eq!(
        flush.block(Some(Duration::ZERO)).unwrap_err().status,
        Status::Timeout
    );
    let (tell, told) = channel();
    flush.on_complete(Box::new(move |kind, result| {
        tell.send((kind, result.is_ok())).unwrap();
    }));

    go_on.send(()).unwrap();
    assert_eq!(told.recv_timeout(LONG.unwrap()), Ok((OperationKind::Flush, true)));
    assert!(flush.result().unwrap().is_ok());
    // What can't begin is over at once, with the reason.
    let again = recorder.start();
    let refused = outcome(&again).unwrap_err();
    assert_eq!(
        (refused.status, refused.reason),
        (Status::InvalidState, "INVALID_RECORDER_STATE")
    );
    runtime.shutdown().unwrap();
}

/// Fails at every event.
struct Broken;

impl HandleEvents for Broken {
    fn handle_event(&mut self, _: &Event) -> Result<bool, Failure> {
        Err("the disk is full".into())
    }

    fn snapshot(&self, _: &mut Writer) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn a_metric_that_fails_can_be_taken_out_alone() {
    let runtime = runtime();
    let options = RecorderOptions {
        metric_error_policy: MetricErrorPolicy::QuarantineMetric,
        ..RecorderOptions::default()
    };
    let recorder = runtime.create_recorder("documents", options).unwrap();
    recorder.register("broken", Broken).unwrap();
    recorder.register("pages", Pages::default()).unwrap();
    recorder.record(&saved("success", 2)).unwrap();
    recorder.record(&saved("success", 3)).unwrap();

    let snapshot = recorder.snapshot(SnapshotMode::Consistent, LONG).unwrap();
    assert_eq!(
        snapshot.get("pages").unwrap().get("sum").unwrap().as_u64(),
        Some(5)
    );
    assert_eq!(recorder.stats().quarantined_metrics, 1);
    let broken = recorder
        .iter_metrics()
        .into_iter()
        .find(|metric| metric.name() == "broken")
        .unwrap();
    assert!(
        broken
            .quarantined()
            .unwrap()
            .to_string()
            .contains("the disk is full")
    );
    runtime.shutdown().unwrap();
}

#[test]
fn errors_say_what_is_wrong() {
    let runtime = Runtime::new(RuntimeOptions::default());
    let early = runtime
        .create_recorder("documents", RecorderOptions::default())
        .err()
        .unwrap();
    assert_eq!(early.reason, "INVALID_RUNTIME_STATE");
    runtime.start().unwrap();
    let recorder = runtime
        .create_recorder("documents", RecorderOptions::default())
        .unwrap();
    let again = runtime
        .create_recorder("documents", RecorderOptions::default())
        .err()
        .unwrap();
    assert_eq!(again.status, Status::AlreadyExists);
    let mut bad = NativeSpec::new("saves", MetricKind::Counter, [Saved::event_type().unwrap()]);
    bad.group_by = vec!["author".to_owned()];
    let unknown = recorder.register_native(&bad).unwrap_err();
    assert_eq!(unknown.status, Status::InvalidArgument);
    assert!(unknown.to_string().contains("author"), "{unknown}");
    assert_eq!(
        recorder.register("", Pages::default()).unwrap_err().status,
        Status::InvalidArgument
    );
    runtime.shutdown().unwrap();
}
