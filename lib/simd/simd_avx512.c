/* SPDX-License-Identifier: MIT */
/*
 * simd_avx512 - the kernels for AVX-512 (F, VL, DQ, BW)
 *
 * 32 registers and an operand that broadcasts from memory: a tile of 12 x 32.
 * Products of half a vector's width or less go to 256-bit tiles
 * (simd_avx512vl.c), and so does what is left of a row where twice as many of
 * them are done in a cycle: on Zen 4.
 */
#if defined(__x86_64__)

#include "simd/vector_x86.h"

enum { VECTOR_FLOATS = 16, TILE_ROWS = 12, NARROW_ROWS = 12, HALF_FLOATS = 8 };
#include "simd/vector_type.h"

typedef __mmask16 part;

PS_INLINE part
part_of(uint32_t count)
{
	PS_DEBUG_ASSERT(count <= VECTOR_FLOATS);
	return (part)((1u << count) - 1);
}

PS_INLINE vector
vector_load_part(const float *from, part mask)
{
	return (vector)_mm512_maskz_loadu_ps(mask, from);
}

PS_INLINE void
vector_store_part(float *to, vector v, part mask)
{
	_mm512_mask_storeu_ps(to, mask, (__m512)v);
}

PS_INLINE quad
vector_fold(vector v)
{
	__m256 half = _mm256_add_ps(_mm512_castps512_ps256((__m512)v),
				    _mm512_extractf32x8_ps((__m512)v, 1));

	return _mm_add_ps(_mm256_castps256_ps128(half),
			  _mm256_extractf128_ps(half, 1));
}

PS_INLINE void
vector_stream(float *to, vector v)
{
	_mm512_stream_ps(to, (__m512)v);
}

PS_INLINE void
half_panel(const struct ps_matrix_block *x, float *c, const float *a,
	   size_t lda, const float *b, uint32_t columns, uint32_t rows)
{
	ps_simd_avx512_half_panel(x, c, a, lda, b, columns, rows);
}

#include "simd/vector.h"

const struct ps_simd_kernels ps_simd_avx512 = VECTOR_KERNELS(PS_SIMD_AVX512);

#else
typedef int no_x86_here; /* a translation unit is not empty */
#endif
