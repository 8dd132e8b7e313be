/* SPDX-License-Identifier: MIT */
/*
 * simd_avx512vl - the half-vector tiles of simd_avx512.c
 *
 * 256-bit vectors with AVX-512's masks and 32 registers: AVX2's own tile would
 * have to store the end of a row in pieces.
 */
#if defined(__x86_64__)

#include "simd/vector_x86.h"

enum { VECTOR_FLOATS = 8, TILE_ROWS = 0, NARROW_ROWS = 12, HALF_FLOATS = 0 };
#include "simd/vector_type.h"

typedef __mmask8 part;

PS_INLINE part
part_of(uint32_t count)
{
	PS_DEBUG_ASSERT(count <= VECTOR_FLOATS);
	return (part)((1u << count) - 1);
}

PS_INLINE vector
vector_load_part(const float *from, part mask)
{
	return (vector)_mm256_maskz_loadu_ps(mask, from);
}

PS_INLINE void
vector_store_part(float *to, vector v, part mask)
{
	_mm256_mask_storeu_ps(to, mask, (__m256)v);
}

#include "simd/vector_half.h"
#include "simd/vector_rest.h"

void
ps_simd_avx512_half_panel(const struct ps_matrix_block *x, float *c,
			  const float *a, size_t lda, const float *b,
			  uint32_t columns, uint32_t rows)
{
	PS_DEBUG_ASSERT(rows >= 1 && rows <= NARROW_ROWS);
	narrow_rest[rows](x, c, a, lda, b, columns);
}

#else
typedef int no_x86_here; /* a translation unit is not empty */
#endif
