"""Waiting for a start or a stop."""

from __future__ import annotations

import asyncio
import concurrent.futures
from dataclasses import dataclass
from typing import Any, Generator, Optional

from .errors import AsyncioMetricsRecorderError, AsyncioMetricsRecorderUnexpectedError
from .states import AsyncioMetricsRecorderOp


@dataclass(frozen=True)
class AsyncioMetricsRecorderOpResult:
    """How an operation ended."""

    op_name: AsyncioMetricsRecorderOp
    success: bool
    #: ``None`` where it succeeded.
    error: Optional[AsyncioMetricsRecorderError] = None


class AsyncioMetricsRecorderWaitHandle:
    """A start or a stop that was begun. Await it, or call ``wait()``; both give the result, as often as asked."""

    def __init__(self, operation: AsyncioMetricsRecorderOp) -> None:
        self._operation = operation
        self._future: concurrent.futures.Future[Optional[BaseException]] = concurrent.futures.Future()

    def wait(self) -> AsyncioMetricsRecorderOpResult:
        """Blocks until it is over. Not on the loop in which the recorder was made: its hooks need that loop."""
        return self._result(self._future.result())

    def __await__(self) -> Generator[Any, None, AsyncioMetricsRecorderOpResult]:
        # Who gives up waiting must not take the result from the others.
        error = yield from asyncio.shield(asyncio.wrap_future(self._future)).__await__()
        return self._result(error)

    def _over(self, error: Optional[BaseException]) -> None:
        if not self._future.done():
            self._future.set_result(error)

    def _result(self, error: Optional[BaseException]) -> AsyncioMetricsRecorderOpResult:
        if error is not None and not isinstance(error, AsyncioMetricsRecorderError):
            error = AsyncioMetricsRecorderUnexpectedError(error)
        return AsyncioMetricsRecorderOpResult(self._operation, error is None, error)
