#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run: the fuzzer for FUZZ_SECONDS, from the tests' example recordings and the
# cases that it found before (tests/fuzz/found).  A new case is left there, to
# be mended and kept: the unit tests read them all.
#
#   B=build tests/fuzz/run.sh
set -u
here=$(cd "$(dirname -- "$0")" && pwd)
corpus=$B/fuzz/corpus
mkdir -p "$corpus" || exit 1
"$B/fuzz/seed" corpus "$corpus" || exit 1
log=$B/fuzz/log
if ! "$B/fuzz/fuzz_report" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 \
	-max_len=262144 -artifact_prefix="$here/found/" -print_final_stats=1 \
	"$corpus" "$here/found" >"$log" 2>&1; then
	grep -vE '^#[0-9]' "$log" | tail -n 40
	printf 'fuzz: a case was found; it is in tests/fuzz/found\n'
	exit 1
fi
printf 'fuzz: %s runs in %s s, %s inputs kept, nothing found\n' \
	"$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "${FUZZ_SECONDS:-60}" \
	"$(find "$corpus" -type f | wc -l)"
