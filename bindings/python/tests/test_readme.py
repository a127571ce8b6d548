"""Every snippet of the README runs, and prints what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.S | re.M)


def _run(*command: str) -> str:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(number: int, tmp_path: Path) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(SNIPPETS[number], "utf-8")
    _run(str(program))


def test_the_first_snippet_prints_what_the_page_says(tmp_path: Path) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(SNIPPETS[0], "utf-8")
    shown = re.search(r"^```json\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.S | re.M)
    assert shown is not None and _run(str(program)) == shown[1]


def test_the_example_prints_what_the_others_print() -> None:
    assert _run(str(ROOT / "examples" / "document_storage.py")) == (
        '{"total": 3, "success_total": 2, "failure_total": 1}\n'
    )


def test_the_scenario_runner_notices_a_changed_value(tmp_path: Path) -> None:
    scenarios = ROOT.parent.parent / "tests" / "scenarios"
    source = (scenarios / "overflow" / "raise_error.json").read_text("utf-8")

    def play(text: str) -> "subprocess.CompletedProcess[str]":
        folder = tmp_path / "overflow"
        folder.mkdir(exist_ok=True)
        (folder / "raise_error.json").write_text(text, "utf-8")
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{os.environ['PYTHONPATH']}"}
        command = [sys.executable, "-m", "scenario_runner", str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)

    right = play(source)
    assert right.returncode == 0 and right.stdout.endswith("scenarios: 1 passed, 0 failed\n")
    for old, new in (('"values": [1', '"values": [2'), ('"do": "recorder_flush"', '"do": "recorder_flush", "x": 1')):
        wrong = play(source.replace(old, new, 1))
        assert source != source.replace(old, new, 1)
        assert wrong.returncode == 1 and wrong.stdout.endswith("scenarios: 0 passed, 1 failed\n")
