"""Event types, their fields, interned texts, and events as metrics and hooks see them."""

from __future__ import annotations

import ctypes
import struct
from ctypes import byref, c_uint32, c_void_p
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _abi
from ._exit import flag
from ._pins import find, pin, pins, unraisable
from .constants import FieldKind
from .native_errors import check, invalid_argument

_lib = _abi.lib

#: What a field of each kind is to `struct`, and its size; a text has the size that it is declared with.
_FORMATS: Dict[FieldKind, str] = {
    FieldKind.I8: "b",
    FieldKind.I16: "h",
    FieldKind.I32: "i",
    FieldKind.I64: "q",
    FieldKind.U8: "B",
    FieldKind.U16: "H",
    FieldKind.U32: "I",
    FieldKind.U64: "Q",
    FieldKind.F32: "f",
    FieldKind.F64: "d",
    FieldKind.BOOL: "?",
    FieldKind.SYMBOL: "I",
}

# ---- Interned texts ----

_symbols: Dict[str, int] = {}
_texts: Dict[int, str] = {}


def intern(text: str) -> int:
    """The symbol of a text that repeats, such as an outcome or a route.

    Interned texts live as long as the process; don't intern what has no bounds. Any thread.
    """
    symbol = _symbols.get(text)
    if symbol is None:
        number = c_uint32()
        check(_lib.mvx_intern(_abi.str_of(text), byref(number)))
        symbol = _symbols[text] = number.value
    return symbol


def symbol_text(symbol: int) -> str:
    """The text of a symbol."""
    text = _texts.get(symbol)
    if text is None:
        out = _abi.Str()
        check(_lib.mvx_symbol_text(symbol, byref(out)))
        text = _texts[symbol] = _abi.text_of(out)
    return text


# ---- Fields ----


class Field(NamedTuple):
    """A field of an event type. ``size`` is the length of a text in bytes, and 0 otherwise.

    Without an offset a field lies behind the one before, at a multiple of its own size.
    """

    name: str
    kind: FieldKind
    size: int = 0
    offset: Optional[int] = None


def _size_of(field: Field) -> int:
    kind = field.kind
    if field.size or kind == FieldKind.TEXT or kind not in _FORMATS:
        return field.size
    return struct.calcsize(_FORMATS[kind])


def lay_out(fields: Iterable[Field]) -> Tuple[List[Field], int]:
    """Gives each field its offset; the length is a multiple of 8."""
    placed: List[Field] = []
    end = 0
    for field in fields:
        size = _size_of(field)
        align = 1 if field.kind == FieldKind.TEXT else max(size, 1)
        offset = field.offset if field.offset is not None else (end + align - 1) // align * align
        placed.append(field._replace(offset=offset, size=field.size))
        end = max(end, offset + size)
    return placed, (end + 7) // 8 * 8


def _reader(field: Field) -> Callable[[bytes], Any]:
    start = field.offset or 0
    if field.kind == FieldKind.TEXT:
        end = start + field.size
        return lambda payload: payload[start:end].split(b"\0", 1)[0].decode("utf-8", "replace")
    unpack = struct.Struct("=" + _FORMATS[field.kind]).unpack_from
    if field.kind == FieldKind.SYMBOL:
        return lambda payload: _text_or_empty(unpack(payload, start)[0])
    return lambda payload: unpack(payload, start)[0]


def _text_or_empty(symbol: int) -> str:
    return symbol_text(symbol) if symbol else ""


class _Packer:
    """Writes the values of all fields, in the order in which they lie in memory."""

    def __init__(self, fields: Sequence[Field], length: int) -> None:
        self.format = "="
        self.fields: List[Field] = sorted(fields, key=lambda field: field.offset or 0)
        at = 0
        for field in self.fields:
            gap = (field.offset or 0) - at
            if gap < 0:
                raise invalid_argument("fields", f"the field '{field.name}' overlaps another one")
            self.format += "x" * gap
            self.format += f"{field.size}s" if field.kind == FieldKind.TEXT else _FORMATS[field.kind]
            at += gap + _size_of(field)
        self.format += "x" * (length - at)
        self.struct = struct.Struct(self.format)

    def pack(self, values: Mapping[str, Any]) -> bytes:
        if len(values) != len(self.fields):
            strangers = set(values) - {field.name for field in self.fields}
            if strangers:
                raise invalid_argument("payload", f"there is no field '{min(strangers)}'")
        packed = []
        for field in self.fields:
            try:
                value = values[field.name]
            except KeyError:
                raise invalid_argument("payload", f"the field '{field.name}' is missing") from None
            if field.kind == FieldKind.SYMBOL:
                value = intern(value)
            elif field.kind == FieldKind.TEXT:
                value = value.encode("utf-8")
                if len(value) > field.size:
                    raise invalid_argument("payload", f"the field '{field.name}' holds {field.size} bytes")
            packed.append(value)
        try:
            return self.struct.pack(*packed)
        except struct.error as failure:
            raise invalid_argument("payload", f"a value does not fit its field: {failure}") from None


