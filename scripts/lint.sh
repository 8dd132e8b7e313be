#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lint: every gate of `make lint`, one line each.  A gate first shows that it
# catches a planted error, then judges the tree; all run even when one fails.
set -u
cd "$(dirname -- "$0")/.." || exit 1
export B=${B:-build} CC=${CC:-gcc}
bad=0

# gate NAME COMMAND...: silent but for figures when all is well.
gate()
{
	local name=$1 log
	shift
	log=$("$@" 2>&1)
	case $? in
	0) printf 'ok      %s\n' "$name" ;;
	*) printf 'FAILED  %s\n' "$name" && bad=1 ;;
	esac
	[ -z "$log" ] || printf '%s\n' "$log" | sed 's/^/        /'
}

# proved NAME COMMAND...: the gate, after its self-test.
proved()
{
	"$2" --self-test || { printf 'FAILED  %s: its self-test\n' "$1" && bad=1; }
	gate "$@"
}

mapfile -t scripts < <(find scripts tests .ci -type f \( -name '*.sh' -o -path .ci/run \))

proved 'format (clang-format)' scripts/check-format.sh
gate 'scripts (shellcheck)' shellcheck "${scripts[@]}"
proved 'include direction' scripts/check-includes.sh
proved 'sizes' scripts/check-sizes.py
proved 'banned calls' scripts/check-banned.sh
if [ -e "$B/libperfshim.so" ]; then
	proved 'exports' scripts/check-exports.sh
	proved 'hardening' scripts/check-hardening.sh
	proved 'fast paths' scripts/check-fastpath.py "$B/libperfshim.so"
fi
scripts/hazards.py --self-test || { echo 'FAILED  hazards: its self-test' && bad=1; }
gate 'hazards (a test or a reason each)' scripts/hazards.py check
proved 'option tables' scripts/option-docs.sh --check
proved 'static analysis (clang-tidy)' scripts/check-tidy.sh
exit "$bad"
