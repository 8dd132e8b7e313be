/* SPDX-License-Identifier: MIT */
/*
 * bench_monitor - what it costs a program with marks to be watched
 *
 * 10 000 marked calls for each second of CPU, 100 us of hashing and 90 mallocs
 * and frees in each; runs in pairs under the same preload, once with all of
 * sampling, sections and rules off and once with default sampling, sections
 * and three rules: what is compared is everything that the shim does beyond
 * allocating.  The figure is user and system time of the program alone.  A
 * real program, and without the preload: bench_redis.
 *
 * The interval is that of bench/compare.h.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/compare.h"
#include "shim/perfshim.h"
#include "tests/bench/rivals.h"

enum { PAIRS_MAX = 40, MARKED_CALLS = 10000 };

static const char rules[] =
    "section(*).p99 > 1s over 10s; heap > 80% of limit; "
    "heap grows > 1GiB/s for 30s";
static const char *self;

/* ---- the marked program ------------------------------------------------- */

static uint64_t
churn(uint64_t x)
{
	for (int i = 0; i < 90; i++) {
		size_t bytes = 16 + x % 500;
		unsigned char *block = malloc(bytes);

		if (block == NULL)
			abort();
		for (size_t k = 0; k < bytes; k++)
			block[k] = (unsigned char)(x >> (k % 8));
		for (int round = 0; round < 3; round++)
			for (size_t k = 0; k < bytes; k++)
				x = (x ^ block[k]) * UINT64_C(0x100000001b3);
		free(block);
	}
	return x;
}

static int
run_marked(void)
{
	uint64_t x = 1;

	for (int i = 0; i < MARKED_CALLS; i++) {
		PERFSHIM_SECTION ("call") {
			x = churn(x);
		}
	}
	return x == 0;
}

/* ---- running ------------------------------------------------------------ */

static void
set_up(int is_watched)
{
	setenv("LD_PRELOAD", bench_built("libperfshim.so"), 1);
	setenv("PERFSHIM_REPORT", "none", 1);
	if (is_watched) {
		setenv("PERFSHIM_ALERT", rules, 1);
		setenv("PERFSHIM_ALERT_TO", "none", 1);
	} else {
		setenv("PERFSHIM_SAMPLE", "off", 1);
		setenv("PERFSHIM_SECTIONS", "off", 1);
	}
}

static pid_t
start(const char *const *argv, int is_watched)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	set_up(is_watched);
	dup2(open("/dev/null", O_WRONLY), 1);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* CPU seconds of a run, or -1 when it failed. */
static double
marked(int is_watched)
{
	const char *const argv[] = {self, "marked", NULL};
	pid_t pid = start(argv, is_watched);
	struct rusage u;
	int status;

	if (wait4(pid, &status, 0, &u) != pid || status != 0)
		return -1;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* ---- pairs -------------------------------------------------------------- */

static double off_s[PAIRS_MAX];
static double on_s[PAIRS_MAX];

/* In turn, so that a drift favours neither. */
static int
run_pairs(int pairs)
{
	(void)marked(0); /* once, for the caches */
	for (int i = 0; i < pairs; i++)
		for (unsigned place = 0; place < 2; place++) {
			int is_on = (int)ps_compare_turn(2, (unsigned)i, place);
			double cpu_s = marked(is_on);

			if (cpu_s <= 0)
				return -1;
			(is_on ? on_s : off_s)[i] = cpu_s;
		}
	return 0;
}

int
main(int argc, char **argv)
{
	const char *pairs_text = getenv("BENCH_ROUNDS");
	int pairs = pairs_text == NULL ? 15 : atoi(pairs_text);
	struct ps_scratch scratch;
	struct ps_comparison c;

	if (argc > 1 && strcmp(argv[1], "marked") == 0)
		return run_marked();
	self = argv[0];
	if (pairs < 2 || pairs > PAIRS_MAX)
		return 2;
	ps_scratch_init(&scratch, 0);
	if (run_pairs(pairs) != 0 ||
	    ps_compare_pairs(off_s, on_s, (size_t)pairs, &scratch, &c) != 0) {
		printf("it could not be run\n");
		return 1;
	}
	printf("rules: %s\n"
	       "marked  %.2f s of CPU; watched: %+.2f %%, 95 %% CI %+.2f to "
	       "%+.2f %%, %d pairs\n",
	       rules, off_s[0], 100 * (c.ratio - 1), 100 * (c.interval.low - 1),
	       100 * (c.interval.high - 1), pairs);
	ps_scratch_fini(&scratch);
	return 0;
}
