/* SPDX-License-Identifier: MIT */
/*
 * matrix - C = A B: which kernel, in which blocks
 *
 * Large products follow Goto and van de Geijn (Anatomy of High-Performance
 * Matrix Multiplication, 2008), with the roles of A and B swapped, because
 * row-major B can be packed by copying whole vectors:
 *   for each block of B, depth x width:	copied to the workspace (L2),
 *						in strips one tile wide
 *     for each panel of A, 12 rows x depth:	in L1
 *	 for each strip:			one tile of C in registers
 *
 * What each step gave (GFLOP/s, bench_matrix, AVX-512 on a Zen 4 guest, one
 * thread, peak 118):					n = 8	64  256 2048
 *   12 x 32 tiles, A and B always copied		   10  102  111  100
 *   small A and B in place, a kernel for every height	   28  113  113   99
 *   C's lines and the next panel of A fetched ahead	   33  115  113  105
 *   A copied only out of rows that compete for L1	   33  115  117  106
 * One thread of OpenBLAS 0.3.21 and BLIS 0.9.0, the faster: 28  116  114  108
 *
 * And what the rest gave to those that need it, on an Emerald Rapids guest
 * (peak 197) beside OpenBLAS's kernels for SkylakeX:	before after OpenBLAS
 *   a vector wide: tiles, no plan	   2 x 2 x 2	   0.6	 1.4	 0.9
 *					   8 x 8 x 8	  26	45	27
 *   depth of 1 to 4: row by row	 241 x 778 x 2	  25	40	28
 *   ends of rows by whole vectors	  18 x 18 x 18	  52	74	65
 *   few rows: packed, fetched ahead   36 x 1109 x 1016	  90   104     111
 *   one or two columns left: dots	  65 x 65 x 65	 135   152	 154
 *
 * Plans, by shape:
 * - small, a vector wide or less: the tiles alone;
 * - in place: B is not copied; it comes from L2, or is used by a few panels
 *   only, and copying costs 1/m of the arithmetic; a column or two behind the
 *   strips go to the dots, where a tile would be nearly empty;
 * - packed: as above; dots, up to 4 columns: along the depth; flat, up to 3
 *   rows: along those of B; shallow, depth up to 4: along C's (vector_*.h).
 *
 * A panel of A is copied to the stack, out of rows that compete for the same
 * sets of L1, and of matrices so wide that the copy is nothing; the next panel
 * is fetched meanwhile.  Depth and width are divided evenly: a last block of
 * depth 1 would store C again for nothing.
 * Edges: nothing outside the m x n elements of C is written and nothing
 * outside A and B is read; kernels end a row under a mask or in pieces.
 * Threads: no state but the static workspace, which packed products and dots
 * need and which has one owner at a time.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "simd/kernels.h"

enum plan { PLAN_IN_PLACE, PLAN_PACKED, PLAN_DOTS, PLAN_FLAT, PLAN_SHALLOW };

struct problem {
	const struct ps_simd_kernels *kernels;
	float *workspace;
	float *c;
	const float *a;
	const float *b;
	size_t ldc, lda, ldb;
	size_t m, n, k;
};

enum {
	WORKSPACE_FLOATS = 1 << 17, /* 512 KiB, half of a usual L2 */
	/* Below, packing is not worth it; B of 2 MiB comes from beyond L2. */
	PACKED_ROWS_MIN = 72,
	PACKED_ROWS_MIN_HUGE = 20,
	HUGE_FLOATS = 1 << 19,
	PACKED_FLOATS_MIN = 1 << 17, /* of B; less stays in L2 as it is */
	PACK_AHEAD = 16,	     /* rows of B on their way from memory */
	DEPTH = 256,		     /* when it does not fit in one block */
	WIDTH = 512,
	COPIED_COLUMNS_MIN = 512,
	COPIED_ROWS_MIN = 8,
	/* Rows of a multiple of 2 KiB fall on two of 64 sets of L1. */
	CONFLICT_FLOATS = 512,
	SMALL_DEPTH = 12,
	DOTS_DEPTH_MIN = 16,
	DOTS_DEPTH = 1024,
	REST_MAX = 2, /* columns behind so few strips that dots pay */
	REST_STRIPS_MAX = 4,
	FLAT_COLUMNS_MIN = 32,
	FLAT_WIDTH = 2048, /* three rows of C stay in L1 */
};

