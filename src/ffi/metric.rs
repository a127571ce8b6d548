//! Metrics that a host programs: a table of functions.

use std::ffi::c_void;
use std::mem::offset_of;

use crate::error::{Error, Result, Status};
use crate::event::{self, Event};
use crate::metrics::{Metric, MetricKind};
use crate::snapshot::MetricSnapshot;

use super::arguments::{Versioned, array, flags, required};
use super::boundary::{self, ErrorOut};
use super::callback_error::mvx_callback_error;
use super::error::mvx_error;
use super::event::{as_c, mvx_event, mvx_event_type};
use super::handles::mvx_recorder;
use super::status::mvx_status;
use super::text::mvx_str;
use super::user_data::UserData;
use super::writer::mvx_writer;

/// Result of handle_event and handle_batch: nothing changed.
pub const MVX_EVENT_IGNORED: i32 = 0;
/// Result of handle_event and handle_batch: the metric changed.
pub const MVX_EVENT_CHANGED: i32 = 1;
/// Result of handle_event and handle_batch: the metric failed. A number that is none of the three counts as
/// that too.
pub const MVX_EVENT_FAILED: i32 = 2;

/// Result of a metric's snapshot: it is written.
pub const MVX_SNAPSHOT_DONE: i32 = 0;
/// Result of a metric's snapshot: it failed. Any number but MVX_SNAPSHOT_DONE counts as that.
pub const MVX_SNAPSHOT_FAILED: i32 = 2;

/// Flag of a metric: the order of events from different threads does not matter to it, which makes recording
/// them faster. It still gets the events of each thread in their order. Without the flag, an event that was
/// registered before another one (on any thread) comes before it.
pub const MVX_METRIC_COMMUTATIVE: u32 = 1;

/// A metric as a table of functions. They run on library threads, never two of them at once, so a metric
/// needs no lock of its own; but a function may be entered again on the same thread, if it calls something
/// that calls back.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_metric_vtable {
    /// sizeof(mvx_metric_vtable).
    pub struct_size: usize,
    /// Handles one event; returns MVX_EVENT_CHANGED, _IGNORED or _FAILED. May be NULL if there is
    /// handle_batch.
    pub handle_event: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            event: *const mvx_event,
            error: *mut mvx_callback_error,
        ) -> i32,
    >,
    /// Handles `count` events, in order (the next one lies events[0].struct_size bytes further on, which is
    /// sizeof(mvx_event) where library and header are of one version); returns MVX_EVENT_CHANGED if any of
    /// them changed the metric, _IGNORED or _FAILED. `changed` is NULL, or has `count` bytes, all 0: set to 1
    /// those of the events that changed the metric. May be NULL if there is handle_event.
    pub handle_batch: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            events: *const mvx_event,
            count: usize,
            changed: *mut u8,
            error: *mut mvx_callback_error,
        ) -> i32,
    >,
    /// Writes the state of the metric into a map that is open already; returns MVX_SNAPSHOT_DONE or _FAILED.
    pub snapshot: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            writer: *mut mvx_writer,
            error: *mut mvx_callback_error,
        ) -> i32,
    >,
    /// Frees user_data; may be NULL. Called once, on any thread, never while another function runs: when the
    /// metric was replaced or its recorder is gone, and where its registration fails.
    pub drop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// The event types that the metric wants; others never reach it. Copied. NULL: all.
    pub event_types: *const mvx_event_type,
    /// How many. 0: all.
    pub event_type_count: usize,
    /// 0 or MVX_METRIC_COMMUTATIVE.
    pub flags: u32,
}

/// The size of the first version of mvx_metric_vtable.
pub const MVX_METRIC_VTABLE_V1_SIZE: usize = 64;

// SAFETY: `repr(C)`, the size first, then integers and nullable pointers.
unsafe impl Versioned for mvx_metric_vtable {
    const V1_SIZE: usize = MVX_METRIC_VTABLE_V1_SIZE;
}

