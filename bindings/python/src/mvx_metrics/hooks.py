"""Hooks of a recorder, of a runtime's threads, and the tokens of hooks that finish later."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Callable, Optional

from . import _abi
from ._exit import completions, flag
from ._pins import drop, find, pin, say_why, unraisable
from .event_types import Event, copy_event
from .native_errors import check

_lib = _abi.lib


class _Pending:
    def __repr__(self) -> str:
        return "PENDING"


#: What a hook returns that finishes later, by its completion.
PENDING = _Pending()


class Completion:
    """The token of one call of a hook that returns ``PENDING``. Complete it once, from any thread.

    One that is let go of without being completed makes its hook fail, so that nothing waits for ever.
    """

    __slots__ = ("_number", "_owed", "__weakref__")

    def __init__(self, number: int) -> None:
        self._number = number
        self._owed = False

    def done(self) -> None:
        """The hook succeeded. The second call raises ``MvxError`` with INVALID_HANDLE."""
        self._complete("")

    def fail(self, message: str) -> None:
        """The hook failed, with this message."""
        self._complete(message or "the hook failed")

    def give_away(self) -> int:
        """The token's number, for another language, which completes it from here on."""
        self._owed = False
        completions.pop(self._number, None)
        return self._number

    def _complete(self, message: Any) -> None:
        check(_lib.mvx_completion_done(self._number, _abi.str_of(message)))
        self._owed = False
        completions.pop(self._number, None)

    def __del__(self) -> None:
        if getattr(self, "_owed", False) and not flag.exiting:
            completions.pop(self._number, None)
            _lib.mvx_completion_done(self._number, _abi.str_of("the completion was let go of"))


HookFunction = Callable[[Completion], Any]
MetricChangedFunction = Callable[[str, Any, Event, Completion], Any]


@dataclass(frozen=True)
class Hooks:
    """The hooks of a recorder; each may be absent. They run on threads of the library, one at a time.

    A hook succeeds when it returns, fails when it raises, and finishes later when it returns ``PENDING``.
    """

    #: ``f(completion)``: runs at each start, before the first event is dispatched.
    on_starting: Optional[HookFunction] = None
    #: ``f(completion)``: runs at each stop, after the last event, and once as clean-up after a failure.
    on_stopped: Optional[HookFunction] = None
    #: ``f(metric_name, metric, event, completion)``: runs after an event changed a metric; ``metric`` is the object
    #: that was registered, ``None`` for a native metric. A recorder without this hook is faster.
    on_metric_changed: Optional[MetricChangedFunction] = None
    #: Called once, when the library lets go of the hooks.
    drop: Optional[Callable[[], None]] = None


class _HooksUse:
    __slots__ = ("hooks", "runtime", "dropped")

    def __init__(self, hooks: Hooks, runtime: Any) -> None:
        self.hooks = hooks
        # Keeps the runtime findable at exit, as long as it may call these hooks.
        self.runtime = runtime
        self.dropped = hooks.drop


def _run(function: Any, arguments: Any, token: int, error: Optional[int]) -> int:
    completion = Completion(token)
    completions[token] = None
    try:
        outcome = function(*arguments, completion)
    except BaseException as failure:  # noqa: B902 - nothing may leave a callback
        completions.pop(token, None)
        say_why(error, failure)
        return _abi.HOOK_FAILED
    if outcome is PENDING:
        completion._owed = token in completions
        return _abi.HOOK_PENDING
    completions.pop(token, None)
    return _abi.HOOK_DONE


@_abi.callback(_abi.HookFn)
def _on_starting(user_data: Optional[int], token: int, error: Optional[int]) -> int:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return _abi.HOOK_DONE
    return _run(use.hooks.on_starting, (), token, error)


@_abi.callback(_abi.HookFn)
def _on_stopped(user_data: Optional[int], token: int, error: Optional[int]) -> int:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return _abi.HOOK_DONE
    return _run(use.hooks.on_stopped, (), token, error)


@_abi.callback(_abi.MetricChangedFn)
def _on_metric_changed(
    user_data: Optional[int],
    metric_name: _abi.Str,
    metric_user_data: Optional[int],
    event: Any,
    token: int,
    error: Optional[int],
) -> int:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return _abi.HOOK_DONE
    metric_use = find(metric_user_data)  # type: ignore[arg-type]
    metric = metric_use.metric if metric_use is not None else None
    arguments = (_abi.text_of(metric_name), metric, copy_event(event))
    return _run(use.hooks.on_metric_changed, arguments, token, error)


def hooks_struct(hooks: Hooks, runtime: Any, struct_size: Optional[int] = None) -> _abi.Hooks:
    """The C form of hooks, which the library owns from the call on that is handed it."""
    struct = _abi.Hooks()
    struct.struct_size = ctypes.sizeof(struct) if struct_size is None else struct_size
    if hooks.on_starting is not None:
        struct.on_starting = _on_starting
    if hooks.on_stopped is not None:
        struct.on_stopped = _on_stopped
    if hooks.on_metric_changed is not None:
        struct.on_metric_changed = _on_metric_changed
    struct.drop = drop
    struct.user_data = pin(_HooksUse(hooks, runtime))
    return struct


# ---- Threads ----


@dataclass(frozen=True)
class ThreadHooks:
    """Functions that each thread of a runtime calls as the first and the last thing it does; each may be absent."""

    on_start: Optional[Callable[[], None]] = None
    on_stop: Optional[Callable[[], None]] = None


@_abi.callback(_abi.DropFn)
def _on_thread_start(user_data: Optional[int]) -> None:
    use = find(user_data)  # type: ignore[arg-type]
    if use is not None and not flag.exiting:
        _call_quietly(use.on_start)


@_abi.callback(_abi.DropFn)
def _on_thread_stop(user_data: Optional[int]) -> None:
    use = find(user_data)  # type: ignore[arg-type]
    if use is not None and not flag.exiting:
        _call_quietly(use.on_stop)


def _call_quietly(function: Callable[[], None]) -> None:
    try:
        function()
    except BaseException as failure:  # noqa: B902 - nothing may leave a callback
        unraisable(failure, function)


def thread_hooks_struct(hooks: ThreadHooks) -> _abi.ThreadHooks:
    """The C form of thread hooks, which the library owns from the call on that is handed it."""
    struct = _abi.ThreadHooks()
    struct.struct_size = ctypes.sizeof(struct)
    if hooks.on_start is not None:
        struct.on_start = _on_thread_start
    if hooks.on_stop is not None:
        struct.on_stop = _on_thread_stop
    struct.drop = drop
    struct.user_data = pin(hooks)
    return struct
