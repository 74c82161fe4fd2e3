#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The quickstart, line by line: three servers, a client that knows nothing but an address, real modes.

The lines are as an author of a program for FlareDB writes them, but for the ports, which are free ones.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import e2e

sys.path.insert(0, e2e.runfile("tests/docs"))

import grpcurl

SERVERS = {
    1: "server --store-id 1 --addr 127.0.0.1:50051 --namespace-mode logs=eventual",
    2: "server --store-id 2 --addr 127.0.0.1:50052 --peer 1=127.0.0.1:50051 --namespace-mode logs=eventual",
    3: "server --store-id 3 --addr 127.0.0.1:50053 --peer 1=127.0.0.1:50051 --namespace-mode logs=eventual",
}


class QuickstartTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flaredb-quick-", dir=os.environ.get("TEST_TMPDIR"))
        self.ports = dict(zip((50051, 50052, 50053), e2e.free_ports(3)))
        self.processes = {}
        for store in SERVERS:
            self.start(store)

    def tearDown(self):
        for store in list(self.processes):
            self.kill(store)
        shutil.rmtree(self.folder)

    def here(self, line):
        for port, free in self.ports.items():
            line = line.replace(f":{port}", f":{free}")
        return shlex.split(line)

    def start(self, store):
        """Runs the store's line in the test's folder, where the data then is, too."""
        with open(f"{self.folder}/{store}.log", "ab") as log:
            self.processes[store] = e2e.spawn(
                [e2e.FLAREDB, *self.here(SERVERS[store])],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, store):
        process = self.processes.pop(store)
        process.kill()
        process.wait()

    def send(self, signal_number, *stores):
        for store in stores:
            self.processes[store].send_signal(signal_number)

    def grpcurl(self, line):
        """What a grpcurl line prints, decoded; it has to succeed."""
        code, out = grpcurl.run(self.here(line))
        self.assertEqual(code, 0, f"{line}: {out}")
        return json.loads(out)

    def raw_put(self, store, key, value):
        data = json.dumps({"namespace": "logs", "key": key, "value": value})
        line = f"-plaintext -d '{data}' 127.0.0.1:{50050 + store} kvrpc.KvRaw/RawPut"
        return self.grpcurl(line)

    def raw_get(self, store, key):
        data = json.dumps({"namespace": "logs", "key": key})
        line = f"-plaintext -d '{data}' 127.0.0.1:{50050 + store} kvrpc.KvRaw/RawGet"
        return self.grpcurl(line).get("value")

    def state(self, store):
        """Of `logs`, as this store tells."""
        line = f"-plaintext -d '{{\"namespace\":\"logs\"}}' 127.0.0.1:{50050 + store} raftpb.RaftService/GetMode"
        return self.grpcurl(line).get("state")

    def has_grown(self):
        """Whether every store has a replica of both regions, and nothing is waited for."""
        address = f"127.0.0.1:{self.ports[50051]}"
        code, out, err = e2e.run("store", "list", "-o", "json", "--addr", address)
        rows = [json.loads(line) for line in out.splitlines()]
        replicas = {row["store"]: row["replicas"] for row in rows}
        return code == 0 and err == "" and replicas == {1: 2, 2: 2, 3: 2}

    def wait_until_grown(self):
        started = time.monotonic()
        e2e.wait_for("three replicas of both regions", self.has_grown, 60)
        print(f"grown after {time.monotonic() - started:.1f} s", file=sys.stderr)

    def test_the_lines_work_as_they_are_written(self):
        self.wait_until_grown()
        modes = self.grpcurl("-plaintext 127.0.0.1:50051 raftpb.RaftService/ListNamespaceModes")
        self.assertEqual(
            {ns["namespace"]: ns["mode"] for ns in modes["namespaces"]},
            {"default": "strong", "logs": "eventual"},
        )
        mode = self.grpcurl(
            "-plaintext -d '{\"namespace\":\"logs\"}' 127.0.0.1:50051 raftpb.RaftService/GetMode"
        )
        self.assertEqual((mode["mode"], mode.get("fromDefault", False)), ("eventual", False))

        put = self.grpcurl(
            "-plaintext -d '{\"namespace\":\"logs\",\"key\":\"a\",\"value\":\"b\"}' 127.0.0.1:50051 kvrpc.KvRaw/RawPut"
        )
        self.assertTrue(put["success"])
        e2e.wait_for("the write to be on store 2", lambda: self.raw_get(2, "a") == "b")
        got = self.grpcurl(
            "-plaintext -d '{\"namespace\":\"logs\",\"key\":\"a\"}' 127.0.0.1:50052 kvrpc.KvRaw/RawGet"
        )
        self.assertEqual((got["found"], got["value"]), (True, "b"))

        cas = self.grpcurl(
            "-plaintext -d '{\"namespace\":\"default\",\"key\":\"a\",\"value\":\"b\",\"expected_version\":0}'"
            " 127.0.0.1:50051 kvrpc.KvCas/CompareAndSwap"
        )
        self.assertTrue(cas["success"])
        get = self.grpcurl(
            "-plaintext -d '{\"namespace\":\"default\",\"key\":\"a\"}' 127.0.0.1:50051 kvrpc.KvCas/Get"
        )
        self.assertEqual(get["value"], "b")

        self.grpcurl(
            "-plaintext -d '{\"namespace\":\"logs\",\"mode\":\"strong\"}' 127.0.0.1:50051"
            " raftpb.RaftService/UpdateNamespaceMode"
        )
        for store in SERVERS:
            e2e.wait_for(f"the new mode on store {store}", lambda s=store: self.state(s) == "strong")
        # What was accepted before is there; the other door is shut.
        address = f"127.0.0.1:{self.ports[50053]}"
        found = e2e.run("kv", "get", "a", "--namespace", "logs", "--addr", address)
        self.assertEqual(found[:2], (0, "b\n"), found[2])
        code, out = grpcurl.run(
            self.here("-plaintext -d '{\"namespace\":\"logs\",\"key\":\"a\"}' 127.0.0.1:50052 kvrpc.KvRaw/RawGet")
        )
        self.assertNotEqual(code, 0, out)

        # --namespace-mode says how a namespace begins, not what it is for ever.
        for store in SERVERS:
            self.kill(store)
        for store in SERVERS:
            self.start(store)
        for store in SERVERS:
            address = f"127.0.0.1:{self.ports[50050 + store]}"
            e2e.wait_for(
                f"store {store} to serve",
                lambda a=address: e2e.run("kv", "get", "a", "--addr", a)[:2] == (0, "b\n"),
            )
            self.assertEqual(self.state(store), "strong")

    def test_a_store_that_is_cut_off_takes_writes_to_eventual_namespaces(self):
        self.wait_until_grown()
        self.raw_put(3, "k", "before")
        e2e.wait_for("the write to be everywhere", lambda: {self.raw_get(s, "k") for s in SERVERS} == {"before"})
        self.send(signal.SIGSTOP, 1, 2)
        try:
            for i in range(10):
                self.raw_put(3, "k", f"alone {i}")
                self.assertEqual(self.raw_get(3, "k"), f"alone {i}")
            self.raw_put(3, "only here", "v")
            self.assertEqual(self.raw_get(3, "only here"), "v")
            # Long enough for store 3 to know that it has no leader.
            time.sleep(3)
            self.assertEqual(self.raw_get(3, "k"), "alone 9")
            self.raw_put(3, "k", "alone, the last")
            self.assertEqual(self.raw_get(3, "k"), "alone, the last")
        finally:
            self.send(signal.SIGCONT, 1, 2)
        for store in SERVERS:
            e2e.wait_for(f"the last value on store {store}", lambda s=store: self.raw_get(s, "k") == "alone, the last")
            e2e.wait_for(f"the new key on store {store}", lambda s=store: self.raw_get(s, "only here") == "v")
        # A later writer wins, wherever it writes.
        self.raw_put(1, "k", "together")
        for store in SERVERS:
            e2e.wait_for(f"it on store {store}", lambda s=store: self.raw_get(s, "k") == "together")


if __name__ == "__main__":
    e2e.main()
