#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Thousands of clients that do not end what they began, do not read, or send what costs them nothing.
The store stays up, its memory bounded, and serves a client that behaves. What a single call may hold
is the matter of tests/e2e/hostile_clients_test.py."""

import argparse
import itertools
import resource
import select
import socket
import ssl
import struct
import tempfile
import time

import trial
from trial import e2e, say

import hostile_clients_test as hostile  # noqa: E402
from hostile_clients_test import (CONTINUATION, DATA, END_HEADERS, HEADERS, PREFACE, RESET, SETTINGS,
                                  WINDOW_UPDATE, begin, call, frame, headers, literal, new)

RESIDENT_MAX = 768 << 20
PING = 6
GET = "/kvrpc.KvRaw/RawGet"


def get(key):
    return new("kvrpc.KvRaw", "RawGetRequest", namespace="logs", key=key).SerializeToString()


def streams():
    return itertools.count(1, 2)


# --- What clients send: an iterator of pieces for each. All begin at the same time.

def nothing_ended(i):
    """Connections that say nothing, or not what they began to say."""
    path = hostile.ALL[i % len(hostile.ALL)]
    block = headers(f"/{path[0]}/{path[1]}")
    yield [
        b"",
        PREFACE[:10],
        begin(),
        begin() + frame(HEADERS, 0, 1, block),
        begin() + frame(HEADERS, END_HEADERS, 1, block[:-20]),
        begin() + frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, 0, 1, b"\0\0\x10\0\0half"),
    ][i % 6]


def long_header_blocks(_):
    """Headers that do not end, of as many bytes as are taken."""
    yield begin() + frame(HEADERS, 0, 1, headers(GET))
    # A name of one byte, and a value that claims 60,000.
    yield frame(CONTINUATION, 0, 1, b"\0\x01x\x7f" + b"\xe1\xd3\x03" + b"y" * 16000)
    for _ in range(2):
        yield frame(CONTINUATION, 0, 1, b"y" * 16000)


def halves_of_bodies(i):
    """Messages of a megabyte that stop after 16 kilobytes, a thousand on each connection."""
    path = hostile.ALL[i % len(hostile.ALL)]
    block = headers(f"/{path[0]}/{path[1]}")
    body = b"\0" + struct.pack(">I", 1 << 20) + b"x" * 16000
    yield begin()
    for stream in itertools.islice(streams(), 1000):
        yield frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, 0, stream, body)


def headers_without_bodies(_):
    """Calls with 12 kilobytes of metadata and no message, a thousand on each connection."""
    block = headers(GET)
    while len(block) < 12000:
        block += literal(f"x-{len(block)}", "y" * 110)
    yield begin()
    for stream in itertools.islice(streams(), 1000):
        yield frame(HEADERS, END_HEADERS, stream, block)


def replies_that_nobody_reads(i):
    """A thousand replies of 60 kilobytes, or more, on each connection."""
    path, message = [
        (GET, get(b"middling")),
        ("/kvrpc.KvRaw/RawScan", new("kvrpc.KvRaw", "RawScanRequest", namespace="logs").SerializeToString()),
        ("/kvrpc.KvCas/Scan", new("kvrpc.KvCas", "ScanRequest", namespace="steady").SerializeToString()),
        ("/raftpb.RaftService/ListNamespaceModes", b""),
        (GET, get(b"small")),
    ][i % 5]
    yield begin(2**31 - 1) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65535))
    for stream in itertools.islice(streams(), 1000):
        yield call(stream, path, message)


def one_large_reply(_):
    """A reply of a megabyte, read by a client that then says nothing more."""
    yield begin(2**31 - 1) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65535))
    yield call(1, GET, get(b"large"))


def resets(i):
    """Calls that are taken back at once."""
    yield begin()
    service, method, request = hostile.ALL[i % len(hostile.ALL)]
    for stream in streams():
        yield (call(stream, f"/{service}/{method}", new(service, request).SerializeToString()) +
               frame(RESET, 0, stream, b"\0\0\0\x08"))


def control_frames(i):
    """PING, SETTINGS, empty DATA, headers that never end."""
    yield begin() + frame(HEADERS, END_HEADERS, 1, headers(GET))
    if i % 4 == 3:
        yield frame(HEADERS, 0, 3, headers(GET))
    flood = [frame(PING, 0, 0, b"12345678"), frame(SETTINGS, 0, 0), frame(DATA, 0, 1),
             frame(CONTINUATION, 0, 3, literal("x", "y" * 100) * 100)][i % 4]
    while True:
        yield flood * (100 if len(flood) < 100 else 1)


def writes_that_wait(_):
    """Writes of a megabyte that wait a minute for a leader."""
    yield begin()
    block = headers("/kvrpc.KvCas/CompareAndSwap") + literal("grpc-timeout", "60S")
    message = new("kvrpc.KvCas", "CasRequest", namespace="steady", key=b"k", value=b"v" * 1_000_000)
    body = message.SerializeToString()
    body = b"\0" + struct.pack(">I", len(body)) + body
    pieces = [body[at:at + 16000] for at in range(0, len(body), 16000)]
    for stream in itertools.islice(streams(), 100):
        yield frame(HEADERS, END_HEADERS, stream, block)
        yield from (frame(DATA, 0, stream, piece) for piece in pieces)
        yield frame(DATA, 1, stream)


# --- Who sends it.

class Client:
    def __init__(self, address, source, pieces, reads):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.bind((source, 0))
        self.socket.connect_ex(address)
        self.pieces = pieces
        self.rest = b""
        self.reads = reads

    def send(self):
        """False: it has nothing more to send. Not more than its share at a time."""
        for _ in range(8):
            if not self.rest:
                self.rest = next(self.pieces, None)
                if self.rest is None:
                    return False
                continue
            self.rest = self.rest[self.socket.send(self.rest):]
        return True

    def drop(self):
        """False: the server has ended it."""
        return len(self.socket.recv(1 << 20)) > 0


class Flood:
    """`count` clients at a time, each of which is followed by another one when it is cut off."""

    def __init__(self, address, script, count, reads):
        host, port = address.split(":")
        self.address = (host, int(port))
        self.script = script
        self.reads = reads
        self.poll = select.epoll()
        self.clients = {}
        self.begun = 0
        self.cut_off = 0
        for _ in range(count):
            self.begin_one()

    def begin_one(self):
        # More than the ports of one address.
        source = f"127.0.0.{2 + self.begun // 5000 % 200}"
        client = Client(self.address, source, self.script(self.begun), self.reads)
        self.begun += 1
        self.clients[client.socket.fileno()] = client
        self.poll.register(client.socket.fileno(), self.interest(client, True))

    def interest(self, client, sends):
        return (select.EPOLLRDHUP | (select.EPOLLOUT if sends else 0) |
                (select.EPOLLIN if client.reads else 0))

    def run(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for number, events in self.poll.poll(0.1):
                client = self.clients[number]
                try:
                    goes_on = True
                    if events & select.EPOLLIN:
                        goes_on = client.drop()
                    elif events & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR):
                        goes_on = False
                    if goes_on and events & select.EPOLLOUT and not client.send():
                        self.poll.modify(number, self.interest(client, False))
                except BlockingIOError:
                    pass
                except OSError:
                    goes_on = False
                if not goes_on:
                    self.cut_off += 1
                    self.end(number)
                    self.begin_one()

    def end(self, number):
        self.poll.unregister(number)
        self.clients.pop(number).socket.close()

    def close(self):
        for number in list(self.clients):
            self.end(number)
        self.poll.close()


def memory(process, line):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(text.split()[1]) << 10 for text in file if text.startswith(line))


class Trial:
    def __init__(self, cluster, args):
        self.cluster = cluster
        self.args = args
        self.process = cluster.processes[1]

    def flood(self, script, count, reads=True, honest=hostile.Honest):
        if script.__name__ not in (self.args.only or script.__name__).split(","):
            return
        count = max(10, int(count * self.args.part))
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # VmHWM begins anew.
        machine = e2e.Machine()
        client = honest(self.cluster.addresses[1])
        client.start()
        e2e.wait_for("an honest client", lambda: client.rounds > 0)
        client.slowest = 0
        rounds = client.rounds
        flood = Flood(self.cluster.addresses[1], script, count, reads)
        flood.run(self.args.seconds)
        # The second of them began under the flood, and ends under it.
        began = time.monotonic()
        while client.rounds < rounds + 2 and time.monotonic() < began + 10 * self.args.slowest:
            flood.run(0.2)
        rounds, slowest = client.rounds - rounds, client.slowest
        client.close()
        flood.close()
        peak = memory(self.process, "VmHWM")
        say(f"{script.__name__}, {count} connections: {flood.begun} begun, {flood.cut_off} cut off, "
            f"{peak >> 20} MB resident; an honest client made {rounds} rounds, its slowest call took "
            f"{slowest:.2f} s")
        trial.require(self.process.poll() is None, "the store ended: " + self.cluster.logs()[-3000:])
        trial.require(not client.failures, f"an honest client failed: {client.failures[:3]}")
        trial.require(rounds >= 2, "an honest client was not served")
        trial.require(slowest < self.args.slowest, "an honest client waited too long", machine.excuse())
        trial.require(peak < RESIDENT_MAX, "that is too much memory")

    def put(self, key, size):
        request = new("kvrpc.KvRaw", "RawPutRequest", namespace="logs", key=key, value=b"v" * size)
        hostile.grpc.insecure_channel(self.cluster.addresses[1]).unary_unary("/kvrpc.KvRaw/RawPut")(
            request.SerializeToString(), timeout=20)


class OnlyEventual(hostile.Honest):
    """Asks for nothing that wants a leader."""

    def round(self):
        started = time.monotonic()
        for method in ("RawPut", "RawGet"):
            request = new("kvrpc.KvRaw", f"{method}Request", namespace="logs", key=b"honest")
            error = self.ask(f"/kvrpc.KvRaw/{method}", request)
            if error is not None:
                self.failures.append(f"{method}: {error.code().name} {error.details()}")
        self.slowest = max(self.slowest, time.monotonic() - started)


def create_namespaces(cluster):
    for kind, namespace in (("raw", "logs"), ("kv", "steady")):
        e2e.wait_for(namespace, lambda k=kind, n=namespace: e2e.run(
            k, "put", "a", "v", "--namespace", n, "--addr", cluster.addresses[1],
            *cluster.client_args)[0] == 0)


def flood_a_store(args):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    eventual = ("--namespace-mode", "logs=eventual")
    with e2e.Cluster(1, server_args=eventual) as cluster:
        create_namespaces(cluster)
        one = Trial(cluster, args)
        for key, size in ((b"small", 3500), (b"middling", 60_000), (b"large", 1 << 20)):
            one.put(key, size)
        # All that a store takes by default are 10,000 connections; an honest client has one already.
        one.flood(nothing_ended, 10_500)
        one.flood(long_header_blocks, 9_900)
        one.flood(one_large_reply, 9_900)
        one.flood(halves_of_bodies, 300)
        one.flood(headers_without_bodies, 300)
        one.flood(replies_that_nobody_reads, 300, reads=False)
        one.flood(resets, 50)
        one.flood(control_frames, 50)
    with e2e.Cluster(3, server_args=eventual) as cluster:
        create_namespaces(cluster)
        cluster.kill(2)
        cluster.kill(3)
        time.sleep(5)  # Until nobody leads any more.
        Trial(cluster, args).flood(writes_that_wait, 100, honest=OnlyEventual)
    flood_tls(args)


def hello_halves(i):
    """TLS that is never finished: nothing, or half a ClientHello."""
    context = ssl.create_default_context()
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="a")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = out.read()
    yield [b"", hello[:60], hello, b"\x16\x03\x01\x3f\xff\x01" + b"x" * 16000][i % 4]


class OverTls(hostile.Honest):
    def __init__(self, address, pki):
        super().__init__(address)
        with open(f"{pki}/ca.crt", "rb") as file:
            self.channel = hostile.grpc.secure_channel(
                address, hostile.grpc.ssl_channel_credentials(file.read()))


def flood_tls(args):
    with tempfile.TemporaryDirectory() as pki:
        for command in (("ca",), ("server", "--name", "store", "--host", "127.0.0.1")):
            code, _, err = e2e.run("cert", command[0], "--dir", pki, *command[1:])
            trial.require(code == 0, err)
        tls = ("--tls-ca", f"{pki}/ca.crt", "--tls-cert", f"{pki}/store.crt", "--tls-key", f"{pki}/store.key")
        with e2e.Cluster(1, server_args=("--namespace-mode", "logs=eventual", "--tls-clients", "optional", *tls),
                         client_args=("--tls-ca", f"{pki}/ca.crt")) as cluster:
            create_namespaces(cluster)
            Trial(cluster, args).flood(hello_halves, 9_900, honest=lambda address: OverTls(address, pki))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each flood, at least")
    parser.add_argument("--part", type=float, default=1, help="of the clients")
    parser.add_argument("--only", help="names of floods, with commas")
    parser.add_argument("--slowest", type=float, default=5, help="seconds for an honest call, at most")
    trial.run_trial(flood_a_store, parser.parse_args())


if __name__ == "__main__":
    main()
