"""Snapshots, and how Python values are written into them."""

from __future__ import annotations

from ctypes import byref, c_double, c_int32, c_int64, c_uint64, c_void_p
from typing import Any, Dict, Iterator, List, Mapping, Optional

from . import _abi
from ._exit import flag
from .native_errors import check

_lib = _abi.lib

_I64_MIN, _I64_MAX, _U64_MAX = -(2**63), 2**63 - 1, 2**64 - 1


def _read(value: Optional[int]) -> Any:
    kind = _lib.mvx_value_kind(value)
    if kind == _abi.VALUE_NULL:
        return None
    if kind == _abi.VALUE_BOOL:
        flag_out = c_int32()
        check(_lib.mvx_value_as_bool(value, byref(flag_out)))
        return flag_out.value != 0
    if kind == _abi.VALUE_I64:
        integer = c_int64()
        check(_lib.mvx_value_as_i64(value, byref(integer)))
        return integer.value
    if kind == _abi.VALUE_U64:
        natural = c_uint64()
        check(_lib.mvx_value_as_u64(value, byref(natural)))
        return natural.value
    if kind == _abi.VALUE_F64:
        real = c_double()
        check(_lib.mvx_value_as_f64(value, byref(real)))
        return real.value
    if kind == _abi.VALUE_STR:
        text = _abi.Str()
        check(_lib.mvx_value_as_str(value, byref(text)))
        return _abi.text_of(text)
    count = range(_lib.mvx_value_len(value))
    if kind == _abi.VALUE_LIST:
        return [_read(_lib.mvx_value_at(value, index)) for index in count]
    return {
        _abi.text_of(_lib.mvx_value_key_at(value, index)): _read(_lib.mvx_value_at(value, index)) for index in count
    }


class Snapshot(Mapping[str, Dict[str, Any]]):
    """The state of a recorder's metrics at one moment: metric name -> its values, in registration order.

    It never changes, outlives its recorder, and may be read by any number of threads. Its memory is freed with it.
    """

    __slots__ = ("_pointer", "__weakref__")

    def __init__(self, pointer: int) -> None:
        self._pointer = pointer

    def __del__(self, _free: Any = _lib.mvx_snapshot_free) -> None:
        pointer = getattr(self, "_pointer", None)
        if pointer and not flag.exiting:
            _free(pointer)

    def __len__(self) -> int:
        return int(_lib.mvx_snapshot_len(self._pointer))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, metric_name: str) -> Dict[str, Any]:
        value = _lib.mvx_snapshot_get(self._pointer, _abi.str_of(metric_name))
        if value is None:
            raise KeyError(metric_name)
        values: Dict[str, Any] = _read(value)
        return values

    @property
    def names(self) -> List[str]:
        """The names of the metrics, in registration order."""
        return [_abi.text_of(_lib.mvx_snapshot_name_at(self._pointer, index)) for index in range(len(self))]

    def to_dict(self) -> Dict[str, Dict[str, Any]]:
        """All values, as Python objects."""
        return {name: self[name] for name in self.names}

    def to_json(self) -> str:
        """All values as JSON, in registration order."""
        return self._render(_lib.mvx_snapshot_to_json)

    def to_openmetrics(self) -> str:
        """All values, and the recorder's counts, as OpenMetrics text."""
        return self._render(_lib.mvx_snapshot_to_openmetrics)

    def _render(self, function: Any) -> str:
        text, error = c_void_p(), c_void_p()
        check(function(self._pointer, byref(text), byref(error)), error)
        return take_text(text)

    def __repr__(self) -> str:
        return f"Snapshot({self.to_dict()!r})"


def take_text(text: c_void_p) -> str:
    """The text of an out-parameter, which is freed."""
    try:
        return _abi.text_of(_lib.mvx_text_str(text))
    finally:
        _lib.mvx_text_free(text)


def write_members(writer: int, values: Mapping[str, Any]) -> None:
    """Writes the entries of a mapping into the map that is open."""
    for key, value in values.items():
        if not isinstance(key, str):
            raise TypeError(f"a snapshot's keys are texts, not {key!r}")
        _write(writer, _abi.str_of(key), value)


def _write(writer: int, key: _abi.Str, value: Any) -> None:
    if value is None:
        check(_lib.mvx_writer_null(writer, key))
    elif isinstance(value, bool):
        check(_lib.mvx_writer_bool(writer, key, value))
    elif isinstance(value, int):
        if _I64_MIN <= value <= _I64_MAX:
            check(_lib.mvx_writer_i64(writer, key, value))
        elif 0 <= value <= _U64_MAX:
            check(_lib.mvx_writer_u64(writer, key, value))
        else:
            raise OverflowError(f"{value} does not fit 64 bits")
    elif isinstance(value, float):
        check(_lib.mvx_writer_f64(writer, key, value))
    elif isinstance(value, str):
        check(_lib.mvx_writer_str(writer, key, _abi.str_of(value)))
    elif isinstance(value, Mapping):
        check(_lib.mvx_writer_begin_map(writer, key))
        write_members(writer, value)
        check(_lib.mvx_writer_end(writer))
    elif isinstance(value, (list, tuple)):
        check(_lib.mvx_writer_begin_list(writer, key))
        for item in value:
            _write(writer, _abi.Str(), item)
        check(_lib.mvx_writer_end(writer))
    else:
        raise TypeError(f"a snapshot holds no {type(value).__name__}")


