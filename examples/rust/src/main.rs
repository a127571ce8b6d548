//! Counts attempts to save a document: one event type, one metric of our own, three events.

use std::error::Error;
use std::time::Duration;

use mvx_metrics::event::Event;
use mvx_metrics::recorder::{Recorder, RecorderOptions, SnapshotMode};
use mvx_metrics::runtime::{Runtime, RuntimeOptions};
use mvx_metrics::snapshot::Writer;
use mvx_metrics::typed::{Failure, HandleEvents, Symbol, TypedEvent};

mvx_metrics::event! {
    /// Somebody tried to save a document.
    struct SaveAttempt: "document_storage.save.attempt" {
        outcome: Symbol,
    }
}

/// What attempts come to. The library calls it, one event at a time.
struct Attempts {
    success: Symbol,
    total: u64,
    successes: u64,
}

impl HandleEvents for Attempts {
    fn handle_event(&mut self, event: &Event) -> Result<bool, Failure> {
        let Some(attempt) = SaveAttempt::from_event(event) else {
            return Ok(false);
        };
        self.total += 1;
        self.successes += u64::from(attempt.outcome == self.success);
        Ok(true)
    }

    fn snapshot(&self, writer: &mut Writer) -> Result<(), Failure> {
        writer.u64("total", self.total)?;
        writer.u64("success_total", self.successes)?;
        writer.u64("failure_total", self.total - self.successes)?;
        Ok(())
    }
}

/// Production code: says what happened, and goes on.
fn save(recorder: &Recorder, outcome: Symbol) {
    // What is refused is counted; saving goes on whatever becomes of metrics.
    let _ = recorder.record(&SaveAttempt { outcome });
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new(RuntimeOptions::default());
    runtime.start()?;
    let recorder = runtime.create_recorder("document_storage", RecorderOptions::default())?;
    let (success, failure) = (Symbol::of("success")?, Symbol::of("failure")?);
    recorder.register("attempts", Attempts { success, total: 0, successes: 0 })?;

    save(&recorder, success);
    save(&recorder, success);
    save(&recorder, failure);

    let snapshot = recorder.snapshot(SnapshotMode::Consistent, Some(Duration::from_secs(5)))?;
    let shown = |name| snapshot.get("attempts")?.get(name)?.as_u64();
    let [Some(total), Some(successes), Some(failures)] = ["total", "success_total", "failure_total"].map(shown) else {
        return Err("the snapshot lacks something".into());
    };
    println!(r#"{{"total": {total}, "success_total": {successes}, "failure_total": {failures}}}"#);
    runtime.shutdown()?;
    Ok(())
}
