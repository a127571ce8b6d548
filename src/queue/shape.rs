//! What there is to know of the record of a short event before it is written, by event type and length: computed once,
//! as events of few shapes come again and again.

use super::limit::cost;
use super::room::Room;
use super::segment::{Header, SEQUENCED, SHORT_PAYLOAD, WORD, record_size};

/// The shape of a record without a time.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Its first word.
    pub header: u64,
    /// What it takes of the thread's room.
    pub need: Room,
    /// Bytes in the ring.
    pub size: u64,
}

impl Shape {
    /// No event's; what is recorded by it never finds room.
    pub const NONE: Shape = Shape {
        header: 0,
        need: Room::MORE_THAN_ANY,
        size: 0,
    };

    /// The shape of events of this type with `len` bytes, where they are short; `numbered` if order among threads matters.
    pub fn new(type_id: u32, len: usize, numbered: bool) -> Option<Self> {
        let flags = if numbered { SEQUENCED } else { 0 };
        let header = Header {
            type_id,
            len: len as u16,
            flags,
        };
        (len <= SHORT_PAYLOAD).then(|| Self {
            header: header.pack(),
            need: Room::new(1, cost(len) / WORD),
            size: record_size(len as u64, flags),
        })
    }
}
