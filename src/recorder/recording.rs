//! Taking events in: the hot path of the library, and what happens off it.

use std::sync::Arc;

use super::core::Core;
use super::state::RecorderState;
use crate::error::Status;
use crate::event::{self, MAX_PAYLOAD};
use crate::metrics::EventHub;
use crate::queue::local::{self, Key, Shortest};
use crate::queue::{Load, Producer, Verdict};
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

/// How many events were accepted, and the status for the first that was not: INVALID_STATE where the recorder accepts
/// none now.
pub type Outcome = (usize, Status);

/// Checks what can be checked without a recorder.
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

/// Has this thread remember events of this type and length, where they may go the short way; whether they may. It does
/// not panic.
#[inline(always)]
pub fn learn(key: u64, type_id: u32, len: usize) -> bool {
    len <= MAX_PAYLOAD && event::brief(type_id).is_plain(len) && local::learn(key, type_id, len)
}

/// Folds an event that came the long way, such as a thread's first, where such events are; whether it did.
///
/// # Safety
/// As [`EventHub::push`].
unsafe fn fold(key: u64, load: Load) -> bool {
    load.count == 1
        && !load.payloads.is_null()
        && learn(key, load.type_id, load.len)
        // SAFETY: the caller's promise.
        && unsafe { local::fold_if_alike(key, load.type_id, load.payloads, load.len) }
}

/// Records one event the short way, where this thread recorded one like it before. `None`: [`record_known`] goes on.
pub fn record_short(key: u64, type_id: u32, payload: &[u8]) -> Option<Status> {
    let (from, len) = (payload.as_ptr(), payload.len());
    // SAFETY: the payload is a slice.
    let push = || unsafe { local::push_one(key, type_id, from, len) };
    let way = match push() {
        Shortest::Unknown if learn(key, type_id, len) => push(),
        way => way,
    };
    let went = match way {
        Shortest::Accepted | Shortest::Folded => true,
        Shortest::NoRoom(found) => match local::refuse_at_once(found, key, type_id, len) {
            Some(Verdict::Refused) => return Some(Status::QueueOverflow),
            Some(_) => true,
            // SAFETY: as above.
            None => unsafe { local::push_one_with_new_room(found, key, type_id, from, len) },
        },
        // SAFETY: as above.
        Shortest::ByKey(tally) => unsafe {
            local::fold_by_key(tally, from) || local::push_one_without_cell(key, type_id, from, len)
        },
        Shortest::Unknown => false,
    };
    went.then_some(Status::Ok)
}

/// Goes on recording for a call that has recorded by `key` already. `None`: it cannot tell by that where.
///
/// # Safety
/// As [`record_known`].
pub unsafe fn record_rest(key: u64, events: Events) -> Option<Outcome> {
    let load = check(events)?;
    // SAFETY: as in `record_known`.
    local::with_ring_of_call(key, |hub, producer| unsafe { push_all(hub, producer, load) })
}

/// Records by a handle that this thread used before. `None`: the handle has to be looked up, and the recorder asked.
///
/// # Safety
/// `events.payloads` is readable as said, or null.
pub unsafe fn record_known(key: u64, events: Events) -> Option<Outcome> {
    let load = check(events)?;
    // SAFETY: `check` bounds the length; the rest is the caller's promise.
    let push = |hub: &EventHub, producer: &Producer| unsafe {
        if fold(key, load) {
            (1, Status::Ok)
        } else {
            push_all(hub, producer, load)
        }
    };
    match local::with_ring(key, push)? {
        // It may be VIRGIN, and is to be started.
        (0, Status::InvalidState) => None,
        outcome => Some(outcome),
    }
}

/// Records all of `load`, waiting for room where the policy says so. The handle that led here may be freed meanwhile.
///
/// # Safety
/// As [`EventHub::push`].
unsafe fn push_all(hub: &EventHub, producer: &Producer, load: Load) -> Outcome {
    let mut accepted = 0;
    loop {
        // SAFETY: the caller's promise, for what is left.
        let (done, verdict) = unsafe { hub.push(producer, load.after(accepted)) };
        accepted += done;
        let status = match verdict {
            Verdict::Accepted | Verdict::Dropped => Status::Ok,
            Verdict::Refused => Status::QueueOverflow,
            Verdict::Nested => Status::Unsupported,
            Verdict::Closed => Status::InvalidState,
            Verdict::Full => {
                let rest = load.after(accepted);
                // SAFETY: as above.
                match unsafe { wait_and_push(hub, producer, rest) } {
                    Ok(done) => {
                        accepted += done;
                        if accepted < load.count {
                            continue;
                        }
                        Status::Ok
                    }
                    Err(status) => {
                        producer.count_refused(rest.count as u64);
                        hub.note_overflow();
                        status
                    }
                }
            }
        };
        return (accepted, status);
    }
}

/// BLOCK: waits until there is room for some of `load`, or none will come as the recorder is closed; how many went in.
///
/// # Safety
/// As [`EventHub::push`].
unsafe fn wait_and_push(hub: &EventHub, producer: &Producer, load: Load) -> Result<usize, Status> {
    if scope::is_inside_callback() {
        return Err(Status::WouldDeadlock);
    }
    let pushed = hub.wait_for_room(|| {
        // SAFETY: the caller's promise.
        match unsafe { hub.push(producer, load) } {
            (0, Verdict::Full) => None,
            (done, _) => Some(done),
        }
    });
    pushed.ok_or(Status::Timeout)
}

impl Core {
    /// Records; remembers `key` for [`local::push_one`].
    ///
    /// # Safety
    /// As [`record_known`].
    pub unsafe fn record(self: &Arc<Self>, key: Key, events: Events) -> Outcome {
        let Some(load) = check(events) else {
            return (0, Status::InvalidArgument);
        };
        let mut accepted = 0;
        loop {
            let rest = load.after(accepted);
            // SAFETY: `check` bounds the length; the rest is the caller's promise.
            let push = |producer: &Producer| unsafe {
                if fold(key.value, rest) {
                    (1, Status::Ok)
                } else {
                    push_all(&self.with.hub, producer, rest)
                }
            };
            let Some((done, status)) = local::ring_into(key, &self.with.hub, push) else {
                return (accepted, Status::Unsupported);
            };
            accepted += done;
            if status != Status::InvalidState || !self.admit() {
                return (accepted, status);
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
}
