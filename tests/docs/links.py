"""Checks every link of the built site: links.py SITE. Relative ones must lead to a file, and an anchor to an id on it;
those to other places are only looked at for their form."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes) -> None:
        given = dict(attributes)
        for name in ("id", "name") if tag == "a" else ("id",):
            if given.get(name):
                if name == "id" and given["id"] in self.ids:
                    self.links.append(f"#twice:{given['id']}")
                self.ids.add(given[name])
        for name in ("href", "src"):
            if given.get(name) is not None and tag != "base":
                self.links.append(given[name])


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text())
    return page


def problem(site: Path, at: Path, link: str, pages: dict[Path, Page]) -> str:
    if link.startswith("#twice:"):
        return f"the id {link.removeprefix('#twice:')} is there twice"
    try:
        parts = urlsplit(link)
    except ValueError as wrong:
        return str(wrong)
    if parts.scheme or parts.netloc:
        if parts.scheme in ("http", "https") and "." in parts.netloc and " " not in link:
            return ""
        return "" if parts.scheme in ("data", "mailto") else "no form of a link"
    target = at if not parts.path else (at.parent / unquote(parts.path)).resolve()
    if site != target and site not in target.parents:
        return "leads out of the site"
    if target.is_dir():
        target = target / "index.html"
    if not target.is_file():
        return "leads to no file"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in pages[target].ids:
        return "leads to no such anchor"
    return ""


def main() -> int:
    site = Path(sys.argv[1]).resolve()
    # toc.html is for browsers without scripts, and shown inside of other pages.
    pages = {path: read(path) for path in sorted(site.rglob("*.html"))}
    passed = failed = 0
    for path, page in pages.items():
        if path.name == "404.html":  # It is shown at any address, so its links are absolute.
            continue
        for link in page.links:
            wrong = problem(site, path, link, pages)
            if wrong:
                failed += 1
                print(f"FAILED {path.relative_to(site)}: {link}: {wrong}")
            else:
                passed += 1
    if passed == 0:
        failed += 1
        print("FAILED: the site has no links")
    print(f"links: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
