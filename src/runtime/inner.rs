//! What all references to one runtime share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::sync::Mutex;

use super::options::{DEFAULT_NAME_SPACE, DEFAULT_SHUTDOWN_TIMEOUT, DEFAULT_WORKERS, RuntimeOptions};
use super::registry::Registry;
use super::shutdown::{self, Stopped};
use super::state::RuntimeState;
use crate::dispatcher::Driver;
use crate::error::{Error, Result};
use crate::log::{Facts, Log, LogPolicy};
use crate::recorder::Core;
use crate::threads::pool::{ThreadOptions, Threads, ThreadsOwner};
use crate::threads::scope;
use crate::wait::{Operation, OperationKind, Owner, Wait};

const START: &str = "metrics_runtime.start";
const SHUTDOWN: &str = "metrics_runtime.shutdown";

struct Life {
    state: RuntimeState,
    last_error: Option<Error>,
    shutdown: Option<Arc<Operation>>,
}

/// See the module.
pub struct Inner {
    pub options: RuntimeOptions,
    pub name_space: String,
    pub log: Log,
    pub registry: Mutex<Registry>,
    life: Mutex<Life>,
    threads: OnceLock<(Arc<Threads<Driver>>, ThreadsOwner)>,
    /// All recorders that run on these threads.
    recorders: Mutex<Vec<Weak<Core>>>,
    stopped: Mutex<Option<Stopped>>,
    /// Completion callbacks of the shutdown run on the last thread, which may therefore go on for a while.
    calls_back: AtomicBool,
}

impl Inner {
    pub fn new(options: RuntimeOptions) -> Arc<Self> {
        let name_space = match options.name_space.trim() {
            "" => DEFAULT_NAME_SPACE.to_owned(),
            given => given.to_owned(),
        };
        let log = Log::new(options.log.as_ref(), &name_space);
        Arc::new(Self {
            options,
            name_space,
            log,
            registry: Mutex::new(Registry::default()),
            life: Mutex::new(Life {
                state: RuntimeState::Virgin,
                last_error: None,
                shutdown: None,
            }),
            threads: OnceLock::new(),
            recorders: Mutex::new(Vec::new()),
            stopped: Mutex::new(None),
            calls_back: AtomicBool::new(false),
        })
    }

    pub fn state(&self) -> RuntimeState {
        self.life.lock().state
    }

    pub fn last_error(&self) -> Option<Error> {
        self.life.lock().last_error.clone()
    }

    pub fn shutdown_timeout(&self) -> Duration {
        self.options.shutdown_timeout.unwrap_or(DEFAULT_SHUTDOWN_TIMEOUT)
    }

