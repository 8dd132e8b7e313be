/* SPDX-License-Identifier: MIT */
/*
 * cli_arguments - what perfreport was asked for
 *
 * One table has every option once: its name, its argument and its line of
 * --help.  getopt's own table is made from it.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "monitor/rule.h"
#include "report/cli_arguments.h"
#include "report/cli_output.h"
#include "report/cli_calibrate.h"
#include "report/cli_machine.h"
#include "report/cli_page.h"
#include "report/cli_suppressions.h"

enum { HELP_COLUMN = 22 };

enum option_id {
	OPT_TEXT = 256,
	OPT_JSON,
	OPT_FOLDED,
	OPT_PPROF,
	OPT_CALLGRIND,
	OPT_MASSIF,
	OPT_HGRM,
	OPT_TRACE,
	OPT_HTML,
	OPT_METRICS,
	OPT_SERVE,
	OPT_WATCH,
	OPT_ALERTS,
	OPT_FOLLOW,
	OPT_CHECK_RULES,
	OPT_DIFF,
	OPT_MERGE,
	OPT_OUTPUT,
	OPT_TREE,
	OPT_TIDY,
	OPT_MAIN,
	OPT_TOP,
	OPT_COLOUR,
	OPT_NO_COLOUR,
	OPT_NO_PAGER,
	OPT_EXIT_CODE,
	OPT_EXIT_SIGNAL,
	OPT_SECTION,
	OPT_THREAD,
	OPT_FUNCTION,
	OPT_MODULE,
	OPT_SUPPRESSIONS,
	OPT_DEBUGINFOD,
	OPT_CALIBRATE,
	OPT_MACHINE,
	OPT_HELP_OPTIONS,
	OPT_HELP,
	OPT_VERSION,
};

/* An argument in brackets may be left out. */
static const struct row {
	const char *name;
	enum option_id id;
	const char *argument;
	const char *help;
} rows[] = {
    {"text", OPT_TEXT, NULL, "as text (default)"},
    {"json", OPT_JSON, "[=SITES]",
     "as JSON (schema perfshim-report/1), one process; with so\n"
     "many allocation sites (default 1000), or all"},
    {"folded", OPT_FOLDED, "[=WHAT]",
     "as folded stacks of peak (default), allocated, live,\n"
     "count or temporary, for flame graphs; time: of sections"},
    {"pprof", OPT_PPROF, "[=time]",
     "as gzip'ed profile.proto, all values; time: of sections"},
    {"callgrind", OPT_CALLGRIND, NULL,
     "for callgrind_annotate and KCachegrind"},
    {"massif", OPT_MASSIF, NULL, "for ms_print and massif-visualizer"},
    {"hgrm", OPT_HGRM, "SECTION",
     "a section's percentiles in ms, as HdrHistogram has them"},
    {"trace", OPT_TRACE, NULL,
     "the calls that PERFSHIM_EVENTS kept, as Chrome trace JSON"},
    {"html", OPT_HTML, NULL,
     "as one page for a browser (with -o FILE): of recordings,\nof --diff, or "
     "of what perfwrap.sh --save wrote"},
    {"metrics", OPT_METRICS, "FILE",
     "Prometheus metrics of DIRECTORY to FILE, replaced as a\nwhole (-: "
     "standard output)"},
    {"serve", OPT_SERVE, "WHERE",
     "serve /metrics, /healthz and /report/PID of DIRECTORY\nover HTTP at "
     "[ADDRESS:]PORT (default: the loopback)"},
    {"watch", OPT_WATCH, NULL, "show DIRECTORY live on the terminal"},
    {"alerts", OPT_ALERTS, "[=text]", "alerts as lines of JSON, or in words"},
    {"follow", OPT_FOLLOW, NULL, "with --alerts: go on as they come"},
    {"check-rules", OPT_CHECK_RULES, "RULES",
     "say what is wrong with rules for PERFSHIM_ALERT"},
    {"diff", OPT_DIFF, NULL,
     "what changed from OLD to NEW, two files or directories,\n"
     "by executable: the heaviest (or --main NAME) in full;\n"
     "--folded and --pprof have all"},
    {"merge", OPT_MERGE, NULL,
     "processes by executable: the heaviest (or --main NAME)\n"
     "in full; --folded and --pprof have all"},
    {"output", OPT_OUTPUT, "FILE",
     "write to FILE instead of standard output (or -o)"},
    {"tree", OPT_TREE, NULL, "only the table of processes (with --text: both)"},
    {"tidy", OPT_TIDY, NULL,
     "before all else, make a line of each recording of an image\nthat was "
     "small and called exec (perfwrap.sh does that)"},
    {"main", OPT_MAIN, "PID|NAME",
     "the process to tell in full (default: first)"},
    {"top", OPT_TOP, "N", "entries of each list, 1 to 100 (default 5)"},
    {"color", OPT_COLOUR, NULL,
     "colours (default: on a terminal, unless NO_COLOR)"},
    {"no-color", OPT_NO_COLOUR, NULL, "none"},
    {"no-pager", OPT_NO_PAGER, NULL,
     "write a long report to the terminal at once, not through\n$PAGER "
     "(default less)"},
    {"exit-code", OPT_EXIT_CODE, "N", "how the main process ended, if known"},
    {"exit-signal", OPT_EXIT_SIGNAL, "N", "the same, by a signal"},
    {"section", OPT_SECTION, "GLOBS", "only what these sections allocated"},
    {"thread", OPT_THREAD, "GLOBS", "only what threads of these names did"},
    {"function", OPT_FUNCTION, "GLOBS", "only stacks with such a function"},
    {"module", OPT_MODULE, "GLOBS", "only stacks with such a library"},
    {"leak-suppressions", OPT_SUPPRESSIONS, "FILE",
     "leaks that are known, as LeakSanitizer has them\n"
     "(leak:pattern)"},
    {"debuginfod", OPT_DEBUGINFOD, NULL,
     "ask the servers of DEBUGINFOD_URLS for debug files"},
    {"calibrate", OPT_CALIBRATE, "[=KIND]",
     "measure this machine (quick or full), keep it"},
    {"machine", OPT_MACHINE, NULL, "print what this machine can do at best"},
    {"help-options", OPT_HELP_OPTIONS, NULL, "the PERFSHIM_ variables"},
    {"help", OPT_HELP, NULL, "this text"},
    {"version", OPT_VERSION, NULL, "the version"},
};
_Static_assert(OPT_TEXT > UCHAR_MAX, "no option's letter");
_Static_assert(PS_COUNT(rows) == OPT_VERSION - OPT_TEXT + 1, "a row each");
_Static_assert(OPT_HTML - OPT_TEXT == PS_CLI_HTML - PS_CLI_TEXT, "one order");
_Static_assert(OPT_ALERTS - OPT_METRICS == PS_TASK_ALERTS - PS_TASK_METRICS,
	       "one order");

