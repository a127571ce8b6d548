"""What the checks of the packages share: empty environments, and a user's first program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from ways import WAYS

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
FIRST_PROGRAM = re.findall(r"^```python\n(.*?)^```$", README, re.S | re.M)[0]
FIRST_OUTPUT = re.findall(r"^```json\n(.*?)^```$", README, re.S | re.M)[0]

#: Says whether the accelerator is in use, which the first program does not show.
WHICH_WAY = """
from types import BuiltinFunctionType
with Runtime() as runtime:
    save = runtime.create_recorder("other").bind(SaveAttempt)
print(int(isinstance(save, BuiltinFunctionType)))
"""


def pythons() -> Iterator[Tuple[str, str]]:
    """Of each version from 3.9 on that is on the path or in pyenv: its name and its program."""
    for minor in range(9, 20):
        version = f"3.{minor}"
        installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        for candidate in [shutil.which(f"python{version}"), *map(str, installed)]:
            if candidate is not None and _version(candidate) == version:
                yield version, candidate
                break


def _version(python: str) -> str:
    tell = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", tell], capture_output=True, text=True).stdout.strip()


def environment(**more: str) -> Dict[str, str]:
    """This process' environment without what tells Python, pip or the package where to look."""
    ours = ("MVX_METRICS_", "PYTHON", "PIP_", "LD_LIBRARY_PATH")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(ours)}, **more}


def make_empty(python: str, folder: Path) -> Path:
    """An environment with nothing in it, not even pip; gives its Python."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [python, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True, env=environment(), stdout=subprocess.DEVNULL)
    return folder / "bin" / "python"


def install(python: Path, *what: str, **more: str) -> bool:
    """Installs by this process' own pip, from files alone; says whether that went well."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-index", "--no-cache-dir"]
    return subprocess.run([*pip, *what], env=environment(**more), stdout=subprocess.DEVNULL).returncode == 0


def run(python: Path, program: str, folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [str(python), "-c", program]
    return subprocess.run(command, cwd=folder, env=environment(**more), text=True, capture_output=True, timeout=60)


def first_program_runs(python: Path, folder: Path, way: str, **more: str) -> bool:
    """Whether the first program of the README prints what the page says, in this of the WAYS."""
    done = run(python, FIRST_PROGRAM + WHICH_WAY, folder, MVX_METRICS_ACCELERATOR=way, **more)
    good = (done.returncode, done.stdout, done.stderr) == (0, f"{FIRST_OUTPUT}{way}\n", "")
    if not good:
        print(f"it ended with {done.returncode}: {done.stdout}{done.stderr}")
    return good


class Tally:
    """Counts what went well and what did not."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._results: List[bool] = []

    def add(self, name: str, good: bool) -> None:
        self._results.append(good)
        print(f"{'ok' if good else 'FAILED'} {name}", flush=True)

    def finish(self) -> int:
        failed = self._results.count(False)
        print(f"{self._what}: {len(self._results) - failed} passed, {failed} failed")
        return 1 if failed or not self._results else 0


__all__ = ["WAYS", "Tally", "environment", "first_program_runs", "install", "make_empty", "pythons", "run"]
