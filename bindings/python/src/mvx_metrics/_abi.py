"""The C surface of the library, as ctypes sees it: constants, structs, callbacks and functions of mvx_metrics.h.

This is the only module that knows layouts. Handles (runtimes, recorders, waits, completions) and objects (errors,
texts, snapshots, values) are ``c_void_p``, so they come and go as integers; ``None`` is NULL. What each function
does, and who owns what, is told in the header.

The functions are called through ``CDLL``: each call lets go of the interpreter's lock, so that a call that waits
never keeps a callback of the library from running.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, TypeVar, Union

ABI_VERSION = 1

#: The variable that names the shared object; it goes before all other places.
LIBRARY_VARIABLE = "MVX_METRICS_LIBRARY"

# ---- Statuses ----

OK = 0
INVALID_ARGUMENT = 1
INVALID_HANDLE = 2
INVALID_STATE = 3
QUEUE_OVERFLOW = 4
ALREADY_EXISTS = 5
NOT_FOUND = 6
HOOK_FAILED = 7
METRIC_FAILED = 8
STARTUP_FAILED = 9
STOP_FAILED = 10
SHUTDOWN_FAILED = 11
LIMIT_REACHED = 12
CANCELLED = 13
TIMEOUT = 14
NOT_READY = 15
WOULD_DEADLOCK = 16
FORKED = 17
UNSUPPORTED = 18
UNEXPECTED = 19

# ---- Events ----

FIELD_I8 = 1
FIELD_I16 = 2
FIELD_I32 = 3
FIELD_I64 = 4
FIELD_U8 = 5
FIELD_U16 = 6
FIELD_U32 = 7
FIELD_U64 = 8
FIELD_F32 = 9
FIELD_F64 = 10
FIELD_BOOL = 11
FIELD_SYMBOL = 12
FIELD_TEXT = 13

EVENT_TYPE_TIMED = 1

# ---- Logs ----

LOG_ERROR = 1
LOG_WARN = 2
LOG_INFO = 3
LOG_DEBUG = 4
LOG_TRACE = 5

LOG_POLICY_SILENT = 1
LOG_POLICY_NORMAL = 2
LOG_POLICY_INSPECTION = 3

# ---- Hooks and options ----

HOOK_DONE = 0
HOOK_PENDING = 1

OVERFLOW_DROP = 1
OVERFLOW_RAISE_ERROR = 2
OVERFLOW_BLOCK = 3

METRIC_ERROR_FAIL_RECORDER = 1
METRIC_ERROR_QUARANTINE_METRIC = 2

FOLDING_ON = 1
FOLDING_OFF = 2

# ---- States ----

RUNTIME_VIRGIN = 0
RUNTIME_STARTING = 1
RUNTIME_RUNNING = 2
RUNTIME_STOPPING = 3
RUNTIME_CLOSED = 4
RUNTIME_FAILURE = 5

RECORDER_VIRGIN = 0
RECORDER_STARTING = 1
RECORDER_RUNNING = 2
RECORDER_STOPPING = 3
RECORDER_STOPPED = 4
RECORDER_FAILURE = 5
RECORDER_CANCELLED = 6

# ---- Metrics ----

EVENT_IGNORED = 0
EVENT_CHANGED = 1
EVENT_FAILED = 2

SNAPSHOT_DONE = 0
SNAPSHOT_FAILED = 2

METRIC_COMMUTATIVE = 1

METRIC_VTABLE = 1
METRIC_COUNTER = 2
METRIC_UP_DOWN_COUNTER = 3
METRIC_GAUGE = 4
METRIC_HISTOGRAM = 5
METRIC_EXPONENTIAL_HISTOGRAM = 6
METRIC_QUANTILE_SKETCH = 7
METRIC_DISTINCT_COUNT = 8

METRIC_ACTIVE = 1
METRIC_QUARANTINED = 2

FILTER_EQ = 1
FILTER_NE = 2
FILTER_LT = 3
FILTER_LE = 4
FILTER_GT = 5
FILTER_GE = 6

# ---- Snapshots and waits ----

VALUE_NULL = 0
VALUE_BOOL = 1
VALUE_I64 = 2
VALUE_U64 = 3
VALUE_F64 = 4
VALUE_STR = 5
VALUE_LIST = 6
VALUE_MAP = 7

SNAPSHOT_CONSISTENT = 0
SNAPSHOT_RELAXED = 1

OPERATION_START = 1
OPERATION_STOP = 2
OPERATION_FLUSH = 3
OPERATION_SHUTDOWN = 4

# ---- Structs ----

_F = TypeVar("_F", bound=Callable[..., Any])


def callback(kind: Any) -> Callable[[_F], Any]:
    """Makes a function one that the library can call. It has to be kept as long as that may happen."""

    def make(function: _F) -> Any:
        return kind(function)

    return make



class Str(Structure):
    """``mvx_str``. Make one with :func:`str_of`, read one with :func:`text_of`."""

    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class Field(Structure):
    """``mvx_field``."""

    _fields_ = [("name", Str), ("kind", c_uint32), ("offset", c_uint32), ("size", c_uint32)]


#: void (*)(void *user_data): every `drop`, and the thread hooks.
DropFn = CFUNCTYPE(None, c_void_p)
#: void (*)(void *user_data, const void *payload, size_t len)
ReleaseFn = CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)


class EventTypeOptions(Structure):
    """``mvx_event_type_options``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("name", Str),
        ("fields", POINTER(Field)),
        ("field_count", c_size_t),
        ("flags", c_uint32),
        ("release", ReleaseFn),
        ("drop", DropFn),
        ("user_data", c_void_p),
    ]


