"""Compares what a step gave with what the scenario expects."""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from .scenario import Call, compact

_ABSENT = object()


def same(expected: Any, got: Any) -> bool:
    """Equal as JSON values: integers and reals are different, and so are truth values. "$any" is anything."""
    if expected == "$any":
        return got is not _ABSENT
    if type(expected) is not type(got):
        return False
    if isinstance(expected, dict):
        return len(expected) == len(got) and all(same(value, got.get(key, _ABSENT)) for key, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    return bool(expected == got)


def stats_match(expected: Dict[str, Any], got: Dict[str, int]) -> bool:
    for key, value in expected.items():
        actual = got[key]
        if isinstance(value, dict):
            if not value.get("at_least", actual) <= actual <= value.get("at_most", actual):
                return False
        elif not same(value, actual):
            return False
    return True


def error_mismatch(expected: Optional[Dict[str, Any]], got: Optional[Dict[str, Any]]) -> Optional[str]:
    """Why an error is not the expected one."""
    if expected is None:
        return None if got is None else "there is an error"
    if not isinstance(got, dict):
        return "there is no error"
    for key, value in expected.items():
        if key == "cause":
            why = error_mismatch(value, got["cause"])
            if why is not None:
                return f"cause: {why}"
        elif key == "details":
            for detail, fact in value.items():
                if not same(fact, got["details"].get(detail, _ABSENT)):
                    return f"details.{detail} differs"
        elif key == "message_contains":
            if value not in got["message"]:
                return "the message doesn't contain it"
        elif not same(value, got.get(key, _ABSENT)):
            return f"{key} differs"
    return None


def _rows_match(expected: Any, got: Any) -> bool:
    if not isinstance(got, list) or len(expected) != len(got):
        return False
    for row, actual in zip(expected, got):
        for key, value in row.items():
            if key == "error":
                if error_mismatch(value, actual["error"]) is not None:
                    return False
            elif not same(value, actual.get(key, _ABSENT)):
                return False
    return True


def compare(call: Call, expect: Dict[str, Any], got: Dict[str, Any]) -> None:
    """Reports every expectation that is not met."""

    def differs(what: str, expected: Any, actual: Any, why: str = "") -> None:
        shown = "nothing" if actual is _ABSENT else compact(actual)
        tail = f" ({why})" if why else ""
        call.scenario.fail(call.where, f"{what}: expected {compact(expected)}, got {shown}{tail}")

    # A step that says nothing of its status expects success, unless many statuses are counted.
    if "status" not in expect and "statuses" not in expect and got.get("status", "OK") != "OK":
        differs("status", "OK", got["status"], compact(got["error"]) if got.get("error") else "")
    for key, value in expect.items():
        there = got.get(key, _ABSENT)
        if key == "error":
            why = error_mismatch(value, None if there is _ABSENT else there)
            if why is not None:
                differs(key, value, there, why)
        elif key == "stats":
            if there is _ABSENT or not stats_match(value, there):
                differs(key, value, there)
        elif key == "metrics":
            if not _rows_match(value, there):
                differs(key, value, there)
        elif key == "matches":
            text = got.get("text")
            if not isinstance(text, str) or re.search(value, text) is None:
                differs("text matches", value, got.get("text", _ABSENT))
        elif key == "contains":
            text = got.get("text")
            if not isinstance(text, str) or not all(part in text for part in value):
                differs("text contains", value, got.get("text", _ABSENT))
        elif key == "snapshot":
            if not same(value, there):
                differs(key, value, there)
            elif list(value) != list(there):
                differs(key, value, there, "in another order")
        elif not same(value, there):
            differs(key, value, there)
