//! Where the rings of a recorder's threads meet: which events may be dispatched next, and in which order.
//!
//! The dispatcher works off *plans*. A plan fixes for each ring how far it will be read: everything that was visible
//! when the plan was made. Where types are numbered (`order.rs`), a plan is closed under "registered before": if B is
//! in it and A was registered before B, A is in it too, or was dispatched before. To that end the rings are looked
//! at again after the first look, for events with smaller numbers than any that the first look can have seen, until a
//! look finds none: whatever happened before an event that one look saw is visible to the next.
//!
//! *Changes* of the set of metrics take effect at a cut through all rings: events before it belong to the old set,
//! events after it to the new one. *Marks* are told when everything before them is done.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
// Not a checker's: that of a trait can't be one.
use std::sync::Arc as StdArc;

use super::alert::Alert;
use super::fold::{Folding, Tally};
use super::order::{NumberedTypes, Published, Sequence};
use super::producer::{Counts, Producer};
use super::reader::{Reader, Record, Way};
use crate::sync::Arc;

/// A cut through all rings.
struct Cut {
    /// Ring ids and positions, ids ascending.
    positions: Vec<(u64, u64)>,
    /// Numbers below this one were given before the cut was complete.
    bound: u64,
}

impl Cut {
    fn position(&self, id: u64) -> u64 {
        match self.positions.binary_search_by_key(&id, |&(id, _)| id) {
            Ok(index) => self.positions[index].1,
            // A ring that came after the cut.
            Err(_) => 0,
        }
    }

    fn is_reached(&self, readers: &[Reader]) -> bool {
        readers
            .iter()
            .all(|reader| reader.committed() >= self.position(reader.id))
    }
}

/// What the dispatcher's thread does not own: shared with threads that come, go, change metrics, or ask for counts.
pub struct Intake<C, M> {
    readers: Vec<Reader>,
    next_id: u64,
    /// Counts of threads that have ended.
    departed: Counts,
    changes: VecDeque<(Cut, C)>,
    marks: VecDeque<(Cut, M)>,
    published: Published,
    /// Where merging by number is at: the next number of each ring.
    heap: BinaryHeap<Reverse<(u64, usize)>>,
    merging: bool,
    /// The ring that unmerged reading is at.
    turn: usize,
    /// How events are folded now.
    folding: Option<StdArc<dyn Folding>>,
    /// Events that were folded into tallies that are no more.
    folded_before: u64,
}

/// What there is to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<C> {
    /// Events were taken.
    Events,
    /// Everything before this change is done: apply it.
    Change(C),
    /// Nothing now.
    Nothing,
}

impl<C, M> Intake<C, M> {
    pub fn new() -> Self {
        Self {
            readers: Vec::new(),
            next_id: 0,
            departed: Counts::default(),
            changes: VecDeque::new(),
            marks: VecDeque::new(),
            published: Published::default(),
            heap: BinaryHeap::new(),
            merging: false,
            turn: 0,
            folding: None,
            folded_before: 0,
        }
    }

    /// Adds a thread's ring.
    pub fn join(&mut self, producer: Arc<Producer>) {
        let id = self.next_id;
        self.next_id += 1;
        self.readers.push(Reader::new(producer, id));
    }

    /// Lets go of the rings of threads that have ended, as far as they are drained.
    pub fn drop_departed(&mut self) {
        if !self
            .readers
            .iter()
            .any(|reader| reader.producer.is_gone() && reader.is_drained())
        {
            return;
        }
        // Merging refers to rings by index: let it finish first.
        if self.is_mid_plan() {
            return;
        }
        let (departed, folded) = (&mut self.departed, &mut self.folded_before);
        self.readers.retain_mut(|reader| {
            let leaves = reader.producer.is_gone() && reader.is_drained();
            if leaves {
                departed.add(reader.producer.counts());
                *folded += reader.leave_tallies();
            }
            !leaves
        });
        if self.readers.capacity() > 4 * self.readers.len().max(4) {
            self.readers.shrink_to_fit();
        }
        self.turn = 0;
    }

    /// Sums over all threads that ever recorded.
    pub fn counts(&self) -> Counts {
        let mut counts = self.departed;
        for reader in &self.readers {
            counts.add(reader.producer.counts());
        }
        counts
    }

