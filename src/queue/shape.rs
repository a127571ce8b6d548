//! What there is to know of the record of a short event before it is written, by event type and length: computed once,
//! as events of few shapes come again and again.

use super::limit::cost;
use super::room::Room;
use super::segment::{Header, SHORT_PAYLOAD, WORD, record_size};

/// The shape of a record without a number and a time.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of payload, at most [`SHORT_PAYLOAD`].
    pub len: usize,
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
        len: usize::MAX,
        header: 0,
        need: Room::MORE_THAN_ANY,
        size: 0,
    };

    /// The shape of events of this type with `len` bytes, where they are short.
    pub fn new(type_id: u32, len: usize) -> Option<Self> {
        let header = Header {
            type_id,
            len: len as u16,
            flags: 0,
        };
        (len <= SHORT_PAYLOAD).then(|| Self {
            len,
            header: header.pack(),
            need: Room::new(1, cost(len) / WORD),
            size: record_size(len as u64, 0),
        })
    }

    /// The event type.
    #[inline(always)]
    pub fn type_id(&self) -> u32 {
        self.header as u32
    }

    /// Whether it is the shape of such events.
    #[inline(always)]
    pub fn is_of(&self, type_id: u32, len: usize) -> bool {
        self.type_id() == type_id && self.len == len
    }
}
