/* SPDX-License-Identifier: MIT */
/*
 * simd_sse2 - the kernels for every x86-64 processor
 *
 * Without fused multiply-add a product needs a register of its own, so the tile
 * is 4 x 8: 8 accumulators.
 */
#if defined(__x86_64__)

#include "simd/vector_x86.h"

enum { VECTOR_FLOATS = 4, TILE_ROWS = 4, NARROW_ROWS = 12, HALF_FLOATS = 0 };
#include "simd/vector_type.h"

typedef uint32_t part;

PS_INLINE part
part_of(uint32_t count)
{
	return count;
}

PS_INLINE vector
vector_load_part(const float *from, part count)
{
	__m128 v = _mm_load_ss(from);

	PS_DEBUG_ASSERT(count >= 1 && count < VECTOR_FLOATS);
	if (count > 1)
		v = _mm_unpacklo_ps(v, _mm_load_ss(from + 1));
	if (count > 2)
		v = _mm_movelh_ps(v, _mm_load_ss(from + 2));
	return (vector)v;
}

PS_INLINE void
vector_store_part(float *to, vector v, part count)
{
	quad_store_part(to, (quad)v, count);
}

PS_INLINE quad
vector_fold(vector v)
{
	return (quad)v;
}

PS_INLINE void
vector_stream(float *to, vector v)
{
	_mm_stream_ps(to, (__m128)v);
}

#include "simd/vector_half.h"
#include "simd/vector.h"

const struct ps_simd_kernels ps_simd_sse2 = VECTOR_KERNELS(PS_SIMD_SSE2);

#else
typedef int no_x86_here; /* a translation unit is not empty */
#endif
