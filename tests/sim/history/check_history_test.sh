#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The program as a person meets it: output, exit codes, and one sentence for bad input.
set -u
program="$PWD/$1"
corpus="$PWD/tests/sim/history/corpus"
scratch="$TEST_TMPDIR"
failures=0

# check NAME EXPECTED_EXIT EXPECTED_TEXT COMMAND...: runs the command, compares its exit code, and
# looks for the text in its output and errors. Bad input (exit 2) must say exactly one line.
check() {
  local name="$1" exit_code="$2" text="$3" output code
  shift 3
  output="$("$@" 2>&1)"
  code=$?
  if [[ $code -ne $exit_code || "$output" != *"$text"* ]] ||
    [[ $exit_code -eq 2 && $(wc -l <<<"$output") -ne 1 ]]; then
    echo "FAILED: $name: exit $code (expected $exit_code), expected \"$text\" in:"
    echo "$output"
    failures=$((failures + 1))
  fi
}

check "the corpus is right" 0 "60 right, 0 wrong" "$program" --expected "$corpus/EXPECTED.tsv"
check "rows are printed" 0 "kv/c10-bad.txt kv_nopartition not" \
  "$program" --expected "$corpus/EXPECTED.tsv"
check "a linearizable file" 0 "etcd_cas_register linearizable" \
  "$program" --model etcd_cas_register "$corpus/jepsen/etcd_002.log"
check "a file that is not" 1 "etcd_000.log etcd_cas_register not" \
  "$program" --model etcd_cas_register "$corpus/jepsen/etcd_000.log"

sed 's/false/true/' "$corpus/EXPECTED.tsv" >"$scratch/wrong.tsv"
ln -s "$corpus/jepsen" "$corpus/kv" "$scratch/"
check "a wrong table is noticed" 1 " wrong" "$program" --expected "$scratch/wrong.tsv"

cd / || exit 1
check "relative paths are the caller's" 0 "60 right, 0 wrong" \
  env BUILD_WORKING_DIRECTORY="$corpus" "$program" --expected EXPECTED.tsv

check "unknown flag" 2 "--no-such-flag" "$program" --no-such-flag
check "nothing to do" 2 "say what to check" "$program"
check "a model without a file" 2 "say what to check" "$program" --model kv_partitioned
check "both ways at once" 2 "say what to check" \
  "$program" --expected "$corpus/EXPECTED.tsv" --model kv_partitioned x
check "unknown model" 2 'unknown model "queue"' "$program" --model queue x
check "missing table" 2 "cannot open" "$program" --expected "$scratch/none.tsv"
check "a folder" 2 "is a folder" "$program" --expected "$scratch"
check "a malformed history" 2 "LICENSE.md:1: expected" \
  "$program" --model etcd_cas_register "$corpus/LICENSE.md"
printf 'file\tmodel\tlinearizable\nnone.log\tetcd_cas_register\ttrue\n' >"$scratch/dangling.tsv"
check "a row whose file is missing" 2 "none.log" "$program" --expected "$scratch/dangling.tsv"
printf 'file\tmodel\tlinearizable\nx\n' >"$scratch/malformed.tsv"
check "a malformed row" 2 "malformed.tsv:2: a row needs three columns" \
  "$program" --expected "$scratch/malformed.tsv"

[[ $failures -eq 0 ]] && echo "all checks passed"
exit $((failures > 0))