class Event(Structure):
    """``mvx_event``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("type", c_uint32),
        ("type_name", Str),
        ("payload", c_void_p),
        ("len", c_size_t),
        ("time_unix_ns", c_uint64),
    ]


class LogField(Structure):
    """``mvx_log_field``."""

    _fields_ = [("key", Str), ("value", Str)]


class LogRecord(Structure):
    """``mvx_log_record``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("level", c_int32),
        ("event", Str),
        ("target", Str),
        ("entity_id", Str),
        ("fields", POINTER(LogField)),
        ("field_count", c_size_t),
    ]


#: void (*)(void *user_data, const mvx_log_record *record)
LogWriteFn = CFUNCTYPE(None, c_void_p, POINTER(LogRecord))


class Log(Structure):
    """``mvx_log``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("policy", c_uint32),
        ("max_level", c_int32),
        ("write", LogWriteFn),
        ("drop", DropFn),
        ("user_data", c_void_p),
    ]


class ThreadHooks(Structure):
    """``mvx_thread_hooks``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("on_start", DropFn),
        ("on_stop", DropFn),
        ("drop", DropFn),
        ("user_data", c_void_p),
    ]


#: int32_t (*)(void *user_data, mvx_completion *completion, mvx_callback_error *error)
HookFn = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)
#: int32_t (*)(void *user_data, mvx_str metric_name, void *metric_user_data, const mvx_event *event,
#: mvx_completion *completion, mvx_callback_error *error)
MetricChangedFn = CFUNCTYPE(c_int32, c_void_p, Str, c_void_p, POINTER(Event), c_void_p, c_void_p)


class Hooks(Structure):
    """``mvx_hooks``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("on_starting", HookFn),
        ("on_stopped", HookFn),
        ("on_metric_changed", MetricChangedFn),
        ("drop", DropFn),
        ("user_data", c_void_p),
    ]


class RuntimeOptions(Structure):
    """``mvx_runtime_options``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("name_space", Str),
        ("recorder_queue_max_size", c_int64),
        ("recorder_overflow_policy", c_uint32),
        ("worker_threads", c_uint32),
        ("shutdown_timeout_ns", c_int64),
        ("log", POINTER(Log)),
        ("thread_name_prefix", Str),
        ("recorder_queue_max_bytes", c_int64),
        ("thread_hooks", POINTER(ThreadHooks)),
    ]


