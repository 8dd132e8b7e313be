#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# embed-jemalloc: turns libjemalloc_pic.a into one relocatable object whose
# names are ours: public symbols become je_*, hidden, and what jemalloc asks of
# its surroundings comes from lib/pool/jemalloc_env.c (see jemalloc.syms).
#
#   CC=gcc scripts/embed-jemalloc.sh ARCHIVE SYMS OUT
set -u

die()
{
	printf 'embed-jemalloc: %s\n' "$*" >&2
	exit 1
}

[ $# -eq 3 ] || die 'usage: embed-jemalloc.sh ARCHIVE SYMS OUT'
archive=$1 syms=$2 out=$3
cc=${CC:-gcc}

[ -r "$archive" ] || die "no $archive: install libjemalloc-dev"
archive=$(realpath -- "$archive")

work=$(mktemp -d) || die 'no temporary directory'
trap 'rm -rf -- "$work"' EXIT

grep -v '^#' -- "$syms" >"$work/syms" || die "$syms names nothing"

# The C++ operators are ours, and this member is what needs libstdc++.
(cd "$work" && ar x "$archive" && rm -f jemalloc_cpp.pic.o) ||
	die "cannot extract $archive"

# An undefined name that is declared hidden makes the definition hidden too
# when `ld -r` merges them: objcopy cannot set visibility by itself.
{
	echo '.section .note.GNU-stack,"",@progbits'
	# glibc's pthread_atfork names the handle of crtbegin.o, which a preload
	# linked without start files lacks; weak, so that crtbegin.o's wins.
	printf '%s\n' '.data' '.weak __dso_handle' '.hidden __dso_handle' \
		'.balign 8' '__dso_handle: .quad __dso_handle'
	awk '$2 ~ /^(je|ps_je)_/ { print ".globl " $2 "\n.hidden " $2 }' "$work/syms"
} >"$work/hide.s"
"$cc" -c -o "$work/hide.o" "$work/hide.s" || die 'cannot assemble'

ld -r -o "$work/all.o" "$work"/*.pic.o || die 'ld -r failed'
# cache_oblivious has no name in MALLOC_CONF of jemalloc 5.3.0, so its variable
# is made weak: a definition of ours decides.  So is the one of who is told what
# went wrong, which is asked before any code of ours runs.
# Where a thread gets its arena is found under a second name, too, and the first
# is ours (jemalloc_env.c).
choose=$(nm "$work/all.o" | awk '$3 == "je_arena_choose_hard" { print $1 }')
[ -n "$choose" ] || die 'no je_arena_choose_hard in it'
# Its constructor would begin in every process what few need (range.c).
objcopy --remove-section='.init_array*' --remove-section='.rela.init_array*' \
	--redefine-syms="$work/syms" --weaken-symbol=je_opt_cache_oblivious \
	--weaken-symbol=je_malloc_message --weaken-symbol=je_arena_choose_hard \
	--add-symbol "je_arena_choose_own=.text:0x$choose,function,global" \
	"$work/all.o" "$work/renamed.o" || die 'objcopy failed'
ld -r -o "$work/out.o" "$work/renamed.o" "$work/hide.o" ||
	die 'ld -r failed'
objcopy --strip-debug "$work/out.o" || die 'objcopy failed'

# A name that is left would replace the program's own, or ours.
left=$(nm --defined-only -g "$work/out.o" | awk '$3 !~ /^(je_|__dso_handle$)/ { print $3 }')
[ -z "$left" ] || die "symbols not renamed: ${left//$'\n'/ }"

mv -f -- "$work/out.o" "$out" || die "cannot write $out"
