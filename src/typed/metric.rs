//! Metrics that a Rust program writes.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::ffi::c_void;

use parking_lot::ReentrantMutex;

use crate::error::{Error, Result, Status};
use crate::event::Event;
use crate::metrics::native::{NativeMetric, NativeSpec};
use crate::metrics::{Metric, MetricKind};
use crate::recorder::Recorder;
use crate::snapshot::{MetricSnapshot, Writer};

/// What a metric's functions fail with: anything. Its text becomes the cause of the recorder's error.
pub type Failure = Box<dyn StdError + Send + Sync>;

/// A metric: decides which events matter, and how they change its state.
///
/// Its functions run on threads of the library, never two at once, so it needs no lock of its own. A panic counts as a
/// failure.
pub trait HandleEvents: Send + 'static {
    /// Handles one event; whether it changed the metric.
    ///
    /// # Errors
    /// Anything: the recorder becomes FAILURE, or the metric is taken out, as the recorder's options say.
    fn handle_event(&mut self, event: &Event) -> std::result::Result<bool, Failure>;

    /// Writes the state.
    ///
    /// # Errors
    /// Anything: the snapshot fails, with this metric's name.
    fn snapshot(&self, writer: &mut Writer) -> std::result::Result<(), Failure>;

    /// The event types that it wants; `None`: all. Asked once, when it is registered.
    fn event_types(&self) -> Option<Vec<u32>> {
        None
    }

    /// Whether it must see events of different threads in the order in which they were registered.
    fn order_matters(&self) -> bool {
        true
    }
}

/// A metric of the program as the dispatcher sees it.
struct Hosted<M> {
    event_types: Option<Vec<u32>>,
    order_matters: bool,
    // The dispatcher lets in one thread at a time; a function that leads back to itself finds the cell taken.
    metric: ReentrantMutex<RefCell<M>>,
}

fn failed(failure: &Failure) -> Error {
    Error::callback(Status::MetricFailed, Some(failure.to_string()))
}

fn entered_again() -> Error {
    Error::callback(
        Status::MetricFailed,
        Some("the metric is handling an event, and what it called leads back to it".to_owned()),
    )
}

impl<M: HandleEvents> Metric for Hosted<M> {
    fn kind(&self) -> MetricKind {
        MetricKind::Vtable
    }

    fn event_types(&self) -> Option<&[u32]> {
        self.event_types.as_deref()
    }

    fn order_matters(&self) -> bool {
        self.order_matters
    }

    fn offers_batch(&self) -> bool {
        true
    }

    fn handle_event(&self, event: &Event) -> Result<bool> {
        let metric = self.metric.lock();
        let mut metric = metric.try_borrow_mut().map_err(|_| entered_again())?;
        metric.handle_event(event).map_err(|failure| failed(&failure))
    }

