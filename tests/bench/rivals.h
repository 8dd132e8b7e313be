/* SPDX-License-Identifier: MIT */
/*
 * rivals - the same programs under several preloaded allocators, in one run
 *
 * Machines are noisy and differ, so a figure is worth something only beside
 * its rivals': rounds are interleaved (every rival once a round, in an order
 * that rotates), medians are taken, and ratios are what is printed, with the
 * spread of each.
 *
 * Rivals: perfshim with its default settings (PERFSHIM_REPORT=none), glibc,
 * libjemalloc.so.2, and mimalloc and tcmalloc where they are installed.
 *	BENCH_PRELOADS=name=path,...	more of them
 *	BENCH_ONLY=perfshim,jemalloc	fewer of them
 *	BENCH_ROUNDS=n			instead of the benchmark's own number
 */
#ifndef PS_TEST_RIVALS_H
#define PS_TEST_RIVALS_H

#include <stdbool.h>
#include <stddef.h>

enum { RIVALS_MAX = 10, BENCH_ARGS_MAX = 12, BENCH_CASES_MAX = 48 };

enum figure {
	FIGURE_VALUE, /* what the program prints: a number, smaller is better */
	FIGURE_CPU,   /* user and system seconds */
	FIGURE_WALL,
	FIGURE_RSS, /* peak, in MiB */
	FIGURES
};

struct bench_case {
	const char *name;
	const char *argv[BENCH_ARGS_MAX]; /* argv[0] NULL: this program */
};

/*
 * One more rival: this program itself, with one more argument and nothing
 * preloaded.  Before rivals_compare.
 */
void rivals_add_own(const char *name, const char *argument);

/*
 * Runs every case under every rival and prints one table for each figure that
 * is not listed as FIGURES: the base's median, each rival's as a ratio to it
 * with the spread, and the geometric means.  The base is jemalloc.
 */
void rivals_compare(const struct bench_case *cases, size_t count, int rounds,
		    enum figure first, const char *unit, enum figure second);

/* The median of `figure` of one command, with `preload` ("": none). */
double rivals_median(const char *preload, const char *const *argv, int rounds,
		     enum figure figure);

/* The monotonic clock, in seconds. */
double bench_now_s(void);

/* $B/name; B is build when it is not set. */
const char *bench_built(const char *name);

#endif /* PS_TEST_RIVALS_H */
