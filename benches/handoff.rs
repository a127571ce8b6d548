//! What it costs a thread to hand an event over: this library, loaded as C programs load it, against queues of the
//! field, in one run. `make bench` runs it.
//!
//! A burst of half the capacity is pushed and timed; then it is drained, which is not timed. Each figure is the median
//! of many bursts, taken in turns, so that a machine that slows down slows all of them.

// A benchmark that can not run ends.
#![allow(clippy::unwrap_used)]

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;
use std::time::Instant;

use libloading::Library;

const CAPACITY: usize = 16_384;
const BURST: usize = CAPACITY / 2;
const ROUNDS: usize = 101;

/// A slot of the peers: a cache line.
type Slot = [u64; 8];

/// Something that takes events in bursts.
struct Contestant {
    name: &'static str,
    nanoseconds: Vec<f64>,
    round: Box<dyn FnMut() -> f64>,
}

impl Contestant {
    fn new(name: &'static str, round: impl FnMut() -> f64 + 'static) -> Self {
        Self {
            name,
            nanoseconds: Vec::with_capacity(ROUNDS),
            round: Box::new(round),
        }
    }

    fn median(&mut self) -> f64 {
        self.nanoseconds.sort_by(f64::total_cmp);
        self.nanoseconds[self.nanoseconds.len() / 2]
    }
}

/// Nanoseconds an event of a burst of `push`.
fn time(mut push: impl FnMut(u64)) -> f64 {
    let begin = Instant::now();
    for number in 0..BURST as u64 {
        push(number);
    }
    begin.elapsed().as_nanos() as f64 / BURST as f64
}

type RegisterEvent = unsafe extern "C" fn(*mut c_void, u32, *const c_void, usize) -> i32;

/// The shared object, driven through its C surface.
struct Recorder {
    library: &'static Library,
    handle: *mut c_void,
    type_id: u32,
}

#[repr(C)]
struct Text {
    data: *const u8,
    len: usize,
}

impl Text {
    fn new(text: &'static str) -> Self {
        Self {
            data: text.as_ptr(),
            len: text.len(),
        }
    }
}

#[repr(C)]
struct EventTypeOptions {
    struct_size: usize,
    name: Text,
    fields: *const c_void,
    field_count: usize,
    flags: u32,
    release: *const c_void,
    drop: *const c_void,
    user_data: *const c_void,
}

#[repr(C)]
struct MetricSpec {
    struct_size: usize,
    name: Text,
    unit: Text,
    help: Text,
    kind: u32,
    flags: u32,
    event_types: *const u32,
    event_type_count: usize,
    value_field: Text,
    filters: *const c_void,
    filter_count: usize,
    group_by: *const c_void,
    group_by_count: usize,
    max_series: i64,
    bounds: *const f64,
    bound_count: usize,
    relative_error: f64,
}

const COUNTER: u32 = 2;

impl Recorder {
    /// A recorder of the default limits but for the size of its queue, with a native counter of its one event type.
    fn new(library: &'static Library) -> Self {
        #[repr(C)]
        struct Options {
            struct_size: usize,
            entity_id: Text,
            name_space: Text,
            queue_max_size: i64,
            queue_max_bytes: i64,
            overflow_policy: u32,
            block_timeout_ns: i64,
            metric_error_policy: u32,
            hooks: *const c_void,
            log: *const c_void,
        }
        let options = Options {
            struct_size: size_of::<Options>(),
            entity_id: Text::new("bench"),
            name_space: Text::new(""),
            queue_max_size: CAPACITY as i64,
            queue_max_bytes: 0,
            overflow_policy: 0,
            block_timeout_ns: 0,
            metric_error_policy: 0,
            hooks: ptr::null(),
            log: ptr::null(),
        };
        let event_type = EventTypeOptions {
            struct_size: size_of::<EventTypeOptions>(),
            name: Text::new("bench.event"),
            fields: ptr::null(),
            field_count: 0,
            flags: 0,
            release: ptr::null(),
            drop: ptr::null(),
            user_data: ptr::null(),
        };
        let mut recorder = Self {
            library,
            handle: ptr::null_mut(),
            type_id: 0,
        };
        let none: *mut c_void = ptr::null_mut();
        // SAFETY: the signatures and structs are those of the header.
        unsafe {
            type Declare = unsafe extern "C" fn(*const EventTypeOptions, *mut u32, *mut c_void) -> i32;
            let declare = library.get::<Declare>(b"mvx_event_type_declare").unwrap();
            assert_eq!(declare(&raw const event_type, &raw mut recorder.type_id, none), 0);
            type Create =
                unsafe extern "C" fn(*mut c_void, *const Options, *mut *mut c_void, *mut c_void) -> i32;
            let create = library.get::<Create>(b"mvx_recorder_create").unwrap();
            assert_eq!(
                create(none, &raw const options, &raw mut recorder.handle, none),
                0
            );
            type Register = unsafe extern "C" fn(*mut c_void, *const MetricSpec, *mut c_void) -> i32;
            let register = library
                .get::<Register>(b"mvx_recorder_register_native_metric")
                .unwrap();
            let spec = MetricSpec {
                struct_size: size_of::<MetricSpec>(),
                name: Text::new("bench.count"),
                unit: Text::new(""),
                help: Text::new(""),
                kind: COUNTER,
                flags: 0,
                event_types: &raw const recorder.type_id,
                event_type_count: 1,
                value_field: Text::new(""),
                filters: ptr::null(),
                filter_count: 0,
                group_by: ptr::null(),
                group_by_count: 0,
                max_series: 0,
                bounds: ptr::null(),
                bound_count: 0,
                relative_error: 0.0,
            };
            assert_eq!(register(recorder.handle, &raw const spec, none), 0);
        }
        recorder
    }

