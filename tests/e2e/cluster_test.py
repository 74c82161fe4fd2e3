#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Three servers: any of them serves; a crash of the leader loses nothing that was acknowledged."""

import threading
import time
import unittest

import grpc

import e2e


class ClusterTest(unittest.TestCase):
    def check(self, result, code, out=None):
        self.assertEqual(result[0], code, result)
        if out is not None:
            self.assertEqual(result[1], out, result)

    def test_any_store_serves(self):
        with e2e.Cluster() as cluster:
            cluster.wait_for_leader()
            self.check(cluster.kv("cas", "k", "one", "--expect", "0", stores=[1]), 0, "version 1\n")
            for store in (1, 2, 3):
                self.check(cluster.kv("get", "k", stores=[store]), 0, "one\n")
            self.check(cluster.kv("put", "k", "two", stores=[2]), 0, "version 2\n")
            self.check(cluster.kv("get", "k", "--with-version", stores=[3]), 0, "2\ttwo\n")
            self.check(cluster.kv("cas", "k", "x", "--expect", "1", stores=[3]), 1, "")
            self.check(cluster.kv("put", "key\n2", "v\t", stores=[3]), 0, "version 1\n")
            self.check(cluster.kv("scan", stores=[1]), 0, "k\t2\ttwo\nkey\\n2\t1\tv\\t\n")
            self.check(cluster.kv("scan", "key", "--keys-only", stores=[2]), 0, "key\\n2\n")
            self.check(cluster.kv("scan", "--start", "k", "--end", "key", stores=[2]), 0, "k\t2\ttwo\n")
            self.check(cluster.kv("scan", "--limit", "1", stores=[2]), 0, "k\t2\ttwo\n")
            self.check(cluster.kv("cas-delete", "k", "--expect", "2", stores=[2]), 0, "deleted\n")
            self.check(cluster.kv("get", "k", stores=[1]), 1, "")
            # A version is never reused, not even by the key's next life.
            self.check(cluster.kv("cas", "k", "three", "--expect", "0", stores=[1]), 0, "version 4\n")

    def test_a_new_client_gets_an_exact_answer_for_a_key_that_was_changed_often(self):
        with e2e.Cluster() as cluster:
            cluster.wait_for_leader()
            # More changes than a record remembers requests, each by a client of its own.
            for version in range(1, 9):
                store = version % 3 + 1
                self.check(cluster.kv("put", "k", "v", stores=[store]), 0, f"version {version}\n")
            for store in (1, 2, 3):
                self.check(cluster.kv("cas", "k", "x", "--expect", "3", stores=[store]), 1, "")
                self.check(cluster.kv("cas", "k", "x", "--expect", "0", stores=[store]), 1, "")
                self.check(cluster.kv("cas-delete", "k", "--expect", "3", stores=[store]), 1, "")
            self.check(cluster.kv("cas", "k", "x", "--expect", "8", stores=[2]), 0, "version 9\n")

    def test_values_pass_unchanged(self):
        with e2e.Cluster(1) as cluster:
            value = bytes(range(256)) * 4000
            done = e2e.subprocess.run(
                [e2e.FLAREDB, "kv", "put", "--addr", cluster.addresses[1], "k", "-"],
                input=value, capture_output=True, timeout=30, check=False,
            )
            self.assertEqual((done.returncode, done.stdout), (0, b"version 1\n"), done.stderr)
            kv = e2e.Kv(cluster.addresses[1])
            self.assertEqual(kv.get(b"k").value, value)
            kv.close()

    def test_a_long_scan_goes_through_pages(self):
        with e2e.Cluster(1) as cluster:
            kv = e2e.Kv(cluster.addresses[1])
            e2e.wait_for("service", lambda: cluster.leader())
            keys = [b"k%03d" % i for i in range(30)]
            for key in keys:
                kv.cas(key, b"v" * 200_000, 0)  # 6 MB: several pages of 2 MiB.
            code, out, err = cluster.kv("scan", "k")
            self.assertEqual(code, 0, err)
            self.assertEqual([line.split("\t")[0].encode() for line in out.splitlines()], keys)
            kv.close()

    def test_the_leader_is_killed_and_nothing_is_lost(self):
        with e2e.Cluster() as cluster:
            leader = cluster.wait_for_leader()
            writer = Writer(cluster)
            e2e.wait_for("writes", lambda: len(writer.acknowledged) >= 50)

            killed_at = time.monotonic()
            cluster.kill(leader)
            first = e2e.wait_for("a write after the crash", lambda: writer.first_after(killed_at), 10)
            self.assertLess(first - killed_at, 5, cluster.logs())

            cluster.start(leader)
            count = len(writer.acknowledged)
            e2e.wait_for("more writes", lambda: len(writer.acknowledged) >= count + 50)
            writer.stop()

            # Without one of those that stayed, the killed store is needed for every answer.
            cluster.stop(cluster.others(leader)[0])
            kv = e2e.Kv(cluster.addresses[leader])
            for key, value in writer.acknowledged.items():
                got = e2e.wait_for("a read", lambda key=key: try_get(kv, key))
                self.assertEqual((got.found, got.value), (True, value), key)
            kv.close()

    def test_all_stores_are_killed_and_nothing_is_lost(self):
        with e2e.Cluster() as cluster:
            cluster.wait_for_leader()
            writer = Writer(cluster)
            e2e.wait_for("writes", lambda: len(writer.acknowledged) >= 50)
            for store in (1, 2, 3):
                cluster.kill(store)
            writer.stop()
            for store in (1, 2, 3):
                cluster.start(store)
            kv = e2e.Kv(cluster.addresses[2])
            for key, value in writer.acknowledged.items():
                got = e2e.wait_for("a read", lambda key=key: try_get(kv, key))
                self.assertEqual((got.found, got.value), (True, value), key)
            kv.close()

    def test_a_server_stops_in_order(self):
        with e2e.Cluster() as cluster:
            leader = cluster.wait_for_leader()
            self.assertEqual(cluster.kv("put", "k", "v")[0], 0)
            for store in (leader, cluster.others(leader)[0]):
                started = time.monotonic()
                self.assertEqual(cluster.stop(store), 0, cluster.logs())
                self.assertLess(time.monotonic() - started, 4)


def try_get(kv, key):
    try:
        return kv.get(key, timeout=2)
    except grpc.RpcError:
        return None


class Writer:
    """Creates keys one after the other by way of any store, until told to stop."""

    def __init__(self, cluster):
        self.clients = [e2e.Kv(address) for address in cluster.addresses.values()]
        self.acknowledged = {}
        self.times = []
        self.stopping = False
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        n = 0
        while not self.stopping:
            n += 1
            key = b"key-%06d" % n
            try:
                # Three stores in turn, so that the dead one is met and left.
                if self.clients[n % 3].cas(key, b"value-%d" % n, 0, timeout=1).success:
                    self.times.append(time.monotonic())
                    self.acknowledged[key] = b"value-%d" % n
            except grpc.RpcError:
                time.sleep(0.02)

    def first_after(self, instant):
        return next((t for t in self.times if t > instant + 0.01), None)

    def stop(self):
        self.stopping = True
        self.thread.join()
        for client in self.clients:
            client.close()


if __name__ == "__main__":
    e2e.main()
