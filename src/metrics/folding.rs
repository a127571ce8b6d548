//! Which events a set of metrics lets fold, and by which part of their payload.

use std::sync::Arc;

use super::MetricEntry;
use crate::event::{self, FieldAt};
use crate::queue::{Fold, FoldPlan, Folding, KeyAt};

/// The metrics of a recorder at one time.
pub struct MetricFolding(Vec<Arc<MetricEntry>>);

impl MetricFolding {
    /// Of these metrics.
    pub fn new(metrics: Vec<Arc<MetricEntry>>) -> Arc<Self> {
        Arc::new(Self(metrics))
    }
}

impl Folding for MetricFolding {
    fn plan(&self, type_id: u32) -> Option<FoldPlan> {
        let event_type = event::event_type(type_id)?;
        if event_type.release.is_some() || event_type.timed {
            return None;
        }
        let metrics: Vec<_> = self
            .0
            .iter()
            .filter(|entry| entry.wants(type_id))
            .cloned()
            .collect();
        let mut fields = Vec::new();
        for entry in &metrics {
            fields.extend(entry.metric.folded_by(type_id)?);
        }
        let len = event_type.min_len as usize;
        let key_at = key_at(&fields, len)?;
        let into = Box::new(Into {
            metrics,
            type_id,
            len,
            key_at,
        });
        Some(FoldPlan { key_at, into })
    }
}

/// The word of a payload of `len` bytes that has all these fields, where there is one.
fn key_at(fields: &[FieldAt], len: usize) -> Option<KeyAt> {
    let Some(first) = fields.iter().map(|field| field.offset).min() else {
        return Some(KeyAt::Nowhere);
    };
    let end = fields.iter().map(|field| field.offset + field.size).max()?;
    let bytes_of = |width: usize| {
        // Not beyond the payload's end.
        let offset = first.min(len.checked_sub(width)?);
        let mut mask = [0_u8; 8];
        for field in fields {
            let begin = field.offset - offset;
            mask.get_mut(begin..begin + field.size)?.fill(0xff);
        }
        (end <= offset + width).then_some((offset, mask))
    };
    // Rather four: bytes that were just written as one field are to be read as one, or the processor has to wait for them.
    if let Some((offset, [a, b, c, d, ..])) = bytes_of(4) {
        let mask = u64::from(u32::from_ne_bytes([a, b, c, d]));
        return Some(KeyAt::Four { offset, mask });
    }
    let (offset, mask) = bytes_of(8)?;
    let mask = u64::from_ne_bytes(mask);
    Some(KeyAt::Eight { offset, mask })
}

/// Those of the metrics that want an event type.
struct Into {
    metrics: Vec<Arc<MetricEntry>>,
    type_id: u32,
    /// Bytes that each payload has.
    len: usize,
    key_at: KeyAt,
}

impl Fold for Into {
    fn add(&self, key: u64, count: u64) {
        // A payload that has the key, and is else of no matter.
        let mut payload = vec![0_u8; self.len];
        match self.key_at {
            KeyAt::Nowhere => {}
            KeyAt::Four { offset, .. } => {
                // The mask has no bit above these four bytes.
                put(&mut payload, offset, &(key as u32).to_ne_bytes());
            }
            KeyAt::Eight { offset, .. } => put(&mut payload, offset, &key.to_ne_bytes()),
        }
        for entry in &self.metrics {
            entry.metric.handle_folded(self.type_id, &payload, count);
        }
    }
}

fn put(payload: &mut [u8], offset: usize, bytes: &[u8]) {
    if let Some(place) = payload.get_mut(offset..offset + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FieldKind;

    fn at(offset: usize, size: usize) -> FieldAt {
        let kind = FieldKind::Text;
        FieldAt { kind, offset, size }
    }

    fn mask(bytes: [u8; 8]) -> u64 {
        u64::from_ne_bytes(bytes)
    }

    #[test]
    fn the_key_is_within_one_word_of_the_payload() {
        assert_eq!(key_at(&[], 0), Some(KeyAt::Nowhere));
        let of = |offset, bytes| {
            Some(KeyAt::Eight {
                offset,
                mask: mask(bytes),
            })
        };
        let four = |offset, bytes: [u8; 4]| {
            let mask = u64::from(u32::from_ne_bytes(bytes));
            Some(KeyAt::Four { offset, mask })
        };
        assert_eq!(key_at(&[at(0, 4)], 16), four(0, [255; 4]));
        assert_eq!(key_at(&[at(12, 4)], 16), four(12, [255; 4]));
        assert_eq!(key_at(&[at(15, 1)], 16), four(12, [0, 0, 0, 255]));
        assert_eq!(key_at(&[at(6, 1)], 7), four(3, [0, 0, 0, 255]));
        assert_eq!(
            key_at(&[at(9, 1), at(4, 2)], 16),
            of(4, [255, 255, 0, 0, 0, 255, 0, 0])
        );
        assert_eq!(key_at(&[at(8, 8), at(10, 1)], 16), of(8, [255; 8]));
        assert_eq!(key_at(&[at(4, 4), at(0, 4)], 8), of(0, [255; 8]));
        // Nine bytes, or eight where no eight are left.
        assert_eq!(key_at(&[at(0, 1), at(8, 1)], 16), None);
        assert_eq!(key_at(&[at(0, 1), at(4, 1)], 7), None);
        assert_eq!(key_at(&[at(0, 1)], 3), None);
    }
}
