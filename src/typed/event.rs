//! Structs as events.

use std::sync::OnceLock;

use crate::error::{Result, Status};
use crate::event::{self, Event, EventType, EventTypeOptions};
use crate::recorder::Recorder;

/// A struct that [`event!`](crate::event!) made an event of.
pub trait TypedEvent: Copy + Sized + 'static {
    /// Its payload: an array of bytes.
    type Payload: AsRef<[u8]>;
    /// The name of its event type.
    const NAME: &'static str;
    /// Its fields one after the other, each where its alignment wants it.
    fn payload(&self) -> Self::Payload;
    /// The struct of a payload of this type.
    fn of_payload(payload: &[u8]) -> Option<Self>;
    /// Its event type, for native metrics. It is declared on first use.
    ///
    /// # Errors
    /// ALREADY_EXISTS: an event type of that name has other fields. LIMIT_REACHED.
    fn event_type() -> Result<&'static EventType>;

    /// The struct behind an event, where it is of this type.
    fn from_event(event: &Event) -> Option<Self> {
        let declared = Self::event_type().ok()?;
        (event.type_id == declared.id)
            .then(|| Self::of_payload(event.payload()))
            .flatten()
    }
}

/// Where an event type is kept once it is declared.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Declared(OnceLock<&'static EventType>);

impl Declared {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The event type; `options` say what it is declared with the first time.
    ///
    /// # Errors
    /// What declaring it gives.
    #[inline]
    pub fn event_type(&self, options: impl FnOnce() -> EventTypeOptions) -> Result<&'static EventType> {
        if let Some(event_type) = self.0.get() {
            return Ok(event_type);
        }
        let event_type = event::declare(options())?;
        Ok(self.0.get_or_init(|| event_type))
    }
}

impl Recorder {
    /// Records an event; a recorder that is VIRGIN starts. Blocks only under BLOCK.
    ///
    /// # Errors
    /// Why it was not queued: INVALID_STATE, QUEUE_OVERFLOW, TIMEOUT (under BLOCK), WOULD_DEADLOCK, or what declaring the
    /// event type gave. Under DROP an event that is dropped is no error; [`Recorder::stats`] counts it.
    #[inline]
    pub fn record<E: TypedEvent>(&self, event: &E) -> std::result::Result<(), Status> {
        let event_type = E::event_type().map_err(|error| error.status)?;
        match self.register_event(event_type.id, event.payload().as_ref()) {
            Status::Ok => Ok(()),
            status => Err(status),
        }
    }
}

