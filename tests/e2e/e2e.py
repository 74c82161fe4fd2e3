# SPDX-License-Identifier: Apache-2.0
"""Real processes for end-to-end tests: servers, the command line, gRPC calls by Python's grpcio."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

RUNFILES = os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"])
FLAREDB = os.path.join(RUNFILES, "net/cli/flaredb")


def runfile(path):
    return os.path.join(RUNFILES, path)


def free_ports(count):
    """Ports that are free now; all different."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_for(what, condition, seconds=60):
    """The first true value of `condition`, which must come within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


class Machine:
    """Knows how much of the time in which this machine wanted to run others took, since this object was made, as its
    hypervisor tells. What was measured meanwhile tells little of the program."""

    STOLEN_MAX = 0.1

    def __init__(self):
        self.before = self.times()

    @staticmethod
    def times():
        """What it wanted, and what was taken of that, in ticks."""
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
        return user + nice + system + irq + softirq + steal, steal

    def excuse(self):
        """A clause, or "" without one."""
        wanted, stolen = (now - before for now, before in zip(self.times(), self.before))
        part = stolen / max(wanted, 1)
        return f"others took {part:.0%} of this machine's time" if part > self.STOLEN_MAX else ""


def assert_within(test, seconds, limit, machine, told=""):
    """On a machine that was taken away meanwhile it is not the program's fault: skips."""
    if seconds >= limit and machine.excuse():
        test.skipTest(f"{seconds:.2f} s instead of {limit} s, but {machine.excuse()}")
    test.assertLess(seconds, limit, told)


def run(*args, **options):
    """Runs flaredb to its end: (exit code, standard output, standard error)."""
    done = subprocess.run(
        [FLAREDB, *args], capture_output=True, timeout=30, text=True, check=False, **options
    )
    return done.returncode, done.stdout, done.stderr


class Messages:
    """Classes for the messages in a FileDescriptorSet: messages.get("kvrpc.GetRequest")."""

    def __init__(self, descriptors):
        files = descriptor_pb2.FileDescriptorSet()
        with open(descriptors, "rb") as file:
            files.ParseFromString(file.read())
        self.pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            self.pool.Add(file)
        self.factory = message_factory.MessageFactory(self.pool)

    def get(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))


class Kv:
    """kvrpc.KvCas of one store, by grpcio."""

    MESSAGES = Messages(runfile("proto/kvrpc.descriptors.bin"))

    def __init__(self, address, *options):
        self.channel = grpc.insecure_channel(
            address, options=[("grpc.initial_reconnect_backoff_ms", 100), *options]
        )

    def call(self, method, request, timeout=20):
        name = {"CompareAndSwap": "Cas", "CompareAndDelete": "CasDelete"}.get(method, method)
        invoke = self.channel.unary_unary(
            f"/kvrpc.KvCas/{method}",
            request_serializer=lambda r: r if isinstance(r, bytes) else r.SerializeToString(),
            response_deserializer=self.MESSAGES.get(f"kvrpc.{name}Response").FromString,
        )
        return invoke(request, timeout=timeout)

    def cas(self, key, value, expected, **options):
        request = self.MESSAGES.get("kvrpc.CasRequest")(
            key=key, value=value, expected_version=expected
        )
        return self.call("CompareAndSwap", request, **options)

    def get(self, key, **options):
        return self.call("Get", self.MESSAGES.get("kvrpc.GetRequest")(key=key), **options)

    def close(self):
        self.channel.close()


def spawn(command, **options):
    """Starts a process that gets SIGKILL when the test ends, however it ends.

    By a program, not by preexec_fn: what runs between fork and exec in a process that has threads of
    gRPC's may find their locks taken for ever.
    """
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], **options)


