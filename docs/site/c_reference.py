"""Writes the C reference from mvx_metrics.h: c_reference.py HEADER FOLDER. A page a section, and README.md, the index.

Texts are the header's own. Every name of the interface is a link to where it is told."""

import html
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from header_items import Item, Section, read  # noqa: E402


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


class Writer:
    def __init__(self, sections: list[Section]):
        self.page_of = {item.name: slug(section.title) for section in sections for item in section.items}
        # `struct tag` means the type that is made of it, which may have another name.
        self.tags = {}
        for section in sections:
            for item in section.items:
                tag = re.match(r"typedef struct (\w+)", item.declaration)
                if tag:
                    self.tags[tag[1]] = item.name

    def link(self, name: str, shown: str, as_code: bool) -> str:
        inner = f"<code>{shown}</code>" if as_code else shown
        return f'<a href="{self.page_of[name]}.html#{name}">{inner}</a>'

    def linked(self, text: str, as_code: bool) -> str:
        """HTML of a text, with links, that Markdown leaves alone."""
        parts = []
        for part in re.split(r"((?:struct )?\b(?:mvx|MVX)_\w+(?:\(\))?)", text):
            name = part.removeprefix("struct ").removesuffix("()")
            if part.startswith("struct ") and name in self.tags:
                parts.append("struct " + self.link(self.tags[name], guarded(name), as_code))
            elif name in self.page_of and not part.startswith("struct "):
                parts.append(self.link(name, guarded(part), as_code))
            else:
                parts.append(guarded(part))
        return "".join(parts)

    def inline(self, text: str) -> str:
        pieces = text.split("`")
        return "".join(
            f"<code>{guarded(piece)}</code>" if i % 2 else self.linked(piece, True) for i, piece in enumerate(pieces)
        )

    def prose(self, lines: list[str]) -> str:
        """Paragraphs, lists of "- ...", and indented blocks, as HTML."""
        out = []
        for block in blocks(lines):
            if block[0].startswith("    "):
                text = "\n".join(line[4:] for line in block)
                table = self.table(block)
                out.append(table or f"<pre><code class=\"language-c\">{guarded(text)}</code></pre>")
            elif block[0].lstrip().startswith("- "):
                points = re.split(r"\n\s*- ", "\n" + "\n".join(block))[1:]
                out.append("<ul>" + "".join(f"<li>{self.point(join(p.split(chr(10))))}</li>" for p in points) + "</ul>")
            else:
                out.append(f"<p>{self.inline(join(block))}</p>")
        return "\n".join(out)

    def point(self, text: str) -> str:
        """A point that begins with the name of an argument shows it as code."""
        argument = re.match(r"((?:[a-z_]+, )*[a-z_]+): ", text)
        if not argument:
            return self.inline(text)
        names = ", ".join(f"<code>{guarded(name)}</code>" for name in argument[1].split(", "))
        return f"{names}: {self.inline(text[argument.end():])}"

    def table(self, block: list[str]) -> str:
        """The table of statuses and reasons."""
        if not re.match(r"\s+status\s+reason\s+what happened$", block[0]):
            return ""
        starts = [block[0].index(word) for word in ("status", "reason", "what")] + [None]
        rows: list[list[str]] = []
        for line in block[1:]:
            cells = [line[a:b].strip() for a, b in zip(starts, starts[1:])]
            if cells[1] or cells[0]:
                rows.append(cells)
            else:
                rows[-1][2] += " " + cells[2]
        head = "<tr><th>status</th><th>reason</th><th>what happened</th></tr>"
        body = "".join("<tr>" + "".join(f"<td>{self.inline(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f'<div class="table-wrapper"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'

    def declaration(self, item: Item) -> str:
        return f'<pre><code class="language-c nohighlight">{self.linked(item.declaration, False)}</code></pre>'

    def item(self, item: Item) -> str:
        out = [f"## {guarded(item.name)} {{#{item.name}}}", ""]
        if "_WIN32" in item.condition:
            out += ["<p><em>" + ("Not on Windows." if "!" in item.condition else "On Windows only.") + "</em></p>", ""]
        out += [self.declaration(item), "", no_blank_lines(self.prose(item.doc)), ""]
        if item.fields:
            rows = "".join(
                f'<dt id="{item.name}.{f.name}"><code>{guarded(f.name)}</code></dt><dd>{self.inline(join(f.doc))}</dd>'
                for f in item.fields
            )
            out += [f"<dl>{rows}</dl>", ""]
        return "\n".join(out)

    def constants(self, items: list[Item]) -> str:
        rows = "".join(
            f'<dt id="{item.name}"><code>{guarded(item.name)}</code> = {guarded(item.value.removesuffix("u"))}</dt>'
            f"<dd>{self.inline(join(item.doc))}</dd>"
            for item in items
        )
        return f"<dl>{rows}</dl>\n"

    def section(self, section: Section) -> str:
        out = [f"# {section.title}", ""]
        run: list[Item] = []
        for item in section.items + [None]:
            if item and item.kind == "constant" and item.value:
                run.append(item)
                continue
            if run:
                out.append(self.constants(run))
                run = []
            if item:
                out.append(self.item(item))
        return "\n".join(out)


def guarded(text: str) -> str:
    """Escaped for HTML, and so that Markdown sees nothing in it."""
    return re.sub(r"[_*\[\]`|~\\{}#]", lambda m: f"&#{ord(m[0])};", html.escape(text, quote=False))


def join(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines).strip()


def no_blank_lines(text: str) -> str:
    """A blank line would end a block of HTML inside of Markdown."""
    return re.sub(r"\n\s*\n", "\n&#32;\n", text)


def blocks(lines: list[str]) -> list[list[str]]:
    """Divides at blank lines, and where a list begins or an indented block begins or ends."""
    out: list[list[str]] = []
    kind = None
    for line in lines:
        if not line.strip():
            if kind == "code":
                out[-1].append("")
            else:
                kind = None
            continue
        if line.startswith("    ") and kind != "list":
            now = "code"
        elif line.lstrip().startswith("- "):
            now = "list"
        else:
            now = "list" if kind == "list" and line.startswith(" ") else "text"
        if now != kind:
            out.append([])
            kind = now
        out[-1].append(line)
    for block in out:
        while not block[-1].strip():
            block.pop()
    return out


def opening_chapter(writer: Writer, lines: list[str]) -> str:
    """Its paragraphs begin with a word in capitals, which becomes a heading."""
    out: list[str] = []
    chapter: list[str] = []

    def close() -> None:
        if chapter:
            out.append(no_blank_lines(writer.prose(chapter)) + "\n")
            chapter.clear()

    for before, line in zip([""] + lines, lines):
        heading = not before and re.match(r"([A-Z]{3,}(?: [A-Z]{2,})*)(\. | )", line)
        if heading:
            close()
            title = heading[1].capitalize()
            out.append(f"## {title} {{#{slug(title)}}}\n")
            # "ORDER. Events ..." loses its first word, "ARGUMENTS are copied ..." needs it.
            chapter.append(line[heading.end() :] if heading[2] == ". " else title + " " + line[heading.end() :])
        else:
            chapter.append(line)
    close()
    return "\n".join(out)


def index(writer: Writer, opening: list[str], sections: list[Section]) -> str:
    out = [
        "# C reference",
        "",
        "Everything that `mvx_metrics.h` offers, made from [the header itself](../include/mvx_metrics.h): C99, C11,"
        " C++11 and later take it. What holds for all calls comes first; then [all names](#all-names).",
        "",
        opening_chapter(writer, opening),
        "## All names {#all-names}",
        "",
    ]
    for section in sections:
        out.append(f"### {section.title} {{#names-{slug(section.title)}}}\n")
        out.append('<ul class="names">')
        out += [f"<li>{writer.link(item.name, guarded(item.name), True)}</li>" for item in section.items]
        out.append("</ul>\n")
    return "\n".join(out)


def main() -> None:
    header, folder = Path(sys.argv[1]), Path(sys.argv[2])
    opening, sections = read(header.read_text())
    writer = Writer(sections)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(index(writer, opening, sections))
    for section in sections:
        (folder / f"{slug(section.title)}.md").write_text(writer.section(section))


if __name__ == "__main__":
    main()
