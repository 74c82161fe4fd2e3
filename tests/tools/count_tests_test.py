#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the last line of .ci/run says for the ways in which a `bazel test` can end."""

import json
import runpy
import unittest

count = runpy.run_path("tools/count-tests")["count"]


def configured(label):
    return {"id": {"targetConfigured": {"label": label}}, "configured": {"testSize": "SMALL"}}


def summary(label, status):
    return {"id": {"testSummary": {"label": label}}, "testSummary": {"overallStatus": status}}


class CountTest(unittest.TestCase):
    def assert_count(self, events, status, passed, failed):
        self.assertEqual(count(map(json.dumps, events), status), (passed, failed))

    def test_all_passed(self):
        events = [configured("//:a"), configured("//:b")]
        events += [summary("//:a", "PASSED"), summary("//:b", "PASSED")]
        self.assert_count(events, 0, 2, 0)

    def test_failures_and_timeouts_have_failed(self):
        events = [configured("//:a"), configured("//:b"), configured("//:c")]
        events += [summary("//:a", "PASSED"), summary("//:b", "FAILED"), summary("//:c", "TIMEOUT")]
        self.assert_count(events, 3, 1, 2)

    def test_what_was_not_built_has_failed(self):
        aborted = {"id": {"targetCompleted": {"label": "//:b"}}, "aborted": {}}
        events = [configured("//:a"), configured("//:b"), summary("//:a", "PASSED"), aborted]
        self.assert_count(events, 1, 1, 1)

    def test_libraries_are_not_tests(self):
        library = {"id": {"targetConfigured": {"label": "//:lib"}}, "configured": {}}
        self.assert_count([library, configured("//:a"), summary("//:a", "PASSED")], 0, 1, 0)

    def test_a_failure_before_any_test_counts_as_one(self):
        self.assert_count([], 1, 0, 1)


if __name__ == "__main__":
    unittest.main()
