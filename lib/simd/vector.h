/* SPDX-License-Identifier: MIT */
/*
 * vector - the kernels, written once for every vector width
 *
 * A file simd_<set>.c defines the constants below and vector_stream(), then
 * includes this.  The code uses the compiler's vector type, so that the three
 * sets differ in width and in the shape of the tile, not in their source;
 * `acc += x * v` becomes one fused instruction where the set has it.
 *
 *	VECTOR_FLOATS	floats a register
 *	TILE_ROWS	rows of the matrix tile; see vector_tile.h
 */
#ifndef PS_SIMD_VECTOR_H
#define PS_SIMD_VECTOR_H

#include "simd/kernels.h"

enum {
	VECTOR_BYTES = VECTOR_FLOATS * sizeof(float),
	TILE_VECTORS = 2,
	UNROLLED = 4 * VECTOR_FLOATS, /* floats a turn of the adding loops */
};

typedef float vector __attribute__((vector_size(VECTOR_BYTES)));
typedef float vector_anywhere
    __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));

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

/* Write around the caches; `to` is aligned to the vector. */
static inline void vector_stream(float *to, vector v);

PS_INLINE size_t
floats_to_alignment(const float *dst)
{
	return (-(uintptr_t)dst & (VECTOR_BYTES - 1)) / sizeof(float);
}

PS_INLINE void
add_singly(float *dst, const float *a, const float *b, size_t from, size_t to)
{
	/* At most a vector's worth: the compiler must not vectorize again. */
	for (size_t i = from; i < to; i++) {
		dst[i] = a[i] + b[i];
		__asm__("" : "+r"(i));
	}
}

/*
 * dst is brought to alignment first: a store across a cache line costs two,
 * a load across one is nearly free.  Short arrays are not worth it.
 */
static void
vector_add(float *dst, const float *a, const float *b, size_t n)
{
	size_t head = n >= 8 * VECTOR_FLOATS ? floats_to_alignment(dst) : 0;
	size_t i = head;

	add_singly(dst, a, b, 0, head);
	for (; i + UNROLLED <= n; i += UNROLLED) {
		PS_UNROLL
		for (uint32_t j = 0; j < UNROLLED; j += VECTOR_FLOATS)
			vector_store(dst + i + j, vector_load(a + i + j) +
						      vector_load(b + i + j));
	}
	for (; i + VECTOR_FLOATS <= n; i += VECTOR_FLOATS)
		vector_store(dst + i, vector_load(a + i) + vector_load(b + i));
	add_singly(dst, a, b, i, n);
}

static void
vector_add_streamed(float *dst, const float *a, const float *b, size_t n)
{
	size_t head = PS_MIN(floats_to_alignment(dst), n);
	size_t i = head;

	add_singly(dst, a, b, 0, head);
	for (; i + UNROLLED <= n; i += UNROLLED) {
		PS_UNROLL
		for (uint32_t j = 0; j < UNROLLED; j += VECTOR_FLOATS)
			vector_stream(dst + i + j, vector_load(a + i + j) +
						       vector_load(b + i + j));
	}
	/* Streamed stores are not ordered with the ones that follow. */
	__builtin_ia32_sfence();
	add_singly(dst, a, b, i, n);
}

#include "simd/vector_tile.h"

#define VECTOR_KERNELS(set)                                                    \
	{                                                                      \
		.isa = (set), .vector = VECTOR_FLOATS, .tile_rows = TILE_ROWS, \
		.tile_columns = TILE_VECTORS * VECTOR_FLOATS,                  \
		.add = vector_add, .add_streamed = vector_add_streamed,        \
		.tile = vector_tile, .burn = vector_burn,                      \
		.burn_flops = 2 * VECTOR_FLOATS * BURN_CHAINS                  \
	}

#endif /* PS_SIMD_VECTOR_H */
