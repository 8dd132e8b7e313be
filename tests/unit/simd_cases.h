/* SPDX-License-Identifier: MIT */
/*
 * simd_cases - what the tests of lib/simd share: numbers and forced sets
 */
#ifndef PS_TEST_SIMD_CASES_H
#define PS_TEST_SIMD_CASES_H

#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "simd/simd.h"

static uint32_t random_state = 12345;

static inline uint32_t
random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* In [-1, 1). */
static inline float
random_float(void)
{
	return (float)(int32_t)random_bits() / 2147483648.0f;
}

/* Any bit pattern: infinities, NaNs and denormals too. */
static inline float
random_pattern(void)
{
	uint32_t bits = random_bits();
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Skips the test's body when this machine lacks the set. */
static inline bool
is_forced(int isa)
{
	int error = ps_simd_force((enum ps_simd_isa)isa);

	if (error == 0)
		ck_assert_int_eq(ps_simd_isa(), isa);
	else
		ck_assert_int_eq(error, -ENOTSUP);
	return error == 0;
}

/* A passed ck_assert costs a system call: too much for every element. */
static inline void
expect(bool is_right, const char *what, size_t at)
{
	if (!is_right)
		ck_abort_msg("%s at %zu", what, at);
}

static inline bool
is_same(float got, float expected)
{
	return isnan(expected) ? isnan(got)
			       : memcmp(&got, &expected, sizeof(got)) == 0;
}

#endif /* PS_TEST_SIMD_CASES_H */
