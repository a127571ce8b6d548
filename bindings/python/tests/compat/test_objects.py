"""How long events, metrics and recorders live, and what becomes of them at a fork and at the end."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from typing import Any

import pytest
from compat.conftest import Failing, Saved, Seen, in_loop, started

from mvx_metrics import AsyncioMetricsRecorder, AsyncioMetricsRecorderInvalidStateError, Metric, MetricsRuntime


class Ignoring(Seen):
    """Keeps nothing."""

    def handle_event(self, event: Any) -> bool:
        return False


def test_events_are_let_go_of_after_their_dispatch(metrics_runtime: MetricsRuntime) -> None:
    recorder = metrics_runtime.create_recorder("storage", queue_max_size=100_000)
    recorder.register_metric(Ignoring())
    event = Saved()
    before = sys.getrefcount(event)
    for _ in range(20_000):
        recorder.register_event(event)
    recorder.get_metric_snapshots()
    assert sys.getrefcount(event) == before
    assert len(recorder._dispatch.pending) == 0


def test_without_a_metric_nothing_is_kept(metrics_runtime: MetricsRuntime) -> None:
    recorder = metrics_runtime.create_recorder("storage")
    event = Saved()
    before = sys.getrefcount(event)
    recorder.register_event(event)
    assert sys.getrefcount(event) == before
    recorder.get_metric_snapshots()
    assert recorder.native_recorder.stats().dispatched == 1


def test_what_is_refused_or_dropped_is_not_kept(metrics_runtime: MetricsRuntime) -> None:
    recorder = metrics_runtime.create_recorder("storage")
    recorder.register_metric(Ignoring())
    event = Saved()
    before = sys.getrefcount(event)
    metrics_runtime.stop_recorder("storage")
    for _ in range(10):
        with pytest.raises(AsyncioMetricsRecorderInvalidStateError):
            recorder.register_event(event)
    assert sys.getrefcount(event) == before


@in_loop
async def test_what_is_discarded_is_let_go_of() -> None:
    recorder = AsyncioMetricsRecorder("test")
    recorder.register_metric(Failing())
    await started(recorder)
    event = Saved()
    before = sys.getrefcount(event)
    for _ in range(1000):
        recorder.register_event(event)
    while recorder.get_status().name == "RUNNING":
        await asyncio.sleep(0.001)
    with pytest.raises(AsyncioMetricsRecorderInvalidStateError):
        recorder.register_event(event)
    # The exception that made it fail knows the frames that led to it, and those this very event.
    assert sys.getrefcount(event) - before <= 2


def test_a_recorder_that_is_let_go_of_goes_with_its_metrics() -> None:
    async def made() -> Any:
        recorder, metric = AsyncioMetricsRecorder("test"), Ignoring()
        recorder.register_metric(metric)
        await started(recorder)
        recorder.register_event(Saved())
        await recorder.stop()
        return weakref.ref(recorder), weakref.ref(metric)

    recorder, metric = asyncio.run(made())
    for _ in range(1000):
        gc.collect()
        if recorder() is None and metric() is None:
            break
        asyncio.run(asyncio.sleep(0.01))
    assert recorder() is None and metric() is None


_STORM = """
import asyncio, gc, os, random, threading
from mvx_metrics import AsyncioMetricsRecorder, Metric, MetricEvent, MetricsRuntime
class E(MetricEvent):
    event_type = "e"
class M(Metric):
    metric_name = "m"
    def handle_event(self, event): return True
    def snapshot(self): return {}
"""


def test_the_end_with_recorders_running(program: Any) -> None:
    done = program(
        _STORM
        + """
runtime = MetricsRuntime(namespace="x"); runtime.start()
recorder = runtime.create_recorder("r"); recorder.register_metric(M())
async def main():
    mine = AsyncioMetricsRecorder("y"); mine.register_metric(M()); await mine.start()
    for _ in range(1000):
        mine.register_event(E())
    return mine
mine = asyncio.run(main())
def record():
    while True:
        try: recorder.register_event(E())
        except Exception: pass
threading.Thread(target=record, daemon=True).start()
print("over")
"""
    )
    assert (done.returncode, done.stdout) == (0, "over\n"), done.stderr


def test_garbage_in_any_order(program: Any) -> None:
    done = program(
        _STORM
        + """
async def one():
    things = [AsyncioMetricsRecorder("x"), M(), E()]
    things[0].register_metric(things[1])
    handle = things[0].start()
    for _ in range(random.randrange(50)):
        things[0].register_event(things[2])
    if random.random() < .5: await handle
    things += [handle, things[0].native_recorder, things[0]._dispatch]
    random.shuffle(things)
    while things:
        del things[0]
        if random.random() < .2: gc.collect()
        if random.random() < .2: await asyncio.sleep(0)
for _ in range(100):
    asyncio.run(one())
print("over")
""",
        60,
    )
    assert (done.returncode, done.stdout) == (0, "over\n"), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_the_child_of_a_fork_makes_recorders_of_its_own(program: Any) -> None:
    done = program(
        _STORM
        + """
runtime = MetricsRuntime(namespace="x"); runtime.start()
recorder = runtime.create_recorder("r"); recorder.register_metric(M())
for _ in range(100): recorder.register_event(E())
child = os.fork()
if child == 0:
    try:
        recorder.register_event(E())
    except Exception as error:
        told = "FORKED" in str(error)
    mine = MetricsRuntime(namespace="y"); mine.start()
    own = mine.create_recorder("r"); own.register_metric(M())
    own.register_event(E()); own.get_metric_snapshots()
    fine = told and own.native_recorder.stats().dispatched == 1
    mine.shutdown()
    os._exit(0 if fine else 1)
print(os.waitpid(child, 0)[1])
recorder.get_metric_snapshots()
print(recorder.native_recorder.stats().dispatched)
runtime.shutdown()
"""
    )
    assert (done.returncode, done.stdout) == (0, "0\n100\n"), done.stderr


def test_metrics_are_classes_to_derive_from() -> None:
    with pytest.raises(TypeError):
        Metric()  # type: ignore[abstract]
