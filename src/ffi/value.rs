//! Values in snapshots.

use crate::error::{Error, Result};
use crate::snapshot::{Value, ValueKind};

use super::arguments::out;
use super::boundary;
use super::status::mvx_status;
use super::text::mvx_str;

/// Kind of a value: null.
pub const MVX_VALUE_NULL: i32 = 0;
/// Kind of a value: true or false.
pub const MVX_VALUE_BOOL: i32 = 1;
/// Kind of a value: a signed integer.
pub const MVX_VALUE_I64: i32 = 2;
/// Kind of a value: an unsigned integer.
pub const MVX_VALUE_U64: i32 = 3;
/// Kind of a value: a floating point number.
pub const MVX_VALUE_F64: i32 = 4;
/// Kind of a value: a text.
pub const MVX_VALUE_STR: i32 = 5;
/// Kind of a value: a list of values.
pub const MVX_VALUE_LIST: i32 = 6;
/// Kind of a value: values by name, in order.
pub const MVX_VALUE_MAP: i32 = 7;

const _: () = {
    assert!(MVX_VALUE_NULL == ValueKind::Null as i32);
    assert!(MVX_VALUE_BOOL == ValueKind::Bool as i32);
    assert!(MVX_VALUE_I64 == ValueKind::I64 as i32);
    assert!(MVX_VALUE_U64 == ValueKind::U64 as i32);
    assert!(MVX_VALUE_F64 == ValueKind::F64 as i32);
    assert!(MVX_VALUE_STR == ValueKind::Str as i32);
    assert!(MVX_VALUE_LIST == ValueKind::List as i32);
    assert!(MVX_VALUE_MAP == ValueKind::Map as i32);
};

/// A value in a snapshot: borrowed, as long as the snapshot is there. It never changes, so any number of
/// threads may read it. NULL is answered like a null.
pub struct mvx_value {
    _value: (),
}

/// A value as C sees it.
pub(super) fn as_c(value: Option<&Value>) -> *const mvx_value {
    value.map_or(std::ptr::null(), |value| std::ptr::from_ref(value).cast())
}

/// The value behind what C was given.
///
/// # Safety
/// `value` is NULL, or came from [`as_c`] and its snapshot is there for `'a`.
unsafe fn value_of<'a>(value: *const mvx_value) -> &'a Value {
    // SAFETY: as this function was promised.
    unsafe { value.cast::<Value>().as_ref() }.unwrap_or(&Value::Null)
}

/// What a value is: MVX_VALUE_NULL ... MVX_VALUE_MAP.
///
/// - value: NULL gives MVX_VALUE_NULL.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_kind(value: *const mvx_value) -> i32 {
    boundary::value("mvx_value_kind", MVX_VALUE_NULL, || {
        // SAFETY: NULL, or a value of a snapshot that was not freed.
        unsafe { value_of(value) }.kind() as i32
    })
}

/// The number of entries of a list or map; 0 for anything else.
///
/// - value: NULL gives 0.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_len(value: *const mvx_value) -> usize {
    boundary::value("mvx_value_len", 0, || {
        // SAFETY: NULL, or a value of a snapshot that was not freed.
        unsafe { value_of(value) }.len()
    })
}

/// The key of an entry of a map.
///
/// - value: what is no map (NULL too) gives an empty text.
/// - index: from 0 on; past the end it gives an empty text.
/// - Result: borrowed, as long as the snapshot is there.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_key_at(value: *const mvx_value, index: usize) -> mvx_str {
    boundary::value("mvx_value_key_at", mvx_str::of(""), || {
        // SAFETY: NULL, or a value of a snapshot that was not freed.
        mvx_str::of(unsafe { value_of(value) }.key_at(index).unwrap_or(""))
    })
}

/// An entry of a list or map.
///
/// - value: what is neither (NULL too) gives NULL.
/// - index: from 0 on; past the end it gives NULL.
/// - Result: borrowed, as long as the snapshot is there.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_at(value: *const mvx_value, index: usize) -> *const mvx_value {
    boundary::value("mvx_value_at", std::ptr::null(), || {
        // SAFETY: NULL, or a value of a snapshot that was not freed.
        as_c(unsafe { value_of(value) }.at(index))
    })
}

/// The entry of a map with a key.
///
/// - value: what is no map (NULL too) gives NULL.
/// - key: what is not there, or is not UTF-8, gives NULL.
/// - Result: borrowed, as long as the snapshot is there.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_get(value: *const mvx_value, key: mvx_str) -> *const mvx_value {
    boundary::value("mvx_value_get", std::ptr::null(), || {
        // SAFETY: NULL, or a value of a snapshot that was not freed.
        let value = unsafe { value_of(value) };
        // SAFETY: a text argument as the header asks.
        let key = unsafe { key.read("key") };
        as_c(key.ok().and_then(|key| value.get(key)))
    })
}

/// Puts what a value is into an out-parameter, where it is of that kind.
///
/// # Safety
/// `value` is as for [`value_of`]; `result` is NULL or may be written to during the call.
unsafe fn convert<T>(
    value: *const mvx_value,
    result: *mut T,
    as_kind: impl FnOnce(&Value) -> Option<T>,
) -> Result<()> {
    // SAFETY: as this function was promised.
    let result = unsafe { out(result, "result") }?;
    if value.is_null() {
        return Err(Error::invalid_argument("value", "must not be NULL"));
    }
    // SAFETY: as this function was promised.
    let value = unsafe { value_of(value) };
    let converted = as_kind(value)
        .ok_or_else(|| Error::invalid_argument("value", "can't be given exactly as what was asked for"))?;
    result.set(converted);
    Ok(())
}

/// A truth value.
///
/// - value: must be one.
/// - result: receives 0 or 1.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, or of another kind), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_as_bool(value: *const mvx_value, result: *mut i32) -> mvx_status {
    boundary::status_only("mvx_value_as_bool", |_| {
        // SAFETY: as the header asks.
        unsafe { convert(value, result, |value| value.as_bool().map(i32::from)) }
    })
}

/// A number, where int64_t can hold exactly that.
///
/// - value: a number of any kind.
/// - result: receives it.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, no number, or not exact), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_as_i64(value: *const mvx_value, result: *mut i64) -> mvx_status {
    boundary::status_only("mvx_value_as_i64", |_| {
        // SAFETY: as the header asks.
        unsafe { convert(value, result, Value::as_i64) }
    })
}

/// A number, where uint64_t can hold exactly that.
///
/// - value: a number of any kind.
/// - result: receives it.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, no number, or not exact), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_as_u64(value: *const mvx_value, result: *mut u64) -> mvx_status {
    boundary::status_only("mvx_value_as_u64", |_| {
        // SAFETY: as the header asks.
        unsafe { convert(value, result, Value::as_u64) }
    })
}

/// A number, where a double can hold exactly that.
///
/// - value: a number of any kind.
/// - result: receives it.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, no number, or not exact), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_as_f64(value: *const mvx_value, result: *mut f64) -> mvx_status {
    boundary::status_only("mvx_value_as_f64", |_| {
        // SAFETY: as the header asks.
        unsafe { convert(value, result, Value::as_f64) }
    })
}

/// A text.
///
/// - value: must be one.
/// - result: receives it, borrowed as long as the snapshot is there.
/// - Any thread, while the snapshot is there. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT (NULL, or of another kind), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_value_as_str(value: *const mvx_value, result: *mut mvx_str) -> mvx_status {
    boundary::status_only("mvx_value_as_str", |_| {
        // SAFETY: as the header asks.
        unsafe { convert(value, result, |value| value.as_str().map(mvx_str::of)) }
    })
}
