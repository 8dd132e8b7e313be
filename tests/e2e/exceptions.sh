#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard: U11 patched return addresses
# C++: exceptions pass through sections and threads; new that fails throws.
. "$E2E/lib.sh"

# hazard: U11 return addresses that were patched break exceptions: here none is
run_both PERFSHIM_SAMPLE=4K "$T/exceptions"
json
expect 'heap["allocations"] >= 20000' 'section("throwing")["calls"] > 0' \
	'section("throwing")["calls"] == 4 * (100 * 1 + 100 * 2 + 100 * 3 + 100 * 4 + 100 * 5)'
report
# Demangled: the program has libstdc++ and its demangler.
report_has 'words::counter::add'

# A C program that loads C++ later: nothing of ours is in the way of its exceptions.
need g++
cat >late.cc <<'END'
#include <stdexcept>
#include <string>
extern "C" int late(int n)
{
	int caught = 0;
	for (int i = 0; i < n; i++) {
		try {
			throw std::runtime_error(std::string(100, 'x'));
		} catch (const std::exception &e) {
			caught += e.what()[0] == 'x';
		}
	}
	return caught;
}
END
cat >early.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
	void *library = dlopen("./late.so", RTLD_NOW);
	int (*late)(int) = library ? (int (*)(int))dlsym(library, "late") : 0;
	printf("%d\n", late ? late(1000) : -1);
	return 0;
}
END
g++ -shared -fPIC -o late.so late.cc || fail 'to compile late.cc'
gcc -o early early.c -ldl || fail 'to compile early.c'
run_both ./early
equal 1000 "$(<shim.out)" 'exceptions caught in a library that came late'
