/* SPDX-License-Identifier: MIT */
/*
 * vector_x86 - what the three sets of x86 have in common: 128-bit pieces
 */
#ifndef PS_SIMD_VECTOR_X86_H
#define PS_SIMD_VECTOR_X86_H

#include <immintrin.h>

#include "base/base.h"

typedef __m128 quad;

/* The sum of each of the four, in order. */
PS_INLINE quad
quad_sums(quad a, quad b, quad c, quad d)
{
	quad ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
	quad cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));

	return _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
}

PS_INLINE void
quad_store(float *to, quad q)
{
	_mm_storeu_ps(to, q);
}

/* The first `count` < 4, in pieces. */
PS_INLINE void
quad_store_part(float *to, quad q, uint32_t count)
{
	if (count & 2) {
		_mm_storel_pi((__m64 *)to, q);
		q = _mm_movehl_ps(q, q);
		to += 2;
	}
	if (count & 1)
		_mm_store_ss(to, q);
}

PS_INLINE void
vector_stream_end(void)
{
	_mm_sfence();
}

#endif /* PS_SIMD_VECTOR_X86_H */
