//! The log callback of a host.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;

use tracing::Level;

use crate::error::{Error, Result};
use crate::log::{LogOptions, LogPolicy, LogRecord, LogSink};

use super::arguments::{Versioned, unknown, versioned};
use super::text::mvx_str;
use super::user_data::UserData;

/// Log level: something failed.
pub const MVX_LOG_ERROR: i32 = 1;
/// Log level: something is not as it should be.
pub const MVX_LOG_WARN: i32 = 2;
/// Log level: what the host asked for, and what came of it.
pub const MVX_LOG_INFO: i32 = 3;
/// Log level: details.
pub const MVX_LOG_DEBUG: i32 = 4;
/// Log level: every step.
pub const MVX_LOG_TRACE: i32 = 5;

/// Log policy: nothing.
pub const MVX_LOG_POLICY_SILENT: u32 = 1;
/// Log policy: what changes something (start, stop, register_metric, creating, stopping and removing
/// recorders, shutdown), dispatch errors and failed clean-ups. The default.
pub const MVX_LOG_POLICY_NORMAL: u32 = 2;
/// Log policy: look-ups, snapshots and iter_metrics too.
pub const MVX_LOG_POLICY_INSPECTION: u32 = 3;

/// A fact in a log record.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_log_field {
    /// What it is.
    pub key: mvx_str,
    /// Its value, as text.
    pub value: mvx_str,
}

/// One log record. It, and all its texts, are there while the callback runs.
///
/// Events are named "metrics_runtime.<operation>.invoke", then ".success" or ".failed", with the operations
/// start, shutdown, create_recorder, get_recorder, try_get_recorder, list_recorder_ids, stop_recorder and
/// stop_and_remove_recorder; likewise "metrics_recorder.<operation>..." with start, stop, register_metric,
/// snapshot and iter_metrics; and "metrics_recorder.dispatch_error", "metrics_recorder.cleanup.failed",
/// "metrics_recorder.overflow".
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_log_record {
    /// The size of this struct as the library has it.
    pub struct_size: usize,
    /// MVX_LOG_ERROR ... MVX_LOG_TRACE.
    pub level: i32,
    /// The event, such as "metrics_recorder.start.failed".
    pub event: mvx_str,
    /// The part of the library that speaks.
    pub target: mvx_str,
    /// The recorder's entity id, or the runtime's namespace.
    pub entity_id: mvx_str,
    /// Further facts.
    pub fields: *const mvx_log_field,
    /// How many.
    pub field_count: usize,
}

/// The size of the first version of mvx_log_record.
pub const MVX_LOG_RECORD_V1_SIZE: usize = 80;

/// A log, as the options of a runtime or recorder name it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct mvx_log {
    /// sizeof(mvx_log).
    pub struct_size: usize,
    /// MVX_LOG_POLICY_SILENT, _NORMAL or _INSPECTION; 0: NORMAL.
    pub policy: u32,
    /// Nothing less severe than this: MVX_LOG_ERROR ... MVX_LOG_TRACE; 0: INFO.
    pub max_level: i32,
    /// Takes one record, on whatever thread it happened, also on several at once. NULL only where the policy
    /// is SILENT.
    pub write: Option<unsafe extern "C" fn(user_data: *mut c_void, record: *const mvx_log_record)>,
    /// Frees user_data; may be NULL. Called once, on any thread, after the last record; also where the call
    /// that names this log fails.
    pub drop: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Handed to `write` and `drop`.
    pub user_data: *mut c_void,
}

/// The size of the first version of mvx_log.
pub const MVX_LOG_V1_SIZE: usize = 40;

// SAFETY: `repr(C)`, the size first, then integers and nullable pointers.
unsafe impl Versioned for mvx_log {
    const V1_SIZE: usize = MVX_LOG_V1_SIZE;
}

