#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Switches the mode of a namespace with many keys there and back while clients write to it by both
doors: no acknowledged write is lost, no version goes back, nothing comes in by the wrong door."""

import argparse
import subprocess

import trial
from trial import e2e


def switch_modes(args):
    with e2e.Cluster() as cluster:
        done = subprocess.run(
            [trial.MODE_SWITCH_LOAD, "--addr", ",".join(cluster.addresses.values()),
             "--namespace", "trial", "--keys", str(args.keys), "--writers", str(args.writers),
             "--round-trips", str(args.round_trips), "--rest-seconds", str(args.rest_seconds)],
            check=False,
        )
        trial.require(done.returncode == 0, f"mode_switch_load ended with {done.returncode}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=100000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--round-trips", type=int, default=10)
    parser.add_argument("--rest-seconds", type=float, default=2)
    trial.run_trial(switch_modes, parser.parse_args())


if __name__ == "__main__":
    main()
