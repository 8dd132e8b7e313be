#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# _exit, quick_exit: no destructor runs, and nothing is lost.
. "$E2E/lib.sh"

for how in _exit quick_exit return; do
	run_both PERFSHIM_SAMPLE=64K "$T/die" "$how"
	json
	expect 'heap["allocations"] >= 5000' 'heap["live_blocks"] >= 5000' \
		'heap["live_bytes"] >= 5000000' 'heap["peak_bytes"] >= 5000000'
	report
	report_has last_will 'MEMORY LEAKS'
done
