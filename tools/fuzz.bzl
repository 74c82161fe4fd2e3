"""Fuzz targets."""

def fuzz_target(name, deps):
    """A function of bytes that must not fail, from NAME_fuzz.cc, and its corpus, corpus/NAME.

    Makes
      NAME       with --config=fuzz a libFuzzer program that starts from the corpus; else a program
                 that takes the files it is given as inputs, as libFuzzer does with files
      NAME_test  the inputs of the corpus, once each, with whatever compiler builds the rest

    Args:
      name: of the target.
      deps: what it is a function of.
    """
    corpus = native.glob(["corpus/{}/*".format(name)])
    folder = "{}/corpus/{}".format(native.package_name(), name)
    native.cc_library(
        name = name + "_target",
        testonly = True,
        srcs = [name + "_fuzz.cc"],
        alwayslink = True,  # What libFuzzer's main calls, its linker does not ask for.
        deps = deps + ["//tests/fuzz"],
    )
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = select({
            "//tests/fuzz:libfuzzer": ["libfuzzer_start.cc"],
            "//conditions:default": ["replay_main.cc"],
        }),
        data = corpus,
        linkopts = select({
            "//tests/fuzz:libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        local_defines = ["FUZZ_CORPUS=\\\"{}\\\"".format(folder)],
        deps = [name + "_target"],
    )
    native.cc_test(
        name = name + "_test",
        size = "small",
        srcs = ["replay_main.cc"],
        args = [folder],
        data = corpus,
        deps = [name + "_target"],
    )
