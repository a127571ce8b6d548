//! What holds for the surface as a whole, without a running recorder.

use std::ffi::c_void;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, ptr};

use super::boundary::{self, ErrorOut};
use super::callback_error::{mvx_callback_error, mvx_callback_error_set};
use super::error::*;
use super::event::*;
use super::handles::*;
use super::log::*;
use super::metric::*;
use super::native_metric::*;
use super::options::*;
use super::recorder::*;
use super::runtime::*;
use super::status::*;
use super::text::*;
use super::wait::*;
use super::writer::*;
use super::{metric_info, snapshot, value};

fn text(text: &'static str) -> mvx_str {
    mvx_str::of(text)
}

fn bad_text() -> mvx_str {
    mvx_str {
        data: ptr::null(),
        len: 3,
    }
}

/// Reads a text that the library gave.
fn read(text: mvx_str) -> String {
    // SAFETY: the tests only read texts that are still there.
    unsafe { text.read("text") }.unwrap().to_owned()
}

/// Makes a call that must fail, and says how: status and message.
fn failure(call: impl FnOnce(*mut *mut mvx_error) -> mvx_status) -> (mvx_status, String) {
    let mut error = ptr::null_mut();
    let status = call(&raw mut error);
    assert!(!error.is_null(), "{status} came without an error");
    // SAFETY: the error was just received, and is freed once.
    unsafe {
        assert_eq!(mvx_error_status(error), status);
        let message = read(mvx_error_message(error));
        mvx_error_free(error);
        (status, message)
    }
}

fn names(argument: &str, (status, message): (mvx_status, String)) {
    assert_eq!(status, MVX_INVALID_ARGUMENT, "{message}");
    assert!(
        message.contains(&format!("'{argument}'")),
        "{message} does not name {argument}"
    );
}

unsafe extern "C" fn count(user_data: *mut c_void) {
    // SAFETY: the tests hand over a live counter.
    unsafe { &*user_data.cast::<AtomicUsize>() }.fetch_add(1, Ordering::Relaxed);
}

