#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# every_kind_test.sh SIM KIND...: these are the kinds of fault that the simulator knows, each once.
set -u
sim=$1
shift

known=$("$sim" --help | sed -n 's/^Kinds of fault: \(.*\)\.$/\1/p' | tr ',' '\n' | sort)
[[ -n $known ]] || { echo "FAILED: --help does not name the kinds of fault." && exit 1; }
if ! difference=$(diff <(echo "$known") <(printf '%s\n' "$@" | sort)); then
  echo "FAILED: the simulator's kinds of fault (<) and the rows of the table (>) differ:"
  echo "$difference"
  exit 1
fi
