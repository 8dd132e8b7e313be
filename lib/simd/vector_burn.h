/* SPDX-License-Identifier: MIT */
/*
 * vector_burn - multiply-adds in registers and nothing else
 */
#ifndef PS_SIMD_VECTOR_BURN_H
#define PS_SIMD_VECTOR_BURN_H

#include "simd/vector_type.h"

/* More than latency times units: 4 x 2 on Zen and Intel. */
enum { BURN_CHAINS = 12 };
_Static_assert(BURN_CHAINS <= 16, "PS_UNROLL does so many");

/* x = x * 0.5 + 1 tends to 2: neither denormal nor infinite. */
static float
vector_burn(uint64_t rounds)
{
	vector x[BURN_CHAINS];
	vector half = {0};
	vector one;
	float sum = 0;

	half += 0.5f;
	one = half + half;
	PS_UNROLL
	for (int i = 0; i < BURN_CHAINS; i++) {
		x[i] = one * (float)(i + 1);
		/* Or a compiler sees that 2 stays 2, and leaves it out. */
		VECTOR_OPAQUE(x[i]);
	}
	for (uint64_t r = 0; r < rounds; r++) {
		PS_UNROLL
		for (int i = 0; i < BURN_CHAINS; i++)
			x[i] = x[i] * half + one;
		/* Or a compiler may see through the recurrence. */
		__asm__ volatile("" : : : "memory");
	}
	PS_UNROLL
	for (int i = 0; i < BURN_CHAINS; i++)
		sum += x[i][0];
	return sum;
}

#endif /* PS_SIMD_VECTOR_BURN_H */
