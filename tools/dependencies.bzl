"""What a workspace needs that builds FlareDB, or something on it."""

load(":system.bzl", "files_repository", "system_libraries")

def flaredb_dependencies():
    """Debian's libraries as @system, and what Bazel itself would try to download."""
    system_libraries(name = "system")

    # Bazel's own rules load these repositories; without them here it would try to download them.
    native.local_repository(
        name = "rules_java",
        path = "/usr/share/bazel/rules/java",
    )

    native.local_repository(
        name = "rules_proto",
        path = "/usr/share/bazel/rules/proto",
    )

    native.local_repository(
        name = "platforms",
        path = "/usr/share/bazel/platforms",
    )

    native.local_repository(
        name = "bazel_skylib",
        path = "/usr/share/bazel/tools/skylib",
    )

    # Debian's bazel-rules-cc is newer than its Bazel understands; the native rules are all we need.
    files_repository(
        name = "rules_cc",
        files = {
            "cc/BUILD": "",
            "cc/defs.bzl": """
cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library
""",
        },
    )

    # `bazel test` asks for these even when it collects no coverage; Bazel's own are a download.
    files_repository(
        name = "remote_coverage_tools",
        files = {
            "BUILD": """
[
    alias(
        name = name,
        actual = "@flaredb//tools:merge_coverage",
        visibility = ["//visibility:public"],
    )
    for name in ["coverage_report_generator", "lcov_merger"]
]
""",
        },
    )
