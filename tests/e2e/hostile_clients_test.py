#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that send nonsense, too much, too often, or do not read, to every service of a real store.

The store stays up and bounded, and meanwhile answers a client that behaves. What a connection may
do at all is the matter of //tests/net:http2_abuse_test.
"""

import os
import random
import resource
import socket
import struct
import threading
import time
import unittest

import grpc

import e2e

MESSAGES = {name: e2e.Messages(e2e.runfile(f"proto/{name}.descriptors.bin"))
            for name in ("errorpb", "kvrpc", "raftpb", "pdpb")}

# Method -> request. Not what takes a store into or out of the cluster: any request that is well
# formed may do that.
METHODS = {
    "kvrpc.KvCas": {"CompareAndSwap": "CasRequest", "Get": "GetRequest", "Scan": "ScanRequest",
                    "CompareAndDelete": "CasDeleteRequest"},
    "kvrpc.KvRaw": {"RawPut": "RawPutRequest", "RawGet": "RawGetRequest", "RawScan": "RawScanRequest",
                    "RawDelete": "RawDeleteRequest"},
    "raftpb.RaftService": {"GetMode": "GetModeRequest", "ListNamespaceModes": "ListNamespaceModesRequest",
                           "UpdateNamespaceMode": "UpdateNamespaceModeRequest"},
    "pdpb.Pd": {"GetCluster": "GetClusterRequest", "GetMembers": "GetMembersRequest",
                "ListStores": "ListStoresRequest", "AllocateIds": "AllocateIdsRequest",
                "GetRegion": "GetRegionRequest", "ScanRegions": "ScanRegionsRequest",
                "EnsureNamespace": "EnsureNamespaceRequest"},
}
ALL = [(service, method, request) for service, methods in METHODS.items() for method, request in methods.items()]
NAMED = [(s, m, r) for s, m, r in ALL
         if "namespace" in MESSAGES[s.split(".")[0]].get(f"{s.split('.')[0]}.{r}").DESCRIPTOR.fields_by_name]

# Far more than the store needs for what an honest client does, far less than what is sent at it.
RESIDENT_MAX = 400 << 20
# Seconds until an honest client has what it wanted, pauses that it was told to make included. Nothing
# here is optimised, and the hostile clients take most of a small machine; tests/trials/flood.py wants
# half of it.
SLOWEST = 10.0


def new(service, request, **fields):
    package = service.split(".")[0]
    return MESSAGES[package].get(f"{package}.{request}")(**fields)


def random_message(rng, message, depth=0):
    """Fills in some fields with what is at the bounds of their types, and beyond those of the API."""
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.3 or field.label == field.LABEL_REPEATED:
            continue
        if field.type == field.TYPE_MESSAGE:
            if depth < 3:
                getattr(message, field.name).SetInParent()
                random_message(rng, getattr(message, field.name), depth + 1)
        elif field.type == field.TYPE_BYTES:
            setattr(message, field.name, rng.choice([b"", b"k", b"\0", b"\xff" * 9, rng.randbytes(rng.randrange(300))]))
        elif field.type == field.TYPE_STRING:
            setattr(message, field.name, rng.choice(["", "fuzz", "default", "eventual", "strong", "a/b", "n\0", "\u2028",
                                                     "x" * 256, f"n{rng.randrange(9)}"]))
        elif field.type == field.TYPE_BOOL:
            setattr(message, field.name, rng.random() < 0.5)
        elif field.type == field.TYPE_UINT32:
            setattr(message, field.name, rng.choice([0, 1, 7, 2**31, 2**32 - 1]))
        else:
            setattr(message, field.name, rng.choice([0, 1, 2, 50, 2**63, 2**64 - 1]))
    return message


def spoil(rng, data):
    """A few bytes changed, cut off or put in."""
    data = bytearray(data)
    for _ in range(rng.choice([0, 0, 1, 2, 5])):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(3)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at:at + rng.randrange(9)] = b""
        else:
            data[at:at] = rng.randbytes(rng.randrange(9))
    return bytes(data)


# --- HTTP/2 by hand.

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 8, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def headers(path):
    block = literal(":method", "POST") + literal(":scheme", "http") + literal(":path", path)
    return block + literal(":authority", "a") + literal("te", "trailers") + literal("content-type", "application/grpc")


def call(stream, path, message):
    body = b"\0" + struct.pack(">I", len(message)) + message
    return frame(HEADERS, END_HEADERS, stream, headers(path)) + frame(DATA, END_STREAM, stream, body)


def begin(window=65535):
    return PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, window))


class Honest(threading.Thread):
    """A client of a behaving kind, that calls one method of each service in turn, all the time."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.channel = grpc.insecure_channel(address)
        self.ended = threading.Event()
        self.failures = []
        self.slowest = 0.0
        self.rounds = 0

    def round(self):
        for service, method, request in (
            ("kvrpc.KvRaw", "RawPut", new("kvrpc.KvRaw", "RawPutRequest", namespace="logs", key=b"honest", value=b"v")),
            ("kvrpc.KvRaw", "RawGet", new("kvrpc.KvRaw", "RawGetRequest", namespace="logs", key=b"honest")),
            ("kvrpc.KvCas", "Get", new("kvrpc.KvCas", "GetRequest", namespace="steady", key=b"honest")),
            ("raftpb.RaftService", "GetMode", new("raftpb.RaftService", "GetModeRequest", namespace="logs")),
            ("pdpb.Pd", "ListStores", new("pdpb.Pd", "ListStoresRequest")),
        ):
            started = time.monotonic()
            while (error := self.ask(f"/{service}/{method}", request)) is not None:
                # As it is told to: a pause, and again.
                if error.code().name != "RESOURCE_EXHAUSTED" or time.monotonic() > started + 20:
                    self.failures.append(f"{method}: {error.code().name} {error.details()}")
                    break
                time.sleep(0.1)
            self.slowest = max(self.slowest, time.monotonic() - started)

    def ask(self, path, request):
        try:
            self.channel.unary_unary(path)(request.SerializeToString(), timeout=20)
            return None
        except grpc.RpcError as error:
            return error

    def run(self):
        while not self.ended.wait(0.02):
            self.round()
            self.rounds += 1

    def close(self):
        self.ended.set()
        self.join()
        self.channel.close()


class HostileClientsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Before the store starts, which inherits it.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        cls.cluster = e2e.Cluster(1, server_args=["--namespace-mode", "logs=eventual"])
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_for_leader()
        cls.address = cls.cluster.addresses[1]
        cls.channel = grpc.insecure_channel(cls.address, options=[("grpc.max_send_message_length", -1)])
        cls.addClassCleanup(cls.channel.close)
        e2e.wait_for("the namespace", lambda: cls.status("raftpb.RaftService", "GetMode",
                                                         b"\x0a\x04logs")[0] == "OK")
        # What nonsense says about "default" is obeyed where it makes sense. This one it does not hit.
        large = new("kvrpc.KvCas", "CasRequest", namespace="steady", key=b"large", value=b"v" * (1 << 20))
        code, message, _ = cls.status("kvrpc.KvCas", "CompareAndSwap", large.SerializeToString())
        assert code == "OK", message

    def setUp(self):
        with open(f"/proc/{self.cluster.processes[1].pid}/clear_refs", "w", encoding="utf-8") as file:
            file.write("5")  # VmHWM begins anew.
        self.machine = e2e.Machine()
        self.honest = Honest(self.address)
        self.honest.start()

    def tearDown(self):
        self.honest.close()
        self.assertIsNone(self.cluster.processes[1].poll(), "the store ended: " + self.cluster.logs()[-3000:])
        self.assertEqual(self.honest.failures[:3], [])
        self.assertGreater(self.honest.rounds, 0)
        self.assertLess(self.memory("VmHWM"), RESIDENT_MAX)
        e2e.assert_within(self, self.honest.slowest, SLOWEST, self.machine)

    def memory(self, line):
        with open(f"/proc/{self.cluster.processes[1].pid}/status", encoding="utf-8") as file:
            return next(int(text.split()[1]) << 10 for text in file if text.startswith(line))

    @classmethod
    def status(cls, service, method, request, timeout=20):
        """(name of the code, message, errorpb.Error or None) of a call."""
        try:
            cls.channel.unary_unary(f"/{service}/{method}")(request, timeout=timeout)
            return "OK", "", None
        except grpc.RpcError as error:
            detail = None
            if "grpc-status-details-bin" in dict(error.trailing_metadata() or ()):
                detail = e2e.error_detail(error, MESSAGES["errorpb"])
            return error.code().name, error.details(), detail

    def connect(self, receive_buffer=0):
        host, port = self.address.split(":")
        connection = socket.socket()
        self.addCleanup(connection.close)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(30)
        connection.connect((host, int(port)))
        return connection

    @staticmethod
    def ended(connection, seconds=20):
        """Whether the store closes the connection within the time."""
        connection.settimeout(seconds)
        try:
            while connection.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass  # A reset is an end, too.
        return True

    def connections(self):
        """Of the store, as the system counts its descriptors of sockets."""
        folder = f"/proc/{self.cluster.processes[1].pid}/fd"
        count = 0
        for name in os.listdir(folder):
            try:
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
            except OSError:
                pass  # It was closed meanwhile.
        return count

    def test_nonsense_is_refused_in_a_sentence(self):
        rng = random.Random(8)
        log = self.cluster.log_path(1)
        before = os.path.getsize(log)
        codes = {}
        for i in range(3000):
            service, method, request = ALL[i % len(ALL)]
            data = spoil(rng, random_message(rng, new(service, request)).SerializeToString())
            code, message, detail = self.status(service, method, data, timeout=3)
            codes[code] = codes.get(code, 0) + 1
            what = f"{method} {data.hex()}: {code} {message}"
            self.assertNotIn(code, ("INTERNAL", "UNIMPLEMENTED", "UNAVAILABLE"), what)
            if code in ("OK", "DEADLINE_EXCEEDED"):
                continue
            self.assertTrue(detail is not None and detail.outcome != 0, what)
            self.assertTrue(0 < len(message) < 1000, what)
            self.assertTrue(message.isprintable(), what)
        self.assertGreater(codes["OK"], 100, codes)
        self.assertGreater(codes["INVALID_ARGUMENT"], 100, codes)
        for _ in range(1000):  # A name that is no UTF-8.
            self.assertEqual(self.status("raftpb.RaftService", "GetMode", b"\x0a\x01\xff")[0], "INVALID_ARGUMENT")
        # Nonsense must not fill the disk with lines about it.
        self.assertLess(os.path.getsize(log) - before, 64 << 10)

    def test_keys_values_and_bounds_beyond_the_limits(self):
        raw = "kvrpc.KvRaw"
        key, value = b"k" * 8192, b"v" * (1 << 20)
        for method, request, limit, fields in (
            ("RawPut", "RawPutRequest", None, {"key": key, "value": value}),
            ("RawPut", "RawPutRequest", "8192", {"key": key + b"k"}),
            ("RawPut", "RawPutRequest", "1048576", {"key": b"k", "value": value + b"v"}),
            ("RawPut", "RawPutRequest", "at least one byte", {}),
            ("RawGet", "RawGetRequest", None, {"key": key}),
            ("RawGet", "RawGetRequest", "8192", {"key": key + b"k"}),
            ("RawDelete", "RawDeleteRequest", "8192", {"key": key + b"k"}),
            ("RawDelete", "RawDeleteRequest", None, {"key": key}),
            ("RawScan", "RawScanRequest", None, {"start_key": key + b"\0"}),
            ("RawScan", "RawScanRequest", "8193", {"start_key": key + b"kk"}),
            ("RawScan", "RawScanRequest", "8193", {"end_key": key + b"kk"}),
            ("RawScan", "RawScanRequest", "8193", {"prefix": key + b"kk"}),
            ("RawScan", "RawScanRequest", "page_token", {"page_token": b"x" * 100_000}),
            ("RawScan", "RawScanRequest", None, {"limit": 2**32 - 1, "max_bytes": 2**32 - 1}),
        ):
            data = new(raw, request, namespace="logs", **fields).SerializeToString()
            code, message, detail = self.status(raw, method, data)
            if limit is None:
                self.assertEqual(code, "OK", f"{method} {message}")
                continue
            self.assertEqual(code, "INVALID_ARGUMENT", f"{method} {message[:300]}")
            self.assertEqual(detail.WhichOneof("kind"), "invalid_request")
            self.assertIn(limit, message)
            self.assertLess(len(message), 1000)
        # As large as a message may be, and larger.
        for size, codes in ((4 << 20) - 100, {"INVALID_ARGUMENT"}), ((4 << 20) + 100, {"RESOURCE_EXHAUSTED"}):
            for service, method, request in ALL:
                if "key" not in new(service, request).DESCRIPTOR.fields_by_name:
                    continue
                namespace = "logs" if service == "kvrpc.KvRaw" else "steady"
                data = new(service, request, key=b"k" * size).SerializeToString()
                if (service, method, request) in NAMED:
                    data += new(service, request, namespace=namespace).SerializeToString()
                code, message, _ = self.status(service, method, data)
                self.assertIn(code, codes, f"{method} {message[:300]}")
                self.assertLess(len(message), 1000, method)

    def test_stores_that_cannot_be(self):
        stores = [{}, {"id": 0, "address": "127.0.0.1:1", "instance": {"hi": 1, "lo": 1}},
                  {"id": 3, "address": "127.0.0.1:1"}, {"id": 3, "address": "127.0.0.1:1", "instance": {}}]
        wrong = [("PutStore", new("pdpb.Pd", "PutStoreRequest", store=store)) for store in stores]
        wrong.append(("PutStore", new("pdpb.Pd", "PutStoreRequest")))
        wrong += [("SetStoreState", new("pdpb.Pd", "SetStoreStateRequest", store_id=0, state=state))
                  for state in (0, 1, 2, 3, 4)]
        for method, message in wrong:
            code, text, detail = self.status("pdpb.Pd", method, message.SerializeToString())
            self.assertEqual(code, "INVALID_ARGUMENT", f"{method} {message} {text}")
            self.assertEqual((detail.outcome, detail.WhichOneof("kind")), (1, "invalid_request"))
        e2e.wait_for("an honest client", lambda: self.honest.rounds > 0)

    def test_names_that_cannot_be(self):
        names = ["n" * 256, "a/b", "a\0b", "a\n", "\x1b[2J", "\x85", "n" * 3_000_000]
        for service, method, request in NAMED:
            for name in names:
                message = new(service, request, namespace=name)
                for field, some in (("key", b"k"), ("mode", "eventual"), ("expected_version", 1)):
                    if field in message.DESCRIPTOR.fields_by_name:
                        setattr(message, field, some)
                code, text, detail = self.status(service, method, message.SerializeToString())
                self.assertIn(code, ("INVALID_ARGUMENT", "NOT_FOUND"), f"{method} {text[:300]}")
                self.assertTrue(text.isprintable() and len(text) < 1000, f"{method} {text[:300]!r}")
                self.assertEqual(detail.outcome, 1)  # NOT_APPLIED
        for service, method, request in ALL:
            if "mode" not in new(service, request).DESCRIPTOR.fields_by_name:
                continue
            for mode in ("x", "\x1b[2J", "m" * 3_000_000):
                data = new(service, request, namespace="logs", mode=mode).SerializeToString()
                code, text, _ = self.status(service, method, data)
                self.assertEqual(code, "INVALID_ARGUMENT", f"{method} {text[:300]}")
                self.assertTrue(text.isprintable() and len(text) < 1000, f"{method} {text[:300]!r}")
        for prefix in ("p" * 3_000_000, "\0"):
            data = new("raftpb.RaftService", "ListNamespaceModesRequest", prefix=prefix).SerializeToString()
            code, text, _ = self.status("raftpb.RaftService", "ListNamespaceModes", data)
            self.assertIn(code, ("OK", "INVALID_ARGUMENT"), text[:300])
            self.assertLess(len(text), 1000)
        self.assertEqual(self.status("kvrpc.KvRaw", "RawPut", new(
            "kvrpc.KvRaw", "RawPutRequest", namespace="nowhere", key=b"k").SerializeToString())[:2],
            ("NOT_FOUND", 'there is no namespace "nowhere": a strong one is created by its first write, an '
                          'eventual one by "flaredb ns set-mode nowhere eventual"'))

    def test_ten_thousand_connections(self):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if limit < 11_000:
            self.skipTest(f"only {limit} descriptors are allowed here")
        opened = []
        for i in range(10_500):
            connection = self.connect()
            if i % 10 == 0:
                connection.sendall(begin() + call(1, "/raftpb.RaftService/GetMode", b"\x0a\x04logs"))
            opened.append(connection)
        # Room is made at the end of the turn that accepted them.
        e2e.wait_for("only ten thousand to be left", lambda: self.connections() <= 10_010, 10)
        for _ in range(20):  # Also who comes last, each over a connection of its own.
            code, out, err = e2e.run("kv", "get", "nothing", "--namespace", "steady", "--addr", self.address)
            self.assertEqual(code, 1, err)
        time.sleep(1)
        for connection in opened:
            connection.close()
        e2e.wait_for("the end of them", lambda: self.connections() < 50, 30)
        self.assertEqual(self.status("pdpb.Pd", "GetCluster", b"")[0], "OK")

    def test_connections_that_never_begin(self):
        started = [begin(), PREFACE[:10], b"", begin() + frame(HEADERS, 0, 1, headers("/kvrpc.KvRaw/RawPut")[:20]),
                   begin() + frame(HEADERS, END_HEADERS, 1, headers("/kvrpc.KvRaw/RawPut")) +
                   frame(DATA, 0, 1, b"\0\0\x10\0\0half")]
        opened = []
        for i in range(1000):
            connection = self.connect()
            connection.sendall(started[i % len(started)])
            opened.append((i % len(started), connection))
        # Of those that did not even shake hands nothing is left after ten seconds.
        for kind, connection in opened:
            if kind in (1, 2):
                self.assertTrue(self.ended(connection), kind)
        for _, connection in opened:
            connection.close()
        e2e.wait_for("the end of them", lambda: self.connections() < 50, 30)

    def test_clients_that_never_read(self):
        raw = "kvrpc.KvRaw"
        for i in range(8):
            data = new(raw, "RawPutRequest", namespace="logs", key=b"large-%d" % i, value=b"v" * 500_000)
            self.assertEqual(self.status(raw, "RawPut", data.SerializeToString())[0], "OK")
        scan = new(raw, "RawScanRequest", namespace="logs", prefix=b"large-").SerializeToString()
        get = new(raw, "RawGetRequest", namespace="logs", key=b"large-0").SerializeToString()
        for path, message in ((f"/{raw}/RawScan", scan), (f"/{raw}/RawGet", get),
                              ("/raftpb.RaftService/ListNamespaceModes", b"")):
            for _ in range(20):
                connection = self.connect(receive_buffer=4096)
                connection.settimeout(2)
                calls = b"".join(call(2 * i + 1, path, message) for i in range(1000))
                window = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65535))
                try:
                    connection.sendall(begin(2**31 - 1) + window + calls)
                except OSError:
                    pass  # It is cut off for that.
            self.assertLess(self.memory("VmHWM"), RESIDENT_MAX, path)
        time.sleep(1)

    def test_small_requests_for_large_values(self):
        for method, request in (
            ("Get", new("kvrpc.KvCas", "GetRequest", namespace="steady", key=b"large")),
            ("CompareAndSwap", new("kvrpc.KvCas", "CasRequest", namespace="steady", key=b"large",
                                   expected_version=9, return_current=True)),
        ):
            channels = [grpc.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)])
                        for _ in range(8)]
            data = request.SerializeToString()
            calls = [channel.unary_unary(f"/kvrpc.KvCas/{method}").future(data, timeout=60)
                     for channel in channels for _ in range(500)]
            codes = [call.code().name for call in calls]
            self.assertLessEqual(set(codes), {"OK", "RESOURCE_EXHAUSTED"}, method)
            self.assertGreaterEqual(codes.count("OK"), 16, method)
            for channel in channels:
                channel.close()

    def test_a_flood_of_resets(self):
        raw = new("kvrpc.KvRaw", "RawPutRequest", namespace="logs", key=b"flood", value=b"v").SerializeToString()
        for path, message in (("/kvrpc.KvRaw/RawPut", raw), ("/kvrpc.KvRaw/RawScan", b"\x22\x04logs"),
                              ("/raftpb.RaftService/ListNamespaceModes", b""), ("/pdpb.Pd/ListStores", b""),
                              ("/raftpb.RaftService/UpdateNamespaceMode", b"\x0a\x04logs\x12\x08eventual")):
            connection = self.connect()
            connection.sendall(begin())
            cut_off = False
            for start in range(0, 50_000, 500):
                burst = b"".join(call(2 * i + 1, path, message) + frame(RESET, 0, 2 * i + 1, b"\0\0\0\x08")
                                 for i in range(start, start + 500))
                try:
                    connection.sendall(burst)
                except OSError:
                    cut_off = True
                    break
            self.assertTrue(cut_off or self.ended(connection, 5), path)


if __name__ == "__main__":
    e2e.main()
