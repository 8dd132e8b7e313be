#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfshim.h: compiles without a warning and marks in every way of building.
. "$E2E/lib.sh"

HEADER=$(realpath "$E2E/../../shim")
STRICT=(-Wall -Wextra -Wpedantic -Werror "-I$HEADER")

# Two files that include it; "shared" is in both, and is one section.
cat >part.h <<'END'
#ifdef __cplusplus
extern "C"
#endif
int part(int n);
END
cat >part.c <<'END'
#include <perfshim.h>
#include "part.h"
int part(int n)
{
	int i;
	int sum = 0;
	PERFSHIM_FUNCTION();
	for (i = 0; i < n; i++) {
		PERFSHIM_BEGIN("bracketed");
		sum += i;
		PERFSHIM_END("bracketed");
		PERFSHIM_SECTION("shared") { sum += i; }
	}
	return sum;
}
END
cp part.c part.cc
cat >program.c <<'END'
#include <perfshim.h>
#include <stdio.h>
#include "part.h"
static int leaves(int i)
{
	PERFSHIM_SECTION("left") {
		if (i % 2 == 0)
			return i;
		if (i % 3 == 0)
			break;
		PERFSHIM_SECTION("nested") { i++; }
	}
	return i * 2;
}
int main(void)
{
	perfshim_span span;
	int i;
	int sum = 0;
	PERFSHIM_SPAN_BEGIN(&span, "spanned");
	for (i = 0; i < 12; i++)
		sum += leaves(i);
	PERFSHIM_SECTION("shared") { sum += part(7); }
	PERFSHIM_SPAN_END(&span);
	printf("%d\n", sum);
	return 0;
}
END
cat >program.cc <<'END'
#include <perfshim.h>
#include <cstdio>
#include "part.h"
namespace {
template <typename T> T leaves(T i)
{
	PERFSHIM_SECTION("left") {
		if (i % 2 == 0)
			return i;
		if (i % 3 == 0)
			break;
		PERFSHIM_SECTION("nested") { i++; }
	}
	return i * 2;
}
struct counter {
	int sum = 0;
	void add(int n) { PERFSHIM_FUNCTION(); sum += n; }
};
}
inline void quietly()
{
#ifdef __cpp_exceptions
	try {
		PERFSHIM_SECTION("thrown_through") { throw 1; }
	} catch (int) {
	}
#endif
}
int main()
{
	counter c;
	auto marked = [&](int i) { PERFSHIM_SECTION("lambda") { c.add(leaves(i)); } };
	perfshim_span span;
	PERFSHIM_SPAN_BEGIN(&span, "spanned");
	for (int i = 0; i < 12; i++)
		marked(i);
	PERFSHIM_SECTION("shared") { c.add(part(7)); }
	quietly();
	PERFSHIM_SPAN_END(&span);
	std::printf("%d\n", c.sum);
	return 0;
}
END

# Calls that both programs make: 12 x leaves, of which 4 odd and not thrice; 7 + 1 shared.
C_CALLS=(left:12 nested:4 shared:8 bracketed:7 part:1 spanned:1)
CXX_CALLS=("${C_CALLS[@]}" add:13 lambda:12)

# called NAME:CALLS...: the lines of the report have these counts.
called()
{
	local pair
	report
	for pair; do
		has "$text" $'\n'"${pair%:*} +${pair#*:} " "the sections of: $mode"
	done
}

# right WHICH: what that run printed is what the source says.
right()
{
	equal 0 "$(<"$1.status")" "the status of: $mode"
	equal 152 "$(<"$1.out")" "the output of: $mode"
	equal '' "$(<"$1.err")" "stderr of: $mode"
}

# compile COMPILER FLAG...: both files in that language; mode says which.
compile()
{
	local ending=c
	case $1 in *++*) ending=cc ;; esac
	mode=$*
	"$1" "${STRICT[@]}" "${@:2}" -o program program.$ending part.$ending \
		>compile.log 2>&1 || fail "to compile without a warning: $mode" "$(head -n 5 compile.log)"
}

runs()
{
	run_bare ./program
	right bare
}

# marks COMPILER FLAG...: runs the same without and with the shim, which counts.
marks()
{
	compile "$@"
	runs
	run_shim ./program
	right shim
	case $1 in
	*++*) called "${CXX_CALLS[@]}" ;;
	*) called "${C_CALLS[@]}" ;;
	esac
}

# can COMPILER FLAG...: this machine can link a program that way.
can()
{
	echo 'int main(void) { return 0; }' >can.c
	"$@" -o can can.c >can.log 2>&1
}

# in_every_way COMPILER: what C and C++ have in common.
in_every_way()
{
	local linker
	marks "$1" -O0
	marks "$1" -O2 -fvisibility=hidden
	marks "$1" -O2 -fno-pie -no-pie
	marks "$1" -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections
	for linker in lld gold; do
		if can "$1" "-fuse-ld=$linker"; then
			marks "$1" -O2 -ffunction-sections -fdata-sections "-fuse-ld=$linker" -Wl,--gc-sections
		fi
	done
	if can "$1" -flto; then
		marks "$1" -O2 -flto
	elif can "$1" -flto -fuse-ld=lld; then
		marks "$1" -O2 -flto -fuse-ld=lld
	fi
	if can "$1" -static; then
		compile "$1" -O2 -static
		runs
	fi
	if can "$1" -fsanitize=address; then
		compile "$1" -O1 -fsanitize=address
		runs
	fi
	in_a_library "$1"
	switched_off "$1"
}

# Marked code in an archive, of which the program takes what it needs.
in_a_library()
{
	local ending=c
	case $1 in *++*) ending=cc ;; esac
	mode="$1, a static library"
	rm -f libpart.a
	"$1" "${STRICT[@]}" -O2 -c -o part.o part.$ending || fail "to compile: $mode"
	ar rc libpart.a part.o || fail "to make: $mode"
	"$1" "${STRICT[@]}" -O2 -o program program.$ending -L. -lpart || fail "to link: $mode"
	runs
	run_shim ./program
	right shim
	called part:1 bracketed:7 shared:8
}

# Nothing is left of the marks, in the program and in the report.
switched_off()
{
	compile "$1" -O2 -DPERFSHIM_DISABLE
	runs
	run_shim ./program
	right shim
	report
	has "$text" 'none marked' "the report of: $mode"
	hasnt "$(nm program)" perfshim "the symbols of: $mode"
}

found=0
for compiler in gcc clang; do
	type -P "$compiler" >/dev/null || continue
	found=1
	in_every_way "$compiler"
	for standard in c99 c11 c17 c2x; do marks "$compiler" -O2 "-std=$standard"; done
done
for compiler in g++ clang++; do
	type -P "$compiler" >/dev/null || continue
	in_every_way "$compiler"
	for standard in c++11 c++14 c++17 c++20 c++2b; do
		marks "$compiler" -O2 "-std=$standard"
		called thrown_through:1
	done
	marks "$compiler" -O2 -fno-exceptions
done
[ "$found" -eq 1 ] || skip 'neither gcc nor clang is installed'
