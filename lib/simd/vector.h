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

static void
vector_block(const struct ps_matrix_block *x)
{
	if (x->is_copying)
		copied_block(x);
	else
		plain_block(x);
}

#define VECTOR_KERNELS(set)                                                    \
	{                                                                      \
		.isa = (set), .vector = VECTOR_FLOATS,                         \
		.tile_columns = TILE_VECTORS * VECTOR_FLOATS,                  \
		.add = add_float, .add_streamed = add_float_streamed,          \
		.add_double = add_double,                                      \
		.add_double_streamed = add_double_streamed,                    \
		.block = vector_block, .dots = vector_dots,                    \
		.flat = vector_flat, .burn = vector_burn,                      \
		.burn_flops = 2 * VECTOR_FLOATS * BURN_CHAINS                  \
	}

#endif /* PS_SIMD_VECTOR_H */
