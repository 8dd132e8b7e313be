/* SPDX-License-Identifier: MIT */
/*
 * bench_matrix - matrix multiply next to OpenBLAS and BLIS, in one run
 *
 * The rivals are loaded by dlopen from where the distribution puts them; one
 * that is not installed is a column of dashes.  All use one thread.  Rounds are
 * interleaved (each library once a round) and the best of each counts, as
 * STREAM does, so an interruption hits none of them for good.  A neighbour may
 * take half of the machine for longer than that: a size that is short of its
 * goal is measured up to five times more, all libraries alike, and the best of
 * all rounds counts.  Ratios are to the faster rival of that size.
 *
 * The distribution's libraries may not know the processor and take kernels for
 * an older one (OpenBLAS 0.3.21 on Emerald Rapids: SSE3, 34 GFLOP/s of 195).
 * So on a processor with AVX-512 they are told to use it, unless the
 *environment names other kernels or `installed` asks for what they choose by
 *themselves. What each took is printed.
 *
 *	bench_matrix [installed] [goals|shapes|odd|sweep]	without one, all
 *	bench_matrix [installed] one M N K
 *
 * Odd are all squares up to 160, most of which no vector divides.
 * The sweep is 200 sizes, tiny and thin ones among them: 100 squares from 2 to
 * 1200 in equal steps of the logarithm, and 100 shapes whose three sides are
 * drawn by themselves.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "simd/simd.h"
#include "tests/bench/rivals.h"

enum {
	LIBRARIES = 3,
	SWEEP = 200,
	ODD = 160,
	ROUNDS = 7,
	TRIES = 6,
	SIDE_MAX = 4096
};
#define ABSENT_S 1e9				/* takes for ever */
enum { ROW_MAJOR = 101, NOT_TRANSPOSED = 111 }; /* of CBLAS */

typedef void cblas_sgemm_function(int order, int trans_a, int trans_b, int m,
				  int n, int k, float alpha, const float *a,
				  int lda, const float *b, int ldb, float beta,
				  float *c, int ldc);

struct shape {
	size_t m, n, k;
};

static struct library {
	const char *name;
	const char *file;
	cblas_sgemm_function *multiply;
} libraries[LIBRARIES] = {
    {.name = "perfshim"},
    {.name = "OpenBLAS", .file = "libopenblas.so.0"},
    {.name = "BLIS", .file = "libblis.so.4"},
};

static const struct shape goals[] = {
    {8, 8, 8},		{16, 16, 16},	    {32, 32, 32},    {48, 48, 48},
    {64, 64, 64},	{128, 128, 128},    {256, 256, 256}, {512, 512, 512},
    {1024, 1024, 1024}, {2048, 2048, 2048},
};

static const struct shape shapes[] = {
    {63, 63, 63},   {257, 257, 257}, {1000, 1000, 1000}, {2048, 16, 256},
    {2048, 64, 64}, {1500, 7, 300},  {16, 2048, 256},	 {64, 2048, 64},
    {7, 1500, 300}, {256, 256, 8},   {1000, 1000, 5},	 {512, 512, 32},
    {32, 32, 4096}, {8, 8, 2048},    {1, 1024, 1024},	 {1024, 1, 1024},
    {1, 1, 4096},   {4, 4000, 4},    {4000, 4, 4},	 {333, 77, 1000},
};

/* Room for the largest of the shapes above, each. */
static float *mat_a, *mat_b, *mat_c;

static void
multiply_by(const struct library *l, const struct shape *s)
{
	if (l->file == NULL) {
		if (ps_matrix_multiply(mat_c, s->n, mat_a, s->k, mat_b, s->n,
				       s->m, s->n, s->k) != 0)
			abort();
	} else {
		l->multiply(ROW_MAJOR, NOT_TRANSPOSED, NOT_TRANSPOSED,
			    (int)s->m, (int)s->n, (int)s->k, 1, mat_a,
			    (int)s->k, mat_b, (int)s->n, 0, mat_c, (int)s->n);
	}
}

