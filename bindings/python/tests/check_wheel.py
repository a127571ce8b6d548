"""Installs the wheel into an empty environment of each Python that is there, and uses it, in both ways.

The wheel has to carry everything: the environment has nothing else, and no variable says where the library is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from packaged import WAYS, Tally, first_program_runs, install, make_empty, pythons

NATIVE = ("mvx_metrics/libmvx_metrics.so", "mvx_metrics/_accelerator.abi3.so")


def _glibc(library: Path) -> int:
    """The minor version of the youngest glibc that a library asks for."""
    symbols = subprocess.run(["readelf", "-W", "--dyn-syms", str(library)], check=True, capture_output=True, text=True)
    return max(int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", symbols.stdout))


def _is_stripped(library: Path) -> bool:
    sections = subprocess.run(["readelf", "-W", "-S", str(library)], check=True, capture_output=True, text=True)
    return ".debug_" not in sections.stdout and ".symtab" not in sections.stdout


def _check_contents(tally: Tally, wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    lacking = [name for name in (*NATIVE, "mvx_metrics/py.typed") if name not in names]
    tally.add(f"it carries all {lacking or ''}".strip(), not lacking)
    tally.add("it has its licence", any(name.endswith("/LICENSE") for name in names))
    with tempfile.TemporaryDirectory() as folder:
        libraries = [Path(zipfile.ZipFile(wheel).extract(name, folder)) for name in NATIVE if name in names]
        tally.add("what it carries is stripped", all(map(_is_stripped, libraries)))
        glibc = max(map(_glibc, libraries))
    tag = re.search(r"-cp39-abi3-.*\bmanylinux_2_(\d+)_\w+\.whl$", wheel.name)
    tally.add(
        f"{wheel.name} is for every Python from 3.9 on, and for glibc 2.{glibc}, which it needs",
        tag is not None and int(tag[1]) == glibc,
    )
    shown = subprocess.run([sys.executable, "-m", "auditwheel", "show", str(wheel)], capture_output=True, text=True)
    tally.add("auditwheel confirms it", tag is not None and f'tag: "manylinux_2_{tag[1]}_' in " ".join(shown.stdout.split()))


def main() -> int:
    wheel, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    tally = Tally("wheel")
    _check_contents(tally, wheel)
    for version, python in pythons():
        own = make_empty(python, folder / version)
        tally.add(f"Python {version}: pip install", install(own, str(wheel)))
        for way, name in WAYS.items():
            tally.add(f"Python {version}, README's first program {name}", first_program_runs(own, folder, way))
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
