/* SPDX-License-Identifier: MIT */
/*
 * core_speed - the core's frequency, its multiply-add peak, memory's latency
 *
 * Why a chain of additions and not CPUID's or cpufreq's figure: those are
 * nominal, absent in most guests, and blind to boost and throttling.
 *
 * The chase is lmbench's (McVoy and Staelin, 1996): one cycle through all
 * places (Sattolo's shuffle, so no short cycle can arise), in an order that no
 * prefetcher knows.
 */
#include "measure/core_speed.h"
#include "base/os.h"
#include "simd/simd.h"

enum {
	ADDITIONS_A_ROUND = 16,
	ROUNDS = 6400, /* 102 400 additions */
	BURN_ROUNDS = 10000,
};

#define FOUR(x) x x x x

static void
add_in_a_chain(uint32_t rounds)
{
	uint64_t sum = 1;

	for (; rounds > 0; rounds--) {
#if defined(__x86_64__)
		__asm__ volatile(FOUR(FOUR("add %0, %0\n\t")) : "+r"(sum));
#else
		__asm__ volatile(FOUR(FOUR("add %0, %0, %0\n\t")) : "+r"(sum));
#endif
	}
}

double
ps_core_hz(uint32_t repeats)
{
	uint64_t best = UINT64_MAX;

	PS_ASSERT(repeats > 0);
	add_in_a_chain(ROUNDS / 4);
	for (uint32_t r = 0; r < repeats; r++) {
		uint64_t start = ps_os_monotonic_ns();

		add_in_a_chain(ROUNDS);
		best = PS_MIN(best, ps_os_monotonic_ns() - start);
	}
	return (double)ROUNDS * ADDITIONS_A_ROUND /
	       (double)PS_MAX(best, (uint64_t)1) * 1e9;
}

double
ps_core_flops(uint32_t repeats)
{
	uint64_t best = UINT64_MAX;
	uint64_t flops;

	PS_ASSERT(repeats > 0);
	flops = ps_simd_burn(BURN_ROUNDS);
	for (uint32_t r = 0; r < repeats; r++) {
		uint64_t start = ps_os_monotonic_ns();

		flops = ps_simd_burn(BURN_ROUNDS);
		best = PS_MIN(best, ps_os_monotonic_ns() - start);
	}
	return (double)flops / (double)PS_MAX(best, (uint64_t)1) * 1e9;
}

static void **
place(void *memory, size_t stride_bytes, size_t index)
{
	return (void **)((char *)memory + index * stride_bytes);
}

void
ps_chase_init(void *memory, size_t count, size_t stride_bytes)
{
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

	PS_ASSERT(count >= 2 && count <= UINT32_MAX);
	PS_ASSERT(stride_bytes > 0 && stride_bytes % PS_CACHE_LINE == 0);
	for (size_t i = 0; i < count; i++)
		*place(memory, stride_bytes, i) =
		    place(memory, stride_bytes, i);
	for (size_t i = count - 1; i > 0; i--) {
		void **here = place(memory, stride_bytes, i);
		void **other;
		void *kept = *here;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		/* Below i, never i itself: that makes it one cycle. */
		other = place(memory, stride_bytes,
			      (size_t)((state >> 32) * i >> 32));
		*here = *other;
		*other = kept;
	}
}

double
ps_chase_ns(void **at, size_t hops)
{
	void *here = *at;
	uint64_t start = ps_os_monotonic_ns();

	PS_ASSERT(hops > 0);
	for (size_t i = 0; i < hops; i++) {
		here = *(void **)here;
		__asm__ volatile("" : "+r"(here));
	}
	*at = here;
	return (double)(ps_os_monotonic_ns() - start) / (double)hops;
}
