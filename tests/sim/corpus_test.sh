#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Replays the saved runs of tests/sim/corpus: each was the smallest that showed a bug, named by the
# file, that somebody planted or made. None of them is here any more.
set -u

sim=$TEST_SRCDIR/$TEST_WORKSPACE/sim/sim
failures=0
fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

runs=0
for trace in "$TEST_SRCDIR/$TEST_WORKSPACE"/tests/sim/corpus/*.trace; do
  runs=$((runs + 1))
  output=$("$sim" --trace="$trace") || fail "$(basename "$trace"): $output"
  echo "$output" | grep -q '^It passes now' || fail "$(basename "$trace") never failed: $output"
done
[ "$runs" -ge 5 ] || fail "only $runs saved runs were found"

broken=${TEST_TMPDIR:-/tmp}/broken.trace
sed 's/^seed .*/seed x/' "$trace" >"$broken"
output=$("$sim" --trace="$broken" 2>&1)
[ $? -eq 2 ] || fail "a broken trace exits with 2"
[ "$(echo "$output" | wc -l)" -eq 1 ] || fail "a broken trace gets one line: $output"
says() {
  output=$("$sim" --trace="$2" 2>&1)
  [ $? -eq 2 ] || fail "$2: exits with 2"
  [ "$(echo "$output" | wc -l)" -eq 1 ] || fail "$2 gets one line: $output"
  echo "$output" | grep -q "$1" || fail "$2 gets another sentence: $output"
}
: >"$broken"
says 'the saved run is empty' "$broken"
head -c 2000 "$trace" >"$broken"
says 'a part of the file is missing' "$broken"
sed '1s/1/0/' "$trace" >"$broken"
says 'one of another version' "$broken"
says "can't be read" "${TEST_TMPDIR:-/tmp}"
output=$("$sim" --trace=/no/such.trace 2>&1)
[ $? -eq 2 ] || fail "a missing trace exits with 2"

[ "$failures" -eq 0 ]
