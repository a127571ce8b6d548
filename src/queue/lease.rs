//! A thread's share of the pending limit, which the thread uses up without looking at anybody, and which another thread
//! that finds no room can take away from it, without a lock and without a word that both write for every event.
//!
//! The room is the recording thread's: it writes it inside of calls only. Who wants it asks in `revocation`, raises the
//! thread's alert, and fences heavily; from then on the thread either was outside of a call, and its next call will see
//! that it was asked, or it is inside of one. In the first case the two agree by one compare-and-exchange on `revocation` which of them has the
//! room: the thread answers with it, or the other takes it. In the second case, where no answer comes at once, the
//! request is withdrawn.

use super::alert::Alert;
use super::fence;
use super::limit::Limit;
use super::producer::Producer;
use super::room::Room;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Nobody asks.
const NONE: u64 = 0;
/// Somebody asks for the room.
const ASKED: u64 = 1 << 63;
/// It was taken: the thread has none.
const TAKEN: u64 = 1 << 63 | 1;
/// The thread gave it: with this bit set, which rooms leave clear, the word is the room.
const ANSWERED: u64 = 1 << 31;

/// What others write of a lease, on a line of its own.
#[derive(Default)]
pub struct Revocation(AtomicU64);

impl Revocation {
    /// Whether a call may use its room without further ado. Inside of a call, after its fence.
    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == NONE
    }

    /// The recording thread's part, inside of a call: afterwards `room` is its own to use.
    #[cold]
    pub fn answer(&self, room: &AtomicU64) {
        let held = room.load(Ordering::Relaxed);
        match self.0.load(Ordering::Acquire) {
            ASKED => {
                let answered =
                    self.0
                        .compare_exchange(ASKED, held | ANSWERED, Ordering::AcqRel, Ordering::Acquire);
                match answered {
                    Ok(_) => room.store(NONE, Ordering::Relaxed),
                    Err(TAKEN) => self.admit(room),
                    // It was withdrawn.
                    Err(_) => {}
                }
            }
            TAKEN => self.admit(room),
            // None, or an answer that was not fetched yet: what is held now is new.
            _ => {}
        }
    }

    /// The room was taken: the thread admits it, and can be asked anew.
    fn admit(&self, room: &AtomicU64) {
        room.store(NONE, Ordering::Relaxed);
        self.0.store(NONE, Ordering::Release);
    }

    /// The other's part: takes the room of `producer`, whose lease this is, and gives it back to `limit`; how many events
    /// that was. One at a time a lease, and not the recording thread.
    pub fn take(&self, room: &AtomicU64, producer: &Producer, limit: &Limit) -> u64 {
        let nothing = Room::from_bits(room.load(Ordering::Relaxed)) == Room::NONE;
        // Taken before, and the thread has not been back since: what `room` says is no longer true.
        if nothing || self.0.load(Ordering::Acquire) != NONE {
            return 0;
        }
        self.0.store(ASKED, Ordering::Release);
        producer.raise_alert(Alert::CHANGED);
        fence::heavy();
        let given = loop {
            let word = self.0.load(Ordering::Acquire);
            if word != ASKED {
                // Only the thread changes it, and only to its answer.
                self.0.store(NONE, Ordering::Release);
                break Room::from_bits(word & !ANSWERED);
            }
            if producer.is_inside() {
                let withdrawn = self
                    .0
                    .compare_exchange(ASKED, NONE, Ordering::AcqRel, Ordering::Acquire);
                if withdrawn.is_ok() {
                    break Room::NONE;
                }
                continue;
            }
            // A call that begins now answers before it changes its room.
            let held = Room::from_bits(room.load(Ordering::Acquire));
            if self
                .0
                .compare_exchange(ASKED, TAKEN, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                break held;
            }
        };
        limit.give_back(given);
        given.events()
    }
}
