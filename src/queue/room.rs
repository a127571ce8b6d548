//! What a recording thread may still accept before it has to ask: events, and words of their cost, in one word, so that
//! one subtraction takes both and one test tells whether there was enough of both.
//!
//! Bits 0 to 30 count events, bits 32 to 62 words. Bits 31 and 63 are clear: a subtraction that takes more events than
//! there are sets bit 31, one that takes more words sets bit 63.

use super::segment::WORD;

const GUARDS: u64 = 1 << 31 | 1 << 63;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room(u64);

impl Room {
    /// Room for nothing.
    pub const NONE: Room = Room(0);
    /// More than any thread ever holds.
    pub const MORE_THAN_ANY: Room = Room(!GUARDS);
    /// The most events, and the most words, that one portion may have: two of them fit into a word.
    pub const MOST: u64 = 1 << 29;

    /// Room for events whose cost is `words` in all; both below 2^31.
    #[inline(always)]
    pub fn new(events: u64, words: u64) -> Self {
        debug_assert!(events < 1 << 31 && words < 1 << 31);
        Self(events | words << 32)
    }

    /// From [`Room::bits`].
    #[inline(always)]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As a number without the guards' bits.
    #[inline(always)]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// How many events.
    #[inline(always)]
    pub fn events(self) -> u64 {
        self.0 & (GUARDS as u32 as u64 - 1)
    }

    /// How many words of cost.
    #[inline(always)]
    pub fn words(self) -> u64 {
        self.0 >> 32
    }

    /// Bytes of cost.
    pub fn bytes(self) -> u64 {
        self.words() * WORD
    }

    /// What is left without `need`, where it is not too much.
    #[inline(always)]
    pub fn without(self, need: Room) -> Option<Room> {
        let left = self.0.wrapping_sub(need.0);
        (left & GUARDS == 0).then_some(Room(left))
    }

    /// Both together.
    #[inline(always)]
    pub fn with(self, more: Room) -> Room {
        Self::new(self.events() + more.events(), self.words() + more.words())
    }

    /// How many events of `words` each it is enough for.
    #[inline(always)]
    pub fn fits(self, words: u64) -> u64 {
        self.events().min(self.words() / words)
    }
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn one_subtraction_tells_of_events_and_words() {
        let room = Room::new(2, 9);
        assert_eq!(room.without(Room::new(1, 4)), Some(Room::new(1, 5)));
        assert_eq!(room.without(Room::new(2, 9)), Some(Room::NONE));
        assert_eq!(room.without(Room::new(3, 9)), None);
        assert_eq!(room.without(Room::new(1, 10)), None);
        assert_eq!(room.without(Room::new(3, 10)), None);
        assert_eq!(Room::new(0, 9).without(Room::new(1, 4)), None);
        assert_eq!(Room::NONE.without(Room::new(1, 4)), None);
        assert_eq!(Room::new(1 << 30, 1 << 30).without(Room::MORE_THAN_ANY), None);
    }

    #[test]
    fn it_adds_up_and_divides() {
        let room = Room::new(Room::MOST, Room::MOST).with(Room::new(Room::MOST, Room::MOST));
        assert_eq!((room.events(), room.words()), (1 << 30, 1 << 30));
        assert_eq!(Room::from_bits(room.bits()), room);
        assert_eq!(Room::new(5, 16).fits(4), 4);
        assert_eq!(Room::new(3, 16).fits(4), 3);
        assert_eq!(Room::new(3, 16).bytes(), 128);
    }
}
