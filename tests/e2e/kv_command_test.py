#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""flaredb kv: what it prints in each format and encoding, and every exit code."""

import base64
import json
import os
import re
import socket
import subprocess
import threading
import unittest

import e2e


class KvCommandTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = e2e.Cluster(1)
        cls.cluster.__enter__()
        cls.cluster.wait_for_leader()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    def kv(self, *args, input=b"", address=None, **options):
        done = subprocess.run(
            [e2e.FLAREDB, "kv", *args, "--addr", address or self.cluster.addresses[1]],
            input=input, capture_output=True, timeout=30, check=False, **options,
        )
        return done.returncode, done.stdout, done.stderr.decode()

    def check(self, args, code, out, *words, **options):
        """The exit code, standard output and, if it is told, what standard error must hold."""
        got = self.kv(*args, **options)
        self.assertEqual(got[:2], (code, out), (args, got[2]))
        self.assertEqual(bool(got[2]), code != 0, got[2])
        for word in words:
            self.assertIn(word, got[2])
        return got

    def test_table(self):
        self.check(["put", "table", "one"], 0, b"version 1\n")
        self.check(["cas", "table", "two\n", "--expect", "1", "-o", "table"], 0, b"version 2\n")
        self.check(["get", "table"], 0, b"two\n\n")
        self.check(["get", "table", "--with-version"], 0, b"2\ttwo\n\n")
        self.check(["scan", "table"], 0, b"table\t2\ttwo\\n\n")
        self.check(["scan", "table", "--keys-only"], 0, b"table\n")
        # U+009B, ESC and [ in one, as UTF-8 and alone; what is printable stays.
        value = "\N{EURO SIGN}".encode()
        self.check(["put", "esc", "-"], 0, b"version 1\n", input=value + b"\xc2\x9b2J\x9b\xff\x1b")
        shown = value + rb"\xc2\x9b2J\x9b\xff\x1b" + b"\n"
        self.check(["get", "esc"], 0, shown)
        self.check(["scan", "esc"], 0, b"esc\t1\t" + shown)
        self.check(["cas", "table", "x", "--expect", "1"], 1, b"", "mismatch: table is at version 2")
        self.check(["cas-delete", "table", "--expect", "2"], 0, b"deleted\n")
        self.check(["get", "table"], 1, b"", "not found: table")
        self.check(["cas-delete", "table", "--expect", "2"], 1, b"", "table does not exist")

    def test_json(self):
        def line(**members):
            return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

        def check(args, code, *lines, **options):
            self.check([*args, "-o", "json"], code, b"".join(lines), **options)

        text = 'j"\\\n\tü€'
        check(["put", text, "v" + text], 0, line(outcome="applied", version=1))
        check(["get", text], 0, line(found=True, key=text, version=1, value="v" + text))
        check(["put", "j2", "-"], 0, line(outcome="applied", version=1), input=b"\xff\0")
        encoded = base64.b64encode(b"\xff\0").decode()
        check(["get", "j2"], 0, line(found=True, key="j2", version=1, value_base64=encoded))
        check(["scan", "j"], 0, line(key=text, version=1, value="v" + text),
              line(key="j2", version=1, value_base64=encoded))
        check(["scan", "j2", "--hex"], 2)
        check(["scan", b"j2".hex(), "--hex"], 0, line(key="6a32", version=1, value="ff00"))
        check(["scan", "j2", "--keys-only"], 0, line(key="j2", version=1))
        check(["cas", "j2", "x", "--expect", "0"], 1, line(outcome="mismatch", version=1))
        check(["cas-delete", "j2", "--expect", "1"], 0, line(outcome="applied", version=0))
        check(["get", "j2"], 1, line(found=False, key="j2"))

    def test_raw(self):
        value = bytes(range(256))
        self.check(["put", "raw", "-", "-o", "raw"], 0, b"1\n", input=value)
        self.check(["get", "raw", "-o", "raw"], 0, value)
        self.check(["get", "raw", "-o", "raw", "--with-version"], 0, b"1\t" + value)
        self.check(["scan", "raw", "-o", "raw"], 0, b"raw\t1\t" + value + b"\n")
        self.check(["cas-delete", "raw", "--expect", "1", "-o", "raw"], 0, b"")
        self.check(["get", "raw", "-o", "raw"], 1, b"")

    def test_encodings(self):
        key, value = b"e\xff\x00k", b"\x00v\n"
        for flag, encode in (
            ("--hex", lambda b: b.hex().encode()),
            ("--base64", base64.b64encode),
        ):
            k, v = encode(key), encode(value)
            self.kv("put", flag, k, encode(b""))
            self.assertEqual(self.kv("put", flag, k, v)[0], 0)
            self.check(["get", flag, k], 0, v + b"\n")
            self.check(["get", flag, k, "-o", "raw"], 0, v + b"\n")
            self.assertRegex(self.kv("scan", flag, encode(b"e\xff"))[1], b"^" + re.escape(k) + b"\t")
            after = encode(b"e\xff\x01")
            self.check(["scan", flag, "--start", k, "--end", after, "--keys-only"], 0, k + b"\n")
            # Standard input is bytes as they are.
            self.assertEqual(self.kv("put", flag, k, "-", input=value)[0], 0)
            self.check(["get", flag, k], 0, v + b"\n")
        self.check(["get", "--hex", key.hex().upper()], 0, value.hex().encode() + b"\n")
        self.check(["get", "--hex", "6b6"], 2, b"", "KEY", "6b6", "hexadecimal")
        self.check(["get", "--hex", "zz"], 2, b"", "zz")
        self.check(["put", "--hex", "6b", "v"], 2, b"", "VALUE")
        self.check(["get", "--base64", "a*"], 2, b"", "base64")
        self.check(["get", "--base64", "--hex", "00"], 2, b"", "--hex")

    def test_namespace(self):
        self.check(["put", "ns", "v", "--namespace", "default"], 0, b"version 1\n")
        for args in (["get", "ns"], ["scan", "ns"], ["scan"]):
            self.check([*args, "--namespace", "nowhere"], 4, b"", '"nowhere"')
        # A write creates one, whose keys are its own.
        self.check(["put", "ns", "w", "--namespace", "new"], 0, b"version 1\n")
        self.check(["get", "ns", "--namespace", "new"], 0, b"w\n")
        self.check(["get", "ns"], 0, b"v\n")

    def test_environment(self):
        def run(*args, **variables):
            done = subprocess.run(
                [e2e.FLAREDB, "kv", *args], env=variables, capture_output=True, timeout=30,
                check=False, text=True,
            )
            return done.returncode, done.stdout

        here, nowhere = self.cluster.addresses[1], "127.0.0.1:1"
        self.assertEqual(run("put", "env", "v", FLAREDB_CLIENT_ADDR=here), (0, "version 1\n"))
        self.assertEqual(run("get", "env", "--addr", here, FLAREDB_CLIENT_ADDR=nowhere), (0, "v\n"))
        # That of a server is not for clients.
        both = {"FLAREDB_CLIENT_ADDR": here, "FLAREDB_ADDR": nowhere}
        self.assertEqual(run("get", "env", **both), (0, "v\n"))
        elsewhere = {**both, "FLAREDB_NAMESPACE": "no"}
        self.assertEqual(run("get", "env", **elsewhere), (4, ""))
        self.assertEqual(run("get", "env", "--namespace", "default", **elsewhere), (0, "v\n"))

    def test_unavailable_and_refused(self):
        nowhere = "127.0.0.1:%d" % e2e.free_ports(1)[0]
        for args in (["get", "k"], ["put", "k", "v"], ["scan"]):
            self.check([*args, "--timeout", "0.2"], 3, b"", nowhere, address=nowhere)
        self.check(["get", "k"], 2, b"", "nonsense", address="nonsense")
        self.check(["get", "k" * 8193], 4, b"", "8192")
        self.check(["put", "k", "-"], 4, b"", "1048576", input=b"v" * (1 << 20) + b"v")

    def test_standard_input_that_cannot_be_read(self):
        self.assertEqual(self.kv("put", "unread", "kept")[0], 0)
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        code, out, err = self.kv("put", "unread", "-", input=None, stdin=folder)
        self.assertEqual((code, out, err.count("\n")), (3, b"", 1), err)
        self.assertIn("standard input", err)
        self.check(["get", "unread"], 0, b"kept\n")

    def test_standard_output_that_cannot_be_written(self):
        self.assertEqual(self.kv("put", "unwritten", "-", input=b"v" * 65536)[0], 0)
        # Too large to wait in a buffer for the end.
        for args in (["get", "unwritten", "-o", "raw"], ["scan", "unwritten"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [e2e.FLAREDB, "kv", *args, "--addr", self.cluster.addresses[1]],
                    stdout=full, stderr=subprocess.PIPE, timeout=30, check=False,
                )
            self.assertEqual(done.returncode, 3, (args, done.stderr))
            self.assertIn(b"standard output", done.stderr)

    def test_an_unknown_outcome_is_told_and_can_be_resolved(self):
        with LossyProxy(self.cluster.addresses[1]) as proxy:
            lossy = {"address": proxy.address}
            _, _, err = self.check(["cas", "lost", "v", "--expect", "0", "--timeout", "0.3"], 6, b"",
                                   "may have taken effect", **lossy)
            request_id = re.search(r"--request-id (\S+)", err)[1]
            code, out, _ = self.kv("cas", "lost2", "v", "--expect", "0", "--timeout", "0.3", "-o",
                                   "json", **lossy)
            self.assertEqual((code, json.loads(out)["outcome"]), (6, "unknown"))
            self.check(["put", "lost3", "v", "--timeout", "0.3"], 6, b"", "put again", **lossy)
            self.check(["cas-delete", "lost2", "--expect", "1", "--timeout", "0.3"], 6, b"",
                       "--request-id", **lossy)
            # A read leaves nothing open.
            self.check(["get", "lost", "--timeout", "0.3"], 3, b"", **lossy)
        self.check(["get", "lost", "--with-version"], 0, b"1\tv\n")
        again = ["cas", "lost", "v", "--expect", "0"]
        self.check(again, 1, b"", "mismatch")
        self.check([*again, "--request-id", request_id], 0, b"version 1\n")
        self.check([*again, "--request-id", "nonsense"], 2, b"", "nonsense")


class DamageTest(unittest.TestCase):
    def test_damaged_data_ends_with_its_own_code(self):
        with e2e.Cluster(1) as cluster:
            cluster.wait_for_leader()
            self.assertEqual(cluster.kv("put", "k", "v")[0], 0)
            cluster.stop(1)
            with open(cluster.data(1) + "/db/CURRENT", "r+b") as current:
                manifest = current.read().decode().strip()
            with open(f"{cluster.data(1)}/db/{manifest}", "r+b") as file:
                file.seek(8)
                file.write(b"\xff" * 8)
            code, _, err = e2e.run("server", "--store-id", "1", "--addr", cluster.addresses[1],
                                   "--data-dir", cluster.data(1))
            self.assertEqual(code, 5, err)


class LossyProxy:
    """Passes on what clients ask of a store, and closes the connection instead of answering."""

    def __init__(self, store):
        host, port = store.split(":")
        self.store = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        try:
            while True:
                client, _ = self.listener.accept()
                store = socket.create_connection(self.store)
                threading.Thread(target=self.ask, args=(client, store), daemon=True).start()
                threading.Thread(target=self.answer, args=(client, store), daemon=True).start()
        except OSError:
            pass  # The end of the test.

    @staticmethod
    def ask(client, store):
        try:
            while data := client.recv(65536):
                store.sendall(data)
        except OSError:
            pass

    @staticmethod
    def answer(client, store):
        """HTTP/2 frames (RFC 9113, 4.1), up to the first one of a response."""
        stream = store.makefile("rb")
        try:
            while head := stream.read(9):
                body = stream.read(int.from_bytes(head[:3], "big"))
                if head[3] in (0, 1):  # DATA, HEADERS
                    break
                client.sendall(head + body)
        except OSError:
            pass
        for connection in (client, store):
            connection.close()


if __name__ == "__main__":
    e2e.main()