class RecorderOptions(Structure):
    """``mvx_recorder_options``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("entity_id", Str),
        ("name_space", Str),
        ("queue_max_size", c_int64),
        ("queue_max_bytes", c_int64),
        ("overflow_policy", c_uint32),
        ("block_timeout_ns", c_int64),
        ("metric_error_policy", c_uint32),
        ("folding", c_uint32),
        ("hooks", POINTER(Hooks)),
        ("log", POINTER(Log)),
    ]


class Stats(Structure):
    """``mvx_stats``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("accepted", c_uint64),
        ("dispatched", c_uint64),
        ("dropped", c_uint64),
        ("refused", c_uint64),
        ("discarded", c_uint64),
        ("pending", c_uint64),
        ("pending_max", c_uint64),
        ("pending_bytes", c_uint64),
        ("quarantined_metrics", c_uint64),
        ("lag_ns", c_int64),
    ]


class Filter(Structure):
    """``mvx_filter``."""

    _fields_ = [
        ("field", Str),
        ("op", c_uint32),
        ("value_kind", c_uint32),
        ("i64", c_int64),
        ("u64", c_uint64),
        ("f64", c_double),
        ("str", Str),
    ]


class MetricSpec(Structure):
    """``mvx_metric_spec``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("name", Str),
        ("unit", Str),
        ("help", Str),
        ("kind", c_uint32),
        ("flags", c_uint32),
        ("event_types", POINTER(c_uint32)),
        ("event_type_count", c_size_t),
        ("value_field", Str),
        ("filters", POINTER(Filter)),
        ("filter_count", c_size_t),
        ("group_by", POINTER(Str)),
        ("group_by_count", c_size_t),
        ("max_series", c_int64),
        ("bounds", POINTER(c_double)),
        ("bound_count", c_size_t),
        ("relative_error", c_double),
    ]


#: int32_t (*)(void *user_data, const mvx_event *event, mvx_callback_error *error)
HandleEventFn = CFUNCTYPE(c_int32, c_void_p, POINTER(Event), c_void_p)
#: int32_t (*)(void *user_data, const mvx_event *events, size_t count, uint8_t *changed, mvx_callback_error *error)
HandleBatchFn = CFUNCTYPE(c_int32, c_void_p, POINTER(Event), c_size_t, POINTER(c_uint8), c_void_p)
#: int32_t (*)(void *user_data, mvx_writer *writer, mvx_callback_error *error)
SnapshotFn = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)


class MetricVtable(Structure):
    """``mvx_metric_vtable``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("handle_event", HandleEventFn),
        ("handle_batch", HandleBatchFn),
        ("snapshot", SnapshotFn),
        ("drop", DropFn),
        ("event_types", POINTER(c_uint32)),
        ("event_type_count", c_size_t),
        ("flags", c_uint32),
    ]


