#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of docs/MUTATION.md, and the last line."""

import pathlib
import sys
import tempfile
import unittest

import mutant
import results
import table
from campaign import Verdict
from table import Row

PAGE = """# Words

<!-- begin zoo: written by ./bazelw run //tests/mutants -->
old
<!-- end zoo -->
More words.
<!-- begin mechanical: written by ./bazelw run //tests/mutants -->
<!-- end mechanical -->
The end.
"""
ROWS = [
    Row("A10", "1", "a | b", table.KILLED, "ES", "12", 12, 0.5),
    Row("A2", "2", "late", table.SURVIVED, "", "", 9000, 600.1),
    Row("B1", "1", "no", table.EXCLUDED, why="a type rules it out"),
    Row("G1", "3", "later", table.WAITING, why="several regions"),
    Row("A3", "1", "odd", table.BROKEN),
    Row("A4", "1", "new", table.NOT_RUN),
]


class LastLineTest(unittest.TestCase):
    def test_counts_and_figures(self):
        self.assertEqual(table.last_line(ROWS[:4]),
                         "mutants=4 killed=1 survived=1 excluded=1 waiting=1 "
                         "median_cpu_s=300.3 p95_cpu_s=600.1")

    def test_p95_leaves_one_in_twenty_out(self):
        rows = [Row(f"A{i}", verdict=table.KILLED, cpu_s=float(i)) for i in range(1, 21)]
        self.assertRegex(table.last_line(rows), "median_cpu_s=10.5 p95_cpu_s=19.0$")

    def test_nothing_ran(self):
        self.assertEqual(table.last_line([]),
                         "mutants=0 killed=0 survived=0 excluded=0 waiting=0 median_cpu_s=0.0 p95_cpu_s=0.0")


class PageTest(unittest.TestCase):
    def page(self, rows=ROWS):
        return table.with_part(PAGE, table.ZOO, table.zoo_part(rows, 600))

    def test_what_it_says(self):
        page = self.page()
        self.assertIn("| A10 | 1 | a \\| b | killed | ES | 12 | 12 | 0.5 |\n", page)
        self.assertIn("| A2 | 2 | late | **survived** |  |  | 9000 | 600.1 |\n", page)
        self.assertIn("| A3 | 1 | odd | **broken** |  |  |  |  |\n", page)
        self.assertIn("### Excluded by design\n\n| Id | Tier | Bug | Why |\n| --- | --- | --- | --- |\n"
                      "| B1 | 1 | no | a type rules it out |\n", page)
        self.assertIn("\n" + table.last_line(ROWS) + "\n", page)

    def test_numbers_in_names_count_as_numbers(self):
        page = self.page()
        self.assertLess(page.index("| A2 "), page.index("| A10 "))

    def test_text_around_stays(self):
        page = self.page()
        self.assertTrue(page.startswith("# Words\n\n<!-- begin zoo"))
        self.assertIn("<!-- end zoo -->\nMore words.\n<!-- begin mechanical", page)
        self.assertNotIn("\nold\n", page)
        self.assertEqual(table.with_part(page, table.ZOO, table.zoo_part(ROWS, 600)), page)

    def test_rows_are_read_back(self):
        self.assertEqual(table.rows_of(self.page()), {row.id: row for row in ROWS})
        self.assertEqual(table.rows_of(PAGE), {})

    def test_a_page_without_marks(self):
        for page in (PAGE.replace("<!-- end zoo -->", ""), PAGE.replace("begin zoo", "begin zo"),
                     PAGE + PAGE):
            with self.assertRaisesRegex(table.NoPlace, "needs the lines .*begin zoo.*end zoo"):
                table.with_part(page, table.ZOO, "x")

    def test_mechanical_survivors(self):
        rows = [Row("M-raft-2-drop", bug="a statement is missing", verdict=table.SURVIVED, cpu_s=60.0,
                    place="core/raft/raft.cc:2", old="  a();\n", new="  ;\n"),
                Row("M-raft-3-drop", verdict=table.KILLED, cpu_s=1.0)]
        text = table.mechanical_part(rows, 2, 7, 60)
        self.assertIn("`--sample-seed=7`", text)
        self.assertIn("mutants=2 killed=1 survived=1", text)
        self.assertIn("`M-raft-2-drop`, core/raft/raft.cc:2: a statement is missing\n\n"
                      "```\n-  a();\n+  ;\n```", text)
        self.assertNotIn("M-raft-3-drop", text)


class ResultsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "a/results.json")
        self.one = mutant.Mutant({"id": "A1"}, (mutant.Change("x.cc", "a\n", "b\n"),))

    def test_what_was_put_is_there_in_the_next_run(self):
        verdict = Verdict(killed=True, code="ES", seeds=3, next_seed={"sim": 4})
        results.Results(self.path, "tree").put(self.one, verdict)
        self.assertEqual(results.Results(self.path, "tree").get(self.one), verdict)

    def test_it_belongs_to_the_sources_and_the_change(self):
        results.Results(self.path, "tree").put(self.one, Verdict(seeds=3))
        self.assertEqual(results.Results(self.path, "other").get(self.one), Verdict())
        other = mutant.Mutant({"id": "A1"}, (mutant.Change("x.cc", "a\n", "c\n"),))
        self.assertEqual(results.Results(self.path, "tree").get(other), Verdict())
        renamed = mutant.Mutant({"id": "A2"}, self.one.changes)
        self.assertEqual(results.Results(self.path, "tree").get(renamed), Verdict(seeds=3))

    def test_other_sources_are_remembered_for_a_while(self):
        for tree in range(results.TREES_MAX + 1):
            results.Results(self.path, str(tree)).put(self.one, Verdict(seeds=tree + 1))
        self.assertEqual(results.Results(self.path, "1").get(self.one), Verdict(seeds=2))
        self.assertEqual(results.Results(self.path, "0").get(self.one), Verdict())

    def test_forgetting(self):
        results.Results(self.path, "tree").put(self.one, Verdict(seeds=3))
        known = results.Results(self.path, "tree")
        known.forget([self.one])
        self.assertEqual(known.get(self.one), Verdict())

    def test_a_file_with_something_else(self):
        self.path.parent.mkdir()
        for text in ("words", "[]", '{"tree": {"x": {"colour": 1}}}'):
            self.path.write_text(text)
            with self.assertRaisesRegex(results.Unreadable, "holds no results .*--results"):
                results.Results(self.path, "tree")


if __name__ == "__main__":
    sys.exit(unittest.main())
