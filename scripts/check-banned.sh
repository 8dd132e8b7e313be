#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-banned: what lib and shim may call.  Code that can end up inside a
# malloc must not allocate, print through stdio, read the environment or take
# a lock of libc's, so each object's undefined symbols are held against a list
# of what is allowed; everything else is banned without being named.
#
#   B=build scripts/check-banned.sh [--self-test]
set -u
cd "$(dirname -- "$0")/.." || exit 1
B=${B:-build}
CC=${CC:-gcc}

# Everywhere: our own names, the embedded jemalloc, plain memory functions.
everywhere='ps_[a-z0-9_]*|perfshim_[a-z_]*|je_[a-z_]*
	memcpy|memset|memmove|memcmp|memchr|strlen|strnlen|str(r?chr|chrnul|n?cmp)|__stack_chk_fail|__errno_location
	_GLOBAL_OFFSET_TABLE_|__tls_get_addr|__dso_handle
	__(a|t|ub|ubsan)san_.*|__popcountdi2|__cpu_model|__cpu_indicator_init'

# OBJECTS (a glob below $B) and what they may call besides, with the reason.
#   the OS seam: all that it hands on is a system call or the vDSO
#   the SIMD core: PERFSHIM_SIMD forces a set, in programs without options too
#   the option table: parses what start-up hands it
#   the process runner: forks and waits, in a process of its own
#   typed pools: a thread's end empties its stores
#   what jemalloc sees: its key is registered for it, and its fork handlers
#     where the shim does not call them itself
#   the shim: it is what looks up the real functions and registers with libc
more()
{
	case $1 in
	*/lib/base/os*.o) echo 'syscall|getauxval|environ|__environ|_dl_find_object' ;;
	*/lib/measure/*.o) echo 'getauxval' ;;
	*/lib/simd/simd.o) echo 'environ|__environ' ;;
	*/lib/bench/process.o) echo 'fork|execve|wait4|_exit|mmap(64)?|munmap|open(64)?|dup2' ;;
	*/lib/bench/*.o) echo 'pthread_(create|join)' ;;
	*/lib/pool/jemalloc_env.o) echo 'pthread_(atfork|key_create|key_delete|setspecific)' ;;
	*/lib/pool/typed.o) echo 'pthread_(atfork|key_create|setspecific)|__register_atfork' ;;
	*/lib/report/diff.o | */lib/report/jit_map.o | */lib/report/massif.o) echo qsort ;; # not in the preload
	*/lib/report/text_function.o) echo 'strspn|strstr' ;; # look at their arguments only
	*/lib/report/flame.o) echo "qsort|qsort_r" ;; # not in the preload
	*/lib/report/*.o) echo 'sigabbrev_np|strerrordesc_np' ;;
	*/shim/*.o) echo 'dlsym|dlopen|dlclose|dladdr|dlerror|dl_iterate_phdr|_dl_find_object|__ehdr_start|_end
		pthread_(key_create|setspecific|getspecific|self|create|atfork|exit|getattr_np|attr_[a-z]+)
		abort|on_exit|at_quick_exit|_exit|_Exit|environ|__environ|__libc_.*|getauxval|__cxa_.*|_Unwind_.*|__gxx_personality_v0
		pthread_sigmask|sig(addset|emptyset|fillset|ismember|pending|timedwait|action)|isatty|memmem
		syscall|strerrordesc_np|__register_atfork|__libc_single_threaded|_IO_list_(un|reset)?lock|program_invocation_.*|_Z.*' ;;
	esac
}

# Never, whatever the lists above match.
never='malloc|calloc|realloc|free|strdup|v?(f|d|s|sn|as)?printf|__.*printf_chk|fopen.*|fwrite|puts|fputs|getenv|secure_getenv
	strtok.*|strcpy|strcat|sprintf|localtime.*|gmtime.*|setlocale|strftime|exit|atexit
	pthread_mutex_.*|pthread_rwlock_.*|sem_.*|exp|log|pow|sqrt'

# Names on that list which are our own definition where they are called.
ours()
{
	case $1:$2 in
	*/shim/release.o:free) return 0 ;; # realloc frees what it moved
	*/shim/operator_new.o:free) return 0 ;; # delete does, where libstdc++ has no such form
	*/shim/finish.o:cfree | */shim/functions.o:cfree) return 0 ;; # for the demangler that the program has
	*) return 1 ;;
	esac
}

# one PATTERNS: as one extended regular expression.
one()
{
	printf '^(%s)$' "$(tr -s '\n\t ' '|||' <<<"$1" | sed 's/^|//; s/|$//')"
}

# check OBJECT...: one line for each banned reference.
check()
{
	local object symbol bad=0 allowed banned
	banned=$(one "$never")
	for object; do
		allowed=$(one "$everywhere $(more "$object")")
		while read -r symbol; do
			symbol=${symbol%%@*}
			[[ $symbol =~ $allowed && ! $symbol =~ $banned ]] && continue
			ours "$object" "$symbol" && continue
			echo "check-banned: $object calls $symbol"
			bad=1
		done < <(undefined "$object")
	done
	return "$bad"
}

# The objects of the preload hold LTO code, which the compiler's own nm reads.
undefined()
{
	local nm=gcc-nm
	[[ $CC == *clang* ]] && nm=llvm-nm
	"$nm" -u -- "$1" | awk '{ print $NF }' | sort -u
}

# plant NAME CODE: the call must be found, whatever the object.
plant()
{
	printf '%s\n' "#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
void *ps_a(void *p, size_t n) { memcpy(p, &n, n); return p; }
void *ps_b(void *p, size_t n); void *ps_b(void *p, size_t n) { $2 }" >"$tree/$3/a.c"
	"$CC" -O1 -fno-builtin -w -c -o "$tree/$3/a.o" "$tree/$3/a.c" || return 1
	local found
	found=$(check "$tree/$3/a.o")
	if [ "$1" = good ]; then
		[ -z "$found" ] || { echo "self-test: $found" && return 1; }
	else
		[[ $found == *" $1" ]] || { echo "self-test: $1 passes in $3" && return 1; }
	fi
}

self_test()
{
	tree=$(mktemp -d) || return 1
	trap 'rm -rf -- "$tree"' EXIT
	mkdir -p "$tree/lib/pool" "$tree/lib/base" "$tree/shim"
	plant good 'return ps_a(p, n);' lib/pool &&
		plant malloc 'return malloc(n);' shim &&
		plant free 'free(p); return p;' lib/pool &&
		plant snprintf 'snprintf(p, n, "%d", 1); return p;' lib/base &&
		plant getenv 'return getenv(p);' shim &&
		plant strcpy 'return strcpy(p, "abc");' lib/pool &&
		plant localtime 'return localtime(p);' lib/pool &&
		plant exit 'exit(1);' shim &&
		plant dlsym 'extern void *dlsym(); return dlsym(p, "x");' lib/pool &&
		plant syscall 'extern long syscall(); syscall(1); return p;' lib/pool
}

if [ "${1-}" = --self-test ]; then
	self_test
	exit
fi

# The mains of perfreport and perfbench read files for people; nobody preloads them.
mapfile -t objects < <(find "$B/lib/lib" "$B/pic/shim" -name '*.o' \
	! -path '*/lib/report/main.o' ! -path '*/lib/report/cli_*.o' ! -path '*/lib/report/perfbench*.o' | sort)
[ "${#objects[@]}" -gt 0 ] || { echo "check-banned: no objects below $B" && exit 1; }
check "${objects[@]}"
