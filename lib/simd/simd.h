/* SPDX-License-Identifier: MIT */
/*
 * simd - vector add and matrix multiply by the widest instruction set that this
 * machine can run
 *
 * The set is chosen at the first call, by what both CPU and operating system
 * support, or as PERFSHIM_SIMD in the environment says (for tests; a set that
 * is not there or has no such name is passed over).  All functions may be
 * called from any thread, before start-up and in a fork child; they take no
 * lock and allocate no heap memory.
 */
#ifndef PS_SIMD_H
#define PS_SIMD_H

#include "base/base.h"

enum ps_simd_isa {
	PS_SIMD_SCALAR, /* the reference */
	PS_SIMD_SSE2,
	PS_SIMD_AVX2,	/* with FMA3 */
	PS_SIMD_AVX512, /* where it is no slower; else AVX2 for vector add */
	PS_SIMD_NEON,	/* 64-bit ARM */
	PS_SIMD_ISAS
};

enum ps_simd_isa ps_simd_isa(void);	      /* the one in use */
const char *ps_simd_name(enum ps_simd_isa i); /* "scalar", "sse2" ... */
bool ps_simd_supports(enum ps_simd_isa isa);  /* by CPU and OS */

/*
 * Use this set from now on (for tests and comparisons); PS_SIMD_ISAS goes back
 * to the widest.  0, or -ENOTSUP, and then nothing changed.  Not while
 * another thread is inside one of the functions below.
 */
int ps_simd_force(enum ps_simd_isa isa);

/*
 * dst[i] = a[i] + b[i] for i < n: one IEEE addition each, so every set gives
 * the same bits (but for the payload of a NaN that two NaNs make).  Any
 * alignment of the type; n may be 0, the pointers are then not looked at.  dst
 * may be a or b, or apart from them; other overlaps are not allowed.
 *
 * When the three arrays together exceed the last-level cache, dst is written
 * around the caches (measured in memory: 44 against 32 GB/s) and fenced; on
 * Sapphire and Emerald Rapids, when they exceed L2 (in L3: 41 against 28).
 */
void ps_vector_add(float *dst, const float *a, const float *b, size_t n);
void ps_vector_add_double(double *dst, const double *a, const double *b,
			  size_t n);

/* The same, with or without writing around the caches: for measuring. */
void ps_vector_add_cached(float *dst, const float *a, const float *b, size_t n);
void ps_vector_add_streamed(float *dst, const float *a, const float *b,
			    size_t n);

/*
 * C = A B.  Row-major; A is m x k, B is k x n, C is m x n; ldx is the distance
 * between the starts of two rows in floats (lda >= k, ldb >= n, ldc >= n).
 * C must not overlap A or B.  k = 0 makes C zero; m = 0 or n = 0 does
 * nothing.  Only the m x n elements of C are written.
 *
 * Error, for each element, whatever the set (Higham, Accuracy and Stability
 * of Numerical Algorithms, 3.5: any order of summation, fused or not):
 *     |c - exact| <= g * (|A| |B|),  g = k u / (1 - k u),  u = 2^-24
 * unless a product or sum over- or underflows.  NaN and infinity spread as
 * IEEE says.  Two sets may differ within that bound.
 *
 * Uses up to 20 KiB of stack and, for large products and those of one to four
 * columns, a workspace of up to 512 KiB: a static one, or, while another thread
 * has that, fresh pages.  0, or -ENOMEM when there are none, and then C is
 * untouched.
 */
int ps_matrix_multiply(float *c, size_t ldc, const float *a, size_t lda,
		       const float *b, size_t ldb, size_t m, size_t n,
		       size_t k);

/*
 * The same with the caller's workspace, which cannot fail.  It has room for
 * ps_matrix_workspace_bytes(n, k) bytes, aligned to a cache line.
 */
size_t ps_matrix_workspace_bytes(size_t n, size_t k);
void ps_matrix_multiply_in(void *workspace, float *c, size_t ldc,
			   const float *a, size_t lda, const float *b,
			   size_t ldb, size_t m, size_t n, size_t k);

/*
 * Independent chains of multiply-adds in registers, nothing else: what the
 * kernels are compared with.  Runs `rounds` rounds; returns how many floating
 * point operations that were.
 */
uint64_t ps_simd_burn(uint64_t rounds);

#endif /* PS_SIMD_H */
