"""Events and metrics of the tests of the compatible classes."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Coroutine, Iterator, List, Mapping

import pytest

from mvx_metrics import AsyncioMetricsRecorder, Metric, MetricEvent, MetricsRuntime


class Saved(MetricEvent):
    """A document was saved."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    @property
    def event_type(self) -> str:
        return "document.saved"


class Seen(Metric):
    """Remembers the very events."""

    def __init__(self, name: str = "seen") -> None:
        self.name = name
        self.events: List[Any] = []

    @property
    def metric_name(self) -> str:
        return self.name

    def handle_event(self, event: MetricEvent) -> bool:
        self.events.append(event)
        return True

    def snapshot(self) -> Mapping[str, Any]:
        return {"total": len(self.events)}


class Failing(Seen):
    """Fails with one exception, always the same."""

    def __init__(self, name: str = "failing") -> None:
        super().__init__(name)
        self.failure = ValueError("no such document")

    def handle_event(self, event: MetricEvent) -> bool:
        raise self.failure


async def started(recorder: AsyncioMetricsRecorder) -> AsyncioMetricsRecorder:
    """Starts a recorder, and checks that it did."""
    result = await recorder.start()
    assert result.success, result.error
    return recorder


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Runs a test in an event loop of its own."""

    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 30))

    run.__name__ = test.__name__
    return run


@pytest.fixture
def metrics_runtime() -> Iterator[MetricsRuntime]:
    runtime = MetricsRuntime(namespace="test")
    runtime.start()
    yield runtime
    runtime.shutdown()
