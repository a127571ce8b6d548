"""The fenced blocks of a page, each with the comment before it that says what it is.

    <!-- file: NAME -->           the block is written to NAME, in the page's own folder
    <!-- program -->              the block is a whole program: it is built and run in the way of its language
    <!-- run -->                  commands, run by bash in the page's folder; in a block "console" the lines that begin
                                  with "$ " are commands, and the others are what these print
    <!-- run in the repository -->  the same, in the top folder of the repository
    <!-- output -->               what the last program or command printed
    <!-- part of: NAME -->        the block stands in NAME, a file that the page wrote before
    <!-- excerpt: PATH -->        the block stands in that file of the repository

Blocks that name no language are drawings. Every other block needs one of these comments."""

import re
from dataclasses import dataclass


@dataclass
class Block:
    line: int
    language: str
    directive: str
    text: str


def blocks(markdown: str) -> list[Block]:
    found = []
    lines = markdown.split("\n")
    at = 0
    while at < len(lines):
        fence = re.match(r"( *)```(\w*)", lines[at])
        if not fence:
            at += 1
            continue
        end = at + 1
        while lines[end].strip() != "```":
            end += 1
        directive = re.fullmatch(r"\s*<!-- (.*) -->", lines[at - 1]) if at else None
        indent = len(fence[1])
        text = "".join(line[indent:] + "\n" for line in lines[at + 1 : end])
        found.append(Block(at + 1, fence[2], directive[1] if directive else "", text))
        at = end + 1
    return found
