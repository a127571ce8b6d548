"""States, operations and the overflow policy, in the words of mvx-common."""

from __future__ import annotations

from .words import Words

__all__ = [
    "AsyncioMetricsRecorderOp",
    "AsyncioMetricsRecorderQueueOverflowPolicy",
    "AsyncioMetricsRecorderState",
    "MetricsRuntimeState",
]


class AsyncioMetricsRecorderState(Words):
    """States of a recorder."""

    VIRGIN = "VIRGIN"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    FAILURE = "FAILURE"
    CANCELLED = "CANCELLED"


class MetricsRuntimeState(Words):
    """States of a runtime."""

    VIRGIN = "VIRGIN"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    CLOSED = "CLOSED"
    FAILURE = "FAILURE"


class AsyncioMetricsRecorderOp(Words):
    """What a wait handle waits for."""

    START = "START"
    STOP = "STOP"


class AsyncioMetricsRecorderQueueOverflowPolicy(Words):
    """What becomes of an event that comes when as many are pending as may be."""

    #: It is dropped and counted; the call succeeds.
    DROP = "DROP"
    #: It is refused: the call raises ``AsyncioMetricsRecorderQueueOverflowError``.
    RAISE_ERROR = "RAISE_ERROR"
