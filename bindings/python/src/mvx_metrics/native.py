"""The library as Python objects: runtimes, recorders, waits, snapshots, event types and metrics."""

from __future__ import annotations

from .callback_metrics import CallbackMetric
from .constants import (
    FieldKind,
    FilterOp,
    Folding,
    LogLevel,
    LogPolicy,
    MetricErrorPolicy,
    MetricKind,
    MetricState,
    Operation,
    OverflowPolicy,
    RecorderState,
    RuntimeState,
    SnapshotMode,
    Status,
    ValueKind,
)
from .event_types import Event, EventType, Field, declare_event_type, event_type_name, intern, symbol_text
from .hooks import PENDING, Completion, Hooks, ThreadHooks
from .logs import Log, LogRecord, log_to
from .native_errors import CallbackError, InvalidArgument, MvxError, TimedOut
from .native_metrics import Filter, NativeMetric
from .options import RecorderOptions, RuntimeOptions
from .recorder import MetricInfo, Recorder, RecorderStats
from .runtime import Runtime
from .snapshots import Snapshot
from .waits import Wait, WaitResult

__all__ = [
    "PENDING",
    "CallbackError",
    "CallbackMetric",
    "Completion",
    "Event",
    "EventType",
    "Field",
    "FieldKind",
    "Filter",
    "FilterOp",
    "Folding",
    "Hooks",
    "InvalidArgument",
    "Log",
    "LogLevel",
    "LogPolicy",
    "LogRecord",
    "MetricErrorPolicy",
    "MetricInfo",
    "MetricKind",
    "MetricState",
    "MvxError",
    "NativeMetric",
    "Operation",
    "OverflowPolicy",
    "Recorder",
    "RecorderOptions",
    "RecorderState",
    "RecorderStats",
    "Runtime",
    "RuntimeOptions",
    "RuntimeState",
    "Snapshot",
    "SnapshotMode",
    "Status",
    "ThreadHooks",
    "TimedOut",
    "ValueKind",
    "Wait",
    "WaitResult",
    "declare_event_type",
    "event_type_name",
    "intern",
    "log_to",
    "symbol_text",
]
