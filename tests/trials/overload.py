#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ten times the load that saturates the stores: what they serve stays near the peak, their memory
bounded, and whoever is refused is told so early."""

import argparse
import json
import statistics
import subprocess

import trial
from trial import e2e, say

RESIDENT_MAX = 512 << 20


def resident_max(cluster):
    """Of the store that had most, since the last call of forget_peaks."""
    most = 0
    for process in cluster.processes.values():
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            most = max(most, next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM")))
    return most


def forget_peaks(cluster):
    for process in cluster.processes.values():
        with open(f"/proc/{process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


def load(cluster, method, outstanding, seconds):
    done = subprocess.run(
        [trial.OVERLOAD_LOAD, "--addr", ",".join(cluster.addresses.values()), "--method", method,
         "--namespace", "logs" if method == "raw_put" else "steady",
         "--outstanding", str(outstanding), "--seconds", str(seconds)],
        capture_output=True, text=True, check=False, timeout=seconds + 60,
    )
    trial.require(done.returncode == 0, done.stderr)
    told = json.loads(done.stdout)
    kinds = ", ".join(
        f"{kind} {told[kind]['per_second']:.0f}/s (p50 {told[kind]['p50_ms']:.0f} ms, "
        f"p99 {told[kind]['p99_ms']:.0f} ms)" for kind in told if isinstance(told[kind], dict)
    )
    say(f"{method}, {outstanding} at a time: {kinds} {told.get('last_failure', '')}")
    return told


def rate(told, kind="OK"):
    return told.get(kind, {"per_second": 0})["per_second"]


def judge_part_of_peak(cluster, method, best, many, args):
    """Whether what is served of `many` calls at a time is near what is served of `best`. Machines
    are faster at one time than at another, so the two take turns and the parts' median counts; rounds
    in which others took the machine away do not, while there are better ones."""
    rounds, doubtful, excuse = [], [], ""
    while len(rounds) < args.rounds and len(rounds) + len(doubtful) < 2 * args.rounds:
        machine = e2e.Machine()
        before = rate(load(cluster, method, best, args.seconds))
        told = load(cluster, method, many, args.seconds)
        after = rate(load(cluster, method, best, args.seconds))
        trial.require(set(told) <= {"outstanding", "OK", "RESOURCE_EXHAUSTED"},
                      "calls failed that nobody refused")
        refused_ms = told.get("RESOURCE_EXHAUSTED", {"p99_ms": 0})["p99_ms"]
        taken = machine.excuse()
        excuse = taken or excuse
        (doubtful if taken else rounds).append((rate(told) / ((before + after) / 2), refused_ms))
    doubt = "" if len(rounds) > args.rounds / 2 else f"in {len(doubtful)} rounds {excuse}"
    if doubt:
        rounds += doubtful
    part, refused_ms = map(statistics.median, zip(*rounds))
    say(f"{method}: {part:.0%} of the peak, refusals within {refused_ms:.0f} ms, in the median of "
        f"{len(rounds)} rounds; {resident_max(cluster) >> 20} MB resident")
    least = args.part_of_most if many == args.most else args.part
    trial.require(part >= least, f"less than {least:.0%} of the peak is served", doubt)
    trial.require(refused_ms < args.refusal_ms, "who is refused waits long for it", doubt)


def overload(args):
    with e2e.Cluster(args.stores, server_args=("--namespace-mode", "logs=eventual")) as cluster:
        for command, namespace in (("raw", "logs"), ("kv", "steady")):
            e2e.wait_for("the namespaces", lambda command=command, namespace=namespace: e2e.run(
                command, "put", "a", "b", "--namespace", namespace, "--addr", cluster.addresses[1])[0] == 0)
        not_judged = []
        for method in args.methods.split(","):
            forget_peaks(cluster)
            curve = {n: rate(load(cluster, method, n, args.seconds)) for n in (16, 64, 256, 1024)}
            best = max(curve, key=curve.get)
            saturating = min(n for n in curve if curve[n] >= 0.9 * curve[best])
            say(f"{method}: {saturating} calls at a time saturate the stores")
            for many in sorted({10 * saturating, args.most}):
                try:
                    judge_part_of_peak(cluster, method, best, many, args)
                except trial.NotJudged as error:
                    say(f"not judged: {error}")
                    not_judged.append(method)
                trial.require(resident_max(cluster) < RESIDENT_MAX, "that is too much memory")
        if not_judged:
            raise trial.NotJudged(", ".join(not_judged))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=int, default=1)
    parser.add_argument("--methods", default="raw_put,put,get")
    parser.add_argument("--seconds", type=float, default=4, help="of each load")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--most", type=int, default=40000, help="calls at a time")
    parser.add_argument("--part", type=float, default=0.9, help="of the peak, at least, at ten times the load")
    parser.add_argument("--part-of-most", type=float, default=0.8, help="of the peak, at least, at --most")
    parser.add_argument("--refusal-ms", type=float, default=1000, help="until a refusal, at most")
    trial.run_trial(overload, parser.parse_args())


if __name__ == "__main__":
    main()
