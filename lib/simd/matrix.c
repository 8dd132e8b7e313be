/* SPDX-License-Identifier: MIT */
/*
 * matrix - C = A B by blocks that fit the caches
 *
 * The scheme is that of Goto and van de Geijn (Anatomy of High-Performance
 * Matrix Multiplication, 2008), with the roles of A and B swapped, because
 * row-major B can be packed by copying whole vectors:
 *
 *   for each block of B, DEPTH x WIDTH:	copied to the workspace (L2),
 *						in strips one tile wide
 *     for each panel of A, tile_rows x DEPTH:	copied to the stack (L1)
 *	 for each strip:			one tile of C in registers
 *
 * A strip is contiguous in the order in which the tile kernel reads it; a
 * panel keeps rows, at a distance that is a constant, so that the kernel needs
 * one register to address all of them.  Copying B costs 1/m, copying A 1/n of
 * the arithmetic.
 *
 * Edges: a strip that is not a whole number of vectors is filled up with
 * zeros, and the tile then goes to a scratch tile first, from which only the
 * columns that exist are taken; so nothing outside the m x n elements of C is
 * written, and nothing outside A and B is read.  Rows that are left over have
 * kernels of their own.
 *
 * Threads: no state but the static workspace, which has one owner at a time.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "simd/kernels.h"

struct problem {
	const struct ps_simd_kernels *kernels;
	float *c;
	const float *a;
	const float *b;
	size_t ldc, lda, ldb;
	size_t m;
};

/* The part of B that is being multiplied, and where its packed copy is. */
struct block {
	float *strips;
	size_t row, column;
	size_t depth, width;
};

/* Floats of a strip's row: whole vectors, at most a tile. */
static uint32_t
strip_width(const struct ps_simd_kernels *kernels, size_t columns_left)
{
	PS_ASSERT(columns_left >= 1);
	if (columns_left >= kernels->tile_columns)
		return kernels->tile_columns;
	return (uint32_t)PS_ROUND_UP(columns_left, kernels->vector);
}

static void
pack_strip(float *to, const float *from, size_t ldb, size_t depth,
	   uint32_t width, uint32_t columns)
{
	PS_ASSERT(columns >= 1 && columns <= width);
	for (size_t p = 0; p < depth; p++) {
		memcpy(to, from, columns * sizeof(*to));
		for (uint32_t j = columns; j < width; j++)
			to[j] = 0;
		to += width;
		from += ldb;
	}
}

static void
pack_block(const struct problem *x, const struct block *y)
{
	float *to = y->strips;

	for (size_t j = 0; j < y->width;) {
		uint32_t width = strip_width(x->kernels, y->width - j);
		uint32_t columns = (uint32_t)PS_MIN(width, y->width - j);

		pack_strip(to, x->b + y->row * x->ldb + y->column + j, x->ldb,
			   y->depth, width, columns);
		to += y->depth * width;
		j += columns;
	}
}

/* A tile with fewer columns than its strip. */
static void
multiply_edge(const struct problem *x, float *c, const float *panel,
	      const float *strip, size_t depth, uint32_t rows, uint32_t width,
	      uint32_t columns, bool is_sum)
{
	PS_ALIGNED(PS_CACHE_LINE)
	float scratch[PS_MATRIX_TILE_ROWS_MAX * PS_MATRIX_TILE_COLUMNS_MAX];

	PS_ASSERT(rows <= PS_MATRIX_TILE_ROWS_MAX);
	PS_ASSERT(columns < width && width <= PS_MATRIX_TILE_COLUMNS_MAX);
	x->kernels->tile(scratch, width, panel, strip, depth, rows, width,
			 false);
	for (uint32_t i = 0; i < rows; i++) {
		for (uint32_t j = 0; j < columns; j++) {
			float sum = scratch[i * width + j];

			if (is_sum)
				sum += c[i * x->ldc + j];
			c[i * x->ldc + j] = sum;
		}
	}
}

/* One panel of A times all strips of the block. */
static void
multiply_panel(const struct problem *x, const struct block *y,
	       const float *panel, size_t row, uint32_t rows)
{
	const float *strip = y->strips;
	float *c = x->c + row * x->ldc + y->column;
	bool is_sum = y->row != 0;

	for (size_t j = 0; j < y->width;) {
		uint32_t width = strip_width(x->kernels, y->width - j);
		uint32_t columns = (uint32_t)PS_MIN(width, y->width - j);

		if (columns == width)
			x->kernels->tile(c + j, x->ldc, panel, strip, y->depth,
					 rows, width, is_sum);
		else
			multiply_edge(x, c + j, panel, strip, y->depth, rows,
				      width, columns, is_sum);
		strip += y->depth * width;
		j += columns;
	}
}

