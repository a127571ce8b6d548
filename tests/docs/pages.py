"""Looks at every page of the built site in a browser, at phone and desktop width: pages.py SITE [screenshots FOLDER].

A page passes if nothing of it is wider than the window (code and tables scroll within themselves), every picture is there
and goes with each theme, and the console has no complaint. With a folder it also takes a picture of each page, and of some in a dark setting."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from browser import SIZES, Browser, Site  # noqa: E402

# What sticks out without being inside of something that scrolls, for the message.
TOO_WIDE = """
const width = document.documentElement.clientWidth, found = [];
for (const element of document.body.querySelectorAll('#content *')) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || Math.max(box.right, box.left + element.scrollWidth) <= width + 1) continue;
    let around = element;
    while (around && !['auto', 'scroll', 'hidden'].includes(getComputedStyle(around).overflowX)) around = around.parentElement;
    if (!around) found.push(element.tagName.toLowerCase() + ': ' + element.textContent.trim().slice(0, 40));
}
// The page must not be movable sideways at all, whatever is inside.
window.scrollTo(10000, 0);
const moved = window.scrollX;
window.scrollTo(0, 0);
return {wide: found.slice(-3), moved: moved, width: document.documentElement.scrollWidth, window: width};
"""
PICTURES = "return [...document.images].filter(i => !(i.complete && i.naturalWidth)).map(i => i.src)"
# Themes with which a drawing does not go: its paper is light on a dark page, or dark on a light one, or its text is too pale.
CLASHES = """
const themes = ['light', 'rust', 'coal', 'navy', 'ayu'], root = document.documentElement, found = [];
function light(colour) {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(part => {
        const share = part / 255;
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
for (const theme of themes) {
    root.classList.remove(...themes);
    root.classList.add(theme);
    const page = light(getComputedStyle(root).backgroundColor);
    const clashes = [...document.querySelectorAll('.picture text')].some(text => {
        const paper = light(getComputedStyle(text.closest('svg').querySelector('.paper')).fill);
        const ink = light(getComputedStyle(text).fill);
        const contrast = (Math.max(paper, ink) + 0.05) / (Math.min(paper, ink) + 0.05);
        return contrast < 4.5 || (paper > 0.5) !== (page > 0.5);
    });
    if (clashes) found.push(theme);
}
return found;
"""
# A page without its style, or without text, is no page.
DRAWN = "return document.querySelector('main').innerText.length > 100 && getComputedStyle(document.body).margin === '0px'"


def check(browser: Browser, address: str) -> list[str]:
    browser.open(address)
    found = browser.run(TOO_WIDE)
    problems = []
    if found["wide"] or found["moved"] or found["width"] > found["window"]:
        problems.append(f"is {found['width']} points wide in a window of {found['window']}: {found['wide']}")
    problems += [f"the picture {source} is not there" for source in browser.run(PICTURES)]
    clashes = browser.run(CLASHES)
    if clashes:
        problems.append(f"has a drawing that can't be read well in the themes {', '.join(clashes)}")
    if not browser.run(DRAWN):
        problems.append("is empty, or has no style")
    return problems + [f"the console says: {error}" for error in browser.errors()]


def main() -> int:
    site = Path(sys.argv[1]).resolve()
    pictures = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    # These are no pages: one is shown inside of others, one at addresses that are not there.
    pages = [p.relative_to(site) for p in sorted(site.rglob("*.html")) if p.name not in ("toc.html", "404.html")]
    passed = failed = 0
    with Site(site) as served:
        for size in SIZES:
            with Browser(size) as browser:
                for page in pages:
                    problems = check(browser, f"{served.address}/{page}")
                    for problem in problems:
                        print(f"FAILED {page} ({size}): {problem}")
                    passed, failed = passed + (not problems), failed + bool(problems)
                    if pictures:
                        pictures.mkdir(parents=True, exist_ok=True)
                        browser.screenshot(pictures / f"{size}-{str(page.with_suffix('')).replace('/', '-')}.png")
        if pictures:
            with Browser("desktop", dark=True) as browser:
                for name in ("architecture", "benchmarks", "tutorial-c"):
                    browser.open(f"{served.address}/{name}.html")
                    browser.screenshot(pictures / f"dark-{name}.png")
    if not pages:
        failed += 1
        print("FAILED: the site has no pages")
    print(f"pages: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
