# SPDX-License-Identifier: Apache-2.0
"""The command line."""

import argparse
import os
import pathlib

DEFAULT_BUDGET_S = 600.0

HELP = """Judges mutants: bugs on purpose, applied to a copy of the sources one at a time.

Each is built, and the generic campaign of the simulator runs until it fails (the mutant is killed)
or has used its budget (it survives): //:sim; for changes of core/region/, //examples/locks:sim as
well; for changes of storage/, //storage/sim:campaign and //storage/sim:cluster. Several campaigns
share the budget.

  ./bazelw run //tests/mutants -- [flags]

Which ones (default: all files of tests/mutants/zoo):
  --only=ID,ID,...    These, of the zoo or mechanical ones.
  --tier=N            Those of this tier.
  --patch=FILE        The one in a file of the same form; may be given several times.
  --mechanical=N      N of the mutants that tests/mutants/mechanical.py makes of core/raft and
                      core/kv; those that do not compile are replaced, and those that
                      tests/mutants/equivalent argues about are excluded.
  --sample-seed=K     Which N. Default: 1.
  --list              Print them, run nothing.

How:
  --budget=S          CPU-seconds of campaign for each. Default: 600.
  --jobs=N            Judge N at a time. Only one is built at a time. Default: 1.
  --fresh             Forget what earlier runs came to.
  --write             Write the rows of this run to docs/MUTATION.md, and leave the others. A run
                      over the whole zoo does so in any case.
  --keep              Leave the programs in SCRATCH/programs/ID, to replay what they found.
  --results=FILE      Where results are kept. Default: results.json in the scratch folder.
  --scratch=DIR       Where the copy of the sources is. Default: ~/.cache/flaredb-mutants/...
  --help              This text.

An interrupted run goes on where it was: results belong to the sources of core/, examples/,
sim/ and storage/ and to what the mutant changes. The last line of a finished run is always
  mutants=N killed=K survived=S excluded=E waiting=W median_cpu_s=M p95_cpu_s=P
N counts all of them; M and P are about those that ran, survivors with what they used.
Exit codes: 0 all are killed, 1 some survived, 2 wrong usage, or a mutant does not apply or compile.
"""


class Wrong(Exception):
    """Of usage; the message is a sentence."""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Wrong(f"{message[:1].upper()}{message[1:]} (--help shows all flags).")


def parse_flags(arguments):
    def number(kind, least, what):
        def parse(text):
            try:
                value = kind(text)
            except ValueError:
                value = None
            if value is None or not least <= value < 1e9:
                raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
            return value
        return parse

    parser = Parser(add_help=False, allow_abbrev=False, usage=argparse.SUPPRESS)
    parser.add_argument("--only", default="")
    parser.add_argument("--tier", default="")
    parser.add_argument("--patch", action="append", default=[])
    parser.add_argument("--mechanical", type=number(int, 1, "a number of mutants"), default=0)
    parser.add_argument("--sample-seed", type=number(int, 0, "a whole number"), default=1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--budget", type=number(float, 0.1, "a number of CPU-seconds"),
                        default=DEFAULT_BUDGET_S)
    parser.add_argument("--jobs", type=number(int, 1, "a number of jobs"), default=1)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--results", default="")
    parser.add_argument("--scratch", default="")
    parser.add_argument("--help", action="store_true")
    flags = parser.parse_args(arguments)
    if sum((bool(flags.only), bool(flags.tier), bool(flags.patch), bool(flags.mechanical))) > 1:
        raise Wrong("Only one of --only, --tier, --patch and --mechanical says which mutants to "
                    "judge (--help shows all flags).")
    if flags.patch and flags.write:
        raise Wrong("--write is for mutants of the zoo and mechanical ones: docs/MUTATION.md has no "
                    "place for one of --patch.")
    return flags


def callers_path(path):
    """`bazel run` starts programs elsewhere; relative paths are the caller's."""
    path = pathlib.Path(path).expanduser()
    return pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), path).resolve()