static double
flops_of(const struct shape *s)
{
	return 2.0 * (double)s->m * (double)s->n * (double)s->k;
}

static double
seconds_of(const struct library *l, const struct shape *s, int turns)
{
	double start = bench_now_s();

	for (int i = 0; i < turns; i++)
		multiply_by(l, s);
	return (bench_now_s() - start) / turns;
}

/* Seven rounds more: best[] are the shortest times so far. */
static void
measure(const struct shape *s, double best[LIBRARIES])
{
	/* About 2 ms a turn at 60 GFLOP/s. */
	int turns = (int)PS_MAX(1.2e8 / (flops_of(s) + 1e4), 1.0);

	for (int r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < LIBRARIES; i++) {
			const struct library *l = &libraries[i];
			double t;

			if (l->file != NULL && l->multiply == NULL)
				continue;
			multiply_by(l, s);
			t = seconds_of(l, s, turns);
			best[i] = PS_MIN(best[i], t);
		}
	}
}

/* Ours over the faster rival's; 1 without rivals. */
static double
ratio_of(const double best[LIBRARIES])
{
	double rival = PS_MIN(best[1], best[2]);

	return rival < ABSENT_S ? rival / best[0] : 1;
}

static double
print_size(const struct shape *s, double goal)
{
	double best[LIBRARIES] = {ABSENT_S, ABSENT_S, ABSENT_S};
	double ratio = 0;

	for (int i = 0; i < TRIES && ratio < goal; i++) {
		measure(s, best);
		ratio = ratio_of(best);
	}
	printf("%5zu x%5zu x%5zu", s->m, s->n, s->k);
	for (int i = 0; i < LIBRARIES; i++)
		printf(best[i] < ABSENT_S ? " %9.1f" : "         -",
		       flops_of(s) / best[i] / 1e9);
	printf(" %7.2f\n", ratio);
	fflush(stdout);
	return ratio;
}

static void
print_sizes(const char *title, const struct shape *list, size_t count,
	    double goal)
{
	double worst = 1e9;
	size_t short_of = 0;

	printf("%s, m x n x k, GFLOP/s\n%19s", title, "");
	for (int i = 0; i < LIBRARIES; i++)
		printf(" %9s", libraries[i].name);
	printf(" %7s\n", "ratio");
	for (size_t i = 0; i < count; i++) {
		double ratio = print_size(&list[i], goal);

		worst = PS_MIN(worst, ratio);
		short_of += ratio < goal;
	}
	printf("worst ratio %.2f; %zu of %zu below %.2f\n\n", worst, short_of,
	       count, goal);
}

static void
print_odd(void)
{
	struct shape odd[ODD];

	for (size_t i = 0; i < ODD; i++)
		odd[i] = (struct shape){i + 1, i + 1, i + 1};
	print_sizes("all squares", odd, ODD, 0.90);
}

static size_t
drawn(size_t max)
{
	static uint32_t state = 2463534242u;
	double x;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	/* Small and large alike: the square of an even draw. */
	x = (double)state / 4294967296.0;
	return 1 + (size_t)(x * x * (double)max);
}

static void
draw_sweep(struct shape list[SWEEP])
{
	double side = 2;

	for (int i = 0; i < SWEEP / 2; i++, side *= 1.0668) {
		size_t n = (size_t)side + (size_t)(i < 20 ? i / 3 : 0);

		list[i] = (struct shape){n, n, n};
	}
	for (int i = SWEEP / 2; i < SWEEP; i++)
		list[i] = (struct shape){drawn(1200), drawn(1200), drawn(1200)};
}

