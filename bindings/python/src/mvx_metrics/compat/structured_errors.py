"""The base of the errors: a reason for programs, a message for people, details, and a cause.

Where mvx-common is installed its own base classes are taken, so that an application that catches those goes on to do
so; these are for everybody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional


class _ReasonedError(Exception):
    """An error with a stable reason."""

    def __init__(
        self,
        *,
        message: str,
        details: Optional[Mapping[str, Any]] = None,
        cause: Optional[BaseException] = None,
        reason: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.reason_code = reason
        self.message = message
        self.details: Dict[str, Any] = dict(details or {})
        self.cause = cause

    def __str__(self) -> str:
        shown = f"{type(self).__name__}: {self.message}"
        return f"{shown} | details={self.details!r}" if self.details else shown

    def with_detail(self, key: str, value: Any) -> Any:
        """Adds one detail, and returns the error."""
        return self.with_details({key: value})

    def with_details(self, extra: Mapping[str, Any]) -> Any:
        """Adds details, and returns the error."""
        self.details.update(extra)
        return self

    def to_log_payload(self) -> Dict[str, Any]:
        """The error as a log shows it."""
        payload: Dict[str, Any] = {} if self.reason_code is None else {"reason": self.reason_code}
        payload.update(kind=type(self).__name__, message=self.message, details=dict(self.details))
        if self.cause is not None:
            payload["cause"] = {"kind": type(self.cause).__name__, "message": str(self.cause)}
        return payload


class _RuntimeUnexpectedError(Exception):
    """Marks errors that nobody foresaw."""


if TYPE_CHECKING:
    ReasonedError = _ReasonedError
    RuntimeUnexpectedError = _RuntimeUnexpectedError
else:
    try:
        from mvx.common.errors import ReasonedError, RuntimeUnexpectedError
    except ImportError:
        ReasonedError, RuntimeUnexpectedError = _ReasonedError, _RuntimeUnexpectedError
