#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-format: every C file is as .clang-format has it.
#
#   scripts/check-format.sh [--self-test]
set -u
cd "$(dirname -- "$0")/.." || exit 1

if [ "${1-}" = --self-test ]; then
	tree=$(mktemp -d) || exit 1
	trap 'rm -rf -- "$tree"' EXIT
	cp .clang-format "$tree"
	printf 'int x;\n' >"$tree/good.c"
	printf 'int  f( void ){return 0;}\n' >"$tree/bad.c"
	clang-format --dry-run -Werror "$tree/good.c" 2>/dev/null ||
		{ echo 'self-test: a good file fails' && exit 1; }
	clang-format --dry-run -Werror "$tree/bad.c" 2>/dev/null &&
		echo 'self-test: a bad file passes' && exit 1
	exit 0
fi

find lib shim tests \( -name '*.[ch]' -o -name '*.cc' \) -print0 |
	xargs -0 clang-format --dry-run -Werror
