"""How events reach the library: through the accelerator where it is used, and by ctypes elsewhere."""

from __future__ import annotations

from typing import Any, Tuple

from .. import _abi
from .._acceleration import accelerator
from . import objects

__all__ = ["ObjectRecorder", "PendingObjects", "carrier_functions", "object_type"]

object_type = objects.object_type

#: What an ``AsyncioMetricsRecorder`` derives from, and what keeps its events.
ObjectRecorder: Any = objects.ObjectRecorder
PendingObjects: Any = objects.PendingObjects
#: The functions of a carrier.
carrier_functions: Tuple[Any, Any] = (objects.handle_event, objects.handle_batch)

if accelerator is not None:
    ObjectRecorder, PendingObjects = accelerator.ObjectRecorder, accelerator.PendingObjects
    _event, _batch = accelerator.carrier_functions(objects.member_of)
    carrier_functions = (_abi.HandleEventFn(_event), _abi.HandleBatchFn(_batch))
