#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A store that is told to stop gives away what it leads and answers what it was asked."""

import signal
import threading
import time
import unittest
import urllib.request

import grpc

import e2e


def ready(cluster, store):
    try:
        with urllib.request.urlopen(f"http://{cluster.admin_addresses[store]}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def everybody_is_ready(cluster):
    e2e.wait_for("readiness", lambda: all(ready(cluster, store) for store in cluster.addresses))


class Writer:
    """Writes by way of all stores in turn as any gRPC client does, and never tries anything again."""

    def __init__(self, cluster):
        self.kv = e2e.Kv(
            "ipv4:" + ",".join(cluster.addresses.values()),
            ("grpc.lb_policy_name", "round_robin"),
            ("grpc.enable_retries", 0),
        )
        self.failures = []
        self.gaps = []
        self.written = 0
        self.stopping = False
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.stopping:
            started = time.monotonic()
            try:
                if not self.kv.cas(b"key-%08d" % self.written, b"value", 0, timeout=5).success:
                    self.failures.append(("mismatch", self.written))
                self.written += 1
            except grpc.RpcError as error:
                self.failures.append((error.code().name, error.details()))
            self.gaps.append(time.monotonic() - started)

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.kv.close()


class StopTest(unittest.TestCase):
    def setUp(self):
        self.machine = e2e.Machine()
        self.cluster = e2e.Cluster(3, with_admin=True)
        self.cluster.__enter__()
        self.addCleanup(self.cluster.__exit__)
        everybody_is_ready(self.cluster)

    def test_a_rolling_restart_is_noticed_by_no_client(self):
        writer = Writer(self.cluster)
        for _ in range(2):
            for store in (1, 2, 3):
                e2e.wait_for("writes", lambda n=writer.written: writer.written > n + 100)
                self.assertEqual(self.cluster.stop(store), 0)
                self.cluster.start(store)
                everybody_is_ready(self.cluster)
        # The leader in any case.
        leader = self.cluster.wait_for_leader()
        self.assertEqual(self.cluster.stop(leader), 0)
        e2e.wait_for("writes", lambda n=writer.written: writer.written > n + 100)
        writer.stop()
        if writer.failures and self.machine.excuse():
            self.skipTest(f"a leader was missed for an election timeout, but {self.machine.excuse()}")
        self.assertEqual(writer.failures, [], self.cluster.logs())
        print(f"{writer.written} writes, the longest took {max(writer.gaps):.3f} s")
        # An election instead of a transfer takes half a second at least.
        e2e.assert_within(self, max(writer.gaps), 0.45, self.machine, self.cluster.logs())

    def test_the_leader_hands_over_before_it_goes(self):
        leader = self.cluster.wait_for_leader()
        started = time.monotonic()
        self.assertEqual(self.cluster.stop(leader), 0)
        took = time.monotonic() - started
        # At once: nobody has to miss the old leader first.
        self.assertIn(self.cluster.leader(), self.cluster.others(leader))
        self.assertEqual(self.cluster.events(leader)[-1]["message"], "stopped")
        e2e.assert_within(self, took, 1.5, self.machine, self.cluster.logs())

    def test_without_a_majority_it_ends_in_bounded_time(self):
        leader = self.cluster.wait_for_leader()
        others = self.cluster.others(leader)
        for store in others:
            self.cluster.processes[store].send_signal(signal.SIGSTOP)
        process = self.cluster.processes[leader]
        kv = e2e.Kv(self.cluster.addresses[leader])
        waits = kv.channel.unary_unary("/kvrpc.KvCas/CompareAndSwap").future(
            kv.MESSAGES.get("kvrpc.CasRequest")(key=b"k", value=b"v").SerializeToString(), timeout=20
        )
        started = time.monotonic()
        process.terminate()

        e2e.wait_for("the end of readiness", lambda: not ready(self.cluster, leader))
        self.assertEqual(process.wait(timeout=8), 0, self.cluster.logs())
        self.assertLess(time.monotonic() - started, 6)
        self.assertEqual(waits.code().name, "UNKNOWN")
        self.assertIn("the store was stopped before the outcome was known", waits.details())
        kv.close()
        for store in others:
            self.cluster.processes[store].send_signal(signal.SIGCONT)

    def test_a_second_signal_ends_it_at_once(self):
        leader = self.cluster.wait_for_leader()
        for store in self.cluster.others(leader):
            self.cluster.processes[store].send_signal(signal.SIGSTOP)
        process = self.cluster.processes[leader]
        process.terminate()
        e2e.wait_for("the first signal",
                     lambda: self.cluster.events(leader)[-1]["message"] == "stopping")
        process.terminate()
        started = time.monotonic()
        self.assertEqual(process.wait(timeout=5), -signal.SIGTERM)
        took = time.monotonic() - started
        for store in self.cluster.others(leader):
            self.cluster.processes[store].send_signal(signal.SIGCONT)
        self.cluster.start(leader)
        everybody_is_ready(self.cluster)
        e2e.assert_within(self, took, 0.5, self.machine)


if __name__ == "__main__":
    e2e.main()
