"""Record functions by the accelerator where it is used, and otherwise those by ctypes that they stand for."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Optional, Sequence, Tuple

from ._acceleration import accelerator
from .event_types import EventType
from .native_errors import error_of_status

#: More fields than this, and ctypes does it.
_MAX_FIELDS = 64

#: A parameter of a bound function: the name of a field, and its default value if it has one.
Parameter = Tuple[Any, ...]


def bind_recorder(handle: int, may_block: bool) -> Optional[Callable[[int, bytes], None]]:
    """A function that takes the number of an event type and a payload; ``None`` without the accelerator."""
    return accelerator.bind_recorder(handle, may_block, error_of_status) if accelerator is not None else None


def bind_payload(recorder: Any, number: int, by_ctypes: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """A function that takes a payload, and keeps the recorder alive."""
    if accelerator is None:
        return by_ctypes
    bound: Callable[[bytes], None] = accelerator.bind_payload(
        recorder.handle, recorder._may_block, error_of_status, recorder, number, by_ctypes
    )
    return bound


def bind_fields(
    recorder: Any,
    event_type: EventType,
    parameters: Sequence[Parameter],
    symbols: Mapping[str, int],
    by_ctypes: Callable[..., None],
) -> Callable[..., None]:
    """A function that takes the values of fields, and keeps the recorder alive.

    What it does not do itself, with values of rare types or with bad ones, ``by_ctypes`` does.
    """
    if accelerator is None or len(parameters) > _MAX_FIELDS:
        return by_ctypes
    laid_out = {field.name: (int(field.kind), field.offset or 0, field.size) for field in event_type.fields}
    bound: Callable[..., None] = accelerator.bind_fields(
        recorder.handle,
        recorder._may_block,
        error_of_status,
        recorder,
        event_type.number,
        by_ctypes,
        event_type.length,
        tuple((name, *laid_out[name], *default) for name, *default in parameters),
        symbols,
    )
    return bound
