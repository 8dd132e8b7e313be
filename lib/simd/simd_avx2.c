/* SPDX-License-Identifier: MIT */
/*
 * simd_avx2 - the kernels for AVX2 with FMA3
 *
 * 16 registers: a tile of 6 x 16 leaves one for the broadcast element of A,
 * one of 12 x 8 two.
 */
#if defined(__x86_64__)

#include "simd/vector_x86.h"

enum { VECTOR_FLOATS = 8, TILE_ROWS = 6, NARROW_ROWS = 12, HALF_FLOATS = 0 };
#include "simd/vector_type.h"

typedef struct {
	__m256i mask;
	uint32_t count;
} part;

PS_INLINE part
part_of(uint32_t count)
{
	static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
	part p = {_mm256_loadu_si256((const __m256i *)(ones + 8 - count)),
		  count};

	PS_DEBUG_ASSERT(count <= VECTOR_FLOATS);
	return p;
}

PS_INLINE vector
vector_load_part(const float *from, part p)
{
	return (vector)_mm256_maskload_ps(from, p.mask);
}

/* VMASKMOVPS to memory takes 19 micro-operations on Zen: in pieces. */
PS_INLINE void
vector_store_part(float *to, vector v, part p)
{
	__m128 half = _mm256_castps256_ps128((__m256)v);

	if (p.count & 4) {
		_mm_storeu_ps(to, half);
		half = _mm256_extractf128_ps((__m256)v, 1);
		to += 4;
	}
	quad_store_part(to, half, p.count);
}

PS_INLINE quad
vector_fold(vector v)
{
	return _mm_add_ps(_mm256_castps256_ps128((__m256)v),
			  _mm256_extractf128_ps((__m256)v, 1));
}

PS_INLINE void
vector_stream(float *to, vector v)
{
	_mm256_stream_ps(to, (__m256)v);
}

#include "simd/vector_half.h"
#include "simd/vector.h"

const struct ps_simd_kernels ps_simd_avx2 = VECTOR_KERNELS(PS_SIMD_AVX2);

#else
typedef int no_x86_here; /* a translation unit is not empty */
#endif
