"""Recorders: what production code registers events with."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_int32, c_size_t, c_void_p
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterable, List, NamedTuple, Optional, Union

from . import _abi
from ._bound import bind_payload, bind_recorder
from ._exit import foreign_recorders
from ._handles import Handle, clone_number
from ._pins import find
from .callback_metrics import CallbackMetric, pin_metric, vtable_struct
from .constants import MetricKind, MetricState, RecorderState, SnapshotMode
from .event_types import EventType, declared_length, number_of
from .native_errors import MvxError, check, error_of_status, invalid_argument, read_error, take_error
from .native_metrics import NativeMetric, spec_struct
from .options import RecorderOptions, recorder_struct
from .snapshots import Snapshot, take_text
from .waits import Wait

if TYPE_CHECKING:
    from .runtime import Runtime

_lib = _abi.lib
_OK = _abi.OK
_register = _lib.mvx_recorder_register_event
_prepared = _abi.register_event_prepared


@dataclass(frozen=True)
class RecorderStats:
    """Counts since the recorder was created. accepted = dispatched + discarded + pending, at every moment."""

    accepted: int
    dispatched: int
    dropped: int
    refused: int
    discarded: int
    pending: int
    #: The most events that were pending at once.
    pending_max: int
    pending_bytes: int
    quarantined_metrics: int
    #: How far dispatching is behind recording, in nanoseconds.
    lag_ns: int


class MetricInfo(NamedTuple):
    """A registered metric."""

    name: str
    kind: MetricKind
    state: MetricState
    #: The very object that was registered; ``None`` for a native metric and for one of another language.
    metric: Any
    #: Why it is quarantined.
    error: Optional[MvxError]


class Recorder(Handle):
    """Takes events and hands them to its metrics, on the library's own threads.

    All methods may be called from any thread, also from callbacks. None blocks unless it says so.
    """

    __slots__ = ("_runtime", "_pointer", "_may_block", "_record")
    _free = _lib.mvx_recorder_free
    _clone = _lib.mvx_recorder_clone

    def __init__(self, runtime: Optional[Runtime] = None, options: Optional[RecorderOptions] = None) -> None:
        """A recorder that is VIRGIN, outside the registry of its runtime; without one, of the default runtime.

        Letting go of its last reference stops it in the background.
        """
        if runtime is None:
            from .runtime import Runtime

            runtime = Runtime.default()
        self._create(runtime, recorder_struct(options, runtime) if options is not None else None)

    def _create(self, runtime: Runtime, struct: Optional[_abi.RecorderOptions]) -> None:
        recorder, error = c_void_p(), c_void_p()
        status = _lib.mvx_recorder_create(
            runtime._number, byref(struct) if struct is not None else None, byref(recorder), byref(error)
        )
        check(status, error)
        self._adopt(recorder, runtime, struct is not None and struct.overflow_policy == _abi.OVERFLOW_BLOCK)

    def _adopt(self, recorder: c_void_p, runtime: Optional[Runtime], may_block: bool = True) -> None:
        assert recorder.value is not None
        super().__init__(recorder.value)
        #: Kept, so that the runtime is there at exit as long as its recorders may call back.
        self._runtime = runtime
        self._record_with(recorder, may_block)

    def _record_with(self, recorder: c_void_p, may_block: bool) -> None:
        #: What calls are made with: ctypes need not convert it each time.
        self._pointer = recorder
        #: Whether recording may wait for room: under BLOCK, or where somebody else chose the policy.
        self._may_block = may_block
        #: By the accelerator, if it is used.
        self._record = bind_recorder(recorder.value or 0, may_block)

    @classmethod
    def _made(cls, recorder: c_void_p, runtime: Optional[Runtime], may_block: bool = True) -> Recorder:
        made = cls.__new__(cls)
        made._adopt(recorder, runtime, may_block)
        return made

    @classmethod
    def from_handle(cls, number: int, *, take: bool = False) -> Recorder:
        """A recorder that another language made: a reference of our own, or, with ``take``, the one given."""
        return cls._made(c_void_p(number if take else clone_number(cls, number)), None)

    def clone(self) -> Recorder:
        """A further reference to the same recorder."""
        return self._made(c_void_p(clone_number(type(self), self._number)), self._runtime, self._may_block)

    # ---- life ----

    def start(self) -> Wait:
        """Starts a recorder that is VIRGIN or STOPPED; joins a start under way."""
        return self._operate(_lib.mvx_recorder_start)

    def stop(self) -> Wait:
        """Stops it: what was accepted before is dispatched, then on_stopped runs; joins a stop under way."""
        return self._operate(_lib.mvx_recorder_stop)

    def flush(self) -> Wait:
        """The wait is over when every event that was accepted before is dispatched."""
        return self._operate(_lib.mvx_recorder_flush)

    def _operate(self, function: Any) -> Wait:
        wait, error = c_void_p(), c_void_p()
        check(function(self._number, byref(wait), byref(error)), error)
        assert wait.value is not None
        return Wait(wait.value)

    def cancel(self) -> None:
        """Makes it CANCELLED, for good: what is pending is discarded, released and counted."""
        error = c_void_p()
        check(_lib.mvx_recorder_cancel(self._number, byref(error)), error)

    @property
    def state(self) -> RecorderState:
        """Its state."""
        state = c_int32()
        check(_lib.mvx_recorder_state(self._number, byref(state)))
        return RecorderState(state.value)

    @property
    def last_error(self) -> Optional[MvxError]:
        """Why it is FAILURE or CANCELLED."""
        error = c_void_p()
        check(_lib.mvx_recorder_last_error(self._number, byref(error)))
        return take_error(error)

    @property
    def entity_id(self) -> str:
        """Its entity id."""
        text = c_void_p()
        check(_lib.mvx_recorder_entity_id(self._number, byref(text)))
        return take_text(text)

    @property
    def name_space(self) -> str:
        """Its namespace."""
        text = c_void_p()
        check(_lib.mvx_recorder_name_space(self._number, byref(text)))
        return take_text(text)

    def stats(self) -> RecorderStats:
        """Its counts."""
        stats = _abi.Stats()
        stats.struct_size = ctypes.sizeof(stats)
        check(_lib.mvx_recorder_stats(self._number, byref(stats)))
        return RecorderStats(*(getattr(stats, name) for name, *_ in _abi.Stats._fields_[1:]))

    # ---- metrics ----

    def register_metric(
        self,
        name: str,
        metric: CallbackMetric,
        *,
        event_types: Iterable[Any] = (),
        commutative: bool = False,
        batch: bool = True,
    ) -> None:
        """Registers a Python object as a metric; one of the same name is replaced, in its place.

        ``event_types``: those that it wants (all). ``commutative``: the order of events from different threads does
        not matter to it. ``batch``: many events come with one hold of the interpreter's lock; without, each event has
        its own, and its room in the queue comes back before the next one.
        """
        vtable = vtable_struct(event_types, commutative, batch)
        error = c_void_p()
        if self._runtime is None:
            foreign_recorders[self._number] = None
        user_data = pin_metric(metric, self._runtime)
        status = _lib.mvx_recorder_register_metric(
            self._number, _abi.str_of(name), byref(vtable), user_data, byref(error)
        )
        check(status, error)

    def register_native_metric(self, metric: NativeMetric) -> None:
        """Registers a metric that the library keeps itself."""
        error = c_void_p()
        check(_lib.mvx_recorder_register_native_metric(self._number, byref(spec_struct(metric)), byref(error)), error)

    def iter_metrics(self) -> List[MetricInfo]:
        """The registered metrics, in order."""
        return self._visit(None)

    def _visit(self, stop_after: Optional[int]) -> List[MetricInfo]:
        found: List[MetricInfo] = []

        @_abi.callback(_abi.MetricVisitor)
        def visit(_context: Optional[int], pointer: Any) -> int:
            at = pointer.contents
            use = find(at.user_data)
            found.append(
                MetricInfo(
                    _abi.text_of(at.name),
                    MetricKind(at.kind),
                    MetricState(at.state),
                    use.metric if use is not None else None,
                    read_error(at.error),
                )
            )
            return 1 if stop_after is not None and len(found) >= stop_after else 0

        error = c_void_p()
        check(_lib.mvx_recorder_iter_metrics(self._number, visit, None, byref(error)), error)
        return found

    # ---- events ----

    def register_event(self, event: Any) -> None:
        """Records an instance of a class that was made by @metric_event.

        Blocks only under BLOCK. Raises ``MvxError`` with INVALID_STATE, QUEUE_OVERFLOW, TIMEOUT and so on; then the
        event was not queued.
        """
        try:
            payload = event.__mvx_pack__()
            number = event.__mvx_event_number__
        except AttributeError:
            if hasattr(type(event), "__mvx_event_type__"):
                raise
            raise TypeError(f"{type(event).__name__} was not declared with @metric_event") from None
        if self._record is not None:
            return self._record(number, payload)
        status = _register(self._pointer, number, payload, len(payload))
        if status:
            raise error_of_status(status)

    def register_payload(self, event_type: Union[EventType, int], payload: bytes = b"") -> None:
        """Records an event given as bytes; otherwise as ``register_event``."""
        number = event_type if isinstance(event_type, int) else event_type.number
        if self._record is not None and type(payload) is bytes:
            return self._record(number, payload)
        status = _register(self._pointer, number, payload, len(payload))
        if status:
            raise error_of_status(status)

    def register_payloads(self, event_type: Union[EventType, int], payloads: bytes, count: int) -> int:
        """Records ``count`` events of one type, whose payloads lie one after the other and are of one length.

        Returns how many were accepted: fewer only where the policy DROP dropped some. Raises as ``register_event``
        for the first event that was not accepted; ``details["accepted"]`` tells how many were.
        """
        if count < 0 or (count == 0 and payloads) or (count and len(payloads) % count):
            raise invalid_argument("count", f"{len(payloads)} bytes are not {count} payloads of one length")
        number = number_of(event_type)
        length = len(payloads) // count if count else declared_length(number)
        accepted = c_size_t(0)
        status = _lib.mvx_recorder_register_events(self._pointer, number, payloads, length, count, byref(accepted))
        if status:
            error = error_of_status(status)
            error.details["accepted"] = accepted.value
            raise error
        return accepted.value

    def bind(self, event_type: Any) -> Callable[..., None]:
        """The fastest way to record events of one type: a function that takes nothing but the event's data.

        For a class made by @metric_event it takes the values of the fields; for an event type, a payload.
        """
        make = getattr(event_type, "__mvx_bind__", None)
        if make is not None:
            bound: Callable[..., None] = make(self)
            return bound
        return self._bind_payload(number_of(event_type))

    def _bind_payload(self, number: int) -> Callable[[bytes], None]:
        if not 0 <= number < 2**31:
            raise invalid_argument("event_type", f"{number} is no event type")
        recorder, expected = self._pointer, declared_length(number)
        size = c_size_t(expected)

        def register(payload: bytes, /) -> None:
            if type(payload) is bytes and len(payload) == expected:
                status = _prepared(recorder, number, payload, size)
            else:
                status = _register(recorder, number, payload, len(payload))
            if status:
                raise error_of_status(status)

        # The function keeps the recorder alive.
        register.__self__ = self  # type: ignore[attr-defined]
        return bind_payload(self, number, register)

    # ---- snapshots ----

    def snapshot(self, mode: SnapshotMode = SnapshotMode.CONSISTENT, timeout: Optional[float] = None) -> Snapshot:
        """The state of all metrics. Blocks up to ``timeout`` seconds (``None``: for ever).

        CONSISTENT shows every event that was registered before, where the recorder is RUNNING; RELAXED doesn't wait.
        Raises ``TimedOut``, and ``MvxError`` with METRIC_FAILED and the metric's error as its cause.
        """
        snapshot, error = c_void_p(), c_void_p()
        nanoseconds = -1 if timeout is None or timeout < 0 else int(timeout * 1e9)
        status = _lib.mvx_recorder_snapshot(
            self._number, int(mode), nanoseconds, byref(snapshot), byref(error)
        )
        check(status, error)
        assert snapshot.value is not None
        return Snapshot(snapshot.value)
