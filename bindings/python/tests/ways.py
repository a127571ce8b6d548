"""The two ways in which everything is tested. A way is chosen at import, so each needs a process of its own."""

from __future__ import annotations

import os
from typing import Dict, Iterator, Tuple

#: What MVX_METRICS_ACCELERATOR is, and what that means.
WAYS = {"1": "with the accelerator", "0": "by ctypes alone"}


def environments() -> Iterator[Tuple[str, Dict[str, str]]]:
    """For each way its name, and the environment that chooses it."""
    for way, name in WAYS.items():
        yield name, {**os.environ, "MVX_METRICS_ACCELERATOR": way}
