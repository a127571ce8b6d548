"""What the tests share."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from mvx_metrics.native import EventType, Field, FieldKind, Recorder, RecorderOptions, Runtime, declare_event_type

_names = itertools.count(1)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as made:
        yield made


@pytest.fixture
def event_type() -> EventType:
    """An event type of the test's own."""
    return declare_event_type(
        f"test.{os.getpid()}.{next(_names)}", [Field("outcome", FieldKind.SYMBOL), Field("n", FieldKind.U32)]
    )


@pytest.fixture
def recorder(runtime: Runtime) -> Recorder:
    made = Recorder(runtime, RecorderOptions(entity_id="test"))
    made.start().wait(5).raise_for_error()
    return made


class Counting:
    """A metric that counts, and remembers what it was handed."""

    def __init__(self) -> None:
        self.seen: Any = []
        self.drops = 0

    def handle_event(self, event: Any) -> bool:
        self.seen.append(event)
        return True

    def snapshot(self) -> Any:
        return {"total": len(self.seen)}

    def drop(self) -> None:
        self.drops += 1


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def program() -> Callable[[str], "subprocess.CompletedProcess[str]"]:
    """Runs a program of its own in a fresh interpreter."""

    def run(source: str, timeout: float = 20) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(source)],
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


@pytest.fixture(scope="session")
def build() -> Path:
    """Where products of the tests go; the tests with the accelerator and those without run at once."""
    path = Path(os.environ["MVX_METRICS_BUILD"]) / "tests" / f"way-{os.environ.get('MVX_METRICS_ACCELERATOR', '')}"
    path.mkdir(parents=True, exist_ok=True)
    return path
