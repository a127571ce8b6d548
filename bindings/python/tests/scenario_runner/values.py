"""What steps take and give: names of constants, texts, handles, payloads, errors."""

from __future__ import annotations

from ctypes import c_void_p
from typing import Any, Callable, Dict, Optional, Type

from mvx_metrics import _abi
from mvx_metrics.event_types import EventType
from mvx_metrics.native import Completion, FieldKind, MvxError, Recorder, Runtime, Snapshot, Status, Wait
from mvx_metrics.native_errors import take_error

from .scenario import Call, compact


def constant(call: Call, names: Any, value: Any) -> Any:
    """A constant by its name; a number goes as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        call.needs_raw("a number in place of a name")
        return value
    if isinstance(value, str) and value in names.__members__:
        return names[value]
    raise call.broken(f"unknown constant {value!r}")


def text(call: Call, value: Any) -> Any:
    """A text, or bytes, or an mvx_str for NULL data."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        if "$repeat" in value:
            return value["$repeat"] * value["times"]
        if "$hex" in value:
            return bytes.fromhex(value["$hex"])
        if "$null" in value:
            length = value["$null"]
            return _abi.Str(None, length if isinstance(length, int) and not isinstance(length, bool) else 0)
    raise call.broken("this is no text")


# ---- results ----


def error_json(error: Optional[MvxError]) -> Optional[Dict[str, Any]]:
    if error is None:
        return None
    return {
        "status": error.status.name,
        "reason": error.reason,
        "message": error.message,
        "details": error.details,
        "cause": error_json(error.cause),
    }


def told(call: Call, status: str, error: Optional[MvxError]) -> Dict[str, Any]:
    """The result of a call that offers an error, which has to fit its status."""
    if (status == "OK") != (error is None):
        raise call.broken(f"the call gave {status} with the error {error!r}")
    if error is not None and (error.status.name != status or not error.message or not error.reason):
        raise call.broken(f"the call gave {status}, its error is {error_json(error)}")
    return {"status": status, "error": error_json(error)}


def attempt(call: Call, function: Callable[[], Any], *, plain: bool = False) -> Any:
    """Calls the binding; gives the result of the step, and what the call returned."""
    try:
        value = function()
    except MvxError as error:
        if plain:
            return {"status": error.status.name}, None
        return told(call, error.status.name, error), None
    return ({"status": "OK"} if plain else {"status": "OK", "error": None}), value


def raw(call: Call, function: Any, *arguments: Any) -> Dict[str, Any]:
    """Calls the C function itself, for what the binding's objects can't express; the error comes last."""
    error = c_void_p()
    status = Status(function(*arguments, error))
    return told(call, status.name, take_error(error))


def raw_plain(function: Any, *arguments: Any) -> Dict[str, Any]:
    """The same of a function without an error."""
    return {"status": Status(function(*arguments)).name}


# ---- handles ----

CLASSES: Dict[str, Any] = {"runtime": Runtime, "recorder": Recorder, "wait": Wait}


def _unowned(kind: str) -> Type[Any]:
    # A handle that is not ours must not be freed with its object.
    return type(f"Raw{kind}", (CLASSES[kind],), {"__slots__": (), "__del__": lambda self: None})


_UNOWNED = {kind: _unowned(kind) for kind in CLASSES}


def _with_number(kind: str, number: int) -> Any:
    made = _UNOWNED[kind].__new__(_UNOWNED[kind])
    made._number = number
    if kind == "recorder":
        made._record_with(c_void_p(number), True)
        made._runtime = None
    return made


def handle(call: Call, kind: str) -> Any:
    """The object that the step names, or one with whatever number the step wants."""
    reference = call.step.get(kind)
    if reference is None:
        raise call.broken(f"the step needs '{kind}'")
    if isinstance(reference, dict):
        call.needs_raw("a handle that is none")
        if kind == "snapshot":
            return Snapshot(0)
        if kind == "completion":
            return Completion(reference.get("$made_up", 0))
        if "$null" in reference:
            return _with_number(kind, 0)
        if "$made_up" in reference:
            return _with_number(kind, reference["$made_up"])
        for other in CLASSES:
            if f"${other}" in reference:
                return _with_number(kind, call.thing(other, reference[f"${other}"])._number)
        raise call.broken(f"unknown handle {compact(reference)}")
    return call.thing(kind, reference)


def give(call: Call, key: str, kind: str, value: Any) -> None:
    """Binds what a call made; without a name it is freed, because nothing refers to it any more."""
    name = call.named(key)
    if value is not None and name is not None:
        call.bind(kind, name, value)


# ---- events ----


def event_number(call: Call, reference: Any) -> int:
    if isinstance(reference, dict) and "$number" in reference:
        call.needs_raw("the number of an event type")
        number: int = reference["$number"]
        return number
    known = call.scenario.events.get(reference) if isinstance(reference, str) else None
    if known is None:
        raise call.broken(f"unknown event {reference!r}")
    return int(known.type.number)


_INTEGERS = {FieldKind.I8, FieldKind.I16, FieldKind.I32, FieldKind.I64, FieldKind.U8, FieldKind.U16, FieldKind.U32,
             FieldKind.U64}  # fmt: skip


def _value(kind: FieldKind, value: Any) -> Any:
    if kind in _INTEGERS:
        return int(value)
    if kind in (FieldKind.F32, FieldKind.F64):
        return float(value)
    return value


def payload(call: Call, event_type: Optional[EventType], given: Any) -> Any:
    """The bytes of an event, or a length for a NULL pointer of that length."""
    given = {} if given is None else given
    if "$hex" in given:
        return bytes.fromhex(given["$hex"])
    if "$zeros" in given:
        return bytes(given["$zeros"])
    if "$null" in given:
        call.needs_raw("a NULL payload")
        return int(given["$null"])
    if event_type is None:
        return b""
    kinds = {one.name: one.kind for one in event_type.fields}
    try:
        return event_type.pack(**{name: _value(kinds[name], value) for name, value in given.items()})
    except (KeyError, MvxError) as failure:
        raise call.broken(f"the payload {compact(given)} does not fit the event: {failure}") from None


def field_value(event_type: EventType, name: str, data: bytes) -> Any:
    """The value of a field as the scenarios show it."""
    try:
        value = event_type.field(data, name)
    except Exception:  # a payload that is too short, or a field that is not there
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value > 2**63 - 1:
        return str(value)
    return value


def show(event: Any, data: bytes) -> str:
    """An event in the journal."""
    if not event.type.fields:
        return str(event.key)
    value = field_value(event.type, event.type.fields[0].name, data)
    return f"{event.key}({value if isinstance(value, str) else compact(value)})"


# ---- what runtimes and recorders tell of themselves alike ----


def told_state(call: Call, kind: str) -> Any:
    """The step that asks for a state."""
    asked = handle(call, kind)
    if call.step.get("null_out"):
        return raw_plain(getattr(_abi.lib, f"mvx_{kind}_state"), asked._number, None)
    got, state = attempt(call, lambda: asked.state, plain=True)
    return got if state is None else {**got, "state": state.name}


def told_last_error(call: Call, kind: str) -> Any:
    """The step that asks for the error that is kept."""
    asked = handle(call, kind)
    if call.step.get("null_out"):
        return {**raw_plain(getattr(_abi.lib, f"mvx_{kind}_last_error"), asked._number, None), "error": None}
    got, error = attempt(call, lambda: asked.last_error, plain=True)
    return {**got, "error": error_json(error)}
