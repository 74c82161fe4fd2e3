# SPDX-License-Identifier: Apache-2.0
"""Our server as Python's grpcio sees it. Argument: the path of the echo server."""

import os
import subprocess
import sys
import threading

import grpc

RAW = "/flaredb.test.Raw/Echo"
CHAT = "/flaredb.test.Echo/Chat"
PATIENCE = 20


def payload(data):
    """EchoRequest{payload} and EchoReply{payload} have the same bytes."""
    length, varint = len(data), b""
    while length >= 0x80:
        varint += bytes([length & 0x7F | 0x80])
        length >>= 7
    return b"\x0a" + varint + bytes([length]) + data


def code_of(call):
    try:
        call()
        return grpc.StatusCode.OK
    except grpc.RpcError as error:
        return error.code()


def main():
    server = subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, text=True)
    try:
        target = "127.0.0.1:%d" % int(server.stdout.readline())
        with grpc.insecure_channel(target) as channel:
            check(channel)
        server.terminate()
        assert server.wait(timeout=PATIENCE) == 0, "SIGTERM ends the server in order"
    finally:
        server.kill()


def check(channel):
    raw = channel.unary_unary(RAW)
    for message in (b"", b"a", bytes(range(256)), b"x" * 4000000):
        assert raw(message, timeout=PATIENCE) == message

    assert code_of(lambda: raw(b"x" * (4 * 1024 * 1024 + 1), timeout=PATIENCE)) == grpc.StatusCode.RESOURCE_EXHAUSTED
    unknown = channel.unary_unary("/flaredb.test.Raw/Nothing")
    assert code_of(lambda: unknown(b"", timeout=PATIENCE)) == grpc.StatusCode.UNIMPLEMENTED

    # EchoRequest{never = true}
    unary = channel.unary_unary("/flaredb.test.Echo/Unary")
    assert code_of(lambda: unary(b"\x38\x01", timeout=0.2)) == grpc.StatusCode.DEADLINE_EXCEEDED

    calls = [raw.future(b"%d" % i, timeout=PATIENCE) for i in range(500)]
    assert [call.result() for call in calls] == [b"%d" % i for i in range(500)]

    sent = [payload(os.urandom(i + 1)) for i in range(300)]
    assert list(channel.stream_stream(CHAT)(iter(sent), timeout=PATIENCE)) == sent

    # A client that leaves a stream half-way.
    started = threading.Event()

    def endless():
        while not started.is_set():
            yield payload(b"again")

    replies = channel.stream_stream(CHAT)(endless(), timeout=PATIENCE)
    assert next(replies) == payload(b"again")
    replies.cancel()
    started.set()

    # HealthCheckResponse{status = SERVING}
    health = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert health(b"", timeout=PATIENCE) == b"\x08\x01"
    assert raw(b"still here", timeout=PATIENCE) == b"still here"


if __name__ == "__main__":
    main()
