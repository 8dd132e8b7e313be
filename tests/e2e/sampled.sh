#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sampling: totals are exact, and estimates are within their stated error.
. "$E2E/lib.sh"

run_both PERFSHIM_SAMPLE=64K "$T/sampled"
read -r small medium <shim.out
json
expect 'heap["allocations"] >= 420000' 'heap["allocations"] < 420100' \
	"heap[\"requested_bytes\"] >= $small + $medium" \
	"heap[\"requested_bytes\"] < $small + $medium + 100000" \
	'sampling["interval_bytes"] == 65536' 'sampling["samples"] > 1000'
# About 785 and 1260 samples: 4 standard deviations are 14 % and 12 %.
expect "abs(site(\"site_small\", \"bytes\") / $small - 1) < 0.15" \
	"abs(site(\"site_medium\", \"bytes\") / $medium - 1) < 0.13"

run_shim PERFSHIM_SAMPLE=off "$T/sampled"
same_output
json
expect 'heap["allocations"] >= 420000' 'sampling["samples"] == 0' 'heap["sites"] == []'

# A default run widens the distance, eight times at most, before samples cost
# too much.  A distance that was asked for stays.
run_shim "$T/hurried" 100000
read -r bytes _ <shim.out
report
has "$text" 'sampled every 512 KiB to 4.00 MiB' 'the distance in the report'
json
expect 'sampling["interval_bytes"] == 524288' 'sampling["interval_bytes_widest"] == 4 << 20' \
	'20000 < sampling["samples"] < 25000' "abs(site(\"site_hurried\", \"bytes\") / $bytes - 1) < 0.03" \
	'heap["live_bytes"] < 1 << 20' 'site("site_hurried", "live_bytes") == 0'

run_shim PERFSHIM_SAMPLE=512K "$T/hurried" 10000
read -r bytes _ <shim.out
report
has "$text" 'sampled every 512 KiB: ' 'the distance in the report'
json
expect 'sampling["interval_bytes_widest"] == 524288' 'sampling["samples"] > 8000'
