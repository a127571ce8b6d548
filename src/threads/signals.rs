//! Signals are the host's business: no thread of the library takes one.

/// Runs `f` with all signals blocked on this thread, so that threads made meanwhile begin that way. Left alone are
/// faults, which the kernel would answer with death if they were blocked and which virtual machines use, and SIGPROF,
/// so that profilers see the library.
pub fn with_blocked<T>(f: impl FnOnce() -> T) -> T {
    #[cfg(unix)]
    {
        struct Restore(libc::sigset_t);
        impl Drop for Restore {
            fn drop(&mut self) {
                // SAFETY: the set was filled by the kernel.
                unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
            }
        }
        // SAFETY: all zero is a valid sigset_t, which the calls then fill.
        let mut blocked: libc::sigset_t = unsafe { std::mem::zeroed() };
        let mut before = blocked;
        // SAFETY: both sets live on this stack.
        unsafe {
            libc::sigfillset(&raw mut blocked);
            for signal in [
                libc::SIGSEGV,
                libc::SIGBUS,
                libc::SIGFPE,
                libc::SIGILL,
                libc::SIGTRAP,
                libc::SIGSYS,
                libc::SIGABRT,
                libc::SIGPROF,
            ] {
                libc::sigdelset(&raw mut blocked, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const blocked, &raw mut before);
        }
        let _restore = Restore(before);
        f()
    }
    #[cfg(not(unix))]
    f()
}
