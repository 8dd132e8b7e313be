/* SPDX-License-Identifier: MIT */
/*
 * simd - chooses the instruction set and forwards to its kernels
 *
 * The choice is one pointer.  It is made at the first call rather than by a
 * constructor (lib/ has none) or by an IFUNC (its resolver would run before
 * relocation); two threads that choose at once store the same value.
 *
 * What loads more than it computes has a choice of its own: vector add, and
 * the product of a matrix and a vector.  Zen 4 does a 512-bit access as two
 * halves: vector add gets 283 GB/s out of L1 that way, 330 with 256 bits, while
 * the matrix kernel gains from the 32 registers (bench_simd).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "simd/cpu.h"
#include "simd/kernels.h"

static const struct ps_simd_kernels *_Atomic chosen;
static const struct ps_simd_kernels *_Atomic chosen_loading;

/* SIZE_MAX: not asked yet. */
static _Atomic size_t streamed_from_bytes = SIZE_MAX;

/* Of the architecture that this is compiled for. */
static const struct ps_simd_kernels *const tables[PS_SIMD_ISAS] = {
    [PS_SIMD_SCALAR] = &ps_simd_scalar,
#if defined(__x86_64__)
    [PS_SIMD_SSE2] = &ps_simd_sse2,
    [PS_SIMD_AVX2] = &ps_simd_avx2,
    [PS_SIMD_AVX512] = &ps_simd_avx512,
#elif defined(__aarch64__)
    [PS_SIMD_NEON] = &ps_simd_neon,
#endif
};

static const char names[PS_SIMD_ISAS][8] = {"scalar", "sse2", "avx2", "avx512",
					    "neon"};

static bool
is_supported(enum ps_simd_isa isa, const struct ps_cpu_features *cpu)
{
	if (tables[isa] == NULL)
		return false;
	switch (isa) {
	case PS_SIMD_AVX2:
		return cpu->has_avx2;
	case PS_SIMD_AVX512:
		return cpu->has_avx512;
	case PS_SIMD_NEON:
		return cpu->has_neon;
	default:
		return true;
	}
}

static enum ps_simd_isa
widest(const struct ps_cpu_features *cpu)
{
	int isa = PS_SIMD_ISAS - 1;

	while (!is_supported((enum ps_simd_isa)isa, cpu))
		isa--;
	PS_ASSERT(isa >= PS_SIMD_SCALAR);
	return (enum ps_simd_isa)isa;
}

static PS_COLD void
choose(enum ps_simd_isa isa, const struct ps_cpu_features *cpu)
{
	const struct ps_simd_kernels *table = tables[isa];
	const struct ps_simd_kernels *loading = table;

	PS_ASSERT(table != NULL && table->isa == isa);
	PS_ASSERT(table->tile_columns % table->vector == 0);
	PS_ASSERT(table->tile_columns <= PS_MATRIX_TILE_COLUMNS_MAX);
	PS_ASSERT((table->block == NULL) == (isa == PS_SIMD_SCALAR));
	if (isa == PS_SIMD_AVX512 && cpu->is_avx512_split)
		loading = tables[PS_SIMD_AVX2];
	PS_ASSERT(loading != NULL);
	ps_poke(&chosen_loading, loading);
	ps_poke(&chosen, table);
}

/* The set that PERFSHIM_SIMD names, or `isa` when it names none. */
static enum ps_simd_isa
named_in_environment(enum ps_simd_isa isa)
{
	static const char variable[] = "PERFSHIM_SIMD=";
	const size_t length = sizeof(variable) - 1;
	char **entry = environ;

	for (; entry != NULL && *entry != NULL; entry++) {
		if (strncmp(*entry, variable, length) != 0)
			continue;
		for (int i = 0; i < PS_SIMD_ISAS; i++) {
			if (strcmp(*entry + length, names[i]) == 0)
				return (enum ps_simd_isa)i;
		}
	}
	return isa;
}

static PS_COLD void
choose_first(void)
{
	struct ps_cpu_features cpu;
	enum ps_simd_isa isa;

	ps_cpu_features(&cpu);
	isa = named_in_environment(PS_SIMD_ISAS);
	if (isa == PS_SIMD_ISAS || !is_supported(isa, &cpu))
		isa = widest(&cpu);
	choose(isa, &cpu);
}

