/* SPDX-License-Identifier: MIT */
/*
 * vector_shallow - products of a depth of up to 4
 *
 * They write more than they compute.  A tile writes 128 bytes of each of its
 * rows, and the line that it ends in comes and goes twice; here C is written
 * row by row from left to right, while the few rows of B stay in L1.  Four rows
 * side by side load B once for all of them, but four streams of stores that
 * miss L1 are five times as slow as one (203 x 668 x 4: tiles 47 GFLOP/s, four
 * rows 11, one row 69): they are for what stays in L1.
 */
#ifndef PS_SIMD_VECTOR_SHALLOW_H
#define PS_SIMD_VECTOR_SHALLOW_H

#include "simd/vector_type.h"

enum {
	SHALLOW_ROWS = 4,
	SHALLOW_FLOATS = 1 << 13, /* of C, 32 KiB */
};

/* One vector of each row; rows, depth and is_part are constants. */
PS_INLINE void
shallow_step(const struct ps_matrix_block *x, float *c, const float *left,
	     const float *b, part tail, const uint32_t rows,
	     const uint32_t depth, const bool is_part)
{
	vector right[PS_MATRIX_SHALLOW_MAX];

	PS_UNROLL
	for (uint32_t p = 0; p < depth; p++)
		right[p] = is_part ? vector_load_part(b + p * x->ldb, tail)
				   : vector_load(b + p * x->ldb);
	PS_UNROLL
	for (uint32_t i = 0; i < rows; i++) {
		vector sum = left[i * depth] * right[0];

		PS_UNROLL
		for (uint32_t p = 1; p < depth; p++)
			sum += left[i * depth + p] * right[p];
		if (is_part)
			vector_store_part(c, sum, tail);
		else
			vector_store(c, sum);
		c += x->ldc;
	}
}

/* rows and depth are constants. */
PS_INLINE void
shallow_rows(const struct ps_matrix_block *x, size_t row, const uint32_t rows,
	     const uint32_t depth)
{
	float left[SHALLOW_ROWS * PS_MATRIX_SHALLOW_MAX];
	uint32_t rest = (uint32_t)(x->columns % VECTOR_FLOATS);
	size_t whole = x->columns - rest;
	float *c = x->c + row * x->ldc;
	size_t j = 0;

	PS_UNROLL
	for (uint32_t i = 0; i < rows * depth; i++)
		left[i] = x->a[(row + i / depth) * x->lda + i % depth];
	for (; j < whole; j += VECTOR_FLOATS)
		shallow_step(x, c + j, left, x->b + j, part_of(0), rows, depth,
			     false);
	if (rest > 0)
		shallow_step(x, c + j, left, x->b + j, part_of(rest), rows,
			     depth, true);
}

/* depth is a constant. */
PS_INLINE void
shallow_all(const struct ps_matrix_block *x, const uint32_t depth)
{
	size_t i = 0;

	if (x->rows * x->columns <= SHALLOW_FLOATS)
		for (; i + SHALLOW_ROWS <= x->rows; i += SHALLOW_ROWS)
			shallow_rows(x, i, SHALLOW_ROWS, depth);
	for (; i < x->rows; i++)
		shallow_rows(x, i, 1, depth);
}

static void
vector_shallow(const struct ps_matrix_block *x)
{
	PS_ASSERT(x->depth >= 1 && x->depth <= PS_MATRIX_SHALLOW_MAX);
	PS_ASSERT(!x->is_sum); /* it only stores */
	switch (x->depth) {
	case 1:
		shallow_all(x, 1);
		break;
	case 2:
		shallow_all(x, 2);
		break;
	case 3:
		shallow_all(x, 3);
		break;
	default:
		shallow_all(x, 4);
	}
}

#endif /* PS_SIMD_VECTOR_SHALLOW_H */
