#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-hardening: what is built is hardened: read-only relocations, bound at
# load, no executable stack, no page both writable and executable, no text
# relocation, no search path of its own, position-independent programs, stack
# protector.
#
#   B=build scripts/check-hardening.sh [--self-test]
set -u
cd "$(dirname -- "$0")/.." || exit 1
B=${B:-build}
CC=${CC:-gcc}

# check FILE
check()
{
	local file=$1 bad=0 dynamic segments
	dynamic=$(readelf -dW -- "$file") segments=$(readelf -lW -- "$file")
	say() { echo "${file##*/} $1" && bad=1; }
	grep -q GNU_RELRO <<<"$segments" || say 'has no read-only relocations'
	grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$dynamic" || say 'is not bound at load'
	grep -qE 'GNU_STACK.* RW +' <<<"$segments" || say 'has an executable stack'
	grep -qE ' RWE ' <<<"$segments" && say 'has pages to write and execute'
	grep -q TEXTREL <<<"$dynamic" && say 'has text relocations'
	grep -qE 'RPATH|RUNPATH' <<<"$dynamic" && say 'has a search path'
	readelf -hW -- "$file" | grep -q 'Type: *DYN' || say 'is not position-independent'
	readelf --dyn-syms -W -- "$file" | grep -q __stack_chk_fail || say 'has no stack protector'
	return "$bad"
}

# plant WORDS FLAGS...: a program made so must be refused, with those words.
plant()
{
	local words=$1 found
	shift
	"$CC" -o "$tree/a" "$tree/a.c" "$@" 2>/dev/null || { echo "self-test: cannot link with $*" && return 1; }
	found=$(check "$tree/a")
	if [ "$words" = good ]; then
		[ -z "$found" ] || { echo "self-test: a good program fails: $found" && return 1; }
	else
		[[ $found == *"$words"* ]] || { echo "self-test: not found: $words ($found)" && return 1; }
	fi
}

self_test()
{
	# shellcheck disable=SC2054 # commas of -Wl
	local good=(-O1 -fPIE -pie -fstack-protector-strong -Wl,-z,relro -Wl,-z,now)
	tree=$(mktemp -d) || return 1
	trap 'rm -rf -- "$tree"' EXIT
	printf '#include <string.h>\nint main(int c, char **v) { char b[99]; strcpy(b, v[0]); return b[c]; }\n' >"$tree/a.c"
	plant good "${good[@]}" &&
		plant 'read-only relocations' "${good[@]}" -Wl,-z,norelro &&
		plant 'bound at load' "${good[@]}" -Wl,-z,lazy &&
		plant 'executable stack' "${good[@]}" -Wl,-z,execstack &&
		plant 'search path' "${good[@]}" -Wl,-rpath,/tmp &&
		plant 'position-independent' -O1 -fstack-protector-strong -no-pie -fno-pie -Wl,-z,relro -Wl,-z,now &&
		plant 'stack protector' -O1 -fPIE -pie -fno-stack-protector -Wl,-z,relro -Wl,-z,now
}

if [ "${1-}" = --self-test ]; then
	self_test
	exit
fi
status=0
for file in "$B/libperfshim.so" "$B/perfreport" "$B/perfbench"; do
	check "$file" || status=1
done
exit "$status"