    fn flush(&self) {
        let mut wait: *mut c_void = ptr::null_mut();
        // SAFETY: the signatures are those of the header.
        unsafe {
            type Flush = unsafe extern "C" fn(*mut c_void, *mut *mut c_void, *mut c_void) -> i32;
            type Block = unsafe extern "C" fn(*mut c_void, i64) -> i32;
            type Free = unsafe extern "C" fn(*mut c_void);
            let flush = self.library.get::<Flush>(b"mvx_recorder_flush").unwrap();
            assert_eq!(flush(self.handle, &raw mut wait, ptr::null_mut()), 0);
            assert_eq!(self.library.get::<Block>(b"mvx_wait_block").unwrap()(wait, -1), 0);
            self.library.get::<Free>(b"mvx_wait_free").unwrap()(wait);
        }
    }

    fn contestant(self, name: &'static str, len: usize) -> Contestant {
        // SAFETY: the signature is that of the header.
        let register = *unsafe { self.library.get::<RegisterEvent>(b"mvx_recorder_register_event") }.unwrap();
        Contestant::new(name, move || {
            let mut refused = 0;
            let figure = time(|number| {
                let payload: Slot = [number; 8];
                // SAFETY: the payload has as many bytes.
                let status = unsafe { register(self.handle, self.type_id, payload.as_ptr().cast(), len) };
                refused += i32::from(status != 0);
            });
            assert_eq!(refused, 0, "half the capacity finds room");
            self.flush();
            figure
        })
    }
}

fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/target/release/libmvx_metrics.so");
    // SAFETY: the library's initialisation has no requirements. It stays loaded.
    let library: &'static Library = Box::leak(Box::new(unsafe { Library::new(path) }.unwrap()));
    type Empty = unsafe extern "C" fn() -> u32;
    // SAFETY: the signature is that of the header.
    let empty = *unsafe { library.get::<Empty>(b"mvx_abi_version") }.unwrap();

    let (mut producer, mut consumer) = rtrb::RingBuffer::<Slot>::new(CAPACITY);
    let array = crossbeam_queue::ArrayQueue::<Slot>::new(CAPACITY);
    let mut contestants = [
        Recorder::new(library).contestant("mvx_recorder_register_event, 16 bytes", 16),
        Recorder::new(library).contestant("mvx_recorder_register_event, 48 bytes", 48),
        Contestant::new("a call into the library that does nothing", move || {
            time(|_| {
                // SAFETY: takes nothing.
                black_box(unsafe { empty() });
            })
        }),
        Contestant::new("rtrb, slots of 64 bytes", move || {
            let figure = time(|number| producer.push([number; 8]).unwrap());
            while consumer.pop().is_ok() {}
            figure
        }),
        Contestant::new("crossbeam ArrayQueue, slots of 64 bytes", move || {
            let figure = time(|number| array.push([number; 8]).unwrap());
            while array.pop().is_some() {}
            figure
        }),
    ];
    for round in 0..=ROUNDS {
        for contestant in &mut contestants {
            let figure = (contestant.round)();
            // The first round warms up.
            if round > 0 {
                contestant.nanoseconds.push(figure);
            }
        }
    }
    let medians: Vec<(&str, f64)> = contestants
        .iter_mut()
        .map(|contestant| (contestant.name, contestant.median()))
        .collect();
    let ours = medians[0].1;
    println!(
        "{:<44} {:>8} {:>22}",
        "one thread, burst", "ns/event", "ours (16 B) / this"
    );
    for (name, nanoseconds) in medians {
        println!("{name:<44} {nanoseconds:>8.1} {:>22.2}", ours / nanoseconds);
    }
}
