/* SPDX-License-Identifier: MIT */
/*
 * perfbench_options - the options of the benchmark modes: one table for
 * parsing, for --help, and for the man page's check
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/options.h"
#include "bench/load.h"
#include "report/perfbench_options.h"

enum kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_LIST,  /* may be given again, or have commas */
	KIND_TEXTS, /* may be given again */
	KIND_NUMBER,
	KIND_DURATION, /* seconds */
	KIND_PERCENT,  /* a share */
	KIND_RATE,
};

struct row {
	const char *group; /* heading before it, or NULL */
	const char *name;
	const char *value; /* as --help shows it, or NULL */
	enum kind kind;
	size_t offset;
	double low; /* of numbers */
	double high;
	const char *help;
};

#define DEFAULT_FAIL_ABOVE 0.05
#define AT(field) offsetof(struct pb_options, field)

static const struct row rows[] = {
    {"Benchmark: runs the command again and again, output hidden", "runs", "N",
     KIND_NUMBER, AT(runs), 1, PB_RUNS_MOST,
     "so many runs (default 10, or as many as fit in 2 s)"},
    {NULL, "warmup", "N", KIND_NUMBER, AT(warm_up), 0, PB_RUNS_MOST,
     "runs before that, not counted (default 1)"},
    {NULL, "prepare", "CMD", KIND_TEXT, AT(prepare), 0, 0,
     "shell command before each run, not timed"},
    {NULL, "input", "FILE", KIND_TEXT, AT(input), 0, 0,
     "standard input of each run (default: none)"},
    {NULL, "show-output", NULL, KIND_FLAG, AT(is_shown), 0, 0,
     "let the command write to the terminal"},
    {NULL, "ignore-failure", NULL, KIND_FLAG, AT(is_failure_ignored), 0, 0,
     "go on when a run fails"},
    {NULL, "no-shim", NULL, KIND_FLAG, AT(is_shimmed), 0, 0,
     "run it bare: no heap figures, no sections"},
    {NULL, "save", "FILE", KIND_TEXT, AT(save), 0, 0,
     "all samples as JSON (hyperfine's shape and more)"},
    {NULL, "html", "FILE", KIND_TEXT, AT(html), 0, 0,
     "the same as a page for a browser"},

    {"Comparison: exit 0 no regression, 1 a command failed, 2 usage,\n"
     "3 regression proven, 4 inconclusive",
     "vs", "CMD", KIND_TEXTS, AT(vs), 0, 0,
     "another command, in turn with the first (repeatable)"},
    {NULL, "allocators", NULL, KIND_FLAG, AT(are_allocators_wanted), 0, 0,
     "the same command under each allocator there is"},
    {NULL, "baseline", "FILE", KIND_TEXT, AT(baseline), 0, 0,
     "compare with what --save wrote before"},
    {NULL, "fail-above", "P%", KIND_PERCENT, AT(fail_above), 0, 1000,
     "growth that is allowed (default 5% with --baseline)"},
    {NULL, "metric", "LIST", KIND_LIST, AT(metrics), 0, 0,
     "what is judged (default time): time, cpu, user,\n"
     "system, peak-rss, peak-heap, allocations,\n"
     "section:NAME, section:NAME:allocations"},
    {NULL, "max-runs", "N", KIND_NUMBER, AT(most_runs), 2, PB_RUNS_MOST,
     "runs at most while undecided (default 100, or what\n"
     "fits in 5 s)"},

    {"Load test: exit 3 when a limit is broken", "load", "N", KIND_NUMBER,
     AT(load), 1, PS_LOAD_WORKERS_MOST,
     "N workers, each running the command in a loop"},
    {NULL, "duration", "T", KIND_DURATION, AT(duration_s), 0.001, 1e6,
     "for so long, such as 30s, 500ms, 2m (default 10s)"},
    {NULL, "ramp-up", "T", KIND_DURATION, AT(ramp_up_s), 0, 1e6,
     "full load only after T"},
    {NULL, "rate", "R", KIND_RATE, AT(rate), 1e-3, 1e9,
     "open loop: R a second, whatever the answers take"},
    {NULL, "scenario", "FILE.so", KIND_TEXT, AT(scenario), 0, 0,
     "steps in C (bench/load.h) instead of a command"},
    {NULL, "hgrm", "FILE", KIND_TEXT, AT(hgrm), 0, 0,
     "percentiles for HdrHistogram's plotter"},
    {NULL, "max-p99", "T", KIND_DURATION, AT(max_p99_s), 1e-9, 1e6,
     "exit 3 when 1 in 100 takes longer"},
    {NULL, "max-errors", "P%", KIND_PERCENT, AT(max_errors), 0, 100,
     "exit 3 when more fail"},

    /* Of perfwrap.sh's own, those that mean something here: not in --help. */
    {NULL, "library", "FILE", KIND_TEXT, AT(library), 0, 0, NULL},
    {NULL, "sample", "N", KIND_TEXT, AT(sample), 0, 0, NULL},
    {NULL, "no-children", NULL, KIND_FLAG, AT(are_children_off), 0, 0, NULL},
    {NULL, "quiet", NULL, KIND_FLAG, AT(is_quiet), 0, 0, NULL},
};

