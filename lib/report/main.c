/* SPDX-License-Identifier: MIT */
/*
 * main - perfreport: reads recordings and prints what they say
 *
 * A recording may be of a process that ended, was killed, or still runs.  With
 * several (a directory), the main process is told in full and all of them in
 * one table.
 */
#include <stdio.h>
#include <string.h>

#include "report/cli_alerts.h"
#include "report/cli_cut.h"
#include "report/cli_metrics.h"
#include "report/cli_diff.h"
#include "report/cli_merge.h"
#include "report/cli_output.h"
#include "report/cli_page.h"
#include "report/cli_print.h"
#include "report/cli_serve.h"
#include "report/cli_symbols_dw.h"
#include "report/cli_tidy.h"
#include "report/cli_tree_table.h"
#include "report/cli_watch.h"

/* A status for exit. */
static int
run_task(const struct ps_arguments *a, const char *path)
{
	PS_ASSERT(a->task_argument != NULL || a->task == PS_TASK_WATCH ||
		  a->task == PS_TASK_ALERTS);
	switch (a->task) {
	case PS_TASK_METRICS:
		return ps_cli_metrics(a->task_argument, path);
	case PS_TASK_SERVE:
		return ps_cli_serve(a->task_argument, path);
	case PS_TASK_WATCH:
		return ps_cli_watch(path);
	default:
		PS_ASSERT(a->task == PS_TASK_ALERTS);
		return ps_cli_alerts(a, path);
	}
}

/* Read all of them; false when there is nothing to tell. */
static bool
read_tree(struct ps_tree *tree, char **paths, int count)
{
	for (int i = 0; i < count; i++)
		(void)ps_tree_add(tree, paths[i]);
	if (tree->count == 0 && tree->broken == 0 && tree->small.processes == 0)
		fputs("perfreport: no recordings (*.perfshim) there\n", stderr);
	ps_tree_link(tree);
	return tree->count > 0;
}

/* Not one has a recording: their lines are all there is. */
static bool
are_all_small(const struct ps_arguments *a, const struct ps_tree *tree)
{
	return tree->count == 0 && tree->small.processes > 0 &&
	       a->format == PS_CLI_TEXT && !a->is_diff_wanted;
}

static int
print(const struct ps_arguments *a, const struct ps_tree *tree,
      const struct ps_tree *newer, struct ps_text *out)
{
	int main_node;

	if (are_all_small(a, tree)) {
		ps_output_open(a, out);
		ps_tree_write(tree, -1, NULL, out);
		return 0;
	}
	main_node = ps_tree_main(tree, a->main_name);
	if (a->is_merge_wanted && !a->is_diff_wanted &&
	    a->format != PS_CLI_HTML) {
		ps_output_open(a, out);
		return ps_print_merged(a, tree, out);
	}
	if (main_node < 0)
		ps_usage_error("--main", a->main_name,
			       "no recording of that process");
	ps_output_open(a, out);
	if (a->format == PS_CLI_HTML && !a->is_diff_wanted)
		return ps_page_of_tree(a, tree, main_node, out);
	return a->is_diff_wanted ? ps_print_diff(a, tree, newer, out)
				 : ps_print(a, tree, main_node, out);
}

/* What perfwrap.sh --save wrote, as a page. */
static int
print_saved(const struct ps_arguments *a, const char *path)
{
	struct ps_text out;
	int error;

	ps_output_open(a, &out);
	error = ps_page_of_saved(path, &out);
	return ps_output_close(a, &out) != 0 || error != 0 ? PS_CLI_BROKEN : 0;
}

/* The status for exit. */
static int
read_and_print(int argc, char **argv)
{
	struct ps_arguments a;
	struct ps_tree tree;
	struct ps_tree newer; /* for --diff */
	struct ps_text out;
	int first = ps_arguments_parse(&a, argc, argv);
	int count = a.is_diff_wanted ? 1 : argc - first;
	int error;

	PS_ASSERT(first > 0 && first < argc);
	PS_ASSERT(!a.is_diff_wanted || first + 2 == argc);
	if (a.task != PS_TASK_PRINT && first + 1 != argc)
		ps_usage_error("one directory or recording", "", "expected");
	if (a.format == PS_CLI_HTML && !a.is_diff_wanted && first + 1 == argc &&
	    ps_page_is_saved(argv[first]))
		return print_saved(&a, argv[first]);
	ps_symbols_dw_init(a.is_network_allowed);
	ps_tree_init(&tree);
	ps_tree_init(&newer);
	if (a.task != PS_TASK_PRINT)
		return run_task(&a, argv[first]);
	if ((!read_tree(&tree, argv + first, count) &&
	     !are_all_small(&a, &tree)) ||
	    (a.is_diff_wanted && !read_tree(&newer, argv + first + 1, 1)))
		return PS_CLI_BROKEN;
	if (a.is_tidy_wanted)
		ps_tree_tidy(&tree);
	error = print(&a, &tree, &newer, &out);
	if (ps_output_close(&a, &out) != 0 || error != 0)
		return PS_CLI_BROKEN;
	ps_tree_close(&tree);
	ps_tree_close(&newer);
	return tree.broken + newer.broken == 0 ? 0 : PS_CLI_BROKEN;
}

int
main(int argc, char **argv)
{
	ps_cut_watch();
	return ps_cut_status(read_and_print(argc, argv));
}