    pub fn producers(&self) -> impl Iterator<Item = &Arc<Producer>> {
        self.readers.iter().map(|reader| &reader.producer)
    }

    /// The metrics' new say on how events are folded.
    pub fn fold_anew(&mut self, folding: Option<StdArc<dyn Folding>>) {
        for reader in &mut self.readers {
            for reading in &mut reader.tallies {
                reading.tell_others(folding.as_deref());
            }
            reader.ways.clear();
        }
        self.folding = folding;
    }

    /// A tally for the thread of `producer` and events of this type, larger than `larger_than`; `None`: they travel.
    pub fn tally(
        &mut self,
        producer: &Producer,
        type_id: u32,
        larger_than: Option<&Tally>,
    ) -> Option<StdArc<Tally>> {
        let reader = self
            .readers
            .iter_mut()
            .find(|reader| std::ptr::eq(&raw const *reader.producer, producer))?;
        // In a signal handler, which must not allocate, an event type is known as a rule.
        let known = reader.ways.iter().position(|way| way.type_id == type_id);
        if let Some(way) = known.and_then(|known| reader.ways.get(known)) {
            match &way.tally {
                Some(tally) if tally.is_of_no_use() => return None,
                Some(tally) if larger_than.is_some_and(|than| std::ptr::eq(than, StdArc::as_ptr(tally))) => {}
                tally => return tally.clone(),
            }
        }
        let plan = self.folding.as_ref()?.plan(type_id);
        let tally = plan.map(|plan| reader.tally(plan, type_id, larger_than));
        if let Some(known) = known {
            reader.ways.swap_remove(known);
        }
        reader.ways.push(Way {
            type_id,
            tally: tally.clone(),
        });
        tally
    }

    /// Tells the metrics of what was folded.
    pub fn tell_folded(&mut self) {
        self.readers.iter_mut().for_each(Reader::tell_folded);
    }

    /// How many events were folded so far.
    pub fn folded(&self) -> u64 {
        let tallies = self.readers.iter().flat_map(|reader| &reader.tallies);
        self.folded_before + tallies.map(|reading| reading.tally().events()).sum::<u64>()
    }

    /// Has all threads look around before they record again.
    pub fn alert(&self, why: Alert) {
        self.producers().for_each(|producer| producer.raise_alert(why));
    }

    pub fn published(&mut self) -> &mut Published {
        &mut self.published
    }

    fn cut(&self, sequence: &Sequence) -> Cut {
        let positions = self
            .readers
            .iter()
            .map(|reader| (reader.id, reader.producer.tail()))
            .collect();
        // After the positions: whatever stands before them has a smaller number.
        Cut {
            positions,
            bound: sequence.bound(),
        }
    }

    /// Queues a change: events registered after this call come after it.
    pub fn change(&mut self, sequence: &Sequence, change: C) {
        let cut = self.cut(sequence);
        self.changes.push_back((cut, change));
    }

    /// Queues a mark behind every event registered so far.
    pub fn mark(&mut self, sequence: &Sequence, mark: M) {
        let cut = self.cut(sequence);
        self.marks.push_back((cut, mark));
    }

    /// The oldest mark that is reached.
    pub fn reached_mark(&mut self) -> Option<M> {
        let reached = self
            .marks
            .iter()
            .position(|(cut, _)| cut.is_reached(&self.readers))?;
        self.marks.remove(reached).map(|(_, mark)| mark)
    }

    pub fn take_marks(&mut self) -> Vec<M> {
        self.marks.drain(..).map(|(_, mark)| mark).collect()
    }

    pub fn take_changes(&mut self) -> Vec<C> {
        self.changes.drain(..).map(|(_, change)| change).collect()
    }

    /// Whether everything that was accepted is done with.
    pub fn is_drained(&self) -> bool {
        self.readers.iter().all(Reader::is_drained)
    }

    /// Whether there is anything to do: events, changes, or marks that could be reached.
    pub fn has_work(&self) -> bool {
        !self.changes.is_empty() || !self.marks.is_empty() || !self.is_drained()
    }

    fn is_mid_plan(&self) -> bool {
        self.readers.iter().any(|reader| reader.position() < reader.end)
    }

