"""Whether the C reference is whole: reference.py HEADER SITE. It looks at the header by itself, not with the script that
makes the reference: each name must have an anchor, and each word of the header's comments must be on its page."""

import html
import re
import sys
from pathlib import Path


def names(header: str) -> set[str]:
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    found = set(re.findall(r"^#define (MVX_\w+)", code, re.M)) - {"MVX_METRICS_H"}
    found |= set(re.findall(r"^(?:typedef .*|\}) (mvx_\w+);", code, re.M))
    found |= set(re.findall(r"^typedef .*\(\*(mvx_\w+)\)", code, re.M))
    found |= set(re.findall(r"^(?!typedef|\s)[\w\s*]*\b(mvx_\w+)\(", code, re.M))
    return found


def words(text: str) -> str:
    """Only what is read: letters and digits."""
    return re.sub(r"[^A-Za-z0-9]+", " ", text).lower().strip()


def texts(header: str) -> list[str]:
    """The paragraphs and points of all comments."""
    found = []
    for comment in re.findall(r"/\*\*(.*?)\*/", header, re.S):
        lines = [re.sub(r"^\s*\*? ?", "", line) for line in comment.split("\n")]
        for paragraph in re.split(r"\n\s*\n|\n\s*- ", "\n".join(lines)):
            if words(paragraph):
                found.append(words(paragraph.removeprefix("- ")))
    return found


def main() -> int:
    header, folder = Path(sys.argv[1]).read_text(), Path(sys.argv[2]) / "reference"
    pages = {path.name: path.read_text() for path in folder.glob("*.html")}
    everything = "".join(text for name, text in pages.items() if name != "index.html")
    ids = set(re.findall(r'id="([^"]+)"', everything))
    read = " ".join(words(html.unescape(re.sub(r"<[^>]+>", "", text))) for text in pages.values())
    failures = [f"{name} has no anchor" for name in sorted(names(header) - ids)]
    failures += [f"this text of the header is missing: {text}" for text in texts(header) if text not in read]
    passed = len(names(header)) + len(texts(header)) - len(failures)
    for failure in failures:
        print(f"FAILED {failure}")
    if len(names(header)) < 100:
        failures.append("few names")
        print(f"FAILED: only {len(names(header))} names found in the header")
    print(f"reference: {passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
