/* SPDX-License-Identifier: MIT */
/*
 * stream - ways to write STREAM's add, c = a + b, for comparison
 *
 * What people do to make it faster: let the compiler do it, vectors of 32 and
 * 64 bytes, fetching ahead for the loads or for the stores, stores around the
 * caches, and several pages at once.  n is any number; arrays do not overlap.
 */
#include <string.h>

#include "base/base.h"
#include "tests/bench/stream.h"

enum { LINE = 16, PAGE = 1024 }; /* floats */

typedef float v8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float v16 __attribute__((vector_size(64), aligned(4), may_alias));

static void
by_compiler(float *restrict c, const float *restrict a, const float *restrict b,
	    size_t n)
{
	for (size_t i = 0; i < n; i++)
		c[i] = a[i] + b[i];
}

/* LOOP(name, vector, floats at a time, what comes before them) */
#define LOOP(name, vector, floats, before)                                     \
	static void name(float *restrict c, const float *restrict a,           \
			 const float *restrict b, size_t n)                    \
	{                                                                      \
		const size_t lanes = sizeof(vector) / sizeof(float);           \
		size_t i = 0;                                                  \
                                                                               \
		for (; i + (floats) <= n; i += (floats)) {                     \
			before;                                                \
			PS_STREAM_UNROLL                                       \
			for (size_t j = 0; j < (floats); j += lanes)           \
				*(vector *)(c + i + j) =                       \
				    *(const vector *)(a + i + j) +             \
				    *(const vector *)(b + i + j);              \
		}                                                              \
		by_compiler(c + i, a + i, b + i, n - i);                       \
	}
#ifdef __clang__
#define PS_STREAM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PS_STREAM_UNROLL _Pragma("GCC unroll 16")
#endif

enum { AHEAD = 256 };

PS_INLINE void
fetch(const float *a, const float *b)
{
	for (int i = 0; i < 2 * LINE; i += LINE) {
		__builtin_prefetch(a + i + AHEAD);
		__builtin_prefetch(b + i + AHEAD);
	}
}

PS_INLINE void
fetch_to_write(const float *c, int ahead)
{
	__builtin_prefetch(c + ahead, 1);
	__builtin_prefetch(c + ahead + LINE, 1);
}

LOOP(by_8, v8, 8, )
LOOP(by_8_unrolled, v8, 64, )
LOOP(by_16, v16, 16, )
LOOP(by_16_unrolled, v16, 64, )
LOOP(fetching_loads, v8, 32, fetch(a + i, b + i))
LOOP(fetching_stores, v8, 32, fetch_to_write(c + i, LINE * 8))
LOOP(fetching_stores_far, v8, 32, fetch_to_write(c + i, AHEAD * 2))

/* Four pages side by side: four streams for each prefetcher. */
static void
by_pages(float *restrict c, const float *restrict a, const float *restrict b,
	 size_t n)
{
	size_t i = 0;

	for (; i + 4 * PAGE <= n; i += 4 * PAGE)
		for (size_t k = 0; k < PAGE; k += LINE)
			for (size_t page = 0; page < 4 * PAGE; page += PAGE)
				by_8(c + i + page + k, a + i + page + k,
				     b + i + page + k, LINE);
	by_compiler(c + i, a + i, b + i, n - i);
}

#if defined(__AVX__)
#include <immintrin.h>
static void
around_caches(float *restrict c, const float *restrict a,
	      const float *restrict b, size_t n)
{
	size_t i = (-(uintptr_t)c & 31) / sizeof(float);

	i = PS_MIN(i, n);
	by_compiler(c, a, b, i);
	for (; i + 8 <= n; i += 8)
		_mm256_stream_ps(c + i, (__m256)(*(const v8 *)(a + i) +
						 *(const v8 *)(b + i)));
	_mm_sfence();
	by_compiler(c + i, a + i, b + i, n - i);
}
#endif

const struct bench_stream bench_streams[] = {
    {"compiler", by_compiler},
    {"32 bytes", by_8},
    {"unrolled", by_8_unrolled},
    {"64 bytes", by_16},
    {"unrolled 64", by_16_unrolled},
    {"loads ahead", fetching_loads},
    {"stores ahead", fetching_stores},
    {"stores far ahead", fetching_stores_far},
    {"pages", by_pages},
#if defined(__AVX__)
    {"around caches", around_caches},
#endif
};
const size_t bench_stream_count = PS_COUNT(bench_streams);