enum { ROWS = PS_COUNT(rows), OPTION_COLUMNS = 20, OPT_HELP = 1000 };
_Static_assert((int)ROWS < OPT_HELP, "it is no row's number");

/* ---- help ---- */

static void
put_help(const struct row *r)
{
	const char *line = r->help;
	char name[40];

	snprintf(name, sizeof(name), "--%s%s%s", r->name,
		 r->value != NULL ? " " : "", r->value != NULL ? r->value : "");
	printf("  %-*s", OPTION_COLUMNS, name);
	while (line != NULL) {
		const char *next = strchr(line, '\n');
		int length =
		    next != NULL ? (int)(next - line) : (int)strlen(line);

		printf("%.*s\n", length, line);
		line = next != NULL ? next + 1 : NULL;
		if (line != NULL)
			printf("  %-*s", OPTION_COLUMNS, "");
	}
}

static void
help(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].group != NULL)
			printf("%s%s.\n", i == 0 ? "" : "\n", rows[i].group);
		if (rows[i].help != NULL)
			put_help(&rows[i]);
	}
}

/* ---- values ---- */

/* A number and what follows it, or false. */
static bool
split_number(const char *text, double *value, const char **rest)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	*rest = end;
	return end != text && errno == 0 && isfinite(*value);
}

static double
number_of(const struct row *r, const char *text)
{
	const char *rest;
	double value;

	if (!split_number(text, &value, &rest) || *rest != '\0' ||
	    value != floor(value) || value < r->low || value > r->high)
		pb_usage_error("--%s %s: expected a whole number from %.0f to "
			       "%.0f",
			       r->name, text, r->low, r->high);
	return value;
}

static double
duration_of(const struct row *r, const char *text)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"", 1},	   {"s", 1},  {"ms", 1e-3}, {"us", 1e-6},
		     {"ns", 1e-9}, {"m", 60}, {"h", 3600}};
	const char *rest;
	double value;

	if (split_number(text, &value, &rest))
		for (size_t i = 0; i < PS_COUNT(units); i++)
			if (strcmp(rest, units[i].name) == 0 &&
			    value * units[i].seconds >= r->low &&
			    value * units[i].seconds <= r->high)
				return value * units[i].seconds;
	pb_usage_error("--%s %s: expected a time such as 10s, 500ms or 2m",
		       r->name, text);
}

static double
percent_of(const struct row *r, const char *text)
{
	const char *rest;
	double value;

	if (split_number(text, &value, &rest) && strcmp(rest, "%") == 0 &&
	    value >= r->low && value <= r->high)
		return value / 100;
	pb_usage_error("--%s %s: expected a percentage from %.0f%% to %.0f%%, "
		       "such as 5%%",
		       r->name, text, r->low, r->high);
}

