"""Steps on events, event types and interned texts."""

from __future__ import annotations

from ctypes import c_size_t, c_uint32
from typing import Any, Dict, Optional

from mvx_metrics import _abi
from mvx_metrics import event_types
from mvx_metrics.native import EventType, MvxError, Status, event_type_name as name_of, intern as intern_text, symbol_text

from .callbacks import fields_of
from .scenario import Call
from .values import attempt, event_number, handle, payload, raw, raw_plain, text

_lib = _abi.lib


def _count(statuses: Dict[str, int], status: str) -> None:
    statuses[status] = statuses.get(status, 0) + 1


def _of_many(statuses: Dict[str, int]) -> Dict[str, Any]:
    status = "OK" if not statuses else next(iter(statuses)) if len(statuses) == 1 else "MIXED"
    return {"status": status, "statuses": statuses}


def _declared(call: Call) -> Optional[EventType]:
    given = call.step.get("event")
    known = call.scenario.events.get(given) if isinstance(given, str) else None
    return known.type if known is not None else None


def recorder_register_event(call: Call) -> Any:
    recorder = handle(call, "recorder")
    number = event_number(call, call.step.get("event"))
    statuses: Dict[str, int] = {}
    payloads = call.step["payloads"] if "payloads" in call.step else [call.step.get("payload")]
    for given in payloads:
        data = payload(call, _declared(call), given)
        for _ in range(call.integer("times", 1)):
            if isinstance(data, int):
                status = _lib.mvx_recorder_register_event(recorder._number, number, None, data)
                _count(statuses, Status(status).name)
                continue
            try:
                recorder.register_payload(number, data)
                _count(statuses, "OK")
            except MvxError as error:
                _count(statuses, error.status.name)
    return _of_many(statuses)


def recorder_register_events(call: Call) -> Any:
    recorder = handle(call, "recorder")
    number = event_number(call, call.step.get("event"))
    listed = [payload(call, _declared(call), given) for given in call.step.get("payloads", [])]
    out = None if call.step.get("null_out") else c_size_t(2**64 - 1)
    if out is not None and not any(isinstance(data, int) for data in listed):
        try:
            accepted = recorder.register_payloads(number, b"".join(listed), len(listed))
            return {"status": "OK", "accepted": accepted}
        except MvxError as error:
            got: Dict[str, Any] = {"status": error.status.name}
            # The library leaves it alone where the call itself was bad.
            if error.status not in (Status.INVALID_ARGUMENT, Status.INVALID_HANDLE, Status.FORKED):
                got["accepted"] = error.details["accepted"]
            return got
    null = any(isinstance(data, int) for data in listed)
    declared = _declared(call)
    length = listed[-1] if null else len(listed[0]) if listed else declared.length if declared is not None else 0
    got = raw_plain(
        _lib.mvx_recorder_register_events,
        recorder._number,
        number,
        None if null else b"".join(listed),
        length,
        len(listed),
        out,
    )
    if out is not None and out.value != 2**64 - 1:
        got["accepted"] = out.value
    return got


def event_type_declare(call: Call) -> Any:
    declared = _declared(call)
    like = call.scenario.events.get(call.step.get("like"))
    if ("event" in call.step and declared is None) or ("like" in call.step and like is None):
        raise call.broken("unknown event")
    if call.asks_for_null("options"):
        return raw(call, _lib.mvx_event_type_declare, None, c_uint32())
    name = declared.name if declared is not None else text(call, call.step.get("name"))
    natural = call.step.get("natural", False)
    fields, length = event_types.lay_out(fields_of(call, call.step.get("fields"), natural))
    if call.step.get("null_out"):
        options = _abi.EventTypeOptions()
        options.struct_size = _abi.V1_SIZES[_abi.EventTypeOptions]
        options.name = _abi.str_of(name)
        return raw(call, _lib.mvx_event_type_declare, options, None)
    got, made = attempt(
        call,
        lambda: event_types._declare(
            name, fields, length, call.integer("flags", 0), None, call.integer("struct_size")
        ),
    )
    if made is not None and like is not None:
        got["same"] = made.number == like.type.number
    return got


def event_type_name(call: Call) -> Any:
    number = event_number(call, call.step.get("event"))
    if call.step.get("null_out"):
        return raw_plain(_lib.mvx_event_type_name, number, None)
    if number in call.scenario.events_by_number:
        # The library is asked, not the binding's own memory of it.
        out = _abi.Str()
        got = raw_plain(_lib.mvx_event_type_name, number, out)
        return {**got, "text": _abi.text_of(out)}
    got, name = attempt(call, lambda: name_of(number), plain=True)
    return got if name is None else {**got, "text": name}


def intern(call: Call) -> Any:
    given, times = text(call, call.step.get("text")), call.integer("times", 0)
    if call.step.get("null_out"):
        return raw_plain(_lib.mvx_intern, _abi.str_of(given), None)
    if isinstance(given, _abi.Str):
        return _of_many({raw_plain(_lib.mvx_intern, given, c_uint32())["status"]: 1})
    statuses: Dict[str, int] = {}
    symbol = 0
    for one in [given] if times == 0 else (f"{given}{index}" for index in range(times)):
        try:
            symbol = intern_text(one)
            _count(statuses, "OK")
        except MvxError as error:
            _count(statuses, error.status.name)
    got = _of_many(statuses)
    if times == 0 and symbol:
        got["text"] = symbol_text(symbol)
    if "like" in call.step:
        other = c_uint32()
        status = _lib.mvx_intern(_abi.str_of(text(call, call.step["like"])), other)
        got["same"] = status == _abi.OK and other.value == symbol
    return got


OPERATIONS = {
    "recorder_register_event": ("recorder event payload payloads times", "statuses", recorder_register_event),
    "recorder_register_events": ("recorder event payloads null_out", "accepted", recorder_register_events),
    "event_type_declare": (
        "event name fields natural flags like options struct_size null_out",
        "error same",
        event_type_declare,
    ),
    "event_type_name": ("event null_out", "text matches contains", event_type_name),
    "intern": ("text times like null_out", "statuses text same matches contains", intern),
}
