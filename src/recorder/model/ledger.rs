//! What a host would see of one play, written down and checked.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use shuttle::thread;

use crate::error::Status;
use crate::event::{self, EventTypeOptions, Release};
use crate::recorder::Recorder;

/// One event's life. Moments count what happens in one play, from 1 on.
#[derive(Clone, Debug, Default)]
pub struct Life {
    pub thread: usize,
    pub called_at: u64,
    pub returned_at: u64,
    pub status: Option<Status>,
    pub handled_by: Vec<&'static str>,
    pub in_hand: bool,
    pub released: u32,
}

#[derive(Clone, Default)]
pub struct Book {
    pub now: u64,
    pub lives: Vec<Life>,
    /// Metric and event, by the order of handling.
    pub handled: Vec<(&'static str, u64)>,
    pub dropped: HashMap<&'static str, u32>,
    /// Metrics to which the order between threads does not matter.
    pub commutative: HashSet<&'static str>,
    /// A callback can't fail the check by itself: a panic in it is the recorder's business.
    pub faults: Vec<String>,
}

impl Book {
    pub fn moment(&mut self) -> u64 {
        self.now += 1;
        self.now
    }
}

/// What happened in one play. Its lock is a plain one: nothing under it gives way to another thread.
pub struct Ledger {
    pub id: u64,
    pub book: Mutex<Book>,
    pub told: shuttle::sync::Mutex<()>,
    pub changed: shuttle::sync::Condvar,
}

static LEDGERS: Mutex<Vec<Weak<Ledger>>> = parking_lot::const_mutex(Vec::new());

impl Ledger {
    pub fn open() -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let ledger = Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            book: Mutex::default(),
            told: shuttle::sync::Mutex::new(()),
            changed: shuttle::sync::Condvar::new(),
        });
        let mut all = LEDGERS.lock();
        all.retain(|ledger| ledger.strong_count() > 0);
        all.push(Arc::downgrade(&ledger));
        ledger
    }

    pub fn fault(&self, what: String) {
        self.book.lock().faults.push(what);
    }

    /// Records an event; its number and what the call said.
    pub fn record(&self, recorder: &Recorder) -> (u64, Status) {
        let number = {
            let mut book = self.book.lock();
            let called_at = book.moment();
            book.lives.push(Life {
                thread: thread::current().id().into(),
                called_at,
                ..Life::default()
            });
            book.lives.len() as u64 - 1
        };
        let mut payload = [0; 16];
        payload[..8].copy_from_slice(&self.id.to_ne_bytes());
        payload[8..].copy_from_slice(&number.to_ne_bytes());
        let status = recorder.register_event(event_type(), &payload);
        let mut book = self.book.lock();
        let returned_at = book.moment();
        let life = &mut book.lives[number as usize];
        life.returned_at = returned_at;
        life.status = Some(status);
        (number, status)
    }

    pub fn taken_in_hand(&self, metric: &'static str, number: u64) {
        let mut book = self.book.lock();
        book.handled.push((metric, number));
        let life = &mut book.lives[number as usize];
        let was_well = life.released == 0 && !life.in_hand && !life.handled_by.contains(&metric);
        life.in_hand = true;
        life.handled_by.push(metric);
        if !was_well {
            let what = format!("{metric} handles {number} again, or too late: {life:?}");
            book.faults.push(what);
        }
    }

    pub fn handled(&self, number: u64) {
        self.book.lock().lives[number as usize].in_hand = false;
        let told = self.told.lock().unwrap();
        self.changed.notify_all();
        drop(told);
    }

    pub fn released(&self, number: u64) {
        let mut book = self.book.lock();
        let life = &mut book.lives[number as usize];
        life.released += 1;
        if life.released > 1 || life.in_hand {
            let what = format!("{number} is released again, or too early: {life:?}");
            book.faults.push(what);
        }
    }

    pub fn life(&self, number: u64) -> Life {
        self.book.lock().lives[number as usize].clone()
    }

    pub fn lives(&self) -> Vec<Life> {
        self.book.lock().lives.clone()
    }

    pub fn drops_of(&self, metric: &str) -> u32 {
        self.book.lock().dropped.get(metric).copied().unwrap_or(0)
    }

    /// Waits until `count` events were handled, without asking the recorder for anything.
    pub fn await_handled(&self, count: usize) {
        let mut told = self.told.lock().unwrap();
        loop {
            let lives = self.lives();
            let handled = lives
                .iter()
                .filter(|life| !life.handled_by.is_empty() && !life.in_hand);
            if handled.count() >= count {
                return;
            }
            told = self.changed.wait(told).unwrap();
        }
    }

    /// The account that every play ends with, once nothing is under way any more; how many events were accepted.
    pub fn close(&self) -> u64 {
        let book = self.book.lock().clone();
        assert!(book.faults.is_empty(), "{:?}", book.faults);
        for (number, life) in book.lives.iter().enumerate() {
            if life.status == Some(Status::Ok) {
                assert!(life.released == 1 && !life.in_hand, "accepted: {number} {life:?}");
            } else {
                let untouched = life.released == 0 && life.handled_by.is_empty();
                assert!(untouched, "refused: {number} {life:?}");
            }
        }
        for (place, (metric, number)) in book.handled.iter().enumerate() {
            let life = &book.lives[*number as usize];
            let before = |other: &Life| {
                let ordered = other.thread == life.thread || !book.commutative.contains(metric);
                ordered && other.returned_at < life.called_at
            };
            for (other, later) in &book.handled[place + 1..] {
                let well = other != metric || !before(&book.lives[*later as usize]);
                assert!(well, "{metric} saw {number} before {later}: {:?}", book.handled);
            }
        }
        let accepted = book.lives.iter().filter(|life| life.status == Some(Status::Ok));
        accepted.count() as u64
    }
}

pub struct ToLedger;

impl Release for ToLedger {
    fn release(&self, payload: &[u8]) {
        with_ledger(payload, |ledger, number| ledger.released(number));
    }
    fn same(&self, other: &dyn Release) -> bool {
        self.identity() == other.identity()
    }
    fn identity(&self) -> (usize, usize) {
        (1, 1)
    }
}

pub fn with_ledger(payload: &[u8], note: impl FnOnce(&Ledger, u64)) {
    let word = |from: usize| u64::from_ne_bytes(payload[from..from + 8].try_into().unwrap());
    let ledgers: Vec<_> = LEDGERS.lock().iter().filter_map(Weak::upgrade).collect();
    if let Some(ledger) = ledgers.iter().find(|ledger| ledger.id == word(0)) {
        note(ledger, word(8));
    }
}

pub fn event_type() -> u32 {
    static TYPE: OnceLock<u32> = OnceLock::new();
    *TYPE.get_or_init(|| {
        let options = EventTypeOptions {
            name: "recorder.model".to_owned(),
            fields: Vec::new(),
            timed: false,
            release: Some(Box::new(ToLedger)),
        };
        event::declare(options).unwrap().id
    })
}
