//! Event types: declared once by name, known to the whole process by a number.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::error::{Error, Result, Status};
use crate::event::field::{self, Field};
use crate::process::append_table::AppendTable;

/// The most bytes that the name of an event type or of a field has.
pub const MAX_NAME: usize = 255;

/// Called for each accepted event, after its dispatch or when it is discarded.
pub trait Release: Send + Sync {
    /// `payload` is the event's own.
    fn release(&self, payload: &[u8]);
    /// Whether `other` is the same callback with the same user data.
    fn same(&self, other: &dyn Release) -> bool;
    /// Identity, for `same`.
    fn identity(&self) -> (usize, usize);
}

/// What an event type is declared with.
pub struct EventTypeOptions {
    /// 1 to 255 bytes.
    pub name: String,
    /// May be empty: then the payload is opaque.
    pub fields: Vec<Field>,
    /// Whether each event carries the time of its registration.
    pub timed: bool,
    /// For payloads that refer to something.
    pub release: Option<Box<dyn Release>>,
}

/// A declared event type; lives as long as the process.
pub struct EventType {
    /// Its number, from 1 on.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its declared fields.
    pub fields: Vec<Field>,
    /// Fewer bytes than this and a field would be out of bounds.
    pub min_len: u32,
    /// Whether each event carries the time of its registration.
    pub timed: bool,
    /// For payloads that refer to something.
    pub release: Option<Box<dyn Release>>,
}

impl EventType {
    /// The declared field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What of `options` is not as it was declared, in words, and the option concerned.
    fn difference(&self, options: &EventTypeOptions) -> Option<(&'static str, String)> {
        if self.fields.len() != options.fields.len() {
            let (was, is) = (self.fields.len(), options.fields.len());
            return Some(("fields", format!("with {was} for the number of fields, not {is}")));
        }
        let mut pairs = self.fields.iter().zip(&options.fields).enumerate();
        if let Some((index, (was, is))) = pairs.find(|(_, (was, is))| was != is) {
            return Some((
                "fields",
                format!("with fields[{index}] as {}, not {}", spelled(was), spelled(is)),
            ));
        }
        if self.timed != options.timed {
            let words = match self.timed {
                true => "with the time of registration, not without",
                false => "without the time of registration, not with it",
            };
            return Some(("timed", words.to_owned()));
        }
        match (&self.release, &options.release) {
            (None, None) => None,
            (Some(was), Some(is)) if was.same(is.as_ref()) => None,
            (Some(_), Some(_)) => Some(("release", "with another release callback or user data".to_owned())),
            (Some(_), None) => Some(("release", "with a release callback, not without".to_owned())),
            (None, Some(_)) => Some(("release", "without a release callback, not with one".to_owned())),
        }
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventType")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("fields", &self.fields)
            .field("timed", &self.timed)
            .finish_non_exhaustive()
    }
}

fn spelled(field: &Field) -> String {
    format!(
        "'{}' {} at {} of {} bytes",
        field.name,
        field.kind.name(),
        field.offset,
        field.size
    )
}

/// Event types by number, and beside them their numbers by name (`None` until the first is declared).
type Types<const CHUNKS: usize, const CHUNK_LEN: usize> =
    AppendTable<EventType, Option<HashMap<&'static str, &'static EventType>>, CHUNKS, CHUNK_LEN>;

/// At most 65,536.
pub(crate) static TYPES: Types<256, 256> = AppendTable::new(None);

/// What recording needs to know of each event type, by number: one load. 0 where it is not known (yet), which
/// [`event_type`] then tells. Memory that was never written takes no room.
static BRIEFS: [AtomicU16; TYPES_MAX + 1] = [const { AtomicU16::new(0) }; TYPES_MAX + 1];
const TYPES_MAX: usize = 256 * 256;

/// See [`brief`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief(u16);

impl Brief {
    const DECLARED: u16 = 1 << 15;
    const TIMED: u16 = 1 << 14;

