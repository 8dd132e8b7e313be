/* SPDX-License-Identifier: MIT */
/*
 * bench_sampling - what default sampling adds to a program's CPU time
 *
 *	bench_sampling			the table: tests/bench/profile.sh pairs
 *	bench_sampling head
 *	bench_sampling NAME ROUNDS COMMAND [ARGUMENT...]	one row of it
 *
 * Five runs a round, in an order drawn anew for each: perfshim without
 * sampling, with its default, and with a sample each 512 KiB however many those
 * are; libjemalloc.so.2 without its profiler and with
 * prof:true,lg_prof_sample:19, which is each 512 KiB too.  What counts is user
 *and system time as wait4 tells it, which the kernel keeps in nanoseconds; wall
 *time of so short runs is mostly the scheduler's.  Of the rounds' pairs:
 *trimmed means with 95 % intervals (bench/compare.h, bench/location.h).
 *
 *	JEMALLOC=FILE		another libjemalloc.so.2
 *	BENCH_KEEP=DIRECTORY	rounds are added to DIRECTORY/NAME, and all in
 *				it count
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "bench/compare.h"
#include "bench/location.h"
#include "bench/process.h"
#include "measure/stat.h"
#include "tests/bench/rivals.h"

extern char **environ;

enum { ROUNDS_MAX = 2000, PATH_BYTES = 1024 };

enum arm { OFF, DEFAULT, EACH, PLAIN, PROFILED, ARMS };

static double cpu_s[ARMS][ROUNDS_MAX];

/* ---- one run ------------------------------------------------------------ */

static const char *
jemalloc_path(void)
{
	const char *path = getenv("JEMALLOC");

	return path != NULL ? path : "libjemalloc.so.2";
}

static void
set_up(enum arm arm)
{
	static char shim[PATH_BYTES];
	bool is_ours = arm < PLAIN;

	if (shim[0] == '\0' &&
	    realpath(bench_built("libperfshim.so"), shim) == NULL) {
		perror(bench_built("libperfshim.so"));
		exit(EXIT_FAILURE);
	}
	setenv("LD_PRELOAD", is_ours ? shim : jemalloc_path(), 1);
	setenv("PERFSHIM_REPORT", "none", 1);
	if (arm == DEFAULT)
		unsetenv("PERFSHIM_SAMPLE");
	else
		setenv("PERFSHIM_SAMPLE", arm == OFF ? "off" : "512K", 1);
	if (arm == PROFILED)
		setenv("MALLOC_CONF",
		       "prof:true,prof_final:false,lg_prof_sample:19", 1);
	else
		unsetenv("MALLOC_CONF");
}

/* CPU seconds, or -1. */
static double
run(enum arm arm, const char *path, char **argv)
{
	struct ps_process_command command = {.path = path, .argv = argv};
	struct ps_process_outcome outcome;

	set_up(arm);
	command.envp = environ;
	if (ps_process_run(&command, &outcome) != 0 || outcome.exit_code != 0)
		return -1;
	return outcome.user_s + outcome.system_s;
}

static int
run_round(int round, const char *path, char **argv, uint64_t *random)
{
	enum arm order[ARMS] = {OFF, DEFAULT, EACH, PLAIN, PROFILED};

	for (uint32_t left = ARMS; left > 0; left--) {
		uint32_t chosen = ps_random_below(random, left);
		enum arm arm = order[chosen];

		order[chosen] = order[left - 1];
		cpu_s[arm][round] = run(arm, path, argv);
		if (cpu_s[arm][round] <= 0)
			return -1;
	}
	return 0;
}

