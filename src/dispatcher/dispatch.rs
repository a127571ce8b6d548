//! From the hand-off to the metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::driver::{Driver, Rest};
use super::flight::Flight;
use super::stage::{OnStage, Stage};
use crate::callback::{Completion, HookOutcome, Hooks};
use crate::error::{Error, Result, Status};
use crate::event::{self, Event, RawStr};
use crate::log::{Facts, Log};
use crate::metrics::{EventHub, MetricEntry};
use crate::queue::{Next, Record, event_cost, unix_ns};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::threads::scope;
use crate::wait::Operation;

/// Events taken at once. Small enough that room comes back often, large enough that taking costs little an event.
const BATCH: usize = 256;

// How the dispatcher rests where it finds nothing: first it looks again soon, because looking costs the recording
// threads less than being woken by them; then it sleeps without a timer.
// Naps are the longer the less comes meanwhile.
const SHORTEST_NAP: Duration = Duration::from_micros(50);
const LONGEST_NAP: Duration = Duration::from_millis(3);
/// What may come during a nap, as a part of the limit, before naps get shorter.
const OF_LIMIT: u64 = 4;
#[cfg(not(mvx_shuttle))]
const NAPS: u32 = 15;
const DOZE: Duration = Duration::from_millis(3);
#[cfg(not(mvx_shuttle))]
const DOZES: u32 = 30;

// A checker knows no time: one nap and one doze are as good as many.
#[cfg(mvx_shuttle)]
const NAPS: u32 = 2;
#[cfg(mvx_shuttle)]
const DOZES: u32 = 1;

/// What of a recorder its dispatcher works with.
pub struct Surroundings {
    /// Identity of the recorder.
    pub recorder: u64,
    /// Identity of its runtime.
    pub runtime: u64,
    /// Where events come from.
    pub hub: Arc<EventHub>,
    /// What runs the dispatcher.
    pub driver: Arc<Driver>,
    /// The host's hooks.
    pub hooks: Option<Arc<dyn Hooks>>,
    /// Whether a failing metric is taken out instead of failing the recorder.
    pub quarantine: bool,
    /// The recorder's log.
    pub log: Log,
    /// The right to call metrics.
    pub stage: Stage,
    /// Events under dispatch.
    pub flight: Flight,
    /// No event comes any more: end when all are dispatched.
    pub stopping: AtomicBool,
    /// Metrics that were taken out.
    pub quarantined: AtomicU64,
    /// When the events now under dispatch were taken, in nanoseconds since `born`; 0: none are.
    pub taken_at: AtomicU64,
    /// The recorder's beginning.
    pub born: Instant,
}

/// How dispatching ended.
#[derive(Debug)]
pub enum Ending {
    /// As it should: everything was dispatched.
    Stopped,
    /// A metric or hook failed.
    Failed(Error),
    /// From outside.
    Cancelled,
}

/// Whether a batch was handled; if not, the recorder's error, or nothing where it was cancelled.
type Handled = std::result::Result<(), Option<Error>>;

/// What came of one batch.
enum Step {
    Done,
    Failed(Error),
    Cancelled,
}

/// The dispatcher's own state; it lives as long as the recorder, over restarts.
#[derive(Default)]
pub struct Dispatcher {
    metrics: Vec<Arc<MetricEntry>>,
    batch: Vec<Event>,
    /// Events of the batch that every metric has handled.
    done: usize,
    /// Whether an event of the batch has a release callback.
    releases: bool,
    wanted: Vec<Event>,
    /// Whether a metric wants its events one by one.
    one_by_one: bool,
    /// What the events of the batch cost, together.
    bytes: u64,
    /// The event type of the batch, where it has but one.
    only_type: Option<u32>,
    /// Which metrics want events of a type, by their place; only while events go one by one.
    wanting: Vec<usize>,
}

// SAFETY: the events of a batch point into rings that do not move and stay until the batch is given back.
unsafe impl Send for Dispatcher {}

impl Surroundings {
    /// Runs `callback` as one of this recorder's.
    pub fn inside<T>(&self, callback: impl FnOnce() -> T) -> T {
        scope::inside(self.recorder, self.runtime, callback)
    }

    /// Completes an operation; its callbacks run on the pool.
    pub fn complete(&self, operation: &Operation, result: Result<()>) {
        operation.complete(result, |callbacks| self.driver.threads().run(callbacks));
    }

    /// Waits for what a hook answered.
    async fn hook_done(&self, outcome: HookOutcome, completion: &Arc<Completion>) -> Result<()> {
        let failed = |message: Option<String>| Err(Error::callback(Status::HookFailed, message));
        match outcome {
            HookOutcome::Done => Ok(()),
            HookOutcome::Failed(message) => failed(message),
            HookOutcome::Pending => completion
                .completed()
                .await
                .or_else(|message| failed(Some(message))),
        }
    }

