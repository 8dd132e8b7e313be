/* SPDX-License-Identifier: MIT */
/*
 * vector_half - for sets that have no narrower one to give a row's end to
 */
#ifndef PS_SIMD_VECTOR_HALF_H
#define PS_SIMD_VECTOR_HALF_H

#include "simd/kernels.h"

PS_INLINE void
half_panel(const struct ps_matrix_block *x, float *c, const float *a,
	   size_t lda, const float *b, uint32_t columns, uint32_t rows)
{
	PS_ASSERT(columns == 0);
}

#endif /* PS_SIMD_VECTOR_HALF_H */
