#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The operators' port of real servers: what is served is what docs/OPERATIONS.md tells."""

import re
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import e2e


def get(address, page):
    """(status, content type, text)"""
    try:
        with urllib.request.urlopen(f"http://{address}{page}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def series(text):
    """Name with labels -> value."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def documented():
    """(name, type) in the order of the page."""
    with open(e2e.runfile("docs/OPERATIONS.md"), encoding="utf-8") as file:
        return re.findall(r"^\| `(\w+)` \| (\w+) \| ", file.read(), re.MULTILINE)


class AdminTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = e2e.Cluster(3, with_admin=True, server_args=("--namespace-mode", "logs=eventual"))
        cls.cluster.__enter__()
        cls.cluster.wait_for_leader()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    def get(self, store, page):
        return get(self.cluster.admin_addresses[store], page)

    def is_ready(self, store):
        try:
            return self.get(store, "/readyz")[0] == 200
        except OSError:
            return False  # It does not listen yet.

    def wait_until_ready(self, store):
        e2e.wait_for(f"readiness of {store}", lambda: self.is_ready(store))

    def test_what_is_served_is_documented(self):
        self.wait_until_ready(1)
        self.assertEqual(self.cluster.kv("put", "secret-key", "secret-value", stores=[1])[0], 0)
        status, content_type, text = self.get(1, "/metrics")
        self.assertEqual((status, content_type), (200, "text/plain; version=0.0.4; charset=utf-8"))
        served = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)
        self.assertEqual(served, documented())
        self.assertEqual(len(served), len(re.findall(r"^# HELP \w+ .{5,}$", text, re.MULTILINE)))
        for name, kind in served:
            # As promlint has it.
            self.assertEqual(kind == "counter", name.endswith("_total"), name)
            self.assertEqual(kind == "histogram", name.endswith("_seconds") and kind != "gauge", name)
        self.assertNotIn("secret", text)

    def test_figures_follow_what_happens(self):
        for store in (1, 2, 3):
            self.wait_until_ready(store)
        leader = self.cluster.wait_for_leader()
        address = self.cluster.admin_addresses[leader]
        before = series(get(address, "/metrics")[2])
        for n in range(20):
            self.assertEqual(self.cluster.kv("put", f"k{n}", "v", stores=[leader])[0], 0)
        # Published every tenth of a second.
        cas = 'grpc_server_handled_total{grpc_service="kvrpc.KvCas",grpc_method="CompareAndSwap",grpc_code="OK"}'
        after = e2e.wait_for("the figures", lambda: (s := series(get(address, "/metrics")[2])).get(cas) >= 20 and s)
        commits = "flaredb_disk_commit_seconds_count"
        self.assertGreaterEqual(after[commits] - before[commits], 20)
        self.assertGreaterEqual(after['flaredb_raft_replicas{role="leader"}'], 1)
        self.assertEqual(after["flaredb_raft_replicas_without_leader"], 0)
        other = self.cluster.others(leader)[0]
        sent = f'flaredb_link_messages_sent_total{{to="{other}"}}'
        self.assertGreater(after[sent], before[sent])
        self.assertEqual(after[f'flaredb_link_up{{to="{other}"}}'], 1)
        self.assertGreater(after["process_resident_memory_bytes"], 1 << 20)
        self.assertEqual(after["flaredb_store_waiting_calls"], 0)

    def test_a_client_finds_the_leader_by_itself(self):
        for store in (1, 2, 3):
            self.wait_until_ready(store)
        # Only the first call has to be passed on. A busy machine may have another leader meanwhile: try again then.
        for attempt in range(5):
            changes = self.sum_of("flaredb_raft_leader_changes_total")
            made = self.calls_by_distance(attempt)
            if self.sum_of("flaredb_raft_leader_changes_total") == changes:
                break
        self.assertEqual(made, [1, 0, 49])

    def sum_of(self, name):
        return sum(series(self.get(store, "/metrics")[2]).get(name, 0) for store in (1, 2, 3))

    def calls_by_distance(self, attempt):
        """How many calls of fifty each store gets from a client that knows the leader last."""
        leader = self.cluster.wait_for_leader()
        stores = [*self.cluster.others(leader), leader]
        cas = 'grpc_server_handled_total{grpc_service="kvrpc.KvCas",grpc_method="CompareAndSwap",grpc_code="OK"}'

        def calls(store):
            return series(self.get(store, "/metrics")[2]).get(cas, 0)

        before = {store: calls(store) for store in stores}
        # One client: the shell keeps its connections.
        done = subprocess.run(
            [e2e.FLAREDB, "shell", "--addr", ",".join(self.cluster.addresses[i] for i in stores)],
            input="".join(f"kv put found-{attempt}-{n} v\n" for n in range(50)),
            capture_output=True, timeout=30, text=True, check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "version 1\n" * 50)
        e2e.wait_for("the figures", lambda: sum(map(calls, stores)) - sum(before.values()) >= 50)
        return [calls(store) - before[store] for store in stores]

    def test_health_tells_what_is_waited_for(self):
        for store in (1, 2, 3):
            self.wait_until_ready(store)
        self.assertEqual(self.get(1, "/readyz")[2], "ok")
        self.assertEqual(self.get(1, "/livez")[2], "ok")
        self.assertIn("[+]leaders ok\n", self.get(1, "/readyz?verbose")[2])
        self.cluster.kill(2)
        self.cluster.kill(3)
        e2e.wait_for("the loss of the majority", lambda: self.get(1, "/readyz")[0] == 503)
        text = self.get(1, "/readyz")[2]
        self.assertRegex(
            text, r"\[-\]leaders waits for regions? [12, ]+ to have (a leader|leaders); no link to store "
        )
        self.assertIn(self.cluster.addresses[2], text)
        self.assertTrue(text.endswith("readyz check failed\n"), text)
        # What it accepts now waits in its outbox.
        put = ("raw", "put", "k", "v", "--namespace", "logs", "--addr", self.cluster.addresses[1])
        self.assertEqual(e2e.run(*put)[:2], (0, "accepted\n"))
        outbox = "flaredb_store_outbox_rows"
        e2e.wait_for("the row", lambda: series(self.get(1, "/metrics")[2])[outbox] == 1)
        # To end it would help nobody.
        self.assertEqual(self.get(1, "/livez?verbose")[::2], (200, "[+]loop ok\nlivez check passed\n"))
        for store in (2, 3):
            self.cluster.start(store)
            self.wait_until_ready(store)
        self.wait_until_ready(1)
        e2e.wait_for("the row to be shipped", lambda: series(self.get(1, "/metrics")[2])[outbox] == 0)

    def test_a_busy_port_is_told_and_costs_nothing(self):
        busy = self.cluster.admin_addresses[1]
        data = self.cluster.folder + "/never"
        code, out, err = e2e.run(
            "server", "--store-id", "9", "--addr", f"127.0.0.1:{e2e.free_ports(1)[0]}",
            "--admin-addr", busy, "--data-dir", data,
        )
        self.assertEqual((code, out, err.count("\n")), (3, "", 1), err)
        self.assertIn(f"--admin-addr: cannot listen on {busy}: ", err)
        self.assertFalse(e2e.os.path.exists(data))

    def test_other_pages_and_methods_are_refused(self):
        address = self.cluster.admin_addresses[1]
        self.assertEqual(get(address, "/nothing")[0], 404)
        self.assertIn("/metrics", get(address, "/")[2])
        request = urllib.request.Request(f"http://{address}/metrics", data=b"x" * 100, method="POST")
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=10)

    def connect(self):
        host, port = self.cluster.admin_addresses[1].split(":")
        connection = e2e.socket.create_connection((host, int(port)), timeout=10)
        self.addCleanup(connection.close)
        return connection

    def test_clients_that_say_nothing_do_not_hold_up_others(self):
        for _ in range(500):
            self.connect()
        started = time.monotonic()
        self.assertEqual(self.get(1, "/livez")[0], 200)
        self.assertLess(time.monotonic() - started, 2)
        # Descriptors are for clients of the database.
        self.assertLess(series(self.get(1, "/metrics")[2])["process_open_fds"], 300)

    def test_headers_that_do_not_end_cost_nothing(self):
        resident = "process_resident_memory_bytes"
        before = series(self.get(1, "/metrics")[2])[resident]
        for header in (b"X: y\r\n" * 10_000, b"x" * 60_000):
            for _ in range(10):
                connection = self.connect()
                try:
                    connection.sendall(b"GET /metrics HTTP/1.1\r\n")
                    for _ in range(400):  # 24 MB.
                        connection.sendall(header)
                except OSError:
                    pass  # It is hung up on.
        self.assertLess(series(self.get(1, "/metrics")[2])[resident] - before, 16 << 20)


if __name__ == "__main__":
    e2e.main()