const _: () = {
    assert!(size_of::<mvx_metric_vtable>() == MVX_METRIC_VTABLE_V1_SIZE);
    assert!(offset_of!(mvx_metric_vtable, handle_event) == 8);
    assert!(offset_of!(mvx_metric_vtable, handle_batch) == 16);
    assert!(offset_of!(mvx_metric_vtable, snapshot) == 24);
    assert!(offset_of!(mvx_metric_vtable, drop) == 32);
    assert!(offset_of!(mvx_metric_vtable, event_types) == 40);
    assert!(offset_of!(mvx_metric_vtable, event_type_count) == 48);
    assert!(offset_of!(mvx_metric_vtable, flags) == 56);
};

/// What handles the events of a metric: at least one of the two.
#[derive(Clone, Copy)]
enum Handler {
    Event(unsafe extern "C" fn(*mut c_void, *const mvx_event, *mut mvx_callback_error) -> i32),
    Batch(
        unsafe extern "C" fn(*mut c_void, *const mvx_event, usize, *mut u8, *mut mvx_callback_error) -> i32,
    ),
    Both(
        unsafe extern "C" fn(*mut c_void, *const mvx_event, *mut mvx_callback_error) -> i32,
        unsafe extern "C" fn(*mut c_void, *const mvx_event, usize, *mut u8, *mut mvx_callback_error) -> i32,
    ),
}

/// A metric of a host.
struct CMetric {
    handler: Handler,
    snapshot: unsafe extern "C" fn(*mut c_void, *mut mvx_writer, *mut mvx_callback_error) -> i32,
    event_types: Option<Vec<u32>>,
    order_matters: bool,
    user_data: UserData,
}

impl CMetric {
    /// # Safety
    /// What the table points to is as the header asks.
    unsafe fn new(vtable: &mvx_metric_vtable, user_data: UserData) -> Result<Self> {
        let handler = match (vtable.handle_event, vtable.handle_batch) {
            (Some(event), Some(batch)) => Handler::Both(event, batch),
            (Some(event), None) => Handler::Event(event),
            (None, Some(batch)) => Handler::Batch(batch),
            (None, None) => {
                return Err(Error::invalid_argument(
                    "vtable.handle_event",
                    "is NULL, and so is vtable.handle_batch: one of them must be there",
                ));
            }
        };
        let snapshot = vtable
            .snapshot
            .ok_or_else(|| Error::invalid_argument("vtable.snapshot", "must not be NULL"))?;
        flags(vtable.flags, MVX_METRIC_COMMUTATIVE, "vtable.flags")?;
        // SAFETY: as this function was promised.
        let event_types =
            unsafe { array(vtable.event_types, vtable.event_type_count, "vtable.event_types") }?;
        for (index, &number) in event_types.iter().enumerate() {
            if event::event_type(number).is_none() {
                return Err(Error::no_event_type(
                    &format!("vtable.event_types[{index}]"),
                    number,
                ));
            }
        }
        Ok(Self {
            handler,
            snapshot,
            event_types: (!event_types.is_empty()).then(|| event_types.to_vec()),
            order_matters: vtable.flags & MVX_METRIC_COMMUTATIVE == 0,
            user_data,
        })
    }

    fn one(
        &self,
        handle: unsafe extern "C" fn(*mut c_void, *const mvx_event, *mut mvx_callback_error) -> i32,
        event: &Event,
    ) -> Result<bool> {
        let mut error = mvx_callback_error::new();
        // SAFETY: the host gave this function for this user data; the event outlives the call.
        let result = unsafe { handle(self.user_data.pointer(), as_c(event), error.as_raw()) };
        if error.is_unused() && matches!(result, MVX_EVENT_IGNORED | MVX_EVENT_CHANGED) {
            // There is nothing in it to drop, and looking for it takes longer than all the rest.
            std::mem::forget(error);
            return Ok(result == MVX_EVENT_CHANGED);
        }
        handled("handle_event", result, error)
    }

