//! What it costs a thread to hand 64 bytes over to a queue of the field, in bursts: `peers rtrb|array_queue|tokio BURSTS`
//!
//! As for the library (`benches/c/burst.c`): half the capacity is pushed and timed; then, untimed, it is waited until the
//! consumer has taken all of it. The producer is on one core, the consumer on another. The figure is that of the median
//! burst.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CAPACITY: usize = 8_192;
const BURST: u64 = CAPACITY as u64 / 2;
const WARM_UP: usize = 50;
/// How long a consumer leaves the producer's memory alone.
const NAP: Duration = Duration::from_micros(70);

/// A cache line.
type Slot = [u64; 8];

/// How many events the consumer has taken, and what they summed up to.
#[derive(Default)]
struct Taken {
    events: AtomicU64,
    sum: AtomicU64,
}

impl Taken {
    /// Takes slots from a queue whenever there are any; ends with one that says so.
    fn consume(&self, mut pop: impl FnMut() -> Option<Slot>) {
        pin(1);
        loop {
            let (mut events, mut sum) = (0, 0);
            while let Some(slot) = pop() {
                if slot[0] == u64::MAX {
                    return;
                }
                events += 1;
                sum += slot[7];
            }
            if events > 0 {
                self.sum.fetch_add(sum, Ordering::Relaxed);
                self.events.fetch_add(events, Ordering::Release);
            }
            thread::sleep(NAP);
        }
    }
}

/// The cores that this process may use, at most two.
fn cores() -> Vec<usize> {
    // SAFETY: a cpu_set_t is plain numbers, of the size that is told.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(libc::getpid(), size_of::<libc::cpu_set_t>(), &raw mut set);
        set
    };
    // SAFETY: the numbers are within the set.
    (0..libc::CPU_SETSIZE as usize)
        .filter(|&core| unsafe { libc::CPU_ISSET(core, &set) })
        .take(2)
        .collect()
}

static CORES: std::sync::OnceLock<Vec<usize>> = std::sync::OnceLock::new();

/// Moves this thread to the producer's core (0) or the consumer's (1); without two cores, nothing.
fn pin(which: usize) {
    let cores = CORES.get_or_init(cores);
    if cores.len() == 2 {
        // SAFETY: a cpu_set_t is plain numbers, of the size that is told.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(cores[which], &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
        }
    }
}

/// What a producer sleeps between two looks: 50 to 100 microseconds. Not always the same, or bursts would fall into step
/// with the naps of the consumer: in one run all of them while it sleeps, in another all while it works.
struct Naps(u32);

impl Naps {
    fn sleep(&mut self) {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        thread::sleep(Duration::from_nanos(
            50_000 + u64::from(self.0 >> 16) * 50_000 / 65_536,
        ));
    }
}

fn measure(
    name: &str,
    bursts: usize,
    taken: &Taken,
    mut push: impl FnMut(Slot) -> bool,
) -> Result<(), Box<dyn Error>> {
    pin(0);
    let mut naps = Naps(1);
    let mut per_burst = Vec::with_capacity(WARM_UP + bursts);
    for _ in 0..WARM_UP + bursts {
        let mut failed = false;
        let begin = Instant::now();
        for number in 0..BURST {
            failed |= !push([number; 8]);
        }
        per_burst.push(begin.elapsed().as_nanos() as f64 / BURST as f64);
        if failed {
            return Err(format!("{name}: half the capacity found no room").into());
        }
        while taken.events.load(Ordering::Acquire) < per_burst.len() as u64 * BURST {
            naps.sleep();
        }
    }
    push([u64::MAX; 8]);
    let events = per_burst.len() as u64 * BURST;
    let sum = per_burst.len() as u64 * (BURST * (BURST - 1) / 2);
    if taken.sum.load(Ordering::Relaxed) != sum {
        return Err(format!("{name}: what was taken is not what was pushed").into());
    }
    let per_burst = &mut per_burst[WARM_UP..];
    per_burst.sort_by(f64::total_cmp);
    let (counted, pinned) = (
        taken.events.load(Ordering::Relaxed),
        CORES.get().is_some_and(|cores| cores.len() == 2),
    );
    println!(
        "{{\"events\":{events},\"counted\":{counted},\"pinned\":{pinned},\"ns\":{:.3}}}",
        per_burst[(bursts - 1) / 2]
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, bursts] = arguments.as_slice() else {
        return Err("usage: peers rtrb|array_queue|tokio BURSTS".into());
    };
    let bursts: usize = bursts.parse()?;
    CORES.get_or_init(cores);
    let taken = Arc::new(Taken::default());
    let by_consumer = Arc::clone(&taken);
    match name.as_str() {
        "rtrb" => {
            let (mut producer, mut consumer) = rtrb::RingBuffer::<Slot>::new(CAPACITY);
            let thread = thread::spawn(move || by_consumer.consume(|| consumer.pop().ok()));
            measure(name, bursts, &taken, |slot| producer.push(slot).is_ok())?;
            thread.join().map_err(|_| "the consumer panicked")?;
        }
        "array_queue" => {
            let queue = Arc::new(crossbeam_queue::ArrayQueue::<Slot>::new(CAPACITY));
            let of_consumer = Arc::clone(&queue);
            let thread = thread::spawn(move || by_consumer.consume(|| of_consumer.pop()));
            measure(name, bursts, &taken, |slot| queue.push(slot).is_ok())?;
            thread.join().map_err(|_| "the consumer panicked")?;
        }
        // As it is used: the receiver is a task that awaits, and is woken.
        "tokio" => {
            let (sender, mut receiver) = tokio::sync::mpsc::channel::<Slot>(CAPACITY);
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            let thread = thread::spawn(move || {
                pin(1);
                runtime.block_on(async {
                    let mut slots = Vec::with_capacity(256);
                    loop {
                        slots.clear();
                        receiver.recv_many(&mut slots, 256).await;
                        if slots.iter().any(|slot| slot[0] == u64::MAX) {
                            return;
                        }
                        let sum = slots.iter().map(|slot| slot[7]).sum();
                        by_consumer.sum.fetch_add(sum, Ordering::Relaxed);
                        by_consumer
                            .events
                            .fetch_add(slots.len() as u64, Ordering::Release);
                    }
                });
            });
            measure(name, bursts, &taken, |slot| sender.try_send(slot).is_ok())?;
            thread.join().map_err(|_| "the consumer panicked")?;
        }
        _ => return Err(format!("unknown peer {name}").into()),
    }
    Ok(())
}
