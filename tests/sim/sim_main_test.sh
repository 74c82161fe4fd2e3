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

output=$("$sim" --only=splat 2>&1)
[ $? -eq 2 ] || fail "an unknown fault exits with 2"
[ "$(echo "$output" | wc -l)" -eq 1 ] || fail "an unknown fault gets one line: $output"
echo "$output" | grep -q 'crash-leader' || fail "an unknown fault gets the list: $output"

hash_of() { "$sim" --seeds=1..20 "$@" 2>&1 | tail -n 1 | sed 's/.*hash=//'; }
[ "$(hash_of --jobs=1)" = "$(hash_of --jobs=3)" ] || fail "the number of jobs changes the result"
[ "$(hash_of)" != "$(hash_of --only=none)" ] || fail "--only=none leaves faults in"
"$sim" --seeds=1..20 --only=none | grep -Eq '(^| )(split|abandon) +[1-9]' &&
  fail "a fault happens that is left out"

"$sim" --seeds=1..20 | grep -Eq '^split +[0-9]+ +[0-9]+' || fail "faults are counted in a table"
"$sim" --seeds=1..2 | grep -q '^never hit: ' || fail "a short campaign says what it did not hit"
"$sim" --seed=1 | grep -q '^never hit: ' && fail "a single seed lists what it did not hit"

[ -z "$("$sim" --seeds=1..20 2>&1 >/dev/null)" ] || fail "progress is shown without a terminal"

for jobs in 1 2; do
  "$sim" --minutes=0.02 --jobs=$jobs | tail -n 1 | grep -Eq '^seeds=[1-9][0-9]* failed=0 ' ||
    fail "--minutes runs seeds until the time is over"
done

report=${TEST_TMPDIR:-/tmp}/report.json
"$sim" --seeds=1..3 --jobs=2 --json="$report" >/dev/null
grep -q '"seeds": 3' "$report" || fail "--json writes a report"
grep -q '"crash-leader": {"fired": ' "$report" || fail "--json counts faults"
output=$("$sim" --seed=1 --json=/no/such/folder/report 2>&1)
[ $? -eq 2 ] || fail "an impossible report exits with 2"
[ "$(echo "$output" | wc -l)" -eq 1 ] || fail "an impossible report gets one line: $output"
output=$("$sim" --seed=1 --save=/no/such/folder/run 2>&1)
[ $? -eq 2 ] || fail "an impossible --save exits with 2"
[ "$(echo "$output" | wc -l)" -eq 1 ] || fail "an impossible --save gets one line: $output"

for jobs in 1 2; do
  "$sim" --minutes=5 --jobs=$jobs >"$report" &
  sleep 2
  kill -INT $!
  wait $!
  [ $? -eq 130 ] || fail "an interrupted campaign exits with 130"
  tail -n 1 "$report" | grep -Eq '^seeds=[1-9][0-9]* failed=0 ' ||
    fail "an interrupted campaign tells what it did"
done

[ "$failures" -eq 0 ]
