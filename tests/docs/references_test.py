#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documentation names exists: linked files, and in docs/RAFT.md files, functions, tests."""

import glob
import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.realpath(__file__)).removesuffix("/tests/docs")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def files(pattern):
    return [os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, pattern), recursive=True)]


def broken_links(path, text):
    folder = os.path.join(ROOT, os.path.dirname(path))
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)", text)
    return [link for link in links if not os.path.exists(os.path.join(folder, link))]


def missing_paths(text):
    """Paths in backticks, such as `core/raft/raft.h`, that are not in the tree."""
    tops = "core|sim|storage|net|proto|tests|bench|docs|tools"
    paths = re.findall(rf"`((?:{tops})/[\w./*-]+)`", text)
    return [path for path in paths if not files(path)]


class RaftPage:
    """docs/RAFT.md against core/raft and its tests."""

    def __init__(self):
        paths = files("core/raft/*")
        self.file_names = {os.path.basename(path) for path in paths}
        self.code = re.sub(r"//.*", "", "\n".join(read(path) for path in paths))
        self.tests = set()
        for path in files("tests/core/raft/*_test.cc"):
            self.tests |= {f"{a}.{b}" for a, b in re.findall(r"TEST(?:_F)?\((\w+),\s*(\w+)\)", read(path))}

    def wrong(self, text):
        for name in re.findall(r"`([^`]+)`", text):
            if re.fullmatch(r"[\w/]+\.(?:h|cc)", name) and "/" not in name:
                if name not in self.file_names:
                    yield f"no file {name} in core/raft"
            elif re.fullmatch(r"Raft\w*\.\w+|(?:Log|Quorum|Progress|ReadQueue|EntryBlock|EntrySlice)\.\w+", name):
                if name not in self.tests:
                    yield f"no test {name}"
            elif match := re.fullmatch(r"On\((\w+)\)", name):
                if not re.search(rf"\bOn\(const Message& \w+, const {match[1]}&", self.code):
                    yield f"no function {name}"
            elif match := re.fullmatch(r"(?:(\w+)::)?([A-Z]\w+)", name):
                if not re.search(rf"\b{match[2]}\b", self.code):
                    yield f"no {name} in core/raft"


class ReferencesTest(unittest.TestCase):
    def test_links_and_paths(self):
        paths = ["README.md", "CHANGELOG.md", *files("docs/*.md")]
        self.assertGreater(len(paths), 4)
        for path in paths:
            with self.subTest(document=path):
                self.assertEqual(broken_links(path, read(path)), [])
                self.assertEqual(missing_paths(read(path)), [])

    def test_names_on_the_raft_page(self):
        self.assertEqual(list(RaftPage().wrong(read("docs/RAFT.md"))), [])

    def test_wrong_names_are_seen(self):
        page = RaftPage()
        for name in ("raft_nothing.cc", "Nothing", "Log::Nothing", "On(NoRequest)", "RaftElection.Nothing"):
            self.assertEqual(len(list(page.wrong(f"`{name}`"))), 1, name)
        self.assertEqual(broken_links("docs/RAFT.md", "[a](nothing.md) [b](RAFT.md)"), ["nothing.md"])
        self.assertEqual(missing_paths("`core/raft/nothing.h` `core/raft/raft.h` `core/raft/*_read.cc`"),
                         ["core/raft/nothing.h"])


if __name__ == "__main__":
    sys.exit(unittest.main())
