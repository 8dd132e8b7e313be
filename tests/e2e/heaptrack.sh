#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# exact mode beside heaptrack, on programs that do the same in every run.  What
# differs is heaptrack's own: one call that libheaptrack makes, and the 72704
# bytes that libstdc++, which it brings along, keeps for exceptions.
. "$E2E/lib.sh"

need heaptrack heaptrack_print
EXTRA_CALLS=1 EXTRA_BYTES=72704

# bytes_of "1.59K": heaptrack's units are powers of 1000.
bytes_of()
{
	awk -v text="$1" 'BEGIN {
		scale["B"] = 1; scale["K"] = 1e3; scale["M"] = 1e6; scale["G"] = 1e9
		printf "%.0f", text * scale[substr(text, length(text))]
	}'
}

# near OURS THEIRS PERCENT WHAT
near()
{
	awk -v a="$1" -v b="$2" -v p="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(d <= b * p / 100 + 16) }' ||
		fail "$4 as heaptrack has it: $2" "$1"
}

agree()
{
	local name=$1 calls peak leaked
	shift
	heaptrack -o "$PWD/$name" "$@" >/dev/null 2>&1 </dev/null || fail "heaptrack $*"
	heaptrack_print -f "$(echo "$PWD/$name".*)" >theirs 2>/dev/null
	calls=$(sed -n 's/^calls to allocation functions: \([0-9]*\).*/\1/p' theirs)
	peak=$(bytes_of "$(sed -n 's/^peak heap memory consumption: //p' theirs)")
	leaked=$(bytes_of "$(sed -n 's/^total memory leaked: //p' theirs)")
	run_shim PERFSHIM_SAMPLE=all PERFSHIM_CHILDREN=off "$@"
	json
	expect "abs(heap['allocations'] - ($calls - $EXTRA_CALLS)) <= 2"
	near "$(value 'heap["peak_bytes"]')" $((peak - EXTRA_BYTES)) 1 "the peak of $name"
	[ "$name" = sqlite3 ] ||
		near "$(value 'heap["live_bytes"]')" "$leaked" 1 "what $name leaks"
	rm -rf rec
}

agree sort sort /usr/share/common-licenses/GPL-3
agree python "$(python3 -c 'import sys; print(sys.executable)')" -S -c 'd = {i: str(i) for i in range(3000)}'
# heaptrack leaves out what LeakSanitizer's built-in list suppresses: 3251 bytes of libc's here.
agree sqlite3 sqlite3 :memory: 'create table t(a, b); create index x on t(b);'
