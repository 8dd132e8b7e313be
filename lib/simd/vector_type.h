/* SPDX-License-Identifier: MIT */
/*
 * vector_type - the compiler's vector of VECTOR_FLOATS floats
 */
#ifndef PS_SIMD_VECTOR_TYPE_H
#define PS_SIMD_VECTOR_TYPE_H

#include "simd/kernels.h"

enum {
	VECTOR_BYTES = VECTOR_FLOATS * sizeof(float),
	TILE_VECTORS = 2,
};
_Static_assert(HALF_FLOATS == 0 || 2 * HALF_FLOATS == VECTOR_FLOATS,
	       "a half, or none");
_Static_assert(TILE_ROWS <= (int)PS_MATRIX_TILE_ROWS_MAX &&
		   NARROW_ROWS <= (int)PS_MATRIX_TILE_ROWS_MAX,
	       "no tile is taller");

typedef float vector __attribute__((vector_size(VECTOR_BYTES)));
typedef float vector_anywhere
    __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));

/* Keep the value in a register here, and what is made of it unknown. */
#if defined(__x86_64__)
#define VECTOR_OPAQUE(v) __asm__("" : "+v"(v))
#else
#define VECTOR_OPAQUE(v) __asm__("" : "+w"(v))
#endif

PS_INLINE vector
vector_load(const float *from)
{
	return *(const vector_anywhere *)from;
}

PS_INLINE void
vector_store(float *to, vector v)
{
	*(vector_anywhere *)to = v;
}

#endif /* PS_SIMD_VECTOR_TYPE_H */
