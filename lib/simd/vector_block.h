/* SPDX-License-Identifier: MIT */
/*
 * vector_block - a block of the matrix product, panel by panel
 *
 * A panel is up to TILE_ROWS rows of A and C.  It takes the strips of B one
 * after the other, then what is left of its rows: more than one vector, one or
 * less, or, where a set has narrower vectors too, half of one.
 */
#ifndef PS_SIMD_VECTOR_BLOCK_H
#define PS_SIMD_VECTOR_BLOCK_H

#include "simd/vector_rest.h"

PS_INLINE void
one_panel(const struct ps_matrix_block *x, float *c, const float *a, size_t lda,
	  const float *next, size_t rows)
{
	const uint32_t width = TILE_VECTORS * VECTOR_FLOATS;
	uint32_t left = (uint32_t)(x->columns % width);
	uint32_t half = x->is_halving ? HALF_FLOATS : 0;
	size_t whole = x->columns - left;
	const float *b = x->b;

	/* Only the narrow kernels go beyond. */
	PS_DEBUG_ASSERT(x->columns <= VECTOR_FLOATS || rows <= TILE_ROWS);
	if (whole > 0) {
		strips[rows](x, c, a, lda, next);
		b += whole / width * x->strip_step;
		c += whole;
	}
	if (left > VECTOR_FLOATS + half) {
		wide_rest[rows](x, c, a, lda, b, left);
		return;
	}
	if (left > half) {
		narrow_rest[rows](x, c, a, lda, b, PS_MIN(left, VECTOR_FLOATS));
		if (left <= VECTOR_FLOATS)
			return;
		c += VECTOR_FLOATS;
		b += VECTOR_FLOATS;
		left -= VECTOR_FLOATS;
	}
	if (left > 0)
		half_panel(x, c, a, lda, b, left, (uint32_t)rows);
}

PS_INLINE void
copy_row(float *to, const float *from, size_t n)
{
	size_t i = 0;
	part tail;

	for (; i + VECTOR_FLOATS <= n; i += VECTOR_FLOATS)
		vector_store(to + i, vector_load(from + i));
	if (i == n)
		return;
	tail = part_of((uint32_t)(n - i));
	vector_store_part(to + i, vector_load_part(from + i, tail), tail);
}

PS_INLINE void
copied_panel(const struct ps_matrix_block *x, float *copy, float *c,
	     const float *a, bool is_last, size_t rows)
{
	for (size_t i = 0; i < rows; i++)
		copy_row(copy + i * PS_MATRIX_PANEL_STRIDE, a + i * x->lda,
			 x->depth);
	one_panel(x, c, copy, PS_MATRIX_PANEL_STRIDE,
		  is_last ? NULL : a + rows * x->lda, rows);
}

PS_INLINE uint32_t
rows_of_a_panel(const struct ps_matrix_block *x)
{
	if (x->columns <= VECTOR_FLOATS)
		return NARROW_ROWS;
	return x->depth <= 8 ? PS_MIN(4, TILE_ROWS) : TILE_ROWS;
}

/* Panels of nearly one height: 13 rows are 7 and 6.  One is not divided. */
PS_INLINE size_t
even_height(size_t left, size_t panels_left)
{
	return panels_left == 1 ? left : (left + panels_left - 1) / panels_left;
}

PS_INLINE void
all_panels(const struct ps_matrix_block *x, float *copy)
{
	uint32_t rows_max = rows_of_a_panel(x);
	size_t panels_left = 1;
	const float *a = x->a;
	float *c = x->c;
	size_t rows;

	PS_ASSERT(x->depth >= 1 && x->columns >= 1);
	if (x->rows > rows_max)
		panels_left = (x->rows + rows_max - 1) / rows_max;
	for (size_t left = x->rows; left > 0; left -= rows, panels_left--) {
		rows = even_height(left, panels_left);
		if (copy != NULL)
			copied_panel(x, copy, c, a, left == rows, rows);
		else
			one_panel(x, c, a, x->lda, NULL, rows);
		a += rows * x->lda;
		c += rows * x->ldc;
	}
	PS_DEBUG_ASSERT(panels_left == 0);
}

/* Apart from vector_block, which then has no frame to set up. */
static PS_NOINLINE void
copied_block(const struct ps_matrix_block *x)
{
	PS_ALIGNED(PS_CACHE_LINE)
	float copy[NARROW_ROWS * PS_MATRIX_PANEL_STRIDE];

	PS_ASSERT(x->depth <= PS_MATRIX_DEPTH_MAX);
	all_panels(x, copy);
}

PS_INLINE void
plain_block(const struct ps_matrix_block *x)
{
	all_panels(x, NULL);
}

#endif /* PS_SIMD_VECTOR_BLOCK_H */
