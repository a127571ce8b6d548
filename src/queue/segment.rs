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

#[cfg(mvx_loom)]
type Cell = loom::cell::UnsafeCell<u64>;
#[cfg(not(mvx_loom))]
type Cell = std::cell::UnsafeCell<u64>;

/// The memory of a segment. One thread writes a word, and another reads it after a release/acquire pair on the ring's
/// tail; the word is written again only after a release/acquire pair on the ring's head.
pub struct Segment {
    words: Box<[Cell]>,
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
            words: (0..words).map(|_| Cell::new(0)).collect(),
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
    fn cell(&self, position: u64) -> &Cell {
        // SAFETY: the index is masked to the length.
        unsafe { self.words.get_unchecked(self.index(position)) }
    }

    /// Writes the word at `position`.
    ///
    /// # Safety
    /// The caller is the ring's writer and `position` is free.
    #[inline(always)]
    pub unsafe fn write(&self, position: u64, word: u64) {
        #[cfg(mvx_loom)]
        // SAFETY: the caller's promise, which loom checks.
        self.cell(position).with_mut(|cell| unsafe { *cell = word });
        #[cfg(not(mvx_loom))]
        // SAFETY: the caller's promise.
        unsafe {
            *self.cell(position).get() = word;
        }
    }

    /// Reads the word at `position`.
    ///
    /// # Safety
    /// `position` was published by the ring's writer and is not yet given back by its reader.
    #[inline(always)]
    pub unsafe fn read(&self, position: u64) -> u64 {
        #[cfg(mvx_loom)]
        // SAFETY: the caller's promise, which loom checks.
        return self.cell(position).with(|cell| unsafe { *cell });
        #[cfg(not(mvx_loom))]
        // SAFETY: the caller's promise.
        unsafe {
            *self.cell(position).get()
        }
    }

    /// Copies a payload to `position`, contiguous there, in whole words.
    ///
    /// # Safety
    /// As [`Segment::write`], for `payload_size(len)` bytes; `payload` has `len` readable bytes.
    #[inline(always)]
    pub unsafe fn write_payload(&self, position: u64, payload: *const u8, len: usize) {
        #[cfg(mvx_loom)]
        for offset in (0..len).step_by(WORD as usize) {
            let mut word = [0u8; WORD as usize];
            let count = (len - offset).min(WORD as usize);
            // SAFETY: `offset + count <= len`.
            unsafe { ptr::copy_nonoverlapping(payload.add(offset), word.as_mut_ptr(), count) };
            // SAFETY: the caller's promise.
            unsafe { self.write(position + offset as u64, u64::from_ne_bytes(word)) };
        }
        #[cfg(not(mvx_loom))]
        {
            let target = self.cell(position).get().cast::<u8>();
            // SAFETY: the caller's promise; reads and writes stay within `len` and `payload_size(len)` bytes.
            unsafe {
                if len > 64 {
                    ptr::copy_nonoverlapping(payload, target, len);
                    return;
                }
                // A call of memcpy costs as much as the rest of the hand-off: small payloads go word by word.
                let mut offset = 0;
                while offset + 8 <= len {
                    let word = payload.add(offset).cast::<u64>().read_unaligned();
                    target.add(offset).cast::<u64>().write(word);
                    offset += 8;
                }
                while offset < len {
                    *target.add(offset) = *payload.add(offset);
                    offset += 1;
                }
            }
        }
    }

    /// The payload at `position`: aligned to 8 bytes, valid until the reader gives the position back.
    #[inline(always)]
    pub fn payload(&self, position: u64) -> *const u8 {
        #[cfg(mvx_loom)]
        return self.cell(position).with(|cell| cell.cast::<u8>());
        #[cfg(not(mvx_loom))]
        self.cell(position).get().cast::<u8>().cast_const()
    }
}
