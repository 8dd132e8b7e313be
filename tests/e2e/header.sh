#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfshim.h in the ways that programs are built: each one compiles without a
# warning, runs the same without the shim, and has its section under it.
. "$E2E/lib.sh"

need gcc
cat >one.c <<'END'
#include "shim/perfshim.h"
#include <stdio.h>
int two(int n);
static int one(int n)
{
	int sum = 0;
	PERFSHIM_FUNCTION();
	PERFSHIM_SECTION("scoped") {
		sum = two(n);
		if (n > 2)
			break;
		sum++;
	}
	return sum;
}
int main(void)
{
	int sum = 0;
	int i;
	for (i = 0; i < 5; i++)
		sum += one(i);
	printf("%d\n", sum);
	return 0;
}
END
cat >two.c <<'END'
#include "shim/perfshim.h"
int two(int n);
int two(int n)
{
	perfshim_span span;
	PERFSHIM_BEGIN("begun");
	PERFSHIM_SPAN_BEGIN(&span, "span");
	n *= 2;
	PERFSHIM_SPAN_END(&span);
	PERFSHIM_END("begun");
	return n;
}
END
{ echo 'extern "C" int two(int n);' && sed 's/^int two(int n);$//' one.c; } >one.cc
{ echo 'extern "C" int two(int n);' && sed '/^int two(int n);$/d' two.c; } >two.cc
STRICT=(-Wall -Wextra -Wpedantic -Werror -I "$E2E/../..")

# build NAME COMPILER FLAGS...: the program NAME from both sources.
build()
{
	local name=$1 compiler=$2 ending=c
	shift 2
	[[ $compiler == *++ ]] && ending=cc
	"$compiler" "${STRICT[@]}" -o "$name" "one.$ending" "two.$ending" "$@" 2>log ||
		fail "$name to compile ($compiler $*)" "$(head -n 5 log)"
}

# works NAME: without the shim and with it.
works()
{
	rm -rf rec
	run_both "./$1"
	equal 23 "$(<shim.out)" "what $1 prints"
	recorded
	json
	expect 'section("scoped")["calls"] == 5' 'section("begun")["calls"] == 5' \
		'section("span")["calls"] == 5' 'section("one")["calls"] == 5'
}

# way NAME COMPILER FLAGS...
way()
{
	type -P "$2" >/dev/null || return 0
	build "$@" && works "$1"
}

for compiler in gcc clang; do
	way "$compiler-c99" "$compiler" -std=c99 -O0
	way "$compiler-c11" "$compiler" -std=c11 -O2
	way "$compiler-gnu17" "$compiler" -std=gnu17 -O3 -fvisibility=hidden
	way "$compiler-no-pie" "$compiler" -O2 -no-pie -fno-pie
	way "$compiler-lto" "$compiler" -O2 -flto
	way "$compiler-stripped" "$compiler" -O2 -s -Wl,--gc-sections -ffunction-sections
done
way g++-11 g++ -std=c++11 -O2
way g++-20 g++ -std=c++20 -O2 -fno-exceptions
way clang++-17 clang++ -std=c++17 -O2
if type -P ld.lld >/dev/null; then
	way lld gcc -O2 -fuse-ld=lld -Wl,--gc-sections -ffunction-sections
fi
if type -P ld.gold >/dev/null; then
	way gold gcc -O2 -fuse-ld=gold -Wl,--gc-sections -ffunction-sections
fi

# Marks in a static library.
gcc "${STRICT[@]}" -c two.c && ar rcs libtwo.a two.o
gcc "${STRICT[@]}" -o archive one.c libtwo.a || fail 'a program with an archive to link'
works archive

# Where nothing can be preloaded, or nobody wants it, marks are silent.
for how in -static -fsanitize=address -DPERFSHIM_DISABLE; do
	build plain gcc -O1 "$how"
	equal 23 "$(./plain)" "what a program built with $how prints"
done
equal '' "$(nm plain | grep -i perfshim)" 'symbols with PERFSHIM_DISABLE'
