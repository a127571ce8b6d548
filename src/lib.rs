//! A metrics recorder that every language in a process shares.
//!
//! Data flows one way, and imports point down only:
//! `ffi` -> `runtime` -> `recorder` -> `queue` -> `dispatcher` -> `metrics` -> `snapshot` -> `export`.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("handles carry 64 bits: only 64-bit targets are supported");

pub mod callback;
mod dispatcher;
pub mod error;
pub mod event;
pub mod export;
pub mod ffi;
pub mod log;
pub mod metrics;
mod process;
mod queue;
pub mod recorder;
pub mod runtime;
pub mod snapshot;
mod sync;
mod threads;
pub mod wait;
