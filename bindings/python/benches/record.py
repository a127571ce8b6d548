"""The record call against an empty ctypes call with its arguments, and against what people use today.

All rows are measured in rounds that take turns, in one process, as the processor time of the thread that records. A ratio
is the median of the rounds' ratios, so that what slows the machine down for a while counts on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import platform
import statistics
import subprocess
import time
from ctypes import c_char_p, c_int32, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from mvx_metrics.events import metric_event
from mvx_metrics.native import MetricKind, NativeMetric, OverflowPolicy, Recorder, RecorderOptions

#: Calls a round: fewer than fit into the recorder's queue, so that what is measured is an accepted event.
CALLS = 4000

Row = Tuple[str, Callable[[], None]]


@metric_event("bench.save")
class Save:
    outcome: str
    seconds: float


def _floor() -> ctypes.CDLL:
    build = Path(os.environ["MVX_METRICS_BUILD"])
    build.mkdir(parents=True, exist_ok=True)
    library = build / "libempty.so"
    source = Path(__file__).with_name("empty.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return ctypes.CDLL(str(library))


def _ours(rows: Dict[str, Callable[[], None]], ready: List[Callable[[], None]]) -> Recorder:
    recorder = Recorder(
        options=RecorderOptions(queue_max_size=CALLS * 16, overflow_policy=OverflowPolicy.RAISE_ERROR)
    )
    recorder.register_native_metric(
        NativeMetric("seconds", MetricKind.COUNTER, [Save], value_field="seconds", group_by=["outcome"])
    )
    recorder.start().wait(5).raise_for_error()
    event_type = Save.__mvx_event_type__  # type: ignore[attr-defined]
    payload, record, save = event_type.pack(outcome="ok", seconds=0.01), recorder.bind(event_type), recorder.bind(Save)

    def bound() -> None:
        for _ in range(CALLS):
            record(payload)

    def fields() -> None:
        for _ in range(CALLS):
            save("ok", 0.01)

    def instance() -> None:
        for _ in range(CALLS):
            recorder.register_event(Save("ok", 0.01))

    def plain() -> None:
        for _ in range(CALLS):
            recorder.register_payload(event_type, payload)

    batch = payload * CALLS
    rows["bound, payload"] = bound
    rows["bound, fields"] = fields
    rows["register_payload"] = plain
    rows["register_event, new instance"] = instance
    rows["register_payloads, 4,000 at once"] = lambda: recorder.register_payloads(event_type, batch, CALLS) and None
    ready.append(lambda: recorder.flush().wait(5).raise_for_error())
    return recorder


def _empty_calls(rows: Dict[str, Callable[[], None]]) -> None:
    library = _floor()
    declared, prepared = library["empty"], library["empty"]
    declared.argtypes, declared.restype = [c_void_p, c_uint32, c_char_p, c_size_t], c_int32
    prepared.restype = c_int32
    pointer, number, payload, size = c_void_p(2**62), 7, bytes(16), c_size_t(16)

    def with_types() -> None:
        for _ in range(CALLS):
            declared(pointer, number, payload, len(payload))

    def without() -> None:
        for _ in range(CALLS):
            prepared(pointer, number, payload, size)

    rows["empty call, argtypes"] = with_types
    rows["empty call, prepared"] = without


def _mvx_common(rows: Dict[str, Callable[[], None]], ready: List[Callable[[], None]]) -> Any:
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

    def record() -> None:
        for _ in range(CALLS):
            recorder.register_event(event)

    def drain() -> None:
        loop.run_until_complete(asyncio.sleep(0.0))
        while recorder._pending_counter:
            loop.run_until_complete(asyncio.sleep(0.0))

    rows["mvx-common register_event"] = record
    ready.append(drain)
    return lambda: (loop.run_until_complete(_stopped(recorder)), loop.close())


async def _stopped(recorder: Any) -> None:
    await recorder.stop()


def _prometheus(rows: Dict[str, Callable[[], None]]) -> None:
    from prometheus_client import CollectorRegistry, Counter

    counter = Counter("saves", "Saves.", ["outcome"], registry=CollectorRegistry())
    bound = counter.labels("ok")

    def looked_up() -> None:
        for _ in range(CALLS):
            counter.labels("ok").inc(0.01)

    def inc() -> None:
        for _ in range(CALLS):
            bound.inc(0.01)

    rows["prometheus_client inc, bound"] = inc
    rows["prometheus_client inc, labels"] = looked_up


def _opentelemetry(rows: Dict[str, Callable[[], None]]) -> None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    counter = MeterProvider(metric_readers=[InMemoryMetricReader()]).get_meter("bench").create_counter("saves")
    attributes = {"outcome": "ok"}

    def add() -> None:
        for _ in range(CALLS):
            counter.add(0.01, attributes)

    rows["opentelemetry add"] = add


#: ours, the other, which is due (at most: we over the other; at least: the other over ours)
COMPARISONS = [
    ("bound, payload", "empty call, prepared", "<=", 1.3),
    ("bound, payload", "empty call, argtypes", "<=", 1.3),
    ("bound, fields", "empty call, prepared", "", 0),
    ("register_payload", "empty call, argtypes", "", 0),
    ("register_event, new instance", "empty call, argtypes", "", 0),
    ("register_payloads, 4,000 at once", "empty call, prepared", "", 0),
    ("bound, fields", "mvx-common register_event", ">=", 8),
    ("bound, payload", "mvx-common register_event", ">=", 8),
    ("bound, fields", "prometheus_client inc, bound", "", 0),
    ("bound, fields", "prometheus_client inc, labels", "", 0),
    ("bound, fields", "opentelemetry add", "", 0),
]


def measure(rounds: int) -> Dict[str, List[float]]:
    """Nanoseconds a call, of each row in each round."""
    rows: Dict[str, Callable[[], None]] = {}
    ready: List[Callable[[], None]] = []
    recorder = _ours(rows, ready)
    _empty_calls(rows)
    close = _mvx_common(rows, ready)
    _prometheus(rows)
    _opentelemetry(rows)
    times: Dict[str, List[float]] = {name: [] for name in rows}
    for number in range(rounds + 2):
        for name, calls in rows.items():
            begun = time.thread_time()
            calls()
            spent = time.thread_time() - begun
            for drain in ready:
                drain()
            # The first rounds warm the caches up.
            if number >= 2:
                times[name].append(spent / CALLS * 1e9)
    close()
    recorder.stop().wait(5)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
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
