/* SPDX-License-Identifier: MIT */
/*
 * bench_monitor - what it costs to be watched in production
 *
 * Two programs, each run in pairs under the same preload, once with all of
 * sampling, sections and rules off and once with default sampling, sections
 * and three rules: what is compared is everything that the shim does beyond
 * allocating.  The figure is user and system time of the program alone.
 *
 *   redis    redis-server under redis-benchmark, a fixed number of requests;
 *            it has no marks
 *   marked   this program: 10 000 marked calls for each second of CPU, 100 us
 *            of hashing and 90 mallocs and frees in each
 *
 * The median of the pairs' differences is printed with the interval that holds
 * it with 95 % (by order statistics: no distribution is assumed).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/perfshim.h"
#include "tests/bench/rivals.h"

enum { PAIRS_MAX = 40, MARKED_CALLS = 10000, REQUESTS = 150000 };

static const char rules[] =
    "section(*).p99 > 1s over 10s; heap > 80% of limit; "
    "heap grows > 1GiB/s for 30s";
static const char *self;
static char socket_path[64];

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

/* CPU seconds of the process, or -1 when it failed. */
static double
cpu_of(pid_t pid, int expected_signal)
{
	struct rusage u;
	int status;

	if (wait4(pid, &status, 0, &u) != pid)
		return -1;
	if (expected_signal == 0 && status != 0)
		return -1;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double
marked(int is_watched)
{
	const char *const argv[] = {self, "marked", NULL};

	return cpu_of(start(argv, is_watched), 0);
}

static double
redis(int is_watched)
{
	const char *const argv[] = {
	    "redis-server", "--port", "0", "--unixsocket",
	    socket_path,    "--save", "",  "--appendonly",
	    "no",	    NULL};
	char command[300];
	pid_t pid = start(argv, is_watched);
	int status;

	for (int i = 0; i < 200 && access(socket_path, F_OK) != 0; i++)
		usleep(10000);
	snprintf(command, sizeof(command),
		 "redis-benchmark -s %s -n %d -r 10000 -d 100 -P 4 "
		 "-t set,get,lpush -q >/dev/null",
		 socket_path, REQUESTS);
	status = system(command);
	kill(pid, SIGKILL);
	unlink(socket_path);
	return status == 0 ? cpu_of(pid, SIGKILL) : -1;
}

/* ---- pairs -------------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The rank r for which P(fewer than r of n coins are heads) <= 2.5 %. */
static int
low_rank(int n)
{
	double p = 1;
	double sum = 0;
	int r = 0;

	for (int i = 0; i < n; i++)
		p /= 2;
	for (; r < n / 2; r++) {
		if (sum + p > 0.025)
			break;
		sum += p;
		p = p * (n - r) / (r + 1);
	}
	return r;
}

static int
compare(const char *name, double (*run)(int is_watched), int pairs)
{
	double extra[PAIRS_MAX];
	double cpu_s = 0;
	int low;

	(void)run(0); /* once, for the caches */
	for (int i = 0; i < pairs; i++) {
		/* In turn, so that a drift favours neither. */
		double first = run(i % 2);
		double second = run(1 - i % 2);
		double off = i % 2 == 0 ? first : second;
		double on = i % 2 == 0 ? second : first;

		if (off <= 0 || on <= 0) {
			printf("%s could not be run\n", name);
			return 1;
		}
		extra[i] = 100 * (on / off - 1);
		cpu_s += off / pairs;
	}
	qsort(extra, (size_t)pairs, sizeof(*extra), by_value);
	low = low_rank(pairs);
	printf("%-8s %5.2f s of CPU; watched: %+.2f %% (95 %% within %+.2f and "
	       "%+.2f %%, %d pairs)\n",
	       name, cpu_s, extra[pairs / 2], extra[low == 0 ? 0 : low - 1],
	       extra[low == 0 ? pairs - 1 : pairs - low], pairs);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *pairs_text = getenv("BENCH_ROUNDS");
	const char *only = getenv("BENCH_ONLY");
	int pairs = pairs_text == NULL ? 15 : atoi(pairs_text);
	int bad = 0;

	if (argc > 1 && strcmp(argv[1], "marked") == 0)
		return run_marked();
	self = argv[0];
	if (pairs < 1 || pairs > PAIRS_MAX)
		return 2;
	snprintf(socket_path, sizeof(socket_path), "/tmp/bench_monitor.%d",
		 (int)getpid());
	printf("rules: %s\n", rules);
	if (only == NULL || strcmp(only, "marked") == 0)
		bad |= compare("marked", marked, pairs);
	if (only == NULL || strcmp(only, "redis") == 0)
		bad |= compare("redis", redis, pairs);
	return bad;
}
