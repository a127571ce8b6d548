"""The errors of the library as exceptions."""

from __future__ import annotations

import json
from ctypes import c_void_p
from typing import Any, Dict, Optional

from . import _abi
from .constants import Status

_lib = _abi.lib


class MvxError(Exception):
    """A call of the library failed.

    ``reason`` is the stable word for programs, ``message`` is for people, ``details`` holds facts, and ``cause`` is
    what led to it, itself an error or ``None`` (it is the exception's ``__cause__`` too).
    """

    def __init__(
        self,
        status: Status,
        reason: str,
        message: str,
        details: Optional[Dict[str, Any]] = None,
        cause: Optional[MvxError] = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details: Dict[str, Any] = details if details is not None else {}
        self.cause = cause
        self.__cause__ = cause

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    def __reduce__(self) -> Any:
        return type(self), (self.status, self.reason, self.message, self.details, self.cause)


class InvalidArgument(MvxError, ValueError):
    """An argument is bad; ``details["argument"]`` names it."""


class TimedOut(MvxError, TimeoutError):
    """It did not happen in time."""


class CallbackError(Exception):
    """Raise it in a metric or hook to fail with exactly this message.

    Any other exception fails too, with its type's name before the message.
    """


_CLASSES = {Status.INVALID_ARGUMENT: InvalidArgument, Status.TIMEOUT: TimedOut}

#: What calls say that return no error object.
_MESSAGES = {
    Status.INVALID_ARGUMENT: "an argument is bad",
    Status.INVALID_HANDLE: "the handle was closed, or was never handed out",
    Status.INVALID_STATE: "this can't be done in the recorder's state",
    Status.QUEUE_OVERFLOW: "the pending limit is reached; the event was refused",
    Status.LIMIT_REACHED: "a limit of the library is reached",
    Status.TIMEOUT: "it did not happen in time",
    Status.NOT_READY: "the operation is not over yet",
    Status.WOULD_DEADLOCK: "a callback would wait for itself",
    Status.FORKED: "the handle was made before a fork and belongs to the parent process",
    Status.UNSUPPORTED: "not offered by this version, or on this platform",
}
_REASONS = {Status.INVALID_STATE: "INVALID_RECORDER_STATE", Status.UNEXPECTED: "UNEXPECTED_ERROR"}


def error_of_status(status: int) -> MvxError:
    """The error of a call that returned only a status."""
    known = Status(status)
    message = _MESSAGES.get(known, f"the call returned {known.name}")
    return _CLASSES.get(known, MvxError)(known, _REASONS.get(known, known.name), message)


def invalid_argument(argument: str, message: str) -> InvalidArgument:
    """What the binding itself refuses."""
    return InvalidArgument(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", message, {"argument": argument})


def read_error(pointer: Optional[int]) -> Optional[MvxError]:
    """A copy of an error that is borrowed; ``None`` for NULL."""
    if not pointer:
        return None
    status = Status(_lib.mvx_error_status(pointer))
    details = _abi.text_of(_lib.mvx_error_details_json(pointer))
    return _CLASSES.get(status, MvxError)(
        status,
        _abi.text_of(_lib.mvx_error_reason(pointer)),
        _abi.text_of(_lib.mvx_error_message(pointer)),
        json.loads(details) if details else {},
        read_error(_lib.mvx_error_cause(pointer)),
    )


def take_error(error: c_void_p) -> Optional[MvxError]:
    """The error of an out-parameter, which is freed."""
    taken = read_error(error.value)
    if error.value:
        _lib.mvx_error_free(error)
        error.value = None
    return taken


def check(status: int, error: Optional[c_void_p] = None) -> None:
    """Raises what a call gave, unless it succeeded."""
    if status:
        raise (take_error(error) if error is not None else None) or error_of_status(status)
