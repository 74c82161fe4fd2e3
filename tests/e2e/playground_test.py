#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""flaredb playground: quickly there, and gone without a trace however it ends."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import termios
import time
import unittest

import e2e
import terminal


class PlaygroundTest(unittest.TestCase):
    def setUp(self):
        self.playground = e2e.Playground()

    def tearDown(self):
        self.playground.close()

    def test_it_is_ready_and_its_commands_work(self):
        # The aim is 2 s on a quiet machine; a test machine is not quiet.
        self.assertLess(self.playground.ready_after, 10)
        self.assertEqual(sorted(self.playground.addresses), [1, 2, 3])
        commands = re.findall(r"^  (\S*flaredb kv .*)$", self.playground.text, re.MULTILINE)
        outputs = []
        for command in commands:
            words = shlex.split(command)
            self.assertTrue(os.path.samefile(words[0], e2e.FLAREDB), command)
            outputs.append(e2e.run(*words[1:])[:2])
        self.assertEqual(outputs, [(0, "version 1\n"), (0, "hello\n"), (0, "version 2\n")])

    def test_signals_end_it(self):
        self.playground.process.send_signal(signal.SIGINT)
        self.assertEqual(self.playground.process.wait(timeout=15), 0)
        self.assertTrue(self.playground.gone())

    def test_kill_9_ends_it_as_well(self):
        self.playground.process.kill()
        self.playground.process.wait()
        e2e.wait_for("the end of everything", self.playground.gone)

    def test_a_killed_store_is_reported_and_can_be_started_by_hand(self):
        os.kill(self.playground.pids[1], signal.SIGKILL)
        text = self.playground.read_until("flaredb server")
        self.assertIn("Store 1 (pid %d) was ended by signal 9" % self.playground.pids[1], text)
        others = ",".join(self.playground.addresses[i] for i in (2, 3))
        self.assertEqual(e2e.run("kv", "put", "k", "v", "--addr", others)[:2], (0, "version 1\n"))

        command = shlex.split(text.strip().splitlines()[-1])
        by_hand = e2e.spawn(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        own = self.playground.addresses[1]
        e2e.wait_for(
            "the restarted store", lambda: e2e.run("kv", "get", "k", "--addr", own)[1] == "v\n"
        )
        # It is part of the playground all the same.
        self.playground.process.terminate()
        self.assertEqual(self.playground.process.wait(timeout=15), 0)
        by_hand.wait(timeout=10)


class PlaygroundAtATerminalTest(unittest.TestCase):
    def start(self, *args):
        folder = tempfile.mkdtemp(prefix="e2e-", dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, folder)
        t = self.enterContext(terminal.Terminal(
            [e2e.FLAREDB, "playground", *args], columns=300, TMPDIR=folder, HOME=folder,
            FLAREDB_CLIENT_ADDR="127.0.0.1:1"))
        welcome = t.expect("Then kill a store")
        pids = [int(pid) for pid in re.findall(r"pid (\d+)", welcome)]
        self.assertEqual(len(pids), 3)
        return folder, t, pids, welcome

    def assert_nothing_is_left(self, folder):
        e2e.wait_for("the end of everything", lambda: not e2e.processes_with(folder))
        self.assertEqual([name for name in os.listdir(folder) if name != ".flaredb_history"], [])

    def test_a_shell_is_there_and_its_end_is_the_end(self):
        folder, t, pids, welcome = self.start()
        self.assertIn("Leaving the shell ends and removes them", welcome)
        t.expect("flaredb> ")
        t.send("kv put greeting hello\n")
        t.expect("version 1")
        t.expect("flaredb> ")
        for line in ("half a li", "", ""):
            t.send(f"{line}\x03")  # Ctrl-C is for the line.
            t.expect("flaredb> ")
        os.kill(pids[0], signal.SIGKILL)
        t.expect(f"Store 1 (pid {pids[0]}) was ended by signal 9")
        t.send("\nkv get greeting\n")
        t.expect("hello")
        t.expect("flaredb> ")
        t.send("exit\n")
        t.expect("Stopped; nothing is left.")
        self.assertEqual(t.wait(), 0)
        self.assert_nothing_is_left(folder)

    def test_a_signal_ends_the_shell_and_leaves_the_terminal_as_it_was(self):
        folder, t, _, _ = self.start()
        t.expect("flaredb> ")
        e2e.wait_for("the editor", lambda: not self.echoes(t))
        t.process.terminate()
        t.expect("Stopped; nothing is left.")
        self.assertTrue(self.echoes(t))
        self.assertEqual(t.wait(), 0)
        self.assert_nothing_is_left(folder)

    def test_a_command_that_is_given_up_costs_a_shell_only(self):
        folder, t, pids, _ = self.start()
        t.expect("flaredb> ")
        for pid in pids[1:]:
            os.kill(pid, signal.SIGSTOP)
        t.send("kv put greeting hello --timeout 60\n")
        e2e.wait_for("the command", lambda: self.echoes(t))
        time.sleep(0.5)
        t.send("\x03")
        t.expect("flaredb> ")
        for pid in pids[1:]:
            os.kill(pid, signal.SIGCONT)
        t.send("kv put another hello\n")
        t.expect("version 1")
        t.send("exit\n")
        t.expect("Stopped; nothing is left.")
        self.assertEqual(t.wait(), 0)
        self.assert_nothing_is_left(folder)

    def test_a_shell_that_is_killed_leaves_the_terminal_as_it_was(self):
        folder, t, _, _ = self.start()
        t.expect("flaredb> ")
        e2e.wait_for("the editor", lambda: not self.echoes(t))
        for pid in e2e.processes_with("shell\0--addr"):
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) == t.process.pid:
                    os.kill(pid, signal.SIGKILL)
        t.expect("Stopped; nothing is left.")
        self.assertTrue(self.echoes(t))
        self.assertEqual(t.wait(), 0)
        self.assert_nothing_is_left(folder)

    @staticmethod
    def echoes(t):
        return bool(termios.tcgetattr(t.fd)[3] & termios.ECHO)

    def test_without_a_shell_ctrl_c_ends_it(self):
        folder, t, _, welcome = self.start("--no-shell")
        self.assertIn("in another terminal", welcome)
        t.send("\x03")
        t.expect("Stopped; nothing is left.")
        self.assertEqual(t.wait(), 0)
        self.assert_nothing_is_left(folder)


if __name__ == "__main__":
    e2e.main()
