"""The classes of ``mvx.common.metrics``: any Python object as an event or a metric, on the native recorder.

They have the names, signatures, exceptions and order of mvx-common 0.3.0; an application changes its import. What
differs is told in MIGRATING.md.
"""

from __future__ import annotations

from . import errors, states
from .errors import *  # noqa: F403
from .log_policies import (
    AsyncioMetricsRecorderLogPolicyMode,
    MetricsRuntimeLogPolicyMode,
    asyncio_metrics_recorder_event_policy,
    asyncio_metrics_recorder_event_policy_config,
    metrics_runtime_event_policy,
    metrics_runtime_event_policy_config,
)
from .metric import Metric, MetricEvent, MetricsRecorderProto
from .recorder import AsyncioMetricsRecorder
from .runtime import MetricsRuntime
from .states import *  # noqa: F403
from .wait_handle import AsyncioMetricsRecorderOpResult, AsyncioMetricsRecorderWaitHandle

__all__ = [
    "AsyncioMetricsRecorder",
    "AsyncioMetricsRecorderLogPolicyMode",
    "AsyncioMetricsRecorderOpResult",
    "AsyncioMetricsRecorderWaitHandle",
    "Metric",
    "MetricEvent",
    "MetricsRecorderProto",
    "MetricsRuntime",
    "MetricsRuntimeLogPolicyMode",
    "asyncio_metrics_recorder_event_policy",
    "asyncio_metrics_recorder_event_policy_config",
    "metrics_runtime_event_policy",
    "metrics_runtime_event_policy_config",
    *errors.__all__,
    *states.__all__,
]
