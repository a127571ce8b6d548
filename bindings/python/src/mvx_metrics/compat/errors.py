"""The errors of recorders and runtimes. Each has ``reason_code``, ``message``, ``details`` and ``cause``."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

from .states import AsyncioMetricsRecorderState, MetricsRuntimeState
from .structured_errors import ReasonedError, RuntimeUnexpectedError

__all__ = [
    "AsyncioMetricsRecorderDispatcherCancelledError",
    "AsyncioMetricsRecorderError",
    "AsyncioMetricsRecorderInvalidStateError",
    "AsyncioMetricsRecorderLoopUnavailableError",
    "AsyncioMetricsRecorderOnStartingHookFailedError",
    "AsyncioMetricsRecorderOnStoppedHookFailedError",
    "AsyncioMetricsRecorderQueueOverflowError",
    "AsyncioMetricsRecorderUnexpectedError",
    "MetricsRuntimeError",
    "MetricsRuntimeInvalidStateError",
    "MetricsRuntimeLoopUnavailableError",
    "MetricsRuntimeRecorderAlreadyExistsError",
    "MetricsRuntimeRecorderError",
    "MetricsRuntimeRecorderNotFoundError",
    "MetricsRuntimeRecorderStartupError",
    "MetricsRuntimeRecorderStopError",
    "MetricsRuntimeShutdownError",
    "MetricsRuntimeStartupError",
    "MetricsRuntimeUnexpectedError",
]


def _with_cause(message: str, cause: Optional[BaseException]) -> str:
    return message if cause is None else f"{message} -> {cause}"


def _wrong_state(what: str, key: str, state: Any, expected: Tuple[Any, ...]) -> Dict[str, Any]:
    names = ", ".join(f"'{one.value}'" for one in expected)
    wanted = names if len(expected) == 1 else f"one of: {names}"
    return {
        "message": f"invalid {what} state '{state.value}', expected {wanted}",
        "details": {key: state.value, "expected_states": tuple(one.value for one in expected)},
    }


class AsyncioMetricsRecorderError(ReasonedError):
    """The base of a recorder's errors."""


class AsyncioMetricsRecorderLoopUnavailableError(AsyncioMetricsRecorderError):
    """A recorder was made where no event loop runs; outside of one, ``MetricsRuntime`` makes recorders."""

    def __init__(self) -> None:
        super().__init__(
            reason="EVENT_LOOP_UNAVAILABLE", message="unable to get a running event loop for asyncio recorder"
        )


class AsyncioMetricsRecorderInvalidStateError(AsyncioMetricsRecorderError):
    """That can't be done in the recorder's state. In FAILURE the cause is why it failed."""

    def __init__(
        self,
        recorder_state: AsyncioMetricsRecorderState,
        expected_states: Tuple[AsyncioMetricsRecorderState, ...],
        cause: Optional[BaseException] = None,
    ) -> None:
        told = _wrong_state("recorder", "recorder_state", recorder_state, expected_states)
        super().__init__(reason="INVALID_RECORDER_STATE", cause=cause, **told)


class AsyncioMetricsRecorderOnStartingHookFailedError(AsyncioMetricsRecorderError):
    """``_on_starting`` raised the cause."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(
            reason="ON_STARTING_HOOK_FAILED", message=_with_cause("on starting hook failed", cause), cause=cause
        )


class AsyncioMetricsRecorderOnStoppedHookFailedError(AsyncioMetricsRecorderError):
    """``_on_stopped`` raised the cause."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(
            reason="ON_STOPPED_HOOK_FAILED", message=_with_cause("on stopped hook failed", cause), cause=cause
        )


class AsyncioMetricsRecorderQueueOverflowError(AsyncioMetricsRecorderError):
    """As many events are pending as may be; this one was refused."""

    def __init__(self) -> None:
        super().__init__(reason="QUEUE_OVERFLOW", message="queue overflow")


class AsyncioMetricsRecorderDispatcherCancelledError(AsyncioMetricsRecorderError):
    """Dispatching was cancelled from outside."""

    def __init__(self) -> None:
        super().__init__(reason="DISPATCHER_UNEXPECTEDLY_CANCELLED", message="dispatcher unexpectedly cancelled")


class AsyncioMetricsRecorderUnexpectedError(AsyncioMetricsRecorderError, RuntimeUnexpectedError):
    """A metric, ``_on_metric_changed`` or the library raised the cause."""

    def __init__(self, cause: BaseException) -> None:
        message = _with_cause("unexpected async metrics recorder error", cause)
        super().__init__(reason="UNEXPECTED_ERROR", message=message, cause=cause)


