/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure/stat.h"
#include "tests/bench/rivals.h"

enum { ROUNDS_MAX = 60, NAME_BYTES = 24, PATH_BYTES = 400 };

struct rival {
	char name[NAME_BYTES];
	char path[PATH_BYTES]; /* "": nothing is preloaded */
	const char *argument;  /* one more for the program; NULL: none */
};

static struct rival rivals[RIVALS_MAX];
static size_t rival_count;
static struct rival own; /* name "": there is none */
static size_t base;	 /* what ratios are to */

/* figure, case, rival, round */
static double measured[FIGURES][BENCH_CASES_MAX][RIVALS_MAX][ROUNDS_MAX];

static void
die(const char *what, const char *name)
{
	fprintf(stderr, "bench: %s %s: %s\n", what, name, strerror(errno));
	exit(EXIT_FAILURE);
}

const char *
bench_built(const char *name)
{
	static char path[PATH_BYTES];
	const char *directory = getenv("B");

	snprintf(path, sizeof(path), "%s/%s",
		 directory == NULL ? "build" : directory, name);
	return path;
}

/* ---- who runs ----------------------------------------------------------- */

static bool
is_wanted(const char *name)
{
	const char *only = getenv("BENCH_ONLY");
	const char *found = only;
	size_t length = strlen(name);

	while (found != NULL && (found = strstr(found, name)) != NULL) {
		bool begins = found == only || found[-1] == ',';
		bool ends = found[length] == ',' || found[length] == '\0';

		if (begins && ends)
			return true;
		found += length;
	}
	return only == NULL;
}

static void
add_rival(const char *name, const char *path)
{
	struct rival *r = &rivals[rival_count];

	if (rival_count == RIVALS_MAX || !is_wanted(name))
		return;
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->path, sizeof(r->path), "%s", path);
	rival_count++;
}

/* In the usual places of the distributions. */
static void
add_installed(const char *name, const char *file)
{
	static const char *const directories[] = {"/usr/lib/x86_64-linux-gnu",
						  "/usr/lib64", "/usr/lib",
						  "/usr/local/lib"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories);
	     i++) {
		snprintf(path, sizeof(path), "%s/%s", directories[i], file);
		if (access(path, R_OK) == 0) {
			add_rival(name, path);
			return;
		}
	}
	printf("%s is not installed: left out\n", file);
}

static void
find_rivals(void)
{
	char list[2000];
	const char *more = getenv("BENCH_PRELOADS");
	char *rest = NULL;
	char full[PATH_BYTES];

	if (rival_count > 0)
		return;
	if (realpath(bench_built("libperfshim.so"), full) == NULL)
		die("cannot find", bench_built("libperfshim.so"));
	add_installed("jemalloc", "libjemalloc.so.2");
	add_rival("glibc", "");
	add_rival("perfshim", full);
	add_installed("mimalloc", "libmimalloc.so.2");
	add_installed("tcmalloc", "libtcmalloc_minimal.so.4");
	snprintf(list, sizeof(list), "%s", more == NULL ? "" : more);
	for (char *entry = strtok_r(list, ",", &rest); entry != NULL;
	     entry = strtok_r(NULL, ",", &rest)) {
		char *equals = strchr(entry, '=');

		if (equals == NULL)
			continue;
		*equals = '\0';
		add_rival(entry, equals + 1);
	}
	if (own.name[0] != '\0' && rival_count < RIVALS_MAX)
		rivals[rival_count++] = own;
	if (rival_count == 0)
		die("nobody to compare", "");
}

void
rivals_add_own(const char *name, const char *argument)
{
	snprintf(own.name, sizeof(own.name), "%s", name);
	own.argument = argument;
}

/* ---- one run ------------------------------------------------------------ */

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

