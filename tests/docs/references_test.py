#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documentation names exists: linked files, labels of commands, and in docs/RAFT.md files,
functions, tests and scenarios. There every feature names the tests that fail without it. And the
suite that the documentation names has all long tests."""

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
    tops = "core|sim|storage|net|proto|tests|bench|docs|tools|examples"
    paths = re.findall(rf"`((?:{tops})/[\w./*-]+)`", text)
    return [path for path in paths if not files(path)]


def missing_labels(text):
    """Labels of ./bazelw in blocks of commands that no BUILD file names."""
    for package, name in re.findall(r"^\./bazelw .*?//([\w/]*)(?::(\w+))?(?:\s|$)", text, re.MULTILINE):
        build = os.path.join(ROOT, package, "BUILD.bazel")
        name = name or os.path.basename(package)
        if not os.path.exists(build) or f'"{name}"' not in read(build):
            yield f"no //{package}:{name}"


class RaftPage:
    """docs/RAFT.md against core/raft, the tests and the scenarios."""

    # A test, or all of a suite as `Suite.*`; a scenario.
    TEST = r"[A-Z]\w+\.(?:[A-Z]\w+|\*)"
    SCENARIO = r"[a-z]+(?:_[a-z0-9]+)+"

    def __init__(self):
        paths = files("core/raft/*")
        self.file_names = {os.path.basename(path) for path in paths}
        self.code = re.sub(r"//.*", "", "\n".join(read(path) for path in paths))
        self.tests = set()
        for path in files("tests/**/*_test.cc"):
            for a, b in re.findall(r"TEST(?:_[FP])?\((\w+),\s*(\w+)\)", read(path)):
                self.tests |= {f"{a}.{b}", f"{a}.*"}
        self.scenarios = {os.path.basename(path)[:-4] for path in files("tests/scenarios/*.txt")}

    def is_proof(self, name):
        return name in self.tests or name in self.scenarios

    def wrong(self, text):
        for name in re.findall(r"`([^`]+)`", text):
            if re.fullmatch(r"[\w/]+\.(?:h|cc)", name) and "/" not in name:
                if name not in self.file_names:
                    yield f"no file {name} in core/raft"
            elif re.fullmatch(self.TEST, name):
                if name not in self.tests:
                    yield f"no test {name}"
            elif re.fullmatch(self.SCENARIO, name):
                if name not in self.scenarios and not re.search(rf"\b{name}\b", self.code):
                    yield f"no scenario {name}"
            elif match := re.fullmatch(r"On\((\w+)\)", name):
                if not re.search(rf"\bOn\(const Message& \w+, (?:const {match[1]}&|{match[1]}&&)", self.code):
                    yield f"no function {name}"
            elif match := re.fullmatch(r"(?:(\w+)::)?([A-Z]\w+)", name):
                if not re.search(rf"\b{match[2]}\b", self.code):
                    yield f"no {name} in core/raft"

    def unproven(self, text):
        """Rows of the table of features without a test that exists."""
        section = text.partition("\n## Every feature")[2].partition("\n## ")[0]
        rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
        assert len(rows) > 1, "there is no table of features"
        for feature, *_, proofs in rows[1:]:
            if not any(self.is_proof(name) for name in re.findall(r"`([^`]+)`", proofs)):
                yield feature.strip()


class ReferencesTest(unittest.TestCase):
    def test_links_and_paths(self):
        paths = ["README.md", "CHANGELOG.md", *files("docs/*.md")]
        self.assertGreater(len(paths), 4)
        for path in paths:
            with self.subTest(document=path):
                self.assertEqual(broken_links(path, read(path)), [])
                self.assertEqual(missing_paths(read(path)), [])
                self.assertEqual(list(missing_labels(read(path))), [])

    def test_the_tutorial_shows_the_files_that_are_built(self):
        text = read("docs/TUTORIAL.md")
        paths = files("examples/tutorial/*.*")
        self.assertGreater(len(paths), 5)
        for path in paths:
            self.assertIn(f"`{os.path.basename(path)}`", text)
            self.assertTrue(f"```\n{read(path).rstrip()}\n```\n" in text, f"{path} is another one")

    def test_names_on_the_raft_page(self):
        self.assertEqual(list(RaftPage().wrong(read("docs/RAFT.md"))), [])

    def test_every_feature_has_a_test(self):
        self.assertEqual(list(RaftPage().unproven(read("docs/RAFT.md"))), [])

    def test_every_suite_of_long_tests_is_run(self):
        packages = [os.path.dirname(p) for p in files("tests/**/BUILD.bazel") if "\nlong_tests(" in read(p)]
        self.assertGreater(len(packages), 1)
        for package in packages:
            self.assertIn(f'"//{package}:long"', read("tests/BUILD.bazel"))

    def test_wrong_names_are_seen(self):
        page = RaftPage()
        for name in ("raft_nothing.cc", "Nothing", "Log::Nothing", "On(NoRequest)", "RaftElection.Nothing",
                     "Nothing.*", "joint_nothing"):
            self.assertEqual(len(list(page.wrong(f"`{name}`"))), 1, name)
        for name in ("Quorum.*", "Quorum.LearnersDoNotCount", "joint_commits_of_both_halves", "rest_after"):
            self.assertEqual(list(page.wrong(f"`{name}`")), [], name)
        table = ("\n## Every feature\n| Feature | Tests |\n|---|---|\n"
                 "| one | `Quorum.*` |\n| two | `Nothing.*` |\n## Next")
        self.assertEqual(list(page.unproven(table)), ["two"])
        commands = ("./bazelw test //tests/docs:docs_test\n"
                    "./bazelw run //:sim -- x\n./bazelw run //sim:nothing\n")
        self.assertEqual(list(missing_labels(commands)), ["no //sim:nothing"])
        self.assertEqual(broken_links("docs/RAFT.md", "[a](nothing.md) [b](RAFT.md)"), ["nothing.md"])
        self.assertEqual(missing_paths("`core/raft/nothing.h` `core/raft/raft.h` `core/raft/*_read.cc`"),
                         ["core/raft/nothing.h"])


if __name__ == "__main__":
    sys.exit(unittest.main())
