#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# what a report says that the shim cost is what it is measured to cost: the CPU
# time of 20000 and of 500000 pairs of malloc and free with every block sampled,
# less that without samples.  Least of seven each; within a third and 0.15 ms.
. "$E2E/lib.sh"

# least_of SAMPLE COUNT: CPU milliseconds of the pairs and those told.
least_of()
{
	local i
	for ((i = 0; i < 7; i++)); do
		rm -f told.json
		run shim env LD_PRELOAD="$LIB" PERFSHIM_REPORT="$PWD/told.json" PERFSHIM_FORMAT=json \
			PERFSHIM_SAMPLE="$1" "$T/pairs" "$2"
		echo "$(<shim.out) $(sed 's/.*"overhead":{"seconds":\([^,]*\),.*/\1/' told.json)"
	done | awk '
		NF != 2 { exit }
		NR == 1 || $1 < cpu { cpu = $1 }
		NR == 1 || $2 < told { told = $2 }
		END { if (NR == 7 && NF == 2) print cpu * 1000, told * 1000 }'
}

read -r _ start < <(least_of all 1)
for count in 20000 500000; do
	read -r bare _ < <(least_of off "$count")
	read -r all told < <(least_of all "$count")
	[[ -n ${start-} && -n ${bare-} && -n ${told-} ]] ||
		fail 'figures' "$(<shim.err)"
	awk -v is="$all" -v off="$bare" -v told="$told" -v start="$start" -v count="$count" 'BEGIN {
		is -= off; told -= start
		printf "%d pairs: %.3f ms, told %.3f ms\n", count, is, told
		exit !(told < is * 4 / 3 + 0.15 && told > is * 2 / 3 - 0.15)
	}' >line || fail 'the cost that is told to be the cost' "$(<line)"
	cat line
done
