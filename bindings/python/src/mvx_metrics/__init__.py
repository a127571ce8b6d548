"""A metrics recorder that every language in a process shares: events in, snapshots out."""

from __future__ import annotations

from . import compat, events, native
from .compat import *  # noqa: F403
from .events import *  # noqa: F403
from .native import *  # noqa: F403

__all__ = [*native.__all__, *events.__all__, *compat.__all__]
