"""Where metrics run: on the event loop in which the recorder was made, or on the dispatcher's thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Callable, Coroutine, Optional, TypeVar

from .._exit import flag

#: How often a thread that waits for a loop looks whether that loop is still there, in seconds.
_LOOK_S = 0.1

_T = TypeVar("_T")


def runs_here(loop: Optional[asyncio.AbstractEventLoop]) -> bool:
    """Whether this thread is running that loop."""
    try:
        return loop is not None and asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


class Turn:
    """One piece of work of a loop that another thread waits for."""

    __slots__ = ("_over", "failure")

    def __init__(self) -> None:
        self._over = threading.Lock()
        self._over.acquire()
        self.failure: Optional[BaseException] = None

    def end(self, failure: Optional[BaseException] = None) -> None:
        """The work is done; called once."""
        self.failure = failure
        self._over.release()

    def wait(self, loop: asyncio.AbstractEventLoop) -> None:
        """Blocks until it is, and raises its failure. A loop that was closed in the meantime is one."""
        while not self._over.acquire(timeout=_LOOK_S):
            if flag.exiting:
                return
            if loop.is_closed():
                raise RuntimeError("the event loop in which the recorder was made was closed")
        if self.failure is not None:
            raise self.failure


def on_loop(loop: asyncio.AbstractEventLoop, work: Callable[..., Any], *arguments: Any) -> None:
    """Has a loop do something, and waits for it. ``work`` gets the turn, which it ends."""
    turn = Turn()
    loop.call_soon_threadsafe(work, turn, *arguments)
    turn.wait(loop)


def start_coroutine(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    over: Callable[[Optional[BaseException]], None],
) -> None:
    """Runs a coroutine on a loop, from another thread; ``over`` gets its failure, on the loop."""
    try:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError:
        coroutine.close()
        raise

    def ended(done: Any) -> None:
        over(asyncio.CancelledError() if done.cancelled() else done.exception())

    future.add_done_callback(ended)
