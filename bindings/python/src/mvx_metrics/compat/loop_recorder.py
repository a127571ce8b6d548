"""The native recorder behind one whose metrics run on an event loop."""

from __future__ import annotations

from typing import Optional

from ..constants import SnapshotMode, Status
from ..native_errors import MvxError
from ..recorder import Recorder
from ..snapshots import Snapshot
from .delivery import runs_here
from .dispatch import Dispatch


class LoopRecorder(Recorder):
    """Says so where a call would wait for the very loop that makes it."""

    __slots__ = ("dispatch",)
    dispatch: Dispatch

    def snapshot(self, mode: SnapshotMode = SnapshotMode.CONSISTENT, timeout: Optional[float] = None) -> Snapshot:
        """As ``Recorder.snapshot``, on any thread but that of the loop, where it raises WOULD_DEADLOCK."""
        if self.dispatch.metrics and runs_here(self.dispatch.loop):
            raise MvxError(
                Status.WOULD_DEADLOCK,
                Status.WOULD_DEADLOCK.name,
                "the metrics run on this event loop, which would wait for itself; use get_metric_snapshots(), or take "
                "the snapshot in another thread, as loop.run_in_executor(None, recorder.native_recorder.snapshot) does",
            )
        return super().snapshot(mode, timeout)
