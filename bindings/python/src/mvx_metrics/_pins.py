"""Python objects that the library holds as user_data.

The library is handed a number, never an address: a call with a number that was dropped finds nothing. The functions
that it calls are made once and live as long as the process, so none is ever freed while it may be called. No lock is
taken anywhere, so neither a fork nor a garbage collection in the middle can hang.
"""

from __future__ import annotations

import itertools
import sys
from ctypes import c_void_p, sizeof
from typing import Any, Dict, Optional

from . import _abi
from .native_errors import CallbackError

#: Far from addresses and from the small numbers that others may use.
_BASE = 0x4D56_5079_0000_0000 if sizeof(c_void_p) == 8 else 0x4D56_0000

_next = itertools.count(_BASE + 1).__next__
pins: Dict[int, Any] = {}

#: The object behind a user_data; ``None`` for what is not (or no longer) ours.
find = pins.get


def pin(thing: Any) -> int:
    """Keeps an object until the library drops it; gives its user_data."""
    key = _next()
    pins[key] = thing
    return key


@_abi.callback(_abi.DropFn)
def drop(user_data: Optional[int]) -> None:
    """The `drop` of everything that is pinned."""
    thing = pins.pop(user_data, None)  # type: ignore[arg-type]
    dropped = getattr(thing, "dropped", None)
    if dropped is not None:
        try:
            dropped()
        except BaseException as failure:  # noqa: B902 - nothing may leave a callback
            unraisable(failure, dropped)


def say_why(error: Optional[int], failure: BaseException) -> None:
    """Tells the library with which message a callback fails."""
    if isinstance(failure, CallbackError):
        message = str(failure)
    else:
        message = f"{type(failure).__name__}: {failure}"
    if message:
        _abi.lib.mvx_callback_error_set(error, _abi.str_of(message.encode("utf-8", "replace")))


class _Unraisable:
    """What sys.unraisablehook wants."""

    def __init__(self, failure: BaseException, where: Any) -> None:
        self.exc_type = type(failure)
        self.exc_value = failure
        self.exc_traceback = failure.__traceback__
        self.err_msg = "Exception ignored in a callback of mvx_metrics"
        self.object = where


def unraisable(failure: BaseException, where: Any) -> None:
    """Reports an exception that nobody can be given."""
    sys.unraisablehook(_Unraisable(failure, where))  # type: ignore[arg-type]
