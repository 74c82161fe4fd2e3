#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The simulator on a terminal: a progress line that is rewritten in place and leaves nothing behind.
And its report for scripts, read by one."""

import json
import os
import pty
import subprocess
import sys
import tempfile
import unittest

SIM = os.path.abspath(sys.argv.pop(1))


def read_all(terminal):
    """What was shown until the other side was closed."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            piece = b""
        if not piece:
            return shown.decode()
        shown += piece


class ProgressTest(unittest.TestCase):
    def test_progress_is_rewritten_in_place_and_wiped(self):
        terminal, errors = pty.openpty()
        with subprocess.Popen(
            [SIM, "--minutes=0.04", "--jobs=2"], stdout=subprocess.PIPE, stderr=errors
        ) as process:
            os.close(errors)
            shown = read_all(terminal)
            output = process.stdout.read().decode()
        os.close(terminal)
        self.assertEqual(process.returncode, 0)
        lines = shown.split("\r\x1b[K")
        self.assertEqual(lines.pop(), "", "nothing is left behind")
        self.assertGreaterEqual(len(lines), 2)
        form = r"^seeds \d+  \d+/s  sim \d+ min  \d+x  probes \d+/\d+  failures 0$"
        for line in lines:
            self.assertRegex(line, form)
        self.assertNotIn("\x1b", output)

    def test_the_report_is_json_and_complete(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.json")
            output = subprocess.run(
                [SIM, "--seeds=1..20", f"--json={path}"], stdout=subprocess.PIPE, check=True
            ).stdout.decode()
            with open(path, encoding="utf-8") as file:
                report = json.load(file)
        self.assertIn(f"hash={report['hash']}\n", output)
        self.assertEqual(report["seeds"], 20)
        self.assertEqual(report["failures"], [])
        self.assertGreater(report["faults"]["split"]["fired"], 0)
        hit = sum(count > 0 for count in report["probes"].values())
        self.assertIn(f"probes={len(report['probes'])} hit={hit} ", output)
        self.assertGreater(report["features"]["compactions"], 0)
        self.assertIn("split-batch", report["buggify"])


if __name__ == "__main__":
    unittest.main()