class Cluster:
    """`count` servers in a temporary folder. Use as a context: at the end everything is gone.

    Store 1 founds the cluster and the others join it. `client_args` is what the command line needs
    to speak with a store. With `first`, so many are started; the others have addresses only.
    """

    def __init__(self, count=3, with_admin=False, server_args=(), client_args=(), first=None):
        self.folder = tempfile.mkdtemp(prefix="flaredb-e2e-", dir=os.environ.get("TEST_TMPDIR"))
        ports = free_ports(2 * count)
        self.addresses = {i + 1: f"127.0.0.1:{ports[i]}" for i in range(count)}
        # Of the operators' ports, if the stores have them.
        self.admin_addresses = {i + 1: f"127.0.0.1:{ports[count + i]}" for i in range(count)}
        self.with_admin = with_admin
        self.server_args = server_args
        self.client_args = client_args
        self.first = first or count
        self.processes = {}

    def __enter__(self):
        for store in range(1, self.first + 1):
            self.start(store)
        try:
            wait_for("replicas on all stores", self.has_grown, 40)
        except AssertionError:
            print(self.logs(), file=sys.stderr)
            self.__exit__()
            raise
        return self

    def has_grown(self):
        """Whether every store has a voter of both regions, as store 1 tells."""
        code, out, err = run(
            "store", "list", "-o", "json", "--addr", self.addresses[1], *self.client_args
        )
        rows = [json.loads(line) for line in out.splitlines()]
        replicas = {row["store"]: row["replicas"] for row in rows}
        # A store alone waits for others as long as it is alone.
        waits = err != "" and self.first >= 3
        expected = {store: 2 for store in range(1, self.first + 1)}
        return code == 0 and not waits and replicas == expected

    def __exit__(self, *_):
        for store in list(self.processes):
            self.kill(store)
        shutil.rmtree(self.folder)

    def data(self, store):
        return f"{self.folder}/store-{store}"

    def log_path(self, store):
        return f"{self.folder}/store-{store}.log"

    def start(self, store, *extra):
        """Starts a store, for the first time or again."""
        args = ["--store-id", str(store), "--addr", self.addresses[store]]
        args += ["--data-dir", self.data(store), *self.server_args, *extra]
        if store != 1:
            args += ["--peer", f"1={self.addresses[1]}"]
        if self.with_admin:
            args += ["--admin-addr", self.admin_addresses[store]]
        with open(self.log_path(store), "ab") as log:
            self.processes[store] = spawn(
                [FLAREDB, "server", *args],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, store):
        """kill -9."""
        process = self.processes.pop(store)
        process.kill()
        process.wait()

    def stop(self, store, seconds=10):
        """SIGTERM; the exit code."""
        process = self.processes.pop(store)
        process.terminate()
        return process.wait(timeout=seconds)

    def events(self, store):
        """The lines of a store's log, which are JSON."""
        with open(self.log_path(store), encoding="utf-8") as log:
            return [json.loads(line) for line in log if line.endswith("\n")]

    def leader(self):
        """The running store that leads users' keys in the highest term, or None."""
        led = [
            (int(event["term"]), store)
            for store in self.processes
            for event in self.events(store)
            if event["message"] in ("leads", "follows") and event["region"] == "1"
        ]
        term = max(led, default=(0, 0))[0]
        for store in self.processes:
            for event in self.events(store):
                if event["message"] != "leads" or event["region"] != "1":
                    continue
                if int(event["term"]) == term:
                    return store
        return None

    def wait_for_leader(self):
        return wait_for("a leader", self.leader)

    def others(self, store):
        return [i for i in self.addresses if i != store]

    def kv(self, *args, stores=None):
        """flaredb kv by way of these stores."""
        addresses = [self.addresses[i] for i in (stores or self.addresses)]
        return run("kv", args[0], "--addr", ",".join(addresses), *args[1:])

    def logs(self):
        """For a failed test."""
        text = ""
        for store in filter(lambda s: os.path.exists(self.log_path(s)), self.addresses):
            with open(self.log_path(store), encoding="utf-8") as log:
                text += f"--- store {store}\n{log.read()}"
        return text


class Playground:
    """flaredb playground, in a temporary folder of its own."""

    def __init__(self):
        self.parent_folder = tempfile.mkdtemp(prefix="e2e-", dir=os.environ.get("TEST_TMPDIR"))
        self.started = time.monotonic()
        # Not in a session with the test and without input, as under a service manager.
        self.process = spawn(
            [FLAREDB, "playground"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": self.parent_folder},
        )
        self.text = self.read_until("Then kill a store")
        self.ready_after = time.monotonic() - self.started
        found = re.findall(r"store (\d)   (\S+)   pid (\d+)", self.text)
        self.addresses = {int(i): address for i, address, _ in found}
        self.pids = {int(i): int(pid) for i, _, pid in found}

    def read_until(self, mark):
        text = ""
        for line in self.process.stdout:
            text += line
            if mark in line:
                return text
        raise AssertionError(f"the playground ended: {text}")

    def gone(self):
        return not os.listdir(self.parent_folder) and not processes_with(self.parent_folder)

    def close(self):
        """Ends it in the hardest way if it has not ended; nothing may be left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        wait_for("the end of everything", self.gone)
        os.rmdir(self.parent_folder)


def processes_with(text):
    """Pids of the processes whose command line contains `text`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if text.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass  # It ended.
    return [pid for pid in found if pid != os.getpid()]


def error_detail(error, messages):
    """The errorpb.Error of a failed call."""
    raw = dict(error.trailing_metadata())["grpc-status-details-bin"]
    # google.rpc.Status{1: code, 2: message, 3: details}; Any{1: type_url, 2: value}.
    fields = dict(wire_fields(raw))
    detail = dict(wire_fields(fields[3]))
    assert detail[1] == b"type.googleapis.com/errorpb.Error", detail
    return messages.get("errorpb.Error").FromString(detail[2])


def wire_fields(data):
    """(number, value) of each field of a message whose schema is not at hand."""

    def varint():
        nonlocal data
        value = shift = 0
        while True:
            byte, data = data[0], data[1:]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while data:
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        else:
            assert tag & 7 == 2, tag
            size = varint()
            yield tag >> 3, data[:size]
            data = data[size:]


def main():
    import unittest

    sys.exit(unittest.main(verbosity=2))
