//! A pointer of each thread's own, on Linux for x86-64, found by a TLS descriptor.
//!
//! In a shared object the compiler finds thread-local variables by a call of `__tls_get_addr`, which costs a third of what
//! recording an event may cost. A descriptor (the "TLS descriptors" of the x86-64 ABI, GCC's gnu2 dialect) does the same
//! in a few instructions where the library's thread-local variables, all together, fit into what the loader keeps for
//! this (512 bytes, by default), and works all the same where they do not: unlike with the initial-exec model, the
//! library can always be loaded. Stable Rust has no other way to ask for it.
//!
//! Where it fits, the descriptor's function does nothing but return a number: how far the variable is from the thread's
//! pointer, on all threads. So it need not be called at all ([`get_at_once`]) once its instructions were seen to be those.

use std::arch::{asm, global_asm};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

use super::{Memory, NOTHING};

global_asm!(
    ".pushsection .tdata.mvx_metrics_memory,\"awT\",@progbits",
    ".globl mvx_metrics_memory",
    ".hidden mvx_metrics_memory",
    ".type mvx_metrics_memory,@object",
    ".p2align 3",
    "mvx_metrics_memory:",
    ".quad {nothing}",
    ".size mvx_metrics_memory, 8",
    ".popsection",
    nothing = sym NOTHING,
);

#[inline(always)]
fn place() -> *const Cell<*const Memory> {
    let place;
    // SAFETY: the sequence is the ABI's; the descriptor's function changes rax and flags only. It may be the one that
    // calls on, so the stack must be aligned, which `nostack` would not promise.
    unsafe {
        asm!(
            "lea rax, [rip + mvx_metrics_memory@TLSDESC]",
            "call qword ptr [rax + mvx_metrics_memory@TLSCALL]",
            "add rax, qword ptr fs:[0]",
            out("rax") place,
            options(pure, nomem),
        );
    }
    place
}

/// What was set last on the calling thread; [`NOTHING`] at first.
#[inline(always)]
pub fn get() -> *const Memory {
    // SAFETY: the variable is this thread's own, and lives as long as the thread.
    unsafe { (*place()).get() }
}

/// How far the variable is from the thread's pointer; 0 where that is not known, or not the same for all threads.
static DISTANCE: AtomicIsize = AtomicIsize::new(0);

/// As [`get`] where that is known to be possible without a call.
#[inline(always)]
pub fn get_at_once() -> Option<*const Memory> {
    let distance = DISTANCE.load(Ordering::Relaxed);
    if distance == 0 {
        return None;
    }
    let memory;
    // SAFETY: the variable is at this distance from the thread's pointer, which the ABI has in fs.
    unsafe {
        asm!(
            "mov {memory}, qword ptr fs:[{distance}]",
            distance = in(reg) distance,
            memory = lateout(reg) memory,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    Some(memory)
}

/// Finds out how far the variable is from the thread's pointer.
fn find_distance() -> isize {
    /// `mov rax, [rax + 8]; ret`, after an optional `endbr64`: the second word of the descriptor is the result.
    const RETURNS_SECOND_WORD: [u8; 5] = [0x48, 0x8b, 0x40, 0x08, 0xc3];
    const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
    // The first call may change the descriptor.
    let _ = place();
    let descriptor: isize;
    // SAFETY: an address is computed. In an executable the linker makes it the distance itself, which is negative.
    unsafe {
        asm!(
            "lea rax, [rip + mvx_metrics_memory@TLSDESC]",
            out("rax") descriptor,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    if descriptor < 0 {
        return descriptor;
    }
    // SAFETY: a descriptor is two words: a function, of which at least a return can be read, and its argument.
    unsafe {
        let [function, argument] = *(descriptor as *const [isize; 2]);
        let mut code = function as *const u8;
        if code.cast::<[u8; 4]>().read_unaligned() == ENDBR64 {
            code = code.add(ENDBR64.len());
        }
        let returns = |at: usize| *code.add(at) == RETURNS_SECOND_WORD[at];
        if (0..RETURNS_SECOND_WORD.len()).all(returns) {
            argument
        } else {
            0
        }
    }
}

/// Sets it.
pub fn set(memory: *const Memory) {
    if DISTANCE.load(Ordering::Relaxed) == 0 {
        DISTANCE.store(find_distance(), Ordering::Relaxed);
    }
    // SAFETY: as in `get`.
    unsafe { (*place()).set(memory) };
}
