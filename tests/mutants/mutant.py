#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A mutant: a bug on purpose, as a file.

    id: A04
    tier: 1
    bug: a late grant of a PreVote counts as a vote
    source: scylla bd168d57ff; cowsql 0ed45532
    breaks: VS ES

    --- core/raft/raft.cc
    +++ core/raft/raft.cc
    @@
     context
    -old line
    +new line

`excluded` and `waiting` say why there is no change; `equivalent`, in tests/mutants/equivalent, why
nobody can tell the program with the change from the one without.

Above the first `---` are fields, one a line; a line that begins with a space goes on with the one
before. Below is what `git diff` prints, without need of line numbers: after a line that begins with
`@@`, the lines with a space or a minus, together, are the old text, which has to be in the file
exactly once; those with a space or a plus are the new one. Paths may begin with a/ and b/.
"""

import dataclasses
import pathlib
import sys

FIELDS = {"id", "tier", "bug", "source", "breaks", "excluded", "waiting", "equivalent", "faults", "note"}


class Malformed(Exception):
    """The file, or what it asks for, makes no sense; the message is a sentence."""


@dataclasses.dataclass(frozen=True)
class Change:
    file: str  # From the root of the tree.
    old: str  # Whole lines.
    new: str


@dataclasses.dataclass(frozen=True)
class Mutant:
    fields: dict  # By name; absent ones are not in it.
    changes: tuple  # Of Change, in the order of the file.

    @property
    def id(self):
        return self.fields["id"]

    def apply(self, root):
        """Changes the tree below `root`; raises Malformed, with nothing changed, if it can't."""
        for path, text in self.applied(root).items():
            path.write_text(text)

    def applied(self, root):
        """The changed files of the tree below `root`, which stays as it is: texts by path. Raises Malformed."""
        texts = {}
        for change in self.changes:
            path = pathlib.Path(root, change.file)
            if path not in texts:
                if not path.is_file():
                    raise Malformed(f"{self.id}: there is no file {change.file}.")
                texts[path] = path.read_text()
            texts[path] = self.changed(change, texts[path])
        return texts

    def changed(self, change, text):
        """`text`, which is that of the change's file, with this change."""
        found = places(text, change.old)
        if len(found) != 1:
            raise Malformed(f"{self.id}: the old text is {len(found)} times in {change.file}, but must "
                            f"be there exactly once:\n{change.old}")
        return text[:found[0]] + change.new + text[found[0] + len(change.old):]


def places(text, lines):
    """Where `lines` begin in `text`, at beginnings of lines only."""
    found = []
    at = text.find(lines)
    while at >= 0:
        if at == 0 or text[at - 1] == "\n":
            found.append(at)
        at = text.find(lines, at + 1)
    return found


def parse(text, name):
    """The mutant in `text`; `name` is what messages call it."""
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("--- ")), len(lines))
    fields = _fields(lines[:start], name)
    changes = _changes(lines[start:], name)
    if bool(changes) == bool({"excluded", "waiting"} & fields.keys()):
        raise Malformed(f"{name}: it needs either a change or a field `excluded` or `waiting` that "
                        "says why there is none.")
    return Mutant(fields, changes)


def _fields(lines, name):
    fields = {}
    key = None
    for line in lines:
        if line.startswith(" ") and key and line.strip():
            fields[key] += " " + line.strip()
            continue
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(("diff ", "index ")):  # As git prints them above ---.
            continue
        key, colon, value = line.partition(":")
        if not colon or key not in FIELDS:
            raise Malformed(f"{name}: `{line}` is not a field; fields are {', '.join(sorted(FIELDS))}, "
                            "and the change begins with a line `--- FILE`.")
        if key in fields:
            raise Malformed(f"{name}: the field {key} is there twice.")
        fields[key] = value.strip()
    for key in ("id", "bug"):
        if not fields.get(key):
            raise Malformed(f"{name}: the field {key} is missing.")
    return fields


def _changes(lines, name):
    changes = []
    file = old = new = None

    def end_hunk():
        if old is None:
            return
        while old and new and not old[-1] and not new[-1]:  # Empty lines between changes.
            old.pop()
            new.pop()
        if old == new:
            raise Malformed(f"{name}: a change of {file} changes nothing.")
        if not old:
            raise Malformed(f"{name}: a change of {file} has no old text to find its place by.")
        changes.append(Change(file, "".join(x + "\n" for x in old), "".join(x + "\n" for x in new)))

    lines = [line for line in lines if not line.startswith(("diff ", "index ", "\\ No newline"))]
    for i, line in enumerate(lines):
        if line.startswith("--- ") and i + 1 < len(lines) and lines[i + 1].startswith("+++ "):
            end_hunk()
            file, old, new = _path(line), None, None
        elif line.startswith("+++ ") and old is None:
            if _path(line) != file:
                raise Malformed(f"{name}: a mutant can't rename {file} to {_path(line)}.")
        elif line.startswith("@@"):
            end_hunk()
            old, new = [], []
        elif old is None:
            raise Malformed(f"{name}: `{line}` stands outside of a change, which begins with `@@`.")
        elif line.startswith("-"):
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])
        elif line.startswith(" ") or not line:
            old.append(line[1:])
            new.append(line[1:])
        else:
            raise Malformed(f"{name}: `{line}` begins with none of space, minus, plus, @@, ---.")
    end_hunk()
    return tuple(changes)


def _path(line):
    path = line[4:].split("\t")[0].strip()
    return path[2:] if path.startswith(("a/", "b/")) else path


def read(path):
    """The mutant in the file `path`; raises Malformed."""
    return parse(pathlib.Path(path).read_text(), pathlib.Path(path).name)


def main(arguments):
    """For mutants.bzl: writes the changed files, and nothing else, below a folder."""
    mutant_file, folder, *sources = arguments
    try:
        mutant = read(mutant_file)
        for file in sorted({change.file for change in mutant.changes}):
            if not file.endswith(".cc"):
                raise Malformed(f"{mutant.id}: it changes {file}; mutant_test can change .cc files "
                                "only, so leave this one to ./bazelw run //tests/mutants.")
            if file in sources:
                target = pathlib.Path(folder, file)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(pathlib.Path(file).read_text())
        mutant.apply(folder)
    except Malformed as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
