//! What recording an event of 16 bytes costs a Rust program, in bursts that fit into the queue: by the safe API, by the C
//! interface, an empty call into a shared object, and the counters of other crates. All take turns in one run, and each
//! figure is a median. Ours and the C side count by a label of eight values, as the other crates do.

mod c_call;
mod ours;
mod peers;
mod table;

use std::error::Error;
use std::time::Instant;

use mvx_metrics::runtime::{Runtime, RuntimeOptions};

use c_call::C;
use ours::Ours;
use peers::{Metrics, Prometheus};
use table::{Due, heading, median, row};

pub const SYMBOLS: usize = 8;
pub const TEXTS: [&str; SYMBOLS] = [
    "outcome 0",
    "outcome 1",
    "outcome 2",
    "outcome 3",
    "outcome 4",
    "outcome 5",
    "outcome 6",
    "outcome 7",
];

const BURST: usize = 4_096;
const QUEUE: u64 = 2 * BURST as u64;
const ROUNDS: usize = 1_500;

/// Figures of one contestant.
#[derive(Default)]
struct Figures(Vec<f64>);

impl Figures {
    /// Times one burst.
    fn time(&mut self, burst: impl FnOnce()) {
        let begin = Instant::now();
        burst();
        self.0.push(begin.elapsed().as_nanos() as f64 / BURST as f64);
    }

    /// The same; every event must have been accepted.
    fn time_accepted(&mut self, burst: impl FnOnce() -> usize) -> Result<(), Box<dyn Error>> {
        let mut accepted = 0;
        self.time(|| accepted = burst());
        if accepted != BURST {
            return Err(format!("{accepted} of {BURST} events were accepted").into());
        }
        Ok(())
    }

    fn ns(&self) -> f64 {
        median(&self.0)
    }
}

fn check(who: &str, counted: u64, due: usize) -> Result<(), Box<dyn Error>> {
    if counted != due as u64 {
        return Err(format!("{who}: {due} events were recorded, {counted} counted").into());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new(RuntimeOptions::default());
    runtime.start()?;
    let ours = [
        Ours::open(&runtime, false, QUEUE)?,
        Ours::open(&runtime, true, QUEUE)?,
    ];
    let c = C::open(QUEUE);
    let (prometheus, metrics) = (Prometheus::open()?, Metrics::open()?);

    let [mut record, mut payload, mut c_call]: [[Figures; 2]; 3] = Default::default();
    let [
        mut empty,
        mut labelled,
        mut kept,
        mut metrics_labelled,
        mut metrics_kept,
    ]: [Figures; 5] = Default::default();
    for round in 0..ROUNDS {
        for folded in [false, true] {
            let at = usize::from(folded);
            let mut by_c = || -> Result<(), Box<dyn Error>> {
                c_call[at].time_accepted(|| c.record(folded, BURST))?;
                c.flush(folded);
                Ok(())
            };
            // Who comes first changes, so that neither side always finds the caches of the other.
            if round % 2 == 0 {
                by_c()?;
            }
            record[at].time_accepted(|| ours[at].record(BURST))?;
            ours[at].flush()?;
            payload[at].time_accepted(|| ours[at].register_event(BURST))?;
            ours[at].flush()?;
            if round % 2 == 1 {
                by_c()?;
            }
        }
        empty.time_accepted(|| c.empty(BURST))?;
        labelled.time(|| prometheus.labelled(BURST));
        kept.time(|| prometheus.kept(BURST));
        metrics_labelled.time(|| metrics.labelled(BURST));
        metrics_kept.time(|| metrics.kept(BURST));
    }
    let all = ROUNDS * BURST;
    for folded in [false, true] {
        check("ours", ours[usize::from(folded)].counted()?, 2 * all)?;
        check("the C call", c.counted(folded), all)?;
    }
    check("prometheus", prometheus.counted(), 2 * all)?;
    check("metrics", metrics.counted(), 2 * all)?;
    runtime.shutdown()?;

    println!("Rust, ns an event of 16 bytes, medians of {ROUNDS} rounds of {BURST}\n");
    heading();
    for (at, how) in ["", ", folded"].into_iter().enumerate() {
        let (record_name, payload_name) = (format!("record{how}"), format!("payload as it is{how}"));
        let (record, payload, c_name) = (record[at].ns(), payload[at].ns(), format!("the C call{how}"));
        row(&record_name, record, &c_name, c_call[at].ns(), Due::AtMost(1.05));
        row(
            &payload_name,
            payload,
            &c_name,
            c_call[at].ns(),
            Due::AtMost(1.05),
        );
        row(
            &record_name,
            record,
            "empty call into a shared object",
            empty.ns(),
            Due::Stated,
        );
        row(
            &record_name,
            record,
            "prometheus with_label_values().inc()",
            labelled.ns(),
            Due::AtMost(1.0),
        );
        row(
            &record_name,
            record,
            "prometheus inc(), counter kept",
            kept.ns(),
            Due::Stated,
        );
        row(
            &record_name,
            record,
            "metrics counter!(name, label).increment()",
            metrics_labelled.ns(),
            Due::AtMost(1.0),
        );
        row(
            &record_name,
            record,
            "metrics increment(), counter kept",
            metrics_kept.ns(),
            Due::Stated,
        );
    }
    Ok(())
}
