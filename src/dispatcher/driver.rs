//! Runs a recorder's tasks on the threads of the library.
//!
//! A task is a future. It is polled on a thread of the pool, where callbacks may block, by one thread at a time. Where
//! it has nothing to do it says how it wants to rest, and the thread goes back to the pool, except for rests of less
//! than a millisecond. Whoever has something for it rings.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use std::collections::VecDeque;

use crate::metrics::EventHub;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::thread::{self, Thread};
use crate::threads::bell::{Link, Ringer};
use crate::threads::pool::Threads;

/// How a task rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Somebody holds a token and will ring; events do not matter meanwhile.
    Held,
    /// A moment, on its thread. The next event does not end it, a queue that fills does where that is worth it.
    Nap(Duration),
    /// A while, without a thread. The next event does not end it, a queue that fills does.
    Doze(Duration),
    /// Until the next event or ring, without a thread and without a timer.
    Sleep,
}

/// A nap shorter than this is over before anybody could end it.
const WORTH_WAKING: Duration = Duration::from_micros(200);

type Attend = Box<dyn Fn() + Send + Sync>;
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

enum Schedule {
    /// Nothing runs.
    Idle,
    /// A job is on its way to a thread.
    Queued,
    /// A thread polls; `again` where somebody rang meanwhile.
    Running { again: bool, napping: Option<Thread> },
    /// A timer will ring; the number tells it from older ones.
    Dozing(u64),
}

/// Drives the tasks of one recorder, one after the other.
pub struct Driver {
    link: Link<Driver>,
    threads: Arc<Threads<Driver>>,
    hub: OnceLock<Arc<EventHub>>,
    attend: OnceLock<Attend>,
    schedule: Mutex<Schedule>,
    tasks: Mutex<VecDeque<Task>>,
    rest: Mutex<Rest>,
    dozes: AtomicU64,
    abandoned: AtomicBool,
}

impl Driver {
    /// A driver without tasks.
    pub fn new(threads: Arc<Threads<Driver>>) -> Arc<Self> {
        Arc::new(Self {
            link: Link::default(),
            threads,
            hub: OnceLock::new(),
            attend: OnceLock::new(),
            schedule: Mutex::new(Schedule::Idle),
            tasks: Mutex::new(VecDeque::new()),
            rest: Mutex::new(Rest::Held),
            dozes: AtomicU64::new(0),
            abandoned: AtomicBool::new(false),
        })
    }

    /// Sets the hand-off whose bell tells recording threads whether to ring. Once, before the first task.
    pub fn set_hub(&self, hub: Arc<EventHub>) {
        let _ = self.hub.set(hub);
    }

    /// Sets what else is done for each ring, on the bell's thread. Once; it must not block.
    pub fn set_attend(&self, attend: impl Fn() + Send + Sync + 'static) {
        let _ = self.attend.set(Box::new(attend));
    }

    /// The threads that it runs on.
    pub fn threads(&self) -> &Arc<Threads<Driver>> {
        &self.threads
    }

    /// Has the task polled, soon, on a thread of the library. Takes no lock.
    pub fn ring(self: &Arc<Self>) {
        self.threads.ring(self);
    }

    /// Adds a task, to run after those before it.
    pub fn start(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().push_back(Box::pin(task));
        self.ring();
    }

    /// Lets the running task rest once. To be awaited by the task only.
    pub fn rest(&self, how: Rest) -> impl Future<Output = ()> + Send {
        let mut rested = false;
        std::future::poll_fn(move |_| {
            if rested {
                return Poll::Ready(());
            }
            rested = true;
            *self.rest.lock() = how;
            Poll::Pending
        })
    }

    /// Drops tasks that nobody will poll any more: the threads are gone. One that a callback holds up at this moment
    /// goes when it comes to rest.
    pub fn abandon(&self) {
        let tasks = {
            let mut tasks = self.tasks.lock();
            self.abandoned.store(true, Ordering::SeqCst);
            std::mem::take(&mut *tasks)
        };
        drop(tasks);
    }