/* The largest part when `total` is divided evenly in parts of at most max. */
static size_t
even_part(size_t total, size_t max)
{
	size_t parts;

	PS_ASSERT(max > 0);
	if (total <= max)
		return total;
	parts = (total + max - 1) / max;
	return (total + parts - 1) / parts;
}

static enum plan
plan_of(size_t m, size_t n, size_t k)
{
	if (n <= PS_MATRIX_DOTS_MAX && k >= DOTS_DEPTH_MIN)
		return PLAN_DOTS;
	if (m <= PS_MATRIX_FLAT_MAX && n >= FLAT_COLUMNS_MIN)
		return PLAN_FLAT;
	if (k <= PS_MATRIX_SHALLOW_MAX)
		return PLAN_SHALLOW;
	if (m >= PACKED_ROWS_MIN && k * n >= PACKED_FLOATS_MIN)
		return PLAN_PACKED;
	if (m >= PACKED_ROWS_MIN_HUGE && k * n >= HUGE_FLOATS)
		return PLAN_PACKED;
	return PLAN_IN_PLACE;
}

/* ---- blocks ------------------------------------------------------------- */

/* The last strip may have fewer columns; what is behind them is not read. */
static void
pack_block(float *to, const struct ps_matrix_block *y, size_t ldb, size_t width)
{
	for (size_t j = 0; j < y->columns; j += width) {
		size_t columns = PS_MIN(width, y->columns - j);
		const float *from = y->b + j;

		for (size_t p = 0; p < y->depth; p++) {
			__builtin_prefetch(from + PACK_AHEAD * ldb);
			__builtin_prefetch(from + PACK_AHEAD * ldb +
					   PS_CACHE_LINE / sizeof(*from));
			memcpy(to, from, columns * sizeof(*to));
			to += width;
			from += ldb;
		}
	}
}

static void
multiply_block(const struct problem *x, struct ps_matrix_block *y,
	       bool is_packed)
{
	size_t width = x->kernels->tile_columns;

	PS_DEBUG_ASSERT(y->depth <= PS_MATRIX_DEPTH_MAX);
	if (is_packed) {
		PS_ASSERT(PS_ROUND_UP(y->columns, width) * y->depth <=
			  WORKSPACE_FLOATS);
		pack_block(x->workspace, y, x->ldb, width);
		y->b = x->workspace;
		y->ldb = width;
		y->strip_step = width * y->depth;
	}
	x->kernels->block(y);
}

/* Columns of a packed block: whole strips, as the workspace allows. */
static size_t
packed_width(const struct problem *x, size_t depth)
{
	size_t strip = x->kernels->tile_columns;
	size_t max = WORKSPACE_FLOATS / depth / strip * strip;

	return PS_ROUND_UP(even_part(x->n, PS_MIN(max, (size_t)WIDTH)), strip);
}

static bool
is_copying_pays(const struct problem *x)
{
	return x->m >= COPIED_ROWS_MIN && x->k >= x->kernels->vector &&
	       (x->n >= COPIED_COLUMNS_MIN || x->lda % CONFLICT_FLOATS == 0);
}

/*
 * Where 512 bits are two halves, 256 take half the time.  Elsewhere 256-bit
 * ones have one multiplier of two beside 512-bit ones (34 x 34 x 34: 104
 * GFLOP/s against 117).
 */
static bool
is_halving_pays(const struct problem *x)
{
	return ps_simd_loading_kernels() != x->kernels;
}

static void
multiply_blocks(const struct problem *x, bool is_packed)
{
	size_t depth =
	    x->k <= PS_MATRIX_DEPTH_MAX ? x->k : even_part(x->k, DEPTH);
	size_t width = is_packed ? packed_width(x, depth) : x->n;
	struct ps_matrix_block y = {.lda = x->lda,
				    .ldb = x->ldb,
				    .ldc = x->ldc,
				    .strip_step = x->kernels->tile_columns,
				    .rows = x->m,
				    .is_copying = is_copying_pays(x),
				    .is_halving = is_halving_pays(x)};

	for (size_t j = 0; j < x->n; j += y.columns) {
		y.columns = PS_MIN(width, x->n - j);
		y.c = x->c + j;
		for (size_t p = 0; p < x->k; p += y.depth) {
			y.depth = PS_MIN(depth, x->k - p);
			y.a = x->a + p;
			y.b = x->b + p * x->ldb + j;
			y.is_sum = p > 0;
			multiply_block(x, &y, is_packed);
		}
	}
}

