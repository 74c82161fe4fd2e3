# SPDX-License-Identifier: Apache-2.0
"""The generic campaigns, and their verdict on one program.

A campaign runs the seeds 1, 2, 3, ... in slices of a few CPU-seconds, each a process of its own, so
that what was used can be measured, and an interrupted campaign goes on where it was.
"""

import dataclasses
import os
import re
import signal
import subprocess
import tempfile
import time

SLICE_CPU_S = 5.0  # What a slice should take.
FIRST_SLICE_SEEDS = 16
GROWTH = 4  # From one slice to the next, at most.
# A slice that takes so long gets nowhere: it is planned for a tenth of it.
HANG_CPU_S = 60.0
HANG_WALL_S = 30 * HANG_CPU_S  # Somebody else may have the cores; a deadlock uses none.
MEMORY_BYTES = 4 << 30  # A bug that collects for ever must not take the machine's.


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    target: str
    program: str  # Below bazel-bin.
    flags: tuple
    folder: str  # Whose changes it judges; empty: those that no other kind judges alone.
    failure: str  # Expression for a failure on standard output: code (perhaps), sentence, seed.
    alone: bool = True  # Nobody else judges changes of its folder.


_SIM_FAILURE = r"^(?P<code>[A-Z]+): (?P<sentence>.*?)\nreplay: [^\n]*--seed=(?P<seed>\d+)"
SIM = Kind("sim", "//sim:sim", "sim/sim", ("--minimise=0",), "", _SIM_FAILURE)
# A state machine that deletes rows, as FlareDB's own never does.
LOCKS = Kind("locks", "//examples/locks:sim", "examples/locks/sim", ("--minimise=0",), "core/region/",
             _SIM_FAILURE, alone=False)
# The disk alone, with what can fail below it; and clusters on it.
STORAGE = Kind("storage", "//storage/sim:campaign", "storage/sim/campaign", (), "storage/",
               r"^seed (?P<seed>\d+): (?P<sentence>.*?)\nreplay: ")
CLUSTER = Kind("cluster", "//storage/sim:cluster", "storage/sim/cluster", ("--minimise=0",), "storage/",
               _SIM_FAILURE)
KINDS = (SIM, LOCKS, STORAGE, CLUSTER)
STORAGE_CODE = "STORAGE"  # Of failures that have none.


def kinds_for(files):
    """The campaigns that run what stands in `files`, paths from the root of the tree."""
    special = [kind for kind in KINDS if kind.folder and any(f.startswith(kind.folder) for f in files)]
    covered = tuple(kind.folder for kind in special if kind.alone)
    others = not covered or any(not file.startswith(covered) for file in files)
    return ((SIM,) if others else ()) + tuple(special)


@dataclasses.dataclass
class Verdict:
    """What is known so far; a value to keep in a file."""

    killed: bool = False
    code: str = ""  # docs/SIMULATION.md lists them; DIED, HANG.
    seed: str = ""  # The one that failed; "A..B": one of these.
    sentence: str = ""
    seeds: int = 0  # That were run.
    cpu_s: float = 0.0  # User and system time of the campaign's processes.
    next_seed: dict = dataclasses.field(default_factory=dict)  # By the name of the kind.
    kind_cpu_s: dict = dataclasses.field(default_factory=dict)


class Stopped(Exception):
    """Somebody asked for it."""


class Confused(Exception):
    """A campaign ended in a way that says nothing about the mutant."""


@dataclasses.dataclass(frozen=True)
class Slice:
    exit_code: int  # Negative: of a signal.
    output: str
    cpu_s: float
    hangs: bool


