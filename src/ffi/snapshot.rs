//! Snapshots.

use crate::error::{Error, Result};
use crate::export;
use crate::recorder::SnapshotMode;
use crate::snapshot::Snapshot;

use super::arguments::{out, patience, unknown};
use super::boundary::{self, ErrorOut};
use super::error::mvx_error;
use super::handles::mvx_recorder;
use super::status::mvx_status;
use super::text::{mvx_str, mvx_text, new_text};
use super::value::{as_c, mvx_value};

/// A snapshot that shows every event that was accepted before the call, except where the recorder is not
/// RUNNING (or fails or is cancelled meanwhile), and where one of its own callbacks asks: then it waits for no
/// event, and shows what was dispatched so far. So wait for the start, or flush, before you rely on it.
pub const MVX_SNAPSHOT_CONSISTENT: u32 = 0;
/// A snapshot that shows what was dispatched so far, without waiting for events.
pub const MVX_SNAPSHOT_RELAXED: u32 = 1;

/// The state of a recorder's metrics at one moment. It never changes, outlives its recorder, and may be read
/// by any number of threads. Free it with mvx_snapshot_free().
pub struct mvx_snapshot {
    snapshot: Snapshot,
}

/// Takes a snapshot of all metrics of a recorder, in every state.
///
/// - recorder: stays the caller's.
/// - mode: MVX_SNAPSHOT_CONSISTENT or MVX_SNAPSHOT_RELAXED.
/// - timeout_ns: how long to wait for events and for metrics that are busy; negative: for ever.
/// - snapshot: receives a snapshot to free with mvx_snapshot_free().
/// - error: may be NULL. Of a metric that failed, its details give the name ("metric"), its cause what it
///   said.
/// - Any thread. Blocks up to the time-out. A callback of the recorder gets its snapshot at once.
/// - Returns MVX_OK, MVX_INVALID_HANDLE, MVX_FORKED, MVX_INVALID_ARGUMENT, MVX_METRIC_FAILED (the other
///   metrics and the recorder are unharmed), MVX_TIMEOUT, MVX_WOULD_DEADLOCK (in a callback of another
///   recorder), MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_recorder_snapshot(
    recorder: *mut mvx_recorder,
    mode: u32,
    timeout_ns: i64,
    snapshot: *mut *mut mvx_snapshot,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_recorder_snapshot", error, |call| {
        let recorder = call.recorder(recorder)?;
        let mode = match mode {
            MVX_SNAPSHOT_CONSISTENT => SnapshotMode::Consistent,
            MVX_SNAPSHOT_RELAXED => SnapshotMode::Relaxed,
            other => return Err(unknown("mode", other)),
        };
        // SAFETY: NULL or writable.
        let snapshot = unsafe { out(snapshot, "snapshot") }?;
        let taken = recorder.snapshot(mode, patience(timeout_ns))?;
        snapshot.set(Box::into_raw(Box::new(mvx_snapshot { snapshot: taken })));
        Ok(())
    })
}

/// The number of metrics in a snapshot.
///
/// - snapshot: NULL gives 0.
/// - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_snapshot_len(snapshot: *const mvx_snapshot) -> usize {
    boundary::value("mvx_snapshot_len", 0, || {
        // SAFETY: NULL, or a snapshot of the library that was not freed.
        unsafe { snapshot.as_ref() }.map_or(0, |snapshot| snapshot.snapshot.metrics.len())
    })
}

/// The name of a metric in a snapshot, in registration order.
///
/// - snapshot: NULL gives an empty text.
/// - index: from 0 on; past the end it gives an empty text.
/// - Result: borrowed, until mvx_snapshot_free().
/// - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_snapshot_name_at(snapshot: *const mvx_snapshot, index: usize) -> mvx_str {
    boundary::value("mvx_snapshot_name_at", mvx_str::of(""), || {
        // SAFETY: NULL, or a snapshot of the library that was not freed.
        let metric = unsafe { snapshot.as_ref() }.and_then(|snapshot| snapshot.snapshot.metrics.get(index));
        mvx_str::of(metric.map_or("", |(name, _)| name))
    })
}

