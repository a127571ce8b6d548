"""Builds and runs every code sample in docs/*.md: samples.py [PAGE...]. See blocks.py for how pages mark them."""

import re
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import surroundings  # noqa: E402
from blocks import Block, blocks  # noqa: E402
from programs import INSTALL, WAYS  # noqa: E402

REPOSITORY = surroundings.REPOSITORY


class Wrong(Exception):
    """What is wrong with a block."""


class Runner:
    def __init__(self) -> None:
        self.folder, self.environment = surroundings.prepare()

    def run(self, script: str, folder: Path, seconds: int = 300) -> str:
        """What a script prints to its standard output. The script ends where a command fails."""
        done = subprocess.run(
            ["bash", "-c", surroundings.MAKE + "set -eo pipefail\n" + script],
            cwd=folder, env=self.environment, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise Wrong(f"ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout


class Page:
    def __init__(self, runner: Runner, path: Path):
        self.runner, self.path = runner, path
        self.folder = runner.folder / path.stem
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.exports = ""  # Later commands of the page see what earlier ones exported.
        self.printed: str | None = None

    def check(self, block: Block) -> None:
        name, _, argument = block.directive.partition(": ")
        actions = {
            "file": self.file, "program": self.program, "run": self.commands, "output": self.output,
            "run in the repository": self.in_repository, "part of": self.part, "excerpt": self.excerpt,
        }
        if name not in actions:
            said = block.directive or "there is none"
            raise Wrong(f"the comment before it does not say what it is ({said}): see tests/docs/blocks.py")
        actions[name](block, argument)

    def file(self, block: Block, name: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(block.text)

    def program(self, block: Block, _: str) -> None:
        if block.language not in WAYS:
            raise Wrong(f"no way to run a program in {block.language}: see tests/docs/programs.py")
        name, way = WAYS[block.language]
        self.printed = None
        folder = self.folder / f"line{block.line}"
        folder.mkdir()
        (folder / name).write_text(block.text)
        self.printed = self.runner.run(way, folder)

    def commands(self, block: Block, _: str, top: str = "") -> None:
        if block.language == "console":
            commands = "".join(line[2:] + "\n" for line in block.text.splitlines() if line.startswith("$ "))
            expected = "".join(line + "\n" for line in block.text.splitlines() if not line.startswith("$ "))
        else:
            commands, expected = block.text, None
        # The folder and the exported variables go on to the next block, as in a terminal.
        keep = self.folder / ".state"
        script = f"{top}{self.exports}{commands}\n{{ export -p | grep -v 'OLDPWD='; echo \"cd '$PWD'\"; }} >'{keep}'\n"
        self.printed = self.runner.run(script, self.folder)
        self.exports = keep.read_text()
        if expected is not None:
            self.compare(expected)

    def in_repository(self, block: Block, _: str) -> None:
        before = self.exports
        self.exports = before + 'cd "$MVX"\n'
        self.commands(block, "")
        self.exports += f"cd '{self.folder}'\n"

    def output(self, block: Block, _: str) -> None:
        if self.printed is None:
            raise Wrong("nothing ran before it")
        self.compare(block.text)

    def compare(self, expected: str) -> None:
        if self.printed.strip() != expected.strip():
            shown, printed = textwrap.indent(expected, "    "), textwrap.indent(self.printed, "    ")
            raise Wrong(f"the page shows\n{shown}but it printed\n{printed}")

    def part(self, block: Block, name: str) -> None:
        self.contains(self.folder / name, block)

    def excerpt(self, block: Block, path: str) -> None:
        self.contains(REPOSITORY / path, block)

    def contains(self, file: Path, block: Block) -> None:
        if not file.is_file():
            raise Wrong(f"{file} is not there")
        # Its indentation may differ as a whole.
        if outline(block.text) not in outline(file.read_text()):
            raise Wrong(f"{file} does not contain it")


def outline(text: str) -> str:
    return "\n" + "\n".join(line.strip() for line in text.splitlines() if line.strip()) + "\n"


def header_sample() -> str:
    """The program that the header begins with, and so the C reference. It leaves out what becomes of the snapshot."""
    opening = (REPOSITORY / "include/mvx_metrics.h").read_text().split(" * HANDLES.")[0]
    lines = [line.removeprefix(" *") for line in opening.splitlines() if line.startswith(" *     ") or line == " *"]
    body = "\n".join(lines).replace("...", 'if (mvx_snapshot_len(snapshot) != 1)\n        return 1;')
    return f"#include <mvx_metrics.h>\n\nint main(void)\n{{\n{body}\n    return 0;\n}}\n"


def main() -> int:
    pages = [Path(name).resolve() for name in sys.argv[1:]] or sorted(
        page for page in (REPOSITORY / "docs").glob("*.md") if page.name != "SUMMARY.md"
    )
    passed = failed = 0
    runner = Runner()
    for what, script in INSTALL.items():
        try:
            runner.run(script, runner.folder, seconds=1800)
        except (Wrong, subprocess.TimeoutExpired) as wrong:
            failed += 1
            print(f"FAILED to install {what}: {wrong}")
    try:
        Page(runner, Path("header")).program(Block(1, "c", "program", header_sample()), "")
        passed += 1
    except (Wrong, subprocess.TimeoutExpired) as wrong:
        failed += 1
        print(f"FAILED the program at the beginning of the header: {wrong}")
    for path in pages:
        begun = time.monotonic()
        page = Page(runner, path)
        count = 0
        for block in blocks(path.read_text()):
            if not block.language and not block.directive:
                continue
            count += 1
            try:
                page.check(block)
                passed += 1
            except (Wrong, subprocess.TimeoutExpired) as wrong:
                failed += 1
                print(f"FAILED {path.relative_to(REPOSITORY)}:{block.line} ({block.language}): {wrong}")
        if count:
            print(f"{path.name}: {count} samples, {time.monotonic() - begun:.1f} s")
    if passed == 0:
        failed += 1
        print("FAILED: there are no samples")
    print(f"samples: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
