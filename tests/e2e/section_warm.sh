#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# section_warm: warm marks ask nothing of the kernel but a reading a millisecond,
# and what sections keep is bounded, for each and in all.
. "$E2E/lib.sh"
need strace

# ---- system calls -----------------------------------------------------------

run traced strace -f -o trace -E "LD_PRELOAD=$LIB" -E PERFSHIM_OUT="$PWD" -E PERFSHIM_REPORT=none "$T/warm" calls
if [ ! -s trace ]; then skip "strace cannot trace here ($(head -n 1 traced.err))"; fi
equal 0 "$(<traced.status)" 'the status of warm calls'
read -r pairs ms <traced.out
python - "$pairs" "$ms" <<'END' || exit 1
import collections, re, sys
pairs, ms = int(sys.argv[1]), float(sys.argv[2])
inside, calls, loops = set(), collections.Counter(), 0
for line in open("trace"):
    tid, rest = line.split(None, 1)
    name = re.match(r"(?:<\.\.\. )?(\w+)", rest)
    if "resumed>" in rest or name is None:
        continue
    if name[1] == "getsid":
        inside ^= {tid}
        loops += 1
    elif tid in inside:
        calls[name[1]] += 1
assert loops == 4 and not inside, loops
# What a path used is read when it was last read a millisecond before: two paths,
# two readings each (begin and end), two calls each, of two threads.
assert set(calls) <= {"getrusage", "clock_gettime"}, calls
assert sum(calls.values()) <= 16 * (ms + 2), (calls, ms)
END

# ---- memory -----------------------------------------------------------------

# Rows and tree of each thread and section, and of each thread its stack of regions.
run_shim "$T/warm" memory 8 100 200
equal 0 "$(<shim.status)" 'the status of warm memory'
[ "$(<shim.out)" -le $((8 * 100 * 8192 + 8 * 65536)) ] ||
	fail 'at most 8 KiB for each thread and section' "$(<shim.out) bytes for 800"
json
expect 'len(sections) == 100' 'all(s["calls"] == 1600 and s["threads"] == 8 for s in sections)'

# Ten times more than there is room for: what they keep and the recording are bounded.
run_shim "$T/warm" memory 64 512 1
equal 0 "$(<shim.status)" 'the status of warm memory without bounds'
[ "$(<shim.out)" -le $((3000 * 8192 + 64 * 65536 + 64 * 512 * 256)) ] ||
	fail 'a bound of what all sections keep' "$(<shim.out) bytes"
file=$(recording)
[ "$(stat -c %b "$file")" -le $(((56 << 20) / 512)) ] ||
	fail 'a bound of the recording' "$(stat -c '%b blocks, %s bytes' "$file")"
json
expect 'sum(s["calls"] for s in sections) <= 64 * 512' 'sum(s["calls"] for s in sections) >= 3000'
report
report_has 'rows that found no room'
