"""Options of runtimes and recorders. What is ``None`` is left to its default; times are in seconds."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Optional

from . import _abi
from .constants import Folding, MetricErrorPolicy, OverflowPolicy
from .hooks import Hooks, ThreadHooks, hooks_struct, thread_hooks_struct
from .logs import Log, log_struct
from .native_errors import invalid_argument


def _not_zero(options: Any, *names: str) -> None:
    # To the library 0 means the default; who writes 0 here means something else.
    for name in names:
        if getattr(options, name) == 0:
            raise invalid_argument(name, f"{name} must be positive")


def _nanoseconds(seconds: Optional[float]) -> int:
    if seconds is None:
        return 0
    # A tiny time must not become 0, which means the default.
    return max(min(int(seconds * 1e9), 2**63 - 1), -(2**63)) or (1 if seconds > 0 else 0)


@dataclass(frozen=True)
class RuntimeOptions:
    """Options of a runtime."""

    #: Names the runtime, in logs and as the default of its recorders ("mvx").
    name_space: str = ""
    #: Pending events of each recorder, at most (10,000).
    recorder_queue_max_size: Optional[int] = None
    #: Bytes of pending events of each recorder, at most (16 MiB).
    recorder_queue_max_bytes: Optional[int] = None
    #: For recorders that the runtime creates (DROP).
    recorder_overflow_policy: Optional[OverflowPolicy] = None
    #: Threads that coordinate (1).
    worker_threads: Optional[int] = None
    #: What bounds a shutdown (5 s).
    shutdown_timeout: Optional[float] = None
    #: Begins the names of the runtime's threads ("mvx").
    thread_name_prefix: str = ""
    #: The log of the runtime, and of its recorders where they name none.
    log: Optional[Log] = None
    thread_hooks: Optional[ThreadHooks] = None

    def __post_init__(self) -> None:
        _not_zero(
            self, "recorder_queue_max_size", "recorder_queue_max_bytes", "worker_threads", "shutdown_timeout"
        )
        if self.worker_threads is not None and not 0 <= self.worker_threads < 2**32:
            raise invalid_argument("worker_threads", "worker_threads must be positive")


@dataclass(frozen=True)
class RecorderOptions:
    """Options of a recorder. Where a runtime creates it, the runtime's options are the defaults."""

    #: Names the recorder in logs and snapshots.
    entity_id: str = ""
    name_space: str = ""
    #: Pending events, at most.
    queue_max_size: Optional[int] = None
    #: Bytes of pending events, at most.
    queue_max_bytes: Optional[int] = None
    overflow_policy: Optional[OverflowPolicy] = None
    #: How long BLOCK waits (1 s).
    block_timeout: Optional[float] = None
    metric_error_policy: Optional[MetricErrorPolicy] = None
    folding: Optional[Folding] = None
    hooks: Optional[Hooks] = None
    log: Optional[Log] = None

    def __post_init__(self) -> None:
        _not_zero(self, "queue_max_size", "queue_max_bytes", "block_timeout")


def runtime_struct(options: RuntimeOptions, struct_size: Optional[int] = None) -> _abi.RuntimeOptions:
    """The C form of a runtime's options."""
    struct = _abi.RuntimeOptions()
    struct.struct_size = ctypes.sizeof(struct) if struct_size is None else struct_size
    struct.name_space = _abi.str_of(options.name_space)
    struct.recorder_queue_max_size = options.recorder_queue_max_size or 0
    struct.recorder_queue_max_bytes = options.recorder_queue_max_bytes or 0
    struct.recorder_overflow_policy = int(options.recorder_overflow_policy or 0)
    struct.worker_threads = options.worker_threads or 0
    struct.shutdown_timeout_ns = _nanoseconds(options.shutdown_timeout)
    struct.thread_name_prefix = _abi.str_of(options.thread_name_prefix)
    # Last, because from here on the library has to be called, or nobody drops these.
    if options.log is not None:
        struct.log = ctypes.pointer(_log(options.log))
    if options.thread_hooks is not None:
        struct.thread_hooks = ctypes.pointer(thread_hooks_struct(options.thread_hooks))
    return struct


def recorder_struct(
    options: RecorderOptions, runtime: Any, struct_size: Optional[int] = None
) -> _abi.RecorderOptions:
    """The C form of a recorder's options."""
    struct = _abi.RecorderOptions()
    struct.struct_size = ctypes.sizeof(struct) if struct_size is None else struct_size
    struct.entity_id = _abi.str_of(options.entity_id)
    struct.name_space = _abi.str_of(options.name_space)
    struct.queue_max_size = options.queue_max_size or 0
    struct.queue_max_bytes = options.queue_max_bytes or 0
    struct.overflow_policy = int(options.overflow_policy or 0)
    struct.block_timeout_ns = _nanoseconds(options.block_timeout)
    struct.metric_error_policy = int(options.metric_error_policy or 0)
    struct.folding = int(options.folding or 0)
    # Last, because from here on the library has to be called, or nobody drops these.
    if options.hooks is not None:
        hooks = options.hooks
        size = getattr(hooks, "_struct_size", None)
        struct.hooks = ctypes.pointer(hooks_struct(hooks, runtime, size))
    if options.log is not None:
        struct.log = ctypes.pointer(_log(options.log))
    return struct


def _log(log: Log) -> _abi.Log:
    # A test passes a wrong size this way; nobody else does.
    return log_struct(log, getattr(log, "_struct_size", None))
