# SPDX-License-Identifier: Apache-2.0
"""What the trials share. Each is a program for a person and, in small, a test:

  ./bazelw run --config=opt //tests/trials:kill -- --kills 50
  ./bazelw test //tests/trials:kill_test
"""

import json
import os
import random
import signal
import subprocess
import sys

# `bazel run` starts a program in its runfiles, and tells a test where these are.
os.environ.setdefault("TEST_SRCDIR", os.path.dirname(os.getcwd()))
os.environ.setdefault("TEST_WORKSPACE", os.path.basename(os.getcwd()))
sys.path.insert(
    0, os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"], "tests/e2e")
)

import e2e  # noqa: E402

STRONG_LOAD = e2e.runfile("tests/trials/strong_load")
MODE_SWITCH_LOAD = e2e.runfile("tests/trials/mode_switch_load")
OVERLOAD_LOAD = e2e.runfile("tests/trials/overload_load")
CHECK_HISTORY = e2e.runfile("sim/history/check_history")


class Failed(Exception):
    """A promise was broken; the sentence says which."""


class NotJudged(Exception):
    """A measurement does not tell whether a promise was broken; the sentence says why."""


def require(condition, sentence, excuse=""):
    """`excuse`: of the e2e.Machine of a measurement, "" without one."""
    if condition:
        return
    if excuse:
        raise NotJudged(f"{sentence}, but {excuse}")
    raise Failed(sentence)


def chance(seed):
    """The random choices of a trial, which differ unless a seed is given."""
    seed = random.randrange(10**6) if seed is None else seed
    say(f"--seed {seed}")
    return random.Random(seed)


def say(text):
    print(text, flush=True)


def run_trial(trial, *args):
    """Ends the program: 0 if `trial` ended or could not be judged, 1 if a promise was broken."""
    try:
        trial(*args)
    except (Failed, AssertionError) as error:
        say(f"FAILED: {error}")
        sys.exit(1)
    except NotJudged as error:
        say(f"not judged: {error}")
        sys.exit(0)
    say("held")


class Load:
    """strong_load on some stores, from now until finish()."""

    def __init__(self, cluster, name="history", stores=None, **options):
        self.history = f"{cluster.folder}/{name}"
        addresses = [cluster.addresses[i] for i in (stores or cluster.addresses)]
        args = ["--addr", ",".join(addresses), "--history", self.history, "--seconds", "86400"]
        for option, value in options.items():
            args += [f"--{option.replace('_', '-')}", str(value)]
        self.process = e2e.spawn([STRONG_LOAD, *args], stdout=subprocess.PIPE, text=True)

    def events(self):
        """How many answers were recorded: what shows that clients get on."""
        try:
            with open(self.history, "rb") as file:
                return sum(b" ok" in line for line in file)
        except FileNotFoundError:
            return 0

    def finish(self):
        """Stops it, and requires that every call was resolved and that the history has no anomaly."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=60)
        say(f"load: {out.strip()}")
        require(self.process.returncode == 0, "a call was not resolved in its time")
        done = subprocess.run(
            [CHECK_HISTORY, "--model", "flaredb", self.history],
            capture_output=True, text=True, check=False,
        )
        say(f"check_history: {(done.stdout + done.stderr).strip()}")
        require(done.returncode == 0, "the history has an anomaly")
        return json.loads(out)
