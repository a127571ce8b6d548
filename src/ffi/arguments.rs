//! Checks what C hands over, and names the argument that is wrong.

use std::time::Duration;

use crate::error::{Error, Result};

/// An out-parameter: written at most once, and only on success.
pub(super) struct Out<T>(*mut T);

/// Checks an out-parameter that must be there.
///
/// # Safety
/// `pointer` is NULL or may be written to during the call.
pub(super) unsafe fn out<T>(pointer: *mut T, argument: &str) -> Result<Out<T>> {
    if pointer.is_null() {
        return Err(Error::invalid_argument(argument, "must not be NULL"));
    }
    Ok(Out(pointer))
}

impl<T> Out<T> {
    pub(super) fn set(self, value: T) {
        // SAFETY: `out` was promised that it may be written to; C code that packs structs may misalign it.
        unsafe { self.0.write_unaligned(value) };
    }
}

/// A struct of the surface that begins with its size and may grow at its end.
///
/// # Safety
/// `#[repr(C)]`, with a `usize` first, and valid when all its bytes are zero.
pub(super) unsafe trait Versioned: Copy {
    /// The size of its first version: what every caller knows.
    const V1_SIZE: usize;
}

/// Reads the part of a struct that both sides know; the fields that the caller does not know are zero.
///
/// # Safety
/// `pointer` is NULL or points to as many readable bytes as its first field says.
pub(super) unsafe fn versioned<T: Versioned>(pointer: *const T, argument: &str) -> Result<Option<T>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: every caller provides the size.
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    check_size::<T>(size, argument)?;
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: the caller's struct has `size` bytes, `value` has those of `T`, and they are different places.
    unsafe {
        std::ptr::copy_nonoverlapping(
            pointer.cast::<u8>(),
            value.as_mut_ptr().cast::<u8>(),
            size.min(size_of::<T>()),
        );
    }
    // SAFETY: zeros are valid for `T`, and so is what a C caller put in its fields: integers and pointers.
    Ok(Some(unsafe { value.assume_init() }))
}

/// As [`versioned`], for a struct that must be there.
///
/// # Safety
/// As for [`versioned`].
pub(super) unsafe fn required<T: Versioned>(pointer: *const T, argument: &str) -> Result<T> {
    // SAFETY: as this function was promised.
    unsafe { versioned(pointer, argument) }?
        .ok_or_else(|| Error::invalid_argument(argument, "must not be NULL"))
}

/// An out-parameter that is a struct of which the caller knows a part.
pub(super) struct OutStruct<T> {
    pointer: *mut T,
    size: usize,
}

/// Checks an out-parameter whose size its caller has set.
///
/// # Safety
/// `pointer` is NULL or points to as many readable and writable bytes as its first field says.
pub(super) unsafe fn out_struct<T: Versioned>(pointer: *mut T, argument: &str) -> Result<OutStruct<T>> {
    if pointer.is_null() {
        return Err(Error::invalid_argument(argument, "must not be NULL"));
    }
    // SAFETY: every caller provides the size.
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    check_size::<T>(size, argument)?;
    Ok(OutStruct { pointer, size })
}

impl<T: Versioned> OutStruct<T> {
    /// Writes the fields that the caller knows; its size stays as it is.
    pub(super) fn set(self, value: &T) {
        let head = size_of::<usize>();
        let end = self.size.min(size_of::<T>());
        // SAFETY: both have `end` bytes, and `value` is the library's own.
        unsafe {
            let from = std::ptr::from_ref(value).cast::<u8>().add(head);
            std::ptr::copy_nonoverlapping(from, self.pointer.cast::<u8>().add(head), end - head);
        }
    }
}

fn check_size<T: Versioned>(size: usize, argument: &str) -> Result<()> {
    if size < T::V1_SIZE {
        return Err(Error::invalid_argument(
            &format!("{argument}.struct_size"),
            format!(
                "is {size}, less than the {} bytes of the first version: set it to sizeof({})",
                T::V1_SIZE,
                c_name::<T>()
            ),
        ));
    }
    Ok(())
}

/// What C calls the struct.
fn c_name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    path.rsplit("::").next().unwrap_or(path)
}