/// The state of one metric: a map.
///
/// - snapshot: NULL gives NULL.
/// - metric_name: what is not there, or is not UTF-8, gives NULL.
/// - Result: borrowed, until mvx_snapshot_free().
/// - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_snapshot_get(
    snapshot: *const mvx_snapshot,
    metric_name: mvx_str,
) -> *const mvx_value {
    boundary::value("mvx_snapshot_get", std::ptr::null(), || {
        // SAFETY: NULL, or a snapshot of the library that was not freed.
        let snapshot = unsafe { snapshot.as_ref() };
        // SAFETY: a text argument as the header asks.
        let name = unsafe { metric_name.read("metric_name") };
        match (snapshot, name) {
            (Some(snapshot), Ok(name)) => as_c(snapshot.snapshot.get(name)),
            _ => std::ptr::null(),
        }
    })
}

/// A snapshot as JSON: {"metric name":{...},...}, in registration order, without white space outside of
/// strings. NaN and infinities are the strings "NaN", "Infinity" and "-Infinity"; integers are written in
/// full, however large.
///
/// - snapshot: must not be NULL.
/// - json: receives a text to free with mvx_text_free().
/// - error: may be NULL.
/// - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_snapshot_to_json(
    snapshot: *const mvx_snapshot,
    json: *mut *mut mvx_text,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_snapshot_to_json", error, |_| {
        // SAFETY: NULL, or a snapshot of the library that was not freed.
        let snapshot = unsafe { present(snapshot) }?;
        // SAFETY: NULL or writable.
        let json = unsafe { out(json, "json") }?;
        json.set(new_text(export::json::snapshot(snapshot)?));
        Ok(())
    })
}

/// A snapshot as OpenMetrics text. Every sample has the labels `recorder` (the entity id) and `namespace`.
///
/// What is no ASCII letter or digit in a name becomes `_`. A name that then begins with no letter gets
/// "metric_" (a label: "label_") in place of its leading `_`. Of two names alike the later one gets "_2".
/// There is no other prefix.
///
/// The counts of mvx_stats come first, as mvx_recorder_events_accepted_total, mvx_recorder_events_pending,
/// mvx_recorder_lag_seconds and so on; then mvx_metric_overflow_events_total and
/// mvx_metric_invalid_events_total, with the label `metric`.
///
/// A native metric is a family of its name, with a label for each field of group_by; its overflow series has
/// mvx_overflow="true" instead. Samples of a counter end in "_total", which is not added to a name that ends
/// so already. A unit is no part of the name: it is told as UNIT where the name ends in it, otherwise in HELP.
///
/// Of a metric of the host, each number or truth value is a family of type unknown, called like the metric
/// and the keys that lead to the value, joined by `_`; elements of a list are told apart by the label `index`.
/// Texts and nulls are left out.
///
/// - snapshot: must not be NULL.
/// - text: receives a text to free with mvx_text_free().
/// - error: may be NULL.
/// - Any thread, as long as none frees the snapshot. Does not block. Callbacks may call it.
/// - Returns MVX_OK, MVX_INVALID_ARGUMENT, MVX_UNSUPPORTED, MVX_UNEXPECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_snapshot_to_openmetrics(
    snapshot: *const mvx_snapshot,
    text: *mut *mut mvx_text,
    error: *mut *mut mvx_error,
) -> mvx_status {
    // SAFETY: NULL or writable.
    let error = unsafe { ErrorOut::new(error) };
    boundary::status("mvx_snapshot_to_openmetrics", error, |_| {
        // SAFETY: NULL, or a snapshot of the library that was not freed.
        let snapshot = unsafe { present(snapshot) }?;
        // SAFETY: NULL or writable.
        let text = unsafe { out(text, "text") }?;
        text.set(new_text(export::openmetrics::snapshot(snapshot)));
        Ok(())
    })
}

/// # Safety
/// `snapshot` is NULL, or a snapshot of the library that is not freed during `'a`.
unsafe fn present<'a>(snapshot: *const mvx_snapshot) -> Result<&'a Snapshot> {
    // SAFETY: as this function was promised.
    let snapshot = unsafe { snapshot.as_ref() };
    let snapshot = snapshot.ok_or_else(|| Error::invalid_argument("snapshot", "must not be NULL"))?;
    Ok(&snapshot.snapshot)
}

/// Frees a snapshot, and all values that were borrowed from it.
///
/// - snapshot: taken; NULL is fine.
/// - Any thread, when no other uses the snapshot. Does not block. Callbacks may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mvx_snapshot_free(snapshot: *mut mvx_snapshot) {
    boundary::value("mvx_snapshot_free", (), || {
        if !snapshot.is_null() {
            // SAFETY: mvx_recorder_snapshot made it of a box, and its owner gives it back.
            drop(unsafe { Box::from_raw(snapshot) });
        }
    });
}