    /// Runs a hook of the life cycle and waits until it is done.
    ///
    /// # Errors
    /// What the hook reports.
    pub async fn call_hook(
        &self,
        hook: impl FnOnce(&dyn Hooks, &Arc<Completion>) -> HookOutcome,
    ) -> Result<()> {
        let Some(hooks) = &self.hooks else { return Ok(()) };
        let completion = Completion::new();
        let outcome = self.inside(|| hook(&**hooks, &completion));
        self.hook_done(outcome, &completion).await
    }

    /// Discards everything that is pending in the hand-off, which is closed; `first` too. Counted, and released.
    pub fn discard(&self, first: &[Event]) {
        self.inside(|| {
            discard_events(&self.hub, first);
            let mut rest: Vec<Event> = Vec::new();
            while self.hub.take_rest(BATCH, |record| rest.extend(decode(record, 0))) {
                discard_events(&self.hub, &rest);
                rest.clear();
            }
        });
    }

    fn nanoseconds(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_nanos())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    /// How long the events now under dispatch have been so.
    pub fn lag_ns(&self) -> i64 {
        match self.taken_at.load(Ordering::Relaxed) {
            0 => 0,
            taken_at => i64::try_from(self.nanoseconds().saturating_sub(taken_at)).unwrap_or(i64::MAX),
        }
    }
}

fn discard_events(hub: &EventHub, events: &[Event]) {
    for event in events {
        release(event);
        hub.limit().discarded(1, event_cost(event.len));
    }
}

fn release(event: &Event) {
    if let Some(callback) =
        event::event_type(event.type_id).and_then(|event_type| event_type.release.as_ref())
    {
        callback.release(event.payload());
    }
}

fn decode(record: Record, now: u64) -> Option<Event> {
    let event_type = event::event_type(record.type_id)?;
    Some(event_of(record, RawStr::new(&event_type.name), now))
}

#[inline(always)]
fn event_of(record: Record, type_name: RawStr, now: u64) -> Event {
    Event {
        struct_size: size_of::<Event>(),
        type_id: record.type_id,
        type_name,
        payload: record.payload,
        len: usize::from(record.len),
        time_unix_ns: record.time.unwrap_or(now),
    }
}

fn metric_failed(entry: &MetricEntry, cause: Error) -> Error {
    Error::new(
        Status::MetricFailed,
        "UNEXPECTED_ERROR",
        format!("metric '{}' failed", entry.name),
    )
    .with_detail("metric", &*entry.name)
    .caused_by(cause)
}

impl Dispatcher {
    /// Adds a metric, or puts it in the place of the one of its name, which it gives back.
    pub fn install(&mut self, entry: Arc<MetricEntry>) -> Option<Arc<MetricEntry>> {
        let old = match self.metrics.iter_mut().find(|old| old.name == entry.name) {
            Some(place) => Some(std::mem::replace(place, entry)),
            None => {
                self.metrics.push(entry);
                None
            }
        };
        self.one_by_one = self.metrics.iter().any(|entry| !entry.metric.offers_batch());
        old
    }

    /// Dispatches until the recorder stops, fails, or is cancelled.
    pub async fn run(&mut self, with: &Surroundings) -> Ending {
        // Before the first event it sleeps at once: of a thousand recorders that start, few may ever have one.
        let mut idle = NAPS + DOZES;
        let mut nap = SHORTEST_NAP;
        let mut came = 0;
        loop {
            let Some(next) = self.take(with) else {
                return Ending::Cancelled;
            };
            while let Some(mark) = with.hub.reached_mark() {
                with.complete(&mark, Ok(()));
            }
            match next {
                Next::Change(entry) => {
                    with.inside(|| drop(self.install(entry)));
                }
                Next::Events => {
                    idle = 0;
                    came += self.batch.len() as u64;
                    with.taken_at.store(with.nanoseconds(), Ordering::Relaxed);
                    let step = self.dispatch(with).await;
                    with.flight.land();
                    match step {
                        Step::Done => {}
                        Step::Failed(error) => return Ending::Failed(error),
                        Step::Cancelled => return Ending::Cancelled,
                    }
                }
                Next::Nothing => {
                    // Nothing more will make room.
                    with.hub.limit().announce_room();
                    with.taken_at.store(0, Ordering::Relaxed);
                    if with.stopping.load(Ordering::Acquire) && with.hub.is_drained() {
                        return Ending::Stopped;
                    }
                    nap = if came > with.hub.limit().max_events() / OF_LIMIT {
                        (nap / 2).max(SHORTEST_NAP)
                    } else {
                        (nap * 2).min(LONGEST_NAP)
                    };
                    came = 0;
                    let rest = match idle {
                        0..NAPS => Rest::Nap(nap),
                        _ if idle < NAPS + DOZES => Rest::Doze(DOZE),
                        _ => Rest::Sleep,
                    };
                    // Where it could not fall asleep, as a thread was just recording, it dozes before it tries again.
                    idle = if rest == Rest::Sleep {
                        NAPS + DOZES - 1
                    } else {
                        idle + 1
                    };
                    with.driver.rest(rest).await;
                }
            }
        }
    }

