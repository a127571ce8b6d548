"""Events as dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, List

import pytest

from mvx_metrics.events import F32, I8, U16, U64, Text, metric_event, read_event
from mvx_metrics.native import (
    Field,
    FieldKind,
    InvalidArgument,
    MetricKind,
    MvxError,
    NativeMetric,
    Recorder,
    declare_event_type,
)


@metric_event("events.all")
@dataclass(frozen=True)
class All:
    flag: bool
    narrow: I8
    port: U16
    big: U64
    count: int
    share: F32
    seconds: float
    route: str
    who: Annotated[str, Text(6)] = "-"


@metric_event("events.plain")
class Plain:
    outcome: str
    seconds: float = 1.0


@metric_event("events.empty")
class Empty:
    pass


def test_what_is_recorded_comes_back(recorder: Recorder, counting: Any) -> None:
    recorder.register_metric("m", counting)
    given = All(True, -3, 8080, 2**64 - 1, -(2**63), 0.5, 0.25, "/", "müller"[:5])
    recorder.register_event(given)
    recorder.bind(All)(False, 0, 0, 0, 0, 0.0, 0.0, "")
    recorder.bind(All)(flag=False, narrow=1, port=1, big=1, count=1, share=1, seconds=1, route="x", who="y")
    recorder.flush().wait(5)
    assert read_event(All, counting.seen[0]) == given
    assert read_event(All, counting.seen[1]) == All(False, 0, 0, 0, 0, 0.0, 0.0, "")
    assert read_event(All, counting.seen[2]).who == "y"
    with pytest.raises(TypeError):
        read_event(Plain, counting.seen[0])


def test_native_metrics_read_the_fields(recorder: Recorder) -> None:
    recorder.register_native_metric(NativeMetric("n", MetricKind.COUNTER, [Plain], group_by=["outcome"]))
    recorder.register_native_metric(NativeMetric("s", MetricKind.COUNTER, [Plain], value_field="seconds"))
    recorder.register_native_metric(NativeMetric("who", MetricKind.COUNTER, [All], group_by=["who", "flag", "port"]))
    save = recorder.bind(Plain)
    save("ok")
    save("ok", 0.5)
    save("bad", seconds=2)
    recorder.register_event(All(True, 0, 80, 0, 0, 0.0, 0.0, "/", "me"))
    shown = recorder.snapshot().to_dict()
    assert [(one["labels"]["outcome"], one["value"]) for one in shown["n"]["series"]] == [("ok", 2), ("bad", 1)]
    assert shown["s"] == {"value": 3.5}
    assert shown["who"]["series"] == [{"labels": {"who": "me", "flag": "true", "port": "80"}, "value": 1}]


def test_an_event_without_fields(recorder: Recorder) -> None:
    recorder.register_native_metric(NativeMetric("n", MetricKind.COUNTER, [Empty]))
    recorder.register_event(Empty())
    recorder.bind(Empty)()
    assert recorder.snapshot()["n"] == {"value": 2}


@pytest.mark.parametrize(
    "bad",
    [
        {"narrow": 128}, {"port": -1}, {"big": 2**64}, {"share": 1e300}, {"who": "too long"}, {"seconds": "no"},
    ],  # fmt: skip
)
def test_a_value_that_does_not_fit_changes_nothing(recorder: Recorder, bad: Any) -> None:
    values = {**dict(flag=True, narrow=0, port=0, big=0, count=0, share=0, seconds=0, route="", who=""), **bad}
    for call in (lambda: recorder.bind(All)(**values), lambda: recorder.register_event(All(**values))):
        with pytest.raises(InvalidArgument):
            call()
    with pytest.raises(TypeError):
        recorder.bind(All)(**{**values, **{"who": "", "route": 5}, **{key: 0 for key in bad}})
    assert recorder.stats().accepted == 0


def test_a_class_that_is_no_event_is_refused() -> None:
    with pytest.raises(TypeError):

        @metric_event("events.bad")
        class Bad:
            items: List[int]

    with pytest.raises(TypeError):

        @metric_event("events.factory")
        class Factory:
            n: int = field(default_factory=int)

    with pytest.raises(InvalidArgument):
        Text(0)


def test_a_name_is_declared_once() -> None:
    with pytest.raises(MvxError) as failed:

        @metric_event("events.plain")
        class Other:
            other: int

    assert failed.value.reason == "EVENT_TYPE_ALREADY_EXISTS"
    again = declare_event_type("events.plain", [Field("outcome", FieldKind.SYMBOL), Field("seconds", FieldKind.F64)])
    assert again.number == Plain.__mvx_event_type__.number  # type: ignore[attr-defined]


def test_released_events_are_told_once(recorder: Recorder) -> None:
    released: List[bytes] = []
    kind = declare_event_type("events.released", release=released.append)
    assert declare_event_type("events.released", release=released.append).number == kind.number
    recorder.register_payload(kind, b"payload")
    with pytest.raises(InvalidArgument):
        recorder.register_payload(kind, bytes(5000))
    recorder.flush().wait(5)
    recorder.stop().wait(5)
    assert released == [b"payload"]
