"""Steps on snapshots."""

from __future__ import annotations

import json
from typing import Any, Dict

from mvx_metrics import _abi

from .compare import same
from .scenario import Call, compact
from .values import attempt, handle, raw


def _as_json(value: Any, exact: bool) -> Any:
    """A value as the scenarios write it: texts for what JSON has no numbers for, reals for huge integers."""
    if isinstance(value, dict):
        return {key: _as_json(one, exact) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_json(one, exact) for one in value]
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
    if not exact and isinstance(value, int) and not isinstance(value, bool) and value > 2**63 - 1:
        return float(value)
    return value


def read_snapshot(call: Call, snapshot: Any) -> Dict[str, Any]:
    """Reads a snapshot in both ways that there are; they must agree."""
    values, rendered = snapshot.to_dict(), snapshot.to_json()
    if not same(json.loads(rendered), _as_json(values, True)):
        raise call.broken(f"the snapshot's values are {compact(_as_json(values, True))}, its JSON is {rendered}")
    return {"snapshot": _as_json(values, False), "order": snapshot.names, "text": rendered}


def snapshot_read(call: Call) -> Any:
    return {"status": "OK", **read_snapshot(call, handle(call, "snapshot"))}


def snapshot_to_openmetrics(call: Call) -> Any:
    snapshot = handle(call, "snapshot")
    if call.step.get("null_out"):
        return raw(call, _abi.lib.mvx_snapshot_to_openmetrics, snapshot._pointer, None)
    got, rendered = attempt(call, snapshot.to_openmetrics)
    return got if rendered is None else {**got, "text": rendered}


def snapshot_free(call: Call) -> Any:
    handle(call, "snapshot")
    # The object frees it as soon as nothing refers to it.
    thing = call.scenario.things[("snapshot", call.step["snapshot"])]
    thing.live = False
    thing.value = None
    return {}


OPERATIONS = {
    "snapshot_read": ("snapshot", "snapshot order text matches contains", snapshot_read),
    "snapshot_to_openmetrics": ("snapshot", "error text matches contains", snapshot_to_openmetrics),
    "snapshot_free": ("snapshot", "", snapshot_free),
}
