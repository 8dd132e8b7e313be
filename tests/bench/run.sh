#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run: every benchmark below $B/bench, one after the other, under one line that
# says which machine the figures belong to.
#
#   B=build tests/bench/run.sh [NAME...]
set -u
cd "$(dirname -- "$0")/../.." || exit 1
B=${B:-build}
[[ $B == /* ]] || B=$PWD/$B
export B

machine()
{
	local model cores memory governor
	model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	cores=$(nproc)
	memory=$(awk '/^MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)
	governor=$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null)
	printf '%s, %s cores, %s, Linux %s, %s, load %s%s\n' "${model:-unknown CPU}" "$cores" \
		"$memory" "$(uname -r)" "$(ldd --version 2>/dev/null | sed -n '1s/.* /glibc /p')" \
		"$(cut -d ' ' -f 1 /proc/loadavg)" "${governor:+, governor $governor}"
}

programs=()
[ $# -gt 0 ] || mapfile -t programs < <(find "$B/bench" -maxdepth 1 -type f -name 'bench_*' \
	! -name '*.d' -perm -u+x | sort)
for name; do programs+=("$B/bench/bench_${name#bench_}"); done
[ "${#programs[@]}" -gt 0 ] || { echo "no benchmarks below $B/bench: run make bench" >&2 && exit 1; }

bad=0
machine
for program in "${programs[@]}"; do
	name=${program##*/}
	printf '\n== %s\n' "${name#bench_}"
	"$program" || { printf 'FAILED: %s (status %d)\n' "$name" $? && bad=1; }
done
exit "$bad"
