//! The life of a recorder: the state table of the contract's section 2.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::core::{Control, Core};
use super::state::RecorderState;
use crate::dispatcher::{Dispatcher, Ending};
use crate::error::{Error, Result, Status};
use crate::log::{Facts, LogPolicy};
use crate::process::panic;
use crate::runtime::RuntimeState;
use crate::sync::atomic::Ordering;
use crate::wait::{Operation, OperationKind, Wait};

const START: &str = "metrics_recorder.start";
const STOP: &str = "metrics_recorder.stop";

fn facts(state: RecorderState) -> Facts<'static> {
    Facts {
        state: Some(state.name()),
        ..Facts::default()
    }
}

impl Core {
    /// VIRGIN, STOPPED -> STARTING. Joins a start under way.
    pub fn start(self: &Arc<Self>) -> Wait {
        self.with
            .log
            .invoke(LogPolicy::Normal, START, facts(self.state()));
        let mut control = self.control.lock();
        let begun = match control.state {
            RecorderState::Starting => control
                .starting
                .clone()
                .ok_or_else(|| Error::unexpected("no start under way")),
            RecorderState::Virgin | RecorderState::Stopped => self.begin_start(&mut control),
            state => Err(Error::recorder_state(
                state,
                &[RecorderState::Virgin, RecorderState::Stopped],
                None,
            )),
        };
        drop(control);
        self.wait_for(OperationKind::Start, START, begun)
    }

    /// RUNNING -> STOPPING. Joins a stop under way.
    pub fn stop(self: &Arc<Self>) -> Wait {
        self.with.log.invoke(LogPolicy::Normal, STOP, facts(self.state()));
        let mut control = self.control.lock();
        let begun = match control.state {
            RecorderState::Stopping => control
                .stopping
                .clone()
                .ok_or_else(|| Error::unexpected("no stop under way")),
            RecorderState::Running => Ok(self.begin_stop(&mut control)),
            state => Err(Error::recorder_state(state, &[RecorderState::Running], None)),
        };
        drop(control);
        self.wait_for(OperationKind::Stop, STOP, begun)
    }

    fn wait_for(&self, kind: OperationKind, name: &str, begun: Result<Arc<Operation>>) -> Wait {
        match begun {
            Ok(operation) => Wait::new(operation),
            Err(error) => {
                self.with
                    .log
                    .outcome(LogPolicy::Normal, name, facts(self.state()), Some(&error));
                Wait::failed(kind, self.owner(), error)
            }
        }
    }

    /// Every event accepted so far will have been dispatched.
    pub fn flush(self: &Arc<Self>) -> Wait {
        let control = self.control.lock();
        match control.state {
            RecorderState::Virgin | RecorderState::Stopped => {
                Wait::new(Operation::over(OperationKind::Flush, self.owner(), Ok(())))
            }
            RecorderState::Starting | RecorderState::Running | RecorderState::Stopping => {
                let operation = Operation::new(OperationKind::Flush, self.owner());
                self.with.hub.mark(Arc::clone(&operation));
                drop(control);
                self.with.driver.ring();
                Wait::new(operation)
            }
            state @ (RecorderState::Failure | RecorderState::Cancelled) => {
                let expected = [
                    RecorderState::Virgin,
                    RecorderState::Starting,
                    RecorderState::Running,
                    RecorderState::Stopping,
                    RecorderState::Stopped,
                ];
                let error = Error::recorder_state(state, &expected, control.last_error.clone());
                Wait::failed(OperationKind::Flush, self.owner(), error)
            }
        }
    }

    /// Forces CANCELLED from any state but FAILURE: what no callback has in its hands is discarded when this returns.
    pub fn cancel(self: &Arc<Self>) -> Result<()> {
        let error = Error::cancelled();
        let operations = {
            let mut control = self.control.lock();
            match control.state {
                RecorderState::Cancelled => return Ok(()),
                state @ RecorderState::Failure => {
                    let expected = [
                        RecorderState::Virgin,
                        RecorderState::Starting,
                        RecorderState::Running,
                        RecorderState::Stopping,
                        RecorderState::Stopped,
                        RecorderState::Cancelled,
                    ];
                    return Err(Error::recorder_state(
                        state,
                        &expected,
                        control.last_error.clone(),
                    ));
                }
                _ => self.end(&mut control, RecorderState::Cancelled, error.clone()),
            }
        };
        self.with.flight.cancel(|rest| self.with.discard(rest));
        self.give_up(operations, &error);
        self.with.driver.ring();
        Ok(())
    }

    /// An event or a caller starts the recorder: in VIRGIN or STOPPED.
    ///
    /// # Errors
    /// INVALID_RUNTIME_STATE where the runtime's threads are gone.
    pub fn begin_start(self: &Arc<Self>, control: &mut Control) -> Result<Arc<Operation>> {
        if self.with.driver.threads().is_closing() {
            return Err(Error::runtime_state(
                RuntimeState::Closed,
                &[RuntimeState::Running],
            ));
        }
        let operation = Operation::new(OperationKind::Start, self.owner());
        control.state = RecorderState::Starting;
        control.starting = Some(Arc::clone(&operation));
        self.with.stopping.store(false, Ordering::Release);
        self.with.hub.open();
        self.with.driver.start(live(Arc::clone(self)));
        Ok(operation)
    }

    fn begin_stop(self: &Arc<Self>, control: &mut Control) -> Arc<Operation> {
        let operation = Operation::new(OperationKind::Stop, self.owner());
        control.state = RecorderState::Stopping;
        control.stopping = Some(Arc::clone(&operation));
        self.with.hub.close();
        self.with.stopping.store(true, Ordering::Release);
        self.with.driver.ring();
        operation
    }