class MetricsRuntimeError(ReasonedError):
    """The base of a runtime's errors."""


class MetricsRuntimeInvalidStateError(MetricsRuntimeError):
    """That can't be done in the runtime's state."""

    def __init__(
        self,
        runtime_state: MetricsRuntimeState,
        expected_states: Tuple[MetricsRuntimeState, ...],
        cause: Optional[BaseException] = None,
    ) -> None:
        told = _wrong_state("metrics runtime", "runtime_state", runtime_state, expected_states)
        super().__init__(reason="INVALID_RUNTIME_STATE", cause=cause, **told)


class MetricsRuntimeStartupError(MetricsRuntimeError):
    """The runtime could not start."""

    def __init__(self, cause: Optional[BaseException] = None) -> None:
        message = _with_cause("unable to start the metrics runtime", cause)
        super().__init__(reason="STARTUP_ERROR", message=message, cause=cause)


class MetricsRuntimeShutdownError(MetricsRuntimeError):
    """The runtime is shut down, but not all of it went well; the details name the recorders that failed."""

    def __init__(
        self, details: Optional[Mapping[str, Any]] = None, cause: Optional[BaseException] = None
    ) -> None:
        message = _with_cause("unable to shutdown the metrics runtime", cause)
        super().__init__(reason="SHUTDOWN_ERROR", message=message, details=details, cause=cause)


class MetricsRuntimeLoopUnavailableError(MetricsRuntimeError):
    """Never raised here, as a runtime needs no event loop; it is there for who catches it."""

    def __init__(self) -> None:
        super().__init__(
            reason="EVENT_LOOP_UNAVAILABLE", message="unable to get a running event loop for metrics runtime"
        )


class MetricsRuntimeRecorderError(MetricsRuntimeError):
    """The base of what goes wrong with one recorder of a runtime; ``recorder_id`` names it."""

    def __init__(
        self,
        *,
        message: str,
        details: Optional[Mapping[str, Any]] = None,
        cause: Optional[BaseException] = None,
        reason: str,
        recorder_id: str,
    ) -> None:
        self.recorder_id = recorder_id
        super().__init__(
            message=f"metrics runtime recorder error -> {message}",
            details={"recorder_id": recorder_id, **(details or {})},
            cause=cause,
            reason=reason,
        )


class MetricsRuntimeRecorderStartupError(MetricsRuntimeRecorderError):
    """A recorder could not be made or started; its id is free again."""

    def __init__(self, recorder_id: str, cause: Optional[BaseException] = None) -> None:
        message = _with_cause("unable to start the metrics recorder", cause)
        super().__init__(message=message, cause=cause, reason="RECORDER_STARTUP_ERROR", recorder_id=recorder_id)


class MetricsRuntimeRecorderAlreadyExistsError(MetricsRuntimeRecorderError):
    """A recorder with this id is there, or is being made."""

    def __init__(self, recorder_id: str) -> None:
        message = f"metrics recorder with '{recorder_id}' already exists"
        super().__init__(message=message, reason="RECORDER_ALREADY_EXISTS", recorder_id=recorder_id)


class MetricsRuntimeRecorderNotFoundError(MetricsRuntimeRecorderError):
    """No recorder has this id."""

    def __init__(self, recorder_id: str) -> None:
        message = f"metrics recorder with '{recorder_id}' not found"
        super().__init__(message=message, reason="RECORDER_NOT_FOUND", recorder_id=recorder_id)


class MetricsRuntimeRecorderStopError(MetricsRuntimeRecorderError):
    """A recorder could not be stopped."""

    def __init__(self, recorder_id: str, cause: Optional[BaseException] = None) -> None:
        message = _with_cause("unable to stop the metrics recorder", cause)
        super().__init__(message=message, cause=cause, reason="RECORDER_STOP_ERROR", recorder_id=recorder_id)


class MetricsRuntimeUnexpectedError(MetricsRuntimeError, RuntimeUnexpectedError):
    """The library failed in a way that nobody foresaw."""

    def __init__(
        self,
        message: str = "unexpected metrics runtime error",
        details: Optional[Mapping[str, Any]] = None,
        cause: Optional[BaseException] = None,
    ) -> None:
        super().__init__(
            reason="UNEXPECTED_ERROR", message=_with_cause(message, cause), details=details, cause=cause
        )