def judge(programs, budget_s, verdict, stop, report):
    """Runs campaigns until one fails or all together have used `budget_s` CPU-seconds.

    programs  by Kind
    verdict   what an earlier call came to; it goes on from there, and changes it
    stop      a threading.Event that ends it with Stopped; what was run until then is in `verdict`
    report    is called with no arguments after every slice
    """
    rate = {}  # Seeds per CPU-second.
    size = {kind: FIRST_SLICE_SEEDS for kind in programs}
    while not verdict.killed and verdict.cpu_s < budget_s:
        kind = min(programs, key=lambda kind: verdict.kind_cpu_s.get(kind.name, 0.0))
        if kind in rate:
            wanted = rate[kind] * min(SLICE_CPU_S, budget_s - verdict.cpu_s)
            size[kind] = max(1, min(size[kind] * GROWTH, round(wanted)))
        first = verdict.next_seed.get(kind.name, 1)
        last = first + size[kind] - 1
        done = run_slice(kind, programs[kind], first, last, stop)
        rate[kind] = size[kind] / max(done.cpu_s, 0.001)
        verdict.cpu_s += done.cpu_s
        verdict.kind_cpu_s[kind.name] = verdict.kind_cpu_s.get(kind.name, 0.0) + done.cpu_s
        verdict.next_seed[kind.name] = last + 1
        _conclude(kind, programs[kind], first, last, done, verdict, stop)
        report()


def _conclude(kind, program, first, last, done, verdict, stop):
    """Adds the slice `done` of the seeds [first, last] to the verdict."""
    verdict.seeds += last - first + 1
    if done.exit_code == 0:
        return
    verdict.killed = True
    verdict.seed = f"{first}..{last}" if first < last else str(first)
    if done.hangs:
        verdict.code = "HANG"
        verdict.sentence = f"{last - first + 1} runs did not end within {HANG_CPU_S:.0f} CPU-seconds."
        return
    failure = re.search(kind.failure, done.output, re.MULTILINE | re.DOTALL)
    if failure is not None:
        verdict.seed = failure["seed"]
        verdict.seeds -= last - int(failure["seed"])
        verdict.sentence = failure["sentence"].splitlines()[0]
        verdict.code = failure.groupdict().get("code") or STORAGE_CODE
        return
    if done.exit_code > 0 and done.exit_code < 128 and not done.output.strip():
        raise Confused(f"{kind.target} ended with exit code {done.exit_code} and said nothing.")
    if done.exit_code == 2:
        raise Confused(f"{kind.target} does not know its flags: {done.output.strip()}")
    at = _first_death(kind, program, first, last, stop)
    verdict.code = "DIED"
    verdict.seed = str(at)
    verdict.seeds -= last - at
    last_words = done.output.strip().splitlines()[-1:] or [""]
    how = (f"signal {-done.exit_code}" if done.exit_code < 0 else f"exit code {done.exit_code}")
    verdict.sentence = f"the simulator died ({how}): {last_words[0]}".removesuffix(": ")


def _first_death(kind, program, first, last, stop):
    """The seed of [first, last], of which one ends the process, that does."""
    while first < last:
        middle = (first + last) // 2
        if run_slice(kind, program, first, middle, stop).exit_code != 0:
            last = middle
        else:
            first = middle + 1
    return first


def run_slice(kind, program, first, last, stop):
    """Runs the seeds [first, last]."""
    # The shell sets limits and is the program then. The soft one of time comes first: a signal.
    limits = f"ulimit -v {MEMORY_BYTES >> 10}; ulimit -t {HANG_CPU_S:.0f}; exec \"$@\""
    command = ["/bin/sh", "-c", limits, "sh", str(program), f"--seeds={first}..{last}", *kind.flags]
    with tempfile.TemporaryFile() as output:
        # In a session of its own: Ctrl-C is for the runner, which then ends it.
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        begin = time.monotonic()
        killed = False
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            late = time.monotonic() - begin > HANG_WALL_S
            if (stop.is_set() or late) and not killed:
                os.killpg(child.pid, signal.SIGKILL)
                killed = True
            time.sleep(0.02)
        child.returncode = os.waitstatus_to_exitcode(status)
        if stop.is_set() and killed:
            raise Stopped
        output.seek(0)
        text = output.read().decode(errors="replace")
    cpu_s = usage.ru_utime + usage.ru_stime
    # The kernel's own account for the limit runs a few percent ahead.
    hangs = killed or (child.returncode < 0 and cpu_s >= 0.9 * HANG_CPU_S)
    return Slice(child.returncode, text, cpu_s, hangs)
