//! Words that only one thread writes, and its signal handlers: one instruction changes them, so that no handler comes in
//! between. On x86-64 that takes no prefix, which would make it one instruction for other processors too, at twenty times
//! the price; a store there is a release. Elsewhere an atomic operation does.

use crate::sync::atomic::AtomicU64;
#[cfg(not(all(target_arch = "x86_64", not(any(mvx_loom, mvx_shuttle)))))]
use crate::sync::atomic::Ordering;

/// Adds to the word, with release.
#[inline(always)]
pub fn add_within_thread(word: &AtomicU64, more: u64) {
    #[cfg(all(target_arch = "x86_64", not(any(mvx_loom, mvx_shuttle))))]
    // SAFETY: the word is there, and written by this thread only.
    unsafe {
        std::arch::asm!("add qword ptr [{}], {}", in(reg) word.as_ptr(), in(reg) more, options(nostack));
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(mvx_loom, mvx_shuttle)))))]
    word.fetch_add(more, Ordering::Release);
}

/// The same; what the word was.
#[inline(always)]
pub fn fetch_add_within_thread(word: &AtomicU64, more: u64) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(any(mvx_loom, mvx_shuttle))))]
    {
        let mut before = more;
        // SAFETY: as above.
        unsafe {
            std::arch::asm!("xadd qword ptr [{}], {}", in(reg) word.as_ptr(), inout(reg) before, options(nostack));
        }
        before
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(mvx_loom, mvx_shuttle)))))]
    word.fetch_add(more, Ordering::Release)
}
