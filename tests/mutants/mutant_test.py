#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The format of mutants, and what applying one does."""

import os
import pathlib
import sys
import tempfile
import unittest

import mutant

ZOO = pathlib.Path(os.path.realpath(__file__)).parent

HEAD = "id: A1\nbug: something is wrong\n"
CHANGE = """--- a/core/x.cc
+++ b/core/x.cc
@@ -1,2 +1,2 @@ a function
 one
-two
+2
"""


class ParseTest(unittest.TestCase):
    def assert_malformed(self, what, text):
        with self.assertRaisesRegex(mutant.Malformed, what):
            mutant.parse(text, "A1.mutant")

    def test_fields_and_changes(self):
        one = mutant.parse("# words\nid: A1\nbug: something\n  is wrong\ntier: 2\n\n" + CHANGE, "A1.mutant")
        self.assertEqual(one.fields, {"id": "A1", "bug": "something is wrong", "tier": "2"})
        self.assertEqual(one.changes, (mutant.Change("core/x.cc", "one\ntwo\n", "one\n2\n"),))

    def test_several_changes_of_several_files(self):
        text = HEAD + CHANGE + "@@\n-nine\n+\n\n" + "--- core/y.h\n+++ core/y.h\n@@\n-x\n"
        self.assertEqual([(c.file, c.old, c.new) for c in mutant.parse(text, "A1.mutant").changes],
                         [("core/x.cc", "one\ntwo\n", "one\n2\n"), ("core/x.cc", "nine\n", "\n"),
                          ("core/y.h", "x\n", "")])

    def test_lines_that_look_like_heads(self):
        text = HEAD + "--- core/x.cc\n+++ core/x.cc\n@@\n---count;\n+++count;\n"
        self.assertEqual(mutant.parse(text, "A1.mutant").changes,
                         (mutant.Change("core/x.cc", "--count;\n", "++count;\n"),))

    def test_a_mutant_without_a_change_says_why(self):
        self.assertEqual(mutant.parse(HEAD + "excluded: a type rules it out\n", "A1.mutant").changes, ())
        self.assert_malformed("says why", HEAD)
        self.assert_malformed("says why", HEAD + "waiting: for regions\n" + CHANGE)

    def test_wrong_fields(self):
        self.assert_malformed("A1.mutant: `colour: red` is not a field; fields are .*tier",
                              HEAD + "colour: red\n")
        self.assert_malformed("`words` is not a field", HEAD + "words\n")
        self.assert_malformed("the field bug is there twice", HEAD + "bug: again\n" + CHANGE)
        self.assert_malformed("the field bug is missing", "id: A1\n" + CHANGE)
        self.assert_malformed("the field id is missing", "id:\nbug: b\n" + CHANGE)

    def test_wrong_changes(self):
        self.assert_malformed("can't rename core/x.cc to core/z.cc",
                              HEAD + CHANGE.replace("b/core/x", "b/core/z"))
        self.assert_malformed("`one` begins with none of", HEAD + CHANGE.replace(" one", "one"))
        self.assert_malformed("changes nothing", HEAD + CHANGE.replace("+2", "+two"))
        self.assert_malformed("stands outside of a change",
                              HEAD + CHANGE.replace("@@ -1,2 +1,2 @@ a function\n", ""))
        self.assert_malformed("no old text", HEAD + "--- core/x.cc\n+++ core/x.cc\n@@\n+new\n")


class ApplyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        (self.root / "core").mkdir()

    def write(self, text, name="core/x.cc"):
        (self.root / name).write_text(text)

    def text(self, name="core/x.cc"):
        return (self.root / name).read_text()

    def apply(self, *changes):
        mutant.Mutant({"id": "A1"}, tuple(mutant.Change(*change) for change in changes)).apply(self.root)

    def assert_refused(self, what, *changes):
        before = self.text()
        with self.assertRaisesRegex(mutant.Malformed, what):
            self.apply(*changes)
        self.assertEqual(self.text(), before)

    def test_it_changes_the_place_and_nothing_else(self):
        self.write("zero\none\ntwo\nthree\n")
        self.apply(("core/x.cc", "one\ntwo\n", "1\n"))
        self.assertEqual(self.text(), "zero\n1\nthree\n")

    def test_whole_lines_only(self):
        self.write("  one\none\n")
        self.apply(("core/x.cc", "one\n", "1\n"))
        self.assertEqual(self.text(), "  one\n1\n")

    def test_later_changes_see_earlier_ones(self):
        self.write("one\ntwo\n")
        self.apply(("core/x.cc", "one\n", "1\n"), ("core/x.cc", "1\ntwo\n", "1\n2\n"))
        self.assertEqual(self.text(), "1\n2\n")

    def test_text_that_is_not_there_once(self):
        self.write("one\ntwo\none\n")
        self.assert_refused("A1: the old text is 2 times in core/x.cc", ("core/x.cc", "one\n", "1\n"))
        self.assert_refused("A1: the old text is 0 times", ("core/x.cc", "ten\n", "10\n"))
        self.assert_refused("there is no file core/y.cc", ("core/y.cc", "one\n", "1\n"))

    def test_all_or_nothing(self):
        self.write("one\n")
        self.write("two\n", "core/y.cc")
        self.assert_refused("0 times", ("core/x.cc", "one\n", "1\n"), ("core/y.cc", "one\n", "1\n"))
        self.assertEqual(self.text("core/y.cc"), "two\n")


class ZooTest(unittest.TestCase):
    """Every mutant of the tree applies to it: who changes the code changes the mutants."""

    def test_every_mutant_applies(self):
        root = ZOO.parents[1]
        paths = sorted(ZOO.glob("*/*.mutant"))
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(path.name), tempfile.TemporaryDirectory() as folder:
                one = mutant.read(path)
                self.assertEqual(one.id, path.stem)
                for file in {change.file for change in one.changes}:
                    copy = pathlib.Path(folder, file)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    copy.write_text((root / file).read_text())
                one.apply(folder)


if __name__ == "__main__":
    sys.exit(unittest.main())
