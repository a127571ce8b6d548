//! Whose callback the current thread is inside of, and whose thread it is: what tells a wait that would wait for itself.

use std::cell::Cell;
use std::ptr;

use crate::sync::thread_local;

struct Frame {
    recorder: u64,
    runtime: u64,
    outer: *const Frame,
}

thread_local! {
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
    static THREAD_OF: Cell<u64> = const { Cell::new(0) };
}

fn innermost() -> *const Frame {
    INNERMOST.with(Cell::get)
}

fn thread_of() -> u64 {
    THREAD_OF.with(Cell::get)
}

/// Runs `callback` as a callback of a recorder, on whatever thread.
pub fn inside<T>(recorder: u64, runtime: u64, callback: impl FnOnce() -> T) -> T {
    struct Restore(*const Frame);
    impl Drop for Restore {
        fn drop(&mut self) {
            INNERMOST.with(|innermost| innermost.set(self.0));
        }
    }
    let outer = innermost();
    let frame = Frame {
        recorder,
        runtime,
        outer,
    };
    let _restore = Restore(outer);
    INNERMOST.with(|innermost| innermost.set(&raw const frame));
    callback()
}

fn any(mut test: impl FnMut(&Frame) -> bool) -> bool {
    let mut frame = innermost();
    // SAFETY: frames live on this thread's stack, below the current function, and form a list.
    while let Some(current) = unsafe { frame.as_ref() } {
        if test(current) {
            return true;
        }
        frame = current.outer;
    }
    false
}

/// The recorders whose callbacks this thread is inside of.
pub fn recorders() -> Vec<u64> {
    let mut recorders = Vec::new();
    any(|frame| {
        recorders.push(frame.recorder);
        false
    });
    recorders
}

/// Whether this thread is inside a callback of the recorder.
pub fn is_inside_recorder(recorder: u64) -> bool {
    any(|frame| frame.recorder == recorder)
}

/// Whether this thread is the runtime's, or inside a callback of one of its recorders. 0 is no runtime.
pub fn is_inside_runtime(runtime: u64) -> bool {
    runtime != 0 && (thread_of() == runtime || any(|frame| frame.runtime == runtime))
}

/// Whether this thread belongs to the library, or is inside a callback of it.
pub fn is_inside_callback() -> bool {
    is_library_thread() || !innermost().is_null()
}

/// Whether this thread belongs to the library.
pub fn is_library_thread() -> bool {
    thread_of() != 0
}

/// Marks this thread as one of the runtime.
pub fn set_thread_of(runtime: u64) {
    THREAD_OF.with(|thread_of| thread_of.set(runtime));
}

#[cfg(all(test, not(any(mvx_loom, mvx_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn frames_nest_and_end() {
        assert!(!is_inside_callback() && !is_inside_runtime(0));
        inside(1, 9, || {
            inside(2, 9, || assert!(is_inside_recorder(1) && is_inside_recorder(2)));
            assert!(is_inside_recorder(1) && !is_inside_recorder(2) && is_inside_runtime(9));
        });
        assert!(!is_inside_recorder(1) && !is_inside_runtime(9));
    }
}