    /// Takes up to `most` events, in the order in which they are to be dispatched, or says what else is next.
    pub fn collect(
        &mut self,
        numbered: &NumberedTypes,
        sequence: &Sequence,
        most: usize,
        mut take: impl FnMut(Record),
    ) -> Next<C> {
        if !self.is_mid_plan() {
            self.plan(numbered, sequence);
            if !self.is_mid_plan() {
                let due = self
                    .changes
                    .front()
                    .is_some_and(|(cut, _)| cut.is_reached(&self.readers));
                return match due.then(|| self.changes.pop_front()).flatten() {
                    Some((_, change)) => Next::Change(change),
                    None => Next::Nothing,
                };
            }
        }
        let mut taken = 0;
        if self.merging {
            self.merge(most, &mut taken, &mut take);
        } else {
            self.drain_in_turn(most, &mut taken, &mut take);
        }
        if taken == 0 { Next::Nothing } else { Next::Events }
    }

    fn plan(&mut self, numbered: &NumberedTypes, sequence: &Sequence) {
        for reader in &mut self.readers {
            let tail = reader.producer.tail();
            reader.plan_to(tail);
        }
        self.merging = numbered.any() && self.readers.len() > 1;
        if self.merging {
            // After the look at the tails: every event that it saw has a smaller number.
            let bound = sequence.bound();
            while self.look_again(bound) {}
        }
        // Neither beyond the next change, which the events after it are to meet, nor beyond the next mark, which is
        // not to wait for the events after it.
        let change = self.changes.front().map(|(cut, _)| cut);
        let mark = self.marks.front().map(|(cut, _)| cut);
        for cut in change.into_iter().chain(mark) {
            for reader in &mut self.readers {
                let position = cut.position(reader.id);
                if reader.end > position {
                    reader.end = position.max(reader.position());
                    if self.merging {
                        // What was registered before an event in the cut was registered before the cut was complete.
                        let tail = reader.producer.tail();
                        reader.look_from_start();
                        reader.extend(tail, cut.bound, false);
                    }
                }
            }
        }
        if self.merging {
            self.heap.clear();
            for index in 0..self.readers.len() {
                self.enqueue(index);
            }
        }
    }

    fn look_again(&mut self, bound: u64) -> bool {
        let mut found = false;
        for reader in &mut self.readers {
            let tail = reader.producer.tail();
            if tail > reader.end {
                found |= reader.extend(tail, bound, true);
            }
        }
        found
    }

    /// Puts a ring's next event into the heap.
    fn enqueue(&mut self, index: usize) {
        if let Some(number) = self.readers[index].peek() {
            self.heap.push(Reverse((key(number), index)));
        }
    }

    fn merge(&mut self, most: usize, taken: &mut usize, take: &mut impl FnMut(Record)) {
        while *taken < most {
            let Some(Reverse((_, index))) = self.heap.pop() else {
                return;
            };
            // Numbers of one thread tend to come in runs: as long as no other ring's next event comes before, this ring
            // goes on.
            let others = self.heap.peek().map_or(u64::MAX, |Reverse((key, _))| *key);
            let reader = &mut self.readers[index];
            while let Some(record) = reader.next() {
                take(record);
                *taken += 1;
                if *taken == most || reader.peek().is_none_or(|number| key(number) > others) {
                    break;
                }
            }
            self.enqueue(index);
        }
    }

    fn drain_in_turn(&mut self, most: usize, taken: &mut usize, take: &mut impl FnMut(Record)) {
        let rings = self.readers.len();
        for _ in 0..rings {
            if self.turn >= rings {
                self.turn = 0;
            }
            let reader = &mut self.readers[self.turn];
            *taken += reader.take(most - *taken, take);
            if *taken == most {
                return;
            }
            self.turn += 1;
        }
    }

    /// Gives what was taken back to the threads.
    pub fn commit(&mut self) {
        for reader in &mut self.readers {
            reader.commit();
        }
    }
}

/// By what events are merged: those without a number go before all others.
fn key(number: Option<u64>) -> u64 {
    number.map_or(0, |number| number + 1)
}

impl<C, M> Default for Intake<C, M> {
    fn default() -> Self {
        Self::new()
    }
}
