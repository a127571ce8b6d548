"""A recorder that was made in a running event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, List

import pytest
from compat.conftest import Failing, Saved, Seen, in_loop, started

from mvx_metrics import (
    AsyncioMetricsRecorder,
    AsyncioMetricsRecorderInvalidStateError,
    AsyncioMetricsRecorderLoopUnavailableError,
    AsyncioMetricsRecorderOp,
    AsyncioMetricsRecorderQueueOverflowError,
    AsyncioMetricsRecorderQueueOverflowPolicy,
    AsyncioMetricsRecorderState,
    AsyncioMetricsRecorderUnexpectedError,
    MetricEvent,
    MetricKind,
    MetricsRecorderProto,
    MvxError,
    NativeMetric,
    Recorder,
    metric_event,
)


@in_loop
async def test_the_very_objects_come_in_order() -> None:
    recorder, seen, other = AsyncioMetricsRecorder("test"), Seen(), Seen("other")
    recorder.register_metric(metric=seen)
    recorder.register_metric(other)
    await started(recorder)
    events = [Saved(number) for number in range(1000)]
    for event in events:
        recorder.register_event(event=event)
    assert (await recorder.stop()).success
    assert all(was is came for was, came in zip(events, seen.events)) and len(seen.events) == 1000
    assert seen.events == other.events
    assert tuple(recorder.iter_metrics()) == (seen, other)
    assert recorder.get_metric_snapshots() == {"seen": {"total": 1000}, "other": {"total": 1000}}
    assert isinstance(recorder, MetricsRecorderProto)


def test_without_a_loop_there_is_no_recorder() -> None:
    with pytest.raises(AsyncioMetricsRecorderLoopUnavailableError) as raised:
        AsyncioMetricsRecorder("test")
    assert raised.value.reason_code == "EVENT_LOOP_UNAVAILABLE"


@in_loop
async def test_metrics_run_on_the_loop() -> None:
    threads: List[Any] = []

    class Where(Seen):
        def handle_event(self, event: MetricEvent) -> bool:
            threads.append((threading.get_ident(), asyncio.get_running_loop()))
            return super().handle_event(event)

        def snapshot(self) -> Any:
            threads.append((threading.get_ident(), asyncio.get_running_loop()))
            return super().snapshot()

    recorder = await started(AsyncioMetricsRecorder("test"))
    recorder.register_metric(Where())
    recorder.register_event(Saved())
    loop = asyncio.get_running_loop()
    # Another thread sees what was registered before, and another language too.
    snapshots = await loop.run_in_executor(None, recorder.get_metric_snapshots)
    native = await loop.run_in_executor(None, recorder.native_recorder.snapshot)
    assert snapshots == {"seen": {"total": 1}} and dict(native["seen"]) == {"total": 1}
    assert set(threads) == {(threading.get_ident(), loop)}
    await recorder.stop()


@in_loop
async def test_an_event_starts_a_recorder() -> None:
    recorder, seen = AsyncioMetricsRecorder("test"), Seen()
    recorder.register_metric(seen)
    assert recorder.get_status() is AsyncioMetricsRecorderState.VIRGIN
    recorder.register_event(Saved(1))
    assert (await recorder.start()).success or recorder.get_status() is AsyncioMetricsRecorderState.RUNNING
    assert (await recorder.stop()).success
    assert len(seen.events) == 1


@in_loop
async def test_a_metric_takes_the_place_of_its_namesake() -> None:
    recorder = await started(AsyncioMetricsRecorder("test"))
    first, second, other = Seen(), Seen(), Seen("other")
    for metric in (first, other, second):
        recorder.register_metric(metric)
    recorder.register_event(Saved())
    await recorder.stop()
    assert (len(first.events), len(second.events), len(other.events)) == (0, 1, 1)
    assert tuple(recorder.iter_metrics()) == (second, other)


@in_loop
async def test_bad_arguments_change_nothing() -> None:
    recorder, seen = await started(AsyncioMetricsRecorder("test")), Seen()
    recorder.register_metric(seen)
    with pytest.raises(ValueError, match="argument 'event' must not be None"):
        recorder.register_event(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="argument 'event' must be an instance of 'MetricEvent'"):
        recorder.register_event("saved")  # type: ignore[arg-type]
    for bad in ((), (Saved(), Saved())):
        with pytest.raises(TypeError):
            recorder.register_event(*bad)
    with pytest.raises(TypeError):
        recorder.register_event(what=Saved())  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="argument 'metric' must not be None"):
        recorder.register_metric(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="argument 'metric' must be an instance of 'Metric'"):
        recorder.register_metric(object())  # type: ignore[arg-type]
    for kind, options in (
        (ValueError, {"entity_id": None}),
        (TypeError, {"entity_id": 1}),
        (TypeError, {"namespace": 1}),
        (ValueError, {"queue_max_size": 0}),
        (TypeError, {"queue_max_size": True}),
        (TypeError, {"queue_max_size": "1"}),
        (TypeError, {"queue_overflow_policy": "DROP"}),
        (TypeError, {"log_context": object()}),
    ):
        with pytest.raises(kind):
            AsyncioMetricsRecorder(**{"entity_id": "test", **options})
    await recorder.stop()
    assert not seen.events and recorder.native_recorder.stats().accepted == 0


@in_loop
async def test_what_counts_as_an_event_is_one() -> None:
    class Foreign:
        event_type = "foreign"

    MetricEvent.register(Foreign)
    recorder, seen = await started(AsyncioMetricsRecorder("test")), Seen()
    recorder.register_metric(seen)
    recorder.register_event(Foreign())  # type: ignore[arg-type]
    await recorder.stop()
    assert len(seen.events) == 1


@in_loop
async def test_the_limit_is_told_of_or_drops() -> None:
    # Nothing is dispatched while this coroutine keeps the loop.
    raising = AsyncioMetricsRecorder("test", queue_max_size=3)
    seen = Seen()
    raising.register_metric(seen)
    await started(raising)
    for _ in range(3):
        raising.register_event(Saved())
    with pytest.raises(AsyncioMetricsRecorderQueueOverflowError) as raised:
        raising.register_event(Saved())
    assert str(raised.value) == "AsyncioMetricsRecorderQueueOverflowError: queue overflow"
    await raising.stop()
    assert len(seen.events) == 3 and raising.native_recorder.stats().refused == 1

    drop = AsyncioMetricsRecorderQueueOverflowPolicy.DROP
    dropping = AsyncioMetricsRecorder("test", queue_max_size=3, queue_overflow_policy=drop)
    dropping.register_metric(Seen())
    await started(dropping)
    for _ in range(5):
        dropping.register_event(Saved())
    await dropping.stop()
    assert dropping.native_recorder.stats().dropped == 2


@in_loop
async def test_a_failing_metric_fails_the_recorder_with_the_very_exception() -> None:
    recorder, failing = await started(AsyncioMetricsRecorder("test")), Failing()
    recorder.register_metric(failing)
    recorder.register_event(Saved())
    while recorder.get_status() is not AsyncioMetricsRecorderState.FAILURE:
        await asyncio.sleep(0.001)
    with pytest.raises(AsyncioMetricsRecorderInvalidStateError) as raised:
        recorder.register_event(Saved())
    error = raised.value
    assert error.details == {"recorder_state": "FAILURE", "expected_states": ("VIRGIN", "STARTING", "RUNNING")}
    assert isinstance(error.cause, AsyncioMetricsRecorderUnexpectedError)
    assert error.cause.cause is failing.failure and error.cause.__cause__ is failing.failure
    with pytest.raises(AsyncioMetricsRecorderInvalidStateError):
        recorder.register_metric(Seen())
    with pytest.raises(AsyncioMetricsRecorderInvalidStateError):
        recorder.register_metric(failing)
    result = await recorder.start()
    assert not result.success and result.op_name is AsyncioMetricsRecorderOp.START
    assert isinstance(result.error, AsyncioMetricsRecorderInvalidStateError)


@in_loop
async def test_what_ends_with_its_loop_is_cancelled() -> None:
    class Slow(AsyncioMetricsRecorder):
        async def _on_metric_changed(self, **_: Any) -> None:
            asyncio.current_task().cancel()  # type: ignore[union-attr]
            await asyncio.sleep(0)

    recorder = await started(Slow("test"))
    recorder.register_metric(Seen())
    recorder.register_event(Saved())
    while recorder.get_status() is AsyncioMetricsRecorderState.RUNNING:
        await asyncio.sleep(0.001)
    assert recorder.get_status() is AsyncioMetricsRecorderState.CANCELLED


def test_a_closed_loop_fails_the_recorder() -> None:
    async def made() -> AsyncioMetricsRecorder:
        recorder = await started(AsyncioMetricsRecorder("test"))
        recorder.register_metric(Seen())
        return recorder

    recorder = asyncio.run(made())
    recorder.register_event(Saved())
    for _ in range(3000):
        if recorder.get_status() is AsyncioMetricsRecorderState.FAILURE:
            break
        threading.Event().wait(0.01)
    assert "closed" in str(recorder.native_recorder.last_error.cause)  # type: ignore[union-attr]


@in_loop
async def test_a_recorder_starts_again_with_its_values() -> None:
    recorder, seen = await started(AsyncioMetricsRecorder("test")), Seen()
    recorder.register_metric(seen)
    for number in (1, 2):
        recorder.register_event(Saved())
        assert (await recorder.stop()).success
        with pytest.raises(AsyncioMetricsRecorderInvalidStateError):
            recorder.register_event(Saved())
        assert recorder.get_metric_snapshots() == {"seen": {"total": number}}
        await started(recorder)
    await recorder.stop()


@in_loop
async def test_threads_record_and_look() -> None:
    recorder, seen = await started(AsyncioMetricsRecorder("test", queue_max_size=100_000)), Seen()
    recorder.register_metric(seen)
    loop = asyncio.get_running_loop()

    def record() -> None:
        for count in range(1, 2001):
            recorder.register_event(Saved(threading.get_ident()))
            if count % 500 == 0:
                recorder.get_metric_snapshots()
        mine = [event for event in seen.events if event.number == threading.get_ident()]
        assert len(mine) == 2000  # Reads its own writes.

    await asyncio.gather(*(loop.run_in_executor(None, record) for _ in range(4)))
    await recorder.stop()
    assert len(seen.events) == 8000


@in_loop
async def test_a_subclass_may_come_between() -> None:
    class Every2nd(AsyncioMetricsRecorder):
        count = 0

        def register_event(self, event: MetricEvent) -> None:
            self.count += 1
            if self.count % 2:
                super().register_event(event)

    recorder, seen = await started(Every2nd("test")), Seen()
    recorder.register_metric(seen)
    for number in range(10):
        recorder.register_event(Saved(number))
    await recorder.stop()
    assert [event.number for event in seen.events] == [0, 2, 4, 6, 8]


@metric_event("compat.native")
class Native:
    seconds: float


@in_loop
async def test_native_metrics_stand_beside() -> None:
    recorder, seen = await started(AsyncioMetricsRecorder("test")), Seen()
    native: Recorder = recorder.native_recorder
    native.register_native_metric(NativeMetric("seconds", MetricKind.COUNTER, [Native], value_field="seconds"))
    recorder.register_metric(seen)
    native.register_event(Native(1.5))
    recorder.register_event(Saved())
    await recorder.stop()
    with pytest.raises(MvxError, match="get_metric_snapshots"):
        native.snapshot()
    shown = await asyncio.get_running_loop().run_in_executor(None, native.snapshot)
    assert len(seen.events) == 1 and set(shown) == {"seconds", "seen"}
    assert dict(shown["seen"]) == {"total": 1}


@in_loop
async def test_waiting_is_for_all_and_for_ever() -> None:
    class Gate(AsyncioMetricsRecorder):
        async def _on_starting(self) -> None:
            raise failure

    failure = OSError("no such host")
    recorder = Gate("test")
    first, second = recorder.start(), recorder.start()
    waiting = asyncio.ensure_future(_result(first))
    await asyncio.sleep(0)
    waiting.cancel()  # One that gives up takes nothing from the others.
    results = await asyncio.gather(_result(first), _result(second))
    assert results[0].error is results[1].error and results[0].error.cause is failure
    assert str(results[0].error).endswith("on starting hook failed -> no such host")
    assert await asyncio.get_running_loop().run_in_executor(None, first.wait) == results[0]


async def _result(handle: Any) -> Any:
    return await handle
