"""The accelerator: when it is used, and that it can't be told from ctypes but by its speed."""

from __future__ import annotations

import enum
import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path
from types import BuiltinFunctionType
from typing import Annotated, Any, Callable, List, Tuple

import pytest

from mvx_metrics import _bound
from mvx_metrics._acceleration import VARIABLE, accelerator
from mvx_metrics.events import F32, I8, I16, I32, U8, U16, U32, U64, Text, metric_event
from mvx_metrics.native import Event, EventType, MvxError, Recorder

SRC = Path(__file__).resolve().parent.parent / "src"


@metric_event("accelerator.all")
class All:
    flag: bool
    a: I8
    b: I16
    c: I32
    d: int
    e: U8
    f: U16
    g: U32
    h: U64
    x: F32
    y: float
    route: str
    who: Annotated[str, Text(6)] = "-"
    code: str = "none"


GOOD = dict(flag=True, a=-1, b=-2, c=-3, d=-4, e=5, f=6, g=7, h=8, x=0.5, y=0.25, route="/", who="me", code="ok")


# ---- which way ----


def _import(variable: str, path: str) -> "subprocess.CompletedProcess[str]":
    source = "from mvx_metrics._acceleration import accelerator; print(accelerator is not None)"
    environment = {**os.environ, VARIABLE: variable, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, timeout=20)


def test_the_way_is_the_one_that_was_asked_for(recorder: Recorder, event_type: EventType) -> None:
    asked = os.environ.get(VARIABLE, "")
    if asked:
        assert (accelerator is not None) == (asked == "1")
    for function in (recorder.bind(event_type), recorder.bind(All)):
        assert isinstance(function, BuiltinFunctionType) == (accelerator is not None)


@pytest.mark.parametrize("variable, used", [("", True), ("1", True), ("0", False)])
def test_where_it_is_there_it_is_used_unless_told_otherwise(variable: str, used: bool) -> None:
    assert _import(variable, os.environ["PYTHONPATH"]).stdout == f"{used}\n"


def test_where_it_is_not_there_ctypes_does_it_unless_told_otherwise() -> None:
    assert _import("", str(SRC)).stdout == _import("0", str(SRC)).stdout == "False\n"
    refused = _import("1", str(SRC))
    assert refused.returncode == 1 and f"ImportError: {VARIABLE} is 1, but the accelerator can't be used" in refused.stderr


def test_a_value_that_means_nothing_is_refused() -> None:
    refused = _import("yes", os.environ["PYTHONPATH"])
    assert refused.returncode == 1 and f"ImportError: {VARIABLE} is 'yes'" in refused.stderr


def test_addresses_are_checked() -> None:
    if accelerator is None:
        pytest.skip("by ctypes alone")
    addresses = dict.fromkeys(accelerator.FUNCTIONS, 0)
    with pytest.raises(ValueError, match="the address of .* is 0"):
        accelerator.connect(addresses)
    with pytest.raises(KeyError):
        accelerator.connect({})


# ---- the same as by ctypes ----


class Code(enum.IntEnum):
    LOW = 3


class Index:
    def __index__(self) -> int:
        return 4


class Word(str):
    pass


Call = Tuple[Tuple[Any, ...], dict]  # type: ignore[type-arg]


def _with(**changed: Any) -> Call:
    return (), {**GOOD, **changed}


_LIMITS = {"a": 8, "b": 16, "c": 32, "d": 64, "e": 8, "f": 16, "g": 32, "h": 64}
CALLS: List[Call] = [
    _with(),
    (tuple(GOOD.values()), {}),
    (tuple(GOOD.values())[:12], {}),
    (tuple(GOOD.values())[:12], {"code": "later"}),
    (tuple(GOOD.values())[:5], dict(list(GOOD.items())[5:])),
    *(_with(**{name: value}) for name, bits in _LIMITS.items() for value in (
        0, True, Code.LOW, Index(), -1, 2**bits - 1, 2**bits, 2 ** (bits - 1) - 1, 2 ** (bits - 1), -(2 ** (bits - 1)),
        -(2 ** (bits - 1)) - 1, 10**30, 1.0, "1", None,
    )),
    *(_with(**{name: value}) for name in ("x", "y") for value in (
        0, True, Code.LOW, Index(), -1.0, -1, 1e300, 10**400, 2**64, float("inf"), float("nan"), "1", None,
    )),
    *(_with(flag=value) for value in (0, 1, "", "yes", None, [], Index())),
    *(_with(**{name: value}) for name in ("route", "code") for value in (
        "", "ü", Word("word"), Word("/"), "\0", "a" * 70000, "\ud800", 5, None, b"/", [],
    )),
    *(_with(who=value) for value in ("", "müller"[:5], "müllers", "\0a", "123456", "1234567", Word("w"), "\ud800", 5, None)),
    # Bad shapes.
    ((), {}),
    (tuple(GOOD.values())[:11], {}),
    ((*GOOD.values(), 1), {}),
    (tuple(GOOD.values()), {"code": "twice"}),
    _with(stranger=1),
    ((1, 2), {}),
    _with(**{"a": 1000, "route": 5}),
    ((), {"".join(["co", "de"]): "c", **{"".join(letter for letter in name): value for name, value in GOOD.items()}}),
]  # fmt: skip