    /// Takes the next batch; `None` where cancelled.
    fn take(&mut self, with: &Surroundings) -> Option<Next<Arc<MetricEntry>>> {
        self.batch.clear();
        self.done = 0;
        self.releases = false;
        self.bytes = 0;
        let now = unix_ns();
        let batch = &mut self.batch;
        let (releases, bytes) = (&mut self.releases, &mut self.bytes);
        let (mut types, mut of_type, mut name) = (0, 0, RawStr::empty());
        let next = with.flight.take_off(|| {
            let next = with.hub.collect(BATCH, |record| {
                // Runs of one type are the rule.
                if record.type_id != of_type {
                    let Some(event_type) = event::event_type(record.type_id) else {
                        return;
                    };
                    of_type = record.type_id;
                    types += 1;
                    name = RawStr::new(&event_type.name);
                    *releases |= event_type.release.is_some();
                }
                *bytes += event_cost(usize::from(record.len));
                batch.push(event_of(record, name, now));
            });
            (next, batch.as_ptr(), batch.len())
        });
        self.only_type = (types == 1).then_some(of_type);
        next
    }

    async fn dispatch(&mut self, with: &Surroundings) -> Step {
        let hook = with.hooks.as_ref().filter(|hooks| hooks.wants_metric_changed());
        let step = match hook {
            Some(hooks) => self.dispatch_with_hook(with, &Arc::clone(hooks)).await,
            None if self.one_by_one => self.dispatch_one_by_one(with),
            None => self.dispatch_batch(with),
        };
        match step {
            Ok(()) => Step::Done,
            Err(error) => self.give_up(with, error),
        }
    }

    fn give_up(&self, with: &Surroundings, error: Option<Error>) -> Step {
        let cancelled = with.flight.is_cancelled();
        self.discard_rest(with);
        match error {
            Some(error) if !cancelled => Step::Failed(error),
            _ => Step::Cancelled,
        }
    }

    /// Discards what is left of the batch, as far as a cancellation has not done so.
    pub fn discard_rest(&self, with: &Surroundings) {
        // Also where nobody cancelled yet: whoever does from here on finds no batch.
        let end = with.flight.settle();
        with.inside(|| discard_events(&with.hub, self.batch.get(self.done..end).unwrap_or_default()));
    }

