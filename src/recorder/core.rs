//! What all references to one recorder share.

use std::sync::Arc;
use std::time::Instant;

use super::options::{
    DEFAULT_BLOCK_TIMEOUT, DEFAULT_NAME_SPACE, DEFAULT_QUEUE_MAX_BYTES, DEFAULT_QUEUE_MAX_SIZE,
    MetricErrorPolicy, OverflowPolicy, RecorderOptions,
};
use super::overflow::Overflow;
use super::state::RecorderState;
use crate::dispatcher::{Dispatcher, Driver, Flight, Stage, Surroundings};
use crate::error::Error;
use crate::log::Log;
use crate::metrics::{EventHub, MetricEntry};
use crate::queue::{Limit, local};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::threads::pool::Threads;
use crate::wait::{Operation, Owner};

/// The state, and what goes with it.
pub struct Control {
    pub state: RecorderState,
    pub last_error: Option<Error>,
    pub starting: Option<Arc<Operation>>,
    pub stopping: Option<Arc<Operation>>,
    /// The last reference is gone: stop when running.
    pub abandoned: bool,
}

/// See the module. Lives while a reference, the runtime's registry, or an operation under way needs it.
pub struct Core {
    pub entity_id: String,
    pub name_space: String,
    pub with: Surroundings,
    pub control: Mutex<Control>,
    /// The registered metrics, in order.
    pub registry: Mutex<Vec<Arc<MetricEntry>>>,
    /// The dispatcher, while it does not run.
    pub dispatcher: Mutex<Option<Dispatcher>>,
    pub overflow: Mutex<Overflow>,
    /// Whether events may be folded: nobody wants to see each, whatever the metrics are.
    pub folds: bool,
}

// A checker's atomics belong to one play; this one is the process's.
static NEXT_ID: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

impl Core {
    /// A recorder in VIRGIN, on the given threads.
    pub fn new(threads: Arc<Threads<Driver>>, options: &RecorderOptions, entity_id: String) -> Arc<Self> {
        local::watch_forks();
        let runtime = threads.id;
        let driver = Driver::new(threads);
        let waker = {
            let driver = Arc::downgrade(&driver);
            Box::new(move || {
                if let Some(driver) = driver.upgrade() {
                    driver.ring();
                }
            })
        };
        let hub = Arc::new(EventHub::new(
            Limit::new(
                options.queue_max_size.unwrap_or(DEFAULT_QUEUE_MAX_SIZE),
                options.queue_max_bytes.unwrap_or(DEFAULT_QUEUE_MAX_BYTES),
            ),
            options.overflow_policy.unwrap_or(OverflowPolicy::RaiseError),
            options.block_timeout.unwrap_or(DEFAULT_BLOCK_TIMEOUT),
            waker,
        ));
        let watched = options
            .hooks
            .as_ref()
            .is_some_and(|hooks| hooks.wants_metric_changed());
        if watched {
            hub.number_all();
        }
        driver.set_hub(Arc::clone(&hub));
        let log = Log::new(options.log.as_ref(), &entity_id);
        let name_space = match options.name_space.trim() {
            "" => DEFAULT_NAME_SPACE.to_owned(),
            given => given.to_owned(),
        };
        let core = Arc::new(Self {
            entity_id,
            name_space,
            with: Surroundings {
                recorder: NEXT_ID.fetch_add(1, Ordering::Relaxed),
                runtime,
                hub,
                driver,
                hooks: options.hooks.clone(),
                quarantine: options.metric_error_policy == MetricErrorPolicy::QuarantineMetric,
                log,
                stage: Stage::default(),
                flight: Flight::new(),
                stopping: AtomicBool::new(false),
                quarantined: AtomicU64::new(0),
                taken_at: AtomicU64::new(0),
                born: Instant::now(),
            },
            control: Mutex::new(Control {
                state: RecorderState::Virgin,
                last_error: None,
                starting: None,
                stopping: None,
                abandoned: false,
            }),
            registry: Mutex::new(Vec::new()),
            dispatcher: Mutex::new(Some(Dispatcher::default())),
            overflow: Mutex::default(),
            folds: options.folding && !watched,
        });
        let attending = Arc::downgrade(&core);
        core.with.driver.set_attend(move || {
            if let Some(core) = attending.upgrade() {
                core.attend_overflow();
            }
        });
        core
    }

    /// Whose callbacks must not wait for this recorder.
    pub fn owner(&self) -> Owner {
        Owner::Recorder(self.with.recorder)
    }

    pub fn state(&self) -> RecorderState {
        self.control.lock().state
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // What was accepted and never dispatched is released, and metrics are dropped, as callbacks of the recorder.
        self.with.hub.close();
        self.with.discard(&[]);
        self.with.hub.retire();
        let metrics = std::mem::take(self.registry.get_mut());
        let dispatcher = self.dispatcher.get_mut().take();
        self.with.inside(|| {
            drop(self.with.hub.take_changes());
            drop(metrics);
            drop(dispatcher);
        });
    }
}
