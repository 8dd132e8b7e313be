/* SPDX-License-Identifier: MIT */
/*
 * kernels - what each instruction set provides to simd.c and matrix.c
 *
 * One static table a file simd_<set>.c, which the Makefile compiles with that
 * set's flags; nothing else may call into those files, because the compiler
 * uses the set in all of their code.
 */
#ifndef PS_SIMD_KERNELS_H
#define PS_SIMD_KERNELS_H

#include "simd/simd.h"

enum {
	/*
	 * Blocks of the matrix multiplication, in floats: a block of B is
	 * DEPTH x WIDTH (512 KiB, half of a usual L2), a panel of A at most
	 * TILE_ROWS_MAX x DEPTH (12 KiB, in L1).  The panel's rows are
	 * PANEL_STRIDE apart: not a power of two, or they would all compete
	 * for the same sets of L1.
	 */
	PS_MATRIX_DEPTH = 256,
	PS_MATRIX_WIDTH = 512,
	PS_MATRIX_PANEL_STRIDE = PS_MATRIX_DEPTH + 16,
	PS_MATRIX_TILE_ROWS_MAX = 12,
	PS_MATRIX_TILE_COLUMNS_MAX = 32,
};

struct ps_simd_kernels {
	enum ps_simd_isa isa;
	uint32_t vector;       /* floats a register */
	uint32_t tile_rows;    /* of C that one call of tile computes */
	uint32_t tile_columns; /* a multiple of vector */

	void (*add)(float *dst, const float *a, const float *b, size_t n);
	void (*add_streamed)(float *dst, const float *a, const float *b,
			     size_t n);

	/*
	 * c[i][j] (+)= sum over p < depth of a[i][p] * b[p][j] for
	 * i < rows <= tile_rows, j < columns.  a is a panel (row stride
	 * PS_MATRIX_PANEL_STRIDE), b is packed with row stride `columns`,
	 * which is a multiple of vector, up to tile_columns, and aligned to
	 * it.  depth >= 1.  is_sum: add to c, else store.  NULL in the
	 * scalar table: it multiplies by ps_matrix_multiply_scalar.
	 */
	void (*tile)(float *c, size_t ldc, const float *a, const float *b,
		     size_t depth, uint32_t rows, uint32_t columns,
		     bool is_sum);

	/* One round of ps_simd_burn. */
	float (*burn)(uint64_t rounds);
	uint32_t burn_flops;
};

extern const struct ps_simd_kernels ps_simd_scalar;
extern const struct ps_simd_kernels ps_simd_sse2;
extern const struct ps_simd_kernels ps_simd_avx2;
extern const struct ps_simd_kernels ps_simd_avx512;

/* The table in use; chosen at the first call. */
const struct ps_simd_kernels *ps_simd_kernels(void);

/* The reference: rows of C one after the other, no packing. */
void ps_matrix_multiply_scalar(float *c, size_t ldc, const float *a, size_t lda,
			       const float *b, size_t ldb, size_t m, size_t n,
			       size_t k);

/*
 * Unroll the next loop completely: accumulators stay in registers only when
 * every index into them is a constant.
 */
#ifdef __clang__
#define PS_UNROLL _Pragma("clang loop unroll(full)")
#define PS_UNROLL_TWICE _Pragma("clang loop unroll_count(2)")
#else
#define PS_UNROLL _Pragma("GCC unroll 16")
#define PS_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#endif /* PS_SIMD_KERNELS_H */
