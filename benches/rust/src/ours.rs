//! The safe API, used as a Rust program uses it.

use std::error::Error;

use mvx_metrics::error::Status;
use mvx_metrics::metrics::MetricKind;
use mvx_metrics::metrics::native::NativeSpec;
use mvx_metrics::recorder::{OverflowPolicy, Recorder, RecorderOptions, SnapshotMode};
use mvx_metrics::runtime::Runtime;
use mvx_metrics::typed::{Symbol, TypedEvent};

use crate::{SYMBOLS, TEXTS};

mvx_metrics::event! {
    /// The event of the C side, field by field.
    pub struct Sale: "bench.event" {
        pub symbol: Symbol,
        pub pad: u32,
        pub number: u64,
    }
}

/// A recorder with a counter by symbol.
pub struct Ours {
    recorder: Recorder,
    symbols: [Symbol; SYMBOLS],
    event_type: u32,
}

impl Ours {
    pub fn open(runtime: &Runtime, folding: bool, queue_max_size: u64) -> Result<Self, Box<dyn Error>> {
        let options = RecorderOptions {
            queue_max_size: Some(queue_max_size),
            overflow_policy: Some(OverflowPolicy::RaiseError),
            folding,
            ..RecorderOptions::default()
        };
        let recorder = Recorder::new(runtime, options)?;
        let event_type = Sale::event_type()?;
        let mut count = NativeSpec::new("count", MetricKind::Counter, [event_type]);
        count.group_by = vec!["symbol".to_owned()];
        recorder.register_native(&count)?;
        let start = recorder.start();
        start.block(None)?;
        start.result().unwrap_or(Ok(()))?;
        let mut symbols = [Symbol::default(); SYMBOLS];
        for (symbol, text) in symbols.iter_mut().zip(TEXTS) {
            *symbol = Symbol::of(text)?;
        }
        Ok(Self {
            recorder,
            symbols,
            event_type: event_type.id,
        })
    }

    /// A burst of structs, each made for its event; how many were accepted.
    pub fn record(&self, burst: usize) -> usize {
        let sale = |i| Sale {
            symbol: self.symbols[i % SYMBOLS],
            pad: 0,
            number: i as u64,
        };
        (0..burst)
            .filter(|&i| self.recorder.record(&sale(i)).is_ok())
            .count()
    }

    /// A burst of one payload, ready as bytes.
    pub fn register_event(&self, burst: usize) -> usize {
        let payload = Sale {
            symbol: self.symbols[0],
            pad: 0,
            number: 1,
        }
        .payload();
        (0..burst)
            .filter(|_| self.recorder.register_event(self.event_type, &payload) == Status::Ok)
            .count()
    }

    /// Waits until everything is dispatched.
    pub fn flush(&self) -> Result<(), Box<dyn Error>> {
        Ok(self.recorder.flush().block(None)?)
    }

    /// What its metric counted.
    pub fn counted(&self) -> Result<u64, Box<dyn Error>> {
        let snapshot = self.recorder.snapshot(SnapshotMode::Consistent, None)?;
        let series = snapshot
            .get("count")
            .and_then(|count| count.get("series"))
            .ok_or("no series")?;
        let values = (0..series.len()).filter_map(|index| series.at(index)?.get("value")?.as_u64());
        Ok(values.sum())
    }
}