    fn of(event_type: &EventType) -> Option<Self> {
        let min_len = u16::try_from(event_type.min_len)
            .ok()
            .filter(|&len| len < Self::TIMED)?;
        Some(Self(
            Self::DECLARED | min_len | if event_type.timed { Self::TIMED } else { 0 },
        ))
    }

    /// Whether the type is known, carries no time, and its payload may have as few bytes as `len`.
    #[inline(always)]
    pub fn is_plain(self, len: usize) -> bool {
        // Without the flag for declared, or with the one for timed, the number is as large as a length can't be.
        let min_len = self.0 ^ Self::DECLARED;
        len >= usize::from(min_len) && len < usize::from(Self::TIMED)
    }
}

/// What recording needs to know of an event type.
#[inline(always)]
pub fn brief(id: u32) -> Brief {
    BRIEFS
        .get(id as usize)
        .map_or(Brief(0), |brief| Brief(brief.load(Ordering::Relaxed)))
}

/// Declares an event type; an equal declaration gives the same one, and its `release` is dropped.
///
/// # Errors
/// INVALID_ARGUMENT: a bad name or field. ALREADY_EXISTS: the name is declared with other fields, another `timed` or
/// another `release`; the message says which. LIMIT_REACHED: there are 65,536 event types already.
pub fn declare(options: EventTypeOptions) -> Result<&'static EventType> {
    let declared = declare_in(&TYPES, options)?;
    if let (Some(brief), Some(place)) = (Brief::of(declared), BRIEFS.get(declared.id as usize)) {
        place.store(brief.0, Ordering::Relaxed);
    }
    Ok(declared)
}

/// Looks an event type up; takes no lock.
#[inline]
pub fn event_type(id: u32) -> Option<&'static EventType> {
    // There is no type 0: it wraps to an index that is out of range.
    TYPES.get(id.wrapping_sub(1) as usize)
}

