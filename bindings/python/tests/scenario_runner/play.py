"""Plays steps: here, on a named thread, or in the background."""

from __future__ import annotations

import threading
import traceback
from typing import Any, Callable, Dict, List, Optional, Tuple

from .compare import compare
from .scenario import Broken, Call, Job, Scenario

Operation = Tuple[str, str, Callable[[Call], Any]]


def operations() -> Dict[str, Operation]:
    """All operations by name: which keys their steps may have, what they give, and what carries them out."""
    if not _operations:
        from . import snapshots, steps_event, steps_flow, steps_recorder, steps_runtime, steps_wait

        for module in (steps_runtime, steps_recorder, steps_event, snapshots, steps_wait, steps_flow):
            _operations.update(module.OPERATIONS)
    return _operations


_operations: Dict[str, Operation] = {}


def bare(call: Call) -> Any:
    """Plays a step; the result is not compared with what is expected."""
    key = id(call)
    call.scenario.active[key] = call.where
    try:
        return operations()[call.step["do"]][2](call)
    except Broken:
        raise
    except Exception:
        raise call.broken(f"the runner or the binding failed: {traceback.format_exc()}") from None
    finally:
        call.scenario.active.pop(key, None)


def _here(scenario: Scenario, step: Dict[str, Any], where: str) -> None:
    call = Call(scenario, step, where)
    try:
        got = bare(call)
    except Broken:
        return
    compare(call, step.get("expect", {}), got)


class Worker:
    """A thread of the scenario's, by name."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.task: Optional[Tuple[Dict[str, Any], str]] = None
        self.quit = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        changed = self.scenario.changed
        while True:
            with changed:
                changed.wait_for(lambda: self.task is not None or self.quit)
                task = self.task
            if task is None:
                return
            _here(self.scenario, *task)
            with changed:
                self.task = None
                changed.notify_all()

    def play(self, step: Dict[str, Any], where: str) -> None:
        changed = self.scenario.changed
        with changed:
            self.task = (step, where)
            changed.notify_all()
            changed.wait_for(lambda: self.task is None)

    def end(self) -> None:
        with self.scenario.changed:
            self.quit = True
            self.scenario.changed.notify_all()
        self.thread.join()


def _step(scenario: Scenario, step: Dict[str, Any], where: str) -> None:
    if "background" in step:
        job = Job(threading.Thread())

        def run() -> None:
            _here(scenario, step, where)
            job.done = True

        job.thread = threading.Thread(target=run)
        scenario.jobs[step["background"]] = job
        job.thread.start()
    elif "thread" in step:
        worker = scenario.workers.get(step["thread"])
        if worker is None:
            worker = scenario.workers[step["thread"]] = Worker(scenario)
        worker.play(step, where)
    else:
        _here(scenario, step, where)


def steps(scenario: Scenario, listed: List[Dict[str, Any]], within: str = "") -> None:
    """Plays steps in order. What follows a failed one would only fail for the same reason, so it is left out."""
    for number, step in enumerate(listed, 1):
        if not scenario.goes_on():
            return
        _step(scenario, step, f"{within}{', ' if within else ''}step {number} ({step.get('do')})")
