/* SPDX-License-Identifier: MIT */
/*
 * bench_add - vector add beside every way to write STREAM's add (stream.c)
 *
 * Three arrays at a time, in L1, L2, L3 and memory, at offsets that differ by
 * what a line's place in the sets differs by.  Rounds are interleaved and the
 * best of each counts, as STREAM does; the ratio is to the fastest of the
 * others at that level and offset.  The goal is 0.95; what is short of it is
 * measured up to four times more, all alike, and the best of all rounds counts.
 *
 * Doubles are added beside the same loops over as many bytes: an addition of a
 * vector takes a cycle whatever its elements are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "simd/simd.h"
#include "tests/bench/rivals.h"
#include "tests/bench/stream.h"

enum { LEVELS = 4, OFFSETS = 3, WAYS_MAX = 16, OURS = 2, TRIES = 5 };
#define GOAL 0.95

static struct level {
	const char *name;
	size_t bytes; /* of the three; more where the caches are larger */
	int turns, rounds;
} levels[LEVELS] = {{"L1", 15 << 10, 1000, 600},
		    {"L2", 384 << 10, 40, 300},
		    {"L3", 6 << 20, 4, 120},
		    {"memory", 192 << 20, 1, 16}};

/* Half of the first cache, so that a call is little beside its work; and what
 * does not stay in the last one. */
static void
fit_levels(void)
{
	long l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE);
	long l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);

	if (l1 > 0)
		levels[0].bytes = PS_MAX(levels[0].bytes, (size_t)l1 / 2);
	if (l3 > 0)
		levels[LEVELS - 1].bytes =
		    PS_MIN(PS_MAX(levels[LEVELS - 1].bytes, (size_t)l3 * 2),
			   (size_t)1 << 30);
}

/* Floats between arrays: an odd one out, a line, and none. */
static const size_t offsets[OFFSETS] = {272, 16, 0};

static double
seconds_of(const struct bench_stream *way, float *c, const float *a,
	   const float *b, size_t n, int turns)
{
	double start;

	/* What the one before left in the caches is not its own doing. */
	if (turns > 1)
		way->add(c, a, b, n);
	start = bench_now_s();
	for (int t = 0; t < turns; t++) {
		way->add(c, a, b, n);
		__asm__ volatile("" : : : "memory");
	}
	return bench_now_s() - start;
}

/* n floats as half as many doubles; all three are aligned for that. */
static void
add_doubles(float *c, const float *a, const float *b, size_t n)
{
	ps_vector_add_double((double *)(void *)c,
			     (const double *)(const void *)a,
			     (const double *)(const void *)b, n / 2);
}

/* GB/s of each way, raised where it is better; the first two are ours. */
static void
measure(const struct level *l, size_t offset, float *memory,
	const struct bench_stream *ways, size_t count, double gb_per_s[])
{
	size_t n = l->bytes / (6 * sizeof(float)) * 2;
	double gb = (double)n * 3 * sizeof(float) * l->turns * 1e-9;
	float *a = memory + n + offset;
	float *b = a + n + offset;

	for (int r = 0; r < l->rounds; r++) {
		for (size_t w = 0; w < count; w++) {
			double s =
			    seconds_of(&ways[w], memory, a, b, n, l->turns);

			gb_per_s[w] = PS_MAX(gb_per_s[w], gb / s);
		}
	}
}

static size_t
fastest_other(const double gb_per_s[], size_t count)
{
	size_t fastest = OURS;

	for (size_t w = OURS + 1; w < count; w++)
		if (gb_per_s[w] > gb_per_s[fastest])
			fastest = w;
	return fastest;
}

/* Returns the worse of the two ratios. */
static double
print_level(const struct level *l, size_t offset, float *memory,
	    const struct bench_stream *ways, size_t count)
{
	double gb_per_s[WAYS_MAX] = {0};
	double worst = 0;
	size_t fastest;

	for (int i = 0; i < TRIES && worst < GOAL; i++) {
		measure(l, offset, memory, ways, count, gb_per_s);
		fastest = fastest_other(gb_per_s, count);
		worst = PS_MIN(gb_per_s[0], gb_per_s[1]) / gb_per_s[fastest];
	}
	for (size_t w = 0; w < OURS; w++) {
		double ratio = gb_per_s[w] / gb_per_s[fastest];

		printf("%-8s %6zu %-7s %8.1f %8.1f  %-18s %6.3f%s\n", l->name,
		       offset, ways[w].name, gb_per_s[w], gb_per_s[fastest],
		       ways[fastest].name, ratio,
		       ratio < GOAL ? "  short" : "");
	}
	fflush(stdout);
	return worst;
}

/* bench_add [LEVEL]: one of L1, L2, L3, memory; all. */
int
main(int argc, char **argv)
{
	struct bench_stream ways[WAYS_MAX] = {{"float", ps_vector_add},
					      {"double", add_doubles}};
	double worst = 1e9;
	void *memory;
	size_t bytes;

	fit_levels();
	bytes = levels[LEVELS - 1].bytes + (1 << 20);
	PS_ASSERT(OURS + bench_stream_count <= WAYS_MAX);
	memcpy(ways + OURS, bench_streams, bench_stream_count * sizeof(*ways));
	if (ps_os_map(bytes, &memory) != 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < bytes / sizeof(float); i++)
		((float *)memory)[i] = 1;
	printf("%-8s %6s %-7s %8s %8s  %-18s %6s   (GB/s)\n", "", "offset",
	       "of", "ours", "best", "the fastest other", "ratio");
	for (int l = 0; l < LEVELS; l++) {
		if (argc > 1 && strcmp(argv[1], levels[l].name) != 0)
			continue;
		for (int k = 0; k < OFFSETS; k++) {
			double ratio =
			    print_level(&levels[l], offsets[k], memory, ways,
					OURS + bench_stream_count);

			worst = PS_MIN(worst, ratio);
		}
	}
	printf("worst ratio %.3f, the goal is %.2f\n", worst, GOAL);
	return EXIT_SUCCESS;
}