    fn many(
        &self,
        handle: unsafe extern "C" fn(
            *mut c_void,
            *const mvx_event,
            usize,
            *mut u8,
            *mut mvx_callback_error,
        ) -> i32,
        events: &[Event],
        changed: Option<&mut [u8]>,
    ) -> Result<bool> {
        let changed = match changed {
            Some(changed) if changed.len() >= events.len() => changed.as_mut_ptr(),
            _ => std::ptr::null_mut(),
        };
        let error = mvx_callback_error::new();
        // SAFETY: the host gave this function for this user data; events and bytes outlive the call, and
        // there is a byte for each event.
        let result = unsafe {
            handle(
                self.user_data.pointer(),
                events.as_ptr().cast(),
                events.len(),
                changed,
                error.as_raw(),
            )
        };
        handled("handle_batch", result, error)
    }
}

#[cold]
fn handled(function: &str, result: i32, error: mvx_callback_error) -> Result<bool> {
    match result {
        MVX_EVENT_IGNORED => Ok(false),
        MVX_EVENT_CHANGED => Ok(true),
        MVX_EVENT_FAILED => Err(Error::callback(Status::MetricFailed, error.into_message())),
        other => Err(unknown_result(function, other, error)),
    }
}

fn unknown_result(function: &str, result: i32, error: mvx_callback_error) -> Error {
    let message = error
        .into_message()
        .unwrap_or_else(|| format!("{function} returned {result}, which is none of its results"));
    Error::callback(Status::MetricFailed, Some(message))
}

impl Metric for CMetric {
    fn kind(&self) -> MetricKind {
        MetricKind::Vtable
    }

    fn event_types(&self) -> Option<&[u32]> {
        self.event_types.as_deref()
    }

    fn order_matters(&self) -> bool {
        self.order_matters
    }

    fn offers_batch(&self) -> bool {
        !matches!(self.handler, Handler::Event(_))
    }

    fn handle_event(&self, event: &Event) -> Result<bool> {
        match self.handler {
            Handler::Event(handle) | Handler::Both(handle, _) => self.one(handle, event),
            Handler::Batch(handle) => {
                let mut changed = [0];
                let any = self.many(handle, std::slice::from_ref(event), Some(&mut changed))?;
                Ok(any || changed != [0])
            }
        }
    }

    fn handle_batch(&self, events: &[Event], mut changed: Option<&mut [u8]>) -> Result<()> {
        match self.handler {
            Handler::Batch(handle) | Handler::Both(_, handle) => self.many(handle, events, changed).map(drop),
            Handler::Event(handle) => {
                for (index, event) in events.iter().enumerate() {
                    if self.one(handle, event)?
                        && let Some(byte) = changed.as_deref_mut().and_then(|changed| changed.get_mut(index))
                    {
                        *byte = 1;
                    }
                }
                Ok(())
            }
        }
    }

    fn snapshot(&self) -> Result<MetricSnapshot> {
        let writer = mvx_writer::new();
        let error = mvx_callback_error::new();
        // SAFETY: the host gave this function for this user data; writer and error outlive the call.
        let result = unsafe { (self.snapshot)(self.user_data.pointer(), writer.as_raw(), error.as_raw()) };
        match result {
            MVX_SNAPSHOT_DONE => {}
            MVX_SNAPSHOT_FAILED => return Err(Error::callback(Status::MetricFailed, error.into_message())),
            other => return Err(unknown_result("snapshot", other, error)),
        }
        MetricSnapshot::of_host(writer.finish())
    }

    fn user_data(&self) -> *mut c_void {
        self.user_data.pointer()
    }
}

