"""Whether the accelerator is used: the C extension that makes recording cheap. Without it ctypes does everything."""

from __future__ import annotations

import ctypes
import os
from types import ModuleType
from typing import TYPE_CHECKING, Optional

from . import _abi

if TYPE_CHECKING:
    from . import _accelerator

#: 0: never used; 1: must be there; unset, or empty: used when it is there.
VARIABLE = "MVX_METRICS_ACCELERATOR"


def _find() -> Optional[ModuleType]:
    wish = os.environ.get(VARIABLE, "")
    if wish not in ("", "0", "1"):
        raise ImportError(f"{VARIABLE} is {wish!r}; it may be 0, 1 or unset")
    if wish == "0":
        return None
    try:
        from . import _accelerator

        if _accelerator.ABI_VERSION != _abi.ABI_VERSION:
            raise ImportError(
                f"it was built for version {_accelerator.ABI_VERSION} of the surface, {_abi.ABI_VERSION} is needed"
            )
    except ImportError as failure:
        if wish == "1":
            raise ImportError(f"{VARIABLE} is 1, but the accelerator can't be used: {failure}") from failure
        return None
    # It calls the library that ctypes loaded, not one of its own.
    _accelerator.connect({name: _address(name) for name in _accelerator.FUNCTIONS})
    return _accelerator


def _address(function: str) -> int:
    address = ctypes.cast(getattr(_abi.lib, function), ctypes.c_void_p).value
    assert address is not None
    return address


#: The accelerator, connected; ``None`` where it is not used.
accelerator = _find()
