/* SPDX-License-Identifier: MIT */
/*
 * bench_machine - does the calibration repeat itself?
 *
 * Ten runs, quick and full: of quick, each is what nine processes leave in the
 * cache (measure/calibration_settle.h), here a tenth of a second apart, and
 * "round" shows what one of them alone would.  For each figure the median, the
 * spread (largest over smallest, less one) and the spread without the furthest
 * run, because on a shared machine one of ten is usually somebody else's.  The
 * goal is 3 % on a quiet machine.
 *
 * Caches and memory are shared with the neighbours, and move by a tenth and
 * more within seconds; so does the core's clock under wide vectors, which the
 * other cores of the socket set.  So one plain loop a level (stream.c; vectors
 * of 64 bytes, and around the caches for memory, which is flushed) runs over
 * the same working sets for half a second right before and after each run, and
 * is estimated as full is: by the upper quartile of its rounds, memory by the
 * best but one.  Its own spread tells whether the machine was quiet; where it
 * was not, the spread of the figure over it is what the calibration answers
 * for.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "measure/calibrate.h"
#include "measure/calibration_settle.h"
#include "measure/clock.h"
#include "measure/stat.h"
#include "simd/cpu.h"
#include "tests/bench/stream.h"

enum {
	RUNS = 10,
	LEVELS = 4,
	HUGE = 2 << 20,
	PLAIN_NS = 500000000,
	PLAIN_ROUNDS_MAX = 1000,
	REST_NS = 20000000,
	PROCESSES_APART_NS = 100000000
};
#define GOAL 0.03

static const struct {
	const char *name;
	size_t offset;
	double scale;
} figures[] = {
#define FIGURE(name, field, scale)                                             \
	{                                                                      \
		(name), offsetof(struct ps_calibration, field), (scale)        \
	}
    FIGURE("core frequency, GHz", core_hz, 1e-9),
    FIGURE("multiply-add peak, GFLOP/s", fma_flops, 1e-9),
    FIGURE("matrix multiply, GFLOP/s", matmul_flops, 1e-9),
    FIGURE("vector add in L1, GB/s", vector_add_l1, 1e-9),
    FIGURE("vector add in L2, GB/s", vector_add_l2, 1e-9),
    FIGURE("vector add in L3, GB/s", vector_add_l3, 1e-9),
    FIGURE("vector add in memory, GB/s", vector_add_dram, 1e-9),
    FIGURE("latency of memory, ns", latency_dram_ns, 1),
    FIGURE("TSC, GHz", tsc_hz, 1e-9),
    FIGURE("reading of the clock, ns", clock_ns, 1),
    FIGURE("step of the clock, ns", clock_quantum_ns, 1),
    FIGURE("CPU time of the calibration, ms", cost_ns, 1e-6),
};

static double
value_of(const struct ps_calibration *c, size_t figure)
{
	double value;

	memcpy(&value, (const char *)c + figures[figure].offset, sizeof(value));
	return value * figures[figure].scale;
}

/* The calibration's working sets, and passes in one round. */
static struct level {
	const char *name;
	size_t offset; /* of the figure */
	size_t floats; /* an array */
	int turns, passes;
	const char *way;
} levels[LEVELS] = {
    {"L1", offsetof(struct ps_calibration, vector_add_l1), 1280, 256, 9,
     "unrolled 64"},
    {"L2", offsetof(struct ps_calibration, vector_add_l2), 21760, 12, 9,
     "unrolled 64"},
    {"L3", offsetof(struct ps_calibration, vector_add_l3), 0, 2, 9,
     "unrolled 64"},
    {"memory", offsetof(struct ps_calibration, vector_add_dram), 1 << 20, 1, 4,
     "around caches"},
};

/* The best of each round, in GB/s. */
static struct plain {
	double of[LEVELS][PLAIN_ROUNDS_MAX];
	size_t count;
} plain_rounds;

