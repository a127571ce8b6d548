//! A runtime: owns the threads and a registry of recorders.

pub(crate) mod default;
mod inner;
mod options;
mod registry;
mod shutdown;
mod state;

use std::sync::Arc;

pub use options::{MAX_WORKERS, RuntimeOptions};
pub use state::RuntimeState;

use self::inner::Inner;
use self::registry::{normalized, startup_error, stop_error};
use crate::error::{Error, Result, Status};
use crate::log::{Facts, LogPolicy};
use crate::recorder::{Core, Hold, OverflowPolicy, Recorder, RecorderOptions, RecorderState};
use crate::threads::scope;
use crate::wait::Wait;

/// When the last reference goes, and with it the last to a recorder, a runtime that runs is shut down in the
/// background.
struct Reference(Arc<Inner>);

impl Drop for Reference {
    fn drop(&mut self) {
        if self.0.state() == RuntimeState::Running {
            let _ = self.0.begin_shutdown();
        }
    }
}

/// A reference to a runtime.
#[derive(Clone)]
pub struct Runtime(Arc<Reference>);

impl Runtime {
    /// A runtime in VIRGIN: no thread runs yet.
    pub fn new(options: RuntimeOptions) -> Self {
        Self(Arc::new(Reference(Inner::new(options))))
    }

    /// The process's default runtime, made and started on first use, and anew where it was shut down.
    ///
    /// # Errors
    /// STARTUP_ERROR.
    pub fn default_runtime() -> Result<Self> {
        default::get()
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.0.0
    }

    /// VIRGIN -> RUNNING; nothing where it runs already.
    ///
    /// # Errors
    /// INVALID_RUNTIME_STATE, STARTUP_ERROR.
    pub fn start(&self) -> Result<()> {
        self.inner().start()
    }

    /// Stops all recorders, ends all threads, and waits for it, no longer than the shutdown timeout and a moment.
    ///
    /// # Errors
    /// SHUTDOWN_ERROR with the ids of recorders that did not stop; INVALID_RUNTIME_STATE; WOULD_DEADLOCK.
    pub fn shutdown(&self) -> Result<()> {
        self.inner().shutdown()
    }

    /// As [`Runtime::shutdown`], without waiting.
    ///
    /// # Errors
    /// INVALID_RUNTIME_STATE.
    pub fn shutdown_async(&self) -> Result<Wait> {
        self.inner().begin_shutdown()
    }

    /// The state now.
    pub fn state(&self) -> RuntimeState {
        self.inner().state()
    }

    /// Why the runtime is in FAILURE.
    pub fn last_error(&self) -> Option<Error> {
        self.inner().last_error()
    }

    fn logged<T>(
        &self,
        policy: LogPolicy,
        operation: &str,
        recorder_id: Option<&str>,
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let facts = Facts {
            recorder_id,
            ..self.inner().facts()
        };
        self.inner().log.operation(policy, operation, facts, run)
    }

    fn recorder(&self, hold: Arc<Hold>) -> Recorder {
        Recorder::from_hold(hold, self.clone())
    }

    /// The options with the runtime's defaults.
    fn with_defaults(&self, mut options: RecorderOptions) -> Result<RecorderOptions> {
        bounded("options.entity_id", &options.entity_id)?;
        bounded("options.name_space", &options.name_space)?;
        let defaults = &self.inner().options;
        if options.name_space.trim().is_empty() {
            options.name_space.clone_from(&self.inner().name_space);
        }
        options.queue_max_size = options.queue_max_size.or(defaults.recorder_queue_max_size);
        options.queue_max_bytes = options.queue_max_bytes.or(defaults.recorder_queue_max_bytes);
        options.log = options.log.or_else(|| defaults.log.clone());
        Ok(options)
    }

    /// A recorder of its own, in VIRGIN.
    pub(crate) fn new_recorder(&self, options: RecorderOptions) -> Result<Recorder> {
        let threads = self.inner().running()?;
        let options = self.with_defaults(options)?;
        let entity_id = match options.entity_id.trim() {
            "" => random_id(),
            given => given.to_owned(),
        };
        let core = Core::new(threads, &options, entity_id);
        self.inner().add_recorder(&core);
        Ok(self.recorder(Hold::new(core)))
    }

    /// Makes, starts, registers and returns a recorder. The id is trimmed; the entity id defaults to it.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, INVALID_RUNTIME_STATE, RECORDER_ALREADY_EXISTS, RECORDER_STARTUP_ERROR.
    pub fn create_recorder(&self, recorder_id: &str, options: RecorderOptions) -> Result<Recorder> {
        let name = "metrics_runtime.create_recorder";
        self.logged(LogPolicy::Normal, name, Some(recorder_id), || {
            let id = normalized(recorder_id)?;
            let mut options = self.with_defaults(options)?;
            let threads = self.inner().running()?;
            self.inner().registry.lock().reserve(id)?;
            options.overflow_policy = options
                .overflow_policy
                .or(self.inner().options.recorder_overflow_policy)
                .or(Some(OverflowPolicy::Drop));
            let entity_id = match options.entity_id.trim() {
                "" => id.to_owned(),
                given => given.to_owned(),
            };
            let core = Core::new(threads, &options, entity_id);
            self.inner().add_recorder(&core);
            let hold = Hold::new(Arc::clone(&core));
            let start = core.start();
            let started = start.block(None).and_then(|()| start.result().unwrap_or(Ok(())));
            let mut registry = self.inner().registry.lock();
            let result = match started {
                Err(cause) => Err(startup_error(id, cause)),
                Ok(()) if registry.fill(id, Arc::clone(&hold)) => Ok(self.recorder(Arc::clone(&hold))),
                // The runtime was shut down meanwhile.
                Ok(()) => Err(Error::runtime_state(self.state(), &[RuntimeState::Running])),
            };
            if result.is_err() {
                registry.remove(id);
            }
            // The hold may be the last one: not under the lock.
            drop(registry);
            drop(hold);
            result
        })
    }

