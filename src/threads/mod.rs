//! The threads of the library: what runs on them, and what they know about themselves.
//!
//! A runtime has Tokio's workers, which only coordinate; a pool of threads (Tokio's blocking pool) on which dispatchers,
//! hooks, metrics and completion callbacks run, as they may block; and one thread that answers the bell (`bell.rs`).

pub mod bell;
pub mod cycles;
pub mod pool;
pub mod scope;
pub mod signals;