/// The functions of a source file, each with its text.
fn exported(source: &str) -> Vec<(String, String)> {
    let mut parts = source.split("extern \"C\" fn mvx_");
    parts.next();
    parts
        .map(|part| {
            let name = format!("mvx_{}", part.split('(').next().unwrap());
            (name, part.split("\n}\n").next().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn every_export_goes_through_the_boundary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi");
    let mut found = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        assert_eq!(
            source.matches("unsafe(no_mangle)").count(),
            source.matches("pub unsafe extern \"C\" fn mvx_").count(),
            "{} exports something by another name",
            path.display()
        );
        for (name, body) in exported(&source) {
            // What stands before the boundary on the recording path does not panic; the rest is a function beside it.
            let text = if name == "mvx_recorder_register_event" {
                &source
            } else {
                &body
            };
            let body: String = text.split_whitespace().collect();
            let guarded = ["value", "status", "status_only", "bare_status"]
                .iter()
                .any(|kind| body.contains(&format!("boundary::{kind}(\"{name}\",")));
            assert!(
                guarded,
                "{name} does not go through the boundary under its own name"
            );
            found += 1;
        }
    }
    assert!(found >= 80, "found only {found} functions");
}

#[test]
fn a_panic_becomes_an_error() {
    let (status, message) = failure(|error| {
        // SAFETY: a live out-parameter.
        let error = unsafe { ErrorOut::new(error) };
        boundary::status("mvx_test", error, |_| panic!("no {}", "bread"))
    });
    assert_eq!(status, MVX_UNEXPECTED);
    assert!(
        message.contains("mvx_test") && message.contains("no bread"),
        "{message}"
    );
    assert!(message.contains("tests.rs:"), "{message}");
    assert_eq!(
        boundary::status_only("mvx_test", |_| panic!("again")),
        MVX_UNEXPECTED
    );
    assert_eq!(
        boundary::bare_status("mvx_test", |_| panic!("again")),
        MVX_UNEXPECTED
    );
    assert_eq!(boundary::value("mvx_test", 7, || panic!("again")), 7);
}

#[test]
fn what_is_no_handle_is_answered() {
    let stack = 0_u64;
    let made_up = [
        0,
        1,
        usize::MAX,
        &raw const stack as usize,
        0x92 << 56,
        (0x92 << 56) | (1 << 24),
    ];
    for number in made_up {
        let recorder: *mut mvx_recorder = ptr::without_provenance_mut(number);
        let runtime: *mut mvx_runtime = ptr::without_provenance_mut(number);
        let wait: *mut mvx_wait = ptr::without_provenance_mut(number);
        let completion: *mut mvx_completion = ptr::without_provenance_mut(number);
        let none = ptr::null_mut();
        let (mut state, mut accepted) = (77, 77);
        let mut handle = ptr::null_mut();
        let mut waiting = ptr::null_mut();
        // SAFETY: handles may be any bits; the other pointers are live.
        unsafe {
            for status in [
                mvx_runtime_start(runtime, none),
                mvx_runtime_shutdown(runtime, none),
                mvx_runtime_shutdown_async(runtime, &raw mut waiting, none),
                mvx_runtime_state(runtime, &raw mut state),
                mvx_runtime_create_recorder(runtime, text("id"), ptr::null(), &raw mut handle, none),
                mvx_runtime_get_recorder(runtime, text("id"), &raw mut handle, none),
                mvx_runtime_try_get_recorder(runtime, text("id"), &raw mut handle, none),
                mvx_runtime_stop_recorder(runtime, text("id"), none),
                mvx_runtime_stop_and_remove_recorder(runtime, text("id"), none.cast(), none),
                mvx_recorder_clone(recorder, &raw mut handle),
                mvx_recorder_start(recorder, &raw mut waiting, none),
                mvx_recorder_stop(recorder, ptr::null_mut(), none),
                mvx_recorder_flush(recorder, ptr::null_mut(), none),
                mvx_recorder_cancel(recorder, none),
                mvx_recorder_state(recorder, &raw mut state),
                mvx_recorder_register_event(recorder, 1, ptr::null(), 0),
                mvx_recorder_register_events(recorder, 1, ptr::null(), 0, 1, &raw mut accepted),
                mvx_wait_block(wait, 0),
                mvx_wait_result(wait, &raw mut state, none),
                mvx_completion_done_of(completion),
            ] {
                assert_eq!(status, MVX_INVALID_HANDLE, "{number:x}");
            }
            mvx_runtime_free(runtime);
            mvx_recorder_free(recorder);
            mvx_wait_free(wait);
        }
        assert!(
            handle.is_null() && waiting.is_null(),
            "an out-parameter was written on failure"
        );
        assert_eq!((state, accepted), (77, 77));
    }
}

/// # Safety
/// None: any bits will do.
unsafe fn mvx_completion_done_of(completion: *mut mvx_completion) -> mvx_status {
    // SAFETY: handles may be any bits.
    unsafe { super::hooks::mvx_completion_done(completion, text("")) }
}

#[test]
fn null_objects_are_harmless() {
    // SAFETY: all these functions take NULL.
    unsafe {
        assert_eq!(mvx_error_status(ptr::null()), MVX_OK);
        assert_eq!(read(mvx_error_reason(ptr::null())), "");
        assert_eq!(read(mvx_error_message(ptr::null())), "");
        assert_eq!(read(mvx_error_details_json(ptr::null())), "");
        assert!(mvx_error_cause(ptr::null()).is_null());
        mvx_error_free(ptr::null_mut());
        assert_eq!(read(mvx_text_str(ptr::null())), "");
        mvx_text_free(ptr::null_mut());
        assert_eq!(mvx_strings_len(ptr::null()), 0);
        assert_eq!(read(mvx_strings_at(ptr::null(), 0)), "");
        mvx_strings_free(ptr::null_mut());
        assert_eq!(snapshot::mvx_snapshot_len(ptr::null()), 0);
        assert!(snapshot::mvx_snapshot_get(ptr::null(), bad_text()).is_null());
        assert_eq!(value::mvx_value_kind(ptr::null()), value::MVX_VALUE_NULL);
        assert!(value::mvx_value_get(ptr::null(), text("key")).is_null());
        assert_eq!(
            mvx_writer_null(ptr::null_mut(), text("key")),
            MVX_INVALID_ARGUMENT
        );
        assert_eq!(mvx_writer_end(ptr::null_mut()), MVX_INVALID_ARGUMENT);
        mvx_callback_error_set(ptr::null_mut(), text("message"));
    }
}

#[test]
fn statuses_have_names() {
    let name = |status| {
        // SAFETY: takes any number, and gives a static text.
        let name = unsafe { std::ffi::CStr::from_ptr(mvx_status_name(status)) };
        name.to_str().unwrap()
    };
    assert_eq!(name(MVX_OK), "MVX_OK");
    assert_eq!(name(MVX_UNEXPECTED), "MVX_UNEXPECTED");
    assert_eq!(name(-1), "MVX_UNKNOWN");
    assert_eq!(name(20), "MVX_UNKNOWN");
}

unsafe extern "C" fn changes(
    user_data: *mut c_void,
    _: *const mvx_event,
    error: *mut mvx_callback_error,
) -> i32 {
    // SAFETY: what the library handed over.
    unsafe { mvx_callback_error_set(error, text("not used")) };
    // SAFETY: as above.
    unsafe { count(user_data) };
    MVX_EVENT_CHANGED
}

unsafe extern "C" fn writes(_: *mut c_void, writer: *mut mvx_writer, error: *mut mvx_callback_error) -> i32 {
    // SAFETY: what the library handed over.
    unsafe {
        assert_eq!(mvx_writer_u64(writer, text("count"), 3), MVX_OK);
        assert_eq!(mvx_writer_u64(writer, text("count"), 4), MVX_INVALID_ARGUMENT);
        assert_eq!(mvx_writer_u64(writer, bad_text(), 4), MVX_INVALID_ARGUMENT);
        assert_eq!(mvx_writer_begin_list(writer, text("list")), MVX_OK);
        assert_eq!(mvx_writer_str(writer, text(""), text("one")), MVX_OK);
        assert_eq!(mvx_writer_end(writer), MVX_OK);
        mvx_callback_error_set(error, text("not used"));
    }
    MVX_SNAPSHOT_DONE
}

fn vtable() -> mvx_metric_vtable {
    mvx_metric_vtable {
        struct_size: size_of::<mvx_metric_vtable>(),
        handle_event: Some(changes),
        handle_batch: None,
        snapshot: Some(writes),
        drop: Some(count),
        event_types: ptr::null(),
        event_type_count: 0,
        flags: 0,
    }
}

#[test]
fn user_data_of_a_metric_is_dropped_once_whatever_is_wrong() {
    let unknown_type = [0_u32];
    let vtables = [
        vtable(),
        mvx_metric_vtable {
            handle_event: None,
            ..vtable()
        },
        mvx_metric_vtable {
            snapshot: None,
            ..vtable()
        },
        mvx_metric_vtable { flags: 2, ..vtable() },
        mvx_metric_vtable {
            event_types: unknown_type.as_ptr(),
            event_type_count: 1,
            ..vtable()
        },
        mvx_metric_vtable {
            struct_size: size_of::<mvx_metric_vtable>() + 8,
            ..vtable()
        },
    ];
    for vtable in vtables {
        let dropped = AtomicUsize::new(0);
        let user_data = (&raw const dropped).cast_mut().cast();
        let (status, _) = failure(|error| {
            // SAFETY: live arguments; the handle is NULL.
            unsafe {
                mvx_recorder_register_metric(ptr::null_mut(), text("m"), &raw const vtable, user_data, error)
            }
        });
        assert_eq!(status, MVX_INVALID_HANDLE);
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn what_options_name_is_dropped_once_whatever_is_wrong() {
    let dropped = AtomicUsize::new(0);
    let log = mvx_log {
        struct_size: size_of::<mvx_log>(),
        policy: 77,
        max_level: 0,
        write: None,
        drop: Some(count),
        user_data: (&raw const dropped).cast_mut().cast(),
    };
    let hooks = super::hooks::mvx_hooks {
        struct_size: size_of::<super::hooks::mvx_hooks>(),
        on_starting: None,
        on_stopped: None,
        on_metric_changed: None,
        drop: Some(count),
        user_data: (&raw const dropped).cast_mut().cast(),
    };
    let good = mvx_recorder_options {
        struct_size: size_of::<mvx_recorder_options>(),
        entity_id: text(""),
        name_space: text(""),
        queue_max_size: 0,
        queue_max_bytes: 0,
        overflow_policy: 0,
        block_timeout_ns: 0,
        metric_error_policy: 0,
        folding: 0,
        hooks: &raw const hooks,
        log: &raw const log,
    };
    let cases = [
        ("options.log.policy", good),
        (
            "options.entity_id",
            mvx_recorder_options {
                entity_id: bad_text(),
                ..good
            },
        ),
        (
            "options.queue_max_size",
            mvx_recorder_options {
                queue_max_size: -1,
                ..good
            },
        ),
        (
            "options.queue_max_bytes",
            mvx_recorder_options {
                queue_max_bytes: i64::MIN,
                ..good
            },
        ),
        (
            "options.overflow_policy",
            mvx_recorder_options {
                overflow_policy: 4,
                ..good
            },
        ),
        (
            "options.block_timeout_ns",
            mvx_recorder_options {
                block_timeout_ns: -1,
                ..good
            },
        ),
        (
            "options.metric_error_policy",
            mvx_recorder_options {
                metric_error_policy: 3,
                ..good
            },
        ),
    ];
    for (argument, options) in cases {
        dropped.store(0, Ordering::Relaxed);
        let mut recorder = ptr::null_mut();
        let failed = failure(|error| {
            // SAFETY: live arguments.
            unsafe { mvx_recorder_create(ptr::null_mut(), &raw const options, &raw mut recorder, error) }
        });
        names(argument, failed);
        assert_eq!(dropped.load(Ordering::Relaxed), 2, "{argument}");
    }
    let short = mvx_recorder_options {
        struct_size: 95,
        ..good
    };
    let mut recorder = ptr::null_mut();
    // SAFETY: live arguments.
    let failed = failure(|error| unsafe {
        mvx_recorder_create(ptr::null_mut(), &raw const short, &raw mut recorder, error)
    });
    names("options.struct_size", failed);
}

#[test]
fn completion_user_data_is_dropped_on_a_bad_wait() {
    let dropped = AtomicUsize::new(0);
    let user_data = (&raw const dropped).cast_mut().cast();
    // SAFETY: a NULL handle, and live user data.
    let status = unsafe { mvx_wait_on_complete(ptr::null_mut(), None, user_data, Some(count)) };
    assert_eq!(status, MVX_INVALID_HANDLE);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

fn event_type(name: &'static str) -> mvx_event_type_options {
    mvx_event_type_options {
        struct_size: size_of::<mvx_event_type_options>(),
        name: text(name),
        fields: ptr::null(),
        field_count: 0,
        flags: 0,
        release: None,
        drop: None,
        user_data: ptr::null_mut(),
    }
}

#[test]
fn event_types_are_declared_with_all_their_arguments_checked() {
    let mut number = 0;
    let field = mvx_field {
        name: text("route"),
        kind: MVX_FIELD_SYMBOL,
        offset: 0,
        size: 0,
    };
    let with = |fields: &[mvx_field]| mvx_event_type_options {
        fields: fields.as_ptr(),
        field_count: fields.len(),
        ..event_type("ffi.tests.declared")
    };
    let declare = |options: &mvx_event_type_options, number: *mut u32, error| {
        // SAFETY: live arguments.
        unsafe { mvx_event_type_declare(ptr::from_ref(options), number, error) }
    };
    let fields = [field];
    assert_eq!(declare(&with(&fields), &raw mut number, ptr::null_mut()), MVX_OK);
    let mut again = 0;
    assert_eq!(declare(&with(&fields), &raw mut again, ptr::null_mut()), MVX_OK);
    assert!(number != 0 && number == again);
    let mut name = text("");
    // SAFETY: a live out-parameter.
    assert_eq!(unsafe { mvx_event_type_name(number, &raw mut name) }, MVX_OK);
    assert_eq!(read(name), "ffi.tests.declared");
    // SAFETY: as above.
    let status = unsafe { mvx_event_type_name(0, &raw mut name) };
    assert_eq!(status, MVX_INVALID_ARGUMENT);

    let (status, _) = failure(|error| declare(&with(&[]), &raw mut again, error));
    assert_eq!(status, MVX_ALREADY_EXISTS);
    names(
        "type",
        failure(|error| declare(&with(&fields), ptr::null_mut(), error)),
    );
    let bad = [field, mvx_field { kind: 14, ..field }];
    names(
        "options.fields[1].kind",
        failure(|error| declare(&with(&bad), &raw mut again, error)),
    );
    let bad = [mvx_field {
        name: bad_text(),
        ..field
    }];
    names(
        "options.fields[0].name",
        failure(|error| declare(&with(&bad), &raw mut again, error)),
    );
    let bad = [mvx_field {
        offset: u32::MAX,
        ..field
    }];
    names(
        "options.fields[0].offset",
        failure(|error| declare(&with(&bad), &raw mut again, error)),
    );
    let nothing = mvx_event_type_options {
        field_count: 1,
        ..event_type("ffi.tests.bad")
    };
    names(
        "options.fields",
        failure(|error| declare(&nothing, &raw mut again, error)),
    );
    let flags = mvx_event_type_options {
        flags: 2,
        ..event_type("ffi.tests.bad")
    };
    names(
        "options.flags",
        failure(|error| declare(&flags, &raw mut again, error)),
    );
    names(
        "options.name",
        failure(|error| declare(&event_type(""), &raw mut again, error)),
    );
}

unsafe extern "C" fn releases(user_data: *mut c_void, _: *const c_void, _: usize) {
    // SAFETY: the tests hand over a live counter.
    unsafe { count(user_data) };
}

#[test]
fn a_repeated_declaration_drops_its_own_user_data() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    let options = mvx_event_type_options {
        release: Some(releases),
        drop: Some(count),
        user_data: (&raw const DROPPED).cast_mut().cast(),
        ..event_type("ffi.tests.released")
    };
    let mut number = 0;
    for expected in 0..3 {
        // SAFETY: live arguments; the user data is static.
        let status = unsafe { mvx_event_type_declare(&raw const options, &raw mut number, ptr::null_mut()) };
        assert_eq!(status, MVX_OK);
        assert_eq!(DROPPED.load(Ordering::Relaxed), expected);
    }
}

#[test]
fn texts_are_interned() {
    let mut symbol = 0;
    let mut back = text("");
    // SAFETY: live arguments.
    unsafe {
        assert_eq!(mvx_intern(text("ffi.tests.ok"), &raw mut symbol), MVX_OK);
        assert_eq!(mvx_symbol_text(symbol, &raw mut back), MVX_OK);
        assert_eq!(read(back), "ffi.tests.ok");
        assert_eq!(mvx_symbol_text(0, &raw mut back), MVX_INVALID_ARGUMENT);
        assert_eq!(mvx_symbol_text(symbol, ptr::null_mut()), MVX_INVALID_ARGUMENT);
        assert_eq!(mvx_intern(bad_text(), &raw mut symbol), MVX_INVALID_ARGUMENT);
        assert_eq!(mvx_intern(text("x"), ptr::null_mut()), MVX_INVALID_ARGUMENT);
        let invalid = [0xff_u8, 0xfe];
        let invalid = mvx_str {
            data: invalid.as_ptr().cast(),
            len: 2,
        };
        assert_eq!(mvx_intern(invalid, &raw mut symbol), MVX_INVALID_ARGUMENT);
        let endless = mvx_str {
            data: c"x".as_ptr(),
            len: usize::MAX,
        };
        assert_eq!(mvx_intern(endless, &raw mut symbol), MVX_INVALID_ARGUMENT);
    }
}

#[test]
fn runtime_options_are_checked() {
    let good = mvx_runtime_options {
        struct_size: size_of::<mvx_runtime_options>(),
        name_space: text(""),
        recorder_queue_max_size: 0,
        recorder_overflow_policy: 0,
        worker_threads: 0,
        shutdown_timeout_ns: 0,
        log: ptr::null(),
        thread_name_prefix: text(""),
        recorder_queue_max_bytes: 0,
        thread_hooks: ptr::null(),
    };
    let cases = [
        (
            "options.struct_size",
            mvx_runtime_options {
                struct_size: 87,
                ..good
            },
        ),
        (
            "options.name_space",
            mvx_runtime_options {
                name_space: bad_text(),
                ..good
            },
        ),
        (
            "options.recorder_queue_max_size",
            mvx_runtime_options {
                recorder_queue_max_size: -1,
                ..good
            },
        ),
        (
            "options.recorder_overflow_policy",
            mvx_runtime_options {
                recorder_overflow_policy: 9,
                ..good
            },
        ),
        (
            "options.worker_threads",
            mvx_runtime_options {
                worker_threads: u32::MAX,
                ..good
            },
        ),
        (
            "options.shutdown_timeout_ns",
            mvx_runtime_options {
                shutdown_timeout_ns: -1,
                ..good
            },
        ),
        (
            "options.thread_name_prefix",
            mvx_runtime_options {
                thread_name_prefix: text("a\0b"),
                ..good
            },
        ),
        (
            "options.recorder_queue_max_bytes",
            mvx_runtime_options {
                recorder_queue_max_bytes: -1,
                ..good
            },
        ),
    ];
    for (argument, options) in cases {
        let mut runtime = ptr::null_mut();
        // SAFETY: live arguments.
        let failed =
            failure(|error| unsafe { mvx_runtime_create(&raw const options, &raw mut runtime, error) });
        names(argument, failed);
        assert!(runtime.is_null());
    }
    // SAFETY: live arguments.
    let failed = failure(|error| unsafe { mvx_runtime_create(&raw const good, ptr::null_mut(), error) });
    names("runtime", failed);
}

#[test]
fn metric_kinds_are_numbers_of_their_own() {
    assert_eq!(metric_info::MVX_METRIC_VTABLE, 1);
    assert_eq!((MVX_FILTER_EQ, MVX_FILTER_GE), (1, 6));
}
