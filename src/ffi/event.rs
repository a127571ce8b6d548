//! Event types, events and interned texts.

use std::ffi::c_void;
use std::mem::offset_of;

use crate::error::{Error, Result};
use crate::event::{self, Event, EventTypeOptions, Field, FieldKind, Release};
use crate::process::fork;

use super::arguments::{Versioned, array, flags, out, required, unknown};
use super::boundary::{self, ErrorOut};
use super::error::mvx_error;
use super::status::mvx_status;
use super::text::{mvx_str, set_static};
use super::user_data::UserData;

/// The number of an event type, for the whole process; never 0.
pub type mvx_event_type = u32;

/// The number of an interned text, for the whole process; never 0. In a field, 0 and numbers that are no
/// symbol are no error: they are grouped under the label "", and filters take them for the empty text.
pub type mvx_symbol = u32;

/// Kind of a field: int8_t.
pub const MVX_FIELD_I8: u32 = 1;
/// Kind of a field: int16_t.
pub const MVX_FIELD_I16: u32 = 2;
/// Kind of a field: int32_t.
pub const MVX_FIELD_I32: u32 = 3;
/// Kind of a field: int64_t.
pub const MVX_FIELD_I64: u32 = 4;
/// Kind of a field: uint8_t.
pub const MVX_FIELD_U8: u32 = 5;
/// Kind of a field: uint16_t.
pub const MVX_FIELD_U16: u32 = 6;
/// Kind of a field: uint32_t.
pub const MVX_FIELD_U32: u32 = 7;
/// Kind of a field: uint64_t.
pub const MVX_FIELD_U64: u32 = 8;
/// Kind of a field: float.
pub const MVX_FIELD_F32: u32 = 9;
/// Kind of a field: double.
pub const MVX_FIELD_F64: u32 = 10;
/// Kind of a field: one byte, 0 is false.
pub const MVX_FIELD_BOOL: u32 = 11;
/// Kind of a field: an mvx_symbol.
pub const MVX_FIELD_SYMBOL: u32 = 12;
/// Kind of a field: char[size], a text that ends at the first NUL or after `size` bytes.
pub const MVX_FIELD_TEXT: u32 = 13;

/// One declared field of a payload. Numbers are in the byte order of the machine and may lie unaligned.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_field {
    /// Unique within its event type; 1 to 255 bytes.
    pub name: mvx_str,
    /// MVX_FIELD_I8 ... MVX_FIELD_TEXT.
    pub kind: u32,
    /// Where the field begins in the payload, in bytes.
    pub offset: u32,
    /// Its bytes: those of its kind (0 stands for that), or the length of a text.
    pub size: u32,
}

/// Flag of an event type: each event carries the time of its registration. Without, it carries the time at
/// which the library took up the batch that it came in, which costs nothing.
pub const MVX_EVENT_TYPE_TIMED: u32 = 1;

/// What an event type is declared with.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_event_type_options {
    /// sizeof(mvx_event_type_options).
    pub struct_size: usize,
    /// 1 to 255 bytes, such as "document_storage.save.attempt".
    pub name: mvx_str,
    /// The fields that native metrics, JSON and logs can read; may be NULL: then the payload is opaque to
    /// them.
    pub fields: *const mvx_field,
    /// How many; 64 at most.
    pub field_count: usize,
    /// 0 or MVX_EVENT_TYPE_TIMED.
    pub flags: u32,
    /// For payloads that refer to something of yours; may be NULL. Called once for each accepted event, after
    /// its dispatch or when it is discarded; never for one that was refused or dropped. Runs on a library
    /// thread, or on the thread that cancels the recorder.
    pub release: Option<unsafe extern "C" fn(user_data: *mut c_void, payload: *const c_void, len: usize)>,
    /// Frees user_data; may be NULL. An event type lives as long as the process, so this is called only where
    /// the declaration fails, where it repeats an earlier one, or where there is no `release`.
    pub drop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Handed to `release` and `drop`.
    pub user_data: *mut c_void,
}

/// The size of the first version of mvx_event_type_options.
pub const MVX_EVENT_TYPE_OPTIONS_V1_SIZE: usize = 72;

