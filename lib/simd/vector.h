/* SPDX-License-Identifier: MIT */
/*
 * vector - the kernels, written once for every vector width
 *
 * A file simd_<set>.c defines what follows, then includes this.  The code uses
 * the compiler's vector type, so that the sets differ in width and in the shape
 * of the tile, not in their source; `acc += x * v` becomes one fused
 * instruction where the set has it.
 *
 *	VECTOR_FLOATS	floats a register
 *	TILE_ROWS	rows of the matrix tile; see vector_tile.h
 *	NARROW_ROWS	rows of a tile that is one vector wide
 *	vector_stream()	write around the caches; the address is aligned
 *	part, part_of(), vector_load_part(), vector_store_part()
 *			the first `count` floats of a vector: nothing behind
 *			them is read or written
 */
#ifndef PS_SIMD_VECTOR_H
#define PS_SIMD_VECTOR_H

#include "simd/vector_add.h"
#include "simd/vector_block.h"
#include "simd/vector_burn.h"
#include "simd/vector_dots.h"
#include "simd/vector_flat.h"
#include "simd/vector_shallow.h"

static void
vector_block(const struct ps_matrix_block *x)
{
	if (x->is_copying)
		copied_block(x);
	else
		plain_block(x);
}

static void
vector_small(const struct ps_matrix_block *x)
{
	uint32_t columns = (uint32_t)x->columns;
	size_t panels_left = (x->rows + NARROW_ROWS - 1) / NARROW_ROWS;
	const float *a = x->a;
	float *c = x->c;
	size_t rows;

	PS_DEBUG_ASSERT(columns <= VECTOR_FLOATS);
	for (size_t left = x->rows; left > 0; left -= rows, panels_left--) {
		rows = even_height(left, panels_left);
		if (columns <= HALF_FLOATS)
			half_panel(x, c, a, x->lda, x->b, columns,
				   (uint32_t)rows);
		else
			narrow_rest[rows](x, c, a, x->lda, x->b, columns);
		a += rows * x->lda;
		c += rows * x->ldc;
	}
	PS_DEBUG_ASSERT(panels_left == 0);
}

#define VECTOR_KERNELS(set)                                                    \
	{                                                                      \
		.isa = (set), .vector = VECTOR_FLOATS,                         \
		.tile_columns = TILE_VECTORS * VECTOR_FLOATS,                  \
		.add = add_float, .add_streamed = add_float_streamed,          \
		.add_double = add_double,                                      \
		.add_double_streamed = add_double_streamed,                    \
		.block = vector_block, .dots = vector_dots,                    \
		.flat = vector_flat, .shallow = vector_shallow,                \
		.small = vector_small, .burn = vector_burn,                    \
		.burn_flops = 2 * VECTOR_FLOATS * BURN_CHAINS                  \
	}

#endif /* PS_SIMD_VECTOR_H */
