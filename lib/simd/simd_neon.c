/* SPDX-License-Identifier: MIT */
/*
 * simd_neon - the kernels for 64-bit ARM
 *
 * 32 registers of four floats, with a fused multiply-add: a tile of 12 x 8.
 * ARM has no single store that goes around the caches (STNP, a pair, is a hint
 * that cores may ignore), so a streamed store is a plain one.
 */
#if defined(__aarch64__)

#include <arm_neon.h>

#include "base/base.h"

enum { VECTOR_FLOATS = 4, TILE_ROWS = 12, NARROW_ROWS = 12, HALF_FLOATS = 0 };
#include "simd/vector_type.h"

typedef uint32_t part;
typedef float32x4_t quad;

PS_INLINE part
part_of(uint32_t count)
{
	return count;
}

PS_INLINE vector
vector_load_part(const float *from, part count)
{
	float32x4_t v = vdupq_n_f32(0);

	if (count > 0)
		v = vld1q_lane_f32(from, v, 0);
	if (count > 1)
		v = vld1q_lane_f32(from + 1, v, 1);
	if (count > 2)
		v = vld1q_lane_f32(from + 2, v, 2);
	return (vector)v;
}

PS_INLINE void
vector_store_part(float *to, vector v, part count)
{
	float32x4_t x = (float32x4_t)v;

	if (count > 0)
		vst1q_lane_f32(to, x, 0);
	if (count > 1)
		vst1q_lane_f32(to + 1, x, 1);
	if (count > 2)
		vst1q_lane_f32(to + 2, x, 2);
}

PS_INLINE quad
vector_fold(vector v)
{
	return (quad)v;
}

PS_INLINE quad
quad_sums(quad a, quad b, quad c, quad d)
{
	return vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d));
}

PS_INLINE void
quad_store(float *to, quad q)
{
	vst1q_f32(to, q);
}

PS_INLINE void
vector_stream(float *to, vector v)
{
	vst1q_f32(to, (float32x4_t)v);
}

PS_INLINE void
vector_stream_end(void)
{
}

#include "simd/vector_half.h"
#include "simd/vector.h"

const struct ps_simd_kernels ps_simd_neon = VECTOR_KERNELS(PS_SIMD_NEON);

#else
typedef int no_neon_here; /* a translation unit is not empty */
#endif
