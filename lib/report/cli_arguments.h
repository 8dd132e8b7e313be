/* SPDX-License-Identifier: MIT */
/*
 * cli_arguments - what perfreport was asked for
 */
#ifndef PS_REPORT_CLI_ARGUMENTS_H
#define PS_REPORT_CLI_ARGUMENTS_H

#include "report/filter.h"
#include "report/view.h"

enum { PS_CLI_BROKEN = 1, PS_CLI_USAGE = 2 }; /* statuses besides 0 */

enum ps_cli_colour { PS_COLOUR_AUTO, PS_COLOUR_ALWAYS, PS_COLOUR_NEVER };

enum ps_cli_format {
	PS_CLI_TEXT,
	PS_CLI_JSON,
	PS_CLI_FOLDED,
	PS_CLI_PPROF,
	PS_CLI_CALLGRIND,
	PS_CLI_MASSIF,
	PS_CLI_HGRM,
	PS_CLI_TRACE,
	PS_CLI_HTML,
};

/* What else than printing once. */
enum ps_cli_task {
	PS_TASK_PRINT,
	PS_TASK_METRICS, /* task_argument: FILE */
	PS_TASK_SERVE,	 /* task_argument: [ADDRESS:]PORT */
	PS_TASK_WATCH,
	PS_TASK_ALERTS, /* task_argument: text, or NULL for JSON */
};

struct ps_arguments {
	enum ps_cli_task task;
	const char *task_argument;
	bool is_following; /* with --alerts */
	enum ps_cli_format format;
	enum ps_view_key folded_key;
	bool is_of_sections; /* --folded=time, --pprof=time */
	const char *section; /* of --hgrm */
	const char *output;  /* NULL: standard output */
	enum ps_cli_colour colour;
	bool is_unpaged;
	bool is_network_allowed; /* --debuginfod */
	bool is_tree_wanted;
	bool is_tidy_wanted;
	bool is_text_wanted; /* with --tree: the report too */
	bool is_diff_wanted;
	bool is_merge_wanted;
	const char *main_name; /* pid or name; NULL: the first to start */
	struct ps_filter filter;
	struct ps_suppressions suppressions;
	struct ps_scratch scratch; /* of the suppressions */
	struct ps_report_options options;
};

/*
 * Parse, from argv[1]; returns the index of the first FILE.  Does not return
 * for a mistake (status 2), nor for options that print something and end.
 */
int ps_arguments_parse(struct ps_arguments *a, int argc, char **argv);

/* One line on standard error, and the end. */
_Noreturn void ps_usage_error(const char *what, const char *value,
			      const char *allowed);

#endif /* PS_REPORT_CLI_ARGUMENTS_H */
