//! Operations that take time, and the handles on which others wait for them.

use std::fmt;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex};
use crate::threads::{cycles, scope};

#[cfg(target_os = "linux")]
use descriptor::EventFd as Signal;
#[cfg(windows)]
use event_handle::EventHandle as Signal;
#[cfg(windows)]
mod event_handle;

/// The operation that a wait handle stands for, with the number that crosses the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum OperationKind {
    /// A recorder starts.
    Start = 1,
    /// A recorder stops.
    Stop = 2,
    /// Events that were accepted are dispatched.
    Flush = 3,
    /// A runtime ends.
    Shutdown = 4,
}

/// What is called when an operation is over.
pub type OnComplete = Box<dyn FnOnce(OperationKind, Result<()>) + Send>;

/// Who would wait for itself if it waited for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Callbacks of this recorder.
    Recorder(u64),
    /// Threads of this runtime, and callbacks of its recorders.
    Runtime(u64),
}

/// Runs completion callbacks on a thread of the library.
pub type RunCallbacks = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Progress {
    result: Option<Result<()>>,
    callbacks: Vec<OnComplete>,
    wakers: Vec<Waker>,
    #[cfg(any(target_os = "linux", windows))]
    signals: Vec<std::sync::Weak<Signal>>,
}

/// One operation, shared by whoever carries it out and whoever waits for it.
pub struct Operation {
    kind: OperationKind,
    owner: Owner,
    over: AtomicBool,
    progress: Mutex<Progress>,
    changed: Condvar,
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Operation")
            .field("kind", &self.kind)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl Operation {
    /// An operation under way.
    pub fn new(kind: OperationKind, owner: Owner) -> Arc<Self> {
        Arc::new(Self {
            kind,
            owner,
            over: AtomicBool::new(false),
            progress: Mutex::new(Progress::default()),
            changed: Condvar::new(),
        })
    }

    /// An operation that is over already.
    pub fn over(kind: OperationKind, owner: Owner, result: Result<()>) -> Arc<Self> {
        let operation = Self::new(kind, owner);
        operation.complete(result, |callbacks| callbacks());
        operation
    }

    /// The operation is over. Only the first call counts. `run` gets the completion callbacks to run, if there are
    /// any; whether there were.
    pub fn complete(&self, result: Result<()>, run: impl FnOnce(RunCallbacks)) -> bool {
        let (callbacks, wakers) = {
            let mut progress = self.progress.lock();
            if progress.result.is_some() {
                return false;
            }
            progress.result = Some(result.clone());
            self.over.store(true, Ordering::Release);
            #[cfg(any(target_os = "linux", windows))]
            for signal in progress.signals.drain(..) {
                if let Some(signal) = signal.upgrade() {
                    signal.set();
                }
            }
            (
                std::mem::take(&mut progress.callbacks),
                std::mem::take(&mut progress.wakers),
            )
        };
        self.changed.notify_all();
        for waker in wakers {
            waker.wake();
        }
        if callbacks.is_empty() {
            return false;
        }
        let kind = self.kind;
        run(Box::new(move || {
            for callback in callbacks {
                callback(kind, result.clone());
            }
        }));
        true
    }

    /// The result, once it is over.
    pub fn result(&self) -> Option<Result<()>> {
        if !self.over.load(Ordering::Acquire) {
            return None;
        }
        self.progress.lock().result.clone()
    }

    /// Whether somebody will be called back.
    pub fn has_callbacks(&self) -> bool {
        !self.progress.lock().callbacks.is_empty()
    }

    /// Waits without blocking a thread.
    pub fn finished(self: &Arc<Self>) -> impl Future<Output = Result<()>> + Send + use<> {
        let operation = Arc::clone(self);
        std::future::poll_fn(move |context| {
            let mut progress = operation.progress.lock();
            match &progress.result {
                Some(result) => Poll::Ready(result.clone()),
                None => {
                    progress.wakers.push(context.waker().clone());
                    Poll::Pending
                }
            }
        })
    }
}

/// One waiter's hold on an operation. Letting go of it does not cancel the operation.
#[derive(Debug)]
pub struct Wait {
    operation: Arc<Operation>,
    #[cfg(any(target_os = "linux", windows))]
    signal: Mutex<Option<Arc<Signal>>>,
}

impl Wait {
    /// A further waiter.
    pub fn new(operation: Arc<Operation>) -> Self {
        Self {
            operation,
            #[cfg(any(target_os = "linux", windows))]
            signal: Mutex::new(None),
        }
    }

