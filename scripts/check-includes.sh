#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-includes: includes point one way (DESIGN.md, "The house"):
#   base < measure, simd < pool, record < profile < monitor, bench < report,
# and shim above all of lib.  Modules of one level see each other where the
# table says so.
#
#   scripts/check-includes.sh [--self-test] [ROOT]
set -u
cd "$(dirname -- "$0")/.." || exit 1

# Who may include whom; everybody may include itself.
declare -A below=([base]='' [measure]='base simd' [simd]='base measure')
below[pool]='base measure simd record'
below[record]='base measure simd pool'
below[profile]='base measure simd pool record'
below[monitor]="${below[profile]} profile"
below[bench]="${below[profile]} profile"
below[report]="${below[profile]} profile monitor bench"
below[shim]="${below[report]} report"

# check ROOT: one line for each include that points the wrong way.
check()
{
	local bad=0 directory from to file line
	for directory in "$1"/lib/*/ "$1"/shim/; do
		from=$(basename -- "$directory")
		if [ -z "${below[$from]+x}" ]; then
			echo "check-includes: $directory has no level"
			return 1
		fi
		while IFS=: read -r file line to; do
			to=${to#*\"} && to=${to%%/*}
			case " $from ${below[$from]} " in *" $to "*) continue ;; esac
			echo "$file:$line: $from must not include $to"
			bad=1
		done < <(grep -rnHE --include='*.[ch]' '^ *# *include *"[^"]*/' "$directory" /dev/null)
	done
	return "$bad"
}

# plant FILE INCLUDE: the include must be found, in a tree of its own.
plant()
{
	local tree found
	tree=$(mktemp -d) || return 1
	mkdir -p "$tree/lib/base" "$tree/lib/pool" "$tree/shim" "$tree/${1%/*}"
	printf '#include "base/base.h"\n' >"$tree/lib/pool/good.c"
	check "$tree" >/dev/null || { echo 'self-test: a good tree fails'; return 1; }
	printf '#include "%s"\n' "$2" >"$tree/$1"
	found=$(check "$tree") && echo "self-test: $2 in $1 passes" && return 1
	rm -rf -- "$tree"
	[[ $found == *"$1:1: "* ]]
}

if [ "${1-}" = --self-test ]; then
	plant lib/base/text.c pool/heap.h && plant lib/pool/heap.h profile/site.h &&
		plant lib/report/report.c shim/thread.h &&
		plant lib/simd/simd.c nosuch/x.h || exit 1
	exit 0
fi
check "${1:-.}"