    /// Enters a final state; the operations that were under way.
    fn end(&self, control: &mut Control, state: RecorderState, error: Error) -> [Option<Arc<Operation>>; 2] {
        control.state = state;
        control.last_error = Some(error);
        self.with.hub.close();
        [control.starting.take(), control.stopping.take()]
    }

    /// Tells everybody who waits for something that will not come any more.
    fn give_up(&self, operations: [Option<Arc<Operation>>; 2], error: &Error) {
        let [starting, stopping] = operations;
        if let Some(operation) = starting {
            self.finish(&operation, START, Err(error.clone()));
        }
        if let Some(operation) = stopping {
            self.finish(&operation, STOP, Err(error.clone()));
        }
        for mark in self.with.hub.take_marks() {
            self.with.complete(&mark, Err(error.clone()));
        }
    }

    fn finish(&self, operation: &Operation, name: &str, result: Result<()>) {
        let state = self.state();
        self.with.inside(|| {
            self.with
                .log
                .outcome(LogPolicy::Normal, name, facts(state), result.as_ref().err());
        });
        self.with.complete(operation, result);
    }

    /// Enters FAILURE, unless it is final already.
    pub fn fail(self: &Arc<Self>, error: Error) {
        let operations = {
            let mut control = self.control.lock();
            if control.state.is_final() {
                return;
            }
            self.end(&mut control, RecorderState::Failure, error.clone())
        };
        self.with.flight.cancel(|rest| self.with.discard(rest));
        self.give_up(operations, &error);
        self.with.driver.ring();
    }

    /// STARTING -> RUNNING; false where the recorder was cancelled meanwhile.
    fn become_running(self: &Arc<Self>) -> bool {
        let operation = {
            let mut control = self.control.lock();
            if control.state != RecorderState::Starting {
                return false;
            }
            control.state = RecorderState::Running;
            if self.folds {
                self.with.hub.begin_folding();
            }
            control.starting.take()
        };
        if let Some(operation) = operation {
            self.finish(&operation, START, Ok(()));
        }
        let mut control = self.control.lock();
        if control.abandoned && control.state == RecorderState::Running {
            self.begin_stop(&mut control);
        }
        true
    }

    /// STOPPING -> STOPPED, unless the recorder was cancelled meanwhile.
    fn become_stopped(&self) {
        let (operation, marks) = {
            let mut control = self.control.lock();
            if control.state != RecorderState::Stopping {
                return;
            }
            control.state = RecorderState::Stopped;
            (control.stopping.take(), self.with.hub.take_marks())
        };
        if let Some(operation) = operation {
            self.finish(&operation, STOP, Ok(()));
        }
        for mark in marks {
            self.with.complete(&mark, Ok(()));
        }
    }

    /// The last reference is gone: a recorder that runs is stopped, without anybody waiting.
    pub fn abandon(self: &Arc<Self>) {
        let mut control = self.control.lock();
        control.abandoned = true;
        if control.state == RecorderState::Running {
            self.begin_stop(&mut control);
        }
    }

    /// `on_stopped` after an end that was none: its failure is only logged.
    async fn clean_up(&self) {
        if let Err(cause) = self.with.call_hook(|hooks, token| hooks.on_stopped(token)).await {
            let error = on_stopped_failed(cause);
            self.with.inside(|| {
                self.with
                    .log
                    .error("metrics_recorder.cleanup.failed", facts(self.state()), &error);
            });
        }
    }
}

fn on_starting_failed(cause: Error) -> Error {
    Error::new(
        Status::HookFailed,
        "ON_STARTING_HOOK_FAILED",
        "on starting hook failed",
    )
    .caused_by(cause)
}

fn on_stopped_failed(cause: Error) -> Error {
    Error::new(
        Status::HookFailed,
        "ON_STOPPED_HOOK_FAILED",
        "on stopped hook failed",
    )
    .caused_by(cause)
}

/// One life, from STARTING to wherever it ends. A panic in the library's own code ends it in FAILURE.
async fn live(core: Arc<Core>) {
    let mut dispatcher = core.dispatcher.lock().take().unwrap_or_default();
    let result = {
        let mut life = pin!(live_once(&core, &mut dispatcher));
        std::future::poll_fn(|context| match panic::catch(|| life.as_mut().poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
            Err(caught) => Poll::Ready(Err(caught)),
        })
        .await
    };
    if let Err(caught) = result {
        core.fail(caught.into_error("the dispatcher"));
        dispatcher.discard_rest(&core.with);
    }
    *core.dispatcher.lock() = Some(dispatcher);
}

async fn live_once(core: &Arc<Core>, dispatcher: &mut Dispatcher) {
    let with = &core.with;
    if let Err(cause) = with.call_hook(|hooks, token| hooks.on_starting(token)).await {
        core.fail(on_starting_failed(cause));
        return;
    }
    if !core.become_running() {
        core.clean_up().await;
        return;
    }
    match dispatcher.run(with).await {
        Ending::Stopped => match with.call_hook(|hooks, token| hooks.on_stopped(token)).await {
            Ok(()) => core.become_stopped(),
            Err(cause) => core.fail(on_stopped_failed(cause)),
        },
        Ending::Failed(error) => {
            core.fail(error);
            core.clean_up().await;
        }
        Ending::Cancelled => core.clean_up().await,
    }
}