/* The command as the shell would find it. */
static const char *
find_program(const char *name)
{
	static char path[PATH_BYTES];
	char list[8 * PATH_BYTES];
	const char *search = getenv("PATH");
	char *rest = NULL;

	if (strchr(name, '/') != NULL)
		return name;
	snprintf(list, sizeof(list), "%s", search != NULL ? search : "");
	for (char *entry = strtok_r(list, ":", &rest); entry != NULL;
	     entry = strtok_r(NULL, ":", &rest)) {
		snprintf(path, sizeof(path), "%s/%s", entry, name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return name;
}

/* ---- rounds that are kept ----------------------------------------------- */

static FILE *
kept_file(const char *name, const char *mode)
{
	const char *directory = getenv("BENCH_KEEP");
	char path[PATH_BYTES];

	if (directory == NULL)
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return fopen(path, mode);
}

static int
read_kept(const char *name)
{
	FILE *file = kept_file(name, "r");
	int rounds = 0;

	while (file != NULL && rounds < ROUNDS_MAX &&
	       fscanf(file, "%lf %lf %lf %lf %lf", &cpu_s[OFF][rounds],
		      &cpu_s[DEFAULT][rounds], &cpu_s[EACH][rounds],
		      &cpu_s[PLAIN][rounds], &cpu_s[PROFILED][rounds]) == ARMS)
		rounds++;
	if (file != NULL)
		fclose(file);
	return rounds;
}

static void
keep(const char *name, int round)
{
	FILE *file = kept_file(name, "a");

	if (file == NULL)
		return;
	fprintf(file, "%.6f %.6f %.6f %.6f %.6f\n", cpu_s[OFF][round],
		cpu_s[DEFAULT][round], cpu_s[EACH][round], cpu_s[PLAIN][round],
		cpu_s[PROFILED][round]);
	fclose(file);
}

/* ---- the row ------------------------------------------------------------ */

struct added {
	double ms;
	double error_ms; /* half of the 95 % interval */
};

static struct added
added_by(enum arm with, enum arm without, int rounds)
{
	static double ms[ROUNDS_MAX];
	struct ps_location l = {0};
	struct ps_interval i;

	for (int r = 0; r < rounds; r++)
		ms[r] = 1e3 * (cpu_s[with][r] - cpu_s[without][r]);
	ps_stat_sort(ms, (size_t)rounds);
	(void)ps_location_of(ms, (size_t)rounds, PS_LOCATION_TRIM, &l);
	i = ps_location_interval(&l, PS_COMPARE_CONFIDENCE);
	return (struct added){l.value, (i.high - i.low) / 2};
}

/* A share of nothing, or of what may be nothing, is not a figure. */
static void
print_share(const struct added *ours, const struct added *theirs)
{
	if (theirs->ms > theirs->error_ms)
		printf("  %8.2f\n", ours->ms / theirs->ms);
	else
		printf("  %8s\n", "-");
}

static int
print_row(const char *name, int rounds)
{
	struct added paced = added_by(DEFAULT, OFF, rounds);
	struct added ours = added_by(EACH, OFF, rounds);
	struct added theirs = added_by(PROFILED, PLAIN, rounds);
	struct ps_scratch scratch;
	struct ps_comparison c;
	double median = 0;
	int error;

	ps_scratch_init(&scratch, 0);
	error = ps_compare_pairs(cpu_s[OFF], cpu_s[DEFAULT], (size_t)rounds,
				 &scratch, &c);
	ps_scratch_fini(&scratch);
	if (error != 0)
		return error;
	(void)ps_stat_median(cpu_s[OFF], (size_t)rounds, &median);
	printf("%-14s %6d  %7.1f  %6.3f [%5.3f, %5.3f]  %6.2f ±%5.2f  "
	       "%6.2f ±%5.2f  %6.2f ±%5.2f",
	       name, rounds, 1e3 * median, c.ratio, c.interval.low,
	       c.interval.high, paced.ms, paced.error_ms, ours.ms,
	       ours.error_ms, theirs.ms, theirs.error_ms);
	print_share(&ours, &theirs);
	return 0;
}

static int
print_head(void)
{
	printf("%-14s %6s  %7s  %-22s  %-13s  %-13s  %-13s  %8s\n", "CPU time",
	       "rounds", "off, ms", "default/off, 95 % CI", "added, ms",
	       "each 512K, ms", "by jeprof, ms", "of it");
	return 0;
}

int
main(int argc, char **argv)
{
	uint64_t random = ((uint64_t)time(NULL) << 20 | (uint64_t)getpid()) | 1;
	const char *path;
	int first;
	int rounds;

	if (argc == 1)
		return execl("tests/bench/profile.sh", "profile.sh", "pairs",
			     (char *)NULL);
	if (argc == 2)
		return print_head();
	if (argc == 3)
		return 2;
	first = read_kept(argv[1]);
	rounds = first + atoi(argv[2]);
	if (rounds < 2 || rounds > ROUNDS_MAX)
		return 2;
	path = find_program(argv[3]);
	for (int r = first; r < rounds; r++) {
		if (run_round(r, path, argv + 3, &random) != 0) {
			printf("%-14s failed\n", argv[1]);
			return 1;
		}
		keep(argv[1], r);
	}
	return print_row(argv[1], rounds) == 0 ? 0 : 1;
}
