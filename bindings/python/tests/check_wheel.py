"""Installs the wheel into an empty environment of each Python that is there, and uses it, in both ways.

The wheel has to carry everything: the environment has nothing else, and no variable says where the library is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, Iterator, Tuple

from ways import WAYS

PROGRAM = """
import sys
from types import BuiltinFunctionType
from mvx_metrics.events import metric_event
from mvx_metrics.native import *

@metric_event("wheel.save")
class Save:
    outcome: str
    seconds: float = 0.5

class Total:
    total = 0
    def handle_event(self, event):
        self.total += 1
        return True
    def snapshot(self):
        return {"total": self.total}

with Runtime() as runtime:
    recorder = runtime.create_recorder("wheel")
    recorder.register_metric("python", Total())
    recorder.register_native_metric(NativeMetric("native", MetricKind.COUNTER, [Save], value_field="seconds"))
    save = recorder.bind(Save)
    save("ok")
    save("ok", seconds=2)
    recorder.register_event(Save("bad"))
    assert isinstance(save, BuiltinFunctionType) == (sys.argv[1] == "1"), save
    assert recorder.snapshot(timeout=5).to_dict() == {"python": {"total": 3}, "native": {"value": 3.0}}
"""


def _pythons() -> Iterator[Tuple[str, str]]:
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


def _environment(**more: str) -> Dict[str, str]:
    ours = {name for name in os.environ if name.startswith(("MVX_METRICS_", "PYTHON"))}
    return {**{name: value for name, value in os.environ.items() if name not in ours}, **more}


def _install(python: str, folder: Path, wheel: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    own = folder / "bin" / "python"
    quiet = {"check": True, "env": _environment(), "stdout": subprocess.DEVNULL}
    subprocess.run([python, "-m", "venv", str(folder)], **quiet)  # type: ignore[call-overload]
    command = [str(own), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", str(wheel)]
    subprocess.run(command, **quiet)  # type: ignore[call-overload]
    return own


def main() -> int:
    wheel, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    names = zipfile.ZipFile(wheel).namelist()
    lacking = {"mvx_metrics/libmvx_metrics.so", "mvx_metrics/_accelerator.abi3.so", "mvx_metrics/py.typed"} - set(names)
    tag = "-cp39-abi3-" in wheel.name
    passed, failed = (1, 0) if tag and not lacking else (0, 1)
    if failed:
        print(f"{wheel.name} is not for all of 3.9 and later, or lacks {sorted(lacking)}")
    for version, python in _pythons():
        own = _install(python, folder / version, wheel)
        for way, name in WAYS.items():
            environment = _environment(MVX_METRICS_ACCELERATOR=way)
            good = subprocess.run([str(own), "-c", PROGRAM, way], cwd=folder, env=environment, timeout=60).returncode == 0
            print(f"{'ok' if good else 'FAIL'} Python {version}, {name}", flush=True)
            passed, failed = passed + good, failed + (not good)
    print(f"wheel: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
