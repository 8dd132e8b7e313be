#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# profile.sh [ROUNDS]: what profiling a program's heap costs.  Each program runs
# bare, with sampling off, by default, at 512K and exactly under perfshim, under heaptrack,
# under gperftools' heap profiler and under jemalloc's own, in turn; the least time
# of each counts.
# profile.sh pairs [ROUNDS]: what default sampling adds, which is too little for
# least times: CPU time in pairs, beside what jemalloc's profiler adds
# (bench_sampling.c).
#
#   B=build tests/bench/profile.sh 5
#   B=build tests/bench/profile.sh pairs 60
#   BENCH_KEEP=DIRECTORY ... pairs 20        rounds add up from call to call
#   JEMALLOC=FILE ...        a libjemalloc.so.2 with --enable-prof (Debian's has it)
#   ONLY='git-log trees' ... these programs
#
# Columns of the first: seconds bare; ratio to sampling off of the default; times bare of exact
# mode, heaptrack and gperftools; what was added to bare by exact mode as a share
# of what heaptrack adds; what sampling adds to `off` beside what jemalloc's
# prof:true,lg_prof_sample:19 adds to jemalloc, in seconds: both each 512 KiB, however
# many those are, which the default is not (lib/profile/pace.h).
set -u
cd "$(dirname -- "$0")/../.." || exit 1
B=${B:-build}
[[ $B == /* ]] || B=$PWD/$B
export B
mode=least rounds=5
[ "${1-}" != pairs ] || { mode=pairs rounds=60 && shift; }
rounds=${1:-$rounds}
lib=$B/libperfshim.so
jemalloc=${JEMALLOC:-$(find /usr/lib -name libjemalloc.so.2 -print -quit 2>/dev/null)}
tcmalloc=$(find /usr/lib -name libtcmalloc.so.4 -print -quit 2>/dev/null)
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT

[ -n "$jemalloc" ] || { echo 'libjemalloc.so.2 is not installed' >&2 && exit 1; }
if [ "$mode" = least ]; then
	type -P heaptrack >/dev/null || { echo 'heaptrack is not installed' >&2 && exit 1; }
	[ -n "$tcmalloc" ] || { echo 'libgoogle-perftools4 is not installed' >&2 && exit 1; }
fi
[ -z "$(MALLOC_CONF=prof:true LD_PRELOAD=$jemalloc /bin/true 2>&1)" ] ||
	{ echo "$jemalloc has no profiler: JEMALLOC names one" >&2 && exit 1; }

# run HOW COMMAND...: the command in one of the ways.
run()
{
	local how=$1
	shift
	case $how in
	bare) "$@" ;;
	default) env LD_PRELOAD="$lib" PERFSHIM_REPORT=none "$@" ;;
	off | 512K | all)
		env LD_PRELOAD="$lib" PERFSHIM_REPORT=none PERFSHIM_SAMPLE="$how" "$@" ;;
	heaptrack) heaptrack -o "$work/trace" "$@" ;;
	gperf) env LD_PRELOAD="$tcmalloc" HEAPPROFILE="$work/gperf" "$@" ;;
	jemalloc) env LD_PRELOAD="$jemalloc" "$@" ;;
	jeprof) env LD_PRELOAD="$jemalloc" \
		MALLOC_CONF=prof:true,prof_final:false,lg_prof_sample:19 "$@" ;;
	esac >/dev/null 2>&1 </dev/null
}

# measure NAME COMMAND...: a row.
measure()
{
	[[ -z ${ONLY-} || " $ONLY " == *" $1 "* ]] || return
	if [ "$mode" = pairs ]; then
		JEMALLOC=$jemalloc "$B/bench/bench_sampling" "$1" "$rounds" "${@:2}"
	else
		measure_least "$@"
	fi
}

# The least of each way, in microseconds.
measure_least()
{
	local name=$1 how begun took
	local -A least=()
	shift
	for ((i = 0; i < rounds; i++)); do
		for how in bare off default 512K all jemalloc jeprof heaptrack gperf; do
			[ "$how" = heaptrack ] && [ "$i" -ge 2 ] && continue
			[ "$how" = gperf ] && [ "$i" -ge 1 ] && continue
			begun=${EPOCHREALTIME/[.,]/}
			run "$how" "$@"
			took=$((${EPOCHREALTIME/[.,]/} - begun))
			if [ -z "${least[$how]-}" ] || [ "$took" -lt "${least[$how]}" ]; then
				least[$how]=$took
			fi
		done
	done
	printf '%s %d %d %d %d %d %d %d %d %d\n' "$name" "${least[bare]}" "${least[off]}" "${least[512K]}" \
		"${least[all]}" "${least[heaptrack]}" "${least[jemalloc]}" "${least[jeprof]}" "${least[gperf]}" \
		"${least[default]}"
}

table()
{
	if [ "$mode" = pairs ]; then
		"$B/bench/bench_sampling" head
		cat
		return
	fi
	awk '
	BEGIN {
		printf "%-14s %8s %12s %8s %10s %11s %14s %14s\n", "", "bare s", "default/off", "all", "heaptrack",
			"gperftools", "all/heaptrack", "sampling/jeprof"
	}
	function clip(x) { return x < 0.0001 ? 0.0001 : x }
	{
		d = $10 / $3; a = ($5 - $2) / ($6 - $2); j = ($8 - $7) / 1e6; s = ($4 - $3) / 1e6
		printf "%-14s %8.3f %12.3f %7.2fx %9.2fx %10.2fx %14.3f %8.3f/%.3f s\n", $1, $2 / 1e6, d, $5 / $2, $6 / $2,
			$9 / $2, a, s, j
		dd += log(d); aa += log(clip(a)); n++; js += j; ss += s
	}
	END {
		printf "%-14s %8s %12.3f %8s %10s %11s %14.3f %8.3f/%.3f s in sum\n", "geometric mean", "", exp(dd / n), "",
			"", "", exp(aa / n), ss, js
	}'
}

python=$(python3 -c 'import sys; print(sys.executable)')
objects='d = {}
for i in range(150000): d["k%d" % i] = [i, str(i), {"a": i}]'
rows='create table t(a, b); with recursive n(i) as (select 1 union all select i + 1 from n where i < 150000)
	insert into t select i, "x" || i from n; create index x on t(b);'
{
	measure sqlite3 sqlite3 :memory: "$rows"
	PYTHONMALLOC=malloc measure python-malloc "$python" -c "$objects"
	measure bash bash -c 'a=({1..400000})'
	measure git-log git log --stat -n 60
	measure cc1 "$(gcc -print-prog-name=cc1)" -quiet -O2 -D_GNU_SOURCE -Ilib -I. \
		-isystem "$(gcc -print-file-name=include)" \
		-isystem "/usr/include/$(gcc -print-multiarch)" lib/base/options.c -o /dev/null
	measure trees "$B/bench/bench_work" trees
	measure steady-small "$B/bench/bench_work" 'steady small'
} | table
