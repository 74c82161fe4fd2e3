"""Protocol buffers through the system's protoc."""

_ProtoInfo = provider(
    "Sources that a proto library and everything it imports is made of.",
    fields = ["sources", "include_dirs"],
)

def _declare(ctx, extension):
    return [
        ctx.actions.declare_file(src.owner.name[:-len("proto")] + extension)
        for src in ctx.files.srcs
    ]

def _protoc_impl(ctx):
    # The root that imports are relative to: the repository's.
    root = ctx.label.workspace_root or "."
    sources = depset(ctx.files.srcs, transitive = [dep[_ProtoInfo].sources for dep in ctx.attr.deps])
    include_dirs = depset([root], transitive = [dep[_ProtoInfo].include_dirs for dep in ctx.attr.deps])
    out_dir = ctx.bin_dir.path + ("/" + root if root != "." else "")

    headers, codes = _declare(ctx, "pb.h"), _declare(ctx, "pb.cc")
    grpc_headers, grpc_codes = [], []
    descriptors = ctx.actions.declare_file(ctx.attr.library + ".descriptors.bin")

    args = ctx.actions.args()
    args.add_all(include_dirs, before_each = "-I")
    args.add("-I/usr/include")
    args.add("--cpp_out=" + out_dir)
    args.add("--descriptor_set_out=" + descriptors.path)
    args.add("--include_imports")
    tools = []
    if ctx.attr.grpc:
        grpc_headers, grpc_codes = _declare(ctx, "grpc.pb.h"), _declare(ctx, "grpc.pb.cc")
        args.add("--plugin=protoc-gen-grpc=" + ctx.file._grpc_cpp_plugin.path)
        args.add("--grpc_out=" + out_dir)
        tools.append(ctx.file._grpc_cpp_plugin)
    args.add_all(ctx.files.srcs)

    outputs = headers + codes + grpc_headers + grpc_codes + [descriptors]
    ctx.actions.run(
        executable = ctx.file._protoc,
        arguments = [args],
        inputs = sources,
        outputs = outputs,
        tools = tools,
        mnemonic = "Protoc",
        progress_message = "Generating C++ from %s" % ctx.attr.library,
    )
    return [
        DefaultInfo(files = depset(outputs)),
        OutputGroupInfo(
            headers = depset(headers),
            codes = depset(codes),
            grpc_headers = depset(grpc_headers),
            grpc_codes = depset(grpc_codes),
            descriptors = depset([descriptors]),
        ),
        _ProtoInfo(sources = sources, include_dirs = include_dirs),
    ]

_protoc = rule(
    implementation = _protoc_impl,
    attrs = {
        "deps": attr.label_list(providers = [_ProtoInfo]),
        "grpc": attr.bool(),
        "library": attr.string(mandatory = True),
        "srcs": attr.label_list(allow_files = [".proto"], mandatory = True),
        "_grpc_cpp_plugin": attr.label(
            default = "@system//:grpc_cpp_plugin",
            allow_single_file = True,
        ),
        "_protoc": attr.label(default = "@system//:protoc", allow_single_file = True),
    },
)

def _part(name, group):
    native.filegroup(
        name = "{}_{}".format(name, group),
        srcs = [name + "_protoc"],
        output_group = group,
        visibility = ["//visibility:private"],
    )
    return ["{}_{}".format(name, group)]

def flaredb_proto(name, srcs, deps = [], grpc = False, visibility = None):
    """C++ from .proto files. Imports are written from the root of the repository.

    Makes
      NAME              cc_library of the messages, which carry their descriptors
      NAME_descriptors  NAME.descriptors.bin: a FileDescriptorSet with all imports
      NAME_grpc         cc_library of grpc++ stubs and services, for tests only (with grpc = True)

    Args:
      name: of the message library.
      srcs: .proto files of this package.
      deps: flaredb_proto libraries that the sources import; google/protobuf/* needs none.
      grpc: whether the files define services that a test calls through grpc++.
      visibility: of all three targets.
    """
    _protoc(
        name = name + "_protoc",
        srcs = srcs,
        deps = [dep + "_protoc" if ":" in dep else dep + ":" + dep.split("/")[-1] + "_protoc" for dep in deps],
        grpc = grpc,
        library = name,
        visibility = visibility,
    )
    native.cc_library(
        name = name,
        srcs = _part(name, "codes"),
        hdrs = _part(name, "headers"),
        copts = ["-w"],
        includes = ["."] if native.repository_name() != "@" else [],
        visibility = visibility,
        deps = deps + ["@system//:protobuf"],
    )
    native.filegroup(
        name = name + "_descriptors",
        srcs = [name + "_protoc"],
        output_group = "descriptors",
        visibility = visibility,
    )
    if grpc:
        native.cc_library(
            name = name + "_grpc",
            testonly = True,
            srcs = _part(name, "grpc_codes"),
            hdrs = _part(name, "grpc_headers"),
            copts = ["-w"],
            visibility = visibility,
            deps = [name, "@system//:grpc++"],
        )
