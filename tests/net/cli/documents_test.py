#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Completion scripts and manual pages name every command and option that --help knows, to the shells
and to the page formatter themselves."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

RUNFILES = os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"])
sys.path.insert(0, os.path.join(RUNFILES, "tests/e2e"))

import terminal

FLAREDB = os.path.join(RUNFILES, "net/cli/flaredb")


def flaredb(*args):
    done = subprocess.run([FLAREDB, *args], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, (args, done.stderr)
    return done.stdout


def read_tree(words=()):
    """{words of a command: (its commands, its options)}, as --help tells them."""
    text = flaredb(*words, "--help")
    section = text.partition("Subcommands:\n")[2]
    commands = re.findall(r"^  ([a-z][\w-]*)", section, re.MULTILINE)
    options = []
    for names in re.findall(r"^  (-\S+)", text, re.MULTILINE):
        options += names.split(",")
    tree = {words: (commands, options)}
    for command in commands:
        tree.update(read_tree((*words, command)))
    return tree


class DocumentsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.tree = read_tree()
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        # The shells' functions may look whether there is such a program.
        os.symlink(FLAREDB, cls.folder + "/flaredb")
        cls.path = cls.folder + ":" + os.environ["PATH"]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def script(self, shell):
        path = f"{self.folder}/completion.{shell}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(flaredb("completion", shell))
        return path

    def queries(self):
        """(what was typed, what must be offered)."""
        for words, (commands, options) in self.tree.items():
            typed = " ".join(("flaredb", *words))
            yield typed + " -", options
            if commands:
                yield typed + " ", commands
        yield "flaredb s", ["server", "shell", "store"]
        yield "flaredb kv cas", ["cas", "cas-delete"]
        yield "flaredb kv get --output ", ["table", "json", "raw"]
        yield "flaredb kv scan --limit 3 -o j", ["json"]
        yield "flaredb completion ", ["bash", "zsh", "fish"]

    def test_the_tree_was_read(self):
        self.assertIn(("kv", "cas-delete"), self.tree)
        self.assertIn("--expect", self.tree["kv", "cas-delete"][1])
        self.assertIn("-o", self.tree["kv", "scan"][1])
        self.assertIn("--peer", self.tree[("server",)][1])

    def test_bash(self):
        script = self.script("bash")
        program = f"source {script}\n"
        for typed, _ in self.queries():
            words = typed.split()
            last = "''" if typed.endswith(" ") else ""
            count = len(words) - (0 if typed.endswith(" ") else 1)
            program += f"COMP_WORDS=({typed} {last}) COMP_CWORD={count}\n_flaredb\n"
            program += 'echo "${COMPREPLY[@]}"\n'
        program += f"cd {self.folder}; mkdir folder; COMP_WORDS=(flaredb server --data-dir fol)\n"
        program += 'COMP_CWORD=3; _flaredb; echo "${COMPREPLY[@]}"\ncomplete -p flaredb\n'
        done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.stderr, "")
        *answers, folder, registered = done.stdout.splitlines()
        for (typed, expected), answer in zip(self.queries(), answers, strict=True):
            self.assertEqual(sorted(answer.split()), sorted(expected), typed)
        self.assertEqual(folder, "folder")
        self.assertEqual(registered, "complete -F _flaredb flaredb")

    def test_fish(self):
        program = f"source {self.script('fish')}\n"
        for typed, _ in self.queries():
            program += f"complete -C '{typed}'\necho =\n"
        done = subprocess.run(
            ["fish", "--no-config", "-c", program], capture_output=True, text=True, timeout=60,
            check=False, env={"PATH": self.path, "HOME": self.folder},
        )
        self.assertEqual(done.stderr, "")
        answers = done.stdout.split("=\n")[:-1]
        for (typed, expected), answer in zip(self.queries(), answers, strict=True):
            words = [line.split("\t")[0] for line in answer.splitlines()]
            self.assertEqual(sorted(words), sorted(expected), typed)

    def test_zsh(self):
        script = self.script("zsh")
        with terminal.Terminal(["zsh", "-f", "-i"], PATH=self.path, HOME=self.folder) as zsh:
            # The quotes keep the echo of a line from being taken for what the line prints.
            zsh.send("unsetopt beep; autoload -Uz compinit; compinit -u -D\n")
            zsh.send(f"source {script}; PS1=rea''dy\n")
            for typed, expected in self.queries():
                zsh.expect("ready")
                # A single match would be put in place of what was typed, and told nowhere.
                zsh.send(typed + ("\t\t" if len(expected) > 1 else "\t"))
                zsh.send("\x15echo do''ne\n")
                shown = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", " ", zsh.expect("done"))
                for word in expected:
                    self.assertRegex(shown, rf"(?<![\w-]){re.escape(word)}(?![\w-])", typed)
                self.assertNotIn("no matches", shown)

    def test_manual_pages(self):
        pages = self.folder + "/man1"
        flaredb("man", "--dir", pages)
        names = ["-".join(("flaredb", *words)) + ".1" for words in self.tree]
        self.assertEqual(sorted(os.listdir(pages)), sorted(names))
        for words, (commands, options) in self.tree.items():
            path = f"{pages}/{'-'.join(('flaredb', *words))}.1"
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), flaredb("man", *words))
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], text=True,
                                  capture_output=True, check=False)
            faults = [line for line in lint.stdout.splitlines() if "missing date" not in line]
            self.assertEqual(faults, [])
            shown = subprocess.run(["mandoc", "-T", "ascii", path], capture_output=True, text=True,
                                   check=True).stdout
            shown = re.sub(".\b", "", shown)  # Bold is a letter printed twice.
            sections = dict(re.findall(r"(?ms)^([A-Z][A-Z ]*)\n(.*?)(?=^[A-Z]|\Z)", shown))
            self.assertLessEqual({"NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS"}, set(sections))
            for section, names in (("COMMANDS", commands), ("OPTIONS", options)):
                for name in names:  # Each begins an entry, alone or behind its short form.
                    entry = rf"(?m)^ {{7}}(-\w[^-]*, )?{re.escape(name)}(?![\w-])"
                    self.assertRegex(sections[section], entry)
            if words:
                self.assertIn("flaredb-" + "-".join(words) + " - ", shown)

    def test_what_makes_no_sense_is_refused(self):
        for args, word in (
            (["completion"], "SHELL"),
            (["completion", "tcsh"], "tcsh"),
            (["man", "kv", "frobnicate"], "flaredb kv frobnicate"),
            (["man", "kv", "--dir", "x"], "--dir"),
        ):
            done = subprocess.run([FLAREDB, *args], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(word, done.stderr)
        done = subprocess.run([FLAREDB, "man", "--dir", "/proc/no"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
