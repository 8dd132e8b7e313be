#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run: every end-to-end story, two at a time, one line each, then a summary.
#
#   B=build tests/e2e/run.sh [STORY...]      names without .sh; default: all
#
# The log and the files of a story that failed stay in $B/e2e/STORY.
set -u
cd "$(dirname -- "$0")" || exit 1
E2E=$PWD
B=${B:-build}
[[ $B == /* ]] || B=$(realpath ../..)/$B
export E2E B

# one STORY: run it in a directory of its own; ends with a line of TAP.
one()
{
	local story=$1 work=$B/e2e/$1 status start=$SECONDS
	rm -rf -- "$work" && mkdir -p "$work" || return 1
	cd "$work" || return 1
	timeout -k 5 "${STORY_SECONDS:-300}" bash "$E2E/$story.sh" >"$work/log" 2>&1 </dev/null
	status=$?
	case $status in
	0)
		printf 'ok - %s (%d s)\n' "$story" $((SECONDS - start))
		rm -rf -- "$work"
		;;
	77) printf 'ok - %s # %s\n' "$story" "$(tail -n 1 "$work/log")" ;;
	*)
		[ "$status" -ge 124 ] && echo "status $status: a time-out or a signal" >>"$work/log"
		printf 'not ok - %s\n%s\n' "$story" "$(tail -n 20 "$work/log" | sed 's/^/    # /')"
		;;
	esac
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit 0
fi

if [ $# -eq 0 ]; then
	for story in *.sh; do
		case $story in lib.sh | rows.sh | run.sh) ;; *) set -- "$@" "${story%.sh}" ;; esac
	done
fi
[ -e "$B/libperfshim.so" ] || { echo "no $B/libperfshim.so: run make" >&2 && exit 1; }

mkdir -p "$B/e2e"
printf '%s\n' "$@" | xargs -n 1 -P 2 ./run.sh --one | tee "$B/e2e/results"
failed=$(grep -c '^not ok - ' "$B/e2e/results")
skipped=$(grep -c '^ok - .*# SKIP' "$B/e2e/results")
passed=$(($(grep -c '^ok - ' "$B/e2e/results") - skipped))
printf '%d passed, %d failed%s\n' "$passed" "$failed" \
	"$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
# Every story that was asked for has said something.
[ "$failed" -eq 0 ] && [ $((passed + skipped)) -eq $# ]
