#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# explore_main_test.sh EXPLORE: what a person sees of the explorer.
set -uo pipefail

explore=$1

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

out=$("$explore" --states=2000) || fail "a run that holds exits with $?"
[[ $(tail -n 1 <<<"$out") =~ ^states=2000\ depth=[0-9]+\ violations=0\ states_per_s=[0-9]+$ ]] ||
  fail "the last line is: $(tail -n 1 <<<"$out")"
again=$("$explore" --states=2000)
[[ ${out% states_per_s=*} == "${again% states_per_s=*}" ]] || fail "two runs differ"

out=$("$explore" --scope=reigns --terms=1) || fail "an exhausted scope exits with $?"
[[ $out == *", all: "* ]] || fail "one term of reigns is not exhausted: $out"

for wrong in --states=many --scope=none --terms=2; do
  out=$("$explore" "$wrong" 2>&1)
  [[ $? == 2 ]] || fail "$wrong does not exit with 2"
  [[ $(wc -l <<<"$out") == 1 ]] || fail "$wrong is answered by more than a line: $out"
done
