/* SPDX-License-Identifier: MIT */
/*
 * bench_redis - what it costs redis to be watched in production
 *
 * Servers that differ in what is preloaded stand side by side, and a fixed
 * number of requests goes to each in turn.  All have the same marks (each call
 * of read is a section, targets/libread.c: some 38 000 a second), which without
 * perfshim are the test of a word.
 *
 *   glibc     as it is with glibc's malloc
 *   jemalloc  as it is: Debian links it with libjemalloc.so.2
 *   off       perfshim, with samples, sections and rules off
 *   watched   perfshim with its defaults, a recording in a directory, three
 *             rules
 *
 * The figure is the CPU time of the process (user and system) while the
 * requests last.  A round starts all servers anew, because where a program's
 * pages lie makes it faster or slower for as long as it runs; within a round
 * each server is asked a few times, in balanced order; rounds are the pairs
 * that the interval is made of (bench/compare.h).
 *
 *	BENCH_ROUNDS=n		instead of 12
 *	BENCH_KEEP=FILE		rounds are added to FILE, and all in it count
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/compare.h"
#include "tests/bench/rivals.h"

enum {
	ROUNDS = 12,
	ROUNDS_MAX = 200,
	TURNS = 4, /* of each server in a round */
	REQUESTS = 25000,
	COMMANDS = 4,
};

static const char rules[] =
    "section(*).p99 > 1s over 10s; heap > 80% of limit; "
    "heap grows > 1GiB/s for 30s";

enum arm_kind { GLIBC, JEMALLOC, OFF, WATCHED, ARMS };
static const char *const arm_name[ARMS] = {"glibc", "jemalloc", "off",
					   "watched"};

struct arm {
	pid_t pid;
	char socket[96];
	double cpu_s[ROUNDS_MAX];
};
static struct arm arms[ARMS];
static char directory[64];

/* ---- servers ------------------------------------------------------------ */

static void
preload(enum arm_kind kind)
{
	const char *first[ARMS] = {"libc.so.6 ", "", NULL, NULL};
	char shim[4096];
	char list[9000];

	snprintf(shim, sizeof(shim), "%s ", bench_built("libperfshim.so"));
	snprintf(list, sizeof(list), "%s%s",
		 first[kind] != NULL ? first[kind] : shim,
		 bench_built("targets/libread.so"));
	setenv("LD_PRELOAD", list, 1);
}

static void
set_up(enum arm_kind kind)
{
	preload(kind);
	setenv("PERFSHIM_REPORT", "none", 1);
	if (kind == OFF) {
		setenv("PERFSHIM_SAMPLE", "off", 1);
		setenv("PERFSHIM_SECTIONS", "off", 1);
	}
	if (kind != WATCHED)
		return;
	setenv("PERFSHIM_ALERT", rules, 1);
	setenv("PERFSHIM_ALERT_TO", "none", 1);
	setenv("PERFSHIM_OUT", directory, 1);
}

static int
start(enum arm_kind kind)
{
	struct arm *a = &arms[kind];
	const char *const argv[] = {
	    "redis-server", "--port", "0", "--unixsocket",
	    a->socket,	    "--save", "",  "--appendonly",
	    "no",	    NULL};

	snprintf(a->socket, sizeof(a->socket), "%s/%s", directory,
		 arm_name[kind]);
	a->pid = fork();
	if (a->pid == 0) {
		set_up(kind);
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(126);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	for (int i = 0; i < 500 && access(a->socket, F_OK) != 0; i++)
		usleep(10000);
	return a->pid > 0 && access(a->socket, F_OK) == 0 ? 0 : -1;
}

static void
stop(enum arm_kind kind)
{
	struct arm *a = &arms[kind];

	if (a->pid > 0) {
		kill(a->pid, SIGKILL);
		waitpid(a->pid, NULL, 0);
	}
	a->pid = 0;
	unlink(a->socket);
}

static double
cpu_now(const struct arm *a)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(a->pid, &clock) != 0 ||
	    clock_gettime(clock, &t) != 0)
		return -1;
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* CPU seconds of one turn, or -1. */
static double
ask(const struct arm *a)
{
	char command[300];
	double before = cpu_now(a);

	/* What is pushed is popped: each turn finds what the first did. */
	snprintf(command, sizeof(command),
		 "redis-benchmark -s %s -n %d -r 10000 -d 100 -P 16 "
		 "-t set,get,lpush,lpop -q >/dev/null",
		 a->socket, REQUESTS);
	if (before < 0 || system(command) != 0)
		return -1;
	return cpu_now(a) - before;
}

