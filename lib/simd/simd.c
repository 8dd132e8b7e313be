/* SPDX-License-Identifier: MIT */
/*
 * simd - chooses the instruction set and forwards to its kernels
 *
 * The choice is one pointer.  It is made at the first call rather than by a
 * constructor (lib/ has none) or by an IFUNC (its resolver would run before
 * relocation); two threads that choose at once store the same value.
 *
 * Vector add has a choice of its own.  Zen 4 does a 512-bit store as two
 * halves and gets 283 GB/s out of L1 that way, 330 with 256-bit ones, while
 * the matrix kernel gains from the 32 registers (bench_simd).
 */
#include <errno.h>

#include "simd/cpu.h"
#include "simd/kernels.h"

static const struct ps_simd_kernels *_Atomic chosen;
static const struct ps_simd_kernels *_Atomic chosen_adder;

/* SIZE_MAX: not asked yet. */
static _Atomic size_t last_cache_bytes = SIZE_MAX;

static const struct ps_simd_kernels *const tables[PS_SIMD_ISAS] = {
    [PS_SIMD_SCALAR] = &ps_simd_scalar,
    [PS_SIMD_SSE2] = &ps_simd_sse2,
    [PS_SIMD_AVX2] = &ps_simd_avx2,
    [PS_SIMD_AVX512] = &ps_simd_avx512,
};

static enum ps_simd_isa
widest(void)
{
	struct ps_cpu_features cpu;

	ps_cpu_features(&cpu);
	if (cpu.has_avx512)
		return PS_SIMD_AVX512;
	return cpu.has_avx2 ? PS_SIMD_AVX2 : PS_SIMD_SSE2;
}

static enum ps_simd_isa
best_adder(enum ps_simd_isa isa)
{
	struct ps_cpu_features cpu;

	if (isa != PS_SIMD_AVX512)
		return isa;
	ps_cpu_features(&cpu);
	return cpu.is_avx512_split ? PS_SIMD_AVX2 : isa;
}

static PS_COLD void
choose(enum ps_simd_isa isa)
{
	const struct ps_simd_kernels *table = tables[isa];

	PS_ASSERT(table->isa == isa);
	PS_ASSERT(table->tile_columns % table->vector == 0);
	PS_ASSERT(table->tile_rows <= PS_MATRIX_TILE_ROWS_MAX);
	PS_ASSERT(table->tile_columns <= PS_MATRIX_TILE_COLUMNS_MAX);
	ps_poke(&chosen_adder, tables[best_adder(isa)]);
	ps_poke(&chosen, table);
}

const struct ps_simd_kernels *
ps_simd_kernels(void)
{
	if (ps_unlikely(ps_peek(&chosen) == NULL))
		choose(widest());
	return ps_peek(&chosen);
}

static const struct ps_simd_kernels *
adder(void)
{
	if (ps_unlikely(ps_peek(&chosen_adder) == NULL))
		choose(widest());
	return ps_peek(&chosen_adder);
}

enum ps_simd_isa
ps_simd_isa(void)
{
	return ps_simd_kernels()->isa;
}

const char *
ps_simd_name(enum ps_simd_isa isa)
{
	static const char names[PS_SIMD_ISAS][8] = {"scalar", "sse2", "avx2",
						    "avx512"};

	PS_ASSERT(isa < PS_SIMD_ISAS);
	return names[isa];
}

bool
ps_simd_supports(enum ps_simd_isa isa)
{
	/* Each set implies the ones before it. */
	return isa <= widest();
}

int
ps_simd_force(enum ps_simd_isa isa)
{
	if (isa == PS_SIMD_ISAS)
		isa = widest();
	if (!ps_simd_supports(isa))
		return -ENOTSUP;
	choose(isa);
	return 0;
}

static size_t
cache_bytes(void)
{
	size_t bytes = ps_peek(&last_cache_bytes);

	if (ps_unlikely(bytes == SIZE_MAX)) {
		bytes = ps_cpu_last_cache_bytes();
		PS_ASSERT(bytes != SIZE_MAX);
		ps_poke(&last_cache_bytes, bytes);
	}
	return bytes;
}

/* No cache is smaller: below this, CPUID need not be asked for its size. */
enum { STREAMED_FLOATS_MIN = 1 << 16 };

static bool
exceeds_caches(const float *dst, const float *a, const float *b, size_t n)
{
	size_t cache;

	if (ps_likely(n < STREAMED_FLOATS_MIN))
		return false;
	/* In place, the lines of dst are read anyway: nothing to save. */
	if (dst == a || dst == b)
		return false;
	cache = cache_bytes();
	return cache != 0 && n > cache / (3 * sizeof(float));
}

void
ps_vector_add(float *dst, const float *a, const float *b, size_t n)
{
	if (exceeds_caches(dst, a, b, n))
		ps_vector_add_streamed(dst, a, b, n);
	else
		ps_vector_add_cached(dst, a, b, n);
}

void
ps_vector_add_cached(float *dst, const float *a, const float *b, size_t n)
{
	adder()->add(dst, a, b, n);
}

void
ps_vector_add_streamed(float *dst, const float *a, const float *b, size_t n)
{
	PS_DEBUG_ASSERT((uintptr_t)dst % sizeof(float) == 0);
	adder()->add_streamed(dst, a, b, n);
}

uint64_t
ps_simd_burn(uint64_t rounds)
{
	const struct ps_simd_kernels *table = ps_simd_kernels();
	volatile float sink;

	PS_ASSERT(table->burn_flops > 0);
	sink = table->burn(rounds);
	(void)sink;
	return rounds * table->burn_flops;
}
