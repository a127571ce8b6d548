//! A piece of a ring: a power of two of bytes, written by one thread and read by another.
//!
//! Positions count bytes since the ring began, over all its segments, and are multiples of 8. A record is a header
//! word, the words that its flags announce (sequence number, time), and the payload, rounded up to words; it never
//! wraps around the end of a segment. Two more kinds of record hold no event: PAD fills the rest of a segment up to
//! its end, JUMP says that the ring goes on in the next, larger segment.

use std::ptr;

use crate::sync::atomic::AtomicPtr;

/// Bytes of a word, the unit of everything in a ring.
pub const WORD: u64 = 8;

/// Flags of a header.
pub const SEQUENCED: u16 = 1;
pub const TIMED: u16 = 2;
pub const PAD: u16 = 1 << 14;
pub const JUMP: u16 = 1 << 15;

/// The first word of a record: event type (PAD: bytes to skip), payload length, flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub type_id: u32,
    pub len: u16,
    pub flags: u16,
}

impl Header {
    #[inline(always)]
    pub fn pack(self) -> u64 {
        u64::from(self.type_id) | u64::from(self.len) << 32 | u64::from(self.flags) << 48
    }

    #[inline(always)]
    pub fn unpack(word: u64) -> Self {
        Self {
            type_id: word as u32,
            len: (word >> 32) as u16,
            flags: (word >> 48) as u16,
        }
    }

    /// Bytes of the whole record.
    #[inline(always)]
    pub fn size(self) -> u64 {
        if self.flags & PAD != 0 {
            return u64::from(self.type_id);
        }
        record_size(u64::from(self.len), self.flags)
    }
}

/// Bytes of a record with a payload of `len` bytes.
#[inline(always)]
pub fn record_size(len: u64, flags: u16) -> u64 {
    WORD + payload_size(len) + extra_size(flags)
}

/// Bytes between the header and the payload.
#[inline(always)]
pub fn extra_size(flags: u16) -> u64 {
    (u64::from(flags & SEQUENCED) + u64::from((flags & TIMED) >> 1)) * WORD
}

/// Bytes that a payload takes.
#[inline(always)]
pub fn payload_size(len: u64) -> u64 {
    (len + (WORD - 1)) & !(WORD - 1)
}

/// The memory of a word.
#[cfg(mvx_loom)]
pub type Word = loom::cell::UnsafeCell<u64>;
/// The memory of a word.
#[cfg(not(mvx_loom))]
pub type Word = std::cell::UnsafeCell<u64>;

/// The memory of a segment. One thread writes a word, and another reads it after a release/acquire pair on the ring's
/// tail; the word is written again only after a release/acquire pair on the ring's head.
pub struct Segment {
    words: Box<[Word]>,
    /// Index mask, in words.
    mask: u64,
    /// The position of the segment's first word.
    pub base: u64,
    /// Where the ring goes on after a JUMP.
    pub next: AtomicPtr<Segment>,
}

// SAFETY: see the struct: access to each word is ordered by the ring's head and tail.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

impl Segment {
    /// A segment of `bytes` (a power of two) that begins at position `base`.
    pub fn allocate(bytes: u64, base: u64) -> *mut Segment {
        debug_assert!(bytes.is_power_of_two());
        let words = (bytes / WORD) as usize;
        Box::into_raw(Box::new(Segment {
            words: (0..words).map(|_| Word::new(0)).collect(),
            mask: words as u64 - 1,
            base,
            next: AtomicPtr::new(ptr::null_mut()),
        }))
    }

    /// Gives a segment back.
    ///
    /// # Safety
    /// `segment` comes from [`Segment::allocate`], was not freed, and nobody uses it any more.
    pub unsafe fn free(segment: *mut Segment) {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(segment) });
    }

    /// Bytes of the segment.
    #[inline(always)]
    pub fn capacity(&self) -> u64 {
        (self.mask + 1) * WORD
    }

    #[inline(always)]
    fn index(&self, position: u64) -> usize {
        (((position - self.base) / WORD) & self.mask) as usize
    }

    /// Bytes from `position` to the end of the segment's memory.
    #[inline(always)]
    pub fn contiguous(&self, position: u64) -> u64 {
        self.capacity() - self.index(position) as u64 * WORD
    }

    #[inline(always)]
    fn cell(&self, position: u64) -> &Word {
        // SAFETY: the index is masked to the length.
        unsafe { self.words.get_unchecked(self.index(position)) }
    }

    /// The memory of the word at `position`.
    #[inline(always)]
    pub fn word(&self, position: u64) -> *const Word {
        std::ptr::from_ref(self.cell(position))
    }

    /// Reads the word at `position`.
    ///
    /// # Safety
    /// `position` was published by the ring's writer and is not yet given back by its reader.
    #[inline(always)]
    pub unsafe fn read(&self, position: u64) -> u64 {
        // SAFETY: the caller's promise.
        unsafe { read_word(self.word(position)) }
    }
}