    /// What it waits for.
    pub fn operation_itself(&self) -> &Arc<Operation> {
        &self.operation
    }

    /// A waiter of an operation that could not begin.
    pub fn failed(kind: OperationKind, owner: Owner, error: Error) -> Self {
        Self::new(Operation::over(kind, owner, Err(error)))
    }

    /// The operation.
    pub fn operation(&self) -> OperationKind {
        self.operation.kind
    }

    /// Blocks until the operation is over, not longer than `timeout`; `None`: for ever; zero: looks only.
    ///
    /// # Errors
    /// TIMEOUT; WOULD_DEADLOCK where the operation waits for this very thread. Not the operation's own error.
    pub fn block(&self, timeout: Option<Duration>) -> Result<()> {
        let operation = &*self.operation;
        if operation.over.load(Ordering::Acquire) {
            return Ok(());
        }
        let still = || Error::timeout("the operation is not over yet");
        if timeout == Some(Duration::ZERO) {
            return Err(still());
        }
        let would_never_end = || {
            Error::would_deadlock(
                "the operation can't end before the callback that waits for it has returned: \
                 use a completion callback, or wait on another thread",
            )
        };
        let _waiting = match operation.owner {
            Owner::Recorder(id) => Some(cycles::begin(id).ok_or_else(would_never_end)?),
            Owner::Runtime(id) if scope::is_inside_runtime(id) => return Err(would_never_end()),
            Owner::Runtime(_) => None,
        };
        // Too far to be told as an instant is for ever.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut progress = operation.progress.lock();
        while progress.result.is_none() {
            match deadline {
                None => operation.changed.wait(&mut progress),
                Some(deadline) => {
                    if operation.changed.wait_until(&mut progress, deadline).timed_out()
                        && progress.result.is_none()
                    {
                        return Err(still());
                    }
                }
            }
        }
        Ok(())
    }

    /// The operation's result; `None` until it is over.
    pub fn result(&self) -> Option<Result<()>> {
        self.operation.result()
    }

    /// Calls back once, with the result: on a thread of the library, or, where the operation is over already, on this
    /// thread before returning.
    pub fn on_complete(&self, callback: OnComplete) {
        let result = {
            let mut progress = self.operation.progress.lock();
            match progress.result.clone() {
                Some(result) => result,
                None => {
                    progress.callbacks.push(callback);
                    return;
                }
            }
        };
        callback(self.operation.kind, result);
    }

    /// A descriptor that is readable once the operation is over. It belongs to this wait and is closed with it.
    ///
    /// # Errors
    /// UNSUPPORTED where the platform has none, UNEXPECTED_ERROR where the process has no descriptor left.
    #[cfg(target_os = "linux")]
    pub fn fd(&self) -> Result<i32> {
        Ok(self.signal()?.number())
    }

    /// An event HANDLE that is signalled once the operation is over. It belongs to this wait and is closed with it.
    ///
    /// # Errors
    /// UNEXPECTED_ERROR where the system gives none.
    #[cfg(windows)]
    pub fn handle(&self) -> Result<*mut std::ffi::c_void> {
        Ok(self.signal()?.number())
    }

