#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# capturing a known stack: no system call, no allocation, no descriptor.  That no
# instruction of it locks is shown by tests/unit/test_unwind_safety.c.
. "$E2E/lib.sh"

need strace
# calls_between: system calls between the two of getpriority.
calls_between()
{
	awk '/getpriority\(/ { inside = !inside; next } inside' trace
}

# hazard: U2 the unwinder allocates, opens or locks
for mode in all 64; do
	# Twice a second the shim looks at the process: that may fall in between,
	# but not each time.
	for ((i = 0; i < 6; i++)); do
		strace -f -o trace env LD_PRELOAD="$LIB" PERFSHIM_REPORT=none PERFSHIM_OUT="$PWD" \
			PERFSHIM_SAMPLE=$mode "$T/capture" >out 2>err || fail 'the target to end well' "$(<err)"
		equal 2 "$(grep -c 'getpriority(' trace)" 'marks in the trace'
		equal $'0 allocations besides\n0 descriptors more' "$(<out)" "what captures did, sampling $mode"
		[ -z "$(calls_between)" ] && break
	done
	equal '' "$(calls_between | head -n 5)" "system calls of warm captures, sampling $mode"
done

# They were captures indeed.
run_shim PERFSHIM_SAMPLE=all "$T/capture"
json
expect 'site("allocate", "allocations") >= 20000' 'max(len(s["stack"]) for s in heap["sites"]) >= 30'
