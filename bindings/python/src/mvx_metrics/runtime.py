"""Runtimes: the threads of the library, and a registry of recorders."""

from __future__ import annotations

from ctypes import byref, c_int32, c_void_p
from typing import Any, List, Optional

from . import _abi
from ._exit import runtimes
from ._handles import Handle, clone_number
from .constants import RuntimeState
from .native_errors import MvxError, check, take_error
from .options import RecorderOptions, RuntimeOptions, recorder_struct, runtime_struct
from .recorder import Recorder
from .waits import Wait

_lib = _abi.lib


class Runtime(Handle):
    """Owns the threads and a registry of recorders. As a context manager it starts, and shuts down at the end.

    All methods may be called from any thread. None blocks unless it says so.
    """

    __slots__ = ("_recorders_may_block",)
    _free = _lib.mvx_runtime_free
    _clone = _lib.mvx_runtime_clone

    def __init__(self, options: Optional[RuntimeOptions] = None) -> None:
        """A runtime that is VIRGIN: it has no threads yet."""
        self._create(runtime_struct(options) if options is not None else None)

    def _create(self, struct: Optional[_abi.RuntimeOptions]) -> None:
        runtime, error = c_void_p(), c_void_p()
        status = _lib.mvx_runtime_create(
            byref(struct) if struct is not None else None, byref(runtime), byref(error)
        )
        check(status, error)
        assert runtime.value is not None
        super().__init__(runtime.value)
        #: Whether recording into its recorders may wait for room, where they have no policy of their own.
        self._recorders_may_block = (
            struct is not None and struct.recorder_overflow_policy == _abi.OVERFLOW_BLOCK
        )
        runtimes.add(self)

    @classmethod
    def _made(cls, number: Optional[int], recorders_may_block: bool = True) -> Runtime:
        assert number is not None
        made = cls.__new__(cls)
        Handle.__init__(made, number)
        made._recorders_may_block = recorders_may_block
        return made

    @classmethod
    def default(cls) -> Runtime:
        """The default runtime of the process, which is running. Blocks while its threads start."""
        runtime, error = c_void_p(), c_void_p()
        check(_lib.mvx_runtime_default(byref(runtime), byref(error)), error)
        made = cls._made(runtime.value, False)
        runtimes.add(made)
        return made

    @classmethod
    def from_handle(cls, number: int, *, take: bool = False) -> Runtime:
        """A runtime that another language made: a reference of our own, or, with ``take``, the one given.

        When the interpreter ends while its recorders could call into Python, it is shut down.
        """
        made = cls._made(number if take else clone_number(cls, number))
        runtimes.add(made)
        return made

    def clone(self) -> Runtime:
        """A further reference to the same runtime."""
        made = self._made(clone_number(type(self), self._number), self._recorders_may_block)
        runtimes.add(made)
        return made

    def __enter__(self) -> Runtime:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()

    def start(self) -> None:
        """Starts the threads of a VIRGIN runtime; a RUNNING one is left as it is. Blocks while they start."""
        error = c_void_p()
        check(_lib.mvx_runtime_start(self._number, byref(error)), error)

    def shutdown(self) -> None:
        """Stops its recorders, which flushes them, removes them and joins the threads, for good. Blocks until then.

        Raises ``MvxError`` with SHUTDOWN_ERROR; the details list the recorders that failed.
        """
        error = c_void_p()
        check(_lib.mvx_runtime_shutdown(self._number, byref(error)), error)

    def shutdown_async(self) -> Wait:
        """The same without blocking."""
        wait, error = c_void_p(), c_void_p()
        check(_lib.mvx_runtime_shutdown_async(self._number, byref(wait), byref(error)), error)
        assert wait.value is not None
        return Wait(wait.value)

    @property
    def state(self) -> RuntimeState:
        """Its state."""
        state = c_int32()
        check(_lib.mvx_runtime_state(self._number, byref(state)))
        return RuntimeState(state.value)

    @property
    def last_error(self) -> Optional[MvxError]:
        """Why it is FAILURE."""
        error = c_void_p()
        check(_lib.mvx_runtime_last_error(self._number, byref(error)))
        return take_error(error)

    def create_recorder(self, recorder_id: str, options: Optional[RecorderOptions] = None) -> Recorder:
        """Creates a recorder, starts it and registers it. Blocks until it is RUNNING, its on_starting included."""
        return self._create_recorder(recorder_id, recorder_struct(options, self) if options is not None else None)

    def _create_recorder(self, recorder_id: Any, struct: Optional[_abi.RecorderOptions]) -> Recorder:
        recorder, error = c_void_p(), c_void_p()
        status = _lib.mvx_runtime_create_recorder(
            self._number,
            _abi.str_of(recorder_id),
            byref(struct) if struct is not None else None,
            byref(recorder),
            byref(error),
        )
        check(status, error)
        policy = struct.overflow_policy if struct is not None else 0
        return Recorder._made(recorder, self, policy == _abi.OVERFLOW_BLOCK if policy else self._recorders_may_block)

    def get_recorder(self, recorder_id: str) -> Recorder:
        """The recorder with this id. Raises ``MvxError`` with RECORDER_NOT_FOUND."""
        recorder, error = c_void_p(), c_void_p()
        status = _lib.mvx_runtime_get_recorder(
            self._number, _abi.str_of(recorder_id), byref(recorder), byref(error)
        )
        check(status, error)
        return Recorder._made(recorder, self)

    def try_get_recorder(self, recorder_id: str) -> Optional[Recorder]:
        """The recorder with this id, or ``None``."""
        recorder, error = c_void_p(), c_void_p()
        status = _lib.mvx_runtime_try_get_recorder(
            self._number, _abi.str_of(recorder_id), byref(recorder), byref(error)
        )
        check(status, error)
        return Recorder._made(recorder, self) if recorder.value else None

    def list_recorder_ids(self) -> List[str]:
        """The ids of its recorders."""
        ids, error = c_void_p(), c_void_p()
        check(_lib.mvx_runtime_list_recorder_ids(self._number, byref(ids), byref(error)), error)
        try:
            return [_abi.text_of(_lib.mvx_strings_at(ids, index)) for index in range(_lib.mvx_strings_len(ids))]
        finally:
            _lib.mvx_strings_free(ids)

    def stop_recorder(self, recorder_id: str) -> None:
        """Stops a recorder and leaves it registered. Blocks until it is stopped."""
        error = c_void_p()
        check(_lib.mvx_runtime_stop_recorder(self._number, _abi.str_of(recorder_id), byref(error)), error)

    def stop_and_remove_recorder(self, recorder_id: str) -> Recorder:
        """Stops a recorder and removes it, also where stopping fails. Blocks until it is stopped."""
        recorder, error = c_void_p(), c_void_p()
        status = _lib.mvx_runtime_stop_and_remove_recorder(
            self._number, _abi.str_of(recorder_id), byref(recorder), byref(error)
        )
        check(status, error)
        return Recorder._made(recorder, self)
