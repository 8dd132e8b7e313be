#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gate: how often the gate of perfwrap.sh is wrong on this machine.  Each trial
# saves a baseline and compares with it a program that takes CHANGE % longer in
# all, both with as many runs as they choose.
#
#   B=build tests/bench/gate.sh [TRIALS [CHANGE [OPTIONS...]]]
#
# Prints how many trials ended with each status (0 no regression, 3 regression,
# 4 inconclusive).  With a change of 0, 3 is a false alarm.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
B=${B:-build}
trials=${1:-20} change=${2:-0}
shift $(($# < 2 ? $# : 2))
options=("$@")
work=8000 # thousands of multiplications: some 9 ms
file=$(mktemp) || exit 1
trap 'rm -f -- "$file"' EXIT
declare -A count=()

# gate OPTIONS -- THOUSANDS
gate()
{
	scripts/perfwrap.sh "${options[@]}" --library "$B/libperfshim.so" --quiet \
		"${@:1:$#-1}" "$B/targets/slower" "${!#}" 100 >/dev/null
}

# median THOUSANDS: of the whole run, in ns.
median()
{
	gate --runs 40 --save "$file" -- "$1" || exit 1
	python3 -c 'import json, sys
print(int(1e9 * json.load(open(sys.argv[1]))["results"][0]["median"]))' "$file"
}

# What is to be done more for the whole to take CHANGE % longer.
once=$(median "$work") twice=$(median $((2 * work)))
more=$((work * once * change / (twice - once) / 100))

for ((i = 0; i < trials; i++)); do
	gate --save "$file" -- "$work" || exit 1
	gate --baseline "$file" --fail-above 5% -- $((work + more))
	status=$?
	count[$status]=$((${count[$status]-0} + 1))
done
printf 'one run %d us, %d %% longer by %d thousands\n' $((once / 1000)) "$change" "$more"
for status in "${!count[@]}"; do printf '%s %d\n' "$status" "${count[$status]}"; done | sort
