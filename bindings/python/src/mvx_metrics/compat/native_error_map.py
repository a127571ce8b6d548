"""The library's errors in the classes of mvx-common."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ..constants import Status
from ..native_errors import MvxError
from . import errors
from .states import AsyncioMetricsRecorderState, MetricsRuntimeState

class Raised:
    """What the callbacks of one recorder raised, the very exceptions, and the errors that were made of them."""

    #: Which callback failed, by the reason that the library gives; any other was a metric, or ``_on_metric_changed``.
    _CALLBACKS = {"ON_STARTING_HOOK_FAILED": "on_starting", "ON_STOPPED_HOOK_FAILED": "on_stopped"}

    def __init__(self) -> None:
        self._by_callback: Dict[str, BaseException] = {}
        self._made: Dict[str, errors.AsyncioMetricsRecorderError] = {}

    def clear(self) -> None:
        """A new life begins, whose failures are others."""
        self._by_callback.clear()
        self._made.clear()

    def by(self, callback: str, failure: BaseException) -> None:
        """``on_starting``, ``on_stopped`` or ``dispatch`` raised this."""
        self._by_callback[callback] = failure

    def cause_of(self, error: MvxError) -> BaseException:
        """What is behind an error of the library."""
        return self._by_callback.get(self._CALLBACKS.get(error.reason, "dispatch")) or error.cause or error

    def error_of(self, error: Optional[MvxError]) -> Optional[errors.AsyncioMetricsRecorderError]:
        """The error that the recorder keeps, or ended an operation with: the same object for all who ask."""
        if error is None:
            return None
        if error.status == Status.INVALID_STATE:
            return recorder_error(error, self)
        key = error.reason
        if key not in self._made:
            made = recorder_error(error, self)
            assert made is not None
            self._made[key] = made
        return self._made[key]


def recorder_error(
    error: Optional[MvxError], raised: Raised
) -> Optional[errors.AsyncioMetricsRecorderError]:
    """A recorder's error."""
    if error is None:
        return None
    cause = raised.cause_of(error)
    if isinstance(cause, errors.AsyncioMetricsRecorderError):
        return cause
    made: errors.AsyncioMetricsRecorderError
    if error.reason == "ON_STARTING_HOOK_FAILED":
        made = errors.AsyncioMetricsRecorderOnStartingHookFailedError(cause)
    elif error.reason == "ON_STOPPED_HOOK_FAILED":
        made = errors.AsyncioMetricsRecorderOnStoppedHookFailedError(cause)
    elif error.status == Status.QUEUE_OVERFLOW:
        return errors.AsyncioMetricsRecorderQueueOverflowError()
    elif error.status == Status.CANCELLED:
        return errors.AsyncioMetricsRecorderDispatcherCancelledError()
    elif error.status == Status.INVALID_STATE and "recorder_state" in error.details:
        return errors.AsyncioMetricsRecorderInvalidStateError(
            AsyncioMetricsRecorderState[error.details["recorder_state"]],
            tuple(AsyncioMetricsRecorderState[name] for name in error.details["expected_states"]),
            raised.error_of(error.cause),
        )
    else:
        made = errors.AsyncioMetricsRecorderUnexpectedError(cause)
    made.__cause__ = cause
    return made


def runtime_error(error: MvxError, recorder_id: str, raised: Raised) -> errors.MetricsRuntimeError:
    """A runtime's error; ``recorder_id`` is the id that the call was about."""
    cause = raised.error_of(error.cause)
    reason = error.reason
    if reason == "INVALID_RUNTIME_STATE":
        return errors.MetricsRuntimeInvalidStateError(
            MetricsRuntimeState[error.details["runtime_state"]],
            tuple(MetricsRuntimeState[name] for name in error.details["expected_states"]),
        )
    if reason == "STARTUP_ERROR":
        return errors.MetricsRuntimeStartupError(error)
    if reason == "RECORDER_ALREADY_EXISTS":
        return errors.MetricsRuntimeRecorderAlreadyExistsError(recorder_id)
    if reason == "RECORDER_NOT_FOUND":
        return errors.MetricsRuntimeRecorderNotFoundError(recorder_id)
    if reason == "RECORDER_STARTUP_ERROR":
        return errors.MetricsRuntimeRecorderStartupError(recorder_id, cause)
    if reason == "RECORDER_STOP_ERROR":
        return errors.MetricsRuntimeRecorderStopError(recorder_id, cause)
    return errors.MetricsRuntimeUnexpectedError(cause=error)
