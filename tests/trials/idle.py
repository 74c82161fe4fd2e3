#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What three stores take that nobody asks anything, and how soon the playground takes a write."""

import argparse
import os
import time

import trial
from trial import e2e, say

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def resident_mb(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def measure(args):
    namespaces = ("--namespace-mode", "logs=eventual")
    with e2e.Cluster(server_args=namespaces) as cluster:
        time.sleep(5)
        pids = {store: process.pid for store, process in cluster.processes.items()}
        machine = e2e.Machine()
        before = {store: cpu_seconds(pid) for store, pid in pids.items()}
        time.sleep(args.seconds)
        for store, pid in pids.items():
            percent = (cpu_seconds(pid) - before[store]) / args.seconds * 100
            memory = resident_mb(pid)
            say(f"store {store}: {memory:.1f} MB resident, {percent:.2f} % of a core")
            trial.require(memory < 64, "64 MB are enough for an idle store")
            trial.require(percent < args.percent, "1 % of a core is enough for an idle store", machine.excuse())
    machine = e2e.Machine()
    playground = e2e.Playground()
    try:
        code, out, err = e2e.run("kv", "put", "a", "b", "--addr", playground.addresses[2])
        took = time.monotonic() - playground.started
        trial.require((code, out) == (0, "version 1\n"), err)
        say(f"playground: the first write after {took:.2f} s")
        trial.require(took < args.first_write_seconds, "2 s are enough for a first write", machine.excuse())
    finally:
        playground.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="to look at the stores")
    parser.add_argument("--percent", type=float, default=1, help="of a core, at most")
    parser.add_argument("--first-write-seconds", type=float, default=2, help="at most")
    trial.run_trial(measure, parser.parse_args())


if __name__ == "__main__":
    main()
