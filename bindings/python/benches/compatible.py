"""Any object as an event, metrics in Python: this package against mvx-common, whose API it has.

What is measured is one round of events: how long ``register_event`` takes, and how long it is until the metric has handled
all, both as time on the wall, since several threads are at work. Rounds take turns in one process; a ratio is the median
of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import platform
import statistics
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, Tuple

#: Events a round; the queues hold more.
EVENTS = 4000

#: Seconds of registering, and until all was handled.
Round = Tuple[float, float]

PACKAGES = ("mvx_metrics", "mvx.common.metrics")


def _parts(package: str) -> Tuple[Any, Any, Any]:
    """The package, an event and a metric of its kinds."""
    module: Any = importlib.import_module(package)

    class Save(module.MetricEvent):  # type: ignore[misc]
        def __init__(self, outcome: str, seconds: float) -> None:
            self.outcome, self.seconds = outcome, seconds

        @property
        def event_type(self) -> str:
            return "bench.save"

    class Seconds(module.Metric):  # type: ignore[misc]
        total = 0.0
        count = 0
        awaited = 0

        def reached(self) -> None:
            """Replaced by who waits for the count."""

        @property
        def metric_name(self) -> str:
            return "seconds"

        def handle_event(self, event: Any) -> bool:
            self.total += event.seconds
            self.count += 1
            if self.count == self.awaited:
                self.reached()
            return True

        def snapshot(self) -> Mapping[str, Any]:
            return {"total": self.total, "count": self.count}

    return module, Save("ok", 0.01), Seconds()


def _in_a_loop(package: str) -> Tuple[Callable[[], Round], Callable[[], None]]:
    """A recorder made in an event loop; the coroutine that records then waits until its metric says that it has seen all."""
    module, event, metric = _parts(package)
    loop = asyncio.new_event_loop()

    async def made() -> Any:
        recorder = module.AsyncioMetricsRecorder("bench", queue_max_size=4 * EVENTS)
        recorder.register_metric(metric)
        await recorder.start()
        return recorder

    recorder = loop.run_until_complete(made())

    async def measured() -> Round:
        handled = asyncio.Event()
        metric.awaited, metric.reached = metric.count + EVENTS, handled.set
        begun = time.perf_counter()
        for _ in range(EVENTS):
            recorder.register_event(event)
        recorded = time.perf_counter()
        await handled.wait()
        return recorded - begun, time.perf_counter() - begun

    async def stopped() -> None:
        await recorder.stop()

    return lambda: loop.run_until_complete(measured()), lambda: loop.run_until_complete(stopped())


def _of_a_runtime(package: str) -> Tuple[Callable[[], Round], Callable[[], None]]:
    """A recorder of a runtime, which has a thread of its own."""
    module, event, metric = _parts(package)
    runtime = module.MetricsRuntime(namespace="bench")
    runtime.start()
    recorder = runtime.create_recorder("bench", queue_max_size=4 * EVENTS)
    recorder.register_metric(metric)

    def measured() -> Round:
        handled = threading.Event()
        metric.awaited, metric.reached = metric.count + EVENTS, handled.set
        begun = time.perf_counter()
        for _ in range(EVENTS):
            recorder.register_event(event)
        recorded = time.perf_counter()
        handled.wait()
        return recorded - begun, time.perf_counter() - begun

    return measured, runtime.shutdown


def _print_row(name: str, ours: List[float], theirs: List[float], due: float) -> None:
    nanoseconds = [statistics.median(times) / EVENTS * 1e9 for times in (ours, theirs)]
    ratio = statistics.median(their / our for our, their in zip(ours, theirs))
    verdict = "met" if ratio >= due else "not met"
    print(
        f"| {name} | {nanoseconds[0]:.0f} | mvx-common | {nanoseconds[1]:.0f} | {ratio:.1f} x faster | >= {due:g} x | {verdict} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    accelerated = importlib.import_module("mvx_metrics._acceleration").accelerator is not None
    how = "with the accelerator" if accelerated else "by ctypes alone"
    print(f"\nThe classes of mvx-common, {how}; Python {platform.python_version()}; medians; time on the wall, ns an event\n")
    print("| ours | ns | peer | ns | ratio | due | |")
    print("| --- | ---: | --- | ---: | ---: | --- | --- |")
    for name, make in (("recorder in a loop", _in_a_loop), ("recorder of a runtime", _of_a_runtime)):
        measured = {package: make(package) for package in PACKAGES}
        times: Dict[str, List[Round]] = {package: [] for package in PACKAGES}
        for number in range(rounds + 2):
            for package, (run, _) in measured.items():
                spent = run()
                # The first rounds warm the caches up.
                if number >= 2:
                    times[package].append(spent)
        for index, (what, due) in enumerate((("register_event", 10), ("until handled", 5))):
            ours, theirs = ([spent[index] for spent in times[package]] for package in PACKAGES)
            _print_row(f"{name}: {what}", ours, theirs, due)
        for _, end in measured.values():
            end()


if __name__ == "__main__":
    main()
