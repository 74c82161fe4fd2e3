#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves the rules of docs/ARCHITECTURE.md that a compiler does not know.

1. Layers include downwards only:
     base <- {raft, kv} <- {region, client, env} <- pd <- cluster <- store <- {sim, net};  env <- storage
   and storage and net meet in mains (*_main.cc) only. storage/sim runs storage under simulation, so
   it stands above both.
2. core and sim are deterministic: they include nothing outside a short list of headers, in which
   there is no clock, thread, random device, hash table, protobuf, RocksDB, gRPC or nghttp2, and use
   nothing of the kind that comes without a header of its own. storage/sim uses nothing of the kind
   either, but RocksDB.
3. Each library that would spread has one home: RocksDB in storage, nghttp2, OpenSSL, prometheus-cpp
   and toml++ in net;
   grpc++ is for tests.
"""

import os
import re
import sys
import unittest

_BASE = {"core/base"}
_RAFT = _BASE | {"core/raft", "core/kv"}
_REGION = _RAFT | {"core/region", "core/pd", "core/client", "core/env"}
_CLUSTER = _REGION | {"core/cluster"}
_CORE = _CLUSTER | {"core/store"}

# Layer -> the other folders of this repository that it may include from.
LAYERS = {
    "core/base": set(),
    "core/raft": _BASE,
    "core/kv": _BASE,
    "core/region": _RAFT,
    "core/pd": _RAFT | {"core/region"},
    "core/cluster": _RAFT | {"core/region", "core/pd"},
    "core/client": _RAFT,
    "core/env": _RAFT,
    "core/store": _CLUSTER,
    "sim": _CORE,
    "net": _CORE | {"proto"},
    "storage": _RAFT | {"core/env", "proto"},
    # Its workload makes what the core would write, and sim's image of a disk is its oracle.
    "storage/sim": _CORE | {"storage", "sim"},
}

# A main joins what must not know each other.
MAIN_ONLY = {"net": {"storage"}, "storage": {"net", "core/region", "core/store"}, "sim": set()}

# First folder of a library's headers -> the layer that alone may include them.
HOMES = {
    "rocksdb": "storage",
    "nghttp2": "net",
    "openssl": "net",
    "prometheus": "net",
    "toml++": "net",
    "grpcpp": None,
    "grpc++": None,
}

CORE_HEADERS = set(
    """
    algorithm array bit bitset cassert charconv climits compare concepts cstddef cstdint cstdlib cstring
    deque exception functional initializer_list iosfwd iterator limits list map memory new numeric
    optional ostream queue ranges set span sstream stdexcept string string_view tuple type_traits
    utility variant vector
    absl/base/attributes.h
    absl/container/btree_map.h absl/container/btree_set.h
    absl/container/fixed_array.h absl/container/inlined_vector.h
    absl/functional/function_ref.h
    absl/status/status.h absl/status/statusor.h
    absl/strings/cord.h absl/strings/escaping.h absl/strings/match.h absl/strings/numbers.h
    absl/strings/str_cat.h absl/strings/str_format.h absl/strings/str_join.h
    absl/strings/str_split.h absl/strings/string_view.h
    absl/types/span.h
    """.split()
)
SIM_HEADERS = CORE_HEADERS | {"cstdio", "fstream", "iomanip", "iostream", "istream"}

# What single files or folders may have beyond that, with the reason.
EXCEPTIONS = {
    ("core/base/", "atomic"): "reference counts of entry blocks, shared with the disk writer",
    ("core/base/ref.h", "sys/single_threaded.h"): "as above: no bus locks where there is no such writer",
    ("sim/campaign/stopwatch.h", "chrono"): "wall seconds of a campaign, for its mains; never fed back",
    ("sim/history/check_history_main.cc", "chrono"): "as above",
    ("storage/sim/campaign_main.cc", "chrono"): "as above",
    ("sim/campaign/user_files.cc", "filesystem"): "paths on the command line",
    ("sim/campaign/user_files.cc", "unistd.h"): "as above",
    ("sim/campaign/jobs.cc", "cerrno"): "children of the campaign, each a simulator of its own",
    ("sim/campaign/jobs.cc", "signal.h"): "as above",
    ("sim/campaign/campaign_main.cc", "signal.h"): "Ctrl-C ends a campaign, not its report",
    ("sim/campaign/jobs.cc", "sys/wait.h"): "as above",
    ("sim/campaign/jobs.cc", "unistd.h"): "as above",
    ("sim/history/text_lines.cc", "cerrno"): "reads history files for check_history",
    ("sim/history/text_lines.cc", "filesystem"): "as above",
    ("sim/history/text_lines.cc", "system_error"): "as above",
}
SIM_MAIN_HEADERS = {"CLI/CLI.hpp", "filesystem", "unistd.h"}

# Things that are reached without a header that gives them away.
FORBIDDEN_TEXT = [
    (r"\b(?:s?rand|random|drand48|gettimeofday|clock_gettime|getrandom)\s*\(", "clock or randomness"),
    (r"\btime\s*\(\s*(?:NULL|nullptr|0|&)", "clock"),
    (r"\bstd::clock\s*\(", "clock"),
    (r"\b(?:random_device|mt19937(?:_64)?|default_random_engine)\b", "randomness"),
    (r"\bstd::(?:chrono|thread|mutex|async|this_thread)\b", "clock or thread"),
    (r"\bthread_local\b", "thread"),
    (r"\b__(?:DATE|TIME|TIMESTAMP)__\b", "clock"),
    (r"\bunordered_(?:multi)?(?:map|set)\b|\b(?:flat|node)_hash_(?:map|set)\b", "hash table"),
    (r"\babsl::Hash\b", "hash that differs in every process"),
    (r"\b(?:map|set|less|hash)<\s*(?:const\s+)?[\w:]+\s*(?:const\s*)?\*", "order of pointers"),
]

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
_COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)


def layer_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if "/".join(parts[:2]) in LAYERS or parts[0] == "core" else parts[0]


def forbidden_include(path, header):
    """Why file `path` must not include `header`, or None."""
    layer = layer_of(path)
    is_main = path.endswith("_main.cc")
    top = header.split("/")[0]
    if "/" in header and top in {"core", "sim", "net", "storage", "proto", "tests", "bench"}:
        allowed = {layer} | LAYERS[layer] | (MAIN_ONLY.get(layer, set()) if is_main else set())
        if layer_of(header) not in allowed:
            return f"{layer} may not include {layer_of(header)}"
        return None
    if layer.startswith("core/"):
        allowed = CORE_HEADERS
    elif layer == "sim":
        allowed = SIM_HEADERS | (SIM_MAIN_HEADERS if is_main else set())
    else:
        stray = top in HOMES and HOMES[top] != layer.split("/")[0]
        return f"{top} belongs to {HOMES[top] or 'tests'} alone" if stray else None
    if header in allowed:
        return None
    if any(path.startswith(where) and header == what for where, what in EXCEPTIONS):
        return None
    return f"{header} is not on the list of headers for {layer} in tests/layering_test.py"


def violations(path, text):
    """Every broken rule of the file `path` (from the root) with content `text`."""
    if layer_of(path) not in LAYERS:
        return [f"{path}: unknown layer {layer_of(path)}"] if path.startswith("core/") else []
    found = []
    for match in _INCLUDE.finditer(text):
        reason = forbidden_include(path, match[2])
        if reason:
            found.append(f"{path}:{text.count(chr(10), 0, match.start(2)) + 1}: {reason}")
    if path.startswith(("core/", "sim/", "storage/sim/")):
        code = _INCLUDE.sub("", text)
        code = _COMMENT_OR_LITERAL.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), code)
        for pattern, what in FORBIDDEN_TEXT:
            for match in re.finditer(pattern, code):
                if what.startswith("clock") and (path, "chrono") in EXCEPTIONS:
                    continue
                line = code.count("\n", 0, match.start()) + 1
                found.append(f"{path}:{line}: {match[0].strip()}: {what}")
    return found


def sources(root):
    for top in sorted({layer.split("/")[0] for layer in LAYERS}):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".h", ".cc")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def repository():
    """The source tree itself, so that no file escapes by not being named in a BUILD file."""
    return os.path.dirname(os.path.realpath(__file__)).removesuffix("/tests")


class ScannerTest(unittest.TestCase):
    """The scanner sees what is planted and nothing else."""

    def assert_seen(self, path, text, reason):
        found = violations(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(reason, found[0])

    def test_upward_and_sideways_includes(self):
        self.assert_seen("core/base/a.h", '#include "core/raft/raft.h"\n', "core/raft")
        self.assert_seen("core/raft/a.h", '#include "core/kv/record.h"\n', "core/kv")
        self.assert_seen("core/region/a.cc", '#include "core/pd/pd_machine.h"\n', "core/pd")
        self.assert_seen("core/pd/a.cc", '#include "core/cluster/driver.h"\n', "core/cluster")
        self.assert_seen("core/cluster/a.cc", '#include "core/store/store.h"\n', "core/store")
        self.assert_seen("core/store/a.cc", '#include "sim/cluster/cluster.h"\n', "sim")
        self.assert_seen("sim/a.cc", '#include "net/event_loop.h"\n', "net")
        self.assert_seen("storage/a.cc", '#include "core/store/store.h"\n', "core/store")
        self.assert_seen("core/store/a.cc", '#include "proto/kvrpc.pb.h"\n', "proto")
        self.assert_seen("storage/a.cc", '#include "storage/sim/volume.h"\n', "storage/sim")
        self.assert_seen("storage/sim/a.cc", '#include "net/event_loop.h"\n', "net")

    def test_storage_and_net_meet_in_mains_only(self):
        text = '#include "storage/rocks_disk.h"\n'
        self.assert_seen("net/server.cc", text, "storage")
        self.assertEqual(violations("net/server_main.cc", text), [])

    def test_headers_outside_the_list(self):
        for header in (
            "thread", "mutex", "shared_mutex", "chrono", "random", "condition_variable", "future",
            "atomic", "ctime", "time.h", "sys/time.h", "iostream", "unordered_map",
            "absl/container/flat_hash_map.h", "absl/random/random.h", "absl/time/clock.h",
            "absl/synchronization/mutex.h", "google/protobuf/message.h", "rocksdb/db.h",
            "grpcpp/grpcpp.h", "nghttp2/nghttp2.h",
        ):
            self.assert_seen("core/raft/a.cc", f"#include <{header}>\n", header)
            self.assert_seen("core/raft/a.cc", f'  # include "{header}"\n', header)
            if header != "iostream":
                self.assert_seen("sim/a.cc", f"#include <{header}>\n", header)

    def test_libraries_have_one_home(self):
        self.assert_seen("net/a.cc", '#include "rocksdb/db.h"\n', "storage alone")
        self.assert_seen("storage/a.cc", "#include <openssl/ssl.h>\n", "net alone")
        self.assert_seen("net/a.cc", "#include <grpcpp/grpcpp.h>\n", "tests alone")
        self.assertEqual(violations("storage/a.cc", '#include "rocksdb/db.h"\n'), [])
        self.assertEqual(violations("storage/sim/a.cc", '#include "rocksdb/db.h"\n'), [])

    def test_exceptions_are_narrow(self):
        self.assertEqual(violations("core/base/entry.h", "#include <atomic>\n"), [])
        clock = "#include <chrono>\nauto t = std::chrono::steady_clock::now();\n"
        self.assertEqual(violations("sim/campaign/stopwatch.h", clock), [])
        self.assertEqual(len(violations("sim/cluster/cluster.cc", clock)), 2)

    def test_calls(self):
        for code, what in (
            ("int x = std::rand();", "randomness"),
            ("srand(1);", "randomness"),
            ("auto t = time(nullptr);", "clock"),
            ("auto t = std::time(0);", "clock"),
            ("std::random_device d;", "randomness"),
            ("std::unordered_map<int, int> m;", "hash table"),
            ("absl::flat_hash_set<int> s;", "hash table"),
            ("std::map<Peer*, int> m;", "order of pointers"),
            ("std::set<const raft::Peer *> s;", "order of pointers"),
            ("thread_local int x;", "thread"),
        ):
            text = f"#include <map>\n/* two\nlines */ {code}\n"
            self.assert_seen("core/kv/a.cc", text, what)
            self.assert_seen("storage/sim/a.cc", text, what)
            self.assertIn("core/kv/a.cc:3:", violations("core/kv/a.cc", text)[0])

    def test_innocent_text(self):
        text = """
            // std::rand() and <chrono> are not used; it's time(nullptr) to say so.
            /* std::unordered_map<int, int> */
            const char* kText = "std::random_device \\" time(0)";
            const int n = 1'000'000;  // isn't a literal
            Instant time() const { return event.time(); }
            std::map<PeerId, std::unique_ptr<Peer>> peers; std::vector<Peer*> order;
            std::map<std::string, Peer*> by_name;
        """
        self.assertEqual(violations("core/store/a.cc", text), [])

    def test_a_new_folder_of_core_needs_a_layer(self):
        self.assert_seen("core/extra/a.cc", "", "unknown layer")


class RepositoryTest(unittest.TestCase):
    def test_layers(self):
        root = repository()
        paths = list(sources(root))
        self.assertIn("core/base/types.h", paths, f"{root} is not the source tree")
        found = []
        for path in paths:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                found += violations(path, file.read())
        if found:
            self.fail("\n" + "\n".join(found))


if __name__ == "__main__":
    sys.exit(unittest.main())
