#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mutation score: docs/MUTATION.md."""

import dataclasses
import hashlib
import os
import pathlib
import signal
import sys

import campaign
import choose
import mutant
import results
import scratch
import table
from flags import HELP, Wrong, callers_path, parse_flags
from runner import Runner, row_of


def write_page(flags, root, rows, zoo):
    """Puts the rows of this run into docs/MUTATION.md."""
    path = root / "docs/MUTATION.md"
    if not path.is_file():
        raise table.NoPlace("There is no docs/MUTATION.md to write the table to.")
    page = path.read_text()
    if flags.mechanical:
        text = table.mechanical_part(list(rows.values()), flags.mechanical, flags.sample_seed, flags.budget)
        page = table.with_part(page, table.MECHANICAL, text)
    else:
        before = table.rows_of(page)
        # Rows of mutants that are gone go; those that are new and were not run say so.
        merged = {name: rows.get(name) or before.get(name) or row_of_unknown(one)
                  for name, one in zoo.items()}
        page = table.with_part(page, table.ZOO, table.zoo_part(merged.values(), flags.budget))
    path.write_text(page)


def row_of_unknown(one):
    if choose.state_of(one):
        return row_of(one)
    return dataclasses.replace(row_of(one, campaign.Verdict()), verdict=table.NOT_RUN)


def main(arguments):
    flags = parse_flags(arguments)
    if flags.help:
        print(HELP, end="")
        return 0
    root = pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY")
                        or pathlib.Path(__file__).resolve().parents[2])
    mutants = choose.select(flags, root)
    if flags.list:
        for one in mutants[:flags.mechanical or None]:
            print(f"{one.id}  {one.fields['bug']}" + (f"  ({choose.state_of(one)})" if choose.state_of(one) else ""))
        return 0

    if flags.patch:
        mutants[0].applied(root)  # What does not apply need not wait for a build.

    name = root.name + "-" + hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
    folder = (callers_path(flags.scratch) if flags.scratch
              else pathlib.Path.home() / ".cache/flaredb-mutants" / name)
    tree = scratch.Scratch(root, folder)
    hashed = tree.sync()
    known = results.Results(callers_path(flags.results) if flags.results else folder / "results.json",
                            hashed)
    if flags.fresh:
        known.forget(mutants)
    if any(one.changes for one in mutants):
        files = [{change.file for change in one.changes} for one in mutants if one.changes]
        targets = dict.fromkeys(kind.target for some in files for kind in campaign.kinds_for(some))
        print(f"building the unchanged sources in {tree.tree}; the first time takes minutes",
              file=sys.stderr, flush=True)
        tree.build_unchanged(list(targets))
    runner = Runner(flags, mutants, tree, known)
    try:
        rows = runner.run()
    except KeyboardInterrupt:
        print(f"mutants: interrupted; {len(runner.rows)} are done, and the same command goes on from here.",
              file=sys.stderr)
        return 130

    if flags.write or not (flags.only or flags.tier or flags.patch or flags.mechanical):
        write_page(flags, root, rows, choose.read_folder(root / choose.ZOO))
    print(table.last_line(list(rows.values())))
    verdicts = {row.verdict for row in rows.values()}
    return 2 if table.BROKEN in verdicts else 1 if table.SURVIVED in verdicts else 0


def interrupt(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(main(sys.argv[1:]))
    except (Wrong, mutant.Malformed, scratch.Failed, campaign.Confused, results.Unreadable,
            table.NoPlace, OSError) as problem:
        print(f"mutants: {problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
