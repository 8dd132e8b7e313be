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
 *	TILE_ROWS	rows of the matrix tile; see tile_of()
 *
 * Matrix tile: TILE_ROWS x 2 vectors of C stay in registers while one column
 * of A and one row of B go by.  Each step loads 2 vectors of B, broadcasts
 * TILE_ROWS floats of A and does 2 * TILE_ROWS multiply-adds, so the
 * multiply-adds are the bottleneck as soon as there are more of them than
 * their latency times their number a cycle (4 x 2 on Zen and Intel).
 * Registers: 2 * TILE_ROWS + 2 for B + 1 for A: 11 of 16 (SSE2, which needs
 * one more for the product), 15 of 16 (AVX2), 27 of 32 (AVX-512).
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

PS_INLINE void
tile_store(float *c, vector sum, bool is_sum)
{
	if (is_sum)
		sum += vector_load(c);
	vector_store(c, sum);
}

/* rows and vectors are constants at every call. */
PS_INLINE void
tile_of(float *c, size_t ldc, const float *a, const float *b, size_t depth,
	bool is_sum, const uint32_t rows, const uint32_t vectors)
{
	vector acc[TILE_ROWS][TILE_VECTORS] = {0};
	vector row[TILE_VECTORS];

	PS_UNROLL_TWICE
	for (size_t p = 0; p < depth; p++) {
		PS_UNROLL
		for (uint32_t j = 0; j < vectors; j++)
			row[j] = vector_load(b + j * VECTOR_FLOATS);
		PS_UNROLL
		for (uint32_t i = 0; i < rows; i++) {
			PS_UNROLL
			for (uint32_t j = 0; j < vectors; j++)
				acc[i][j] +=
				    a[i * PS_MATRIX_PANEL_STRIDE + p] * row[j];
		}
		b += vectors * VECTOR_FLOATS;
	}
	PS_UNROLL
	for (uint32_t i = 0; i < rows; i++) {
		PS_UNROLL
		for (uint32_t j = 0; j < vectors; j++)
			tile_store(c + i * ldc + j * VECTOR_FLOATS, acc[i][j],
				   is_sum);
	}
}

/* As many rows as one of the compiled heights; returns how many. */
PS_INLINE uint32_t
tile_rows(float *c, size_t ldc, const float *a, const float *b, size_t depth,
	  uint32_t rows, bool is_sum, const uint32_t vectors)
{
	if (rows >= TILE_ROWS) {
		tile_of(c, ldc, a, b, depth, is_sum, TILE_ROWS, vectors);
		return TILE_ROWS;
	}
	if (TILE_ROWS > 8 && rows >= 8) {
		tile_of(c, ldc, a, b, depth, is_sum, PS_MIN(8, TILE_ROWS),
			vectors);
		return 8;
	}
	if (TILE_ROWS > 4 && rows >= 4) {
		tile_of(c, ldc, a, b, depth, is_sum, PS_MIN(4, TILE_ROWS),
			vectors);
		return 4;
	}
	if (rows >= 2) {
		tile_of(c, ldc, a, b, depth, is_sum, 2, vectors);
		return 2;
	}
	tile_of(c, ldc, a, b, depth, is_sum, 1, vectors);
	return 1;
}

static void
vector_tile(float *c, size_t ldc, const float *a, const float *b, size_t depth,
	    uint32_t rows, uint32_t columns, bool is_sum)
{
	uint32_t done;

	PS_ASSERT(depth >= 1 && rows <= TILE_ROWS);
	PS_ASSERT(columns == VECTOR_FLOATS ||
		  columns == TILE_VECTORS * VECTOR_FLOATS);
	PS_ASSERT((uintptr_t)b % VECTOR_BYTES == 0);
	for (; rows > 0; rows -= done) {
		if (columns > VECTOR_FLOATS)
			done = tile_rows(c, ldc, a, b, depth, rows, is_sum,
					 TILE_VECTORS);
		else
			done = tile_rows(c, ldc, a, b, depth, rows, is_sum, 1);
		c += done * ldc;
		a += (size_t)done * PS_MATRIX_PANEL_STRIDE;
	}
}

enum { BURN_CHAINS = 12 };

/* x = x * 0.5 + 1 tends to 2: neither denormal nor infinite. */
static float
vector_burn(uint64_t rounds)
{
	vector x[BURN_CHAINS];
	vector half = {0};
	vector one;
	float sum = 0;

	half += 0.5f;
	one = half + half;
	PS_UNROLL
	for (int i = 0; i < BURN_CHAINS; i++)
		x[i] = one * (float)(i + 1);
	for (uint64_t r = 0; r < rounds; r++) {
		PS_UNROLL
		for (int i = 0; i < BURN_CHAINS; i++)
			x[i] = x[i] * half + one;
		/* Or a compiler may see through the recurrence. */
		__asm__ volatile("" : : : "memory");
	}
	PS_UNROLL
	for (int i = 0; i < BURN_CHAINS; i++)
		sum += x[i][0];
	return sum;
}

_Static_assert((int)TILE_ROWS <= (int)PS_MATRIX_TILE_ROWS_MAX,
	       "fits a panel of A");
_Static_assert(TILE_VECTORS *VECTOR_FLOATS <= (int)PS_MATRIX_TILE_COLUMNS_MAX,
	       "fits matrix.c's scratch tile");

#define VECTOR_KERNELS(set)                                                    \
	{                                                                      \
		.isa = (set), .vector = VECTOR_FLOATS, .tile_rows = TILE_ROWS, \
		.tile_columns = TILE_VECTORS * VECTOR_FLOATS,                  \
		.add = vector_add, .add_streamed = vector_add_streamed,        \
		.tile = vector_tile, .burn = vector_burn,                      \
		.burn_flops = 2 * VECTOR_FLOATS * BURN_CHAINS                  \
	}

#endif /* PS_SIMD_VECTOR_H */
