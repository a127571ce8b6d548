//! What Rust programs use: events as structs, metrics as types of their own.
//!
//! [`event!`](crate::event!) declares a struct whose fields travel in an event; [`Recorder::record`] hands one over;
//! [`HandleEvents`] is what a metric implements, and [`Recorder::register`] takes it. Everything else (runtimes,
//! snapshots, waits, options, errors) is what the other languages have too, in the modules beside this one.
//!
//! [`Recorder::record`]: crate::recorder::Recorder::record
//! [`Recorder::register`]: crate::recorder::Recorder::register

mod event;
mod field;
mod metric;

#[doc(hidden)]
pub use event::Declared;
pub use event::TypedEvent;
pub use field::{FieldValue, Symbol, Text};
pub use metric::{Failure, HandleEvents};
