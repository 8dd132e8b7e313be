/* SPDX-License-Identifier: MIT */
/*
 * vector_dots - products of up to 4 columns, which leave most lanes of a tile
 * idle
 *
 * Rows of A and columns of B (which the caller transposed) are multiplied along
 * the depth, 4 rows at a time, and the lanes are summed at the end: 20 shuffles
 * and additions for 4 elements of C.  Eight rows at a time were slower (n = 1:
 * 33 against 43 GFLOP/s), for want of registers to address them.
 */
#ifndef PS_SIMD_VECTOR_DOTS_H
#define PS_SIMD_VECTOR_DOTS_H

#include "simd/vector_type.h"

enum { DOTS_ROWS = 4, DOTS_CHAINS = 4 };
_Static_assert(DOTS_ROWS == 4 && DOTS_CHAINS == 4, "quads are summed");

/* Sums of DOTS_ROWS rows times one column, to a column of C. */
PS_INLINE void
dots_store(const struct ps_matrix_block *x, float *c, const vector *sums)
{
	float each[4];

	quad_store(each, quad_sums(vector_fold(sums[0]), vector_fold(sums[1]),
				   vector_fold(sums[2]), vector_fold(sums[3])));
	for (uint32_t i = 0; i < DOTS_ROWS; i++)
		c[i * x->ldc] = each[i] + (x->is_sum ? c[i * x->ldc] : 0);
}

/* columns is a constant. */
PS_INLINE void
dots_of(const struct ps_matrix_block *x, float *c, const float *a,
	const uint32_t columns)
{
	vector acc[PS_MATRIX_DOTS_MAX][DOTS_ROWS] = {0};
	vector left[DOTS_ROWS];
	part tail;
	size_t p = 0;

	for (; p + VECTOR_FLOATS <= x->depth; p += VECTOR_FLOATS) {
		__asm__("" : "+r"(p)); /* or a loop is made of each column */
		PS_UNROLL
		for (uint32_t i = 0; i < DOTS_ROWS; i++) {
			left[i] = vector_load(a + i * x->lda + p);
			/* Or it is loaded anew for each column. */
			VECTOR_OPAQUE(left[i]);
		}
		PS_UNROLL
		for (uint32_t j = 0; j < columns; j++) {
			vector right = vector_load(x->b + j * x->ldb + p);

			PS_UNROLL
			for (uint32_t i = 0; i < DOTS_ROWS; i++)
				acc[j][i] += left[i] * right;
		}
	}
	if (p < x->depth) {
		tail = part_of((uint32_t)(x->depth - p));
		PS_UNROLL
		for (uint32_t i = 0; i < DOTS_ROWS; i++)
			left[i] = vector_load_part(a + i * x->lda + p, tail);
		PS_UNROLL
		for (uint32_t j = 0; j < columns; j++) {
			vector right =
			    vector_load_part(x->b + j * x->ldb + p, tail);

			PS_UNROLL
			for (uint32_t i = 0; i < DOTS_ROWS; i++)
				acc[j][i] += left[i] * right;
		}
	}
	PS_UNROLL
	for (uint32_t j = 0; j < columns; j++)
		dots_store(x, c + j, acc[j]);
}

/* One row, one column: chains of its own, or one addition waits for another. */
PS_INLINE void
dot(const struct ps_matrix_block *x, float *c, const float *a, const float *b)
{
	vector acc[DOTS_CHAINS] = {0};
	float sum[4];
	part tail;
	size_t p = 0;

	for (; p + DOTS_CHAINS * VECTOR_FLOATS <= x->depth;
	     p += DOTS_CHAINS * VECTOR_FLOATS) {
		PS_UNROLL
		for (uint32_t i = 0; i < DOTS_CHAINS; i++)
			acc[i] += vector_load(a + p + i * VECTOR_FLOATS) *
				  vector_load(b + p + i * VECTOR_FLOATS);
	}
	for (; p + VECTOR_FLOATS <= x->depth; p += VECTOR_FLOATS)
		acc[0] += vector_load(a + p) * vector_load(b + p);
	if (p < x->depth) {
		tail = part_of((uint32_t)(x->depth - p));
		acc[1] += vector_load_part(a + p, tail) *
			  vector_load_part(b + p, tail);
	}
	quad_store(sum, vector_fold((acc[0] + acc[1]) + (acc[2] + acc[3])));
	*c = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + (x->is_sum ? *c : 0);
}

/* columns is a constant. */
PS_INLINE void
all_dots(const struct ps_matrix_block *x, const uint32_t columns)
{
	size_t i = 0;

	for (; i + DOTS_ROWS <= x->rows; i += DOTS_ROWS)
		dots_of(x, x->c + i * x->ldc, x->a + i * x->lda, columns);
	for (; i < x->rows; i++)
		for (uint32_t j = 0; j < columns; j++)
			dot(x, x->c + i * x->ldc + j, x->a + i * x->lda,
			    x->b + j * x->ldb);
}

static void
vector_dots(const struct ps_matrix_block *x)
{
	PS_ASSERT(x->columns >= 1 && x->columns <= PS_MATRIX_DOTS_MAX);
	PS_ASSERT(x->columns == 1 || x->ldb >= x->depth); /* transposed */
	switch (x->columns) {
	case 1:
		all_dots(x, 1);
		break;
	case 2:
		all_dots(x, 2);
		break;
	case 3:
		all_dots(x, 3);
		break;
	default:
		all_dots(x, 4);
	}
}

#endif /* PS_SIMD_VECTOR_DOTS_H */
