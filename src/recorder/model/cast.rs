//! The host's part in a play: a metric and hooks that tell the ledger, and waits that are watched.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use shuttle::thread;

use super::ledger::{Ledger, with_ledger};
use super::play::{World, until};
use crate::callback::{Completion, HookOutcome, Hooks};
use crate::error::{Error, Result, Status};
use crate::event::Event;
use crate::metrics::{Metric, MetricKind};
use crate::snapshot::{MetricSnapshot, Value};
use crate::wait::{OperationKind, Wait};

/// Lets other threads go on, or not.
pub fn pause() {
    thread::sleep(Duration::ZERO);
}

/// A metric that tells the ledger.
pub struct Probe {
    pub name: &'static str,
    pub ledger: Arc<Ledger>,
    pub busy: AtomicBool,
    pub seen: AtomicU64,
    pub nature: Nature,
}

/// What kind of metric it is.
#[derive(Clone, Copy, Default)]
pub struct Nature {
    pub commutative: bool,
    pub in_batches: bool,
    pub fails_on: Option<u64>,
}

impl Probe {
    pub fn with(name: &'static str, world: &World, nature: Nature) -> Box<dyn Metric> {
        if nature.commutative {
            world.ledger.book.lock().commutative.insert(name);
        }
        Box::new(Self {
            name,
            ledger: Arc::clone(&world.ledger),
            busy: AtomicBool::new(false),
            seen: AtomicU64::new(0),
            nature,
        })
    }

    pub fn plain(name: &'static str, world: &World) -> Box<dyn Metric> {
        Self::with(name, world, Nature::default())
    }

    pub fn alone<T>(&self, body: impl FnOnce() -> T) -> T {
        if self.busy.swap(true, Ordering::SeqCst) {
            self.ledger
                .fault(format!("{} is called by two at a time", self.name));
        }
        let result = body();
        self.busy.store(false, Ordering::SeqCst);
        result
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if self.busy.load(Ordering::SeqCst) {
            self.ledger
                .fault(format!("{} is dropped while it is called", self.name));
        }
        *self.ledger.book.lock().dropped.entry(self.name).or_default() += 1;
    }
}

impl Metric for Probe {
    fn kind(&self) -> MetricKind {
        MetricKind::Vtable
    }
    fn event_types(&self) -> Option<&[u32]> {
        None
    }
    fn order_matters(&self) -> bool {
        !self.nature.commutative
    }
    fn offers_batch(&self) -> bool {
        self.nature.in_batches
    }
    fn handle_event(&self, event: &Event) -> std::result::Result<bool, Error> {
        self.alone(|| {
            let mut fails = false;
            with_ledger(event.payload(), |ledger, number| {
                ledger.taken_in_hand(self.name, number);
                pause();
                self.seen.fetch_add(1, Ordering::SeqCst);
                fails = self.nature.fails_on == Some(number);
                ledger.handled(number);
            });
            match fails {
                true => Err(Error::callback(Status::MetricFailed, None)),
                false => Ok(true),
            }
        })
    }
    fn handle_batch(&self, events: &[Event], _: Option<&mut [u8]>) -> std::result::Result<(), Error> {
        for event in events {
            self.handle_event(event)?;
        }
        Ok(())
    }
    fn snapshot(&self) -> std::result::Result<MetricSnapshot, Error> {
        let seen = self.alone(|| {
            pause();
            self.seen.load(Ordering::SeqCst)
        });
        Ok(MetricSnapshot {
            value: Value::Map(vec![("seen".to_owned(), Value::U64(seen))]),
            family: None,
        })
    }
    fn user_data(&self) -> *mut c_void {
        std::ptr::null_mut()
    }
}

/// How a hook behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Done,
    Fails,
    /// PENDING, completed by another thread, maybe before the hook has returned.
    Later,
}

pub struct Script {
    pub starting: Way,
    pub stopped: Way,
    pub changed: Option<Way>,
    pub starts: AtomicU32,
    pub stops: AtomicU32,
}

impl Script {
    pub fn new(starting: Way, stopped: Way, changed: Option<Way>) -> Arc<Self> {
        Arc::new(Self {
            starting,
            stopped,
            changed,
            starts: AtomicU32::new(0),
            stops: AtomicU32::new(0),
        })
    }

    pub fn starts(&self) -> u32 {
        self.starts.load(Ordering::SeqCst)
    }

    pub fn stops(&self) -> u32 {
        self.stops.load(Ordering::SeqCst)
    }
}

pub fn go(way: Way, completion: &Arc<Completion>) -> HookOutcome {
    pause();
    match way {
        Way::Done => HookOutcome::Done,
        Way::Fails => HookOutcome::Failed(None),
        Way::Later => {
            let completion = Arc::clone(completion);
            thread::spawn(move || completion.complete(Ok(())));
            pause();
            HookOutcome::Pending
        }
    }
}

impl Hooks for Script {
    fn wants_metric_changed(&self) -> bool {
        self.changed.is_some()
    }
    fn on_starting(&self, completion: &Arc<Completion>) -> HookOutcome {
        self.starts.fetch_add(1, Ordering::SeqCst);
        go(self.starting, completion)
    }
    fn on_stopped(&self, completion: &Arc<Completion>) -> HookOutcome {
        self.stops.fetch_add(1, Ordering::SeqCst);
        go(self.stopped, completion)
    }
    fn on_metric_changed(
        &self,
        _: &str,
        _: *mut c_void,
        _: &Event,
        completion: &Arc<Completion>,
    ) -> HookOutcome {
        go(self.changed.unwrap_or(Way::Done), completion)
    }
}

/// A wait together with what its completion callback was told.
pub struct Watched {
    pub wait: Wait,
    pub told: Arc<Mutex<Vec<(OperationKind, Told)>>>,
}

/// A result, by its reason.
pub type Told = std::result::Result<(), &'static str>;

pub fn told(result: Result<()>) -> Told {
    result.map_err(|error| error.reason)
}

impl Watched {
    pub fn new(wait: Wait) -> Self {
        let told_to: Arc<Mutex<Vec<_>>> = Arc::default();
        let teller = Arc::clone(&told_to);
        wait.on_complete(Box::new(move |kind, result| {
            teller.lock().push((kind, told(result)));
        }));
        Self { wait, told: told_to }
    }

    /// Blocks, and gives the result.
    pub fn outcome(&self) -> Told {
        self.wait.block(None).unwrap();
        told(self.wait.result().unwrap())
    }

    /// The callback was called, once, with the result that the wait gives too.
    pub fn close(&self) -> Told {
        until(|| !self.told.lock().is_empty());
        let outcome = self.outcome();
        assert_eq!(*self.told.lock(), [(self.wait.operation(), outcome)]);
        outcome
    }
}
