"""The accelerator, for whoever installs from source with a C compiler; without one the package does without."""

from __future__ import annotations

import os
import sys
from glob import glob

from setuptools import Extension, setup

#: Where mvx_metrics.h is: a source package carries it; in the repository it has its own place.
CARRIED = "include"
INCLUDE = os.environ.get(
    "MVX_METRICS_INCLUDE", CARRIED if os.path.isdir(CARRIED) else os.path.join("..", "..", "include")
)

ACCELERATOR = Extension(
    "mvx_metrics._accelerator",
    sources=sorted(glob("src/accelerator/*.c")),
    depends=sorted(glob("src/accelerator/*.h")),
    include_dirs=[INCLUDE],
    define_macros=[("Py_LIMITED_API", "0x03090000")],
    extra_compile_args=[] if os.name == "nt" else ["-std=gnu11", "-O2", "-fvisibility=hidden"],
    # Without symbols for debuggers, whatever flags this Python was built with.
    extra_link_args=["-s"] if sys.platform == "linux" else [],
    py_limited_api=True,
    optional=True,
)

# One build serves every Python from 3.9 on.
setup(ext_modules=[ACCELERATOR], options={"bdist_wheel": {"py_limited_api": "cp39"}})
