#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens: what clients may do at stores that have a tokens file, and what the file may be."""

import os
import signal
import stat
import tempfile
import unittest

import grpc

import e2e


def flaredb(*args):
    done = e2e.run(*args)
    assert done[0] == 0, done
    return done[1]


def read(path):
    with open(path, "rb") as file:
        return file.read()


class TokensTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.dir = folder.name
        flaredb("cert", "ca", "--dir", cls.dir)
        flaredb("cert", "server", "--dir", cls.dir, "--name", "store", "--host", "127.0.0.1")
        cls.ca = ["--tls-ca", f"{cls.dir}/ca.crt"]
        cls.tls = [*cls.ca, "--tls-cert", f"{cls.dir}/store.crt", "--tls-key", f"{cls.dir}/store.key"]
        cls.tokens = f"{cls.dir}/tokens.toml"
        cls.entries = "".join(
            cls.make(*args)
            for args in (
                ("reader", "--read", "default,logs"),
                ("writer", "--write", "default", "--write", "logs"),
                ("anything", "--read", "*", "--write", "*"),
                ("operator", "--admin"),
            )
        )
        cls.write_tokens(cls.entries)
        cls.cluster = e2e.Cluster(
            3,
            server_args=[*cls.tls, "--tls-clients", "optional", "--tokens", cls.tokens,
                         "--namespace-mode", "logs=eventual"],
            client_args=[*cls.ca, "--token-file", cls.token("operator")],
        )
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_for_leader()

    @classmethod
    def token(cls, name):
        return f"{cls.dir}/{name}.token"

    @classmethod
    def make(cls, name, *rights):
        """The entry of a new token."""
        return flaredb("token", "new", "--name", name, *rights, "--out", cls.token(name))

    @classmethod
    def write_tokens(cls, text):
        with open(cls.tokens, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(text)

    def run_as(self, token, *args, store=1):
        shown = ["--token-file", self.token(token)] if token else []
        return e2e.run(*args, *self.ca, *shown, "--addr", self.cluster.addresses[store])

    def assert_denied(self, done, *words):
        self.assertEqual((done[0], done[1], done[2].count("\n")), (4, "", 1), done)
        for word in words:
            self.assertIn(word, done[2])

    def test_a_token_may_do_what_its_entry_says(self):
        for store in (1, 2, 3):  # Of these two forward.
            self.assertEqual(self.run_as("anything", "kv", "put", f"k{store}", "v", store=store)[:2],
                             (0, "version 1\n"))
            self.assertEqual(self.run_as("reader", "kv", "get", f"k{store}", store=store)[:2], (0, "v\n"))
        self.assert_denied(self.run_as("reader", "kv", "put", "k", "v"), '"reader"', '"default"', '"write"')
        self.assert_denied(self.run_as("writer", "kv", "get", "k1"), '"writer"', '"default"', '"read"')
        self.assertEqual(self.run_as("writer", "kv", "put", "w", "v")[:2], (0, "version 1\n"))
        self.assertEqual(self.run_as("writer", "kv", "put", "w", "v")[:2], (0, "version 2\n"))
        logs = ["--namespace", "logs"]
        self.assertEqual(self.run_as("writer", "raw", "put", "a", "b", *logs)[:2], (0, "accepted\n"))
        self.assertEqual(self.run_as("reader", "raw", "get", "a", *logs)[:2], (0, "b\n"))
        self.assert_denied(self.run_as("reader", "raw", "delete", "a", *logs), '"logs"', '"write"')
        self.assert_denied(self.run_as("writer", "raw", "scan", *logs), '"logs"', '"read"')
        # One that does not exist is not told from one that does.
        for namespace in ("users", "nobody-made-it"):
            self.assert_denied(self.run_as("reader", "kv", "get", "k", "--namespace", namespace), namespace)

    def test_operators_look_after_the_cluster_and_see_no_keys(self):
        self.assertIn("default", self.run_as("operator", "ns", "list")[1])
        self.assertIn("up", self.run_as("operator", "store", "list")[1])
        self.assert_denied(self.run_as("anything", "store", "list"), '"anything"', "admin")
        self.assert_denied(self.run_as("anything", "ns", "set-mode", "logs", "strong"), "admin")
        self.assert_denied(self.run_as("operator", "kv", "get", "k"), '"operator"', '"read"')
        self.assertEqual(self.run_as("reader", "ns", "get", "logs")[0], 0)

    def test_without_a_token_only_health_is_served(self):
        self.assert_denied(self.run_as(None, "kv", "get", "k"), "wants a token")
        stranger = f"{self.dir}/stranger"
        with open(stranger, "w", encoding="utf-8") as file:
            file.write("flaredb_" + "0" * 64)
        done = e2e.run("kv", "get", "k", *self.ca, "--token-file", stranger,
                       "--addr", self.cluster.addresses[1])
        self.assert_denied(done, "none of those that this store knows")
        channel = grpc.secure_channel(self.cluster.addresses[1],
                                      grpc.ssl_channel_credentials(read(f"{self.dir}/ca.crt")))
        self.addCleanup(channel.close)
        self.assertIn(b"\x08\x01", channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5))
        token = read(self.token("operator")).decode().strip()
        for metadata in ((), (("authorization", f"Bearer {token}"),)):
            batch = channel.stream_stream("/raftpb.RaftService/Batch")
            with self.assertRaises(grpc.RpcError) as raised:
                list(batch(iter([b""]), timeout=5, metadata=metadata))
            self.assertEqual(raised.exception.code().name, "PERMISSION_DENIED")
            self.assertIn("only stores", raised.exception.details())
        # No log has a token, or tells a namespace's keys.
        for store in (1, 2, 3):
            self.assertNotIn("flaredb_", text_of(self.cluster.log_path(store)))
        e2e.wait_for("a line about it", lambda: [
            event for event in self.cluster.events(1) if event["message"] == "refused a call"])

    def test_sighup_reads_the_file_again(self):
        path = self.token("late")
        late = self.make("late", "--read", "default")

        def reload(text):
            self.write_tokens(text)
            for process in self.cluster.processes.values():
                process.send_signal(signal.SIGHUP)

        self.assert_denied(self.run_as("late", "kv", "get", "k"), "none of those")
        reload(self.entries + late)
        e2e.wait_for("the new token", lambda: self.run_as("late", "kv", "get", "k")[0] == 1)
        reload(self.entries + "[[token]]\n")  # A mistake shuts nobody out.
        e2e.wait_for("the complaint", lambda: [
            event for event in self.cluster.events(1) if event["message"] == "keeps the tokens that it has"])
        self.assertEqual(self.run_as("late", "kv", "get", "k")[0], 1)
        reload(self.entries)
        e2e.wait_for("the end of the token", lambda: self.run_as("late", "kv", "get", "k")[0] == 4)
        os.unlink(path)

    def test_commands_tell_what_is_wrong_with_a_token(self):
        address = ["--addr", self.cluster.addresses[1]]
        for args, word in (
            (["--token-file", self.token("reader")], "needs TLS"),
            ([*self.ca, "--token-file", "/no/such"], "cannot read the token file"),
            ([*self.ca, "--token-file", "/dev/null"], "no token in its first line"),
            ([*self.ca, "--token-file", f"{self.dir}/ca.crt"], "spaces"),
        ):
            code, out, err = e2e.run("kv", "get", "k", *args, *address)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
            self.assertIn(word, err)
        environment = {**os.environ, "FLAREDB_TOKEN_FILE": self.token("reader")}
        self.assertEqual(e2e.run("kv", "get", "nothing", *self.ca, *address, env=environment)[0], 1)
        environment = {**os.environ, "FLAREDB_TOKEN_FILE": ""}
        self.assertEqual(e2e.run("kv", "get", "nothing", *self.ca, *address, env=environment)[0], 2)

    def refusal(self, *args):
        port = e2e.free_ports(1)[0]
        code, out, err = e2e.run("server", "--store-id", "1", "--data-dir", f"{self.dir}/never",
                                 "--addr", f"127.0.0.1:{port}", *args)
        self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
        self.assertFalse(os.path.exists(f"{self.dir}/never"))
        return err

    def test_a_server_refuses_a_file_that_does_not_guard(self):
        self.assertIn("tokens need TLS", self.refusal("--tokens", self.tokens))
        self.assertIn("tokens need TLS", self.refusal("--tokens", self.tokens, "--insecure"))
        path = f"{self.dir}/open.toml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.entries)
        os.chmod(path, 0o644)
        self.assertIn("chmod 600", self.refusal(*self.tls, "--tokens", path))
        os.chmod(path, 0o600)
        with open(path, "a", encoding="utf-8") as file:
            file.write("colour = 1\n")
        self.assertIn(f"{path}:", self.refusal(*self.tls, "--tokens", path))
        code, out, err = e2e.run("token", "check", path)
        self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
        self.assertIn("unknown key", err)
        self.assertEqual(e2e.run("token", "check", self.tokens)[:2],
                         (0, f"{self.tokens}: 4 tokens, no mistakes\n"))

    def test_a_token_is_made_with_care(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.token("reader")).st_mode), 0o600)
        self.assertNotIn(read(self.token("reader")).decode().strip(), self.entries)
        code, out, err = e2e.run("token", "new", "--name", "again", "--admin", "--out", self.token("reader"))
        self.assertEqual((code, out, err.count("\n")), (3, "", 1), err)
        code, out, err = e2e.run("token", "new", "--name", "web", "--read", "logs")
        self.assertEqual((code, err.count("\n")), (0, 1), err)
        self.assertRegex(err, r"not shown again: flaredb_[0-9a-f]{64}\n$")
        self.assertIn('read = ["logs"]', out)
        store = f"{self.dir}/appended.toml"
        for name in ("one", "two"):
            flaredb("token", "new", "--name", name, "--admin", "--append", store)
        self.assertEqual(flaredb("token", "check", store), f"{store}: 2 tokens, no mistakes\n")
        out = f"{self.dir}/two.token"
        code, _, err = e2e.run("token", "new", "--name", "two", "--admin", "--append", store, "--out", out)
        self.assertEqual((code, err.count("\n")), (2, 1), err)
        self.assertFalse(os.path.exists(out), "a token that no store knows")
        for args, word in (
            (["--name", "a b", "--admin"], "no name of a token"),
            (["--name", "web"], "--read, --write or --admin"),
            (["--name", "web", "--read", "a/b"], "no name of a namespace"),
        ):
            code, out, err = e2e.run("token", "new", *args)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
            self.assertIn(word, err)


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    e2e.main()
