#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# PERFSHIM_HARDEN=full: each bug is found, with a line that says what, where, and
# who allocated and who freed the block; programs without bugs run as ever.
. "$E2E/lib.sh"

ulimit -c 0
made='allocated by make_block \(harden\+0x[0-9a-f]+\) < [a-z_]+ .*< main \('
freed='freed by end_block \(harden\+0x[0-9a-f]+\) < [a-z_]+ .*< main \('

# finds STATUS WORDS BUG SIZE [MANY]
finds()
{
	run_shim PERFSHIM_HARDEN=full "$T/harden" "${@:3}"
	equal "$1" "$(<shim.status)" "the status of $*"
	equal 1 "$(wc -l <shim.err)" "lines on stderr of $*"
	has "$(<shim.err)" "^perfshim: $2" "what is said of $*"
}
segv=139 abort=134

# Guarded blocks: at once where a page ends, else when they are freed.
finds $segv "write at 0x[0-9a-f]+: 0 bytes past the end of a block of 64 bytes at 0x[0-9a-f]+, $made" overrun 64
finds $abort "free\(0x[0-9a-f]+\): written outside the block, 0 bytes past the end of a block of 50 bytes .*$made" overrun 50
finds $segv "read at 0x[0-9a-f]+: 64 bytes past the end of a block of 50 bytes .*$made" overrun-far 50
finds $segv "write at .*: 0 bytes past the end of a block of 4096 bytes .*$made" overrun 4096
finds $segv "write at .*: 0 bytes past the end of a block of 1000000 bytes .*$made" overrun 1000000
finds $abort "exit\(0x[0-9a-f]+\): written outside the block, 0 bytes past .*$made" overrun-exit 50
finds $abort "free\(.*written outside the block, 1 bytes before a block of 64 bytes .*$made" underrun 64
finds $segv "write at .*: 4097 bytes before a block of 64 bytes .*$made" underrun-far 64
finds $segv "read at .*: after it was freed, 32 bytes into a block of 64 bytes .*$made.*$freed" read-after 64
finds $segv "write at .*: after it was freed, 500000 bytes into a block of 1000000 .*$made.*$freed" write-after 1000000
finds $segv "write at .*: after it was freed, 25 bytes into .*$made.*$freed" write-after 50
finds $abort "free\(.*double free.*$made.*$freed" twice 64
finds $abort "free\(.*not the start of a block, 16 bytes into a block of 64 bytes .*$made" inside 64
finds $abort "realloc\(.*written outside the block, 0 bytes past the end .*$made" realloc 50
finds $abort "free\(.*written outside the block, 0 bytes past the end .*by_calloc" calloc 50

# When there are too many for guard pages: marks, and poison when they are used
# again or the program ends.
many=300000
finds $abort "free\(.*written outside the block, 0 bytes past the end of a block of 50 bytes .*$made" overrun 50 $many
finds $abort "free\(.*written outside the block, 0 bytes past the end of a block of 64 bytes .*$made" overrun 64 $many
finds $abort "free\(.*written to after it was freed, 32 bytes into a block of 64 bytes .*$made.*$freed" write-after 64 $many
finds $abort "free\(.*written to after it was freed, 32 bytes into .*$made.*$freed" write-after-more 64 $many
finds $abort "free\(.*double free.*$made.*$freed" twice 64 $many
finds $abort "free\(.*not the start of a block.*$made" inside 64 $many
finds $abort "realloc\(.*written outside.*$made" realloc 50 $many

# A child's bug is the child's.
run_shim PERFSHIM_HARDEN=full "$T/harden" child 64
equal 0 "$(<shim.status)" 'the status of a parent'
equal end "$(<shim.out)" 'the stdout of a parent'
has "$(<shim.err)" "^perfshim: free.*double free.*$made.*$freed" 'what is said of the child'

# Nothing wrong, nothing said; the report is an exact one.
for limit in unlimited 2000000; do
	ulimit -S -v "$limit"
	run_both PERFSHIM_HARDEN=full "$T/harden" nothing 1
	equal '' "$(<shim.err)" 'stderr of a program without fault'
	run_both PERFSHIM_HARDEN=full "$T/harden" nothing 1 30000
	equal '' "$(<shim.err)" 'stderr of one with many blocks'
	run_shim PERFSHIM_HARDEN=full "$T/exact"
	json
	expect 'sampling["mode"] == "all"' 'site("keep_small", "live_bytes") == 24000' \
		'site("churn", "allocations") == 500' 'site("churn", "live_bytes") == 0'
done
ulimit -S -v unlimited
run_both PERFSHIM_HARDEN=full "$T/threads"
equal '' "$(<shim.err)" 'stderr of threads'
