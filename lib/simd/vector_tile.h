/* SPDX-License-Identifier: MIT */
/*
 * vector_tile - the tile of the matrix product, in registers
 *
 * TILE_ROWS x 2 vectors of C stay in registers while one column of A and one
 * row of B go by.  Each step loads 2 vectors of B, broadcasts TILE_ROWS floats
 * of A and does 2 * TILE_ROWS multiply-adds, so these are the bottleneck as
 * soon as there are more of them than their latency times their number a cycle
 * (4 x 2 on Zen and Intel; a 512-bit one is two on Zen 4).
 * Registers: 2 * TILE_ROWS + 2 for B + 1 for A: 11 of 16 (SSE2, which needs
 * one more for the product), 15 of 16 (AVX2), 27 of 32 (AVX-512, NEON).
 *
 * The kernel reads A and B where they lie, at any distance between rows: rows
 * of A are three to a pointer (+0, +lda, +2 lda), so twelve take four registers
 * and a thirteenth for lda.  Every height has a kernel of its own: a rest of 11
 * rows as 8 + 2 + 1 took 1.5 times as long.
 *
 * Left to themselves, compilers keep a pointer for each row and move them in
 * and out of registers; hence OPAQUE.
 */
#ifndef PS_SIMD_VECTOR_TILE_H
#define PS_SIMD_VECTOR_TILE_H

#include "simd/vector_type.h"

enum {
	ROWS_A_BASE = 3, /* rows reached from one pointer: +0, +lda, +2 lda */
	/* Shallow tiles are done before their lines of C could come. */
	FETCH_DEPTH = 128,
	BASES = (PS_MATRIX_TILE_ROWS_MAX + ROWS_A_BASE - 1) / ROWS_A_BASE,
};

/* Or the compiler keeps a pointer for each row, more than there are. */
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))

PS_INLINE void
tile_store(float *c, vector sum, bool is_sum, bool is_part, part tail)
{
	if (!is_part)
		vector_store(c, is_sum ? sum + vector_load(c) : sum);
	else
		vector_store_part(
		    c, is_sum ? sum + vector_load_part(c, tail) : sum, tail);
}

/* The lines of C come from memory while the tile is computed. */
PS_INLINE void
tile_fetch(const float *c, size_t ldc, const uint32_t rows)
{
	PS_UNROLL
	for (uint32_t i = 0; i < rows; i++) {
		__builtin_prefetch(c, 1);
		__builtin_prefetch(c + PS_CACHE_LINE / sizeof(*c), 1);
		c += ldc;
		OPAQUE(c);
	}
}

/* rows, vectors and is_part are constants at every call. */
PS_INLINE void
tile_of(float *c, size_t ldc, const float *a, size_t lda, const float *b,
	size_t ldb, size_t depth, bool is_sum, part tail, const uint32_t rows,
	const uint32_t vectors, const bool is_part)
{
	vector acc[PS_MATRIX_TILE_ROWS_MAX][TILE_VECTORS] = {0};
	const float *base[BASES];
	vector row[TILE_VECTORS];

	PS_UNROLL
	for (uint32_t g = 0; g * ROWS_A_BASE < rows; g++)
		base[g] = a + (size_t)g * ROWS_A_BASE * lda;
	for (; depth > 0; depth--) {
		PS_UNROLL
		for (uint32_t j = 0; j < vectors; j++) {
			const float *from = b + j * VECTOR_FLOATS;

			row[j] = is_part && j == vectors - 1
				     ? vector_load_part(from, tail)
				     : vector_load(from);
		}
		PS_UNROLL
		for (uint32_t i = 0; i < rows; i++) {
			float left =
			    base[i / ROWS_A_BASE][i % ROWS_A_BASE * lda];

			PS_UNROLL
			for (uint32_t j = 0; j < vectors; j++)
				acc[i][j] += left * row[j];
		}
		b += ldb;
		PS_UNROLL
		for (uint32_t g = 0; g * ROWS_A_BASE < rows; g++) {
			base[g]++;
			OPAQUE(base[g]);
		}
	}
	PS_UNROLL
	for (uint32_t i = 0; i < rows; i++) {
		PS_UNROLL
		for (uint32_t j = 0; j < vectors; j++)
			tile_store(c + j * VECTOR_FLOATS, acc[i][j], is_sum,
				   is_part && j == vectors - 1, tail);
		c += ldc;
		OPAQUE(c);
	}
}

/*
 * Ask for the part of the next panel of A that corresponds to the columns done,
 * so that it has come from memory by the time it is copied.
 */
PS_INLINE size_t
fetch_ahead(const struct ps_matrix_block *x, const float *next, size_t fetched,
	    size_t columns_left, const uint32_t rows)
{
	size_t until = x->depth - x->depth * columns_left / x->columns;

	for (; fetched < until; fetched += PS_CACHE_LINE / sizeof(float)) {
		PS_UNROLL
		for (uint32_t i = 0; i < rows; i++)
			__builtin_prefetch(next + i * x->lda + fetched);
	}
	return fetched;
}

/* All whole strips of one panel of `rows` rows, a constant. */
PS_INLINE void
strips_of(const struct ps_matrix_block *x, float *c, const float *a, size_t lda,
	  const float *next, const uint32_t rows)
{
	const size_t width = TILE_VECTORS * VECTOR_FLOATS;
	const float *b = x->b;
	size_t fetched = 0;

	for (size_t left = x->columns; left >= width; left -= width) {
		if (x->depth >= FETCH_DEPTH)
			tile_fetch(c, x->ldc, rows);
		tile_of(c, x->ldc, a, lda, b, x->ldb, x->depth, x->is_sum,
			part_of(0), rows, TILE_VECTORS, false);
		c += width;
		b += x->strip_step;
		if (next != NULL)
			fetched =
			    fetch_ahead(x, next, fetched, left - width, rows);
	}
}

/* The columns behind them, more than a vector. */
PS_INLINE void
wide_rest_of(const struct ps_matrix_block *x, float *c, const float *a,
	     size_t lda, const float *b, uint32_t columns, const uint32_t rows)
{
	PS_DEBUG_ASSERT(columns > VECTOR_FLOATS &&
			columns < TILE_VECTORS * VECTOR_FLOATS);
	tile_of(c, x->ldc, a, lda, b, x->ldb, x->depth, x->is_sum,
		part_of(columns - VECTOR_FLOATS), rows, TILE_VECTORS, true);
}

/* The columns behind them, a vector or less. */
PS_INLINE void
narrow_rest_of(const struct ps_matrix_block *x, float *c, const float *a,
	       size_t lda, const float *b, uint32_t columns,
	       const uint32_t rows)
{
	PS_DEBUG_ASSERT(columns >= 1 && columns <= VECTOR_FLOATS);
	if (columns == VECTOR_FLOATS)
		tile_of(c, x->ldc, a, lda, b, x->ldb, x->depth, x->is_sum,
			part_of(0), rows, 1, false);
	else
		tile_of(c, x->ldc, a, lda, b, x->ldb, x->depth, x->is_sum,
			part_of(columns), rows, 1, true);
}

#endif /* PS_SIMD_VECTOR_TILE_H */
