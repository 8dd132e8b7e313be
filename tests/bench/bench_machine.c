/* SPDX-License-Identifier: MIT */
/*
 * bench_machine - does the calibration repeat itself?
 *
 * Ten runs, quick and full; for each figure the median, the spread (largest
 * over smallest, less one) and the spread without the furthest run, because
 * on a shared machine one of ten is usually somebody else's.  The goal is 3 %.
 *
 * Memory is shared with the neighbours, and moves by a tenth within seconds. So
 * the best of plain loops is measured right before and after each full run, and
 * the last lines tell their own spread and that of full's figure over theirs.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "measure/calibrate.h"
#include "measure/clock.h"
#include "measure/stat.h"
#include "tests/bench/stream.h"

enum { RUNS = 10, PLAIN_FLOATS = 1 << 24, PLAIN_PASSES = 4, HUGE = 2 << 20 };
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

/* The best pass of every way to write it, over arrays as large as full's. */
static double
plain_gb_per_s(float *memory)
{
	double best = 0;

	for (size_t way = 0; way < bench_stream_count * PLAIN_PASSES; way++) {
		uint64_t begun = ps_os_monotonic_ns();

		bench_streams[way % bench_stream_count].add(
		    memory, memory + PLAIN_FLOATS, memory + 2 * PLAIN_FLOATS,
		    PLAIN_FLOATS);
		best = PS_MAX(best, 3.0 * sizeof(float) * PLAIN_FLOATS /
					(double)(ps_os_monotonic_ns() - begun));
	}
	return best;
}

static float *
plain_memory(void)
{
	const size_t bytes = 3 * PLAIN_FLOATS * sizeof(float);
	void *pages;
	float *memory;

	if (ps_os_map(bytes + HUGE, &pages) != 0)
		return NULL;
	(void)ps_os_huge(pages, bytes + HUGE);
	memory = (float *)PS_ROUND_UP((uintptr_t)pages, (uintptr_t)HUGE);
	memset(memory, 0, bytes);
	return memory;
}

static void
print_spread(const char *name, double *values)
{
	double all, most;

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

int
main(void)
{
	static struct ps_calibration runs[RUNS];
	double plain[RUNS] = {0};
	double ratio[RUNS] = {0};
	float *memory = plain_memory();

	if (memory == NULL)
		return EXIT_FAILURE;
	for (int kind = PS_CALIBRATION_QUICK; kind <= PS_CALIBRATION_FULL;
	     kind++) {
		for (int i = 0; i < RUNS; i++) {
			double before = plain_gb_per_s(memory);

			ps_clock_init(PS_CLOCK_AUTO);
			ps_os_sleep_ns(20000000);
			if (ps_calibrate((enum ps_calibration_kind)kind,
					 &runs[i]) != 0)
				return EXIT_FAILURE;
			plain[i] = PS_MAX(before, plain_gb_per_s(memory));
			ratio[i] = runs[i].vector_add_dram * 1e-9 / plain[i];
		}
		printf("%s: ten runs%*s %10s %9s %9s\n",
		       kind == PS_CALIBRATION_QUICK ? "quick" : "full", 19, "",
		       "median", "spread", "nine");
		for (size_t f = 0; f < PS_COUNT(figures); f++)
			print_figure(runs, f);
	}
	print_spread("plain loops in memory, GB/s", plain);
	print_spread("vector add in memory over theirs", ratio);
	return EXIT_SUCCESS;
}
