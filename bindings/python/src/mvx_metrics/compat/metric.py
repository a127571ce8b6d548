"""What applications derive their events and metrics from, and what their components ask of a recorder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Iterable, Mapping, Protocol, runtime_checkable


class MetricEvent(ABC):
    """Something that happened. Any Python object; recorders hand on this very object."""

    @property
    @abstractmethod
    def event_type(self) -> str:
        """The stable name of what happened."""
        raise NotImplementedError


class Metric(ABC):
    """Decides which events matter to it, and what they make of its state. Its methods never run two at once.

    They run on the event loop in which the recorder was made; those of a runtime's recorder on a thread of the
    library.
    """

    @property
    @abstractmethod
    def metric_name(self) -> str:
        """Its stable name within a recorder."""
        raise NotImplementedError

    @abstractmethod
    def handle_event(self, event: MetricEvent) -> bool:
        """Takes an event, and returns whether that changed the metric."""
        raise NotImplementedError

    @abstractmethod
    def snapshot(self) -> Mapping[str, Any]:
        """Its state. Whatever it returns is what ``get_metric_snapshots`` shows under the metric's name."""
        raise NotImplementedError


@runtime_checkable
class MetricsRecorderProto(Protocol):
    """What production code needs of a recorder."""

    def register_metric(self, metric: Metric) -> None:
        """Adds a metric, or puts it in the place of the one of its name."""
        ...

    def register_event(self, event: MetricEvent) -> None:
        """Hands an event over."""
        ...

    def get_metric_snapshots(self) -> Mapping[str, Mapping[str, Any]]:
        """The state of each metric, by name."""
        ...

    def iter_metrics(self) -> Iterable[Metric]:
        """The metrics that were registered."""
        ...