const struct ps_simd_kernels *
ps_simd_kernels(void)
{
	const struct ps_simd_kernels *table = ps_peek(&chosen);

	if (ps_unlikely(table == NULL)) {
		choose_first();
		table = ps_peek(&chosen);
	}
	return table;
}

const struct ps_simd_kernels *
ps_simd_loading_kernels(void)
{
	const struct ps_simd_kernels *table = ps_peek(&chosen_loading);

	if (ps_unlikely(table == NULL)) {
		choose_first();
		table = ps_peek(&chosen_loading);
	}
	return table;
}

enum ps_simd_isa
ps_simd_isa(void)
{
	return ps_simd_kernels()->isa;
}

const char *
ps_simd_name(enum ps_simd_isa isa)
{
	PS_ASSERT(isa < PS_SIMD_ISAS);
	return names[isa];
}

bool
ps_simd_supports(enum ps_simd_isa isa)
{
	struct ps_cpu_features cpu;

	PS_ASSERT(isa < PS_SIMD_ISAS);
	ps_cpu_features(&cpu);
	return is_supported(isa, &cpu);
}

int
ps_simd_force(enum ps_simd_isa isa)
{
	struct ps_cpu_features cpu;

	PS_ASSERT(isa <= PS_SIMD_ISAS);
	ps_cpu_features(&cpu);
	if (isa == PS_SIMD_ISAS)
		isa = widest(&cpu);
	if (!is_supported(isa, &cpu))
		return -ENOTSUP;
	choose(isa, &cpu);
	return 0;
}

static size_t
streamed_from(void)
{
	size_t bytes = ps_peek(&streamed_from_bytes);

	if (ps_unlikely(bytes == SIZE_MAX)) {
		bytes = ps_cpu_streamed_from_bytes();
		PS_ASSERT(bytes != SIZE_MAX);
		ps_poke(&streamed_from_bytes, bytes);
	}
	return bytes;
}

/* No such cache is smaller: below this, CPUID need not be asked. */
enum { STREAMED_BYTES_MIN = 1 << 18 };

static bool
exceeds_caches(const void *dst, const void *a, const void *b, size_t bytes)
{
	size_t cache;

	/* In place, the lines of dst are read anyway: nothing to save. */
	if (dst == a || dst == b)
		return false;
	cache = streamed_from();
	return cache != 0 && bytes > cache / 3;
}

/* Apart, so that short arrays pay for no frame: 3 % of a call in L1. */
static PS_NOINLINE void
add_large(float *dst, const float *a, const float *b, size_t n)
{
	if (exceeds_caches(dst, a, b, n * sizeof(*dst)))
		ps_vector_add_streamed(dst, a, b, n);
	else
		ps_vector_add_cached(dst, a, b, n);
}

void
ps_vector_add(float *dst, const float *a, const float *b, size_t n)
{
	if (ps_likely(n < STREAMED_BYTES_MIN / sizeof(*dst)))
		ps_vector_add_cached(dst, a, b, n);
	else
		add_large(dst, a, b, n);
}

void
ps_vector_add_cached(float *dst, const float *a, const float *b, size_t n)
{
	ps_simd_loading_kernels()->add(dst, a, b, n);
}

void
ps_vector_add_streamed(float *dst, const float *a, const float *b, size_t n)
{
	PS_DEBUG_ASSERT((uintptr_t)dst % sizeof(float) == 0);
	ps_simd_loading_kernels()->add_streamed(dst, a, b, n);
}

static PS_NOINLINE void
add_large_double(double *dst, const double *a, const double *b, size_t n)
{
	const struct ps_simd_kernels *kernels = ps_simd_loading_kernels();

	if (exceeds_caches(dst, a, b, n * sizeof(*dst)))
		kernels->add_double_streamed(dst, a, b, n);
	else
		kernels->add_double(dst, a, b, n);
}

void
ps_vector_add_double(double *dst, const double *a, const double *b, size_t n)
{
	if (ps_likely(n < STREAMED_BYTES_MIN / sizeof(*dst)))
		ps_simd_loading_kernels()->add_double(dst, a, b, n);
	else
		add_large_double(dst, a, b, n);
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
