#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-exports: what libperfshim.so shows to the loader is what we mean:
# exactly the symbols of shim/perfshim.map, libc and the loader as its only
# needs, everything bound at load, little TLS and only the initial-exec kind.
#
#   B=build scripts/check-exports.sh [--self-test]
set -u
cd "$(dirname -- "$0")/.." || exit 1
B=${B:-build}
CC=${CC:-gcc}
max_tls_bytes=4096 # the loader's spare static TLS is 1664 + what is asked early

# The global names of a version script; globs stay globs.
map_names()
{
	sed -e 's|/\*[^*]*\*/||g' -- "$1" | awk -v RS='[;{}]' '
		{ gsub(/[ \t\n"]/, "") }
		sub(/^.*global:/, "") { on = 1 }
		sub(/^.*local:/, "") { on = 0 }
		on && NF && !/^extern/ { print }'
}

# compare_names LIBRARY MAP
compare_names()
{
	local name pattern matched bad=0 exported patterns
	exported=$(nm -D --defined-only -- "$1" | awk '$2 ~ /[A-Z]/ { sub(/@.*/, "", $3); print $3 }')
	mapfile -t patterns < <(map_names "$2")
	for name in $exported; do
		matched=0
		for pattern in "${patterns[@]}"; do
			# shellcheck disable=SC2053 # a glob is meant
			[[ $name == $pattern ]] && matched=1 && break
		done
		[ "$matched" -eq 1 ] || { echo "exported, not in the map: $name" && bad=1; }
	done
	for pattern in "${patterns[@]}"; do
		compgen -W "$exported" -X "!$pattern" >/dev/null ||
			{ echo "in the map, not exported: $pattern" && bad=1; }
	done
	return "$bad"
}

# check LIBRARY MAP
check()
{
	local bad=0 needed tls other
	compare_names "$1" "$2" || bad=1
	needed=$(readelf -dW -- "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		grep -vE '^(libc\.so\.6|ld-linux-x86-64\.so\.2)$')
	[ -z "$needed" ] || { echo "needs ${needed//$'\n'/ }" && bad=1; }
	readelf -dW -- "$1" | grep -qE 'BIND_NOW|FLAGS_1.*NOW' ||
		{ echo 'is not bound at load (BIND_NOW)' && bad=1; }
	tls=$(readelf -lW -- "$1" | awk '$1 == "TLS" { print $6 }')
	[ $((${tls:-0})) -le "$max_tls_bytes" ] ||
		{ echo "TLS of $((tls)) bytes, more than $max_tls_bytes" && bad=1; }
	other=$(readelf -rW -- "$1" | grep -oE 'R_X86_64_(DTPMOD64|DTPOFF64|TLSDESC)' | sort -u)
	[ -z "$other" ] || { echo "TLS relocations ${other//$'\n'/ }" && bad=1; }
	return "$bad"
}

# plant WHAT SOURCE FLAGS...: the library made of it must be refused.
plant()
{
	local what=$1 found
	printf '%s\n' "$2" >"$tree/a.c"
	shift 2
	"$CC" -shared -fPIC -nostartfiles -o "$tree/a.so" "$tree/a.c" "$@" || return 1
	found=$(check "$tree/a.so" "$tree/a.map")
	if [ "$what" = good ]; then
		[ -z "$found" ] || { echo "self-test: a good library fails: $found" && return 1; }
	else
		[[ $found == *"$what"* ]] || { echo "self-test: not found: $what ($found)" && return 1; }
	fi
}

self_test()
{
	local good='int zalloc(void) { return 0; } int ps_a(void) { return 1; }'
	tree=$(mktemp -d) || return 1
	trap 'rm -rf -- "$tree"' EXIT
	printf '{\n\tglobal:\n\t\tzalloc; /* ours */\n\t\tps_*;\n\tlocal: *;\n};\n' >"$tree/a.map"
	local now=-Wl,-z,now
	plant good "$good" "$now" &&
		plant 'not in the map: stray' "$good int stray;" "$now" &&
		plant 'not exported: zalloc' 'int ps_a;' "$now" &&
		plant 'needs libm' "$good double exp(double); double ps_b(double x) { return exp(x); }" "$now" -lm &&
		plant BIND_NOW "$good" -Wl,-z,lazy &&
		plant 'TLS of' "$good __thread char ps_big[5000];" "$now" -ftls-model=initial-exec &&
		plant 'TLS relocations' "$good extern __thread int ps_t; int ps_c(void) { return ps_t; }" "$now"
}

if [ "${1-}" = --self-test ]; then
	self_test
	exit
fi
check "$B/libperfshim.so" shim/perfshim.map
