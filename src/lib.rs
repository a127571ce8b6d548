//! A metrics recorder that every language in a process shares.
//!
//! Data flows one way, and imports point down only:
//! `ffi` -> `runtime` -> `recorder` -> `queue` -> `dispatcher` -> `metrics` -> `snapshot` -> `export`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

// `mvx_loom` leaves the hand-off alone, as it is, for its model checks.
#[cfg(not(target_pointer_width = "64"))]
compile_error!("handles carry 64 bits: only 64-bit targets are supported");

#[cfg(not(mvx_loom))]
pub mod callback;
#[cfg(not(mvx_loom))]
mod dispatcher;
#[cfg(not(mvx_loom))]
pub mod error;
#[cfg(not(mvx_loom))]
pub mod event;
#[cfg(not(mvx_loom))]
pub mod export;
#[cfg(not(mvx_loom))]
pub mod ffi;
#[cfg(not(mvx_loom))]
pub mod log;
#[cfg(not(mvx_loom))]
pub mod metrics;
#[cfg(not(mvx_loom))]
mod process;
// Of the handles, the part that threads race on.
#[cfg(all(test, mvx_loom))]
#[path = "process/handle_slot.rs"]
mod handle_slot;
mod queue;
#[cfg(not(mvx_loom))]
pub mod recorder;
#[cfg(not(mvx_loom))]
pub mod runtime;
#[cfg(not(mvx_loom))]
pub mod snapshot;
mod sync;
#[cfg(not(mvx_loom))]
mod threads;
#[cfg(not(mvx_loom))]
pub mod typed;
#[cfg(not(mvx_loom))]
pub mod wait;
