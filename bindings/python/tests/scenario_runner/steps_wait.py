"""Steps on wait handles and on the tokens of pending hooks."""

from __future__ import annotations

import select
import threading
from typing import Any

from mvx_metrics import _abi
from mvx_metrics._pins import drop, pin
from mvx_metrics.native import MvxError

from .callbacks import CallbackUse
from .scenario import PATIENCE_S, Call
from .values import attempt, handle, raw, raw_plain, text, told

_lib = _abi.lib


def wait_block(call: Call) -> Any:
    timeout_ms = call.integer("timeout_ms", PATIENCE_S * 1000)
    wait = handle(call, "wait")
    return attempt(call, lambda: wait.block(None if timeout_ms < 0 else timeout_ms / 1000), plain=True)[0]


def wait_result(call: Call) -> Any:
    wait = handle(call, "wait")
    if call.step.get("null_out"):
        return raw(call, _lib.mvx_wait_result, wait._number, None)
    try:
        result = wait.result()
    except MvxError as error:
        return told(call, error.status.name, error)
    return {**told(call, result.status.name, result.error), "operation": result.operation.name}


def wait_on_complete(call: Call) -> Any:
    wait, name = handle(call, "wait"), call.named("callback")
    if name is None and not call.asks_for_null("callback"):
        raise call.broken("the step needs 'callback'")
    use = call.scenario.use(CallbackUse(call.scenario, name or "(no callback)"))
    use.steps = call.step.get("steps", [])
    if name is None:
        got = raw_plain(_lib.mvx_wait_on_complete, wait._number, _abi.CompletionFn(), pin(use), drop)
    else:
        got, _ = attempt(call, lambda: wait.add_done_callback(use.called, drop=use.dropped), plain=True)
    return {**got, "called": use.thread == threading.get_ident()}


def wait_fd(call: Call) -> Any:
    wait = handle(call, "wait")
    if call.step.get("null_out"):
        return raw_plain(_lib.mvx_wait_fd, wait._number, None)
    got, fd = attempt(call, wait.fileno, plain=True)
    if fd is None:
        return got
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    ready = poll.poll(call.integer("timeout_ms", 0))
    return {**got, "readable": any(events & select.POLLIN for _, events in ready)}


def wait_free(call: Call) -> Any:
    wait = handle(call, "wait")
    call.freed("wait", call.step["wait"])
    wait.close()
    return {}


def completion_done(call: Call) -> Any:
    completion, message = handle(call, "completion"), text(call, call.step.get("fail"))
    call.freed("completion", call.step["completion"])
    return attempt(call, lambda: completion._complete(message), plain=True)[0]


OPERATIONS = {
    "wait_block": ("wait timeout_ms", "", wait_block),
    "wait_result": ("wait null_out", "error operation", wait_result),
    "wait_on_complete": ("wait callback steps", "called", wait_on_complete),
    "wait_fd": ("wait timeout_ms null_out", "readable", wait_fd),
    "wait_free": ("wait", "", wait_free),
    "completion_done": ("completion fail", "", completion_done),
}