_Noreturn void
ps_usage_error(const char *what, const char *value, const char *allowed)
{
	ps_complain_of_option(what, value, allowed);
	exit(PS_CLI_USAGE);
}

static int
number_of(const char *option, const char *text, long low, long high)
{
	char allowed[80];
	char *end;
	long value;

	PS_ASSERT(low <= high && low >= INT_MIN && high <= INT_MAX);
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && value >= low &&
	    value <= high)
		return (int)value;
	snprintf(allowed, sizeof(allowed), "not a number from %ld to %ld", low,
		 high);
	ps_usage_error(option, text, allowed);
}

/* ---- what prints something and ends -------------------------------------- */

/* A help of several lines is set off as one block. */
static void
print_row(const struct row *row)
{
	const char *argument = row->argument == NULL ? "" : row->argument;
	bool is_apart = argument[0] != '\0' && argument[0] != '[';
	int used =
	    printf("  --%s%s%s", row->name, is_apart ? " " : "", argument);
	int gap = used < HELP_COLUMN ? HELP_COLUMN - used : 1;

	for (const char *at = row->help; at != NULL; gap = HELP_COLUMN) {
		const char *end = strchrnul(at, '\n');

		printf("%*s%.*s\n", gap, "", (int)(end - at), at);
		at = *end == '\0' ? NULL : end + 1;
	}
}

