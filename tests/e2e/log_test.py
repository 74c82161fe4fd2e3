#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a store logs, and what it keeps to itself."""

import re
import signal
import unittest

import grpc

import e2e


class LogTest(unittest.TestCase):
    def slow_call(self, *server_args):
        """The log of a store that could not answer a write of "alice@example.org" in time."""
        with e2e.Cluster(3, server_args=server_args) as cluster:
            leader = e2e.wait_for("a leader", lambda: self.leader(cluster))
            for store in cluster.others(leader):
                cluster.processes[store].send_signal(signal.SIGSTOP)
            kv = e2e.Kv(cluster.addresses[leader])

            # A leader that steps down answers early; without one a call waits as long as it may.
            def slow_line():
                with self.assertRaises(grpc.RpcError):
                    kv.cas(b"alice@example.org", b"secret", 0, timeout=1.2)
                return "slow call" in (text := self.text(cluster, leader)) and text

            text = e2e.wait_for("the line", slow_line)
            kv.close()
            for store in cluster.others(leader):
                cluster.processes[store].send_signal(signal.SIGCONT)
            self.assertNotIn("secret", text)
            return text

    def text(self, cluster, store):
        with open(cluster.log_path(store), encoding="utf-8") as file:
            return file.read()

    def leader(self, cluster):
        """The store that answers a read alone; the log may be in any format."""
        for store in cluster.addresses:
            if re.search(r"\bleads\b", self.text(cluster, store)):
                return store
        return None

    def test_keys_are_hidden_unless_somebody_wants_them(self):
        text = self.slow_call()
        self.assertNotIn("alice", text)
        self.assertIn('"key":"(17 bytes)"', text)

    def test_lines_for_people_with_keys(self):
        text = self.slow_call("--log-format", "human", "--log-keys", "plain")
        self.assertRegex(text, r"(?m)^\d\d:\d\d:\d\d\.\d{3} warn  slow call  method=/kvrpc.KvCas/"
                               r"CompareAndSwap ms=\d+ key=alice@example.org$")

    def test_what_is_less_important_is_left_out(self):
        with e2e.Cluster(1, server_args=("--log-level", "warn")) as cluster:
            e2e.wait_for("service", lambda: cluster.kv("put", "k", "v")[0] == 0)
            self.assertEqual(cluster.stop(1), 0)
            self.assertEqual(self.text(cluster, 1), "")


if __name__ == "__main__":
    e2e.main()