    /// What the system itself can wait on, made when it is first asked for.
    #[cfg(any(target_os = "linux", windows))]
    fn signal(&self) -> Result<Arc<Signal>> {
        let mut own = self.signal.lock();
        if let Some(signal) = &*own {
            return Ok(Arc::clone(signal));
        }
        let signal = Arc::new(Signal::new()?);
        let mut progress = self.operation.progress.lock();
        if progress.result.is_some() {
            signal.set();
        } else {
            progress.signals.push(Arc::downgrade(&signal));
        }
        *own = Some(Arc::clone(&signal));
        Ok(signal)
    }

    /// See the Linux version.
    ///
    /// # Errors
    /// UNSUPPORTED.
    #[cfg(not(any(target_os = "linux", windows)))]
    pub fn fd(&self) -> Result<i32> {
        Err(Error::unsupported(
            "this platform has no file descriptor to wait on",
        ))
    }
}

#[cfg(target_os = "linux")]
mod descriptor {
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    use crate::error::{Error, Result};

    /// An eventfd that is set once and stays readable.
    #[derive(Debug)]
    pub struct EventFd(OwnedFd);

    impl EventFd {
        pub fn new() -> Result<Self> {
            // SAFETY: takes two integers.
            let number = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            if number < 0 {
                let error = io::Error::last_os_error();
                return Err(Error::unexpected(format!(
                    "no file descriptor to wait on: {error}"
                )));
            }
            // SAFETY: the descriptor was just made and belongs to nobody else.
            Ok(Self(unsafe { OwnedFd::from_raw_fd(number) }))
        }

        pub fn set(&self) {
            let one = 1u64;
            // SAFETY: eight readable bytes. It can't fail: the counter is far from its end.
            unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
        }

        pub fn number(&self) -> i32 {
            self.0.as_raw_fd()
        }
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn every_waiter_gets_the_same_result_and_each_callback_runs_once() {
        let operation = Operation::new(OperationKind::Stop, Owner::Recorder(7));
        let (sender, receiver) = mpsc::channel();
        let waits: Vec<Wait> = (0..3).map(|_| Wait::new(Arc::clone(&operation))).collect();
        for wait in &waits {
            let sender = sender.clone();
            wait.on_complete(Box::new(move |kind, result| {
                assert_eq!(kind, OperationKind::Stop);
                sender.send(result.map_err(|error| error.reason)).unwrap();
            }));
            assert!(wait.result().is_none());
        }
        assert!(operation.complete(Err(Error::cancelled()), |run| run()));
        assert!(!operation.complete(Ok(()), |_| panic!("completed twice")));
        drop(sender);
        let results: Vec<_> = receiver.iter().collect();
        assert_eq!(results, vec![Err("DISPATCHER_UNEXPECTEDLY_CANCELLED"); 3]);
        waits[0].block(Some(Duration::ZERO)).unwrap();
    }

    #[test]
    fn a_callback_of_the_recorder_does_not_wait_for_it() {
        let wait = Wait::new(Operation::new(OperationKind::Stop, Owner::Recorder(7)));
        scope::inside(7, 1, || {
            assert_eq!(wait.block(None).unwrap_err().reason, "WOULD_DEADLOCK");
            assert_eq!(wait.block(Some(Duration::ZERO)).unwrap_err().reason, "TIMEOUT");
        });
        scope::inside(8, 1, || {
            assert_eq!(
                wait.block(Some(Duration::from_millis(1))).unwrap_err().reason,
                "TIMEOUT"
            );
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_descriptor_is_readable_once_it_is_over_and_not_before() {
        let readable = |number: i32| {
            let mut poll = libc::pollfd {
                fd: number,
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one pollfd on this stack.
            unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
        };
        let operation = Operation::new(OperationKind::Start, Owner::Recorder(7));
        let (before, after) = (
            Wait::new(Arc::clone(&operation)),
            Wait::new(Arc::clone(&operation)),
        );
        let number = before.fd().unwrap();
        assert!(!readable(number));
        operation.complete(Ok(()), |run| run());
        assert!(readable(number) && readable(after.fd().unwrap()));
    }
}
