#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard_threads: threads and signal handlers at bad moments.
# LONG=1 (make check-long) makes the counts those of tests/hazards.rows.
. "$E2E/rows.sh"

threads=$T/hazard_threads
long=${LONG:-0}
times() { echo $((long ? $1 : $2)); }

row T1 "$threads" ends "$(times 20000 500)"
row T2 "$threads" raw
row T3 "$threads" create 10000
row T4 PERFSHIM_CHILDREN=off "$threads" exit "$(times 1000 60)"
row T5 "$threads" signals "$(times 100000 5000)"
row_modes=(PERFSHIM_SAMPLE=1K)
row T5 "$threads" sampled "$(times 100000 5000)"
row T6 "$threads" cancel "$(times 1000 300)"
row T6 "$threads" fault
run_shim PERFSHIM_SAMPLE=all "$threads" fault
json
expect 'heap["allocations"] >= 10000'
row T7 "$threads" keys
row T8 "$threads" crossed 200000
run_shim PERFSHIM_SAMPLE=all "$threads" crossed 50000
json
expect 'heap["live_bytes"] < 10000' 'heap["allocations"] >= 200000' \
	'heap["allocations"] - heap["frees"] < 20'
run_shim "$threads" sleepers 64
equal 137 "$(<shim.status)" 'the status of a program that was killed'
json
expect 'heap["allocations"] >= 6400' 'process["threads"] >= 65'
note_row T9 shim 'nothing lost'
row T10 "$threads" small
