#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A cluster that grows: one store founds it, others join by --peer, and one is given up."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import e2e


class JoinTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flaredb-join-", dir=os.environ.get("TEST_TMPDIR"))
        self.addresses = {i + 1: f"127.0.0.1:{port}" for i, port in enumerate(e2e.free_ports(5))}
        self.processes = {}

    def tearDown(self):
        for store in self.processes:
            self.kill(store)
        shutil.rmtree(self.folder)

    def start(self, store, *extra):
        if store != 1:
            extra = ("--peer", f"1={self.addresses[1]}", *extra)
        with open(f"{self.folder}/{store}.log", "ab") as log:
            self.processes[store] = e2e.spawn(
                [e2e.FLAREDB, "server", "--store-id", str(store), "--addr", self.addresses[store],
                 "--data-dir", f"{self.folder}/{store}", "--namespace-mode", "logs=eventual", *extra],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

    def kill(self, store):
        self.processes[store].kill()
        self.processes[store].wait()

    def log(self, store):
        with open(f"{self.folder}/{store}.log", encoding="utf-8") as log:
            return log.read()

    def run_at(self, store, *args):
        return e2e.run(*args, "--addr", self.addresses[store])

    def replicas(self, store=1):
        """Replicas by store, as this one tells."""
        code, out, _ = self.run_at(store, "store", "list", "-o", "json")
        if code != 0:
            return {}
        return {row["store"]: row["replicas"] for row in map(json.loads, out.splitlines())}

    def is_waiting(self, store=1):
        """Whether the cluster waits for anything, such as a replica that is no voter yet."""
        code, _, err = self.run_at(store, "store", "list")
        return code != 0 or err != ""

    def grow(self):
        for store in (1, 2, 3):
            self.start(store)
        e2e.wait_for("three replicas of both regions", lambda: self.replicas() == {1: 2, 2: 2, 3: 2}, 60)
        e2e.wait_for("them to be voters", lambda: not self.is_waiting())

    def test_three_stores_become_a_cluster_that_outlives_its_founder(self):
        self.grow()
        self.assertEqual(self.run_at(2, "kv", "put", "a", "1")[:2], (0, "version 1\n"))
        self.assertEqual(self.run_at(3, "kv", "get", "a")[:2], (0, "1\n"))
        self.assertEqual(
            self.run_at(1, "raw", "put", "k", "v", "--namespace", "logs")[:2], (0, "accepted\n")
        )
        e2e.wait_for(
            "the write to reach the others",
            lambda: self.run_at(3, "raw", "get", "k", "--namespace", "logs")[:2] == (0, "v\n"),
        )
        self.kill(1)
        e2e.wait_for("another leader", lambda: self.run_at(2, "kv", "put", "a", "2")[0] == 0)
        self.assertEqual(self.run_at(3, "kv", "get", "a")[:2], (0, "2\n"))
        # It comes back as what it was.
        self.start(1)
        e2e.wait_for("store 1", lambda: self.run_at(1, "kv", "get", "a")[:2] == (0, "2\n"))

    def test_without_a_majority_questions_tell_that_nobody_leads(self):
        self.grow()
        self.kill(2)
        self.kill(3)
        e2e.wait_for("store 1 to notice", lambda: self.run_at(1, "kv", "get", "a", "--timeout", "1")[0] == 3)
        for question in (("store", "list"), ("ns", "list"), ("ns", "get", "logs"), ("kv", "get", "a")):
            code, out, err = self.run_at(1, *question, "--timeout", "2")
            self.assertEqual((code, out), (3, ""), question)
            self.assertIn("had no leader that store 1 knew of: most of its stores, 1, 2, 3, have to", err)
            self.assertNotIn("outcome", err)

    def test_all_stores_move_while_all_are_down(self):
        self.grow()
        self.assertEqual(self.run_at(1, "kv", "put", "a", "1")[0], 0)
        for store in (1, 2, 3):
            self.kill(store)
        self.addresses = {i + 1: f"127.0.0.1:{port}" for i, port in enumerate(e2e.free_ports(3))}
        for store in (1, 2, 3):
            self.start(store)  # Stores 2 and 3 are told where store 1 is, and it learns from them.
        e2e.wait_for("a leader", lambda: self.run_at(1, "kv", "put", "a", "2")[0] == 0)
        e2e.wait_for("the new addresses", lambda: not self.is_waiting(2) and not self.is_waiting(3))
        self.kill(1)
        e2e.wait_for("another leader", lambda: self.run_at(2, "kv", "put", "a", "3")[0] == 0)
        self.assertEqual(self.run_at(3, "kv", "get", "a")[:2], (0, "3\n"))

    def test_a_mode_is_switched_on_all_stores_without_a_restart(self):
        self.grow()
        code, out, err = self.run_at(2, "ns", "set-mode", "logs", "strong")
        self.assertEqual((code, out), (0, "logs\tstrong\tepoch 4\n"), err)
        for store in (1, 2, 3):
            e2e.wait_for(
                f"store {store} to follow",
                lambda s=store: self.run_at(s, "kv", "put", "k", "v", "--namespace", "logs")[0] == 0,
            )
            self.assertEqual(self.run_at(store, "ns", "get", "logs", "-o", "raw")[:2], (0, "strong\n"))

    def test_a_switch_that_a_dead_store_holds_up_is_turned_back(self):
        self.grow()
        self.kill(3)  # It might have accepted writes that nobody else has.
        code, out, err = self.run_at(2, "ns", "set-mode", "logs", "strong", "--wait", "0")
        self.assertEqual((code, out.splitlines()[0]), (0, "logs\teventual\tto_strong_drain\tepoch 2"), err)
        code, out, err = self.run_at(2, "ns", "set-mode", "logs", "--cancel")
        self.assertEqual((code, out), (0, "logs\teventual\tepoch 3\n"), err)
        e2e.wait_for(
            "writes to be taken again",
            lambda: self.run_at(1, "raw", "put", "k", "v", "--namespace", "logs")[:2] == (0, "accepted\n"),
        )

    def test_a_dead_store_is_replaced(self):
        self.grow()
        self.assertEqual(self.run_at(1, "kv", "put", "a", "1")[0], 0)
        for command in (("replace", "3", "--with", "4"), ("remove", "3", "--lost")):
            for asked in (1, 3):
                code, _, err = self.run_at(asked, "store", *command)
                self.assertEqual(code, 4, err)
                self.assertIn("store 3 is alive, and to give it up is for ever", err)
        self.assertNotIn("lost", self.run_at(1, "store", "list")[1])
        self.kill(3)
        e2e.wait_for(
            "somebody who misses it",
            lambda: f"store 3\t{self.addresses[3]}\tup\treplicas 2\tleads 0\tanswers no\n"
            in self.run_at(1, "store", "list")[1],
        )
        # To give it up is one step, to remove it another: what holds up the second undoes no first.
        code, out, err = self.run_at(1, "store", "replace", "3", "--with", "4", "--wait", "1")
        self.assertEqual((code, out), (3, ""), err)
        self.assertIn("store 3 is given up; it is not removed yet: store 4 has not joined yet", err)
        self.assertIn("; give the command again\n", err)
        self.start(4)
        for _ in range(2):
            code, out, err = self.run_at(1, "store", "replace", "3", "--with", "4", "--wait", "25")
            self.assertEqual(code, 0, err)
            self.assertIn(f"store 4\t{self.addresses[4]}\tup\treplicas 2\t", out)
        self.assertEqual(self.replicas(), {1: 2, 2: 2, 4: 2})
        self.assertEqual(self.run_at(4, "kv", "get", "a")[:2], (0, "1\n"))
        # Who insists may do it to a store that is alive; it still has to be replaced.
        remove = ("store", "remove", "4", "--lost", "--force")
        code, out, err = self.run_at(1, *remove, "--wait", "0")
        self.assertEqual((code, out), (3, ""), err)
        self.assertIn("store 4 is given up; it is not removed yet: store 4 still has replicas of", err)
        self.assertIn("lost", self.run_at(1, "store", "list")[1])
        code, out, err = self.run_at(1, *remove, "--wait", "25")
        self.assertEqual(code, 0, err)
        self.assertIn("removed\treplicas 0\t", out)
        self.assertEqual(self.replicas(), {1: 2, 2: 2})

    def test_a_drain_is_cancelled(self):
        self.grow()
        row = f"store 3\t{self.addresses[3]}\t"
        code, out, err = self.run_at(1, "store", "drain", "3", "--wait", "0")
        self.assertEqual((code, out.startswith(f"{row}draining\t")), (0, True), (out, err))
        self.assertIn("now 2 stores take replicas", err)
        for _ in range(2):
            code, out, err = self.run_at(2, "store", "drain", "3", "--cancel")
            self.assertEqual((code, out.startswith(f"{row}up\t")), (0, True), (out, err))
        e2e.wait_for("its replicas", lambda: self.replicas() == {1: 2, 2: 2, 3: 2})
        # One that is drained may stay as well.
        code, out, err = self.run_at(1, "store", "drain", "3", "--wait", "25")
        self.assertEqual((code, out), (0, f"{row}drained\treplicas 0\tleads 0\tanswers yes\n"), err)
        raw = ("raw", "put", "k", "v", "--namespace", "logs", "--timeout", "1")
        self.assertIn("being drained", self.run_at(3, *raw)[2])
        code, out, err = self.run_at(1, "store", "drain", "3", "--cancel")
        self.assertEqual((code, out), (0, f"{row}up\treplicas 0\tleads 0\tanswers yes\n"), err)
        e2e.wait_for("its replicas", lambda: self.replicas() == {1: 2, 2: 2, 3: 2})
        e2e.wait_for("it to accept writes", lambda: self.run_at(3, *raw)[0] == 0)

    def test_a_store_that_was_away_finds_a_cluster_of_others(self):
        self.grow()
        self.kill(3)
        for old, new in ((1, 4), (2, 5)):
            # The founder may have gone when the second one joins.
            self.start(new, *(("--peer", f"4={self.addresses[4]}") if new == 5 else ()))
            e2e.wait_for("it to join", lambda new=new: new in self.replicas(2))
            code, _, err = self.run_at(2, "store", "drain", str(old), "--wait", "25")
            self.assertEqual(code, 0, err)
            self.assertEqual(self.run_at(2, "store", "remove", str(old))[0], 0)
        self.kill(1)
        self.kill(2)
        self.start(3)
        e2e.wait_for("store 3", lambda: self.run_at(3, "kv", "put", "a", "1")[0] == 0)
        e2e.wait_for("its replicas", lambda: self.replicas(3) == {3: 2, 4: 2, 5: 2})

    def test_a_store_that_waits_to_join_can_be_stopped(self):
        admin = f"127.0.0.1:{e2e.free_ports(1)[0]}"
        self.start(2, "--admin-addr", admin)
        e2e.wait_for("it to say so", lambda: "waits to join" in self.log(2))
        with self.assertRaises(urllib.error.HTTPError) as not_ready:
            urllib.request.urlopen(f"http://{admin}/readyz", timeout=10)
        self.assertIn(f"the store at {self.addresses[1]} to let this one join",
                      not_ready.exception.read().decode())
        self.processes[2].terminate()
        self.assertEqual(self.processes[2].wait(timeout=20), 0)

    def test_another_cluster_than_asked_for_is_not_joined(self):
        self.start(1)
        e2e.wait_for("a cluster", lambda: self.replicas() != {})
        self.start(2, "--cluster-id", "5")
        self.assertEqual(self.processes[2].wait(timeout=20), 4)
        self.assertIn("not to cluster 5", self.log(2))
        self.assertEqual(self.replicas(), {1: 2})

    def test_an_address_that_is_taken_is_refused(self):
        self.grow()
        self.kill(3)
        self.addresses[4] = self.addresses[3]
        self.start(4)
        self.assertEqual(self.processes[4].wait(timeout=20), 4)
        self.assertIn(self.addresses[3], self.log(4))

    def test_an_id_that_is_taken_is_refused(self):
        self.grow()
        self.kill(3)
        for lost in ("3/db", "3"):
            shutil.rmtree(f"{self.folder}/{lost}")
            os.unlink(f"{self.folder}/3.log")
            self.start(3)
            self.assertEqual(self.processes[3].wait(timeout=20), 4)
            self.assertIn("flaredb store replace 3 --with", self.log(3))

    def test_a_store_that_was_removed_says_so(self):
        admin = f"127.0.0.1:{e2e.free_ports(1)[0]}"
        self.start(1)
        self.start(2, "--admin-addr", admin)
        e2e.wait_for("two replicas of both regions", lambda: self.replicas() == {1: 2, 2: 2}, 60)
        for command in ("drain", "remove"):
            code, _, err = self.run_at(1, "store", command, "2")
            self.assertEqual(code, 0, err)

        def why_not_ready():
            try:
                urllib.request.urlopen(f"http://{admin}/readyz", timeout=10).close()
            except urllib.error.HTTPError as error:
                return error.read().decode()
            return ""

        e2e.wait_for("it to know", lambda: "[-]member waits for" in why_not_ready())
        self.assertIn("given up for lost or removed", self.log(2))
        _, _, err = self.run_at(2, "kv", "get", "k", "--timeout", "1")
        self.assertIn("left the cluster", err)


if __name__ == "__main__":
    e2e.main()
