//! The library as a loaded module: under Windows it stays, as `-z nodelete` has it stay elsewhere.

use std::ffi::c_void;

const GET_MODULE_HANDLE_EX_FLAG_PIN: u32 = 1;
const GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS: u32 = 4;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
}

#[link(name = "ntdll")]
unsafe extern "system" {
    fn RtlDllShutdownInProgress() -> u8;
}

/// Run by the C runtime when the library is loaded: its threads, and what is done when others end, would outlive the code
/// that they run. In a program that has the library linked in, the module is the program, which stays anyway.
#[used]
#[unsafe(link_section = ".CRT$XCU")]
static STAY: extern "C" fn() = stay;

extern "C" fn stay() {
    let mut module = std::ptr::null_mut();
    // SAFETY: an address within this module, and room for its handle. Loading is not over, but that is no hindrance here:
    // the call only counts.
    unsafe {
        GetModuleHandleExW(
            GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
            (&raw const STAY).cast(),
            &raw mut module,
        );
    }
}

/// Whether the process ends: Windows has killed all other threads then, with the locks that they held.
pub fn is_process_ending() -> bool {
    // SAFETY: it takes nothing and looks only.
    unsafe { RtlDllShutdownInProgress() != 0 }
}
