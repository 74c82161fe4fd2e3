# SPDX-License-Identifier: Apache-2.0
"""grpcurl's command line: by grpcurl itself where it is installed, otherwise by Python's grpcio.

Either way the client knows nothing of the server but its address: services and messages come from
reflection.
"""

import json
import shutil
import subprocess

import grpc
from google.protobuf import (
    descriptor_database,
    descriptor_pb2,
    descriptor_pool,
    json_format,
    message_factory,
)

import e2e

_REFLECTION = "grpc.reflection.v1"
_SECONDS = 30


def run(arguments):
    """(exit code, output), with JSON on one line. Knows -plaintext, -reflect-header, -d, list and calls."""
    if shutil.which("grpcurl"):
        done = subprocess.run(
            ["grpcurl", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return done.returncode, _one_line(done.stdout)
    data = "{}"
    words = []
    metadata = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "-d":
            data = next(rest)
        elif argument == "-reflect-header":
            metadata.append(tuple(next(rest).split(": ", 1)))
        elif argument.startswith("-"):
            assert argument == "-plaintext", f"unknown option {argument}"
        else:
            words.append(argument)
    assert "-plaintext" in arguments, "FlareDB speaks HTTP/2 without TLS: -plaintext is missing"
    address, *words = words
    with grpc.insecure_channel(address) as channel:
        client = _Client(channel, metadata)
        if words == ["list"]:
            return 0, "\n".join(client.services())
        if words[0] == "list":
            return 0, "\n".join(client.methods(*words[1:]))
        (method,) = words
        return client.call(method, data)


def _one_line(text):
    try:
        return json.dumps(json.loads(text))
    except ValueError:
        return text


class _Client:
    _MESSAGES = e2e.Messages(
        e2e.os.path.join(
            e2e.os.environ["TEST_SRCDIR"], "system/grpc_reflection_proto.descriptors.bin"
        )
    )

    def __init__(self, channel, metadata):
        self.channel = channel
        self.metadata = metadata  # Of reflection.

    def _ask(self, **question):
        call = self.channel.stream_stream(
            f"/{_REFLECTION}.ServerReflection/ServerReflectionInfo",
            request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=self._MESSAGES.get(
                f"{_REFLECTION}.ServerReflectionResponse"
            ).FromString,
        )
        request = self._MESSAGES.get(f"{_REFLECTION}.ServerReflectionRequest")(**question)
        return next(call(iter([request]), timeout=_SECONDS, metadata=self.metadata))

    def _service(self, name):
        """The service's descriptor and the classes of its messages."""
        answer = self._ask(file_containing_symbol=name)
        assert not answer.HasField("error_response"), answer.error_response.error_message
        files = descriptor_database.DescriptorDatabase()
        for raw in answer.file_descriptor_response.file_descriptor_proto:
            files.Add(descriptor_pb2.FileDescriptorProto.FromString(raw))
        pool = descriptor_pool.DescriptorPool(files)
        return pool.FindServiceByName(name), message_factory.MessageFactory(pool)

    def services(self):
        answer = self._ask(list_services="")
        return sorted(service.name for service in answer.list_services_response.service)

    def methods(self, service):
        descriptor, _ = self._service(service)
        return sorted(f"{service}.{method.name}" for method in descriptor.methods)

    def call(self, path, data):
        service, name = path.split("/")
        descriptor, messages = self._service(service)
        method = descriptor.FindMethodByName(name)
        request = json_format.Parse(data, messages.GetPrototype(method.input_type)())
        invoke = self.channel.unary_unary(
            f"/{path}",
            request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=messages.GetPrototype(method.output_type).FromString,
        )
        try:
            reply = invoke(request, timeout=_SECONDS)
        except grpc.RpcError as error:
            # grpcurl's exit codes are 64 + the status.
            return 64 + error.code().value[0], f"{error.code().name}: {error.details()}"
        return 0, json.dumps(json_format.MessageToDict(reply))
