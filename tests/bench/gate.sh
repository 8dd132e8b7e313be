#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gate: how often the gate of perfwrap.sh is wrong on this machine.  Each trial
# saves a baseline of 30 runs and compares with it; `change` is what the program
# does more than in the baseline.
#
#   B=build tests/bench/gate.sh [TRIALS [CHANGE% [--no-shim]]]
#
# Prints how many trials ended with each status (0 no regression, 3 regression,
# 4 inconclusive).  With a change of 0 %, 3 is a false alarm.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
B=${B:-build}
trials=${1:-20} change=${2:-0} shim=${3-}
work=5000 # thousands of multiplications: some 5 ms
file=$(mktemp) || exit 1
trap 'rm -f -- "$file"' EXIT
declare -A count=()

gate()
{
	scripts/perfwrap.sh ${shim:+"$shim"} --library "$B/libperfshim.so" --quiet "$@" >/dev/null 2>&1
}

for ((i = 0; i < trials; i++)); do
	gate --runs 30 --save "$file" -- "$B/targets/slower" "$work" 100 || exit 1
	gate --baseline "$file" --fail-above 5% -- \
		"$B/targets/slower" $((work + work * change / 100)) 100
	status=$?
	count[$status]=$((${count[$status]-0} + 1))
done
for status in "${!count[@]}"; do printf '%s %d\n' "$status" "${count[$status]}"; done | sort
