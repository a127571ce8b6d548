//! Events: what happened, as its type and a payload of bytes; the fields that a type declares, and interned texts.

pub mod event_type;
pub mod field;
pub mod symbol;

pub(crate) use event_type::brief;
pub use event_type::{EventType, EventTypeOptions, Release, declare, event_type};
pub use field::{Field, FieldAt, FieldKind, FieldValue};
pub use symbol::{intern, symbol_text};

/// The most bytes that the payload of an event has.
pub const MAX_PAYLOAD: usize = 4_096;

/// A text as it crosses the ABI.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RawStr {
    /// UTF-8, not ended by a NUL.
    pub data: *const u8,
    /// Bytes.
    pub len: usize,
}

impl RawStr {
    /// No text.
    pub const fn empty() -> Self {
        Self::new("")
    }

    /// The text as the ABI takes it; valid as long as `text` is.
    pub const fn new(text: &'static str) -> Self {
        Self {
            data: text.as_ptr(),
            len: text.len(),
        }
    }
}

/// One event as metrics see it; the layout is that of the ABI's `mvx_event`.
///
/// Whoever makes one vouches for `payload` and `len`: so many bytes, unchanged, while the event or a copy of it is
/// in use. So only this crate makes and copies them; metrics have them for as long as they handle them:
///
/// ```compile_fail,E0507
/// fn keep(event: &mvx_metrics::event::Event) -> mvx_metrics::event::Event {
///     *event
/// }
/// ```
#[derive(Debug)]
#[repr(C)]
pub struct Event {
    /// Size of this struct.
    pub(crate) struct_size: usize,
    /// The event type.
    pub(crate) type_id: u32,
    /// Its name (UTF-8, static).
    pub(crate) type_name: RawStr,
    /// The payload, aligned to 8 bytes; valid while the metric handles the event.
    pub(crate) payload: *const u8,
    /// Bytes of payload.
    pub(crate) len: usize,
    /// Nanoseconds since the Unix epoch.
    pub(crate) time_unix_ns: u64,
}

impl Event {
    /// An event of `event_type` that refers to `payload`.
    ///
    /// # Safety
    /// `payload` must stay valid and unchanged while the event or a copy of it is in use.
    #[inline]
    pub unsafe fn new(event_type: &'static EventType, payload: &[u8], time_unix_ns: u64) -> Self {
        Self {
            struct_size: size_of::<Self>(),
            type_id: event_type.id,
            type_name: RawStr::new(&event_type.name),
            payload: payload.as_ptr(),
            len: payload.len(),
            time_unix_ns,
        }
    }

    /// The number of its event type.
    pub fn type_id(&self) -> u32 {
        self.type_id
    }

    /// When it happened, in nanoseconds since the Unix epoch.
    pub fn time_unix_ns(&self) -> u64 {
        self.time_unix_ns
    }

    /// The same once more, good for as long as this one.
    #[inline]
    pub(crate) fn copied(&self) -> Self {
        Self { ..*self }
    }

    /// The payload, aligned to 8 bytes.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        if self.len == 0 {
            // An empty payload may come as NULL, which no slice may have.
            return &[];
        }
        // SAFETY: whoever made the event vouches for so many bytes at `payload` while it is in use.
        unsafe { std::slice::from_raw_parts(self.payload, self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_refers_to_its_type_and_payload() {
        let event_type = declare(EventTypeOptions {
            name: "event.mod.refers".to_owned(),
            fields: Vec::new(),
            timed: false,
            release: None,
        })
        .unwrap();
        let payload = [1, 2, 3];
        // SAFETY: the payload outlives the event.
        let event = unsafe { Event::new(event_type, &payload, 7) };
        assert_eq!(event.struct_size, 56);
        assert_eq!((event.type_id, event.time_unix_ns), (event_type.id, 7));
        assert_eq!(event.type_name.len, "event.mod.refers".len());
        assert_eq!(event.payload(), [1, 2, 3]);
        let empty = Event {
            payload: std::ptr::null(),
            len: 0,
            ..event
        };
        assert_eq!(empty.payload(), [0_u8; 0]);
    }
}