/* ---- thin products ------------------------------------------------------ */

/* Few rows or little depth: the rows of B side by side. */
static void
multiply_along_rows(const struct problem *x,
		    void (*kernel)(const struct ps_matrix_block *x))
{
	struct ps_matrix_block y = {.a = x->a,
				    .lda = x->lda,
				    .ldb = x->ldb,
				    .ldc = x->ldc,
				    .rows = x->m,
				    .depth = x->k};

	for (size_t j = 0; j < x->n; j += y.columns) {
		y.columns = PS_MIN((size_t)FLAT_WIDTH, x->n - j);
		y.b = x->b + j;
		y.c = x->c + j;
		kernel(&y);
	}
}

/* Columns of B, each contiguous. */
static void
transpose(float *to, size_t ldb, const struct problem *x, size_t row,
	  size_t depth)
{
	const float *from = x->b + row * x->ldb;

	PS_ASSERT(ldb >= depth && ldb * x->n <= WORKSPACE_FLOATS);
	for (size_t j = 0; j < x->n; j++) {
		for (size_t p = 0; p < depth; p++)
			to[p] = from[p * x->ldb + j];
		to += ldb;
	}
}

static void
multiply_dots(const struct problem *x)
{
	/* One column loads more than it computes. */
	const struct ps_simd_kernels *kernels =
	    x->n == 1 ? ps_simd_loading_kernels() : x->kernels;
	size_t depth = even_part(x->k, DOTS_DEPTH);
	struct ps_matrix_block y = {.c = x->c,
				    .b = x->workspace,
				    .lda = x->lda,
				    .ldb = PS_ROUND_UP(depth, (size_t)16),
				    .ldc = x->ldc,
				    .rows = x->m,
				    .columns = x->n};

	for (size_t p = 0; p < x->k; p += y.depth) {
		y.depth = PS_MIN(depth, x->k - p);
		y.a = x->a + p;
		y.is_sum = p > 0;
		if (x->n == 1 && x->ldb == 1)
			y.b = x->b + p;
		else
			transpose(x->workspace, y.ldb, x, p, y.depth);
		kernels->dots(&y);
	}
}

/* Of the last columns, how many go to the dots. */
static size_t
rest_columns(const struct ps_simd_kernels *kernels, size_t n, size_t k)
{
	size_t width = kernels->tile_columns;

	PS_ASSERT(width > 0);
	return n > width && n / width <= REST_STRIPS_MAX &&
		       n % width <= REST_MAX && k >= DOTS_DEPTH_MIN
		   ? n % width
		   : 0;
}

static void
multiply_in_place(const struct problem *x)
{
	struct problem whole = *x;
	struct problem rest = *x;

	rest.n = rest_columns(x->kernels, x->n, x->k);
	whole.n -= rest.n;
	rest.c += whole.n;
	rest.b += whole.n;
	multiply_blocks(&whole, false);
	if (rest.n > 0)
		multiply_dots(&rest);
}

static void
multiply(const struct problem *x, enum plan plan)
{
	if (plan == PLAN_DOTS)
		multiply_dots(x);
	else if (plan == PLAN_FLAT)
		multiply_along_rows(x, x->kernels->flat);
	else if (plan == PLAN_SHALLOW)
		multiply_along_rows(x, x->kernels->shallow);
	else if (plan == PLAN_PACKED)
		multiply_blocks(x, true);
	else
		multiply_in_place(x);
}

/* ---- the front ---------------------------------------------------------- */

/* At most a vector wide and not deep, nor nothing. */
static bool
is_small(const struct ps_simd_kernels *kernels, size_t m, size_t n, size_t k)
{
	size_t depth_max = PS_MATRIX_DEPTH_MAX;

	if (n <= PS_MATRIX_DOTS_MAX)
		depth_max = n == 1 ? DOTS_DEPTH_MIN - 1 : SMALL_DEPTH * n;
	/* Less 1: none is 0 either. */
	return m > 0 && n - 1 < kernels->vector && k - 1 < depth_max &&
	       kernels->small != NULL;
}

