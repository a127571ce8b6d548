"""Recorders of a runtime: no event loop anywhere."""

from __future__ import annotations

import threading
from typing import Any, List

import pytest
from compat.conftest import Failing, Saved, Seen

from mvx_metrics import (
    AsyncioMetricsRecorder,
    AsyncioMetricsRecorderState,
    MetricEvent,
    MetricsRuntime,
    MetricsRuntimeInvalidStateError,
    MetricsRuntimeRecorderAlreadyExistsError,
    MetricsRuntimeRecorderNotFoundError,
    MetricsRuntimeRecorderStopError,
    MetricsRuntimeShutdownError,
    MetricsRuntimeState,
)


def test_recorders_come_and_go(metrics_runtime: MetricsRuntime) -> None:
    made = metrics_runtime.create_recorder("  storage ", entity_id=None)
    assert made.entity_id == "storage" and made.get_status() is AsyncioMetricsRecorderState.RUNNING
    assert metrics_runtime.get_recorder("storage") is made and metrics_runtime.try_get_recorder("storage") is made
    assert metrics_runtime.list_recorder_ids() == ("storage",)
    with pytest.raises(MetricsRuntimeRecorderAlreadyExistsError) as raised:
        metrics_runtime.create_recorder("storage")
    assert raised.value.recorder_id == "storage" and raised.value.details == {"recorder_id": "storage"}
    metrics_runtime.stop_recorder("storage")
    assert metrics_runtime.stop_and_remove_recorder("storage") is made
    with pytest.raises(MetricsRuntimeRecorderNotFoundError):
        metrics_runtime.get_recorder("storage")
    assert metrics_runtime.try_get_recorder("storage") is None
    assert metrics_runtime.create_recorder("storage") is not made


def test_a_snapshot_shows_what_was_registered_before(metrics_runtime: MetricsRuntime) -> None:
    recorder, seen = metrics_runtime.create_recorder("storage"), Seen()
    recorder.register_metric(seen)
    for count in range(1, 300):
        recorder.register_event(Saved(count))
        if count % 50 == 0:
            assert recorder.get_metric_snapshots() == {"seen": {"total": count}}


def test_a_runtimes_recorder_drops(metrics_runtime: MetricsRuntime) -> None:
    gate, entered = threading.Event(), threading.Event()

    class Held(Seen):
        def handle_event(self, event: MetricEvent) -> bool:
            entered.set()
            gate.wait(20)
            return super().handle_event(event)

    recorder, held = metrics_runtime.create_recorder("storage", queue_max_size=2), Held()
    recorder.register_metric(held)
    recorder.register_event(Saved())
    entered.wait(20)
    for _ in range(4):
        recorder.register_event(Saved())
    gate.set()
    assert recorder.get_metric_snapshots() == {"seen": {"total": 2}}
    assert recorder.native_recorder.stats().dropped == 3


def test_a_metric_looks_at_its_own_recorder(metrics_runtime: MetricsRuntime) -> None:
    looks: List[Any] = []

    class Looking(Seen):
        def handle_event(self, event: MetricEvent) -> bool:
            changed = super().handle_event(event)
            looks.append(recorder.get_metric_snapshots())
            return changed

    recorder = metrics_runtime.create_recorder("storage")
    recorder.register_metric(Looking())
    recorder.register_event(Saved())
    recorder.get_metric_snapshots()
    assert looks == [{"seen": {"total": 1}}]


def test_metrics_and_snapshots_never_run_two_at_once(metrics_runtime: MetricsRuntime) -> None:
    class Alone(Seen):
        inside = 0

        def handle_event(self, event: MetricEvent) -> bool:
            assert self.inside == 0
            self.inside += 1
            super().handle_event(event)
            self.inside -= 1
            return True

        def snapshot(self) -> Any:
            assert self.inside == 0
            return super().snapshot()

    recorder = metrics_runtime.create_recorder("storage", queue_max_size=100_000)
    recorder.register_metric(Alone())

    def record() -> None:
        for _ in range(3000):
            recorder.register_event(Saved())

    threads = [threading.Thread(target=record) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        recorder.get_metric_snapshots()
    for thread in threads:
        thread.join()
    assert recorder.get_metric_snapshots() == {"seen": {"total": 9000}}


def test_a_recorder_that_failed_is_told_of_at_shutdown() -> None:
    runtime = MetricsRuntime(namespace="test")
    runtime.start()
    recorder, failing = runtime.create_recorder("broken"), Failing()
    healthy = runtime.create_recorder("healthy")
    recorder.register_metric(failing)
    recorder.register_event(Saved())
    recorder.get_metric_snapshots()
    while recorder.get_status() is AsyncioMetricsRecorderState.RUNNING:
        threading.Event().wait(0.001)
    with pytest.raises(MetricsRuntimeRecorderStopError) as stopped:
        runtime.stop_recorder("broken")
    assert stopped.value.recorder_id == "broken"
    with pytest.raises(MetricsRuntimeShutdownError) as raised:
        runtime.shutdown()
    assert raised.value.details["failed_recorder_ids"] == ("broken",)
    assert raised.value.details["recorder_errors"]["broken"]["error_type"] == "MetricsRuntimeRecorderStopError"
    assert runtime.get_status() is MetricsRuntimeState.FAILURE
    assert healthy.get_status() is AsyncioMetricsRecorderState.STOPPED


def test_a_runtimes_life() -> None:
    runtime = MetricsRuntime(namespace="test")
    assert runtime.get_status() is MetricsRuntimeState.VIRGIN and runtime.entity_id == "test"
    with pytest.raises(MetricsRuntimeInvalidStateError) as raised:
        runtime.create_recorder("storage")
    assert str(raised.value) == (
        "MetricsRuntimeInvalidStateError: invalid metrics runtime state 'VIRGIN', expected 'RUNNING' | "
        "details={'runtime_state': 'VIRGIN', 'expected_states': ('RUNNING',)}"
    )
    runtime.start()
    runtime.start()
    runtime.shutdown()
    runtime.shutdown()
    assert runtime.get_status() is MetricsRuntimeState.CLOSED
    with pytest.raises(MetricsRuntimeInvalidStateError):
        runtime.start()


def test_one_of_many_creates_wins(metrics_runtime: MetricsRuntime) -> None:
    made: List[AsyncioMetricsRecorder] = []

    def create() -> None:
        try:
            made.append(metrics_runtime.create_recorder("storage"))
        except MetricsRuntimeRecorderAlreadyExistsError:
            pass

    def get() -> None:
        for _ in range(100):
            found = metrics_runtime.try_get_recorder("storage")
            if found is not None:
                made.append(found)

    threads = [threading.Thread(target=target) for target in (create, get) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made and all(recorder is made[0] for recorder in made)