/// Declares a struct that is an event: its name in the process, and its fields.
///
/// Fields are numbers, `bool`, [`Symbol`](crate::typed::Symbol) and [`Text`](crate::typed::Text). Every language of the process that
/// declares the same name with the same fields has the same event type.
///
/// ```
/// use mvx_metrics::typed::{Symbol, TypedEvent};
///
/// mvx_metrics::event! {
///     /// An attempt to save a document.
///     pub struct SaveAttempt: "document_storage.save.attempt" {
///         /// `success` or `failure`.
///         pub outcome: Symbol,
///         pub seconds: f64,
///     }
/// }
///
/// let attempt = SaveAttempt { outcome: Symbol::of("success")?, seconds: 0.012 };
/// assert_eq!(SaveAttempt::of_payload(&attempt.payload()), Some(attempt));
/// # Ok::<(), mvx_metrics::error::Error>(())
/// ```
#[macro_export]
macro_rules! event {
    (
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident: $text:literal {
            $($(#[$field_attribute:meta])* $field_visible:vis $field:ident: $type:ty),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        $visible struct $name {
            $($(#[$field_attribute])* $field_visible $field: $type),*
        }

        const _: () = {
            #[allow(dead_code)]
            #[derive(Clone, Copy)]
            enum Place { $(#[allow(non_camel_case_types)] $field),* }

            // Of each field its size and its alignment.
            const FIELDS: &[(usize, usize)] = &[$((
                <$type as $crate::typed::FieldValue>::SIZE,
                <$type as $crate::typed::FieldValue>::ALIGN,
            )),*];

            // Where a field begins, and, past the last, where all end.
            const fn offset(place: usize) -> usize {
                let mut at = 0_usize;
                let mut index = 0;
                while index < FIELDS.len() {
                    let (size, align) = FIELDS[index];
                    at = at.div_ceil(align) * align;
                    if index == place {
                        return at;
                    }
                    at += size;
                    index += 1;
                }
                at.div_ceil(8) * 8
            }

            const LENGTH: usize = offset(FIELDS.len());

            impl $crate::typed::TypedEvent for $name {
                type Payload = [u8; LENGTH];
                const NAME: &'static str = $text;

                #[inline(always)]
                fn payload(&self) -> [u8; LENGTH] {
                    #[allow(unused_mut)]
                    let mut payload = [0; LENGTH];
                    $({
                        const AT: usize = offset(Place::$field as usize);
                        const SIZE: usize = <$type as $crate::typed::FieldValue>::SIZE;
                        $crate::typed::FieldValue::write(self.$field, &mut payload[AT..AT + SIZE]);
                    })*
                    payload
                }

                fn of_payload(payload: &[u8]) -> ::std::option::Option<Self> {
                    if payload.len() < LENGTH {
                        return None;
                    }
                    Some(Self {
                        $($field: {
                            const AT: usize = offset(Place::$field as usize);
                            const SIZE: usize = <$type as $crate::typed::FieldValue>::SIZE;
                            $crate::typed::FieldValue::read(&payload[AT..AT + SIZE])
                        }),*
                    })
                }

                fn event_type() -> $crate::error::Result<&'static $crate::event::EventType> {
                    static DECLARED: $crate::typed::Declared = $crate::typed::Declared::new();
                    DECLARED.event_type(|| $crate::event::EventTypeOptions {
                        name: $text.to_owned(),
                        fields: ::std::vec![$($crate::event::Field {
                            name: stringify!($field).to_owned(),
                            kind: <$type as $crate::typed::FieldValue>::KIND,
                            offset: offset(Place::$field as usize) as u32,
                            size: <$type as $crate::typed::FieldValue>::SIZE as u32,
                        }),*],
                        timed: false,
                        release: None,
                    })
                }
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::{FieldValue, Symbol, Text};

    crate::event! {
        struct Mixed: "typed.event.mixed" {
            small: u8,
            large: f64,
            truth: bool,
            note: Text<3>,
            outcome: Symbol,
            last: u16,
        }
    }

    crate::event! {
        struct Nothing: "typed.event.nothing" {}
    }

    crate::event! {
        struct Other: "typed.event.mixed" {
            small: u8,
        }
    }

    #[test]
    fn fields_lie_where_their_alignment_wants_them() {
        let fields = &Mixed::event_type().unwrap().fields;
        let places: Vec<_> = fields
            .iter()
            .map(|field| (&*field.name, field.offset, field.size))
            .collect();
        assert_eq!(
            places,
            [
                ("small", 0, 1),
                ("large", 8, 8),
                ("truth", 16, 1),
                ("note", 17, 3),
                ("outcome", 20, 4),
                ("last", 24, 2),
            ]
        );
        assert_eq!(size_of::<<Mixed as TypedEvent>::Payload>(), 32);
        assert_eq!(fields[4].kind, Symbol::KIND);
        assert_eq!(size_of::<<Nothing as TypedEvent>::Payload>(), 0);
    }

    crate::event! {
        struct Packed: "typed.event.packed" {
            small: u8,
            note: Text<4>,
            truth: bool,
            wide: Text<8>,
            number: u32,
        }
    }

    #[test]
    fn texts_lie_where_c_has_arrays_of_char() {
        #[repr(C)]
        struct InC {
            small: u8,
            note: [u8; 4],
            truth: bool,
            wide: [u8; 8],
            number: u32,
        }
        use std::mem::offset_of;
        let fields = &Packed::event_type().unwrap().fields;
        let offsets: Vec<_> = fields.iter().map(|field| field.offset as usize).collect();
        assert_eq!(
            offsets,
            [
                offset_of!(InC, small),
                offset_of!(InC, note),
                offset_of!(InC, truth),
                offset_of!(InC, wide),
                offset_of!(InC, number),
            ]
        );
    }

    #[test]
    fn a_payload_gives_the_struct_back() {
        let mixed = Mixed {
            small: 200,
            large: -0.5,
            truth: true,
            note: Text::of("abc"),
            outcome: Symbol::of("typed.event").unwrap(),
            last: 65_000,
        };
        assert_eq!(Mixed::of_payload(&mixed.payload()), Some(mixed));
        assert_eq!(Mixed::of_payload(&mixed.payload()[..31]), None);
        assert_eq!(Nothing::of_payload(&[]), Some(Nothing {}));
    }

    #[test]
    fn one_name_has_one_set_of_fields() {
        Mixed::event_type().unwrap();
        assert_eq!(Other::event_type().unwrap_err().status, Status::AlreadyExists);
    }
}
