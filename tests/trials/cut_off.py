#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stores that are cut off: the other two are stopped (SIGSTOP). Eventual namespaces go on, stores
agree when all are back, and what was deleted stays deleted, also when tombstones are collected."""

import argparse
import signal
import time

import trial
from trial import e2e, say

NAMESPACE = "logs"
COLLECT_SECONDS = 60  # cluster::DriverOptions::collect_interval


class Stores:
    def __init__(self, cluster):
        self.cluster = cluster
        self.worst = 0

    def run(self, store, *args):
        return e2e.run(
            "raw", *args, "--namespace", NAMESPACE, "--addr", self.cluster.addresses[store]
        )

    def put(self, store, key, value):
        return self.run(store, "put", key, value)

    def get(self, store, key):
        """The value, or None if there is none."""
        code, out, err = self.run(store, "get", key)
        trial.require(code in (0, 1), f"store {store} does not read: {err}")
        return out.removesuffix("\n") if code == 0 else None

    def signal(self, stores, number):
        for store in stores:
            if store in self.cluster.processes:
                self.cluster.processes[store].send_signal(number)

    def promptly(self, seconds, do, *args):
        began, machine = time.monotonic(), e2e.Machine()
        result = do(*args)
        took = time.monotonic() - began
        self.worst = max(self.worst, took)
        trial.require(took < seconds, f"{do.__name__}{args}: {took:.2f} s: {result}", machine.excuse())
        return result

    def accept(self, seconds, store, *args):
        result = self.promptly(seconds, self.run, store, *args)
        trial.require(result[:2] == (0, "accepted\n"), f"store {store}, {args}: {result}")

    def agree(self, key, value):
        for store in self.cluster.processes:
            e2e.wait_for(
                f"{key} to be {value} on store {store}",
                lambda store=store: self.get(store, key) == value,
            )


def cut_off_each(stores, seconds):
    """Each store in its turn goes on alone: at once, when it knows that it is alone, and after a
    restart."""
    for store in (1, 2, 3):
        others = stores.cluster.others(store)
        stores.accept(seconds, store, "put", "shared", "before")
        stores.signal(others, signal.SIGSTOP)
        for moment, pause in (("at once", 0), ("later", 4)):
            time.sleep(pause)
            stores.accept(seconds, store, "put", f"own-{store}", moment)
            got = stores.promptly(seconds, stores.get, store, f"own-{store}")
            trial.require(got == moment, f"store {store} does not read its own write: {got}")
            stores.accept(seconds, store, "delete", "shared")
            trial.require(stores.get(store, "shared") is None, "a deleted key is read")
            stores.accept(seconds, store, "put", "shared", f"{store} {moment}")
            code, out, _ = stores.promptly(seconds, stores.run, store, "scan", "shared")
            trial.require((code, out) == (0, f"shared\t{store} {moment}\n"), f"a scan: {out}")
        stores.cluster.kill(store)
        stores.cluster.start(store)
        e2e.wait_for(
            "a store that starts alone", lambda: stores.put(store, "shared", f"{store} again")[0] == 0
        )
        trial.require(stores.get(store, f"own-{store}") == "later", "a restart lost a write")
        stores.signal(others, signal.SIGCONT)
        stores.agree("shared", f"{store} again")
        stores.agree(f"own-{store}", "later")
        say(f"store {store} went on alone")


def last_writer_wins(stores):
    """Both sides of a cut write the same key."""
    stores.signal([2, 3], signal.SIGSTOP)
    stores.accept(2, 1, "put", "both", "first")
    stores.accept(2, 1, "put", "deleted", "first")
    stores.signal([1], signal.SIGSTOP)
    stores.signal([2, 3], signal.SIGCONT)
    e2e.wait_for("store 2", lambda: stores.put(2, "both", "last")[0] == 0)
    stores.accept(5, 3, "delete", "deleted")
    stores.signal([1], signal.SIGCONT)
    stores.agree("both", "last")
    stores.agree("deleted", None)
    say("the last writer wins")


def deletes_stay(stores, collect):
    """A store that is away while keys are deleted returns with writes from before."""
    cluster = stores.cluster
    for key in ("mine", "yours"):
        stores.accept(2, 1, "put", key, "old")
        stores.agree(key, "old")
    stores.signal([1, 2], signal.SIGSTOP)
    # Nobody else ever hears of these before the key is deleted.
    stores.accept(2, 3, "put", "mine", "unseen")
    cluster.kill(3)
    stores.signal([1, 2], signal.SIGCONT)
    e2e.wait_for("a delete", lambda: stores.run(1, "delete", "mine")[0] == 0)
    stores.accept(2, 2, "delete", "yours")
    if collect:
        # Store 3 holds collections up: what it has to ship is older than the tombstones.
        time.sleep(COLLECT_SECONDS + 10)
    cluster.start(3)
    gone = ("mine", "yours")
    for key in gone:
        stores.agree(key, None)
    if collect:
        time.sleep(2 * COLLECT_SECONDS + 10)
    for store in (1, 2, 3):
        cluster.kill(store)
    for store in (1, 2, 3):
        cluster.start(store)
    for store in (1, 2, 3):
        e2e.wait_for("a store", lambda store=store: stores.put(store, "alive", "yes")[0] == 0)
    for key in gone:
        stores.agree(key, None)
    stores.accept(5, 3, "put", "mine", "new")
    stores.agree("mine", "new")
    if collect:
        require_collected(stores)
    say("what was deleted stays deleted" + (", collected or not" if collect else ""))


def require_collected(stores):
    """Keys that never were begin above the versions of tombstones that are gone."""
    stores.accept(5, 1, "put", "never-was", "new")
    address = stores.cluster.addresses[1]
    code, _, err = e2e.run("ns", "set-mode", NAMESPACE, "strong", "--addr", address)
    trial.require(code == 0, f"no switch: {err}")
    _, out, err = e2e.run(
        "kv", "get", "never-was", "--with-version", "--namespace", NAMESPACE, "--addr", address
    )
    trial.require(int(out.split()[0]) > 1, f"no tombstone was collected: {out} {err}")


def cut_off(args):
    with e2e.Cluster(server_args=("--namespace-mode", f"{NAMESPACE}=eventual")) as cluster:
        stores = Stores(cluster)
        e2e.wait_for("the namespace", lambda: stores.put(1, "shared", "")[0] == 0)
        cut_off_each(stores, args.patience)
        last_writer_wins(stores)
        deletes_stay(stores, args.collect)
        say(f"the slowest command took {stores.worst:.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patience", type=float, default=1, help="seconds for a command, at most")
    parser.add_argument(
        "--collect", action="store_true", help="wait until tombstones are collected: four minutes"
    )
    trial.run_trial(cut_off, parser.parse_args())


if __name__ == "__main__":
    main()
