"""Repositories made from what Debian installed."""

# label -> (pkg-config modules, the Debian package that has them).
_PKG_CONFIG = {
    "absl_containers": ("absl_inlined_vector absl_span absl_btree absl_fixed_array", "libabsl-dev"),
    "absl_status": ("absl_status absl_statusor", "libabsl-dev"),
    "absl_strings": ("absl_strings absl_str_format", "libabsl-dev"),
    "benchmark": ("benchmark", "libbenchmark-dev"),
    "cli11": ("CLI11", "libcli11-dev"),
    "edit": ("libedit", "libedit-dev"),
    "gmock": ("gmock", "libgmock-dev"),
    "grpc++": ("grpc++", "libgrpc++-dev"),
    "gtest": ("gtest", "libgtest-dev"),
    "gtest_main": ("gmock gtest_main", "libgtest-dev"),
    "jemalloc": ("jemalloc", "libjemalloc-dev"),
    "nghttp2": ("libnghttp2", "libnghttp2-dev"),
    "openssl": ("openssl", "libssl-dev"),
    "prometheus": ("prometheus-cpp-core", "prometheus-cpp-dev"),
    "nlohmann_json": ("nlohmann_json", "nlohmann-json3-dev"),
    "protobuf": ("protobuf", "libprotobuf-dev"),
    "rocksdb": ("rocksdb", "librocksdb-dev"),
    "tomlplusplus": ("tomlplusplus", "libtomlplusplus-dev"),
    "xxhash": ("libxxhash", "libxxhash-dev"),
}

# Program -> the Debian package that has it.
_PROGRAMS = {
    "grpc_cpp_plugin": "protobuf-compiler-grpc",
    "protoc": "protobuf-compiler",
}

# label -> files below _GRPC_PROTO, published by the gRPC project and packaged as grpc-proto.
_GRPC_PROTO = "/usr/share/grpc-proto/"
_GRPC_PROTOS = {
    "grpc_health_proto": ["grpc/health/v1/health.proto"],
    "grpc_reflection_proto": [
        "grpc/reflection/v1/reflection.proto",
        "grpc/reflection/v1alpha/reflection.proto",
    ],
}

# Headers are in the compiler's own /usr/include, so a library is its macros and linker flags.
_LIBRARY = """
cc_library(
    name = "{name}",
    defines = {defines},
    linkopts = {linkopts},
)
"""

def _missing(library, package):
    fail("library {} is missing: apt-get install {}".format(library, package))

def _pkg_config(ctx, modules, package, what):
    result = ctx.execute(["pkg-config", what] + modules.split(" "))
    if result.return_code != 0:
        _missing(modules, package)
    return [flag for flag in result.stdout.strip().split(" ") if flag]

def _last_of_each(flags):
    """A linker resolves from left to right: of repeated libraries the last one counts."""
    seen = {}
    kept = []
    for flag in reversed(flags):
        if not flag.startswith("-l") or flag not in seen:
            seen[flag] = True
            kept.append(flag)
    return reversed(kept)

def _system_libraries_impl(ctx):
    if not ctx.which("pkg-config"):
        _missing("pkg-config", "pkg-config")
    build = ["load(\"@flaredb//tools:proto.bzl\", \"flaredb_proto\")"]
    build.append("package(default_visibility = [\"//visibility:public\"])")

    for name, (modules, package) in _PKG_CONFIG.items():
        cflags = _pkg_config(ctx, modules, package, "--cflags-only-other")
        libs = _pkg_config(ctx, modules, package, "--libs")
        defines = [flag[2:] for flag in cflags if flag.startswith("-D")]
        linkopts = ["-Wl,--as-needed"] + _last_of_each(libs) if libs else []
        build.append(_LIBRARY.format(name = name, defines = defines, linkopts = linkopts))

    for program, package in _PROGRAMS.items():
        path = ctx.which(program)
        if not path:
            _missing(program, package)
        ctx.symlink(path, program)
    build.append("exports_files({})".format(_PROGRAMS.keys()))

    for name, files in _GRPC_PROTOS.items():
        for file in files:
            if not ctx.path(_GRPC_PROTO + file).exists:
                _missing(file, "grpc-proto")
            ctx.symlink(_GRPC_PROTO + file, file)
        build.append("flaredb_proto(name = \"{}\", srcs = {})".format(name, files))

    ctx.file("BUILD.bazel", "\n".join(build) + "\n")

# @system//:NAME for every library above. `local`: what is installed may change at any time.
system_libraries = repository_rule(
    implementation = _system_libraries_impl,
    configure = True,
    local = True,
)

def _files_repository_impl(ctx):
    for path, text in ctx.attr.files.items():
        ctx.file(path, text)

# A repository made of small texts.
files_repository = repository_rule(
    implementation = _files_repository_impl,
    attrs = {"files": attr.string_dict(doc = "path -> content", mandatory = True)},
)