    /// Whether it has no task and nothing of it is under way.
    #[cfg(all(test, mvx_shuttle))]
    pub fn is_idle(&self) -> bool {
        let schedule = self.schedule.lock();
        matches!(*schedule, Schedule::Idle) && self.tasks.lock().is_empty()
    }

    fn poll_task(self: &Arc<Self>) -> Option<Rest> {
        let mut task = self.tasks.lock().pop_front()?;
        *self.rest.lock() = Rest::Held;
        let waker = Waker::from(Arc::clone(self));
        match task.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(()) => {
                drop(task);
                // The next one, if there is one.
                let more = !self.tasks.lock().is_empty();
                more.then_some(Rest::Nap(Duration::ZERO))
            }
            Poll::Pending => {
                let mut tasks = self.tasks.lock();
                if self.abandoned.load(Ordering::SeqCst) {
                    drop(tasks);
                    drop(task);
                    return None;
                }
                tasks.push_front(task);
                drop(tasks);
                Some(*self.rest.lock())
            }
        }
    }

    /// Polls until the task rests without a thread, or there is none.
    fn run(self: Arc<Self>) {
        *self.schedule.lock() = Schedule::Running {
            again: false,
            napping: None,
        };
        loop {
            if let Some(hub) = self.hub.get() {
                hub.set_awake();
            }
            let rest = self.poll_task();
            if !self.settle(rest) {
                return;
            }
        }
    }

    /// Rests as asked; whether to poll again on this thread.
    fn settle(self: &Arc<Self>, rest: Option<Rest>) -> bool {
        let hub = self.hub.get();
        match (rest, hub) {
            (Some(Rest::Sleep), Some(hub)) if !hub.try_sleep() => return true,
            (Some(Rest::Doze(_)), Some(hub)) => hub.doze(),
            (Some(Rest::Nap(time)), Some(hub)) if time >= WORTH_WAKING => hub.doze(),
            _ => {}
        }
        let mut schedule = self.schedule.lock();
        if let Schedule::Running {
            again: again @ true, ..
        } = &mut *schedule
        {
            *again = false;
            return true;
        }
        match rest {
            Some(Rest::Nap(time)) => {
                *schedule = Schedule::Running {
                    again: false,
                    napping: Some(thread::current()),
                };
                drop(schedule);
                if !time.is_zero() {
                    thread::park_timeout(time);
                }
                *self.schedule.lock() = Schedule::Running {
                    again: false,
                    napping: None,
                };
                true
            }
            Some(Rest::Doze(time)) => {
                let number = self.dozes.fetch_add(1, Ordering::Relaxed);
                *schedule = Schedule::Dozing(number);
                drop(schedule);
                let driver = Arc::downgrade(self);
                self.threads.after(time, move || wake_from_doze(&driver, number));
                false
            }
            Some(Rest::Held | Rest::Sleep) | None => {
                *schedule = Schedule::Idle;
                false
            }
        }
    }

    /// Sends a job to the pool. Not under the lock of the schedule: where the pool is gone the job runs here.
    fn send_job(self: &Arc<Self>) {
        let driver = Arc::clone(self);
        self.threads.run(move || driver.run());
    }
}

fn wake_from_doze(driver: &Weak<Driver>, number: u64) {
    let Some(driver) = driver.upgrade() else { return };
    let mut schedule = driver.schedule.lock();
    if matches!(*schedule, Schedule::Dozing(current) if current == number) {
        *schedule = Schedule::Queued;
        drop(schedule);
        driver.send_job();
    }
}

impl Ringer for Driver {
    fn link(&self) -> &Link<Self> {
        &self.link
    }

    fn answered(self: Arc<Self>) {
        if let Some(attend) = self.attend.get() {
            attend();
        }
        let mut schedule = self.schedule.lock();
        match &mut *schedule {
            Schedule::Idle | Schedule::Dozing(_) => {
                *schedule = Schedule::Queued;
                drop(schedule);
                self.send_job();
            }
            Schedule::Queued => {}
            Schedule::Running { again, napping } => {
                *again = true;
                if let Some(thread) = napping {
                    thread.unpark();
                }
            }
        }
    }
}

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}
