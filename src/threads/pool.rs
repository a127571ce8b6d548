//! The threads of one runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::sync::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};

use super::bell::{Bell, Ringer};
use super::{scope, signals};
use crate::callback::ThreadHooks;
use crate::error::{Error, Result, Status};
use crate::process::panic;

/// Foreign code may block, and must not hold up others for it: there may be as many threads as callbacks that block.
const MAX_POOL_THREADS: usize = 65_536;
/// How long an idle thread of the pool waits for work before it ends.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// What a runtime's threads are made with.
#[derive(Clone)]
pub struct ThreadOptions {
    /// Tokio's workers.
    pub workers: usize,
    /// Prefix of their names.
    pub name_prefix: String,
    /// Called on each.
    pub hooks: Option<Arc<dyn ThreadHooks>>,
}

/// The threads of one runtime, for whoever has something to run. `R` is what rings the bell.
pub struct Threads<R> {
    /// Identity of the runtime, never 0.
    pub id: u64,
    handle: Handle,
    bell: Bell<R>,
    /// Nothing new begins on these threads.
    closing: AtomicBool,
    /// The threads end.
    ending: AtomicBool,
}

/// The owner's side: ends the threads.
pub struct ThreadsOwner {
    bell_thread: Mutex<Option<JoinHandle<()>>>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Runs its job when it is run or, where the pool is gone, when it is dropped: never not at all, never twice.
struct Job<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Job<F> {
    fn run(&mut self) {
        if let Some(job) = self.0.take() {
            // A job guards itself; this is the last fence before a thread of the pool.
            let _ = panic::catch(job);
        }
    }
}

impl<F: FnOnce()> Drop for Job<F> {
    fn drop(&mut self) {
        self.run();
    }
}

impl<R: Ringer> Threads<R> {
    /// Starts the threads. When they are told to end, `last` runs on the bell's thread after all others have ended or
    /// the time that `join_within` grants is over.
    ///
    /// # Errors
    /// STARTUP_ERROR where the system gives no threads.
    pub fn start(
        options: &ThreadOptions,
        last: impl FnOnce(&dyn Fn(Duration)) + Send + 'static,
    ) -> Result<(Arc<Self>, ThreadsOwner)> {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let failed = |error: std::io::Error| {
            Error::new(
                Status::StartupFailed,
                "STARTUP_ERROR",
                "unable to start the metrics runtime",
            )
            .caused_by(Error::unexpected(format!("the system gave no thread: {error}")))
        };
        // Threads inherit the mask of the one that makes them.
        signals::with_blocked(|| {
            let runtime = build(id, options).map_err(failed)?;
            let threads = Arc::new(Self {
                id,
                handle: runtime.handle().clone(),
                bell: Bell::new(),
                closing: AtomicBool::new(false),
                ending: AtomicBool::new(false),
            });
            let served = Arc::clone(&threads);
            let hooks = options.hooks.clone();
            let bell_thread = std::thread::Builder::new()
                .name(thread_name(&options.name_prefix, "bell"))
                .spawn(move || {
                    enter_thread(id, hooks.as_deref());
                    served.bell.serve(|| served.ending.load(Ordering::SeqCst));
                    let runtime = Mutex::new(Some(runtime));
                    last(&|within| {
                        if let Some(runtime) = runtime.lock().take() {
                            runtime.shutdown_timeout(within);
                        }
                        served.bell.answer();
                        served.bell.close();
                    });
                    leave_thread(hooks.as_deref());
                })
                .map_err(failed)?;
            Ok((
                threads,
                ThreadsOwner {
                    bell_thread: Mutex::new(Some(bell_thread)),
                },
            ))
        })
    }

    /// Has `ringer.answered()` called on the bell's thread, soon. Takes no lock.
    pub fn ring(&self, ringer: &Arc<R>) {
        self.bell.ring(ringer);
    }

    /// Runs a job on a thread of the pool, where it may block. Where the pool is gone, the job runs at once, here.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) {
        let mut job = Job(Some(job));
        let spawn = || drop(self.handle.spawn_blocking(move || job.run()));
        if scope::is_library_thread() {
            spawn()
        } else {
            signals::with_blocked(spawn)
        }
    }

    /// Runs a short job on a worker after a delay. Where the pool is gone by then, it does not run.
    pub fn after(&self, delay: Duration, job: impl FnOnce() + Send + 'static) {
        self.handle.spawn(async move {
            tokio::time::sleep(delay).await;
            job();
        });
    }

    /// Runs a future on a worker. It must not block.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(future);
    }

    /// Nothing new may begin on these threads.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Whether [`Threads::close`] was called.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Whether the threads end, or have ended.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Ends all threads; the bell's thread sees to it.
    pub fn end(&self) {
        self.close();
        self.ending.store(true, Ordering::SeqCst);
        self.bell.wake();
    }
}

impl ThreadsOwner {
    /// Waits for the last thread to end, which must have been told to.
    pub fn join(&self) {
        if let Some(thread) = self.bell_thread.lock().take() {
            let _ = thread.join();
        }
    }
}

fn thread_name(prefix: &str, role: &str) -> String {
    // Linux shows 15 bytes of it.
    format!("{prefix}-{role}")
}

fn build(id: u64, options: &ThreadOptions) -> std::io::Result<Runtime> {
    let count = AtomicUsize::new(0);
    let prefix = options.name_prefix.clone();
    let (on_start, on_stop) = (options.hooks.clone(), options.hooks.clone());
    Builder::new_multi_thread()
        .worker_threads(options.workers)
        .max_blocking_threads(MAX_POOL_THREADS)
        .thread_keep_alive(KEEP_ALIVE)
        .thread_name_fn(move || thread_name(&prefix, &count.fetch_add(1, Ordering::Relaxed).to_string()))
        .on_thread_start(move || enter_thread(id, on_start.as_deref()))
        .on_thread_stop(move || leave_thread(on_stop.as_deref()))
        .enable_time()
        .build()
}

fn enter_thread(id: u64, hooks: Option<&dyn ThreadHooks>) {
    scope::set_thread_of(id);
    if let Some(hooks) = hooks {
        hooks.on_start();
    }
}

fn leave_thread(hooks: Option<&dyn ThreadHooks>) {
    if let Some(hooks) = hooks {
        hooks.on_stop();
    }
}
