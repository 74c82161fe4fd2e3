# SPDX-License-Identifier: Apache-2.0
"""The parts of docs/MUTATION.md that the runner writes. Text outside of the marks is not touched."""

import dataclasses
import math
import re
import statistics

KILLED, SURVIVED, BROKEN = "killed", "survived", "broken"
EXCLUDED, WAITING, NOT_RUN = "excluded", "waiting", "not run"
ZOO, MECHANICAL = "zoo", "mechanical"  # The parts.


class NoPlace(Exception):
    """The page has no marks for a part; the message is a sentence."""


@dataclasses.dataclass(frozen=True)
class Row:
    id: str
    tier: str = ""
    bug: str = ""
    verdict: str = NOT_RUN
    code: str = ""
    seed: str = ""
    seeds: int = 0
    cpu_s: float = 0.0
    why: str = ""  # Of excluded and waiting ones.
    place: str = ""  # Of mechanical ones: file:line.
    old: str = ""
    new: str = ""


def order(identifier):
    """A key to sort by: numbers in identifiers count as numbers."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", identifier)]


def last_line(rows):
    """The score. Medians are of those that ran; a survivor counts with what it used."""
    count = {verdict: sum(row.verdict == verdict for row in rows)
             for verdict in (KILLED, SURVIVED, EXCLUDED, WAITING)}
    used = sorted(row.cpu_s for row in rows if row.verdict in (KILLED, SURVIVED))
    median = statistics.median(used) if used else 0.0
    p95 = used[math.ceil(0.95 * len(used)) - 1] if used else 0.0
    return (f"mutants={len(rows)} killed={count[KILLED]} survived={count[SURVIVED]} "
            f"excluded={count[EXCLUDED]} waiting={count[WAITING]} "
            f"median_cpu_s={median:.1f} p95_cpu_s={p95:.1f}")


def zoo_part(rows, budget_s):
    """The tables of the zoo, as text between its marks."""
    rows = sorted(rows, key=lambda row: order(row.id))
    ran = [row for row in rows if row.verdict not in (EXCLUDED, WAITING)]
    lines = [f"At most {budget_s:g} CPU-seconds each:", "", "```", last_line(rows), "```", ""]
    lines += [_line(_RAN.values()), _line("---" for _ in _RAN)]
    lines += [_line(_cell(row, name) for name in _RAN) for row in ran]
    for verdict, title in ((EXCLUDED, "### Excluded by design"), (WAITING, "### Waiting")):
        some = [row for row in rows if row.verdict == verdict]
        if some:
            lines += ["", title, "", _line(_NOT_RUN.values()), _line("---" for _ in _NOT_RUN)]
            lines += [_line(_cell(row, name) for name in _NOT_RUN) for row in some]
    return "\n".join(lines)


def mechanical_part(rows, sample, seed, budget_s):
    """The score of a sample, and its survivors."""
    survivors = [row for row in rows if row.verdict == SURVIVED]
    argued = [row for row in rows if row.verdict == EXCLUDED]
    lines = [f"A sample of {sample} (`--sample-seed={seed}`), at most {budget_s:g} CPU-seconds each:",
             "", "```", last_line(rows), "```"]
    for title, some in (("### Survivors", survivors), ("### Argued equivalent", argued)):
        if not some:
            continue
        lines += ["", title, ""]
        for row in sorted(some, key=lambda row: order(row.id)):
            lines += [f"`{row.id}`, {row.place}: {row.why or row.bug}", "", "```",
                      *("-" + line for line in row.old.splitlines()),
                      *("+" + line for line in row.new.splitlines()), "```", ""]
        lines.pop()
    return "\n".join(lines)


def rows_of(page):
    """The rows that the page has, by id, so that a partial run can leave them."""
    rows = {}
    columns = None
    for line in part_of(page, ZOO).splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells in (list(_RAN.values()), list(_NOT_RUN.values())):
            columns = list(_RAN if len(cells) == len(_RAN) else _NOT_RUN)
        elif line.startswith("### "):
            section = {"### Excluded by design": EXCLUDED, "### Waiting": WAITING}.get(line)
        elif cells and columns and not cells[0].startswith("---"):
            fields = dict(zip(columns, cells))
            if "verdict" in fields:
                fields["verdict"] = fields["verdict"].strip("*")
                fields["seeds"] = int(fields["seeds"] or 0)
                fields["cpu_s"] = float(fields["cpu_s"] or 0)
            else:
                fields["verdict"] = section
            rows[fields["id"]] = Row(**fields)
    return rows


def part_of(page, part):
    begin, end = _place(page, part)
    return page[begin:end]


def with_part(page, part, text):
    begin, end = _place(page, part)
    return page[:begin] + "\n" + text + "\n" + page[end:]


def _place(page, part):
    """Where the text between the marks begins and ends."""
    begin, end = f"<!-- begin {part}: written by ./bazelw run //tests/mutants -->\n", f"<!-- end {part} -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise NoPlace(f"docs/MUTATION.md needs the lines `{begin.strip()}` and `{end}`, once each and in "
                      "this order, around the part that is written.")
    return page.index(begin) + len(begin), page.index(end)


# Field of a row -> head of its column.
_RAN = {"id": "Id", "tier": "Tier", "bug": "Bug", "verdict": "Verdict", "code": "Property",
        "seed": "Failing seed", "seeds": "Seeds run", "cpu_s": "CPU-seconds"}
_NOT_RUN = {"id": "Id", "tier": "Tier", "bug": "Bug", "why": "Why"}


def _cell(row, name):
    value = getattr(row, name)
    if name == "verdict":
        return value if value == KILLED else f"**{value}**"
    if name in ("seeds", "cpu_s") and row.verdict not in (KILLED, SURVIVED):
        return ""
    return f"{value:.1f}" if name == "cpu_s" else str(value)


def _line(cells):
    cells = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
    return "| " + " | ".join(cells) + " |"
