"""The recorder of mvx-common, on the native one."""

from __future__ import annotations

import asyncio
import uuid
from ctypes import byref, c_void_p
from typing import Any, Callable, Iterable, Mapping, Optional, Tuple

from .. import _abi
from ..callback_metrics import pin_metric, vtable_struct
from ..constants import OverflowPolicy, Status
from ..event_types import declare_event_type
from ..hooks import PENDING, Completion, Hooks
from ..native_errors import MvxError, check
from ..options import RecorderOptions
from ..recorder import Recorder
from .arguments import check_size, check_text, native_policy
from .delivery import runs_here, start_coroutine
from .dispatch import Dispatch, Member
from .errors import (
    AsyncioMetricsRecorderInvalidStateError,
    AsyncioMetricsRecorderLoopUnavailableError,
    AsyncioMetricsRecorderQueueOverflowError,
    AsyncioMetricsRecorderUnexpectedError,
)
from .hand_off import ObjectRecorder, PendingObjects, carrier_functions, object_type
from .log_context import check_log_context, log_error, logged
from .loop_recorder import LoopRecorder
from .metric import Metric, MetricEvent
from .native_error_map import recorder_error
from .states import (
    AsyncioMetricsRecorderOp,
    AsyncioMetricsRecorderQueueOverflowPolicy,
    AsyncioMetricsRecorderState,
)
from .wait_handle import AsyncioMetricsRecorderWaitHandle

_State = AsyncioMetricsRecorderState
_OPEN = (_State.VIRGIN, _State.STARTING, _State.RUNNING)
_OVER = (_State.FAILURE, _State.CANCELLED)

DEFAULT_NAMESPACE = "mvx_metrics.asyncio_metrics_recorder"
DEFAULT_QUEUE_MAX_SIZE = 10_000
#: More than what an event costs in the library, so that a queue is bounded by its number of events alone.
_BYTES_PER_EVENT = 64

#: An event type that nobody records: what a metric wants that gets its events from the carrier.
_nothing = declare_event_type("mvx_metrics.nothing")


