#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verdicts on programs that do what bad simulators do."""

import pathlib
import sys
import tempfile
import threading
import unittest

import campaign
from campaign import CLUSTER, LOCKS, SIM, STORAGE, Verdict

# $1 is --seeds=A..B.
SEEDS = 'range=${1#--seeds=}; first=${range%..*}; last=${range#*..}\n'


class JudgeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.stop = threading.Event()
        self.reports = 0

    def program(self, text, name="sim"):
        path = self.folder / name
        path.write_text("#!/bin/bash\n" + SEEDS + text)
        path.chmod(0o755)
        return path

    def judge(self, programs, budget_s=1.0, verdict=None):
        def report():
            self.reports += 1

        verdict = verdict or Verdict()
        campaign.judge(programs, budget_s, verdict, self.stop, report)
        return verdict

    def test_a_failing_seed(self):
        verdict = self.judge({SIM: self.program(
            '(( last < 100 )) && exit 0\necho "LC: store 2 lacks 5."\n'
            'echo "replay: ./bazelw run //:sim -- --seed=87"\nexit 1\n')})
        self.assertTrue(verdict.killed)
        self.assertEqual((verdict.code, verdict.seed, verdict.seeds), ("LC", "87", 87))
        self.assertEqual(verdict.sentence, "store 2 lacks 5.")
        self.assertGreater(verdict.cpu_s, 0)

    def test_a_failure_of_several_lines(self):
        verdict = self.judge({SIM: self.program(
            'echo "DET: two runs part."\necho "  one run:"\n'
            'echo "replay: ./bazelw run //:sim -- --seed=3"\nexit 4\n')})
        self.assertEqual((verdict.code, verdict.seed, verdict.sentence), ("DET", "3", "two runs part."))

    def test_the_storage_campaign(self):
        verdict = self.judge({STORAGE: self.program(
            'echo "seed 7: row 3 is lost."\necho "replay: ./bazelw run ..."\nexit 1\n')})
        self.assertEqual((verdict.code, verdict.seed, verdict.sentence), ("STORAGE", "7", "row 3 is lost."))

    def test_a_survivor_uses_its_budget(self):
        verdict = self.judge({SIM: self.program("for ((i = first * 50; i <= last * 50; ++i)); do :; done\n")})
        self.assertFalse(verdict.killed)
        self.assertGreaterEqual(verdict.cpu_s, 1.0)
        self.assertLess(verdict.cpu_s, 3.0)
        self.assertEqual(verdict.next_seed, {"sim": verdict.seeds + 1})
        self.assertGreater(self.reports, 1)

    def test_two_campaigns_share_the_budget(self):
        busy = "for ((i = first * 50; i <= last * 50; ++i)); do :; done\n"
        verdict = self.judge({SIM: self.program(busy), STORAGE: self.program(busy, "storage")})
        self.assertEqual(set(verdict.kind_cpu_s), {"sim", "storage"})
        self.assertAlmostEqual(sum(verdict.kind_cpu_s.values()), verdict.cpu_s)

    def test_it_goes_on_where_it_was(self):
        seen = self.folder / "seen"
        program = self.program(f'echo "$first" >> {seen}\n')
        before = Verdict(seeds=40, cpu_s=0.9, next_seed={"sim": 41}, kind_cpu_s={"sim": 0.9})
        verdict = self.judge({SIM: program}, verdict=before, budget_s=0.91)
        self.assertEqual(seen.read_text().split()[0], "41")
        self.assertGreater(verdict.seeds, 40)

    def test_a_death_is_brought_home_to_its_seed(self):
        verdict = self.judge({SIM: self.program(
            'if (( first <= 11 && 11 <= last )); then echo "what(): no"; kill -ABRT $$; fi\n')})
        self.assertEqual((verdict.code, verdict.seed, verdict.seeds), ("DIED", "11", 11))
        self.assertEqual(verdict.sentence, "the simulator died (signal 6): what(): no")

    def test_what_never_ends(self):
        self.limit_hangs(cpu_s=1.0, wall_s=60.0)
        verdict = self.judge({SIM: self.program("while :; do :; done\n")})
        self.assertEqual((verdict.code, verdict.seed), ("HANG", "1..16"))
        self.assertGreater(verdict.cpu_s, 0.9)

    def test_what_never_ends_and_does_nothing(self):
        self.limit_hangs(cpu_s=60.0, wall_s=1.0)
        verdict = self.judge({SIM: self.program("exec sleep 1000\n")})
        self.assertEqual((verdict.code, verdict.seed), ("HANG", "1..16"))

    def limit_hangs(self, cpu_s, wall_s):
        for name, value in (("HANG_CPU_S", cpu_s), ("HANG_WALL_S", wall_s)):
            self.addCleanup(setattr, campaign, name, getattr(campaign, name))
            setattr(campaign, name, value)

    def test_a_runner_that_is_stopped(self):
        threading.Timer(0.3, self.stop.set).start()
        verdict = Verdict()
        with self.assertRaises(campaign.Stopped):
            self.judge({SIM: self.program("exec sleep 1000\n")}, verdict=verdict)
        self.assertEqual(verdict, Verdict())

    def test_wrong_usage_is_no_kill(self):
        with self.assertRaisesRegex(campaign.Confused, "flags: --minimise: no such"):
            self.judge({SIM: self.program('echo "--minimise: no such" >&2\nexit 2\n')})
        with self.assertRaisesRegex(campaign.Confused, "exit code 127 and said nothing"):
            self.judge({SIM: self.program("exit 127\n")})


class KindsTest(unittest.TestCase):
    def test_who_judges_what(self):
        self.assertEqual(campaign.kinds_for({"core/raft/raft.cc"}), (SIM,))
        self.assertEqual(campaign.kinds_for({"storage/key_space.cc"}), (STORAGE, CLUSTER))
        self.assertEqual(campaign.kinds_for({"core/region/overlay.cc"}), (SIM, LOCKS))
        self.assertEqual(campaign.kinds_for({"core/region/overlay.cc", "storage/key_space.cc"}),
                         (SIM, LOCKS, STORAGE, CLUSTER))
        self.assertEqual(campaign.kinds_for({"storage/key_space.cc", "core/raft/log.h"}),
                         (SIM, STORAGE, CLUSTER))


if __name__ == "__main__":
    sys.exit(unittest.main())
