"""Where metrics run: on the event loop in which the recorder was made, or on the dispatcher's thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Callable, Coroutine, Optional

from .._exit import flag

#: How often a thread that waits for a loop looks whether that loop is still there, in seconds.
_LOOK_S = 0.1


def runs_here(loop: Optional[asyncio.AbstractEventLoop]) -> bool:
    """Whether this thread is running that loop."""
    try:
        return loop is not None and asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


class _Turn:
    """One piece of work of a loop that another thread waits for."""

    __slots__ = ("_over", "_failure")

    def __init__(self) -> None:
        self._over = threading.Lock()
        self._over.acquire()
        self._failure: Optional[BaseException] = None

    def end(self, failure: Optional[BaseException] = None) -> None:
        """The work is done; called once."""
        self._failure = failure
        self._over.release()

    def wait(self, loop: asyncio.AbstractEventLoop) -> None:
        """Blocks until it is, and raises its failure. A loop that was closed in the meantime is one."""
        while not self._over.acquire(timeout=_LOOK_S):
            if flag.exiting:
                return
            if loop.is_closed():
                raise RuntimeError("the event loop in which the recorder was made was closed")
        if self._failure is not None:
            raise self._failure


def on_loop(loop: asyncio.AbstractEventLoop, work: Callable[..., None], *arguments: Any) -> None:
    """Has a loop call a function, and waits until it has. At the interpreter's end it gives up waiting."""
    turn = _Turn()

    def run() -> None:
        try:
            work(*arguments)
        except BaseException as failure:  # noqa: B902 - the waiting thread raises it
            turn.end(failure)
            if not isinstance(failure, Exception):
                raise
        else:
            turn.end()

    loop.call_soon_threadsafe(run)
    turn.wait(loop)


def on_loop_awaited(
    loop: asyncio.AbstractEventLoop, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any
) -> None:
    """The same with a coroutine function."""
    turn = _Turn()

    def ended(task: "asyncio.Task[None]") -> None:
        turn.end(asyncio.CancelledError() if task.cancelled() else task.exception())

    loop.call_soon_threadsafe(lambda: loop.create_task(work(*arguments)).add_done_callback(ended))
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
