#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Threads that ended are counted once by the process itself, too: in mallinfo2, in
# what a forked child inherits, and in the line of a small process.
. "$E2E/lib.sh"

for sample in auto all; do
	rm -rf rec
	run_shim PERFSHIM_SAMPLE=$sample PERFSHIM_CHILDREN=all "$T/ended"
	equal 0 "$(<shim.status)" 'the status of ended'
	grown=$(<shim.out)
	[ "$grown" -lt 1024 ] || fail 'no growth by threads that ended' "$grown bytes, $sample"

	json
	allocations=$(value "heap['allocations']")
	equal 2 "$(find rec -name '*.perfshim' | wc -l)" 'recordings of parent and child'
	for file in rec/*.perfshim; do
		"$B/perfreport" --json -o report.json "$file" || fail "to read $file"
		# The child has four blocks, stdout's buffer, and what libc keeps.
		expect "heap['live_blocks'] <= 8" "0 <= heap['live_bytes'] <= 32768"
	done
done

# The child of a shell leaves a line, with as many allocations as a recording of it.
rm -rf rec
run_shim PERFSHIM_CHILDREN=on bash -c '"$1"; true' bash "$T/ended"
lines=$(grep -c '/ended$' rec/small-processes.tsv)
[ "$lines" -ge 1 ] || fail 'a line of ended' "$(ls rec)"
most=$(awk -F '\t' '/ended$/ && $11 > most { most = $11 } END { print most + 0 }' rec/small-processes.tsv)
difference=$((most - allocations))
[ "${difference#-}" -le 8 ] ||
	fail "about $allocations allocations in the line" "$(<rec/small-processes.tsv)"
