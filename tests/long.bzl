"""Tests that `//...` leaves out, and builds nothing for: ./bazelw test //tests:long runs them."""

# The tags of such a test, and of what only such tests need. By its own name each can be run as ever.
LONG = ["manual"]

def long_tests(name):
    """The package's long tests as a suite. At the end of its BUILD file.

    Args:
      name: of the suite; //tests:long has it in its list.
    """
    native.test_suite(
        name = name,
        tags = LONG,
        tests = [
            test
            for test, rule in native.existing_rules().items()
            if rule["kind"].endswith("_test") and "manual" in rule["tags"]
        ],
        visibility = ["//tests:__pkg__"],
    )
