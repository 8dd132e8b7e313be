/* SPDX-License-Identifier: MIT */
/*
 * simd_sse2 - the kernels for every x86-64 processor
 *
 * Without fused multiply-add a product needs a register of its own, so the tile
 * is 4 x 8: 8 accumulators.
 */
#include <immintrin.h>

enum { VECTOR_FLOATS = 4, TILE_ROWS = 4 };
#include "simd/vector.h"

static inline void
vector_stream(float *to, vector v)
{
	_mm_stream_ps(to, (__m128)v);
}

const struct ps_simd_kernels ps_simd_sse2 = VECTOR_KERNELS(PS_SIMD_SSE2);