static void
print_help(void)
{
	puts("usage: perfreport [options] FILE|DIRECTORY...\n\n"
	     "Prints what recordings of perfshim say; of a directory, the main "
	     "process in\nfull and all processes in a table.\n");
	for (unsigned i = 0; i < PS_COUNT(rows); i++)
		print_row(&rows[i]);
	puts("\nExit status: 0; 1 a recording could not be read; 2 usage.");
}

static void
print_options(void)
{
	const struct ps_option_row *row;

	for (unsigned i = 0; (row = ps_options_row(i)) != NULL; i++)
		printf("%s=%s (default %s)\n    %s\n", row->name, row->allowed,
		       row->fallback, row->help);
}

/* A status for exit. */
static int
check_rules(const char *text)
{
	struct ps_rule_error error;
	struct ps_rules rules;

	if (ps_rules_parse(text, &rules, &error) == 0)
		return 0;
	PS_ASSERT(error.column > 0 && error.allowed != NULL);
	fputs("perfreport: ", stderr);
	for (const char *c = text; *c != '\0';
	     c++) /* columns stay what they are */
		fputc((unsigned char)*c < ' ' || *c == 127 ? '?' : *c, stderr);
	fprintf(stderr, "\n%*s^ column %u: allowed here: %s\n",
		(int)(error.column - 1 + strlen("perfreport: ")), "",
		error.column, error.allowed);
	return PS_CLI_USAGE;
}

static void
do_at_once(int option, int argc, char **argv)
{
	switch (option) {
	case OPT_HELP:
		print_help();
		exit(0);
	case OPT_VERSION:
		puts("perfreport " PS_VERSION);
		exit(0);
	case OPT_HELP_OPTIONS:
		print_options();
		exit(0);
	case OPT_CHECK_RULES:
		exit(check_rules(optarg));
	case OPT_CALIBRATE:
		if (optarg == NULL && optind < argc)
			optarg = argv[optind];
		exit(ps_cli_calibrate(optarg));
	case OPT_MACHINE:
		exit(ps_cli_machine());
	default:
		fputs("perfreport: see --help\n", stderr);
		exit(PS_CLI_USAGE);
	}
}

/* ---- parsing ---- */

static enum ps_view_key
folded_key_of(const char *name)
{
	static const struct {
		const char *name;
		enum ps_view_key key;
	} keys[] = {
	    {"peak", PS_BY_PEAK},	    {"allocated", PS_BY_BYTES},
	    {"live", PS_BY_LIVE},	    {"count", PS_BY_ALLOCATIONS},
	    {"temporary", PS_BY_TEMPORARY},
	};

	_Static_assert(PS_COUNT(keys) == PS_BY_TEMPORARY + 1, "a name each");
	for (unsigned i = 0; i < PS_COUNT(keys); i++)
		if (name == NULL || strcmp(name, keys[i].name) == 0)
			return keys[i].key;
	ps_usage_error(
	    "--folded", name,
	    "allowed: peak, allocated, live, count, temporary, time");
}

static uint32_t
sites_of(const char *text)
{
	if (text == NULL)
		return PS_REPORT_SITES;
	if (strcmp(text, "all") == 0)
		return UINT32_MAX;
	return (uint32_t)number_of("--json", text, 1, INT_MAX);
}

/* The last one counts. */
static void
take_format(struct ps_arguments *a, int option)
{
	PS_ASSERT(option >= OPT_TEXT && option <= OPT_HTML);
	if (option == OPT_HTML && !ps_page_is_there())
		exit(PS_CLI_BROKEN);
	a->format = (enum ps_cli_format)(option - OPT_TEXT) + PS_CLI_TEXT;
	a->is_text_wanted = option == OPT_TEXT;
	a->is_of_sections = optarg != NULL && strcmp(optarg, "time") == 0;
	if (option == OPT_FOLDED && !a->is_of_sections)
		a->folded_key = folded_key_of(optarg);
	if (option == OPT_PPROF && optarg != NULL && !a->is_of_sections)
		ps_usage_error("--pprof", optarg, "allowed: time");
	if (option == OPT_HGRM)
		a->section = optarg;
	if (option == OPT_JSON)
		a->options.sites = sites_of(optarg);
}

