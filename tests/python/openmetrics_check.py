"""Checks OpenMetrics texts with the parser of prometheus_client (pip install prometheus_client).

    python openmetrics_check.py [FILE ...]      the golden files of the exporter by default; - is stdin

Each text must parse, say what it says once, and give back from the parser what it says: every sample is written anew
from what was parsed, and must be the line that was read.
"""

import math
import sys
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families

GOLDEN = Path(__file__).resolve().parents[2] / "src" / "export" / "openmetrics" / "golden"


def escaped(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def written(sample):
    labels = ",".join(f'{name}="{escaped(value)}"' for name, value in sample.labels.items())
    return f"{sample.name}{{{labels}}} "


def same_number(text, value):
    """Whether the value is exactly the number that the text spells; an int of any size is not rounded."""
    if isinstance(value, float) and math.isnan(value):
        return text == "NaN"
    if isinstance(value, int):
        return text == str(value)
    return float(text) == value and math.copysign(1, float(text)) == math.copysign(1, value)


def check(name, text):
    """Returns what is wrong with the text, one sentence each."""
    try:
        families = list(text_string_to_metric_families(text))
    except Exception as error:  # The parser raises whatever comes up.
        return [f"{name}: does not parse: {error!r}"]
    wrong = []
    names = [family.name for family in families]
    wrong += [f"{name}: family {twice} comes twice" for twice in {n for n in names if names.count(n) > 1}]
    samples = [sample for family in families for sample in family.samples]
    metadata = [f"# TYPE {family.name} {family.type}" for family in families]
    metadata += [f"# UNIT {family.name} {family.unit}" for family in families if family.unit]
    metadata += [
        f"# HELP {family.name} {escaped(family.documentation)}" for family in families if family.documentation
    ]
    lines = text.split("\n")
    if sorted(metadata + ["# EOF"]) != sorted(line for line in lines if line.startswith("#")):
        wrong.append(f"{name}: the metadata does not read as it is written")
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(samples) != len(lines):
        wrong.append(f"{name}: {len(lines)} samples are written, {len(samples)} are read")
    for line, sample in zip(lines, samples):
        start = written(sample)
        if not line.startswith(start) or not same_number(line[len(start) :], sample.value):
            wrong.append(f"{name}: {line!r} reads as {sample}")
    series = [(sample.name, frozenset(sample.labels.items())) for sample in samples]
    if len(set(series)) != len(series):
        wrong.append(f"{name}: a series comes twice")
    for sample in samples:
        if "recorder" not in sample.labels:
            wrong.append(f"{name}: {sample.name} does not say of which recorder it is")
    if not wrong:
        print(f"{name}: {len(families)} families, {len(samples)} samples")
    return wrong


def main(paths):
    paths = paths or sorted(GOLDEN.glob("*.txt"))
    wrong = [] if paths else [f"no golden files in {GOLDEN}"]
    for path in paths:
        text = sys.stdin.buffer.read() if str(path) == "-" else Path(path).read_bytes()
        wrong += check(str(path), text.decode("utf-8"))
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
