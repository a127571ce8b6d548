"""Plays one scenario, then lets go of everything."""

from __future__ import annotations

import gc
import time
from typing import Any, Dict, List

from mvx_metrics.native import MvxError, Runtime

from . import play
from .callbacks import declare_events, make_callbacks
from .scenario import PATIENCE_S, Broken, Scenario, pause_ms


def _live(scenario: Scenario, kind: str) -> List[Any]:
    return [thing.value for (of, _), thing in scenario.things.items() if of == kind and thing.live]


def _quietly(function: Any) -> None:
    try:
        function()
    except MvxError:
        pass  # What the scenario left behind may be in any state.


def _let_go(scenario: Scenario) -> None:
    with scenario.changed:
        scenario.cleaning = True
        scenario.changed.notify_all()
    for completion in _live(scenario, "completion"):
        _quietly(completion.done)
    for job in scenario.jobs.values():
        job.thread.join()
    for worker in scenario.workers.values():
        worker.end()
    for wait in _live(scenario, "wait"):
        wait.close()
    for runtime in _live(scenario, "runtime"):
        _quietly(runtime.shutdown)
    for kind in ("recorder", "runtime"):
        for handle in _live(scenario, kind):
            handle.close()
    scenario.things.clear()
    gc.collect()
    if scenario.default_runtime_used:
        _quietly(lambda: Runtime.default().shutdown())
    end = time.monotonic() + PATIENCE_S / 2
    while any(use.drop_due and not use.drops for use in scenario.uses) and time.monotonic() < end:
        pause_ms(1)
    for use in scenario.uses:
        if use.drop_due and not use.drops:
            scenario.fail(use.key, "its drop was never called")


def play_scenario(path: str, root: Dict[str, Any], playing: List[Scenario]) -> bool:
    """Whether the scenario passed. It is in ``playing`` meanwhile, for the report of a hang."""
    scenario = Scenario(path, root)
    playing.append(scenario)
    try:
        declare_events(scenario)
        make_callbacks(scenario)
        play.steps(scenario, root["steps"])
    except Broken:
        pass
    _let_go(scenario)
    playing.remove(scenario)
    return not scenario.failed
