/* SPDX-License-Identifier: MIT */
/*
 * vector_add - dst = a + b by vectors, for float and double
 *
 * dst is brought to alignment first: a store across a cache line costs two,
 * a load across one is nearly free.  Short arrays are not worth it.  The loops
 * are written for one element type and included for each.
 */
#ifndef PS_SIMD_VECTOR_ADD_H
#define PS_SIMD_VECTOR_ADD_H

#include "simd/vector_type.h"

#define ELEMENT float
#define ADD add_float
#define ADD_STREAMED add_float_streamed
#include "simd/vector_add_loops.h"

#define ELEMENT double
#define ADD add_double
#define ADD_STREAMED add_double_streamed
#include "simd/vector_add_loops.h"

#endif /* PS_SIMD_VECTOR_ADD_H */
