#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The simulator as a person meets it: usage, errors, exit codes, the last line.
set -u
sim=$1
failures=0

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

"$sim" --help | grep -q -- '--seeds=A..B' || fail "--help names the flags"

output=$("$sim" --sed=1 2>&1)
[ $? -eq 2 ] || fail "a wrong flag exits with 2"
[ "$(echo "$output" | wc -l)" -eq 1 ] || fail "a wrong flag gets one line: $output"

output=$("$sim" --seed=1 --trace-out=/no/such/folder/trace 2>&1)
[ $? -eq 2 ] || fail "an impossible file exits with 2"

page=$TEST_TMPDIR/run.html
"$sim" --seed=42 --html="$page" >"$TEST_TMPDIR/with-page" || fail "--html changes no verdict"
[ "$(tail -n 1 "$page")" = "</html>" ] || fail "--html writes a page"

output=$("$sim" --seed=1 --html=/no/such/folder/run.html 2>&1)
[ $? -eq 2 ] || fail "an impossible page exits with 2"
[ "$(echo "$output" | wc -l)" -eq 1 ] || fail "an impossible page gets one line: $output"

output=$("$sim" --seeds=1..2 --html="$page" 2>&1)
[ $? -eq 2 ] || fail "a page of two seeds exits with 2"

last() { "$sim" --seed=42 | tail -n 1; }
first=$(last)
second=$(last)
echo "$first" |
  grep -Eq '^seeds=1 failed=0 events=[0-9]+ sim_seconds=[0-9]+ wall_seconds=[0-9.e-]+ hash=[0-9a-f]+$' ||
  fail "the last line has its form: $first"
grep -q "${first##* }" "$TEST_TMPDIR/with-page" || fail "--html changes no run"
[ "${first##*hash=}" = "${second##*hash=}" ] || fail "two processes agree: $first, $second"

"$sim" --seed=42 |
  grep -Eq '^operations=[0-9]+ .* changes=[0-9]+ snapshots=[0-9]+ transfers=[0-9]+ leases=[0-9]+$' ||
  fail "what happened is counted"

"$sim" --seed=42 --trace-out=- | grep -q 'append term' || fail "a trace shows the messages"

[ "$failures" -eq 0 ]