/* ---- rounds ------------------------------------------------------------- */

static int
run_turns(int round)
{
	for (int turn = 0; turn < TURNS; turn++)
		for (unsigned place = 0; place < ARMS; place++) {
			unsigned who = ps_compare_turn(
			    ARMS, (unsigned)(round + turn), place);
			double cpu_s = ask(&arms[who]);

			if (cpu_s < 0)
				return -1;
			arms[who].cpu_s[round] += cpu_s;
		}
	return 0;
}

static int
run_round(int round)
{
	int error = 0;

	for (int kind = 0; kind < ARMS && error == 0; kind++) {
		error = start((enum arm_kind)kind);
		if (error == 0 && ask(&arms[kind]) < 0) /* to warm up */
			error = -1;
	}
	if (error == 0)
		error = run_turns(round);
	for (int kind = 0; kind < ARMS; kind++)
		stop((enum arm_kind)kind);
	return error;
}

/* Rounds that were kept before; how many. */
static int
read_kept(const char *path)
{
	FILE *file = path == NULL ? NULL : fopen(path, "r");
	int rounds = 0;

	while (file != NULL && rounds < ROUNDS_MAX &&
	       fscanf(file, "%lf %lf %lf %lf", &arms[0].cpu_s[rounds],
		      &arms[1].cpu_s[rounds], &arms[2].cpu_s[rounds],
		      &arms[3].cpu_s[rounds]) == ARMS)
		rounds++;
	if (file != NULL)
		fclose(file);
	return rounds;
}

static void
keep(const char *path, int round)
{
	FILE *file = path == NULL ? NULL : fopen(path, "a");

	if (file == NULL)
		return;
	for (int kind = 0; kind < ARMS; kind++)
		fprintf(file, "%.9f ", arms[kind].cpu_s[round]);
	fputc('\n', file);
	fclose(file);
}

static void
print(enum arm_kind base, int rounds)
{
	struct ps_scratch scratch;
	struct ps_comparison c;

	ps_scratch_init(&scratch, 0);
	if (ps_compare_pairs(arms[base].cpu_s, arms[WATCHED].cpu_s,
			     (size_t)rounds, &scratch, &c) == 0)
		printf("watched against %-8s  %+.2f %%, 95 %% CI %+.2f to "
		       "%+.2f %%, %d pairs\n",
		       arm_name[base], 100 * (c.ratio - 1),
		       100 * (c.interval.low - 1), 100 * (c.interval.high - 1),
		       rounds);
	ps_scratch_fini(&scratch);
}

static void
remove_directory(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	if (system(command) != 0)
		fprintf(stderr, "%s stays\n", directory);
}

int
main(void)
{
	const char *text = getenv("BENCH_ROUNDS");
	const char *kept = getenv("BENCH_KEEP");
	int first = read_kept(kept);
	int rounds = first + (text == NULL ? ROUNDS : atoi(text));
	int error = 0;

	if (rounds < 2 || rounds > ROUNDS_MAX)
		return 2;
	snprintf(directory, sizeof(directory), "/tmp/bench_redis.%d",
		 (int)getpid());
	if (mkdir(directory, 0700) != 0)
		return 1;
	for (int i = first; i < rounds && error == 0; i++) {
		error = run_round(i);
		if (error == 0)
			keep(kept, i);
	}
	remove_directory();
	if (error != 0) {
		printf("redis could not be run\n");
		return 1;
	}
	printf("rules: %s\n", rules);
	for (int kind = 0; kind < WATCHED; kind++)
		print((enum arm_kind)kind, rounds);
	return 0;
}
