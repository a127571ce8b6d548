"""What is asked of arguments: ValueError for what is missing or out of range, TypeError for what is of no use."""

from __future__ import annotations

from typing import Any, Optional

from ..constants import OverflowPolicy
from .states import AsyncioMetricsRecorderQueueOverflowPolicy


def check_text(name: str, value: Any, *, needed: bool = False) -> None:
    """A text, or ``None`` unless it is needed."""
    if value is None:
        if needed:
            raise ValueError(f"argument '{name}' must not be None")
    elif not isinstance(value, str):
        raise TypeError(f"argument '{name}' must be string when provided")


def check_size(name: str, value: Any) -> None:
    """A positive integer, or ``None``."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"argument '{name}' must be integer when provided")
    if value <= 0:
        raise ValueError(f"argument '{name}' must be positive integer when provided")


def native_policy(name: str, value: Any) -> Optional[OverflowPolicy]:
    """The native policy of one of ours, or ``None``."""
    if value is None:
        return None
    if not isinstance(value, AsyncioMetricsRecorderQueueOverflowPolicy):
        raise TypeError(
            f"argument '{name}' must be an instance of 'AsyncioMetricsRecorderQueueOverflowPolicy' when provided"
        )
    return OverflowPolicy[value.name]


def recorder_id(value: Any) -> str:
    """The id that a registry knows a recorder by: trimmed, and not empty."""
    check_text("recorder_id", value, needed=True)
    trimmed: str = value.strip()
    if not trimmed:
        raise ValueError("argument 'recorder_id' must not be empty")
    return trimmed
