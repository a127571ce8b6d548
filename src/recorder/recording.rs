//! Taking events in: the hot path of the library, and what happens off it.

use std::sync::Arc;

use super::core::Core;
use super::state::RecorderState;
use crate::error::Status;
use crate::event::{self, MAX_PAYLOAD};
use crate::queue::local::{self, Key};
use crate::queue::{Load, Verdict};
use crate::threads::scope;

/// Events of one type, one payload after the other.
#[derive(Clone, Copy, Debug)]
pub struct Events {
    /// The event type.
    pub type_id: u32,
    /// `len * count` readable bytes; may be null where that is 0.
    pub payloads: *const u8,
    /// Bytes of each payload.
    pub len: usize,
    /// How many.
    pub count: usize,
}

/// How many events were accepted, and the status for the first that was not.
pub type Outcome = (usize, Status);

/// Checks what can be checked without a recorder.
#[inline(always)]
fn check(events: Events) -> Option<Load> {
    let event_type = event::event_type(events.type_id)?;
    let Events {
        type_id,
        payloads,
        len,
        count,
    } = events;
    if len > MAX_PAYLOAD || len < event_type.min_len as usize || (payloads.is_null() && len > 0 && count > 0)
    {
        return None;
    }
    Some(Load {
        type_id,
        payloads,
        len,
        count,
        timed: event_type.timed,
    })
}

/// Records by a handle that this thread used before. `None`: the handle has to be looked up, and the recorder asked.
///
/// # Safety
/// `events.payloads` is readable as said, or null.
#[inline(always)]
pub unsafe fn record_by_key(key: u64, events: Events) -> Option<Outcome> {
    let Some(load) = check(events) else {
        // An invalid handle is told before an invalid argument.
        return None;
    };
    // SAFETY: `check` bounds the length; the rest is the caller's promise.
    match unsafe { local::push(key, load) }? {
        (done, Verdict::Accepted | Verdict::Dropped) => Some((done, Status::Ok)),
        (done, Verdict::Refused) => Some((done, Status::QueueOverflow)),
        (0, _) => None,
        // The rest of a batch is the slow path's; it counts on from here.
        (done, _) => Some((done, Status::NotReady)),
    }
}

impl Core {
    /// Records; remembers `key` for [`record_by_key`].
    ///
    /// # Safety
    /// As [`record_by_key`].
    pub unsafe fn record(self: &Arc<Self>, key: Key, events: Events) -> Outcome {
        let Some(load) = check(events) else {
            return (0, Status::InvalidArgument);
        };
        let mut accepted = 0;
        loop {
            let rest = Load {
                payloads: load.payloads.wrapping_add(accepted * load.len),
                count: load.count - accepted,
                ..load
            };
            // SAFETY: `check` bounds the length; the rest is the caller's promise.
            let (done, verdict) = unsafe { local::push_first(key, &self.with.hub, rest) };
            accepted += done;
            match verdict {
                Verdict::Accepted | Verdict::Dropped => return (accepted, Status::Ok),
                Verdict::Refused => return (accepted, Status::QueueOverflow),
                Verdict::Nested => return (accepted, Status::Unsupported),
                Verdict::Closed if self.admit() => {}
                Verdict::Closed => return (accepted, Status::InvalidState),
                Verdict::Full => {
                    let (done, status) = self.wait_and_push(key, rest, done);
                    accepted += done;
                    match status {
                        Some(status) => return (accepted, status),
                        None if accepted == load.count => return (accepted, Status::Ok),
                        None => {}
                    }
                }
            }
        }
    }

    /// Whether events are taken in this state; in VIRGIN, an event starts the recorder.
    fn admit(self: &Arc<Self>) -> bool {
        let mut control = self.control.lock();
        match control.state {
            RecorderState::Virgin => self.begin_start(&mut control).is_ok(),
            state => state.accepts(),
        }
    }

    /// BLOCK: waits until there is room for some of what is left after `done`; how many went in, and what ends the call.
    fn wait_and_push(&self, key: Key, load: Load, done: usize) -> (usize, Option<Status>) {
        let rest = Load {
            payloads: load.payloads.wrapping_add(done * load.len),
            count: load.count - done,
            ..load
        };
        let refuse = |status: Status| {
            local::with_producer(&self.with.hub, |producer| {
                producer.count_refused(rest.count as u64)
            });
            self.with.hub.note_overflow();
            (0, Some(status))
        };
        if scope::is_inside_callback() {
            return refuse(Status::WouldDeadlock);
        }
        let pushed = self.with.hub.wait_for_room(|| {
            // SAFETY: as in `record`.
            match unsafe { local::push_first(key, &self.with.hub, rest) } {
                (0, Verdict::Full) => None,
                (done, _) => Some(done),
            }
        });
        match pushed {
            Some(done) => (done, None),
            None => refuse(Status::Timeout),
        }
    }
}