const _: () = {
    assert!(size_of::<mvx_log_field>() == 32);
    assert!(offset_of!(mvx_log_field, value) == 16);

    assert!(size_of::<mvx_log_record>() == MVX_LOG_RECORD_V1_SIZE);
    assert!(offset_of!(mvx_log_record, level) == 8);
    assert!(offset_of!(mvx_log_record, event) == 16);
    assert!(offset_of!(mvx_log_record, target) == 32);
    assert!(offset_of!(mvx_log_record, entity_id) == 48);
    assert!(offset_of!(mvx_log_record, fields) == 64);
    assert!(offset_of!(mvx_log_record, field_count) == 72);

    assert!(size_of::<mvx_log>() == MVX_LOG_V1_SIZE);
    assert!(offset_of!(mvx_log, policy) == 8);
    assert!(offset_of!(mvx_log, max_level) == 12);
    assert!(offset_of!(mvx_log, write) == 16);
    assert!(offset_of!(mvx_log, drop) == 24);
    assert!(offset_of!(mvx_log, user_data) == 32);
};

/// A log whose user data the library has taken charge of; what is wrong with it is told later.
pub(super) struct Log {
    raw: mvx_log,
    user_data: UserData,
}

impl Log {
    /// Takes charge of the log that `pointer` names.
    ///
    /// # Safety
    /// `pointer` is NULL or points to a struct as the header asks.
    pub(super) unsafe fn take(pointer: *const mvx_log, argument: &str) -> Result<Option<Self>> {
        // SAFETY: as this function was promised.
        let raw = unsafe { versioned(pointer, argument) }?;
        Ok(raw.map(|raw: mvx_log| Self {
            user_data: UserData::new(raw.user_data, raw.drop),
            raw,
        }))
    }

    /// The log as the core knows it.
    pub(super) fn into_options(self, argument: &str) -> Result<LogOptions> {
        let policy = match self.raw.policy {
            0 | MVX_LOG_POLICY_NORMAL => LogPolicy::Normal,
            MVX_LOG_POLICY_SILENT => LogPolicy::Silent,
            MVX_LOG_POLICY_INSPECTION => LogPolicy::Inspection,
            other => return Err(unknown(&format!("{argument}.policy"), other)),
        };
        let max_level = match self.raw.max_level {
            MVX_LOG_ERROR => Level::ERROR,
            MVX_LOG_WARN => Level::WARN,
            0 | MVX_LOG_INFO => Level::INFO,
            MVX_LOG_DEBUG => Level::DEBUG,
            MVX_LOG_TRACE => Level::TRACE,
            other => return Err(unknown(&format!("{argument}.max_level"), other)),
        };
        if self.raw.write.is_none() && policy != LogPolicy::Silent {
            return Err(Error::invalid_argument(
                &format!("{argument}.write"),
                "must not be NULL",
            ));
        }
        let sink = Arc::new(CSink {
            write: self.raw.write,
            user_data: self.user_data,
        });
        Ok(LogOptions {
            policy,
            max_level,
            sink,
        })
    }
}

struct CSink {
    write: Option<unsafe extern "C" fn(user_data: *mut c_void, record: *const mvx_log_record)>,
    user_data: UserData,
}

impl LogSink for CSink {
    fn write(&self, record: &LogRecord<'_>) {
        let Some(write) = self.write else { return };
        let fields: Vec<mvx_log_field> = record
            .fields
            .iter()
            .map(|(key, value)| mvx_log_field {
                key: mvx_str::of(key),
                value: mvx_str::of(value),
            })
            .collect();
        let record = mvx_log_record {
            struct_size: size_of::<mvx_log_record>(),
            level: number_of(record.level),
            event: mvx_str::of(record.event),
            target: mvx_str::of(record.target),
            entity_id: mvx_str::of(record.entity_id),
            fields: fields.as_ptr(),
            field_count: fields.len(),
        };
        // SAFETY: the host gave this function for this user data; the record and its texts outlive the call.
        unsafe { write(self.user_data.pointer(), &raw const record) };
    }
}

fn number_of(level: Level) -> i32 {
    match level {
        Level::ERROR => MVX_LOG_ERROR,
        Level::WARN => MVX_LOG_WARN,
        Level::INFO => MVX_LOG_INFO,
        Level::DEBUG => MVX_LOG_DEBUG,
        Level::TRACE => MVX_LOG_TRACE,
    }
}
