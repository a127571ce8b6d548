"""mvx-common, end to end: millions of events a second until a metric has counted all: mvx_common.py EVENTS

The recorder runs in its runtime's thread, and this thread registers events, as the package's users do. Stopping the
recorder flushes it.
"""

import json
import sys
import time

from mvx.common.metrics import Metric, MetricEvent
from mvx.common.metrics.metrics_runtime import MetricsRuntime


class Outcome(MetricEvent):
    """An event with one of eight outcomes."""

    __slots__ = ("symbol", "number")

    def __init__(self, symbol, number):
        self.symbol = symbol
        self.number = number

    @property
    def event_type(self):
        return "bench.event"


class Count(Metric):
    """Counts by outcome."""

    def __init__(self):
        self.counts = [0] * 8

    @property
    def metric_name(self):
        return "count"

    def handle_event(self, event):
        if event.event_type != "bench.event":
            return False
        self.counts[event.symbol] += 1
        return True

    def snapshot(self):
        return {"counts": list(self.counts)}


def main():
    events = int(sys.argv[1])
    count = Count()
    runtime = MetricsRuntime(namespace="bench")
    runtime.start()
    # Room for all: this package does not block at its limit.
    recorder = runtime.create_recorder("bench", queue_max_size=events + 1)
    recorder.register_metric(count)
    begin = time.perf_counter()
    for number in range(events):
        recorder.register_event(Outcome(number & 7, number))
    result = recorder.stop().wait()
    took = time.perf_counter() - begin
    if not result.success:
        raise result.error
    runtime.shutdown()
    print(json.dumps({"events": events, "counted": sum(count.counts), "mps": events / took / 1e6}))


if __name__ == "__main__":
    main()
