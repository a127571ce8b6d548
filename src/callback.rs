//! Callbacks of the host other than metrics: hooks of a recorder, which may finish later, and hooks of threads.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::event::Event;
use crate::sync::Mutex;

/// What a hook answers.
#[derive(Debug)]
pub enum HookOutcome {
    /// It is done.
    Done,
    /// It failed, for the reason given.
    Failed(Option<String>),
    /// It completes its [`Completion`] later.
    Pending,
}

#[derive(Default)]
struct Progress {
    result: Option<Result<(), String>>,
    waker: Option<Waker>,
}

/// The token of one call of a hook: completed at most once, from any thread, also before the hook has returned.
#[derive(Default)]
pub struct Completion(Mutex<Progress>);

impl fmt::Debug for Completion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Completion").finish()
    }
}

impl Completion {
    /// A token that is not completed.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Completes a pending hook; `false` where that was done before.
    pub fn complete(&self, result: Result<(), String>) -> bool {
        let waker = {
            let mut progress = self.0.lock();
            if progress.result.is_some() {
                return false;
            }
            progress.result = Some(result);
            progress.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Waits for the completion without holding a thread.
    pub fn completed(self: &Arc<Self>) -> impl Future<Output = Result<(), String>> + Send + use<> {
        let token = Arc::clone(self);
        std::future::poll_fn(move |context| {
            let mut progress = token.0.lock();
            match &progress.result {
                Some(result) => Poll::Ready(result.clone()),
                None => {
                    progress.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
    }
}

/// The hooks of a recorder.
pub trait Hooks: Send + Sync {
    /// Whether `on_metric_changed` is installed at all; a recorder without it is faster.
    fn wants_metric_changed(&self) -> bool;
    /// Runs before the recorder is RUNNING.
    fn on_starting(&self, completion: &Arc<Completion>) -> HookOutcome;
    /// Runs after the recorder's last event.
    fn on_stopped(&self, completion: &Arc<Completion>) -> HookOutcome;
    /// Runs after `event` changed the metric.
    fn on_metric_changed(
        &self,
        metric_name: &str,
        metric_user_data: *mut c_void,
        event: &Event,
        completion: &Arc<Completion>,
    ) -> HookOutcome;
}

/// Called on each thread of a runtime, so that a host can attach it to its virtual machine.
pub trait ThreadHooks: Send + Sync {
    /// The first thing a library thread does.
    fn on_start(&self);
    /// The last thing a library thread does.
    fn on_stop(&self);
}
