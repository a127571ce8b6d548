"""Events as dataclasses: declared once, packed by generated code, and read by native metrics without Python."""

from __future__ import annotations

import struct
from ctypes import c_size_t
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Callable,
    Dict,
    List,
    Type,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from . import _abi
from ._bound import Parameter, bind_fields
from .constants import FieldKind
from .event_types import Event, EventType, Field, declare_event_type, intern
from .native_errors import error_of_status, invalid_argument

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:
        return lambda decorated: decorated


T = TypeVar("T")


class Text:
    """Of a field: a text that lies in the event itself, ``Annotated[str, Text(32)]``. The size is in bytes.

    For texts without bounds, such as a user's name. A plain ``str`` is interned, which is for texts that repeat.
    """

    def __init__(self, size: int) -> None:
        if size <= 0:
            raise invalid_argument("size", "a text's size must be positive")
        self.size = size


I8 = Annotated[int, FieldKind.I8]
I16 = Annotated[int, FieldKind.I16]
I32 = Annotated[int, FieldKind.I32]
U8 = Annotated[int, FieldKind.U8]
U16 = Annotated[int, FieldKind.U16]
U32 = Annotated[int, FieldKind.U32]
U64 = Annotated[int, FieldKind.U64]
F32 = Annotated[float, FieldKind.F32]

#: What a field is without further words.
_PLAIN: Dict[Any, FieldKind] = {
    bool: FieldKind.BOOL,
    int: FieldKind.I64,
    float: FieldKind.F64,
    str: FieldKind.SYMBOL,
}


class _Symbols(Dict[str, int]):
    """Symbols by text. Looking one up that is known costs no call."""

    def __missing__(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"a text is needed, not {text!r}")
        symbol = self[text] = intern(text)
        return symbol


_symbols = _Symbols()


def _text(value: str, size: int) -> bytes:
    encoded = value.encode("utf-8")
    if len(encoded) > size:
        raise invalid_argument("payload", f"the text {value!r} is longer than {size} bytes")
    return encoded


def _field(name: str, hint: Any) -> Field:
    if get_origin(hint) is Annotated:
        plain, *extras = get_args(hint)
        for extra in extras:
            if isinstance(extra, Text):
                return Field(name, FieldKind.TEXT, extra.size)
            if isinstance(extra, FieldKind) and extra != FieldKind.TEXT:
                return Field(name, extra)
        hint = plain
    kind = _PLAIN.get(hint)
    if kind is None:
        raise TypeError(f"the field '{name}' must be a bool, int, float or str, or one of these Annotated")
    return Field(name, kind)


#: What code is generated: one function that packs an instance, and one that makes functions bound to a recorder. The
#: names of the fields are Python identifiers, so nothing else can get in.
_TEMPLATE = """
def pack(self):
    try:
        return _pack({members})
    except (_struct_error, OverflowError) as failure:
        raise _bad_value(failure) from None

def bind(recorder):
    def register({parameters}):
        try:
            payload = _pack({values})
        except (_struct_error, OverflowError) as failure:
            raise _bad_value(failure) from None
        status = _register(pointer, _number, payload, _length)
        if status:
            raise _error_of_status(status)
    pointer = recorder._pointer
    register.__self__ = recorder
    return register
"""


def _bad_value(failure: Exception) -> Exception:
    return invalid_argument("payload", f"a value does not fit its field: {failure}")


def _expression(field: Field, value: str) -> str:
    if field.kind == FieldKind.SYMBOL:
        return f"_symbols[{value}]"
    if field.kind == FieldKind.TEXT:
        return f"_text({value}, {field.size})"
    return value


def _parameters(cls: Type[Any]) -> List[Parameter]:
    parameters: List[Parameter] = []
    for member in fields(cls):
        if member.default_factory is not MISSING:
            raise TypeError(f"the field '{member.name}' needs a plain default")
        parameters.append((member.name,) if member.default is MISSING else (member.name, member.default))
    return parameters


def _generate(cls: Type[Any], event_type: EventType, packer: struct.Struct, order: List[Field]) -> Dict[str, Any]:
    scope: Dict[str, Any] = {
        "_pack": packer.pack,
        "_struct_error": struct.error,
        "_bad_value": _bad_value,
        "_symbols": _symbols,
        "_text": _text,
        "_register": _abi.register_event_prepared,
        "_number": event_type.number,
        "_length": c_size_t(event_type.length),
        "_error_of_status": error_of_status,
    }
    parameters = []
    for name, *default in _parameters(cls):
        parameters.append(f"{name}=_default_{name}" if default else name)
        if default:
            scope[f"_default_{name}"] = default[0]
    source = _TEMPLATE.format(
        members=", ".join(_expression(field, f"self.{field.name}") for field in order),
        values=", ".join(_expression(field, field.name) for field in order),
        parameters=", ".join(parameters),
    )
    exec(compile(source, f"<{cls.__qualname__}: generated by metric_event>", "exec"), scope)
    return scope


@dataclass_transform()
def metric_event(name: str, *, timed: bool = False) -> Callable[[Type[T]], Type[T]]:
    """Declares a class as an event type; one that is no dataclass yet becomes one.

    Fields are ``bool``, ``int`` (I64), ``float`` (F64) and ``str`` (a symbol: interned, for texts that repeat), or one
    of the narrower ones here (``U32``, ``F32``, ``Annotated[str, Text(32)]``). Record instances with
    ``recorder.register_event``, or the bare values, faster, with ``recorder.bind(cls)``.
    """

    def declare(cls: Type[T]) -> Type[T]:
        if not is_dataclass(cls):
            cls = dataclass(cls)
        hints = get_type_hints(cls, include_extras=True)
        declared = [_field(member.name, hints[member.name]) for member in fields(cls)]  # type: ignore[arg-type]
        for field in declared:
            if field.name.startswith("_"):
                raise TypeError(f"the name of the field '{field.name}' must not begin with an underscore")
        event_type = declare_event_type(name, declared, timed=timed)
        packer, order = event_type.packing()
        scope = _generate(cls, event_type, packer, order)
        parameters = _parameters(cls)
        extended: Any = cls
        extended.__mvx_event_type__ = event_type
        extended.__mvx_event_number__ = event_type.number
        extended.__mvx_pack__ = scope["pack"]
        extended.__mvx_bind__ = staticmethod(
            lambda recorder: bind_fields(recorder, event_type, parameters, _symbols, scope["bind"](recorder))
        )
        return cls

    return declare


def read_event(cls: Type[T], event: Event) -> T:
    """The instance of a class made by @metric_event that a metric or hook is handed as an event."""
    event_type: EventType = cls.__mvx_event_type__  # type: ignore[attr-defined]
    if event.type != event_type.number:
        raise TypeError(f"a '{event.type_name}' is no {cls.__name__}")
    return cls(**event_type.unpack(event.payload))


__all__ = ["F32", "I16", "I32", "I8", "Text", "U16", "U32", "U64", "U8", "metric_event", "read_event"]
