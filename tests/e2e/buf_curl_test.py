#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""buf curl, a gRPC client made with Connect's Go library, finds and calls the API by reflection.

Buf comes from the npm registry, in the version that tools/package-lock.json pins by checksum, once
a machine. Without npm, or without a way to the registry, this client is not tried.
"""

import base64
import fcntl
import glob
import hashlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import unittest

import e2e

# npm's codes for "the registry can't be reached". Anything else that goes wrong is a failure.
_OFFLINE = (
    "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "EHOSTUNREACH",
    "ETIMEDOUT", "ERR_SOCKET_TIMEOUT",
)
_INSTALL_SECONDS = 40
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def install_buf():
    """The path of buf. Raises unittest.SkipTest with one sentence when it can't be had here."""
    npm = shutil.which("npm")
    if npm is None:
        raise unittest.SkipTest("buf curl was not tried: npm is not installed")
    home = pwd.getpwuid(os.getuid()).pw_dir
    with open(e2e.runfile("tools/package-lock.json"), "rb") as lock:
        version = hashlib.sha256(lock.read()).hexdigest()[:16]
    cache = os.path.join(home, ".cache/flaredb-test-tools")
    folder = os.path.join(cache, version)
    try:
        os.makedirs(cache, exist_ok=True)
    except OSError:
        cache = os.environ["TEST_TMPDIR"]
        folder = os.path.join(cache, version)
    with open(folder + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            # The folder has its name when it is complete.
            with tempfile.TemporaryDirectory(dir=cache) as parent:
                fresh = os.path.join(parent, "tools")
                npm_ci(npm, fresh, home)
                os.rename(fresh, folder)
    found = glob.glob(folder + "/node_modules/@bufbuild/buf-*/bin/buf")
    if not found:
        raise unittest.SkipTest("buf curl was not tried: there is no buf for this kind of machine")
    return found[0]


def npm_ci(npm, folder, home):
    os.mkdir(folder)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(e2e.runfile("tools/" + name), folder)
    environment = {**os.environ, "HOME": home}
    # The certificates that everything else on the machine trusts.
    if os.path.exists(_CERTIFICATES):
        environment.setdefault("NODE_EXTRA_CA_CERTS", _CERTIFICATES)
    try:
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=_INSTALL_SECONDS, check=False,
        )
    except subprocess.TimeoutExpired:
        raise unittest.SkipTest("buf curl was not tried: npm ci did not end in time") from None
    if done.returncode != 0:
        if any(code in done.stdout for code in _OFFLINE):
            raise unittest.SkipTest("buf curl was not tried: npm can't reach its registry")
        raise AssertionError(f"npm ci failed: {done.stdout}")


def in_json(data):
    """How JSON carries a field of type bytes."""
    return base64.b64encode(data).decode()


class BufCurlTest(unittest.TestCase):
    ERRORS = e2e.Messages(e2e.runfile("proto/errorpb.descriptors.bin"))

    @classmethod
    def setUpClass(cls):
        try:
            cls.buf = install_buf()
        except unittest.SkipTest as reason:
            print(reason, flush=True)
            raise
        cls.playground = e2e.Playground()

    @classmethod
    def tearDownClass(cls):
        cls.playground.close()

    def curl(self, *arguments, store=1, method="", request=None):
        """(exit code, standard output, standard error)."""
        url = f"http://{self.playground.addresses[store]}"
        if method:
            url += f"/kvrpc.KvCas/{method}"
        if request is not None:
            arguments = (*arguments, "-d", json.dumps(request))
        done = subprocess.run(
            [self.buf, "curl", "--http2-prior-knowledge", "--protocol", "grpc", *arguments, url],
            env={**os.environ, "HOME": os.environ["TEST_TMPDIR"]},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def call(self, method, store=1, view="text", **request):
        code, out, err = self.curl("--reflect-header", f"x-flaredb-view: {view}", store=store,
                                   method=method, request=request)
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def refused(self, method, **request):
        """The error, and the exit code: 8 * the gRPC status."""
        code, out, err = self.curl(method=method, request=request)
        self.assertEqual(out, "")
        return code // 8, json.loads(err)

    def test_reflection(self):
        code, out, err = self.curl("--list-methods")
        self.assertEqual(code, 0, err)
        for method in ("CompareAndSwap", "Get", "Scan", "CompareAndDelete"):
            self.assertIn(f"kvrpc.KvCas/{method}", out.split())

    def test_a_key_from_create_to_delete(self):
        created = self.call("CompareAndSwap", key="buf 1", value="red")
        self.assertEqual((created["success"], created["currentVersion"]), (True, "1"))
        got = self.call("Get", store=2, key="buf 1")
        self.assertEqual((got["found"], got["value"], got["version"]), (True, "red", "1"))

        mismatch = self.call("CompareAndSwap", store=3, key="buf 1", value="blue",
                             expectedVersion="7", returnCurrent=True)
        self.assertEqual(
            (mismatch.get("success", False), mismatch["currentVersion"], mismatch["currentValue"]),
            (False, "1", "red"),
        )
        page = self.call("Scan", prefix="buf ")
        self.assertEqual(page["kvs"], [{"key": "buf 1", "value": "red", "version": "1"}])
        deleted = self.call("CompareAndDelete", key="buf 1", expectedVersion="1")
        self.assertTrue(deleted["success"])
        self.assertNotIn("found", self.call("Get", key="buf 1"))

    def test_bytes_that_are_no_text_in_the_canonical_view(self):
        key, value = in_json(b"bytes \x00\xff"), in_json(b"\xfe")
        self.assertTrue(self.call("CompareAndSwap", view="canonical", key=key, value=value)["success"])
        got = self.call("Get", store=2, view="canonical", key=key)
        self.assertEqual((got["found"], got["value"]), (True, value))

    def test_errors_have_details(self):
        for method, request, status, code, kind in (
            ("Get", {"key": ""}, 3, "invalid_argument", "invalid_request"),
            ("Get", {"key": "k", "namespace": "none"}, 5, "not_found", "namespace_not_found"),
            ("CompareAndSwap", {"key": "k", "context": {"clusterId": "1"}}, 9,
             "failed_precondition", "cluster_mismatch"),
        ):
            with self.subTest(method=method, request=request):
                got, error = self.refused(method, **request)
                self.assertEqual((got, error["code"]), (status, code))
                (detail,) = error["details"]
                self.assertEqual(detail["type"], "errorpb.Error")
                raw = base64.b64decode(detail["value"] + "=" * (-len(detail["value"]) % 4))
                decoded = self.ERRORS.get("errorpb.Error").FromString(raw)
                self.assertEqual(decoded.WhichOneof("kind"), kind)
                self.assertEqual(decoded.outcome, 1)  # NOT_APPLIED
                self.assertEqual(decoded.message, error["message"])


if __name__ == "__main__":
    e2e.main()
