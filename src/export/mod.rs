//! Snapshots as text.

pub mod json;
pub mod openmetrics;
