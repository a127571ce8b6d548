"""Metrics that are Python objects."""

from __future__ import annotations

import ctypes
from typing import Any, Iterable, List, Mapping, Optional, Protocol, Sequence, Union

from . import _abi
from ._exit import flag
from ._pins import drop, find, pin, say_why
from .event_types import Event, copy_event, copy_events, number_of
from .native_errors import CallbackError
from .snapshots import write_members


class CallbackMetric(Protocol):
    """What a metric written in Python has. Its methods run on threads of the library, never two at once.

    ``handle_event`` returns whether the event changed the metric, and fails by raising. ``snapshot`` gives names and
    values: None, bool, int of 64 bits, float, str, and lists and mappings of these.

    A metric may also have ``handle_batch(events)``, which takes a list of events and returns whether any changed the
    metric, or a sequence that tells it of each; and ``drop()``, which is called once when the library lets go of it.
    """

    def handle_event(self, event: Event) -> bool:
        """Handles one event."""
        ...

    def snapshot(self) -> Mapping[str, Any]:
        """The state of the metric."""
        ...


class MetricUse:
    """A registered metric, as the library holds it."""

    __slots__ = ("metric", "runtime", "handle_event", "handle_batch", "dropped")

    def __init__(self, metric: Any, runtime: Any) -> None:
        self.metric = metric
        # Keeps the runtime findable at exit, as long as it may call this metric.
        self.runtime = runtime
        self.handle_event = metric.handle_event
        self.handle_batch = getattr(metric, "handle_batch", None)
        self.dropped = getattr(metric, "drop", None)


@_abi.callback(_abi.HandleEventFn)
def _handle_event(user_data: Optional[int], event: Any, error: Optional[int]) -> int:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return _abi.EVENT_IGNORED
    try:
        return _abi.EVENT_CHANGED if use.handle_event(copy_event(event)) else _abi.EVENT_IGNORED
    except BaseException as failure:  # noqa: B902 - nothing may leave a callback
        say_why(error, failure)
        return _abi.EVENT_FAILED


@_abi.callback(_abi.HandleBatchFn)
def _handle_batch(user_data: Optional[int], events: Any, count: int, changed: Any, error: Optional[int]) -> int:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return _abi.EVENT_IGNORED
    try:
        if use.handle_batch is not None:
            outcome = use.handle_batch(list(copy_events(events, count)))
            return _mark(outcome, count, changed)
        any_changed = False
        handle = use.handle_event
        for index, event in enumerate(copy_events(events, count)):
            if handle(event):
                any_changed = True
                if changed:
                    changed[index] = 1
        return _abi.EVENT_CHANGED if any_changed else _abi.EVENT_IGNORED
    except BaseException as failure:  # noqa: B902 - nothing may leave a callback
        say_why(error, failure)
        return _abi.EVENT_FAILED


def _mark(outcome: Union[bool, None, Sequence[bool]], count: int, changed: Any) -> int:
    flags: List[bool] = [bool(outcome)] * count if outcome is None or isinstance(outcome, bool) else list(outcome)
    if len(flags) != count:
        raise CallbackError(f"handle_batch told of {len(flags)} events, there were {count}")
    if changed:
        for index, one in enumerate(flags):
            if one:
                changed[index] = 1
    return _abi.EVENT_CHANGED if any(flags) else _abi.EVENT_IGNORED


@_abi.callback(_abi.SnapshotFn)
def _snapshot(user_data: Optional[int], writer: int, error: Optional[int]) -> int:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return _abi.SNAPSHOT_DONE
    try:
        write_members(writer, use.metric.snapshot())
        return _abi.SNAPSHOT_DONE
    except BaseException as failure:  # noqa: B902 - nothing may leave a callback
        say_why(error, failure)
        return _abi.SNAPSHOT_FAILED


def vtable_struct(event_types: Iterable[Any], commutative: bool, batch: bool) -> _abi.MetricVtable:
    """The functions of every Python metric."""
    numbers = [number_of(event_type) for event_type in event_types]
    struct = _abi.MetricVtable()
    struct.struct_size = ctypes.sizeof(struct)
    struct.handle_event = _handle_event
    if batch:
        struct.handle_batch = _handle_batch
    struct.snapshot = _snapshot
    struct.drop = drop
    if numbers:
        struct.event_types = (ctypes.c_uint32 * len(numbers))(*numbers)
        struct.event_type_count = len(numbers)
    struct.flags = _abi.METRIC_COMMUTATIVE if commutative else 0
    return struct


def pin_metric(metric: Any, runtime: Any) -> int:
    """Keeps a metric until the library drops it; gives its user_data."""
    for function in ("handle_event", "snapshot"):
        if not callable(getattr(metric, function, None)):
            raise TypeError(f"a metric needs {function}()")
    return pin(MetricUse(metric, runtime))
