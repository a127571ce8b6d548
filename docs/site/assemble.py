"""Puts together what mdBook reads: assemble.py REPOSITORY BOOK.

The pages are docs/*.md, and those of the rest of the repository that docs/SUMMARY.md names, such as the READMEs of the
bindings. In the site the folder docs/ is the top; everything else keeps its path. Links are written as the repository
has them, so that they work there too, and are changed here to fit the site. A file that a page links to is copied."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

LINK = re.compile(r"(\]\()([^)\s#]*)(#[^)\s]*)?(\))")
FENCED = re.compile(r"^(?: {0,3})```.*?^(?: {0,3})```[ \t]*$", re.M | re.S)
# Languages that mdBook's highlighter does not know, and complains of.
UNCOLOURED = re.compile(r"^( *```)cmake$", re.M)
REFERENCE = "docs/reference"
PICTURE = re.compile(r"^!\[([^\]]*)\]\(([^)\s]+\.svg)\)$", re.M)
# Of mdBook's themes those that are dark.
DARK = ":is(.coal, .navy, .ayu)"


class Book:
    def __init__(self, repository: Path, book: Path):
        self.repository = repository
        self.source = book / "src"
        self.problems: list[str] = []
        self.pages: set[str] = set()

    def site_path(self, path: str) -> str:
        return path.removeprefix("docs/")

    def write(self, path: str, text: str) -> None:
        at = self.source / self.site_path(path)
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)

    def page(self, path: str) -> None:
        text = (self.repository / path).read_text()
        text = PICTURE.sub(lambda m: self.picture(path, m), text)
        self.write(path, self.with_links(path, text))

    def picture(self, page: str, match: re.Match) -> str:
        """A drawing becomes part of the page: as an image it would see what the system is set to, not the page's theme."""
        file = self.repository / os.path.dirname(page) / match[2]
        if not file.is_file():
            return match[0]  # The link is wrong, and is found to be.
        drawing = file.read_text().replace("@media (prefers-color-scheme: dark)", DARK)
        drawing = drawing.replace("<svg ", f'<svg aria-label="{html.escape(match[1])}" ', 1)
        # Markdown would take up again after a blank line.
        lines = [line for line in drawing.splitlines() if line.strip()]
        return "\n".join(['<div class="picture">', *lines, "</div>"])

    def with_links(self, page: str, text: str) -> str:
        """Changes links outside of code."""
        out, at = [], 0
        for code in FENCED.finditer(text):
            out.append(LINK.sub(lambda m: self.link(page, m), text[at : code.start()]))
            out.append(UNCOLOURED.sub(r"\1text", code[0]))
            at = code.end()
        out.append(LINK.sub(lambda m: self.link(page, m), text[at:]))
        return "".join(out)

    def link(self, page: str, match: re.Match) -> str:
        target, anchor = match[2], match[3] or ""
        if not target or re.match(r"[a-z]+:", target):
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(page), target))
        if path.startswith(REFERENCE + "/"):
            pass  # Made from the header.
        elif not (self.repository / path).is_file():
            self.problems.append(f"{page}: the link to {target} leads to no file; {path} is not there")
        elif path.endswith(".md") and path not in self.pages:
            self.problems.append(f"{page}: {path} is no page; name it in docs/SUMMARY.md")
        elif not path.endswith(".md"):
            at = self.source / self.site_path(path)
            at.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.repository / path, at)
        to = os.path.relpath(self.site_path(path), os.path.dirname(self.site_path(page)) or ".")
        if page != "docs/SUMMARY.md":
            # mdBook makes index.html of a README.md, but leaves links to it alone.
            to = re.sub(r"\bREADME\.md$", "index.md", to)
        return f"{match[1]}{to}{anchor}{match[4]}"

    def summary(self) -> None:
        """docs/SUMMARY.md, with the pages of the reference under their index."""
        text = (self.repository / "docs/SUMMARY.md").read_text()
        for target in re.findall(r"\]\(([^)]+)\)", text):
            path = os.path.normpath(os.path.join("docs", target))
            self.pages.add(path)
        lines = []
        for line in self.with_links("docs/SUMMARY.md", text).split("\n"):
            lines.append(line)
            if "(reference/README.md)" in line:
                indent = line[: len(line) - len(line.lstrip())] + "  "
                lines += [f"{indent}- [{title}]({page})" for title, page in self.reference_pages()]
        self.write("docs/SUMMARY.md", "\n".join(lines))

    def reference_pages(self) -> list[tuple[str, str]]:
        """In the order of the header, which the index has."""
        index = (self.source / "reference/README.md").read_text()
        order = re.findall(r"\{#names-([a-z0-9-]+)\}", index)
        return [
            ((self.source / f"reference/{name}.md").read_text().split("\n", 1)[0].removeprefix("# "), f"reference/{name}.md")
            for name in order
        ]


def main() -> int:
    repository, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    here = Path(__file__).parent
    book = Book(repository, folder)
    shutil.rmtree(book.source, ignore_errors=True)
    header = repository / "include/mvx_metrics.h"
    subprocess.run([sys.executable, here / "c_reference.py", header, book.source / "reference"], check=True)
    (book.source / "include").mkdir()
    shutil.copyfile(header, book.source / "include/mvx_metrics.h")
    for name in ("book.toml", "style.css"):
        shutil.copyfile(here / name, folder / name)
    book.summary()
    for path in sorted(book.pages):
        if path.startswith(REFERENCE + "/"):
            continue
        if (repository / path).is_file():
            book.page(path)
        else:
            book.problems.append(f"docs/SUMMARY.md: {path} is not there")
    for problem in dict.fromkeys(book.problems):
        print(problem, file=sys.stderr)
    return 1 if book.problems else 0


if __name__ == "__main__":
    sys.exit(main())