class MetricInfo(Structure):
    """``mvx_metric_info``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("name", Str),
        ("kind", c_uint32),
        ("state", c_uint32),
        ("user_data", c_void_p),
        ("error", c_void_p),
    ]


#: int32_t (*)(void *context, const mvx_metric_info *metric)
MetricVisitor = CFUNCTYPE(c_int32, c_void_p, POINTER(MetricInfo))
#: void (*)(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
CompletionFn = CFUNCTYPE(None, c_void_p, c_int32, c_int32, c_void_p)

#: Sizes of the first versions of the structs that may grow: what the header freezes as MVX_..._V1_SIZE.
V1_SIZES: Dict[type, int] = {
    EventTypeOptions: 72,
    Event: 56,
    LogRecord: 80,
    Log: 40,
    ThreadHooks: 40,
    Hooks: 48,
    RuntimeOptions: 88,
    RecorderOptions: 96,
    Stats: 88,
    MetricSpec: 160,
    MetricVtable: 64,
    MetricInfo: 48,
}

# ---- Texts ----


def str_of(text: Union[str, bytes, Str, None]) -> Str:
    """An ``mvx_str`` that keeps its bytes alive; ``None`` is the empty text, and an ``mvx_str`` stays as it is."""
    if isinstance(text, Str):
        return text
    if not text:
        return Str(None, 0)
    data = text.encode("utf-8") if isinstance(text, str) else text
    return Str(data, len(data))


def bytes_of(text: Str) -> bytes:
    """A copy of the bytes of an ``mvx_str`` that the library handed out."""
    length = text.len
    if not length:
        return b""
    # The field would stop at the first NUL; the pointer itself does not.
    return ctypes.string_at(c_void_p.from_buffer(text).value or 0, length)


def text_of(text: Str) -> str:
    """A copy of an ``mvx_str`` that the library handed out, as a Python text."""
    return bytes_of(text).decode("utf-8", "replace")


# ---- Functions ----

_Out = POINTER(c_void_p)

#: name -> (result, arguments), as in the header.
SIGNATURES: Dict[str, Tuple[Any, Sequence[Any]]] = {
    "mvx_text_str": (Str, [c_void_p]),
    "mvx_text_free": (None, [c_void_p]),
    "mvx_strings_len": (c_size_t, [c_void_p]),
    "mvx_strings_at": (Str, [c_void_p, c_size_t]),
    "mvx_strings_free": (None, [c_void_p]),
    "mvx_status_name": (c_char_p, [c_int32]),
    "mvx_abi_version": (c_uint32, []),
    "mvx_version": (c_char_p, []),
    "mvx_error_status": (c_int32, [c_void_p]),
    "mvx_error_reason": (Str, [c_void_p]),
    "mvx_error_message": (Str, [c_void_p]),
    "mvx_error_details_json": (Str, [c_void_p]),
    "mvx_error_cause": (c_void_p, [c_void_p]),
    "mvx_error_free": (None, [c_void_p]),
    "mvx_callback_error_set": (None, [c_void_p, Str]),
    "mvx_event_type_declare": (c_int32, [POINTER(EventTypeOptions), POINTER(c_uint32), _Out]),
    "mvx_event_type_name": (c_int32, [c_uint32, POINTER(Str)]),
    "mvx_intern": (c_int32, [Str, POINTER(c_uint32)]),
    "mvx_symbol_text": (c_int32, [c_uint32, POINTER(Str)]),
    "mvx_completion_done": (c_int32, [c_void_p, Str]),
    "mvx_runtime_create": (c_int32, [POINTER(RuntimeOptions), _Out, _Out]),
    "mvx_runtime_default": (c_int32, [_Out, _Out]),
    "mvx_runtime_clone": (c_int32, [c_void_p, _Out]),
    "mvx_runtime_start": (c_int32, [c_void_p, _Out]),
    "mvx_runtime_shutdown": (c_int32, [c_void_p, _Out]),
    "mvx_runtime_shutdown_async": (c_int32, [c_void_p, _Out, _Out]),
    "mvx_runtime_state": (c_int32, [c_void_p, POINTER(c_int32)]),
    "mvx_runtime_last_error": (c_int32, [c_void_p, _Out]),
    "mvx_runtime_create_recorder": (c_int32, [c_void_p, Str, POINTER(RecorderOptions), _Out, _Out]),
    "mvx_runtime_get_recorder": (c_int32, [c_void_p, Str, _Out, _Out]),
    "mvx_runtime_try_get_recorder": (c_int32, [c_void_p, Str, _Out, _Out]),
    "mvx_runtime_list_recorder_ids": (c_int32, [c_void_p, _Out, _Out]),
    "mvx_runtime_stop_recorder": (c_int32, [c_void_p, Str, _Out]),
    "mvx_runtime_stop_and_remove_recorder": (c_int32, [c_void_p, Str, _Out, _Out]),
    "mvx_runtime_free": (None, [c_void_p]),
    "mvx_recorder_create": (c_int32, [c_void_p, POINTER(RecorderOptions), _Out, _Out]),
    "mvx_recorder_clone": (c_int32, [c_void_p, _Out]),
    "mvx_recorder_start": (c_int32, [c_void_p, _Out, _Out]),
    "mvx_recorder_stop": (c_int32, [c_void_p, _Out, _Out]),
    "mvx_recorder_flush": (c_int32, [c_void_p, _Out, _Out]),
    "mvx_recorder_cancel": (c_int32, [c_void_p, _Out]),
    "mvx_recorder_state": (c_int32, [c_void_p, POINTER(c_int32)]),
    "mvx_recorder_last_error": (c_int32, [c_void_p, _Out]),
    "mvx_recorder_entity_id": (c_int32, [c_void_p, _Out]),
    "mvx_recorder_name_space": (c_int32, [c_void_p, _Out]),
    "mvx_recorder_stats": (c_int32, [c_void_p, POINTER(Stats)]),
    "mvx_recorder_register_event": (c_int32, [c_void_p, c_uint32, c_char_p, c_size_t]),
    "mvx_recorder_register_events": (
        c_int32,
        [c_void_p, c_uint32, c_char_p, c_size_t, c_size_t, POINTER(c_size_t)],
    ),
    "mvx_recorder_free": (None, [c_void_p]),
    "mvx_writer_null": (c_int32, [c_void_p, Str]),
    "mvx_writer_bool": (c_int32, [c_void_p, Str, c_int32]),
    "mvx_writer_i64": (c_int32, [c_void_p, Str, c_int64]),
    "mvx_writer_u64": (c_int32, [c_void_p, Str, c_uint64]),
    "mvx_writer_f64": (c_int32, [c_void_p, Str, c_double]),
    "mvx_writer_str": (c_int32, [c_void_p, Str, Str]),
    "mvx_writer_begin_map": (c_int32, [c_void_p, Str]),
    "mvx_writer_begin_list": (c_int32, [c_void_p, Str]),
    "mvx_writer_end": (c_int32, [c_void_p]),
    "mvx_recorder_register_metric": (c_int32, [c_void_p, Str, POINTER(MetricVtable), c_void_p, _Out]),
    "mvx_recorder_iter_metrics": (c_int32, [c_void_p, MetricVisitor, c_void_p, _Out]),
    "mvx_value_kind": (c_int32, [c_void_p]),
    "mvx_value_len": (c_size_t, [c_void_p]),
    "mvx_value_key_at": (Str, [c_void_p, c_size_t]),
    "mvx_value_at": (c_void_p, [c_void_p, c_size_t]),
    "mvx_value_get": (c_void_p, [c_void_p, Str]),
    "mvx_value_as_bool": (c_int32, [c_void_p, POINTER(c_int32)]),
    "mvx_value_as_i64": (c_int32, [c_void_p, POINTER(c_int64)]),
    "mvx_value_as_u64": (c_int32, [c_void_p, POINTER(c_uint64)]),
    "mvx_value_as_f64": (c_int32, [c_void_p, POINTER(c_double)]),
    "mvx_value_as_str": (c_int32, [c_void_p, POINTER(Str)]),
    "mvx_recorder_register_native_metric": (c_int32, [c_void_p, POINTER(MetricSpec), _Out]),
    "mvx_recorder_snapshot": (c_int32, [c_void_p, c_uint32, c_int64, _Out, _Out]),
    "mvx_snapshot_len": (c_size_t, [c_void_p]),
    "mvx_snapshot_name_at": (Str, [c_void_p, c_size_t]),
    "mvx_snapshot_get": (c_void_p, [c_void_p, Str]),
    "mvx_snapshot_to_json": (c_int32, [c_void_p, _Out, _Out]),
    "mvx_snapshot_to_openmetrics": (c_int32, [c_void_p, _Out, _Out]),
    "mvx_snapshot_free": (None, [c_void_p]),
    "mvx_wait_block": (c_int32, [c_void_p, c_int64]),
    "mvx_wait_result": (c_int32, [c_void_p, POINTER(c_int32), _Out]),
    "mvx_wait_on_complete": (c_int32, [c_void_p, CompletionFn, c_void_p, DropFn]),
    "mvx_wait_free": (None, [c_void_p]),
}
if sys.platform == "win32":
    SIGNATURES["mvx_wait_handle"] = (c_int32, [c_void_p, _Out])
else:
    SIGNATURES["mvx_wait_fd"] = (c_int32, [c_void_p, POINTER(c_int)])

# ---- Finding and loading the shared object ----


def _file_name() -> str:
    if sys.platform == "win32":
        return "mvx_metrics.dll"
    return "libmvx_metrics.dylib" if sys.platform == "darwin" else "libmvx_metrics.so"


def loaded_already() -> Optional[ctypes.CDLL]:
    """The copy that another language of the process has loaded, if it has: both have the same recorders only by it."""
    try:
        if sys.platform == "win32":
            named = ctypes.WinDLL("kernel32").GetModuleHandleW
            named.restype, named.argtypes = c_void_p, [ctypes.c_wchar_p]
            handle = named(_file_name())
            return ctypes.CDLL(_file_name(), handle=handle) if handle else None
        # The SONAME, whose number is one less: the first interface was that of 0.
        return ctypes.CDLL(f"libmvx_metrics.so.{ABI_VERSION - 1}", mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except (AttributeError, OSError):
        return None


def candidates() -> List[str]:
    """Where the shared object is looked for, in this order; the variable alone counts where it is set."""
    named = os.environ.get(LIBRARY_VARIABLE)
    if named:
        return [named]
    found = [str(path) for path in [Path(__file__).resolve().parent / _file_name()] if path.exists()]
    system = ctypes.util.find_library("mvx_metrics")
    return found + ([system] if system else []) + [_file_name()]


def load(path: Optional[str] = None) -> ctypes.CDLL:
    """Loads the shared object and declares its functions.

    Raises ``ImportError`` where it can't be found, or speaks another version of the surface.
    """
    if path is None and not os.environ.get(LIBRARY_VARIABLE):
        library = loaded_already()
        if library is not None:
            return _declared(library, "the copy that the process has loaded already")
    failures = []
    for candidate in [path] if path is not None else candidates():
        try:
            library = ctypes.CDLL(candidate)
        except OSError as failure:
            failures.append(str(failure))
            continue
        return _declared(library, candidate)
    raise ImportError(
        "the shared object of mvx_metrics was not found; set "
        f"{LIBRARY_VARIABLE} to its path ({'; '.join(failures)})"
    )


def _declared(library: ctypes.CDLL, origin: str) -> ctypes.CDLL:
    version: Callable[[], int] = library.mvx_abi_version
    version.restype = c_uint32  # type: ignore[attr-defined]
    if version() != ABI_VERSION:
        raise ImportError(f"{origin} has version {version()} of the surface, {ABI_VERSION} is needed")
    for name, (result, arguments) in SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{origin} is too old for this package: it has no {name}") from None
        function.restype = result
        function.argtypes = arguments
    return library


#: The loaded library. Every function of the header is an attribute.
lib = load()

#: mvx_recorder_register_event once more, without declared arguments: what it is called with must be a ``c_void_p``, the
#: number of an event type (which fits the C ``int`` that it goes as), bytes, and a ``c_size_t``. That spares ctypes half
#: of its work, and nothing checks it: a ``str`` would go as a pointer too.
register_event_prepared = lib["mvx_recorder_register_event"]
register_event_prepared.restype = c_int32