    /// A metric failed: the recorder's error, or nothing where only the metric is taken out.
    fn judge(&self, with: &Surroundings, entry: &MetricEntry, cause: Error) -> Option<Error> {
        let error = metric_failed(entry, cause);
        let facts = Facts {
            metric_name: Some(&entry.name),
            ..Facts::default()
        };
        with.log.error("metrics_recorder.dispatch_error", facts, &error);
        if !with.quarantine {
            return Some(error);
        }
        if entry.quarantine(error) {
            with.quarantined.fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    /// Every metric in turn gets the whole batch.
    fn dispatch_batch(&mut self, with: &Surroundings) -> Handled {
        let count = self.batch.len();
        if !with.flight.begin(count) {
            return Err(None);
        }
        let failure = with.inside(|| {
            let _on_stage = with.stage.enter();
            for index in 0..self.metrics.len() {
                let entry = Arc::clone(&self.metrics[index]);
                let events = wanted_of(&entry, &self.batch, self.only_type, &mut self.wanted);
                if events.is_empty() {
                    continue;
                }
                if let Err(cause) = entry.metric.handle_batch(events, None)
                    && let Some(error) = self.judge(with, &entry, cause)
                {
                    return Some(error);
                }
            }
            if self.releases {
                self.batch.iter().for_each(release);
            }
            None
        });
        if let Some(error) = failure {
            return Err(Some(error));
        }
        self.done = count;
        with.hub.limit().dispatched(count as u64, self.bytes);
        Ok(())
    }

    /// Every event in turn goes to all metrics, and gives its room back.
    fn dispatch_one_by_one(&mut self, with: &Surroundings) -> Handled {
        with.inside(|| {
            let mut on_stage = with.stage.enter();
            let mut of_type = 0;
            let batch = self.batch.as_ptr();
            for index in 0..self.batch.len() {
                if !with.flight.begin(index + 1) {
                    return Err(None);
                }
                // SAFETY: nothing below changes the batch.
                let event = unsafe { &*batch.add(index) };
                if event.type_id != of_type {
                    of_type = event.type_id;
                    self.find_wanting(of_type);
                }
                for at in 0..self.wanting.len() {
                    if at > 0 && with.flight.is_cancelled() {
                        return Err(None);
                    }
                    let entry = &self.metrics[self.wanting[at]];
                    if let Err(cause) = entry.metric.handle_event(event) {
                        if let Some(error) = self.judge(with, entry, cause) {
                            return Err(Some(error));
                        }
                        // It was taken out.
                        of_type = 0;
                    }
                }
                self.event_done(with, event);
                on_stage.make_way();
            }
            Ok(())
        })
    }

    fn find_wanting(&mut self, type_id: u32) {
        let wanting = (0..self.metrics.len()).filter(|&at| self.metrics[at].wants(type_id));
        self.wanting.clear();
        self.wanting.extend(wanting);
    }

    fn event_done(&mut self, with: &Surroundings, event: &Event) {
        if self.releases {
            release(event);
        }
        self.done += 1;
        with.hub.limit().dispatched(1, event_cost(event.len));
    }

    /// As one by one, with the host's hook after each change, which may finish later.
    async fn dispatch_with_hook(&mut self, with: &Surroundings, hooks: &Arc<dyn Hooks>) -> Handled {
        for index in 0..self.batch.len() {
            if !with.flight.begin(index + 1) {
                return Err(None);
            }
            for at in 0..self.metrics.len() {
                if at > 0 && with.flight.is_cancelled() {
                    return Err(None);
                }
                let entry = Arc::clone(&self.metrics[at]);
                let completion = Completion::new();
                let outcome = with.inside(|| {
                    let on_stage: OnStage<'_> = with.stage.enter();
                    let event = &self.batch[index];
                    if !entry.wants(event.type_id) {
                        return Ok(HookOutcome::Done);
                    }
                    match entry.metric.handle_event(event) {
                        Ok(false) => Ok(HookOutcome::Done),
                        Ok(true) => {
                            let user_data = entry.metric.user_data();
                            // On stage still: a snapshot taken inside shows the state right after this event.
                            let outcome = hooks.on_metric_changed(&entry.name, user_data, event, &completion);
                            drop(on_stage);
                            Ok(outcome)
                        }
                        Err(cause) => Err(cause),
                    }
                });
                match outcome {
                    Err(cause) => {
                        if let Some(error) = self.judge(with, &entry, cause) {
                            return Err(Some(error));
                        }
                    }
                    Ok(outcome) => {
                        if let Err(cause) = with.hook_done(outcome, &completion).await {
                            let error = Error::new(
                                Status::MetricFailed,
                                "UNEXPECTED_ERROR",
                                format!("on_metric_changed failed for metric '{}'", entry.name),
                            )
                            .with_detail("metric", &*entry.name)
                            .caused_by(cause);
                            let facts = Facts {
                                metric_name: Some(&entry.name),
                                ..Facts::default()
                            };
                            with.log.error("metrics_recorder.dispatch_error", facts, &error);
                            return Err(Some(error));
                        }
                    }
                }
            }
            let event = self.batch[index].copied();
            with.inside(|| self.event_done(with, &event));
        }
        Ok(())
    }
}

/// The events of the batch that the metric wants: all of them, mostly, or a copy.
fn wanted_of<'a>(
    entry: &MetricEntry,
    batch: &'a [Event],
    only_type: Option<u32>,
    copy: &'a mut Vec<Event>,
) -> &'a [Event] {
    if entry.quarantined().is_some() {
        return &[];
    }
    let Some(types) = entry.metric.event_types() else {
        return batch;
    };
    if let Some(only_type) = only_type {
        return if types.contains(&only_type) { batch } else { &[] };
    }
    let mut last = (0, false);
    let mut wanted = |event: &Event| {
        if last.0 != event.type_id {
            last = (event.type_id, types.contains(&event.type_id));
        }
        last.1
    };
    let Some(first) = batch.iter().position(|event| !wanted(event)) else {
        return batch;
    };
    copy.clear();
    copy.extend(batch[..first].iter().map(Event::copied));
    copy.extend(
        batch[first..]
            .iter()
            .filter(|event| wanted(event))
            .map(Event::copied),
    );
    copy
}
