"""scenario_runner [--time-limit SECONDS] FILE-OR-FOLDER...: plays scenario files."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Tuple

from .check import problems
from .one import play_scenario
from .scenario import Scenario

#: What this surface can't play, and why. There is nothing: the binding has file descriptors, forks, and its lowest
#: layer passes whatever a C program could.
LACKS: Dict[str, str] = {} if hasattr(os, "fork") else {"fork": "there is no fork here", "fd": "no descriptors here"}


def _no_duplicates(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    keys = Counter(key for key, _ in pairs)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise ValueError(f"the key '{twice[0]}' is there twice")
    return dict(pairs)


class Runner:
    def __init__(self, files: List[Path], time_limit: float, own_process: bool) -> None:
        self.files = files
        self.time_limit = time_limit
        self.own_process = own_process
        self.playing: List[Scenario] = []
        self.began = 0.0
        self.passed = 0
        self.failed = 0
        self.skipped: Counter[str] = Counter()

    def watch(self) -> None:
        while True:
            time.sleep(0.5)
            for scenario in list(self.playing):
                if time.monotonic() - self.began > self.time_limit:
                    self.report_hang(scenario)

    def report_hang(self, scenario: Scenario) -> None:
        print(f"{scenario.path}: still not over after {self.time_limit:.0f} s; steps under way:")
        for where in list(scenario.active.values()):
            print(f"{scenario.path}: hangs in {where}")
        if scenario.cleaning:
            print(f"{scenario.path}: hangs while everything is let go")
        left = len(self.files) - self.passed - sum(self.skipped.values())
        print(f"FAIL {scenario.path}\nscenarios: {self.passed} passed, {left} failed", flush=True)
        # Threads are stuck, so an orderly exit could hang as well.
        os._exit(1)

    def play_apart(self, file: Path) -> bool:
        command = [sys.executable, "-m", __package__, "--own-process", "--time-limit", str(self.time_limit), str(file)]
        return subprocess.run(command).returncode == 0

    def play(self, file: Path) -> None:
        path = f"{file.parent.name}/{file.stem}"
        try:
            root = json.loads(file.read_text("utf-8"), object_pairs_hook=_no_duplicates)
            wrong = list(problems(path, root))
        except ValueError as failure:
            root, wrong = {}, [str(failure)]
        for problem in wrong:
            print(f"{path}: {problem}")
        lacking = [need for need in root.get("needs", []) if need in LACKS]
        if not wrong and lacking:
            self.skipped[lacking[0]] += 1
            print(f"skip {path}")
            return
        ok = not wrong
        if ok and root.get("own_process") and not self.own_process:
            ok = self.play_apart(file)
        elif ok:
            self.began = time.monotonic()
            ok = play_scenario(path, root, self.playing)
        self.passed += ok
        self.failed += not ok
        if not self.own_process:
            print(f"{'ok' if ok else 'FAIL'} {path}", flush=True)

    def run(self) -> int:
        threading.Thread(target=self.watch, daemon=True).start()
        for file in self.files:
            self.play(file)
        if not self.own_process:
            for need, count in self.skipped.items():
                print(f"skipped {count}: {need}: {LACKS[need]}")
            if not self.skipped:
                print("skipped 0")
            print(f"scenarios: {self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def _find(paths: List[str]) -> List[Path]:
    found: List[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            sys.exit(f"{path}: there is no such file")
        found += sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not found:
        sys.exit("no scenario was found")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="scenario_runner", description=__doc__)
    parser.add_argument("--time-limit", type=float, default=30.0)
    parser.add_argument("--own-process", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="+")
    arguments = parser.parse_args()
    return Runner(_find(arguments.paths), arguments.time_limit, arguments.own_process).run()


if __name__ == "__main__":
    sys.exit(main())
