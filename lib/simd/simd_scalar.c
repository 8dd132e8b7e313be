/* SPDX-License-Identifier: MIT */
/*
 * simd_scalar - the reference: plain C that one can read and believe
 *
 * The other sets are tested against it.  It is compiled for the baseline
 * processor; whatever the compiler makes of these loops, each addition is one
 * IEEE addition and sums run in the order written.
 */
#include "simd/kernels.h"

static void
add(float *dst, const float *a, const float *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = a[i] + b[i];
}

static void
add_double(double *dst, const double *a, const double *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = a[i] + b[i];
}

void
ps_matrix_multiply_scalar(float *c, size_t ldc, const float *a, size_t lda,
			  const float *b, size_t ldb, size_t m, size_t n,
			  size_t k)
{
	PS_ASSERT(m <= 1 || ldc >= n);
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++)
			c[i * ldc + j] = 0;
		for (size_t p = 0; p < k; p++) {
			for (size_t j = 0; j < n; j++)
				c[i * ldc + j] +=
				    a[i * lda + p] * b[p * ldb + j];
		}
	}
}

/* Eight chains hide the latency of a multiplication and an addition. */
static float
burn(uint64_t rounds)
{
	/* Not 2, which stays 2 and would be left out. */
	float x[8] = {3, 4, 5, 6, 7, 8, 9, 10};

	for (uint64_t r = 0; r < rounds; r++) {
		for (int i = 0; i < 8; i++)
			x[i] = x[i] * 0.5f + 1.0f;
	}
	return x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7];
}

const struct ps_simd_kernels ps_simd_scalar = {
    .isa = PS_SIMD_SCALAR,
    .vector = 1,
    .add = add,
    .add_streamed = add,
    .add_double = add_double,
    .add_double_streamed = add_double,
    .burn = burn,
    .burn_flops = 16,
};
