#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-long: what takes too long for each change, part by part, and one summary.
#
#   make check-long [PARTS='PART...'] [PERCENT=N]
#
# PERCENT of all counts and times, so that one can see all parts run in little
# time.  A part that fails does not keep the others from running.  What each said
# is in $B/long/PART.log.
set -u
cd "$(dirname -- "$0")/.." || exit 1
B=${B:-build}
percent=${PERCENT:-100}
case $percent in
"" | *[!0-9]* | 0*) echo "check-long: PERCENT is a number" >&2 && exit 2 ;;
esac
story=tests/e2e/run.sh
export B

# share COUNT: so much of it, and at least 1.
share()
{
	local part=$(($1 * percent / 100))
	echo $((part > 0 ? part : 1))
}

# The minutes are of two cores of 2 GHz.
declare -A about=(
	[pool]='1 min: ten million random operations on the pool against a model'
	[unwind]='2 to 30 min: every unwind rule of what is installed (LLVM and Java are large) against libunwind'
	[model]='5 min: ten million random calls of the whole family, preloaded'
	[bend]='3 min: at limits of memory, 2000 forks'
	[killed]='15 min: 1000 kills'
	[faults]='3 min: each system call fails with each plausible error'
	[load]='22 min: all at once, sampled and with everything recorded'
	[demo]='2 min: make demo in a copy of the tree'
	[rows]='8 min: hazards and 220 commands, at their full counts'
	[threads]='5 min: the thread sanitizer on lib'
	[fuzz]='80 min: ten minutes of each fuzzer'
	[acceptance]='2 h: suites of other programs'
)
order=(pool unwind model bend killed faults load demo rows threads fuzz acceptance)

# ACCEPT: several words, as of make acceptance.
acceptance()
{
	local suites
	read -ra suites <<<"${ACCEPT-}"
	tests/accept/accept.py --build "$B" "${suites[@]}"
}

part()
{
	export STORY_SECONDS=3600
	case $1 in
	pool) PS_MODEL_STEPS=$(share 10000000) CK_RUN_SUITE=pool_model "$B/unit" ;;
	unwind) PS_ORACLE=all CK_RUN_SUITE=unwind_oracle "$B/unit" ;;
	model) MODEL_STEPS=$(share 10000000) $story model ;;
	bend) FORKS=$(share 2000) $story bend ;;
	killed) KILLS=$(share 1000) $story killed_random ;;
	faults) FAULTS=all $story faults ;;
	load) LOAD_SECONDS=$(share 600) $story everything ;;
	demo) DEMO=fresh $story demo ;;
	rows) LONG=1 $story differential hazard_threads hazard_security hazard_interop hazard_process ;;
	threads) CK_TIMEOUT_MULTIPLIER=10 make --no-print-directory SAN=thread check-unit ;;
	fuzz) make --no-print-directory fuzz FUZZ_EACH="$(share 600)" ;;
	acceptance) acceptance ;;
	esac
}

if [ "${1-}" = --help ]; then
	sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"
	for name in "${order[@]}"; do printf '  %-11s about %s\n' "$name" "${about[$name]}"; done
	exit 0
fi
[ $# -gt 0 ] || set -- "${order[@]}"
for name; do
	[ -n "${about[$name]-}" ] || { echo "check-long: no part $name; --help shows them" >&2 && exit 2; }
done

mkdir -p "$B/long"
failed=()
for name; do
	start=$SECONDS word=ok
	part "$name" >"$B/long/$name.log" 2>&1 </dev/null || { word='not ok' && failed+=("$name"); }
	printf '%s - %s (%d s)\n' "$word" "$name" $((SECONDS - start))
	[ "$word" = ok ] || tail -n 20 "$B/long/$name.log" | sed 's/^/    # /'
done
printf 'check-long: %d parts passed, %d failed%s, in %d min at %d percent\n' $(($# - ${#failed[@]})) ${#failed[@]} \
	"${failed:+ (${failed[*]})}" $((SECONDS / 60)) "$percent"
[ ${#failed[@]} -eq 0 ]