class Kept:
    """A metric that keeps the payloads."""

    def __init__(self) -> None:
        self.payloads: List[bytes] = []

    def handle_event(self, event: Event) -> bool:
        self.payloads.append(event.payload)
        return True

    def snapshot(self) -> Any:
        return {}


def _outcome(recorder: Recorder, kept: Kept, function: Callable[..., None], call: Call) -> Any:
    raised = None
    try:
        assert function(*call[0], **call[1]) is None
    except Exception as error:
        raised = (type(error), str(error), getattr(error, "details", None))
    recorder.flush().wait(5)
    payloads, kept.payloads = kept.payloads, []
    return raised, payloads


def test_what_is_recorded_and_raised_is_the_same(recorder: Recorder, monkeypatch: Any) -> None:
    if accelerator is None:
        pytest.skip("by ctypes alone")
    kept = Kept()
    recorder.register_metric("kept", kept)
    fast = recorder.bind(All)
    monkeypatch.setattr(_bound, "accelerator", None)
    by_ctypes = recorder.bind(All)
    assert isinstance(fast, BuiltinFunctionType) and not isinstance(by_ctypes, BuiltinFunctionType)
    recorded = 0
    for call in CALLS:
        # Twice: the second time symbols are known.
        for _ in range(2):
            expected = _outcome(recorder, kept, by_ctypes, call)
            assert _outcome(recorder, kept, fast, call) == expected, call
        recorded += len(expected[1])
    assert 0 < recorded < len(CALLS)


@pytest.mark.parametrize("payload", [b"", bytes(7), bytes(8), bytes(9), bytes(4096), bytes(4097), bytearray(8), "8 bytes!", None, 8])
def test_payloads_are_judged_the_same(recorder: Recorder, event_type: EventType, monkeypatch: Any, payload: Any) -> None:
    if accelerator is None:
        pytest.skip("by ctypes alone")
    kept = Kept()
    recorder.register_metric("kept", kept)
    fast, number = recorder.bind(event_type), event_type.number
    monkeypatch.setattr(_bound, "accelerator", None)
    slow, other = recorder.bind(event_type), Recorder.from_handle(recorder.handle)
    calls: List[Callable[[Any], None]] = [fast, slow]
    outcomes = [_outcome(recorder, kept, call, ((payload,), {})) for call in calls]
    assert outcomes[0] == outcomes[1]
    outcomes = [_outcome(recorder, kept, one.register_payload, ((number, payload), {})) for one in (recorder, other)]
    assert outcomes[0] == outcomes[1]


def test_texts_are_told_apart_however_many_there_are(recorder: Recorder) -> None:
    kept = Kept()
    recorder.register_metric("kept", kept)
    record, event_type = recorder.bind(All), All.__mvx_event_type__  # type: ignore[attr-defined]
    for _ in range(3):
        for number in range(500):
            # A new object each time, often where one lay that is gone.
            record(**{**GOOD, "route": f"/{number}", "code": f"{number % 7}"})
        recorder.flush().wait(5)
        fields = [event_type.unpack(payload) for payload in kept.payloads]
        assert [(one["route"], one["code"]) for one in fields] == [(f"/{n}", f"{n % 7}") for n in range(500)]
        kept.payloads.clear()


# ---- what stays, and what goes ----


def test_a_function_keeps_its_recorder_and_nothing_else_does(runtime: Any, event_type: EventType) -> None:
    recorder = Recorder(runtime)
    gone = weakref.ref(recorder)
    functions = [recorder.bind(event_type), recorder.bind(All)]
    functions[0](bytes(8))
    functions[1](**GOOD)
    del recorder
    gc.collect()
    assert gone() is not None
    functions[0](bytes(8))
    functions.clear()
    gc.collect()
    assert gone() is None


def test_a_ring_through_a_function_is_let_go(runtime: Any) -> None:
    class Mine(Recorder):
        pass

    recorder = Mine(runtime)
    recorder.save = recorder.bind(All)  # type: ignore[attr-defined]
    gone = weakref.ref(recorder)
    del recorder
    gc.collect()
    assert gone() is None


def test_calls_leave_nothing_behind(recorder: Recorder, event_type: EventType) -> None:
    record, payloads = recorder.bind(All), recorder.bind(event_type)
    route, payload, big = "/leak" * 2, bytes(8), 2**70
    watched = (route, payload, big, record, None)

    def work() -> None:
        for number in range(2000):
            payloads(payload)
            recorder.register_payload(event_type, payload)
            record(**{**GOOD, "route": route})
            record(True, -1, -2, -3, -4, 5, 6, 7, 8, 0.5, 0.25, f"/{number % 100}", "me")
            for bad in ({"h": big}, {"who": "far too long"}, {"stranger": 1}):
                try:
                    record(**{**GOOD, **bad})
                except (MvxError, TypeError):
                    pass
            try:
                payloads(b"")
            except MvxError:
                pass
            if number % 500 == 0:
                recorder.flush().wait(5)
        recorder.flush().wait(5)

    work()
    gc.collect()
    blocks, counts = sys.getallocatedblocks(), [sys.getrefcount(one) for one in watched]
    for _ in range(3):
        work()
    gc.collect()
    now = [sys.getrefcount(one) for one in watched]
    assert all(abs(after - before) < 100 for before, after in zip(counts, now)), (counts, now)
    assert sys.getallocatedblocks() - blocks < 1000
