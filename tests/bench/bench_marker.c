/* SPDX-License-Identifier: MIT */
/*
 * bench_marker - what marking a section costs, against reading a clock twice
 *
 * The program runs itself: without the shim, where a mark is a test of one
 * word, and under it with sections on and off.  Where LTTng-UST is installed, a
 * pair of its tracepoints is measured beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim/perfshim.h"
#include "tests/bench/rivals.h"

enum { COUNT = 2000000, ROUNDS = 9 };

static void
scoped(void)
{
	for (int i = 0; i < COUNT; i++)
		PERFSHIM_SECTION ("bench_scoped") {
			__asm__ volatile("" : : : "memory");
		}
}

static void
begin_end(void)
{
	for (int i = 0; i < COUNT; i++) {
		PERFSHIM_BEGIN("bench_begin");
		__asm__ volatile("" : : : "memory");
		PERFSHIM_END("bench_begin");
	}
}

static void
two_clocks(void)
{
	struct timespec t;

	for (int i = 0; i < 2 * COUNT; i++)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

static int
work(const char *what)
{
	void (*loop)(void) = strcmp(what, "scoped") == 0  ? scoped
			     : strcmp(what, "begin") == 0 ? begin_end
							  : two_clocks;
	double begun;

	loop();
	begun = bench_now_s();
	loop();
	printf("%.4f\n", (bench_now_s() - begun) * 1e9 / COUNT);
	return 0;
}

static void
row(const char *name, const char *preload, const char *what, double base)
{
	const char *argv[BENCH_ARGS_MAX] = {NULL, what};
	double ns = rivals_median(preload, argv, ROUNDS, FIGURE_VALUE);

	printf("%-44s %8.2f %8.2f\n", name, ns, ns / base);
}

/* What a script prints; nothing when its rival is not installed. */
static void
row_of_script(const char *name, const char *script, double base)
{
	FILE *out = popen(script, "r");
	double ns;

	if (out != NULL && fscanf(out, "%lf", &ns) == 1)
		printf("%-44s %8.2f %8.2f\n", name, ns, ns / base);
	if (out != NULL)
		pclose(out);
}

int
main(int argc, char **argv)
{
	static const char *const clocks[BENCH_ARGS_MAX] = {NULL, "clocks"};
	const char *shim = bench_built("libperfshim.so");
	double base;

	if (argc == 2)
		return work(argv[1]);
	base = rivals_median("", clocks, ROUNDS, FIGURE_VALUE);
	printf("%-44s %8s %8s\n", "a pair of marks", "ns", "ratio");
	printf("%-44s %8.2f %8.2f\n", "two clock_gettime, the base", base, 1.0);
	row("scoped, without the shim", "", "scoped", base);
	row("begin and end, without the shim", "", "begin", base);
	row("scoped, under the shim", shim, "scoped", base);
	row("begin and end, under the shim", shim, "begin", base);
	row_of_script("a pair of LTTng-UST tracepoints",
		      "tests/bench/marker_lttng.sh", base);
	setenv("PERFSHIM_SECTIONS", "off", 1);
	row("scoped, under the shim, switched off", shim, "scoped", base);
	return 0;
}
