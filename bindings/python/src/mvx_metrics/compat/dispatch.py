"""The metrics of one recorder, as the library sees them.

The first metric of a recorder is the *carrier*: the library hands it the recorder's events, batch by batch, and it
hands each event to all metrics in turn. So a batch costs one change of threads and one hold of the interpreter's lock,
however many metrics there are. The others are registered with the library for their names and snapshots.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import Any, Callable, Dict, List, Mapping, Optional

from .. import _abi
from .._pins import say_why
from .delivery import on_loop, on_loop_awaited, runs_here
from .metric import Metric
from .native_error_map import Raised

#: A recorder's own way to be told of each change, or ``None``.
Changed = Callable[..., Any]


class Dispatch:
    """Hands events to metrics, one at a time."""

    def __init__(self, loop: Optional[asyncio.AbstractEventLoop], pending: Any) -> None:
        self.loop = loop
        self.pending = pending
        self.metrics: Dict[str, Metric] = {}
        self.raised = Raised()
        self.recorder: Callable[[], Any] = lambda: None
        # Held while metrics run on the dispatcher's thread, so that snapshots on other threads come between batches.
        self._running = threading.RLock()

    def owned_by(self, recorder: Any) -> None:
        """Whose ``_on_metric_changed`` is called; it may go away first."""
        self.recorder = weakref.ref(recorder)

    # ---- events ----

    def deliver(self, events: List[Any], error: Optional[int]) -> int:
        """Takes a batch, on the dispatcher's thread, and comes back when all metrics have handled it."""
        try:
            if self.loop is None:
                with self._running:
                    self._handle(events)
            else:
                recorder = self.recorder()
                changed = recorder._metric_changed_hook() if recorder is not None else None
                if changed is None:
                    on_loop(self.loop, self._handle, events)
                else:
                    on_loop_awaited(self.loop, self._handle_with_hook, events, changed)
        except asyncio.CancelledError:
            # The loop ended what it was doing, as asyncio.run does when its own coroutine is over.
            recorder = self.recorder()
            if recorder is not None:
                recorder.native_recorder.cancel()
            return _abi.EVENT_IGNORED
        except BaseException as failure:  # noqa: B902 - nothing may leave a callback
            # The exception is kept, and its traceback knows this list: it must not keep a whole batch.
            events.clear()
            self.raised.by("dispatch", failure)
            recorder = self.recorder()
            if recorder is not None:
                recorder._log_dispatch_error(failure)
            say_why(error, failure)
            return _abi.EVENT_FAILED
        return _abi.EVENT_CHANGED

    def _handle(self, events: List[Any]) -> None:
        handlers = [metric.handle_event for metric in self.metrics.values()]
        if len(handlers) == 1:
            handle = handlers[0]
            for event in events:
                handle(event)
            return
        for event in events:
            for handle in handlers:
                handle(event)

    async def _handle_with_hook(self, events: List[Any], changed: Changed) -> None:
        for event in events:
            for metric in tuple(self.metrics.values()):
                if metric.handle_event(event):
                    await changed(metric=metric, event=event)

    # ---- snapshots ----

    def snapshots(self) -> Dict[str, Mapping[str, Any]]:
        """The state of each metric. On the owning loop, or, without one, on any thread."""
        with self._running:
            return {name: metric.snapshot() for name, metric in tuple(self.metrics.items())}

    def snapshot_of(self, name: str) -> Mapping[str, Any]:
        """The state of one, for a snapshot that the library takes, where metrics may run."""
        metric = self.metrics[name]
        if self.loop is None or runs_here(self.loop):
            with self._running:
                return metric.snapshot()
        taken: List[Mapping[str, Any]] = []
        on_loop(self.loop, lambda: taken.append(metric.snapshot()))
        return taken[0] if taken else {}


class Member:
    """One metric, as it is registered with the library."""

    __slots__ = ("name", "dispatch", "pending", "deliver")

    def __init__(self, name: str, dispatch: Dispatch) -> None:
        self.name = name
        self.dispatch = dispatch
        self.pending = dispatch.pending
        self.deliver = dispatch.deliver

    @property
    def metric(self) -> Metric:
        """The very object that was registered last under the name."""
        return self.dispatch.metrics[self.name]

    def handle_event(self, _event: Any) -> bool:
        """Never called: a member wants no type of event, and the carrier's functions are others."""
        return False

    def snapshot(self) -> Mapping[str, Any]:
        """Its state, for other languages."""
        return self.dispatch.snapshot_of(self.name)
