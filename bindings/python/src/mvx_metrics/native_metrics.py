"""Metrics that the library keeps itself, without a call into Python."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Optional, Sequence, Union

from . import _abi
from .constants import FilterOp, MetricKind, ValueKind
from .event_types import number_of
from .native_errors import invalid_argument


@dataclass(frozen=True)
class Filter:
    """A condition on a field of an event. Symbols and texts are compared with a text."""

    field: str
    op: FilterOp
    value: Union[bool, int, float, str]
    #: By default that of the value; an integer is I64 where that holds it, otherwise U64.
    value_kind: Optional[ValueKind] = None


@dataclass(frozen=True)
class NativeMetric:
    """The declaration of a native metric.

    Its snapshot is ``{"value": 3}``; with ``group_by`` it is ``{"series": [{"labels": {...}, "value": 3}, ...],
    "overflow_events": 0}``.
    """

    name: str
    kind: MetricKind
    #: Event types, or classes made by @metric_event.
    events: Sequence[Any]
    #: The field that is the value; empty: each event is worth 1.
    value_field: str = ""
    #: An event for which not all of them hold is ignored.
    filters: Sequence[Filter] = ()
    #: Fields; each combination of their values gets a series of its own.
    group_by: Sequence[str] = ()
    unit: str = ""
    help: str = ""
    #: 2,000 by default; further groups share one overflow series.
    max_series: Optional[int] = None
    #: For a histogram, ascending.
    bounds: Sequence[float] = ()
    #: For a quantile sketch.
    relative_error: Optional[float] = None

    def __post_init__(self) -> None:
        if self.max_series is not None and self.max_series == 0:
            raise invalid_argument("max_series", "max_series must be positive")


def _filter(at: _abi.Filter, condition: Filter) -> None:
    value = condition.value
    at.field = _abi.str_of(condition.field)
    at.op = int(condition.op)
    if isinstance(value, bool):
        kind = ValueKind.BOOL
        at.i64 = int(value)
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise invalid_argument("filters", f"{value} does not fit 64 bits")
        kind = ValueKind.I64 if value < 2**63 else ValueKind.U64
        at.i64 = value if value < 2**63 else 0
        at.u64 = value if value >= 0 else 0
        at.f64 = float(value)
    elif isinstance(value, float):
        kind = ValueKind.F64
        at.f64 = value
    else:
        kind = ValueKind.STR
        at.str = _abi.str_of(value)
    at.value_kind = int(condition.value_kind if condition.value_kind is not None else kind)


def spec_struct(metric: NativeMetric, struct_size: Optional[int] = None, flags: int = 0) -> _abi.MetricSpec:
    """The C form of a declaration; it keeps alive what it points to."""
    spec = _abi.MetricSpec()
    spec.struct_size = ctypes.sizeof(spec) if struct_size is None else struct_size
    spec.name = _abi.str_of(metric.name)
    spec.unit = _abi.str_of(metric.unit)
    spec.help = _abi.str_of(metric.help)
    spec.kind = int(metric.kind)
    spec.flags = flags
    numbers = [number_of(event_type) for event_type in metric.events]
    if numbers:
        spec.event_types = (ctypes.c_uint32 * len(numbers))(*numbers)
        spec.event_type_count = len(numbers)
    spec.value_field = _abi.str_of(metric.value_field)
    if metric.filters:
        filters = (_abi.Filter * len(metric.filters))()
        for at, condition in zip(filters, metric.filters):
            _filter(at, condition)
        spec.filters = filters
        spec.filter_count = len(filters)
    if metric.group_by:
        spec.group_by = (_abi.Str * len(metric.group_by))(*(_abi.str_of(field) for field in metric.group_by))
        spec.group_by_count = len(metric.group_by)
    spec.max_series = metric.max_series or 0
    if metric.bounds:
        spec.bounds = (ctypes.c_double * len(metric.bounds))(*metric.bounds)
        spec.bound_count = len(metric.bounds)
    spec.relative_error = metric.relative_error or 0.0
    return spec
