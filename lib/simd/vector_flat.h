/* SPDX-License-Identifier: MIT */
/*
 * vector_flat - products of up to 3 rows
 *
 * A tile would have too few chains of additions to hide their latency, and
 * would read B across its rows, 128 bytes of each.  Here eight rows of B are
 * read side by side from left to right, as the prefetcher likes it, while the
 * rows of C stay in L1.
 */
#ifndef PS_SIMD_VECTOR_FLAT_H
#define PS_SIMD_VECTOR_FLAT_H

#include "simd/vector_type.h"

enum { FLAT_DEPTH = 8 };

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
	PS_DEBUG_ASSERT(left <= 1);
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

#endif /* PS_SIMD_VECTOR_FLAT_H */
