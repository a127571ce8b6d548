"""The runtime of mvx-common, on the native one: recorders without an event loop."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

from ..native_errors import MvxError
from ..options import RuntimeOptions
from ..recorder import Recorder
from ..runtime import Runtime
from .arguments import check_size, check_text, native_policy, recorder_id as checked_id
from .dispatch import Dispatch
from .errors import MetricsRuntimeRecorderStopError, MetricsRuntimeShutdownError
from .hand_off import PendingObjects
from .log_context import check_log_context, logged
from .native_error_map import Raised, runtime_error
from .recorder import AsyncioMetricsRecorder, recorder_options
from .states import AsyncioMetricsRecorderQueueOverflowPolicy, MetricsRuntimeState


class MetricsRuntime:
    """Owns the threads and a registry of recorders. Its methods are synchronous, and any thread may call them.

    A typical application makes one, and in it a recorder for each component that is measured.
    """

    def __init__(
        self,
        *,
        namespace: str,
        default_recorder_queue_max_size: Optional[int] = None,
        default_recorder_queue_overflow_policy: AsyncioMetricsRecorderQueueOverflowPolicy = (
            AsyncioMetricsRecorderQueueOverflowPolicy.DROP
        ),
        log_context: Any = None,
    ) -> None:
        """A runtime that is VIRGIN. Raises ValueError and TypeError for bad arguments."""
        check_text("namespace", namespace, needed=True)
        check_size("default_recorder_queue_max_size", default_recorder_queue_max_size)
        policy = native_policy("default_recorder_queue_overflow_policy", default_recorder_queue_overflow_policy)
        check_log_context(log_context)
        self._native = Runtime(
            RuntimeOptions(
                name_space=namespace,
                recorder_queue_max_size=default_recorder_queue_max_size,
                recorder_overflow_policy=policy,
            )
        )
        self._namespace = namespace
        self._log_context = log_context
        self._default_size = default_recorder_queue_max_size
        #: The very recorders that create_recorder returned.
        self._recorders: Dict[str, AsyncioMetricsRecorder] = {}

    @property
    def entity_id(self) -> str:
        """Its namespace: what logs call it by."""
        return self._namespace

    def get_log_context(self) -> Any:
        """Its log context, which its recorders have where they name none."""
        return self._log_context

    def get_status(self) -> MetricsRuntimeState:
        """Its state."""
        return MetricsRuntimeState(self._native.state.name)

    @property
    def _state(self) -> MetricsRuntimeState:
        return self.get_status()

    @logged("metrics_runtime.start")
    def start(self) -> None:
        """Starts it; nothing happens where it is RUNNING.

        Raises ``MetricsRuntimeInvalidStateError`` and ``MetricsRuntimeStartupError``.
        """
        self._call(self._native.start)

    @logged("metrics_runtime.shutdown")
    def shutdown(self) -> None:
        """Stops and removes its recorders, and ends its threads, for good. Blocks until then, 5 seconds at most.

        Raises ``MetricsRuntimeShutdownError``, whose details name the recorders that failed, and
        ``MetricsRuntimeInvalidStateError``.
        """
        recorders = dict(self._recorders)
        try:
            self._native.shutdown()
        except MvxError as failure:
            if failure.reason == "SHUTDOWN_ERROR":
                raise _shutdown_error(failure, recorders) from failure
            raise runtime_error(failure, "", Raised()) from failure
        finally:
            if self._state in (MetricsRuntimeState.CLOSED, MetricsRuntimeState.FAILURE):
                self._recorders.clear()

    @logged(
        "metrics_runtime.create_recorder",
        log_kwargs_on_invoke=("recorder_id", "entity_id", "namespace", "queue_max_size", "queue_overflow_policy"),
    )
    def create_recorder(
        self,
        recorder_id: str,
        *,
        entity_id: Optional[str] = None,
        namespace: Optional[str] = None,
        queue_max_size: Optional[int] = None,
        queue_overflow_policy: Optional[AsyncioMetricsRecorderQueueOverflowPolicy] = None,
        log_context: Any = None,
    ) -> AsyncioMetricsRecorder:
        """Makes, starts, registers and returns a recorder. What is ``None`` is as the runtime has it.

        Raises ValueError, TypeError, ``MetricsRuntimeInvalidStateError``,
        ``MetricsRuntimeRecorderAlreadyExistsError`` and ``MetricsRuntimeRecorderStartupError``.
        """
        name = checked_id(recorder_id)
        check_text("entity_id", entity_id)
        check_text("namespace", namespace)
        check_size("queue_max_size", queue_max_size)
        policy = native_policy("queue_overflow_policy", queue_overflow_policy)
        check_log_context(log_context)
        options = recorder_options(
            entity_id or name, namespace or self._namespace, queue_max_size or self._default_size, policy
        )
        stale = self._recorders.get(name)
        recorder = AsyncioMetricsRecorder.__new__(AsyncioMetricsRecorder)
        recorder._prepare(options.entity_id, log_context if log_context is not None else self._log_context)

        @logged("asyncio_metrics_recorder.start")
        def start(recorder: AsyncioMetricsRecorder) -> None:
            native = self._call(self._native.create_recorder, name, options)
            recorder._adopt(native, Dispatch(None, PendingObjects()))

        start(recorder)
        if self._recorders.get(name) is stale:
            self._recorders[name] = recorder
        # Else another thread found it in the meantime, and has one object for it already.
        return self._recorders[name]

    @logged("metrics_runtime.get_recorder", log_kwargs_on_invoke=("recorder_id",))
    def get_recorder(self, recorder_id: str) -> AsyncioMetricsRecorder:
        """The recorder with this id. Raises ``MetricsRuntimeRecorderNotFoundError``."""
        name = checked_id(recorder_id)
        return self._known(name, self._call(self._native.get_recorder, name))

    @logged("metrics_runtime.try_get_recorder", log_kwargs_on_invoke=("recorder_id",))
    def try_get_recorder(self, recorder_id: str) -> Optional[AsyncioMetricsRecorder]:
        """The recorder with this id, or ``None``."""
        name = checked_id(recorder_id)
        native = self._call(self._native.try_get_recorder, name)
        return None if native is None else self._known(name, native)

    @logged("metrics_runtime.list_recorder_ids")
    def list_recorder_ids(self) -> Tuple[str, ...]:
        """The ids of its recorders."""
        return tuple(self._call(self._native.list_recorder_ids))

    @logged("metrics_runtime.stop_recorder", log_kwargs_on_invoke=("recorder_id",))
    def stop_recorder(self, recorder_id: str) -> None:
        """Stops a recorder, which stays registered; nothing happens where it is STOPPED. Blocks until it is.

        Raises ``MetricsRuntimeRecorderNotFoundError`` and ``MetricsRuntimeRecorderStopError``.
        """
        name = checked_id(recorder_id)
        self._stop(name, self._native.stop_recorder)

    @logged("metrics_runtime.stop_and_remove_recorder", log_kwargs_on_invoke=("recorder_id",))
    def stop_and_remove_recorder(self, recorder_id: str) -> AsyncioMetricsRecorder:
        """Stops a recorder and removes it, also where stopping failed. Blocks until it is stopped.

        Raises ``MetricsRuntimeRecorderNotFoundError`` and ``MetricsRuntimeRecorderStopError``.
        """
        name = checked_id(recorder_id)
        known = self._recorders.get(name)
        try:
            native = self._stop(name, self._native.stop_and_remove_recorder)
        except MetricsRuntimeRecorderStopError:
            self._forget(name, known)
            raise
        self._forget(name, known)
        return known if known is not None else self._known(name, native)

    # ---- between ours and the library's ----

    def _stop(self, name: str, stop: Any) -> Any:
        known = self._recorders.get(name)
        if known is None:
            return self._call(stop, name)

        @logged("asyncio_metrics_recorder.stop")
        def logged_stop(_recorder: AsyncioMetricsRecorder) -> Any:
            return self._call(stop, name)

        return logged_stop(known)

    def _forget(self, name: str, known: Optional[AsyncioMetricsRecorder]) -> None:
        # Another one of that name may have been made meanwhile.
        if self._recorders.get(name) is known:
            self._recorders.pop(name, None)

    def _known(self, name: str, native: Any) -> AsyncioMetricsRecorder:
        known = self._recorders.get(name)
        if known is None:
            # Another language made it, or another thread that is just about to say so.
            known = self._recorders.setdefault(name, self._adopted(native, self._log_context))
        return known

    @staticmethod
    def _adopted(native: Recorder, log_context: Any) -> AsyncioMetricsRecorder:
        recorder = AsyncioMetricsRecorder.__new__(AsyncioMetricsRecorder)
        recorder._prepare(native.entity_id, log_context)
        recorder._adopt(native, Dispatch(None, PendingObjects()))
        return recorder

    def _call(self, function: Any, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except MvxError as failure:
            name = arguments[0] if arguments else ""
            known = self._recorders.get(name)
            raise runtime_error(failure, name, known._dispatch.raised if known is not None else Raised()) from failure


def _shutdown_error(
    failure: MvxError, recorders: Dict[str, AsyncioMetricsRecorder]
) -> MetricsRuntimeShutdownError:
    """Which recorders failed, and why, in mvx-common's words."""
    failed: Dict[str, Any] = {}
    for name in failure.details.get("failed_recorder_ids", ()):
        recorder = recorders.get(name)
        cause = None if recorder is None else recorder._last_error
        failed[name] = MetricsRuntimeRecorderStopError(name, cause)
    if not failed:
        return MetricsRuntimeShutdownError(failure.details, failure)
    details = {
        "failed_recorder_ids": tuple(failed),
        "recorder_errors": {
            name: {"error_type": type(error).__name__, "error_message": str(error)} for name, error in failed.items()
        },
    }
    return MetricsRuntimeShutdownError(details, next(iter(failed.values())))

