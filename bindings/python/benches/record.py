"""The record call against an empty call with its arguments, and against what people use today.

Both ways are measured: by the accelerator against an empty function of a C extension, by ctypes against an empty function
that ctypes calls. All rows are measured in rounds that take turns, in one process, as the processor time of the thread that records. A ratio
is the median of the rounds' ratios, so that what slows the machine down for a while counts on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import importlib.machinery
import importlib.util
import os
import platform
import statistics
import subprocess
import sysconfig
import time
from ctypes import c_char_p, c_int32, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

from mvx_metrics import _bound
from mvx_metrics.events import metric_event
from mvx_metrics.native import MetricKind, NativeMetric, OverflowPolicy, Recorder, RecorderOptions

#: Calls a round: fewer than fit into the recorder's queue, so that what is measured is an accepted event.
CALLS = 4000

#: Calls before those that count: the row before has left its own code and data in the processor.
WARM_UP = 400

#: Each does so many calls.
Rows = Dict[str, Callable[[int], None]]


@metric_event("bench.save")
class Save:
    outcome: str
    seconds: float


def _compile(source: str, *flags: str) -> Path:
    product = Path(os.environ["MVX_METRICS_BUILD"]) / "benches" / f"{Path(source).stem}.so"
    product.parent.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).with_name(source)
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *flags, "-o", str(product), str(here)]
    subprocess.run(command, check=True)
    return product


def _empty_extension() -> Any:
    flags = ["-DPy_LIMITED_API=0x03090000", f"-isystem{sysconfig.get_path('include')}"]
    path = str(_compile("empty_extension.c", *flags))
    loader = importlib.machinery.ExtensionFileLoader("empty_extension", path)
    spec = importlib.util.spec_from_file_location("empty_extension", path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@contextlib.contextmanager
def _ctypes_alone() -> Iterator[None]:
    # Whatever is made meanwhile is as it would be without the accelerator.
    used, _bound.accelerator = _bound.accelerator, None
    yield
    _bound.accelerator = used


def _ours(way: str, rows: Rows, ready: List[Callable[[], None]]) -> Recorder:
    recorder = Recorder(
        options=RecorderOptions(queue_max_size=CALLS * 16, overflow_policy=OverflowPolicy.RAISE_ERROR)
    )
    recorder.register_native_metric(
        NativeMetric("seconds", MetricKind.COUNTER, [Save], value_field="seconds", group_by=["outcome"])
    )
    recorder.start().wait(5).raise_for_error()
    event_type = Save.__mvx_event_type__  # type: ignore[attr-defined]
    payload, record, save = event_type.pack(outcome="ok", seconds=0.01), recorder.bind(event_type), recorder.bind(Save)

    def bound(calls: int) -> None:
        for _ in range(calls):
            record(payload)

    def fields(calls: int) -> None:
        for _ in range(calls):
            save("ok", 0.01)

    def instance(calls: int) -> None:
        for _ in range(calls):
            recorder.register_event(Save("ok", 0.01))

    def plain(calls: int) -> None:
        for _ in range(calls):
            recorder.register_payload(event_type, payload)

    batch = payload * CALLS
    rows[f"{way}: bound, payload"] = bound
    rows[f"{way}: bound, fields"] = fields
    rows[f"{way}: register_payload"] = plain
    rows[f"{way}: register_event, new instance"] = instance
    if way == "ctypes":
        rows["register_payloads, 4,000 at once"] = lambda calls: _batch(recorder, event_type, batch, calls)
    ready.append(lambda: recorder.flush().wait(5).raise_for_error())
    return recorder


def _batch(recorder: Recorder, event_type: Any, payloads: bytes, count: int) -> None:
    recorder.register_payloads(event_type, payloads[: count * event_type.length], count)


def _empty_calls(rows: Rows) -> None:
    library = ctypes.CDLL(str(_compile("empty.c")))
    declared, prepared = library["empty"], library["empty"]
    declared.argtypes, declared.restype = [c_void_p, c_uint32, c_char_p, c_size_t], c_int32
    prepared.restype = c_int32
    pointer, number, payload, size = c_void_p(2**62), 7, bytes(16), c_size_t(16)

    def with_types(calls: int) -> None:
        for _ in range(calls):
            declared(pointer, number, payload, len(payload))

    def without(calls: int) -> None:
        for _ in range(calls):
            prepared(pointer, number, payload, size)

    rows["empty call, argtypes"] = with_types
    rows["empty call, prepared"] = without

    extension = _empty_extension()
    one, values = extension.one, extension.values

    def payload_to_extension(calls: int) -> None:
        for _ in range(calls):
            one(payload)

    def values_to_extension(calls: int) -> None:
        for _ in range(calls):
            values("ok", 0.01)

    rows["empty C call, METH_O"] = payload_to_extension
    rows["empty C call, METH_FASTCALL"] = values_to_extension


def _mvx_common(rows: Rows, ready: List[Callable[[], None]]) -> Any:
    from mvx.common.metrics import AsyncioMetricsRecorder, Metric, MetricEvent

    class Event(MetricEvent):
        def __init__(self, outcome: str, seconds: float) -> None:
            self.outcome, self.seconds = outcome, seconds

        @property
        def event_type(self) -> str:
            return "bench.save"

    class Seconds(Metric):
        total = 0.0

        @property
        def metric_name(self) -> str:
            return "seconds"

        def handle_event(self, event: Any) -> bool:
            self.total += event.seconds
            return True

        def snapshot(self) -> Any:
            return {"total": self.total}

    loop = asyncio.new_event_loop()

    async def make() -> Any:
        recorder = AsyncioMetricsRecorder("bench", queue_max_size=CALLS * 16)
        recorder.register_metric(Seconds())
        await recorder.start()
        return recorder

    recorder = loop.run_until_complete(make())
    event = Event("ok", 0.01)

    def record(calls: int) -> None:
        for _ in range(calls):
            recorder.register_event(event)

    def record_new(calls: int) -> None:
        for _ in range(calls):
            recorder.register_event(Event("ok", 0.01))

    def drain() -> None:
        loop.run_until_complete(asyncio.sleep(0.0))
        while recorder._pending_counter:
            loop.run_until_complete(asyncio.sleep(0.0))

    rows["mvx-common register_event"] = record
    rows["mvx-common register_event, new event"] = record_new
    ready.append(drain)
    return lambda: (loop.run_until_complete(_stopped(recorder)), loop.close())


async def _stopped(recorder: Any) -> None:
    await recorder.stop()


def _prometheus(rows: Rows) -> None:
    from prometheus_client import CollectorRegistry, Counter

    counter = Counter("saves", "Saves.", ["outcome"], registry=CollectorRegistry())
    bound = counter.labels("ok")

    def looked_up(calls: int) -> None:
        for _ in range(calls):
            counter.labels("ok").inc(0.01)

    def inc(calls: int) -> None:
        for _ in range(calls):
            bound.inc(0.01)

    rows["prometheus_client inc, bound"] = inc
    rows["prometheus_client inc, labels"] = looked_up


def _opentelemetry(rows: Rows) -> None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    counter = MeterProvider(metric_readers=[InMemoryMetricReader()]).get_meter("bench").create_counter("saves")
    attributes = {"outcome": "ok"}

    def add(calls: int) -> None:
        for _ in range(calls):
            counter.add(0.01, attributes)

    rows["opentelemetry add"] = add


#: ours, the other, which is due (at most: we over the other; at least: the other over ours)
COMPARISONS = [
    ("accelerator: bound, payload", "empty C call, METH_O", "<=", 2),
    ("accelerator: bound, fields", "empty C call, METH_FASTCALL", "<=", 2),
    ("accelerator: bound, payload", "mvx-common register_event", ">=", 100),
    ("accelerator: bound, fields", "mvx-common register_event, new event", ">=", 100),
    ("accelerator: bound, fields", "mvx-common register_event", ">=", 100),
    ("accelerator: bound, payload", "prometheus_client inc, bound", ">=", 5),
    ("accelerator: bound, fields", "prometheus_client inc, bound", ">=", 5),
    ("accelerator: bound, fields", "prometheus_client inc, labels", "", 0),
    ("accelerator: bound, fields", "opentelemetry add", "", 0),
    ("accelerator: register_payload", "mvx-common register_event", "", 0),
    ("accelerator: register_event, new instance", "mvx-common register_event, new event", "", 0),
    ("ctypes: bound, payload", "empty call, prepared", "<=", 1.3),
    ("ctypes: bound, payload", "empty call, argtypes", "<=", 1.3),
    ("ctypes: bound, fields", "empty call, prepared", "", 0),
    ("ctypes: register_payload", "empty call, argtypes", "", 0),
    ("ctypes: register_event, new instance", "empty call, argtypes", "", 0),
    ("register_payloads, 4,000 at once", "empty call, prepared", "", 0),
    ("ctypes: bound, fields", "mvx-common register_event", ">=", 8),
    ("ctypes: bound, payload", "mvx-common register_event", ">=", 8),
    ("ctypes: bound, fields", "prometheus_client inc, bound", "", 0),
    ("ctypes: bound, fields", "prometheus_client inc, labels", "", 0),
    ("ctypes: bound, fields", "opentelemetry add", "", 0),
]


def measure(rounds: int) -> Dict[str, List[float]]:
    """Nanoseconds a call, of each row in each round."""
    rows: Rows = {}
    ready: List[Callable[[], None]] = []
    recorders = [_ours("accelerator", rows, ready)]
    with _ctypes_alone():
        recorders.append(_ours("ctypes", rows, ready))
    _empty_calls(rows)
    close = _mvx_common(rows, ready)
    _prometheus(rows)
    _opentelemetry(rows)
    times: Dict[str, List[float]] = {name: [] for name in rows}
    for number in range(rounds + 2):
        for name, calls in rows.items():
            calls(WARM_UP)
            begun = time.thread_time()
            calls(CALLS)
            spent = time.thread_time() - begun
            for drain in ready:
                drain()
            # The first rounds warm the caches up.
            if number >= 2:
                times[name].append(spent / CALLS * 1e9)
    close()
    for recorder in recorders:
        recorder.stop().wait(5)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    if _bound.accelerator is None:
        raise SystemExit("the accelerator is not there, or not to be used: there is nothing to compare")
    times = measure(parser.parse_args().rounds)
    print(f"Python {platform.python_version()}, {platform.machine()}; medians of the rounds; processor time, ns a call\n")
    print("| ours | ns | floor or peer | ns | ratio | due | |")
    print("| --- | ---: | --- | ---: | ---: | --- | --- |")
    for ours, other, relation, due in COMPARISONS:
        pairs = list(zip(times[ours], times[other]))
        if relation == ">=" or "call" not in other:
            ratio = statistics.median(peer / own for own, peer in pairs)
            word, met = f"{ratio:.2f} x faster", ratio >= due
        else:
            ratio = statistics.median(own / floor for own, floor in pairs)
            word, met = f"{ratio:.2f} x", ratio <= due
        told = f"{relation} {due} x" if relation else "stated"
        verdict = "" if not relation else "met" if met else "not met"
        print(
            f"| {ours} | {statistics.median(times[ours]):.0f} | {other} | {statistics.median(times[other]):.0f} "
            f"| {word} | {told} | {verdict} |"
        )


if __name__ == "__main__":
    main()
