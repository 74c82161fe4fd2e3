"""Mutants as tests: a bug on purpose must fail the campaign, at the price of a compile and a link."""

def _mutated_sources_impl(ctx):
    folder = ctx.actions.declare_directory(ctx.label.name)
    arguments = ctx.actions.args()
    arguments.add(ctx.file.mutant)
    arguments.add(folder.path)
    arguments.add_all(ctx.files._sources)
    ctx.actions.run(
        executable = ctx.executable._mutant,
        arguments = [arguments],
        inputs = [ctx.file.mutant] + ctx.files._sources,
        outputs = [folder],
        mnemonic = "Mutate",
        progress_message = "Applying %s" % ctx.file.mutant.short_path,
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([folder]))]

# A folder with the .cc files that a mutant changes, as it changes them.
_mutated_sources = rule(
    _mutated_sources_impl,
    attrs = {
        "mutant": attr.label(allow_single_file = [".mutant"], mandatory = True),
        "_mutant": attr.label(
            default = "//tests/mutants:mutant",
            executable = True,
            cfg = "host",
        ),
        "_sources": attr.label(default = "//tests/mutants:sources"),
    },
)

# The program that runs FlareDB's own campaign, as mutant_sim takes it.
FLAREDB = struct(
    deps = ["//sim:flaredb_main"],
)

# That of the lock service.
LOCKS = struct(
    deps = ["//examples/locks:sim_main"],
)

def mutant_sim(name, mutant, program = FLAREDB, tags = []):
    """The simulator with a bug.

    The linker meets the changed files before the libraries that they belong to: it takes every
    function from them, and no longer asks the libraries for the members that have the right ones.

    Args:
      name: of the program.
      mutant: its file; all files that it changes are .cc files of core/.
      program: FLAREDB or LOCKS.
      tags: as every rule has them.
    """
    _mutated_sources(
        name = name + "_sources",
        mutant = mutant,
        tags = ["manual"],
        testonly = True,
    )
    native.cc_library(
        name = name + "_bug",
        testonly = True,
        tags = tags,
        srcs = [
            name + "_sources",
            "//tests/mutants:headers",
        ],
        alwayslink = True,  # Nobody has asked for these functions yet when the linker meets them.
        copts = [
            "-O2",
            "-std=c++20",  # Of a folder's files, Bazel 4 does not know that --cxxopt is for them.
            "-w",  # A bug may leave something unused.
        ],
        # These libraries come behind it.
        deps = [
            "//core/base",
            "//core/kv",
            "//core/raft",
            "//core/region",
            "//core/region:overlay",
            "//core/region:state_machine",
            "//core/store",
            "//core/store:messages",
            "//core/store:recovery",
            "@system//:absl_containers",
            "@system//:absl_status",
            "@system//:absl_strings",
        ],
    )
    native.cc_binary(
        name = name,
        testonly = True,
        tags = tags,
        # With it, Bazel 4 takes `alwayslink` back for a folder's files.
        features = ["-supports_start_end_lib"],
        deps = [name + "_bug"] + program.deps,
    )

def campaign_test(name, sim, expect, seeds, code = "", says = "", flags = [], **kwargs):
    """A test that a campaign ends as expected.

    Args:
      name: of the test.
      sim: the simulator, //sim or a mutant_sim.
      expect: "fails" or "passes".
      seeds: "A..B", both included.
      code: for "fails": the codes (docs/SIMULATION.md), separated by spaces, of which the first
        failure has one; empty: any.
      says: for "fails": an extended regular expression without quotes that a line of what is said
        of the first failure matches; empty: anything.
      flags: more of the campaign, as in ["--only=split"].
      **kwargs: as every test has them.
    """
    if expect not in ["fails", "passes"]:
        fail("expect is \"fails\" or \"passes\", not \"{}\"".format(expect))
    if (code or says) and expect == "passes":
        fail("a campaign that passes has no failure to describe")
    native.sh_test(
        name = name,
        srcs = ["//tests/mutants:campaign_test.sh"],
        args = [
            expect,
            "'{}'".format(code),
            "'{}'".format(says),
            "$(location {})".format(sim),
            "--seeds=" + seeds,
        ] + flags,
        data = [sim],
        **dict({"size": "small"}, **kwargs)
    )

def mutant_test(
        name,
        mutant,
        seeds,
        expect = "fails",
        code = "",
        says = "",
        flags = [],
        program = FLAREDB,
        tags = [],
        **kwargs):
    """A test that the campaign finds a bug, or that it doesn't with some flags.

    Args:
      name: of the test; NAME_sim is the simulator, also for more campaign_test.
      mutant: as for mutant_sim.
      seeds: as the following ones, for campaign_test.
      expect: see there.
      code: see there.
      says: see there.
      flags: see there.
      program: as for mutant_sim.
      tags: as every test has them.
      **kwargs: as every test has them.
    """
    mutant_sim(
        name = name + "_sim",
        mutant = mutant,
        program = program,
        tags = tags,
    )
    campaign_test(
        name = name,
        sim = name + "_sim",
        seeds = seeds,
        expect = expect,
        code = code,
        says = says,
        flags = flags,
        tags = tags,
        **kwargs
    )
