//! The threads of the library: what runs on them, and what they know about themselves.
//!
//! A runtime has Tokio's workers, which only coordinate; a pool of threads (Tokio's blocking pool) on which dispatchers,
//! hooks, metrics and completion callbacks run, as they may block; and one thread that answers the bell (`bell.rs`).

pub mod bell;
pub mod cycles;
#[cfg(not(mvx_shuttle))]
pub mod pool;
#[cfg(mvx_shuttle)]
#[path = "pool_model.rs"]
pub mod pool;
pub mod scope;
#[cfg(not(mvx_shuttle))]
pub mod signals;
