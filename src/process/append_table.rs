//! A table that only grows, for what lives as long as the process: reads by index take no lock.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::process::fork_lock::{ForkGuard, ForkLock, HeldAcrossFork};

/// A table of at most `CHUNKS * CHUNK_LEN` values, beside which its writers keep a `W`, such as an index by name.
///
/// Values are stored in chunks that are never moved or freed, so that a reference to one is `'static`.
pub struct AppendTable<T: 'static, W: 'static, const CHUNKS: usize, const CHUNK_LEN: usize> {
    /// How many values there are. Published after the value, so that it vouches for all below it.
    len: AtomicUsize,
    chunks: [AtomicPtr<T>; CHUNKS],
    writer: ForkLock<W>,
    values: PhantomData<T>,
}

impl<T: Send + Sync, W: Send, const CHUNKS: usize, const CHUNK_LEN: usize>
    AppendTable<T, W, CHUNKS, CHUNK_LEN>
{
    /// The most values that it takes.
    #[cfg(test)]
    pub const CAPACITY: usize = CHUNKS * CHUNK_LEN;

    /// An empty table; it allocates when the first value comes.
    pub const fn new(writer: W) -> Self {
        Self {
            len: AtomicUsize::new(0),
            chunks: [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS],
            writer: ForkLock::new(writer),
            values: PhantomData,
        }
    }

    /// The value at `index`, if there is one yet.
    #[inline]
    pub fn get(&'static self, index: usize) -> Option<&'static T> {
        if index >= self.len.load(Ordering::Acquire) {
            return None;
        }
        let chunk = self.chunks.get(index / CHUNK_LEN)?.load(Ordering::Relaxed);
        // SAFETY: `index` is below `len`, whose acquire load makes the chunk and the value visible that were written
        // before it was published. Chunks are never freed and published values never written again.
        Some(unsafe { &*chunk.add(index % CHUNK_LEN) })
    }

    /// Waits until no one else writes.
    pub fn lock(&'static self) -> Appender<T, W, CHUNKS, CHUNK_LEN> {
        Appender {
            table: self,
            writer: self.writer.lock(),
        }
    }
}

impl<T: Send + Sync, W: Send, const CHUNKS: usize, const CHUNK_LEN: usize> HeldAcrossFork
    for AppendTable<T, W, CHUNKS, CHUNK_LEN>
{
    fn hold(&'static self) {
        self.writer.hold();
    }

    fn let_go(&'static self) {
        self.writer.let_go();
    }
}

/// The right to append to a table, and access to what its writers keep.
pub struct Appender<T: 'static, W: 'static, const CHUNKS: usize, const CHUNK_LEN: usize> {
    table: &'static AppendTable<T, W, CHUNKS, CHUNK_LEN>,
    writer: ForkGuard<'static, W>,
}

impl<T: Send + Sync, W: Send, const CHUNKS: usize, const CHUNK_LEN: usize> Appender<T, W, CHUNKS, CHUNK_LEN> {
    /// The index that the next value gets; `None` where the table is full.
    pub fn next_index(&self) -> Option<usize> {
        let len = self.table.len.load(Ordering::Relaxed);
        (len < CHUNKS * CHUNK_LEN).then_some(len)
    }

    /// Appends `value`; `None`, and the value is dropped, where the table is full.
    pub fn push(&mut self, value: T) -> Option<&'static T> {
        let index = self.next_index()?;
        let slot = self.table.chunks.get(index / CHUNK_LEN)?;
        let mut chunk = slot.load(Ordering::Relaxed);
        if chunk.is_null() {
            let fresh: &'static mut [MaybeUninit<T>] = Box::leak(Box::new_uninit_slice(CHUNK_LEN));
            chunk = fresh.as_mut_ptr().cast();
            slot.store(chunk, Ordering::Relaxed);
        }
        // SAFETY: the chunk has CHUNK_LEN slots. This slot is at `len`: no reader looks at it before `len` is
        // published, and this appender holds the lock, so no one else writes to it.
        let value = unsafe {
            let slot = chunk.add(index % CHUNK_LEN);
            slot.write(value);
            &*slot
        };
        self.table.len.store(index + 1, Ordering::Release);
        Some(value)
    }
}

impl<T, W, const CHUNKS: usize, const CHUNK_LEN: usize> Deref for Appender<T, W, CHUNKS, CHUNK_LEN> {
    type Target = W;

    fn deref(&self) -> &W {
        &self.writer
    }
}

impl<T, W, const CHUNKS: usize, const CHUNK_LEN: usize> DerefMut for Appender<T, W, CHUNKS, CHUNK_LEN> {
    fn deref_mut(&mut self) -> &mut W {
        &mut self.writer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

    #[test]
    fn values_keep_their_index_until_the_table_is_full() {
        static TABLE: AppendTable<String, u32, 3, 2> = AppendTable::new(0);
        assert_eq!(TABLE.get(0), None);
        for n in 0..6 {
            let mut appender = TABLE.lock();
            assert_eq!(appender.next_index(), Some(n));
            assert_eq!(appender.push(n.to_string()), Some(&n.to_string()));
            *appender += 1;
        }
        let mut appender = TABLE.lock();
        assert_eq!(appender.next_index(), None);
        assert_eq!(appender.push("seventh".to_owned()), None);
        assert_eq!(*appender, 6);
        for n in 0..6 {
            assert_eq!(TABLE.get(n), Some(&n.to_string()));
        }
        assert_eq!(TABLE.get(6), None);
        assert_eq!(TABLE.get(usize::MAX), None);
    }

    #[test]
    fn readers_see_whole_values_while_writers_append() {
        static TABLE: AppendTable<(usize, String), (), 64, 32> = AppendTable::new(());
        static DONE: AtomicBool = AtomicBool::new(false);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                thread::spawn(|| {
                    let mut seen = 0;
                    while seen < 2_000 {
                        match TABLE.get(seen) {
                            Some((number, text)) => {
                                assert_eq!(*text, number.to_string());
                                seen += 1;
                            }
                            None => assert!(!DONE.load(Ordering::Acquire) || TABLE.get(seen).is_some()),
                        }
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..2)
            .map(|_| {
                thread::spawn(|| {
                    for n in 0..1_000 {
                        TABLE.lock().push((n, n.to_string())).unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        DONE.store(true, Ordering::Release);
        for reader in readers {
            reader.join().unwrap();
        }
    }
}