/// An array and its length; NULL is an empty one.
///
/// # Safety
/// `data` is NULL, or points to `len` values that stay as they are for `'a`.
pub(super) unsafe fn array<'a, T>(data: *const T, len: usize, argument: &str) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::invalid_argument(
            argument,
            format!("is NULL, but its length is {len}"),
        ));
    }
    if len > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Error::invalid_argument(
            argument,
            format!("can't have a length of {len}"),
        ));
    }
    if !data.is_aligned() {
        return Err(Error::invalid_argument(argument, "is not aligned"));
    }
    // SAFETY: not NULL, aligned, not too long, and as this function was promised.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// A size where 0 means the default.
pub(super) fn size(value: i64, argument: &str) -> Result<Option<u64>> {
    match u64::try_from(value) {
        Ok(0) => Ok(None),
        Ok(size) => Ok(Some(size)),
        Err(_) => Err(Error::invalid_argument(
            argument,
            format!("is {value}: it must not be negative"),
        )),
    }
}

/// A time-out where 0 means the default.
pub(super) fn timeout(nanoseconds: i64, argument: &str) -> Result<Option<Duration>> {
    Ok(size(nanoseconds, argument)?.map(Duration::from_nanos))
}

/// A time-out where what is negative means for ever.
pub(super) fn patience(nanoseconds: i64) -> Option<Duration> {
    u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
}

/// The error of a number that is none of those that have a name.
pub(super) fn unknown(argument: &str, value: impl std::fmt::Display) -> Error {
    Error::invalid_argument(argument, format!("is {value}, which is none of its values"))
}

/// Refuses flags that have no name.
pub(super) fn flags(value: u32, known: u32, argument: &str) -> Result<()> {
    if value & !known != 0 {
        return Err(Error::invalid_argument(
            argument,
            format!("has unknown bits: {:#x}", value & !known),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct as it is after its second version: V1 ended with `first`.
    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Grown {
        struct_size: usize,
        first: u64,
        second: u64,
    }

    // SAFETY: `repr(C)`, the size first, all integers.
    unsafe impl Versioned for Grown {
        const V1_SIZE: usize = 16;
    }

    #[test]
    fn only_the_prefix_is_read() {
        // What lies behind the caller's struct is not touched: here it is poisoned with ones.
        let caller = Grown {
            struct_size: 16,
            first: 5,
            second: u64::MAX,
        };
        // SAFETY: a live struct.
        let read = unsafe { required(&raw const caller, "options") }.unwrap();
        assert_eq!((read.first, read.second), (5, 0));

        let later = [24 + 8, 5, 6, u64::MAX];
        // SAFETY: a live struct that is larger than the library knows.
        let read = unsafe { required(later.as_ptr().cast::<Grown>(), "options") }.unwrap();
        assert_eq!((read.first, read.second), (5, 6));
    }

    #[test]
    fn a_size_below_the_first_version_names_the_argument() {
        let caller = Grown {
            struct_size: 15,
            first: 5,
            second: 6,
        };
        // SAFETY: a live struct.
        let error = unsafe { required(&raw const caller, "options.log") }
            .map(|_| ())
            .unwrap_err();
        assert_eq!(
            error.message,
            "argument 'options.log.struct_size' is 15, less than the 16 bytes of the first version: \
             set it to sizeof(Grown)"
        );
    }

    #[test]
    fn an_out_struct_gets_what_its_caller_knows() {
        let mut caller = Grown {
            struct_size: 16,
            first: 0,
            second: 77,
        };
        // SAFETY: a live struct.
        let out = unsafe { out_struct(&raw mut caller, "stats") }.unwrap();
        out.set(&Grown {
            struct_size: 24,
            first: 1,
            second: 2,
        });
        assert_eq!((caller.struct_size, caller.first, caller.second), (16, 1, 77));
    }

    #[test]
    fn arrays() {
        let values = [1_u32, 2];
        // SAFETY: live arrays, or lengths that are refused before anything is read.
        unsafe {
            assert_eq!(array::<u32>(std::ptr::null(), 0, "a").unwrap(), &[] as &[u32]);
            assert_eq!(array(values.as_ptr(), 2, "a").unwrap(), &[1, 2]);
            assert!(array::<u32>(std::ptr::null(), 1, "a").is_err());
            assert!(array(values.as_ptr(), usize::MAX, "a").is_err());
            assert!(array(values.as_ptr(), isize::MAX as usize, "a").is_err());
            assert!(array(values.as_ptr().cast::<u8>().add(1).cast::<u32>(), 1, "a").is_err());
        }
    }
}
