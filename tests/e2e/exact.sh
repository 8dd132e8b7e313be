#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# PERFSHIM_SAMPLE=all: counts and bytes of known allocations, to the last one.
. "$E2E/lib.sh"

run_both PERFSHIM_SAMPLE=all "$T/exact"
json
expect 'sampling["mode"] == "all"' 'sampling["dropped"] == 0'
expect 'site("keep_small", "allocations") == 1000' 'site("keep_small", "bytes") == 24000' \
	'site("keep_small", "live_bytes") == 24000'
expect 'site("churn", "allocations") == 500' 'site("churn", "bytes") == 50000' \
	'site("churn", "live_bytes") == 0'
expect 'site("large_blocks", "allocations") == 7' 'site("large_blocks", "bytes") == 2100000' \
	'site("large_blocks", "live_bytes") == 0'
expect 'site("grow", "allocations") == 8' 'site("grow", "bytes") == 16320' \
	'site("grow", "live_bytes") == 0'
expect 'site("aligned_blocks", "allocations") == 10' 'site("aligned_blocks", "bytes") == 6400' \
	'site("aligned_blocks", "live_bytes") == 6400'
# Nothing else is in this program: what libc adds is the same without main's work.
expect 'heap["allocations"] - heap["frees"] == heap["live_blocks"]'
expect 'heap["allocations"] == sum(s["allocations"] for s in heap["sites"])' \
	'heap["requested_bytes"] == sum(s["bytes"] for s in heap["sites"])' \
	'heap["live_bytes"] == sum(s["live_bytes"] for s in heap["sites"])'
expect '1525 <= heap["allocations"] <= 1535' \
	'heap["requested_bytes"] - (24000 + 50000 + 2100000 + 16320 + 6400) < 80000'
expect 'heap["peak_bytes"] >= 300000 + 24000'

# Under the pool and without it, alike.
before=$(value '[heap[k] for k in ("allocations", "frees", "requested_bytes", "live_bytes")]')
run_shim PERFSHIM_SAMPLE=all PERFSHIM_POOL=off "$T/exact"
json
equal "$before" "$(value '[heap[k] for k in ("allocations", "frees", "requested_bytes", "live_bytes")]')" \
	'the same figures with PERFSHIM_POOL=off'
