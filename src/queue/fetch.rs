//! Memory that another core had last takes long to come: these have the processor fetch it before it is needed. They
//! touch nothing, wherever they point to, and do nothing on processors that can't.

/// Fetches memory that will be read, `AHEAD` bytes from here.
#[inline(always)]
pub fn fetch_to_read<const AHEAD: usize, T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(mvx_loom)))]
    // SAFETY: a prefetch touches nothing.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.wrapping_byte_add(AHEAD).cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(mvx_loom))))]
    let _ = at;
}

/// Fetches memory that will be written, `AHEAD` bytes from here. A store that has to wait for it holds all later stores up.
#[inline(always)]
pub fn fetch_to_write<const AHEAD: usize, T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(mvx_loom)))]
    // SAFETY: a prefetch touches nothing. The intrinsic would give an instruction that fetches for reading.
    unsafe {
        std::arch::asm!("prefetchw [{} + {}]", in(reg) at, const AHEAD, options(nostack, preserves_flags));
    }
    #[cfg(not(all(target_arch = "x86_64", not(mvx_loom))))]
    let _ = at;
}