static void
take_filter(struct ps_arguments *a, int option)
{
	switch (option) {
	case OPT_SECTION:
		a->filter.section = optarg;
		break;
	case OPT_THREAD:
		a->filter.thread = optarg;
		break;
	case OPT_FUNCTION:
		a->filter.function = optarg;
		break;
	case OPT_MODULE:
		a->filter.module = optarg;
		break;
	default:
		PS_ASSERT(option == OPT_SUPPRESSIONS);
		ps_cli_suppressions(optarg, &a->suppressions, &a->scratch);
		a->filter.suppressions = &a->suppressions;
	}
}

/* Those without an argument that set one thing; false: it is none of them. */
static bool
take_switch(struct ps_arguments *a, int option)
{
	switch (option) {
	case OPT_FOLLOW:
		return a->is_following = true;
	case OPT_DIFF:
		return a->is_diff_wanted = true;
	case OPT_MERGE:
		return a->is_merge_wanted = true;
	case OPT_TREE:
		return a->is_tree_wanted = true;
	case OPT_TIDY:
		return a->is_tidy_wanted = true;
	case OPT_NO_PAGER:
		return a->is_unpaged = true;
	case OPT_DEBUGINFOD:
		return a->is_network_allowed = true;
	default:
		return false;
	}
}

static void
take_option(struct ps_arguments *a, int option, int argc, char **argv)
{
	switch (option) {
	case OPT_TEXT:
	case OPT_JSON:
	case OPT_FOLDED:
	case OPT_PPROF:
	case OPT_CALLGRIND:
	case OPT_MASSIF:
	case OPT_HGRM:
	case OPT_TRACE:
	case OPT_HTML:
		take_format(a, option);
		break;
	case OPT_METRICS:
	case OPT_SERVE:
	case OPT_WATCH:
	case OPT_ALERTS:
		a->task =
		    (enum ps_cli_task)(option - OPT_METRICS) + PS_TASK_METRICS;
		a->task_argument = optarg;
		if (option == OPT_ALERTS && optarg != NULL &&
		    strcmp(optarg, "text") != 0)
			ps_usage_error("--alerts", optarg, "allowed: text");
		break;
	case 'o':
	case OPT_OUTPUT:
		a->output = optarg;
		break;
	case OPT_MAIN:
		a->main_name = optarg;
		break;
	case OPT_TOP:
		a->options.top = (uint32_t)number_of("--top", optarg, 1, 100);
		break;
	case OPT_COLOUR:
	case OPT_NO_COLOUR:
		a->colour =
		    option == OPT_COLOUR ? PS_COLOUR_ALWAYS : PS_COLOUR_NEVER;
		break;
	case OPT_SECTION:
	case OPT_THREAD:
	case OPT_FUNCTION:
	case OPT_MODULE:
	case OPT_SUPPRESSIONS:
		take_filter(a, option);
		break;
	case OPT_EXIT_CODE:
		a->options.exit_code = number_of("--exit-code", optarg, 0, 255);
		break;
	case OPT_EXIT_SIGNAL:
		a->options.exit_signal =
		    number_of("--exit-signal", optarg, 1, 64);
		break;
	default:
		if (!take_switch(a, option))
			do_at_once(option, argc, argv);
	}
}

int
ps_arguments_parse(struct ps_arguments *a, int argc, char **argv)
{
	struct option table[PS_COUNT(rows) + 1] = {0};
	int option;

	_Static_assert(PS_CLI_TEXT == 0 && PS_TASK_PRINT == 0, "defaults");
	for (unsigned i = 0; i < PS_COUNT(rows); i++) {
		const char *argument = rows[i].argument;

		PS_ASSERT(rows[i].id == OPT_TEXT + i);
		table[i].name = rows[i].name;
		table[i].val = rows[i].id;
		table[i].has_arg = argument == NULL	? no_argument
				   : argument[0] == '[' ? optional_argument
							: required_argument;
	}
	*a = (struct ps_arguments){.options = {.exit_code = -1}};
	while ((option = getopt_long(argc, argv, "o:", table, NULL)) != -1)
		take_option(a, option, argc, argv);
	if (optind == argc)
		ps_usage_error("no recording given", "", "see --help");
	if (a->is_diff_wanted && argc - optind != 2)
		ps_usage_error("--diff", "", "needs OLD and NEW");
	return optind;
}
