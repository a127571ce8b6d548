//! Texts that cross the surface, both ways.

use std::ffi::c_char;

use crate::error::{Error, Result};

use super::arguments::out;
use super::boundary;

/// A text. As an argument it is copied before the call returns. Where the library hands one out, `data` is
/// never NULL, and the function says how long it may be read. MVX_STR("literal") makes one of a string
/// literal.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mvx_str {
    /// UTF-8; it need not end in NUL, and may be NULL where `len` is 0.
    pub data: *const c_char,
    /// The number of bytes.
    pub len: usize,
}

/// A text that its receiver owns. Free it with mvx_text_free().
pub struct mvx_text {
    text: String,
}

/// A list of texts that its receiver owns. Free it with mvx_strings_free().
pub struct mvx_strings {
    texts: Vec<String>,
}

impl mvx_str {
    /// A view of `text`; the header says of each function how long it lasts.
    pub(super) fn of(text: &str) -> Self {
        // C code that prints an empty text as "%s" should find a NUL.
        let data = if text.is_empty() {
            c"".as_ptr()
        } else {
            text.as_ptr().cast()
        };
        Self {
            data,
            len: text.len(),
        }
    }

    /// The text of an argument.
    ///
    /// # Safety
    /// `data` is NULL, or points to `len` bytes that stay as they are for `'a`.
    pub(super) unsafe fn read<'a>(self, argument: &str) -> Result<&'a str> {
        // SAFETY: as this function was promised.
        let bytes = unsafe { super::arguments::array(self.data.cast::<u8>(), self.len, argument) }?;
        std::str::from_utf8(bytes).map_err(|error| {
            Error::invalid_argument(
                argument,
                format!("is not UTF-8 from byte {} on", error.valid_up_to()),
            )
        })
    }

    /// The text of a message, with what is not UTF-8 replaced; `None` where there is nothing to read.
    ///
    /// # Safety
    /// As for [`mvx_str::read`].
    pub(super) unsafe fn read_lossy(self) -> Option<String> {
        // SAFETY: as this function was promised.
        let bytes: &[u8] = unsafe { super::arguments::array(self.data.cast(), self.len, "message") }.ok()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// Gives C a text of its own.
pub(super) fn new_text(text: String) -> *mut mvx_text {
    Box::into_raw(Box::new(mvx_text { text }))
}

/// Gives C a list of its own.
pub(super) fn new_strings(texts: Vec<String>) -> *mut mvx_strings {
    Box::into_raw(Box::new(mvx_strings { texts }))
}

/// The text itself.
///
/// - text: NULL gives an empty text.
/// - Result: borrowed, until mvx_text_free().
/// - Any thread, as long as none frees the text. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_text_str(text: *const mvx_text) -> mvx_str {
    boundary::value("mvx_text_str", mvx_str::of(""), || {
        // SAFETY: NULL, or a text of the library that was not freed.
        let text = unsafe { text.as_ref() };
        mvx_str::of(text.map_or("", |text| &text.text))
    })
}

/// Frees a text.
///
/// - text: taken; NULL is fine.
/// - Any thread, when no other uses the text. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_text_free(text: *mut mvx_text) {
    boundary::value("mvx_text_free", (), || {
        if !text.is_null() {
            // SAFETY: `new_text` made it of a box, and its owner gives it back.
            drop(unsafe { Box::from_raw(text) });
        }
    });
}

/// The number of texts in a list.
///
/// - strings: NULL gives 0.
/// - Any thread, as long as none frees the list. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_strings_len(strings: *const mvx_strings) -> usize {
    boundary::value("mvx_strings_len", 0, || {
        // SAFETY: NULL, or a list of the library that was not freed.
        unsafe { strings.as_ref() }.map_or(0, |strings| strings.texts.len())
    })
}

/// One text of a list.
///
/// - strings: NULL gives an empty text.
/// - index: from 0 on; past the end it gives an empty text.
/// - Result: borrowed, until mvx_strings_free().
/// - Any thread, as long as none frees the list. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_strings_at(strings: *const mvx_strings, index: usize) -> mvx_str {
    boundary::value("mvx_strings_at", mvx_str::of(""), || {
        // SAFETY: NULL, or a list of the library that was not freed.
        let text = unsafe { strings.as_ref() }.and_then(|strings| strings.texts.get(index));
        mvx_str::of(text.map_or("", String::as_str))
    })
}

/// Frees a list and its texts.
///
/// - strings: taken; NULL is fine.
/// - Any thread, when no other uses the list. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_strings_free(strings: *mut mvx_strings) {
    boundary::value("mvx_strings_free", (), || {
        if !strings.is_null() {
            // SAFETY: `new_strings` made it of a box, and its owner gives it back.
            drop(unsafe { Box::from_raw(strings) });
        }
    });
}

/// Sets an out-parameter to a view of a text that lives as long as the process.
///
/// # Safety
/// `pointer` is NULL or may be written to during the call.
pub(super) unsafe fn set_static(pointer: *mut mvx_str, argument: &str, text: &'static str) -> Result<()> {
    // SAFETY: as this function was promised.
    unsafe { out(pointer, argument) }?.set(mvx_str::of(text));
    Ok(())
}
