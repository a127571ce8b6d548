//! Catches panics of the library and keeps what they said, without a word on the host's stderr.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// A panic that was caught.
#[derive(Debug)]
pub struct Caught {
    /// What it said.
    pub message: String,
    /// Where, as `file:line:column`.
    pub location: String,
}

impl Caught {
    /// The error of the call that panicked; `function` is its name.
    pub fn into_error(self, function: &str) -> Error {
        Error::unexpected(format!(
            "the library panicked in {function}: {} ({})",
            self.message, self.location
        ))
        .with_detail("function", function)
        .with_detail("location", self.location)
    }
}

thread_local! {
    /// How many calls of [`catch`] this thread is inside of. It has no destructor, so it works at thread exit
    /// too.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What the hook saw last; a raw box, so that this too has no destructor. [`catch`] takes it.
    static SEEN: Cell<*mut Caught> = const { Cell::new(std::ptr::null_mut()) };
}

/// Runs `body`; a panic inside becomes an error value.
///
/// Nothing that `body` shares is seen half-changed later on: the caller reports the panic and, where it
/// concerned a recorder, ends that recorder.
///
/// # Errors
/// The panic.
#[inline]
pub fn catch<R>(body: impl FnOnce() -> R) -> Result<R, Caught> {
    if !INSTALLED.load(Ordering::Relaxed) {
        install_hook();
    }
    DEPTH.set(DEPTH.get().wrapping_add(1));
    let outcome = catch_unwind(AssertUnwindSafe(body));
    DEPTH.set(DEPTH.get().wrapping_sub(1));
    outcome.map_err(caught)
}

#[cold]
fn caught(payload: Box<dyn Any + Send>) -> Caught {
    let seen = SEEN.replace(std::ptr::null_mut());
    let caught = if seen.is_null() {
        // Another hook than ours is installed, or the panic was resumed.
        Caught {
            message: message_of(payload.as_ref()),
            location: "unknown place".to_owned(),
        }
    } else {
        // SAFETY: the hook made it of a box, and taking it out of the cell made it ours alone.
        *unsafe { Box::from_raw(seen) }
    };
    // A payload whose destructor panics in its turn is let go of.
    if let Err(second) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        std::mem::forget(second);
    }
    caught
}

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Threads that come second don't wait: a `Once` would be stuck in the child of a fork that happened inside
/// it, and a panic in that moment is caught all the same, only louder.
#[cold]
fn install_hook() {
    // A panicking thread is not allowed to change the hook; a later call will.
    if std::thread::panicking() || INSTALLED.swap(true, Ordering::AcqRel) {
        return;
    }
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if DEPTH.get() == 0 {
            previous(info);
        } else {
            remember(info);
        }
    }));
}

fn remember(info: &PanicHookInfo<'_>) {
    let location = info
        .location()
        .map_or_else(|| "unknown place".to_owned(), ToString::to_string);
    let caught = Box::new(Caught {
        message: message_of(info.payload()),
        location,
    });
    let earlier = SEEN.replace(Box::into_raw(caught));
    if !earlier.is_null() {
        // SAFETY: the cell held the only pointer to this box.
        drop(unsafe { Box::from_raw(earlier) });
    }
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_and_place_are_kept() {
        let caught = catch(|| -> () { panic!("no {}", "bread") }).unwrap_err();
        assert_eq!(caught.message, "no bread");
        assert!(caught.location.contains("panic.rs:"), "{}", caught.location);
        let error = caught.into_error("mvx_recorder_start");
        assert!(
            error
                .message
                .starts_with("the library panicked in mvx_recorder_start: no bread (")
        );
    }

    #[test]
    fn the_inner_of_two_catches_takes_it() {
        let outer = catch(|| catch(|| -> () { panic!("inner") }).unwrap_err().message);
        assert_eq!(outer.unwrap(), "inner");
        assert_eq!(catch(|| 3).unwrap(), 3);
    }

    #[test]
    fn a_payload_that_panics_when_dropped_does_no_harm() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("boom");
            }
        }
        let caught = catch(|| std::panic::panic_any(Bomb)).unwrap_err();
        assert_eq!(caught.message, "a panic without a message");
    }
}