# ---- Event types ----


class EventType:
    """A declared event type: its number, its name and how its payload is laid out. Lives as long as the process."""

    __slots__ = ("number", "name", "fields", "length", "_packer", "_readers")

    def __init__(self, number: int, name: str, fields: Sequence[Field], length: int) -> None:
        self.number = number
        self.name = name
        self.fields = tuple(fields)
        self.length = length
        self._packer: Optional[_Packer] = None
        self._readers = {field.name: _reader(field) for field in fields}

    def __repr__(self) -> str:
        return f"EventType({self.number}, {self.name!r})"

    def pack(self, **values: Any) -> bytes:
        """A payload; symbols and texts are given as texts. Each field must be given."""
        return self._own_packer().pack(values)

    def packing(self) -> Tuple[struct.Struct, List[Field]]:
        """What packs the values of the fields, and in which order it takes them."""
        packer = self._own_packer()
        return packer.struct, packer.fields

    def _own_packer(self) -> _Packer:
        if self._packer is None:
            self._packer = _Packer(self.fields, self.length)
        return self._packer

    def unpack(self, payload: bytes) -> Dict[str, Any]:
        """The values of all fields."""
        return {name: read(payload) for name, read in self._readers.items()}

    def field(self, payload: bytes, name: str) -> Any:
        """The value of one field."""
        return self._readers[name](payload)


_declared: Dict[int, EventType] = {}


class _Release:
    __slots__ = ("function",)

    def __init__(self, function: Callable[[bytes], None]) -> None:
        self.function = function


@_abi.callback(_abi.ReleaseFn)
def _release(user_data: Optional[int], payload: Optional[int], length: int) -> None:
    use = find(user_data)  # type: ignore[arg-type]
    if use is None or flag.exiting:
        return
    try:
        use.function(ctypes.string_at(payload, length) if length and payload else b"")
    except BaseException as failure:  # noqa: B902 - nothing may leave a callback
        unraisable(failure, use.function)


#: The user_data of each release callback: to declare the same one again is no change.
_release_keys: Dict[Tuple[Union[str, bytes], Callable[[bytes], None]], int] = {}


def declare_event_type(
    name: str,
    fields: Iterable[Field] = (),
    *,
    timed: bool = False,
    release: Optional[Callable[[bytes], None]] = None,
) -> EventType:
    """Declares an event type, or finds the one that was declared with the same name, fields and release.

    ``timed``: each event carries the time of its registration. ``release``: is called with the payload of each
    accepted event, once, after its dispatch or when it is discarded, on a thread of the library. Raises
    ``InvalidArgument``, and ``MvxError`` with EVENT_TYPE_ALREADY_EXISTS or LIMIT_REACHED. Any thread.
    """
    placed, length = lay_out(fields)
    return _declare(name, placed, length, _abi.EVENT_TYPE_TIMED if timed else 0, release)


def _declare(
    name: Any,
    placed: Sequence[Field],
    length: int,
    flags: int = 0,
    release: Optional[Callable[[bytes], None]] = None,
    struct_size: Optional[int] = None,
) -> EventType:
    options = _abi.EventTypeOptions()
    options.struct_size = ctypes.sizeof(options) if struct_size is None else struct_size
    options.name = _abi.str_of(name)
    array = (_abi.Field * len(placed))()
    for at, field in zip(array, placed):
        at.name = _abi.str_of(field.name)
        at.kind = int(field.kind)
        at.offset = field.offset or 0
        at.size = field.size
    if placed:
        options.fields = array
    options.field_count = len(placed)
    options.flags = flags
    key = None
    fresh = False
    if release is not None:
        key = _release_keys.get((name, release))
        fresh = key is None
        if key is None:
            key = _release_keys[(name, release)] = pin(_Release(release))
        options.release = _release
        options.user_data = key
    number = c_uint32()
    error = c_void_p()
    status = _lib.mvx_event_type_declare(byref(options), byref(number), byref(error))
    if status and fresh and release is not None and key is not None:
        # An event type is never dropped, so this is the only time that its release is let go.
        del _release_keys[(name, release)]
        pins.pop(key, None)
    check(status, error)
    known = _declared.get(number.value)
    if known is None:
        known = _declared.setdefault(number.value, EventType(number.value, name, placed, length))
    return known


