"""Installs the source package into empty environments, as users do who have the library, or have it not.

usage: check_sdist.py SDIST LIBRARY WHEELHOUSE; WHEELHOUSE is a folder with what pip builds packages with
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

from packaged import Tally, first_program_runs, install, make_empty, run


def main() -> int:
    sdist, library, wheelhouse = (str(Path(argument).resolve()) for argument in sys.argv[1:])
    tally = Tally("sdist")
    names = tarfile.open(sdist).getnames()
    tally.add("it carries the header", any(name.endswith("/include/mvx_metrics.h") for name in names))
    tally.add("it has its licence", any(name.endswith("/LICENSE") for name in names))
    tally.add("it carries nothing that was built", not any(name.endswith((".so", ".pyc", ".o")) for name in names))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = make_empty(sys.executable, folder / "compiler")
        tally.add("pip install, with a compiler", install(own, "--find-links", wheelhouse, sdist))
        for way in ("1", "0"):
            good = first_program_runs(own, folder, way, MVX_METRICS_LIBRARY=library)
            tally.add(f"README's first program, MVX_METRICS_ACCELERATOR={way}", good)
        lost = run(own, "import mvx_metrics", folder)
        tally.add(
            "without the library, the import says what to do",
            lost.returncode != 0 and "ImportError: the shared object of mvx_metrics was not found; set MVX_METRICS_LIBRARY"
            in lost.stderr,
        )

        own = make_empty(sys.executable, folder / "no_compiler")
        tally.add("pip install, without a compiler", install(own, "--find-links", wheelhouse, sdist, CC="false"))
        good = first_program_runs(own, folder, "0", MVX_METRICS_LIBRARY=library)
        tally.add("README's first program, by ctypes alone", good)
        lost = run(own, "import mvx_metrics", folder, MVX_METRICS_LIBRARY=library, MVX_METRICS_ACCELERATOR="1")
        tally.add("the accelerator is missed where it is asked for", "the accelerator can't be used" in lost.stderr)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
