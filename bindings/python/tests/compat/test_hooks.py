"""The hooks that a subclass overrides."""

from __future__ import annotations

import asyncio
from typing import Any, List

from compat.conftest import Saved, Seen, in_loop, started

from mvx_metrics import (
    AsyncioMetricsRecorder,
    AsyncioMetricsRecorderOnStoppedHookFailedError,
    AsyncioMetricsRecorderState,
    Metric,
    MetricEvent,
)


class Noting(AsyncioMetricsRecorder):
    """Notes what its hooks are told, on which loop."""

    def __init__(self, entity_id: str) -> None:
        super().__init__(entity_id)
        self.notes: List[Any] = []
        self.fail_with: Any = None

    async def _on_starting(self) -> None:
        await asyncio.sleep(0)
        self.notes.append("starting")

    async def _on_stopped(self) -> None:
        await asyncio.sleep(0)
        self.notes.append("stopped")
        if self.fail_with is not None:
            raise self.fail_with

    async def _on_metric_changed(self, *, metric: Metric, event: MetricEvent) -> None:
        before = metric.snapshot()
        await asyncio.sleep(0)
        self.notes.append((metric.metric_name, event.number, before["total"]))  # type: ignore[attr-defined]
        assert metric.snapshot() == before  # Nothing is dispatched meanwhile.


class Odd(Seen):
    """Takes odd numbers."""

    def handle_event(self, event: Any) -> bool:
        return bool(event.number % 2) and super().handle_event(event)


@in_loop
async def test_hooks_run_in_order_between_events() -> None:
    recorder = Noting("test")
    recorder.register_metric(Seen("all"))
    recorder.register_metric(Odd("odd"))
    await started(recorder)
    for number in range(4):
        recorder.register_event(Saved(number))
    assert (await recorder.stop()).success
    assert recorder.notes == [
        "starting", ("all", 0, 1), ("all", 1, 2), ("odd", 1, 1), ("all", 2, 3), ("all", 3, 4), ("odd", 3, 2), "stopped",
    ]  # fmt: skip


@in_loop
async def test_snapshots_on_the_loop_do_not_wait_for_a_hook() -> None:
    class Looking(Noting):
        async def _on_metric_changed(self, **_: Any) -> None:
            self.notes.append(self.get_metric_snapshots())

    recorder = Looking("test")
    recorder.register_metric(Seen())
    await started(recorder)
    recorder.register_event(Saved())
    await recorder.stop()
    assert recorder.notes == ["starting", {"seen": {"total": 1}}, "stopped"]


@in_loop
async def test_a_failing_stop_hook_is_the_cause() -> None:
    recorder = Noting("test")
    recorder.register_metric(Seen())
    await started(recorder)
    recorder.fail_with = KeyError("connection")
    result = await recorder.stop()
    assert not result.success and isinstance(result.error, AsyncioMetricsRecorderOnStoppedHookFailedError)
    assert result.error.cause is recorder.fail_with
    assert recorder.get_status() is AsyncioMetricsRecorderState.FAILURE


@in_loop
async def test_a_failing_change_hook_fails_the_recorder_and_cleans_up() -> None:
    class Broken(Noting):
        async def _on_metric_changed(self, **_: Any) -> None:
            raise failure

    failure = RuntimeError("publisher is not open")
    recorder = Broken("test")
    recorder.register_metric(Seen())
    await started(recorder)
    recorder.register_event(Saved())
    while recorder.notes[-1:] != ["stopped"]:
        await asyncio.sleep(0.001)
    assert recorder.get_status() is AsyncioMetricsRecorderState.FAILURE
    result = await recorder.stop()
    assert not result.success


@in_loop
async def test_a_new_life_has_no_old_failures() -> None:
    recorder = Noting("test")
    await started(recorder)
    assert (await recorder.stop()).success
    await started(recorder)
    recorder.fail_with = OSError("second")
    result = await recorder.stop()
    assert result.error is not None and result.error.cause is recorder.fail_with
