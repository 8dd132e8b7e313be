/* SPDX-License-Identifier: MIT */
/*
 * vector_thin - products that a tile does badly: few columns, few rows
 *
 * dots: with up to 4 columns a tile would leave most lanes idle.  Rows of A and
 * columns of B (which the caller transposed) are multiplied along the depth,
 * 4 rows at a time, and the lanes are summed at the end.
 *
 * flat: with up to 3 rows a tile has too few chains of additions to hide their
 * latency, and would read B across its rows, 128 bytes of each.  Eight rows of
 * B are read side by side from left to right, as the prefetcher likes it, while
 * the rows of C stay in L1.
 */
#ifndef PS_SIMD_VECTOR_THIN_H
#define PS_SIMD_VECTOR_THIN_H

#include "simd/vector_type.h"

enum { DOTS_ROWS = 4, FLAT_DEPTH = 8, DOTS_CHAINS = 4 };

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

/* `depth` rows of B, a constant, into `rows` rows of C, a constant too. */
PS_INLINE void
flat_of(const struct ps_matrix_block *x, const float *a, const float *b,
	bool is_sum, const uint32_t rows, const uint32_t depth)
{
	float left[PS_MATRIX_FLAT_MAX][FLAT_DEPTH];
	part tail = part_of((uint32_t)(x->columns % VECTOR_FLOATS));
	size_t j = 0;

	PS_UNROLL
	for (uint32_t i = 0; i < rows; i++) {
		PS_UNROLL
		for (uint32_t p = 0; p < depth; p++)
			left[i][p] = a[i * x->lda + p];
	}
	for (; j < x->columns; j += VECTOR_FLOATS) {
		bool is_part = j + VECTOR_FLOATS > x->columns;
		vector acc[PS_MATRIX_FLAT_MAX] = {0};

		PS_UNROLL
		for (uint32_t i = 0; i < rows; i++) {
			const float *from = x->c + i * x->ldc + j;

			if (is_sum)
				acc[i] = is_part ? vector_load_part(from, tail)
						 : vector_load(from);
		}
		PS_UNROLL
		for (uint32_t p = 0; p < depth; p++) {
			const float *from = b + p * x->ldb + j;
			vector right = is_part ? vector_load_part(from, tail)
					       : vector_load(from);

			PS_UNROLL
			for (uint32_t i = 0; i < rows; i++)
				acc[i] += left[i][p] * right;
		}
		PS_UNROLL
		for (uint32_t i = 0; i < rows; i++) {
			float *to = x->c + i * x->ldc + j;

			if (is_part)
				vector_store_part(to, acc[i], tail);
			else
				vector_store(to, acc[i]);
		}
	}
}

/* rows is a constant. */
PS_INLINE void
flat_rows(const struct ps_matrix_block *x, const uint32_t rows)
{
	const float *a = x->a;
	const float *b = x->b;
	size_t left = x->depth;
	bool is_sum = x->is_sum;

	for (; left >= FLAT_DEPTH; left -= FLAT_DEPTH) {
		flat_of(x, a, b, is_sum, rows, FLAT_DEPTH);
		a += FLAT_DEPTH;
		b += FLAT_DEPTH * x->ldb;
		is_sum = true;
	}
	if (left >= 4) {
		flat_of(x, a, b, is_sum, rows, 4);
		a += 4;
		b += 4 * x->ldb;
		left -= 4;
		is_sum = true;
	}
	if (left >= 2) {
		flat_of(x, a, b, is_sum, rows, 2);
		a += 2;
		b += 2 * x->ldb;
		left -= 2;
		is_sum = true;
	}
	if (left > 0)
		flat_of(x, a, b, is_sum, rows, 1);
}

static void
vector_flat(const struct ps_matrix_block *x)
{
	PS_ASSERT(x->rows >= 1 && x->rows <= PS_MATRIX_FLAT_MAX);
	switch (x->rows) {
	case 1:
		flat_rows(x, 1);
		break;
	case 2:
		flat_rows(x, 2);
		break;
	default:
		flat_rows(x, 3);
	}
}

#endif /* PS_SIMD_VECTOR_THIN_H */
