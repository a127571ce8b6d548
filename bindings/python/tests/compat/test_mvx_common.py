"""mvx-common itself: its example programs and its tests, with nothing changed but the import."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Set

import pytest

from mvx_metrics import AsyncioMetricsRecorderLogPolicyMode, asyncio_metrics_recorder_event_policy

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="mvx-common needs Python 3.11")

_SOURCE = Path(os.environ["MVX_METRICS_BUILD"]) / "sdist" / "mvx_common-0.3.0"
_EXAMPLES = ("custom_recorder", "document_storage", "manual_recorder_lifecycle", "metric_changed_hook")

# Modules of the package that its tests import, and ours.
_MODULES = (
    ("mvx.common.metrics.asyncio_metrics_recorder.logging_policy", "mvx_metrics.compat.log_policies"),
    ("mvx.common.metrics.metrics_runtime.logging_policy", "mvx_metrics.compat.log_policies"),
    ("from mvx.common.metrics.asyncio_metrics_recorder import metrics_recorder", "from mvx_metrics.compat import recorder"),
    ("mvx.common.metrics.metrics_runtime.metrics_runtime", "mvx_metrics.compat.runtime"),
    ("mvx.common.metrics", "mvx_metrics"),
)

#: What a test uses that looks into the package: private names other than the hooks, and its modules.
_PRIVATE = re.compile(r"\._(?!on_(starting|stopped|metric_changed)\b)[a-z]|_pack\b|monkeypatch")


def _run(*arguments: str, path: str) -> "subprocess.CompletedProcess[str]":
    paths = os.pathsep.join([path, os.environ["PYTHONPATH"]])
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=120
    )


def _with_our_import(text: str) -> str:
    for theirs, ours in _MODULES:
        text = text.replace(theirs, ours)
    return text


@pytest.mark.parametrize("name", _EXAMPLES)
def test_an_example_prints_the_same(name: str, tmp_path: Path) -> None:
    theirs = _SOURCE / "examples" / "metrics" / f"{name}.py"
    ours = tmp_path / f"{name}.py"
    ours.write_text(theirs.read_text().replace("mvx.common.metrics", "mvx_metrics"))
    expected = _run(str(theirs), path=str(_SOURCE / "src"))
    got = _run(str(ours), path="")
    assert expected.returncode == 0 and expected.stdout, expected.stderr
    assert (got.returncode, got.stdout) == (0, expected.stdout), got.stderr


def _functions(text: str) -> Dict[str, str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = (node for node in ast.parse(text).body if isinstance(node, kinds))
    return {node.name: ast.get_source_segment(text, node) or "" for node in found}


def _looks_inside(name: str, functions: Dict[str, str], seen: Set[str]) -> bool:
    if name in seen:
        return False
    seen.add(name)
    if _PRIVATE.search(functions[name]):
        return True
    used = (other for other in functions if other != name and re.search(rf"\b{other}\b", functions[name]))
    return any(_looks_inside(other, functions, seen) for other in used)


def _public_tests(path: Path) -> List[str]:
    functions = _functions(path.read_text())
    tests = [name for name in functions if name.startswith("test_")]
    return [f"{path}::{name}" for name in tests if not _looks_inside(name, functions, set())]


def test_its_tests_of_what_is_public_pass(tmp_path: Path) -> None:
    tests, examples = tmp_path / "tests", tmp_path / "examples"
    shutil.copytree(_SOURCE / "tests" / "test_metrics", tests / "test_metrics")
    shutil.copy(_SOURCE / "tests" / "conftest.py", tests)
    shutil.copytree(_SOURCE / "examples", examples)
    chosen = []
    for path in sorted((*tests.rglob("test_*.py"), *examples.rglob("*.py"))):
        if path.is_relative_to(tests):
            chosen += _public_tests(path)
        path.write_text(_with_our_import(path.read_text()))
    assert len(chosen) >= 100, "the package's tests are not where they were"
    options = ["-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "--rootdir", str(tmp_path)]
    ran = _run("-m", "pytest", *options, *chosen, path=str(_SOURCE / "src"))
    assert ran.returncode == 0 and f"{len(chosen)} passed" in ran.stdout, ran.stdout[-4000:] + ran.stderr[-2000:]


_LOGGED = """
import asyncio
from mvx.common.logger.log_context import LogContext
from mvx.common.logger.log_payload_processor import LogPayloadProcessor
from mvx_metrics import AsyncioMetricsRecorder, Metric, MetricEvent, MetricsRuntime

class Sink:
    def log(self, event): print(event.meta.event_name, event.event_outcome, event.meta.entity_id)

class Event(MetricEvent):
    event_type = "event"

class Failing(Metric):
    metric_name = "failing"
    def handle_event(self, event): raise ValueError("no")
    def snapshot(self): return {}

context = LogContext(namespace="test", log_sink=Sink(), payload_processor=LogPayloadProcessor())

async def main():
    recorder = AsyncioMetricsRecorder("mine", log_context=context)
    recorder.register_metric(Failing())
    await recorder.start()
    recorder.register_event(Event())
    while recorder.get_status().name == "RUNNING":
        await asyncio.sleep(0.001)

asyncio.run(main())
runtime = MetricsRuntime(namespace="ours", log_context=context)
runtime.start()
runtime.create_recorder("one")
runtime.stop_and_remove_recorder("one")
runtime.shutdown()
"""


def test_a_log_context_is_told_what_mvx_common_tells() -> None:
    theirs = _run("-c", _LOGGED.replace("from mvx_metrics", "from mvx.common.metrics"), path=str(_SOURCE / "src"))
    ours = _run("-c", _LOGGED, path=str(_SOURCE / "src"))
    assert theirs.returncode == 0 and "metrics_recorder.dispatch_error" in theirs.stdout, theirs.stderr
    assert (ours.returncode, ours.stdout) == (0, theirs.stdout), ours.stderr


def test_policies_are_those_of_the_logger() -> None:
    program = "from mvx_metrics import metrics_runtime_event_policy as policy; print(policy())"
    ran = _run("-c", program, path=str(_SOURCE / "src"))
    assert ran.returncode == 0 and "PatternLogEventPolicy" in ran.stdout, ran.stderr
    missing = _run("-S", "-c", _WITHOUT, path="")
    assert missing.returncode == 0, missing.stderr


_WITHOUT = """
import mvx_metrics
try:
    mvx_metrics.asyncio_metrics_recorder_event_policy()
except ImportError as error:
    assert "pip install mvx-common" in str(error)
else:
    raise SystemExit("a policy without mvx-common")
try:
    mvx_metrics.asyncio_metrics_recorder_event_policy(mode="normal")
except TypeError:
    pass
"""


def test_the_mode_is_one_of_ours() -> None:
    with pytest.raises(TypeError, match="AsyncioMetricsRecorderLogPolicyMode"):
        asyncio_metrics_recorder_event_policy(mode="normal")  # type: ignore[arg-type]
    assert str(AsyncioMetricsRecorderLogPolicyMode.NORMAL) == "normal"
