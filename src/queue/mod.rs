//! The hand-off: how an event gets from a recording thread to the dispatcher.
//!
//! Each thread has a ring of bytes of its own for each recorder it records into; nothing that a thread writes for an
//! event is written by another. `producer` and `reader` are the two ends of a ring, `segment` its memory and the layout
//! of records, `limit` what bounds the pending events, `lease` and `room` a thread's share of
//! that, `alert` what a thread may have to see to first, `order` the numbers that order events across threads, `fold` the events that need not travel, `intake` the
//! place where all rings are read in order, and `hub` holds it together: the gate that opens and closes with the life
//! of the recorder, and the bell by which recording threads wake a dispatcher that sleeps.

mod alert;
mod clock;
pub mod fence;
mod fetch;
mod fold;
mod hub;
mod intake;
mod lease;
mod limit;
#[cfg(not(mvx_loom))]
pub mod local;
mod order;
mod own_word;
mod producer;
mod reader;
mod room;
mod segment;
mod shape;

#[cfg(all(test, mvx_loom))]
mod model;

pub use clock::unix_ns;
pub use fold::{Fold, FoldPlan, Folding, KeyAt};
pub use hub::{Change, Hub, event_cost};
pub use intake::Next;
pub use limit::{Limit, OverflowPolicy};
pub use producer::{Load, Producer, Verdict};
pub use reader::Record;