    /// The recorder of this id.
    ///
    /// # Errors
    /// RECORDER_NOT_FOUND, INVALID_ARGUMENT, INVALID_RUNTIME_STATE.
    pub fn get_recorder(&self, recorder_id: &str) -> Result<Recorder> {
        let name = "metrics_runtime.get_recorder";
        self.logged(LogPolicy::Inspection, name, Some(recorder_id), || {
            let id = normalized(recorder_id)?;
            self.inner().running()?;
            let hold = self.inner().registry.lock().find(id)?;
            Ok(self.recorder(hold))
        })
    }

    /// The recorder of this id, if there is one.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, INVALID_RUNTIME_STATE.
    pub fn try_get_recorder(&self, recorder_id: &str) -> Result<Option<Recorder>> {
        let name = "metrics_runtime.try_get_recorder";
        self.logged(LogPolicy::Inspection, name, Some(recorder_id), || {
            let id = normalized(recorder_id)?;
            self.inner().running()?;
            let hold = self.inner().registry.lock().get(id);
            Ok(hold.map(|hold| self.recorder(hold)))
        })
    }

    /// Ids of the registered recorders, in order of creation.
    ///
    /// # Errors
    /// INVALID_RUNTIME_STATE.
    pub fn list_recorder_ids(&self) -> Result<Vec<String>> {
        self.logged(
            LogPolicy::Inspection,
            "metrics_runtime.list_recorder_ids",
            None,
            || {
                self.inner().running()?;
                Ok(self.inner().registry.lock().ids())
            },
        )
    }

    /// Stops a registered recorder and waits for it; nothing where it is STOPPED.
    ///
    /// # Errors
    /// RECORDER_STOP_ERROR with its cause, RECORDER_NOT_FOUND, INVALID_ARGUMENT, INVALID_RUNTIME_STATE, WOULD_DEADLOCK.
    pub fn stop_recorder(&self, recorder_id: &str) -> Result<()> {
        let name = "metrics_runtime.stop_recorder";
        self.logged(LogPolicy::Normal, name, Some(recorder_id), || {
            let id = normalized(recorder_id)?;
            self.inner().running()?;
            let hold = self.inner().registry.lock().find(id)?;
            stop_and_wait(id, hold.core())
        })
    }

    /// Stops a registered recorder, removes it, also where stopping it failed, and returns it.
    ///
    /// # Errors
    /// As [`Runtime::stop_recorder`]; after WOULD_DEADLOCK the recorder is not removed.
    pub fn stop_and_remove_recorder(&self, recorder_id: &str) -> Result<Recorder> {
        let name = "metrics_runtime.stop_and_remove_recorder";
        self.logged(LogPolicy::Normal, name, Some(recorder_id), || {
            let id = normalized(recorder_id)?;
            self.inner().running()?;
            let hold = self.inner().registry.lock().begin_removal(id)?;
            let stopped = stop_and_wait(id, hold.core());
            if matches!(&stopped, Err(error) if error.status == Status::WouldDeadlock) {
                self.inner().registry.lock().end_removal(id);
            } else {
                let removed = self.inner().registry.lock().remove(id);
                drop(removed);
            }
            stopped.map(|()| self.recorder(hold))
        })
    }
}

fn stop_and_wait(id: &str, core: &Arc<Core>) -> Result<()> {
    loop {
        let state = core.state();
        if state == RecorderState::Stopped {
            return Ok(());
        }
        if matches!(state, RecorderState::Running | RecorderState::Stopping)
            && scope::is_inside_recorder(core.with.recorder)
        {
            // Told before anything is begun.
            return Err(Error::would_deadlock(format!(
                "a callback of the recorder '{id}' can't wait for it to stop: mvx_recorder_stop does not wait"
            )));
        }
        let stop = core.stop();
        stop.block(None)?;
        match stop.result().unwrap_or(Ok(())) {
            // Somebody else stopped it between the look and the call.
            Err(_) if core.state() == RecorderState::Stopped => {}
            result => return result.map_err(|cause| stop_error(id, cause)),
        }
    }
}

/// Names are bounded, as they are copied into every log record and snapshot.
fn bounded(argument: &str, name: &str) -> Result<()> {
    const MAX_NAME: usize = 255;
    match name.trim().len() {
        0..=MAX_NAME => Ok(()),
        len => {
            let problem = format!("must have at most {MAX_NAME} bytes without blanks around them, has {len}");
            Err(Error::invalid_argument(argument, problem))
        }
    }
}

/// Eight hex digits.
fn random_id() -> String {
    use std::hash::{BuildHasher, Hasher};
    // The standard library seeds its hash maps with what the system gives as random.
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    format!("{:08x}", random as u32)
}
