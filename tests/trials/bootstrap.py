#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A founder, and then a joiner, is killed in the first second of its life, again and again: from any
such moment the next start goes on, and what was acknowledged is there."""

import argparse
import shutil
import time

import trial
from trial import e2e, say


def write(cluster, store, key):
    """Whether the store took a strong write; False: not yet."""
    code, out, err = cluster.kv("put", key, key, stores=[store])
    trial.require(code in (0, 3, 4, 6), f"store {store}: {out} {err}")
    return code == 0


def bootstrap(args):
    dice = trial.chance(args.seed)
    cluster = e2e.Cluster(server_args=("--namespace-mode", "logs=eventual"))
    try:
        written = []
        for store, name in ((1, "founder"), (2, "joiner"), (3, "joiner")):
            for life in range(args.kills):
                cluster.start(store)
                time.sleep(dice.uniform(0, args.within))
                key = f"{name}-{store}-{life}"
                if dice.random() < 0.5 and write(cluster, store, key):
                    written.append(key)
                cluster.kill(store)
            cluster.start(store)
            e2e.wait_for(f"the {name}", lambda: write(cluster, store, "alive"), 30)
            say(f"store {store}, {name}, was killed {args.kills} times")
        e2e.wait_for("replicas on all stores", cluster.has_grown, 60)
        for key in written:
            code, out, err = cluster.kv("get", key)
            trial.require((code, out) == (0, f"{key}\n"), f"{key} is lost: {out} {err}")
        say(f"{len(written)} writes of short lives are there")
        restart_all_at_once(cluster, written)
    except BaseException:
        say(cluster.logs())
        raise
    finally:
        for store in list(cluster.processes):
            cluster.kill(store)
        shutil.rmtree(cluster.folder)


def restart_all_at_once(cluster, written):
    for store in (1, 2, 3):
        cluster.kill(store)
    for store in (1, 2, 3):
        cluster.start(store)
    began = time.monotonic()
    e2e.wait_for("a write", lambda: write(cluster, 2, "again"), 30)
    say(f"all three killed and started: a write after {time.monotonic() - began:.1f} s")
    for key in written:
        trial.require(cluster.kv("get", key)[:2] == (0, f"{key}\n"), f"{key} is lost")
    e2e.wait_for("all replicas", cluster.has_grown, 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="of each store")
    parser.add_argument("--within", type=float, default=1, help="seconds of a life, at most")
    parser.add_argument("--seed", type=int)
    trial.run_trial(bootstrap, parser.parse_args())


if __name__ == "__main__":
    main()
