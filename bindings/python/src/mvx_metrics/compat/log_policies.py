"""Which of a recorder's and a runtime's calls a log shows: ready-made policies for mvx-common's log contexts."""

from __future__ import annotations

from typing import Any, Sequence

from .words import Words

_RECORDER_NORMAL = (
    "asyncio_metrics_recorder.start",
    "asyncio_metrics_recorder.stop",
    "asyncio_metrics_recorder.register_metric",
    "metrics_recorder.dispatch_error",
    "metrics_recorder.cleanup.task_creation_error",
    "metrics_recorder.cleanup.failed",
)
_RECORDER_INSPECTION = (
    "asyncio_metrics_recorder.get_metric_snapshots",
    "asyncio_metrics_recorder.iter_metrics",
)
_RUNTIME_NORMAL = (
    "metrics_runtime.start",
    "metrics_runtime.shutdown",
    "metrics_runtime.create_recorder",
    "metrics_runtime.stop_recorder",
    "metrics_runtime.stop_and_remove_recorder",
)
_RUNTIME_INSPECTION = (
    "metrics_runtime.get_recorder",
    "metrics_runtime.try_get_recorder",
    "metrics_runtime.list_recorder_ids",
)


class AsyncioMetricsRecorderLogPolicyMode(Words):
    """How much of a recorder is logged: nothing, what changes it, or also what only looks at it."""

    SILENT = "silent"
    NORMAL = "normal"
    INSPECTION = "inspection"


class MetricsRuntimeLogPolicyMode(Words):
    """How much of a runtime is logged: nothing, what changes it, or also what only looks at it."""

    SILENT = "silent"
    NORMAL = "normal"
    INSPECTION = "inspection"


def _policies() -> Any:
    try:
        from mvx.common.logger import pattern_event_policy
    except ImportError as error:
        raise ImportError(
            "log policies are those of mvx-common's logger, which is not installed: pip install mvx-common"
        ) from error
    return pattern_event_policy


def _config(mode: Any, kind: Any, normal: Sequence[str], inspection: Sequence[str]) -> Any:
    if not isinstance(mode, kind):
        raise TypeError(f"argument 'mode' must be an instance of '{kind.__name__}'")
    policies = _policies()
    if mode is kind.SILENT:
        return policies.PatternLogEventPolicyConfig(default_enabled=False)
    events = tuple(normal) if mode is kind.NORMAL else (*normal, *inspection)
    rule = policies.PatternLogEventPolicyRuleConfig(
        action=policies.PatternLogEventPolicyAction.ALLOW, events=events
    )
    return policies.PatternLogEventPolicyConfig(default_enabled=False, rules=(rule,))


def asyncio_metrics_recorder_event_policy_config(
    *, mode: AsyncioMetricsRecorderLogPolicyMode = AsyncioMetricsRecorderLogPolicyMode.NORMAL
) -> Any:
    """The ``PatternLogEventPolicyConfig`` that lets a recorder's events through."""
    return _config(mode, AsyncioMetricsRecorderLogPolicyMode, _RECORDER_NORMAL, _RECORDER_INSPECTION)


def asyncio_metrics_recorder_event_policy(
    *, mode: AsyncioMetricsRecorderLogPolicyMode = AsyncioMetricsRecorderLogPolicyMode.NORMAL
) -> Any:
    """The ``PatternLogEventPolicy`` that lets a recorder's events through."""
    config = asyncio_metrics_recorder_event_policy_config(mode=mode)
    return _policies().PatternLogEventPolicy(config)


def metrics_runtime_event_policy_config(
    *, mode: MetricsRuntimeLogPolicyMode = MetricsRuntimeLogPolicyMode.NORMAL
) -> Any:
    """The ``PatternLogEventPolicyConfig`` that lets a runtime's events through."""
    return _config(mode, MetricsRuntimeLogPolicyMode, _RUNTIME_NORMAL, _RUNTIME_INSPECTION)


def metrics_runtime_event_policy(
    *, mode: MetricsRuntimeLogPolicyMode = MetricsRuntimeLogPolicyMode.NORMAL
) -> Any:
    """The ``PatternLogEventPolicy`` that lets a runtime's events through."""
    return _policies().PatternLogEventPolicy(metrics_runtime_event_policy_config(mode=mode))
