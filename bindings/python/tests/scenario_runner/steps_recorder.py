"""Steps on recorders."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Optional

from mvx_metrics import _abi
from mvx_metrics.callback_metrics import pin_metric, vtable_struct
from mvx_metrics.native import (
    Filter,
    FilterOp,
    MetricErrorPolicy,
    MetricKind,
    NativeMetric,
    OverflowPolicy,
    Recorder,
    RecorderOptions,
    Runtime,
    SnapshotMode,
    ValueKind,
)
from mvx_metrics.native_metrics import spec_struct
from mvx_metrics.options import recorder_struct

from .callbacks import metric_use, use_hooks, use_log
from .scenario import PATIENCE_S, Call
from .snapshots import read_snapshot
from .values import (
    attempt,
    constant,
    error_json,
    event_number,
    give,
    handle,
    raw,
    raw_plain,
    text,
    told,
    told_last_error,
    told_state,
)

_lib = _abi.lib
_KEYS = (
    "entity_id name_space queue_max_size queue_max_bytes overflow_policy block_timeout_ms metric_error_policy hooks log "
    "struct_size"
).split()


def recorder_options(call: Call, runtime: Optional[Runtime]) -> Any:
    given = call.step.get("options")
    if given is None:
        return None
    for key in given:
        if key not in _KEYS:
            raise call.broken(f"unknown option '{key}'")
    options = RecorderOptions(
        entity_id=text(call, given.get("entity_id")), name_space=text(call, given.get("name_space"))
    )
    values: Dict[str, Any] = {key: call.integer(key, None, given) for key in ("queue_max_size", "queue_max_bytes")}
    if "overflow_policy" in given:
        values["overflow_policy"] = constant(call, OverflowPolicy, given["overflow_policy"])
    if "metric_error_policy" in given:
        values["metric_error_policy"] = constant(call, MetricErrorPolicy, given["metric_error_policy"])
    if "block_timeout_ms" in given:
        values["block_timeout"] = call.integer("block_timeout_ms", 0, given) / 1000
    readable = "struct_size" not in given
    if "hooks" in given:
        values["hooks"] = use_hooks(call, given["hooks"], readable)
    if "log" in given:
        values["log"] = use_log(call, given["log"], readable)
    # Past the binding's own checks: the library has to refuse what is bad by itself, and to take 0 for the default.
    for key, value in values.items():
        object.__setattr__(options, key, value)
    return recorder_struct(options, runtime, call.integer("struct_size", None, given))


def recorder_create(call: Call) -> Any:
    runtime: Any = None
    if "runtime" in call.step:
        runtime = handle(call, "runtime")
    else:
        call.scenario.default_runtime_used = True
    struct = recorder_options(call, runtime)
    if call.asks_for_null("as"):
        return raw(call, _lib.mvx_recorder_create, runtime._number if runtime else None, struct, None)
    made = Recorder.__new__(Recorder)

    def create() -> None:
        made._create(runtime if runtime is not None else Runtime.default(), struct)

    got, _ = attempt(call, create)
    give(call, "as", "recorder", made if got["status"] == "OK" else None)
    return got


def recorder_clone(call: Call) -> Any:
    recorder = handle(call, "recorder")
    if call.asks_for_null("as"):
        return raw_plain(_lib.mvx_recorder_clone, recorder._number, None)
    got, made = attempt(call, lambda: Recorder.from_handle(recorder._number), plain=True)
    give(call, "as", "recorder", made)
    return got


def _operate(call: Call, name: str) -> Any:
    recorder = handle(call, "recorder")
    block = call.step.get("block", False)
    if not block and "wait" not in call.step:
        return raw(call, getattr(_lib, f"mvx_recorder_{name}"), recorder._number, None)
    got, wait = attempt(call, getattr(recorder, name))
    if wait is None or not block:
        give(call, "wait", "wait", wait)
        return got
    waited, _ = attempt(call, lambda: wait.block(PATIENCE_S), plain=True)
    if waited["status"] != "OK":
        raise call.broken(f"waiting for the operation gave {waited['status']}")
    result = wait.result()
    return told(call, result.status.name, result.error)


def recorder_start(call: Call) -> Any:
    return _operate(call, "start")


def recorder_stop(call: Call) -> Any:
    return _operate(call, "stop")


def recorder_flush(call: Call) -> Any:
    return _operate(call, "flush")


def recorder_cancel(call: Call) -> Any:
    return attempt(call, handle(call, "recorder").cancel)[0]


def recorder_state(call: Call) -> Any:
    return told_state(call, "recorder")


def recorder_last_error(call: Call) -> Any:
    return told_last_error(call, "recorder")


def _text(call: Call, name: str) -> Any:
    recorder = handle(call, "recorder")
    if call.step.get("null_out"):
        return raw_plain(getattr(_lib, f"mvx_recorder_{name}"), recorder._number, None)
    got, value = attempt(call, lambda: getattr(recorder, name), plain=True)
    return got if value is None else {**got, "text": value}


def recorder_entity_id(call: Call) -> Any:
    return _text(call, "entity_id")


def recorder_name_space(call: Call) -> Any:
    return _text(call, "name_space")


def recorder_stats(call: Call) -> Any:
    recorder = handle(call, "recorder")
    if call.step.get("null_out"):
        return raw_plain(_lib.mvx_recorder_stats, recorder._number, None)
    if "struct_size" in call.step:
        struct = _abi.Stats()
        struct.struct_size = call.step["struct_size"]
        got = raw_plain(_lib.mvx_recorder_stats, recorder._number, struct)
        counts = {name: getattr(struct, name) for name, *_ in _abi.Stats._fields_[1:]}
    else:
        got, stats = attempt(call, recorder.stats, plain=True)
        counts = vars(stats) if stats is not None else {}
    if got["status"] != "OK":
        return got
    if counts["accepted"] != counts["dispatched"] + counts["discarded"] + counts["pending"]:
        raise call.broken(f"accepted isn't dispatched + discarded + pending: {counts}")
    return {**got, "stats": counts}


def recorder_free(call: Call) -> Any:
    recorder = handle(call, "recorder")
    call.freed("recorder", call.step["recorder"])
    recorder.close()
    return {}


# ---- metrics ----


def recorder_register_metric(call: Call) -> Any:
    recorder = handle(call, "recorder")
    given = call.step.get("metric")
    if call.asks_for_null("metric"):
        name = _abi.str_of(text(call, call.step.get("name")))
        return raw(call, _lib.mvx_recorder_register_metric, recorder._number, name, None, None)
    metric = call.scenario.metrics.get(given) if isinstance(given, str) else None
    if metric is None:
        raise call.broken(f"unknown metric '{given}'")
    config = metric.config
    name = text(call, call.step["name"]) if "name" in call.step else given
    types = [event_number(call, reference) for reference in config.get("events", [])]
    use = metric_use(call.scenario, metric)
    if "without" not in config and "struct_size" not in config:
        return attempt(
            call,
            lambda: recorder.register_metric(
                name,
                use,
                event_types=types,
                commutative=config.get("commutative", False),
                batch=config.get("batch", False),
            ),
        )[0]
    vtable = vtable_struct(types, config.get("commutative", False), config.get("batch", False))
    for function in config.get("without", []):
        setattr(vtable, function, {"handle_event": _abi.HandleEventFn, "snapshot": _abi.SnapshotFn}[function]())
    vtable.struct_size = config.get("struct_size", ctypes.sizeof(vtable))
    return raw(
        call,
        _lib.mvx_recorder_register_metric,
        recorder._number,
        _abi.str_of(name),
        vtable,
        pin_metric(use, None),
    )


_SPEC_KEYS = (
    "name unit help kind flags events value_field filters group_by max_series bounds relative_error struct_size"
).split()


def _filter(call: Call, given: Dict[str, Any]) -> Filter:
    for key in given:
        if key not in ("field", "op", "value", "value_kind"):
            raise call.broken(f"unknown key '{key}' in a filter")
    value, kind = given.get("value"), None
    if "value_kind" in given:
        kind = constant(call, ValueKind, given["value_kind"])
        if kind in (ValueKind.I64, ValueKind.U64) and isinstance(value, str):
            value = int(value)
    return Filter(text(call, given.get("field")), constant(call, FilterOp, given.get("op")), value, kind)


def recorder_register_native_metric(call: Call) -> Any:
    recorder = handle(call, "recorder")
    if call.asks_for_null("spec"):
        return raw(call, _lib.mvx_recorder_register_native_metric, recorder._number, None)
    given = call.step.get("spec", {})
    for key in given:
        if key not in _SPEC_KEYS:
            raise call.broken(f"unknown key '{key}' in the spec")
    metric = NativeMetric(
        name=text(call, given.get("name")),
        unit=text(call, given.get("unit")),
        help=text(call, given.get("help")),
        kind=constant(call, MetricKind, given.get("kind")),
        events=[event_number(call, reference) for reference in given.get("events", [])],
        value_field=text(call, given.get("value_field")),
        filters=[_filter(call, one) for one in given.get("filters", [])],
        group_by=[text(call, one) for one in given.get("group_by", [])],
        bounds=given.get("bounds", []),
        relative_error=given.get("relative_error"),
    )
    object.__setattr__(metric, "max_series", given.get("max_series"))
    if "flags" not in given and "struct_size" not in given:
        return attempt(call, lambda: recorder.register_native_metric(metric))[0]
    spec = spec_struct(metric, given.get("struct_size"), given.get("flags", 0))
    return raw(call, _lib.mvx_recorder_register_native_metric, recorder._number, spec)


def recorder_iter_metrics(call: Call) -> Any:
    recorder = handle(call, "recorder")
    if call.step.get("null_out"):
        return raw(call, _lib.mvx_recorder_iter_metrics, recorder._number, _abi.MetricVisitor(), None)
    got, found = attempt(call, lambda: recorder._visit(call.integer("stop_after")))
    if found is None:
        return got
    rows = [
        {
            "name": info.name,
            "kind": info.kind.name,
            "state": info.state.name,
            "object": info.metric.key if info.metric is not None else None,
            "error": error_json(info.error),
        }
        for info in found
    ]
    return {**got, "metrics": rows}


# ---- snapshots ----


def recorder_snapshot(call: Call) -> Any:
    recorder = handle(call, "recorder")
    mode = constant(call, SnapshotMode, call.step.get("mode", "CONSISTENT"))
    timeout_ms = call.integer("timeout_ms", PATIENCE_S * 1000)
    if call.asks_for_null("as"):
        return raw(call, _lib.mvx_recorder_snapshot, recorder._number, int(mode), int(timeout_ms * 1000000), None)
    got, snapshot = attempt(call, lambda: recorder.snapshot(mode, timeout_ms / 1000))
    if snapshot is None:
        return got
    give(call, "as", "snapshot", snapshot)
    return {**got, **read_snapshot(call, snapshot)}


OPERATIONS = {
    "recorder_create": ("runtime options as", "error", recorder_create),
    "recorder_clone": ("recorder as", "", recorder_clone),
    "recorder_start": ("recorder wait block", "error", recorder_start),
    "recorder_stop": ("recorder wait block", "error", recorder_stop),
    "recorder_flush": ("recorder wait block", "error", recorder_flush),
    "recorder_cancel": ("recorder", "error", recorder_cancel),
    "recorder_state": ("recorder null_out", "state", recorder_state),
    "recorder_last_error": ("recorder null_out", "error", recorder_last_error),
    "recorder_entity_id": ("recorder null_out", "text matches contains", recorder_entity_id),
    "recorder_name_space": ("recorder null_out", "text matches contains", recorder_name_space),
    "recorder_stats": ("recorder null_out struct_size", "stats", recorder_stats),
    "recorder_free": ("recorder", "", recorder_free),
    "recorder_register_metric": ("recorder metric name", "error", recorder_register_metric),
    "recorder_register_native_metric": ("recorder spec", "error", recorder_register_native_metric),
    "recorder_iter_metrics": ("recorder stop_after null_out", "error metrics", recorder_iter_metrics),
    "recorder_snapshot": (
        "recorder mode timeout_ms as",
        "error snapshot order text matches contains",
        recorder_snapshot,
    ),
}
