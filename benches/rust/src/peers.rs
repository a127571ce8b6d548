//! What Rust programs count with today: the crates `prometheus` and `metrics`, each with a label of the same texts.

use std::error::Error;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use prometheus::{IntCounter, IntCounterVec, Opts};

use crate::{SYMBOLS, TEXTS};

/// The crate `prometheus`.
pub struct Prometheus {
    family: IntCounterVec,
    kept: IntCounter,
}

impl Prometheus {
    pub fn open() -> Result<Self, Box<dyn Error>> {
        let family = IntCounterVec::new(Opts::new("sales", "Sales."), &["symbol"])?;
        prometheus::register(Box::new(family.clone()))?;
        Ok(Self {
            kept: family.with_label_values(&[TEXTS[0]]),
            family,
        })
    }

    /// The label is looked up each time.
    pub fn labelled(&self, burst: usize) {
        for i in 0..burst {
            self.family.with_label_values(&[TEXTS[i % SYMBOLS]]).inc();
        }
    }

    /// One counter, looked up before.
    pub fn kept(&self, burst: usize) {
        for _ in 0..burst {
            self.kept.inc();
        }
    }

    pub fn counted(&self) -> u64 {
        TEXTS
            .iter()
            .map(|text| self.family.with_label_values(&[text]).get())
            .sum()
    }
}

/// The crate `metrics`, with its exporter for Prometheus.
pub struct Metrics {
    exporter: PrometheusHandle,
    kept: metrics::Counter,
}

impl Metrics {
    pub fn open() -> Result<Self, Box<dyn Error>> {
        let exporter = PrometheusBuilder::new().install_recorder()?;
        Ok(Self {
            exporter,
            kept: metrics::counter!("sales", "symbol" => TEXTS[0]),
        })
    }

    /// The label is looked up each time.
    pub fn labelled(&self, burst: usize) {
        for i in 0..burst {
            metrics::counter!("sales", "symbol" => TEXTS[i % SYMBOLS]).increment(1);
        }
    }

    /// One counter, looked up before.
    pub fn kept(&self, burst: usize) {
        for _ in 0..burst {
            self.kept.increment(1);
        }
    }

    pub fn counted(&self) -> u64 {
        let text = self.exporter.render();
        let samples = text.lines().filter(|line| line.starts_with("sales{"));
        samples
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }
}
