#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# MALLOC_CONF and /etc/malloc.conf are for the program's jemalloc, not for ours.
. "$E2E/lib.sh"

for conf in bogus:1 abort_conf:true,bogus:1 stats_print:true narenas:1,dirty_decay_ms:0 \
	background_thread:true junk:true prof:true; do
	run_bare MALLOC_CONF=$conf "$T/exact"
	run_shim MALLOC_CONF=$conf "$T/exact"
	same_output stderr
	recorded
done
run_shim MALLOC_CONF=background_thread:true sh -c 'ls /proc/self/task | wc -l'
equal 1 "$(<shim.out)" 'threads with background_thread:true'
