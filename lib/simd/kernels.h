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
	/* The tallest tile, and the widest in floats, of all sets. */
	PS_MATRIX_TILE_ROWS_MAX = 12,
	PS_MATRIX_TILE_COLUMNS_MAX = 32,
	/*
	 * Depth of a block; a panel of A, TILE_ROWS x DEPTH, stays in L1.  Its
	 * copy has rows PANEL_STRIDE apart: not a power of two, or all of
	 * them would compete for the same sets of L1.
	 */
	PS_MATRIX_DEPTH_MAX = 384,
	PS_MATRIX_PANEL_STRIDE = PS_MATRIX_DEPTH_MAX + 16,
	/* More columns than this are no matter for the `dots` kernel. */
	PS_MATRIX_DOTS_MAX = 4,
	/* More rows than this are no matter for the `flat` kernel. */
	PS_MATRIX_FLAT_MAX = 3,
	/* Deeper than this is no matter for the `shallow` kernel. */
	PS_MATRIX_SHALLOW_MAX = 4,
};
_Static_assert(PS_MATRIX_PANEL_STRIDE * sizeof(float) % PS_CACHE_LINE == 0,
	       "rows of the copy begin with a line");
_Static_assert((PS_MATRIX_PANEL_STRIDE & (PS_MATRIX_PANEL_STRIDE - 1)) != 0,
	       "rows of the copy are in different sets");
_Static_assert(PS_MATRIX_TILE_ROWS_MAX <= 16, "PS_UNROLL does so many");

/*
 * One block: c[i][j] (+)= sum over p < depth of a[i][p] * b[p][j].
 * B comes in strips of tile_columns columns (the last may have fewer), whose
 * starts are strip_step floats apart: tile_columns where B lies in place, the
 * size of a strip where it was copied.
 */
struct ps_matrix_block {
	float *c;
	const float *a;
	const float *b;
	size_t ldc, lda, ldb; /* ldb: within a strip */
	size_t strip_step;
	size_t rows, columns, depth; /* >= 1 each */
	bool is_sum;		     /* add to c, else store */
	bool is_copying;	     /* copy panels of A to the stack first */
	bool is_halving; /* the end of a row to narrower vectors, if any */
};

struct ps_simd_kernels {
	enum ps_simd_isa isa;
	uint32_t vector;       /* floats a register */
	uint32_t tile_columns; /* a multiple of vector */

	void (*add)(float *dst, const float *a, const float *b, size_t n);
	void (*add_streamed)(float *dst, const float *a, const float *b,
			     size_t n);
	void (*add_double)(double *dst, const double *a, const double *b,
			   size_t n);
	void (*add_double_streamed)(double *dst, const double *a,
				    const double *b, size_t n);

	/* NULL in the scalar table, as are the next four. */
	void (*block)(const struct ps_matrix_block *x);
	/*
	 * A block of few columns (<= PS_MATRIX_DOTS_MAX), whose b is
	 * transposed: b[j * ldb + p], so that both are read along p.
	 */
	void (*dots)(const struct ps_matrix_block *x);
	/* A block of few rows (<= PS_MATRIX_FLAT_MAX); b is in place. */
	void (*flat)(const struct ps_matrix_block *x);
	/* A whole product, depth <= PS_MATRIX_SHALLOW_MAX. */
	void (*shallow)(const struct ps_matrix_block *x);
	/* A whole product, columns <= vector, depth <= PS_MATRIX_DEPTH_MAX. */
	void (*small)(const struct ps_matrix_block *x);

	/* One round of ps_simd_burn. */
	float (*burn)(uint64_t rounds);
	uint32_t burn_flops;
};

extern const struct ps_simd_kernels ps_simd_scalar;
#if defined(__x86_64__)
extern const struct ps_simd_kernels ps_simd_sse2;
extern const struct ps_simd_kernels ps_simd_avx2;
extern const struct ps_simd_kernels ps_simd_avx512;
/*
 * `rows` rows of a block's last columns, half a vector or less; a has rows lda
 * apart, c and b point to the first of these columns.
 */
void ps_simd_avx512_half_panel(const struct ps_matrix_block *x, float *c,
			       const float *a, size_t lda, const float *b,
			       uint32_t columns, uint32_t rows);
#elif defined(__aarch64__)
extern const struct ps_simd_kernels ps_simd_neon;
#endif

/* The table in use; chosen at the first call. */
const struct ps_simd_kernels *ps_simd_kernels(void);

/* For loops that load more than they compute; see simd.c. */
const struct ps_simd_kernels *ps_simd_loading_kernels(void);

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
#else
#define PS_UNROLL _Pragma("GCC unroll 16")
#endif

#endif /* PS_SIMD_KERNELS_H */