fn declare_in<const CHUNKS: usize, const CHUNK_LEN: usize>(
    types: &'static Types<CHUNKS, CHUNK_LEN>,
    options: EventTypeOptions,
) -> Result<&'static EventType> {
    if options.name.is_empty() || options.name.len() > MAX_NAME {
        return Err(Error::invalid_argument(
            "name",
            format!("must have 1 to {MAX_NAME} bytes, not {}", options.name.len()),
        ));
    }
    let min_len = field::validate(&options.fields)?;
    let mut appender = types.lock();
    let known = appender
        .get_or_insert_default()
        .get(options.name.as_str())
        .copied();
    if let Some(known) = known {
        // Dropping `options` may call the host back, which may declare types in turn.
        drop(appender);
        return match known.difference(&options) {
            None => Ok(known),
            Some((option, words)) => Err(Error::new(
                Status::AlreadyExists,
                "EVENT_TYPE_ALREADY_EXISTS",
                format!("event type '{}' is declared already, {words}", known.name),
            )
            .with_detail("event_type", known.name.as_str())
            .with_detail("difference", option)),
        };
    }
    let id = appender
        .next_index()
        .and_then(|index| u32::try_from(index + 1).ok());
    let Some(id) = id else {
        drop(appender);
        let limit = CHUNKS * CHUNK_LEN;
        return Err(Error::limit_reached(format!(
            "there are {limit} event types already, which is the limit"
        )));
    };
    let EventTypeOptions {
        name,
        fields,
        timed,
        release,
    } = options;
    let declared = EventType {
        id,
        name,
        fields,
        min_len,
        timed,
        release,
    };
    let Some(declared) = appender.push(declared) else {
        return Err(Error::unexpected(
            "the table of event types refused an entry that it has room for",
        ));
    };
    appender.get_or_insert_default().insert(&declared.name, declared);
    Ok(declared)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::event::FieldKind;

    struct Callback(usize);

    static DROPPED: AtomicUsize = AtomicUsize::new(0);

    impl Release for Callback {
        fn release(&self, _: &[u8]) {}

        fn same(&self, other: &dyn Release) -> bool {
            self.identity() == other.identity()
        }

        fn identity(&self) -> (usize, usize) {
            (self.0, 0)
        }
    }

    impl Drop for Callback {
        fn drop(&mut self) {
            // What a host may do in its callback: it must not find the table locked.
            declare(options("event_type.from_a_drop")).unwrap();
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn options(name: &str) -> EventTypeOptions {
        EventTypeOptions {
            name: name.to_owned(),
            fields: Vec::new(),
            timed: false,
            release: None,
        }
    }

    fn with_field(name: &str, kind: FieldKind) -> EventTypeOptions {
        let field = Field {
            name: "f".to_owned(),
            kind,
            offset: 4,
            size: 4,
        };
        EventTypeOptions {
            fields: vec![field],
            ..options(name)
        }
    }

    #[test]
    fn a_declared_type_is_found_by_its_number() {
        let declared = declare(with_field("event_type.found", FieldKind::U32)).unwrap();
        assert!(declared.id >= 1);
        assert_eq!(declared.min_len, 8);
        assert_eq!(declared.field("f").map(|field| field.kind), Some(FieldKind::U32));
        assert!(declared.field("g").is_none());
        assert!(std::ptr::eq(event_type(declared.id).unwrap(), declared));
        assert!(event_type(0).is_none());
        assert!(event_type(u32::MAX).is_none());
    }

    #[test]
    fn an_equal_declaration_gives_the_same_type_and_drops_its_release() {
        let make = |identity| EventTypeOptions {
            timed: true,
            release: Some(Box::new(Callback(identity))),
            ..with_field("event_type.equal", FieldKind::U32)
        };
        let first = declare(make(1)).unwrap();
        assert!(std::ptr::eq(declare(make(1)).unwrap(), first));
        assert_eq!(DROPPED.load(Ordering::Relaxed), 1);
        let error = declare(make(2)).unwrap_err();
        assert_eq!(error.details["difference"], "release");
        assert_eq!(DROPPED.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_different_declaration_says_what_differs() {
        let name = "event_type.differs";
        declare(with_field(name, FieldKind::U32)).unwrap();
        let refused = |options| {
            let error = declare(options).unwrap_err();
            assert_eq!(
                (error.status, error.reason),
                (Status::AlreadyExists, "EVENT_TYPE_ALREADY_EXISTS")
            );
            error.message
        };
        assert_eq!(
            refused(options(name)),
            "event type 'event_type.differs' is declared already, with 1 for the number of fields, not 0"
        );
        assert_eq!(
            refused(with_field(name, FieldKind::I32)),
            "event type 'event_type.differs' is declared already, \
             with fields[0] as 'f' U32 at 4 of 4 bytes, not 'f' I32 at 4 of 4 bytes"
        );
        assert_eq!(
            refused(EventTypeOptions {
                timed: true,
                ..with_field(name, FieldKind::U32)
            }),
            "event type 'event_type.differs' is declared already, without the time of registration, not with it"
        );
    }

    #[test]
    fn bad_names_are_refused() {
        for name in [String::new(), "x".repeat(256)] {
            let error = declare(options(&name)).unwrap_err();
            assert_eq!(error.status, Status::InvalidArgument);
            assert_eq!(error.details["argument"], "name");
        }
        assert!(declare(options(&"x".repeat(255))).is_ok());
    }

    #[test]
    fn a_full_table_keeps_answering_for_what_it_has() {
        static SMALL: Types<2, 2> = AppendTable::new(None);
        let first = declare_in(&SMALL, options("0")).unwrap();
        assert_eq!(first.id, 1);
        for n in 1..4 {
            declare_in(&SMALL, options(&n.to_string())).unwrap();
        }
        assert_eq!(
            declare_in(&SMALL, options("4")).unwrap_err().status,
            Status::LimitReached
        );
        assert!(std::ptr::eq(declare_in(&SMALL, options("0")).unwrap(), first));
    }

    #[test]
    fn threads_that_declare_one_name_get_one_type() {
        let ids: Vec<u32> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| declare(options("event_type.race")).unwrap().id))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|&id| id == ids[0]));
    }
}
