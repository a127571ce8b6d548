//! What `c_call.c` offers, safe to call once it is open.

mod raw {
    unsafe extern "C" {
        pub fn c_open(queue_max_size: i64);
        pub fn c_record(folded: bool, burst: usize) -> usize;
        pub fn empty_record(burst: usize) -> usize;
        pub fn c_flush(folded: bool);
        pub fn c_counted(folded: bool) -> u64;
    }
}

/// The C side, open.
pub struct C(());

impl C {
    /// Loads the library and opens its recorders; ends the program where that fails.
    pub fn open(queue_max_size: u64) -> Self {
        // SAFETY: it is called once, before anything else of that side.
        unsafe { raw::c_open(queue_max_size as i64) };
        Self(())
    }

    /// Records a burst; how many events were accepted.
    pub fn record(&self, folded: bool, burst: usize) -> usize {
        // SAFETY: it is open.
        unsafe { raw::c_record(folded, burst) }
    }

    /// As many calls of a function that does nothing.
    pub fn empty(&self, burst: usize) -> usize {
        // SAFETY: it is open.
        unsafe { raw::empty_record(burst) }
    }

    /// Waits until everything is dispatched.
    pub fn flush(&self, folded: bool) {
        // SAFETY: it is open.
        unsafe { raw::c_flush(folded) };
    }

    /// What its metric counted.
    pub fn counted(&self, folded: bool) -> u64 {
        // SAFETY: it is open.
        unsafe { raw::c_counted(folded) }
    }
}