/// Registers a metric under a name. One of the same name is replaced, in its place; its `drop` runs after the
/// events that were registered before. The metric sees the events that are registered after this call
/// returns.
///
/// - recorder: stays the caller's; VIRGIN, STARTING or RUNNING.
/// - name: copied; 1 to 255 bytes.
/// - vtable: copied.
/// - user_data: handed to the functions, and owned by the library from here on: where the call fails, `drop`
///   has run when it returns (unless `vtable` is NULL or its struct_size ends before `drop`).
/// - error: may be NULL.
/// - Any thread. Does not wait for a callback that is running. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_INVALID_STATE,
///   MVX_LIMIT_REACHED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_register_metric(
    recorder: *mut mvx_recorder,
    name: mvx_str,
    vtable: *const mvx_metric_vtable,
    user_data: *mut c_void,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_recorder_register_metric", error, |call| {
        let pointer = vtable;
        // First, so that user_data is dropped whatever else is wrong.
        // SAFETY: NULL or a struct as the header asks.
        let vtable = unsafe { required(pointer, "vtable") };
        let drop = match &vtable {
            Ok(vtable) => vtable.drop,
            // SAFETY: as above.
            Err(_) => unsafe { drop_of_a_bad_table(pointer) },
        };
        let user_data = UserData::new(user_data, drop);
        let recorder = call.recorder(recorder)?;
        let vtable = vtable?;
        // SAFETY: a text argument as the header asks.
        let name = unsafe { name.read("name") }?;
        // SAFETY: the caller's table, as the header asks.
        let metric = unsafe { CMetric::new(&vtable, user_data) }?;
        recorder.register_metric(name, Box::new(metric))
    })
}

