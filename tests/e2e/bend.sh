#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# At the limits it bends as glibc does: no memory, odd requests, forks of a
# threaded program, many threads.
. "$E2E/lib.sh"

# bends EXPECTED WHAT COMMAND...: status 0, that stdout, a silent stderr.
bends()
{
	run_shim "${@:3}"
	equal "0 $1" "$(<shim.status) $(<shim.out)" "what comes of $2"
	equal '' "$(<shim.err)" "stderr of $2"
}

# Address space: with a pool range of any size, and with none.
for kib in 20000 28000 40000 60000 80000 100000 109000 200000 400000 1100000000; do
	ulimit -S -v $kib
	run_both ls /
	bends bent "threads in $kib KiB of address space" "$T/bend" crowd 8
	if [ $kib -lt 60000 ] || [ $kib -gt 400000 ]; then continue; fi # it takes all there is
	bends bent "a program in $kib KiB of address space" "$T/bend" limit
done
ulimit -S -v unlimited
# Private writable memory, which is what counts when overcommit is off.
for kib in 20000 30000 60000 62000 64000 70000 100000 112000 124000; do
	ulimit -S -d $kib
	run_both ls /
	bends bent "threads of $kib KiB of data" "$T/bend" crowd 8
	[ $kib = 30000 ] || [ $kib = 100000 ] || continue
	bends bent "a program of $kib KiB of data" "$T/bend" limit
done
ulimit -S -d unlimited

bends bent 'limits that leave nothing' PERFSHIM_SAMPLE=all "$T/bend" tight

bends bent 'a limit of its own' "$T/bend" own-limit
json
expect 'heap["live_bytes"] < 100000'
has "$("$B/perfreport" "$(recording)")" ' 2 allocations that failed' 'what failed'

# hazard: F9 threads that find no memory from their first block on
for sample in auto all; do
	bends bent "threads that take all, sampled $sample" PERFSHIM_SAMPLE=$sample "$T/bend" dry 8
done

for sample in auto all; do for pool in on off; do
	bends 'as glibc' "odd requests, sampled $sample, pool $pool" \
		PERFSHIM_SAMPLE=$sample PERFSHIM_POOL=$pool "$T/bend" odd
done; done
bends 'as glibc' 'odd requests, hardened' PERFSHIM_HARDEN=full "$T/bend" odd

# FORKS=2000 makes it long (make check-long).
forks=${FORKS:-200}
bends '0 bad' 'forks of a threaded program' PERFSHIM_CHILDREN=off "$T/bend" forks "$forks"
bends '0 bad' 'forks where all is sampled' PERFSHIM_CHILDREN=off PERFSHIM_SAMPLE=all \
	"$T/bend" forks $((forks / 4))
bends '0 bad' 'forks where all is hardened' PERFSHIM_CHILDREN=off PERFSHIM_HARDEN=full \
	"$T/bend" forks $((forks / 10))