def event_type_name(number: int) -> str:
    """The name of an event type by its number, whoever declared it."""
    known = _declared.get(number)
    if known is not None:
        return known.name
    out = _abi.Str()
    check(_lib.mvx_event_type_name(number, byref(out)))
    return _abi.text_of(out)


def number_of(event_type: Any) -> int:
    """The number behind an event type, a class made by @metric_event, or a number itself."""
    if isinstance(event_type, int):
        return event_type
    if isinstance(event_type, EventType):
        return event_type.number
    declared = getattr(event_type, "__mvx_event_type__", None)
    if isinstance(declared, EventType):
        return declared.number
    raise TypeError(f"an event type is needed, not {event_type!r}")


def declared_length(number: int) -> int:
    """How long the payloads of an event type are; 0 for one that Python did not declare."""
    known = _declared.get(number)
    return known.length if known is not None else 0


# ---- Events as callbacks see them ----


class Event:
    """An event that a metric or a hook is handed. It is a copy, and may be kept.

    ``type`` and ``type_name`` are the number and name of its event type, ``payload`` its bytes, and ``time_unix_ns``
    its time in nanoseconds since the Unix epoch: that of its registration if its event type is ``timed``, otherwise
    that of the batch that it came in.
    """

    __slots__ = ("type", "type_name", "payload", "time_unix_ns")

    def __init__(self, type: int, type_name: str, payload: bytes, time_unix_ns: int) -> None:
        self.type = type
        self.type_name = type_name
        self.payload = payload
        self.time_unix_ns = time_unix_ns

    def __repr__(self) -> str:
        return f"Event({self.type_name!r}, {self.fields or self.payload!r})"

    @property
    def fields(self) -> Dict[str, Any]:
        """The values of its declared fields; empty for an event type that Python did not declare."""
        known = _declared.get(self.type)
        return known.unpack(self.payload) if known is not None else {}

    def field(self, name: str) -> Any:
        """The value of one declared field."""
        return _declared[self.type].field(self.payload, name)


_NATIVE = struct.Struct("=QI4xQQQQQ")
_names: Dict[int, str] = {}


def _copy(kind: int, name: int, name_length: int, payload: int, length: int, time: int) -> Event:
    text = _names.get(kind)
    if text is None:
        text = _names[kind] = ctypes.string_at(name, name_length).decode("utf-8", "replace")
    return Event(kind, text, ctypes.string_at(payload, length) if length else b"", time)


def copy_event(pointer: Any) -> Event:
    """The event behind a pointer that a callback was handed."""
    at = pointer.contents
    return _copy(at.type, c_void_p.from_buffer(at.type_name).value or 0, at.type_name.len, at.payload or 0, at.len,
                 at.time_unix_ns)


if ctypes.sizeof(_abi.Event) == _NATIVE.size:

    def copy_events(pointer: Any, count: int) -> Iterator[Event]:
        """The events of a batch. They are copied one by one as they are asked for."""
        size = pointer[0].struct_size
        start = ctypes.addressof(pointer.contents)
        memory = (ctypes.c_char * (size * count)).from_address(start)
        for at in range(0, size * count, size):
            _, kind, name, name_length, payload, length, time = _NATIVE.unpack_from(memory, at)
            yield _copy(kind, name, name_length, payload, length, time)

else:

    def copy_events(pointer: Any, count: int) -> Iterator[Event]:
        """The events of a batch. They are copied one by one as they are asked for."""
        size = pointer[0].struct_size
        start = ctypes.addressof(pointer.contents)
        for index in range(count):
            yield copy_event(ctypes.cast(start + index * size, ctypes.POINTER(_abi.Event)))
