#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of stores at random moments under load. The history that clients saw has no anomaly and
every call is resolved."""

import argparse
import time

import trial
from trial import e2e, say


def kill_stores(args):
    dice = trial.chance(args.seed)
    with e2e.Cluster() as cluster:
        load = trial.Load(cluster, clients=args.clients)
        killed = 0
        while killed < args.kills:
            time.sleep(dice.uniform(0, 3))
            # Mostly one, so that the others go on; now and then more than the cluster can miss.
            victims = dice.sample([1, 2, 3], dice.choices([1, 2, 3], [8, 1, 1])[0])
            victims = victims[: args.kills - killed]
            for store in victims:
                cluster.kill(store)
                killed += 1
            time.sleep(dice.uniform(0, 2))
            for store in victims:
                cluster.start(store)
            say(f"{killed} killed: {victims}")
        before = load.events()
        e2e.wait_for("writes after the last kill", lambda: load.events() > before + 100, 30)
        result = load.finish()
        trial.require(result["ok"] > 100, "nothing was tried")
        e2e.wait_for("all stores to have all replicas", cluster.has_grown, 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--seed", type=int)
    trial.run_trial(kill_stores, parser.parse_args())


if __name__ == "__main__":
    main()
