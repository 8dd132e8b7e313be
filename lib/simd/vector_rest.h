/* SPDX-License-Identifier: MIT */
/*
 * vector_rest - a kernel for every height of a panel: its whole strips, and
 * what is left of its rows behind them
 */
#ifndef PS_SIMD_VECTOR_REST_H
#define PS_SIMD_VECTOR_REST_H

#include "simd/vector_tile.h"

typedef void strips_function(const struct ps_matrix_block *x, float *c,
			     const float *a, size_t lda, const float *next);
typedef void rest_function(const struct ps_matrix_block *x, float *c,
			   const float *a, size_t lda, const float *b,
			   uint32_t columns);

#define KERNELS_OF(rows)                                                       \
	static PS_NOINLINE void strips_##rows(const struct ps_matrix_block *x, \
					      float *c, const float *a,        \
					      size_t lda, const float *next)   \
	{                                                                      \
		if ((rows) <= TILE_ROWS)                                       \
			strips_of(x, c, a, lda, next, rows);                   \
	}                                                                      \
	static PS_NOINLINE void wide_rest_##rows(                              \
	    const struct ps_matrix_block *x, float *c, const float *a,         \
	    size_t lda, const float *b, uint32_t columns)                      \
	{                                                                      \
		if ((rows) <= TILE_ROWS)                                       \
			wide_rest_of(x, c, a, lda, b, columns, rows);          \
	}                                                                      \
	static PS_NOINLINE void narrow_rest_##rows(                            \
	    const struct ps_matrix_block *x, float *c, const float *a,         \
	    size_t lda, const float *b, uint32_t columns)                      \
	{                                                                      \
		narrow_rest_of(x, c, a, lda, b, columns, rows);                \
	}
KERNELS_OF(1)
KERNELS_OF(2)
KERNELS_OF(3)
KERNELS_OF(4)
KERNELS_OF(5)
KERNELS_OF(6)
KERNELS_OF(7)
KERNELS_OF(8)
KERNELS_OF(9)
KERNELS_OF(10)
KERNELS_OF(11)
KERNELS_OF(12)

#define ROW_OF(function)                                                       \
	{                                                                      \
		NULL, function##_1, function##_2, function##_3, function##_4,  \
		    function##_5, function##_6, function##_7, function##_8,    \
		    function##_9, function##_10, function##_11, function##_12, \
	}
static strips_function *const strips[] = ROW_OF(strips);
static rest_function *const wide_rest[] = ROW_OF(wide_rest);
static rest_function *const narrow_rest[] = ROW_OF(narrow_rest);
_Static_assert(PS_COUNT(strips) == PS_MATRIX_TILE_ROWS_MAX + 1,
	       "a kernel for every height");

#endif /* PS_SIMD_VECTOR_REST_H */
