//! One play: the threads, a recorder on them, and the account at its end; and the checker that plays it again and again.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner, thread};

use super::cast::{Probe, Script, Watched, Way};
use super::ledger::Ledger;
use crate::callback::Hooks;
use crate::dispatcher::Driver;
use crate::error::Status;
use crate::recorder::{Core, Hold, Recorder, RecorderOptions, RecorderState};
use crate::runtime::{Runtime, RuntimeOptions};
use crate::threads::pool::{ThreadOptions, Threads};

/// Random schedules of each check; half as many again are played with few and well-placed preemptions.
const ITERATIONS: usize = 6_000;
/// Preemptions of the latter.
const PREEMPTIONS: usize = 4;

/// Waits for what nothing tells.
pub fn until(over: impl Fn() -> bool) {
    while !over() {
        thread::yield_now();
    }
}

pub struct World {
    pub ledger: Arc<Ledger>,
    pub threads: Arc<Threads<Driver>>,
}

/// A recorder and its hooks; the hold on the recorder is let go of by whoever has the last clone.
#[derive(Clone)]
pub struct Subject {
    pub recorder: Recorder,
    pub script: Arc<Script>,
    pub ledger: Arc<Ledger>,
}

impl Deref for Subject {
    type Target = Recorder;

    fn deref(&self) -> &Recorder {
        &self.recorder
    }
}

impl World {
    pub fn subject(&self, script: Arc<Script>, options: RecorderOptions) -> Subject {
        let options = RecorderOptions {
            hooks: Some(Arc::clone(&script) as Arc<dyn Hooks>),
            // Far away, where a check is not about it: in the checker's small numbers two threads can hold all the
            // room of a limit that is not.
            queue_max_size: options.queue_max_size.or(Some(1 << 30)),
            ..options
        };
        let core = Core::new(Arc::clone(&self.threads), &options, "model".to_owned());
        Subject {
            // Only there because a recorder has one: it never starts.
            recorder: Recorder::from_hold(Hold::new(core), Runtime::new(RuntimeOptions::default())),
            script,
            ledger: Arc::clone(&self.ledger),
        }
    }

    /// With a metric `m`, in VIRGIN.
    pub fn virgin(&self, script: Arc<Script>) -> Subject {
        let subject = self.subject(script, RecorderOptions::default());
        subject.register_metric("m", Probe::plain("m", self)).unwrap();
        subject
    }

    /// The same with hooks that are done at once.
    pub fn simple(&self) -> Subject {
        self.virgin(Script::new(Way::Done, Way::Done, None))
    }

    /// The same, RUNNING.
    pub fn running(&self) -> Subject {
        let subject = self.simple();
        subject.begin();
        subject
    }
}

impl Subject {
    pub fn begin(&self) {
        let start = self.start();
        start.block(None).unwrap();
        start.result().unwrap().unwrap();
    }

    /// Records `count` events on a thread of its own; the statuses.
    pub fn recording(&self, count: usize) -> thread::JoinHandle<Vec<Status>> {
        let subject = self.clone();
        thread::spawn(move || (0..count).map(|_| subject.ledger.record(&subject).1).collect())
    }

    pub fn on_thread<T: Send + 'static>(
        &self,
        body: impl FnOnce(&Subject) -> T + Send + 'static,
    ) -> thread::JoinHandle<T> {
        let subject = self.clone();
        thread::spawn(move || body(&subject))
    }

    /// Stops what is RUNNING, and closes the account.
    pub fn end(&self) {
        let stop = Watched::new(self.stop());
        assert_eq!(stop.close(), Ok(()));
        self.close(RecorderState::Stopped);
        assert_eq!(self.stats().discarded, 0);
    }

    /// Nothing is under way any more, and everything is accounted for.
    pub fn close(&self, state: RecorderState) {
        until(|| self.core().with.driver.is_idle());
        assert_eq!(self.state(), state);
        let accepted = self.ledger.close();
        let stats = self.stats();
        assert_eq!(stats.accepted, accepted);
        assert_eq!(stats.dispatched + stats.discarded, accepted, "{stats:?}");
        assert_eq!((stats.pending, stats.pending_bytes), (0, 0), "{stats:?}");
        let complete = self
            .ledger
            .lives()
            .iter()
            .filter(|life| !life.handled_by.is_empty())
            .count();
        assert!(complete as u64 >= stats.dispatched, "{stats:?}");
        let (starts, stops) = (self.script.starts(), self.script.stops());
        if self.script.starting == Way::Fails {
            assert_eq!(stops, 0);
        } else {
            // Whatever was set up is cleaned up, once.
            assert_eq!(starts, stops);
        }
    }
}

fn play(test: &impl Fn(&World)) {
    let options = ThreadOptions {
        workers: 1,
        name_prefix: String::new(),
        hooks: None,
    };
    let (threads, owner) = Threads::start(&options, |end_others| end_others(Duration::ZERO)).unwrap();
    let world = World {
        ledger: Ledger::open(),
        threads,
    };
    test(&world);
    world.threads.end();
    owner.join();
}

pub fn check(test: impl Fn(&World) + Send + Sync + 'static) {
    let iterations = std::env::var("MVX_MODEL_ITERATIONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ITERATIONS);
    let test = Arc::new(test);
    let run = |scheduler: Box<dyn Scheduler + Send>| {
        let mut config = Config::new();
        config.stack_size = 1 << 17;
        config.max_steps = MaxSteps::FailAfter(100_000);
        config.silence_warnings = true;
        let test = Arc::clone(&test);
        Runner::new(scheduler, config).run(move || play(&*test));
    };
    run(Box::new(RandomScheduler::new(iterations)));
    run(Box::new(PctScheduler::new(PREEMPTIONS, iterations.div_ceil(2))));
}
