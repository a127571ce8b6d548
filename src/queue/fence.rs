//! A pair of memory fences with unequal prices.
//!
//! Recording threads and the dispatcher must agree on things such as "I am inside a call" against "the recorder is
//! closed", or "an event is there" against "I sleep": each writes its own word and then reads the other's, and at
//! least one of the two must see the other. That takes a full fence on both sides, 8 ns each. Here the recording
//! side pays nothing ([`light`], a fence for the compiler only), and the other, rare side ([`heavy`]) makes the
//! kernel run a full fence on every processor that runs a thread of this process (membarrier, about 200 ns).
//! Where the kernel has no membarrier, both are full fences. Which it is has to be looked up; [`cheap`] does not, and is
//! for calls the short way: where [`light_is_free`] is false, no thread ever loses its alert (`hub.rs`), so there are none.

#[cfg(all(target_os = "linux", not(any(mvx_loom, mvx_shuttle))))]
mod imp {
    use std::sync::atomic::{AtomicU8, Ordering, compiler_fence, fence};

    const UNKNOWN: u8 = 0;
    const EXPEDITED: u8 = 1;
    const PLAIN: u8 = 2;

    // Linux's linux/membarrier.h.
    const REGISTER_PRIVATE_EXPEDITED: libc::c_long = 1 << 4;
    const PRIVATE_EXPEDITED: libc::c_long = 1 << 3;

    static MODE: AtomicU8 = AtomicU8::new(UNKNOWN);

    fn membarrier(command: libc::c_long) -> bool {
        // SAFETY: membarrier takes two integers and touches no memory of the caller.
        unsafe {
            libc::syscall(
                libc::SYS_membarrier,
                command,
                0 as libc::c_long,
                0 as libc::c_long,
            ) == 0
        }
    }

    /// Decides once which kind of fence there is; a recorder calls it before its first event.
    pub fn prepare() {
        if MODE.load(Ordering::Relaxed) == UNKNOWN {
            let mode = if membarrier(REGISTER_PRIVATE_EXPEDITED) {
                EXPEDITED
            } else {
                PLAIN
            };
            // Never from PLAIN to EXPEDITED: a thread that saw PLAIN is as safe with either, one that saw EXPEDITED is not.
            let _ = MODE.compare_exchange(UNKNOWN, mode, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    pub fn light_is_free() -> bool {
        MODE.load(Ordering::Relaxed) == EXPEDITED
    }

    #[inline(always)]
    pub fn cheap() {
        compiler_fence(Ordering::SeqCst);
    }

    #[inline(always)]
    pub fn light() {
        if MODE.load(Ordering::Relaxed) == EXPEDITED {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    pub fn heavy() {
        fence(Ordering::SeqCst);
        if MODE.load(Ordering::Relaxed) == EXPEDITED && !membarrier(PRIVATE_EXPEDITED) {
            // A forked child may have lost the registration.
            membarrier(REGISTER_PRIVATE_EXPEDITED);
            membarrier(PRIVATE_EXPEDITED);
        }
    }
}

#[cfg(all(windows, not(any(mvx_loom, mvx_shuttle))))]
mod imp {
    use std::sync::atomic::{Ordering, compiler_fence, fence};

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn FlushProcessWriteBuffers();
    }

    pub fn prepare() {}

    pub fn light_is_free() -> bool {
        true
    }

    #[inline(always)]
    pub fn light() {
        compiler_fence(Ordering::SeqCst);
    }

    pub use light as cheap;

    pub fn heavy() {
        fence(Ordering::SeqCst);
        // SAFETY: the call takes nothing and returns nothing.
        unsafe { FlushProcessWriteBuffers() };
    }
}

#[cfg(any(mvx_loom, mvx_shuttle, not(any(target_os = "linux", windows))))]
mod imp {
    use crate::sync::atomic::{Ordering, fence};

    pub fn prepare() {}

    /// A checker looks at the short way too, and sees a full fence there.
    pub fn light_is_free() -> bool {
        true
    }

    #[inline(always)]
    pub fn light() {
        fence(Ordering::SeqCst);
    }

    pub use light as cheap;

    pub fn heavy() {
        fence(Ordering::SeqCst);
    }
}

pub use imp::{cheap, heavy, light, light_is_free, prepare};
