"""Reads mvx_metrics.h: its opening chapter, and its items (constants, types, structs, functions) by section."""

import re
from dataclasses import dataclass, field


@dataclass
class Field:
    name: str
    doc: list[str]


@dataclass
class Item:
    kind: str  # "constant", "type", "struct" or "function"
    name: str
    doc: list[str]
    declaration: str  # As it stands in the header, without the comments inside.
    value: str = ""
    fields: list[Field] = field(default_factory=list)
    condition: str = ""  # The preprocessor's, where an item is not there for everybody.


@dataclass
class Section:
    title: str
    items: list[Item] = field(default_factory=list)


def comment_lines(text: str) -> list[str]:
    """The lines of a comment, without its stars."""
    inner = re.sub(r"^\s*/\*\*?|\*/\s*$", "", text.strip())
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in inner.split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def read(header: str) -> tuple[list[str], list[Section]]:
    """The opening chapter, and the sections. Raises ValueError where the header has something unknown."""
    opening = next(c for c in re.findall(r"/\*.*?\*/", header, re.S) if "mvx_metrics: " in c)
    sections: list[Section] = []
    condition: list[str] = []
    lines = header.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        title = re.fullmatch(r"/\* ---- (.*) ---- \*/", line)
        if title:
            sections.append(Section(title[1]))
        elif line.startswith("/**"):
            doc_end = next(i for i in range(at, len(lines)) if "*/" in lines[i])
            doc = comment_lines("\n".join(lines[at : doc_end + 1]))
            item, at = read_item(lines, doc_end + 1, doc)
            item.condition = next((c for c in condition if "_WIN32" in c), "")
            if not sections:
                raise ValueError(f"{item.name} comes before the first section")
            sections[-1].items.append(item)
            continue
        elif line.startswith("#if"):
            condition.append(line)
        elif line.startswith("#endif"):
            condition.pop()
        at += 1
    return comment_lines(opening), sections


def read_item(lines: list[str], at: int, doc: list[str]) -> tuple[Item, int]:
    """The item that begins at a line, and the line after it."""
    if lines[at].startswith("#if"):  # A macro that C and C++ write differently.
        end = next(i for i in range(at, len(lines)) if lines[i].startswith("#endif"))
        name = re.search(r"#define (\w+)", "\n".join(lines[at:end]))[1]
        return Item("constant", name, doc, "\n".join(lines[at : end + 1])), end + 1
    define = re.match(r"#define (\w+)(?:\s+(.*))?$", lines[at])
    if define:
        return Item("constant", define[1], doc, lines[at], define[2] or ""), at + 1

    end = at
    depth = 0
    in_comment = False
    while True:
        line = lines[end]
        in_comment = in_comment or "/*" in line
        if not in_comment:
            depth += line.count("{") - line.count("}")
            if depth == 0 and line.rstrip().endswith(";"):
                break
        in_comment = in_comment and "*/" not in line
        end += 1
    text = "\n".join(lines[at : end + 1])
    declaration = re.sub(r"[ \t]*/\*\*.*?\*/\n", "", text, flags=re.S)
    return classify(text, declaration, doc), end + 1


def classify(text: str, declaration: str, doc: list[str]) -> Item:
    struct = re.match(r"typedef struct \w+ \{.*\} (\w+);$", declaration, re.S)
    if struct:
        fields = []
        for comment, member in re.findall(r"(/\*\*.*?\*/)\s*(.*?;)", text, re.S):
            name = re.match(r".*?\(\*(\w+)\)", member, re.S) or re.search(r"(\w+);$", member)
            fields.append(Field(name[1], comment_lines(comment)))
        return Item("struct", struct[1], doc, declaration, fields=fields)
    if declaration.startswith("typedef"):
        name = re.match(r"typedef .*?\(\*(\w+)\)", declaration, re.S) or re.search(r"(\w+);$", declaration)
        return Item("type", name[1], doc, declaration)
    function = re.match(r"[\w\s*]*?\b(mvx_\w+)\(", declaration)
    if function:
        return Item("function", function[1], doc, declaration)
    raise ValueError(f"the header has something that this script does not know: {declaration}")
