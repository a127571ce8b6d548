"""Steps on runtimes."""

from __future__ import annotations

from typing import Any, Dict

from mvx_metrics import _abi
from mvx_metrics.native import OverflowPolicy, Runtime, RuntimeOptions
from mvx_metrics.options import runtime_struct

from .callbacks import use_log
from .scenario import Call
from .steps_recorder import recorder_options
from .values import attempt, constant, give, handle, raw, raw_plain, text, told_last_error, told_state

_lib = _abi.lib
_KEYS = (
    "name_space recorder_queue_max_size recorder_queue_max_bytes recorder_overflow_policy worker_threads "
    "shutdown_timeout_ms thread_name_prefix log struct_size"
).split()


def _options(call: Call) -> Any:
    given = call.step.get("options")
    if given is None:
        return None
    for key in given:
        if key not in _KEYS:
            raise call.broken(f"unknown option '{key}'")
    options = RuntimeOptions(
        name_space=text(call, given.get("name_space")), thread_name_prefix=text(call, given.get("thread_name_prefix"))
    )
    values: Dict[str, Any] = {
        key: call.integer(key, None, given)
        for key in ("recorder_queue_max_size", "recorder_queue_max_bytes", "worker_threads")
    }
    if "recorder_overflow_policy" in given:
        values["recorder_overflow_policy"] = constant(call, OverflowPolicy, given["recorder_overflow_policy"])
    if "shutdown_timeout_ms" in given:
        values["shutdown_timeout"] = call.integer("shutdown_timeout_ms", 0, given) / 1000
    if "log" in given:
        values["log"] = use_log(call, given["log"], "struct_size" not in given)
    # Past the binding's own checks: the library has to refuse what is bad by itself, and to take 0 for the default.
    for key, value in values.items():
        object.__setattr__(options, key, value)
    return runtime_struct(options, call.integer("struct_size", None, given))


def runtime_create(call: Call) -> Any:
    struct = _options(call)
    if call.asks_for_null("as"):
        return raw(call, _lib.mvx_runtime_create, struct, None)
    made = Runtime.__new__(Runtime)
    got, _ = attempt(call, lambda: made._create(struct))
    give(call, "as", "runtime", made if got["status"] == "OK" else None)
    return got


def runtime_default(call: Call) -> Any:
    call.scenario.default_runtime_used = True
    if call.asks_for_null("as"):
        return raw(call, _lib.mvx_runtime_default, None)
    got, made = attempt(call, Runtime.default)
    give(call, "as", "runtime", made)
    return got


def runtime_clone(call: Call) -> Any:
    runtime = handle(call, "runtime")
    if call.asks_for_null("as"):
        return raw_plain(_lib.mvx_runtime_clone, runtime._number, None)
    got, made = attempt(call, lambda: Runtime.from_handle(runtime._number), plain=True)
    give(call, "as", "runtime", made)
    return got


def runtime_start(call: Call) -> Any:
    return attempt(call, handle(call, "runtime").start)[0]


def runtime_shutdown(call: Call) -> Any:
    return attempt(call, handle(call, "runtime").shutdown)[0]


def runtime_shutdown_async(call: Call) -> Any:
    runtime = handle(call, "runtime")
    if "wait" not in call.step:
        return raw(call, _lib.mvx_runtime_shutdown_async, runtime._number, None)
    got, wait = attempt(call, runtime.shutdown_async)
    give(call, "wait", "wait", wait)
    return got


def runtime_state(call: Call) -> Any:
    return told_state(call, "runtime")


def runtime_last_error(call: Call) -> Any:
    return told_last_error(call, "runtime")


def runtime_create_recorder(call: Call) -> Any:
    runtime, recorder_id = handle(call, "runtime"), text(call, call.step.get("id"))
    struct = recorder_options(call, runtime)
    if call.asks_for_null("as"):
        return raw(call, _lib.mvx_runtime_create_recorder, runtime._number, _abi.str_of(recorder_id), struct, None)
    got, made = attempt(call, lambda: runtime._create_recorder(recorder_id, struct))
    give(call, "as", "recorder", made)
    return got


def runtime_get_recorder(call: Call) -> Any:
    runtime, recorder_id = handle(call, "runtime"), text(call, call.step.get("id"))
    if call.asks_for_null("as"):
        return raw(call, _lib.mvx_runtime_get_recorder, runtime._number, _abi.str_of(recorder_id), None)
    got, made = attempt(call, lambda: runtime.get_recorder(recorder_id))
    give(call, "as", "recorder", made)
    return got


def runtime_try_get_recorder(call: Call) -> Any:
    runtime, recorder_id = handle(call, "runtime"), text(call, call.step.get("id"))
    if call.asks_for_null("as"):
        got = raw(call, _lib.mvx_runtime_try_get_recorder, runtime._number, _abi.str_of(recorder_id), None)
        return {**got, "found": False}
    got, made = attempt(call, lambda: runtime.try_get_recorder(recorder_id))
    give(call, "as", "recorder", made)
    return {**got, "found": made is not None}


def runtime_list_recorder_ids(call: Call) -> Any:
    runtime = handle(call, "runtime")
    if call.step.get("null_out"):
        return raw(call, _lib.mvx_runtime_list_recorder_ids, runtime._number, None)
    got, ids = attempt(call, runtime.list_recorder_ids)
    return got if ids is None else {**got, "ids": ids}


def runtime_stop_recorder(call: Call) -> Any:
    runtime, recorder_id = handle(call, "runtime"), text(call, call.step.get("id"))
    return attempt(call, lambda: runtime.stop_recorder(recorder_id))[0]


def runtime_stop_and_remove_recorder(call: Call) -> Any:
    runtime, recorder_id = handle(call, "runtime"), text(call, call.step.get("id"))
    if "as" not in call.step:
        return raw(call, _lib.mvx_runtime_stop_and_remove_recorder, runtime._number, _abi.str_of(recorder_id), None)
    got, made = attempt(call, lambda: runtime.stop_and_remove_recorder(recorder_id))
    give(call, "as", "recorder", made)
    return got


def runtime_free(call: Call) -> Any:
    runtime = handle(call, "runtime")
    call.freed("runtime", call.step["runtime"])
    runtime.close()
    return {}


OPERATIONS = {
    "runtime_create": ("options as", "error", runtime_create),
    "runtime_default": ("as", "error", runtime_default),
    "runtime_clone": ("runtime as", "", runtime_clone),
    "runtime_start": ("runtime", "error", runtime_start),
    "runtime_shutdown": ("runtime", "error", runtime_shutdown),
    "runtime_shutdown_async": ("runtime wait", "error", runtime_shutdown_async),
    "runtime_state": ("runtime null_out", "state", runtime_state),
    "runtime_last_error": ("runtime null_out", "error", runtime_last_error),
    "runtime_create_recorder": ("runtime id options as", "error", runtime_create_recorder),
    "runtime_get_recorder": ("runtime id as", "error", runtime_get_recorder),
    "runtime_try_get_recorder": ("runtime id as", "error found", runtime_try_get_recorder),
    "runtime_list_recorder_ids": ("runtime null_out", "error ids", runtime_list_recorder_ids),
    "runtime_stop_recorder": ("runtime id", "error", runtime_stop_recorder),
    "runtime_stop_and_remove_recorder": ("runtime id as", "error", runtime_stop_and_remove_recorder),
    "runtime_free": ("runtime", "", runtime_free),
}
