"""Logging through a log context of mvx-common, which the application has where it passes one."""

from __future__ import annotations

import functools
from typing import Any, Callable, TypeVar, cast

_F = TypeVar("_F", bound=Callable[..., Any])


def check_log_context(value: Any) -> None:
    """A ``LogContext`` of ``mvx.common.logger``, or ``None``."""
    if value is None:
        return
    try:
        from mvx.common.logger.log_context import LogContext
    except ImportError:
        known = False
    else:
        known = isinstance(value, LogContext)
    if not known:
        raise TypeError("argument 'log_context' must be an instance of 'LogContext' when provided")


def logged(event: str, **fields: Any) -> Callable[[_F], _F]:
    """Has calls of a method logged where its object has a log context; elsewhere it costs one look."""

    def decorate(method: _F) -> _F:
        logging_method: Any = None

        @functools.wraps(method)
        def call(self: Any, *arguments: Any, **named: Any) -> Any:
            nonlocal logging_method
            if self.get_log_context() is None:
                return method(self, *arguments, **named)
            if logging_method is None:
                from mvx.common.logger.log_components import log_invocation

                logging_method = log_invocation(event, context_fields=("state=self._state",), **fields)(method)
            return logging_method(self, *arguments, **named)

        return cast(_F, call)

    return decorate


def log_error(log_context: Any, event: str, entity_id: str, error: BaseException) -> None:
    """Logs an error that no caller is told of."""
    if log_context is not None:
        log_context.log_error_event(
            event=event,
            payload=log_context.build_error_payload(error),
            entity_id=entity_id,
            skip_payload_normalization=True,
        )
