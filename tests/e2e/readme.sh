#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# readme: the worked examples of README.md, taken from its text, compile and run.
. "$E2E/lib.sh"
need gcc g++ cmake pkg-config

root=$E2E/../..

# As installed, in a place of this test's own.
DESTDIR='' PREFIX=$PWD/installed LIBDIR=$PWD/installed/lib VERSION=1.2.3 "$root/scripts/install.sh" \
	>install.log 2>&1 || fail 'install.sh to succeed' "$(<install.log)"
export PKG_CONFIG_PATH=$PWD/installed/lib/pkgconfig PATH=$PWD/installed/bin:$PATH

# fenced KIND NAME: the code block that follows <!-- KIND: NAME -->.
fenced()
{
	awk -v mark="<!-- $1: $2 -->" '
		$0 == mark { wanted = 1; next }
		/^```/ && inside { exit }
		/^```/ && wanted { inside = 1; next }
		inside { print }' "$root/README.md"
}

# example NAME...: the files of an example, which must be there.
example()
{
	local name block
	for name; do
		block=$(fenced example "$name")
		[ -n "$block" ] || fail "an example $name in README.md"
		printf '%s\n' "$block" >"$name"
	done
}

# runs NAME EXPECTED WORD...: its commands print that, and a report with the words.
runs()
{
	local word
	fenced run "$1" >commands.sh
	[ -s commands.sh ] || fail "commands for $1 in README.md"
	bash -e commands.sh >"$1.out" 2>"$1.err" || fail "the commands for $1 to work" "$(tail -n 5 "$1.err")"
	equal "$2" "$(tail -n 1 "$1.out")" "what $1 prints"
	for word in "${@:3}"; do has "$(<"$1.err")" "$word" "the report of $1"; done
}

example hello.c
runs hello.c 549755289600 SECTIONS $'\n''sum +10 ' $'\n''fill +1 ' '83.9 MB at'
example words.cc CMakeLists.txt
runs words.cc '4 2' SECTIONS $'\n''word +5 ' $'\n''number +5 ' '5 items at'
