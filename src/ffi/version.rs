//! Which version this is.

use std::ffi::{CStr, c_char};

use super::boundary;

/// The version of this surface that the header describes.
pub const MVX_ABI_VERSION: u32 = 1;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The version of the surface that the library has: compare it with MVX_ABI_VERSION of the header. It changes
/// only with what breaks callers; functions, constants and fields at the end of structs are added without.
///
/// - Any thread. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_abi_version() -> u32 {
    boundary::value("mvx_abi_version", MVX_ABI_VERSION, || MVX_ABI_VERSION)
}

/// The version of the library, such as "0.1.0".
///
/// - Result: a static text that ends in NUL; never NULL.
/// - Any thread. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_version() -> *const c_char {
    boundary::value("mvx_version", VERSION.as_ptr(), || VERSION.as_ptr())
}