/* The compiler's where this machine has no such way. */
static const struct bench_stream *
way_of(const struct level *l)
{
	for (size_t w = 0; w < bench_stream_count; w++)
		if (strcmp(bench_streams[w].name, l->way) == 0)
			return &bench_streams[w];
	return &bench_streams[0];
}

static double
pass_gb_per_s(const struct level *l, const struct bench_stream *way,
	      float *memory)
{
	double bytes = 3.0 * sizeof(float) * (double)l->floats * l->turns;
	uint64_t start;

	if (l == &levels[LEVELS - 1])
		ps_cpu_flush(memory, 3 * l->floats * sizeof(float));
	start = ps_os_monotonic_ns();
	for (int t = 0; t < l->turns; t++)
		way->add(memory, memory + l->floats, memory + 2 * l->floats,
			 l->floats);
	return bytes / (double)(ps_os_monotonic_ns() - start);
}

static double
round_gb_per_s(const struct level *l, float *memory)
{
	const struct bench_stream *way = way_of(l);
	double best = 0;

	for (int p = 0; p < l->passes; p++) {
		double gb_per_s = pass_gb_per_s(l, way, memory);

		best = PS_MAX(best, gb_per_s);
	}
	return best;
}

/* It goes round the levels for as long as full does: both meet the same. */
static void
run_plain(struct plain *plain, float *memory)
{
	uint64_t begun = ps_os_monotonic_ns();

	while (ps_os_monotonic_ns() - begun < PLAIN_NS &&
	       plain->count < PLAIN_ROUNDS_MAX) {
		for (int l = 0; l < LEVELS; l++)
			plain->of[l][plain->count] =
			    round_gb_per_s(&levels[l], memory);
		plain->count++;
	}
}

static void
settle_plain(struct plain *plain, double figures_of[LEVELS])
{
	for (int l = 0; l < LEVELS; l++) {
		size_t better = l == LEVELS - 1 ? 1 : plain->count / 4;

		PS_ASSERT(plain->count > better);
		ps_stat_sort(plain->of[l], plain->count);
		figures_of[l] = plain->of[l][plain->count - 1 - better];
	}
	plain->count = 0;
}

static float *
plain_memory(void)
{
	const size_t bytes = 3 * levels[LEVELS - 1].floats * sizeof(float);
	void *pages;
	float *memory;

	if (ps_os_map(bytes + HUGE, &pages) != 0)
		return NULL;
	(void)ps_os_huge(pages, bytes + HUGE);
	memory = (float *)PS_ROUND_UP((uintptr_t)pages, (uintptr_t)HUGE);
	memset(memory, 0, bytes);
	return memory;
}

static double
spread_of(double *values)
{
	ps_stat_sort(values, RUNS);
	return values[0] > 0 ? values[RUNS - 1] / values[0] - 1 : 0;
}

static void
print_spread(const char *name, double *values)
{
	double all, most;

	if (!(values[0] > 0))
		return; /* not measured by this kind */
	ps_stat_sort(values, RUNS);
	all = values[RUNS - 1] / values[0] - 1;
	most =
	    PS_MIN(values[RUNS - 2] / values[0], values[RUNS - 1] / values[1]) -
	    1;
	printf("  %-32s %10.3f %8.1f%% %8.1f%%%s\n", name, values[RUNS / 2],
	       all * 100, most * 100, most > GOAL ? "  beyond 3 %" : "");
}

static void
print_figure(const struct ps_calibration *runs, size_t figure)
{
	double values[RUNS];

	for (int i = 0; i < RUNS; i++)
		values[i] = value_of(&runs[i], figure);
	print_spread(figures[figure].name, values);
}

