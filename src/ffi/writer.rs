//! What a metric of a host writes its snapshot with.

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::snapshot::{Value, Writer};

use super::boundary;
use super::status::mvx_status;
use super::text::mvx_str;

/// Writes the snapshot of a metric, into a map that is open already. It is there while the metric's
/// `snapshot` runs.
///
/// Inside a map every entry has a key of its own, which is not empty; inside a list the key is ignored, so
/// pass an empty one. A call that fails changes nothing. The functions don't block, and may be called from
/// any thread while `snapshot` runs. All return MVX_OK, MVX_INVALID_ARGUMENT (`writer` is NULL, the key is
/// empty, there already or not UTF-8, or nesting is more than 64 deep) or MVX_UNEXPECTED.
pub struct mvx_writer {
    writer: Mutex<Writer>,
}

impl mvx_writer {
    pub(super) fn new() -> Self {
        Self {
            writer: Mutex::new(Writer::new()),
        }
    }

    pub(super) fn as_raw(&self) -> *mut Self {
        std::ptr::from_ref(self).cast_mut()
    }

    pub(super) fn finish(self) -> Result<Value> {
        self.writer.into_inner().finish()
    }
}

/// Lets `write` at the writer, with the key.
///
/// # Safety
/// `writer` is NULL or what a metric was handed that is still writing; `key` is a text argument as the header
/// asks.
unsafe fn entry(
    writer: *const mvx_writer,
    key: mvx_str,
    write: impl FnOnce(&mut Writer, &str) -> Result<()>,
) -> Result<()> {
    // SAFETY: as this function was promised; it is only ever shared.
    let writer = unsafe { writer.as_ref() }.ok_or_else(no_writer)?;
    // SAFETY: as this function was promised.
    let key = unsafe { key.read("key") }?;
    write(&mut writer.writer.lock(), key)
}

fn no_writer() -> Error {
    Error::invalid_argument("writer", "must not be NULL")
}

/// Writes a null.
///
/// - writer: what the metric was handed.
/// - key: copied; ignored inside a list.
/// - Threads, blocking and results: see mvx_writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_null(writer: *mut mvx_writer, key: mvx_str) -> mvx_status {
    boundary::status_only("mvx_writer_null", |_| {
        // SAFETY: as the header asks.
        unsafe { entry(writer, key, |writer, key| writer.null(key)) }
    })
}

/// Writes a truth value.
///
/// - writer: what the metric was handed.
/// - key: copied; ignored inside a list.
/// - value: 0 is false, anything else is true.
/// - Threads, blocking and results: see mvx_writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_bool(writer: *mut mvx_writer, key: mvx_str, value: i32) -> mvx_status {
    boundary::status_only("mvx_writer_bool", |_| {
        // SAFETY: as the header asks.
        unsafe { entry(writer, key, |writer, key| writer.bool(key, value != 0)) }
    })
}

/// Writes a signed integer.
///
/// - writer: what the metric was handed.
/// - key: copied; ignored inside a list.
/// - Threads, blocking and results: see mvx_writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_i64(writer: *mut mvx_writer, key: mvx_str, value: i64) -> mvx_status {
    boundary::status_only("mvx_writer_i64", |_| {
        // SAFETY: as the header asks.
        unsafe { entry(writer, key, |writer, key| writer.i64(key, value)) }
    })
}

/// Writes an unsigned integer.
///
/// - writer: what the metric was handed.
/// - key: copied; ignored inside a list.
/// - Threads, blocking and results: see mvx_writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_u64(writer: *mut mvx_writer, key: mvx_str, value: u64) -> mvx_status {
    boundary::status_only("mvx_writer_u64", |_| {
        // SAFETY: as the header asks.
        unsafe { entry(writer, key, |writer, key| writer.u64(key, value)) }
    })
}

/// Writes a floating point number. NaN and infinities are allowed; JSON shows them as "NaN", "Infinity",
/// "-Infinity".
///
/// - writer: what the metric was handed.
/// - key: copied; ignored inside a list.
/// - Threads, blocking and results: see mvx_writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_f64(writer: *mut mvx_writer, key: mvx_str, value: f64) -> mvx_status {
    boundary::status_only("mvx_writer_f64", |_| {
        // SAFETY: as the header asks.
        unsafe { entry(writer, key, |writer, key| writer.f64(key, value)) }
    })
}

/// Writes a text.
///
/// - writer: what the metric was handed.
/// - key: copied; ignored inside a list.
/// - value: copied.
/// - Threads, blocking and results: see mvx_writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_str(writer: *mut mvx_writer, key: mvx_str, value: mvx_str) -> mvx_status {
    boundary::status_only("mvx_writer_str", |_| {
        // SAFETY: a text argument as the header asks.
        let value = unsafe { value.read("value") }?;
        // SAFETY: as the header asks.
        unsafe { entry(writer, key, |writer, key| writer.str(key, value)) }
    })
}

/// Begins a map: what follows goes into it, until mvx_writer_end().
///
/// - writer: what the metric was handed.
/// - key: copied; ignored inside a list.
/// - Threads, blocking and results: see mvx_writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_begin_map(writer: *mut mvx_writer, key: mvx_str) -> mvx_status {
    boundary::status_only("mvx_writer_begin_map", |_| {
        // SAFETY: as the header asks.
        unsafe { entry(writer, key, Writer::begin_map) }
    })
}

/// Begins a list: what follows goes into it, until mvx_writer_end().
///
/// - writer: what the metric was handed.
/// - key: copied; ignored inside a list.
/// - Threads, blocking and results: see mvx_writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_begin_list(writer: *mut mvx_writer, key: mvx_str) -> mvx_status {
    boundary::status_only("mvx_writer_begin_list", |_| {
        // SAFETY: as the header asks.
        unsafe { entry(writer, key, Writer::begin_list) }
    })
}

/// Ends the map or list that was begun last. Each one must be ended before `snapshot` returns, or it counts
/// as failed.
///
/// - writer: what the metric was handed.
/// - Threads, blocking and results: see mvx_writer; MVX_INVALID_ARGUMENT also where nothing is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_writer_end(writer: *mut mvx_writer) -> mvx_status {
    boundary::status_only("mvx_writer_end", |_| {
        // SAFETY: NULL or what a metric was handed that is still writing; it is only ever shared.
        let writer = unsafe { writer.as_ref() }.ok_or_else(no_writer)?;
        writer.writer.lock().end()
    })
}
