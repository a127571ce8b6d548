"""Whether the checks of the documentation find what they are there to find: each is shown a mistake."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SITE = REPOSITORY / "build/docs/site"
sys.path[:0] = [str(HERE), str(REPOSITORY / "docs/site")]
from assemble import Book, LINK  # noqa: E402
from blocks import blocks  # noqa: E402
from browser import Browser, Site  # noqa: E402
from links import problem, read  # noqa: E402
from pages import check  # noqa: E402
from samples import Page, Wrong  # noqa: E402


class Printer:
    """Stands in for what runs commands: they print "done"."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment: dict[str, str] = {}

    def run(self, script: str, folder: Path) -> str:
        for state in re.findall(r">'(.*/\.state)'", script):
            Path(state).write_text("")
        return "done\n"


def samples(folder: Path, markdown: str) -> int:
    """How many blocks of a page are found wrong."""
    page = Page(Printer(folder), folder / "page.md")
    wrong = 0
    for block in blocks(markdown):
        try:
            page.check(block)
        except Wrong:
            wrong += 1
    return wrong


def sample_mistakes(folder: Path):
    run = "<!-- run -->\n```sh\ntrue\n```\n"
    yield "a right output is taken", samples(folder, run + "<!-- output -->\n```text\ndone\n```\n") == 0
    yield "a wrong output is found", samples(folder, run + "<!-- output -->\n```text\nother\n```\n") == 1
    yield "a wrong output in a console is found", samples(folder, "<!-- run -->\n```console\n$ true\nother\n```\n") == 1
    yield "a sample that says nothing of itself is found", samples(folder, "```c\nint x;\n```\n") == 1
    excerpt = "<!-- excerpt: {} -->\n```text\nMIT or so\n```\n"
    yield "an excerpt that is not in its file is found", samples(folder, excerpt.format("LICENSE")) == 1
    yield "an excerpt of no file is found", samples(folder, excerpt.format("no/such/file")) == 1
    part = "<!-- file: a -->\n```text\nfirst\nsecond\n```\n<!-- part of: a -->\n```text\n{}\n```\n"
    yield "a part of an earlier file is taken", samples(folder, part.format("second")) == 0
    yield "what is no part of it is found", samples(folder, part.format("third")) == 1


def link_mistakes(folder: Path):
    (folder / "there.html").write_text('<h1 id="here">x</h1>')
    at = folder / "page.html"
    at.write_text('<p id="own"></p>')
    pages = {path: read(path) for path in (folder / "there.html", at)}
    for link, right in (
        ("there.html", True), ("there.html#here", True), ("#own", True), ("https://example.org/a", True),
        ("gone.html", False), ("there.html#gone", False), ("#gone", False), ("../../x.html", False),
        ("https:/example", False),
    ):
        yield f"the link {link} is {'taken' if right else 'found'}", (problem(folder, at, link, pages) == "") == right
    book = Book(REPOSITORY, folder)
    book.link("docs/README.md", LINK.search("[x](no-such-file.md)"))
    yield "a link to a page that is not there stops the build", len(book.problems) == 1


def reference_mistakes(folder: Path):
    header = (REPOSITORY / "include/mvx_metrics.h").read_text()

    def taken(text: str) -> bool:
        (folder / "header.h").write_text(text)
        command = [sys.executable, HERE / "reference.py", folder / "header.h", SITE]
        return subprocess.run(command, capture_output=True).returncode == 0

    yield "the header's reference is taken", taken(header)
    yield "a function without a reference is found", not taken(header + "\nvoid mvx_forgotten(void);\n")
    yield "a text without a reference is found", not taken(header + "\n/** Forgotten words. */\n")


def page_mistakes(folder: Path):
    plain = f'<body style="margin:0"><main id="content"><p>{"word " * 50}</p>{{}}</main>'
    head = '<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    wide = "x" * 400
    bodies = {
        "right": (f'<pre style="overflow-x:auto">{wide}</pre>', 0),
        "wide": (f"<pre>{wide}</pre>", 1),
        "complaint": ("<script>console.error('no')</script>", 1),
        "drawing": ("<style>html { background: #fff } html.navy { background: #111 }</style>"
                    '<div class="picture"><svg><rect class="paper" fill="#fff"/><text>x</text></svg></div>', 1),
        "picture": ('<img src="data:image/png;base64,AAAA">', 1),
    }
    for name, (body, _) in bodies.items():
        (folder / f"{name}.html").write_text(head + plain.format(body))
    with Site(folder) as site, Browser("phone") as browser:
        for name, (_, due) in bodies.items():
            found = check(browser, f"{site.address}/{name}.html")
            yield f"the page '{name}' has {due} problems (found: {found})", len(found) == due


def main() -> int:
    passed = failed = 0
    for mistakes in (sample_mistakes, link_mistakes, reference_mistakes, page_mistakes):
        folder = Path(tempfile.mkdtemp()).resolve()
        try:
            for what, holds in mistakes(folder):
                passed, failed = passed + bool(holds), failed + (not holds)
                if not holds:
                    print(f"FAILED: {what}")
        finally:
            shutil.rmtree(folder)
    print(f"mistakes: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
