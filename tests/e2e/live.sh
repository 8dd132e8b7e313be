#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a recording is read while it is written: every format, again and again, never
# an error nor a figure that cannot be; and once more after SIGKILL.
. "$E2E/lib.sh"

# start SAMPLE: the program in the background, its recording in $file.
start()
{
	rm -rf rec && mkdir rec
	env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT=none PERFSHIM_SAMPLE="$1" \
		PERFSHIM_EVENTS=1000 "$T/alive" &
	pid=$!
	trap 'kill -KILL $pid 2>/dev/null' EXIT
	file=
	for ((i = 0; i < 200; i++)); do
		file=$(compgen -G "rec/alive.$pid.*.perfshim") && break
		sleep 0.05
	done
	[ -e "$file" ] || fail 'a recording of a program that runs' "$(ls rec)"
}

# The tide: what is live now is far below the peak, in the sum and at its site.
as_at_the_peak()
{
	expect 'heap["peak_bytes"] >= 64 << 20' 'heap["live_bytes"] < 40 << 20' \
		'0 <= heap["peak_at_s"] < 0.5' 'site("tide", "live_bytes") == 0' \
		'abs(site("tide", "peak_bytes") - (64 << 20)) < 1 << 20' \
		'abs(sum(s["peak_bytes"] for s in heap["sites"]) - (64 << 20)) < 2 << 20'
}

start all
# read_all ROUND: each format, of the file and of the directory.
read_all()
{
	local format
	for format in --json --text --pprof --callgrind --folded=live --massif --folded=time --trace \
		'--hgrm turn' --merge '--merge --pprof' --tree --alerts '--metrics -'; do
		# shellcheck disable=SC2086 # an option and its argument
		"$B/perfreport" $format rec >out 2>err ||
			fail "perfreport $format of a program that runs, round $1" "$(<err)"
		equal '' "$(<err)" "complaints of perfreport $format, round $1"
		[[ $format == *--pprof* ]] || # which is packed
			hasnt "$(head -c 100000 out | tr -d '\0')" '[^a-z]-?nan[^a-z]|[^a-z]inf ' "perfreport $format"
	done
	"$B/perfreport" --json -o report.json "$file" || fail 'perfreport --json'
	python "$E2E/expect.py" validate report.json || exit 1
	expect 'heap["frees"] <= heap["allocations"]' 'heap["live_bytes"] <= heap["peak_bytes"]'
	as_at_the_peak
}
for round in 1 2; do read_all "$round"; done
first=$(value 'heap["allocations"]')
read_all 3
expect "heap[\"allocations\"] > $first"
kill -0 "$pid" || fail 'the program to run on'
kill -KILL "$pid" && wait "$pid" 2>/dev/null
read_all after
expect "heap[\"allocations\"] > $first" 'sections[0]["name"] == "turn"'

# Where the heap's own counters tell the peak, and samples its sites.
start auto
sleep 0.5
"$B/perfreport" --json -o report.json "$file" || fail 'perfreport --json of samples'
as_at_the_peak
