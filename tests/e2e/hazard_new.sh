#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard_new: C++'s operators, complete, consistent and failing as they should.
. "$E2E/rows.sh"
need g++

new=$T/hazard_new
row C1 "$new" operators
compile g++ -std=c++17 -O1 -static-libstdc++ -static-libgcc -o static_new "$E2E/targets/hazard_new.cc"
row C1 ./static_new operators
row C2 "$new" sizes
row C3 "$new" failures
row C3 ./static_new failures
ulimit -S -v 600000
row C3 "$new" handler
ulimit -S -v unlimited
# A C program gets nothing of C++.
run_shim sh -c 'cat /proc/self/maps'
hasnt "$(<shim.out)" 'libstdc' 'what is mapped in a C program'
row C4 "$new" aligned

# The program's own operator wins, and what it allocates is counted once.
cat >own.cc <<'END_C'
#include <cstdio>
#include <cstdlib>
#include <new>
static long mine;
void *operator new(std::size_t n) { mine++; return std::malloc(n); }
void operator delete(void *p) noexcept { mine--; std::free(p); }
void operator delete(void *p, std::size_t) noexcept { mine--; std::free(p); }
struct big { char bytes[500]; };
static big *volatile kept[1000];
int main()
{
	for (int i = 0; i < 1000; i++) kept[i] = new big;
	long made = mine;
	for (int i = 0; i < 1000; i++) delete kept[i];
	std::printf("%ld %ld\n", made, mine);
}
END_C
compile g++ -std=c++17 -O1 -o own own.cc
row C5 ./own
run_shim PERFSHIM_SAMPLE=all ./own
json
expect 'heap["allocations"] >= 1000' 'heap["allocations"] < 1020'

# Only two of the operators, and blocks that free would not take: all other forms
# are libstdc++'s, which calls these two.
cat >two.cc <<'END_C'
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
static long made, ended;
void *operator new(std::size_t n)
{
	char *block = static_cast<char *>(n < 1UL << 40 ? std::malloc(n + 16) : nullptr);
	if (block == nullptr)
		throw std::bad_alloc();
	made++;
	return block + 16;
}
void operator delete(void *p) noexcept
{
	if (p == nullptr)
		return;
	ended++;
	std::free(static_cast<char *>(p) - 16);
}
int main()
{
	const auto al = std::align_val_t(128);
	volatile std::size_t n = 100;
	::operator delete(::operator new(n), n);
	::operator delete[](::operator new[](n));
	::operator delete[](::operator new[](n), n);
	::operator delete(::operator new(n, std::nothrow));
	::operator delete(::operator new(n, std::nothrow), std::nothrow);
	::operator delete[](::operator new[](n, std::nothrow));
	::operator delete[](::operator new[](n, std::nothrow), std::nothrow);
	::operator delete(::operator new(n, al), al);
	::operator delete[](::operator new[](n, al), n, al);
	::operator delete(::operator new(n, al, std::nothrow), al, std::nothrow);
	std::string text(n, 'x');
	text.append(n, 'y');
	try {
		::operator delete[](::operator new[](1UL << 46));
	} catch (const std::bad_alloc &) {
		std::puts("caught");
	}
	std::printf("%d %ld %ld\n", ::operator new(1UL << 46, std::nothrow) == nullptr, made, ended);
}
END_C
compile g++ -std=c++17 -O1 -o two two.cc
row C5 ./two
