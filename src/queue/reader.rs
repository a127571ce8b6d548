//! The dispatcher's end of a ring.

use super::fetch::fetch_to_read;
use super::fold::{FoldPlan, KeyAt, Reading, Tally};
use super::producer::{Producer, free_chain};
use super::segment::{
    Header, JUMP, PAD, SEQUENCED, Segment, TIMED, WORD, extra_size, payload_at, read_word, words_after,
};
use crate::sync::Arc;
use crate::sync::atomic::Ordering;
use std::sync::Arc as StdArc;

/// How far ahead memory is fetched, in bytes: what is dispatched while one cache line comes from another core.
const AHEAD: usize = 512;

/// A place in a ring. Both fields move together: the segment holds the position, or ends in a JUMP there.
#[derive(Clone, Copy)]
struct Place {
    segment: *mut Segment,
    position: u64,
}

/// One event in a ring.
#[derive(Clone, Copy)]
pub struct Record {
    pub type_id: u32,
    pub len: u16,
    pub time: Option<u64>,
    pub payload: *const u8,
}

/// Reads the ring of one producer.
pub struct Reader {
    pub producer: Arc<Producer>,
    /// Grows with each ring of a recorder; never used again.
    pub id: u64,
    /// Read up to here.
    at: Place,
    /// Seen up to here by [`Reader::extend`].
    seen: Place,
    /// To be read up to here before the next plan is made.
    pub end: u64,
    /// Given back to the producer up to here.
    committed: u64,
    /// Segments that were left, in which events may still be under dispatch.
    left: Vec<*mut Segment>,
    /// What the thread folds.
    pub tallies: Vec<Reading>,
    /// How events of the types that the thread records go, for the metrics that there are now.
    pub ways: Vec<Way>,
}

/// How events of one type go.
pub struct Way {
    pub type_id: u32,
    /// `None`: they travel.
    pub tally: Option<StdArc<Tally>>,
}

// SAFETY: the segments are reachable from this reader and, up to the writing end, from the producer only.
unsafe impl Send for Reader {}

impl Reader {
    pub fn new(producer: Arc<Producer>, id: u64) -> Self {
        let start = Place {
            segment: producer.first(),
            position: 0,
        };
        Self {
            producer,
            id,
            at: start,
            seen: start,
            end: 0,
            committed: 0,
            left: Vec::new(),
            tallies: Vec::new(),
            ways: Vec::new(),
        }
    }

    /// Tells the metrics of what the thread folded.
    pub fn tell_folded(&mut self) {
        self.tallies.iter_mut().for_each(Reading::tell);
    }

    /// A tally for the thread's events of a type that go by `plan`; one that was used for other metrics before the last
    /// change, if there is one. On the recording thread.
    pub fn tally(&mut self, plan: FoldPlan, type_id: u32, larger_than: Option<&Tally>) -> StdArc<Tally> {
        let at = plan.key_at;
        let mut known = (0..self.tallies.len()).filter(|&of| self.tallies[of].tally().is_of(type_id, at));
        let (first, second) = (known.next(), known.next());
        match (first, second, larger_than) {
            (Some(only), _, _) if at == KeyAt::Nowhere => StdArc::clone(self.tallies[only].tally()),
            // Two in turns: an event that a signal handler interrupted while it was folded is not to find other keys.
            (Some(oldest), Some(_), None) => {
                let mut reading = self.tallies.remove(oldest);
                reading.start_anew(plan);
                let tally = StdArc::clone(reading.tally());
                self.tallies.push(reading);
                tally
            }
            _ => {
                let tally = StdArc::new(Tally::new(at, type_id, larger_than));
                self.tallies.push(Reading::new(StdArc::clone(&tally), plan));
                tally
            }
        }
    }

    /// Tells the metrics of all that the thread folded, and lets go of its tallies, which it uses no more; how many events
    /// that were.
    pub fn leave_tallies(&mut self) -> u64 {
        let mut events = 0;
        for mut reading in self.tallies.drain(..) {
            reading.tell();
            events += reading.tally().events();
        }
        self.tallies.shrink_to_fit();
        events
    }

    pub fn position(&self) -> u64 {
        self.at.position
    }

    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// Whether everything that was written so far is done with.
    pub fn is_drained(&self) -> bool {
        self.committed == self.producer.tail()
    }

    /// The header of the next event at or after `place` and before `until`, moving `place` to it over what holds
    /// no event.
    fn header_at(place: &mut Place, until: u64, mut leave: impl FnMut(*mut Segment)) -> Option<Header> {
        while place.position < until {
            // SAFETY: the segment lives: it is freed only after the reader has left it and committed.
            let segment = unsafe { &*place.segment };
            // SAFETY: `until` is at most the published tail, and the position was not given back.
            let header = Header::unpack(unsafe { segment.read(place.position) });
            if header.flags & JUMP != 0 {
                leave(place.segment);
                place.position += WORD;
                place.segment = segment.next.load(Ordering::Acquire);
            } else if header.flags & PAD != 0 {
                place.position += header.size();
            } else {
                return Some(header);
            }
        }
        None
    }

