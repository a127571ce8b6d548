"""Steps of the scenario itself: gates, waiting for a condition, the journal, races, and a forked child."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any, Dict, List

from . import play
from .compare import same, stats_match
from .scenario import PATIENCE_S, Broken, Call, compact, pause_ms
from .steps_recorder import recorder_state, recorder_stats
from .steps_runtime import runtime_state


def open_gate(call: Call) -> Any:
    call.scenario.open_gate(call.step["gate"])
    return {}


def _look(call: Call) -> Any:
    """Whether the condition holds, and what there is."""
    step, scenario = call.step, call.scenario
    if "state" in step:
        seen = (runtime_state if "runtime" in step else recorder_state)(call)
        return same(step["state"], seen.get("state")), seen
    if "stats" in step:
        seen = recorder_stats(call)
        return "stats" in seen and stats_match(step["stats"], seen["stats"]), seen
    if "gate" in step:
        with scenario.changed:
            gate = scenario.gates.get(step["gate"])
            reached = gate.reached if gate is not None else 0
        return reached >= call.integer("reached", 1), reached
    if "calls" in step:
        entries = scenario.selected(step["calls"])
        return len(entries) >= call.integer("count", 1), entries
    if "completion" in step:
        thing = scenario.things.get(("completion", step["completion"]))
        live = thing is not None and thing.live
        return live, live
    raise call.broken("the step names no condition")


def wait_until(call: Call) -> Any:
    end = time.monotonic() + PATIENCE_S
    while True:
        holds, seen = _look(call)
        if holds:
            return {}
        if call.scenario.failed:
            raise Broken("the scenario failed elsewhere")
        if time.monotonic() > end:
            raise call.broken(f"it did not come; there is {compact(seen)}")
        pause_ms(1)


def calls(call: Call) -> Any:
    entries = call.scenario.selected(call.step.get("of", []))
    return {"calls": entries, "count": len(entries)}


def _job(call: Call) -> Any:
    job = call.scenario.jobs.get(call.step.get("job", ""))
    if job is None:
        raise call.broken("there is no such job")
    return job


def join(call: Call) -> Any:
    job = _job(call)
    if job.joined:
        raise call.broken("the job was joined before")
    job.thread.join()
    job.joined = True
    return {}


def job(call: Call) -> Any:
    return {"done": _job(call).done}


def pause(call: Call) -> Any:
    pause_ms(call.integer("ms", 0))
    return {}


def race(call: Call) -> Any:
    threads = call.integer("threads", 2)
    if not 1 <= threads <= 64:
        raise call.broken("a race has 1 to 64 threads")
    barrier = threading.Barrier(threads)
    results: List[Any] = [None] * threads

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = play.bare(Call(call.scenario, call.step["step"], call.where))
        except Broken:
            pass

    racers = [threading.Thread(target=run, args=(index,)) for index in range(threads)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    statuses: Dict[str, int] = {}
    for result in results:
        if result is None:
            raise Broken("a racer failed")
        for status, count in result.get("statuses", {result.get("status", "OK"): 1}).items():
            statuses[status] = statuses.get(status, 0) + count
    return {"statuses": statuses}


def mark(call: Call) -> Any:
    call.scenario.marks[call.step.get("as", "")] = time.time_ns()
    return {}


def event_times(call: Call) -> Any:
    metric = call.scenario.metrics.get(call.step.get("metric"))
    after, before = (call.scenario.marks.get(call.step.get(key)) for key in ("after", "before"))
    if metric is None or after is None or before is None:
        raise call.broken("the step needs 'metric', 'after' and 'before'")
    tolerance = call.integer("tolerance_ms", 0) * 1_000_000
    # A metric that saw nothing has no time that could lie between.
    within = all(after - tolerance <= time_ns <= before + tolerance for time_ns in metric.times)
    return {"within": within and bool(metric.times)}


def in_fork(call: Call) -> Any:
    reader, writer = os.pipe()
    sys.stdout.flush()
    # No other thread may hold the lock at the moment of the fork: the child has this thread only.
    with call.scenario.changed:
        child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE_S))
        try:
            play.steps(call.scenario, call.step.get("steps", []), call.where)
            os.write(writer, b"f" if call.scenario.failed else b"p")
        finally:
            os._exit(0)
    os.close(writer)
    verdict = os.read(reader, 1)
    os.close(reader)
    os.waitpid(child, 0)
    if verdict != b"p":
        raise call.broken("the child failed or hung")
    return {}


OPERATIONS = {
    "open_gate": ("gate", "", open_gate),
    "wait_until": ("recorder runtime state stats gate reached calls count completion", "", wait_until),
    "calls": ("of", "calls count", calls),
    "join": ("job", "", join),
    "job": ("job", "done", job),
    "pause": ("ms", "", pause),
    "race": ("threads step", "statuses", race),
    "mark": ("as", "", mark),
    "event_times": ("metric after before tolerance_ms", "within", event_times),
    "in_fork": ("steps", "", in_fork),
}
