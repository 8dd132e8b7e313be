/* SPDX-License-Identifier: MIT */
/*
 * vector_tile - the tile of the matrix product, and the loop that only counts
 *
 * For vector.h, which says for which vectors it is compiled.
 *
 * Matrix tile: TILE_ROWS x 2 vectors of C stay in registers while one column
 * of A and one row of B go by.  Each step loads 2 vectors of B, broadcasts
 * TILE_ROWS floats of A and does 2 * TILE_ROWS multiply-adds, so the
 * multiply-adds are the bottleneck as soon as there are more of them than
 * their latency times their number a cycle (4 x 2 on Zen and Intel).
 * Registers: 2 * TILE_ROWS + 2 for B + 1 for A: 11 of 16 (SSE2, which needs
 * one more for the product), 15 of 16 (AVX2), 27 of 32 (AVX-512).
 */
#ifndef PS_SIMD_VECTOR_TILE_H
#define PS_SIMD_VECTOR_TILE_H

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

#endif /* PS_SIMD_VECTOR_TILE_H */