static void
multiply_block(const struct problem *x, const struct block *y)
{
	PS_ALIGNED(PS_CACHE_LINE)
	float panel[PS_MATRIX_TILE_ROWS_MAX * PS_MATRIX_PANEL_STRIDE];
	uint32_t rows;

	PS_ASSERT(y->depth >= 1 && y->depth <= PS_MATRIX_DEPTH);
	PS_ASSERT(y->width >= 1 && y->width <= PS_MATRIX_WIDTH);
	pack_block(x, y);
	for (size_t i = 0; i < x->m; i += rows) {
		rows = (uint32_t)PS_MIN(x->kernels->tile_rows, x->m - i);
		for (uint32_t r = 0; r < rows; r++)
			memcpy(panel + (size_t)r * PS_MATRIX_PANEL_STRIDE,
			       x->a + (i + r) * x->lda + y->row,
			       y->depth * sizeof(*panel));
		multiply_panel(x, y, panel, i, rows);
	}
}

static void
clear(float *c, size_t ldc, size_t m, size_t n)
{
	for (size_t i = 0; i < m; i++)
		memset(c + i * ldc, 0, n * sizeof(*c));
}

size_t
ps_matrix_workspace_bytes(size_t n, size_t k)
{
	size_t width = PS_MIN(n, (size_t)PS_MATRIX_WIDTH);
	size_t depth = PS_MIN(k, (size_t)PS_MATRIX_DEPTH);

	/* The widest vector, so that the answer outlives a change of set. */
	width = PS_ROUND_UP(width, (size_t)PS_MATRIX_TILE_COLUMNS_MAX);
	return width * depth * sizeof(float);
}

void
ps_matrix_multiply_in(void *workspace, float *c, size_t ldc, const float *a,
		      size_t lda, const float *b, size_t ldb, size_t m,
		      size_t n, size_t k)
{
	struct problem x = {ps_simd_kernels(), c, a, b, ldc, lda, ldb, m};
	struct block y = {.strips = workspace};

	PS_ASSERT(m <= 1 || (lda >= k && ldc >= n));
	PS_ASSERT(k <= 1 || ldb >= n);
	PS_ASSERT((uintptr_t)workspace % PS_CACHE_LINE == 0);
	if (x.kernels->tile == NULL) {
		ps_matrix_multiply_scalar(c, ldc, a, lda, b, ldb, m, n, k);
		return;
	}
	if (k == 0)
		clear(c, ldc, m, n);
	for (; y.column < n; y.column += y.width) {
		y.width = PS_MIN(n - y.column, (size_t)PS_MATRIX_WIDTH);
		for (y.row = 0; y.row < k; y.row += y.depth) {
			y.depth = PS_MIN(k - y.row, (size_t)PS_MATRIX_DEPTH);
			multiply_block(&x, &y);
		}
	}
}

/* Zero pages until used, and then kept: mapping them costs 0.2 ms a time. */
static struct {
	_Atomic bool is_taken;
	PS_ALIGNED(PS_CACHE_LINE)
	float floats[PS_MATRIX_DEPTH * PS_MATRIX_WIDTH];
} shared;

static int
multiply_on_fresh_pages(size_t bytes, float *c, size_t ldc, const float *a,
			size_t lda, const float *b, size_t ldb, size_t m,
			size_t n, size_t k)
{
	void *pages;
	int error;

	/* With n = 0 or k = 0 there is nothing to pack, but a page to map. */
	bytes = PS_MAX(bytes, (size_t)PS_CACHE_LINE);
	error = ps_os_map(bytes, &pages);
	if (error != 0)
		return error;
	PS_ASSERT((uintptr_t)pages % PS_CACHE_LINE == 0);
	ps_matrix_multiply_in(pages, c, ldc, a, lda, b, ldb, m, n, k);
	ps_os_unmap(pages, bytes);
	return 0;
}

int
ps_matrix_multiply(float *c, size_t ldc, const float *a, size_t lda,
		   const float *b, size_t ldb, size_t m, size_t n, size_t k)
{
	size_t bytes = ps_matrix_workspace_bytes(n, k);

	PS_ASSERT(bytes <= sizeof(shared.floats));
	/* Acquire pairs with the release below: its owner is done with it. */
	if (atomic_exchange_explicit(&shared.is_taken, true,
				     memory_order_acquire))
		return multiply_on_fresh_pages(bytes, c, ldc, a, lda, b, ldb, m,
					       n, k);
	ps_matrix_multiply_in(shared.floats, c, ldc, a, lda, b, ldb, m, n, k);
	atomic_store_explicit(&shared.is_taken, false, memory_order_release);
	return 0;
}
