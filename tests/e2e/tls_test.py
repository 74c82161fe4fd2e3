#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mutual TLS: a cluster with certificates that flaredb made, met by grpcio and by flaredb."""

import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import unittest

import grpc

import e2e


def cert(*args):
    done = e2e.run("cert", *args)
    assert done[0] == 0, done
    return done[1].splitlines()


def read(path):
    with open(path, "rb") as file:
        return file.read()


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.dir = cls.folder.name + "/pki"
        cert("ca", "--dir", cls.dir)
        cert("server", "--dir", cls.dir, "--name", "store", "--host", "127.0.0.1", "--host", "localhost")
        cert("client", "--dir", cls.dir, "--name", "alice")
        cls.other = cls.folder.name + "/other"
        cert("ca", "--dir", cls.other)
        cert("client", "--dir", cls.other, "--name", "mallory")
        cls.cluster = e2e.Cluster(
            3, server_args=cls.tls_args("store"), client_args=cls.tls_args("alice")
        )
        cls.cluster.__enter__()
        cls.cluster.wait_for_leader()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()
        cls.folder.cleanup()

    @classmethod
    def tls_args(cls, name, folder=None):
        pair = f"{folder or cls.dir}/{name}"
        return ["--tls-ca", f"{cls.dir}/ca.crt", "--tls-cert", pair + ".crt", "--tls-key", pair + ".key"]

    def kv(self, *args, tls, **options):
        addresses = ",".join(self.cluster.addresses.values())
        return e2e.run("kv", *args, *tls, "--addr", addresses, **options)

    def channel(self, name=None, folder=None):
        """Of grpcio, to store 1."""
        pair = f"{folder or self.dir}/{name}"
        credentials = grpc.ssl_channel_credentials(
            read(f"{self.dir}/ca.crt"),
            read(pair + ".key") if name else None,
            read(pair + ".crt") if name else None,
        )
        channel = grpc.secure_channel(self.cluster.addresses[1], credentials)
        self.addCleanup(channel.close)
        return channel

    def get(self, channel):
        request = e2e.Kv.MESSAGES.get("kvrpc.GetRequest")(key=b"k").SerializeToString()
        return channel.unary_unary("/kvrpc.KvCas/Get")(request, timeout=5, wait_for_ready=False)

    def test_both_clients_are_served(self):
        for store in (1, 2, 3):  # Of these two forward, over links of their own.
            done = e2e.run("kv", "put", "k", f"v{store}", *self.tls_args("alice"),
                           "--addr", self.cluster.addresses[store])
            self.assertEqual(done[:2], (0, f"version {store}\n"), done)
        self.assertIn(b"v3", self.get(self.channel("alice")))
        environment = {
            **os.environ,
            "FLAREDB_CLIENT_CA": f"{self.dir}/ca.crt",
            "FLAREDB_CLIENT_CERT": f"{self.dir}/alice.crt",
            "FLAREDB_CLIENT_KEY": f"{self.dir}/alice.key",
        }
        self.assertEqual(self.kv("get", "k", tls=[], env=environment)[:2], (0, "v3\n"))

    def test_whoever_proves_nothing_is_refused_and_told_why(self):
        for tls, word in (
            ([], ""),
            (self.tls_args("alice")[:2], "certificate required"),
            (self.tls_args("mallory", self.other), "TLS: "),
        ):

            # A reset of the connection may overtake the reason.
            def told(tls=tls, word=word):
                code, out, err = self.kv("get", "k", "--timeout", "0.5", tls=tls)
                self.assertEqual((code, out), (3, ""), err)
                return word in err

            e2e.wait_for("the reason", told)
        for channel in (self.channel(), self.channel("mallory", self.other)):
            with self.assertRaises(grpc.RpcError) as raised:
                self.get(channel)
            self.assertEqual(raised.exception.code().name, "UNAVAILABLE")

    def test_a_client_may_not_speak_as_a_store(self):
        batch = self.channel("alice").stream_stream("/raftpb.RaftService/Batch")
        with self.assertRaises(grpc.RpcError) as raised:
            list(batch(iter([b""]), timeout=5))
        self.assertEqual(raised.exception.code().name, "PERMISSION_DENIED")
        self.assertIn("only stores", raised.exception.details())

    def test_clients_without_certificate_may_be_let_in(self):
        with e2e.Cluster(
            1,
            server_args=[*self.tls_args("store"), "--tls-clients", "optional"],
            client_args=self.tls_args("alice"),
        ) as one:
            one.wait_for_leader()
            done = e2e.run("kv", "put", "k", "v", "--tls-ca", f"{self.dir}/ca.crt", "--addr", one.addresses[1])
            self.assertEqual(done[:2], (0, "version 1\n"), done)
            done = e2e.run("kv", "get", "k", "--timeout", "1", "--addr", one.addresses[1])
            self.assertEqual(done[0], 3, done)

    def shown_by(self, address):
        """The certificate that a new connection gets to see."""
        host, port = address.rsplit(":", 1)
        context = ssl.create_default_context(cafile=f"{self.dir}/ca.crt")
        context.load_cert_chain(f"{self.dir}/alice.crt", f"{self.dir}/alice.key")
        context.set_alpn_protocols(["h2"])
        with socket.create_connection((host, int(port)), timeout=5) as tcp:
            with context.wrap_socket(tcp, server_hostname=host) as tls:
                return tls.getpeercert(binary_form=True)

    def test_sighup_reads_the_certificates_again(self):
        cert("server", "--dir", self.dir, "--name", "renewed", "--host", "127.0.0.1")
        with e2e.Cluster(
            1, server_args=self.tls_args("renewed"), client_args=self.tls_args("alice")
        ) as one:
            one.wait_for_leader()
            address = one.addresses[1]
            with grpc.secure_channel(address, grpc.ssl_channel_credentials(
                    read(f"{self.dir}/ca.crt"), read(f"{self.dir}/alice.key"), read(f"{self.dir}/alice.crt"))) as old:
                self.get(old)
                before = self.shown_by(address)
                for end in ("crt", "key"):
                    os.unlink(f"{self.dir}/renewed.{end}")
                # The files are gone: whoever comes now is still served.
                one.processes[1].send_signal(signal.SIGHUP)
                e2e.wait_for("the complaint", lambda: [
                    event for event in one.events(1) if event["message"] == "keeps the certificates that it has"])
                self.assertEqual(self.shown_by(address), before)
                cert("server", "--dir", self.dir, "--name", "renewed", "--host", "127.0.0.1")
                one.processes[1].send_signal(signal.SIGHUP)
                e2e.wait_for("the new certificate", lambda: self.shown_by(address) != before)
                self.get(old)  # Its connection goes on.

    def refusal(self, *args):
        port = e2e.free_ports(1)[0]
        code, out, err = e2e.run("server", "--store-id", "1", "--data-dir", self.folder.name + "/never",
                                 *[word.replace("PORT", str(port)) for word in args])
        self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
        self.assertFalse(os.path.exists(self.folder.name + "/never"))
        return err

    def test_without_tls_only_this_machine_is_served_unless_somebody_says_so(self):
        for host in ("0.0.0.0", "[::]"):
            self.assertIn("--insecure", self.refusal("--addr", f"{host}:PORT"))
        port = e2e.free_ports(1)[0]
        with tempfile.TemporaryDirectory() as folder:
            process = e2e.spawn(
                [e2e.FLAREDB, "server", "--store-id", "1", "--addr", f"0.0.0.0:{port}", "--insecure",
                 "--data-dir", folder + "/data"],
                stderr=subprocess.DEVNULL,
            )
            e2e.wait_for("the store", lambda: e2e.run("kv", "put", "k", "v", "--addr", f"127.0.0.1:{port}")[0] == 0)
            process.terminate()
            self.assertEqual(process.wait(timeout=10), 0)

    def test_files_that_are_missing_or_wrong_are_named(self):
        args = self.tls_args("store")
        self.assertIn("--tls-key is missing", self.refusal("--addr", "127.0.0.1:PORT", *args[:4]))
        self.assertIn("/no/such.crt as a certificate: No such file or directory",
                      self.refusal("--addr", "127.0.0.1:PORT", *args[:3], "/no/such.crt", *args[4:]))
        self.assertIn("does not belong", self.refusal("--addr", "127.0.0.1:PORT", *args[:5], f"{self.dir}/alice.key"))

    def test_a_certificate_that_nobody_would_take_is_refused(self):
        self.assertIn("alice.crt is not a store's", self.refusal("--addr", "127.0.0.1:PORT", *self.tls_args("alice")))
        cert("server", "--dir", self.other, "--name", "stranger", "--host", "127.0.0.1")
        self.assertIn("does not trust the certificate",
                      self.refusal("--addr", "127.0.0.1:PORT", *self.tls_args("stranger", self.other)))
        # flaredb makes none that have expired.
        old = f"{self.dir}/old"
        with open(f"{old}.ext", "w", encoding="utf-8") as file:
            file.write("extendedKeyUsage=serverAuth,clientAuth\n")
        for command in (
            ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{old}.key", "-subj", "/CN=old", "-out", f"{old}.csr"],
            ["x509", "-req", "-in", f"{old}.csr", "-CA", f"{self.dir}/ca.crt", "-CAkey", f"{self.dir}/ca.key",
             "-CAcreateserial", "-days", "-1", "-extfile", f"{old}.ext", "-out", f"{old}.crt"],
        ):
            subprocess.run(["openssl", *command], capture_output=True, check=True)
        self.assertIn("old.crt expired at ", self.refusal("--addr", "127.0.0.1:PORT", *self.tls_args("old")))

    def test_certificates_are_made_with_care(self):
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.dir}/ca.key").st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.dir}/store.key").st_mode), 0o600)
        before = read(f"{self.dir}/ca.key")
        code, _, err = e2e.run("cert", "ca", "--dir", self.dir)
        self.assertEqual((code, err.count("\n")), (3, 1), err)
        self.assertIn("it exists; move it, or give another --dir", err)
        self.assertEqual(read(f"{self.dir}/ca.key"), before)
        code, _, err = e2e.run("cert", "server", "--dir", self.dir, "--name", "x", "--host", "host:1")
        self.assertEqual(code, 2, err)
        self.assertIn("host:1", err)
        # Of a pair both are made or none.
        with open(f"{self.dir}/half.crt", "w", encoding="utf-8"):
            pass
        code, _, err = e2e.run("cert", "client", "--dir", self.dir, "--name", "half")
        self.assertEqual((code, err.count("\n")), (3, 1), err)
        self.assertIn("half.crt", err)
        self.assertFalse(os.path.exists(f"{self.dir}/half.key"))
        code, _, err = e2e.run("cert", "client", "--dir", self.folder.name + "/nothing")
        self.assertEqual(code, 3, err)
        self.assertIn("flaredb cert ca", err)
        # As a program reads them that we did not write.
        text = subprocess.run(["openssl", "x509", "-noout", "-text", "-in", f"{self.dir}/store.crt"],
                              capture_output=True, text=True, check=True).stdout
        self.assertIn("TLS Web Server Authentication, TLS Web Client Authentication", text)
        self.assertRegex(text, r"DNS:localhost")
        verified = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", f"{self.dir}/ca.crt",
             f"{self.dir}/alice.crt"], capture_output=True, text=True, check=False)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        self.assertTrue(re.search(r": OK$", verified.stdout.strip()), verified.stdout)


if __name__ == "__main__":
    e2e.main()