static void
multiply_small(const struct ps_simd_kernels *kernels, float *c, size_t ldc,
	       const float *a, size_t lda, const float *b, size_t ldb, size_t m,
	       size_t n, size_t k)
{
	const struct ps_matrix_block y = {.c = c,
					  .a = a,
					  .b = b,
					  .ldc = ldc,
					  .lda = lda,
					  .ldb = ldb,
					  .rows = m,
					  .columns = n,
					  .depth = k};

	kernels->small(&y);
}

static void
check_distances(size_t ldc, size_t lda, size_t ldb, size_t m, size_t n,
		size_t k)
{
	PS_ASSERT(m <= 1 || (lda >= k && ldc >= n));
	PS_ASSERT(k <= 1 || ldb >= n);
}

/* Products of nothing, and those without a kernel. */
static bool
is_done_by_reference(const struct problem *x)
{
	if (x->kernels->block != NULL && x->m != 0 && x->n != 0 && x->k != 0)
		return false;
	ps_matrix_multiply_scalar(x->c, x->ldc, x->a, x->lda, x->b, x->ldb,
				  x->m, x->n, x->k);
	return true;
}

size_t
ps_matrix_workspace_bytes(size_t n, size_t k)
{
	/* The widest strips, so that the answer outlives a change of set. */
	size_t width = PS_ROUND_UP(PS_MIN(n, (size_t)WIDTH),
				   (size_t)PS_MATRIX_TILE_COLUMNS_MAX);
	size_t packed = width * PS_MIN(k, (size_t)PS_MATRIX_DEPTH_MAX);
	size_t deep = PS_ROUND_UP(PS_MIN(k, (size_t)DOTS_DEPTH), (size_t)16);
	size_t transposed = PS_MATRIX_DOTS_MAX * deep;

	packed = PS_MIN(packed, (size_t)WORKSPACE_FLOATS);
	return PS_MAX(packed, transposed) * sizeof(float);
}

void
ps_matrix_multiply_in(void *workspace, float *c, size_t ldc, const float *a,
		      size_t lda, const float *b, size_t ldb, size_t m,
		      size_t n, size_t k)
{
	struct problem x = {
	    ps_simd_kernels(), workspace, c, a, b, ldc, lda, ldb, m, n, k};

	check_distances(ldc, lda, ldb, m, n, k);
	PS_ASSERT((uintptr_t)workspace % PS_CACHE_LINE == 0);
	if (!is_done_by_reference(&x))
		multiply(&x, plan_of(m, n, k));
}

/* Zero pages until used, and then kept: mapping them costs 0.2 ms a time. */
static struct {
	_Atomic bool is_taken;
	PS_ALIGNED(PS_CACHE_LINE)
	float floats[WORKSPACE_FLOATS];
} shared;

static int
multiply_on_fresh_pages(struct problem *x, enum plan plan)
{
	void *pages;
	int error = ps_os_map(sizeof(shared.floats), &pages);

	if (error != 0)
		return error;
	PS_ASSERT((uintptr_t)pages % PS_CACHE_LINE == 0);
	x->workspace = pages;
	multiply(x, plan);
	ps_os_unmap(pages, sizeof(shared.floats));
	return 0;
}

int
ps_matrix_multiply(float *c, size_t ldc, const float *a, size_t lda,
		   const float *b, size_t ldb, size_t m, size_t n, size_t k)
{
	const struct ps_simd_kernels *kernels = ps_simd_kernels();
	struct problem x;
	enum plan plan;

	check_distances(ldc, lda, ldb, m, n, k);
	if (ps_likely(is_small(kernels, m, n, k))) {
		multiply_small(kernels, c, ldc, a, lda, b, ldb, m, n, k);
		return 0;
	}
	x = (struct problem){kernels, shared.floats, c, a, b, ldc,
			     lda,     ldb,	     m, n, k};
	if (is_done_by_reference(&x))
		return 0;
	plan = plan_of(m, n, k);
	if (plan != PLAN_PACKED && plan != PLAN_DOTS &&
	    rest_columns(kernels, n, k) == 0) {
		multiply(&x, plan);
		return 0;
	}
	/* Acquire pairs with the release below: its owner is done with it. */
	if (atomic_exchange_explicit(&shared.is_taken, true,
				     memory_order_acquire))
		return multiply_on_fresh_pages(&x, plan);
	multiply(&x, plan);
	atomic_store_explicit(&shared.is_taken, false, memory_order_release);
	return 0;
}