/// The word that is `bytes`, a multiple of 8, after `word`.
#[inline(always)]
pub fn words_after(word: *const Word, bytes: u64) -> *const Word {
    #[cfg(not(mvx_loom))]
    return word.wrapping_byte_add(bytes as usize);
    #[cfg(mvx_loom)]
    word.wrapping_add((bytes / WORD) as usize)
}

/// The word that is `bytes`, a multiple of 8, before `word`; it may be outside of all memory.
#[inline(always)]
pub fn words_before(word: *const Word, bytes: u64) -> *const Word {
    word.wrapping_sub((bytes / WORD) as usize)
}

/// Reads a word.
///
/// # Safety
/// It was published by the ring's writer and is not yet given back by its reader.
#[inline(always)]
pub unsafe fn read_word(word: *const Word) -> u64 {
    #[cfg(mvx_loom)]
    // SAFETY: the caller's promise, which loom checks.
    return unsafe { (*word).with(|cell| *cell) };
    #[cfg(not(mvx_loom))]
    // SAFETY: the caller's promise.
    unsafe {
        *(*word).get()
    }
}

/// The payload that begins with `word`: aligned to 8 bytes, valid until the reader gives the word back.
#[inline(always)]
pub fn payload_at(word: *const Word) -> *const u8 {
    #[cfg(mvx_loom)]
    // SAFETY: the word is in a segment that the reader has not left.
    return unsafe { (*word).with(|cell| cell.cast::<u8>()) };
    #[cfg(not(mvx_loom))]
    word.cast::<u8>()
}

/// Writes a word.
///
/// # Safety
/// The caller is the ring's writer and the word is free.
#[inline(always)]
pub unsafe fn write_word(word: *const Word, value: u64) {
    #[cfg(mvx_loom)]
    // SAFETY: the caller's promise, which loom checks.
    unsafe {
        (*word).with_mut(|cell| *cell = value);
    }
    #[cfg(not(mvx_loom))]
    // SAFETY: the caller's promise.
    unsafe {
        *(*word).get() = value;
    }
}

/// Copies a payload, in whole words.
///
/// # Safety
/// As [`write_word`], for `payload_size(len)` bytes from `word` on; `payload` has `len` readable bytes.
#[inline(always)]
pub unsafe fn write_payload(word: *const Word, payload: *const u8, len: usize) {
    #[cfg(mvx_loom)]
    for offset in (0..len).step_by(WORD as usize) {
        let mut bytes = [0u8; WORD as usize];
        let count = (len - offset).min(WORD as usize);
        // SAFETY: `offset + count <= len`.
        unsafe { ptr::copy_nonoverlapping(payload.add(offset), bytes.as_mut_ptr(), count) };
        // SAFETY: the caller's promise.
        unsafe { write_word(word.add(offset / WORD as usize), u64::from_ne_bytes(bytes)) };
    }
    #[cfg(not(mvx_loom))]
    // SAFETY: the caller's promise.
    unsafe {
        if len <= SHORT_PAYLOAD {
            write_short_payload(word, payload, len);
        } else {
            ptr::copy_nonoverlapping(payload, word.cast::<u8>().cast_mut(), len);
        }
    }
}

/// The longest payload that [`write_short_payload`] takes.
pub const SHORT_PAYLOAD: usize = 64;

/// As [`write_payload`], for up to [`SHORT_PAYLOAD`] bytes. A call of memcpy costs as much as the rest of the hand-off:
/// so this goes by pieces of 16 bytes, the last of which overlaps the one before.
///
/// # Safety
/// As [`write_payload`].
#[inline(always)]
pub unsafe fn write_short_payload(word: *const Word, payload: *const u8, len: usize) {
    #[cfg(mvx_loom)]
    // SAFETY: the caller's promise.
    unsafe {
        write_payload(word, payload, len);
    }
    #[cfg(not(mvx_loom))]
    {
        type Sixteen = [u64; 2];
        let target = word.cast::<u8>().cast_mut();
        // SAFETY: the caller's promise; reads and writes stay within `len` bytes.
        unsafe {
            let copy_sixteen = |at: usize| {
                let piece = payload.add(at).cast::<Sixteen>().read_unaligned();
                target.add(at).cast::<Sixteen>().write_unaligned(piece);
            };
            if len >= 16 {
                copy_sixteen(0);
                if len > 16 {
                    if len > 32 {
                        copy_sixteen(16);
                        if len > 48 {
                            copy_sixteen(32);
                        }
                    }
                    copy_sixteen(len - 16);
                }
            } else if len >= 8 {
                let first = payload.cast::<u64>().read_unaligned();
                let last = payload.add(len - 8).cast::<u64>().read_unaligned();
                target.cast::<u64>().write(first);
                target.add(len - 8).cast::<u64>().write_unaligned(last);
            } else {
                for offset in 0..len {
                    *target.add(offset) = *payload.add(offset);
                }
            }
        }
    }
}