/// The `drop` of a table that is too small otherwise: a host's object is not lost over it.
///
/// # Safety
/// `vtable` is NULL or points to as many readable bytes as its first field says.
unsafe fn drop_of_a_bad_table(
    vtable: *const mvx_metric_vtable,
) -> Option<unsafe extern "C" fn(user_data: *mut c_void)> {
    if vtable.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let size = unsafe { vtable.cast::<usize>().read_unaligned() };
    if size < offset_of!(mvx_metric_vtable, event_types) {
        return None;
    }
    // SAFETY: the field lies before the end that the caller gave.
    unsafe { (&raw const (*vtable).drop).read_unaligned() }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::snapshot::Value;

    const EVENT: Event = Event {
        struct_size: size_of::<Event>(),
        type_id: 1,
        type_name: event::RawStr::new("ffi.metric"),
        payload: ptr::null(),
        len: 0,
        time_unix_ns: 0,
    };

    /// What the callbacks below return, and what they saw.
    struct Host {
        result: i32,
        message: &'static str,
        events: usize,
    }

    unsafe fn answer(user_data: *mut c_void, events: usize, error: *mut mvx_callback_error) -> i32 {
        // SAFETY: the tests hand over a live host, on this thread alone.
        let host = unsafe { &mut *user_data.cast::<Host>() };
        host.events += events;
        if !host.message.is_empty() {
            // SAFETY: what the library handed over.
            unsafe { super::super::callback_error::mvx_callback_error_set(error, mvx_str::of(host.message)) };
        }
        host.result
    }

    unsafe extern "C" fn one(
        user_data: *mut c_void,
        _: *const mvx_event,
        error: *mut mvx_callback_error,
    ) -> i32 {
        // SAFETY: as the library calls it.
        unsafe { answer(user_data, 1, error) }
    }

    unsafe extern "C" fn many(
        user_data: *mut c_void,
        events: *const mvx_event,
        count: usize,
        changed: *mut u8,
        error: *mut mvx_callback_error,
    ) -> i32 {
        // SAFETY: as the library calls it.
        let events = unsafe { std::slice::from_raw_parts(events, count) };
        assert!(events.iter().all(|event| event.r#type == 1));
        if !changed.is_null() {
            // SAFETY: there is a byte for each event.
            unsafe { changed.add(count - 1).write(1) };
        }
        // SAFETY: as the library calls it.
        unsafe { answer(user_data, count, error) }
    }

    unsafe extern "C" fn snapshot(
        user_data: *mut c_void,
        writer: *mut mvx_writer,
        error: *mut mvx_callback_error,
    ) -> i32 {
        // SAFETY: what the library handed over.
        unsafe {
            super::super::writer::mvx_writer_i64(writer, mvx_str::of("value"), -3);
            answer(user_data, 0, error)
        }
    }

    unsafe extern "C" fn unfinished(
        _: *mut c_void,
        writer: *mut mvx_writer,
        _: *mut mvx_callback_error,
    ) -> i32 {
        // SAFETY: what the library handed over.
        unsafe { super::super::writer::mvx_writer_begin_map(writer, mvx_str::of("open")) };
        MVX_SNAPSHOT_DONE
    }

    fn metric(handler: Handler, host: &mut Host) -> CMetric {
        CMetric {
            handler,
            snapshot,
            event_types: None,
            order_matters: true,
            user_data: UserData::new(ptr::from_mut(host).cast(), None),
        }
    }

    #[test]
    fn each_result_is_understood() {
        for (result, message, expected) in [
            (MVX_EVENT_IGNORED, "", Ok(false)),
            (MVX_EVENT_CHANGED, "not used", Ok(true)),
            (MVX_EVENT_FAILED, "no bread", Err("no bread")),
            (MVX_EVENT_FAILED, "", Err("the callback gave no message")),
            (
                17,
                "",
                Err("handle_event returned 17, which is none of its results"),
            ),
            (-1, "no bread", Err("no bread")),
        ] {
            let mut host = Host {
                result,
                message,
                events: 0,
            };
            let handled = metric(Handler::Event(one), &mut host).handle_event(&EVENT);
            let expected = expected.map_err(str::to_owned);
            assert_eq!(
                handled.map_err(|error| (error.reason, error.message)),
                expected.map_err(|message| ("CALLBACK_ERROR", message))
            );
            assert_eq!(host.events, 1);
        }
    }

    #[test]
    fn batches_and_single_events_stand_in_for_each_other() {
        let mut host = Host {
            result: MVX_EVENT_CHANGED,
            message: "",
            events: 0,
        };
        let mut changed = [0; 3];
        metric(Handler::Event(one), &mut host)
            .handle_batch(&[EVENT; 3], Some(&mut changed))
            .unwrap();
        assert_eq!((host.events, changed), (3, [1, 1, 1]));

        let mut changed = [0; 3];
        metric(Handler::Batch(many), &mut host)
            .handle_batch(&[EVENT; 3], Some(&mut changed))
            .unwrap();
        assert_eq!((host.events, changed), (6, [0, 0, 1]));
        metric(Handler::Batch(many), &mut host)
            .handle_batch(&[EVENT; 3], None)
            .unwrap();
        assert_eq!(host.events, 9);
        assert!(
            metric(Handler::Batch(many), &mut host)
                .handle_event(&EVENT)
                .unwrap()
        );
        host.result = MVX_EVENT_FAILED;
        assert!(
            metric(Handler::Both(one, many), &mut host)
                .handle_batch(&[EVENT], None)
                .is_err()
        );
    }

    #[test]
    fn snapshots_are_read_and_their_failures_told() {
        let mut host = Host {
            result: MVX_SNAPSHOT_DONE,
            message: "",
            events: 0,
        };
        let taken = metric(Handler::Event(one), &mut host).snapshot().unwrap();
        assert_eq!(
            taken.value,
            Value::Map(vec![("value".to_owned(), Value::I64(-3))])
        );
        host.result = MVX_SNAPSHOT_FAILED;
        host.message = "busy";
        assert_eq!(
            metric(Handler::Event(one), &mut host)
                .snapshot()
                .unwrap_err()
                .message,
            "busy"
        );
        let open = CMetric {
            snapshot: unfinished,
            ..metric(Handler::Event(one), &mut host)
        };
        assert_eq!(open.snapshot().unwrap_err().reason, "CALLBACK_ERROR");
    }
}
