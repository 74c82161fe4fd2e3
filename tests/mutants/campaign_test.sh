#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# campaign_test.sh fails|passes CODES SAYS SIM FLAGS...: the campaign's verdict and, if they are not
# empty, that the code of the first failure is one of CODES, and that what is said of it has a line
# that the extended regular expression SAYS matches.
set -u
expect=$1 codes=$2 says=$3
shift 3

output=$("$@" --minimise=0 2>&1)
exit_code=$?
echo "$*"
echo "$output"
if [[ $exit_code == 2 || ! ${output##*$'\n'} =~ ^seeds= ]]; then
  echo "FAILED: this was no campaign (exit code $exit_code)."
  exit 1
fi
if [[ $expect == passes ]]; then
  [[ $exit_code == 0 ]] || { echo "FAILED: the campaign is to pass." && exit 1; }
  exit 0
fi
[[ $exit_code != 0 ]] || { echo "FAILED: the campaign is to find the bug." && exit 1; }
found=${output%%:*}
[[ -z $codes || " $codes " == *" $found "* ]] ||
  { echo "FAILED: the code is to be ${codes// / or }, not $found." && exit 1; }
[[ -z $says ]] || grep -Eq -- "$says" <<< "$output" ||
  { echo "FAILED: no line says '$says'." && exit 1; }
