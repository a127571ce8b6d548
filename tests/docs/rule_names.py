"""Whether a snapshot has each sample that the rules in a file name."""

import re
import sys
from pathlib import Path

from mvx_metrics import MetricKind, NativeMetric, metric_event
from mvx_metrics.native import Runtime


@metric_event("rules.event")
class Event:
    value: float
    label: str


with Runtime() as runtime:
    recorder = runtime.create_recorder("rules")
    recorder.register_native_metric(NativeMetric("events", MetricKind.COUNTER, [Event], "value", group_by=["label"]))
    text = recorder.snapshot(timeout=5.0).to_openmetrics()

samples = set(re.findall(r"^(\w+)\{", text, re.M))
named = set(re.findall(r"\bmvx_\w+", Path(sys.argv[1]).read_text())) - {"mvx_metrics"}
if not named or named - samples:
    sys.exit(f"the library has no such samples: {sorted(named - samples) or 'the rules name none'}")
