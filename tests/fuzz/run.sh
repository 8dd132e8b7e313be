#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run: the fuzzers, FUZZ_SECONDS in all (a third of it for recordings) or
# FUZZ_EACH seconds each, from their seeds and the cases that they found before
# (tests/fuzz/found).  A new case is left there, to be mended and kept: the unit
# tests read them all.
#
#   B=build tests/fuzz/run.sh [TARGET...]
set -u
here=$(cd "$(dirname -- "$0")" && pwd)
all=(report rules options suppressions calibration elf jit baseline)
[ $# -gt 0 ] || set -- "${all[@]}"
seconds=${FUZZ_SECONDS:-60}
# In memory, where possible: a disk that others sync stands still for seconds,
# which the fuzzer takes for a hang.
TMPDIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) && export TMPDIR || exit 1
trap 'rm -rf -- "$TMPDIR"' EXIT

# seed TARGET DIRECTORY
seed()
{
	case $1 in
	report) "$B/fuzz/seed" corpus "$2" ;;
	elf) cp -- "$B/targets/libplugin.so" "$2/plugin" ;;
	calibration) head -c 4096 /dev/zero >"$2/zeros" ;;
	*) cp -- "$here/seeds/$1"/* "$2" ;;
	esac
}

# fuzz TARGET SECONDS
fuzz()
{
	local binary=$B/fuzz/fuzz_input corpus=$B/fuzz/corpus/$1 log=$B/fuzz/$1.log size=65536
	local found=$here/found/$1 options=()
	case $1 in
	report) binary=$B/fuzz/fuzz_report size=262144 ;;
	baseline) binary=$B/fuzz/fuzz_baseline options=(-detect_leaks=0) ;;
	rules | options | suppressions | jit) size=4096 ;;
	esac
	[ -e "$here/seeds/$1.dict" ] && options+=("-dict=$here/seeds/$1.dict")
	mkdir -p "$corpus" "$found" && seed "$1" "$corpus" || return 1
	if ! FUZZ_TARGET=$1 "$binary" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 \
		-max_len="$size" -artifact_prefix="$found/" -print_final_stats=1 \
		"${options[@]}" "$corpus" "$found" >"$log" 2>&1; then
		grep -vE '^#[0-9]' "$log" | tail -n 40
		printf 'fuzz: a case was found; it is in tests/fuzz/found/%s\n' "$1"
		return 1
	fi
	printf 'fuzz: %-12s %9s runs in %s s, %s inputs kept, nothing found\n' "$1" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$2" \
		"$(find "$corpus" -type f | wc -l)"
}

status=0
for target; do
	share=$((seconds / $#))
	if [ $# -eq ${#all[@]} ]; then
		[ "$target" = report ] && share=$((seconds / 3)) || share=$((seconds * 2 / 3 / ($# - 1)))
	fi
	fuzz "$target" "${FUZZ_EACH:-$((share > 0 ? share : 1))}" || status=1
done
exit "$status"
