"""The state of one scenario while it is played: its journal, gates, things by name, jobs and threads."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

#: How long a step may wait for something that must come, in seconds.
PATIENCE_S = 20.0

_output = threading.Lock()


class Broken(Exception):
    """The step can't be played or found something wrong; the message has been reported."""


@dataclass
class Thing:
    """What a step made, under its name. A freed one stays, so that a step can use it once more."""

    value: Any
    live: bool = True


@dataclass
class Gate:
    open: bool = False
    reached: int = 0


@dataclass
class Job:
    thread: threading.Thread
    done: bool = False
    joined: bool = False


@dataclass
class Use:
    """One object handed to the library, which has to be dropped once."""

    scenario: Scenario
    key: str
    drop_due: bool = True
    drops: int = 0

    def dropped(self) -> None:
        with self.scenario.changed:
            self.drops += 1
        if self.drops > 1:
            self.scenario.fail(self.key, f"dropped {self.drops} times")
        self.scenario.note(f"{self.key}.drop")


@dataclass
class Scenario:
    path: str
    root: Dict[str, Any]
    changed: threading.Condition = field(default_factory=threading.Condition)
    failed: bool = False
    cleaning: bool = False
    default_runtime_used: bool = False
    journal: List[str] = field(default_factory=list)
    things: Dict[Tuple[str, str], Thing] = field(default_factory=dict)
    gates: Dict[str, Gate] = field(default_factory=dict)
    events: Dict[str, Any] = field(default_factory=dict)
    events_by_number: Dict[int, Any] = field(default_factory=dict)
    metrics: Dict[str, Any] = field(default_factory=dict)
    hooks: Dict[str, Any] = field(default_factory=dict)
    uses: List[Use] = field(default_factory=list)
    jobs: Dict[str, Job] = field(default_factory=dict)
    workers: Dict[str, Any] = field(default_factory=dict)
    marks: Dict[str, int] = field(default_factory=dict)
    active: Dict[int, str] = field(default_factory=dict)

    @property
    def is_raw(self) -> bool:
        return "raw" in self.root.get("needs", [])

    def fail(self, where: str, text: str) -> None:
        with self.changed:
            self.failed = True
            self.changed.notify_all()
        with _output:
            print(f"{self.path}: {where}: {text}", flush=True)

    def goes_on(self) -> bool:
        return not self.failed and not self.cleaning

    # ---- journal ----

    def note(self, entry: str) -> None:
        with self.changed:
            self.journal.append(entry)
            self.changed.notify_all()

    def selected(self, beginnings: List[str]) -> List[str]:
        with self.changed:
            return [
                entry
                for entry in self.journal
                if any(entry == words or entry.startswith(words + " ") for words in beginnings)
            ]

    # ---- gates ----

    def pass_gate(self, name: str) -> None:
        with self.changed:
            gate = self.gates.setdefault(name, Gate())
            gate.reached += 1
            self.changed.notify_all()
            while not gate.open and not self.cleaning:
                self.changed.wait()

    def open_gate(self, name: str) -> None:
        with self.changed:
            self.gates.setdefault(name, Gate()).open = True
            self.changed.notify_all()

    # ---- uses ----

    def use(self, use: Use) -> Any:
        with self.changed:
            self.uses.append(use)
        return use


class Call:
    """A step being played."""

    def __init__(self, scenario: Scenario, step: Dict[str, Any], where: str) -> None:
        self.scenario = scenario
        self.step = step
        self.where = where

    def broken(self, text: str) -> Broken:
        self.scenario.fail(self.where, text)
        return Broken(text)

    def needs_raw(self, what: str) -> None:
        if not self.scenario.is_raw:
            raise self.broken(f'{what}: the scenario must say that it needs "raw"')

    def integer(self, key: str, default: Any = None, among: Optional[Dict[str, Any]] = None) -> Any:
        value = (self.step if among is None else among).get(key, default)
        if value is not default and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.broken(f"'{key}' must be an integer")
        return value

    # ---- things by name ----

    def bind(self, kind: str, name: str, value: Any) -> None:
        scenario = self.scenario
        with scenario.changed:
            thing = scenario.things.get((kind, name))
            taken = thing is not None and thing.live
            if not taken:
                scenario.things[(kind, name)] = Thing(value)
                scenario.changed.notify_all()
        if taken:
            raise self.broken(f"the name '{name}' is taken")

    def thing(self, kind: str, name: Any) -> Any:
        thing = self.scenario.things.get((kind, name)) if isinstance(name, str) else None
        if thing is None:
            raise self.broken(f"there is no '{name}'")
        if not thing.live:
            self.needs_raw("a handle that was freed")
        return thing.value

    def freed(self, kind: str, name: Any) -> None:
        if isinstance(name, str) and (kind, name) in self.scenario.things:
            self.scenario.things[(kind, name)].live = False

    def asks_for_null(self, key: str) -> bool:
        value = self.step.get(key)
        return isinstance(value, dict) and "$null" in value

    def named(self, key: str) -> Optional[str]:
        value = self.step.get(key)
        return value if isinstance(value, str) else None


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def pause_ms(milliseconds: float) -> None:
    time.sleep(milliseconds / 1000)