    pub fn facts(&self) -> Facts<'static> {
        Facts {
            state: Some(self.state().name()),
            ..Facts::default()
        }
    }

    /// The threads, where the runtime is RUNNING.
    pub fn running(&self) -> Result<Arc<Threads<Driver>>> {
        match (self.state(), self.threads.get()) {
            (RuntimeState::Running, Some((threads, _))) => Ok(Arc::clone(threads)),
            (state, _) => Err(Error::runtime_state(state, &[RuntimeState::Running])),
        }
    }

    /// VIRGIN -> STARTING -> RUNNING; nothing where it runs already.
    pub fn start(self: &Arc<Self>) -> Result<()> {
        self.log.operation(LogPolicy::Normal, START, self.facts(), || {
            let mut life = self.life.lock();
            match life.state {
                RuntimeState::Running => return Ok(()),
                RuntimeState::Virgin => {}
                state => {
                    return Err(Error::runtime_state(
                        state,
                        &[RuntimeState::Virgin, RuntimeState::Running],
                    ));
                }
            }
            let prefix = self.options.thread_name_prefix.trim();
            let options = ThreadOptions {
                workers: self.options.worker_threads.unwrap_or(DEFAULT_WORKERS) as usize,
                name_prefix: if prefix.is_empty() {
                    DEFAULT_NAME_SPACE.to_owned()
                } else {
                    prefix.to_owned()
                },
                hooks: self.options.thread_hooks.clone(),
            };
            let inner = Arc::clone(self);
            match Threads::start(&options, move |end_others| shutdown::finish(&inner, end_others)) {
                Ok(threads) => {
                    let _ = self.threads.set(threads);
                    life.state = RuntimeState::Running;
                    Ok(())
                }
                Err(error) => {
                    life.state = RuntimeState::Failure;
                    life.last_error = Some(error.clone());
                    Err(error)
                }
            }
        })
    }

    /// Counts a recorder in; it will be stopped by the shutdown.
    pub fn add_recorder(&self, core: &Arc<Core>) {
        let mut recorders = self.recorders.lock();
        if recorders.len() == recorders.capacity() {
            recorders.retain(|core| core.strong_count() > 0);
        }
        recorders.push(Arc::downgrade(core));
    }

    pub fn recorders(&self) -> Vec<Arc<Core>> {
        self.recorders.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn owner(&self) -> Owner {
        // 0 is no thread's runtime.
        Owner::Runtime(self.threads.get().map_or(0, |(threads, _)| threads.id))
    }

    /// Begins the shutdown, or joins the one under way.
    ///
    /// # Errors
    /// INVALID_RUNTIME_STATE.
    pub fn begin_shutdown(self: &Arc<Self>) -> Result<Wait> {
        let over = || Wait::new(Operation::over(OperationKind::Shutdown, self.owner(), Ok(())));
        self.log.invoke(LogPolicy::Normal, SHUTDOWN, self.facts());
        let mut life = self.life.lock();
        match life.state {
            RuntimeState::Virgin | RuntimeState::Closed => {
                life.state = RuntimeState::Closed;
                drop(life);
                self.log.outcome(LogPolicy::Normal, SHUTDOWN, self.facts(), None);
                Ok(over())
            }
            RuntimeState::Stopping => Ok(life.shutdown.clone().map_or_else(over, Wait::new)),
            RuntimeState::Running => {
                let operation = Operation::new(OperationKind::Shutdown, self.owner());
                life.shutdown = Some(Arc::clone(&operation));
                life.state = RuntimeState::Stopping;
                drop(life);
                if let Some((threads, _)) = self.threads.get() {
                    threads.close();
                    threads.spawn(shutdown::stop_recorders(Arc::clone(self)));
                }
                Ok(Wait::new(operation))
            }
            state => {
                let error = Error::runtime_state(
                    state,
                    &[
                        RuntimeState::Virgin,
                        RuntimeState::Running,
                        RuntimeState::Stopping,
                        RuntimeState::Closed,
                    ],
                );
                drop(life);
                self.log
                    .outcome(LogPolicy::Normal, SHUTDOWN, self.facts(), Some(&error));
                Err(error)
            }
        }
    }

    /// Shuts down and waits for it, and for the threads to be gone.
    pub fn shutdown(self: &Arc<Self>) -> Result<()> {
        let is_inside = matches!(self.owner(), Owner::Runtime(id) if scope::is_inside_runtime(id));
        if is_inside {
            let would_wait = matches!(self.state(), RuntimeState::Running | RuntimeState::Stopping);
            if would_wait {
                return Err(Error::would_deadlock(
                    "a thread of the runtime, or a callback of one of its recorders, can't wait for the runtime's \
                     end: use mvx_runtime_shutdown_async, or call from another thread",
                ));
            }
        }
        let wait = self.begin_shutdown()?;
        wait.block(None)?;
        // A thread can't wait for its own end: the log's last line is written on the runtime's last thread.
        if !is_inside
            && !self.calls_back.load(Ordering::Acquire)
            && let Some((_, owner)) = self.threads.get()
        {
            owner.join();
        }
        wait.result().unwrap_or(Ok(()))
    }

    pub fn run_on_pool(&self, job: impl FnOnce() + Send + 'static) {
        if let Some((threads, _)) = self.threads.get() {
            threads.run(job);
        }
    }

    pub fn set_stopped(&self, stopped: Stopped) {
        *self.stopped.lock() = Some(stopped);
    }

    pub fn take_stopped(&self) -> Option<Stopped> {
        self.stopped.lock().take()
    }

    pub fn end_threads(&self) {
        if let Some((threads, _)) = self.threads.get() {
            threads.end();
        }
    }

    /// The very end.
    pub fn close(&self, state: RuntimeState, result: Result<()>) {
        let operation = {
            let mut life = self.life.lock();
            life.state = state;
            life.last_error = result.as_ref().err().cloned();
            life.shutdown.take()
        };
        self.log
            .outcome(LogPolicy::Normal, SHUTDOWN, self.facts(), result.as_ref().err());
        if let Some(operation) = operation {
            self.calls_back
                .store(operation.has_callbacks(), Ordering::Release);
            operation.complete(result, |callbacks| callbacks());
        }
    }
}
