#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Load: 64 threads allocate, free what others did, mark sections, load and
# unload a module, fork, and are interrupted by handlers that mark sections.
# Nothing hangs or grows, and at the end all totals are exact.
# LOAD_SECONDS=600 in check-long.
. "$E2E/lib.sh"

seconds=${LOAD_SECONDS:-3}

# loaded SECONDS [VAR=VALUE...]
loaded()
{
	rm -rf rec
	run_shim "${@:2}" "$T/load" "$T/libplugin.so" "$1"
	equal 0 "$(<shim.status)" "the status of the load with ${*:2}"
	read -r allocations frees works inner handled loads forks grown <shim.out
	[ -n "$grown" ] || fail 'a line at the end' "$(<shim.out)"
}

# told: the recording of the process itself has what it counted.
told()
{
	json
	# Beside the counted ones: plugin_work's, dlopen's, those of start-up.
	expect "heap['allocations'] >= $allocations" \
		"heap['allocations'] <= $allocations + 60 * $loads + 2000" \
		"heap['frees'] >= $frees" \
		"0 <= heap['allocations'] - heap['frees'] <= 500" \
		"heap['live_blocks'] == heap['allocations'] - heap['frees']" \
		"section('work')['calls'] == $works" "section('inner')['calls'] == $inner" \
		"section('plugin_section')['calls'] == $loads" \
		"section('handler')['calls'] <= $handled" \
		"section('handler')['calls'] >= $handled * 0.5"
	# hazard: R10 unbalanced sections
	report
	hasnt "$text" 'without their begin' 'the report'
	# As many children were recorded as there were, and each what it did.
	equal $((forks + 1)) "$(find rec -name 'load.*' | wc -l)" 'recordings of a process and its children'
}

# hazard: T4 Process exits while other threads still allocate
# hazard: T8 Remote free imbalance
# hazard: P1 fork in multithreaded parent
# hazard: P14 dlclose/dlopen churn
for sample in all auto; do
	loaded "$seconds" "PERFSHIM_SAMPLE=$sample"
	told
	[[ $loads -gt 0 && $forks -gt 0 && $handled -gt 0 ]] ||
		fail 'loads, forks and signals' "$loads $forks $handled"
	[ "$sample" != all ] || [ "$seconds" -lt 60 ] || [ "$grown" -lt 65536 ] ||
		fail 'no growth in the second half' "$grown KiB"
done
