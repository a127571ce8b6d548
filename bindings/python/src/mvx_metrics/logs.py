"""What the library logs, and where it goes."""

from __future__ import annotations

import ctypes
import logging
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional

from . import _abi
from ._exit import flag
from ._pins import drop, find, pin, unraisable
from .constants import LogLevel, LogPolicy


@dataclass(frozen=True)
class LogRecord:
    """One record, such as ``metrics_recorder.start.failed``."""

    level: LogLevel
    event: str
    #: The part of the library that speaks.
    target: str
    #: The recorder's entity id, or the runtime's namespace.
    entity_id: str
    fields: Dict[str, str]


@dataclass(frozen=True)
class Log:
    """Takes the records of a runtime or recorder, on whatever thread they happen, also on several at once.

    What ``write`` raises goes to ``sys.unraisablehook``.
    """

    write: Callable[[LogRecord], None]
    policy: LogPolicy = LogPolicy.NORMAL
    max_level: LogLevel = LogLevel.INFO
    #: Called once, when the library lets go of the log.
    drop: Optional[Callable[[], None]] = None


_LEVELS = {
    LogLevel.ERROR: logging.ERROR,
    LogLevel.WARN: logging.WARNING,
    LogLevel.INFO: logging.INFO,
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.TRACE: logging.DEBUG,
}


def log_to(logger: logging.Logger, policy: LogPolicy = LogPolicy.NORMAL, max_level: LogLevel = LogLevel.INFO) -> Log:
    """A log that writes to a logger of the standard library; the record is its ``mvx_record``."""

    def write(record: LogRecord) -> None:
        facts = "".join(f" {key}={value}" for key, value in record.fields.items())
        logger.log(_LEVELS[record.level], "%s %s%s", record.event, record.entity_id, facts, extra={"mvx_record": record})

    return Log(write, policy, max_level)


class _LogUse:
    __slots__ = ("write", "dropped")

    def __init__(self, log: Log) -> None:
        self.write = log.write
        self.dropped = log.drop


@_abi.callback(_abi.LogWriteFn)
def _write(user_data: Optional[int], pointer: Any) -> None:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return
    try:
        at = pointer.contents
        fields = {}
        for index in range(at.field_count):
            field = at.fields[index]
            fields[_abi.text_of(field.key)] = _abi.text_of(field.value)
        use.write(
            LogRecord(
                LogLevel(at.level),
                _abi.text_of(at.event),
                _abi.text_of(at.target),
                _abi.text_of(at.entity_id),
                fields,
            )
        )
    except BaseException as failure:  # noqa: B902 - nothing may leave a callback
        unraisable(failure, use.write)


def log_struct(log: Log, struct_size: Optional[int] = None) -> _abi.Log:
    """The C form of a log, which the library owns from the call on that is handed it."""
    struct = _abi.Log()
    struct.struct_size = ctypes.sizeof(struct) if struct_size is None else struct_size
    struct.policy = int(log.policy)
    struct.max_level = int(log.max_level)
    struct.write = _write
    struct.drop = drop
    struct.user_data = pin(_LogUse(log))
    return struct