/* Returns whether the plain loops say that the machine was quiet. */
static bool
print_level(const struct ps_calibration *runs, int level,
	    double plain[RUNS][LEVELS])
{
	const struct level *l = &levels[level];
	double own[RUNS], theirs[RUNS], ratio[RUNS];
	double spread, ratio_spread;

	for (int i = 0; i < RUNS; i++) {
		memcpy(&own[i], (const char *)&runs[i] + l->offset,
		       sizeof(own[i]));
		theirs[i] = plain[i][level];
		ratio[i] = own[i] * 1e-9 / theirs[i];
	}
	if (!(own[0] > 0))
		return true; /* not measured by this kind */
	spread = spread_of(theirs);
	ratio_spread = spread_of(ratio);
	printf("  %-10s %8.1f%% %10.1f%% %8.3f %8.1f%%  %s\n", l->name,
	       spread_of(own) * 100, spread * 100, ratio[RUNS / 2],
	       ratio_spread * 100, spread <= GOAL ? "quiet" : "not quiet");
	return spread <= GOAL;
}

static void
print_levels(const struct ps_calibration *runs, double plain[RUNS][LEVELS])
{
	int quiet = 0;

	printf("\n  %-10s %9s %11s %8s %9s\n", "", "spread", "plain loops",
	       "ratio", "spread");
	for (int l = 0; l < LEVELS; l++)
		quiet += print_level(runs, l, plain);
	printf("the machine was %s: plain loops within 3 %% at %d of %d "
	       "levels\n\n",
	       quiet == LEVELS ? "quiet" : "not quiet", quiet, LEVELS);
}

/* As the first processes of a boot do it, from no cache on. */
static int
calibrate_quick(struct ps_calibration *out)
{
	static const struct ps_calibration_key key = {"boot", "cpu", "1"};
	char directory[] = "/tmp/bench_machine.XXXXXX";
	char path[PS_CALIBRATION_PATH_MAX];
	int error = 0;

	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/calibration", directory);
	for (uint64_t i = 1; i <= PS_QUICK_ROUNDS && error == 0; i++) {
		ps_os_sleep_ns(PROCESSES_APART_NS);
		error = ps_calibration_settle(PS_CALIBRATION_QUICK, path, &key,
					      i * PS_QUICK_APART_NS, out);
	}
	unlink(path);
	rmdir(directory);
	return error;
}

static int
calibrate(const char *kind, struct ps_calibration *out)
{
	ps_os_sleep_ns(REST_NS);
	if (strcmp(kind, "quick") == 0)
		return calibrate_quick(out);
	return ps_calibrate(strcmp(kind, "full") == 0 ? PS_CALIBRATION_FULL
						      : PS_CALIBRATION_QUICK,
			    out);
}

/* Ten runs of one kind, the plain loops before and after each. */
static int
run(const char *kind, float *memory)
{
	static struct ps_calibration runs[RUNS];
	double plain[RUNS][LEVELS] = {{0}};

	for (int i = 0; i < RUNS; i++) {
		run_plain(&plain_rounds, memory);
		ps_clock_init(PS_CLOCK_AUTO);
		if (calibrate(kind, &runs[i]) != 0)
			return -1;
		run_plain(&plain_rounds, memory);
		settle_plain(&plain_rounds, plain[i]);
	}
	printf("%-5s: ten runs%*s %10s %9s %9s\n", kind, 18, "", "median",
	       "spread", "nine");
	for (size_t f = 0; f < PS_COUNT(figures); f++)
		print_figure(runs, f);
	print_levels(runs, plain);
	return 0;
}

/* bench_machine [round|quick|full]: the latter two. */
int
main(int argc, char **argv)
{
	static const char *const kinds[] = {"round", "quick", "full"};
	const char *only = argc > 1 ? argv[1] : "quick full";
	float *memory;

	levels[2].floats = ps_cpu_cache_bytes(2) / sizeof(float);
	memory = plain_memory();
	if (memory == NULL)
		return EXIT_FAILURE;
	for (size_t k = 0; k < PS_COUNT(kinds); k++)
		if (strstr(only, kinds[k]) != NULL &&
		    run(kinds[k], memory) != 0)
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
