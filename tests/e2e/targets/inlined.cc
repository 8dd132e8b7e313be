// SPDX-License-Identifier: MIT
// inlined - 10 blocks of 1000 bytes through two functions that are inlined, one
// in a namespace; kept.
#include <cstdlib>

static void *volatile sink;

static inline __attribute__((always_inline)) void
innermost(std::size_t bytes)
{
	sink = std::malloc(bytes);
}

namespace app
{
struct Store {
	__attribute__((always_inline)) void
	put(std::size_t bytes)
	{
		innermost(bytes);
	}
};
} // namespace app

void outer_function(app::Store &store);

__attribute__((noinline)) void
outer_function(app::Store &store)
{
	for (int i = 0; i < 10; i++)
		store.put(1000);
	__asm__ volatile("");
}

int
main()
{
	app::Store store;

	outer_function(store);
	return sink == nullptr;
}
