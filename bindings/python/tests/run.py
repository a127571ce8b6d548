"""Runs the tests, with the accelerator and by ctypes alone, and the type checker.

The last line tells how many passed and failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest
from ways import environments

ROOT = Path(__file__).resolve().parent.parent


class Count:
    """Counts what the tests came to."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed += 1
        elif report.passed and report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report: Any) -> None:
        self.failed += report.failed


def _one_way() -> int:
    count = Count()
    outcome = pytest.main(["-q", "--rootdir", str(ROOT), str(ROOT / "tests"), *sys.argv[3:]], plugins=[count])
    failed = count.failed or int(outcome not in (0, 1))
    Path(sys.argv[2]).write_text(f"{count.passed} {failed}")
    return 1 if failed else 0


def _build() -> Path:
    return Path(os.environ["MVX_METRICS_BUILD"])


class Way:
    """The tests in one of the two ways, in a process of its own, whose output comes when it is over."""

    def __init__(self, name: str, environment: Dict[str, str]) -> None:
        self.name = name
        self.told = _build() / f"told {name}"
        self.told.unlink(missing_ok=True)
        command = [sys.executable, __file__, "--one-way", str(self.told), *sys.argv[1:]]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def add_to(self, count: Count) -> None:
        output, _ = self.process.communicate()
        print(f"-- {self.name}\n{output}", flush=True)
        # What ended before it could tell has failed.
        passed, failed = map(int, self.told.read_text().split()) if self.told.exists() else (0, 1)
        count.passed += passed
        count.failed += failed


def _types(count: Count) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--namespace-packages", "--explicit-package-bases"]
    command += ["--cache-dir", str(_build() / "mypy"), "-p", "mvx_metrics"]
    checked = subprocess.run(command, env={**os.environ, "MYPYPATH": str(ROOT / "src")})
    count.passed += checked.returncode == 0
    count.failed += checked.returncode != 0


def main() -> int:
    if sys.argv[1:2] == ["--one-way"]:
        return _one_way()
    count = Count()
    # At once, because most tests wait most of the time.
    ways = [Way(name, environment) for name, environment in environments()]
    _types(count)
    for way in ways:
        way.add_to(count)
    print(f"{count.passed} passed, {count.failed} failed", flush=True)
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
