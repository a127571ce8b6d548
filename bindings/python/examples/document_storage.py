"""Counts the attempts to save a document.

The storage says what happened: an attempt to save, its outcome, its duration. It knows no counter. A metric decides what
an attempt means to it; the recorder hands it the events on a thread of its own.
"""

from __future__ import annotations

import json
from typing import Dict

from mvx_metrics.events import metric_event, read_event
from mvx_metrics.native import Event, Runtime

METRIC = "document_storage.save.attempts"


@metric_event("document_storage.save.attempt")
class SaveAttempt:
    """What the storage reports."""

    outcome: str
    seconds: float


class SaveCounts:
    """What the metric makes of it. It needs no lock: a recorder calls its metrics one at a time."""

    def __init__(self) -> None:
        self.total = self.success_total = self.failure_total = 0

    def handle_event(self, event: Event) -> bool:
        self.total += 1
        if read_event(SaveAttempt, event).outcome == "success":
            self.success_total += 1
        else:
            self.failure_total += 1
        return True

    def snapshot(self) -> Dict[str, int]:
        return {
            "total": self.total,
            "success_total": self.success_total,
            "failure_total": self.failure_total,
        }


def main() -> None:
    # The runtime owns the threads. A recorder that it creates is running already.
    with Runtime() as runtime:
        recorder = runtime.create_recorder("document_storage")
        recorder.register_metric(METRIC, SaveCounts(), event_types=[SaveAttempt])

        for attempt in (SaveAttempt("success", 0.012), SaveAttempt("failure", 1.5), SaveAttempt("success", 0.009)):
            recorder.register_event(attempt)

        # Shows every event registered so far, and waits for them: a second at most.
        print(json.dumps(recorder.snapshot(timeout=1.0)[METRIC]))


if __name__ == "__main__":
    main()
