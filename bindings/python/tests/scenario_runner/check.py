"""Checks a scenario before it is played: what is misspelt must not pass."""

from __future__ import annotations

from typing import Any, Iterator

from .play import operations

_COMMON = "do expect background thread note".split()
_STATS = (
    "accepted dispatched dropped refused discarded pending pending_max pending_bytes quarantined_metrics lag_ns"
).split()
NEEDS = ("raw", "fd", "fork")


def _strangers(where: str, what: str, given: Any, known: Any) -> Iterator[str]:
    if not isinstance(given, dict):
        yield f"{where}: {what} is no object"
        return
    for key in given:
        if key not in known:
            yield f"{where}: unknown key '{key}' of {what}"


def _error(where: str, error: Any) -> Iterator[str]:
    if isinstance(error, dict):
        yield from _strangers(where, "an error", error, "status reason message message_contains details cause".split())
        yield from _error(where, error.get("cause"))


def _stats(where: str, stats: Any) -> Iterator[str]:
    if stats is not None:
        yield from _strangers(where, "stats", stats, _STATS)
        for value in stats.values():
            if isinstance(value, dict):
                yield from _strangers(where, "a bound", value, ("at_least", "at_most"))


def _step(where: str, step: Any) -> Iterator[str]:
    operation = operations().get(step.get("do", ""))
    if operation is None:
        yield f"{where}: unknown operation '{step.get('do')}'"
        return
    keys, gives, _ = operation
    expect = step.get("expect", {})
    yield from _strangers(where, "a step", step, _COMMON + keys.split())
    yield from _strangers(where, "what is expected", expect, ["status", *gives.split()])
    yield from _error(where, expect.get("error"))
    yield from _stats(where, expect.get("stats"))
    yield from _stats(where, step.get("stats"))
    for row in expect.get("metrics", []):
        yield from _strangers(where, "a metric", row, "name kind state object error".split())
    if "step" in step:
        yield from _step(f"{where}, step", step["step"])
    yield from _steps(where, step.get("steps", []))


def _steps(where: str, steps: Any) -> Iterator[str]:
    if not isinstance(steps, list):
        yield f"{where}: steps are no list"
        return
    for number, step in enumerate(steps, 1):
        yield from _step(f"{where} step {number}", step)


def _behaviours(callbacks: Any) -> Iterator[str]:
    for key, callback in callbacks.items():
        for function in ("handle", "snapshot", "on_starting", "on_stopped", "on_metric_changed"):
            listed = callback.get(function, [])
            if not isinstance(listed, list):
                yield f"{key}.{function} must be a list"
                continue
            for behaviour in listed:
                where = f"{key}.{function}"
                yield from _strangers(where, "a behaviour", behaviour, "times gate steps fail pending ignore".split())
                yield from _steps(where, behaviour.get("steps", []))


def problems(path: str, root: Any) -> Iterator[str]:
    """Everything that is wrong with the scenario."""
    known = "name shows covers needs own_process events metrics hooks logs steps".split()
    yield from _strangers("scenario", "the scenario", root, known)
    if root.get("name") != path.rsplit("/", 1)[-1]:
        yield f"the name is not that of the file: '{root.get('name')}'"
    for key in ("shows", "covers", "steps"):
        if not root.get(key):
            yield f"missing '{key}'"
    for need in root.get("needs", []):
        if need not in NEEDS:
            yield f"unknown need '{need}'"
    yield from _behaviours(root.get("metrics", {}))
    yield from _behaviours(root.get("hooks", {}))
    yield from _steps("", root.get("steps", []))
