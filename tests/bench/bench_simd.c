/* SPDX-License-Identifier: MIT */
/*
 * bench_simd - vector add per cache level and matrix multiply per size, for
 * every instruction set of this machine, next to its multiply-add peak
 *
 * Best of several repetitions after a warm-up, as STREAM does; bytes count the
 * three arrays, without write-allocate.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "simd/cpu.h"
#include "simd/simd.h"

enum { LEVELS = 4, SIZES = 5, REPEATS = 5 };

static size_t total_bytes[LEVELS] = {15 << 10, 384 << 10, 6 << 20, 192 << 20};
static const char *const level_name[LEVELS] = {"L1 15K", "L2 384K", "L3 6M",
					       "memory"};
static const size_t matrix_size[SIZES] = {64, 128, 192, 256, 512};

/* Offsets between the arrays keep them off each other's L1 sets. */
static double
add_gb_per_s(float *memory, size_t bytes)
{
	size_t n = bytes / (3 * sizeof(float));
	float *a = memory + n + 272;
	float *b = a + n + 272;
	size_t turns = PS_MAX((size_t)(40 << 20) / bytes, (size_t)1);
	uint64_t best = UINT64_MAX;

	for (int r = 0; r < REPEATS; r++) {
		uint64_t start = ps_os_monotonic_ns();

		for (size_t t = 0; t < turns; t++)
			ps_vector_add(memory, a, b, n);
		best = PS_MIN(best, ps_os_monotonic_ns() - start);
	}
	return (double)(turns * n * 3 * sizeof(float)) / (double)best;
}

static double
multiply_gflops(float *memory, size_t n)
{
	float *a = memory + n * n;
	float *b = a + n * n;
	uint64_t best = UINT64_MAX;
	size_t turns = PS_MAX((size_t)(2 << 20) / (n * n * n), (size_t)1);

	for (int r = 0; r < REPEATS; r++) {
		uint64_t start = ps_os_monotonic_ns();

		for (size_t t = 0; t < turns; t++)
			if (ps_matrix_multiply(memory, n, a, n, b, n, n, n,
					       n) != 0)
				return 0;
		best = PS_MIN(best, ps_os_monotonic_ns() - start);
	}
	return 2.0 * (double)(turns * n * n * n) / (double)best;
}

static double
peak_gflops(void)
{
	uint64_t best = UINT64_MAX;
	uint64_t flops = 0;

	for (int r = 0; r < REPEATS; r++) {
		uint64_t start = ps_os_monotonic_ns();

		flops = ps_simd_burn(100000);
		best = PS_MIN(best, ps_os_monotonic_ns() - start);
	}
	return (double)flops / (double)best;
}

static void
print_row(float *memory, enum ps_simd_isa isa)
{
	printf("%-8s", ps_simd_name(isa));
	for (int i = 0; i < LEVELS; i++)
		printf(" %8.1f", add_gb_per_s(memory, total_bytes[i]));
	printf(" |");
	for (int i = 0; i < SIZES; i++) {
		/* A quarter of a second for the scalar reference at most. */
		if (isa == PS_SIMD_SCALAR && matrix_size[i] > 256)
			printf(" %7s", "-");
		else
			printf(" %7.1f",
			       multiply_gflops(memory, matrix_size[i]));
	}
	printf(" | %7.1f\n", peak_gflops());
	fflush(stdout);
}

int
main(void)
{
	size_t bytes = total_bytes[LEVELS - 1] + (1 << 20);
	char model[PS_CPU_MODEL_BYTES];
	void *memory;

	if (ps_os_map(bytes, &memory) != 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < bytes / sizeof(float); i++)
		((float *)memory)[i] = 1;
	ps_cpu_model(model);
	printf("%s, last-level cache %zu MiB\n", model,
	       ps_cpu_last_cache_bytes() >> 20);
	printf("%-8s %-35s | %-39s | GFLOP/s\n%-8s", "", "vector add, GB/s",
	       "matrix multiply n x n, GFLOP/s", "set");
	for (int i = 0; i < LEVELS; i++)
		printf(" %8s", level_name[i]);
	printf(" |");
	for (int i = 0; i < SIZES; i++)
		printf(" %7zu", matrix_size[i]);
	printf(" |    peak\n");
	for (int isa = 0; isa < PS_SIMD_ISAS; isa++)
		if (ps_simd_force((enum ps_simd_isa)isa) == 0)
			print_row(memory, (enum ps_simd_isa)isa);
	return EXIT_SUCCESS;
}
