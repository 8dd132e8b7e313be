/* SPDX-License-Identifier: MIT */
/*
 * simd_avx512 - the kernels for AVX-512 (F, VL, DQ, BW)
 *
 * 32 registers and an operand that broadcasts from memory: a tile of 12 x 32.
 */
#include <immintrin.h>

enum { VECTOR_FLOATS = 16, TILE_ROWS = 12 };
#include "simd/vector.h"

static inline void
vector_stream(float *to, vector v)
{
	_mm512_stream_ps(to, (__m512)v);
}

const struct ps_simd_kernels ps_simd_avx512 = VECTOR_KERNELS(PS_SIMD_AVX512);
