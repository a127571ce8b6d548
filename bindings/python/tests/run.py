"""Runs the tests and the type checker; the last line tells how many passed and failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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


def _types(count: Count) -> None:
    build = Path(os.environ["MVX_METRICS_BUILD"])
    command = [sys.executable, "-m", "mypy", "--strict", "--namespace-packages", "--explicit-package-bases"]
    command += ["--cache-dir", str(build / "mypy"), "-p", "mvx_metrics"]
    checked = subprocess.run(command, env={**os.environ, "MYPYPATH": str(ROOT / "src")})
    count.passed += checked.returncode == 0
    count.failed += checked.returncode != 0


def main() -> int:
    count = Count()
    outcome = pytest.main(["-q", "--rootdir", str(ROOT), str(ROOT / "tests"), *sys.argv[1:]], plugins=[count])
    _types(count)
    if outcome not in (0, 1) and not count.failed:
        count.failed += 1
    print(f"{count.passed} passed, {count.failed} failed", flush=True)
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
