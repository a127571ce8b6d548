//! The dispatcher of a recorder: takes events from the hand-off, in order, and gives them to the metrics.
//!
//! `driver` runs it on the threads of the library, and lets go of them where there is nothing to do; `dispatch` does the
//! work; `flight` is what a cancellation from outside needs to know of the events under dispatch.

mod dispatch;
mod driver;
mod flight;
mod stage;

pub use dispatch::{Dispatcher, Ending, Surroundings};
pub use driver::Driver;
pub use flight::Flight;
pub use stage::Stage;
