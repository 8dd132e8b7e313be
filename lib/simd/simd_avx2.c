/* SPDX-License-Identifier: MIT */
/*
 * simd_avx2 - the kernels for AVX2 with FMA3
 *
 * 16 registers: a tile of 6 x 16 leaves one for the broadcast element of A.
 */
#include <immintrin.h>

enum { VECTOR_FLOATS = 8, TILE_ROWS = 6 };
#include "simd/vector.h"

static inline void
vector_stream(float *to, vector v)
{
	_mm256_stream_ps(to, (__m256)v);
}

const struct ps_simd_kernels ps_simd_avx2 = VECTOR_KERNELS(PS_SIMD_AVX2);
