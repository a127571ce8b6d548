"""The constants of the library, by the names that the contract gives them."""

from __future__ import annotations

from enum import IntEnum

from . import _abi


class Status(IntEnum):
    """What a call came to."""

    OK = _abi.OK
    INVALID_ARGUMENT = _abi.INVALID_ARGUMENT
    INVALID_HANDLE = _abi.INVALID_HANDLE
    INVALID_STATE = _abi.INVALID_STATE
    QUEUE_OVERFLOW = _abi.QUEUE_OVERFLOW
    ALREADY_EXISTS = _abi.ALREADY_EXISTS
    NOT_FOUND = _abi.NOT_FOUND
    HOOK_FAILED = _abi.HOOK_FAILED
    METRIC_FAILED = _abi.METRIC_FAILED
    STARTUP_FAILED = _abi.STARTUP_FAILED
    STOP_FAILED = _abi.STOP_FAILED
    SHUTDOWN_FAILED = _abi.SHUTDOWN_FAILED
    LIMIT_REACHED = _abi.LIMIT_REACHED
    CANCELLED = _abi.CANCELLED
    TIMEOUT = _abi.TIMEOUT
    NOT_READY = _abi.NOT_READY
    WOULD_DEADLOCK = _abi.WOULD_DEADLOCK
    FORKED = _abi.FORKED
    UNSUPPORTED = _abi.UNSUPPORTED
    UNEXPECTED = _abi.UNEXPECTED

    @classmethod
    def _missing_(cls, value: object) -> Status:
        # A later library may know more; what is unknown counts as a failure.
        return cls.UNEXPECTED


class RuntimeState(IntEnum):
    """The state of a runtime."""

    VIRGIN = _abi.RUNTIME_VIRGIN
    STARTING = _abi.RUNTIME_STARTING
    RUNNING = _abi.RUNTIME_RUNNING
    STOPPING = _abi.RUNTIME_STOPPING
    CLOSED = _abi.RUNTIME_CLOSED
    FAILURE = _abi.RUNTIME_FAILURE


class RecorderState(IntEnum):
    """The state of a recorder."""

    VIRGIN = _abi.RECORDER_VIRGIN
    STARTING = _abi.RECORDER_STARTING
    RUNNING = _abi.RECORDER_RUNNING
    STOPPING = _abi.RECORDER_STOPPING
    STOPPED = _abi.RECORDER_STOPPED
    FAILURE = _abi.RECORDER_FAILURE
    CANCELLED = _abi.RECORDER_CANCELLED


class Operation(IntEnum):
    """What a wait waits for."""

    START = _abi.OPERATION_START
    STOP = _abi.OPERATION_STOP
    FLUSH = _abi.OPERATION_FLUSH
    SHUTDOWN = _abi.OPERATION_SHUTDOWN


class OverflowPolicy(IntEnum):
    """What happens to an event at the pending limit."""

    DROP = _abi.OVERFLOW_DROP
    RAISE_ERROR = _abi.OVERFLOW_RAISE_ERROR
    BLOCK = _abi.OVERFLOW_BLOCK


class MetricErrorPolicy(IntEnum):
    """What a metric that fails does to its recorder."""

    FAIL_RECORDER = _abi.METRIC_ERROR_FAIL_RECORDER
    QUARANTINE_METRIC = _abi.METRIC_ERROR_QUARANTINE_METRIC


class Folding(IntEnum):
    """Whether events that only native counters want may be counted where they are recorded."""

    ON = _abi.FOLDING_ON
    OFF = _abi.FOLDING_OFF


class FieldKind(IntEnum):
    """The type of a field of an event."""

    I8 = _abi.FIELD_I8
    I16 = _abi.FIELD_I16
    I32 = _abi.FIELD_I32
    I64 = _abi.FIELD_I64
    U8 = _abi.FIELD_U8
    U16 = _abi.FIELD_U16
    U32 = _abi.FIELD_U32
    U64 = _abi.FIELD_U64
    F32 = _abi.FIELD_F32
    F64 = _abi.FIELD_F64
    BOOL = _abi.FIELD_BOOL
    SYMBOL = _abi.FIELD_SYMBOL
    TEXT = _abi.FIELD_TEXT


class MetricKind(IntEnum):
    """The kind of a metric."""

    VTABLE = _abi.METRIC_VTABLE
    COUNTER = _abi.METRIC_COUNTER
    UP_DOWN_COUNTER = _abi.METRIC_UP_DOWN_COUNTER
    GAUGE = _abi.METRIC_GAUGE
    HISTOGRAM = _abi.METRIC_HISTOGRAM
    EXPONENTIAL_HISTOGRAM = _abi.METRIC_EXPONENTIAL_HISTOGRAM
    QUANTILE_SKETCH = _abi.METRIC_QUANTILE_SKETCH
    DISTINCT_COUNT = _abi.METRIC_DISTINCT_COUNT


class MetricState(IntEnum):
    """Whether a metric gets events."""

    ACTIVE = _abi.METRIC_ACTIVE
    QUARANTINED = _abi.METRIC_QUARANTINED


class FilterOp(IntEnum):
    """How a filter compares a field with its value."""

    EQ = _abi.FILTER_EQ
    NE = _abi.FILTER_NE
    LT = _abi.FILTER_LT
    LE = _abi.FILTER_LE
    GT = _abi.FILTER_GT
    GE = _abi.FILTER_GE


class ValueKind(IntEnum):
    """The kind of a value in a snapshot or filter."""

    NULL = _abi.VALUE_NULL
    BOOL = _abi.VALUE_BOOL
    I64 = _abi.VALUE_I64
    U64 = _abi.VALUE_U64
    F64 = _abi.VALUE_F64
    STR = _abi.VALUE_STR
    LIST = _abi.VALUE_LIST
    MAP = _abi.VALUE_MAP


class SnapshotMode(IntEnum):
    """Whether a snapshot waits for the events that are pending."""

    CONSISTENT = _abi.SNAPSHOT_CONSISTENT
    RELAXED = _abi.SNAPSHOT_RELAXED


class LogPolicy(IntEnum):
    """How much of what happens is logged."""

    SILENT = _abi.LOG_POLICY_SILENT
    NORMAL = _abi.LOG_POLICY_NORMAL
    INSPECTION = _abi.LOG_POLICY_INSPECTION


class LogLevel(IntEnum):
    """How severe a log record is."""

    ERROR = _abi.LOG_ERROR
    WARN = _abi.LOG_WARN
    INFO = _abi.LOG_INFO
    DEBUG = _abi.LOG_DEBUG
    TRACE = _abi.LOG_TRACE