static double
rate_of(const struct row *r, const char *text)
{
	const char *rest;
	double value;

	if (split_number(text, &value, &rest) &&
	    (*rest == '\0' || strcmp(rest, "/s") == 0) && value >= r->low &&
	    value <= r->high)
		return value;
	pb_usage_error("--%s %s: expected a number a second, such as 200",
		       r->name, text);
}

static void
add_metric(struct pb_options *o, const char *name)
{
	if (o->metric_count == PB_METRICS_MOST)
		pb_usage_error("--metric: at most %d", PB_METRICS_MOST);
	if (name[0] == '\0')
		pb_usage_error("--metric: an empty name");
	o->metrics[o->metric_count++] = name;
}

/* Commas part names; the pieces are never freed. */
static void
add_metrics(struct pb_options *o, const char *list)
{
	char *rest = pb_format("%s", list);
	char *name;

	if (list[0] == '\0')
		add_metric(o, list);
	while ((name = strsep(&rest, ",")) != NULL)
		add_metric(o, name);
}

static void
add_vs(struct pb_options *o, const char *command)
{
	if (o->vs_count == PB_SUBJECTS_MOST - 1)
		pb_usage_error("--vs: at most %d", PB_SUBJECTS_MOST - 1);
	if (command[strspn(command, " \t\n")] == '\0')
		pb_usage_error("--vs: an empty command");
	o->vs[o->vs_count++] = command;
}

static void
take(struct pb_options *o, const struct row *r, const char *text)
{
	void *at = (char *)o + r->offset;

	PS_ASSERT(r->offset < sizeof(*o) && r->low <= r->high);
	PS_ASSERT((r->kind == KIND_FLAG) == (r->value == NULL));
	PS_ASSERT((r->value == NULL) == (text == NULL));
	switch (r->kind) {
	case KIND_FLAG:
		/* The one flag that switches off. */
		*(bool *)at = at != (void *)&o->is_shimmed;
		break;
	case KIND_TEXT:
		if (text[0] == '\0')
			pb_usage_error("--%s: an empty value", r->name);
		*(const char **)at = text;
		break;
	case KIND_LIST:
		add_metrics(o, text);
		break;
	case KIND_TEXTS:
		add_vs(o, text);
		break;
	case KIND_NUMBER:
		*(size_t *)at = (size_t)number_of(r, text);
		break;
	case KIND_DURATION:
		*(double *)at = duration_of(r, text);
		break;
	case KIND_PERCENT:
		*(double *)at = percent_of(r, text);
		break;
	case KIND_RATE:
		*(double *)at = rate_of(r, text);
		break;
	}
}

/* ---- what goes together ---- */

static void
check_load(const struct pb_options *o, const bool *given)
{
	static const char *const only[] = {"duration",	"ramp-up", "rate",
					   "scenario",	"hgrm",	   "max-p99",
					   "max-errors"};

	for (size_t i = 0; i < ROWS && o->load == 0; i++)
		for (size_t k = 0; k < PS_COUNT(only); k++)
			if (given[i] && strcmp(rows[i].name, only[k]) == 0)
				pb_usage_error("--%s needs --load", only[k]);
	if (o->load == 0)
		return;
	if (o->are_runs_set || o->vs_count > 0 || o->baseline != NULL ||
	    o->are_allocators_wanted || !isnan(o->fail_above))
		pb_usage_error("--load goes with none of --runs, --vs, "
			       "--allocators, --baseline, --fail-above");
	if (o->ramp_up_s > o->duration_s)
		pb_usage_error("--ramp-up must not be longer than --duration");
	if (o->scenario != NULL && o->command[0] != NULL)
		pb_usage_error("--scenario and a command: one of them");
}

