"""Waiting for an operation: blocking, polling, calling back, awaiting, or with a file descriptor."""

from __future__ import annotations

import asyncio
import time
from ctypes import byref, c_int, c_int32, c_void_p
from dataclasses import dataclass
from typing import Any, Callable, Generator, Optional

from . import _abi
from ._exit import flag
from ._handles import Handle
from ._pins import drop, find, pin, unraisable
from .constants import Operation, Status
from .native_errors import MvxError, check, read_error, take_error

_lib = _abi.lib

#: So long a block may keep a signal, such as that of Ctrl-C, from being handled.
_SLICE_S = 0.1


@dataclass(frozen=True)
class WaitResult:
    """How an operation ended."""

    operation: Operation
    status: Status
    error: Optional[MvxError]

    @property
    def success(self) -> bool:
        """Whether it ended well."""
        return self.status == Status.OK

    def raise_for_error(self) -> None:
        """Raises the error, if there is one."""
        if self.error is not None:
            raise self.error


class _Callback:
    __slots__ = ("function", "dropped")

    def __init__(self, function: Callable[[WaitResult], None], dropped: Optional[Callable[[], None]]) -> None:
        self.function = function
        self.dropped = dropped


@_abi.callback(_abi.CompletionFn)
def _complete(user_data: Optional[int], operation: int, status: int, error: Optional[int]) -> None:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return
    try:
        use.function(WaitResult(Operation(operation), Status(status), read_error(error)))
    except BaseException as failure:  # noqa: B902 - nothing may leave a callback
        unraisable(failure, use.function)


class Wait(Handle):
    """One waiter's hold on an operation. Letting go of it does not end the operation.

    It can be awaited; all waits of one operation get the same result.
    """

    __slots__ = ()
    _free = _lib.mvx_wait_free

    @classmethod
    def from_handle(cls, number: int) -> Wait:
        """Takes over a wait that another language made; this object frees it from here on."""
        return cls(number)

    def block(self, timeout: Optional[float] = None) -> None:
        """Waits until the operation is over, up to ``timeout`` seconds (``None``: for ever).

        Raises ``TimedOut``, and ``MvxError`` with WOULD_DEADLOCK inside a callback that the operation waits for.
        """
        end = None if timeout is None or timeout < 0 else time.monotonic() + timeout
        while True:
            left = _SLICE_S if end is None else end - time.monotonic()
            status = _lib.mvx_wait_block(self._number, max(0, int(min(left, _SLICE_S) * 1e9)))
            if status != _abi.TIMEOUT or (end is not None and left <= _SLICE_S):
                return check(status)

    def wait(self, timeout: Optional[float] = None) -> WaitResult:
        """Blocks as ``block`` does, then gives the result."""
        self.block(timeout)
        return self.result()

    def done(self) -> bool:
        """Whether the operation is over. Does not block."""
        status = _lib.mvx_wait_block(self._number, 0)
        if status not in (_abi.OK, _abi.TIMEOUT):
            check(status)
        return bool(status == _abi.OK)

    def result(self) -> WaitResult:
        """How the operation ended. Raises ``MvxError`` with NOT_READY where it is not over. Does not block."""
        operation, error = c_int32(0), c_void_p()
        status = _lib.mvx_wait_result(self._number, byref(operation), byref(error))
        failure = take_error(error)
        if not operation.value:
            raise failure if failure is not None else _unknown(status)
        return WaitResult(Operation(operation.value), Status(status), failure)

    def add_done_callback(
        self, function: Callable[[WaitResult], None], *, drop: Optional[Callable[[], None]] = None
    ) -> None:
        """Has ``function`` called once with the result: on a thread of the library, or here where it is over already.

        What it raises goes to ``sys.unraisablehook``. ``drop`` is called when the library lets go of the function.
        """
        check(_lib.mvx_wait_on_complete(self._number, _complete, pin(_Callback(function, drop)), _drop))

    def fileno(self) -> int:
        """A descriptor that becomes readable when the operation is over. Don't read it, don't close it."""
        fd = c_int(-1)
        check(_lib.mvx_wait_fd(self._number, byref(fd)))
        return fd.value

    def __await__(self) -> Generator[Any, None, WaitResult]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[WaitResult] = loop.create_future()

        def settle(result: WaitResult) -> None:
            if not future.done():
                future.set_result(result)

        def over(result: WaitResult) -> None:
            try:
                loop.call_soon_threadsafe(settle, result)
            except RuntimeError:
                pass  # The loop was closed meanwhile: nobody waits any more.

        self.add_done_callback(over)
        return (yield from future.__await__())


_drop = drop


def _unknown(status: int) -> MvxError:
    try:
        check(status)
    except MvxError as error:
        return error
    raise AssertionError("the call succeeded without a result")
