#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# threads: eight threads allocate and free what another one allocated.
. "$E2E/lib.sh"

run_both "$T/threads"
json
# 8 x 20000 blocks, the arrays that hold them, 51 that are handed over.
expect 'heap["allocations"] >= 160059' 'heap["allocations"] < 161000' \
	'heap["frees"] >= 160059' 'process["threads"] >= 8' \
	'heap["requested_bytes"] >= 8 * 20000 * 115'
report
report_has worker_allocate

# The same from jemalloc alone: the pool changes no count.
run_shim PERFSHIM_POOL=off "$T/threads"
same_output
json
expect 'heap["allocations"] >= 160059' 'heap["pool_fraction"] == 0'
