#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Namespaces in both modes on a real store: flaredb raw and ns, and the quickstart's calls as JSON."""

import json
import subprocess
import unittest

import e2e


class NamespacesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = e2e.Cluster(
            1,
            server_args=("--namespace-mode", "logs=eventual", "--namespace-mode", "users=strong"),
        )
        cls.cluster.__enter__()
        cls.cluster.wait_for_leader()
        e2e.wait_for(
            "the namespaces of --namespace-mode",
            lambda: cls.run_one("ns", "list", "-o", "raw")[1].split() == ["default", "logs", "users"],
        )

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    @classmethod
    def run_one(cls, *args, **options):
        return e2e.run(*args, "--addr", cls.cluster.addresses[1], **options)

    def check(self, args, code, out, *words):
        """The exit code, standard output and what standard error must hold."""
        got = self.run_one(*args)
        self.assertEqual(got[:2], (code, out), (args, got[2]))
        for word in words:
            self.assertIn(word, got[2])

    def logs(self, *args):
        return [*args, "--namespace", "logs"]

    def test_namespaces_are_listed_with_their_modes(self):
        self.check(["ns", "get", "logs"], 0, "logs\teventual\tepoch 1\n")
        self.check(["ns", "get", "default"], 0, "default\tstrong\tepoch 1\tby default\n")
        self.check(["ns", "get", "users", "-o", "raw"], 0, "strong\n")
        self.check(["ns", "list", "us"], 0, "users\tstrong\tepoch 1\n")
        self.check(["ns", "get", "nowhere"], 1, "", '"nowhere"')
        code, out, _ = self.run_one("ns", "get", "logs", "-o", "json")
        self.assertEqual(
            (code, json.loads(out)),
            (0, {"namespace": "logs", "mode": "eventual", "state": "eventual", "mode_epoch": 1,
                 "from_default": False}),
        )

    def test_writes_and_reads_in_eventual_mode(self):
        self.check(self.logs("raw", "put", "k/1", "v"), 0, "accepted\n")
        self.check(self.logs("raw", "get", "k/1"), 0, "v\n")
        self.check(self.logs("raw", "put", "k/1", "w"), 0, "accepted\n")
        self.check(self.logs("raw", "put", "k/2", "x\ty"), 0, "accepted\n")
        self.check(self.logs("raw", "scan", "k/"), 0, "k/1\tw\nk/2\tx\\ty\n")
        self.check(self.logs("raw", "scan", "k/", "--keys-only"), 0, "k/1\nk/2\n")
        self.check(self.logs("raw", "scan", "k/", "--limit", "1"), 0, "k/1\tw\n")
        self.check(self.logs("raw", "delete", "k/1"), 0, "accepted\n")
        self.check(self.logs("raw", "delete", "k/1"), 0, "accepted\n")
        self.check(self.logs("raw", "get", "k/1"), 1, "", "not found: k/1")

    def test_times_grow(self):
        times = [
            int(self.run_one(*self.logs("raw", "put", "time", "v"), "-o", "raw")[1]) for _ in range(3)
        ]
        self.assertEqual(times, sorted(set(times)))
        code, out, _ = self.run_one(*self.logs("raw", "get", "time", "-o", "json"))
        self.assertEqual((code, json.loads(out)["hlc"]), (0, times[-1]))

    def test_nothing_gets_in_by_the_wrong_door(self):
        for args in (["get", "k"], ["put", "k", "v"], ["scan"], ["cas", "k", "v", "--expect", "0"]):
            self.check(self.logs("kv", *args), 4, "", "eventual")
        for args in (["get", "k"], ["put", "k", "v"], ["scan"], ["delete", "k"]):
            self.check(["raw", *args, "--namespace", "users"], 4, "", "strong")

    def test_a_namespace_that_nobody_has_used(self):
        for args in (["get", "k"], ["scan"], ["put", "k", "v"], ["delete", "k"]):
            self.check(["raw", *args, "--namespace", "nobody"], 4, "", '"nobody"')
        self.check(["ns", "get", "nobody"], 1, "", "a strong one is created by its first write")
        self.check(["ns", "set-mode", "nobody", "--cancel"], 1, "", 'there is no namespace "nobody"')
        self.check(["ns", "set-mode", "nobody", "eventual", "--dry-run"], 0,
                   "nobody\teventual\twould be created\n")
        self.check(["ns", "get", "nobody"], 1, "")
        self.check(["ns", "set-mode", "chosen", "eventual"], 0, "chosen\teventual\tepoch 1\n")
        self.check(["raw", "put", "k", "v", "--namespace", "chosen"], 0, "accepted\n")

    def test_a_mode_is_switched_there_and_back(self):
        self.check(["kv", "put", "k", "1", "--namespace", "moves"], 0, "version 1\n")
        self.check(["ns", "get", "moves"], 0, "moves\tstrong\tepoch 1\tby default\n")
        code, out, _ = self.run_one("ns", "set-mode", "moves", "eventual", "--dry-run")
        self.assertEqual((code, out.splitlines()[0]), (0, "moves\tstrong\tepoch 1\tby default"))
        self.assertIn("would wait for every region", out)
        code, out, err = self.run_one("ns", "set-mode", "moves", "eventual")
        self.assertEqual((code, out), (0, "moves\teventual\tepoch 3\n"), err)
        self.check(["raw", "get", "k", "--namespace", "moves"], 0, "1\n")
        self.check(["raw", "put", "k", "2", "--namespace", "moves"], 0, "accepted\n")
        code, out, err = self.run_one("ns", "set-mode", "moves", "strong")
        self.assertEqual((code, out), (0, "moves\tstrong\tepoch 6\n"), err)
        code, out, _ = self.run_one("kv", "get", "k", "--with-version", "--namespace", "moves")
        version, value = out.split()
        self.assertEqual((code, value), (0, "2"))
        self.assertGreater(int(version), 1)

    def test_there_may_be_no_switch_to_turn_back(self):
        self.check(["ns", "set-mode", "logs", "--cancel"], 0, "logs\teventual\tepoch 1\n")
        self.check(["ns", "set-mode", "logs", "strong", "--cancel"], 2, "", "--cancel")
        self.check(["ns", "set-mode", "logs"], 2, "", "MODE")

    def test_the_settings_do_not_overrule_the_cluster(self):
        with open(self.cluster.log_path(1), encoding="utf-8") as log:
            lines = [json.loads(line) for line in log]
        there = [line["namespace"] for line in lines if line["message"] == "namespace is there"]
        self.assertEqual(sorted(there), ["logs", "users"])

    def test_bad_settings(self):
        for text, word in (("logs", "="), ("logs=weak", "mode"), ("a/b=strong", "name")):
            done = subprocess.run(
                [e2e.FLAREDB, "server", "--store-id", "9", "--namespace-mode", text],
                capture_output=True, text=True, timeout=30, check=False,
            )
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_stores(self):
        address = self.cluster.addresses[1]
        code, out, err = self.run_one("store", "list", "-o", "json")
        store = json.loads(out)
        self.assertTrue(store["answers"])
        self.assertEqual(store["cluster_waits_for"], err.splitlines())
        self.assertEqual((code, store["store"], store["address"], store["state"]),
                         (0, 1, address, "up"))
        self.check(["store", "list", "-o", "raw"], 0, "1\n")
        self.check(["store", "drain", "1"], 4, "", "the last one that takes replicas")
        self.check(["store", "remove", "1"], 4, "", "drain it before")
        self.check(["store", "remove", "7"], 4, "", "there is no store 7")
        self.check(["store", "replace", "1", "--with", "1"], 2, "", "never used")


if __name__ == "__main__":
    e2e.main()
