/* SPDX-License-Identifier: MIT */
/*
 * bench_clock - what a reading of the clock costs, by source
 *
 * Each row is the median of 15 batches of 20000 readings, so an interrupted
 * batch does not show; the spread is their median absolute deviation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "measure/clock.h"
#include "measure/stat.h"

enum { BATCHES = 15, READINGS = 20000 };

static uint64_t
read_clock_now(void)
{
	return ps_clock_now();
}

static uint64_t
read_gettime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_nsec;
}

static uint64_t
read_coarse(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_nsec;
}

static uint64_t
read_nothing(void)
{
	return 0;
}

/* All through one call, so that its cost is the same in every row. */
static void
print_row(const char *name, uint64_t (*reading)(void))
{
	double batch[BATCHES];
	double median, mad;

	for (int b = 0; b < BATCHES; b++) {
		uint64_t start = ps_os_monotonic_ns();

		for (int i = 0; i < READINGS; i++) {
			uint64_t now = reading();

			__asm__ volatile("" : : "r"(now) : "memory");
		}
		batch[b] = (double)(ps_os_monotonic_ns() - start) / READINGS;
	}
	if (ps_stat_mad(batch, BATCHES, &median, &mad) != 0)
		exit(EXIT_FAILURE);
	printf("%-34s %8.2f %8.2f\n", name, median, mad);
}

static void
print_rate(void)
{
	ps_ticks ticks;
	uint64_t ns;
	uint64_t width;
	double hz, ppm;

	width = ps_clock_pair(&ticks, &ns) + ps_clock.first_width_ns;
	if (ps_clock_rate(ticks - ps_clock.first_ticks, ns - ps_clock.first_ns,
			  width, &hz, &ppm) == 0)
		printf("%s: %.6f GHz, +-%.2f ppm, quantum %llu ticks, "
		       "ps_clock_cost_ns says %.2f ns\n",
		       ps_clock_name(), hz / 1e9, ppm,
		       (unsigned long long)ps_clock_quantum(),
		       ps_clock_cost_ns());
}

int
main(void)
{
	ps_clock_init(PS_CLOCK_AUTO);
	printf("%-34s %8s %8s\n", "ns a reading", "median", "mad");
	print_row("an empty call", read_nothing);
	if (ps_clock.kind == PS_CLOCK_TSC)
		print_row("ps_clock_now, TSC", read_clock_now);
	print_rate();
	ps_clock_init(PS_CLOCK_USE_MONOTONIC);
	print_row("ps_clock_now, CLOCK_MONOTONIC", read_clock_now);
	print_row("clock_gettime, libc", read_gettime);
	print_row("clock_gettime, libc, coarse", read_coarse);
	return EXIT_SUCCESS;
}
