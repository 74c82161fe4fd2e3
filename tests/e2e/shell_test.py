#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""flaredb shell: scripts from a pipe, and a person at a terminal."""

import os
import stat
import subprocess
import tempfile
import unittest

import e2e
import terminal


class ShellTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = e2e.Cluster(1)
        cls.cluster.__enter__()
        cls.cluster.wait_for_leader()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    def command(self, *args):
        return [e2e.FLAREDB, "shell", "--addr", self.cluster.addresses[1], *args]

    def pipe(self, script, *args, **variables):
        done = subprocess.run(
            self.command(*args), input=script, capture_output=True, timeout=30, text=True,
            check=False, env={**os.environ, **variables},
        )
        return done.returncode, done.stdout, done.stderr

    def test_a_script_runs_to_its_end(self):
        script = """
            # Comments and empty lines are nothing.
            kv put "two words" 'a "value"'
            kv get two\\ words
            kv cas n 1 --expect 0
            kv scan two --keys-only -o json
            kv get 6e --hex
            exit
            kv put never run
        """
        code, out, err = self.pipe(script)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(
            out,
            'version 1\na "value"\nversion 1\n{"key":"two words","version":1}\n31\n',
        )
        self.assertEqual(self.pipe("kv get never")[0], 1)
        # The last line may lack its end.
        self.assertEqual(self.pipe("kv get n\nkv get n")[1], "1\n1\n")

    def test_a_script_stops_at_the_first_failure_with_its_code(self):
        for line, code, words in (
            ("kv get nothing", 1, "not found: nothing"),
            ("kv frobnicate", 2, "frobnicate"),
            ("frobnicate", 2, "frobnicate"),
            ("kv", 2, "a command"),
            ('kv put k "v', 2, "quote"),
            ("kv put k -", 2, "standard input"),
            ("help frobnicate", 2, "frobnicate"),
            ("kv get k --timeout 0.2 --addr 127.0.0.1:1", 3, "127.0.0.1:1"),
            ("kv get k --namespace nowhere", 4, "nowhere"),
        ):
            with self.subTest(line=line):
                got, out, err = self.pipe(f"kv put s 1 -o raw\n{line}\nkv put stopped 1\n")
                self.assertEqual(got, code, err)
                self.assertEqual(out.count("\n"), 1)
                self.assertIn(words, err)
                self.assertIn("line 2", err)
        self.assertEqual(self.pipe("kv get stopped")[0], 1)

    def test_options_of_the_shell_are_those_of_its_commands(self):
        self.assertEqual(self.pipe("kv put o v -o table", "-o", "json")[1], "version 1\n")
        out = self.pipe("kv get 6f\nkv get 6f -o raw", "-o", "json", "--hex")[1]
        self.assertEqual(out, '{"found":true,"key":"6f","version":1,"value":"76"}\n76\n')
        self.assertEqual(self.pipe("kv get o", "--namespace", "nowhere")[0], 4)
        # What the shell was told counts more than the environment.
        self.assertEqual(self.pipe("kv get o", FLAREDB_CLIENT_ADDR="127.0.0.1:1")[:2], (0, "v\n"))

    def test_help(self):
        code, out, _ = self.pipe("help\nhelp kv cas\nkv get --help\n")
        self.assertEqual(code, 0)
        for word in ("kv", "exit", "--expect", "--with-version"):
            self.assertIn(word, out)

    def test_a_person(self):
        with tempfile.TemporaryDirectory() as folder:
            history = folder + "/history"
            with terminal.Terminal(self.command("--history", history)) as t:

                def type_in(keys, shown):
                    # Not before the prompt: while a command runs, Ctrl-C ends the shell.
                    t.expect("flaredb> ")
                    t.send(keys)
                    t.expect(shown)

                type_in("kv put person 1\n", "version 1\r\n")
                type_in("k\tg\tperson\n", "\r\n1\r\n")  # kv get person
                type_in("kv get nothing\n", "not found: nothing")  # A failure ends nothing.
                type_in("kv put person wrong\x03", "\r\n")
                type_in("kv get person --with-version\n", "\r\n1\t1\r\n")
                type_in("kv ca\t\t", "cas  cas-delete")
                type_in("\x03", "\r\n")
                type_in("kv get --out\tj\tperson\n", '"value":"1"')  # --output json
                type_in("exit\n", "exit\r\n")
                self.assertEqual(t.wait(), 0)
            self.assertEqual(stat.S_IMODE(os.stat(history).st_mode), 0o600)
            with open(history, encoding="utf-8") as file:
                lines = file.read()
            self.assertIn("kv\\040put\\040person\\0401\n", lines)
            self.assertNotIn("wrong", lines)

            with terminal.Terminal(self.command("--history", history)) as t:
                t.expect("flaredb> ")
                t.send("\x1b[A\x1b[A\n")  # Up, up: the line before "exit".
                t.expect('"value":"1"')
                t.expect("flaredb> ")
                t.send("\x04")
                self.assertEqual(t.wait(), 0)


if __name__ == "__main__":
    e2e.main()