class AsyncioMetricsRecorder(ObjectRecorder):  # type: ignore[misc]
    """Takes events, hands them to its metrics, and shows their state. Any thread may call its methods.

    It is made inside a running event loop. Metrics and the hooks ``_on_starting``, ``_on_stopped`` and
    ``_on_metric_changed``, which a subclass may override, run on that loop; a recorder that ``MetricsRuntime`` made
    runs its metrics on a thread of the library.

    Raises ValueError and TypeError for bad arguments, ``AsyncioMetricsRecorderLoopUnavailableError`` without a loop.
    """

    def __init__(
        self,
        entity_id: str,
        *,
        namespace: Optional[str] = None,
        queue_max_size: Optional[int] = None,
        queue_overflow_policy: Optional[AsyncioMetricsRecorderQueueOverflowPolicy] = None,
        log_context: Any = None,
    ) -> None:
        check_text("entity_id", entity_id, needed=True)
        check_text("namespace", namespace)
        check_size("queue_max_size", queue_max_size)
        policy = native_policy("queue_overflow_policy", queue_overflow_policy)
        check_log_context(log_context)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError as failure:
            raise AsyncioMetricsRecorderLoopUnavailableError() from failure
        dispatch = Dispatch(loop, PendingObjects())
        options = recorder_options(
            entity_id, namespace or DEFAULT_NAMESPACE, queue_max_size, policy or OverflowPolicy.RAISE_ERROR,
            _hooks(type(self), dispatch),
        )  # fmt: skip
        self._prepare(options.entity_id, log_context)
        native = LoopRecorder(options=options)
        native.dispatch = dispatch
        self._adopt(native, dispatch)

    def _prepare(self, entity_id: str, log_context: Any) -> None:
        self._entity_id = entity_id
        self._log_context = log_context

    def _adopt(self, native: Recorder, dispatch: Dispatch) -> None:
        self._native = native
        self._dispatch = dispatch
        self._connect(native.handle, object_type.number, MetricEvent)
        dispatch.owned_by(self)

    # ---- what it is ----

    @property
    def entity_id(self) -> str:
        """What is measured."""
        return self._entity_id

    @property
    def native_recorder(self) -> Recorder:
        """The native recorder behind it: for native metrics, dataclass events, counts, and other languages."""
        return self._native

    def get_log_context(self) -> Any:
        """The log context that it was made with, or that of its runtime."""
        return self._log_context

    def get_status(self) -> AsyncioMetricsRecorderState:
        """Its state."""
        return AsyncioMetricsRecorderState(self._native.state.name)

    @property
    def _state(self) -> AsyncioMetricsRecorderState:
        # What logs show, also of a recorder that its runtime is just making.
        return self.get_status() if hasattr(self, "_native") else _State.VIRGIN

    # ---- hooks, for subclasses ----

    async def _on_starting(self) -> None:
        """Runs at each start, before the first event is dispatched. What it raises makes the start fail."""

    async def _on_stopped(self) -> None:
        """Runs at each stop, after the last event, and as clean-up after a failure."""

    async def _on_metric_changed(self, *, metric: Metric, event: MetricEvent) -> None:
        """Runs when an event changed a metric. Nothing else is dispatched until it is done."""

    def _metric_changed_hook(self) -> Optional[Callable[..., Any]]:
        overridden = _overrides(type(self), "_on_metric_changed")
        return self._on_metric_changed if overridden else None

    # ---- life ----

    @logged("asyncio_metrics_recorder.start")
    def start(self) -> AsyncioMetricsRecorderWaitHandle:
        """Starts a recorder that is VIRGIN or STOPPED, or joins the start under way. Does not block."""
        if self.get_status() is _State.STOPPED:
            self._dispatch.raised.clear()
        return self._operate(AsyncioMetricsRecorderOp.START, self._native.start)

    @logged("asyncio_metrics_recorder.stop")
    def stop(self) -> AsyncioMetricsRecorderWaitHandle:
        """Stops it: what was accepted before is dispatched; or joins the stop under way. Does not block."""
        return self._operate(AsyncioMetricsRecorderOp.STOP, self._native.stop)

    def _operate(self, operation: AsyncioMetricsRecorderOp, begin: Any) -> AsyncioMetricsRecorderWaitHandle:
        handle = AsyncioMetricsRecorderWaitHandle(operation)
        raised = self._dispatch.raised
        try:
            begin().add_done_callback(lambda result: handle._over(raised.error_of(result.error)))
        except MvxError as failure:
            handle._over(raised.error_of(failure))
        return handle

    # ---- metrics and events ----

    @logged("asyncio_metrics_recorder.register_metric", log_kwargs_on_invoke=("metric_name=metric.metric_name",))
    def register_metric(self, metric: Metric) -> None:
        """Adds a metric, or puts it in the place of the one of its name. Every later event reaches it.

        Raises ValueError, TypeError, and ``AsyncioMetricsRecorderInvalidStateError`` unless the recorder is VIRGIN,
        STARTING or RUNNING.
        """
        if metric is None:
            raise ValueError("argument 'metric' must not be None")
        if not isinstance(metric, Metric):
            raise TypeError("argument 'metric' must be an instance of 'Metric'")
        name = metric.metric_name
        metrics = self._dispatch.metrics
        if name in metrics:
            if self.get_status() not in _OPEN:
                self._refused(Status.INVALID_STATE)
            metrics[name] = metric
            return
        carrier = not metrics
        metrics[name] = metric
        try:
            self._register_member(name, carrier)
        except BaseException:
            metrics.pop(name, None)
            raise
        if carrier:
            self._keep_pending(self._dispatch.pending)

    def _register_member(self, name: str, carrier: bool) -> None:
        native, error = self._native, c_void_p()
        vtable = vtable_struct([object_type if carrier else _nothing], False, True)
        if carrier:
            vtable.handle_event, vtable.handle_batch = carrier_functions
        user_data = pin_metric(Member(name, self._dispatch), native._runtime)
        status = _abi.lib.mvx_recorder_register_metric(
            native.handle, _abi.str_of(name), byref(vtable), user_data, byref(error)
        )
        try:
            check(status, error)
        except MvxError as failure:
            if failure.status == Status.INVALID_STATE:
                self._refused(status)
            raise recorder_error(failure, self._dispatch.raised) or failure from failure

    def _log_dispatch_error(self, error: BaseException) -> None:
        log_error(self._log_context, "metrics_recorder.dispatch_error", self._entity_id, error)

    def _not_an_event(self, event: Any) -> None:
        if event is None:
            raise ValueError("argument 'event' must not be None")
        raise TypeError("argument 'event' must be an instance of 'MetricEvent'")

    def _refused(self, status: int) -> None:
        if status == Status.QUEUE_OVERFLOW:
            raise AsyncioMetricsRecorderQueueOverflowError()
        state = self.get_status()
        if state in _OVER:
            # Nothing is dispatched any more.
            self._dispatch.pending.clear()
        if status == Status.INVALID_STATE:
            cause = self._last_error if state is _State.FAILURE else None
            raise AsyncioMetricsRecorderInvalidStateError(state, _OPEN, cause)
        raise AsyncioMetricsRecorderUnexpectedError(RuntimeError(f"the library answered {Status(status).name}"))

    @property
    def _last_error(self) -> Any:
        return self._dispatch.raised.error_of(self._native.last_error)

    # ---- inspection ----

    @logged("asyncio_metrics_recorder.get_metric_snapshots")
    def get_metric_snapshots(self) -> Mapping[str, Mapping[str, Any]]:
        """The state of each metric, by name: the very objects that their ``snapshot`` returned.

        On the owning loop they are taken at once. Elsewhere the call waits until what was registered before it is
        dispatched, so a thread sees what it has done.
        """
        dispatch = self._dispatch
        if runs_here(dispatch.loop):
            return dispatch.snapshots()
        self._settle()
        if dispatch.loop is None:
            return dispatch.snapshots()

        async def taken() -> Mapping[str, Mapping[str, Any]]:
            return dispatch.snapshots()

        return asyncio.run_coroutine_threadsafe(taken(), dispatch.loop).result()

    def _settle(self) -> None:
        try:
            if self._native.state.name == "RUNNING":
                self._native.flush().block()
        except MvxError:
            pass  # Inside of a metric, or it failed meanwhile: what was dispatched so far is what there is to see.

    @logged("asyncio_metrics_recorder.iter_metrics")
    def iter_metrics(self) -> Iterable[Metric]:
        """The very objects that were registered, in order."""
        return tuple(self._dispatch.metrics.values())


