#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client that knows nothing but reflection can find and call the API."""

import unittest

import grpc
from google.protobuf import (
    descriptor_database,
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

import e2e


class ReflectionTest(unittest.TestCase):
    REFLECTION = e2e.Messages(
        e2e.os.path.join(
            e2e.os.environ["TEST_SRCDIR"], "system/grpc_reflection_proto.descriptors.bin"
        )
    )

    @classmethod
    def setUpClass(cls):
        cls.cluster = e2e.Cluster(1)
        cls.cluster.__enter__()
        cls.cluster.wait_for_leader()
        cls.channel = grpc.insecure_channel(cls.cluster.addresses[1])

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.cluster.__exit__()

    def ask(self, version, view=None, **question):
        package = f"grpc.reflection.{version}"
        call = self.channel.stream_stream(
            f"/{package}.ServerReflection/ServerReflectionInfo",
            request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=self.REFLECTION.get(f"{package}.ServerReflectionResponse").FromString,
        )
        request = self.REFLECTION.get(f"{package}.ServerReflectionRequest")(**question)
        metadata = [("x-flaredb-view", view)] if view else None
        return next(call(iter([request]), timeout=5, metadata=metadata))

    def kvcas(self, version, view=None):
        """The service, and a maker of classes for its messages, as reflection shows them."""
        answer = self.ask(version, view, file_containing_symbol="kvrpc.KvCas")
        files = descriptor_database.DescriptorDatabase()
        for raw in answer.file_descriptor_response.file_descriptor_proto:
            files.Add(descriptor_pb2.FileDescriptorProto.FromString(raw))
        pool = descriptor_pool.DescriptorPool(files)
        return pool.FindServiceByName("kvrpc.KvCas"), message_factory.MessageFactory(pool)

    def test_services_are_listed(self):
        for version in ("v1", "v1alpha"):
            answer = self.ask(version, list_services="")
            names = [service.name for service in answer.list_services_response.service]
            for name in ("kvrpc.KvCas", "raftpb.RaftService", "grpc.health.v1.Health"):
                self.assertIn(name, names)

    def test_a_call_made_from_reflection_alone(self):
        for version in ("v1", "v1alpha"):
            service, factory = self.kvcas(version)
            method = service.FindMethodByName("Get")
            call = self.channel.unary_unary(
                "/kvrpc.KvCas/Get",
                request_serializer=lambda r: r.SerializeToString(),
                response_deserializer=factory.GetPrototype(method.output_type).FromString,
            )
            self.assertFalse(call(factory.GetPrototype(method.input_type)(key="none"), timeout=5).found)

    def test_keys_are_shown_as_text_unless_the_client_wants_them_as_they_are(self):
        for version in ("v1", "v1alpha"):
            for view, kind in ((None, "TYPE_STRING"), ("text", "TYPE_STRING"), ("canonical", "TYPE_BYTES")):
                service, _ = self.kvcas(version, view)
                key = service.FindMethodByName("Get").input_type.fields_by_name["key"]
                self.assertEqual(key.type, getattr(key, kind), (version, view))

    def test_error_details_can_be_decoded_by_anybody(self):
        answer = self.ask("v1", file_containing_symbol="errorpb.Error")
        self.assertTrue(answer.file_descriptor_response.file_descriptor_proto)


if __name__ == "__main__":
    e2e.main()
