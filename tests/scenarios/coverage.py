#!/usr/bin/env python3
"""Writes COVERAGE.md from rules.txt and the `covers` lists of the scenarios; with --check, only looks.

In order is: each rule is covered by a scenario or says why none can, each id that a scenario names is a rule, each
scenario is called like its file and says what it needs, and COVERAGE.md is current.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLES = {
    2: (
        "start stop register_metric register_event flush cancel snapshot iter_metrics status stats",
        "VIRGIN STARTING RUNNING STOPPING STOPPED FAILURE CANCELLED",
    ),
    8: (
        "start shutdown create_recorder get_recorder try_get_recorder list_recorder_ids stop_recorder"
        " stop_and_remove_recorder recorder_create state last_error",
        "VIRGIN STARTING RUNNING STOPPING CLOSED FAILURE",
    ),
}
HEADINGS = {
    1: "Events", 2: "Recorder lifecycle", 3: "The pending limit", 4: "Metrics", 5: "Snapshots and inspection",
    6: "Hooks", 7: "Wait handles", 8: "Runtime", 9: "Errors", 10: "Logging", 11: "Living in another's process",
}
# A runtime is STARTING only inside the call of start, where nobody can be told to look.
UNSEEN = "a runtime passes through STARTING inside the call of start"
# Keys and operations that not every language has.
NEEDS = {
    "raw": {"$null", "$made_up", "$runtime", "$recorder", "$wait", "$number", "null_out", "struct_size", "without"},
    "fd": {"wait_fd"},
    "fork": {"in_fork"},
}
FOLDERS = "lifecycle overflow errors snapshots metrics events hooks runtime waits".split()


def read_rules():
    """Rules by id, in order: (what it says, why it is not played or None)."""
    rules = {}
    for section, (operations, states) in TABLES.items():
        for operation in operations.split():
            for state in states.split():
                unseen = section == 8 and state == "STARTING" and operation != "start"
                rules[f"{section}.{operation}.{state}"] = (f"{operation} in {state}", UNSEEN if unseen else None)
    for line in (HERE / "rules.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            rule, text = line.split(maxsplit=1)
            text, _, why = text.partition(" NOT PLAYED: ")
            if rule in rules:
                sys.exit(f"rules.txt: {rule} is there twice")
            rules[rule] = (text, why or None)
    return rules


def words(value):
    """Every key in a scenario, and every operation."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield inner if key == "do" else key
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)


def read_scenarios(problems):
    covered = {}
    files = sorted(path for folder in FOLDERS for path in (HERE / folder).glob("*.json"))
    strays = sorted(set(HERE.rglob("*.json")) - set(files))
    problems.extend(f"{path.relative_to(HERE)}: in none of the folders {', '.join(FOLDERS)}" for path in strays)
    for path in files:
        shown = path.relative_to(HERE).as_posix()
        scenario = json.loads(path.read_text(encoding="utf-8"))
        if scenario.get("name") != path.stem:
            problems.append(f"{shown}: its name is {scenario.get('name')}")
        used = set(words(scenario))
        for need, marks in NEEDS.items():
            if used & marks and need not in scenario.get("needs", []):
                problems.append(f"{shown}: needs {need} for {', '.join(sorted(used & marks))}")
        for rule in scenario.get("covers", []):
            covered.setdefault(rule, []).append(shown)
    return covered, len(files)


def render(rules, covered, count):
    lines = [
        "# What the scenarios cover",
        "",
        "Written by `coverage.py` from `rules.txt` and the `covers` list of each scenario; changes made here are lost.",
        "Sections are those of the recorder contract.",
        "",
        f"{count} scenarios, {len(rules)} rules.",
    ]
    for section, heading in HEADINGS.items():
        lines += ["", f"## {section}. {heading}", "", "| rule | says | scenarios |", "| --- | --- | --- |"]
        for rule, (text, why) in rules.items():
            if int(rule.split(".")[0]) == section:
                files = covered.get(rule, [])
                links = ", ".join(f"[{name[:-5]}]({name})" for name in files) or f"not played: {why}"
                lines.append(f"| {rule.split('.', 1)[1]} | {text} | {links} |")
    return "\n".join(lines) + "\n"


def main():
    problems = []
    rules = read_rules()
    covered, count = read_scenarios(problems)
    for rule, files in covered.items():
        if rule not in rules:
            problems.append(f"{files[0]}: covers {rule}, which is no rule")
        elif rules[rule][1]:
            problems.append(f"{files[0]}: covers {rule}, which rules.txt says can't be played")
    problems += [f"no scenario covers {rule}" for rule, (_, why) in rules.items() if rule not in covered and not why]
    text = render(rules, covered, count)
    page = HERE / "COVERAGE.md"
    if sys.argv[1:] == ["--check"]:
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            problems.append("COVERAGE.md is not current: run coverage.py")
    elif sys.argv[1:]:
        sys.exit("usage: coverage.py [--check]")
    else:
        page.write_text(text, encoding="utf-8")
    for problem in problems:
        print(problem)
    print(f"coverage: {count} scenarios, {len(rules)} rules, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
