#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which mutants are made by rule."""

import os
import pathlib
import sys
import tempfile
import unittest

import mechanical
import mutant

ROOT = pathlib.Path(os.path.realpath(__file__)).parents[2]


def edited(text, rule=None):
    """Every text that an edit (by `rule`) makes of `text`."""
    return {text[:edit.begin] + edit.new + text[edit.end:]
            for edit in mechanical.edits_of(text) if rule in (None, edit.rule)}


def within(statement):
    return "void F() {\n  " + statement + "\n}\n"


class RulesTest(unittest.TestCase):
    maxDiff = None

    def assert_edits(self, rule, statement, *expected):
        self.assertEqual(edited(within(statement), rule), {within(x) for x in expected})

    def test_conditions(self):
        self.assert_edits("negate", "if (done) F();", "if (!done) F();")
        self.assert_edits("negate", "if (!done()) F();", "if (done()) F();")
        self.assert_edits("negate", "while (a < b) F();", "while (!(a < b)) F();")
        self.assert_edits("negate", "if (a == b) F();", "if (a != b) F();")
        self.assert_edits("negate", "if (const int x = f(); x > 1) F();",
                          "if (const int x = f(); !(x > 1)) F();")
        self.assert_edits("negate", "if (auto* x = f()) F();")
        self.assert_edits("negate", "x = is_new ? a : b;", "x = !is_new ? a : b;")

    def test_operands(self):
        self.assert_edits("negate", "if (a && b < c) F();",
                          "if (!a && b < c) F();", "if (a && !(b < c)) F();", "if (!(a && b < c)) F();")
        self.assert_edits("negate", "return a(1, 2) || !b;",
                          "return !(a(1, 2)) || !b;", "return a(1, 2) || b;")
        self.assert_edits("negate", "return x == y;", "return x != y;")

    def test_statements(self):
        self.assert_edits("drop", "log_.CommitTo(index);", ";")
        self.assert_edits("drop", "if (a) return;", "if (a) ;")
        self.assert_edits("drop", "for (int i = 0; i < n; ++i) Add(i);", "for (int i = 0; i < n; ++i) ;")
        self.assert_edits("drop", "std::get<Follower>(role_).leader = leader;", ";")
        self.assert_edits("drop", "count += f(a, b);", ";")
        self.assert_edits("drop", "case kOne: ++count;", "case kOne: ;")

    def test_declarations_and_values_stay(self):
        for statement in ("const Index last = f();", "Index last = f();", "PeerId id;", "Sends sends(n);",
                          "return f();", "auto& x = y;", "std::vector<int> x = y;"):
            self.assert_edits("drop", statement)

    def test_statements_of_functions_within_calls(self):
        self.assertIn(within("f([&](int x) {\n    ;\n  });"),
                      edited(within("f([&](int x) {\n    g(x);\n  });")))

    def test_bounds_and_constants(self):
        self.assert_edits("bound", "if (a < b) F();", "if (a <= b) F();")
        self.assert_edits("bound", "if (a >= b) F();", "if (a > b) F();")
        self.assert_edits("bound", "x = std::vector<int>(y->z << 2);")
        self.assert_edits("constant", "x = y - 1;", "x = y;")
        self.assert_edits("constant", "x = y.next();", "x = y;")
        self.assert_edits("constant", "x = 7;", "x = 8;")
        self.assert_edits("constant", "x = std::get<1>(y2);")

    def test_terms(self):
        self.assert_edits("term", "Reply(message.term);", "Reply(term());")
        self.assertIn(within("if (message.term < term()) F();"),
                      edited(within("if (message.term > term()) F();"), "term"))

    def test_what_is_not_mutated(self):
        for statement in ("INVARIANT(a < b) << \"x\" << 1;", "// if (a < b) return;",
                          "SOMETIMES(kX, a && b);", "REACHED(kX);", "if (BUGGIFY(kX)) size = 1;",
                          "hash->Add(a).Add(1);", "log_.HashInto(&hasher);", "static_assert(a == 1);",
                          "constexpr size_t kFixedRoom = 1 + 7;", "ByteWriter out(kFixedRoom + 1);",
                          "constexpr uint8_t kFormat = 1;", "std::destroy(begin(), end());",
                          "std::allocator<X>().deallocate(elsewhere_, capacity_ + 1);",
                          "leader->reads.ReleaseIfEmpty();", "gated_.shrink_to_fit();",
                          "for (X& x : leader->all) x.ReleaseIfEmpty();"):
            self.assertEqual(edited(within(statement)), set(), statement)
        self.assertEqual(edited("#if A < 1\n#define B(x) \\\n  x + 1\n"), set())
        text = "size_t RoughBytes(const A& a) {\n  size_t n = 1;\n  if (a.b) n += 2;\n  return n;\n}\n"
        self.assertEqual(edited(text), set())
        text = "std::string ToString(Role role) {\n  if (a) {\n    b = 1;\n  }\n  c = 2;\n}\n"
        self.assertEqual(edited(text), set())


class ArgueTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "core").mkdir()
        text = "void F() {\n  a();\n  b();\n  a();\n}\n"
        (self.root / "core/x.cc").write_text(text)
        self.mutants = mechanical.mutants_of("core/x.cc", text)

    def argue(self, *fields):
        text = "\n".join(("id: x", "bug: b", *fields, "--- core/x.cc", "+++ core/x.cc", "@@",
                          "   b();", "-  a();", "+  ;"))
        return mechanical.argue(self.mutants, [mutant.parse(text, "x.mutant")], self.root)

    def test_what_does_the_same_is_excluded(self):
        self.assertEqual([one.id for one in self.mutants], ["M-x-2-drop", "M-x-3-drop", "M-x-4-drop"])
        self.assertEqual([one.fields.get("excluded") for one in self.argue("equivalent: a() does nothing")],
                         [None, None, "a() does nothing"])

    def test_an_argument_says_why(self):
        with self.assertRaisesRegex(mutant.Malformed, "x: it needs a field `equivalent`"):
            self.argue()


class TreeTest(unittest.TestCase):
    def test_every_mutant_applies_and_is_one_of_its_kind(self):
        mutants = mechanical.generate(ROOT)
        self.assertGreater(len(mutants), 1000)
        self.assertEqual(len({one.id for one in mutants}), len(mutants))
        texts = {}
        for one in mutants:
            (change,) = one.changes
            if change.file not in texts:
                texts[change.file] = (ROOT / change.file).read_text()
            self.assertEqual(len(mutant.places(texts[change.file], change.old)), 1, one.id)
            self.assertNotEqual(change.old, change.new, one.id)
            for line in set(one.old.splitlines()) - set(one.new.splitlines()):
                self.assertNotRegex(line.split("//")[0], r"^\s*INVARIANT", one.id)

    def test_the_sample_is_that_of_its_seed(self):
        mutants = mechanical.generate(ROOT)
        self.assertEqual(mechanical.sample(mutants, 5), mechanical.sample(mutants, 5))
        self.assertNotEqual(mechanical.sample(mutants, 5), mechanical.sample(mutants, 6))
        self.assertEqual({one.id for one in mechanical.sample(mutants, 5)}, {one.id for one in mutants})


if __name__ == "__main__":
    sys.exit(unittest.main())