double
bench_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
become(const char *preload, const char *const *argv, int output)
{
	int nowhere = open("/dev/null", O_RDWR);

	dup2(nowhere, 0);
	dup2(output < 0 ? nowhere : output, 1);
	if (output < 0)
		dup2(nowhere, 2);
	setenv("PERFSHIM_REPORT", "none", 1);
	if (preload[0] != '\0')
		setenv("LD_PRELOAD", preload, 1);
	if (argv[0] == NULL)
		execv("/proc/self/exe", (char *const *)argv);
	else
		execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* What it printed, up to the end of its output, as a number. */
static double
read_value(int fd)
{
	char text[200];
	size_t length = 0;
	ssize_t got;

	while (length < sizeof(text) - 1 &&
	       (got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	return strtod(text, NULL);
}

/* Runs it once; NAN everywhere when it failed. */
static void
run_once(const struct rival *rival, const char *const *argv, bool has_value,
	 double out[FIGURES])
{
	const char *words[BENCH_ARGS_MAX + 2] = {0};
	size_t count = 0;
	int pipes[2] = {-1, -1};
	struct rusage usage;
	double begun = bench_now_s();
	int status;
	pid_t pid;

	for (; count < BENCH_ARGS_MAX && (count == 0 || argv[count]); count++)
		words[count] = argv[count];
	words[count] = rival->argument;
	if (words[0] == NULL)
		words[0] = "/proc/self/exe";
	if (has_value && pipe2(pipes, O_CLOEXEC) != 0)
		die("pipe", "");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork", "");
	if (pid == 0)
		become(rival->path, words, pipes[1]);
	if (has_value) {
		close(pipes[1]);
		out[FIGURE_VALUE] = read_value(pipes[0]);
		close(pipes[0]);
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		die("wait for", words[0]);
	out[FIGURE_WALL] = bench_now_s() - begun;
	out[FIGURE_CPU] = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	out[FIGURE_RSS] = (double)usage.ru_maxrss / 1024;
	if (status != 0)
		for (int f = 0; f < FIGURES; f++)
			out[f] = (double)NAN;
}

double
rivals_median(const char *preload, const char *const *argv, int rounds,
	      enum figure figure)
{
	struct rival rival = {0};
	double values[ROUNDS_MAX];
	double median = (double)NAN;
	double out[FIGURES];

	snprintf(rival.path, sizeof(rival.path), "%s", preload);
	for (int i = 0; i < rounds; i++) {
		run_once(&rival, argv, figure == FIGURE_VALUE, out);
		values[i] = out[figure];
	}
	(void)ps_stat_median(values, (size_t)rounds, &median);
	return median;
}

/* ---- tables ------------------------------------------------------------- */

/* Median, and the spread as a fraction of it. */
static double
median_of(const double *values, int rounds, double *spread)
{
	double sorted[ROUNDS_MAX];
	double median = (double)NAN;
	double mad = (double)NAN;

	memcpy(sorted, values, (size_t)rounds * sizeof(*sorted));
	if (ps_stat_mad(sorted, (size_t)rounds, &median, &mad) != 0)
		median = (double)NAN;
	*spread = mad / median;
	return median;
}

static void
print_head(const char *unit)
{
	printf("\n%-22s %12s", unit, rivals[base].name);
	for (size_t r = 0; r < rival_count; r++)
		if (r != base)
			printf("  %14s", rivals[r].name);
	putchar('\n');
}

static void
print_row(const struct bench_case *c, double (*values)[ROUNDS_MAX], int rounds,
	  double log_sum[RIVALS_MAX], int used[RIVALS_MAX])
{
	double spread;
	double of_base = median_of(values[base], rounds, &spread);

	printf("%-22s %7.4g ±%2.0f%%", c->name, of_base, 100 * spread);
	for (size_t r = 0; r < rival_count; r++) {
		double ratio;

		if (r == base)
			continue;
		ratio = median_of(values[r], rounds, &spread) / of_base;
		if (!isfinite(ratio)) {
			printf("  %14s", "failed");
			continue;
		}
		printf("  %8.3f ±%2.0f%% ", ratio, 100 * spread);
		log_sum[r] += log(ratio);
		used[r]++;
	}
	putchar('\n');
}

static void
print_table(const struct bench_case *cases, size_t count, int rounds,
	    enum figure figure, const char *unit)
{
	double log_sum[RIVALS_MAX] = {0};
	int used[RIVALS_MAX] = {0};

	print_head(unit);
	for (size_t c = 0; c < count; c++)
		print_row(&cases[c], measured[figure][c], rounds, log_sum,
			  used);
	printf("%-22s %12s", "geometric mean", "1");
	for (size_t r = 0; r < rival_count; r++)
		if (r != base)
			printf("  %8.3f %5s",
			       used[r] == 0 ? (double)NAN
					    : exp(log_sum[r] / used[r]),
			       "");
	putchar('\n');
}

/* On a terminal only: how far we are. */
static void
progress(const char *name, int round, int rounds)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s  round %d of %d", name, round + 1,
			rounds);
}

static void
measure_case(const struct bench_case *c, size_t index, int rounds,
	     bool has_value)
{
	for (int round = 0; round < rounds; round++) {
		progress(c->name, round, rounds);
		for (size_t k = 0; k < rival_count; k++) {
			size_t r = (k + (size_t)round) % rival_count;
			double out[FIGURES] = {0};

			run_once(&rivals[r], c->argv, has_value, out);
			for (int f = 0; f < FIGURES; f++)
				measured[f][index][r][round] = out[f];
		}
	}
}

void
rivals_compare(const struct bench_case *cases, size_t count, int rounds,
	       enum figure first, const char *unit, enum figure second)
{
	static const char *const units[] = {"", "CPU seconds", "seconds",
					    "peak RSS, MiB"};
	const char *wanted = getenv("BENCH_ROUNDS");

	find_rivals();
	if (wanted != NULL && atoi(wanted) > 0)
		rounds = atoi(wanted) < ROUNDS_MAX ? atoi(wanted) : ROUNDS_MAX;
	for (size_t c = 0; c < count; c++)
		measure_case(&cases[c], c, rounds, first == FIGURE_VALUE);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	print_table(cases, count, rounds, first, unit);
	if (second != FIGURES)
		print_table(cases, count, rounds, second, units[second]);
}