def recorder_options(
    entity_id: Optional[str],
    namespace: Optional[str],
    queue_max_size: Optional[int],
    policy: Optional[OverflowPolicy],
    hooks: Optional[Hooks] = None,
) -> RecorderOptions:
    """Native options; ``None`` leaves an option to the runtime."""
    if entity_id is not None:
        entity_id = entity_id.strip() or uuid.uuid4().hex[:8]
    return RecorderOptions(
        entity_id=entity_id or "",
        name_space=namespace or "",
        queue_max_size=queue_max_size,
        queue_max_bytes=max(queue_max_size or DEFAULT_QUEUE_MAX_SIZE, 262_144) * _BYTES_PER_EVENT,
        overflow_policy=policy,
        hooks=hooks,
    )


def _overrides(kind: type, name: str) -> bool:
    return getattr(kind, name) is not getattr(AsyncioMetricsRecorder, name)


def _hooks(kind: type, dispatch: Dispatch) -> Optional[Hooks]:
    """The native hooks of a subclass. ``_on_metric_changed`` is not among them: the carrier sees to it."""
    loop = dispatch.loop
    assert loop is not None

    def hook(key: str, method: str) -> Callable[[Completion], Any]:
        def run(completion: Completion) -> Any:
            recorder = dispatch.recorder()
            if recorder is None:
                return None

            def over(failure: Optional[BaseException]) -> None:
                if failure is None:
                    completion.done()
                    return
                dispatch.raised.by(key, failure)
                if key == "on_stopped" and recorder.get_status() in _OVER:
                    log_error(recorder._log_context, "metrics_recorder.cleanup.failed", recorder.entity_id, failure)
                completion.fail(str(failure))

            try:
                start_coroutine(loop, getattr(recorder, method)(), over)
            except RuntimeError as failure:
                dispatch.raised.by(key, failure)
                raise
            return PENDING

        return run

    return Hooks(
        on_starting=hook("on_starting", "_on_starting") if _overrides(kind, "_on_starting") else None,
        on_stopped=hook("on_stopped", "_on_stopped") if _overrides(kind, "_on_stopped") else None,
    )
