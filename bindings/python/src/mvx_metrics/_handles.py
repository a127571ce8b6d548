"""What runtimes, recorders and waits have in common: a number that the library looks up."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, ClassVar, Optional, Type, TypeVar

from ._exit import flag, handles
from .native_errors import check

_Self = TypeVar("_Self", bound="Handle")


class Handle:
    """A reference to something of the library. It is a number, so it can be handed to another language.

    Letting go of the object frees the reference; ``close`` does so now. Use after ``close``, also by other threads,
    raises ``MvxError`` with INVALID_HANDLE. In the child of a fork everything but ``close`` raises FORKED.
    """

    __slots__ = ("_number", "__weakref__")

    _free: ClassVar[Any]
    _clone: ClassVar[Any]

    def __init__(self, number: int) -> None:
        self._number = number
        handles.add(self)

    @property
    def handle(self) -> int:
        """The number. It stays this object's; who is handed it makes a reference of their own (or clones it)."""
        return self._number

    def close(self) -> None:
        """Frees the reference. What it refers to lives on where something else needs it. Does not block."""
        # The library ignores what is no live handle, so closing twice, or from two threads, is harmless.
        type(self)._free(self._number)

    def __del__(self) -> None:
        number: Optional[int] = getattr(self, "_number", None)
        # Freeing never blocks. When the interpreter ends, nothing may call back into it any more.
        if number is not None and not flag.exiting:
            type(self)._free(number)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._number:#x})"


def clone_number(kind: Type[_Self], number: int) -> int:
    """A further reference to what a handle refers to."""
    clone = c_void_p()
    check(kind._clone(number, byref(clone)))
    assert clone.value is not None
    return clone.value
