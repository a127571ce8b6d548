//! The threads of one runtime as the checker of the life cycle has them: in place of Tokio's pool and timers, a thread
//! of the checker for each job. The bell is the real one.
//!
//! A job begins, and a delay ends, whenever the checker likes: every order that the pool and the clock could bring
//! about is among its schedules.

use std::sync::Arc;
use std::time::Duration;

use super::bell::{Bell, Ringer};
use super::scope;
use crate::callback::ThreadHooks;
use crate::error::Result;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::thread::{self, JoinHandle};

/// What a runtime's threads are made with.
#[allow(dead_code, reason = "the fields are those of the real pool")]
#[derive(Clone)]
pub struct ThreadOptions {
    /// Tokio's workers; there are none here.
    pub workers: usize,
    /// Prefix of their names; they have none here.
    pub name_prefix: String,
    /// Called on each.
    pub hooks: Option<Arc<dyn ThreadHooks>>,
}

/// The threads of one runtime, for whoever has something to run. `R` is what rings the bell.
pub struct Threads<R> {
    /// Identity of the runtime, never 0.
    pub id: u64,
    bell: Bell<R>,
    closing: AtomicBool,
    ending: AtomicBool,
    hooks: Option<Arc<dyn ThreadHooks>>,
}

/// The owner's side: ends the threads.
pub struct ThreadsOwner {
    bell_thread: Mutex<Option<JoinHandle<()>>>,
}

// The process's, and not one play's.
static NEXT_ID: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

impl<R: Ringer> Threads<R> {
    /// Starts the bell's thread. When the threads are told to end, `last` runs on it; what it is given only answers the
    /// bell once more, as jobs end by themselves.
    ///
    /// # Errors
    /// None: the checker always has a thread.
    pub fn start(
        options: &ThreadOptions,
        last: impl FnOnce(&dyn Fn(Duration)) + Send + 'static,
    ) -> Result<(Arc<Self>, ThreadsOwner)> {
        let threads = Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            bell: Bell::new(),
            closing: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            hooks: options.hooks.clone(),
        });
        let served = Arc::clone(&threads);
        let bell_thread = threads.spawn_thread(move || {
            served.bell.serve(|| served.ending.load(Ordering::SeqCst));
            last(&|_| served.bell.answer());
        });
        Ok((
            threads,
            ThreadsOwner {
                bell_thread: Mutex::new(Some(bell_thread)),
            },
        ))
    }

    fn spawn_thread(&self, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
        let (id, hooks) = (self.id, self.hooks.clone());
        thread::spawn(move || {
            scope::set_thread_of(id);
            if let Some(hooks) = &hooks {
                hooks.on_start();
            }
            body();
            if let Some(hooks) = &hooks {
                hooks.on_stop();
            }
        })
    }

    /// Has `ringer.answered()` called on the bell's thread, soon. Takes no lock.
    pub fn ring(&self, ringer: &Arc<R>) {
        self.bell.ring(ringer);
    }

    /// Runs a job on a thread of its own.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn_thread(job);
    }

    /// Runs a short job at any time from now on.
    pub fn after(&self, _delay: Duration, job: impl FnOnce() + Send + 'static) {
        self.spawn_thread(job);
    }

    /// Runs a future on a thread of its own.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.spawn_thread(move || shuttle::future::block_on(future));
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

    /// Ends the bell's thread; jobs end by themselves.
    pub fn end(&self) {
        self.close();
        self.ending.store(true, Ordering::SeqCst);
        self.bell.wake();
    }
}

impl ThreadsOwner {
    /// Waits for the bell's thread to end, which must have been told to.
    pub fn join(&self) {
        let thread = self.bell_thread.lock().take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
