#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every command of the documentation, and compares what it prints with what the text says.

In README.md, CHANGELOG.md and docs/*.md, a block of commands is fenced as sh and output as nothing;
one fenced as `toml FILE` is the content of a file that later commands find.
Commands run in the order of the document; each document has a cluster of its own, started by its
first `playground` or `server` line, or as a playground before its first line that needs one.
Addresses are those of the cluster: 127.0.0.1:50051 in the text is wherever store 1 listens.

  # words          a comment
  # -> OUTPUT      what the command prints; further lines of it follow as comments that begin so.
                   Runs of white space count as one space; `...` stands for anything.
  # -> OUTPUT (exit code N)   the command fails so

Of a campaign whose output is not told, the first seeds are run: nothing is optimised here, and the
question is whether the command is one. Whether the seeds hold is for the tests of the simulators.

A command of a form that this file does not know is a failure: teach it here or change the text.
"""

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

RUNFILES = os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"])
sys.path.insert(0, os.path.join(RUNFILES, "tests/e2e"))

import e2e
import grpcurl

# Label -> program.
PROGRAMS = {
    "//:flaredb": "net/cli/flaredb",
    "//:sim": "sim/sim",
    "//:check_history": "sim/history/check_history",
    "//storage:inspect": "storage/inspect",
    "//storage/sim:campaign": "storage/sim/campaign",
    "//storage/sim:cluster": "storage/sim/cluster",
    "//tests:explore": "tests/explore/explore",
    "//examples/locks:sim": "examples/locks/sim",
    "//examples/metadata:dns": "examples/metadata/dns",
    "//sim/pd:sim": "sim/pd/sim",
}
# In the folder of docs/TUTORIAL.md, whose files are those of examples/tutorial.
TUTORIAL_PROGRAMS = {
    ":sim": "examples/tutorial/sim",
    ":planted": "examples/tutorial/planted",
}
# Programs that are not run, and why; references_test looks whether they exist.
NOT_RUN = {
    "//bench:core": "takes minutes where the core is not optimised; budget_test holds its counts",
    "//sim:fuzz_choices": "needs clang; the corpora are run as tests",
    "//sim:fuzz_grpc": "as above",
    "//sim:fuzz_records": "as above",
    "//sim:fuzz_scenarios": "as above",
    "//sim:fuzz_wire": "as above",
    "//tests/mutants": "takes hours, and writes its page",
    "//tests/scenarios:rewrite": "changes the sources",
    "//tests/trials:bootstrap": "tests/trials runs it, for some seconds",
    "//tests/trials:cut_off": "as above",
    "//tests/trials:flood": "as above",
    "//tests/trials:idle": "as above",
    "//tests/trials:kill": "as above",
    "//tests/trials:mode_switch": "as above",
    "//tests/trials:overload": "as above",
    "//tests/trials:replace": "as above",
}
SECONDS_PER_COMMAND = 120
SEEDS_PER_COMMAND = 5

_FENCE = re.compile(r"^```(.*)$")
_COMMENT = re.compile(r"(?:^|\s+)#(?:\s(.*))?$")
_COMMAND_WORDS = re.compile(r"^\s*(?:\$ |\./bazelw|\./check|bazel |bazelw |flaredb |printf |grpcurl |buf )")


class File:
    """A block that is the content of a file."""

    def __init__(self, place, name):
        self.place = place
        self.text = name
        self.content = ""


class Command:
    def __init__(self, place, text):
        self.place = place  # README.md:12
        self.text = text
        self.words = shlex.split(text)
        self.expected = []  # Lines of output; empty: not told.
        self.exit_code = 0

    def expect(self, comment):
        """Takes what follows `->` in a comment, if anything does."""
        match = re.search(r"(?:^|.*\s)->\s+(.*)$", comment)
        if match is None:
            return
        line = match[1]
        code = re.search(r"\s*\(exit code (\d+)\)$", line)
        if code is not None:
            line, self.exit_code = line[: code.start()], int(code[1])
        self.expected.append(line)


def commands_of(name, text):
    """The commands in the sh blocks of a document. Raises ValueError about what can't be right."""
    commands = []
    fence = None
    pending = ""
    for number, line in enumerate(text.splitlines(), 1):
        place = f"{name}:{number}"
        if match := _FENCE.match(line):
            if pending:
                raise ValueError(f"{place}: the block ends within a command")
            fence = match[1] if fence is None else None
            if fence is not None and fence.startswith("toml "):
                commands.append(File(place, fence.removeprefix("toml ")))
            elif fence not in (None, "sh", ""):
                raise ValueError(f'{place}: a block of "{fence}": fence commands as sh, the rest as nothing')
        elif fence is not None and fence.startswith("toml "):
            commands[-1].content += line + "\n"
        elif fence == "" and _COMMAND_WORDS.match(line):
            raise ValueError(f"{place}: a command in a block that is not tested: fence it as sh")
        elif fence == "sh":
            match = _COMMENT.search(line)
            comment = (match[1] or "") if match else ""
            line = line[: match.start()] if match else line
            if line.endswith("\\"):
                pending += line[:-1]
                continue
            line, pending = pending + line, ""
            if line.strip():
                commands.append(Command(place, line.strip()))
            if comment and commands and isinstance(commands[-1], Command):
                commands[-1].expect(comment)
    if fence is not None:
        raise ValueError(f"{name}: a block is not closed")
    return commands


def few_seeds(words):
    """The words of a campaign of the first seeds."""

    def shorter(match):
        first, last = int(match[1]), int(match[2])
        return f"--seeds={first}..{min(last, first + SEEDS_PER_COMMAND - 1)}"

    return [re.sub(r"^--seeds=(\d+)\.\.(\d+)$", shorter, word) for word in words]


def matches(expected, output):
    """Whether `output` is what the text says: the same lines, up to white space and `...`."""

    def lines(text):
        return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())

    pattern = ".*".join(re.escape(part) for part in lines(expected).split("..."))
    return re.fullmatch(pattern, lines(output), re.DOTALL) is not None


class Document:
    """Runs the commands of one document."""

    def __init__(self):
        # Without links on the way: programs print the path that they find.
        self.folder = os.path.realpath(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        os.symlink(os.path.join(RUNFILES, "tests"), os.path.join(self.folder, "tests"))
        self.playground = None
        self.servers = {}  # Address in the text -> process.
        self.addresses = {}  # Address in the text -> real one.

    def close(self):
        self.stop_cluster()
        shutil.rmtree(self.folder)

    # --- Clusters.

    def start_playground(self):
        self.stop_cluster()
        self.playground = e2e.Playground()
        real = self.playground.addresses
        self.addresses = {f"127.0.0.1:{50050 + i}": real[i] for i in real}

    def start_server(self, words):
        if self.playground:
            self.stop_cluster()
        text = words[words.index("--addr") + 1] if "--addr" in words else "127.0.0.1:50051"
        assert text not in self.servers, f"{text} is already served"
        if not self.addresses:
            ports = e2e.free_ports(3)
            self.addresses = {f"127.0.0.1:{50051 + i}": f"127.0.0.1:{ports[i]}" for i in range(3)}
        with open(os.path.join(self.folder, f"{len(self.servers)}.log"), "wb") as log:
            self.servers[text] = e2e.spawn(
                [e2e.FLAREDB, *map(self.real, words)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if "--namespace-mode" in words:
            e2e.wait_for("the namespaces", lambda: self.log_holds(log.name, "namespace is there"))

    @staticmethod
    def log_holds(path, text):
        with open(path, encoding="utf-8") as log:
            return text in log.read()

    def need_cluster(self):
        if not self.playground and not self.servers:
            self.start_playground()
        for process in self.servers.values():
            assert process.poll() is None, f"a server ended with {process.poll()}"

    def stop_cluster(self):
        if self.playground:
            self.playground.close()
            self.playground = None
        for process in self.servers.values():
            process.terminate()
        for process in self.servers.values():
            code = process.wait(timeout=30)
            assert code == 0, f"a server ended with {code}"
        self.servers = {}
        self.addresses = {}

    def real(self, word):
        """`word` with the addresses of the text replaced by real ones."""
        return re.sub(
            r"127\.0\.0\.1:5005\d", lambda m: self.addresses.get(m[0], m[0]), word
        )

    # --- Commands.

    def run(self, command):
        """(exit code, output) of a command, or None if it is one that is not to be run here."""
        words = command.words if command.expected else few_seeds(command.words)
        program = words[0]
        if program == "printf" and words[2:4] == ["|", "flaredb"]:
            return self.flaredb(words[4:], script=words[1].replace("\\n", "\n"))
        if program == "flaredb":
            return self.flaredb(words[1:])
        if program == "grpcurl":
            self.need_cluster()
            return grpcurl.run([self.real(word) for word in words[1:]])
        if program == "./bazelw":
            return self.bazelw(words[1:])
        if program == "bazel":
            return self.tutorial(words[1:])
        if program == "./check":
            return self.known_options(words[1:], "check")
        if program == "install" and len(words) == 3:
            assert words[1].removeprefix("bazel-bin/") in PROGRAMS.values(), f"nothing builds {words[1]}"
            return None
        raise AssertionError("a command of a form that tests/docs/docs_test.py does not know")

    def flaredb(self, words, script=None):
        if words[0] == "playground" and "--help" not in words:
            assert words == ["playground"], words
            self.start_playground()
            return None
        if words[0] == "server" and "--help" not in words:
            self.start_server(words)
            return None
        if words[0] in ("kv", "raw", "ns", "store", "shell") and "--help" not in words:
            self.need_cluster()
            if "--addr" not in words:
                words = [*words, "--addr", "127.0.0.1:50051"]
        return self.execute([e2e.FLAREDB, *map(self.real, words)], script)

    def bazelw(self, words):
        verb, *words = words
        config = words.pop(0) if words[0].startswith("--config=") else None
        with open(os.path.join(RUNFILES, ".bazelrc"), encoding="utf-8") as file:
            known = set(re.findall(r"^build:(\w+)", file.read(), re.MULTILINE))
        assert config is None or config.removeprefix("--config=") in known, f"no {config} in .bazelrc"
        label, *words = words
        if verb == "run" and label == "//tests/mutants":
            return self.known_options([word.split("=")[0] for word in words], "tests/mutants/flags.py")
        if verb == "run" and label.startswith("//tests/trials:"):
            return self.known_options(words, label[2:].replace(":", "/") + ".py")
        # Tests are run as tests.
        if verb == "test" or (verb == "run" and label in NOT_RUN):
            # libFuzzer's options are libFuzzer's to check.
            assert not words or config == "--config=fuzz", words
            return None
        assert label in PROGRAMS, f"{label} is not in PROGRAMS"
        if verb == "build":
            assert not words, words
            return None
        assert verb == "run", f"{verb} is no verb that is known here"
        if words:
            separator, *words = words
            assert separator == "--", "arguments of the program follow --"
        if label == "//:flaredb":
            return self.flaredb(words)
        if label == "//examples/metadata:dns":
            self.need_cluster()
            self.copy("examples/metadata/services.toml")
        return self.execute([os.path.join(RUNFILES, PROGRAMS[label]), *words])

    def tutorial(self, words):
        verb, label, *words = words
        if verb == "test":
            assert (label, words) == (":tickets_test", []), label
            return None
        assert verb == "run" and label in TUTORIAL_PROGRAMS, f"the tutorial has no {label} to {verb}"
        if words:
            separator, *words = words
            assert separator == "--", "arguments of the program follow --"
        return self.execute([os.path.join(RUNFILES, TUTORIAL_PROGRAMS[label]), *words])

    def copy(self, path):
        """A file of the tree, with the addresses of the cluster, where its name in the text is."""
        target = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(os.path.join(RUNFILES, path), encoding="utf-8") as file:
            text = self.real(file.read())
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)

    def known_options(self, words, script):
        with open(os.path.join(RUNFILES, script), encoding="utf-8") as file:
            text = file.read()
        for word in words:
            assert not word.startswith("-") or word in text, f"{script} has no {word}"

    def execute(self, arguments, script=None):
        # `bazel run` tells programs where they were called from.
        done = subprocess.run(
            arguments,
            cwd=self.folder,
            env={**os.environ, "BUILD_WORKING_DIRECTORY": self.folder},
            input=script or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_PER_COMMAND,
            check=False,
        )
        return done.returncode, done.stdout

    def check(self, command):
        if isinstance(command, File):
            with open(os.path.join(self.folder, command.text), "w", encoding="utf-8") as file:
                file.write(command.content)
            return
        result = self.run(command)
        if result is None:
            assert not command.expected, "the output of this command is not known here"
            return
        code, output = result
        assert code == command.exit_code, f"exit code {code}, not {command.exit_code}: {output}"
        if command.expected:
            expected = self.real("\n".join(command.expected))
            assert matches(expected, output), f"prints {output!r}, not {expected!r}"


def documents():
    root = os.path.join(RUNFILES, "docs")
    return [
        *(os.path.join(RUNFILES, name) for name in ("README.md", "CHANGELOG.md")),
        *sorted(glob.glob(os.path.join(root, "*.md"))),
    ]


class DocumentationTest(unittest.TestCase):
    maxDiff = None

    def test_every_command(self):
        paths = documents()
        self.assertGreater(len(paths), 4)
        count = 0
        for path in paths:
            name = os.path.relpath(path, RUNFILES)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            document = Document()
            self.addCleanup(document.close)
            try:
                commands = commands_of(name, text)
            except ValueError as error:
                with self.subTest(document=name):
                    self.fail(str(error))
                continue
            for command in commands:
                with self.subTest(line=command.place, command=command.text):
                    print(f"{command.place}: {command.text}", flush=True)
                    document.check(command)
                    count += 1
            document.stop_cluster()
        self.assertGreater(count, 10)


class ReaderTest(unittest.TestCase):
    """The reader sees what is wrong."""

    def check(self, *lines):
        document = Document()
        try:
            for command in commands_of("x.md", "\n".join(["```sh", *lines, "```"])):
                document.check(command)
        finally:
            document.close()

    def assert_wrong(self, what, *lines):
        with self.assertRaisesRegex((AssertionError, ValueError), what):
            self.check(*lines)

    def test_right_commands(self):
        self.check(
            "# words",
            "./bazelw test //...",
            "flaredb kv cas k v --expect 0   # create -> version 1",
            "flaredb kv scan",
            "# -> k 1 v",
            "flaredb kv get nothing  # -> not found: nothing (exit code 1)",
            'grpcurl -plaintext -d \'{"key": "k"}\' \\',
            "  127.0.0.1:50052 kvrpc.KvCas/Get",
            '# -> {"found": true, "value": "v", "version": "1", "appliedIndex": "..."}',
        )

    def test_files(self):
        document = Document()
        text = "```toml f.toml\nstore-id = 1\n```\n```sh\nflaredb config check f.toml  # -> ...1 settings...\n```"
        for command in commands_of("x.md", text):
            document.check(command)
        document.close()

    def test_campaigns_are_short_unless_their_output_is_told(self):
        self.check("./bazelw run //:sim -- --seeds=7..1000000000")
        self.check("./bazelw run //:sim -- --seeds=7..12  # -> ...seeds=6 failed=0 ...")
        self.assertEqual(few_seeds(["--seeds=7..1000", "--seeds=1..2"]), ["--seeds=7..11", "--seeds=1..2"])

    def test_wrong_results(self):
        self.assert_wrong("prints .*version 1", "flaredb kv put k v  # -> version 2")
        self.assert_wrong("exit code 1, not 0", "flaredb kv get k")
        self.assert_wrong("exit code 0, not 1", "flaredb kv put k v # -> version 1 (exit code 1)")

    def test_wrong_commands(self):
        self.assert_wrong("exit code 2", "flaredb kv frobnicate")
        self.assert_wrong("exit code 2", "./bazelw run //:sim -- --sed=1")
        self.assert_wrong("form", "curl example.org")
        self.assert_wrong("PROGRAMS", "./bazelw run //:nothing")
        self.assert_wrong("bazelrc", "./bazelw run --config=nothing //:sim -- --help")
        self.assert_wrong("check has no", "./check --quickly")
        self.assert_wrong("nothing builds", "install bazel-bin/net/flaredb /usr/local/bin")
        self.assert_wrong("within a command", "flaredb \\")

    def test_untested_blocks(self):
        for text in ("```\nflaredb kv get k\n```", "```bash\nls\n```", "```sh\n"):
            with self.assertRaises(ValueError):
                commands_of("x.md", text)


if __name__ == "__main__":
    sys.exit(unittest.main())