    fn handle_batch(&self, events: &[Event], changed: Option<&mut [u8]>) -> Result<()> {
        let metric = self.metric.lock();
        let mut metric = metric.try_borrow_mut().map_err(|_| entered_again())?;
        let mut changed = changed.map(<[u8]>::iter_mut);
        for event in events {
            let one = metric.handle_event(event).map_err(|failure| failed(&failure))?;
            if let Some(flag) = changed.as_mut().and_then(Iterator::next) {
                *flag = u8::from(one);
            }
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<MetricSnapshot> {
        let metric = self.metric.lock();
        let metric = metric.try_borrow().map_err(|_| entered_again())?;
        let mut writer = Writer::new();
        metric.snapshot(&mut writer).map_err(|failure| failed(&failure))?;
        MetricSnapshot::of_host(writer.finish())
    }

    fn user_data(&self) -> *mut c_void {
        std::ptr::null_mut()
    }
}

impl Recorder {
    /// Adds a metric, or replaces the one of its name; every event that is recorded after this reaches it.
    ///
    /// # Errors
    /// INVALID_RECORDER_STATE; INVALID_ARGUMENT for a name that is empty or longer than 255 bytes.
    pub fn register(&self, name: &str, metric: impl HandleEvents) -> Result<()> {
        self.register_metric(
            name,
            Box::new(Hosted {
                event_types: metric.event_types(),
                order_matters: metric.order_matters(),
                metric: ReentrantMutex::new(RefCell::new(metric)),
            }),
        )
    }

    /// Adds a metric that the library keeps, under the name in its declaration.
    ///
    /// # Errors
    /// As [`Recorder::register`]; INVALID_ARGUMENT and UNSUPPORTED for what is wrong with the declaration.
    pub fn register_native(&self, spec: &NativeSpec) -> Result<()> {
        self.register_metric(&spec.name, Box::new(NativeMetric::new(spec)?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::recorder::{RecorderOptions, RecorderState, SnapshotMode};
    use crate::runtime::{Runtime, RuntimeOptions};
    use crate::typed::{Symbol, TypedEvent};

    crate::event! {
        struct Saved: "typed.metric.saved" {
            outcome: Symbol,
            seconds: f64,
        }
    }

    #[derive(Default)]
    struct Total {
        count: u64,
        seconds: f64,
    }

    impl HandleEvents for Total {
        fn handle_event(&mut self, event: &Event) -> std::result::Result<bool, Failure> {
            let Some(saved) = Saved::from_event(event) else {
                return Ok(false);
            };
            if saved.seconds < 0.0 {
                return Err("time runs forwards".into());
            }
            self.count += 1;
            self.seconds += saved.seconds;
            Ok(true)
        }

        fn snapshot(&self, writer: &mut Writer) -> std::result::Result<(), Failure> {
            writer.u64("count", self.count)?;
            writer.f64("seconds", self.seconds)?;
            Ok(())
        }
    }

    fn runtime() -> Runtime {
        let runtime = Runtime::new(RuntimeOptions::default());
        runtime.start().unwrap();
        runtime
    }

    const LONG: Option<Duration> = Some(Duration::from_secs(60));

    #[test]
    fn a_metric_of_the_program_and_a_native_one_see_the_same_events() {
        let runtime = runtime();
        let recorder = runtime
            .create_recorder("typed", RecorderOptions::default())
            .unwrap();
        recorder.register("total", Total::default()).unwrap();
        let mut by_outcome =
            NativeSpec::new("by_outcome", MetricKind::Counter, [Saved::event_type().unwrap()]);
        by_outcome.group_by = vec!["outcome".to_owned()];
        recorder.register_native(&by_outcome).unwrap();
        let ok = Symbol::of("ok").unwrap();
        for seconds in [0.25, 0.5] {
            recorder.record(&Saved { outcome: ok, seconds }).unwrap();
        }
        let snapshot = recorder.snapshot(SnapshotMode::Consistent, LONG).unwrap();
        let total = snapshot.get("total").unwrap();
        assert_eq!(total.get("count").unwrap().as_u64(), Some(2));
        assert_eq!(total.get("seconds").unwrap().as_f64(), Some(0.75));
        assert!(
            snapshot
                .to_json()
                .unwrap()
                .contains(r#""labels":{"outcome":"ok"},"value":2"#)
        );
        let exposed = snapshot.to_openmetrics();
        assert!(exposed.contains("by_outcome_total{"), "{exposed}");
        runtime.shutdown().unwrap();
    }

    #[test]
    fn what_a_metric_fails_with_is_the_cause() {
        let runtime = runtime();
        let recorder = runtime
            .create_recorder("typed", RecorderOptions::default())
            .unwrap();
        recorder.register("total", Total::default()).unwrap();
        recorder
            .record(&Saved {
                outcome: Symbol::default(),
                seconds: -1.0,
            })
            .unwrap();
        // The flush that meets the failure ends with it.
        let _ = recorder.flush().block(LONG);
        assert_eq!(recorder.state(), RecorderState::Failure);
        let mut error = recorder.last_error().unwrap();
        while let Some(cause) = error.cause.clone() {
            error = (*cause).clone();
        }
        assert_eq!(error.message, "time runs forwards");
        let late = Saved {
            outcome: Symbol::default(),
            seconds: 0.0,
        };
        assert_eq!(recorder.record(&late), Err(Status::InvalidState));
        let _ = runtime.shutdown();
    }
}
