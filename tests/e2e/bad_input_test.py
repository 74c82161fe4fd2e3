#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever users do wrong is answered by one clear sentence and the exit code for it."""

import os
import shutil
import socket
import subprocess
import tempfile
import unittest

import grpc

import e2e


class CommandLineTest(unittest.TestCase):
    def check(self, args, code, *words, **options):
        got, out, err = e2e.run(*args, **options)
        self.assertEqual((got, out), (code, ""), err)
        self.assertEqual(err.count("\n"), 1, f"not one line: {err!r}")
        self.assertTrue(err.startswith("flaredb: "), err)
        for word in words:
            self.assertIn(word, err)

    def test_usage(self):
        for args, *words in (
            ([], "a command", "--help"),
            (["frobnicate"], "frobnicate", "--help"),
            (["--frobnicate"], "--frobnicate", "--help"),
            (["playground", "--frobnicate"], "--frobnicate", "flaredb playground --help"),
            (["server"], "--store-id", "flaredb server --help"),
            (["server", "--store-id", "0"], "--store-id"),
            (["server", "--store-id", "one"], "--store-id", "one"),
            (["server", "--store-id", "1", "--peer", "1=a:1"], "--peer"),
            (["server", "--store-id", "1", "--addr", "nonsense"], "nonsense"),
            (["server", "--store-id", "1", "--addr", "127.0.0.1:0"], "port 0", "--addr"),
            (["server", "--store-id", "1", "--data-dir", ""], "--data-dir", "empty"),
            (["server", "--store-id", "1", "--peer", ""], "--peer", "empty"),
            (["server", "--store-id", "1", "--peer", "1:a"], "1:a", "ID=HOST:PORT"),
            (["server", "--store-id", "1", "--log-format", "xml"], "xml", "auto|human|json"),
            (["server", "--store-id", "1", "--addr", "0.0.0.0:1"], "0.0.0.0:1", "--insecure"),
            (["server", "--store-id", "1", "--config", ""], "--config", "empty"),
            (["server", "--store-id", "1", "--max-value-bytes", "3000000"], "--max-value-bytes",
             "to 2097152"),
            (["server", "--store-id", "1", "--max-key-bytes", "1KiB"], "--max-key-bytes", "1KiB"),
            (["config"], "a command", "flaredb config --help"),
            (["config", "check"], "FILE", "flaredb config check --help"),
            (["config", "show", "--store-id", "0"], "--store-id", "0"),
            (["config", "show", "--namespace-mode", "x=weird"], "x=weird", "strong"),
            (["config", "show", "--tls-key", "k"], "--tls-ca"),
            (["cert"], "a command", "flaredb cert --help"),
            (["cert", "server"], "--host"),
            (["kv", "get", "k", "--tls-cert", "c", "--tls-key", "k"], "--tls-ca"),
            (["kv", "get", "k", "--tls-ca", ""], "--tls-ca", "empty"),
            (["kv", "get", "k", "--tls-cert", ""], "--tls-cert", "empty"),
            (["kv", "get", "k", "--tls-key", ""], "--tls-key", "empty"),
            (["kv"], "a command", "flaredb kv --help"),
            (["kv", "get"], "KEY", "flaredb kv get --help"),
            (["kv", "get", "a", "b"], "b"),
            (["kv", "cas", "k", "v"], "--expect"),
            (["kv", "cas", "k", "v", "--expect", "-1"], "--expect"),
            (["kv", "cas-delete", "k", "--expect", "0"], "--expect"),
            (["kv", "scan", "p", "--start", "a"], "--start"),
            (["kv", "cas", "k", "v", "--expect", "99999999999999999999"], "too large: at most 18446744073709551615"),
            (["bogus", "x", "y"], "not expected: bogus x y;"),
            (["kv", "get", "a", "b", "c"], "not expected: b c;"),
            (["kv", "get", "k", "--timeout", "0"], "--timeout", "0.001 to 3600 seconds"),
            (["kv", "get", "k", "-o", "yaml"], '"yaml" is none of table, json, raw'),
            (["cert", "client", "--days", "0"], "--days", "from 1 up"),
            (["token", "new", "--name", "n", "--read", "logs,a/b"], "--read", '"a/b" is no name of a namespace'),
        ):
            with self.subTest(args=args):
                self.check(args, 2, *words)

    def test_empty_variables(self):
        for args, variable in (
            (["server", "--store-id", "1"], "FLAREDB_CONFIG"),
            (["config", "show"], "FLAREDB_TLS_CA"),
            (["kv", "get", "k"], "FLAREDB_CLIENT_CA"),
            (["kv", "get", "k"], "FLAREDB_CLIENT_KEY"),
        ):
            with self.subTest(args=args, variable=variable):
                self.check(args, 2, variable, "is empty", env={**os.environ, variable: ""})

    def test_help_and_version_are_no_errors(self):
        for args in (["--help"], ["server", "--help"], ["kv", "--help"], ["kv", "cas", "--help"],
                     ["playground", "--help"], ["--version"]):
            code, out, err = e2e.run(*args)
            self.assertEqual((code, err), (0, ""), args)
            self.assertTrue(out)

    def test_a_configuration_file_with_mistakes(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("store-id = 'one'\nadr = '127.0.0.1:1'\n")
            file.flush()
            code, out, err = e2e.run("config", "check", file.name)
            self.assertEqual((code, out), (2, ""))
            self.assertEqual(err.splitlines(), [
                f"{file.name}:1:1: store-id is a string, not a whole number: write store-id = 1",
                f'{file.name}:2:1: unknown key "adr": did you mean "addr"?',
            ])
            self.check(["server", "--config", file.name], 2, f"{file.name}:1:1", "store-id")
        self.check(["server", "--config", file.name], 3, file.name, "--config")
        self.check(["config", "check", file.name], 3, file.name)

    def test_a_check_refuses_what_a_server_would(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("store-id = 1\naddr = 'a:1,b:2'\npeer = ['1=a:1']\n")
            file.flush()
            code, out, err = e2e.run("config", "check", file.name)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
            self.assertTrue(err.startswith(f"{file.name}:2:1: address "), err)
            for command in (["server"], ["config", "show"]):
                self.check([*command, "--config", file.name], 2, f"{file.name}:2:1", "a:1,b:2")
                self.check([*command, "--config", file.name, "--addr", "127.0.0.1:1"], 2,
                           f"{file.name}:3:1", "--peer names store 1")

    def test_nobody_there(self):
        address = "127.0.0.1:%d" % e2e.free_ports(1)[0]
        self.check(["kv", "get", "k", "--timeout", "0.5", "--addr", address], 3, address)
        self.check(["kv", "put", "k", "v", "--timeout", "0.5", "--addr", address], 3, address)


class ServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = e2e.Cluster()
        cls.cluster.__enter__()
        cls.cluster.wait_for_leader()
        assert cls.cluster.kv("put", "kept", "value")[0] == 0

    @classmethod
    def tearDownClass(cls):
        # None of the mistakes below cost anything.
        result = cls.cluster.kv("get", "kept")
        cls.cluster.__exit__()
        assert result[:2] == (0, "value\n"), result

    def check_server(self, args, code, *words):
        got, out, err = e2e.run("server", *args)
        lines = [line for line in err.splitlines() if line.startswith("flaredb: ")]
        self.assertEqual((got, out, len(lines)), (code, "", 1), err)
        for word in words:
            self.assertIn(word, lines[0])

    def test_busy_port(self):
        address = self.cluster.addresses[1]
        with tempfile.TemporaryDirectory() as folder:
            data = folder + "/new"
            self.check_server(["--store-id", "9", "--addr", address, "--data-dir", data], 3, address)
            self.assertFalse(os.path.exists(data))

    def test_folder_in_use(self):
        port = e2e.free_ports(1)[0]
        self.check_server(
            ["--store-id", "1", "--addr", f"127.0.0.1:{port}", "--data-dir", self.cluster.data(1)],
            4, self.cluster.data(1), "another process",
        )

    def test_folder_of_another_store_or_cluster(self):
        self.cluster.stop(3)
        data = self.cluster.data(3)
        address = self.cluster.addresses[3]
        common = ["--addr", address, "--data-dir", data]
        self.check_server(["--store-id", "2", *common], 4, data, "store 3", "store 2")
        self.check_server(["--store-id", "3", "--cluster-id", "5", *common], 4, data, "cluster")
        self.cluster.start(3)
        e2e.wait_for("the store's return",
                     lambda: self.cluster.kv("get", "kept", stores=[3])[1] == "value\n")

    def test_a_founder_without_its_folder_is_another_cluster(self):
        cluster = self.cluster
        cluster.kill(1)
        os.rename(cluster.data(1), cluster.data(1) + ".kept")
        cluster.start(1)

        def refused():
            return any(event["message"] == "refused by store" and "cluster" in event["reason"]
                       for event in cluster.events(2))

        e2e.wait_for("the refusal in the log", refused)
        self.assertEqual(cluster.kv("get", "kept", stores=[2, 3])[:2], (0, "value\n"))
        self.assertNotEqual(cluster.kv("get", "kept", stores=[1])[0], 0)
        cluster.kill(1)
        shutil.rmtree(cluster.data(1))
        os.rename(cluster.data(1) + ".kept", cluster.data(1))
        cluster.start(1)
        e2e.wait_for("the store's return",
                     lambda: cluster.kv("get", "kept", stores=[1])[:2] == (0, "value\n"))

    def test_folder_that_cannot_be_one(self):
        port = e2e.free_ports(1)[0]
        with tempfile.NamedTemporaryFile() as file:
            self.check_server(
                ["--store-id", "1", "--addr", f"127.0.0.1:{port}", "--data-dir", file.name],
                3, file.name, "--data-dir",
            )

    def test_limits(self):
        address = self.cluster.addresses[2]
        for args, *words in (
            (["get", "k" * 8193], "8192"),
            (["put", "k" * 8193, "v"], "8192"),
        ):
            code, _, err = e2e.run("kv", args[0], "--addr", address, *args[1:])
            self.assertEqual((code, err.count("\n")), (4, 1), err)
            for word in words:
                self.assertIn(word, err)
        for size, words in ((1048577, ["1048576"]), (5 << 20, [])):
            done = subprocess.run(
                [e2e.FLAREDB, "kv", "put", "--addr", address, "big", "-"],
                input="v" * size, capture_output=True, text=True, timeout=30, check=False,
            )
            self.assertEqual((done.returncode, done.stderr.count("\n")), (4, 1), done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)

    def test_malformed_requests_get_a_typed_status(self):
        kv = e2e.Kv(self.cluster.addresses[1])
        errors = e2e.Messages(e2e.runfile("proto/errorpb.descriptors.bin"))
        messages = kv.MESSAGES
        get = messages.get("kvrpc.GetRequest")
        for method, request, code, kind in (
            ("Get", b"\x0a\xff", "INVALID_ARGUMENT", "invalid_request"),
            ("Get", b"garbage", "INVALID_ARGUMENT", "invalid_request"),
            ("Get", get(key=b"k", namespace="nowhere"), "NOT_FOUND", "namespace_not_found"),
            ("Get", get(key=b"k", context={"cluster_id": 5}), "FAILED_PRECONDITION",
             "cluster_mismatch"),
            ("Get", get(key=b"k", context={"region_id": 99, "region_epoch": {"version": 1}}),
             "FAILED_PRECONDITION", "region_not_found"),
            ("Get", get(key=b"k", context={"region_id": 1, "region_epoch": {"version": 9}}),
             "FAILED_PRECONDITION", "epoch_not_match"),
            ("Get", get(key=b"k" * 9000), "INVALID_ARGUMENT", "invalid_request"),
            ("Scan", messages.get("kvrpc.ScanRequest")(page_token=b"x"), "INVALID_ARGUMENT",
             "invalid_request"),
            ("CompareAndDelete", messages.get("kvrpc.CasDeleteRequest")(key=b"k"),
             "INVALID_ARGUMENT", "invalid_request"),
        ):
            with self.subTest(method=method, kind=kind):
                with self.assertRaises(grpc.RpcError) as raised:
                    kv.call(method, request)
                self.assertEqual(raised.exception.code().name, code, raised.exception.details())
                detail = e2e.error_detail(raised.exception, errors)
                self.assertEqual(detail.WhichOneof("kind"), kind)
                self.assertEqual(detail.outcome, 1)  # NOT_APPLIED
                self.assertEqual(detail.message, raised.exception.details())
        kv.close()

    def test_many_large_reads_at_once_are_refused_before_they_cost_much(self):
        for i in range(4):
            kv = e2e.Kv(self.cluster.addresses[1])
            self.assertTrue(kv.cas(b"large-%d" % i, b"v" * 500_000, 0).success)
            kv.close()
        for store in (1, 2):  # One of them does not lead: its answers come over a link.
            kv = e2e.Kv(self.cluster.addresses[store])
            for method, request in (
                ("Scan", kv.MESSAGES.get("kvrpc.ScanRequest")(prefix=b"large-")),
                ("Get", kv.MESSAGES.get("kvrpc.GetRequest")(key=b"large-0")),
            ):
                read = kv.channel.unary_unary(f"/kvrpc.KvCas/{method}")
                calls = [read.future(request.SerializeToString(), timeout=60) for _ in range(400)]
                codes = [call.code().name for call in calls]
                self.assertLessEqual(set(codes), {"OK", "RESOURCE_EXHAUSTED"}, method)
                self.assertGreaterEqual(codes.count("OK"), 8, method)
                self.assertGreater(len(read(request.SerializeToString(), timeout=30)), 500_000)
            kv.close()
            with open(f"/proc/{self.cluster.processes[store].pid}/status", encoding="utf-8") as f:
                peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM:"))
            self.assertLess(peak, 512 << 10, "KiB; all pages together are 800 MB")

    def test_other_protocols_do_no_harm(self):
        host, port = self.cluster.addresses[1].split(":")
        for text in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\0" * 1000):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
        self.assertEqual(self.cluster.kv("get", "kept", stores=[1])[1], "value\n")


class LimitsTest(unittest.TestCase):
    def test_a_limit_that_was_set_is_told_with_its_flag(self):
        # What the placement driver writes is longer, and goes on.
        limits = ["--max-value-bytes", "10", "--max-key-bytes", "5", "--max-scan-rows", "1"]
        with e2e.Cluster(1, server_args=limits) as cluster:
            cluster.wait_for_leader()
            self.assertEqual(cluster.kv("put", "short", "v" * 10), (0, "version 1\n", ""))
            for args, sentence in (
                (["put", "short", "v" * 11],
                 "a value of 11 bytes exceeds the limit of 10 bytes (--max-value-bytes)"),
                (["get", "longer"],
                 "a key of 6 bytes exceeds the limit of 5 bytes (--max-key-bytes)"),
            ):
                code, out, err = cluster.kv(*args)
                self.assertEqual((code, out), (4, ""), err)
                self.assertIn(sentence, err)
            self.assertEqual(cluster.kv("put", "other", "v")[0], 0)
            code, out, err = e2e.run(
                "ns", "set-mode", "a-long-name", "eventual", "--addr", cluster.addresses[1]
            )
            self.assertEqual((code, out), (0, "a-long-name\teventual\tepoch 1\n"), err)
            kv = e2e.Kv(cluster.addresses[1])
            page = kv.call("Scan", kv.MESSAGES.get("kvrpc.ScanRequest")())
            self.assertEqual([row.key for row in page.kvs], [b"other"])
            self.assertTrue(page.more)
            kv.close()


if __name__ == "__main__":
    e2e.main()
