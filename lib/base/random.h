/* SPDX-License-Identifier: MIT */
/*
 * random - a small generator for sampling: fast, seeded, no secrets
 *
 * The state is the caller's; the same seed gives the same numbers everywhere.
 * One thread per state.
 */
#ifndef PS_RANDOM_H
#define PS_RANDOM_H

#include "base/base.h"

/* xorshift64*, Vigna 2016; *state is never 0. */
static inline uint64_t
ps_random_next(uint64_t *state)
{
	uint64_t x = *state;

	PS_DEBUG_ASSERT(x != 0);
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* In (0, 1]: 53 random bits, never 0, so that its logarithm is finite. */
static inline double
ps_random_unit(uint64_t *state)
{
	return ((double)(ps_random_next(state) >> 11) + 1.0) * 0x1p-53;
}

/* Below n, n > 0; off from uniform by at most n in 2^32. */
static inline uint32_t
ps_random_below(uint64_t *state, uint32_t n)
{
	PS_DEBUG_ASSERT(n > 0);
	return (uint32_t)(((ps_random_next(state) >> 32) * n) >> 32);
}

#endif /* PS_RANDOM_H */
