"""Plays the scenarios with the accelerator and by ctypes alone; the last line has the sum."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Tuple

from ways import environments

_SUM = re.compile(r"scenarios: (\d+) passed, (\d+) failed\n")


def _play(environment: Dict[str, str]) -> Tuple[int, int]:
    command = [sys.executable, "-m", "scenario_runner", *sys.argv[1:]]
    runner = subprocess.Popen(
        command, cwd=Path(__file__).parent, env=environment, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert runner.stdout is not None
    passed = failed = 0
    for line in runner.stdout:
        print(line, end="", flush=True)
        told = _SUM.fullmatch(line)
        if told is not None:
            passed, failed = int(told[1]), int(told[2])
    # One that told of no failure may have failed all the same.
    return passed, failed or int(runner.wait() != 0 or not passed)


def main() -> int:
    passed = failed = 0
    for name, environment in environments():
        print(f"-- {name}", flush=True)
        good, bad = _play(environment)
        passed += good
        failed += bad
    print(f"scenarios: {passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