/* Which processor's kernels the library took. */
static void
print_kernels(const struct library *l, void *handle)
{
	void *symbols[] = {dlsym(handle, "openblas_get_corename"),
			   dlsym(handle, "bli_arch_query_id"),
			   dlsym(handle, "bli_arch_string")};
	const char *(*core_name)(void);
	int (*arch)(void);
	const char *(*arch_name)(int);
	float one = 1;
	float product;

	/* BLIS aborts when it is asked before it has chosen. */
	l->multiply(ROW_MAJOR, NOT_TRANSPOSED, NOT_TRANSPOSED, 1, 1, 1, 1, &one,
		    1, &one, 1, 0, &product, 1);
	memcpy(&core_name, &symbols[0], sizeof(core_name));
	memcpy(&arch, &symbols[1], sizeof(arch));
	memcpy(&arch_name, &symbols[2], sizeof(arch_name));
	if (core_name != NULL)
		printf("%s uses %s\n", l->name, core_name());
	if (arch != NULL && arch_name != NULL)
		printf("%s uses %s\n", l->name, arch_name(arch()));
}

/* The kernels for AVX-512, unless the caller has named others. */
static void
name_kernels(void)
{
	static const struct {
		const char *variable, *value;
	} best[] = {{"OPENBLAS_CORETYPE", "SkylakeX"},
		    {"BLIS_ARCH_TYPE", "skx"}};

	if (!ps_simd_supports(PS_SIMD_AVX512))
		return;
	for (size_t i = 0; i < PS_COUNT(best); i++) {
		if (getenv(best[i].variable) != NULL)
			continue;
		setenv(best[i].variable, best[i].value, 1);
		printf("%s=%s is set, to have the rival at its best\n",
		       best[i].variable, best[i].value);
	}
}

static void
load_rivals(void)
{
	/* Read when they are loaded: one thread each. */
	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	setenv("BLIS_NUM_THREADS", "1", 1);
	unsetenv("OPENBLAS_L2_SIZE");
	for (int i = 0; i < LIBRARIES; i++) {
		struct library *l = &libraries[i];
		void *handle, *function;

		if (l->file == NULL)
			continue;
		handle = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
		function = handle == NULL ? NULL : dlsym(handle, "cblas_sgemm");
		memcpy(&l->multiply, &function, sizeof(function));
		if (function == NULL)
			printf("%s is not installed (%s)\n", l->name, l->file);
		else
			print_kernels(l, handle);
	}
}

static float *
random_matrix(void)
{
	size_t floats = (size_t)SIDE_MAX * 2048 / 2 + 4096;
	float *m = aligned_alloc(4096, floats * sizeof(*m));

	if (m == NULL)
		abort();
	for (size_t i = 0; i < floats; i++)
		m[i] = (float)(i * 7919 % 1000) / 1000 - 0.5f;
	return m;
}

int
main(int argc, char **argv)
{
	bool is_installed = argc > 1 && strcmp(argv[1], "installed") == 0;
	const char *only;
	struct shape sweep[SWEEP];

	argc -= is_installed;
	argv += is_installed;
	only = argc > 1 ? argv[1] : "goals shapes odd sweep";
	if (!is_installed)
		name_kernels();
	load_rivals();
	mat_a = random_matrix();
	mat_b = random_matrix();
	mat_c = random_matrix();
	draw_sweep(sweep);
	printf("perfshim uses %s\n", ps_simd_name(ps_simd_isa()));
	if (argc == 5) {
		struct shape one = {(size_t)atol(argv[2]),
				    (size_t)atol(argv[3]),
				    (size_t)atol(argv[4])};

		print_sizes("one size", &one, 1, 0.95);
	}
	if (strstr(only, "goals") != NULL) {
		print_sizes("small squares", goals, 4, 0.90);
		print_sizes("squares", goals + 4, PS_COUNT(goals) - 4, 0.95);
	}
	if (strstr(only, "shapes") != NULL)
		print_sizes("odd, tall, flat and thin", shapes,
			    PS_COUNT(shapes), 0.90);
	if (strstr(only, "odd") != NULL)
		print_odd();
	if (strstr(only, "sweep") != NULL)
		print_sizes("sweep", sweep, SWEEP, 0.87);
	return EXIT_SUCCESS;
}
