#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-tidy: clang-tidy over lib and shim with .clang-tidy, two at a time.
#
#   scripts/check-tidy.sh [--self-test] [FILE...]
set -u
cd "$(dirname -- "$0")/.." || exit 1

# The instruction set of a file follows from its name, as in the Makefile.
tidy()
{
	local isa=()
	case $1 in
	*_avx512.c | *_avx512vl.c) isa=(-mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma) ;;
	*_avx2.c) isa=(-mavx2 -mfma) ;;
	esac
	clang-tidy --quiet --config-file="$PWD/.clang-tidy" "$1" -- -std=gnu11 -D_GNU_SOURCE \
		-Wall -Wextra -Wno-unused-parameter -DPS_VERSION='"0"' -DPS_PRELOAD -DPS_PAGE_SHELL='"/dev/null"' -Ilib -I. "${isa[@]}" 2>&1 |
		grep -vE '^([0-9]+ warnings? (generated|treated)|Suppressed|Use -header)'
	return "${PIPESTATUS[0]}"
}

if [ "${1-}" = --one ]; then
	tidy "$2"
	exit
fi

if [ "${1-}" = --self-test ]; then
	tree=$(mktemp -d) || exit 1
	trap 'rm -rf -- "$tree"' EXIT
	printf '%s\n' 'int good(const int *p);' 'int good(const int *p)' \
		'{' '	return p ? *p : 0;' '}' >"$tree/good.c"
	printf '%s\n' 'int bad(int n);' 'int bad(int n)' '{' '	int *p = 0;' \
		'	if (n > 1)' '		n = 2;' '	return *p + n;' '}' >"$tree/null.c"
	printf '%s\n' '#include <string.h>' 'int bad(char *p);' 'int bad(char *p)' \
		'{' '	memset(p, 0, sizeof(p));' '	return 0;' '}' >"$tree/sizeof.c"
	tidy "$tree/good.c" >/dev/null || { echo 'self-test: a good file fails' && exit 1; }
	for planted in null sizeof; do
		tidy "$tree/$planted.c" >/dev/null && echo "self-test: $planted.c passes" && exit 1
	done
	exit 0
fi

[ $# -gt 0 ] || set -- lib/*/*.c shim/*.c
for file; do
	[ -e "$file" ] && printf '%s\0' "$file"
done | xargs -0 -n 1 -P 2 "$0" --one
