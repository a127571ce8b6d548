"""What keeps callbacks of the library out of an interpreter that ends, and out of a forked child.

A library thread that calls into an interpreter that is being torn down would crash the process. So at exit callbacks
become empty, and every runtime that could still call is shut down, within a bound.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from ctypes import c_void_p
from typing import Any, Dict, List

from . import _abi

#: How long the end of the interpreter may wait for callbacks that are running, in seconds.
EXIT_TIMEOUT_S = 3.0
#: How long calls of other threads get to come back, in seconds.
_GRACE_S = 0.05

_lib = _abi.lib


class _Flag:
    __slots__ = ("exiting",)

    def __init__(self) -> None:
        self.exiting = False


flag = _Flag()

#: Runtimes that may have callbacks into this interpreter.
runtimes: weakref.WeakSet[Any] = weakref.WeakSet()
#: Every handle of this interpreter.
handles: weakref.WeakSet[Any] = weakref.WeakSet()
#: Recorders of somebody else's runtime that callbacks of this interpreter were registered with: their handles.
foreign_recorders: Dict[int, None] = {}
#: Tokens of hooks that are pending.
completions: Dict[int, None] = {}


def _members(things: weakref.WeakSet[Any]) -> List[Any]:
    while True:
        try:
            return list(things)
        except RuntimeError:
            continue  # Another thread added one meanwhile.


def _shut_down() -> None:
    flag.exiting = True
    end = time.monotonic() + EXIT_TIMEOUT_S
    for token in list(completions):
        _lib.mvx_completion_done(token, _abi.str_of(None))
    waits = []
    for runtime in _members(runtimes):
        wait = c_void_p()
        if _lib.mvx_runtime_shutdown_async(runtime._number, wait, None) == _abi.OK:
            waits.append(wait)
    for recorder in list(foreign_recorders):
        wait = c_void_p()
        if _lib.mvx_recorder_stop(recorder, wait, None) == _abi.OK:
            waits.append(wait)
    if foreign_recorders:
        # A recorder whose last reference here is gone is most likely one of the default runtime.
        default, wait = c_void_p(), c_void_p()
        if _lib.mvx_runtime_default(default, None) == _abi.OK:
            if _lib.mvx_runtime_shutdown_async(default, wait, None) == _abi.OK:
                waits.append(wait)
            _lib.mvx_runtime_free(default)
    for wait in waits:
        _lib.mvx_wait_block(wait, max(0, int((end - time.monotonic()) * 1e9)))
        _lib.mvx_wait_free(wait)
    for recorder in list(foreign_recorders):
        _lib.mvx_recorder_cancel(recorder, None)
    # A daemon thread may go on to ask for snapshots, and the library calls metrics of a stopped recorder on the thread
    # that asks. Without handles new calls fail at once; those under way get a moment to come back.
    for handle in _members(handles):
        handle.close()
    if len(sys._current_frames()) > 1:
        time.sleep(_GRACE_S)


def _forget_the_parent() -> None:
    # The parent's handles answer FORKED; the child has nothing of theirs to end.
    runtimes.clear()
    handles.clear()
    foreign_recorders.clear()
    completions.clear()


atexit.register(_shut_down)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parent)