static void
check_together(struct pb_options *o)
{
	if (o->baseline != NULL && isnan(o->fail_above))
		o->fail_above = DEFAULT_FAIL_ABOVE;
	if (o->vs_count > 0 && o->baseline != NULL)
		pb_usage_error("--vs and --baseline: one of them");
	if (o->are_allocators_wanted &&
	    (o->vs_count > 0 || o->baseline != NULL))
		pb_usage_error(
		    "--allocators goes with neither --vs nor --baseline");
	if (!isnan(o->fail_above) && o->vs_count == 0 && o->baseline == NULL)
		pb_usage_error("--fail-above needs --baseline or --vs");
	if (!isnan(o->fail_above) && o->runs < 2)
		pb_usage_error("--fail-above needs 2 runs or more");
	if (o->metric_count > 0 && o->vs_count == 0 && o->baseline == NULL)
		pb_usage_error("--metric needs --baseline or --vs");
	if (o->command[0] == NULL && o->scenario == NULL)
		pb_usage_error("no command (perfwrap.sh --help)");
}

/* Said before the runs, not after: they may take hours. */
static void
check_writable(const char *option, const char *path)
{
	struct stat st;
	int error = 0;

	if (path == NULL)
		return;
	if (stat(path, &st) != 0)
		error = access(dirname(strdupa(path)), W_OK) != 0 ? errno : 0;
	else if (S_ISDIR(st.st_mode))
		error = EISDIR;
	else if (access(path, W_OK) != 0)
		error = errno;
	if (error != 0)
		pb_usage_error("--%s %s: %s", option, path, strerror(error));
}

static void
set_defaults(struct pb_options *o)
{
	*o = (struct pb_options){.runs = 10,
				 .warm_up = 1,
				 .most_runs = 100,
				 .is_shimmed = true,
				 .fail_above = (double)NAN,
				 .duration_s = 10,
				 .max_p99_s = (double)NAN,
				 .max_errors = (double)NAN};
}

static const struct row *
row_of(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static bool
is_sample_valid(const char *text)
{
	static struct ps_options trial;

	ps_options_init(&trial);
	return ps_options_set(&trial, "PERFSHIM_SAMPLE", text) == 0;
}

void
pb_options_parse(struct pb_options *o, int argc, char **argv)
{
	struct option long_options[ROWS + 2] = {{0}};
	bool given[ROWS] = {false};
	int option;

	set_defaults(o);
	for (int i = 0; i < (int)ROWS; i++)
		long_options[i] = (struct option){
		    rows[i].name,
		    rows[i].value != NULL ? required_argument : no_argument,
		    NULL, i};
	long_options[ROWS] =
	    (struct option){"help", no_argument, NULL, OPT_HELP};
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:", long_options, NULL)) !=
	       -1) {
		if (option == OPT_HELP) {
			help();
			exit(PB_OK);
		}
		if (option == ':')
			pb_usage_error("%s needs a value (perfwrap.sh --help)",
				       argv[optind - 1]);
		if (option == '?')
			pb_usage_error("%s cannot be used with the benchmark "
				       "modes (perfwrap.sh --help)",
				       argv[optind - 1]);
		PS_ASSERT(option >= 0 && option < (int)ROWS);
		given[option] = true;
		take(o, &rows[option], optarg);
	}
	PS_ASSERT(optind > 0 && optind <= argc);
	PS_ASSERT(row_of("runs") != NULL && row_of("max-runs") != NULL);
	o->command = argv + optind;
	o->are_runs_set = given[row_of("runs") - rows];
	o->is_most_set = given[row_of("max-runs") - rows];
	if (o->sample != NULL && !is_sample_valid(o->sample))
		pb_usage_error("--sample %s: expected a number of bytes, "
			       "auto, all or off",
			       o->sample);
	if (o->is_most_set && !o->are_runs_set)
		o->runs = PS_MIN(o->runs, o->most_runs);
	if (o->most_runs < o->runs && o->is_most_set)
		pb_usage_error("--max-runs must not be below --runs");
	o->most_runs = PS_MAX(o->most_runs, o->runs);
	check_load(o, given);
	check_together(o);
	PS_ASSERT(o->runs > 0 && o->runs <= o->most_runs);
	check_writable("save", o->save);
	check_writable("html", o->html);
	check_writable("hgrm", o->hgrm);
}
