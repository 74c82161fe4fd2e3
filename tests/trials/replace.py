#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stores come and go under load: a dead one is replaced by one command, one is drained and removed,
all are killed at once. The history that clients saw has no anomaly and every call is resolved."""

import argparse
import json
import time

import trial
from trial import e2e, say


class Operator:
    def __init__(self, cluster, load):
        self.cluster = cluster
        self.load = load

    def run(self, store, *args):
        """flaredb store by way of that one."""
        began = time.monotonic()
        code, out, err = e2e.run("store", *args, "--addr", self.cluster.addresses[store])
        trial.require(code == 0, f"store {' '.join(args)}: {out} {err}")
        say(f"store {' '.join(args)}: {time.monotonic() - began:.1f} s")

    def replicas(self, store):
        code, out, _ = e2e.run(
            "store", "list", "-o", "json", "--addr", self.cluster.addresses[store]
        )
        rows = [json.loads(line) for line in out.splitlines()]
        return {row["store"]: row["replicas"] for row in rows} if code == 0 else {}

    def require_progress(self):
        before = self.load.events()
        began = time.monotonic()
        e2e.wait_for("the load to get on", lambda: self.load.events() > before + 100, 30)
        say(f"100 answers in {time.monotonic() - began:.1f} s")


def replace_stores(args):
    # The last three are not started yet.
    with e2e.Cluster(6, first=3) as cluster:
        load = trial.Load(cluster, clients=args.clients)
        operator = Operator(cluster, load)
        operator.require_progress()

        cluster.kill(3)
        cluster.start(4)
        operator.run(1, "replace", "3", "--with", "4", "--wait", "25")
        trial.require(operator.replicas(1) == {1: 2, 2: 2, 4: 2}, "replicas are elsewhere")
        operator.require_progress()

        cluster.start(5)
        # The founder leads, as a rule.
        operator.run(2, "drain", "1", "--wait", "25")
        operator.run(2, "remove", "1")
        e2e.wait_for(
            "replicas in its stead", lambda: operator.replicas(2) == {2: 2, 4: 2, 5: 2}, 60
        )
        operator.require_progress()
        cluster.kill(1)
        operator.require_progress()

        for store in (2, 4, 5):
            cluster.kill(store)
        for store in (2, 4, 5):
            cluster.start(store)
        operator.require_progress()
        load.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=12)
    trial.run_trial(replace_stores, parser.parse_args())


if __name__ == "__main__":
    main()
