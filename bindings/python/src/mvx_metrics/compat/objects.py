"""Python objects as events, by ctypes alone: the payload is a key, and the object waits here until its dispatch."""

from __future__ import annotations

import itertools
import struct
from ctypes import byref, c_size_t, c_void_p
from typing import Any, Dict, Iterable, List, Optional

from .. import _abi
from .._exit import flag
from .._pins import find
from ..event_types import copy_events, declare_event_type
from .metric import MetricEvent

#: Whose events carry Python objects.
object_type = declare_event_type("mvx_metrics.python_object")

_next = itertools.count(1).__next__
_key = struct.Struct("=Q").pack
_register = _abi.lib.mvx_recorder_register_events


class PendingObjects:
    """The events of one recorder that the library holds and has not dispatched."""

    __slots__ = ("_by_key",)

    def __init__(self) -> None:
        self._by_key: Dict[bytes, Any] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def put(self, event: Any) -> bytes:
        """Keeps an object; gives the payload that stands for it."""
        key = _key(_next())
        self._by_key[key] = event
        return key

    def take(self, keys: Iterable[bytes]) -> List[Any]:
        """The objects behind payloads; they are not kept any longer."""
        taken = (self._by_key.pop(key, None) for key in keys)
        return [event for event in taken if event is not None]

    def clear(self) -> None:
        """Lets go of all: nothing is going to be dispatched any more."""
        self._by_key.clear()


class ObjectRecorder:
    """The hand-off of a recorder that takes any object. ``_refused`` and ``_not_an_event`` raise what is due."""

    _pointer: Optional[c_void_p] = None
    _pending: Optional[PendingObjects] = None

    def _connect(self, handle: int, _event_type: int, _event_class: type) -> None:
        self._pointer = c_void_p(handle)

    def _keep_pending(self, pending: Any) -> None:
        # From here on somebody takes them. Before that, events are dispatched to nobody, and not kept.
        self._pending = pending

    def register_event(self, event: MetricEvent) -> None:
        """Hands an event over, this very object; a recorder that is VIRGIN starts. Does not block.

        Raises ValueError and TypeError for what is no event, ``AsyncioMetricsRecorderInvalidStateError``, and
        ``AsyncioMetricsRecorderQueueOverflowError`` under RAISE_ERROR.
        """
        if not isinstance(event, MetricEvent):
            return self._not_an_event(event)
        pending = self._pending
        payload = pending.put(event) if pending is not None else bytes(8)
        accepted = c_size_t(0)
        status = _register(self._pointer, object_type.number, payload, 8, 1, byref(accepted))
        if not accepted.value:
            if pending is not None:
                pending.take((payload,))
            if status:
                self._refused(status)

    def _not_an_event(self, event: Any) -> None:
        raise NotImplementedError

    def _refused(self, status: int) -> None:
        raise NotImplementedError


def member_of(user_data: Optional[int]) -> Any:
    """The metric behind a user_data, as it is registered; ``None`` where it is not to be called any more."""
    use = find(user_data)  # type: ignore[arg-type]
    return None if use is None or flag.exiting else use.metric


@_abi.callback(_abi.HandleBatchFn)
def handle_batch(user_data: Optional[int], events: Any, count: int, _changed: Any, error: Optional[int]) -> int:
    """The ``handle_batch`` of the metric through which a recorder gets its objects."""
    member = member_of(user_data)
    if member is None:
        return _abi.EVENT_IGNORED
    objects = member.pending.take(event.payload for event in copy_events(events, count))
    outcome: int = member.deliver(objects, error)
    return outcome


@_abi.callback(_abi.HandleEventFn)
def handle_event(user_data: Optional[int], event: Any, error: Optional[int]) -> int:
    """Its ``handle_event``."""
    outcome: int = handle_batch(user_data, event, 1, None, error)
    return outcome
