# SPDX-License-Identifier: Apache-2.0
"""A copy of the tree to change and build in, kept from run to run so that builds are incremental."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

# Optimised, without -flto: it makes runs a sixth faster, and the build of one changed file several
# times slower. Warnings are no errors: a bug may leave something unused.
BUILD_FLAGS = ("--compilation_mode=opt", "--copt=-fomit-frame-pointer", "--copt=-w")
# What only mutants need stays out of the disk cache.
MUTANT_FLAGS = ("--remote_upload_local_results=false",)
HASHED = ("core/", "examples/", "sim/", "storage/")


class Failed(Exception):
    """The tree itself can't be copied or built; the message is a sentence."""


class DoesNotBuild(Exception):
    """The mutant can't be built; the message is the first error."""


class Scratch:
    """Not for several threads at once, nor, which it sees to, for several processes."""

    def __init__(self, root, folder):
        """`root`: of the sources. `folder`: the copy's, made if missing."""
        self._root = pathlib.Path(root)
        self.folder = pathlib.Path(folder)
        self.tree = self.folder / "tree"
        self.tree.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.folder / "lock", "w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failed(f"Another run works in {self.folder}; wait for it, or give this one a "
                         "--scratch of its own.") from error
        self._build = None  # The process of the latest build.

    def sync(self):
        """Makes the copy equal to the sources. Returns the hash of what simulators are made of."""
        files = sources(self._root)
        for folder, folders, names in os.walk(self.tree):
            here = os.path.relpath(folder, self.tree)
            folders[:] = [name for name in folders if here != "." or not name.startswith("bazel-")]
            for name in names:
                path = os.path.normpath(os.path.join(here, name))
                if path not in files and not path.startswith("bazel-"):
                    os.unlink(os.path.join(folder, name))
        digest = hashlib.sha256()
        for path in sorted(files):
            data = (self._root / path).read_bytes()
            if path.startswith(HASHED):
                digest.update(f"{path}\0{len(data)}\0".encode() + data)
            copy = self.tree / path
            # Equal files are left alone, so that Bazel need not read them again.
            if not copy.is_file() or copy.read_bytes() != data:
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(data)
            copy.chmod((self._root / path).stat().st_mode)
        return digest.hexdigest()

    @contextlib.contextmanager
    def changed_by(self, mutant):
        """Within it, the copy has the mutant's changes. Raises mutant.Malformed."""
        before = {change.file: self._read(change.file) for change in mutant.changes}
        try:
            mutant.apply(self.tree)
            yield
        finally:
            for file, data in before.items():
                if data is not None:
                    (self.tree / file).write_bytes(data)

    def _read(self, file):
        path = self.tree / file
        return path.read_bytes() if path.is_file() else None

    def build_unchanged(self, targets):
        """Shows what Bazel says: the first time, it takes minutes. Raises Failed."""
        self._bazel(["build", *BUILD_FLAGS, *targets], stdout=sys.stderr)

    def build_mutant(self, targets):
        """Returns the wall seconds that it took. Raises DoesNotBuild, Failed."""
        begin = time.monotonic()
        self._bazel(["build", *BUILD_FLAGS, *MUTANT_FLAGS, "--color=no", "--curses=no",
                     "--noshow_progress", *targets], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return time.monotonic() - begin

    def _bazel(self, arguments, **pipes):
        command = ["./bazelw", "--max_idle_secs=300", *arguments]
        # Of `bazel run`, which this was started by.
        env = {name: value for name, value in os.environ.items() if not name.startswith("BUILD_")}
        # In a session of its own: Ctrl-C is for the runner, which then interrupts it.
        self._build = subprocess.Popen(command, cwd=self.tree, env=env, stdin=subprocess.DEVNULL, text=True,
                                       errors="replace", start_new_session=True, **pipes)
        try:
            output = self._build.communicate()[0] or ""
        except KeyboardInterrupt:
            self.interrupt()
            raise
        exit_code = self._build.returncode
        if exit_code == 1 and output:  # "Build failed"
            raise DoesNotBuild(_first_error(output))
        if exit_code != 0:
            raise Failed(f"{' '.join(command)} in {self.tree} failed with exit code {exit_code}."
                         f"\n{output}".rstrip())

    def interrupt(self):
        """Ends the build of another thread; it fails then."""
        build = self._build
        if build is not None and build.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(build.pid, signal.SIGINT)

    def program(self, path):
        return self.tree / "bazel-bin" / path


def _first_error(output):
    match = re.search(r"^(?:\S*/)?((?:core|sim|storage)/\S+: (?:fatal )?error: .*)$", output, re.MULTILINE)
    match = match or re.search(r"(undefined reference to .*|multiple definition of .*)", output)
    return match[1] if match else output.strip().splitlines()[-1]


def sources(root):
    """Paths of the tree's files: what git tracks or would, or else everything but what was built."""
    git = ["git", "-C", str(root)]
    top = subprocess.run([*git, "rev-parse", "--show-toplevel"], capture_output=True, text=True,
                         check=False)
    if top.returncode == 0 and os.path.realpath(top.stdout.strip()) == os.path.realpath(root):
        listed = subprocess.run([*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, text=True, check=True).stdout.split("\0")
        found = {path for path in listed if path and (root / path).is_file()}
    else:
        found = set()
        for folder, folders, names in os.walk(root):
            here = os.path.relpath(folder, root)
            folders[:] = [name for name in folders if name not in (".git", "__pycache__", "node_modules")
                          and not (here == "." and name.startswith("bazel-"))]
            found |= {os.path.normpath(os.path.join(here, name)) for name in names
                      if not (here == "." and name.startswith("bazel-"))}
    if (root / ".bazelrc.user").is_file():
        found.add(".bazelrc.user")
    return found
