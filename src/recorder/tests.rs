use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::*;
use crate::callback::{Completion, HookOutcome, Hooks};
use crate::event::{self, Event, EventTypeOptions};
use crate::metrics::MetricKind;
use crate::runtime::{RuntimeOptions, RuntimeState};
use crate::snapshot::{MetricSnapshot, Value};

fn event_type(name: &str) -> u32 {
    event::declare(EventTypeOptions {
        name: name.to_owned(),
        fields: Vec::new(),
        timed: false,
        release: None,
    })
    .unwrap()
    .id
}

fn runtime() -> Runtime {
    let runtime = Runtime::new(RuntimeOptions::default());
    runtime.start().unwrap();
    runtime
}

type Handler = Box<dyn Fn(&Event) -> std::result::Result<bool, Error> + Send + Sync>;

struct Scripted {
    handler: Handler,
    seen: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

impl Scripted {
    fn counting() -> (Box<dyn Metric>, Arc<AtomicU64>, Arc<AtomicU64>) {
        Self::with(Box::new(|_| Ok(true)))
    }

    fn with(handler: Handler) -> (Box<dyn Metric>, Arc<AtomicU64>, Arc<AtomicU64>) {
        let (seen, dropped) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        (
            Box::new(Self {
                handler,
                seen: Arc::clone(&seen),
                dropped: Arc::clone(&dropped),
            }),
            seen,
            dropped,
        )
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

impl Metric for Scripted {
    fn kind(&self) -> MetricKind {
        MetricKind::Vtable
    }
    fn event_types(&self) -> Option<&[u32]> {
        None
    }
    fn order_matters(&self) -> bool {
        true
    }
    fn offers_batch(&self) -> bool {
        false
    }
    fn handle_event(&self, event: &Event) -> std::result::Result<bool, Error> {
        let result = (self.handler)(event);
        self.seen.fetch_add(1, Ordering::SeqCst);
        result
    }
    fn handle_batch(&self, _: &[Event], _: Option<&mut [u8]>) -> std::result::Result<(), Error> {
        unreachable!("offers no batch")
    }
    fn snapshot(&self) -> std::result::Result<MetricSnapshot, Error> {
        let seen = Value::U64(self.seen.load(Ordering::SeqCst));
        Ok(MetricSnapshot {
            value: Value::Map(vec![("seen".to_owned(), seen)]),
            family: None,
        })
    }
    fn user_data(&self) -> *mut c_void {
        std::ptr::null_mut()
    }
}

fn seen_in(snapshot: &Snapshot, metric: &str) -> u64 {
    snapshot
        .get(metric)
        .and_then(|value| value.get("seen"))
        .and_then(Value::as_u64)
        .unwrap()
}

#[test]
fn a_life_from_first_event_to_stop() {
    let runtime = runtime();
    let kind = event_type("recorder.tests.life");
    let recorder = Recorder::new(&runtime, RecorderOptions::default()).unwrap();
    assert_eq!(recorder.state(), RecorderState::Virgin);
    assert_eq!(recorder.entity_id().len(), 8);
    let (metric, seen, dropped) = Scripted::counting();
    recorder.register_metric("count", metric).unwrap();
    for _ in 0..1_000 {
        assert_eq!(recorder.register_event(kind, &[1, 2, 3]), Status::Ok);
    }
    recorder.start().block(None).unwrap();
    let snapshot = recorder.snapshot(SnapshotMode::Consistent, None).unwrap();
    assert_eq!(seen_in(&snapshot, "count"), 1_000);
    assert_eq!(recorder.register_event(kind, &[]), Status::Ok);
    let stop = recorder.stop();
    stop.block(None).unwrap();
    stop.result().unwrap().unwrap();
    assert_eq!(recorder.state(), RecorderState::Stopped);
    assert_eq!(recorder.register_event(kind, &[]), Status::InvalidState);
    assert_eq!(seen.load(Ordering::SeqCst), 1_001);
    let stats = recorder.stats();
    assert_eq!(
        (stats.accepted, stats.dispatched, stats.pending),
        (1_001, 1_001, 0)
    );
    let start = recorder.start();
    start.block(None).unwrap();
    start.result().unwrap().unwrap();
    assert_eq!(recorder.register_event(kind, &[]), Status::Ok);
    recorder.flush().block(None).unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 1_002);
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    runtime.shutdown().unwrap();
    assert_eq!(runtime.state(), RuntimeState::Closed);
    assert_eq!(recorder.state(), RecorderState::Stopped);
    assert_eq!(
        seen_in(
            &recorder.snapshot(SnapshotMode::Consistent, None).unwrap(),
            "count"
        ),
        1_002
    );
    drop(recorder);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn cancel_discards_at_once_what_no_callback_holds() {
    let runtime = runtime();
    let kind = event_type("recorder.tests.cancel");
    let recorder = Recorder::new(&runtime, RecorderOptions::default()).unwrap();
    let (entered, is_in) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let gate = parking_lot::Mutex::new(gate);
    let (metric, ..) = Scripted::with(Box::new(move |_| {
        entered.send(()).unwrap();
        let _ = gate.lock().recv();
        Ok(true)
    }));
    recorder.register_metric("blocking", metric).unwrap();
    for _ in 0..5 {
        assert_eq!(recorder.register_event(kind, &[]), Status::Ok);
    }
    is_in.recv().unwrap();
    let flush = recorder.flush();
    recorder.cancel().unwrap();
    assert_eq!(recorder.state(), RecorderState::Cancelled);
    assert_eq!(flush.result().unwrap().unwrap_err().status, Status::Cancelled);
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.discarded, stats.pending), (5, 4, 1));
    open.send(()).unwrap();
    while recorder.stats().pending > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(recorder.stats().dispatched, 1);
    runtime.shutdown().unwrap();
}

#[test]
fn the_limit_is_exact_and_room_comes_back_with_each_event() {
    let runtime = runtime();
    let kind = event_type("recorder.tests.limit");
    let options = RecorderOptions {
        queue_max_size: Some(2),
        ..RecorderOptions::default()
    };
    let recorder = Recorder::new(&runtime, options).unwrap();
    let (entered, is_in) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let gate = parking_lot::Mutex::new(gate);
    let (metric, ..) = Scripted::with(Box::new(move |_| {
        entered.send(()).unwrap();
        let _ = gate.lock().recv();
        Ok(true)
    }));
    recorder.register_metric("blocking", metric).unwrap();
    assert_eq!(recorder.register_event(kind, &[]), Status::Ok);
    is_in.recv().unwrap();
    assert_eq!(recorder.register_event(kind, &[]), Status::Ok);
    assert_eq!(recorder.register_event(kind, &[]), Status::QueueOverflow);
    open.send(()).unwrap();
    is_in.recv().unwrap();
    assert_eq!(recorder.register_event(kind, &[]), Status::Ok);
    assert_eq!(recorder.register_event(kind, &[]), Status::QueueOverflow);
    assert_eq!(recorder.stats().refused, 2);
    assert_eq!(recorder.stats().pending_max, 2);
    drop(open);
    recorder.stop().block(None).unwrap();
    runtime.shutdown().unwrap();
}

struct PendingHooks(parking_lot::Mutex<mpsc::Sender<Arc<Completion>>>);

impl Hooks for PendingHooks {
    fn wants_metric_changed(&self) -> bool {
        true
    }
    fn on_starting(&self, completion: &Arc<Completion>) -> HookOutcome {
        self.0.lock().send(Arc::clone(completion)).unwrap();
        HookOutcome::Pending
    }
    fn on_stopped(&self, _: &Arc<Completion>) -> HookOutcome {
        HookOutcome::Failed(Some("broken".to_owned()))
    }
    fn on_metric_changed(
        &self,
        _: &str,
        _: *mut c_void,
        _: &Event,
        completion: &Arc<Completion>,
    ) -> HookOutcome {
        self.0.lock().send(Arc::clone(completion)).unwrap();
        HookOutcome::Pending
    }
}

#[test]
fn hooks_finish_later_and_hold_no_thread() {
    let runtime = runtime();
    let kind = event_type("recorder.tests.hooks");
    let (sender, tokens) = mpsc::channel();
    let hooks: Arc<dyn Hooks> = Arc::new(PendingHooks(parking_lot::Mutex::new(sender)));
    let options = RecorderOptions {
        hooks: Some(hooks),
        ..RecorderOptions::default()
    };
    let recorder = Recorder::new(&runtime, options).unwrap();
    let (metric, seen, _) = Scripted::counting();
    recorder.register_metric("count", metric).unwrap();
    recorder.register_event(kind, &[]);
    recorder.register_event(kind, &[]);
    let starting = tokens.recv().unwrap();
    assert_eq!(recorder.state(), RecorderState::Starting);
    assert!(starting.complete(Ok(())));
    assert!(!starting.complete(Ok(())));
    let first = tokens.recv().unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    let snapshot = recorder.snapshot(SnapshotMode::Relaxed, None).unwrap();
    assert_eq!(seen_in(&snapshot, "count"), 1);
    assert_eq!(
        recorder
            .snapshot(SnapshotMode::Consistent, Some(Duration::from_millis(20)))
            .unwrap_err()
            .status,
        Status::Timeout
    );
    first.complete(Ok(()));
    tokens.recv().unwrap().complete(Ok(()));
    let stop = recorder.stop();
    stop.block(None).unwrap();
    assert_eq!(
        stop.result().unwrap().unwrap_err().reason,
        "ON_STOPPED_HOOK_FAILED"
    );
    assert_eq!(recorder.state(), RecorderState::Failure);
    assert_eq!(recorder.stats().dispatched, 2);
    runtime.shutdown().unwrap();
}

#[test]
fn a_shutdown_holds_its_deadline_and_names_who_failed() {
    let options = RuntimeOptions {
        shutdown_timeout: Some(Duration::from_millis(100)),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(options);
    runtime.start().unwrap();
    let kind = event_type("recorder.tests.deadline");
    let recorder = runtime
        .create_recorder(" stuck ", RecorderOptions::default())
        .unwrap();
    let (open, gate) = mpsc::channel::<()>();
    let gate = parking_lot::Mutex::new(gate);
    let (entered, is_in) = mpsc::channel();
    let (metric, ..) = Scripted::with(Box::new(move |_| {
        entered.send(()).unwrap();
        let _ = gate.lock().recv();
        Ok(true)
    }));
    recorder.register_metric("blocking", metric).unwrap();
    recorder.register_event(kind, &[]);
    is_in.recv().unwrap();
    let error = runtime.shutdown().unwrap_err();
    assert_eq!(error.reason, "SHUTDOWN_ERROR");
    assert_eq!(error.details["failed_recorder_ids"], serde_json::json!(["stuck"]));
    assert_eq!(error.details["undelivered_events"], 1);
    assert_eq!(runtime.state(), RuntimeState::Failure);
    assert_eq!(recorder.state(), RecorderState::Cancelled);
    drop(open);
}

#[test]
fn a_panic_on_the_librarys_thread_ends_the_recorder_and_nothing_else() {
    let runtime = runtime();
    let kind = event_type("recorder.tests.panic");
    let (recorder, other) = (
        Recorder::new(&runtime, RecorderOptions::default()).unwrap(),
        Recorder::new(&runtime, RecorderOptions::default()).unwrap(),
    );
    let (metric, ..) = Scripted::with(Box::new(|_| panic!("a bug")));
    recorder.register_metric("panicking", metric).unwrap();
    let (metric, seen, _) = Scripted::counting();
    other.register_metric("count", metric).unwrap();
    recorder.register_event(kind, &[]);
    other.register_event(kind, &[]);
    while recorder.state() != RecorderState::Failure || recorder.stats().pending > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let error = recorder.last_error().unwrap();
    assert_eq!(error.reason, "UNEXPECTED_ERROR");
    assert!(error.message.contains("a bug"), "{error}");
    let stats = recorder.stats();
    assert_eq!((stats.dispatched, stats.discarded), (0, stats.accepted));
    other.flush().block(None).unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    runtime.shutdown().unwrap();
}

#[test]
fn of_two_callbacks_that_wait_for_each_other_the_second_is_told() {
    let runtime = runtime();
    let kind = event_type("recorder.tests.circle");
    let recorders: Vec<Recorder> = (0..2)
        .map(|_| Recorder::new(&runtime, RecorderOptions::default()).unwrap())
        .collect();
    let both_inside = Arc::new(std::sync::Barrier::new(2));
    let (sender, results) = mpsc::channel();
    for (one, other) in [(0, 1), (1, 0)] {
        let other = recorders[other].clone();
        let both_inside = Arc::clone(&both_inside);
        let sender = parking_lot::Mutex::new(sender.clone());
        let (metric, ..) = Scripted::with(Box::new(move |_| {
            both_inside.wait();
            let waited = other.flush().block(None).map_err(|error| error.reason);
            sender.lock().send(waited).unwrap();
            Ok(true)
        }));
        recorders[one].register_metric("waiting", metric).unwrap();
    }
    drop(sender);
    for recorder in &recorders {
        recorder.register_event(kind, &[]);
    }
    let mut waited = [results.recv().unwrap(), results.recv().unwrap()];
    waited.sort();
    assert_eq!(waited, [Ok(()), Err("WOULD_DEADLOCK")]);
    runtime.shutdown().unwrap();
}

#[test]
fn what_a_hook_left_pending_is_let_go_of_at_the_end() {
    let options = RuntimeOptions {
        shutdown_timeout: Some(Duration::from_millis(50)),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(options);
    runtime.start().unwrap();
    let kind = event_type("recorder.tests.left_pending");
    let (sender, tokens) = mpsc::channel();
    let hooks: Arc<dyn Hooks> = Arc::new(PendingHooks(parking_lot::Mutex::new(sender)));
    let options = RecorderOptions {
        hooks: Some(hooks),
        ..RecorderOptions::default()
    };
    let recorder = Recorder::new(&runtime, options).unwrap();
    let (metric, _, dropped) = Scripted::counting();
    recorder.register_metric("count", metric).unwrap();
    recorder.register_event(kind, &[]);
    tokens.recv().unwrap().complete(Ok(()));
    let pending = tokens.recv().unwrap();
    runtime.shutdown().unwrap_err();
    let core = Arc::downgrade(recorder.core());
    let driver = Arc::clone(&recorder.core().with.driver);
    drop(recorder);
    assert_eq!(core.strong_count(), 0);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    // The token still knows whom to wake; there is nobody.
    let driver = {
        let weak = Arc::downgrade(&driver);
        drop(driver);
        weak
    };
    assert!(pending.complete(Ok(())));
    assert_eq!(driver.strong_count(), 0);
}