/// An event as a metric or hook sees it. It and its payload are there while the callback runs.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_event {
    /// The size of this struct as the library has it.
    pub struct_size: usize,
    /// Its event type.
    pub r#type: mvx_event_type,
    /// The name of its event type; a static text.
    pub type_name: mvx_str,
    /// The payload, aligned to 8 bytes; of no meaning where `len` is 0.
    pub payload: *const c_void,
    /// The number of bytes of the payload.
    pub len: usize,
    /// Nanoseconds since the Unix epoch; MVX_EVENT_TYPE_TIMED says of what.
    pub time_unix_ns: u64,
}

/// The size of the first version of mvx_event.
pub const MVX_EVENT_V1_SIZE: usize = 56;

// SAFETY: `repr(C)`, the size first, then integers and nullable pointers.
unsafe impl Versioned for mvx_event_type_options {
    const V1_SIZE: usize = MVX_EVENT_TYPE_OPTIONS_V1_SIZE;
}

const _: () = {
    assert!(size_of::<mvx_field>() == 32);
    assert!(offset_of!(mvx_field, kind) == 16);
    assert!(offset_of!(mvx_field, offset) == 20);
    assert!(offset_of!(mvx_field, size) == 24);

    assert!(size_of::<mvx_event_type_options>() == MVX_EVENT_TYPE_OPTIONS_V1_SIZE);
    assert!(offset_of!(mvx_event_type_options, name) == 8);
    assert!(offset_of!(mvx_event_type_options, fields) == 24);
    assert!(offset_of!(mvx_event_type_options, field_count) == 32);
    assert!(offset_of!(mvx_event_type_options, flags) == 40);
    assert!(offset_of!(mvx_event_type_options, release) == 48);
    assert!(offset_of!(mvx_event_type_options, drop) == 56);
    assert!(offset_of!(mvx_event_type_options, user_data) == 64);

    // Events are handed to C as they are.
    assert!(size_of::<mvx_event>() == MVX_EVENT_V1_SIZE);
    assert!(size_of::<mvx_event>() == size_of::<Event>() && align_of::<mvx_event>() == align_of::<Event>());
    assert!(offset_of!(mvx_event, struct_size) == offset_of!(Event, struct_size));
    assert!(offset_of!(mvx_event, r#type) == offset_of!(Event, type_id));
    assert!(offset_of!(mvx_event, type_name) == offset_of!(Event, type_name));
    assert!(offset_of!(mvx_event, payload) == offset_of!(Event, payload));
    assert!(offset_of!(mvx_event, len) == offset_of!(Event, len));
    assert!(offset_of!(mvx_event, time_unix_ns) == offset_of!(Event, time_unix_ns));
    assert!(size_of::<mvx_str>() == size_of::<event::RawStr>());
    assert!(offset_of!(mvx_str, data) == offset_of!(event::RawStr, data));
    assert!(offset_of!(mvx_str, len) == offset_of!(event::RawStr, len));
};

/// An event as C sees it.
pub(super) fn as_c(event: &Event) -> *const mvx_event {
    std::ptr::from_ref(event).cast()
}

/// The release callback of an event type.
struct CRelease {
    release: unsafe extern "C" fn(user_data: *mut c_void, payload: *const c_void, len: usize),
    user_data: UserData,
}

impl Release for CRelease {
    fn release(&self, payload: &[u8]) {
        // SAFETY: the host gave this function for this user data; the payload is there during the call.
        unsafe { (self.release)(self.user_data.pointer(), payload.as_ptr().cast(), payload.len()) };
    }

    fn same(&self, other: &dyn Release) -> bool {
        self.identity() == other.identity()
    }

    fn identity(&self) -> (usize, usize) {
        (
            self.release as *const () as usize,
            self.user_data.pointer() as usize,
        )
    }
}

/// Declares an event type, or finds the one that was declared before. The same name with the same fields,
/// flags, `release` and user_data gives the same number; with others it is an error.
///
/// - options: copied. Its `drop` has run when the call returns, where the declaration failed or was a
///   repetition.
/// - type: receives the number, which is good for the life of the process.
/// - error: may be NULL.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_ALREADY_EXISTS (EVENT_TYPE_ALREADY_EXISTS), MVX_LIMIT_REACHED
///   (there are 65,536 event types), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_event_type_declare(
    options: *const mvx_event_type_options,
    r#type: *mut mvx_event_type,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_event_type_declare", error, |_| {
        // SAFETY: NULL or a struct as the header asks.
        let options = unsafe { required(options, "options") }?;
        let user_data = UserData::new(options.user_data, options.drop);
        // SAFETY: NULL or writable.
        let number = unsafe { out(r#type, "type") }?;
        let release = options
            .release
            .map(|release| -> Box<dyn Release> { Box::new(CRelease { release, user_data }) });
        flags(options.flags, MVX_EVENT_TYPE_TIMED, "options.flags")?;
        let options = EventTypeOptions {
            // SAFETY: a text argument as the header asks.
            name: unsafe { options.name.read("options.name") }?.to_owned(),
            // SAFETY: NULL or as many fields as the count says.
            fields: unsafe { read_fields(options.fields, options.field_count) }?,
            timed: options.flags & MVX_EVENT_TYPE_TIMED != 0,
            release,
        };
        watch_forks()?;
        number.set(
            event::declare(options)
                .map_err(|error| error.within("options"))?
                .id,
        );
        Ok(())
    })
}

/// # Safety
/// `fields` is NULL or points to `count` fields.
unsafe fn read_fields(fields: *const mvx_field, count: usize) -> Result<Vec<Field>> {
    // SAFETY: as this function was promised.
    let fields = unsafe { array(fields, count, "options.fields") }?;
    // Not collected before that is known to be sensible: a made-up count would be believed.
    if fields.len() > event::field::MAX_FIELDS {
        return Err(Error::invalid_argument(
            "options.field_count",
            format!(
                "is {count}, at most {} fields can be declared",
                event::field::MAX_FIELDS
            ),
        ));
    }
    let read = |(index, field): (usize, &mvx_field)| {
        let kind = FieldKind::from_code(field.kind)
            .ok_or_else(|| unknown(&format!("options.fields[{index}].kind"), field.kind))?;
        Ok(Field {
            // SAFETY: a text argument as the header asks.
            name: unsafe { field.name.read(&format!("options.fields[{index}].name")) }?.to_owned(),
            kind,
            offset: field.offset,
            size: match field.size {
                0 => kind.size().unwrap_or(0),
                size => size,
            },
        })
    };
    fields.iter().enumerate().map(read).collect()
}

/// Event types and symbols have locks that a fork must find free, though no handle was made yet.
fn watch_forks() -> Result<()> {
    match fork::watch() {
        true => Ok(()),
        false => Err(Error::unexpected(
            "the system does not let the library prepare for fork()",
        )),
    }
}

/// The name of an event type.
///
/// - type: a number that mvx_event_type_declare() gave.
/// - name: receives a static text.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT (there is no such event type, or `name` is NULL), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_event_type_name(r#type: mvx_event_type, name: *mut mvx_str) -> mvx_status {
    boundary::status_only("mvx_event_type_name", |_| {
        let event_type = event::event_type(r#type).ok_or_else(|| unknown("type", r#type))?;
        // SAFETY: NULL or writable.
        unsafe { set_static(name, "name", &event_type.name) }
    })
}

/// Interns a text, for fields of kind MVX_FIELD_SYMBOL: texts that repeat, such as an outcome or a route. The
/// same text gives the same number. Interned texts live as long as the process, so don't intern what has no
/// bounds.
///
/// - text: at most 4,096 bytes; copied.
/// - symbol: receives the number.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_LIMIT_REACHED (there are 1,048,576 texts), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_intern(text: mvx_str, symbol: *mut mvx_symbol) -> mvx_status {
    boundary::status_only("mvx_intern", |_| {
        // SAFETY: NULL or writable.
        let symbol = unsafe { out(symbol, "symbol") }?;
        // SAFETY: a text argument as the header asks.
        let text = unsafe { text.read("text") }?;
        watch_forks()?;
        symbol.set(event::intern(text)?);
        Ok(())
    })
}

/// The text of a symbol.
///
/// - symbol: a number that mvx_intern() gave.
/// - text: receives a static text.
/// - Any thread. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT (there is no such symbol, or `text` is NULL), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_symbol_text(symbol: mvx_symbol, text: *mut mvx_str) -> mvx_status {
    boundary::status_only("mvx_symbol_text", |_| {
        let interned = event::symbol_text(symbol).ok_or_else(|| unknown("symbol", symbol))?;
        // SAFETY: NULL or writable.
        unsafe { set_static(text, "text", interned) }
    })
}