    fn sequence_at(place: Place, header: Header) -> Option<u64> {
        if header.flags & SEQUENCED == 0 {
            return None;
        }
        // SAFETY: as in `header_at`: the word belongs to a published record.
        Some(unsafe { (*place.segment).read(place.position + WORD) })
    }

    /// The sequence number of the next event before `end`: `None` at the end, `Some(None)` for one without.
    pub fn peek(&mut self) -> Option<Option<u64>> {
        let left = &mut self.left;
        let header = Self::header_at(&mut self.at, self.end, |segment| left.push(segment))?;
        Some(Self::sequence_at(self.at, header))
    }

    /// Takes the next event before `end`. It stays valid until [`Reader::commit`].
    pub fn next(&mut self) -> Option<Record> {
        let left = &mut self.left;
        let header = Self::header_at(&mut self.at, self.end, |segment| left.push(segment))?;
        // SAFETY: as in `header_at`.
        let segment = unsafe { &*self.at.segment };
        let time = (header.flags & TIMED != 0).then(|| {
            let offset = WORD + extra_size(header.flags & SEQUENCED);
            // SAFETY: as in `header_at`.
            unsafe { segment.read(self.at.position + offset) }
        });
        let payload = payload_at(segment.word(self.at.position + WORD + extra_size(header.flags)));
        self.at.position += header.size();
        Some(Record {
            type_id: header.type_id,
            len: header.len,
            time,
            payload,
        })
    }

    /// Takes up to `most` events before `end`; how many. As [`Reader::next`] for each, but what follows on each other in
    /// memory and is plain goes in one loop.
    #[inline(always)]
    pub fn take(&mut self, most: usize, take: &mut impl FnMut(Record)) -> usize {
        let mut taken = 0;
        while taken < most {
            // SAFETY: as in `header_at`.
            let segment = unsafe { &*self.at.segment };
            let mut position = self.at.position;
            let end = self.end.min(position + segment.contiguous(position));
            let mut word = segment.word(position);
            while position < end && taken < most {
                // SAFETY: as in `header_at`.
                let header = Header::unpack(unsafe { read_word(word) });
                if header.flags != 0 {
                    break;
                }
                fetch_to_read::<AHEAD, _>(word);
                take(Record {
                    type_id: header.type_id,
                    len: header.len,
                    time: None,
                    payload: payload_at(words_after(word, WORD)),
                });
                let size = header.size();
                word = words_after(word, size);
                position += size;
                taken += 1;
            }
            self.at.position = position;
            if taken < most {
                let Some(record) = self.next() else { break };
                take(record);
                taken += 1;
            }
        }
        taken
    }

    /// Gives everything that was taken back to the producer.
    pub fn commit(&mut self) {
        if self.committed == self.at.position {
            return;
        }
        self.committed = self.at.position;
        if self.seen.position < self.at.position {
            self.seen = self.at;
        }
        self.producer.set_head(self.committed);
        for segment in self.left.drain(..) {
            // SAFETY: the reader is past it, the producer left it when it wrote the JUMP, and what was read from it
            // is committed.
            unsafe { Segment::free(segment) };
        }
    }

    /// Puts `end` at `tail`.
    pub fn plan_to(&mut self, tail: u64) {
        self.end = tail;
    }

    /// Makes the next [`Reader::extend`] look at everything from the next event on.
    pub fn look_from_start(&mut self) {
        self.seen = self.at;
    }

    /// Moves `end` on, up to `tail`, over events whose sequence number is below `bound` and over those without a
    /// number that stand before such a one; with `unnumbered` over all without a number. Whether a numbered one was
    /// found.
    pub fn extend(&mut self, tail: u64, bound: u64, unnumbered: bool) -> bool {
        if self.seen.position < self.at.position {
            self.seen = self.at;
        }
        let mut found = false;
        while let Some(header) = Self::header_at(&mut self.seen, tail, |_| ()) {
            let sequence = Self::sequence_at(self.seen, header);
            if sequence.is_some_and(|sequence| sequence >= bound) {
                break;
            }
            self.seen.position += header.size();
            if self.seen.position > self.end && (unnumbered || sequence.is_some()) {
                self.end = self.seen.position;
                found |= sequence.is_some();
            }
        }
        found
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for segment in self.left.drain(..) {
            // SAFETY: as in `commit`; nothing is under dispatch when a reader goes.
            unsafe { Segment::free(segment) };
        }
        // SAFETY: a reader goes when its producer's thread has ended, or when the recorder is closed for good and no
        // thread is inside a call: nobody writes any more.
        unsafe { free_chain(self.at.segment) };
    }
}
